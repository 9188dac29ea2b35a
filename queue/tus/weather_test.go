package tus

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/miekg/dns"
	"github.com/rs/zerolog"

	"motcua/queue"
	"motcua/queue/line"
	"motcua/queue/receive"
)

func TestMain(m *testing.M) {
	if os.Getenv("MOTCUA_TEST_TUSD") != "" {
		serveTusd()
	}
	if dir := os.Getenv("MOTCUA_TEST_KIOSK"); dir != "" {
		kiosk(dir, os.Getenv("MOTCUA_TEST_URL"))
	}
	if dir := os.Getenv("MOTCUA_TEST_OFFICE"); dir != "" {
		receiving(dir, os.Getenv("MOTCUA_TEST_ADDRESS"))
	}
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxiproxy's
	os.Exit(m.Run())
}

// pole is a line to a hub on which the weather can be made.
type pole struct {
	*toxiproxy.Proxy
	url string // of the endpoint
}

func behind(t testing.TB, url string) *pole {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), t.Name(), "127.0.0.1:0", host)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return &pole{p, "http://" + p.Listen + "/" + path}
}

// weather lets one toxic loose, as toxiproxy's JSON API takes it.
func (p *pole) weather(t testing.TB, name, direction, attributes string) {
	t.Helper()
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":{%s}}`, name, name,
		direction, attributes))); err != nil {
		t.Fatal(err)
	}
}

func (p *pole) clear(t testing.TB) { p.Toxics.ResetToxics(context.Background()) }

// hub is what the tests below ask of both kinds of receiver.
type hub interface {
	once(t testing.TB, id string, b queue.Bundle)
}

// hubs runs a test against tusd and against Motcua's own receiver.
func hubs(t *testing.T, wrap func() func(http.Handler) http.Handler, fn func(t *testing.T, url string, h hub)) {
	if wrap == nil {
		wrap = func() func(http.Handler) http.Handler { return nil }
	}
	t.Run("tusd", func(t *testing.T) {
		h := startTusd(t, wrap())
		fn(t, h.url, h)
	})
	t.Run("receiver", func(t *testing.T) {
		h := startOffice(t, wrap(), receive.Options{})
		fn(t, h.url, h)
	})
}

func TestLineIsCut(t *testing.T) {
	t.Parallel()
	const chunk = 256 << 10
	hubs(t, nil, func(t *testing.T, url string, h hub) {
		p := behind(t, url)
		p.weather(t, "limit_data", "upstream", `"bytes":700000`) // each connection carries so much
		s, w := newSink(t, Options{Endpoint: p.url, ChunkSize: chunk, Stall: 2 * time.Second})
		sub, b := submission(20), bundle(t, submission(20).ID, 4<<20)
		deliver(t, s, sub, b, &pad{}, 20)
		h.once(t, sub.ID, b)
		cuts, again := int64(w.count(http.MethodHead)), w.sent.Load()-b.Size()
		if cuts < 4 {
			t.Errorf("%d cuts: the line was too good for this test", cuts)
		}
		if again > cuts*chunk {
			t.Errorf("%d bytes sent again after %d cuts, want at most one chunk of %d each", again, cuts, chunk)
		}
		t.Logf("%d cuts, %d bytes sent again a cut, chunk %d", cuts, again/cuts, chunk)
	})
}

func TestLineIsSlow(t *testing.T) {
	t.Parallel()
	hubs(t, nil, func(t *testing.T, url string, h hub) {
		p := behind(t, url)
		p.weather(t, "bandwidth", "upstream", `"rate":300`) // kB/s
		p.weather(t, "latency", "downstream", `"latency":100,"jitter":50`)
		s, w := newSink(t, Options{Endpoint: p.url, ChunkSize: 128 << 10, Stall: time.Second})
		sub, b := submission(21), bundle(t, submission(21).ID, 500<<10)
		deliver(t, s, sub, b, &pad{}, 1)
		h.once(t, sub.ID, b)
		if w.sent.Load() != b.Size() {
			t.Errorf("%d bytes sent for %d: a slow line was taken for a dead one", w.sent.Load(), b.Size())
		}
	})
}

