package queue

import (
	"errors"
	"testing"
	"time"
)

// TestRetentionUnderWrongClocks: content is wiped a day after its delivery as it really was, whatever the clock said then
// or says meanwhile; never sooner.
func TestRetentionUnderWrongClocks(t *testing.T) {
	const keep = 24 * time.Hour
	start := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		off, later time.Duration // how wrong the clock is at the delivery, and two hours after it
		restart    bool          // the program is started again then
		late       time.Duration // how much later than right it may be wiped
	}{
		"right":                                 {},
		"right_and_restarted":                   {restart: true},
		"ahead_by_four_years_then_set":          {off: 4 * 365 * keep},
		"ahead_then_set_and_restarted":          {off: 4 * 365 * keep, restart: true, late: 2 * time.Hour},
		"in_1970_then_set":                      {off: -56 * 365 * keep},
		"in_1970_then_set_and_restarted":        {off: -56 * 365 * keep, restart: true, late: 2 * time.Hour},
		"jumps_ahead_after_the_delivery":        {later: 4 * 365 * keep},
		"jumps_ahead_and_restarted":             {later: 4 * 365 * keep, restart: true, late: 2 * time.Hour},
		"behind_by_a_month_then_set":            {off: -30 * keep},
		"falls_back_to_1970_after_the_delivery": {later: -56 * 365 * keep, late: 1 << 62},
	} {
		t.Run(name, func(t *testing.T) {
			now, off, opened := start, c.off, start
			o := Options{Parallel: 1, Retention: keep, wall: func() time.Time { return now.Add(off) },
				elapsed: func() time.Duration { return now.Sub(opened) }}
			dir := memoryDir(t)
			q := mustOpen(t, dir, o)
			mustEnqueue(t, q, draft("A", 1))
			if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != 1 {
				t.Fatal(pass, err)
			}
			wiped := time.Duration(-1)
			for hour := range 60 {
				if _, err := q.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				// By a clock that is four years ahead and was believed after a day, even its record is old.
				if s, err := q.Get("A"); errors.Is(err, ErrNotFound) || s.Wiped {
					wiped = now.Sub(start)
					break
				}
				if hour == 2 {
					off = c.later
					if c.restart {
						if err := q.Close(); err != nil {
							t.Fatal(err)
						}
						opened = now
						q = mustOpen(t, dir, o)
					}
				}
				now = now.Add(time.Hour)
			}
			if wiped >= 0 && wiped < keep || wiped < 0 && c.late < keep || wiped > keep+time.Hour+c.late {
				t.Fatalf("wiped after %v", wiped)
			}
		})
	}
}
