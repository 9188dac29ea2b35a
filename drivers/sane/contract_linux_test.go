package sane

import (
	"fmt"
	"image"
	"testing"
	"time"

	"motcua/drivers/sane/backend"
	"motcua/drivers/scan"
	"motcua/drivers/scantest"
)

// bench is a played SANE device for the contract suite.
func bench(d *backend.Device, o Options, source scan.Source) scantest.Bench {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	b := scantest.Bench{
		Source: source, Pixels: true, Single: source == scan.Flatbed,
		Open:  func(t *testing.T) scantest.Scanner { return Open(o, "sane:"+d.ID) },
		Load:  func(t *testing.T, n int) { t.Helper(); must(t, d.Load(n)) },
		Fail:  func(t *testing.T, manner string, page int) { t.Helper(); must(t, d.Fail(manner, page)) },
		Which: side,
		Faults: map[string]scantest.Fault{
			"jam": {Code: scan.Jammed, Pages: 1}, "cover": {Code: scan.CoverOpen, Pages: 1}, "io": {Code: scan.IOError, Pages: 1},
			"crash": {Code: scan.IOError, Pages: 1}, "hang": {Code: scan.TimedOut, Pages: 1},
		},
		Hold: func(t *testing.T) func() { must(t, d.Hold(true)); return func() { must(t, d.Hold(false)) } },
		Away: func(t *testing.T) func() { must(t, d.Away(true)); return func() { must(t, d.Away(false)) } },
	}
	return b
}

// side tells which one a page is: the backend writes its number as a tone.
func side(p scan.Page) (int, error) {
	switch g := p.Image.(type) {
	case *image.Gray:
		return int(g.Pix[0]) - 128, nil
	case *image.RGBA:
		return int(g.Pix[0]) - 128, nil
	}
	return 0, fmt.Errorf("a %T", p.Image)
}

func TestContract(t *testing.T) {
	for name, source := range map[string]scan.Source{"feeder": scan.ADF, "both sides": scan.ADFDuplex, "glass": scan.Flatbed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := play(t, "fujitsu", fi7260)
			o.Stall = 2 * time.Second
			scantest.Run(t, bench(d, o, source))
		})
	}
}
