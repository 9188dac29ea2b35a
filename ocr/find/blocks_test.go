package find

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"motcua/ocr/paper"
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

// A card's back is known by its machine readable zone, from which the rest of its print stands apart; where that is is up.
func TestBlocksFindABackByItsMRZ(t *testing.T) {
	for name, texts := range map[string]image.Rectangle{"upright": image.Rect(340, 520, 700, 620),
		"upside_down": image.Rect(560, 940, 920, 1040)} {
		t.Run(name, func(t *testing.T) {
			g := image.NewGray(image.Rect(0, 0, 1654, 2339)) // A4 at 200 dpi
			draw.Draw(g, g.Rect, image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
			print(g, image.Rect(330, 740, 330+600, 740+90)) // 76 × 11 mm
			print(g, texts)
			got := Blocks(g, 200)
			if len(got) != 1 {
				t.Fatalf("%d outlines: %v", len(got), got)
			}
			if r := bounds(got[0].Quad[:]); !texts.In(r) || r.Dx() < 640 || r.Dx() > 720 || r.Dy() < 380 || r.Dy() > 470 {
				t.Errorf("the card is taken to be at %v", r)
			}
		})
	}
	t.Run("beside_a_known_card", func(t *testing.T) {
		g := image.NewGray(image.Rect(0, 0, 1654, 2339))
		draw.Draw(g, g.Rect, image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
		known, other := image.Rect(300, 300, 820, 640), image.Rect(700, 1400, 1220, 1730)
		print(g, known)
		print(g, other)
		at := func(r image.Rectangle) paper.Quad {
			x0, y0, x1, y1 := float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)
			return paper.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
		}
		got := Blocks(g, 200, Outline{Quad: at(known.Inset(-20)), Width: 560, Height: 380, Fill: 1})
		if len(got) != 1 || !bounds(got[0].Quad[:]).Overlaps(other) || bounds(got[0].Quad[:]).Overlaps(known) {
			t.Errorf("beside it: %v", got)
		}
	})
}

// The back of the card of 2024 is two heaps of print, neither of which is shaped like a card's: addresses, and chip, authority and MRZ.
// Three are a column of text.
func TestBlocksJoinTheHalvesOfABack(t *testing.T) {
	for name, c := range map[string]struct {
		halves []image.Rectangle
		want   int
	}{
		"a_back":   {[]image.Rectangle{image.Rect(400, 500, 1020, 680), image.Rect(400, 700, 1020, 920)}, 1},
		"a_column": {[]image.Rectangle{image.Rect(400, 300, 1020, 480), image.Rect(400, 500, 1020, 680), image.Rect(400, 700, 1020, 880)}, 0},
		"apart":    {[]image.Rectangle{image.Rect(400, 500, 1020, 680), image.Rect(400, 840, 1020, 1060)}, 0},
	} {
		g := image.NewGray(image.Rect(0, 0, 1654, 2339)) // A4 at 200 dpi
		draw.Draw(g, g.Rect, image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
		for _, r := range c.halves {
			print(g, r)
		}
		turned := image.NewGray(image.Rect(0, 0, 2339, 1654))
		for y := range 2339 {
			for x := range 1654 {
				turned.Pix[(1653-x)*turned.Stride+y] = g.Pix[y*g.Stride+x]
			}
		}
		if got := Blocks(turned, 200); len(got) != c.want {
			t.Errorf("%s, on its side: %d heaps, want %d: %v", name, len(got), c.want, got)
		}
		if got := Blocks(g, 200); len(got) != c.want {
			t.Errorf("%s: %d heaps, want %d: %v", name, len(got), c.want, got)
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
