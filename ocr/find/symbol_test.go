package find

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"testing"
)

// The modules of a QR symbol are no letters, also of one whose corner is torn off, beside print that is.
func TestLinesPassOverASymbol(t *testing.T) {
	for _, torn := range []bool{false, true} {
		g := image.NewGray(image.Rect(0, 0, 1000, 400))
		fill := func(r image.Rectangle, v uint8) {
			draw.Draw(g, r, image.NewUniform(color.Gray{v}), image.Point{}, draw.Src)
		}
		fill(g.Rect, 225)
		const module, side, x0, y0 = 5, 45, 700, 40
		r := rand.New(rand.NewPCG(7, 8))
		for y := range side {
			for x := range side {
				if r.IntN(2) == 0 {
					fill(image.Rect(x0+x*module, y0+y*module, x0+(x+1)*module, y0+(y+1)*module), 30)
				}
			}
		}
		for i, c := range []image.Point{{X: 0, Y: 0}, {X: side - 7, Y: 0}, {X: 0, Y: side - 7}} {
			at := func(from, to int) image.Rectangle {
				return image.Rect(x0+(c.X+from)*module, y0+(c.Y+from)*module, x0+(c.X+to)*module, y0+(c.Y+to)*module)
			}
			fill(at(-1, 8), 225)
			if torn && i == 1 {
				continue
			}
			fill(at(0, 7), 30)
			fill(at(1, 6), 225)
			fill(at(2, 5), 30)
		}
		for y := 80; y < 260; y += 60 {
			for x := 60; x < 640; x += 16 {
				fill(image.Rect(x, y, x+4, y+24), 40)
				fill(image.Rect(x, y+10, x+11, y+14), 40)
			}
		}
		lines := Lines(NewInk(g, 41, 30), 10, 50)
		if len(lines) != 3 {
			t.Errorf("torn %t: lines are %v", torn, lines)
		}
		for _, l := range lines {
			if l.Max.X > 660 {
				t.Errorf("torn %t: a line reaches into the symbol: %v", torn, l)
			}
		}
	}
}
