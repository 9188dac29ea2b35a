package cli

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"motcua/agent/web/screen"
)

func TestListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	if uid, err := listener(at); err != nil || uid != strconv.Itoa(os.Getuid()) {
		t.Errorf("served by %q, %v", uid, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if uid, err := listener(at); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("served by %q, %v", uid, err)
	}
}

// A browser is ended when it has shown nothing of ours for longer than it may, not while it does, nor while the daemon is away;
// one that is slow to show its first page has its time.
func TestWatchScreen(t *testing.T) {
	const limit, soon = 90 * time.Second, 30 * time.Second
	down := errors.New("no daemon")
	for name, c := range map[string]struct {
		answer func(since time.Duration) (screen.Shown, error)
		away   time.Duration // when it is ended; 0: not within an hour
	}{
		"a page is shown": {func(time.Duration) (screen.Shown, error) {
			return screen.Shown{Ever: true, Away: 2 * time.Second, Limit: limit}, nil
		}, 0},
		"the daemon is away": {func(since time.Duration) (screen.Shown, error) {
			if since < time.Minute {
				return screen.Shown{Ever: true, Away: time.Second, Limit: limit}, nil
			}
			return screen.Shown{}, down
		}, 0},
		"something else since the 1st minute": {func(since time.Duration) (screen.Shown, error) {
			return screen.Shown{Ever: true, Away: max(time.Second, since-time.Minute), Limit: limit}, nil
		}, time.Minute + limit},
		"an error page since the daemon came back": {func(since time.Duration) (screen.Shown, error) {
			switch {
			case since < time.Minute:
				return screen.Shown{Ever: true, Away: time.Second, Limit: limit}, nil
			case since < 2*time.Minute:
				return screen.Shown{}, down
			}
			return screen.Shown{Away: since - 2*time.Minute, Limit: soon}, nil
		}, 2*time.Minute + soon},
		"the first page takes long": {func(since time.Duration) (screen.Shown, error) {
			if since < 4*time.Minute {
				return screen.Shown{Ever: true, Away: time.Hour + since, Limit: limit}, nil // of the browser before it
			}
			return screen.Shown{Ever: true, Away: time.Second, Limit: limit}, nil
		}, 0},
		"no first page": {func(since time.Duration) (screen.Shown, error) { return screen.Shown{Away: since, Limit: soon}, nil }, firstWithin},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				begun := time.Now()
				away := watchScreen(ctx, func(context.Context) (screen.Shown, error) { return c.answer(time.Since(begun)) })
				if took := time.Since(begun); away != (c.away > 0) || away && (took <= c.away || took > c.away+2*lookPace) {
					t.Errorf("ended %v after %v", away, took)
				}
			})
		})
	}
}
