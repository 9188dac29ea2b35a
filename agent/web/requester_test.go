package web

import (
	"regexp"
	"testing"

	"motcua/drivers/simulated"
)

// A mother with her own card is asked for nothing twice: once she has said who she is, no question is about a requester who would be
// somebody else.
func TestMotherIsNotAskedAgainAsRequester(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	k.scanner = simulated.New([]simulated.Sheet{drawn(specimens(t)[1])}, simulated.Options{LinesPerSecond: -1})
	h := k.hand(t).toScan("1.001193")
	h.post("/scan").want(200, "/scan")
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s: %s", e.Kind, e.Text)
	}
	about := regexp.MustCompile(`href="/check/(applicant_[a-z]+)"`)
	if asked := about.FindAllString(h.get("/check").body, -1); len(asked) > 1 {
		t.Errorf("before anybody said who they are, the requester is asked for %v", asked)
	}
	h.post("/check/relation", "value", "grandparent")
	if asked := about.FindAllString(h.get("/check").body, -1); len(asked) < 3 {
		t.Fatalf("a grandparent is asked for %v", asked)
	}
	h.post("/check/relation", "value", "mother")
	for _, asked := range about.FindAllStringSubmatch(h.get("/check").body, -1) {
		if asked[1] != "applicant_phone" {
			t.Errorf("the mother is asked for %s", asked[1])
		}
	}
	h.get("/check/applicant_name").want(200, "/check") // nor led to it
	t.Run("father_must_say_who_he_is", func(t *testing.T) {
		h.t = t
		h.post("/check/relation", "value", "father")
		h.post("/check/father_name", "value", "").want(422, "/check/father_name", "Cần điền chỗ này")
		h.post("/check/relation", "value", "grandparent")
		h.post("/check/father_name", "value", "").want(200, h.at)
	})
}
