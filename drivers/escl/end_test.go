package escl

import (
	"errors"
	"testing"

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
	for _, h := range []printer.Habits{{EndsEarly: 1}, {EndsEarly: 2}, {EndsEarly: 1, EndCode: 410}, {EndsEarly: 1, EndCode: 409},
		{EndsEarly: 1, Forgets: true}, {EndsEarly: 2, Forgets: true, EndCode: 410}, {Forgets: true}, {Forgets: true, LoadedWhenIdle: true}} {
		if pages, err := take(t, h, 3); pages != 3 || err != nil {
			t.Errorf("%+v: %d pages, %v", h, pages, err)
		}
	}
}
