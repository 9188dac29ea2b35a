package ocr_test

import (
	"slices"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
)

// A chip that nobody known has signed is easier to make than print: it outranks nothing, confirms nothing, and what it
// alone says wants a look.
func TestMerge_chip_that_was_not_checked(t *testing.T) {
	print := func() paper.Document {
		return paper.Document{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{
			paper.FullName: {Value: "LÊ THỊ MẪU", Source: paper.OCR, Agrees: []paper.Source{paper.QR}, Confidence: 0.999},
			paper.Number:   {Value: "001199000001", Source: paper.QR, Agrees: []paper.Source{paper.OCR}, Confidence: 0.999},
		}}
	}
	d := print()
	ocr.Merge(&d, paper.ChipUnchecked, map[paper.Name]string{paper.FullName: "Lê Thị Mẫu", paper.Number: "001199000002",
		paper.PlaceOfOrigin: "Xã Thử, Hà Nội"})
	if f := d.Fields[paper.FullName]; f.Review || slices.Contains(f.Agrees, paper.ChipUnchecked) || f.Value != "LÊ THỊ MẪU" {
		t.Errorf("the name: %s review %v agrees %v", f.Value, f.Review, f.Agrees)
	}
	if f := d.Fields[paper.Number]; !f.Review || f.Value != "001199000001" {
		t.Errorf("a number that differs: %s review %v", f.Value, f.Review)
	}
	if f := d.Fields[paper.PlaceOfOrigin]; !f.Review || f.Source != paper.ChipUnchecked {
		t.Errorf("what the chip alone says: %s review %v", f.Source, f.Review)
	}
	d = print()
	ocr.Merge(&d, paper.Chip, map[paper.Name]string{paper.Number: "001199000001", paper.PlaceOfOrigin: "Xã Thử, Hà Nội"})
	if f := d.Fields[paper.PlaceOfOrigin]; f.Review || f.Source != paper.Chip {
		t.Errorf("a checked chip: %s review %v", f.Source, f.Review)
	}
}
