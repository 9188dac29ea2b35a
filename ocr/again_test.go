package ocr_test

import (
	"slices"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
)

// A doubt stays however often the source that leads is read again.
func TestMerge_a_source_twice_keeps_the_doubt(t *testing.T) {
	for _, src := range []paper.Source{paper.Chip, paper.ChipUnchecked, paper.QR} {
		d := paper.Document{Type: paper.CCCD, Sides: []string{"front"}, Fields: map[paper.Name]paper.Field{
			paper.Number:        {Value: "001199000001", Source: paper.OCR, Confidence: 0.995},
			paper.PlaceOfOrigin: {Value: "Xã Thử, Hà Nội", Source: paper.OCR, Confidence: 0.995},
		}}
		values := map[paper.Name]string{paper.Number: "001199000001", paper.PlaceOfOrigin: "Phường Khác, Cà Mau"}
		ocr.Merge(&d, src, values)
		first := d.Fields[paper.PlaceOfOrigin]
		ocr.Merge(&d, src, values)
		second := d.Fields[paper.PlaceOfOrigin]
		if !first.Review || !second.Review || !slices.Contains(second.Doubts, paper.Disagreement) || len(second.Choices) != len(first.Choices) {
			t.Errorf("%s: once review %v %v %v, twice %v %v %v", src, first.Review, first.Doubts, first.Choices, second.Review, second.Doubts,
				second.Choices)
		}
	}
}

// That a source agrees doesn't say how well it was read: a symbol's doubt does not go by merging.
func TestMerge_of_another_source_keeps_unseen(t *testing.T) {
	d := paper.Document{Type: paper.CCCD, Sides: []string{"front"}, Fields: map[paper.Name]paper.Field{
		paper.Number: {Value: "001199000001", Source: paper.QR, Agrees: []paper.Source{paper.OCR}, Confidence: 0.97, Review: true,
			Doubts: []paper.Doubt{paper.Unseen}},
	}}
	ocr.Merge(&d, paper.ChipUnchecked, map[paper.Name]string{paper.Number: "001199000001"})
	if f := d.Fields[paper.Number]; !f.Review {
		t.Errorf("review %v, doubts %v", f.Review, f.Doubts)
	}
}

// Where print says something else than an MRZ, a code that says what the MRZ does makes it no less so, be it scanned with the
// other side or sent by a reader; a chip that proved itself does.
func TestMerge_of_a_code_keeps_a_disagreement(t *testing.T) {
	back := func() paper.Document {
		return paper.Document{Type: paper.CCCD, Page: 2, Sides: []string{"back"}, Fields: map[paper.Name]paper.Field{
			paper.Number: {Value: "001190000001", Source: paper.MRZ, Confidence: 0.998},
			paper.DateOfBirth: {Value: "1990-01-02", Source: paper.MRZ, Confidence: 0.97, Review: true, Doubts: []paper.Doubt{paper.Disagreement},
				Choices: []string{"1991-01-02"}},
		}}
	}
	code := map[paper.Name]string{paper.Number: "001190000001", paper.DateOfBirth: "1990-01-02"}
	front := paper.Document{Type: paper.CCCD, Page: 1, Sides: []string{"front"}, Fields: map[paper.Name]paper.Field{}}
	for n, v := range code {
		front.Fields[n] = paper.Field{Value: v, Source: paper.QR, Confidence: 0.999}
	}
	sent, signed := back(), back()
	ocr.Merge(&sent, paper.QR, code)
	ocr.Merge(&signed, paper.Chip, code)
	for name, d := range map[string]paper.Document{"scanned": ocr.Join([]paper.Document{front, back()})[0], "sent": sent} {
		if f := d.Fields[paper.DateOfBirth]; !f.Review || f.Source != paper.QR || !slices.Equal(f.Choices, []string{"1991-01-02"}) {
			t.Errorf("%s: of %s, review %v, choices %v", name, f.Source, f.Review, f.Choices)
		}
	}
	if f := signed.Fields[paper.DateOfBirth]; f.Review {
		t.Errorf("a chip that proved itself: %v", f.Doubts)
	}
}
