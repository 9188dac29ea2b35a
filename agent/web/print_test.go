package web

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"motcua/agent/slip"
	"motcua/agent/web/screen"
	"motcua/drivers/printer"
)

// What the receipt printer prints is what the screen shows: the code, the initials, pages, fee, and the code as the
// payment's reference; a printer that fails leaves the code on the screen, and the person is told.
func TestReceiptIsPrinted(t *testing.T) {
	var printed []slip.Slip
	var broken error
	k := newKiosk(t, func(o *screen.Options) {
		o.PrintSlip = func(_ context.Context, s slip.Slip) error {
			if broken == nil {
				printed = append(printed, s)
			}
			return broken
		}
	})
	h := k.hand(t).toScan("2.000815")
	h.post("/receipt/print").want(404, "/receipt/print")
	h.get("/scan")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	h.fillIn()
	h.get("/confirm")
	h.post("/confirm").want(200, "/receipt", `action="/receipt/print"`)
	h.post("/receipt/print").want(200, "/receipt", k.site.Words.Say("vi", "receipt.printed"))
	if len(printed) != 1 {
		t.Fatalf("%d slips", len(printed))
	}
	s, state := printed[0], k.site.Sessions.Visits()[0].Visit.State()
	if s.Code == "" || s.Code != state.Code || !strings.Contains(h.body, s.Code) {
		t.Error("the slip's code is not the receipt's")
	}
	if state.Facts.Initials == "" || state.Facts.Fee == 0 {
		t.Fatalf("nothing to compare: %+v", state.Facts)
	}
	for _, want := range []string{
		state.Facts.Initials + " · 1 trang", "Lệ phí: " + screen.Money("vi", state.Facts.Fee), "HS " + strings.ReplaceAll(s.Code, "-", ""),
	} {
		if !slices.Contains(s.Lines, want) {
			t.Errorf("no line %q on the slip", want)
		}
	}
	broken = errors.New("something")
	h.post("/receipt/print").want(200, "/receipt", k.site.Words.Say("vi", "receipt.unprinted"), s.Code)
	broken = fmt.Errorf("print: %w", &printer.Fault{Code: printer.NoPaper})
	h.post("/receipt/print").want(200, "/receipt", k.site.Words.Say("vi", "print.no-paper"), k.site.Words.Say("vi", "receipt.unprinted"),
		s.Code)
	h.get("/receipt?printed=no&why=../x").want(200, "/receipt", s.Code)
	// A bored child taps on: the roll of paper is not all printed, and what failed does not count.
	broken = nil
	for range 10 {
		h.post("/receipt/print")
	}
	if h.want(200, "/receipt", k.site.Words.Say("vi", "receipt.enough"), s.Code); len(printed) != 3 {
		t.Errorf("%d slips of one receipt", len(printed))
	}
}

// The technician prints a slip that says nothing of anybody, and reads what to do where the printer takes none.
func TestTestPrint(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	b.signIn("tech", techPIN)
	if b.get("/console/devices"); strings.Contains(b.body, "/console/devices/print") {
		t.Error("a test print without a printer")
	}
	var printed slip.Slip
	var broken error
	c.site.Options.PrintSlip = func(_ context.Context, s slip.Slip) error {
		printed = s
		return broken
	}
	b.get("/console/devices")
	if status, _ := b.post("/console/devices/print"); status != 200 ||
		!strings.Contains(b.body, c.site.Words.Say("vi", "devices.print.sent")) {
		t.Errorf("%d", status)
	}
	if printed.Code != "" || printed.Title != c.site.Words.Say("vi", "devices.print") {
		t.Errorf("the slip is %v", printed)
	}
	broken = errors.New("open receipt printer: no such device")
	if _, _ = b.post("/console/devices/print"); !strings.Contains(b.body, c.site.Words.Say("vi", "devices.print.failed")) {
		t.Error("the technician is not told")
	}
}

// Separator sheets are printed at the kiosk's own printer where it has one; the volunteer is told what to do where it has no paper.
func TestSeparatorIsPrinted(t *testing.T) {
	t.Parallel()
	var sheets int
	var broken error
	k := newKiosk(t, withStaff(t), func(o *screen.Options) {
		o.PrintSheet = func(_ context.Context, pdf []byte) error {
			if broken == nil && strings.HasPrefix(string(pdf), "%PDF-") {
				sheets++
			}
			return broken
		}
	})
	lan := k.hand(t).signIn("lan", volunteerPIN).want(200, "/desk", `action="/desk/separators"`)
	if lan.post("/desk/separators", "procedure", "2.000815").want(200, "/desk", k.site.Words.Say("vi", "done.printed")); sheets != 1 {
		t.Errorf("%d sheets", sheets)
	}
	broken = fmt.Errorf("print: %w", &printer.Fault{Code: printer.NoPaper})
	lan.post("/desk/separators", "procedure", "2.000815").want(200, "/desk", k.site.Words.Say("vi", "print.no-paper"))
}
