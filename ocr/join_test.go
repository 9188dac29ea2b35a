package ocr_test

import (
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
)

// Backs without a number, scanned one by one with the fronts of two persons, go to a front by their order alone: what stands on them is
// doubted. Numbers tell whose a back is, whatever the order; and one front with one back needs no look.
func TestJoin_backs_of_two_persons(t *testing.T) {
	side := func(page int, side string, values map[paper.Name]string) paper.Document {
		d := paper.Document{Type: paper.CMND, Page: page, Sides: []string{side}, Fields: map[paper.Name]paper.Field{}}
		for n, v := range values {
			d.Fields[n] = paper.Field{Value: v, Source: paper.OCR, Confidence: 0.995}
		}
		return d
	}
	frontA, frontB := map[paper.Name]string{paper.Number: "012345678"}, map[paper.Name]string{paper.Number: "087654321"}
	issued := func(day, number string) map[paper.Name]string {
		v := map[paper.Name]string{paper.DateOfIssue: day}
		if number != "" {
			v[paper.Number] = number
		}
		return v
	}
	got := ocr.Join([]paper.Document{side(1, "front", frontA), side(2, "front", frontB), side(3, "back", issued("2010-03-02", "")),
		side(4, "back", issued("2012-05-06", ""))})
	if len(got) != 2 {
		t.Fatalf("%d documents", len(got))
	}
	for _, d := range got {
		if !d.Fields[paper.DateOfIssue].Review || d.Fields[paper.Number].Review {
			t.Errorf("page %d: the day of issue, of whichever back, is used without a look", d.Page)
		}
	}
	got = ocr.Join([]paper.Document{side(1, "front", frontA), side(2, "back", issued("2010-03-02", "087654321")),
		side(3, "back", issued("2012-05-06", "012345678")), side(4, "front", frontB)})
	if len(got) != 2 || got[0].Fields[paper.DateOfIssue].Value != "2012-05-06" || got[0].Fields[paper.DateOfIssue].Review {
		t.Errorf("joined by number: %v", got)
	}
	got = ocr.Join([]paper.Document{side(1, "front", frontA), side(2, "back", issued("2010-03-02", ""))})
	if len(got) != 1 || got[0].Fields[paper.DateOfIssue].Review {
		t.Errorf("one front and its back: %v", got)
	}
}
