package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"motcua/queue"
	"motcua/queue/bandwidth"
	"motcua/queue/line"
)

type memory struct {
	*bytes.Reader
	sum string
}

func (m memory) SHA256() string { return m.sum }

func bundle(n int) memory {
	content := make([]byte, n)
	for i := range content {
		content[i] = byte(i * 7 >> 3)
	}
	sum := sha256.Sum256(content)
	return memory{bytes.NewReader(content), hex.EncodeToString(sum[:])}
}

type pad struct{ text string }

func (p *pad) Load() (string, error) { return p.text, nil }
func (p *pad) Save(s string) error   { p.text = s; return nil }

var sub = queue.Submission{ID: "01JCTEST000000000000000001"}

// wire stands between sink and store: it counts body bytes and may break a request.
type wire struct {
	http.RoundTripper
	sent   atomic.Int64
	puts   atomic.Int64
	tamper func(*http.Request) error // nil answer = pass on
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && r.URL.Query().Get("partNumber") != "" {
		w.puts.Add(1)
	}
	if w.tamper != nil {
		if err := w.tamper(r); err != nil {
			return nil, err
		}
	}
	if r.Body != nil {
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

const bucket = "submissions"

// simulator is a store in memory. It can't show: checks of signature and sha256, durability, lapsed
// uploads; the real store in TestRealStoreSoak can.
func simulator(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(s.Close)
	return s.URL
}

func sink(t *testing.T, endpoint string, o Options) (*Sink, *wire) {
	t.Helper()
	client, err := line.NewClient(line.TLS{})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{RoundTripper: client.Transport}
	client.Transport = w
	o.Endpoint, o.Bucket, o.AccessKey, o.Client, o.Prefix = endpoint, bucket, "kiosk", client, "ward-7/"
	if o.SecretKey == "" {
		o.SecretKey = "invented-secret"
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		if r := minio.ToErrorResponse(err); r.Code != "BucketAlreadyOwnedByYou" && r.Code != "BucketAlreadyExists" &&
			o.SecretKey == "invented-secret" {
			t.Fatal(err)
		}
	}
	return s, w
}

// once fails the test unless the object is there, byte for byte, and no upload is left open.
func once(t *testing.T, s *Sink, b memory) {
	t.Helper()
	o, err := s.client.Client.GetObject(t.Context(), bucket, "ward-7/"+sub.ID+".zip", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, o); err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != b.sum {
		t.Error("the store holds other bytes")
	}
}

// behave is what must hold with any store.
func behave(t *testing.T, endpoint func(*testing.T) string) {
	const part = 5 << 20
	for name, size := range map[string]int{"one_request": 100_000, "exactly_one_part": part, "parts": 2*part + 12345} {
		t.Run("deliver/"+name, func(t *testing.T) {
			s, w := sink(t, endpoint(t), Options{PartSize: part})
			b, n := bundle(size), &pad{}
			for range 2 { // the second time as after a crash
				if err := s.Deliver(t.Context(), sub, b, n); err != nil {
					t.Fatal(err)
				}
				once(t, s, b)
			}
			if extra := w.sent.Load() - b.Size(); extra > 2000 { // the XML that completes an upload
				t.Errorf("%d bytes more than the bundle were sent", extra)
			}
		})
	}
	t.Run("resume_after_crash", func(t *testing.T) {
		url := endpoint(t)
		first, w1 := sink(t, url, Options{PartSize: part})
		b, n := bundle(4*part+1), &pad{}
		ctx, crash := context.WithCancel(t.Context())
		w1.tamper = func(r *http.Request) error {
			if r.URL.Query().Get("partNumber") == "3" {
				crash()
			}
			return nil
		}
		if err := first.Deliver(ctx, sub, b, n); err == nil {
			t.Fatal("delivered in spite of the crash")
		}
		second, w2 := sink(t, url, Options{PartSize: 2 * part}) // another configuration since
		if err := second.Deliver(t.Context(), sub, b, n); err != nil {
			t.Fatal(err)
		}
		once(t, second, b)
		if w2.puts.Load() != 3 {
			t.Errorf("%d parts sent after the crash, want the 3 missing ones", w2.puts.Load())
		}
		if again := w1.sent.Load() + w2.sent.Load() - b.Size(); again > part+2000 {
			t.Errorf("%d bytes sent again, want at most one part", again)
		}
	})
	t.Run("cut_line", func(t *testing.T) {
		s, w := sink(t, endpoint(t), Options{PartSize: part})
		b, n := bundle(3*part), &pad{}
		cuts := 0
		w.tamper = func(r *http.Request) error {
			if r.URL.Query().Get("partNumber") == "2" && cuts < 2 {
				cuts++
				return errors.New("cut")
			}
			return nil
		}
		for try := 0; ; try++ {
			err := s.Deliver(t.Context(), sub, b, n)
			if err == nil {
				break
			}
			if queue.IsPermanent(err) || try > 3 {
				t.Fatal(err)
			}
		}
		once(t, s, b)
		if w.puts.Load() != 3+2 {
			t.Errorf("%d part requests, want 3 and the 2 that were cut", w.puts.Load())
		}
	})
	t.Run("store_loses_the_upload", func(t *testing.T) {
		s, w := sink(t, endpoint(t), Options{PartSize: part})
		b, n := bundle(2*part), &pad{}
		w.tamper = func(r *http.Request) error {
			if r.URL.Query().Get("partNumber") == "2" {
				return errors.New("cut")
			}
			return nil
		}
		if err := s.Deliver(t.Context(), sub, b, n); err == nil {
			t.Fatal("delivered")
		}
		w.tamper = nil
		uploads, err := s.client.ListMultipartUploads(t.Context(), bucket, "ward-7/", "", "", "", 10)
		if err != nil || len(uploads.Uploads) == 0 {
			t.Fatalf("%d uploads open, %v", len(uploads.Uploads), err)
		}
		for _, u := range uploads.Uploads {
			if err := s.client.AbortMultipartUpload(t.Context(), bucket, u.Key, u.UploadID); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Deliver(t.Context(), sub, b, n); err != nil {
			t.Fatal(err)
		}
		once(t, s, b)
	})
	t.Run("anothers_object_is_kept", func(t *testing.T) {
		s, _ := sink(t, endpoint(t), Options{})
		text := []byte("another's")
		if _, err := s.client.Client.PutObject(t.Context(), bucket, "ward-7/"+sub.ID+".zip", bytes.NewReader(text), int64(len(text)),
			minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Deliver(t.Context(), sub, bundle(1000), &pad{}); !queue.IsPermanent(err) {
			t.Errorf("error %v, want a permanent one", err)
		}
	})
	t.Run("no_bucket", func(t *testing.T) {
		s, _ := sink(t, endpoint(t), Options{})
		s.o.Bucket = "elsewhere"
		err := s.Deliver(t.Context(), sub, bundle(1000), &pad{})
		if d, _ := queue.RetryDelay(err); d != slow || queue.IsPermanent(err) {
			t.Errorf("error %v after %v, want a slow retry", err, d)
		}
		if err := s.Probe(t.Context()); err == nil {
			t.Error("Probe found a bucket that isn't there")
		}
	})
}

func TestSimulatedStore(t *testing.T) { behave(t, simulator) }

// gateway starts a real S3 server over a folder: versitygw, built from its module on first use.
func gateway(t *testing.T) string {
	t.Helper()
	binary := build(t, "github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	cmd := exec.Command(binary, "--access", "kiosk", "--secret", "invented-secret", "--port", address, "--quiet", "posix",
		"--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	for _, d := range []string{"meta", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return "http://" + address
		}
	}
	t.Fatalf("S3 server did not start: %s", out.String())
	return ""
}

// build installs a program of a module into the user's cache.
func build(t *testing.T, program string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	name, version, _ := strings.Cut(filepath.Base(program), "@")
	dir := filepath.Join(cache, "motcua-tests", version)
	binary := filepath.Join(dir, name)
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	cmd := exec.Command("go", "install", program)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", program, err, out)
	}
	return binary
}

// TestRealStoreSoak is the same with a real server, which checks signatures and digests.
func TestRealStoreSoak(t *testing.T) {
	if os.Getenv("MOTCUA_SOAK") == "" {
		t.Skip("MOTCUA_SOAK=1 builds and runs a real S3 server")
	}
	behave(t, gateway)
	t.Run("spoilt_on_the_way", func(t *testing.T) {
		s, w := sink(t, gateway(t), Options{})
		w.tamper = func(r *http.Request) error {
			if r.Method == http.MethodPut && r.ContentLength == 100_000 {
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader("spoilt"), io.LimitReader(r.Body, 100_000-6)))
			}
			return nil
		}
		b := bundle(100_000)
		if err := s.Deliver(t.Context(), sub, b, &pad{}); err == nil || queue.IsPermanent(err) {
			t.Fatalf("spoilt bytes: %v, want an error to try again after", err)
		}
		w.tamper = nil
		if err := s.Deliver(t.Context(), sub, b, &pad{}); err != nil {
			t.Fatal(err)
		}
		once(t, s, b)
	})
	t.Run("wrong_key", func(t *testing.T) {
		s, _ := sink(t, gateway(t), Options{SecretKey: "another"})
		err := s.Deliver(t.Context(), sub, bundle(1000), &pad{})
		if d, _ := queue.RetryDelay(err); d != slow || queue.IsPermanent(err) {
			t.Errorf("error %v after %v, want a slow retry", err, d)
		}
	})
}

