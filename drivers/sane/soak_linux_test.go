package sane

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// TestSoak scans again and again while things go wrong at random: every fault the test backend raises,
// killed workers, cancels and breaks. Every page that comes must be the right one, whole and in order; a
// scan that nothing disturbs must give all its pages; nothing may be left behind.
func TestSoak(t *testing.T) {
	scans := 40
	if os.Getenv("MOTCUA_SOAK") == "1" {
		scans = 1000
	}
	r := rand.New(rand.NewPCG(20, 26))
	o := testBackend(t)
	s := Open(o, "sane:test:0")
	faults := []string{"UNSUPPORTED", "CANCELLED", "DEVICE_BUSY", "INVAL", "JAMMED", "NO_DOCS", "COVER_OPEN", "IO_ERROR", "NO_MEM",
		"ACCESS_DENIED"}
	right := map[string][32]byte{}
	var pages, disturbed, hung int
	var before resources
	for n := range scans {
		if n == scans/10 { // after the first scans everything that is kept has been made
			before = measure()
		}
		want := 1
		set := scan.Settings{DPI: []int{50, 75, 100}[r.IntN(3)], Mode: []scan.Mode{scan.Color, scan.Gray, scan.Lineart}[r.IntN(3)]}
		if n%2 == 0 {
			// The test backend's feeder holds ten sheets for each process that opens it.
			s.slot <- struct{}{}
			s.drop()
			<-s.slot
			set.Source, want = scan.ADF, 10
			if r.IntN(2) == 0 {
				want = 1 + r.IntN(4)
				set.MaxPages = want
			}
		}
		s.o.Set = []string{"test-picture=Color pattern", "read-return-value=Default"}
		ctx, cancel := context.WithCancel(t.Context())
		trouble, stopAfter := "", -1
		switch r.IntN(6) {
		case 0:
			trouble = faults[r.IntN(len(faults))]
			s.o.Set[1] = "read-return-value=SANE_STATUS_" + trouble
		case 1:
			trouble = "kill"
			set.Lines = func(scan.Band) { s.worker.kill() }
		case 2:
			trouble = "cancel"
			set.Lines = func(scan.Band) { cancel() }
		case 3:
			stopAfter = 1
		}
		got := 0
		var err error
		for p, e := range s.Scan(ctx, set) {
			if err = e; e != nil {
				break
			}
			got++
			if p.Number != got {
				t.Fatalf("scan %d: page %d came as number %d", n, got, p.Number)
			}
			key := fmt.Sprint(set.Source, set.Mode, set.DPI)
			sum := hash(p.Image)
			if it, known := right[key]; known && sum != it {
				t.Fatalf("scan %d: page %d is not the test picture", n, got)
			}
			right[key] = sum
			if got == stopAfter {
				break
			}
		}
		cancel()
		pages += got
		switch {
		case trouble == "" && stopAfter < 0 && (err != nil || got != want):
			// The test backend itself hangs once in a few thousand scans (see stopDevice); such a scan must
			// end as a fault like any other.
			if !errors.Is(err, &scan.Fault{Code: scan.TimedOut}) {
				t.Fatalf("scan %d: %d of %d pages, %v", n, got, want, err)
			}
			hung++
		case trouble != "" && err == nil && trouble != "kill" && trouble != "cancel":
			t.Fatalf("scan %d: no fault for %s", n, trouble)
		}
		if trouble != "" || stopAfter >= 0 {
			disturbed++
		}
	}
	s.closing.Wait()
	// A worker and its three pipes may be at hand now that were not then.
	left := func(r resources) bool {
		return r.goroutines > before.goroutines+2 || r.files > before.files+3 || r.children > before.children+1 || r.heap > before.heap+8<<20
	}
	after := measure()
	for end := time.Now().Add(patience); left(after) && time.Now().Before(end); after = measure() {
		time.Sleep(50 * time.Millisecond) // what is ending may take its time
	}
	t.Logf("%d scans, %d disturbed, %d pages, %d hangs of the backend; before %v, after %v", scans, disturbed, pages, hung, before, after)
	if hung*100 > scans {
		t.Errorf("%d hangs", hung)
	}
	if left(after) {
		t.Errorf("something is left behind: before %v, after %v", before, after)
	}
	s.Close()
	if n := measure().children; n > 0 {
		t.Errorf("%d workers after Close", n)
	}
}

type resources struct {
	goroutines, files, children int
	heap                        uint64
}

func (r resources) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d children, %d KiB", r.goroutines, r.files, r.children, r.heap>>10)
}

func measure() resources {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	children := 0
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, l := range lists {
		data, _ := os.ReadFile(l)
		children += len(strings.Fields(string(data)))
	}
	return resources{runtime.NumGoroutine(), len(files), children, m.HeapAlloc}
}

func hash(img image.Image) [32]byte {
	switch i := img.(type) {
	case *image.RGBA:
		return sha256.Sum256(i.Pix)
	case *image.Gray:
		return sha256.Sum256(i.Pix)
	case *image.Paletted:
		return sha256.Sum256(i.Pix)
	}
	panic("a page of an unknown kind")
}

func BenchmarkScan_A4_300dpi_color(b *testing.B) {
	o := testBackend(b, "test-picture=Color pattern")
	s := open(b, o, "sane:test:0")
	set := scan.Settings{DPI: 300, Area: scan.Area{Width: 210, Height: 297}}
	var first time.Duration
	for b.Loop() {
		began, seen := time.Now(), false
		set.Lines = func(scan.Band) {
			if !seen {
				seen, first = true, first+time.Since(began)
			}
		}
		if pages, err := all(b.Context(), s, set); err != nil || len(pages) != 1 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	b.ReportMetric(float64(first.Milliseconds())/float64(b.N), "ms-to-first-line")
}

func BenchmarkScan_first_line_of_a_cold_worker(b *testing.B) {
	o := testBackend(b)
	for b.Loop() {
		s := Open(o, "sane:test:0")
		for range s.Scan(b.Context(), scan.Settings{DPI: 50}) {
		}
		s.Close()
	}
}
