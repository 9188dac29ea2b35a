package ocr

import (
	"image"
	"image/color"
	"image/draw"
	"slices"
	"testing"

	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"motcua/ocr/field"
	"motcua/ocr/mrz"
	"motcua/ocr/paper"
)

// An MRZ so worn that its check digits don't fit says nothing of another country where the print tells an identity card; one that is whole
// does.
func TestWornMRZMakesNoForeignCard(t *testing.T) {
	for name, c := range map[string]struct {
		said mrz.Data
		want paper.Kind
	}{
		"worn": {mrz.Data{Format: mrz.TD1, Issuer: "VWM", Nationality: mrz.Value{Text: "1NM"}}, paper.CanCuoc},
		"whole": {mrz.Data{Format: mrz.TD1, Issuer: "UTO", Nationality: mrz.Value{Text: "UTO"}, Composite: true,
			DocumentNumber: mrz.Value{Proven: true}, Birth: mrz.Value{Proven: true}, Expiry: mrz.Value{Proven: true}}, paper.Other},
	} {
		side := field.Side{Kind: paper.CanCuoc, Side: "back", Marks: 2, Values: map[paper.Name]field.Value{}}
		f := &readSide{MRZ: &c.said, Readings: map[paper.Name][]paper.Evidence{
			paper.Number:      {{Value: "010044831638", Source: paper.MRZ}},
			paper.DateOfIssue: {{Value: "2025-01-02", Source: paper.OCR}},
		}}
		f.tellKind(&side, false)
		if side.Kind != c.want {
			t.Errorf("%s: told as %q", name, side.Kind)
		}
		if _, ok := f.Readings[paper.Number]; c.want != paper.Other && (ok || len(f.Readings) != 1) {
			t.Errorf("%s: %v is left", name, f.Readings)
		}
	}
}

// printedRow is a cutting with one row of clear print.
func printedRow(t *testing.T, text string) (*card, image.Rectangle) {
	t.Helper()
	parsed, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 30, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, 500, 120))
	for i := range img.Pix {
		img.Pix[i] = 225
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Gray{40}), Face: face, Dot: fixed.P(40, 80)}
	d.DrawString(text)
	row := image.Rect(40, 50, d.Dot.X.Round(), 87)
	return &card{img: img, lines: []image.Rectangle{row}}, row
}

// However a row is cut, print that is clear leaves no other tone and no other letter open.
func TestClearPrintFitsNoOtherName(t *testing.T) {
	const name = "NGUYỄN THỊ KIỀU"
	c, row := printedRow(t, name)
	l := &local{}
	for _, forged := range []string{"NGUYỄN THỊ KIÊU", "NGUYỄN THỊ KIỂU", "NGUYỄN THỊ KIẾU", "NGUYỄN THỊ KIÊN", "NGUYÊN THỊ KIỀU"} {
		for by := range 4 {
			row := row.Inset(-by)
			c.lines = []image.Rectangle{row}
			v := field.Value{Text: name, Rows: []image.Rectangle{row}}
			if err := l.compare(c, []string{forged}, &v); err != nil {
				t.Fatal(err)
			}
			if len(v.Fits) > 0 {
				t.Errorf("%s, cut %d pixels wider: %v fits", name, by, v.Fits)
			}
		}
	}
}

// A name whose marks were read as the usual ones gets those that are printed, and stays in review with what was read as a choice; marks
// that both networks see are sure.
func TestMarksAreThoseThatArePrinted(t *testing.T) {
	l := newLocal(Limits{})
	defer l.engines.close()
	for stands, read := range map[string]string{"LÂM HỔNG THŨY": "LÂM HỒNG THŨY", "VÕ VẨN Ổ": "VÕ VĂN Ổ", "HỒ KỈ NGHĨA": "HỒ KỈ NGHĨA",
		"ĐỖ ĐỈNH": "ĐỖ ĐÌNH"} {
		c, row := printedRow(t, stands)
		v := field.Value{Text: read, Rows: []image.Rectangle{row}, Conf: 0.6}
		if err := l.rereadValue(t.Context(), c, paper.FullName, &v, false); err != nil {
			t.Fatal(err)
		}
		if v.Text != stands {
			t.Errorf("%s for %s: %s", read, stands, v.Text)
		}
		if right := read == stands; trusted(paper.FullName, printed(v)) != right || slices.Contains(v.Choices, read) == right {
			t.Errorf("%s for %s: marks %q, choices %v", read, stands, v.Marks, v.Choices)
		}
	}
}

