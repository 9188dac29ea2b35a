package tus

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"

	"motcua/queue"
	"motcua/queue/bandwidth"
	"motcua/queue/line"
)

// serveTusd is what the test binary does in a process of its own, so that client and server can be
// measured apart. It ends when its standard input does.
func serveTusd() {
	composer := handler.NewStoreComposer()
	filestore.New(os.Getenv("MOTCUA_TEST_TUSD")).UseIn(composer)
	memorylocker.New().UseIn(composer)
	h, err := handler.NewHandler(handler.Config{StoreComposer: composer, BasePath: "/files/",
		Logger: xslog.New(xslog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		panic(err)
	}
	s := quietly(http.StripPrefix("/files/", h))
	fmt.Println(s.URL + "/files/")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// tusdProcess is a tusd apart from this process.
type tusdProcess struct {
	url string
	dir string
	pid int
}

func startTusdProcess(t testing.TB) tusdProcess {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MOTCUA_TEST_TUSD="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return tusdProcess{strings.TrimSpace(url), dir, cmd.Process.Pid}
}

// onDisk is a bundle that is a plain file.
type onDisk struct {
	*os.File
	size int64
	sum  string
}

func (f onDisk) Size() int64    { return f.size }
func (f onDisk) SHA256() string { return f.sum }

func scanFile(t testing.TB, size int64) onDisk {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "scan"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{1}), size); err != nil {
		t.Fatal(err)
	}
	return onDisk{f, size, strings.Repeat("0", 64)}
}

// BenchmarkUpload sends the same 256 MB file to the same tusd with the sink and with curl in turn. The
// bar: at least 0.9 of curl's throughput.
func BenchmarkUpload(b *testing.B) {
	const size = 256 << 20
	hub := startTusdProcess(b)
	file := scanFile(b, size)
	client, err := line.NewClient(line.TLS{})
	if err != nil {
		b.Fatal(err)
	}
	defer client.CloseIdleConnections()
	s, err := New(Options{Endpoint: hub.url, Client: client, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	clear := func() {
		old, _ := filepath.Glob(filepath.Join(hub.dir, "*"))
		for _, f := range old {
			os.Remove(f)
		}
	}
	var ours, curls time.Duration
	for i := 0; b.Loop(); i++ {
		for turn := range 2 {
			clear()
			start := time.Now()
			if (turn+i)%2 == 0 {
				if err := s.Deliver(b.Context(), submission(i), file, &pad{}); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
			} else {
				curl(b, hub.url, file.Name(), size)
				curls += time.Since(start)
			}
		}
	}
	rate := func(d time.Duration) float64 { return float64(b.N) * size / 1e6 / d.Seconds() }
	b.ReportMetric(rate(ours), "MB/s")
	b.ReportMetric(rate(curls), "curl-MB/s")
	b.ReportMetric(rate(ours)/rate(curls), "x-curl")
	b.ReportMetric(0, "ns/op")
}

func curl(b *testing.B, url, path string, size int64) {
	b.Helper()
	run := func(args ...string) string {
		out, err := exec.Command("curl", append([]string{"-sS", "--fail", "-H", "Tus-Resumable: 1.0.0"}, args...)...).CombinedOutput()
		if err != nil {
			b.Fatalf("curl: %v: %s", err, out)
		}
		return string(out)
	}
	at := strings.TrimSpace(run("-X", "POST", "-H", "Upload-Length: "+strconv.FormatInt(size, 10), "-o", "/dev/null", "-w",
		"%header{location}", url))
	run("-X", "PATCH", "-H", "Expect:", "-H", "Upload-Offset: 0", "-H", "Content-Type: application/offset+octet-stream", "-T", path, "-o",
		"/dev/null", at)
}

// BenchmarkMemory uploads a sealed scan of 500 MB from a real queue. The bar: at most 32 MB of resident
// memory above idle.
func BenchmarkMemory(b *testing.B) {
	hub := startTusdProcess(b)
	file := scanFile(b, 500_000_000)
	q, _, err := queue.Open(b.Context(), b.TempDir(), queue.Options{MinFree: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	s, err := New(Options{Endpoint: hub.url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	var above, rate float64
	for b.Loop() {
		if _, err := q.Enqueue(b.Context(), queue.Draft{Parts: []queue.Part{{Name: "scan.pdf", MediaType: "application/pdf",
			Open: func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(file, 0, file.size)), nil }}}}); err != nil {
			b.Fatal(err)
		}
		debug.FreeOSMemory()
		idle := resident(b, "VmRSS")
		// Forget the peak so far.
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := q.DeliverDue(context.Background(), s); err != nil {
			b.Fatal(err)
		}
		rate = float64(file.size) / 1e6 / time.Since(start).Seconds()
		above = max(above, resident(b, "VmHWM")-idle)
		if stats, err := q.Stats(); err != nil || stats.Count[queue.Queued]+stats.Count[queue.Held] > 0 {
			b.Fatal("not delivered", stats, err)
		}
	}
	b.ReportMetric(above, "MB-above-idle")
	b.ReportMetric(rate, "MB/s")
	b.ReportMetric(0, "ns/op")
}

// resident reads a figure of this process in MB.
func resident(b *testing.B, name string) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for l := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(l, name+":"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024 / 1e6
		}
	}
	b.Fatalf("no %s", name)
	return 0
}

// BenchmarkPartsInParallel asks whether cutting one upload into parts that travel at the same time would
// help: a 4 MB bundle over a line of 10 Mbit/s that all connections share, with 100 ms there and back,
// once whole and once as four quarters at once. A line whose limit is shared gains nothing but the round
// trips of beginning, which is why the sink sends one part at a time and the queue two submissions.
func BenchmarkPartsInParallel(b *testing.B) {
	shared, err := bandwidth.New(bandwidth.Options{Windows: []bandwidth.Window{{From: 0, To: 24 * 60, Rate: 1_250_000}}})
	if err != nil {
		b.Fatal(err)
	}
	hub := startTusd(b, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = struct {
				io.Reader
				io.Closer
			}{throttled{r.Context(), r.Body, shared}, r.Body}
			h.ServeHTTP(w, r)
		})
	})
	p := behind(b, hub.url)
	p.weather(b, "latency", "upstream", `"latency":50`)
	p.Toxics.AddToxicJson(strings.NewReader(`{"name":"back","type":"latency","stream":"downstream","attributes":{"latency":50}}`))
	s, _ := newSink(b, Options{Endpoint: p.url})
	if err := s.Deliver(b.Context(), submission(0), bundle(b, submission(0).ID, 1000), &pad{}); err != nil { // learns the hub
		b.Fatal(err)
	}
	var whole, quarters time.Duration
	n := 0
	for b.Loop() {
		n++
		one := bundle(b, submission(n).ID, 4_000_000)
		start := time.Now()
		if err := s.Deliver(b.Context(), submission(n), one, &pad{}); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(start)
		quarter := bundle(b, submission(n).ID, 1_000_000)
		start = time.Now()
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if err := s.Deliver(b.Context(), submission(1000*n+i), quarter, &pad{}); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
		quarters += time.Since(start)
	}
	b.ReportMetric(whole.Seconds()/float64(n), "s-whole")
	b.ReportMetric(quarters.Seconds()/float64(n), "s-in-quarters")
	b.ReportMetric(0, "ns/op")
}

type throttled struct {
	ctx context.Context
	r   io.Reader
	l   line.Limit
}

func (t throttled) Read(p []byte) (int, error) {
	n, err := t.r.Read(p[:min(len(p), 8<<10)])
	if e := t.l.WaitN(t.ctx, n); e != nil {
		return n, e
	}
	return n, err
}
