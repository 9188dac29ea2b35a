package tus

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/queue"
	"motcua/queue/receive"
)

// kiosk is what the test binary does as a kiosk: it accepts submissions and uploads them until it is
// killed. What it said on standard output it must never lose.
func kiosk(dir, url string) {
	q, _, err := queue.Open(context.Background(), dir, queue.Options{MinFree: -1, RetryFirst: 20 * time.Millisecond,
		RetryMax: 100 * time.Millisecond})
	if err != nil {
		fmt.Println("broken", err)
		os.Exit(1)
	}
	s, err := New(Options{Endpoint: url, ChunkSize: minChunk, Log: slog.New(slog.DiscardHandler), Stall: time.Second})
	if err != nil {
		fmt.Println("broken", err)
		os.Exit(1)
	}
	go func() {
		if err := q.Run(context.Background(), s); err != nil {
			fmt.Println("broken", err)
			os.Exit(1)
		}
	}()
	if os.Getenv("MOTCUA_TEST_DRAIN") != "" {
		for {
			stats, err := q.Stats()
			if err != nil {
				fmt.Println("broken", err)
				os.Exit(1)
			}
			if stats.Count[queue.Held] > 0 {
				held, _ := q.List(queue.Filter{States: []queue.State{queue.Held}})
				fmt.Println("broken held:", held[0].LastError)
				os.Exit(1)
			}
			if stats.Count[queue.Queued]+stats.Count[queue.Sending] == 0 {
				fmt.Println("drained")
				time.Sleep(time.Hour) // to be killed
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for {
		page := make([]byte, rand.IntN(400<<10))
		for i := 0; i < len(page); i += 64 {
			page[i] = byte(rand.Uint32())
		}
		sub, err := q.Enqueue(context.Background(), queue.Draft{Parts: []queue.Part{{Name: "page-0001.jpg", MediaType: "image/jpeg",
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(page)), nil }}}})
		if err != nil {
			fmt.Println("broken", err)
			os.Exit(1)
		}
		fmt.Println("accepted", sub.ID, sub.SHA256)
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
	}
}

// receiving is what the test binary does as an office.
func receiving(dir, address string) {
	r, err := receive.New(receive.Options{Dir: dir, Log: slog.New(slog.DiscardHandler), MinFree: 1,
		Received: func(r receive.Receipt) { fmt.Println("received", r.ID) }})
	if err != nil {
		fmt.Println("broken", err)
		os.Exit(1)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println("broken", err)
		os.Exit(1)
	}
	fmt.Println("serving", "http://"+l.Addr().String()+"/files/")
	fmt.Println("broken", http.Serve(l, r))
	os.Exit(1)
}

// process is the test binary in one of those roles.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // its output was read to the end
}

func launch(t *testing.T, env []string, said func(line string)) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, make(chan struct{})}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said(lines.Text())
		}
	}()
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
	p.cmd.Wait()
}

