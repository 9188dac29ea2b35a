package web

import (
	"net/http"
	"strings"
	"testing"

	"motcua/queue"
)

// On a disk that is nearly full nobody is let begin what could not be stored; what runs goes on.
func TestNoNewVisitOnAFullDisk(t *testing.T) {
	full, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: 1 << 62})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	c := newCounter(t)
	b := c.client(t)
	b.get("/")
	if _, path := b.post("/begin", "lang", "vi"); path != "/choose" {
		t.Fatalf("with room: %s", path)
	}
	c.site.Options.Queue = full
	late := c.client(t)
	late.get("/")
	if status, _ := late.post("/begin", "lang", "vi"); status != http.StatusServiceUnavailable ||
		!strings.Contains(late.body, c.site.Words.Say("vi", "fault.queue-full")) {
		t.Fatalf("without room: %d", status)
	}
	// And on a disk that can't be written: in words that a citizen can do something with.
	c.site.Options.Queue = lockedQueue{full}
	later := c.client(t)
	later.get("/")
	if status, _ := later.post("/begin", "lang", "vi"); status != http.StatusServiceUnavailable ||
		!strings.Contains(later.body, c.site.Words.Say("vi", "fault.disk")) {
		t.Fatalf("disk read-only: %d", status)
	}
	if status, path := b.get("/choose"); status != http.StatusOK || path != "/choose" {
		t.Errorf("a visit that had begun: %d %s", status, path)
	}
}

// lockedQueue is a queue whose disk has turned read-only; what such a disk does to the store is shown in package queue.
type lockedQueue struct{ *queue.Queue }

func (lockedQueue) Room() error { return queue.ErrReadOnly }