// A dot under a letter that seldom bears one, among the dots of a rule or specks, may be one of them; on clean paper it is nặng.
func TestDotAmongSpecksIsDoubted(t *testing.T) {
	l := newLocal(Limits{})
	defer l.engines.close()
	for name, c := range map[string]struct {
		text   string
		read   string
		specks int
		open   bool
	}{
		"clean paper":                        {"ĐỖ BÍCH TRẠNG", "ĐỖ BÍCH TRẠNG", 0, false},
		"a dotted rule":                      {"ĐỖ BÍCH TRẠNG", "ĐỖ BÍCH TRẠNG", 12, true},
		"a common word on a rule":            {"ĐỖ THỊ TRANG", "ĐỖ THỊ TRANG", 12, false},
		"a rule whose dot the lines read by": {"ĐỖ BÍCH TRẠNG", "ĐỖ BÍCH TRANG", 12, true},
	} {
		cutting, row := printedRow(t, c.text)
		for i := range c.specks {
			at := image.Rect(60+20*i, row.Max.Y+12, 63+20*i, row.Max.Y+15)
			draw.Draw(cutting.img, at, image.NewUniform(color.Gray{40}), image.Point{}, draw.Src)
		}
		v := field.Value{Text: c.read, Rows: []image.Rectangle{row}, Conf: 0.7}
		if err := l.rereadValue(t.Context(), cutting, paper.FullName, &v, false); err != nil {
			t.Fatal(err)
		}
		if open := v.Marks == paper.MarksOpen; open != c.open || v.Text != c.read {
			t.Errorf("%s: marks %q, read as %s", name, v.Marks, v.Text)
		}
	}
}

// A name that was respelled is what its pixels leave open, not what two networks saw on every letter: it stays in review.
func TestRespelledNameStaysInReview(t *testing.T) {
	l := newLocal(Limits{})
	defer l.engines.close()
	c, row := printedRow(t, "MÃ THỊ TRẠNG")
	v := field.Value{Text: "MÃTHỊ TRẠNG", Rows: []image.Rectangle{row}, Conf: 0.99, Marks: paper.MarksSure}
	if err := l.respell(c, &v, paper.FullName); err != nil {
		t.Fatal(err)
	}
	if v.Text != "MÃ THỊ TRẠNG" || trusted(paper.FullName, printed(v)) || !slices.Contains(v.Choices, "MÃTHỊ TRẠNG") {
		t.Errorf("%s, marks %q, choices %v", v.Text, v.Marks, v.Choices)
	}
}

// Cards print a day in eight figures: of one that was read in fewer something was lost, unless it stands on a sheet.
func TestDayOfACardHasEightFigures(t *testing.T) {
	l := newLocal(Limits{})
	defer l.engines.close()
	for _, c := range []struct {
		print        string
		sheet, doubt bool
	}{{"1/10/2025", false, true}, {"01/10/2025", false, false}, {"1/10/2025", true, false}, {"01-10-2025", false, false},
		{"ngày 1 tháng 10 năm 2025", false, false}} {
		cutting, row := printedRow(t, c.print)
		v := field.Value{Text: "2025-10-01", Rows: []image.Rectangle{row}, Conf: 0.99}
		if err := l.rereadValue(t.Context(), cutting, paper.DateOfIssue, &v, c.sheet); err != nil {
			t.Fatal(err)
		}
		if !v.Reread {
			t.Errorf("%s: not read again", c.print)
		}
		if doubt := slices.Contains(v.Doubts, paper.LowConfidence); doubt != c.doubt {
			t.Errorf("%s, sheet %t: doubted %t", c.print, c.sheet, doubt)
		}
	}
}