// TestKillBothSides kills kiosk and office by SIGKILL at random moments, again and again, while
// submissions are accepted and uploaded. What was accepted arrives, once, byte for byte.
func TestKillBothSides(t *testing.T) {
	t.Parallel()
	kills := 12
	if os.Getenv("MOTCUA_SOAK") != "" {
		kills = 1000
	}
	top := t.TempDir()
	own, office, address := filepath.Join(top, "kiosk"), filepath.Join(top, "office"), freePort(t)
	url := "http://" + address + "/files/"

	var mu sync.Mutex
	accepted, received, drained := map[string]string{}, map[string]int{}, make(chan struct{}, 1)
	said := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		words := strings.Fields(line)
		switch words[0] {
		case "accepted":
			accepted[words[1]] = words[2]
		case "received":
			received[words[1]]++
		case "drained":
			drained <- struct{}{}
		case "broken":
			t.Error(line)
		}
	}
	startKiosk := func(more ...string) *process {
		return launch(t, append(more, "MOTCUA_TEST_KIOSK="+own, "MOTCUA_TEST_URL="+url), said)
	}
	startOffice := func() *process {
		return launch(t, []string{"MOTCUA_TEST_OFFICE=" + office, "MOTCUA_TEST_ADDRESS=" + address}, said)
	}
	k, o := startKiosk(), startOffice()
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(accepted)
	}
	for i := range kills {
		if i%3 == 0 { // on a busy machine a kiosk may be killed each time before it has accepted anything
			before := count()
			for end := time.Now().Add(2 * time.Minute); count() == before && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
			}
		}
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		if i%3 == 2 {
			o.kill()
			o = startOffice()
		} else {
			k.kill()
			k = startKiosk()
		}
		if t.Failed() {
			break
		}
	}
	k.kill()
	k = startKiosk("MOTCUA_TEST_DRAIN=1")
	arrived := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(received)
	}
	for before := -1; ; { // a backlog of a thousand takes as long as this machine needs: it is stuck if nothing at all arrives
		select {
		case <-drained:
		case <-time.After(3 * time.Minute):
			if now := arrived(); now != before {
				before = now
				continue
			}
			t.Error("the queue was not drained, and nothing more arrives")
		}
		break
	}
	k.kill()
	o.kill()
	mu.Lock()
	defer mu.Unlock()
	for id, sum := range accepted {
		text, err := os.ReadFile(filepath.Join(office, id, "receipt.json"))
		if err != nil {
			t.Errorf("lost: %v", err)
			continue
		}
		var r receive.Receipt
		if err := json.Unmarshal(text, &r); err != nil || r.SHA256 != sum {
			t.Errorf("%s arrived with sha256 %s, want %s, %v", id, r.SHA256, sum, err)
		}
	}
	for id, n := range received {
		if n > 1 {
			t.Errorf("%s received %d times", id, n)
		}
	}
	if len(accepted) < kills/4 {
		t.Errorf("%d submissions in %d kills: too few to show anything", len(accepted), kills)
	}
	if left, _ := os.ReadDir(filepath.Join(office, ".motcua", "unpack")); len(left) > 0 {
		t.Errorf("left half unpacked: %v", left)
	}
	t.Logf("%d kills, %d submissions accepted, none lost, none twice", kills, len(accepted))
}

// TestRealTusdSoak uploads to the tusd program itself, built from its module, and kills it in the middle.
func TestRealTusdSoak(t *testing.T) {
	if os.Getenv("MOTCUA_SOAK") == "" {
		t.Skip("MOTCUA_SOAK=1 builds and runs the tusd program")
	}
	t.Parallel()
	tusdProgram := built(t, "github.com/tus/tusd/v2/cmd/tusd@v2.9.1")
	dir, address := t.TempDir(), freePort(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		cmd := exec.Command(tusdProgram, "-host", host, "-port", port, "-upload-dir", dir, "-base-path", "/files/", "-expose-metrics=false")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				return cmd
			}
			if time.Now().After(end) {
				t.Fatal("tusd did not start")
			}
		}
	}
	server := start()
	defer func() { server.Process.Kill(); server.Wait() }()
	p := behind(t, "http://"+address+"/files/")
	p.weather(t, "bandwidth", "upstream", `"rate":4000`)
	s, w := newSink(t, Options{Endpoint: p.url, ChunkSize: 512 << 10, Stall: 2 * time.Second})
	sub, b, n := submission(40), bundle(t, submission(40).ID, 12<<20), &pad{}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	arrived := make(chan error, 1)
	go func() {
		var err error
		for ctx.Err() == nil {
			if err = s.Deliver(ctx, sub, b, n); err == nil || queue.IsPermanent(err) {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		arrived <- err
	}()
	for range 3 {
		for before := w.sent.Load(); w.sent.Load() < before+2<<20; time.Sleep(time.Millisecond) {
			if ctx.Err() != nil || len(arrived) > 0 {
				t.Fatalf("%d bytes went out, too few for 3 kills", w.sent.Load())
			}
		}
		server.Process.Kill()
		server.Wait()
		server = start()
	}
	if err := <-arrived; err != nil {
		t.Fatal(err)
	}
	(&tusd{dir: dir}).once(t, sub.ID, b)
	t.Logf("3 kills of tusd: %d bytes sent for %d", w.sent.Load(), b.Size())
}

// built returns a program of a module, which it builds into the user's cache on first use.
func built(t *testing.T, program string) string {
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
