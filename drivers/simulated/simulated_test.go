package simulated

import (
	"context"
	"errors"
	"image"
	"image/color"
	"slices"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// numbered is a sheet whose front and back are of a tone that tells which they are.
func numbered(n int) Sheet {
	side := func(tone int) func() (image.Image, error) {
		return func() (image.Image, error) {
			img := image.NewRGBA(image.Rect(0, 0, 100, 200))
			for i := range img.Pix {
				img.Pix[i] = uint8(tone)
				if i%4 == 3 {
					img.Pix[i] = 255
				}
			}
			return img, nil
		}
	}
	return Sheet{Front: side(10 * n), Back: side(10*n + 5)}
}

func fast(n int) *Scanner {
	var sheets []Sheet
	for i := range n {
		sheets = append(sheets, numbered(i+1))
	}
	return New(sheets, Options{LinesPerSecond: -1})
}

func tones(t *testing.T, s *Scanner, set scan.Settings) (got []int, err error) {
	t.Helper()
	n := 0
	for p, err := range s.Scan(t.Context(), set) {
		if err != nil {
			return got, err
		}
		if n++; p.Number != n {
			t.Errorf("page %d is numbered %d", n, p.Number)
		}
		got = append(got, int(color.GrayModel.Convert(p.Image.At(50, 50)).(color.Gray).Y))
	}
	return got, nil
}

func TestScan_feeds_round_robin(t *testing.T) {
	s := fast(3)
	for i, c := range []struct {
		set  scan.Settings
		want []int
	}{
		{scan.Settings{}, []int{10}},
		{scan.Settings{Source: scan.ADF}, []int{20, 30, 10}},
		{scan.Settings{Source: scan.ADFDuplex, MaxPages: 3}, []int{20, 25, 30}},
		{scan.Settings{Source: scan.Flatbed, Mode: scan.Gray}, []int{10}},
	} {
		if got, err := tones(t, s, c.set); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("job %d: %v, %v; want %v", i, got, err, c.want)
		}
	}
	s.Load(0)
	if _, err := tones(t, s, scan.Settings{Source: scan.ADF}); !errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
		t.Errorf("empty feeder: %v", err)
	}
}

func TestScan_lines_cover_the_page_at_the_asked_resolution(t *testing.T) {
	lines := 0
	set := scan.Settings{DPI: 150, Lines: func(b scan.Band) {
		if b.Y != lines || b.Total != 100 || b.Image.Bounds().Dy() != b.Height {
			t.Errorf("band at %d of %d, %v", b.Y, b.Total, b.Image.Bounds())
		}
		lines += b.Height
	}}
	if _, err := tones(t, fast(1), set); err != nil || lines != 100 {
		t.Errorf("%d lines, %v", lines, err)
	}
}

func TestFail_costs_one_scan(t *testing.T) {
	for _, code := range []scan.Code{scan.Jammed, scan.CoverOpen, scan.IOError, scan.AccessDenied} {
		s := fast(2)
		s.Fail(code)
		if got, err := tones(t, s, scan.Settings{Source: scan.ADF}); !errors.Is(err, &scan.Fault{Code: code}) || len(got) > 0 {
			t.Errorf("%s: %v, %v", code, got, err)
		}
		if got, err := tones(t, s, scan.Settings{Source: scan.ADF}); err != nil || !slices.Equal(got, []int{10, 20}) {
			t.Errorf("after %s: %v, %v", code, got, err)
		}
	}
}

func TestScan_takes_its_time_and_stops_at_once(t *testing.T) {
	s := New([]Sheet{numbered(1)}, Options{LinesPerSecond: 2000})
	began := time.Now()
	if _, err := tones(t, s, scan.Settings{}); err != nil || time.Since(began) < 90*time.Millisecond {
		t.Errorf("200 lines at 2,000 a second took %v, %v", time.Since(began), err)
	}
	s.o.LinesPerSecond = 1
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for _, err := range s.Scan(ctx, scan.Settings{}) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
	s.o.LinesPerSecond = -1
	for range s.Scan(t.Context(), scan.Settings{}) {
		if _, err := tones(t, s, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
			t.Errorf("second job: %v", err)
		}
	}
}
