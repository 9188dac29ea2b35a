package counter

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"testing"

	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/configs"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// A value's place on the page goes with the form, also of a page that a person turned; of one whose size isn't known none does.
func TestPlacesOfValues(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 1000, 500)), nil); err != nil {
		t.Fatal(err)
	}
	photo := append(append(bytes.Clone(b.Bytes()[:2]), []byte("\xff\xe1\x00\x10Exif\x00\x00........")...), b.Bytes()[2:]...)
	where := &paper.Quad{{X: 100, Y: 50}, {X: 300, Y: 50}, {X: 300, Y: 100}, {X: 100, Y: 100}}
	outside := &paper.Quad{{X: 1100, Y: 50}, {X: 1300, Y: 50}, {X: 1300, Y: 100}, {X: 1100, Y: 100}}
	papers := []visit.Paper{
		{ID: "upright", Data: b.Bytes(), MediaType: "image/jpeg"}, {ID: "turned", Data: b.Bytes(), MediaType: "image/jpeg", Turn: 90},
		{ID: "file", Data: []byte("%PDF-"), MediaType: "application/pdf"}, {ID: "photo", Data: photo, MediaType: "image/jpeg"},
	}
	got := places([]visit.Entry{
		{Name: "a", Paper: "upright", Answer: procedure.Answer{Page: 1, Where: where}},
		{Name: "b", Paper: "turned", Answer: procedure.Answer{Page: 1, Where: where}},
		{Name: "c", Paper: "file", Answer: procedure.Answer{Page: 1, Where: where}},
		{Name: "d", Paper: "photo", Answer: procedure.Answer{Page: 1, Where: where}},
		{Name: "e", Paper: "upright", Answer: procedure.Answer{Page: 1, Where: outside}},
		{Name: "f", Paper: "gone", Answer: procedure.Answer{Page: 1, Where: where}},
		{Name: "g", Paper: "upright", Answer: procedure.Answer{Page: 1}},
	}, papers)
	want := map[string]dossier.Place{
		"a": {Page: "page-0001.jpg", X: .1, Y: .1, W: .2, H: .1},
		"b": {Page: "page-0002.jpg", X: .8, Y: .1, W: .1, H: .2},
	}
	if len(got) != len(want) {
		t.Errorf("places: %v", got)
	}
	for name, w := range want {
		g := got[name]
		if g.Page != w.Page || math.Abs(g.X-w.X)+math.Abs(g.Y-w.Y)+math.Abs(g.W-w.W)+math.Abs(g.H-w.H) > 1e-9 {
			t.Errorf("%s lies at %+v, not %+v", name, g, w)
		}
	}
}

// What recognition reads from a card that was scanned lies on the page that is sent.
func TestPlacesOfACard(t *testing.T) {
	sheets, err := specimen.Load(configs.FS, "specimens")
	if err != nil {
		t.Fatal(err)
	}
	drawn, _, err := specimen.Draw(sheets[0].Front, sheets[0].Seed, sheets[0].Damage)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn, nil); err != nil {
		t.Fatal(err)
	}
	reader, err := ocr.New(ocr.Options{Limits: ocr.Limits{Time: patience, FileTime: patience}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	read := reader.Read(t.Context(), ocr.Input{Name: "card.jpg", Data: b.Bytes()})
	papers := []visit.Paper{{ID: "card", Data: b.Bytes(), MediaType: "image/jpeg", Pages: read.Pages, Documents: read.Documents}}
	p, err := catalog(t).Get("2.000815")
	if err != nil {
		t.Fatal(err)
	}
	form := Form(p, papers, nil, day)
	got := places(form, papers)
	if place, ok := got["applicant_number"]; !ok || place.Page != "page-0001.jpg" || place.W <= 0 {
		t.Errorf("the number's place is %+v of %d", place, len(got))
	}
}
