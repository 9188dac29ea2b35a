package bandwidth

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is a clock that passes only while somebody sleeps by it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) sleep(_ context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	return nil
}

var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func limiter(t testing.TB, c *clock, windows ...string) *Limiter {
	t.Helper()
	o := Options{Location: time.UTC, Now: c.now, Sleep: c.sleep}
	for _, text := range windows {
		w, err := ParseWindow(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Windows = append(o.Windows, w)
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOfficeHours(t *testing.T) {
	at := func(day, hour, minute int) time.Time {
		return monday.AddDate(0, 0, day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	}
	for _, c := range []struct {
		name string
		at   time.Time
		want Rate
	}{
		{"before_opening", at(0, 7, 29), Unlimited},
		{"at_opening", at(0, 7, 30), 256_000},
		{"at_noon", at(0, 12, 0), 256_000},
		{"at_closing", at(0, 17, 0), Unlimited},
		{"on_sunday", at(6, 12, 0), Unlimited},
		{"saturday_night", at(5, 23, 30), Nothing},
		{"after_its_midnight", at(6, 0, 30), Nothing},
		{"at_its_end", at(6, 1, 0), Unlimited},
		{"sunday_night_is_not_saturdays", at(7, 0, 30), Unlimited},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := limiter(t, &clock{t: c.at}, "mon-fri 7:30-17:00 256 kB/s", "sat 23:00-1:00 nothing")
			if got := l.Now(); got != c.want {
				t.Errorf("rate %d, want %d", got, c.want)
			}
		})
	}
}

// TestRateHolds: whatever sizes are asked for, no stretch in a window passes more than rate and burst.
func TestRateHolds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := &clock{t: monday.Add(8 * time.Hour)}
		l := limiter(t, c, "7:30-17:00 256 kB/s")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 400_000), 1, 40).Draw(rt, "sizes")
		start, total := c.now(), 0
		for _, n := range sizes {
			if err := l.WaitN(context.Background(), n); err != nil {
				rt.Fatal(err)
			}
			total += n
			passed := c.now().Sub(start).Seconds()
			if allowed := 256_000*passed + 64_000 + 1; float64(total) > allowed {
				rt.Fatalf("%d bytes in %.3f s, allowed %.0f", total, passed, allowed)
			}
			if spare := 256_000 * passed; float64(total) < spare-256_000 {
				rt.Fatalf("%d bytes in %.3f s: much slower than the plan allows", total, passed)
			}
		}
	})
}

func TestSlowWindowEndsWhileWaiting(t *testing.T) {
	c := &clock{t: monday.Add(16*time.Hour + 59*time.Minute)}
	l := limiter(t, c, "7:30-17:00 1 kB/s")
	if err := l.WaitN(context.Background(), 10_000_000); err != nil {
		t.Fatal(err)
	}
	if late := c.now().Sub(monday.Add(17 * time.Hour)); late > look {
		t.Errorf("went on waiting for %v after the window had ended", late)
	}
}

func TestClockSetBackIsHarmless(t *testing.T) {
	c := &clock{t: monday.Add(8 * time.Hour)}
	l := limiter(t, c, "7:30-17:00 1 kB/s")
	for range 3 {
		if err := l.WaitN(context.Background(), 1000); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		c.t = c.t.Add(-20 * time.Minute)
		c.mu.Unlock()
	}
	before := c.now()
	if err := l.WaitN(context.Background(), 1000); err != nil {
		t.Fatal(err)
	}
	if took := c.now().Sub(before); took > time.Minute {
		t.Errorf("1 kB took %v at 1 kB/s after the clock was set back", took)
	}
}

func TestNothingSaysUntilWhen(t *testing.T) {
	c := &clock{t: monday.Add(8*time.Hour + 15*time.Second)}
	l := limiter(t, c, "7:30-17:00 nothing")
	var closed *Closed
	if err := l.WaitN(context.Background(), 1); !errors.As(err, &closed) {
		t.Fatalf("error %v, want Closed", err)
	}
	if want := monday.Add(17 * time.Hour); !closed.Until.Equal(want) || closed.RetryIn() != want.Sub(c.now()) {
		t.Errorf("closed until %v for %v, want %v", closed.Until, closed.RetryIn(), want)
	}
}

func TestNothingOutsideOfWindows(t *testing.T) {
	l, err := New(Options{Otherwise: Nothing, Windows: []Window{{From: 8 * 60, To: 9 * 60, Rate: Unlimited}}, Location: time.UTC,
		Now: (&clock{t: monday.Add(7 * time.Hour)}).now})
	if err != nil {
		t.Fatal(err)
	}
	var closed *Closed
	if err := l.WaitN(context.Background(), 1); !errors.As(err, &closed) || closed.RetryIn() != time.Hour {
		t.Errorf("error %v, want closed for an hour", err)
	}
	if _, err := New(Options{Windows: []Window{{From: 0, To: 60}}}); err == nil {
		t.Error("a window without a rate was taken")
	}
}

func TestCancel(t *testing.T) {
	l, err := New(Options{Windows: []Window{{From: 0, To: 24 * 60, Rate: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := l.WaitN(ctx, 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// TestRealClock shares one limiter between uploads that run at once.
func TestRealClock(t *testing.T) {
	l, err := New(Options{Windows: []Window{{From: 0, To: 24 * 60, Rate: 1_000_000}}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if err := l.WaitN(context.Background(), 20_000); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if took := time.Since(start); took < 500*time.Millisecond {
		t.Errorf("800 kB took %v at 1 MB/s", took)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Rate{"256 kB/s": 256_000, "2 Mbit/s": 250_000, "64KiB/s": 65536, "unlimited": Unlimited,
		"nothing": Nothing, "0 kB/s": Nothing, "100 b/s": 100} {
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "256", "-1 kB/s", "fast", "kB/s", "1e9 kB/s"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("ParseRate(%q) = %d", text, got)
		}
	}
	for _, text := range []string{"", "7:30-17:00", "7:30 256 kB/s", "24:30-25:00 1 kB/s", "foo 7:30-17:00 1 kB/s", "7:5-8:00 1 kB/s",
		"mon-foo 7:30-17:00 1 kB/s", "24:00-1:00 1 kB/s", "mon"} {
		if got, err := ParseWindow(text); err == nil {
			t.Errorf("ParseWindow(%q) = %+v", text, got)
		}
	}
}
