package station

import (
	"context"
	"time"

	"motcua/drivers/scan"
)

// prober that can leave out what takes long.
type nearbyProber interface {
	ProbeNearby(ctx context.Context) (scan.Info, error)
}

// met reports whether a device has said what it can do and is still there, as far as that can be known without asking it.
func met(s Scanner) bool {
	if m, ok := s.(interface{ Met() bool }); ok {
		return m.Met()
	}
	return len(s.Info().Sources) > 0
}

// lookEvery is how often a scanner that was not met yet is asked for where nothing is plugged in: one on the network says nothing
// when it is switched on.
const lookEvery = 2 * time.Minute

// waking are the pauses between tries after something was plugged in: a scanner that is switched on answers when it has
// woken, which takes some seconds.
var waking = []time.Duration{scan.Settling, 2 * time.Second, 5 * time.Second, 10 * time.Second}

// Follow asks a scanner what it can do when the program starts and, until it has answered, whenever something is plugged in and now
// and then: one that is switched on later is known, and its driver warm, before the first citizen scans, and so is one that was
// plugged in elsewhere. answered is told each time it answers. It runs until ctx ends.
func Follow(ctx context.Context, scanner Scanner, answered func(scan.Info)) error {
	plugged, stop := scan.Plugged(ctx)
	defer stop()
	follow(ctx, scanner, plugged, lookEvery, answered)
	return nil
}

func follow(ctx context.Context, scanner Scanner, plugged <-chan struct{}, every time.Duration, answered func(scan.Info)) {
	everywhere, ok := scanner.(Prober)
	if !ok {
		return
	}
	nearby := everywhere.Probe
	if n, ok := scanner.(nearbyProber); ok {
		nearby = n.ProbeNearby
	}
	ask := func(probe func(context.Context) (scan.Info, error)) {
		if info, err := probe(ctx); err == nil { // why it does not answer is told when it is used, and by doctor
			answered(info)
		}
	}
	ask(everywhere.Probe)
	tries := len(waking) // that were made since something was plugged in
	for {
		pause := every
		if tries < len(waking) {
			pause = waking[tries]
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-plugged:
			t.Stop()
			tries = 0
			continue
		case <-t.C:
		}
		if met(scanner) {
			tries = len(waking)
			continue
		}
		if tries < len(waking) {
			tries++
			ask(nearby)
			continue
		}
		ask(everywhere.Probe)
	}
}
