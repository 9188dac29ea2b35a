package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/drivers/scan"

	"golang.org/x/sys/unix"
)

// plug is a reader on a cable: a real pseudo-terminal that socat makes and puts under a stable name.
// What it can't show is a wrong speed: a pseudo-terminal has none.
type plug struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func plugIn(t *testing.T, name string) *plug {
	t.Helper()
	os.Remove(name)
	p := &plug{t: t, cmd: exec.Command("socat", "PTY,link="+name+",raw,echo=0", "STDIN")}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("socat makes the pseudo-terminals of this test (apt-get install socat): %v", err)
	}
	t.Cleanup(p.pullOut)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatal("socat made no pseudo-terminal")
		}
	}
}

func (p *plug) types(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, text); err != nil {
		p.t.Fatal(err)
	}
}

// pullOut is the cable torn: no goodbye, and the stable name may point nowhere for a while.
func (p *plug) pullOut() {
	if p.cmd != nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
		p.cmd = nil
	}
}

// running is a Reader at work.
type running struct {
	*Reader
	states   chan State
	readings chan Reading
	stop     func() error
}

func run(t *testing.T, p Profile) *running {
	t.Helper()
	r := &running{states: make(chan State, 10_000), readings: make(chan Reading, 10_000)}
	var err error
	if r.Reader, err = New(p, func(s State) { r.states <- s }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, func(g Reading) { r.readings <- g }) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *running) await(t *testing.T, what string, ok func(State) bool) State {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case s := <-r.states:
			if ok(s) {
				return s
			}
		case <-deadline:
			t.Fatalf("no %s within a minute", what)
		}
	}
}

func (r *running) next(t *testing.T) string {
	t.Helper()
	select {
	case g := <-r.readings:
		return g.Text
	case <-time.After(time.Minute):
		t.Fatal("no reading within a minute")
		return ""
	}
}

func connected(s State) bool { return s.Connected && s.Fault == nil }

