package escl

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"
	"time"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

// TestSoak feeds numbered sheets while things go wrong at random. After each fault somebody takes the
// sheets out and lays in again what did not come, as people do; in the end every sheet must have come
// exactly once and in order, and nothing may be left behind.
func TestSoak(t *testing.T) {
	scans := 30
	if os.Getenv("MOTCUA_SOAK") == "1" {
		scans = 1000
	}
	r := rand.New(rand.NewPCG(20, 26))
	p := printer.New(printer.Habits{})
	server := httptest.NewServer(http.HandlerFunc(p.ServeHTTP))
	defer server.Close()
	s := openAt(t, server.URL, Options{Stall: 300 * time.Millisecond, Patience: 100 * time.Millisecond})
	kinds := []string{"jam", "cover", "double-feed", "abort", "cancel", "truncate", "truncate-jpeg", "drop", "hang", "garbage", "busy"}
	var goroutines, files, faults, sheetsFed int
	for n := range scans {
		if n == scans/10 {
			goroutines, files = settled(s)
		}
		stack := make([][]byte, 1+r.IntN(5))
		for i := range stack {
			stack[i] = sheet(t, 1+r.IntN(60))
		}
		sheetsFed += len(stack)
		for came := 0; came < len(stack); {
			p.Clear()
			p.Feed(stack[came:]...)
			left := len(stack) - came
			ctx, cancel := context.WithCancel(t.Context())
			trouble, stopAfter := false, 0
			switch r.IntN(3) {
			case 0:
				trouble = true
				p.Fail(printer.Fault{Page: 1 + r.IntN(left), Kind: kinds[r.IntN(len(kinds))]})
			case 1:
				stopAfter = 1 + r.IntN(left)
			}
			var err error
			got := 0
			for page, e := range s.Scan(ctx, scan.Settings{Source: scan.ADF}) {
				if err = e; e != nil {
					break
				}
				if !bytes.Equal(page.Encoded, stack[came]) {
					t.Fatalf("scan %d: sheet %d is lost or came twice", n, came+1)
				}
				came++
				if got++; got == stopAfter {
					if r.IntN(2) == 0 {
						break
					}
					cancel()
				}
			}
			cancel()
			var f *scan.Fault
			switch {
			case trouble && !errors.As(err, &f):
				t.Fatalf("scan %d: no fault, %v", n, err)
			case trouble:
				faults++
			case stopAfter == 0 && (err != nil || got != left):
				t.Fatalf("scan %d: %d of %d pages, %v", n, got, left, err)
			}
			if p.Running() {
				t.Fatalf("scan %d left its job behind", n)
			}
		}
	}
	g, f := settled(s)
	for end := time.Now().Add(time.Minute); (g > goroutines+4 || f > files+4) && time.Now().Before(end); g, f = settled(s) {
		time.Sleep(10 * time.Millisecond) // what is ending may take its time
	}
	t.Logf("%d stacks, %d sheets, %d faults; goroutines %d → %d, files %d → %d", scans, sheetsFed, faults, goroutines, g, files, f)
	if g > goroutines+4 || f > files+4 { // a kept connection has two goroutines and a file at each end
		t.Errorf("something is left behind: goroutines %d → %d, files %d → %d", goroutines, g, files, f)
	}
}

func settled(s *Scanner) (goroutines, files int) {
	s.ask.CloseIdleConnections()
	s.pages.CloseIdleConnections()
	entries, _ := os.ReadDir("/proc/self/fd")
	return runtime.NumGoroutine(), len(entries)
}

func BenchmarkScan_feeder(b *testing.B) {
	p := printer.New(printer.Habits{})
	server := httptest.NewServer(p)
	defer server.Close()
	s := openAt(b, server.URL, Options{})
	page := sheet(b, 3)
	page = append(page, make([]byte, 1<<20-len(page))...)
	copy(page[len(page)-2:], "\xff\xd9") // as large as an A4 page at 300 dpi
	stack := make([][]byte, 20)
	for i := range stack {
		stack[i] = page
	}
	n := 0
	for b.Loop() {
		p.Feed(stack...)
		pages, err := all(b.Context(), s, scan.Settings{Source: scan.ADF})
		if err != nil || len(pages) != len(stack) {
			b.Fatal(len(pages), err)
		}
		n += len(pages)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pages/s")
}
