package queue

import (
	"sync"

	bolt "go.etcd.io/bbolt"
)

// group makes one transaction of what several callers want to write at the same time: a commit waits for the disk twice,
// whatever is in it. Nobody waits for others to come: who finds nobody writing goes at once, and who comes meanwhile goes
// together next.
type group struct {
	mu      sync.Mutex // guards what follows
	busy    bool
	waiting []*groupCall
}

type groupCall struct {
	fn   func(*bolt.Tx) error
	done chan error
	lead chan struct{}
}

// together is update for many small writers. fn may be run more than once, and beside others in one transaction.
func (q *Queue) together(fn func(*bolt.Tx) error) error {
	c := &groupCall{fn: fn, done: make(chan error, 1), lead: make(chan struct{}, 1)}
	g := &q.group
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	if !g.busy {
		g.busy = true
		c.lead <- struct{}{}
	}
	g.mu.Unlock()
	select {
	case err := <-c.done:
		return err
	case <-c.lead:
	}
	g.mu.Lock()
	calls := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	q.commit(calls)
	g.mu.Lock()
	if len(g.waiting) > 0 {
		g.waiting[0].lead <- struct{}{}
	} else {
		g.busy = false
	}
	g.mu.Unlock()
	return <-c.done
}

// commit runs calls in one transaction. One that fails is taken out, so that it spoils nobody else's, and told alone.
func (q *Queue) commit(calls []*groupCall) {
	for len(calls) > 0 {
		failed := -1
		err := q.update(func(tx *bolt.Tx) error {
			failed = -1
			for i, c := range calls {
				if err := c.fn(tx); err != nil {
					failed = i
					return err
				}
			}
			return nil
		})
		if failed < 0 {
			for _, c := range calls {
				c.done <- err
			}
			return
		}
		calls[failed].done <- err
		calls = append(calls[:failed:failed], calls[failed+1:]...)
	}
}
