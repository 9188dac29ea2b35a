package escl

import (
	"strings"
	"testing"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

func TestCheck_says_what_is_wrong_and_how_to_mend_it(t *testing.T) {
	p, s := start(t, printer.Habits{}, Options{})
	if f := Check(t.Context(), Options{}, s.id); len(f) != 1 || !f[0].OK {
		t.Errorf("healthy: %+v", f)
	}
	p.Feed(sheets(t, 2)...)
	p.Fail(printer.Fault{Page: 1, Kind: "jam"})
	if _, err := all(t.Context(), s, scan.Settings{Source: scan.ADF}); err == nil {
		t.Fatal("no jam")
	}
	if f := Check(t.Context(), Options{}, s.id); f[0].OK || !strings.Contains(f[0].Mend, "pull the sheet out") {
		t.Errorf("jammed: %+v", f)
	}
	if f := Check(t.Context(), Options{}, "127.0.0.1:1"); f[0].OK || !strings.Contains(f[0].Mend, "switched on") {
		t.Errorf("switched off: %+v", f)
	}
	if f := Check(t.Context(), Options{}, "ftp://x"); f[0].OK || f[0].Mend == "" {
		t.Errorf("nonsense: %+v", f)
	}
}
