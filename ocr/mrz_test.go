package ocr

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"motcua/ocr/jpeg"
	"motcua/ocr/mrz"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// typist types OCR-B of ten letters an inch on img in black, a letter every step pixels.
func typist(t *testing.T, img draw.Image, dpi float64) func(text string, x, y, step float64) {
	t.Helper()
	by, err := specimen.NewTypist(dpi)
	if err != nil {
		t.Fatal(err)
	}
	return func(text string, x, y, step float64) { by.Type(img, image.Black, text, x, y, step) }
}

// foreignPage is a card, passport page or visa of another state: print above, its MRZ below as Doc 9303 lays it out (OCR-B of ten
// letters an inch), on patterned paper. All of it is invented.
func foreignPage(t *testing.T, lines []string, dpi float64, tilt float64, pattern bool) *image.RGBA {
	t.Helper()
	mm := dpi / 25.4
	pitch := dpi / 10
	w, h := float64(len(lines[0]))*pitch+12*mm, 54*mm
	img := image.NewRGBA(image.Rect(0, 0, int(w), int(h)))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			v := uint8(235)
			if pattern { // waves under the print, as on security paper
				v -= uint8(22 + 22*math.Sin(float64(x)/mm*1.3+3*math.Sin(float64(y)/mm*0.9)))
			}
			img.SetRGBA(x, y, color.RGBA{v, v, min(v+10, 250), 255})
		}
	}
	put := typist(t, img, dpi)
	for i, text := range []string{"SPECIMEN", "SURNAME ERIKSSON", "NATIONALITY UTOPIAN"} {
		put(text, 30*mm, (8+6*float64(i))*mm, pitch)
	}
	for i, l := range lines {
		put(l, 6*mm, h-(6+6.35*float64(len(lines)-1-i))*mm, pitch)
	}
	if tilt == 0 {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, int(w*1.08), int(h*1.25)))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	sin, cos := math.Sincos(tilt * math.Pi / 180)
	draw.BiLinear.Transform(out, f64.Aff3{cos, -sin, w * 0.04, sin, cos, h * 0.05}, img, img.Rect, draw.Over, nil)
	return out
}

