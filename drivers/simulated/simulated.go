// Package simulated is a scanner made of sheets given in memory, for the demo and for tests: sheets go in,
// pages come out line by line at a scanner's speed, and a fault comes when it is asked for. It keeps every
// promise the real drivers make (feeding order, one job at a time, break or cancel in mid-page leaves it
// ready); what it cannot show is how a real device misbehaves when it breaks those promises.
package simulated

import (
	"context"
	"fmt"
	"image"
	"iter"
	"sync"
	"time"

	"golang.org/x/image/draw"

	"motcua/drivers/scan"
)

// Sheet is one sheet of paper. Its sides are drawn when they come under the lamp; a nil Back is blank.
type Sheet struct {
	Front, Back func() (image.Image, error)
	DPI         int // of what Front and Back draw; 0 means 300
}

// Options tunes the simulation. The zero value is a desktop scanner.
type Options struct {
	ID             string // "simulated" if empty
	LinesPerSecond int    // 0: 1,000 (an A4 page at 300 dpi in 3.5 s); negative: as fast as it goes
	Stack          int    // sheets laid in the feeder for each job; 0: every sheet once
}

// Scanner feeds its sheets round robin.
type Scanner struct {
	o      Options
	sheets []Sheet

	// mu guards the fields below.
	mu       sync.Mutex
	next     int // the sheet that comes next
	loaded   int // sheets for the next feeder job; -1: Options.Stack
	fail     scan.Code
	scanning bool
}

// New lays the sheets beside the scanner.
func New(sheets []Sheet, o Options) *Scanner {
	if o.ID == "" {
		o.ID = "simulated"
	}
	if o.LinesPerSecond == 0 {
		o.LinesPerSecond = 1000
	}
	if o.Stack == 0 {
		o.Stack = len(sheets)
	}
	return &Scanner{o: o, sheets: sheets, loaded: -1}
}

// Info describes the simulation as a device.
func (s *Scanner) Info() scan.Info {
	return scan.Info{
		ID: s.o.ID, Driver: "simulated", Vendor: "Motcua", Model: "Simulated scanner", Kind: "flatbed scanner with feeder",
		Sources: []scan.Source{scan.Flatbed, scan.ADF, scan.ADFDuplex},
		Modes:   []scan.Mode{scan.Color, scan.Gray, scan.Lineart},
		DPIs:    []int{75, 150, 200, 300, 600},
	}
}

// Fail makes the next scan end in a fault: in the middle of its first page for what happens to moving
// paper and cables, before it for the rest.
func (s *Scanner) Fail(code scan.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = code
}

// Load sets how many sheets lie in the feeder for the next feeder job only; 0 is an empty feeder.
func (s *Scanner) Load(sheets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = sheets
}

// Close is there to be like the other drivers: nothing is held.
func (s *Scanner) Close() error { return nil }

// Scan yields pages in feeding order as each is complete; breaking off the loop or cancelling leaves the
// scanner ready. A sheet that was under the lamp when a scan broke off comes again.
func (s *Scanner) Scan(ctx context.Context, set scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		set = withDefaults(set)
		fail, sheets, err := s.begin(set)
		if err != nil {
			yield(scan.Page{}, err)
			return
		}
		defer s.end()
		number := 0
		for range sheets {
			for _, back := range sides(set.Source) {
				if set.MaxPages > 0 && number == set.MaxPages {
					break
				}
				number++
				page, err := s.side(ctx, set, number, back, fail)
				if err != nil {
					yield(scan.Page{}, err)
					return
				}
				if !yield(page, nil) {
					s.advance()
					return
				}
			}
			s.advance()
			if set.MaxPages > 0 && number == set.MaxPages {
				return
			}
		}
	}
}

func withDefaults(set scan.Settings) scan.Settings {
	if set.Source == "" {
		set.Source = scan.Flatbed
	}
	if set.Mode == "" {
		set.Mode = scan.Color
	}
	if set.DPI == 0 {
		set.DPI = 300
	}
	return set
}

func sides(source scan.Source) []bool {
	if source == scan.ADFDuplex {
		return []bool{false, true}
	}
	return []bool{false}
}

