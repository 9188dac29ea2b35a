package find

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// A comb of twelve cells is told, its lines are gone from the picture, and the signs in it stay.
func TestUnruleLeavesWhatStandsInAComb(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 1200, 300))
	fill := func(r image.Rectangle, v uint8) {
		draw.Draw(g, r, image.NewUniform(color.Gray{v}), image.Point{}, draw.Src)
	}
	fill(g.Rect, 230)
	for i := range 13 {
		fill(image.Rect(200+60*i, 100, 203+60*i, 160), 60)
	}
	fill(image.Rect(200, 100, 923, 103), 60)
	fill(image.Rect(200, 157, 923, 160), 60)
	for i := range 12 {
		fill(image.Rect(222+60*i, 112, 228+60*i, 146), 30)
	}
	fill(image.Rect(100, 250, 1100, 253), 60) // a rule by itself
	k := NewInk(g, 61, 30)
	combs := Unrule(g, k, 12)
	if len(combs) != 1 || !combs[0].In(image.Rect(195, 95, 930, 165)) || combs[0].Dx() < 700 {
		t.Fatalf("combs are %v", combs)
	}
	dark := func(r image.Rectangle) (n int) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if g.GrayAt(x, y).Y < 150 {
					n++
				}
			}
		}
		return n
	}
	if n := dark(image.Rect(100, 245, 1100, 260)); n > 0 {
		t.Errorf("%d pixels of a rule are left", n)
	}
	if n := dark(image.Rect(198, 104, 925, 156)); n < 12*6*34*9/10 || n > 12*6*34*12/10 {
		t.Errorf("%d dark pixels in the comb, its signs have %d", n, 12*6*34)
	}
}

// Text without rules stays as it is.
func TestUnruleTouchesNoText(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 600, 100))
	draw.Draw(g, g.Rect, image.NewUniform(color.Gray{230}), image.Point{}, draw.Src)
	for x := 50; x < 550; x += 20 {
		draw.Draw(g, image.Rect(x, 40, x+4, 64), image.NewUniform(color.Gray{30}), image.Point{}, draw.Src)
		draw.Draw(g, image.Rect(x, 50, x+14, 54), image.NewUniform(color.Gray{30}), image.Point{}, draw.Src)
	}
	before := append([]uint8(nil), g.Pix...)
	if combs := Unrule(g, NewInk(g, 41, 30), 12); len(combs) != 0 || string(before) != string(g.Pix) {
		t.Errorf("combs %v, changed %t", combs, string(before) != string(g.Pix))
	}
}
