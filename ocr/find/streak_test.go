package find

import (
	"image"
	"math/rand/v2"
	"testing"
)

// sheetOf is noisy paper with a row of strokes like letters, each 20 pixels high.
func sheetOf(w, h int) *image.Gray {
	rng := rand.New(rand.NewPCG(1, 2))
	g := image.NewGray(image.Rect(0, 0, w, h))
	for i := range g.Pix {
		g.Pix[i] = uint8(215 + rng.IntN(12))
	}
	for y := 300; y < h-300; y += 60 {
		for x := 200; x < w-200; x += 14 {
			for dy := range 20 {
				for dx := range 4 {
					g.Pix[(y+dy)*g.Stride+x+dx] = 40
				}
			}
		}
	}
	return g
}

func TestUnstreak(t *testing.T) {
	for _, k := range []float64{0, 0.6, 0.8, 0.93} {
		clean := sheetOf(1240, 1754)
		g := sheetOf(1240, 1754)
		for _, at := range []int{100, 431, 800} {
			for y := range 1754 {
				for x := at; x < at+2; x++ {
					g.Pix[y*g.Stride+x] = uint8(float64(g.Pix[y*g.Stride+x]) * k)
				}
			}
		}
		Unstreak(g)
		off, most := 0, 0
		for i := range g.Pix {
			d := int(g.Pix[i]) - int(clean.Pix[i])
			if d < 0 {
				d = -d
			}
			if d > 20 {
				off++
			}
			most = max(most, d)
		}
		// A black streak took what lay under it: a stroke's pixels beside it are guessed.
		if allowed := map[bool]int{true: 1754 * 3, false: 0}[k == 0]; off > allowed {
			t.Errorf("shade %.2f: %d pixels are wrong, one by %d", k, off, most)
		}
	}
}

func TestUnstreakLeavesPrintAlone(t *testing.T) {
	g, clean := sheetOf(1240, 1754), sheetOf(1240, 1754)
	rule := func(p *image.Gray) { // a table's rule, down a third of the page
		for y := 600; y < 1200; y++ {
			p.Pix[y*p.Stride+620], p.Pix[y*p.Stride+621] = 60, 60
		}
	}
	rule(g)
	rule(clean)
	Unstreak(g)
	for i := range g.Pix {
		if g.Pix[i] != clean.Pix[i] {
			t.Fatalf("pixel %d, %d was changed", i%g.Stride, i/g.Stride)
		}
	}
	Unstreak(image.NewGray(image.Rect(0, 0, 5, 5)))
}

func TestUnstreakLeavesTheEdgesOfCardsAlone(t *testing.T) {
	g := sheetOf(1240, 1754)
	for y := 40; y < 1700; y++ { // two cards under each other, gray, with a shadow to the right
		for x := 60; x < 1100; x++ {
			g.Pix[y*g.Stride+x] -= 30
		}
		for x := 1100; x < 1103; x++ {
			g.Pix[y*g.Stride+x] -= 60
		}
	}
	before := append([]uint8(nil), g.Pix...)
	Unstreak(g)
	for i := range g.Pix {
		if g.Pix[i] != before[i] {
			t.Fatalf("pixel %d, %d was changed", i%g.Stride, i/g.Stride)
		}
	}
}

func TestUnstreakTakesAnySize(t *testing.T) {
	Unstreak(image.NewGray(image.Rect(0, 0, 5, 5)))
	Unstreak(image.NewGray(image.Rect(0, 0, 300, 300)))
}
