// Package find locates papers on a page: cards and booklets on a scanner's glass, printed on a photocopy, or
// photographed on a table. Gray pixels in, outlines out, best first; a page on which nothing card-like lies
// gives none and is read as a sheet. Nothing is assumed about where on the page a paper lies, how it is
// turned, or what is printed on it: only that it differs from what surrounds it and has the shape of one.
package find

import (
	"image"
	"math"
	"slices"

	"motcua/ocr/paper"
)

// Outline is a paper's place on the page. Quad begins at the corner that makes the long side horizontal with
// the least turn; which way is up is not known yet.
type Outline struct {
	Quad   paper.Quad
	Width  float64 // long side, in page pixels
	Height float64
	Fill   float64 // share of the quad that differs from the background

	hull []paper.Point // what the quad was laid round
}

// The shapes of papers that lie on a glass: ID-1 cards and passport pages.
const (
	cardRatio     = 85.60 / 53.98
	passportRatio = 125.0 / 88.0
)

// Cards finds card- and passport-shaped papers. red is the page's redness, nil where it has no colour; dpi is 0 where it is
// not known.
func Cards(g, red *image.Gray, dpi float64) []Outline {
	b := g.Bounds()
	long := max(b.Dx(), b.Dy())
	if long < 200 || min(b.Dx(), b.Dy()) < 100 {
		return nil
	}
	f := max(1, (long+450)/900)
	small := Shrink(g, f)
	var found []Outline
	// The gentlest way that finds both sides is enough; each costs as much as reading a line.
	for _, m := range masks(small, red) {
		if len(found) > 1 {
			break
		}
		for _, o := range shapes(m, dpi/float64(f)) {
			if o.outside(small.Rect) {
				continue
			}
			for i := range o.Quad {
				o.Quad[i].X *= float64(f)
				o.Quad[i].Y *= float64(f)
			}
			o.Width, o.Height = o.Width*float64(f), o.Height*float64(f)
			switch i := slices.IndexFunc(found, func(p Outline) bool { return overlaps(p, o) }); {
			case i < 0:
				found = append(found, o)
			case o.Fill > found[i].Fill+0.04 && 2*o.Width*o.Height > found[i].Width*found[i].Height:
				found[i] = o // what of the table was taken in with the paper left that one uneven
			}
		}
	}
	sortAsRead(found)
	return found
}

// farOutside is how far outside the picture, as a share of its height, a card's corner may lie: sides that are drawn on farther follow a
// shade on the lid and not the card.
const farOutside = 0.06

// outside says whether a corner lies outside the picture.
func (o Outline) outside(picture image.Rectangle) bool {
	far := farOutside * o.Height
	return slices.ContainsFunc(o.Quad[:], func(p paper.Point) bool {
		return p.X < -far || p.Y < -far || p.X > float64(picture.Dx())+far || p.Y > float64(picture.Dy())+far
	})
}

// sortAsRead puts outlines in the order one reads: from the top, then from the left.
func sortAsRead(found []Outline) {
	slices.SortFunc(found, func(p, q Outline) int {
		cp, cq := centre(p.Quad), centre(q.Quad)
		if d := cp.Y - cq.Y; math.Abs(d) > (p.Height+q.Height)/4 {
			return int(math.Copysign(1, d))
		}
		return int(math.Copysign(1, cp.X-cq.X))
	})
}

func centre(q paper.Quad) paper.Point {
	return paper.Point{X: (q[0].X + q[1].X + q[2].X + q[3].X) / 4, Y: (q[0].Y + q[1].Y + q[2].Y + q[3].Y) / 4}
}

func overlaps(p, q Outline) bool {
	a, b := centre(p.Quad), centre(q.Quad)
	return math.Hypot(a.X-b.X, a.Y-b.Y) < (min(p.Height, q.Height))*0.6
}

// shapes keeps the connected parts of a mask that are shaped like a card.
func shapes(m mask, dpi float64) []Outline {
	return slices.DeleteFunc(loose(m), func(o Outline) bool { return !plausible(o, dpi, m) })
}

// plausible keeps what has a card's or a passport page's shape, and its size where the density is known.
func plausible(o Outline, dpi float64, m mask) bool {
	if o.Fill < 0.8 {
		return false
	}
	ratio := o.Width / o.Height
	if o.Width > 0.985*float64(max(m.w, m.h)) && o.Height > 0.985*float64(min(m.w, m.h)) {
		return false // the page itself
	}
	near := func(a, b, by float64) bool { return math.Abs(a/b-1) < by }
	card, passport := near(ratio, cardRatio, 0.10), near(ratio, passportRatio, 0.07)
	if dpi > 0 {
		mm := 25.4 / dpi
		if card && near(o.Width*mm, 85.6, 0.12) || passport && near(o.Width*mm, 125, 0.1) {
			return true
		}
		// A copy may be enlarged or reduced; a photo's density says nothing.
		return card && o.Width*mm > 55
	}
	if o.Width*o.Height > 0.6*float64(m.w*m.h) && !near(ratio, cardRatio, 0.06) {
		return false // a sheet has nearly a passport page's shape, too
	}
	return card || passport
}
