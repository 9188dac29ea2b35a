package ocr

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Share is what one party (a visit) has used of a Reader's workers. While workers are short, whoever has used least is next,
// and a long file is put aside between two of its pages for somebody who has used less. Parties that are heavy never have all
// workers: one is kept for the others. The zero Share has used nothing.
type Share struct {
	mu      sync.Mutex // guards the rest
	used    time.Duration
	slowest time.Duration
}

// What makes a party heavy: so much work in all, or a single page of so much. A card takes about a tenth of a second on a free
// processor, a stack of a volunteer's a few seconds in all; pages made to hurt take their whole bound.
const (
	heavyUse  = 30 * time.Second
	heavyPage = 4 * time.Second
)

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
	s.slowest = max(s.slowest, d)
}

func (s *Share) heavy() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used >= heavyUse || s.slowest >= heavyPage
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
	lent    map[backend]*Share
	waiting []*waiter // in the order in which they came
	closed  bool

	size int
	home chan backend // where backends go once the pool is closed; it has room for all
}

func newPool(all []backend) *pool {
	return &pool{idle: all, lent: map[backend]*Share{}, size: len(all), home: make(chan backend, len(all))}
}

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
	share := shareOf(ctx)
	if len(p.idle) > 0 && p.mayHave(share) {
		b := p.lend(share)
		p.mu.Unlock()
		return b, nil
	}
	w := &waiter{share, make(chan backend, 1)}
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
	delete(p.lent, b)
	if p.closed {
		p.home <- b
		return
	}
	p.idle = append(p.idle, b)
	for len(p.idle) > 0 {
		next := p.next(p.mayHave)
		if next < 0 {
			return
		}
		w := p.waiting[next]
		p.waiting = slices.Delete(p.waiting, next, next+1)
		w.given <- p.lend(w.share)
	}
}

// lend takes an idle backend for a party.
func (p *pool) lend(to *Share) backend {
	n := len(p.idle) - 1
	b := p.idle[n]
	p.idle = p.idle[:n]
	p.lent[b] = to
	return b
}

// next is the place of the waiter who has used least of those who may have a backend, -1 where there is none.
func (p *pool) next(may func(*Share) bool) int {
	best := -1
	for i, w := range p.waiting {
		if may(w.share) && (best < 0 || w.share.Used() < p.waiting[best].share.Used()) {
			best = i
		}
	}
	return best
}

// heavies counts the backends that heavy parties have.
func (p *pool) heavies() int {
	n := 0
	for _, s := range p.lent {
		if s.heavy() {
			n++
		}
	}
	return n
}

// mayHave says whether a party may have one more backend: a heavy one never takes the last that heavy parties leave.
func (p *pool) mayHave(s *Share) bool {
	return p.size < 2 || !s.heavy() || p.heavies() < p.size-1
}

// behind says whether the party of s has to make room between two pages: because somebody waits who has used less, or because it
// has become heavy and heavy parties have all.
func (p *pool) behind(s *Share) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size > 1 && s.heavy() && p.heavies() == p.size {
		return true
	}
	next := p.next(func(*Share) bool { return true })
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