func TestConnectionIsReset(t *testing.T) {
	t.Parallel()
	hubs(t, nil, func(t *testing.T, url string, h hub) {
		p := behind(t, url)
		p.weather(t, "bandwidth", "upstream", `"rate":2000`)
		s, w := newSink(t, Options{Endpoint: p.url, ChunkSize: 64 << 10, Stall: 2 * time.Second})
		sub, b := submission(22), bundle(t, submission(22).ID, 2<<20)
		var resets sync.WaitGroup
		resets.Go(func() {
			for _, at := range []int64{200 << 10, 800 << 10, 1400 << 10} {
				for w.sent.Load() < at && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
				}
				p.Toxics.AddToxicJson(strings.NewReader(`{"name":"reset","type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`))
				time.Sleep(50 * time.Millisecond)
				p.Toxics.RemoveToxic(context.Background(), "reset")
			}
		})
		deliver(t, s, sub, b, &pad{}, 40)
		resets.Wait()
		h.once(t, sub.ID, b)
		if w.count(http.MethodHead) == 0 {
			t.Error("no connection was reset: the line was too good for this test")
		}
	})
}

// TestLineIsHalfOpen: bytes go out, and nothing ever comes back.
func TestLineIsHalfOpen(t *testing.T) {
	t.Parallel()
	hubs(t, nil, func(t *testing.T, url string, h hub) {
		p := behind(t, url)
		s, w := newSink(t, Options{Endpoint: p.url, ChunkSize: 128 << 10, Stall: 400 * time.Millisecond, Answer: 400 * time.Millisecond})
		sub, b, n := submission(23), bundle(t, submission(23).ID, 1<<20), &pad{}
		p.weather(t, "bandwidth", "upstream", `"rate":100`)
		go func() {
			for w.sent.Load() == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			p.Toxics.AddToxicJson(strings.NewReader(`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`))
		}()
		start := time.Now()
		err := s.Deliver(t.Context(), sub, b, n)
		if err == nil || queue.IsPermanent(err) {
			t.Fatalf("error %v, want one to try again after", err)
		}
		if !errors.Is(err, line.ErrStalled) {
			t.Errorf("error %v, want that nothing moved", err)
		}
		t.Logf("gave up after %v", time.Since(start))
		p.clear(t)
		deliver(t, s, sub, b, n, 10)
		h.once(t, sub.ID, b)
	})
}

func TestHubIsAway(t *testing.T) {
	t.Parallel()
	hubs(t, nil, func(t *testing.T, url string, h hub) {
		p := behind(t, url)
		listen := p.Listen
		p.Stop()
		s, _ := newSink(t, Options{Endpoint: p.url, Stall: time.Second})
		sub, b, n := submission(24), bundle(t, submission(24).ID, 1<<20), &pad{}
		if err := s.Deliver(t.Context(), sub, b, n); err == nil || queue.IsPermanent(err) {
			t.Fatalf("error %v, want one to try again after", err)
		}
		p.Listen = listen
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		deliver(t, s, sub, b, n, 2)
		h.once(t, sub.ID, b)
	})
}

// TestNameIsGone asks a real name server that does not know the hub for a while.
func TestNameIsGone(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	gone.Store(true)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	names := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		switch {
		case gone.Load():
			m.Rcode = dns.RcodeServerFailure
		case q.Question[0].Qtype == dns.TypeA:
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET},
				A: net.IPv4(127, 0, 0, 1)}}
		}
		w.WriteMsg(m)
	})}
	done := make(chan struct{})
	go func() { defer close(done); names.ActivateAndServe() }()
	defer func() { names.Shutdown(); <-done }()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	hubs(t, nil, func(t *testing.T, url string, h hub) {
		gone.Store(true)
		client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Resolver: resolver}).DialContext}}
		s, _ := newSink(t, Options{Endpoint: strings.Replace(url, "127.0.0.1", "hub.example.vn", 1), AllowPlain: true, Client: client,
			Stall: time.Second})
		sub, b, n := submission(25), bundle(t, submission(25).ID, 100<<10), &pad{}
		var dnsError *net.DNSError
		if err := s.Deliver(t.Context(), sub, b, n); !errors.As(err, &dnsError) || queue.IsPermanent(err) {
			t.Fatalf("error %v, want one of the name server, to try again after", err)
		}
		gone.Store(false)
		deliver(t, s, sub, b, n, 1)
		h.once(t, sub.ID, b)
	})
}

