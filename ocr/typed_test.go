package ocr_test

import (
	"slices"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
)

// The text of a symbol that a reader at the counter sends is as easily made as typed: what no scan of the paper says as well
// wants a look, and what it does needs none.
func TestMerge_code_without_a_scan(t *testing.T) {
	code := map[paper.Name]string{paper.Number: "001199000001", paper.FullName: "Lê Thị Mẫu", paper.DateOfBirth: "1999-01-02",
		paper.Sex:              "Nữ",
		paper.PlaceOfResidence: "1 Hàng Thử, Phường Mẫu, Hà Nội", paper.DateOfIssue: "2021-05-10", paper.OldNumber: "012345678"}
	printed := func(names ...paper.Name) map[paper.Name]paper.Field {
		fields := map[paper.Name]paper.Field{}
		for _, n := range names {
			v := code[n]
			if n == paper.FullName {
				v = "LÊ THỊ MẪU"
			}
			fields[n] = paper.Field{Value: v, Source: paper.OCR, Confidence: 0.995}
		}
		return fields
	}
	all := []paper.Name{paper.Number, paper.FullName, paper.DateOfBirth, paper.Sex, paper.PlaceOfResidence, paper.DateOfIssue, paper.OldNumber}
	for _, c := range []struct {
		name    string
		doc     paper.Document
		flagged []paper.Name
	}{
		{"no scan", paper.Document{Type: paper.CCCD, Fields: printed()}, all},
		{"a front whose print says the same", paper.Document{Type: paper.CCCD, Sides: []string{"front"},
			Fields: printed(paper.Number, paper.FullName, paper.DateOfBirth, paper.Sex, paper.PlaceOfResidence)}, nil},
		{"a front of which the residence was not read", paper.Document{Type: paper.CCCD, Sides: []string{"front"},
			Fields: printed(paper.Number, paper.FullName, paper.DateOfBirth, paper.Sex)}, []paper.Name{paper.PlaceOfResidence}},
		{"a paper that bears no symbol", paper.Document{Type: paper.KhaiSinh, Fields: printed(paper.Number, paper.FullName, paper.DateOfBirth)},
			[]paper.Name{paper.Sex, paper.PlaceOfResidence, paper.DateOfIssue, paper.OldNumber}},
		{"a paper on which only the sex is the same", paper.Document{Type: paper.CCCD, Sides: []string{"front"}, Fields: printed(paper.Sex)},
			[]paper.Name{paper.Number, paper.FullName, paper.DateOfBirth, paper.PlaceOfResidence, paper.DateOfIssue, paper.OldNumber}},
	} {
		ocr.Merge(&c.doc, paper.QR, code)
		for _, n := range all {
			if f := c.doc.Fields[n]; f.Review != slices.Contains(c.flagged, n) || f.Value == "" {
				t.Errorf("%s: %s review %t, doubts %v", c.name, n, f.Review, f.Doubts)
			}
		}
		again := c.doc
		ocr.Merge(&again, paper.Chip, code)
		for n, f := range again.Fields {
			if f.Review {
				t.Errorf("%s: %s stays in doubt under a checked chip: %v", c.name, n, f.Doubts)
			}
		}
	}
}
