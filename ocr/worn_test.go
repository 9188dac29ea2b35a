package ocr

import (
	"image"
	"image/color"
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

// However a row is cut, print that is clear leaves no other tone and no other letter open.
func TestClearPrintFitsNoOtherName(t *testing.T) {
	parsed, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 30, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	const name = "NGUYỄN THỊ KIỀU"
	img := image.NewGray(image.Rect(0, 0, 500, 120))
	for i := range img.Pix {
		img.Pix[i] = 225
	}
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.Gray{40}), Face: face, Dot: fixed.P(40, 80)}
	d.DrawString(name)
	end := d.Dot.X.Round()
	l := &local{}
	for _, forged := range []string{"NGUYỄN THỊ KIÊU", "NGUYỄN THỊ KIỂU", "NGUYỄN THỊ KIẾU", "NGUYỄN THỊ KIÊN", "NGUYÊN THỊ KIỀU"} {
		for by := range 4 {
			row := image.Rect(40-by, 50-by, end+by, 87+by)
			v := field.Value{Text: name, Rows: []image.Rectangle{row}}
			if err := l.compare(&card{img: img, lines: []image.Rectangle{row}}, []string{forged}, &v); err != nil {
				t.Fatal(err)
			}
			if len(v.Fits) > 0 {
				t.Errorf("%s, cut %d pixels wider: %v fits", name, by, v.Fits)
			}
		}
	}
}
