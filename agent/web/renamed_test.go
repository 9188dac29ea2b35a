package web

import (
	"strings"
	"testing"

	"motcua/agent/address"
	"motcua/agent/procedure"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/drivers/simulated"
)

// A card of before July 2025 names a ward that has another name today, and the form has that one. Whoever compares is told what the
// paper says and why the form differs, and isn't asked to say that it is as on the paper.
func TestRenamedPlaceIsToldBesideTheValue(t *testing.T) {
	t.Parallel()
	units, err := address.Load(configs.Units())
	if err != nil {
		t.Fatal(err)
	}
	catalog := procedures(t)()
	catalog.Use(units)
	k := newKiosk(t, func(o *screen.Options) { o.Procedures = func() *procedure.Catalog { return catalog } })
	k.scanner = simulated.New([]simulated.Sheet{drawn(specimens(t)[0])}, simulated.Options{LinesPerSecond: -1})
	h := k.hand(t).toScan("2.000815")
	h.post("/scan").want(200, "/scan")
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s: %s", e.Kind, e.Text)
	}
	const field = "applicant_residence"
	e, ok := k.site.Sessions.Visits()[0].Visit.State().Entry(field)
	if !ok || e.Old == "" || e.Old == e.Text {
		t.Fatalf("the specimen's address has no other name today: %q, %q", e.Old, e.Text)
	}
	h.get("/check").want(200, "/check", "Trên giấy ghi: "+e.Old)
	h.get("/check/"+field).want(200, "/check/"+field, "Trên giấy ghi: "+e.Old, k.site.Words.Say("vi", "question.renamed"))
	if same := k.site.Words.Say("vi", "question.right"); strings.Contains(h.body, same) {
		t.Errorf("somebody is asked to say %q of what is not on the paper", same)
	}
	t.Run("typed_anew_is_not_the_machines_doing", func(t *testing.T) {
		h.t = t
		h.post("/check/"+field, "value", "Số 5, Phường Tân Định, Thành phố Hồ Chí Minh")
		h.get("/check/"+field).want(200, "/check/"+field, "Trên giấy ghi: "+e.Old)
		if why := k.site.Words.Say("vi", "question.renamed"); strings.Contains(h.body, why) {
			t.Errorf("%q of what somebody typed", why)
		}
	})
	t.Run("as_on_the_paper_needs_no_word", func(t *testing.T) {
		h.t = t
		h.post("/check/"+field, "value", e.Old)
		h.get("/check/"+field).want(200, "/check/"+field)
		if strings.Contains(h.body, "Trên giấy ghi") {
			t.Error("told that the paper says what the form says")
		}
	})
}
