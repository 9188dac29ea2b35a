package field

import (
	"slices"
	"testing"

	"motcua/ocr/paper"
)

// A year of birth by itself is a value; what is left of a day whose first figures were lost is no such year.
func TestYearOfBirthAlone(t *testing.T) {
	for _, c := range []struct {
		text    string
		x       int // where it begins; the label ends at 180
		flagged bool
	}{
		{"1950", 200, false}, {"00/00/1950", 200, false}, {"--/--/1950", 200, false},
		{"/1950", 200, true}, {"0/1950", 260, true}, {"1950", 290, true}, {"-1950", 200, true},
	} {
		words := slices.Concat(print(50, 20, "GIẤY CHỨNG MINH NHÂN DÂN"), print(50, 60, "Số 012345678"),
			print(50, 100, "Họ tên: TRẦN THỊ MẪU"),
			print(50, 140, "Sinh ngày:"), print(c.x, 140, c.text), print(50, 180, "Nguyên quán: Xã Thử, Hà Nội"))
		v := Card(Runs(words)).Values[paper.DateOfBirth]
		if v.Text != "1950" || slices.Contains(v.Doubts, paper.Incomplete) != c.flagged {
			t.Errorf("%q at %d: %q, doubts %v", c.text, c.x, v.Text, v.Doubts)
		}
	}
}

// A number in a register whose year lost a figure is doubted.
func TestRegisterNumberThatLostAFigure(t *testing.T) {
	for text, flagged := range map[string]bool{"403/2022": false, "403": false, "12/TLKS-BS": false, "403/20": true, "403/": true,
		"403/202":   true,
		"205422040": true} {
		words := slices.Concat(print(250, 20, "GIẤY KHAI SINH"), print(50, 60, "Số:"), print(120, 60, text),
			print(50, 140, "Họ, chữ đệm, tên: TRẦN THỊ MẪU"))
		v := Sheet(Runs(words)).Values[paper.RegisterNumber]
		if v.Text == "" || slices.Contains(v.Doubts, paper.Incomplete) != flagged {
			t.Errorf("%q: %q, doubts %v", text, v.Text, v.Doubts)
		}
	}
}

// A card whose title lost its end is none of the sheets with a like title.
func TestTitleThatLostItsEnd(t *testing.T) {
	for text, want := range map[string]paper.Kind{"GIẤY CHỨNG SINH": paper.ChungSinh, "GIẤY CHỨNG MINH": paper.Other,
		"GIẤY CHỨNG MINH NHÂN": paper.Other,
		"GIẤY CHỨNG SINHH":     paper.ChungSinh} {
		if s := Sheet(Runs(slices.Concat(print(250, 20, text), print(50, 60, "Họ tên: TRẦN THỊ MẪU")))); s.Kind != want {
			t.Errorf("%q is taken for %s", text, s.Kind)
		}
	}
}