func TestPlanAllowsNothing(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	office := bandwidth.Window{From: 7 * 60, To: 17 * 60, Rate: bandwidth.Nothing}
	l, err := bandwidth.New(bandwidth.Options{Windows: []bandwidth.Window{office}, Location: time.UTC, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := sink(t, simulator(t), Options{Limit: l})
	for _, size := range []int{1000, 12 << 20} { // one request, parts
		err := s.Deliver(t.Context(), sub, bundle(size), &pad{})
		if d, _ := queue.RetryDelay(err); d != 9*time.Hour {
			t.Errorf("error %v after %v, want to come back in 9h", err, d)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		status    int
		code      string
		permanent bool
		delay     time.Duration
	}{
		{503, "SlowDown", false, 0},
		{500, "InternalError", false, 0},
		{403, "RequestTimeTooSkewed", false, slow},
		{403, "SignatureDoesNotMatch", false, slow},
		{400, "EntityTooLarge", true, 0},
		{400, "InvalidArgument", true, 0},
		{400, "RequestTimeout", false, 0},
	} {
		t.Run(c.code, func(t *testing.T) {
			store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodHead {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(c.status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>the store's words&#10;</Message></Error>", c.code)
			}))
			defer store.Close()
			s, err := New(Options{Endpoint: store.URL, Bucket: bucket, AccessKey: "k", SecretKey: "s"})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Deliver(t.Context(), sub, bundle(1000), &pad{})
			if d, _ := queue.RetryDelay(err); queue.IsPermanent(err) != c.permanent || d != c.delay {
				t.Errorf("permanent %v after %v, want %v after %v: %v", queue.IsPermanent(err), d, c.permanent, c.delay, err)
			}
			if err == nil || !strings.Contains(err.Error(), "the store's words") {
				t.Errorf("error %v does not hold the store's words", err)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{}, {Endpoint: "s3.example.vn", Bucket: "b"}, {Endpoint: "http://s3.example.vn", Bucket: "b"},
		{Endpoint: "https://s3.example.vn"}, {Endpoint: "https://u:p@s3.example.vn", Bucket: "b"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		} else if strings.Contains(err.Error(), ":p@") {
			t.Errorf("error %q shows the password", err)
		}
	}
}

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the simulator's web server
	os.Exit(m.Run())
}
