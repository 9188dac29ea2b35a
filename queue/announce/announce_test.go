package announce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"motcua/queue"
	"motcua/queue/natstest"
)

// hub is a real NATS server with JetStream and a province's two streams.
type hub struct{ *natstest.Server }

func start(t *testing.T, dir, port string) *hub {
	t.Helper()
	return &hub{natstest.Start(t, dir, port)}
}

const stream = "MOTCUA"

func (h *hub) js(t *testing.T) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(h.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// streams makes the streams as the README tells a province to. A window of 100 ms stands for the
// minutes that a detached kiosk outlasts.
func (h *hub) streams(t *testing.T) {
	t.Helper()
	js := h.js(t)
	for _, c := range []jetstream.StreamConfig{
		{Name: stream, Subjects: []string{"motcua.*.submission.*"}, Storage: jetstream.FileStorage, Duplicates: 100 * time.Millisecond},
		{Name: "MOTCUA_BEATS", Subjects: []string{"motcua.*.heartbeat"}, Storage: jetstream.MemoryStorage, MaxMsgsPerSubject: 1},
	} {
		if _, err := js.CreateOrUpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// told returns "state id" of all messages in the stream, in order.
func (h *hub) told(t *testing.T) (out []string) {
	t.Helper()
	s, err := h.js(t).Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
		m, err := s.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		var e queue.Event
		if err := json.Unmarshal(m.Data, &e); err != nil {
			t.Fatal(err)
		}
		if want := "motcua.ward-7.submission." + string(e.State); m.Subject != want {
			t.Errorf("subject %s, want %s", m.Subject, want)
		}
		out = append(out, string(e.State)+" "+e.ID)
	}
	return out
}

func (h *hub) waitFor(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = h.told(t); len(got) >= len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("told %v, want %v", got, want)
	}
}

// patience bounds every wait for a thing that comes at once on a machine that has nothing else to do.
const patience = time.Minute

func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// allTaken waits until the outbox is empty: whatever the announcer had to tell, it has told, and noted.
func allTaken(t *testing.T, q *queue.Queue) {
	t.Helper()
	await(t, "an empty outbox", func() bool {
		left, err := q.Events(0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(left) == 0
	})
}

// newQueue is a real queue with its outbox.
func newQueue(t *testing.T) *queue.Queue {
	t.Helper()
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{Outbox: true, MinFree: -1, Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func enqueue(t *testing.T, q *queue.Queue, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if _, err := q.Enqueue(t.Context(), queue.Draft{ID: id, Labels: map[string]string{"procedure": "2.000815"}, Parts: []queue.Part{{
			Name: "form.json", MediaType: "application/json",
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(`{}`)), nil },
		}}}); err != nil {
			t.Fatal(err)
		}
	}
}

type sink func(queue.Submission) error

func (sink) Probe(context.Context) error { return nil }

func (s sink) Deliver(_ context.Context, sub queue.Submission, _ queue.Bundle, _ queue.Notes) error {
	return s(sub)
}

func deliver(t *testing.T, q *queue.Queue, s sink) {
	t.Helper()
	if _, err := q.DeliverDue(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// follow runs an announcer until the returned function is called.
func follow(t *testing.T, o Options) (*Announcer, func()) {
	t.Helper()
	o.Kiosk, o.Log, o.Every = "ward-7", slog.New(slog.DiscardHandler), 20*time.Millisecond
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return a, stop
}

func TestStates(t *testing.T) {
	h := start(t, t.TempDir(), natstest.AnyPort)
	h.streams(t)
	q := newQueue(t)
	a, _ := follow(t, Options{URL: h.URL(), Stream: stream, Outbox: q})
	enqueue(t, q, "GOOD01", "BAD001")
	deliver(t, q, func(s queue.Submission) error {
		if s.ID == "BAD001" {
			return queue.Permanent(errors.New("part 3 is no image"))
		}
		return nil
	})
	h.waitFor(t, "queued GOOD01", "queued BAD001", "delivered GOOD01", "held BAD001")
	allTaken(t, q)
	if s := a.Status(); !s.Connected || s.LastTold.IsZero() || s.Error != "" {
		t.Errorf("status %+v", s)
	}
}

// TestDetached: the server is not there at first, goes away in between, and comes back.
func TestDetached(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, natstest.AnyPort)
	first.streams(t)
	port := first.Port()
	url := first.URL()
	first.Stop()

	// In the server's place something that hangs up, so that one try is known to have failed.
	nobody, err := net.Listen("tcp", first.Address())
	if err != nil {
		t.Fatal(err)
	}
	var tried sync.WaitGroup
	tried.Go(func() {
		c, err := nobody.Accept()
		nobody.Close()
		if err == nil {
			c.Close()
		}
	})
	q := newQueue(t)
	a, _ := follow(t, Options{URL: url, Stream: stream, Outbox: q})
	enqueue(t, q, "AAAA01", "AAAA02")
	tried.Wait()
	second := start(t, dir, port)
	second.waitFor(t, "queued AAAA01", "queued AAAA02")
	second.Stop()
	enqueue(t, q, "AAAA03")
	deliver(t, q, func(queue.Submission) error { return nil })
	await(t, "the line to be seen as cut", func() bool { return !a.Status().Connected })
	third := start(t, dir, port)
	third.waitFor(t, "queued AAAA01", "queued AAAA02", "queued AAAA03", "delivered AAAA01", "delivered AAAA02", "delivered AAAA03")
}

// forgetful is an outbox whose kiosk loses power before it can note what was told.
type forgetful struct{ *queue.Queue }

func (f forgetful) Taken(uint64) error { return errors.New("power lost") }

// TestToldAndNotNoted: after the stream's window for duplicates the stream itself is asked.
func TestToldAndNotNoted(t *testing.T) {
	h := start(t, t.TempDir(), natstest.AnyPort)
	h.streams(t)
	q := newQueue(t)
	enqueue(t, q, "BBBB01", "BBBB02", "BBBB03")
	a, err := New(Options{URL: h.URL(), Kiosk: "ward-7", Stream: stream, Outbox: forgetful{q}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "power lost") {
		t.Fatalf("Run: %v", err)
	}
	h.waitFor(t, "queued BBBB01", "queued BBBB02", "queued BBBB03")
	time.Sleep(300 * time.Millisecond) // past the window
	enqueue(t, q, "BBBB04")
	follow(t, Options{URL: h.URL(), Stream: stream, Outbox: q})
	h.waitFor(t, "queued BBBB01", "queued BBBB02", "queued BBBB03", "queued BBBB04")
	allTaken(t, q)
	h.waitFor(t, "queued BBBB01", "queued BBBB02", "queued BBBB03", "queued BBBB04")
}

// TestPoorLine cuts the line at short intervals while a backlog is told.
func TestPoorLine(t *testing.T) {
	h := start(t, t.TempDir(), natstest.AnyPort)
	h.streams(t)
	log := zerolog.Nop()
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), log), "nats", "127.0.0.1:0", h.Address())
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer proxy.Stop()
	address := proxy.Listen

	q := newQueue(t)
	var ids, want []string
	for i := range 120 {
		ids = append(ids, fmt.Sprintf("CCCC%02d", i))
		want = append(want, "queued "+ids[i])
	}
	enqueue(t, q, ids...)
	follow(t, Options{URL: "nats://" + address, Stream: stream, Outbox: slow{q}})
	for cut := range 3 {
		for end := time.Now().Add(patience); len(h.told(t)) <= 30*cut; time.Sleep(20 * time.Millisecond) { // in the middle of the backlog
			if time.Now().After(end) {
				t.Fatal("nothing more is told")
			}
		}
		proxy.Stop()
		time.Sleep(100 * time.Millisecond)
		proxy.Listen = address
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
	}
	h.waitFor(t, want...)
}

