package sane

import (
	"image"
	"testing"
	"time"

	"motcua/drivers/sane/backend"
	"motcua/drivers/scan"
)

// play gives options that load a backend which plays the described device.
func play(t testing.TB, name, description string) (*backend.Device, Options) {
	t.Helper()
	d, err := backend.Play(t.TempDir(), name, description)
	if err != nil {
		t.Fatal(err)
	}
	o := backends(t, nil, "")
	o.Env = append(o.Env, d.Env...)
	o.Stall = 20 * time.Second
	return d, o
}

const fi7260 = `vendor=FUJITSU
model=fi-7260
source=Flatbed|ADF Front|ADF Back|ADF Duplex
mode=Lineart|Halftone|Gray|Color
resolution=50-600
x=224.846
y=2750.47
glass-y=297.2
page=1
`

// A sheet is scanned to its end, however the device's window depends on other options, and never as metres of backing.
func TestArea_an_A4_sheet_comes_whole(t *testing.T) {
	for name, c := range map[string]struct {
		description string
		source      scan.Source
		dpi         int
		lines       int // 0: the length of the glass
	}{
		"window follows page-height":             {fi7260, scan.ADF, 300, 3507},
		"window follows page-height, both sides": {fi7260, scan.ADFDuplex, 150, 1753},
		"glass of such a scanner":                {fi7260, scan.Flatbed, 150, 1755},
		"feeder of metres without page-height": {"type=sheetfed scanner\nmode=Gray|Color\nresolution=50-600\nx=215.9\ny=5461\n", scan.ADF, 100,
			1169},
		"sizes in pixels": {"source=Flatbed|ADF\nmode=Gray|Color\nresolution=100|150|300\nx=216\ny=1000\nunit=pixel\n",
			scan.ADF, 150, 1753},
		"sizes in pixels and page-height":         {fi7260 + "unit=pixel\n", scan.ADF, 150, 1753},
		"a feeder that does not know its lines":   {fi7260 + "lines=unknown\n", scan.ADF, 100, 1169},
		"a feeder shorter than A4":                {"type=sheetfed scanner\nmode=Gray\nresolution=100-300\nx=105\ny=148\n", scan.ADF, 100, 582},
		"a read that gives nothing yet, and late": {fi7260 + "reading=unblocked\nlate=1\n", scan.ADF, 100, 1169},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := play(t, "fujitsu", c.description)
			if err := d.Load(2); err != nil {
				t.Fatal(err)
			}
			s := open(t, o, "sane:"+d.ID)
			pages, err := all(t.Context(), s, scan.Settings{Source: c.source, Mode: scan.Gray, DPI: c.dpi})
			if err != nil || len(pages) == 0 {
				t.Fatalf("%d pages, %v", len(pages), err)
			}
			for _, p := range pages {
				g := p.Image.(*image.Gray)
				if g.Rect.Dy() < c.lines-1 || g.Rect.Dy() > c.lines+1 {
					t.Errorf("%d lines, want %d", g.Rect.Dy(), c.lines)
				}
				if last := g.Pix[(g.Rect.Dy()-3)*g.Stride]; c.lines > 1000 && last != 0 {
					t.Errorf("the sheet's foot is missing: %d", last)
				}
			}
			if len(pages) != 2 && c.source != scan.Flatbed {
				t.Errorf("%d pages, want 2", len(pages))
			}
		})
	}
}

// What is asked for goes before the usual sheet, within what the device has.
func TestArea_asked_for(t *testing.T) {
	d, o := play(t, "canon_dr", fi7260)
	if err := d.Load(1); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:"+d.ID)
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100, Area: scan.Area{Width: 148, Height: 420}})
	if err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if b := pages[0].Image.Bounds(); b.Dx() != 582 || b.Dy() != 1653 {
		t.Errorf("got %v, want 582 × 1653", b)
	}
}

// A longer sheet than A4 is scanned only where the device ends a page with its sheet; elsewhere a longer window would be
// backing.
func TestArea_as_long_as_the_sheet_is(t *testing.T) {
	for name, c := range map[string]struct {
		description string
		prefer      []string
		area        scan.Area
		lines       int
	}{
		// the played sheet is A4
		"it sees the end":                  {fi7260 + "ald=1\n", []string{"ald=yes"}, scan.Area{Width: 210, Height: 148}, 1169},
		"it could, but is not set to":      {fi7260 + "ald=1\n", nil, scan.Area{Width: 210, Height: 148}, 582},
		"it cannot":                        {fi7260, []string{"ald=yes"}, scan.Area{Width: 210, Height: 148}, 582},
		"it sees the end, but not of this": {fi7260 + "ald=1\n", []string{"ald=yes"}, scan.Area{Width: 210, Height: 420}, 1169},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, o := play(t, "fujitsu", c.description)
			if err := d.Load(1); err != nil {
				t.Fatal(err)
			}
			o.Prefer = c.prefer
			s := open(t, o, "sane:"+d.ID)
			pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100, Area: c.area, Longest: 400})
			if err != nil || len(pages) != 1 {
				t.Fatalf("%d pages, %v", len(pages), err)
			}
			if h := pages[0].Image.Bounds().Dy(); h < c.lines-1 || h > c.lines+1 {
				t.Errorf("%d lines, want %d", h, c.lines)
			}
		})
	}
}

// The window of Panasonic's kvs40xx may not end before the smallest sheet does; it begins at nought all the same.
func TestArea_of_a_window_with_a_least_size(t *testing.T) {
	d, o := play(t, "kvs40xx", "source=adf|fb\nmode=Gray\nresolution=100-600\nx=227\ny=432\nleast-x=48\nleast-y=70\nduplex=duplex\n")
	s := open(t, o, "sane:"+d.ID)
	info, err := s.Probe(t.Context())
	if err != nil || info.Areas[scan.ADF] != (scan.Area{Width: 227, Height: 432}) {
		t.Errorf("%+v, %v", info.Areas, err)
	}
}

// Ricoh's backend has an option of its own name for the resolution.
func TestResolutionUnderAnotherName(t *testing.T) {
	d, o := play(t, "ricoh", "mode=Gray\noption.resolution=Xresolution\nresolution=75-400\nglass-x=215.9\nglass-y=297.2\n")
	s := open(t, o, "sane:"+d.ID)
	info, err := s.Probe(t.Context())
	if err != nil || len(info.DPIs) == 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	pages, err := all(t.Context(), s, scan.Settings{Mode: scan.Gray, DPI: 200})
	if err != nil || len(pages) != 1 || pages[0].DPI != 200 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}
