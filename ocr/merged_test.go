package ocr_test

import (
	"slices"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
)

// A sticker that was doubted on the page says no more when a reader at the counter reads it once again.
func TestMerge_doubted_code_read_again(t *testing.T) {
	code := map[paper.Name]string{paper.Number: "001199000001", paper.FullName: "LÊ THỊ MẪU", paper.DateOfIssue: "2021-05-01"}
	for _, why := range []paper.Doubt{paper.Disagreement, paper.LowConfidence} {
		d := paper.Document{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{}}
		for n, v := range code {
			d.Fields[n] = paper.Field{Value: v, Source: paper.QR, Confidence: 0.97, Review: true,
				Doubts: []paper.Doubt{why}, Choices: []string{"TRẦN VĂN THỬ"}}
		}
		ocr.Merge(&d, paper.QR, code)
		for n, f := range d.Fields {
			if !f.Review || !slices.Contains(f.Doubts, why) {
				t.Errorf("%s: %s is used without a look: doubts %v", why, n, f.Doubts)
			}
		}
		ocr.Merge(&d, paper.Chip, code)
		for n, f := range d.Fields {
			if f.Review {
				t.Errorf("%s: %s stays in doubt under a checked chip: %v", why, n, f.Doubts)
			}
		}
	}
}

// Settling a paper anew, for whatever was read beside it, is no further evidence for what was in doubt.
func TestMerge_settles_no_doubt_by_itself(t *testing.T) {
	d := paper.Document{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{
		paper.Number: {Value: "001199000001", Source: paper.OCR, Confidence: 0.965, Review: true,
			Doubts: []paper.Doubt{paper.LowConfidence}},
		paper.DateOfBirth: {Value: "1999-03-12", Source: paper.OCR, Confidence: 0.995},
		paper.Sex:         {Value: "Nữ", Source: paper.OCR, Confidence: 0.995},
		paper.FullName: {Value: "LÊ THỊ MẪU", Source: paper.QR, Agrees: []paper.Source{paper.MRZ, paper.OCR}, Confidence: 0.97, Review: true,
			Doubts: []paper.Doubt{paper.Disagreement}},
		paper.DateOfIssue: {Value: "2021-05-01", Source: paper.QR, Agrees: []paper.Source{paper.OCR}, Confidence: 0.97, Review: true,
			Doubts: []paper.Doubt{paper.Disagreement}},
	}}
	for range 3 {
		ocr.Merge(&d, paper.ChipUnchecked, map[paper.Name]string{paper.Number: "001199000001"})
	}
	for _, n := range []paper.Name{paper.Number, paper.FullName, paper.DateOfIssue} {
		if f := d.Fields[n]; !f.Review {
			t.Errorf("%s is used without a look: %v %v", n, f, f.Confidence)
		}
	}
}
