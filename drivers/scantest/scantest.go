// Package scantest is the contract of scanner drivers, as a test: what goes in is a bench on which a device lies that can be
// fed, broken, held and pulled out; Run scans from it in every way in which an office does and checks that each page comes
// once, whole and in order, that each trouble is told as what it is, and that a good scan follows. Every driver runs it.
package scantest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"iter"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// Scanner is a driver's device.
type Scanner interface {
	Info() scan.Info
	Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error]
	Close() error
}

// Bench is a device that can be told what happens to it. What is nil or empty the device, or whatever plays it, cannot do,
// and the suite leaves it out.
type Bench struct {
	Open   func(t *testing.T) Scanner
	Source scan.Source
	// Load lays so many numbered sides in, the first of them number 1.
	Load func(t *testing.T, sides int)
	// Which tells the number of a page, and fails if it is not whole.
	Which func(p scan.Page) (int, error)
	// Fail breaks the next scan at a page, in the manner of that name.
	Fail   func(t *testing.T, manner string, page int)
	Faults map[string]Fault
	// Hold keeps pages from ending until it is let go.
	Hold func(t *testing.T) (release func())
	// Away pulls the device out until it is put back.
	Away func(t *testing.T) (back func())

	Single bool // it gives one page a scan: a glass, a camera
	Waits  bool // an empty feeder is waited for and is no fault at once
	Pixels bool // it scans a sheet of A4 to the millimetre; its foot is black over the whole width
	Colour bool // it takes no wish for grey: its pages are coloured
	DPI    int  // to scan with; 0: 100
	Pages  int  // sides of a stack; 0: 5
	Brief  bool // scan only, without trouble: for many devices of one driver
}

// Fault is how a manner of trouble is told, and after how many pages.
type Fault struct {
	Code  scan.Code
	Pages int // whole pages that come before it where it strikes page 2
}

// bound is how long a scan that is broken off may still hold the device: a backend that hangs is given five seconds.
const bound = 8 * time.Second

// Run checks the contract.
func Run(t *testing.T, b Bench) {
	if b.DPI == 0 {
		b.DPI = 100
	}
	if b.Pages == 0 {
		b.Pages = 5
	}
	if b.Single {
		b.Pages = 1
	}
	s := b.Open(t)
	defer s.Close()
	t.Run("a stack comes whole, once and in order", func(t *testing.T) { b.good(t, s) })
	t.Run("an empty feeder is told", func(t *testing.T) { b.empty(t, s) })
	t.Run("only so many pages as are wanted", func(t *testing.T) { b.few(t, s) })
	t.Run("broken off after a page", func(t *testing.T) { b.broken(t, s) })
	if b.Brief {
		return
	}
	for manner, want := range b.Faults {
		t.Run("then a good scan/"+manner, func(t *testing.T) { b.fault(t, s, manner, want) })
	}
	t.Run("each page in its turn", func(t *testing.T) { b.turns(t, s) })
	t.Run("one scan at a time", func(t *testing.T) { b.busy(t, s) })
	t.Run("one scan at a time, between pages, too", func(t *testing.T) { b.between(t, s) })
	t.Run("cancelled in mid-page", func(t *testing.T) { b.cancelled(t, s) })
	t.Run("missing, then back", func(t *testing.T) { b.missing(t, s) })
	t.Run("an ended context scans nothing", func(t *testing.T) { b.ended(t, s) })
}

func (b Bench) settings() scan.Settings {
	return scan.Settings{Source: b.Source, Mode: scan.Gray, DPI: b.DPI}
}

// take scans to the end.
func (b Bench) take(ctx context.Context, s Scanner, set scan.Settings) (pages []scan.Page, err error) {
	for p, err := range s.Scan(ctx, set) {
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// check demands the pages of those numbers.
func (b Bench) check(t *testing.T, pages []scan.Page, from, n int) {
	t.Helper()
	if len(pages) != n {
		t.Fatalf("%d pages, want %d", len(pages), n)
	}
	for i, p := range pages {
		if (p.Image == nil) == (len(p.Encoded) == 0) || len(p.Encoded) > 0 && p.MediaType == "" {
			t.Errorf("page %d: exactly one of Image and Encoded is set, and MediaType with Encoded", p.Number)
		}
		number, err := b.Which(p)
		if err != nil || number != from+i || p.Number != i+1 {
			t.Errorf("page %d is side %d, want %d: %v", p.Number, number, from+i, err)
		}
		if b.Pixels {
			// A device that has not the resolution takes the next higher one, and says so.
			if p.DPI < b.DPI {
				t.Errorf("page %d has %d dpi, wished %d", p.Number, p.DPI, b.DPI)
			} else if err := b.sheet(p); err != nil {
				t.Errorf("page %d: %v", p.Number, err)
			}
		}
	}
}

// sheet demands a whole sheet of A4 and no window of metres.
func (b Bench) sheet(p scan.Page) error {
	if _, grey := p.Image.(*image.Gray); grey == b.Colour {
		return fmt.Errorf("grey was wished, a %T came", p.Image)
	}
	dots := float64(p.DPI) / 25.4 // a millimetre
	want := int(scan.A4.Height * dots)
	slack := int(dots) + 1
	bounds := p.Image.Bounds()
	switch h := bounds.Dy(); {
	case h < want-slack:
		return fmt.Errorf("%d lines of a sheet that is %d long: its end is lost", h, want)
	case h > int(scan.MaxArea.Height*dots)+slack:
		return fmt.Errorf("%d lines: a window of metres", h)
	}
	const foot, black = 2.0, 30 // mm from the end, and levels
	at := p.Image.At(bounds.Min.X+bounds.Dx()/2, bounds.Min.Y+want-int(foot*dots))
	if v := color.GrayModel.Convert(at).(color.Gray).Y; v > black {
		return fmt.Errorf("the sheet's foot is missing (%d)", v)
	}
	return nil
}

// good lays a stack in and takes it.
func (b Bench) good(t *testing.T, s Scanner) {
	t.Helper()
	b.Load(t, b.Pages)
	pages, err := b.take(t.Context(), s, b.settings())
	if err != nil {
		t.Fatalf("after %d pages: %v", len(pages), err)
	}
	b.check(t, pages, 1, b.Pages)
}

func (b Bench) empty(t *testing.T, s Scanner) {
	if b.Single || b.Waits {
		return
	}
	b.Load(t, 0)
	if pages, err := b.take(t.Context(), s, b.settings()); len(pages) > 0 || !errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
		t.Errorf("%d pages and the error %v; want none, and a *scan.Fault of code %s", len(pages), err, scan.NoDocuments)
	}
	b.good(t, s)
}

// turns takes a stack whose pages are wanted in their turn of the loop only.
func (b Bench) turns(t *testing.T, s Scanner) {
	b.Load(t, b.Pages)
	set, n := b.settings(), 0
	set.Reuse = true
	for p, err := range s.Scan(t.Context(), set) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if side, err := b.Which(p); side != n || err != nil {
			t.Errorf("page %d is side %d: %v", n, side, err)
		}
	}
	if n != b.Pages {
		t.Errorf("%d pages, want %d", n, b.Pages)
	}
}