// begin takes the scanner for one job and says how many sheets it has.
func (s *Scanner) begin(set scan.Settings) (fail scan.Code, sheets int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scanning {
		return "", 0, scan.NewFault(s.o.ID, scan.Busy, nil)
	}
	fail, s.fail = s.fail, ""
	if fail != "" && !midPage(fail) {
		return "", 0, scan.NewFault(s.o.ID, fail, nil)
	}
	sheets = 1
	if set.Source != scan.Flatbed {
		sheets = s.o.Stack
		if s.loaded >= 0 {
			sheets = s.loaded
		}
		s.loaded = -1
	}
	if sheets == 0 || len(s.sheets) == 0 {
		return "", 0, scan.NewFault(s.o.ID, scan.NoDocuments, nil)
	}
	s.scanning = true
	return fail, sheets, nil
}

func (s *Scanner) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scanning = false
}

func (s *Scanner) advance() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = (s.next + 1) % len(s.sheets)
}

func midPage(c scan.Code) bool {
	switch c {
	case scan.Jammed, scan.IOError, scan.DoubleFeed, scan.Unplugged, scan.TimedOut:
		return true
	}
	return false
}

// side passes one side of the next sheet under the lamp.
func (s *Scanner) side(ctx context.Context, set scan.Settings, number int, back bool, fail scan.Code) (scan.Page, error) {
	s.mu.Lock()
	sheet := s.sheets[s.next]
	s.mu.Unlock()
	img, err := paper(sheet, set, back)
	if err != nil {
		return scan.Page{}, fmt.Errorf("draw page %d: %w", number, err)
	}
	b := img.Bounds()
	const strip = 64
	began := time.Now()
	for y := 0; y < b.Dy(); y += strip {
		h := min(strip, b.Dy()-y)
		if err := s.pace(ctx, began, y+h); err != nil {
			return scan.Page{}, err
		}
		if fail != "" && y >= b.Dy()/2 {
			return scan.Page{}, scan.NewFault(s.o.ID, fail, nil)
		}
		if set.Lines != nil {
			band := img.SubImage(image.Rect(b.Min.X, b.Min.Y+y, b.Max.X, b.Min.Y+y+h))
			set.Lines(scan.Band{Page: number, Y: y, Height: h, Total: b.Dy(), Image: band})
		}
	}
	return scan.Page{Number: number, Back: back, DPI: set.DPI, Image: img}, nil
}

// pace waits until the lamp has passed so many lines.
func (s *Scanner) pace(ctx context.Context, began time.Time, lines int) error {
	if s.o.LinesPerSecond < 0 {
		return ctx.Err()
	}
	due := began.Add(time.Duration(lines) * time.Second / time.Duration(s.o.LinesPerSecond))
	t := time.NewTimer(time.Until(due))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// strips is an image that can be shown in part.
type strips interface {
	image.Image
	SubImage(image.Rectangle) image.Image
}

// paper draws one side as the scanner would see it: at the job's resolution, in the job's colours.
func paper(sheet Sheet, set scan.Settings, back bool) (strips, error) {
	draws, from := sheet.Front, sheet.DPI
	if from == 0 {
		from = 300
	}
	if back {
		draws = sheet.Back
	}
	var src image.Image
	if draws == nil {
		src = image.White
	} else {
		var err error
		if src, err = draws(); err != nil {
			return nil, err
		}
	}
	bounds := src.Bounds()
	if draws == nil {
		bounds = image.Rect(0, 0, 210*from*10/254, 297*from*10/254)
	}
	to := image.Rect(0, 0, bounds.Dx()*set.DPI/from, bounds.Dy()*set.DPI/from)
	var dst draw.Image
	switch set.Mode {
	case scan.Gray, scan.Lineart:
		dst = image.NewGray(to)
	default:
		if r, ok := src.(*image.RGBA); ok && r.Rect == to {
			return r, nil
		}
		dst = image.NewRGBA(to)
	}
	if to.Size() == bounds.Size() {
		draw.Draw(dst, to, src, bounds.Min, draw.Src)
	} else {
		draw.ApproxBiLinear.Scale(dst, to, src, bounds, draw.Src, nil)
	}
	if set.Mode == scan.Lineart {
		return threshold(dst.(*image.Gray)), nil
	}
	return dst.(strips), nil
}

func threshold(g *image.Gray) *image.Paletted {
	p := image.NewPaletted(g.Rect, scan.Bilevel)
	for i, v := range g.Pix {
		if v < 128 {
			p.Pix[i] = 1
		}
	}
	return p
}
