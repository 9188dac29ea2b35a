package tus

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"motcua/queue"
	"motcua/queue/bandwidth"
	"motcua/queue/receive"
)

func TestDeliver(t *testing.T) {
	sizes := map[string]int{"one_chunk": 300 << 10, "many_chunks": 2 << 20, "a_few_bytes": 1}
	for name, size := range sizes {
		t.Run("tusd/"+name, func(t *testing.T) {
			hub := startTusd(t, nil)
			s, w := newSink(t, Options{Endpoint: hub.url, ChunkSize: 512 << 10})
			sub, b, n := submission(1), bundle(t, submission(1).ID, size), &pad{}
			deliver(t, s, sub, b, n, 1)
			hub.once(t, sub.ID, b)
			if w.sent.Load() != b.Size() {
				t.Errorf("sent %d bytes for a bundle of %d", w.sent.Load(), b.Size())
			}
			// Power was lost before the queue noted the success.
			deliver(t, s, sub, b, n, 1)
			hub.once(t, sub.ID, b)
			if w.sent.Load() != b.Size() {
				t.Errorf("sent %d bytes for a bundle of %d after delivering twice", w.sent.Load(), b.Size())
			}
		})
		t.Run("receiver/"+name, func(t *testing.T) {
			hub := startOffice(t, nil, receive.Options{})
			s, w := newSink(t, Options{Endpoint: hub.url, ChunkSize: 512 << 10})
			sub, b := submission(1), bundle(t, submission(1).ID, size)
			deliver(t, s, sub, b, &pad{}, 1)
			hub.once(t, sub.ID, b)
			if size < 512<<10 && w.count(http.MethodPatch) != 0 {
				t.Errorf("a bundle of one chunk took %d PATCHes besides its creation", w.count(http.MethodPatch))
			}
			// Power was lost before even the note was kept, and the office took the folder away.
			if err := os.RemoveAll(filepath.Join(hub.dir, sub.ID)); err != nil {
				t.Fatal(err)
			}
			deliver(t, s, sub, b, &pad{}, 1)
			if _, err := os.Stat(filepath.Join(hub.dir, sub.ID)); !os.IsNotExist(err) {
				t.Errorf("unpacked twice: %v", err)
			}
		})
	}
}

// TestResumeAfterCrash stops in the middle, forgets the sink and goes on with a new one and the note.
// slowPad is a memory on a disk that takes its time.
type slowPad struct {
	pad
	saving, resume chan struct{}
}

func (p *slowPad) Save(s string) error {
	p.saving <- struct{}{}
	<-p.resume
	return p.pad.Save(s)
}

// TestLastByteWaitsForTheNote: while the note of where an upload goes is on its way to the disk the bytes travel, all but the
// last: a finished upload whose address nobody noted would be sent again after a power cut.
func TestLastByteWaitsForTheNote(t *testing.T) {
	for name, size := range map[string]int{"one_chunk": 200 << 10, "a_few_bytes": 1} {
		t.Run(name, func(t *testing.T) {
			var got, whole atomic.Int64
			hub := startTusd(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPatch {
						whole.Store(r.ContentLength)
						r.Body = struct {
							io.Reader
							io.Closer
						}{io.TeeReader(r.Body, counter{&got}), r.Body}
					}
					h.ServeHTTP(w, r)
				})
			})
			s, _ := newSink(t, Options{Endpoint: hub.url})
			sub, b := submission(1), bundle(t, submission(1).ID, size)
			n := &slowPad{saving: make(chan struct{}), resume: make(chan struct{})}
			done := make(chan error, 1)
			go func() { done <- s.Deliver(t.Context(), sub, b, n) }()
			<-n.saving
			for deadline := time.Now().Add(2 * time.Minute); whole.Load() == 0 || got.Load() < whole.Load()-1; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d of %d bytes came while the note was written", got.Load(), whole.Load())
				}
			}
			select {
			case err := <-done:
				t.Fatalf("delivered before the note was on the disk: %v", err)
			case <-time.After(100 * time.Millisecond): // silence is what is tested
			}
			if got.Load() != whole.Load()-1 || len(hub.arrived(t)[sub.ID]) != 0 {
				t.Fatalf("%d of %d bytes went, %d uploads are finished", got.Load(), whole.Load(), len(hub.arrived(t)[sub.ID]))
			}
			close(n.resume)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			hub.once(t, sub.ID, b)
		})
	}
}

