package pcsc_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"motcua/drivers/pcsc"
	"motcua/drivers/pcsc/vpcd"
	"motcua/drivers/scan"
)

// echo is a card that gives back what it is sent; delay is how long it thinks.
type echo struct{ delay time.Duration }

func (echo) ATR() []byte { return []byte{0x3b, 0x80, 0x80, 0x01, 0x01} } // T=0 offered, T=1 offered
func (echo) Reset()      {}
func (e echo) Transmit(apdu []byte) []byte {
	time.Sleep(e.delay)
	return append(bytes.Clone(apdu), 0x90, 0x00)
}

func daemon(t *testing.T) *vpcd.Daemon {
	t.Helper()
	d, err := vpcd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

type watched struct {
	t      *testing.T
	events chan pcsc.Event
	stop   func()
}

func watch(t *testing.T, s pcsc.Service) *watched {
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{t: t, events: make(chan pcsc.Event, 100)}
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx, func(e pcsc.Event) { w.events <- e }) }()
	w.stop = func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch: %v", err)
		}
	}
	return w
}

func (w *watched) next(kind pcsc.Kind) pcsc.Event {
	w.t.Helper()
	deadline := time.After(time.Minute) // 2 s are promised; a busy machine stretches the test's own steps
	for {
		select {
		case e := <-w.events:
			if e.Kind == kind {
				return e
			}
		case <-deadline:
			w.t.Fatalf("no %s within a minute", kind)
		}
	}
}

func TestWatchTellsOfReadersAndCards(t *testing.T) {
	d := daemon(t)
	w := watch(t, pcsc.Service{Socket: d.Socket})
	w.next(pcsc.ServiceUp)
	if e := w.next(pcsc.ReaderAdded); e.Reader != vpcd.Reader {
		t.Errorf("reader %q", e.Reader)
	}
	for range 3 {
		remove, err := d.Insert(echo{})
		if err != nil {
			t.Fatal(err)
		}
		if e := w.next(pcsc.CardInserted); !bytes.Equal(e.ATR, echo{}.ATR()) || e.Fault != nil || e.Reader != vpcd.Reader {
			t.Errorf("inserted: %+v", e)
		}
		remove()
		w.next(pcsc.CardRemoved)
	}
	remove, err := d.Insert(echo{})
	if err != nil {
		t.Fatal(err)
	}
	w.next(pcsc.CardInserted)
	d.Close() // the daemon dies with a card on the reader
	w.next(pcsc.CardRemoved)
	w.next(pcsc.ReaderRemoved)
	if e := w.next(pcsc.ServiceDown); e.Fault == nil || e.Fault.Code != pcsc.NoService {
		t.Errorf("down: %+v", e)
	}
	remove()
	w.stop()
}

// The daemon's socket of the machine has one path; here it moves with the process, so a link stands for it.
func TestWatchOutlivesTheDaemon(t *testing.T) {
	link := filepath.Join(t.TempDir(), "comm")
	w := watch(t, pcsc.Service{Socket: link})
	w.next(pcsc.ServiceDown)
	d := daemon(t)
	if err := os.Symlink(d.Socket, link); err != nil {
		t.Fatal(err)
	}
	w.next(pcsc.ServiceUp)
	w.next(pcsc.ReaderAdded)
	w.stop()
}

