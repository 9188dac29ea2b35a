package web

import (
	"bytes"
	"image/jpeg"
	"testing"
	"time"

	"motcua/agent/visit"
	"motcua/configs"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// A chip is read as soon as its card's number is known; a QR reader may come before the scan or after it.
func TestReadingsAreLaidOverTheScanOfTheirCard(t *testing.T) {
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
	k := newKiosk(t, func(o *Options) { o.Scanner = nil })
	if k.site.Offer(paper.QR, map[paper.Name]string{paper.Number: number}) {
		t.Error("taken although nobody is here")
	}
	h := k.hand(t).toScan("2.000815")

	// Before the scan, and of a card that never comes: neither is seen on the form of another person.
	k.site.Offer(paper.QR, map[paper.Name]string{paper.Number: "001199000001", paper.FullName: "Lê Thị Người Khác"})
	k.site.Offer(paper.Chip, map[paper.Name]string{paper.Number: number, paper.PlaceOfResidence: "99 Đường Chip, Hà Nội"})
	h.upload("card.jpg", card.Bytes())
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s", e.Kind)
	}
	if got := k.site.Expects(); len(got) != 1 || got[0] != number {
		t.Errorf("%d numbers expected", len(got))
	}
	entry := func(name string) visit.Entry {
		e, _ := k.site.sessions.visits()[0].visit.State().Entry(name)
		return e
	}
	for end := time.Now().Add(10 * time.Second); entry("applicant_residence").Source != paper.Chip; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the chip's reading was not laid over the scan: %v", entry("applicant_residence"))
		}
	}
	if e := entry("applicant_residence"); e.Value != "99 Đường Chip, Hà Nội" || !e.Review {
		t.Errorf("a chip that differs from the print must be looked at: %v", e)
	}
	if entry("applicant_name").Value == "Lê Thị Người Khác" {
		t.Error("another person's reading was taken")
	}
}