// slow gives few events at once, so that a backlog takes several rounds.
type slow struct{ *queue.Queue }

func (s slow) Events(after uint64, max int) ([]queue.Event, error) {
	time.Sleep(20 * time.Millisecond)
	return s.Queue.Events(after, min(max, 5))
}

func TestHeartbeat(t *testing.T) {
	h := start(t, t.TempDir(), natstest.AnyPort)
	h.streams(t)
	q := newQueue(t)
	enqueue(t, q, "DDDD01")
	follow(t, Options{URL: h.URL(), Stream: stream, Outbox: q, Heartbeat: 50 * time.Millisecond, Figures: func() any {
		s, _ := q.Stats()
		return s
	}})
	beats, err := h.js(t).Stream(t.Context(), "MOTCUA_BEATS")
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		m, err := beats.GetLastMsgForSubject(t.Context(), "motcua.ward-7.heartbeat")
		if err == nil && m.Sequence > 2 {
			var b struct {
				Kiosk   string
				Figures queue.Stats
			}
			if err := json.Unmarshal(m.Data, &b); err != nil {
				t.Fatal(err)
			}
			if b.Kiosk != "ward-7" || b.Figures.Count[queue.Queued] != 1 {
				t.Errorf("heartbeat %s", m.Data)
			}
			return
		}
	}
	t.Fatal("no heartbeat")
}

