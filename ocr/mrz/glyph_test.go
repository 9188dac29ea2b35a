package mrz_test

import (
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"

	"motcua/ocr/mrz"
	"motcua/ocr/specimen"
)

// typed is an MRZ in OCR-B of ten letters an inch at this resolution, on gray paper with noise, and where its lines are.
func typed(t *testing.T, lines []string, dpi float64) (*image.Gray, []image.Rectangle) {
	t.Helper()
	by, err := specimen.NewTypist(dpi)
	if err != nil {
		t.Fatal(err)
	}
	step, gap := dpi/10, dpi/4 // ICAO 9303-3: 2.54 mm a letter, 6.35 mm a line
	img := image.NewGray(image.Rect(0, 0, int(float64(len(lines[0])+6)*step), int(float64(len(lines)+1)*gap)))
	rng := rand.New(rand.NewPCG(uint64(dpi), 1))
	for i := range img.Pix {
		img.Pix[i] = uint8(205 + rng.IntN(20))
	}
	ascent := by.CapHeight()
	var boxes []image.Rectangle
	for n, l := range lines {
		base := int(float64(n+1) * gap)
		by.Type(img, image.NewUniform(color.Gray{30}), l, 3*step, float64(base), step)
		boxes = append(boxes, image.Rect(int(3*step), base-ascent, int(float64(3+len(l))*step), base+1))
	}
	return img, boxes
}

// An MRZ that is printed as ICAO lays it out is read sign for sign at what people scan and photograph at, in each of the three formats.
func TestReadsEverySign(t *testing.T) {
	for name, lines := range map[string][]string{
		"TD1":          {"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
		"TD2":          {"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"},
		"TD3":          {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
		"every letter": {"P<UTOBCDFGHJKLMPQVWXYZ<<NOPQRSTUVWXYZABCDEFG", "AB1C2D3E45UTO7408122F1204159XYZ0Q8B1I5S2<<10"},
	} {
		for _, dpi := range []float64{150, 200, 300, 600} {
			img, boxes := typed(t, lines, dpi)
			got := mrz.Read(img, boxes)
			if len(got) != len(lines) {
				t.Fatalf("%s at %v dpi: %d lines", name, dpi, len(got))
			}
			for i, l := range lines {
				if got[i].Text != l {
					t.Errorf("%s at %v dpi:\n%s, read\n%s", name, dpi, l, got[i].Text)
				}
				if len(got[i].Conf) != len(l) {
					t.Errorf("%s at %v dpi: %d confidences of %d signs", name, dpi, len(got[i].Conf), len(l))
				}
			}
		}
	}
}

// Whatever the pixels are, only what may stand at a place is read there: a date is figures, a name has none.
func TestReadsOnlyWhatMayStandThere(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		img := image.NewGray(image.Rect(0, 0, 400+rng.IntN(900), 60+rng.IntN(80)))
		for i := range img.Pix {
			img.Pix[i] = uint8(rng.IntN(256))
		}
		w, h := img.Rect.Dx(), img.Rect.Dy()
		boxes := []image.Rectangle{image.Rect(2, 2, w-2, h/3), image.Rect(2, h/3+2, w-2, 2*h/3), image.Rect(2, 2*h/3+2, w-2, h-2)}
		got := mrz.Read(img, boxes)
		if len(got) != 3 {
			t.Fatalf("%d lines", len(got))
		}
		birth, name := got[1].Text[:7], got[2].Text
		if strings.Trim(birth, "0123456789") != "" || strings.ContainsAny(name, "0123456789") {
			t.Errorf("a birth %q, a name %q", birth, name)
		}
	}
	if got := mrz.Read(image.NewGray(image.Rect(0, 0, 9, 9)), nil); got != nil {
		t.Errorf("of no lines %v", got)
	}
}
