package cli

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"motcua/agent/web/screen"
)

// A browser is ended when it has shown nothing of ours for longer than it may, not while it does, nor while the daemon is away. One that
// works has its time for the first page, more of it after each that was ended in vain; one that hangs is ended soon.
func TestWatchScreen(t *testing.T) {
	const limit, soon = 90 * time.Second, 30 * time.Second
	down := errors.New("no daemon")
	never := func(tries int) func(time.Duration) (screen.Shown, error) {
		return func(since time.Duration) (screen.Shown, error) {
			return screen.Shown{Ever: tries > 1, Away: time.Hour + since, Limit: limit, Tries: tries}, nil
		}
	}
	busy := func(since time.Duration) work { return work{ticks: int(since / (100 * time.Millisecond))} } // a tenth of a processor
	reads := func(since time.Duration) work { return work{faults: int(since / (10 * time.Millisecond))} }
	minute := func(since time.Duration) work { return busy(min(since, time.Minute)) }
	idle := func(since time.Duration) work { return work{ticks: int(since / time.Second)} }
	for name, c := range map[string]struct {
		answer func(since time.Duration) (screen.Shown, error)
		done   func(since time.Duration) work
		away   time.Duration // when it is ended; 0: not within an hour
	}{
		"a page is shown": {func(time.Duration) (screen.Shown, error) {
			return screen.Shown{Ever: true, Away: 2 * time.Second, Limit: limit}, nil
		}, idle, 0},
		"the daemon is away": {func(since time.Duration) (screen.Shown, error) {
			if since < time.Minute {
				return screen.Shown{Ever: true, Away: time.Second, Limit: limit}, nil
			}
			return screen.Shown{}, down
		}, idle, 0},
		"something else since the 1st minute": {func(since time.Duration) (screen.Shown, error) {
			return screen.Shown{Ever: true, Away: max(time.Second, since-time.Minute), Limit: limit}, nil
		}, busy, time.Minute + limit},
		"an error page since the daemon came back": {func(since time.Duration) (screen.Shown, error) {
			switch {
			case since < time.Minute:
				return screen.Shown{Ever: true, Away: time.Second, Limit: limit}, nil
			case since < 2*time.Minute:
				return screen.Shown{}, down
			}
			return screen.Shown{Away: since - 2*time.Minute, Limit: soon}, nil
		}, idle, 2*time.Minute + soon},
		"the first page takes long": {func(since time.Duration) (screen.Shown, error) {
			if since < firstWithin-lookPace {
				return screen.Shown{Ever: true, Away: time.Hour + since, Limit: limit}, nil // of the browser before it
			}
			return screen.Shown{Ever: true, Away: time.Second, Limit: limit}, nil
		}, busy, 0},
		"no first page, it works":         {never(1), busy, firstWithin},
		"no first page, it reads":         {never(1), reads, firstWithin},
		"no first page, it hangs":         {never(1), idle, stillWithin},
		"the second one works":            {never(2), busy, 2 * firstWithin},
		"the second one hangs":            {never(2), idle, 2 * stillWithin},
		"the ninth one works":             {never(9), busy, 8 * firstWithin},
		"the ninth one hangs":             {never(9), idle, 8 * stillWithin},
		"it hangs when it has worked":     {never(1), minute, time.Minute + stillWithin},
		"an error page, the daemon comes": {afterwards(time.Minute, down, never(1)), idle, time.Minute + stillWithin},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				begun, told := time.Now(), 0
				ask := func(_ context.Context, query string) (screen.Shown, error) {
					now, err := c.answer(time.Since(begun))
					if query != "" && err == nil {
						told++
					}
					return now, err
				}
				away := watchScreen(ctx, ask, func() work { return c.done(time.Since(begun)) })
				if took := time.Since(begun); (away != nil) != (c.away > 0) || away != nil && (took <= c.away || took > c.away+2*lookPace) {
					t.Errorf("ended after %v: %v", took, away)
				}
				if away != nil && !errors.Is(away, errAway) {
					t.Errorf("ended by %v", away)
				}
				if told != 1 {
					t.Errorf("the daemon is told %d times of the browser's start", told)
				}
			})
		})
	}
}

// afterwards fails for a while.
func afterwards(while time.Duration, err error, then func(time.Duration) (screen.Shown, error)) func(time.Duration) (screen.Shown, error) {
	return func(since time.Duration) (screen.Shown, error) {
		if since < while {
			return screen.Shown{}, err
		}
		return then(since)
	}
}

// What a group of processes works is seen, its children's too; what waits does nothing.
func TestWorkOf(t *testing.T) {
	begin := func(script string) int {
		cmd := exec.Command("sh", "-c", script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
		return cmd.Process.Pid
	}
	busy, waits := begin("sh -c 'while :; do :; done' & wait"), begin("sleep 1000 & wait")
	before, still := workOf(busy), workOf(waits)
	for end := time.Now().Add(2 * time.Minute); !workOf(busy).since(before); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("works unseen: %+v, before %+v", workOf(busy), before)
		}
	}
	if got := workOf(waits); got.since(still) {
		t.Errorf("what waits works: %+v, before %+v", got, still)
	}
}