func TestResumeAfterCrash(t *testing.T) {
	const chunk = 128 << 10
	sub, b := submission(2), bundle(t, submission(2).ID, 2<<20)
	for name, start := range map[string]func(*testing.T, func(http.Handler) http.Handler) (string, func()){
		"tusd": func(t *testing.T, wrap func(http.Handler) http.Handler) (string, func()) {
			hub := startTusd(t, wrap)
			return hub.url, func() { hub.once(t, sub.ID, b) }
		},
		"receiver": func(t *testing.T, wrap func(http.Handler) http.Handler) (string, func()) {
			hub := startOffice(t, wrap, receive.Options{})
			return hub.url, func() { hub.once(t, sub.ID, b) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, crash := context.WithCancel(context.Background())
			patches := 0
			url, arrived := start(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPatch {
						if patches++; patches == 5 {
							crash()
						}
					}
					h.ServeHTTP(w, r)
				})
			})
			n := &pad{}
			first, w1 := newSink(t, Options{Endpoint: url, ChunkSize: chunk})
			if err := first.Deliver(ctx, sub, b, n); err == nil {
				t.Fatal("delivered in spite of the crash")
			}
			second, w2 := newSink(t, Options{Endpoint: url, ChunkSize: chunk})
			deliver(t, second, sub, b, n, 1)
			arrived()
			if again := w1.sent.Load() + w2.sent.Load() - b.Size(); again > chunk {
				t.Errorf("%d bytes sent again, want at most one chunk of %d", again, chunk)
			}
		})
	}
}

