package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// crew is the workers that deliver to one sink, and what they claimed ahead of time for whoever is free next.
//
// While the far side proves that it has all of one submission, and while that is written down, in the same transaction that
// claims one more, a worker sends the next: a commit waits for the disk twice, which for a small submission takes longer than
// to send it. A cut before that commit is what a cut right before the note of a success always was: the submission
// is queued again, and the hub, asked for the upload, shows that it has all of it.
//
// A sink that prepares (Preparing) has more workers than submissions whose bytes travel: the others begin their uploads
// meanwhile, and write down where.
type crew struct {
	q       *Queue
	sink    Sink
	b       *breaker
	workers int
	turns   chan struct{} // one for each whose bytes travel; nil = the sink takes no turns
	ended   func(State)   // told how each delivery ended, by several goroutines; nil = nobody asks

	mu    sync.Mutex // guards ahead
	ahead []*record  // claimed and not begun
}

// aheadMost is the size of a bundle, in bytes, up to which submissions are claimed ahead of time. A larger one would be shown
// as being sent, and could not be dropped, for as long as those before it take on a slow line.
const aheadMost = 1 << 20

func (q *Queue) newCrew(sink Sink) *crew {
	c := &crew{q: q, sink: sink, b: q.breakers.of(hubOf(sink)), workers: q.o.Parallel}
	if p, ok := sink.(Preparing); ok && p.Prepares() {
		c.workers += preparing * q.o.Parallel
		c.turns = make(chan struct{}, q.o.Parallel)
	}
	return c
}

// preparing is how many submissions are prepared for each whose bytes travel: to begin one and to note it takes about three
// times as long as to send 200 kB, on a disk that takes milliseconds (BenchmarkManySmall).
const preparing = 3

// worker gives the n-th of the crew. Those beyond Options.Parallel take small submissions only, and try nothing at a hub
// that is down.
func (c *crew) worker(n int) *worker { return &worker{crew: c, spare: n >= c.q.o.Parallel} }

// worker delivers one submission after the other.
type worker struct {
	*crew
	spare     bool
	finishing chan error // of the submission that was sent last and is being proved and written down; nil = none
}

// stepped is what a worker did.
type stepped struct {
	one  bool      // it sent one, or tried
	next time.Time // else: when to look again; zero = when something changes
	down bool      // else: because the hub is left alone
}

// step sends what is due at now and next in turn.
func (w *worker) step(ctx context.Context, now time.Time) (stepped, error) {
	t := w.b.allow(w.q.now(), !w.spare)
	if !t.ok || t.probe != 0 {
		// What was taken ahead is not what is to be tried, now or by one that must not have failed.
		if err := w.rest(); err != nil {
			w.b.release(t)
			return stepped{}, err
		}
	}
	if !t.ok {
		return stepped{next: t.next, down: !w.spare}, nil
	}
	r, next, err := w.take(t, now)
	if err != nil || r == nil {
		w.b.release(t)
		return stepped{next: next}, err
	}
	sent, done := make(chan struct{}), make(chan error, 1)
	n := &note{q: w.q, id: r.ID, turns: w.turns, sent: sync.OnceFunc(func() { close(sent) })}
	go func() {
		end, cause := w.q.deliver(ctx, w.sink, w.b, t, r, n)
		n.endTurn()
		done <- w.write(r, end, now, cause == nil && r.Size <= aheadMost)
	}()
	if t.probe != 0 {
		return stepped{one: true}, <-done // its fate decides
	}
	select {
	case <-sent:
		err = w.collect()
		w.finishing = done
	case err = <-done:
		err = errors.Join(err, w.collect())
	}
	return stepped{one: true}, err
}

// take gives what was claimed ahead, or claims.
func (w *worker) take(t turn, now time.Time) (r *record, next time.Time, err error) {
	if r := w.pop(); r != nil {
		return r, next, nil
	}
	if err := w.collect(); err != nil {
		return nil, next, err
	}
	if r := w.pop(); r != nil {
		return r, next, nil
	}
	want := 2
	if t.probe != 0 {
		want = 1
	}
	claimed, next, err := w.q.claimAhead(t, now, want, w.spare)
	if err != nil || len(claimed) == 0 {
		return nil, next, err
	}
	w.push(claimed[1:])
	return claimed[0], next, nil
}

func (c *crew) pop() *record {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ahead) == 0 {
		return nil
	}
	r := c.ahead[0]
	c.ahead = c.ahead[1:]
	return r
}

// push lays ready what was claimed, and wakes who waits for work.
func (c *crew) push(claimed []*record) {
	c.mu.Lock()
	c.ahead = append(c.ahead, claimed...)
	c.mu.Unlock()
	for _, r := range claimed {
		c.q.changes.tell(r.Submission)
	}
}

// write writes down how a delivery ended and, where that is wanted, claims ahead.
func (c *crew) write(r, end *record, now time.Time, more bool) error {
	want := 0
	if more {
		c.mu.Lock()
		want = min(2, c.workers-len(c.ahead))
		c.mu.Unlock()
	}
	var claimed []*record
	err := c.q.together(func(tx *bolt.Tx) (err error) {
		claimed = nil
		if err = c.q.settleIn(tx, r, end); err == nil && want > 0 {
			claimed, err = c.q.claimIn(tx, turn{}, now, want, true)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("note the end of delivery of %s: %w", r.ID, err)
	}
	c.q.settled(r, end)
	c.push(claimed)
	if c.ended != nil {
		c.ended(end.State)
	}
	return nil
}

// collect waits for the proof of what was sent before, and until its end is written down.
func (w *worker) collect() error {
	if w.finishing == nil {
		return nil
	}
	err := <-w.finishing
	w.finishing = nil
	return err
}

// rest waits for what was sent last and gives back what was claimed and not begun: it keeps its place, and the try isn't
// counted.
func (w *worker) rest() error {
	if err := w.collect(); err != nil {
		return err
	}
	for r := w.pop(); r != nil; r = w.pop() {
		end := *r
		end.State = Queued
		end.Attempts--
		if err := w.q.settle(r, &end); err != nil {
			return err
		}
	}
	return nil
}