// TestHubIsIll: every third request is answered with 500, 502, 503 or 429.
func TestHubIsIll(t *testing.T) {
	t.Parallel()
	wrap := func() func(http.Handler) http.Handler {
		var n atomic.Int64
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if i := n.Add(1); i%3 == 0 {
					w.Header().Set("Retry-After", "1")
					http.Error(w, "ill", []int{500, 502, 503, 429}[i/3%4])
					return
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	hubs(t, wrap, func(t *testing.T, url string, h hub) {
		s, _ := newSink(t, Options{Endpoint: url, ChunkSize: 256 << 10})
		sub, b := submission(26), bundle(t, submission(26).ID, 1<<20)
		deliver(t, s, sub, b, &pad{}, 30)
		h.once(t, sub.ID, b)
	})
}

// TestHubLies: an upload was begun and broke; then the next HEAD tells an untruth about it.
func TestHubLies(t *testing.T) {
	t.Parallel()
	const chunk = 128 << 10
	for name, lie := range map[string]func(offset, size int64) string{
		"more_than_it_has":      func(o, _ int64) string { return strconv.FormatInt(o+1000, 10) },
		"less_than_it_has":      func(o, _ int64) string { return strconv.FormatInt(o-1000, 10) },
		"all_of_it":             func(_, s int64) string { return strconv.FormatInt(s, 10) },
		"more_than_there_is":    func(_, s int64) string { return strconv.FormatInt(s+1, 10) },
		"less_than_nothing":     func(_, _ int64) string { return "-5" },
		"no_number":             func(_, _ int64) string { return "many" },
		"nothing_said_at_all":   func(_, _ int64) string { return "" },
		"more_than_a_number_is": func(_, _ int64) string { return "99999999999999999999999" },
	} {
		t.Run(name, func(t *testing.T) {
			var lying, cut atomic.Bool
			cut.Store(true)
			wrap := func() func(http.Handler) http.Handler {
				return func(h http.Handler) http.Handler {
					patches := 0
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Method == http.MethodPatch && cut.Load() {
							if patches++; patches > 2 {
								panic(http.ErrAbortHandler)
							}
						}
						if r.Method == http.MethodHead && lying.Swap(false) {
							h.ServeHTTP(&liar{ResponseWriter: w, lie: lie}, r)
							return
						}
						h.ServeHTTP(w, r)
					})
				}
			}
			// Over 32 MiB so that "all of it" is more than was noted as sent.
			size := 1 << 20
			if name == "all_of_it" {
				size = window + 4<<20
			}
			h := startTusd(t, wrap())
			s, w := newSink(t, Options{Endpoint: h.url, ChunkSize: chunk, Stall: time.Second})
			sub, b, n := submission(27), bundle(t, submission(27).ID, size), &pad{}
			if err := s.Deliver(t.Context(), sub, b, n); err == nil {
				t.Fatal("delivered in spite of the cut")
			}
			cut.Store(false)
			lying.Store(true)
			again, _ := newSink(t, Options{Endpoint: h.url, ChunkSize: 1 << 20, Stall: time.Second}) // a new process: only the note is left
			deliver(t, again, sub, b, n, 3)
			h.once(t, sub.ID, b)
			_ = w
		})
	}
}

