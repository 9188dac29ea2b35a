package station

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/drivers/sane/backend"
	"motcua/drivers/scan"
)

const feederOnly = "vendor=FUJITSU\nmodel=fi-7160\nsource=ADF Front|ADF Duplex\nmode=Gray|Color\nresolution=50-600\nx=220\ny=360\n"

// A scanner that is switched on after the daemon's start says what it can do before anybody scans, one that is named as well as one
// that is looked for, also where it needs a while to wake, and one that is plugged in elsewhere says it again.
func TestFollow(t *testing.T) {
	for _, named := range []bool{true, false} {
		t.Run(map[bool]string{true: "named", false: "auto"}[named], func(t *testing.T) {
			d, err := backend.Play(t.TempDir(), "fujitsu", feederOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range d.Env {
				name, value, _ := strings.Cut(e, "=")
				t.Setenv(name, value)
			}
			if err := errors.Join(d.Move("libusb:250:001"), d.Away(true)); err != nil {
				t.Fatal(err)
			}
			var cfg config.Config
			cfg.Scanner.Device = "auto"
			if named {
				cfg.Scanner.Device = "sane:fujitsu"
			}
			profiles, err := LoadProfiles(cfg)
			if err != nil {
				t.Fatal(err)
			}
			s, err := OpenScanner(cfg, profiles, true)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			plugged, ended := make(chan struct{}), make(chan struct{})
			answered := make(chan scan.Info, 8)
			go func() {
				defer close(ended)
				follow(ctx, s, plugged, time.Hour, func(i scan.Info) { answered <- i })
			}()
			defer func() { cancel(); <-ended }()
			plug := func() {
				t.Helper()
				select {
				case plugged <- struct{}{}:
				case <-time.After(patience):
					t.Fatal("nobody listens for what is plugged in")
				}
			}
			hears := func() {
				t.Helper()
				select {
				case i := <-answered:
					if !slices.Contains(i.Sources, scan.ADFDuplex) {
						t.Errorf("%+v", i)
					}
				case <-time.After(patience):
					t.Fatal("it is not asked")
				}
			}
			plug() // something else: the scanner is still off
			if met(s) {
				t.Errorf("%+v, and it is not there", s.Info())
			}
			if err := errors.Join(d.Sleep(1), d.Away(false)); err != nil {
				t.Fatal(err)
			}
			plug()
			hears()
			if !slices.Contains(s.Info().Sources, scan.ADFDuplex) {
				t.Errorf("%+v", s.Info())
			}
			if err := d.Move("libusb:250:002"); err != nil {
				t.Fatal(err)
			}
			plug()
			hears()
		})
	}
}

// Info of a scanner that is looked for does not wait for the look: a page of the screen asks for it.
func TestInfoWhileLooking(t *testing.T) {
	a := &automatic{looking: make(chan struct{}, 1)}
	a.looking <- struct{}{} // somebody looks, for as long as it takes
	if a.Info().ID != "auto" || a.Met() {
		t.Errorf("%+v", a.Info())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// fickle is a scanner whose scan begins, and finds it away once whoever holds it lets it.
type fickle struct {
	id          string
	begun, away chan struct{}
	closed      int
}

func (f *fickle) Info() scan.Info { return scan.Info{ID: f.id} }
func (f *fickle) Close() error    { f.closed++; return nil }
func (f *fickle) Scan(context.Context, scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		close(f.begun)
		<-f.away
		yield(scan.Page{}, &scan.Fault{Code: scan.Unplugged, Device: f.id})
	}
}

// A scan that learns late that its scanner is away takes nothing from the one that was found meanwhile.
func TestAwayAfterAnotherWasFound(t *testing.T) {
	first, second := &fickle{id: "first", begun: make(chan struct{}), away: make(chan struct{})}, &fickle{id: "second"}
	a := &automatic{looking: make(chan struct{}, 1), found: first}
	ended := make(chan error)
	go func() {
		for _, err := range a.Scan(t.Context(), scan.Settings{}) {
			ended <- err
		}
	}()
	<-first.begun
	a.mu.Lock()
	a.found = second
	a.mu.Unlock()
	close(first.away)
	if err := <-ended; !isAway(err) {
		t.Fatal(err)
	}
	if a.current() != Scanner(second) || second.closed != 0 {
		t.Errorf("%v is found, the second was closed %d times", a.Info().ID, second.closed)
	}
}
