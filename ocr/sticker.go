package ocr

import (
	"image"

	"motcua/ocr/field"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
)

// An identity card's symbol can be printed on a sticker and stuck on any paper. On its own card it has a size and a place: about 13 mm in
// the upper right corner of the front (2021), 18 mm in that of the back (2024; Circular 16/2024/TT-BCA).

// The symbol's side as a share of the card's height, 53.98 mm. Where the print alone shows where a card lies, that is some
// millimetres lower than the card.
const (
	smallestSymbol = 0.16 // 11 mm, and a photographed card's edge with it
	largestSymbol  = 0.42 // 18 of 45 mm
)

// bears says whether a symbol has the size that cards' symbols have, and the place if it is an identity card's.
func (c *card) bears(s qr.Symbol) bool {
	box := frame(s.Where)
	share := float64(max(box.Dx(), box.Dy())) / float64(c.plane.Height)
	if share < smallestSymbol || share > largestSymbol {
		return false
	}
	if _, ok := qr.Parse(s.Text); !ok {
		return true
	}
	// Which way up the card lies was told by the symbol.
	up := s.Where[1].X > s.Where[0].X
	right, upper := 2*middle(box).X > c.plane.Width, 2*middle(box).Y < c.plane.Height
	return right == up && upper == up
}

func frame(q paper.Quad) image.Rectangle {
	var r image.Rectangle
	for i, p := range q {
		at := image.Rect(int(p.X), int(p.Y), int(p.X)+1, int(p.Y)+1)
		if i == 0 {
			r = at
		}
		r = r.Union(at)
	}
	return r
}

func middle(r image.Rectangle) image.Point {
	return image.Pt((r.Min.X+r.Max.X)/2, (r.Min.Y+r.Max.Y)/2)
}

// How far from the middle of its symbol a card reaches, in sides of the smallest symbol: 85.6 and 53.98 mm to 12.4.
const (
	reachBeside = 6.9
	reachBelow  = 4.4
	reachAbove  = 1.6
)

// cardAbout says whether the print about a symbol on a sheet, as far as a card reaches, tells an identity card by its title or its own
// marks. A birth certificate with a sticker tells none, whatever stands on the rest of it.
func cardAbout(s qr.Symbol, runs []field.Run) bool {
	box := frame(s.Where)
	side := float64(max(box.Dx(), box.Dy()))
	at := middle(box)
	card := image.Rect(at.X-int(reachBeside*side), at.Y-int(reachAbove*side), at.X+int(reachBeside*side), at.Y+int(reachBelow*side))
	var near []field.Run
	for _, r := range runs {
		if middle(r.Box).In(card) {
			near = append(near, r)
		}
	}
	told := field.Card(near)
	return kinds.Identity(told.Kind) && told.Kind != paper.Passport
}
