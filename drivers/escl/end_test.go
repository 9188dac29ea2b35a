package escl

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

// A message with the code of success ends a stack only where the feeder is empty, too; while paper lies in it, it is a fault.
func TestMessageInPlaceOfAPage(t *testing.T) {
	if pages, err := take(t, printer.Habits{EndCode: 200}, 3); pages != 3 || err != nil {
		t.Errorf("at the end: %d pages, %v", pages, err)
	}
	h := printer.Habits{EndCode: 200, EndsEarly: 2}
	if pages, err := take(t, h, 3); pages != 2 || !errors.Is(err, &scan.Fault{Code: scan.IOError}) {
		t.Errorf("with a sheet in the feeder: %d pages, %v", pages, err)
	}
	if pages, err := take(t, printer.Habits{EndCode: 200}, 0); pages != 0 || !errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
		t.Errorf("an empty feeder: %d pages, %v", pages, err)
	}
}

// A device that gives one sheet a job and keeps the others in its feeder gives the whole stack, a job a sheet.
func TestSheetsThatStayInTheFeeder(t *testing.T) {
	for _, h := range []printer.Habits{{EndsEarly: 1}, {EndsEarly: 1, EndCode: 410}, {EndsEarly: 1, EndCode: 409},
		{EndsEarly: 1, Forgets: true}, {Forgets: true}, {Forgets: true, LoadedWhenIdle: true}} {
		if pages, err := take(t, h, 3); pages != 3 || err != nil {
			t.Errorf("%+v: %d pages, %v", h, pages, err)
		}
	}
}

// Sheets that are laid in when the last one of a stack has come are the next person's: they stay for the next scan, and come whole then.
func TestSheetsOfTheNextPerson(t *testing.T) {
	for name, h := range map[string]printer.Habits{
		"a plain device": {}, "it forgets jobs": {Forgets: true}, "AirSane before 2026": {LoadedWhenIdle: true, EndCode: 409},
		"empty while it feeds": {EmptyWhileFed: true}, "its end is 410": {EndCode: 410}, "one sheet a job": {EndsEarly: 1},
		"it gives no state": {HTMLStatus: true}, "it is slow to see its end": {EarlyEnd: 2},
	} {
		for _, stack := range []int{1, 3} {
			if stack > 1 && (h.EarlyEnd > 0 || h.EndsEarly > 0) {
				continue // sheets that stay are this stack's for such a device
			}
			t.Run(fmt.Sprint(name, ", ", stack), func(t *testing.T) {
				p, s := start(t, h, Options{Stall: 5 * time.Second, Patience: 5 * time.Second, Interface: "lo"})
				p.Feed(sheets(t, stack)...)
				got := 0
				for _, err := range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300}) {
					if err != nil {
						t.Fatal(err)
					}
					if got++; got == stack {
						p.Feed(sheets(t, 2)...)
					}
				}
				if got != stack || p.Left() != 2 {
					t.Fatalf("%d pages of %d, %d sheets left of the next person's 2", got, stack, p.Left())
				}
				pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300})
				if len(pages) != 2 || err != nil {
					t.Errorf("the next person: %d pages, %v", len(pages), err)
				}
			})
		}
	}
}

// A device that gives a page again and again is told, and not followed until the disk is full.
func TestAFeederWithoutAnEnd(t *testing.T) {
	if pages, err := take(t, printer.Habits{Endless: true}, 2); pages != mostPages || !errors.Is(err, &scan.Fault{Code: scan.IOError}) {
		t.Errorf("%d pages, %v", pages, err)
	}
}
