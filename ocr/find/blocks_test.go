package find

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// print draws lines of small letters that fill a box.
func print(g *image.Gray, box image.Rectangle) {
	for y := box.Min.Y; y+20 <= box.Max.Y; y += 34 {
		for x := box.Min.X; x+12 <= box.Max.X; x += 17 {
			draw.Draw(g, image.Rect(x, y, x+4, y+20), image.NewUniform(color.Gray{40}), image.Point{}, draw.Src)
			draw.Draw(g, image.Rect(x, y+8, x+12, y+12), image.NewUniform(color.Gray{40}), image.Point{}, draw.Src)
		}
	}
}

// On a copy whose edges are gone a card is a heap of print; a heap on a form, which is full of other print, is none.
func TestBlocks(t *testing.T) {
	const w, h = 1654, 2339 // A4 at 200 dpi
	heap := image.Rect(400, 500, 400+520, 500+330)
	for name, c := range map[string]struct {
		other []image.Rectangle
		want  int
	}{
		"alone":             {nil, 1},
		"under_a_heading":   {[]image.Rectangle{image.Rect(500, 120, 1200, 200)}, 1},
		"beside_an_attest":  {[]image.Rectangle{image.Rect(200, 1300, 1450, 1600)}, 1},
		"on_a_form":         {[]image.Rectangle{image.Rect(150, 100, 1500, 420), image.Rect(150, 950, 1500, 2200)}, 0},
		"two_beside_little": {[]image.Rectangle{image.Rect(400, 1100, 400+520, 1100+330), image.Rect(500, 120, 1200, 200)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			g := image.NewGray(image.Rect(0, 0, w, h))
			draw.Draw(g, g.Rect, image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
			print(g, heap)
			for _, o := range c.other {
				print(g, o)
			}
			if got := Blocks(g, 200); len(got) != c.want {
				t.Errorf("%d heaps, want %d: %v", len(got), c.want, got)
			}
		})
	}
}