// TestVerdict: which answers of a hub put a submission to Held, and which are waited out.
func TestVerdict(t *testing.T) {
	cases := []struct {
		name      string
		status    int
		header    http.Header
		body      string
		permanent bool
		delay     time.Duration
		words     string
	}{
		{"too_many_requests", 429, http.Header{"Retry-After": {"17"}}, "", false, 17 * time.Second, "429 Too Many Requests"},
		{"unavailable_with_time", 503, http.Header{"Retry-After": {"120"}}, "down for the night", false, 120 * time.Second, "down for the night"},
		{"retry_after_out_of_bounds", 503, http.Header{"Retry-After": {"99999999"}}, "", false, time.Hour, ""},
		{"broken_hub", 500, nil, "boom", false, 0, "500 Internal Server Error: boom"},
		{"nginx_when_the_kiosk's_certificate_has_expired", 400, http.Header{"Server": {"nginx"}, "Content-Type": {"text/html"}},
			"<h1>400 Bad Request</h1>The SSL certificate error", false, slow, "not the hub but nginx answered 400 Bad Request"},
		{"a_stranger_conflicts", 409, nil, "", false, slow, "not the hub"},
		{"a_stranger_knows_it_gone", 410, nil, "", false, slow, "not the hub"},
		{"a_stranger_wants_a_length", 411, nil, "", false, slow, "not the hub"},
		{"a_stranger_finds_it_too_large", 413, nil, "", false, slow, "not the hub"},
		{"a_stranger_can't_process", 422, nil, "part 3 is no image", false, slow, "not the hub"},
		{"a_stranger_wants_tls", 426, nil, "", false, slow, "not the hub"},
		{"a_censor", 451, http.Header{"Via": {"1.1 filter"}}, "", false, slow, "not the hub but 1.1 filter answered 451"},
		{"a_portal_says_yes", 200, http.Header{"Server": {"portal"}, "Content-Type": {"text/html"}}, "<form>", false, 0,
			"not the hub but portal answered 200"},
		{"a_portal_says_created", 201, http.Header{"Location": {"/files/x"}}, "", false, 0, "not the hub"},
		{"refused", 403, http.Header{"Tus-Resumable": {"1.0.0"}}, "ward 7 is closed", true, 0, "ward 7 is closed"},
		{"too_large", 413, http.Header{"Tus-Resumable": {"1.0.0"}}, "ERR_MAX_SIZE_EXCEEDED: maximum size exceeded", true, 0,
			"maximum size exceeded"},
		{"unprocessable", 422, http.Header{"Tus-Resumable": {"1.0.0"}}, "part 3 is no image", true, 0, "part 3 is no image"},
		{"html_is_cleaned", 400, http.Header{"Content-Type": {"text/html"}, "Tus-Resumable": {"1.0.0"}},
			"<html><style>x</style><h1>No\x00\x1b[31m</h1>\n<script>alert(1)</script></html>", true, 0, "No [31m"},
		{"token_ran_out", 401, http.Header{"Tus-Resumable": {"1.0.0"}}, "expired", false, slow, "expired"},
		{"locked", 423, http.Header{"Tus-Resumable": {"1.0.0"}}, "", false, 5 * time.Second, ""},
		{"login_page_of_the_network", 302, http.Header{"Location": {"http://login.invalid/"}}, "", false, 0, "302 Found"},
		{"a_proxy_knows_no_such_hub", 404, nil, "nginx", false, slow, "nginx"},
		{"the_hub_knows_no_such_address", 404, http.Header{"Tus-Resumable": {"1.0.0"}}, "", false, slow, "404 Not Found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for k, v := range c.header {
					w.Header()[k] = v
				}
				if r.Method == http.MethodOptions {
					w.Header().Set("Tus-Version", "1.0.0")
					w.Header().Set("Tus-Extension", "creation")
					return
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			}))
			defer hub.Close()
			s, _ := newSink(t, Options{Endpoint: hub.URL + "/files/"})
			err := s.Deliver(context.Background(), submission(3), bundle(t, submission(3).ID, 1000), &pad{})
			if err == nil {
				t.Fatal("delivered")
			}
			if queue.IsPermanent(err) != c.permanent {
				t.Errorf("permanent %v, want %v: %v", queue.IsPermanent(err), c.permanent, err)
			}
			if d, _ := queue.RetryDelay(err); d != c.delay {
				t.Errorf("delay %v, want %v", d, c.delay)
			}
			if !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %q does not hold the hub's words %q", err, c.words)
			}
			if strings.ContainsAny(err.Error(), "\x00\x1b<") {
				t.Errorf("error %q is not clean", err)
			}
		})
	}
}

func TestWordsAreBounded(t *testing.T) {
	got := words("text/plain", strings.Repeat("lời ", 10000)+string([]byte{0xff}))
	if n := len([]rune(got)); n > 301 {
		t.Errorf("%d runes kept", n)
	}
}

// TestChunkThatAProxyRefuses: nginx allows 1 MB a request unless told otherwise.
func TestChunkThatAProxyRefuses(t *testing.T) {
	const allowed = 300 << 10
	for name, o := range map[string]bool{"tusd": false, "receiver": true} {
		t.Run(name, func(t *testing.T) {
			proxy := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.ContentLength > allowed {
						http.Error(w, "<html><h1>413 Request Entity Too Large</h1></html>", http.StatusRequestEntityTooLarge)
						return
					}
					h.ServeHTTP(w, r)
				})
			}
			sub, b := submission(4), bundle(t, submission(4).ID, 3<<20)
			if o {
				hub := startOffice(t, proxy, receive.Options{})
				s, _ := newSink(t, Options{Endpoint: hub.url, ChunkSize: 1 << 20})
				deliver(t, s, sub, b, &pad{}, 4)
				hub.once(t, sub.ID, b)
			} else {
				hub := startTusd(t, proxy)
				s, _ := newSink(t, Options{Endpoint: hub.url, ChunkSize: 1 << 20})
				deliver(t, s, sub, b, &pad{}, 4)
				hub.once(t, sub.ID, b)
			}
		})
	}
}

