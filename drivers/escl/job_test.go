package escl

import (
	"testing"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

func TestScan_black_and_white_that_is_refused_comes_in_grey(t *testing.T) {
	p, s := start(t, printer.Habits{NoLineart: true}, Options{})
	p.Feed(sheets(t, 2)...)
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Lineart})
	if err != nil || len(pages) != 2 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if pages[0].Instead != scan.Gray || p.Tickets[len(p.Tickets)-1].ColorMode != "Grayscale8" {
		t.Errorf("the page says %q, the device was asked for %s", pages[0].Instead, p.Tickets[len(p.Tickets)-1].ColorMode)
	}
	// An empty feeder is told as that, not taken for a missing mode.
	if _, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Lineart}); err == nil {
		t.Error("an empty feeder gave no fault")
	}
}

// The window of a feeder is the sheet's, wherever the device says that sheets lie, and never metres.
func TestScan_window(t *testing.T) {
	for name, c := range map[string]struct {
		h                printer.Habits
		set              scan.Settings
		x, width, height int
	}{
		"A4 in a feeder of A3, centred": {printer.Habits{FeederWidth: 3508, FeederHeight: 36600, Justify: "Center"},
			scan.Settings{Source: scan.ADF}, 514, 2480, 3508},
		"A4 in a feeder of A3, to the right": {printer.Habits{FeederWidth: 3508, Justify: "Right"}, scan.Settings{Source: scan.ADF}, 1028, 2480,
			3508},
		"nobody knows where the sheets lie": {printer.Habits{FeederWidth: 3508, FeederHeight: 36600}, scan.Settings{Source: scan.ADF}, 0, 3508,
			3508},
		"a window of its own for both sides": {printer.Habits{FeederHeight: 4200, DuplexHeight: 3300}, scan.Settings{Source: scan.ADFDuplex}, 0,
			2550, 3300},
		"a longer sheet that was asked for": {printer.Habits{FeederHeight: 4200, Justify: "Left"},
			scan.Settings{Source: scan.ADF, Area: scan.Area{Width: 210, Height: 400}}, 0, 2480, 4200},
		"the glass": {printer.Habits{}, scan.Settings{}, 0, 2550, 3508},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := start(t, c.h, Options{})
			p.Lay(sheet(t, 1))
			p.Feed(sheets(t, 2)...)
			if _, err := all(t.Context(), s, c.set); err != nil {
				t.Fatal(err)
			}
			if k := p.Tickets[0]; k.X != c.x || k.Width != c.width || k.Height != c.height {
				t.Errorf("asked for %d wide from %d, %d high; want %d from %d, %d", k.Width, k.X, k.Height, c.width, c.x, c.height)
			}
		})
	}
}
