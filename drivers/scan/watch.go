package scan

import (
	"context"
	"iter"
	"reflect"
	"time"
)

// Finder looks for the devices of one driver; readers' drivers give one as well as scanners'.
type Finder struct {
	Name string // of the driver
	List func(context.Context) ([]Info, error)

	// Every is how long to wait between two looks at most; 0: a second. A list that takes long is asked
	// for less often, so that looking never takes more than a fifth of the time, unless it only Waits.
	Every time.Duration
	Waits bool // for answers from the network: a look takes time and no work
}

// Change is a device that appeared, went away or changed, or a driver that cannot look. The first look
// gives every device that is there.
type Change struct {
	Driver  string
	Info    Info
	Present bool
	Err     error // of the driver's look; Info is empty then. A nil Err in a Change without Info: it works again
}

// Settling is how long after the kernel tells of a device udev has surely given it its permissions.
const Settling = 300 * time.Millisecond

// Watch yields changes as they are seen, until the context ends. A device plugged into or pulled out of
// the machine is looked for at once, everything else within the finder's Every. Finders do not wait for one
// another.
func Watch(ctx context.Context, finders ...Finder) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		ctx, cancel := context.WithCancel(ctx)
		changes := make(chan Change)
		ended := make(chan struct{})
		for _, f := range finders {
			go func() {
				f.watch(ctx, changes)
				ended <- struct{}{}
			}()
		}
		running := len(finders)
		defer func() {
			cancel()
			for running > 0 {
				select {
				case <-changes:
				case <-ended:
					running--
				}
			}
		}()
		for running > 0 {
			select {
			case c := <-changes:
				if !yield(c) {
					return
				}
			case <-ended:
				running--
			}
		}
	}
}

func (f Finder) watch(ctx context.Context, changes chan<- Change) {
	every := f.Every
	if every == 0 {
		every = time.Second
	}
	plugged, stop := Plugged(ctx)
	defer stop()
	tell := func(c Change) bool {
		c.Driver = f.Name
		select {
		case changes <- c:
			return true
		case <-ctx.Done():
			return false
		}
	}
	known := map[string]Info{}
	failed := ""
	for {
		began := time.Now()
		infos, err := f.List(ctx)
		took := time.Since(began)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			// A driver that cannot look knows nothing of its devices: they are neither there nor gone.
			if err.Error() != failed && !tell(Change{Err: err}) {
				return
			}
			failed = err.Error()
		} else {
			if failed != "" && !tell(Change{}) {
				return
			}
			failed = ""
			var told bool
			if known, told = tellChanges(known, infos, tell); !told {
				return
			}
		}
		pause := every
		if !f.Waits {
			pause = max(every, 4*took)
		}
		rest(ctx, pause, plugged)
	}
}

// tellChanges tells what went, came or changed since the last look; told is false where nobody listens any more.
func tellChanges(known map[string]Info, infos []Info, tell func(Change) bool) (now map[string]Info, told bool) {
	now = map[string]Info{}
	for _, i := range infos {
		now[i.ID] = i
	}
	for id, i := range known {
		if _, still := now[id]; !still && !tell(Change{Info: i}) {
			return known, false
		}
	}
	for _, i := range infos {
		if before, was := known[i.ID]; (!was || !reflect.DeepEqual(before, i)) && !tell(Change{Info: i, Present: true}) {
			return known, false
		}
	}
	return now, true
}

// rest waits until the next look is due, or something was plugged in or out.
func rest(ctx context.Context, pause time.Duration, plugged <-chan struct{}) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-plugged:
		settle := time.NewTimer(Settling)
		defer settle.Stop()
		select {
		case <-ctx.Done():
		case <-settle.C:
		}
	}
}
