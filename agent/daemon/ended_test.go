package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// cut is a context that ends when it has been asked so many times.
type cut struct {
	context.Context
	left atomic.Int64
	end  context.CancelFunc
}

func (c *cut) asked() {
	if c.left.Add(-1) == 0 {
		c.end()
	}
}

func (c *cut) Done() <-chan struct{} { c.asked(); return c.Context.Done() }
func (c *cut) Err() error            { c.asked(); return c.Context.Err() }

// running ends a daemon that has come up.
type running struct{ end context.CancelFunc }

func (r running) Write(line []byte) (int, error) {
	if strings.HasPrefix(string(line), "Motcua is at") {
		r.end()
	}
	return len(line), nil
}

// Told to end at any moment of its start, a daemon ends without a fault: systemctl stop is no failure of the unit.
func TestEndedWhileItStarts(t *testing.T) {
	t.Parallel()
	for _, after := range []int64{1, 2, 3, 5, 8, 13, 21} {
		ctx, end := context.WithTimeout(t.Context(), 2*time.Minute)
		c := &cut{Context: ctx, end: end}
		c.left.Store(after)
		demo := Demo{Folder: t.TempDir(), Listen: "127.0.0.1:0"}
		if err := RunDemo(c, Streams{Out: running{end}, Err: io.Discard}, demo); err != nil {
			t.Errorf("ended at the %dth look: %v", after, err)
		}
		end()
	}
}

// What fails by itself is a fault, also where it says "canceled", and also in the moment in which the daemon is told to end.
func TestOnlyTheEndThatWasAskedForIsNone(t *testing.T) {
	live := t.Context()
	over, end := context.WithCancel(live)
	end()
	canceled, broken := fmt.Errorf("open the queue: %w", context.Canceled), errors.New("disk is full")
	for _, c := range []struct {
		ctx  context.Context
		err  error
		none bool
	}{{over, canceled, true}, {over, nil, true}, {live, nil, true}, {live, canceled, false}, {over, broken, false}, {live, broken, false}} {
		if got := Ended(c.ctx, c.err); (got == nil) != c.none {
			t.Errorf("told to end %t, ended with %v: %v", c.ctx.Err() != nil, c.err, got)
		}
	}
}