// liar changes the offset in a response.
type liar struct {
	http.ResponseWriter
	lie func(offset, size int64) string
}

func (l *liar) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *liar) WriteHeader(status int) {
	h := l.Header()
	if h.Get("Upload-Offset") != "" {
		h.Set("Upload-Offset", l.lie(number(h.Get("Upload-Offset"), 0), number(h.Get("Upload-Length"), 0)))
	}
	l.ResponseWriter.WriteHeader(status)
}

// TestHubLosesUpload: its files vanish in the middle, and once before the bundle is complete.
func TestHubLosesUpload(t *testing.T) {
	t.Parallel()
	wrap := func() (func(http.Handler) http.Handler, *atomic.Pointer[string]) {
		var dir atomic.Pointer[string]
		return func(h http.Handler) http.Handler {
			var patches atomic.Int64
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					if n := patches.Add(1); n == 3 || n == 7 {
						lose(*dir.Load())
					}
				}
				h.ServeHTTP(w, r)
			})
		}, &dir
	}
	t.Run("tusd", func(t *testing.T) {
		wr, dir := wrap()
		h := startTusd(t, wr)
		dir.Store(&h.dir)
		s, _ := newSink(t, Options{Endpoint: h.url, ChunkSize: 128 << 10})
		sub, b := submission(28), bundle(t, submission(28).ID, 1<<20)
		deliver(t, s, sub, b, &pad{}, 3)
		h.once(t, sub.ID, b)
	})
	t.Run("receiver", func(t *testing.T) {
		wr, dir := wrap()
		h := startOffice(t, wr, receive.Options{})
		incoming := filepath.Join(h.dir, ".motcua", "incoming")
		dir.Store(&incoming)
		s, _ := newSink(t, Options{Endpoint: h.url, ChunkSize: 128 << 10})
		sub, b := submission(28), bundle(t, submission(28).ID, 1<<20)
		deliver(t, s, sub, b, &pad{}, 3)
		h.once(t, sub.ID, b)
	})
}

func lose(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		os.Remove(filepath.Join(dir, e.Name()))
	}
}

// TestAnswerIsLost: the hub does what was asked, and the line breaks before it can say so.
func TestAnswerIsLost(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodHead, http.MethodOptions} {
		t.Run(method, func(t *testing.T) {
			wrap := func() func(http.Handler) http.Handler {
				var lost atomic.Int64
				return func(h http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Method == method && lost.Add(1) <= 2 {
							h.ServeHTTP(&mute{ResponseWriter: w, h: http.Header{}}, r)
							panic(http.ErrAbortHandler)
						}
						h.ServeHTTP(w, r)
					})
				}
			}
			hubs(t, wrap, func(t *testing.T, url string, h hub) {
				for _, size := range []int{10 << 10, 600 << 10} { // one chunk, several
					s, w := newSink(t, Options{Endpoint: url, ChunkSize: 256 << 10, Stall: time.Second})
					sub, b := submission(29+size), bundle(t, submission(29+size).ID, size)
					deliver(t, s, sub, b, &pad{}, 5)
					h.once(t, sub.ID, b)
					if again := w.sent.Load() - b.Size(); again > 2*256<<10 {
						t.Errorf("%d bytes sent again after two lost answers", again)
					}
				}
			})
		})
	}
}

// mute swallows what a handler answers.
type mute struct {
	http.ResponseWriter
	h http.Header
}

