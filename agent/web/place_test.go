package web

import (
	"strings"
	"testing"

	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
)

// One sheet of those that lie here is scanned again in its place, or one that was forgotten before it; where the scan fails the
// old one stays, and the next try goes to the same place.
func TestOneSheetIsScannedAgain(t *testing.T) {
	t.Parallel()
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
	h.post("/scan?instead=p2").want(200, "/scan", `href="/scan?instead=p2"`)
	h.follow("fault")
	if got := order(); got != "p1 p2 p3" {
		t.Errorf("after a fault: %s", got)
	}
	h.get("/scan?instead=p2").want(200, "/scan", `action="/upload?instead=p2"`, `action="/scan?instead=p2"`,
		`name="to" value="/scan?instead=p2"`)
	h.get("/scan") // of another window
	h.uploadTo("/upload?instead=p2", "a.png", onePixel(t))
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
	lan.uploadTo("/upload?before=p1", "a.png", onePixel(t))
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

// What a scan gave that the daemon's end cut lies beside the sheet it was for, and takes nothing away.
func TestScanThatWasCutLiesBesideTheOldSheet(t *testing.T) {
	k := newKiosk(t, withDrafts(t))
	h := k.hand(t).toScan("2.000815")
	for range 2 {
		h.upload("a.png", onePixel(t))
		h.follow("done")
	}
	table := k.site.Sessions.Visits()[0]
	table.PlaceNext(screen.Placing{At: "p1", Instead: true, Known: []string{"p1", "p2"}})
	if _, err := table.Visit.Add(k.site.Now(), visit.Paper{Data: onePixel(t), MediaType: "image/png", Reading: true}); err != nil {
		t.Fatal(err)
	}
	for _, s := range k.site.Sessions.All() {
		if s.Sitting() == table {
			k.site.Keep(table, s)
		}
	}
	after := k.again(t)
	await(t, "the sheet in its place", func() bool {
		var ids []string
		for _, p := range after.site.Sessions.Visits()[0].Visit.State().Papers {
			ids = append(ids, p.ID)
		}
		return strings.Join(ids, " ") == "p3 p1 p2"
	})
}
