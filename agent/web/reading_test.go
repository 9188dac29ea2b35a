package web

import (
	"bytes"
	"image/jpeg"
	"testing"

	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/drivers/scan"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

func TestReadingsAreLaidOverTheScanOfTheirCard(t *testing.T) {
	t.Parallel()
	sheets, err := specimen.Load(configs.FS, "specimens")
	if err != nil {
		t.Fatal(err)
	}
	page, truth, err := specimen.Draw(sheets[0].Front, sheets[0].Seed, specimen.Damage{})
	if err != nil {
		t.Fatal(err)
	}
	var card bytes.Buffer
	if err := jpeg.Encode(&card, page, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	number := truth.Papers[0].Fields[paper.Number]
	mine := func() map[paper.Name]string {
		return map[paper.Name]string{paper.Number: number, paper.FullName: truth.Papers[0].Fields[paper.FullName],
			paper.PlaceOfResidence: "99 Đường Chip, Hà Nội"}
	}

	k := newKiosk(t, func(o *screen.Options) { o.Scanner = nil })
	if k.site.Offer(paper.QR, mine()) {
		t.Error("taken although nobody is here")
	}
	h := k.hand(t).toScan("2.000815")
	entry := func(name string) visit.Entry {
		e, _ := k.site.Sessions.Visits()[0].Visit.State().Entry(name)
		return e
	}

	// One person is here, so a reading fills the form before anything was scanned; what only a code says wants a look.
	if !k.site.Offer(paper.QR, mine()) {
		t.Fatal("not taken")
	}
	if e := entry("applicant_number"); e.Text != number || e.Source != paper.QR || !e.Review {
		t.Errorf("before the scan: %v", e)
	}
	if got := k.site.Expects(); len(got) != 1 || got[0].Number != number {
		t.Errorf("%d numbers expected", len(got))
	}

	// The scan of the same card shows something else there: a person must look, the exact code leads.
	h.upload("card.jpg", card.Bytes())
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s", e.Kind)
	}
	if e := entry("applicant_residence"); e.Text == "" || !e.Review {
		t.Errorf("a reading that differs from the print must be looked at: %v", e)
	}
	if e := entry("applicant_number"); e.Review || e.Paper == "" {
		t.Errorf("a number that agrees needs no look: %v", e)
	}

	// A second person is here: a reading goes to the scan of its card only, to nobody's form by guess.
	other := k.hand(t).toScan("2.000815")
	_ = other
	k.site.Offer(paper.Chip, map[paper.Name]string{paper.Number: "001199000001", paper.FullName: "Lê Thị Người Khác"})
	for _, table := range k.site.Sessions.Visits() {
		if e, _ := table.Visit.State().Entry("applicant_name"); e.Text == "Lê Thị Người Khác" {
			t.Error("a reading was taken by guess")
		}
	}
	k.site.Trouble(&scan.Fault{Code: "wrong-can", Device: "reader"})
}

func TestReadingsAreGoneWithTheVisit(t *testing.T) {
	k := newKiosk(t, func(o *screen.Options) { o.Scanner = nil })
	k.hand(t).toScan("2.000815")
	k.site.Offer(paper.QR, map[paper.Name]string{paper.Number: "001199000001"})
	at := k.site.Sessions.Visits()[0]
	held := at.Visit.State().Readings
	if len(held) != 1 {
		t.Fatalf("%d readings are held", len(held))
	}
	at.End()
	if len(at.Visit.State().Readings) != 0 || len(held[0].Values) != 0 {
		t.Error("what was read outlives the visit")
	}
	if k.site.Offer(paper.QR, map[paper.Name]string{paper.Number: "001199000001"}) {
		t.Error("taken by a visit that is over")
	}
}
