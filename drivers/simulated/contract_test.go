package simulated

import (
	"fmt"
	"image"
	"image/color"
	"testing"

	"motcua/drivers/scan"
	"motcua/drivers/scantest"
)

func TestContract(t *testing.T) {
	var sheets []Sheet
	for n := range 5 {
		img := image.NewRGBA(image.Rect(0, 0, 827, 1169)) // A4 at 100 dpi
		for y := range 1169 {
			for x := range 827 {
				v := color.RGBA{uint8(129 + n), uint8(129 + n), uint8(129 + n), 255}
				if y >= 1150 {
					v = color.RGBA{A: 255}
				}
				img.SetRGBA(x, y, v)
			}
		}
		sheets = append(sheets, Sheet{DPI: 100, Front: func() (image.Image, error) { return img, nil }})
	}
	var s *Scanner
	first := func(p scan.Page) (int, error) {
		g, ok := p.Image.(*image.Gray)
		if !ok {
			return 0, fmt.Errorf("a %T", p.Image)
		}
		return int(g.Pix[0]) - 128, nil
	}
	for name, source := range map[string]scan.Source{"feeder": scan.ADF, "glass": scan.Flatbed} {
		t.Run(name, func(t *testing.T) {
			s = New(sheets, Options{LinesPerSecond: -1})
			scantest.Run(t, scantest.Bench{
				Source: source, Single: source == scan.Flatbed, Pixels: true, Which: first,
				Open: func(*testing.T) scantest.Scanner { return s },
				Load: func(_ *testing.T, n int) { s.Load(n); s.rewind() },
				Fail: func(_ *testing.T, manner string, _ int) { s.Fail(scan.Code(manner)) },
				Faults: map[string]scantest.Fault{
					string(scan.Jammed): {Code: scan.Jammed}, string(scan.CoverOpen): {Code: scan.CoverOpen}, string(scan.IOError): {Code: scan.IOError},
					string(scan.Unplugged): {Code: scan.Unplugged}, string(scan.TimedOut): {Code: scan.TimedOut},
					string(scan.DoubleFeed): {Code: scan.DoubleFeed},
				},
			})
		})
	}
}

// rewind lays the first sheet on top again.
func (s *Scanner) rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = 0
}
