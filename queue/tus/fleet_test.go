package tus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/tus/tusd/v2/pkg/handler"

	"motcua/queue"
	"motcua/queue/announce"
	"motcua/queue/line"
	"motcua/queue/natstest"
)

// TestFleetSoak is a province: kiosks, each with a real queue, sink and announcer, against one tusd in a
// process of its own and one NATS server. First a morning after a night without network (everybody has a
// backlog and comes at once), then a busy hour's rate. Everything must arrive once and be told once;
// the figures are what queue/receive/README.md sizes a province by. Without MOTCUA_SOAK it is a sample.
func TestFleetSoak(t *testing.T) {
	hub := startTusdProcess(t)
	province(t, hub.url, []int{hub.pid}, func() map[string]int {
		arrived := map[string]int{}
		infos, err := filepath.Glob(filepath.Join(hub.dir, "*.info"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range infos {
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			var info handler.FileInfo
			if err := json.Unmarshal(text, &info); err != nil {
				t.Fatal(err)
			}
			if data, err := os.Stat(strings.TrimSuffix(p, ".info")); err == nil && data.Size() == info.Size {
				arrived[info.MetaData["submission"]]++
			}
		}
		return arrived
	})
}

// TestFleetS3Soak is the same with the programs a province runs: tusd on an S3 store.
func TestFleetS3Soak(t *testing.T) {
	if os.Getenv("MOTCUA_SOAK") == "" {
		t.Skip("MOTCUA_SOAK=1 builds and runs tusd and an S3 server")
	}
	dir, store, front := t.TempDir(), freePort(t), freePort(t)
	for _, d := range []string{"data", "meta", "data/submissions", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s3 := program(t, "github.com/versity/versitygw/cmd/versitygw@v1.8.0", nil, store, "--access", "province", "--secret", "invented-secret",
		"--port", store, "--quiet", "--keep-alive", "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	host, port, err := net.SplitHostPort(front)
	if err != nil {
		t.Fatal(err)
	}
	hub := program(t, "github.com/tus/tusd/v2/cmd/tusd@v2.9.1",
		[]string{"AWS_ACCESS_KEY_ID=province", "AWS_SECRET_ACCESS_KEY=invented-secret", "AWS_REGION=us-east-1",
			"TMPDIR=" + filepath.Join(dir, "tmp")},
		front, "-host", host, "-port", port, "-base-path", "/files/", "-s3-bucket", "submissions", "-s3-endpoint", "http://"+store,
		"-s3-disable-ssl")
	province(t, "http://"+front+"/files/", []int{hub, s3}, func() map[string]int {
		arrived := map[string]int{}
		infos, err := filepath.Glob(filepath.Join(dir, "data", "submissions", "*.info"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range infos {
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			var info handler.FileInfo
			if err := json.Unmarshal(text, &info); err != nil {
				t.Fatal(err)
			}
			if data, err := os.Stat(strings.TrimSuffix(p, ".info")); err == nil && data.Size() == info.Size {
				arrived[info.MetaData["submission"]]++
			}
		}
		return arrived
	})
}

// program builds a program of a module into the user's cache, runs it, and waits until it listens.
func program(t *testing.T, module string, env []string, address string, args ...string) (pid int) {
	t.Helper()
	cmd := exec.Command(built(t, module), args...)
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return cmd.Process.Pid
		}
	}
	t.Fatalf("%s does not listen on %s", module, address)
	return 0
}

// province runs the fleet against a hub; pids are the hub's processes, arrived counts its finished
// uploads by submission.
func province(t *testing.T, endpoint string, pids []int, arrivals func() map[string]int) {
	kiosks, backlog, rate, busy := 30, 2, 6.0, 3*time.Second
	if os.Getenv("MOTCUA_SOAK") != "" {
		kiosks, backlog, rate, busy = 1000, 3, 20, 2*time.Minute
	}
	js, url := startNATS(t)
	// The kiosks' own disks are not what is measured: 1,000 of them don't fit on this machine's one.
	memory, err := os.MkdirTemp("/dev/shm", "motcua-fleet-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(memory)

	f := &fleet{t: t, took: map[string]time.Duration{}, since: map[string]time.Time{}}
	noise := make([]byte, 4<<20)
	rand.NewChaCha8([32]byte{3}).Read(noise)
	var all []*queue.Queue
	var sinks []*Sink
	for i := range kiosks {
		q, _, err := queue.Open(t.Context(), filepath.Join(memory, strconv.Itoa(i)),
			queue.Options{MinFree: -1, Outbox: true, RetryFirst: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		client, err := line.NewClient(line.TLS{})
		if err != nil {
			t.Fatal(err)
		}
		client.Transport = f.count(client.Transport)
		s, err := New(Options{Endpoint: endpoint, Client: client, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		all, sinks = append(all, q), append(sinks, s)
	}
	accept := func(q *queue.Queue, r *rand.Rand) {
		// A form and some pages: 0.2 to 3.8 MB, 1.2 MB on average.
		size := 200_000 + int(1e6*min(r.ExpFloat64(), 3.6))
		from := r.IntN(len(noise) - size)
		sub, err := q.Enqueue(t.Context(), queue.Draft{Labels: map[string]string{"procedure": "1.004194"},
			Parts: []queue.Part{{Name: "page-0001.jpg", MediaType: "image/jpeg",
				Open: func() (io.ReadCloser, error) {
					return io.NopCloser(io.NewSectionReader(bytesAt(noise), int64(from), int64(size))), nil
				}}}})
		if err != nil {
			t.Error(err)
			return
		}
		f.accepted(sub)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, q := range all {
		for range backlog {
			accept(q, r)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	before := usage(t, pids)
	start := time.Now()
	f.restart(start)
	for i, q := range all {
		running.Go(func() {
			if err := q.Run(ctx, f.watch(sinks[i])); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
		a, err := announce.New(announce.Options{URL: url, Kiosk: fmt.Sprintf("ward-%d", i), Stream: "MOTCUA", Outbox: q,
			Heartbeat: 10 * time.Second,
			Figures:   func() any { s, _ := q.Stats(); return s }, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := a.Run(ctx); err != nil && !errors.Is(err, queue.ErrClosed) {
				t.Error(err)
			}
		})
	}
	if !f.wait(10 * time.Minute) {
		t.Fatalf("%d submissions did not arrive", f.left())
	}
	f.report(fmt.Sprintf("backlog of %d kiosks at once", kiosks), time.Since(start), before, usage(t, pids))

	before = usage(t, pids)
	start = time.Now()
	f.restart(time.Time{})
	for end := start.Add(busy); time.Now().Before(end); {
		time.Sleep(time.Duration(r.ExpFloat64() / rate * float64(time.Second)))
		accept(all[r.IntN(kiosks)], r)
	}
	if !f.wait(5 * time.Minute) {
		t.Fatalf("%d submissions did not arrive", f.left())
	}
	f.report(fmt.Sprintf("%.0f submissions/s from %d kiosks", rate, kiosks), time.Since(start), before, usage(t, pids))

	// Told: each submission queued and delivered, once.
	want := uint64(2 * f.total)
	var told uint64
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		s, err := js.Stream(t.Context(), "MOTCUA")
		if err != nil {
			t.Fatal(err)
		}
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if told = info.State.Msgs; told >= want {
			break
		}
	}
	if told != want {
		t.Errorf("%d events told of %d submissions, want %d", told, f.total, want)
	}
	cancel()
	running.Wait()
	for _, q := range all {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}
	// Arrived: each once, of the right size.
	arrived := arrivals()
	for id, n := range arrived {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if len(arrived) != f.total {
		t.Errorf("%d of %d submissions arrived", len(arrived), f.total)
	}
}

type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) { return copy(p, b[off:]), nil }

func startNATS(t *testing.T) (jetstream.JetStream, string) {
	t.Helper()
	s := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MOTCUA",
		Subjects: []string{"motcua.*.submission.*"}}); err != nil {
		t.Fatal(err)
	}
	return js, s.URL()
}

// fleet keeps the times of what is under way.
type fleet struct {
	t        *testing.T
	requests atomic.Int64
	failed   atomic.Int64
	bytes    atomic.Int64

	mu    sync.Mutex // guards what follows
	since map[string]time.Time
	took  map[string]time.Duration
	total int
}

func (f *fleet) accepted(s queue.Submission) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	if _, early := f.took[s.ID]; !early { // delivered before Enqueue's caller came here
		f.since[s.ID] = time.Now()
	}
}

// restart begins a phase; what waits already counts from a moment on.
func (f *fleet) restart(from time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took = map[string]time.Duration{}
	for id := range f.since {
		f.since[id] = from
	}
	f.requests.Store(0)
	f.failed.Store(0)
	f.bytes.Store(0)
}

func (f *fleet) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.since)
}

func (f *fleet) wait(most time.Duration) bool {
	for end := time.Now().Add(most); f.left() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

type watched struct {
	f *fleet
	*Sink
}

func (f *fleet) watch(s *Sink) watched { return watched{f, s} }

func (watched) Probe(context.Context) error { return nil }

func (w watched) Deliver(ctx context.Context, s queue.Submission, b queue.Bundle, n queue.Notes) error {
	err := w.Sink.Deliver(ctx, s, b, n)
	if err != nil {
		if ctx.Err() == nil {
			w.f.failed.Add(1)
		}
		return err
	}
	w.f.bytes.Add(b.Size())
	w.f.mu.Lock()
	defer w.f.mu.Unlock()
	w.f.took[s.ID] = 0
	if at, ok := w.f.since[s.ID]; ok {
		w.f.took[s.ID] = time.Since(at)
		delete(w.f.since, s.ID)
	}
	return nil
}

type counted struct {
	http.RoundTripper
	n *atomic.Int64
}

func (f *fleet) count(t http.RoundTripper) counted { return counted{t, &f.requests} }

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// used is what the hub's processes have used.
type used struct {
	cpu  time.Duration
	peak float64 // MB
}

func usage(t *testing.T, pids []int) (u used) {
	t.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
		for _, f := range fields[12:14] { // utime and stime, in hundredths of a second
			n, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			u.cpu += time.Duration(n) * 10 * time.Millisecond
		}
		if text, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err != nil {
			t.Fatal(err)
		}
		for l := range strings.SplitSeq(string(text), "\n") {
			if value, ok := strings.CutPrefix(l, "VmHWM:"); ok {
				kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
				if err != nil {
					t.Fatal(err)
				}
				u.peak += kb * 1024 / 1e6
			}
		}
	}
	return u
}

func (f *fleet) report(phase string, took time.Duration, before, after used) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var times []time.Duration
	for _, d := range f.took {
		times = append(times, d)
	}
	slices.Sort(times)
	at := func(p float64) time.Duration { return times[int(p*float64(len(times)-1))].Round(time.Millisecond) }
	mb, cpu := float64(f.bytes.Load())/1e6, (after.cpu - before.cpu).Seconds()
	f.t.Logf("%s: %d submissions, %.0f MB in %.1f s: %.0f/s, %.1f MB/s, %d requests, %d tries failed; accepted to delivered p50 %v p95 %v "+
		"p99 %v; hub %.2f s CPU (%.1f ms a submission, %.2f s a GB), %.0f MB peak",
		phase, len(times), mb, took.Seconds(), float64(len(times))/took.Seconds(), mb/took.Seconds(), f.requests.Load(), f.failed.Load(),
		at(.5), at(.95), at(.99), cpu, 1000*cpu/float64(len(times)), cpu/mb*1000, after.peak)
}
