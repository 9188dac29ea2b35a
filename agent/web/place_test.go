package web

import (
	"strings"
	"testing"

	"motcua/agent/visit"
	"motcua/drivers/scan"
)

// One sheet of those that lie here is scanned again in its place, or one that was forgotten before it; where the scan fails the
// old one stays, and the next try goes to the same place.
func TestOneSheetIsScannedAgain(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	h := k.hand(t).toScan("2.000815")
	for range 3 {
		h.get("/scan")
		h.upload("a.png", onePixel(t))
		h.follow("done")
	}
	order := func() string {
		var ids []string
		for _, p := range k.site.Sessions.Visits()[0].Visit.State().Papers {
			ids = append(ids, p.ID)
		}
		return strings.Join(ids, " ")
	}
	h.get("/papers").want(200, "/papers", `href="/scan?instead=p2"`)
	if strings.Contains(h.body, "/scan?before=") {
		t.Error("a citizen is asked where a sheet goes")
	}
	h.get("/scan?instead=p2").want(200, "/scan", k.site.Words.Say("vi", "scan.instead", "n", "2"))
	k.scanner.Fail(scan.Jammed)
	h.post("/scan").want(200, "/scan", `href="/scan?instead=p2"`)
	h.follow("fault")
	if got := order(); got != "p1 p2 p3" {
		t.Errorf("after a fault: %s", got)
	}
	h.get("/scan?instead=p2")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	if got := order(); got != "p1 p4 p3" {
		t.Errorf("scanned again: %s", got)
	}
	h.post("/papers/last/undo")
	if got := order(); !strings.Contains(got, "p2") {
		t.Errorf("undone: %s", got)
	}
	h.get("/scan?instead=p9").want(200, "/scan", k.site.Words.Say("vi", "scan.more.title"))
	h.upload("a.png", onePixel(t))
	h.follow("done")
	if got := order(); !strings.HasSuffix(got, "p5") {
		t.Errorf("a place that there is not: %s", got)
	}
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.post("/desk/take/"+k.site.Sessions.Visits()[0].Visit.ID).want(200, "/check")
	lan.get("/papers").want(200, "/papers", `href="/scan?before=p1"`)
	lan.get("/scan?before=p1").want(200, "/scan", k.site.Words.Say("vi", "scan.before", "n", "1"))
	lan.upload("a.png", onePixel(t))
	lan.follow("done")
	if got := order(); !strings.HasPrefix(got, "p6 p1 ") {
		t.Errorf("inserted: %s", got)
	}
	after := k.again(t)
	var restored []visit.Paper
	for _, one := range after.site.Sessions.Visits() {
		restored = one.Visit.State().Papers
	}
	if len(restored) == 0 || restored[0].ID != "p6" {
		t.Error("the order is lost over a restart")
	}
}
