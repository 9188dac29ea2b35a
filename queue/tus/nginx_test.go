package tus

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"motcua/queue"
	"motcua/queue/line/linetest"
)

// TestExpiredCertificateAtNginx: a front that wants a kiosk's certificate says 400 when it has run out. That is not the hub's
// word: the whole backlog waits, the technician reads who answered, and with a new certificate all of it arrives.
func TestExpiredCertificateAtNginx(t *testing.T) {
	hub := startTusd(t, nil)
	front := linetest.NewFront(t, "hub.example.vn")
	front.Issue(t, "kiosk", time.Now().Add(-time.Hour))
	front.Start(t, "", fmt.Sprintf(`client_max_body_size 100k;
		location /files/ { proxy_pass %s; proxy_request_buffering off; proxy_http_version 1.1; }`, hub.Server.URL))
	client := front.Client(t, "kiosk")
	s, err := New(Options{Endpoint: "https://" + front.Host + "/files/", Client: client})
	if err != nil {
		t.Fatal(err)
	}

	kiosk := t.TempDir()
	open := func() *queue.Queue {
		q, _, err := queue.Open(t.Context(), kiosk, queue.Options{MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	q := open()
	const n = 5
	for i := range n {
		if _, err := q.Enqueue(t.Context(), queue.Draft{ID: fmt.Sprint("K", i),
			Parts: []queue.Part{queue.FromBytes("form.json", "application/json", make([]byte, 200<<10))}}); err != nil {
			t.Fatal(err)
		}
	}
	if pass, err := q.DeliverDue(t.Context(), s); err == nil || pass.Held > 0 || pass.Delivered > 0 {
		t.Fatalf("%+v %v", pass, err)
	}
	all, err := q.List(queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range all {
		if sub.State != queue.Queued || sub.Attempts > 0 && !strings.Contains(sub.LastError, "not the hub but nginx") {
			t.Errorf("%s: %s", sub.State, sub.LastError)
		}
	}
	if err := s.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "nginx") {
		t.Errorf("probe: %v", err)
	}

	// The certificate is renewed in its place; nginx takes no more than 100 kB at once, which is found out. A restart
	// spares the test the minutes for which a hub is left alone that refuses everybody.
	front.Issue(t, "kiosk", time.Now().Add(time.Hour))
	client.CloseIdleConnections()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open()
	defer q.Close()
	if _, err := q.RetryAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pass, err := q.DeliverDue(t.Context(), s); err != nil || pass.Delivered != n {
		t.Fatalf("%+v %v", pass, err)
	}
	arrived := hub.arrived(t)
	for i := range n {
		if got := arrived[fmt.Sprint("K", i)]; len(got) != 1 {
			t.Errorf("K%d arrived %d times", i, len(got))
		}
	}
}