func (b Bench) few(t *testing.T, s Scanner) {
	b.Load(t, b.Pages)
	set := b.settings()
	set.MaxPages = 1
	pages, err := b.take(t.Context(), s, set)
	if err != nil {
		t.Fatal(err)
	}
	b.check(t, pages, 1, 1)
	b.good(t, s)
}

func (b Bench) fault(t *testing.T, s Scanner, manner string, want Fault) {
	b.Load(t, b.Pages)
	at := min(2, b.Pages)
	b.Fail(t, manner, at)
	began := time.Now()
	pages, err := b.take(t.Context(), s, b.settings())
	var f *scan.Fault
	if !errors.As(err, &f) || f.Code != want.Code || f.Technician == "" || len(pages) != min(want.Pages, b.Pages-1) {
		t.Fatalf("%d pages, %v; want %d and %s", len(pages), err, want.Pages, want.Code)
	}
	b.check(t, pages, 1, len(pages))
	t.Logf("told after %v", time.Since(began).Round(time.Millisecond))
	b.good(t, s)
}

func (b Bench) busy(t *testing.T, s Scanner) {
	if b.Hold == nil {
		t.Skip("the bench has no Hold: that a second scan gets scan.Busy is not shown")
	}
	b.Load(t, b.Pages)
	release := b.Hold(t)
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := b.take(t.Context(), s, b.settings())
			done <- err
		}()
	}
	// One of them has the device and is held; the other is told so.
	if err := <-done; !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
		t.Errorf("the one that came too late: %v", err)
	}
	release()
	if err := <-done; err != nil {
		t.Errorf("the one that was first: %v", err)
	}
	b.good(t, s)
}

// between asks for a second scan while the first one's consumer holds a page: the stack stays the first one's.
func (b Bench) between(t *testing.T, s Scanner) {
	b.Load(t, b.Pages)
	var pages []scan.Page
	for p, err := range s.Scan(t.Context(), b.settings()) {
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, p)
		if more, err := b.take(t.Context(), s, b.settings()); len(more) > 0 || !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
			t.Errorf("beside page %d a second scan got %d pages and the error %v; want none, and scan.Busy", len(pages), len(more), err)
		}
	}
	b.check(t, pages, 1, b.Pages)
	b.good(t, s)
}

func (b Bench) cancelled(t *testing.T, s Scanner) {
	if b.Hold == nil {
		t.Skip("the bench has no Hold: that a scan ends with its context in mid-page is not shown")
	}
	b.Load(t, b.Pages)
	release := b.Hold(t)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	began := time.Now()
	pages, err := b.take(ctx, s, b.settings())
	if d := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || len(pages) > 0 || d > bound {
		t.Errorf("%d pages, %v after %v", len(pages), err, d)
	}
	release()
	b.good(t, s)
}

func (b Bench) broken(t *testing.T, s Scanner) {
	b.Load(t, b.Pages)
	for p, err := range s.Scan(t.Context(), b.settings()) {
		if err != nil {
			t.Fatal(err)
		}
		if n, err := b.Which(p); n != 1 || err != nil {
			t.Errorf("side %d came first: %v", n, err)
		}
		break
	}
	b.good(t, s)
}

func (b Bench) missing(t *testing.T, s Scanner) {
	if b.Away == nil {
		t.Skip("the bench has no Away: what a missing device is told as is not shown")
	}
	b.Load(t, b.Pages)
	back := b.Away(t)
	pages, err := b.take(t.Context(), s, b.settings())
	var f *scan.Fault
	if !errors.As(err, &f) || len(pages) > 0 || f.Code != scan.NoDevice && f.Code != scan.Unplugged && f.Code != scan.IOError {
		t.Errorf("%d pages and the error %v; want none, and a *scan.Fault of code %s, %s or %s", len(pages), err, scan.NoDevice, scan.Unplugged,
			scan.IOError)
	}
	back()
	b.good(t, s)
}

func (b Bench) ended(t *testing.T, s Scanner) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.Load(t, b.Pages)
	if pages, err := b.take(ctx, s, b.settings()); len(pages) > 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d pages and the error %v; want none, and the context's own error", len(pages), err)
	}
	b.good(t, s)
}
