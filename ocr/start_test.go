package ocr

import (
	"io"
	"os"
	"testing"
	"time"
)

// silence stands for startSilence in the test below: longer than a busy machine leaves a process without a processor.
const silence = 5 * time.Second

// SlowStarts are what workers of the test do before they load their models, by the name they are started with.
var SlowStarts = map[string]func(){
	"ocr-worker-slow": func() { // works, a little at a time, for longer than it may stand still
		for begun := time.Now(); time.Since(begun) < 2*silence; time.Sleep(50 * time.Millisecond) {
			for spin := time.Now(); time.Since(spin) < 5*time.Millisecond; {
			}
		}
	},
	"ocr-worker-hung": func() { _, _ = io.Copy(io.Discard, os.Stdin) },
}

// A worker may take as long to start as the machine needs, while it works at that; one that stands still is ended, and so is one that
// has worked for too long.
func TestWorkerStartsAtTheMachinesSpeed(t *testing.T) {
	for name, c := range map[string]struct {
		worker string
		most   time.Duration
		starts bool
	}{
		"slow":     {"ocr-worker-slow", startMost, true},
		"hung":     {"ocr-worker-hung", startMost, false},
		"for ever": {"ocr-worker-slow", silence, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait
			w := newChild([]string{os.Args[0], c.worker}, Limits{Time: 10 * time.Minute, FileTime: 10 * time.Minute}.filled(), nil)
			defer w.close()
			w.silence, w.most = silence, c.most
			if _, err := w.warm(t.Context()); (err == nil) != c.starts {
				t.Errorf("warm: %v", err)
			}
			if _, p := w.open(t.Context(), []byte("no picture"), false); (p.Code != TimedOut) != c.starts {
				t.Errorf("open: %v", p)
			}
		})
	}
}