func (m *mute) Header() http.Header         { return m.h }
func (m *mute) Write(p []byte) (int, error) { return len(p), nil }
func (m *mute) WriteHeader(int)             {}
func (m *mute) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// TestBytesAreSpoilt: one bit turns on the way, where TCP's checksum does not see it.
func TestBytesAreSpoilt(t *testing.T) {
	t.Parallel()
	spoil := func(times int64) func(http.Handler) http.Handler {
		var n atomic.Int64
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ContentLength > 1000 && n.Add(1) <= times {
					r.Body = struct {
						io.Reader
						io.Closer
					}{&flip{r.Body, 500}, r.Body}
				}
				h.ServeHTTP(w, r)
			})
		}
	}
	t.Run("receiver_checks_the_whole", func(t *testing.T) {
		h := startOffice(t, spoil(1), receive.Options{})
		s, _ := newSink(t, Options{Endpoint: h.url, ChunkSize: 256 << 10})
		sub, b := submission(30), bundle(t, submission(30).ID, 600<<10)
		deliver(t, s, sub, b, &pad{}, 3)
		h.once(t, sub.ID, b)
	})
	for _, algorithm := range []string{"sha1", "sha1,sha256,md5"} {
		t.Run("hub_checks_chunks/"+algorithm, func(t *testing.T) {
			refused := 0
			h := startTusd(t, func(h http.Handler) http.Handler { return spoil(2)(checksums(h, algorithm, &refused)) })
			s, _ := newSink(t, Options{Endpoint: h.url, ChunkSize: 256 << 10})
			sub, b := submission(31), bundle(t, submission(31).ID, 600<<10)
			deliver(t, s, sub, b, &pad{}, 4)
			h.once(t, sub.ID, b)
			if refused == 0 {
				t.Error("no chunk was refused")
			}
		})
	}
}

type flip struct {
	r  io.Reader
	at int
}

func (f *flip) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if f.at >= 0 && f.at < n {
		p[f.at] ^= 1
	}
	f.at -= n
	return n, err
}

// checksums puts the tus checksum extension, which tusd lacks, before it.
func checksums(h http.Handler, algorithms string, refused *int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("Tus-Resumable", "1.0.0")
			w.Header().Set("Tus-Version", "1.0.0")
			w.Header().Set("Tus-Extension", "creation,creation-with-upload,checksum,termination")
			w.Header().Set("Tus-Checksum-Algorithm", algorithms)
			return
		}
		if r.ContentLength > 0 {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			name, sum, _ := strings.Cut(r.Header.Get("Upload-Checksum"), " ")
			var got []byte
			switch name {
			case "sha1":
				s := sha1.Sum(body)
				got = s[:]
			case "sha256":
				s := sha256.Sum256(body)
				got = s[:]
			}
			w.Header().Set("Tus-Resumable", "1.0.0")
			if !listed(algorithms, name) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			if base64.StdEncoding.EncodeToString(got) != sum {
				*refused++
				w.WriteHeader(statusChecksumMismatch)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		h.ServeHTTP(w, r)
	})
}

// TestReceiverRestarts: the office's machine is switched off in the middle.
func TestReceiverRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sub, b, n := submission(32), bundle(t, submission(32).ID, 2<<20), &pad{}
	var first *office
	var patches atomic.Int64
	off := make(chan struct{})
	first = startOffice(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch && patches.Add(1) == 4 {
				close(off)
				panic(http.ErrAbortHandler)
			}
			if patches.Load() >= 4 {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	}, receive.Options{Dir: dir})
	s, w1 := newSink(t, Options{Endpoint: first.url, ChunkSize: 256 << 10, Stall: time.Second})
	if err := s.Deliver(t.Context(), sub, b, n); err == nil {
		t.Fatal("delivered")
	}
	<-off
	first.Server.Close()
	if err := first.Receiver.Close(); err != nil {
		t.Fatal(err)
	}
	second := startOffice(t, nil, receive.Options{Dir: dir})
	// The kiosk reaches it under the same name, which a test can only show by the note.
	n.text = strings.ReplaceAll(n.text, strings.TrimSuffix(first.url, "/files/"), strings.TrimSuffix(second.url, "/files/"))
	again, w2 := newSink(t, Options{Endpoint: second.url, ChunkSize: 256 << 10})
	deliver(t, again, sub, b, n, 1)
	second.once(t, sub.ID, b)
	if twice := w1.sent.Load() + w2.sent.Load() - b.Size(); twice > 256<<10 {
		t.Errorf("%d bytes sent again, want at most a chunk", twice)
	}
}

