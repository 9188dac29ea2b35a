package breach_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"motcua/agent/audit"
	"motcua/agent/breach"
	"motcua/queue"
)

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

func days(n int) time.Time { return noon.AddDate(0, 0, n) }

func accepted(id string, n int) audit.Entry {
	return audit.Entry{Time: days(n), Event: audit.Event{Act: audit.SubmissionAccepted, Submission: id, Procedure: "1.001193"}}
}

func dropped(id string, n int) audit.Entry {
	return audit.Entry{Time: days(n), Event: audit.Event{Act: audit.SubmissionDropped, Submission: id}}
}

func TestReport(t *testing.T) {
	submission := func(id string, n int, change func(*queue.Submission)) queue.Submission {
		s := queue.Submission{ID: id, Code: "C-" + id, State: queue.Queued, Created: days(n), Labels: map[string]string{"procedure": "1.001193"}}
		if change != nil {
			change(&s)
		}
		return s
	}
	wiped := func(n int) func(*queue.Submission) {
		return func(s *queue.Submission) { s.State, s.Delivered, s.Wiped = queue.Delivered, days(n), true }
	}
	for name, c := range map[string]struct {
		from, until int
		want        string
	}{
		"ever": {-1000, 0, "dropped:unknown forgotten:unknown long-gone:wiped old:wiped sealed:sealed-to-office today:here " +
			"file.blob:set-aside"},
		"a theft today":        {0, 1, "forgotten:unknown old:wiped sealed:sealed-to-office today:here file.blob:set-aside"},
		"before it was opened": {-1000, -500, "file.blob:set-aside"},
	} {
		t.Run(name, func(t *testing.T) {
			from := days(c.from)
			if c.from == -1000 {
				from = time.Time{}
			}
			b := breach.Open(from, days(c.until).Add(time.Minute), 24*time.Hour)
			b.Submission(submission("today", 0, nil))
			b.Submission(submission("sealed", -3, func(s *queue.Submission) { s.Sealed = true }))
			b.Submission(submission("old", -8, wiped(-7)))
			b.Submission(submission("long-gone", -100, wiped(-99)))
			b.Submission(submission("tomorrow", 2, nil))
			b.Found(queue.Found{Name: "file.blob"})
			b.Found(queue.Found{Name: "copy", Submission: submission("today", 0, nil)})
			for _, e := range []audit.Entry{accepted("forgotten", -200), accepted("dropped", -300), dropped("dropped", -299), accepted("today", 0),
				accepted("tomorrow", 2)} {
				b.Entry(e)
			}
			r := b.Report("kiosk-1", "Phường Mẫu", "file", time.UTC)
			got := map[string]bool{}
			for _, row := range r.Rows {
				got[row.ID+":"+string(row.Content)] = true
			}
			for _, want := range strings.Fields(c.want) {
				if !got[want] {
					t.Errorf("%s is not in the report", want)
				}
				delete(got, want)
			}
			if len(got) > 0 {
				t.Errorf("also in the report: %v", got)
			}
			held := 0
			for _, d := range r.Days {
				held += d.Held
			}
			if held != len(r.Rows) {
				t.Errorf("the days count %d of %d", held, len(r.Rows))
			}
			var text, csv bytes.Buffer
			if err := r.Text(&text, time.UTC); err != nil {
				t.Error(err)
			}
			if err := r.CSV(&csv, time.UTC); err != nil {
				t.Error(err)
			}
			if lines := strings.Count(csv.String(), "\n"); lines != len(r.Rows)+1 ||
				!strings.Contains(text.String(), fmt.Sprintf("held %d submissions", len(r.Rows))) {
				t.Errorf("%d lines of CSV for %d rows", lines, len(r.Rows))
			}
		})
	}
}
