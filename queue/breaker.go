package queue

import (
	"math/rand/v2"
	"sync"
	"time"
)

// A breaker stops a kiosk from knocking at a hub that is down, once per hub. It opens when several
// different submissions failed one after the other with no success between: one bad submission
// never opens it. While it is open nothing is tried; then one submission that has not failed yet is tried, and
// its fate decides. That is by turns the oldest and the newest: were it always the oldest, a few bad ones
// at the head of the queue would look like a hub that is down.
const (
	breakerStreak = 3
	breakerFirst  = 5 * time.Second
	breakerMax    = 5 * time.Minute
	breakerAsked  = time.Hour // the longest Retry-After that all submissions wait for
)

type breaker struct {
	mu      sync.Mutex // guards all fields
	failed  map[string]bool
	asked   time.Duration // longest Retry-After in the streak
	opened  int           // times opened in a row
	until   time.Time     // queue time
	probing uint64        // the number of the probe that is under way; 0 = none
	probes  uint64        // numbers given out
}

// turn is a breaker's answer to whether a delivery may be tried now.
type turn struct {
	ok    bool
	probe uint64    // not 0: the hub was down: prefer a submission that has not failed
	newer bool      // and the newest of them
	next  time.Time // if not ok: when to ask again; zero: when something changes
}

// allow gives a turn, of a hub that is down only to one that may probe, and one at a time. Every turn that is ok is given back
// by success, failure or release. Those of before the hub was given up, which end while a probe is under way, are not taken for it.
func (b *breaker) allow(now time.Time, probe bool) turn {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.opened == 0:
		return turn{ok: true}
	case now.Before(b.until):
		return turn{next: b.until}
	case b.probing != 0, !probe:
		return turn{}
	}
	b.probes++
	b.probing = b.probes
	return turn{ok: true, probe: b.probing, newer: b.opened%2 == 0}
}

// release takes back a turn that was not used, or said nothing of the hub.
func (b *breaker) release(t turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.probing == t.probe {
		b.probing = 0
	}
}

// success: the hub answers.
func (b *breaker) success() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed, b.opened, b.probing, b.asked = nil, 0, 0, 0
}

// failure notes that a submission failed and opens the breaker if that makes a streak.
func (b *breaker) failure(t turn, id string, now time.Time, asked time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		b.failed = map[string]bool{}
	}
	b.failed[id] = true
	b.asked = max(b.asked, min(asked, breakerAsked))
	if b.opened == 0 && len(b.failed) < breakerStreak {
		return
	}
	if b.opened > 0 && (t.probe == 0 || t.probe != b.probing) {
		return // one that was under way when the breaker opened
	}
	delay := max(jitter(grow(breakerFirst, breakerMax, b.opened)), b.asked)
	b.until = now.Add(delay)
	b.opened++
	b.probing, b.asked = 0, 0
	clear(b.failed)
}

func (b *breaker) wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened == 0 {
		return 0
	}
	return max(0, b.until.Sub(now))
}

// breakers has one breaker per hub.
type breakers struct {
	mu    sync.Mutex // guards byHub
	byHub map[string]*breaker
}

func (b *breakers) of(hub string) *breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byHub == nil {
		b.byHub = map[string]*breaker{}
	}
	if b.byHub[hub] == nil {
		b.byHub[hub] = &breaker{}
	}
	return b.byHub[hub]
}

func (b *breakers) longest(now time.Time) (d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.byHub {
		d = max(d, h.wait(now))
	}
	return d
}

// grow doubles first n times, up to most.
func grow(first, most time.Duration, n int) time.Duration {
	d := first
	for ; n > 0 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}

// jitter spreads a delay over its upper half, so that kiosks that lost one hub together don't come back
// together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
