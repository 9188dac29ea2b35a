package station

import (
	"context"
	"errors"
	"image"
	"iter"
	"slices"
	"testing"

	"motcua/drivers/feed"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
)

// emptying is a simulated scanner whose feeder holds what no scan has taken yet.
type emptying struct {
	*simulated.Scanner
	sheets int
}

func (e *emptying) Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		e.Load(e.sheets)
		for page, err := range e.Scanner.Scan(ctx, s) {
			if err == nil && !page.Back {
				e.sheets--
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

// Blank sides that are left out take nobody's room: sheets behind them are scanned, in whole sheets, and an end of the feeder
// there is no fault.
func TestBlankSidesTakeNoRoom(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 200, 280))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	front := func() (image.Image, error) { return img, nil }
	for name, c := range map[string]struct {
		sheets, most int
		source       scan.Source
		want         []int // numbers of the pages
		left         int
	}{
		"more than have room":    {5, 4, scan.ADFDuplex, []int{1, 3, 5}, 2},
		"as many as have room":   {2, 4, scan.ADFDuplex, []int{1, 3}, 0},
		"fewer":                  {1, 4, scan.ADFDuplex, []int{1}, 0},
		"one side":               {5, 3, scan.ADF, []int{1, 2, 3}, 2},
		"as many as there are":   {3, 0, scan.ADFDuplex, []int{1, 3, 5}, 0},
		"none, which is a fault": {0, 4, scan.ADFDuplex, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			feeder := &emptying{simulated.New([]simulated.Sheet{{Front: front, DPI: 25}}, simulated.Options{LinesPerSecond: -1}), c.sheets}
			f := &fed{Scanner: feeder, source: c.source, filter: feed.Filter{DropBlank: true}}
			var got, bands []int
			var fault error
			lines := func(b scan.Band) {
				if !slices.Contains(bands, b.Page) {
					bands = append(bands, b.Page)
				}
			}
			for page, err := range f.Scan(t.Context(), scan.Settings{Source: c.source, DPI: 200, MaxPages: c.most, Lines: lines}) {
				if err != nil {
					fault = err
					break
				}
				got = append(got, page.Number)
			}
			if !slices.Equal(got, c.want) || feeder.sheets != c.left || !slices.IsSorted(bands) {
				t.Errorf("pages %v, want %v; %d sheets left, want %d; lines of %v", got, c.want, feeder.sheets, c.left, bands)
			}
			if errors.Is(fault, &scan.Fault{Code: scan.NoDocuments}) != (c.sheets == 0) {
				t.Error(fault)
			}
		})
	}
}
