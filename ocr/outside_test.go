package ocr

import (
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/paper"
)

// Two fields in which print speaks against a symbol doubt what only the symbol says, though neither was read well.
func TestTwoDisagreementsDoubtTheSymbol(t *testing.T) {
	both := func(code, print string) []paper.Evidence {
		return []paper.Evidence{{Value: code, Source: paper.QR, Conf: certainty(paper.QR)}, {Value: print, Source: paper.OCR, Conf: 0.7}}
	}
	all := map[paper.Name][]paper.Evidence{
		paper.Number:      both("001199000001", "001199000001"),
		paper.FullName:    both("KHÔNG HỒNG ĐÀO", "KHỔNG HỒNG ĐÀO"),
		paper.DateOfIssue: {{Value: "2022-12-21", Source: paper.QR, Conf: certainty(paper.QR)}},
	}
	if f := settle(paper.CCCD, all)[paper.DateOfIssue]; f.Review {
		t.Errorf("one misread name doubts the day of issue: %v", f.Doubts)
	}
	all[paper.PlaceOfResidence] = both("Thôn Ea Kly, Vĩnh Tuy, Ninh Kiều, Cần Thơ", "Thôn Ea Kly, Long Biên, Ninh Kiều, Cần Thơ")
	if f := settle(paper.CCCD, all)[paper.DateOfIssue]; !f.Review {
		t.Error("two disagreements leave what only the symbol says without a doubt")
	}
}

// What every curriculum vitae says makes no identity card, unless a card's edges and the state's motto were seen.
func TestWeakMarksNeedACard(t *testing.T) {
	for name, c := range map[string]struct {
		edges, motto bool
		want         bool
	}{"a sheet": {false, true, false}, "a card": {true, false, false}, "a card of the state": {true, true, true}} {
		f := &readSide{}
		side := field.Side{Likely: paper.CCCD2016, Marks: 2, Labels: 6, Weak: true, Motto: c.motto}
		f.tellKind(&side, c.edges)
		if told := side.Kind != ""; told != c.want {
			t.Errorf("%s: told %t", name, told)
		}
	}
}

// The day of expiry that stands left of a residence's second row is no part of it.
func TestDayWithinAnAddressIsDoubted(t *testing.T) {
	for text, want := range map[string]bool{
		"92/48 Đường Hai Bà Trưng, Đông Thạnh, Hóc Môn, Hồ Chí Minh":            true,
		"92/48 Đường 14/04/2039 Hai Bà Trưng, Đông Thạnh, Hóc Môn, Hồ Chí Minh": false,
		"Số 5 Đường 30/4, Đông Thạnh, Hóc Môn, Hồ Chí Minh":                     true,
	} {
		if got := trusted(paper.PlaceOfResidence, paper.Evidence{Value: text, Conf: 0.999, Reread: true, Second: true}); got != want {
			t.Errorf("%s: trusted %t", text, got)
		}
	}
}