func TestTransmit(t *testing.T) {
	d := daemon(t)
	s := pcsc.Service{Socket: d.Socket}
	if _, err := s.Connect(t.Context(), vpcd.Reader); !errors.Is(err, &scan.Fault{Code: pcsc.CardPulled}) {
		t.Errorf("connect without a card: %v", err)
	}
	if _, err := s.Connect(t.Context(), "No Such Reader"); !errors.Is(err, &scan.Fault{Code: scan.Unplugged}) {
		t.Errorf("connect without a reader: %v", err)
	}
	w := watch(t, s)
	defer w.stop()
	insert := func(c vpcd.Card) func() {
		remove, err := d.Insert(c)
		if err != nil {
			t.Fatal(err)
		}
		w.next(pcsc.CardInserted)
		return remove
	}
	remove := insert(echo{})
	card, err := s.Connect(t.Context(), vpcd.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{5, 261, 4000, 60000} {
		apdu := append([]byte{0, 0xb0, 0, 0}, bytes.Repeat([]byte{7}, n-4)...)
		got, err := card.Transmit(t.Context(), apdu)
		if err != nil || !bytes.Equal(got, append(apdu, 0x90, 0)) {
			t.Errorf("%d bytes: got %d, %v", n, len(got), err)
		}
	}
	if _, err := s.Connect(t.Context(), vpcd.Reader); !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
		t.Errorf("second connect: %v", err)
	}
	remove()
	if _, err := card.Transmit(t.Context(), []byte{0, 0xb0, 0, 0, 0}); !errors.Is(err, &scan.Fault{Code: pcsc.CardPulled}) {
		t.Errorf("transmit to a pulled card: %v", err)
	}
	card.Close()
	w.next(pcsc.CardRemoved)

	remove = insert(echo{delay: 5 * time.Second})
	defer remove()
	if card, err = s.Connect(t.Context(), vpcd.Reader); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := card.Transmit(ctx, []byte{0, 0xb0, 0, 0, 0}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 4*time.Second {
		t.Errorf("transmit with a deadline: %v after %s", err, time.Since(start))
	}
	card.Close()
}

func TestNothingLeaks(t *testing.T) {
	d := daemon(t)
	s := pcsc.Service{Socket: d.Socket}
	remove, err := d.Insert(echo{})
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	w := watch(t, s)
	w.next(pcsc.CardInserted)
	w.stop()
	files := func() int { f, _ := os.ReadDir("/proc/self/fd"); return len(f) }
	goroutines, open := runtime.NumGoroutine(), files()
	for range 20 {
		card, err := s.Connect(t.Context(), vpcd.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := card.Transmit(t.Context(), []byte{0, 0x84, 0, 0, 8}); err != nil {
			t.Fatal(err)
		}
		card.Close()
	}
	for end := time.Now().Add(time.Minute); (runtime.NumGoroutine() > goroutines || files() > open) && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // what is ending may take its time
	}
	if g, f := runtime.NumGoroutine(), files(); g > goroutines || f > open {
		t.Errorf("goroutines %d → %d, files %d → %d", goroutines, g, open, f)
	}
}

// TestSoakCards lays cards on the reader and pulls them out at any moment of an exchange: every exchange
// ends with all its answers or with a fault, and nothing leaks.
func TestSoakCards(t *testing.T) {
	rounds := 6
	if os.Getenv("MOTCUA_SOAK") != "" {
		rounds = 300
	}
	d := daemon(t)
	s := pcsc.Service{Socket: d.Socket}
	w := watch(t, s)
	w.next(pcsc.ReaderAdded)
	files := func() int { f, _ := os.ReadDir("/proc/self/fd"); return len(f) }
	goroutines, open := runtime.NumGoroutine(), files()
	rng := rand.New(rand.NewPCG(9303, 11))
	whole, broken := 0, 0
	for range rounds {
		remove, err := d.Insert(echo{delay: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		w.next(pcsc.CardInserted)
		card, err := s.Connect(t.Context(), vpcd.Reader)
		if err != nil {
			t.Fatal(err)
		}
		pulled := make(chan struct{})
		go func() {
			defer close(pulled)
			time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
			remove()
		}()
		for n := range 20 {
			apdu := []byte{0, 0xb0, byte(n), 0, 0}
			var got []byte
			if got, err = card.Transmit(t.Context(), apdu); err != nil {
				break
			}
			if !bytes.Equal(got, append(apdu, 0x90, 0)) {
				t.Fatalf("answer %X to %X", got, apdu)
			}
		}
		switch {
		case err == nil:
			whole++
		case errors.Is(err, &scan.Fault{Code: pcsc.CardPulled}):
			broken++
		default:
			t.Errorf("%v", err)
		}
		<-pulled
		card.Close()
		w.next(pcsc.CardRemoved)
	}
	t.Logf("%d cards: %d exchanges whole, %d broken off", rounds, whole, broken)
	if g, f := runtime.NumGoroutine(), files(); g > goroutines || f > open {
		t.Errorf("goroutines %d → %d, files %d → %d", goroutines, g, open, f)
	}
	w.stop()
}

func TestCheckSaysHowToMend(t *testing.T) {
	dir := t.TempDir()
	sys := filepath.Join(dir, "sys")
	mended := func(f []scan.Finding) string {
		last := f[len(f)-1]
		if last.OK {
			return "ok: " + last.What
		}
		return last.What + " → " + last.Mend
	}
	if got := mended(pcsc.Service{Socket: filepath.Join(dir, "none")}.Check(t.Context())); !strings.Contains(got,
		"systemctl enable --now pcscd.socket") {
		t.Error(got)
	}
	// polkit's refusal is a daemon that accepts and hangs up.
	l, err := net.Listen("unix", filepath.Join(dir, "refusing"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	if got := mended(pcsc.Service{Socket: filepath.Join(dir, "refusing")}.Check(t.Context())); !strings.Contains(got, "polkit") {
		t.Error(got)
	}
	l.Close()
	d := daemon(t)
	if got := mended(pcsc.Service{Socket: d.Socket}.Check(t.Context())); !strings.HasPrefix(got, "ok: card reader Virtual PCD") {
		t.Error(got)
	}
	d.Close() // where namespaces are forbidden there is one place for a pcscd
	empty, err := vpcd.StartEmpty(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if got := mended(pcsc.Service{Socket: empty.Socket, Sys: sys}.Check(t.Context())); !strings.Contains(got, "no card reader is plugged in") {
		t.Error(got)
	}
	usb := filepath.Join(sys, "bus/usb/devices")
	for file, text := range map[string]string{"1-2:1.0/bInterfaceClass": "0b\n", "1-2/product": "Invented NFC Reader\n",
		"1-3:1.0/bInterfaceClass": "03\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(usb, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(usb, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := mended(pcsc.Service{Socket: empty.Socket, Sys: sys}.Check(t.Context())); !strings.Contains(got,
		"without a driver: Invented NFC Reader") {
		t.Error(got)
	}
}
