package find

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"motcua/ocr/paper"
)

// slope is a picture whose brightness is known between its pixels, too.
func slope(w, h int, x, y float64) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for i := range g.Pix {
		g.Pix[i] = uint8(20 + x*float64(i%w) + y*float64(i/w))
	}
	return g
}

func TestShrinkAveragesBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	whole := image.NewGray(image.Rect(0, 0, 83, 61))
	for i := range whole.Pix {
		whole.Pix[i] = uint8(r.IntN(256))
	}
	for _, g := range []*image.Gray{whole, whole.SubImage(image.Rect(7, 3, 80, 50)).(*image.Gray)} {
		for _, f := range []int{2, 3, 5, 13} {
			got := Shrink(g, f)
			b := g.Bounds()
			if got.Rect != image.Rect(0, 0, b.Dx()/f, b.Dy()/f) {
				t.Fatalf("by %d: %v", f, got.Rect)
			}
			for y := range got.Rect.Dy() {
				for x := range got.Rect.Dx() {
					sum := 0
					for j := range f {
						for i := range f {
							sum += int(g.GrayAt(b.Min.X+x*f+i, b.Min.Y+y*f+j).Y)
						}
					}
					if want := uint8(sum / (f * f)); got.GrayAt(x, y).Y != want {
						t.Fatalf("by %d: pixel %d,%d is %d, the mean is %d", f, x, y, got.GrayAt(x, y).Y, want)
					}
				}
			}
		}
	}
}

func TestResizeKeepsASlope(t *testing.T) {
	g := slope(300, 90, 0.4, 0.9).SubImage(image.Rect(20, 10, 280, 80)).(*image.Gray)
	for _, size := range []image.Point{{X: 130, Y: 40}, {X: 90, Y: 30}, {X: 520, Y: 140}, {X: 260, Y: 70}} {
		got := Resize(g, size.X, size.Y)
		fx, fy := 260/float64(size.X), 70/float64(size.Y)
		for y := 6; y < size.Y-6; y++ {
			for x := 6; x < size.X-6; x++ {
				want := 20 + 0.4*(20+(float64(x)+0.5)*fx-0.5) + 0.9*(10+(float64(y)+0.5)*fy-0.5)
				if math.Abs(float64(got.GrayAt(x, y).Y)-want) > 1.6 {
					t.Fatalf("to %v: pixel %d,%d is %d, not %.1f", size, x, y, got.GrayAt(x, y).Y, want)
				}
			}
		}
	}
	if got := Resize(g, 0, 40); !got.Rect.Empty() {
		t.Errorf("no width gave %v", got.Rect)
	}
}

// A cutting shows at each place what lies on the page where its plane says, also at a slant; off the page it is white.
func TestCutShowsWhatThePlaneSays(t *testing.T) {
	g := slope(400, 300, 0.25, 0.4)
	for name, q := range map[string]paper.Quad{
		"upright": {{X: 50, Y: 40}, {X: 350, Y: 40}, {X: 350, Y: 220}, {X: 50, Y: 220}},
		"turned":  {{X: 90, Y: 20}, {X: 380, Y: 80}, {X: 340, Y: 270}, {X: 40, Y: 200}},
		"slanted": {{X: 60, Y: 30}, {X: 330, Y: 70}, {X: 390, Y: 280}, {X: 20, Y: 240}},
		"off":     {{X: -200, Y: -90}, {X: 300, Y: 40}, {X: 250, Y: 250}, {X: -250, Y: 120}},
	} {
		p := NewPlane(q, 240, 150)
		got := p.Cut(g, 1)
		white := 0
		for y := range 150 {
			for x := range 240 {
				at := p.Page(float64(x)+0.5, float64(y)+0.5)
				at.X, at.Y = at.X-0.5, at.Y-0.5
				have := got.GrayAt(x, y).Y
				switch {
				case at.X < -2 || at.Y < -2 || at.X > 402 || at.Y > 302:
					white++
					if have != 255 {
						t.Fatalf("%s: %d,%d lies off the page and is %d", name, x, y, have)
					}
				case at.X > 0 && at.Y > 0 && at.X < 398 && at.Y < 298:
					if want := 20 + 0.25*at.X + 0.4*at.Y; math.Abs(float64(have)-want) > 1.6 {
						t.Fatalf("%s: %d,%d is %d, the page has %.1f there", name, x, y, have, want)
					}
				}
			}
		}
		if (white > 0) != (name == "off") {
			t.Errorf("%s: %d places lie off the page", name, white)
		}
	}
}

// A cutting of the page's own pixels is those pixels, whatever rounding left on its corners; half a pixel off it is others.
func TestCutPixelForPixel(t *testing.T) {
	g := slope(90, 70, 1, 0.5)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range g.Pix {
		g.Pix[i] = uint8(r.IntN(256))
	}
	for name, c := range map[string]struct {
		left, top, hair float64
		own             bool
	}{"whole page's corner": {0, 0, 1e-13, true}, "within": {20, 9, 0, true}, "half a pixel off": {20.5, 9, 0, false},
		"off the page": {-1, 0, 0, false}} {
		p := NewPlane(paper.Quad{{X: c.left + c.hair, Y: c.top}, {X: c.left + 60, Y: c.top - c.hair}, {X: c.left + 60, Y: c.top + 50},
			{X: c.left, Y: c.top + 50}}, 60, 50)
		got, want := p.Cut(g, 1), image.NewGray(image.Rect(0, 0, 60, 50))
		for y := range 50 {
			for x := range 60 {
				want.SetGray(x, y, g.GrayAt(x+int(math.Floor(c.left)), y+int(c.top)))
			}
		}
		if same := slices.Equal(got.Pix, want.Pix); same != c.own {
			t.Errorf("%s: the page's own pixels: %t", name, same)
		}
	}
}

// Of a page that is finer than the cutting every pixel counts: grain is evened out, and places stay where they were. Each of three
// steps rounds down.
func TestCutAveragesAFinePage(t *testing.T) {
	g := slope(1200, 900, 0.05, 0.08)
	r := rand.New(rand.NewPCG(3, 3))
	for i := range g.Pix {
		g.Pix[i] = uint8(int(g.Pix[i]) + r.IntN(61))
	}
	p := NewPlane(paper.Quad{{X: 160, Y: 90}, {X: 1100, Y: 150}, {X: 1080, Y: 800}, {X: 120, Y: 700}}, 240, 150)
	off := func(fine int) (mean, spread float64) {
		got := p.Cut(g, fine)
		for y := range 150 {
			for x := range 240 {
				at := p.Page(float64(x)+0.5, float64(y)+0.5)
				d := float64(got.GrayAt(x, y).Y) - (50 + 0.05*(at.X-0.5) + 0.08*(at.Y-0.5))
				mean, spread = mean+d, spread+d*d
			}
		}
		n := float64(240 * 150)
		mean /= n
		return mean, math.Sqrt(spread/n - mean*mean)
	}
	_, rough := off(1)
	mean, even := off(4)
	if math.Abs(mean) > 2 || even*2 > rough {
		t.Errorf("averaged it is off by %.2f and has grain of %.1f; a sample has %.1f", mean, even, rough)
	}
}
