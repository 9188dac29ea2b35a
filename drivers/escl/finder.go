package escl

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"motcua/drivers/scan"
)

// Finder looks for devices again and again, for scan.Watch: those that announce themselves, and the named
// ones. A device that was found once is knocked at rather than asked for again, because announcements get
// lost now and then; so one that is switched off shows within two seconds, and a new one within three.
func Finder(o Options, ids ...string) scan.Finder {
	f := &finder{o: o, ids: ids, known: map[string]scan.Info{}}
	return scan.Finder{Name: "escl", List: f.list, Every: time.Second / 2, Waits: true}
}

const (
	knock = time.Second            // for a device to take a connection
	again = 2 * time.Second        // between two questions to the network
	hear  = 700 * time.Millisecond // for announcements
)

type finder struct {
	o   Options
	ids []string

	mu    sync.Mutex // guards the fields below
	known map[string]scan.Info
	asked time.Time
}

func (f *finder) list(ctx context.Context) ([]scan.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var announced []found
	var asking sync.WaitGroup
	var err error
	if time.Since(f.asked) >= again {
		f.asked = time.Now()
		asking.Go(func() { announced, err = discover(ctx, f.o, hear) })
	}
	var mu sync.Mutex // guards present
	var present []scan.Info
	for _, info := range f.known {
		asking.Go(func() {
			if answers(ctx, info.ID) {
				mu.Lock()
				defer mu.Unlock()
				present = append(present, info)
			}
		})
	}
	for _, id := range f.ids {
		s, openErr := Open(f.o, id)
		if openErr != nil {
			continue // the configuration's check says so
		}
		if _, is := f.known[s.id]; is {
			continue
		}
		asking.Go(func() {
			defer s.Close()
			if !answers(ctx, s.id) {
				return
			}
			info, probeErr := s.Probe(ctx)
			if probeErr != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			present = append(present, info)
		})
	}
	asking.Wait()
	if err != nil {
		return nil, err
	}
	now := map[string]scan.Info{}
	for _, info := range present {
		now[info.ID] = info
	}
	for _, a := range announced {
		// An announcement is believed if the device takes a connection: some outlive their device.
		if _, is := now[a.info.ID]; !is && answers(ctx, a.info.ID) {
			now[a.info.ID] = a.info
		}
	}
	f.known = now
	infos := make([]scan.Info, 0, len(now))
	for _, info := range now {
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b scan.Info) int { return strings.Compare(a.ID, b.ID) })
	return infos, ctx.Err()
}

// answers reports whether a device takes connections.
func answers(ctx context.Context, id string) bool {
	u, err := address(id)
	if err != nil {
		return false
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	d := net.Dialer{Timeout: knock}
	c, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
