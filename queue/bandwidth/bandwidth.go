// Package bandwidth keeps uploads within a bandwidth plan such as "no more than 256 kB/s from 7:30 to
// 17:00", so that an office's line stays usable while it is open. In go a plan and the bytes about to
// be sent; WaitN returns when they may go.
//
// It promises: over any stretch inside a window no more than the window's rate (plus a quarter of a
// second's worth) passes, however many uploads share the Limiter; a change of window is noticed within
// a minute also when the clock is set; in a window that allows nothing WaitN says until when at once,
// so that no connection is held open for hours.
package bandwidth

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is in bytes per second.
type Rate int64

// Rates with a meaning of their own. Nothing is not zero, so that a plan which leaves a rate out does not
// stop all uploads.
const (
	Nothing   Rate = -1
	Unlimited Rate = math.MaxInt64
)

func (r Rate) valid() bool { return r > 0 || r == Nothing }

// Clock is a time of day, in minutes after midnight.
type Clock int

// String is "HH:MM", 24 hours.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// Window is a stretch of the day with a rate of its own. One whose To is not after From runs over
// midnight; it belongs to the day it began on.
type Window struct {
	Days     [7]bool // by time.Weekday; all false = every day
	From, To Clock
	Rate     Rate
}

func (w Window) on(d time.Weekday) bool { return w.Days == [7]bool{} || w.Days[d] }

// covers reports whether a wall time lies in the window.
func (w Window) covers(t time.Time) bool {
	c := Clock(t.Hour()*60 + t.Minute())
	if w.From < w.To {
		return w.on(t.Weekday()) && w.From <= c && c < w.To
	}
	return c >= w.From && w.on(t.Weekday()) || c < w.To && w.on((t.Weekday()+6)%7)
}

// Options are a plan. Where windows overlap the first one counts; outside of all of them Otherwise does.
type Options struct {
	Windows   []Window
	Otherwise Rate           // 0 = Unlimited
	Location  *time.Location // of the windows' times; nil = time.Local

	Now   func() time.Time                                 // nil = time.Now
	Sleep func(ctx context.Context, d time.Duration) error // nil = a timer
}

// Limiter is shared by all uploads over one line.
type Limiter struct {
	o Options

	mu     sync.Mutex // guards bucket and at
	bucket *rate.Limiter
	at     Rate // bucket's
}

