package ocr

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Share is what one party (a visit) has used of a Reader's workers. While workers are short, whoever has used least is next,
// and a long file is put aside between two of its pages for somebody who has used less. The zero Share has used nothing.
type Share struct {
	mu   sync.Mutex // guards used
	used time.Duration
}

// Used is how long workers have worked for the party.
func (s *Share) Used() time.Duration {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

func (s *Share) add(d time.Duration) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += d
}

type shareKey struct{}

// WithShare has what is read in ctx counted to s. Without one, a reading counts as that of somebody who has used nothing.
func WithShare(ctx context.Context, s *Share) context.Context {
	return context.WithValue(ctx, shareKey{}, s)
}

func shareOf(ctx context.Context) *Share {
	s, _ := ctx.Value(shareKey{}).(*Share)
	return s
}

// pool lends out backends, fairly.
type pool struct {
	mu      sync.Mutex // guards the rest
	idle    []backend
	waiting []*waiter // in the order in which they came
	closed  bool

	home chan backend // where backends go once the pool is closed; it has room for all
}

func newPool(all []backend) *pool { return &pool{idle: all, home: make(chan backend, len(all))} }

type waiter struct {
	share *Share
	given chan backend // of one; closed where the pool was
}

// take waits for a backend. Whoever takes one gives it back.
func (p *pool) take(ctx context.Context) (backend, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		b := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return b, nil
	}
	w := &waiter{shareOf(ctx), make(chan backend, 1)}
	p.waiting = append(p.waiting, w)
	p.mu.Unlock()
	select {
	case b, ok := <-w.given:
		if !ok {
			return nil, ErrClosed
		}
		return b, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.waiting = slices.DeleteFunc(p.waiting, func(o *waiter) bool { return o == w })
	p.mu.Unlock()
	select {
	case b, ok := <-w.given: // it was given in the same moment
		if ok {
			p.give(b)
		}
	default:
	}
	return nil, ctx.Err()
}

// give returns a backend: to whoever waits and has used least.
func (p *pool) give(b backend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.home <- b
		return
	}
	if next := p.next(); next >= 0 {
		w := p.waiting[next]
		p.waiting = slices.Delete(p.waiting, next, next+1)
		w.given <- b
		return
	}
	p.idle = append(p.idle, b)
}

// next is the place of the waiter who has used least, -1 where nobody waits.
func (p *pool) next() int {
	best := -1
	for i, w := range p.waiting {
		if best < 0 || w.share.Used() < p.waiting[best].share.Used() {
			best = i
		}
	}
	return best
}

// behind says whether somebody waits who has used less than s.
func (p *pool) behind(s *Share) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.next()
	return next >= 0 && p.waiting[next].share.Used() < s.Used()
}

// rest takes every backend that is idle.
func (p *pool) rest() []backend {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle
	p.idle = nil
	return idle
}

// close turns waiters away and lends nothing more; every backend then comes home. It says whether it was open.
func (p *pool) close() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.closed = true
	for _, w := range p.waiting {
		close(w.given)
	}
	p.waiting = nil
	for _, b := range p.idle {
		p.home <- b
	}
	p.idle = nil
	return true
}