// MRZs of all formats are read whole however the paper lies, small, tilted, and on patterned paper.
func TestForeignMRZs(t *testing.T) {
	t.Parallel()
	with := func(s string) string { return s + string(mrz.Check(s)) }
	n, b, e, long, short := with("L898902C3"), with("740812"), with("300415"), with("ZE184226B<<<<<"), "<<<<<<<"
	mrzs := [][]string{
		{"I<UTO" + n + "<<<<<<<<<<<<<<<", b + "F" + e + "UTO<<<<<<<<<<<" + string(mrz.Check(n+"<<<<<<<<<<<<<<<"+b+e+"<<<<<<<<<<<")),
			"ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
		{"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", n + "UTO" + b + "F" + e + short + string(mrz.Check(n+b+e+short))},
		{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", n + "UTO" + b + "F" + e + long + string(mrz.Check(n+b+e+long))},
		{"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", n + "UTO" + b + "F" + e + "ZE184226B<<<<<<<"},
		{"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", n + "UTO" + b + "F" + e + "<<<<<<<<"},
	}
	l := newLocal(Limits{}.filled())
	defer l.close()
	if _, err := l.warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, all := 0, 0
	for _, lines := range mrzs {
		for name, c := range map[string]struct {
			dpi, tilt float64
			pattern   bool
		}{"plain": {300, 0, false}, "small": {150, 0, false}, "tilted": {300, 3, false}, "patterned": {300, 0, true}} {
			img := foreignPage(t, lines, c.dpi, c.tilt, c.pattern)
			turns := []int{90, 180}
			if name == "plain" {
				turns = []int{0, 90, 180, 270}
			}
			for _, turn := range turns {
				data, err := jpeg.Encode(page.TurnColor(img, turn), 90)
				if err != nil {
					t.Fatal(err)
				}
				all++
				whole := false
				if _, p := l.open(t.Context(), data, false); p != nil {
					t.Fatal(p)
				}
				sides, _, _ := l.page(t.Context(), 1)
				l.done()
				for _, f := range sides {
					if f.MRZ == nil {
						continue
					}
					whole = whole || f.MRZ.Proofs() >= 3
					if !f.MRZ.Foreign() {
						t.Errorf("%d letters, %s, %d°: a foreign paper counts as Vietnamese", len(lines[0]), name, turn)
					}
				}
				if whole {
					found++
				} else {
					t.Logf("%d letters in %d lines, %s, turned by %d°: not read", len(lines[0]), len(lines), name, turn)
				}
			}
		}
	}
	t.Logf("%d of %d MRZs read", found, all)
	if found < all*95/100 {
		t.Errorf("%d of %d MRZs were read", found, all)
	}
}

// A passport's page is not all that lies on the glass: what stands beside it makes its MRZ a part of the sheet's width, and what stands on
// the booklet's other page may be more, and turned by a quarter.
func TestMRZBesideOtherPrint(t *testing.T) {
	t.Parallel()
	with := func(s string) string { return s + string(mrz.Check(s)) }
	n, b, e, o := with("L898902C3"), with("740812"), with("300415"), with("ZE184226B<<<<<")
	mrzs := []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", n + "UTO" + b + "F" + e + o + string(mrz.Check(n+b+e+o))}
	const dpi = 100 // what a page is sent at
	data := foreignPage(t, mrzs, dpi, 0, false)
	for i, v := range data.Pix {
		if v >= 235 {
			data.Pix[i] = 255 // no edge tells where it ends
		}
	}
	print := func(w, h, lines int) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
		put := typist(t, img, dpi)
		for i := range lines {
			put("this passport contains thirty two pages"[i%7:], 20, float64(30+i*25), 8.5)
		}
		return img
	}
	over := func(w, h int, other *image.RGBA, at image.Point, dataAt image.Point) *image.RGBA {
		img := print(w, h, 0)
		draw.Draw(img, other.Rect.Add(at), other, image.Point{}, draw.Src)
		draw.Draw(img, data.Rect.Add(dataAt), data, image.Point{}, draw.Src)
		return img
	}
	l := newLocal(Limits{}.filled())
	defer l.close()
	if _, err := l.warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]*image.RGBA{
		"beside": over(1000, 700, print(400, 600, 20), image.Pt(590, 50), image.Pt(20, 400)),
		"across": over(600, 900, page.TurnColor(print(450, 580, 22), 270), image.Pt(10, 10), image.Pt(30, 600)),
	} {
		for _, turn := range []int{0, 90, 180, 270} {
			file, err := jpeg.Encode(page.TurnColor(img, turn), 95)
			if err != nil {
				t.Fatal(err)
			}
			if _, p := l.open(t.Context(), file, false); p != nil {
				t.Fatal(p)
			}
			sides, _, _ := l.page(t.Context(), 1)
			l.done()
			if len(sides) != 1 || sides[0].MRZ == nil || !sides[0].MRZ.Whole() || sides[0].Turn != turn || sides[0].Kind != paper.Other {
				t.Errorf("%s, turned by %d°: not read, or not upright", name, turn)
			}
		}
	}
}

// TestMRZsOfSpecimens counts whose MRZ is read with all its check digits, in each of four turns, of the
// pictures in the folder MOTCUA_MRZ names: public specimens, say those of PassportEye, which are not ours to keep.
func TestMRZsOfSpecimens(t *testing.T) {
	folder := os.Getenv("MOTCUA_MRZ")
	if folder == "" {
		t.Skip("MOTCUA_MRZ names no folder")
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d pictures: %v", len(names), err)
	}
	l := newLocal(Limits{}.filled())
	defer l.close()
	if _, err := l.warm(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, turn := range []int{0, 90, 180, 270} {
		whole, some := 0, 0
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := page.Open(data, 1e8)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			img, _, err := f.Color(1, 0)
			f.Close()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			full := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
			for y := range full.Rect.Dy() {
				for x := range full.Rect.Dx() {
					full.Set(x, y, img.At(x+img.Bounds().Min.X, y+img.Bounds().Min.Y))
				}
			}
			data, err = jpeg.Encode(page.TurnColor(full, turn), 95)
			if err != nil {
				t.Fatal(err)
			}
			said := "none"
			if _, problem := l.open(context.Background(), data, false); problem == nil {
				sides, _, _ := l.page(context.Background(), 1)
				for _, f := range sides {
					if f.MRZ != nil {
						said = fmt.Sprintf("%s %s, %d proofs", f.MRZ.Format, f.MRZ.Issuer, f.MRZ.Proofs())
						some++
						if f.MRZ.Whole() {
							said += ", whole"
							whole++
						}
						break
					}
				}
				l.done()
			}
			t.Logf("%3d° %-22s %s", turn, filepath.Base(name), said)
		}
		t.Logf("turned by %d°: %d of %d whole, %d found", turn, whole, len(names), some)
	}
}