// New checks the plan.
func New(o Options) (*Limiter, error) {
	for i, w := range o.Windows {
		if w.From < 0 || w.From >= 24*60 || w.To < 0 || w.To > 24*60 || !w.Rate.valid() {
			return nil, fmt.Errorf("bandwidth window %d: out of range", i+1)
		}
	}
	if o.Otherwise == 0 {
		o.Otherwise = Unlimited
	}
	if !o.Otherwise.valid() {
		return nil, errors.New("bandwidth outside of the windows: out of range")
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Limiter{o: o}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// Closed says that nothing may be sent now.
type Closed struct {
	Until time.Time
	in    time.Duration
}

func (e *Closed) Error() string {
	return "the bandwidth plan allows nothing before " + e.Until.Format("15:04")
}

// RetryIn is how long it is until something may be sent.
func (e *Closed) RetryIn() time.Duration { return e.in }

// Now returns the rate that holds now.
func (l *Limiter) Now() Rate { return l.rate(l.o.Now()) }

func (l *Limiter) rate(now time.Time) Rate {
	t := now.In(l.o.Location)
	for _, w := range l.o.Windows {
		if w.covers(t) {
			return w.Rate
		}
	}
	return l.o.Otherwise
}

// look is the longest sleep without a look at the clock: it may have been set.
const look = time.Minute

// WaitN returns nil when n more bytes may be sent, *Closed when the plan allows nothing now, or ctx's error.
func (l *Limiter) WaitN(ctx context.Context, n int) error {
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		now := l.o.Now()
		r := l.rate(now)
		switch r {
		case Unlimited:
			return nil
		case Nothing:
			until := l.opens(now)
			return &Closed{Until: until, in: until.Sub(now)}
		}
		k, d := l.reserve(now, r, n)
		n -= k
		// What is reserved is waited for, but never past a look at the plan: at the end of a slow window
		// the rest goes at the new window's rate.
		for d > 0 {
			step := min(d, look)
			if err := l.o.Sleep(ctx, step); err != nil {
				return err
			}
			d -= step
			if l.Now() != r {
				break
			}
		}
	}
	return nil
}

// reserve takes up to n bytes from the bucket and says how long to wait for them.
func (l *Limiter) reserve(now time.Time, r Rate, n int) (int, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bucket == nil || l.at != r {
		// A quarter of a second's worth, so that a slow line is even, not in gulps.
		l.bucket, l.at = rate.NewLimiter(rate.Limit(r), int(max(1, min(r/4, 1<<30)))), r
	}
	n = min(n, l.bucket.Burst())
	return n, l.bucket.ReserveN(now, n).DelayFrom(now)
}

// opens returns when something may be sent again: the first minute whose rate isn't Nothing.
func (l *Limiter) opens(now time.Time) time.Time {
	t := now.Truncate(time.Minute)
	for range 8 * 24 * 60 {
		t = t.Add(time.Minute)
		if l.rate(t) != Nothing {
			return t
		}
	}
	return t
}

var days = map[string]time.Weekday{"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday,
	"thu": time.Thursday, "fri": time.Friday, "sat": time.Saturday}

// ParseWindow reads "[mon-fri] 7:30-17:00 256 kB/s"; the days may also be a list such as "sat,sun".
func ParseWindow(text string) (Window, error) {
	var w Window
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && !strings.ContainsAny(words[0][:1], "0123456789") {
		for part := range strings.SplitSeq(words[0], ",") {
			first, last, span := strings.Cut(part, "-")
			a, ok := days[first]
			if !ok {
				return w, fmt.Errorf("bandwidth window %q: %q is no day (mon, tue, …)", text, first)
			}
			b := a
			if span {
				if b, ok = days[last]; !ok {
					return w, fmt.Errorf("bandwidth window %q: %q is no day (mon, tue, …)", text, last)
				}
			}
			for d := a; ; d = (d + 1) % 7 {
				w.Days[d] = true
				if d == b {
					break
				}
			}
		}
		words = words[1:]
	}
	if len(words) < 2 {
		return w, fmt.Errorf("bandwidth window %q: write it as \"7:30-17:00 256 kB/s\"", text)
	}
	from, to, ok := strings.Cut(words[0], "-")
	if !ok {
		return w, fmt.Errorf("bandwidth window %q: %q is no stretch of time such as 7:30-17:00", text, words[0])
	}
	var err error
	if w.From, err = parseClock(from); err != nil || w.From == 24*60 {
		return w, fmt.Errorf("bandwidth window %q: %q is no time of day", text, from)
	}
	if w.To, err = parseClock(to); err != nil {
		return w, fmt.Errorf("bandwidth window %q: %q is no time of day", text, to)
	}
	if w.Rate, err = ParseRate(strings.Join(words[1:], " ")); err != nil {
		return w, fmt.Errorf("bandwidth window %q: %w", text, err)
	}
	return w, nil
}

func parseClock(text string) (Clock, error) {
	h, m, ok := strings.Cut(text, ":")
	hour, err := strconv.ParseUint(h, 10, 8)
	if err != nil || !ok || len(m) != 2 {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	minute, err := strconv.ParseUint(m, 10, 8)
	if err != nil || minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	return Clock(hour*60 + minute), nil
}

var units = []struct {
	name string
	size int64
}{{"kbit/s", 125}, {"mbit/s", 125_000}, {"kib/s", 1 << 10}, {"mib/s", 1 << 20}, {"kb/s", 1000}, {"mb/s", 1_000_000}, {"b/s", 1}}

// ParseRate reads "256 kB/s", "2 Mbit/s", "nothing" or "unlimited".
func ParseRate(text string) (Rate, error) {
	t := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	switch t {
	case "unlimited":
		return Unlimited, nil
	case "nothing", "0":
		return Nothing, nil
	}
	for _, u := range units {
		if number, ok := strings.CutSuffix(t, u.name); ok {
			n, err := strconv.ParseUint(number, 10, 32)
			if err != nil {
				break
			}
			if n == 0 {
				return Nothing, nil
			}
			return Rate(int64(n) * u.size), nil
		}
	}
	return 0, fmt.Errorf("%q is no rate: write it as 256 kB/s, 2 Mbit/s, unlimited or nothing", text)
}