func TestReaderOverPseudoTerminal(t *testing.T) {
	whole := t // a plug outlives the subtest that plugs it in
	port := filepath.Join(t.TempDir(), "usb-Invented_Reader_1-if00")
	r := run(t, Profile{Port: port, Baud: 115200, Parity: "even"})
	r.await(t, "word that the port is missing", func(s State) bool {
		return !s.Connected && errors.Is(s.Fault, &scan.Fault{Code: scan.NoDevice})
	})
	p := plugIn(t, port)
	r.await(t, "connection", connected)
	p.types(qr + "\r\n")
	if got := r.next(t); got != qr {
		t.Errorf("got %q", got)
	}
	t.Run("pulled out and plugged in again", func(t *testing.T) {
		p.types("half a co")
		p.pullOut() // with more or less of it on its way
		out := time.Now()
		r.await(t, "word that it was pulled out", func(s State) bool { return !s.Connected && s.Fault != nil })
		if took := time.Since(out); took > time.Minute {
			t.Errorf("pulling out showed after %s", took)
		}
		p = plugIn(whole, port)
		in := time.Now()
		r.await(t, "connection", connected)
		if took := time.Since(in); took > time.Minute {
			t.Errorf("plugging in showed after %s", took)
		}
		p.types("a whole code\n")
		if got := r.next(t); got != "a whole code" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("only garbage tells of a wrong speed", func(t *testing.T) {
		p.types("\x80\xf0\x86\xff\x98\r\x80\xf0\x80\xf8\r")
		s := r.await(t, "hint", func(s State) bool { return s.Fault != nil })
		if s.Fault.Code != Garbled || !strings.Contains(s.Fault.Technician, "115200 8E1") {
			t.Errorf("fault %v", s.Fault)
		}
		if f := r.Check(t.Context()); len(f) != 1 || f[0].OK || f[0].Mend == "" {
			t.Errorf("findings %+v", f)
		}
		p.types("good again\r")
		if got := r.next(t); got != "good again" {
			t.Errorf("got %q", got)
		}
		r.await(t, "recovery", connected)
	})
	t.Run("a code without an end tells what to set", func(t *testing.T) {
		p.types("079195001234")
		s := r.await(t, "hint", func(s State) bool { return s.Fault != nil })
		if !strings.Contains(s.Fault.Technician, "end: idle") || strings.Contains(s.Fault.Error(), "0791") {
			t.Errorf("fault %v", s.Fault)
		}
	})
	t.Run("a second program is told that the port is in use", func(t *testing.T) {
		if _, err := openPort(port, Profile{Port: port}.withDefaults()); !errors.Is(err, errBusy) {
			t.Errorf("second open: %v", err)
		}
		if f := (Bus{Profiles: []Profile{{Port: port}}}).Check(t.Context()); len(f) != 1 || !f[0].OK ||
			!strings.Contains(f[0].What, "in use by motcua itself") {
			t.Errorf("findings %+v", f)
		}
	})
	t.Run("stops when told, and leaves the port free", func(t *testing.T) {
		start := time.Now()
		if err := r.stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("stopping took %s", took)
		}
		line, err := openPort(port, Profile{Port: port}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		line.close()
	})
}

func TestWhatWasTypedBeforeOpeningIsNotSeen(t *testing.T) {
	port := filepath.Join(t.TempDir(), "reader")
	p := plugIn(t, port)
	p.types("the last citizen\r")
	// Until it lies in the port: the kernel tells how much does.
	lies, err := os.OpenFile(port, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lies.Close()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		n, err := unix.IoctlGetInt(int(lies.Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		if n == len("the last citizen\r") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes came to the port", n)
		}
	}
	r := run(t, Profile{Port: port})
	r.await(t, "connection", connected)
	p.types("this citizen\r")
	if got := r.next(t); got != "this citizen" {
		t.Errorf("got %q", got)
	}
}

// Another program that sets the line to wait for bytes must not take the reader's silences from it, nor
// its end.
func TestSettingsChangedByAnotherProgram(t *testing.T) {
	port := filepath.Join(t.TempDir(), "reader")
	p := plugIn(t, port)
	r := run(t, Profile{Port: port})
	r.await(t, "connection", connected)
	if out, err := exec.Command("stty", "-F", port, "min", "1", "time", "0").CombinedOutput(); err != nil {
		t.Fatalf("stty: %v %s", err, out)
	}
	p.types("half a co")
	r.await(t, "word of the missing end", func(s State) bool { return s.Fault != nil })
	p.types("a whole one\r")
	if got := r.next(t); got != "a whole one" {
		t.Errorf("got %q", got)
	}
	start := time.Now()
	r.stop()
	if took := time.Since(start); took > time.Minute {
		t.Errorf("stopping took %s", took)
	}
}

func TestReadingPrintsNoText(t *testing.T) {
	g := Reading{Text: qr, Port: "/dev/x"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("read", "reading", g)
	if out := fmt.Sprintf("%v %+v %s %#v %d", g, g, g, g, []any{g}) + log.String(); strings.Contains(out, "Nguy") ||
		strings.Contains(out, "0791") {
		t.Errorf("printed %s", out)
	}
}

func TestWatchShowsPlugging(t *testing.T) {
	dev := t.TempDir()
	byID := filepath.Join(dev, "serial/by-id")
	if err := os.MkdirAll(byID, 0o755); err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(byID, "usb-Invented_QR_Reader_7-if00")
	bus := Bus{Dev: dev, Profiles: []Profile{{Name: "counter", Port: filepath.Join(byID, "usb-Invented_QR_*")}}}
	lists := make(chan []Port, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- bus.Watch(ctx, func(p []Port) { lists <- p }) }()
	next := func() []Port {
		t.Helper()
		select {
		case l := <-lists:
			return l
		case <-time.After(time.Minute): // 2 s are promised; a busy machine stretches the test's own steps
			t.Fatal("no change shown within a minute")
			return nil
		}
	}
	if l := next(); len(l) != 1 || l[0].Device != "" || l[0].Profile != "counter" {
		t.Errorf("at the start: %+v", l)
	}
	a := plugIn(t, known)
	l := next()
	if len(l) != 1 || l[0].Name != known || l[0].Description != "Invented QR Reader 7" || l[0].Profile != "counter" || !l[0].Ready {
		t.Errorf("after plugging in: %+v", l)
	}
	plugIn(t, filepath.Join(byID, "usb-Other_9-if00"))
	if l := next(); len(l) != 2 {
		t.Errorf("after plugging in a second: %+v", l)
	}
	a.pullOut()
	if l := next(); len(l) != 2 || l[0].Device != "" {
		t.Errorf("after pulling out: %+v", l)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
}

func TestCheckSaysHowToMend(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name, mend string
		err        error
	}{
		{"no such port", "/dev/serial/by-id", os.ErrNotExist},
		{"may not open", "dialout", os.ErrPermission},
		{"in use", "ModemManager", errBusy},
	} {
		if f := faultOf(Profile{Port: filepath.Join(dir, "x")}, tc.err); !strings.Contains(f.Technician, tc.mend) {
			t.Errorf("%s: %q", tc.name, f.Technician)
		}
	}
	f := Bus{Profiles: []Profile{{Name: "counter", Port: filepath.Join(dir, "none")},
		{Name: "odd", Port: "/dev/x", Baud: 1, Parity: "mark"}}}.Check(t.Context())
	if len(f) != 2 || f[0].OK || f[1].OK || !strings.Contains(f[1].What, "baud 1") || !strings.Contains(f[1].What, "parity") {
		t.Errorf("findings %+v", f)
	}
}

// TestSoakReadings types thousands of codes with the faults of real counters between them: none may be
// lost, doubled or altered, and nothing may leak.
func TestSoakReadings(t *testing.T) {
	total := 500
	if os.Getenv("MOTCUA_SOAK") != "" {
		total = 10_000
	}
	dir := t.TempDir()
	port := filepath.Join(dir, "reader")
	before := resources()

	rng := rand.New(rand.NewPCG(3, 1))
	r := &running{states: make(chan State, 100_000), readings: make(chan Reading, total)}
	var err error
	r.Reader, err = New(Profile{Port: port, Baud: 115200, Idle: 200 * time.Millisecond}, func(s State) { r.states <- s })
	if err != nil {
		t.Fatal(err)
	}
	r.retry = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, func(g Reading) { r.readings <- g }) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	defer stop()

	p := plugIn(t, port)
	r.await(t, "connection", func(s State) bool { return s.Connected })
	ends := []string{"\r", "\n", "\r\n"}
	faults := map[string]int{}
	var sent, got []string
	collect := func() {
		t.Helper()
		for len(got) < len(sent) {
			got = append(got, r.next(t))
		}
	}
	code := func() string {
		return fmt.Sprintf("%012d|%09d|Nguyễn Thị Bưởi %d|05031995|Nữ|Phường Thử Nghiệm|10052021",
			len(sent), rng.IntN(1e9), len(sent))
	}
	start := time.Now()
	for len(sent) < total {
		end := ends[rng.IntN(3)]
		switch n := rng.IntN(100); {
		case n < 3:
			faults["torn, then silence"]++
			c := code()
			sent = append(sent, c) // behind this one all earlier noise is counted
			p.types(c + end)
			collect()
			c = code()
			dropped := r.State().Dropped
			p.types(c[:1+rng.IntN(len(c)-1)])
			// The next code comes when the silence was noticed: on a loaded machine 300 ms at this end
			// are not 300 ms at the other.
			for deadline := time.Now().Add(time.Minute); r.State().Dropped == dropped; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("half a code was not given up")
				}
			}
		case n < 8:
			faults["garbage"]++
			noise := make([]byte, 1+rng.IntN(60))
			for i := range noise {
				noise[i] = []byte{0x00, 0x80, 0xff, 0x01, 0x90}[rng.IntN(5)]
			}
			p.types(string(noise) + end)
		case n < 10:
			faults["pulled out in mid code"]++
			collect()
			c := code()
			p.types(c[:1+rng.IntN(len(c)-1)])
			p.pullOut()
			r.await(t, "word of pulling out", func(s State) bool { return !s.Connected })
			p = plugIn(t, port)
			r.await(t, "connection", func(s State) bool { return s.Connected })
		case n < 25:
			faults["two codes in one write"]++
			a := code()
			sent = append(sent, a)
			b := code()
			sent = append(sent, b)
			p.types(a + end + b + end)
		case n < 45:
			faults["dribbled"]++
			c := code()
			sent = append(sent, c)
			c += end
			for len(c) > 0 {
				k := min(len(c), 1+rng.IntN(40))
				p.types(c[:k])
				c = c[k:]
				time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
			}
		default:
			c := code()
			sent = append(sent, c)
			p.types(c + end)
		}
		if len(sent)-len(got) > 20 { // a pseudo-terminal holds 4 kB: a person waits for the beep, too
			collect()
		}
	}
	collect()
	took := time.Since(start)
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	p.pullOut()
	for i := range sent {
		if got[i] != sent[i] {
			t.Fatalf("reading %d differs from what was typed: %q, not %q", i, got[i], sent[i])
		}
	}
	if extra := len(r.readings); extra > 0 {
		t.Errorf("%d readings nobody typed", extra)
	}
	leaked := func(u used) bool {
		return u.goroutines > before.goroutines || u.files > before.files || u.heap > before.heap+4<<20
	}
	after := resources()
	for end := time.Now().Add(time.Minute); leaked(after) && time.Now().Before(end); after = resources() {
		time.Sleep(10 * time.Millisecond) // what is ending may take its time
	}
	t.Logf("%d readings in %s, faults %v: lost 0, doubled 0; %s → %s", total, took.Round(time.Millisecond), faults, before, after)
	if leaked(after) {
		t.Errorf("leaked: %s → %s", before, after)
	}
}

type used struct {
	goroutines, files int
	heap              uint64
}

func (u used) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d kB heap", u.goroutines, u.files, u.heap>>10)
}

func resources() used {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	return used{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}
