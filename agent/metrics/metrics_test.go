package metrics

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"motcua/ocr"
	"motcua/queue"
)

type counters struct {
	stats queue.Stats
	err   error
}

func (c counters) Stats() (queue.Stats, error) { return c.stats, c.err }

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestFigures(t *testing.T) {
	m := New(counters{stats: queue.Stats{
		Count: map[queue.State]int64{queue.Queued: 3, queue.Held: 1}, Bytes: map[queue.State]int64{queue.Queued: 99},
		Oldest: time.Now().Add(-time.Hour), Free: 12345, Paused: time.Now().Add(time.Minute),
	}}, "v1")
	m.Accepted(queue.Submission{Labels: map[string]string{"procedure": "2.000815", "channel": "self", "ward": "Phường Mẫu"}})
	m.Read(ocr.Result{File: "secret.jpg", Pages: 2, ElapsedMS: 500})
	m.Read(ocr.Result{File: "secret.jpg", Problem: &ocr.Problem{Code: ocr.Damaged}})
	got := scrape(t, m)
	for _, want := range []string{
		`motcua_queue_submissions{state="queued"} 3`, `motcua_queue_submissions{state="delivered"} 0`,
		`motcua_queue_bytes{state="queued"} 99`, `motcua_disk_free_bytes 12345`, `motcua_queue_paused 1`, `motcua_queue_up 1`,
		`motcua_queue_oldest_seconds 3600`, `motcua_submissions_accepted_total{channel="self",procedure="2.000815"} 1`,
		`motcua_pages_read_total{outcome="ok"} 2`, `motcua_pages_read_total{outcome="damaged"} 1`,
		`motcua_reading_seconds_count 2`, `motcua_build_info{version="v1"} 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(got, "secret") || strings.Contains(got, "Phường") {
		t.Error("a name leaked")
	}
}

func TestQueueThatDoesNotAnswer(t *testing.T) {
	if got := scrape(t, New(counters{err: errors.New("disk")}, "v1")); !strings.Contains(got, "motcua_queue_up 0") {
		t.Error(got)
	}
}
