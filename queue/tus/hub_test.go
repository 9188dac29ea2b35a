package tus

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"

	"motcua/queue"
	"motcua/queue/line"
	"motcua/queue/receive"
)

// memory is a bundle that lies in memory.
type memory struct {
	*bytes.Reader
	sum string
}

func (m memory) SHA256() string { return m.sum }

func bundleOf(content []byte) memory {
	sum := sha256.Sum256(content)
	return memory{bytes.NewReader(content), hex.EncodeToString(sum[:])}
}

// bundle makes a bundle as the queue does: parts stored, manifest last; size is that of its one page.
func bundle(t testing.TB, id string, size int) memory {
	t.Helper()
	page := make([]byte, size)
	if _, err := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8)}).Read(page); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(page)
	manifest, err := json.Marshal(map[string]any{"id": id, "parts": []queue.PartInfo{
		{Name: "page-0001.jpg", MediaType: "image/jpeg", Size: int64(size), SHA256: hex.EncodeToString(sum[:])}}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range []struct {
		name    string
		content []byte
	}{{"page-0001.jpg", page}, {"manifest.json", manifest}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bundleOf(out.Bytes())
}

func submission(n int) queue.Submission {
	id := fmt.Sprintf("01JCTEST%018d", n)
	return queue.Submission{ID: id, Code: "7K3P-92QX", State: queue.Sending}
}

// pad is the notes of one submission; saves counts how often it was written.
type pad struct {
	text  string
	saves int
}

func (p *pad) Load() (string, error) { return p.text, nil }
func (p *pad) Save(s string) error   { p.text = s; p.saves++; return nil }

// tusd is a real tusd handler over a folder, with what arrived at it.
type tusd struct {
	dir string
	url string // of the endpoint
	*httptest.Server
}

func quietly(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	s.Start()
	return s
}

func startTusd(t testing.TB, wrap func(http.Handler) http.Handler) *tusd {
	t.Helper()
	dir := t.TempDir()
	composer := handler.NewStoreComposer()
	filestore.New(dir).UseIn(composer)
	memorylocker.New().UseIn(composer)
	h, err := handler.NewHandler(handler.Config{StoreComposer: composer, BasePath: "/files/", NetworkTimeout: 2 * time.Second,
		Logger: xslog.New(xslog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	var all http.Handler = http.StripPrefix("/files/", h)
	if wrap != nil {
		all = wrap(all)
	}
	s := quietly(all)
	t.Cleanup(s.Close)
	return &tusd{dir: dir, url: s.URL + "/files/", Server: s}
}

// arrived returns the sha256 of each finished upload by submission id.
func (d *tusd) arrived(t testing.TB) map[string][]string {
	t.Helper()
	infos, err := filepath.Glob(filepath.Join(d.dir, "*.info"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, p := range infos {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var info handler.FileInfo
		if err := json.Unmarshal(text, &info); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(strings.TrimSuffix(p, ".info"))
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(data)) == info.Size {
			sum := sha256.Sum256(data)
			out[info.MetaData["submission"]] = append(out[info.MetaData["submission"]], hex.EncodeToString(sum[:]))
		}
	}
	return out
}

// once fails the test unless the submission arrived exactly once, byte for byte.
func (d *tusd) once(t testing.TB, id string, b queue.Bundle) {
	t.Helper()
	got := d.arrived(t)[id]
	if len(got) != 1 || got[0] != b.SHA256() {
		t.Fatalf("finished uploads of %s: %d %v, want one with %s", id, len(got), got, b.SHA256())
	}
}

// office is Motcua's own receiver.
type office struct {
	dir string
	url string
	*httptest.Server
	*receive.Receiver
}

func startOffice(t testing.TB, wrap func(http.Handler) http.Handler, o receive.Options) *office {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Log = slog.New(slog.DiscardHandler)
	r, err := receive.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var all http.Handler = r
	if wrap != nil {
		all = wrap(r)
	}
	s := quietly(all)
	t.Cleanup(func() { s.Close(); r.Close() })
	return &office{dir: o.Dir, url: s.URL + "/files/", Server: s, Receiver: r}
}

// once fails the test unless the submission lies in its folder.
func (o *office) once(t testing.TB, id string, b queue.Bundle) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.dir, id, "receipt.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r receive.Receipt
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.SHA256 != b.SHA256() || r.Size != b.Size() {
		t.Fatalf("receipt %+v, want sha256 %s", r, b.SHA256())
	}
	if _, err := os.Stat(filepath.Join(o.dir, id, "page-0001.jpg")); err != nil {
		t.Fatal(err)
	}
}

// wire counts the body bytes that a sink sends, as the client's side hands them to the transport.
type wire struct {
	http.RoundTripper
	sent     atomic.Int64
	mu       sync.Mutex
	requests []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.requests = append(w.requests, r.Method)
	w.mu.Unlock()
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, counter{&w.sent}), r.Body}
	}
	return w.RoundTripper.RoundTrip(r)
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

func (w *wire) count(method string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.requests {
		if m == method {
			n++
		}
	}
	return n
}

func newSink(t testing.TB, o Options) (*Sink, *wire) {
	t.Helper()
	if o.Client == nil {
		c, err := line.NewClient(line.TLS{})
		if err != nil {
			t.Fatal(err)
		}
		o.Client = c
	}
	w := &wire{RoundTripper: o.Client.Transport}
	o.Client.Transport = w
	o.Log = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Client.CloseIdleConnections(); w.RoundTripper.(*http.Transport).CloseIdleConnections() })
	return s, w
}

// deliver tries as the queue does, without its waits, and fails the test if it does not arrive in n tries.
func deliver(t testing.TB, s *Sink, sub queue.Submission, b queue.Bundle, n queue.Notes, tries int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	for range tries {
		if err = s.Deliver(ctx, sub, b, n); err == nil {
			return
		}
		t.Logf("try: %v", err)
		if queue.IsPermanent(err) {
			break
		}
	}
	t.Fatalf("not delivered in %d tries: %v", tries, err)
}

// freePort is an address where nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