func TestNoStream(t *testing.T) {
	h := start(t, t.TempDir(), natstest.AnyPort)
	q := newQueue(t)
	enqueue(t, q, "EEEE01")
	a, _ := follow(t, Options{URL: h.URL(), Outbox: q})
	await(t, "word that no stream takes it", func() bool {
		return strings.Contains(a.Status().Error, "no stream takes motcua.ward-7.submission.*")
	})
	h.streams(t)
	h.waitFor(t, "queued EEEE01")
}

// TestPermissions: what queue/receive/README.md lets a kiosk do is enough, and lets it speak for itself only.
func TestPermissions(t *testing.T) {
	allow := []string{"motcua.ward-7.>", "$JS.API.STREAM.INFO." + stream, "$JS.API.STREAM.MSG.GET." + stream}
	s := natstest.Start(t, t.TempDir(), natstest.AnyPort, natstest.User{Name: "province", Password: "invented"},
		natstest.User{Name: "kiosk", Password: "invented", Publish: allow, Subscribe: []string{"_INBOX.>"}})
	nc, err := nats.Connect(s.URL(), nats.UserInfo("province", "invented"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	made, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{"motcua.*.submission.*"}})
	if err != nil {
		t.Fatal(err)
	}
	for kiosk, want := range map[string]uint64{"ward-8": 0, "ward-7": 2} {
		q := newQueue(t)
		enqueue(t, q, "FFFF01", "FFFF02")
		a, err := New(Options{URL: s.URL(), Kiosk: kiosk, Stream: stream, Outbox: q, Every: 20 * time.Millisecond,
			Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		a.connect = append(a.connect, nats.UserInfo("kiosk", "invented")) // instead of a credentials file
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		if want > 0 {
			allTaken(t, q)
		} else {
			await(t, "a refusal", func() bool { return a.Status().Error != "" })
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		info, err := made.Info(t.Context(), jetstream.WithSubjectFilter("motcua."+kiosk+".>"))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.State.Subjects["motcua."+kiosk+".submission.queued"]; got != want {
			t.Errorf("%s told %d events, want %d; status %+v", kiosk, got, want, a.Status())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	q := newQueue(t)
	for name, o := range map[string]Options{
		"no_kiosk":     {URL: "tls://nats.example.vn", Outbox: q},
		"dotted_kiosk": {URL: "tls://nats.example.vn", Kiosk: "a.b", Outbox: q},
		"wildcard":     {URL: "tls://nats.example.vn", Kiosk: "*", Outbox: q},
		"no_url":       {Kiosk: "k", Outbox: q},
		"password":     {URL: "tls://u:p@nats.example.vn", Kiosk: "k", Outbox: q},
		"no_outbox":    {URL: "tls://nats.example.vn", Kiosk: "k"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestPlainIsRefused: a kiosk that shall speak TLS does not fall back to a server that can't.
func TestPlainIsRefused(t *testing.T) {
	h := start(t, t.TempDir(), natstest.AnyPort)
	a, err := New(Options{URL: strings.Replace(h.URL(), "127.0.0.1", "localtest.invalid", 1), Kiosk: "k", Outbox: newQueue(t)})
	if err != nil {
		t.Fatal(err)
	}
	// The name does not resolve here; what is tested is that the option is set for what isn't loopback.
	var o nats.Options
	for _, set := range a.connect {
		if err := set(&o); err != nil {
			t.Fatal(err)
		}
	}
	if !o.Secure || o.TLSConfig == nil {
		t.Error("TLS is not demanded")
	}
}
