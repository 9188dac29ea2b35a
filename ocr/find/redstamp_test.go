package find

import (
	"image"
	"image/color"
	"math"
	"testing"

	"motcua/ocr/paper"
)

// stamped is a cutting with black print, a title in red and, if asked for, a red stamp over the print, and its redness.
func stamped(stamp bool) (img, red *image.Gray) {
	const w, h = 600, 380
	img, red = image.NewGray(image.Rect(0, 0, w, h)), image.NewGray(image.Rect(0, 0, w/2, h/2))
	put := func(x, y int, c color.RGBA) {
		l, _, cr := color.RGBToYCbCr(c.R, c.G, c.B)
		img.SetGray(x, y, color.Gray{l})
		if x%2 == 0 && y%2 == 0 {
			red.SetGray(x/2, y/2, color.Gray{cr})
		}
	}
	ink, dye := color.RGBA{30, 30, 30, 255}, color.RGBA{200, 50, 60, 255}
	for y := range h {
		for x := range w {
			c := color.RGBA{225, 226, 222, 255}
			switch rim := math.Hypot(float64(x-400), float64(y-220)); {
			case y >= 200 && y < 216 && x >= 100 && x < 560 && x%20 < 8:
				c = ink
			case y >= 30 && y < 50 && x >= 100 && x < 400 && x%30 < 12:
				c = dye // a title's letters
			case stamp && rim > 80 && rim < 90:
				c = dye
			}
			put(x, y, c)
		}
	}
	return img, red
}

func TestUnseal(t *testing.T) {
	whole := paper.Quad{{X: 0, Y: 0}, {X: 600, Y: 0}, {X: 600, Y: 380}, {X: 0, Y: 380}}
	at := func(g *image.Gray, x, y int) uint8 { return g.GrayAt(x, y).Y }
	img, red := stamped(true)
	stamps := Unstamp(img, red, whole, image.Pt(2, 2), 48)
	if len(stamps.boxes) != 1 {
		t.Fatal("no stamp was found")
	}
	if v := at(img, 400, 135); v < 190 {
		t.Errorf("the stamp's rim is still at %d", v)
	}
	if v := at(img, 402, 208); v > 60 {
		t.Errorf("black print under the stamp is at %d", v)
	}
	if v := at(img, 125, 40); v > 120 {
		t.Errorf("a red title away from it was lightened to %d", v)
	}
	img, red = stamped(false)
	before := append([]byte(nil), img.Pix...)
	if len(Unstamp(img, red, whole, image.Pt(2, 2), 48).boxes) > 0 || string(before) != string(img.Pix) {
		t.Error("something was taken off where there is no stamp")
	}
}

// On paper that a warm lamp makes reddish, with the edge of a wooden table around it, the red number stays, for it is no stamp.
func TestUnsealUnderAWarmLamp(t *testing.T) {
	for _, lamp := range []uint8{128, 142} {
		img, red := image.NewGray(image.Rect(0, 0, 800, 500)), image.NewGray(image.Rect(0, 0, 800, 500))
		for i := range img.Pix {
			img.Pix[i], red.Pix[i] = 190, lamp
			if x, y := i%800, i/800; x < 8 || x >= 792 || y < 8 || y >= 492 {
				red.Pix[i] = lamp + 30
			} else if (x/40+y/40)%3 == 0 { // no lamp is even
				red.Pix[i] = lamp + 3
			}
		}
		for x := 300; x < 600; x += 30 {
			for y := 100; y < 135; y++ {
				for i := x; i < x+18; i++ {
					img.SetGray(i, y, color.Gray{90})
					red.SetGray(i, y, color.Gray{lamp + 60})
				}
			}
		}
		before := append([]uint8(nil), img.Pix...)
		Unstamp(img, red, paper.Quad{{X: 0, Y: 0}, {X: 800, Y: 0}, {X: 800, Y: 500}, {X: 0, Y: 500}}, image.Pt(1, 1), 60)
		if string(before) != string(img.Pix) {
			t.Errorf("lamp %d: the number was lightened", lamp)
		}
	}
}

// A number in red that a stamp touches has lost ink with it, or has some of the stamp's; black print under a stamp has not, nor a red title
// away from it. However the cutting was turned since, and whether or not the stamp was taken off: one that hangs together with a title was
// not.
func TestRedPrintUnderAStampIsHurt(t *testing.T) {
	for name, joined := range map[string]bool{"stamp": false, "stamp joined with a title": true} {
		t.Run(name, func(t *testing.T) { hurtByStamp(t, joined) })
	}
}

func hurtByStamp(t *testing.T, joined bool) {
	const w, h = 600, 380
	img, red := stamped(true)
	dye := uint8(0) // the title's
	for x := 100; x < 130; x++ {
		dye = max(dye, red.GrayAt(x/2, 40/2).Y)
	}
	put := func(x, y int) {
		img.SetGray(x, y, color.Gray{98})
		red.SetGray(x/2, y/2, color.Gray{dye})
	}
	for x := 180; x < 345; x++ { // red figures that run into the stamp's rim
		for y := 150; y < 175 && x%20 < 9; y++ {
			put(x, y)
		}
	}
	for x := 180; x < 580 && joined; x++ {
		for y := 126; y < 134; y++ {
			put(x, y)
		}
	}
	stamps := Unstamp(img, red, paper.Quad{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}}, image.Pt(2, 2), 48)
	if taken := len(stamps.boxes) > 0; taken == joined {
		t.Fatalf("stamps taken off: %v", stamps.boxes)
	}
	at, size := []image.Rectangle{image.Rect(180, 150, 345, 175), image.Rect(100, 30, 400, 50), image.Rect(100, 200, 560, 216)}, image.Pt(w, h)
	for quarters := range 4 {
		turned := stamps.Turned(quarters)
		if !turned.Hurt(at[0]) {
			t.Errorf("after %d quarters: red figures under the rim count as whole", quarters)
		}
		if turned.Hurt(at[1]) || turned.Hurt(at[2]) {
			t.Errorf("after %d quarters: a title away from the stamp, or black print under it, counts as hurt", quarters)
		}
		next := make([]image.Rectangle, len(at))
		for i, r := range at { // clockwise
			next[i] = image.Rect(size.Y-r.Max.Y, r.Min.X, size.Y-r.Min.Y, r.Max.X)
		}
		at, size = next, image.Pt(size.Y, size.X)
	}
	if (Stamps{}).Hurt(at[0]) {
		t.Error("print was hurt where no stamp is")
	}
}
