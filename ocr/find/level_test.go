package find

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"motcua/ocr/paper"
)

// Addresses that end in the middle of a card's back are a half of it, too, and two rows of them are no MRZ.
func TestBlocksJoinAShortAddress(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 1200, 1400)) // at 200 dpi: 7.87 pixels a millimetre
	draw.Draw(g, g.Rect, image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
	address, rest := image.Rect(400, 500, 820, 590), image.Rect(400, 660, 1040, 940) // 53 × 11 and 81 × 36 mm
	print(g, address)
	print(g, rest)
	got := Blocks(g, 200)
	if len(got) != 1 {
		t.Fatalf("%d outlines: %v", len(got), got)
	}
	if r := bounds(got[0].Quad[:]); !address.In(r) || !rest.Inset(20).In(r) {
		t.Errorf("the card is taken to be at %v", r)
	}
}

// An outline is turned by the slope that its print is seen to have, and by nothing that is no slope of a card laid along its print.
func TestOutlineIsLevelled(t *testing.T) {
	o := Outline{Quad: paper.Quad{{X: 0, Y: 0}, {X: 800, Y: 0}, {X: 800, Y: 500}, {X: 0, Y: 500}}, Width: 800, Height: 500}
	for degrees, want := range map[float64]bool{0: false, 0.2: false, 1: true, -1.5: true, 20: false, 90: false} {
		got, turned := o.Levelled(degrees * math.Pi / 180)
		if turned != want {
			t.Errorf("%.1f degrees: turned %t", degrees, turned)
			continue
		}
		q := got.Quad
		if is := math.Atan2(q[1].Y-q[0].Y, q[1].X-q[0].X) * 180 / math.Pi; turned && math.Abs(is-degrees) > 0.01 {
			t.Errorf("%.1f degrees: turned by %.2f", degrees, is)
		}
	}
}

// A card's corner lies no farther outside the picture than its sides may be misjudged.
func TestOutlineInsideThePicture(t *testing.T) {
	picture := image.Rect(0, 0, 1134, 854)
	for name, c := range map[string]struct {
		q    paper.Quad
		want bool
	}{
		"within":                   {paper.Quad{{X: 20, Y: 20}, {X: 1000, Y: 30}, {X: 995, Y: 650}, {X: 15, Y: 640}}, false},
		"cut off":                  {paper.Quad{{X: -20, Y: -10}, {X: 1000, Y: 0}, {X: 1000, Y: 630}, {X: -20, Y: 620}}, false},
		"drawn on along the shade": {paper.Quad{{X: -118, Y: -57}, {X: 943, Y: 83}, {X: 964, Y: 611}, {X: 128, Y: 645}}, true},
	} {
		if got := (Outline{Quad: c.q, Width: 950, Height: 630}).outside(picture); got != c.want {
			t.Errorf("%s: outside %t", name, got)
		}
	}
}

// Dark parts of a photo begin a row that print beside them goes on with; it is a line without them.
func TestLineBesideAPhoto(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 1000, 600))
	draw.Draw(g, g.Rect, image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
	ink := func(r image.Rectangle) { draw.Draw(g, r, image.NewUniform(color.Gray{40}), image.Point{}, draw.Src) }
	for i := range 5 { // as high as a line may be, going down
		ink(image.Rect(60+45*i, 280+8*i, 84+45*i, 326+8*i))
	}
	first := 294
	for i := range 9 {
		ink(image.Rect(first+20*i, 310, first+20*i+6, 336))
		ink(image.Rect(first+20*i, 320, first+20*i+14, 324))
	}
	var got []image.Rectangle
	for _, r := range Lines(NewInk(g, 41, 20), 11, 50) {
		if r.Max.X > first+160 {
			got = append(got, r)
		}
	}
	if len(got) != 1 || got[0].Min.X > first || got[0].Dy() > 60 {
		t.Errorf("the figures' line: %v", got)
	}
}