// TestWeatherSoak is a whole kiosk, queue and all, under changing weather: everything arrives once.
// Without MOTCUA_SOAK it is a short sample.
func TestWeatherSoak(t *testing.T) {
	t.Parallel()
	submissions, storm := 12, 5*time.Second
	if os.Getenv("MOTCUA_SOAK") != "" {
		submissions, storm = 400, 4*time.Minute
	}
	h := startOffice(t, nil, receive.Options{})
	p := behind(t, h.url)
	s, w := newSink(t, Options{Endpoint: p.url, ChunkSize: 128 << 10, Stall: time.Second, Answer: 3 * time.Second})
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1, RetryFirst: 50 * time.Millisecond,
		RetryMax: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := q.Run(ctx, s); err != nil && ctx.Err() == nil {
			t.Errorf("Run: %v", err)
		}
	})
	defer func() { cancel(); all.Wait() }()

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	want, total := map[string]string{}, int64(0)
	end := time.Now().Add(storm)
	kinds := []func(){
		func() { p.weather(t, "limit_data", "upstream", fmt.Sprintf(`"bytes":%d`, 1000+r.IntN(400_000))) },
		func() { p.weather(t, "bandwidth", "upstream", fmt.Sprintf(`"rate":%d`, 200+r.IntN(3000))) },
		func() { p.weather(t, "reset_peer", "downstream", fmt.Sprintf(`"timeout":%d`, r.IntN(100))) },
		func() { p.weather(t, "timeout", "upstream", `"timeout":0`) },
		func() { p.weather(t, "timeout", "downstream", `"timeout":0`) },
		func() { p.weather(t, "latency", "downstream", `"latency":80,"jitter":70`) },
		func() { p.weather(t, "slicer", "upstream", `"average_size":700,"size_variation":500,"delay":50`) },
		func() {},
	}
	for i := 0; i < submissions || time.Now().Before(end); i++ {
		if i < submissions {
			page := make([]byte, r.IntN(600<<10))
			for j := range page {
				page[j] = byte(r.Uint32())
			}
			sub, err := q.Enqueue(t.Context(), queue.Draft{Parts: []queue.Part{{Name: "page-0001.jpg", MediaType: "image/jpeg",
				Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(page)), nil }}}})
			if err != nil {
				t.Fatal(err)
			}
			want[sub.ID] = sub.SHA256
			total += sub.Size
		}
		kinds[r.IntN(len(kinds))]()
		time.Sleep(time.Duration(50+r.IntN(250)) * time.Millisecond)
		p.clear(t)
		if r.IntN(6) == 0 {
			listen := p.Listen
			p.Stop()
			time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
			p.Listen = listen
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		stats, err := q.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if stats.Count[queue.Held] > 0 {
			held, _ := q.List(queue.Filter{States: []queue.State{queue.Held}})
			t.Fatalf("held: %s", held[0].LastError)
		}
		if stats.Count[queue.Delivered]+stats.Count[queue.Acknowledged] == int64(len(want)) {
			break
		}
	}
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, e := range entries {
		if e.Name() == ".motcua" {
			continue
		}
		got++
		var receipt receive.Receipt
		text, err := os.ReadFile(filepath.Join(h.dir, e.Name(), "receipt.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &receipt); err != nil {
			t.Fatal(err)
		}
		if want[receipt.ID] != receipt.SHA256 {
			t.Errorf("%s arrived with sha256 %s, want %s", receipt.ID, receipt.SHA256, want[receipt.ID])
		}
	}
	if got != len(want) {
		t.Errorf("%d of %d submissions arrived", got, len(want))
	}
	t.Logf("%d submissions, %d bytes; %d sent, %.1f%% more, in %d POSTs, %d PATCHes, %d HEADs", got, total, w.sent.Load(),
		100*float64(w.sent.Load()-total)/float64(total), w.count(http.MethodPost), w.count(http.MethodPatch), w.count(http.MethodHead))
}