func TestTokenGoesToTheHubOnly(t *testing.T) {
	hub := startOffice(t, nil, receive.Options{Token: "s3cret"})
	sub, b := submission(5), bundle(t, submission(5).ID, 1000)
	bare, _ := newSink(t, Options{Endpoint: hub.url})
	err := bare.Deliver(context.Background(), sub, b, &pad{})
	if d, _ := queue.RetryDelay(err); d != slow || !strings.Contains(err.Error(), "token missing or wrong") {
		t.Fatalf("without a token: %v", err)
	}
	s, _ := newSink(t, Options{Endpoint: hub.url, Token: "s3cret"})
	deliver(t, s, sub, b, &pad{}, 1)
	hub.once(t, sub.ID, b)
	for _, location := range []string{"http://elsewhere.invalid/files/x", "//elsewhere.invalid/files/x", "http://u:p@127.0.0.1:1/files/x"} {
		to, err := s.resolve(location)
		if err == nil && (to.Host != s.endpoint.Host || to.User != nil) {
			t.Errorf("resolve(%q) = %v", location, to)
		}
	}
	if _, err := s.resolve("http://elsewhere.invalid/other/x"); err == nil {
		t.Error("an address outside the endpoint was taken")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, endpoint := range []string{"", "hub.example.vn/files/", "ftp://hub/files/", "http://hub.example.vn/files/",
		"https://u:p@hub/files/", "https://hub/files/?token=x", "https://"} {
		if _, err := New(Options{Endpoint: endpoint}); err == nil {
			t.Errorf("endpoint %q was taken", endpoint)
		}
	}
}

// TestLimitIsAsked: every byte passes the limit before it is sent.
func TestLimitIsAsked(t *testing.T) {
	hub := startTusd(t, nil)
	l := &ledger{}
	s, _ := newSink(t, Options{Endpoint: hub.url, Limit: l})
	sub, b := submission(6), bundle(t, submission(6).ID, 100<<10)
	deliver(t, s, sub, b, &pad{}, 1)
	if l.n < b.Size() {
		t.Errorf("limit saw %d of %d bytes", l.n, b.Size())
	}
}

type ledger struct{ n int64 }

func (l *ledger) WaitN(_ context.Context, n int) error { l.n += int64(n); return nil }

// TestPlanAllowsNothing: the submission waits until the bandwidth plan opens, and holds no connection.
func TestPlanAllowsNothing(t *testing.T) {
	hub := startTusd(t, nil)
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	office := bandwidth.Window{From: 7 * 60, To: 17 * 60, Rate: bandwidth.Nothing}
	l, err := bandwidth.New(bandwidth.Options{Windows: []bandwidth.Window{office}, Location: time.UTC, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s, w := newSink(t, Options{Endpoint: hub.url, Limit: l})
	sub, b, n := submission(9), bundle(t, submission(9).ID, 1000), &pad{}
	err = s.Deliver(context.Background(), sub, b, n)
	if d, _ := queue.RetryDelay(err); d != 9*time.Hour {
		t.Errorf("error %v after %v, want to come back in 9h", err, d)
	}
	if w.sent.Load() != 0 {
		t.Errorf("%d bytes were sent", w.sent.Load())
	}
	now = now.Add(9 * time.Hour)
	deliver(t, s, sub, b, n, 1)
	hub.once(t, sub.ID, b)
}

func TestSealedBundleIsNamed(t *testing.T) {
	s, _ := newSink(t, Options{Endpoint: "http://127.0.0.1:1/files/"})
	u, err := s.begin(submission(7), bundleOf(append([]byte(ageMagic+"\n"), bytes.Repeat([]byte("x"), 100)...)), &pad{})
	if err != nil {
		t.Fatal(err)
	}
	if !ours(u.metadata(), submission(7).ID, u.b.SHA256()) || ours(u.metadata(), submission(8).ID, u.b.SHA256()) {
		t.Errorf("metadata %q", u.metadata())
	}
}
