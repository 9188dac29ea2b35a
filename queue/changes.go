package queue

import "sync"

// changes tells those who wait that something moved, and subscribers what.
type changes struct {
	mu     sync.Mutex // guards all fields
	wake   chan struct{}
	next   int
	subs   map[int]chan Submission
	closed bool
}

func (c *changes) init() {
	c.wake = make(chan struct{})
	c.subs = map[int]chan Submission{}
}

// waiter is closed by the next change.
func (c *changes) waiter() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wake
}

// nudge wakes all waiters.
func (c *changes) nudge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.wake)
	c.wake = make(chan struct{})
}

func (c *changes) tell(s Submission) {
	c.mu.Lock()
	for _, ch := range c.subs {
		select {
		case ch <- s:
		default:
		}
	}
	c.mu.Unlock()
	c.nudge()
}

func (c *changes) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for id, ch := range c.subs {
		delete(c.subs, id)
		close(ch)
	}
}

// Subscribe gives every submission as it enters a new state, until cancel is called or the queue is
// closed. It is for showing progress: a reader that is 256 steps behind misses steps. Who must miss
// nothing follows Events.
func (q *Queue) Subscribe() (steps <-chan Submission, cancel func()) {
	c := &q.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan Submission, 256)
	if c.closed {
		close(ch)
		return ch, func() {}
	}
	id := c.next
	c.next++
	c.subs[id] = ch
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.subs[id]; ok {
			delete(c.subs, id)
			close(ch)
		}
	}
}
