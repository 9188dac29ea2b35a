package find

import (
	"image"
	"math"
	"slices"

	"motcua/ocr/paper"
)

// Blocks finds print that stands together like a card's where no card's edge can be seen: on photocopies and fax pages.
// The outline is that of the print, a little larger. Nothing is looked for under the outlines that are known. dpi is the
// picture's resolution, 0 where it is not known.
func Blocks(g *image.Gray, dpi float64, known ...Outline) []Outline {
	b := g.Bounds()
	long := max(b.Dx(), b.Dy())
	if long < 400 {
		return nil
	}
	sized := dpi > 0
	if !sized {
		dpi = float64(long) / 11.69 // most pages are A4
	}
	f := max(1, (long+600)/1200)
	small := Shrink(g, f)
	scale := dpi / float64(f) / 25.4 // pixels a millimetre
	print := blockPrint(small, scale)
	for _, o := range known {
		r := bounds(o.Quad[:])
		print.Clear(image.Rect(r.Min.X/f, r.Min.Y/f, r.Max.X/f, r.Max.Y/f))
	}
	m := print.close(max(2, int(2.6*scale)))
	var found, backs, flat []Outline
	in, all := 0, print.Count(image.Rect(0, 0, print.w, print.h))
	for _, o := range loose(m) {
		// A heap of print has no sides of its own: its lines say how it lies.
		o = o.along(Slope(small.SubImage(bounds(o.hull)).(*image.Gray)))
		switch w, h := o.Width/scale, o.Height/scale; {
		case mrzSized(w, h, o.Fill, sized):
			o = o.aroundMRZ(print)
			in += print.Count(bounds(o.Quad[:]))
			backs = append(backs, o.times(float64(f)))
		case flatSized(w, h):
			flat = append(flat, o)
		case printSized(w, h, o.Fill):
			in += print.Count(bounds(o.hull))
			found = append(found, o.grown(2.5*scale).times(float64(f)))
		}
	}
	joined := map[*paper.Point]bool{} // heaps that are half of a card, by their hull
	for _, pair := range stacked(flat, scale) {
		o := join(pair[0], pair[1])
		o = o.along(Slope(small.SubImage(bounds(o.hull)).(*image.Gray)))
		if w, h := o.Width/scale, o.Height/scale; printSized(w, h, o.Fill) && w <= cardWide && h <= cardHigh {
			in += print.Count(bounds(o.hull))
			found = append(found, o.grown(2.5*scale).times(float64(f)))
			joined[&pair[0].hull[0]], joined[&pair[1].hull[0]] = true, true
		}
	}
	for _, o := range flat { // high enough for a card by itself
		if printSized(o.Width/scale, o.Height/scale, o.Fill) && !joined[&o.hull[0]] {
			in += print.Count(bounds(o.hull))
			found = append(found, o.grown(2.5*scale).times(float64(f)))
		}
	}
	found = slices.DeleteFunc(found, func(o Outline) bool {
		return slices.ContainsFunc(backs, func(z Outline) bool { return overlaps(z, o) })
	})
	found = append(found, backs...)
	if 4*in < all { // a form's table; even an attested copy of a card has more of its print in the card
		return nil
	}
	sortAsRead(found)
	return found
}

// blockPrint is the ink of a picture of scale pixels a millimetre without specks, which are no print, and without what is larger
// than a card's picture.
func blockPrint(small *image.Gray, scale float64) mask {
	k := NewInk(small, int(4*scale)|1, 24)
	print := newMask(k.w, k.h)
	for _, p := range k.parts() {
		if p.area >= 4 && p.box.Dx() < int(60*scale) && p.box.Dy() < int(45*scale) {
			print.copy(k.mask, p.box)
		}
	}
	return print
}

// mrzSized says whether a heap of print of w × h mm, fill of its box covered, is shaped like the three rows of a card's machine
// readable MRZ; sized: the millimetres are true. Two rows of an address are narrower.
func mrzSized(w, h, fill float64, sized bool) bool {
	ratio := w / h
	return ratio > 4.2 && ratio < 8 && fill > 0.5 && (!sized || w > 60 && w < 100)
}

// printSized says whether a heap of print of w × h mm is shaped like a card's. Without its photo a card's print is hardly wider
// than high.
func printSized(w, h, fill float64) bool {
	ratio := w / h
	return ratio >= 1 && ratio <= 2.3 && w >= 45 && w <= 135 && h >= 32 && h <= 95 && fill >= 0.35
}

// A card's print askew in its upright box, in millimetres.
const (
	cardWide = 95
	cardHigh = 66
)

// flatSized says whether a heap of print of w × h mm may be half of a card's: of the back of the card of 2024 the addresses stand apart
// from the chip and the MRZ.
func flatSized(w, h float64) bool { return w >= 45 && w <= cardWide && h >= 8 && h <= 40 && w/h > 2 }

// halves is how many millimetres two halves of a card's print may stand apart.
const halves = 10

// stacked are pairs of heaps that lie one above the other as the halves of a card's print do; scale is pixels a millimetre. A third
// heap makes a column of text of them.
func stacked(flat []Outline, scale float64) [][2]Outline {
	near := func(a, b Outline) bool {
		p, q := bounds(a.hull), bounds(b.hull)
		if p.Dx() < p.Dy() { // the card lies on its side
			p, q = image.Rect(p.Min.Y, p.Min.X, p.Max.Y, p.Max.X), image.Rect(q.Min.Y, q.Min.X, q.Max.Y, q.Max.X)
		}
		over, narrow, wide := min(p.Max.X, q.Max.X)-max(p.Min.X, q.Min.X), min(p.Dx(), q.Dx()), max(p.Dx(), q.Dx())
		apart := max(p.Min.Y, q.Min.Y) - min(p.Max.Y, q.Max.Y)
		// An address may end in the middle of the card, but begins where the MRZ does.
		return 10*over > 9*narrow && 2*over > wide && float64(apart) < halves*scale
	}
	var out [][2]Outline
	for i, a := range flat {
		for j, b := range flat[:i] {
			alone := !slices.ContainsFunc(flat, func(c Outline) bool {
				same := func(o Outline) bool { return slices.Equal(o.hull, c.hull) }
				return !same(a) && !same(b) && (near(a, c) || near(b, c))
			})
			if near(a, b) && alone {
				out = append(out, [2]Outline{flat[j], a})
			}
		}
	}
	return out
}

// join is one heap of two.
func join(a, b Outline) Outline {
	return Outline{hull: slices.Concat(a.hull, b.hull), Width: 1, Height: 1, Fill: a.Fill*a.Width*a.Height + b.Fill*b.Width*b.Height}
}

// aroundMRZ is the card about a machine readable zone of three rows (ICAO Doc 9303 part 5: 30 letters, 10 an inch), which stands
// apart from the rest of its print: where there is more of that is up.
func (o Outline) aroundMRZ(print mask) Outline {
	u := o.Width / 76 // a millimetre
	q := o.Quad
	ux, uy := (q[1].X-q[0].X)/o.Width, (q[1].Y-q[0].Y)/o.Width
	vx, vy := (q[3].X-q[0].X)/o.Height, (q[3].Y-q[0].Y)/o.Height
	out := func(p paper.Point, along, down float64) paper.Point {
		return paper.Point{X: p.X + (along*ux+down*vx)*u, Y: p.Y + (along*uy+down*vy)*u}
	}
	const beside, foot, rest = 4.8, 4.0, 37.0
	above := []paper.Point{out(q[0], 0, -rest), out(q[1], 0, -rest), q[1], q[0]}
	below := []paper.Point{q[3], q[2], out(q[2], 0, rest), out(q[3], 0, rest)}
	top, bottom := rest, foot
	if print.Count(bounds(below)) > print.Count(bounds(above)) {
		top, bottom = foot, rest
	}
	o.Quad = paper.Quad{out(q[0], -beside, -top), out(q[1], beside, -top), out(q[2], beside, bottom), out(q[3], -beside, bottom)}
	o.Width, o.Height = o.Width+2*beside*u, o.Height+(foot+rest)*u
	return o
}

// times is the outline on a picture so much larger.
func (o Outline) times(f float64) Outline {
	for i := range o.Quad {
		o.Quad[i].X *= f
		o.Quad[i].Y *= f
	}
	o.Width, o.Height = o.Width*f, o.Height*f
	return o
}

// bounds is the upright rectangle around points.
func bounds(points []paper.Point) image.Rectangle {
	var r image.Rectangle
	for _, p := range points {
		r = r.Union(image.Rect(int(p.X), int(p.Y), int(p.X)+1, int(p.Y)+1))
	}
	return r
}

// along lays the quad anew round the same points, its long side as near to the direction a (radians clockwise from level)
// or across it as its shape asks.
func (o Outline) along(a float64) Outline {
	ux, uy := math.Cos(a), math.Sin(a)
	s0, s1, t0, t1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range o.hull {
		s, t := p.X*ux+p.Y*uy, -p.X*uy+p.Y*ux
		s0, s1, t0, t1 = min(s0, s), max(s1, s), min(t0, t), max(t1, t)
	}
	if s1-s0 < 2 || t1-t0 < 2 {
		return o
	}
	at := func(s, t float64) paper.Point { return paper.Point{X: s*ux - t*uy, Y: s*uy + t*ux} }
	o.Fill *= o.Width * o.Height / ((s1 - s0) * (t1 - t0))
	o.Width, o.Height = s1-s0, t1-t0
	o.Quad = paper.Quad{at(s0, t0), at(s1, t0), at(s1, t1), at(s0, t1)}
	return o
}

// How far from level, in radians, the print of an outline cut out may lie before rows run into each other, and how far it can lie where
// the outline was laid along it.
const (
	crooked     = 0.4 * math.Pi / 180
	mostCrooked = 6 * math.Pi / 180
)

// Levelled is the outline turned about its middle by the slope that its print was seen to have when cut out; turned says whether it had
// to be. On a whole page the slope of a heap is but coarsely seen.
func (o Outline) Levelled(slope float64) (level Outline, turned bool) {
	if math.Abs(slope) < crooked || math.Abs(slope) > mostCrooked {
		return o, false
	}
	sin, cos := math.Sincos(slope)
	c := centre(o.Quad)
	for i, p := range o.Quad {
		o.Quad[i] = paper.Point{X: c.X + (p.X-c.X)*cos - (p.Y-c.Y)*sin, Y: c.Y + (p.X-c.X)*sin + (p.Y-c.Y)*cos}
	}
	return o, true
}

// grown moves every side outwards.
func (o Outline) grown(by float64) Outline {
	q := o.Quad
	c := centre(q)
	sx, sy := (o.Width+2*by)/o.Width, (o.Height+2*by)/o.Height
	ux, uy := (q[1].X-q[0].X)/o.Width, (q[1].Y-q[0].Y)/o.Width
	vx, vy := (q[3].X-q[0].X)/o.Height, (q[3].Y-q[0].Y)/o.Height
	for i, p := range q {
		a := ((p.X-c.X)*ux + (p.Y-c.Y)*uy) * sx
		b := ((p.X-c.X)*vx + (p.Y-c.Y)*vy) * sy
		q[i] = paper.Point{X: c.X + a*ux + b*vx, Y: c.Y + a*uy + b*vy}
	}
	return Outline{Quad: q, Width: o.Width * sx, Height: o.Height * sy, Fill: o.Fill}
}

// Sheet is the outline of a page seen so that its lines of text run level: the page's own sides, turned by the print's
// slope, and by a quarter turn where the text stands on its side. Which way is up is not known yet.
func Sheet(g *image.Gray) Outline {
	b := g.Bounds()
	a := Slope(g)
	ux, uy := math.Cos(a), math.Sin(a)
	w, h := float64(b.Dx()), float64(b.Dy())
	a0, a1, b0, b1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range []paper.Point{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}} {
		s, t := p.X*ux+p.Y*uy, -p.X*uy+p.Y*ux
		a0, a1, b0, b1 = min(a0, s), max(a1, s), min(b0, t), max(b1, t)
	}
	at := func(s, t float64) paper.Point { return paper.Point{X: s*ux - t*uy, Y: s*uy + t*ux} }
	return Outline{Quad: paper.Quad{at(a0, b0), at(a1, b0), at(a1, b1), at(a0, b1)}, Width: a1 - a0, Height: b1 - b0, Fill: 1}
}

// spread is by how many degrees the directions from letter to letter scatter about their line's: high ones stand beside low ones.
const spread = 6

// Slope is the direction of the lines of text, in radians clockwise from level, between -45 and 135 degrees.
func Slope(g *image.Gray) float64 {
	b := g.Bounds()
	f := max(1, (max(b.Dx(), b.Dy())+750)/1500)
	letters := newSpots(NewInk(Shrink(g, f), 25, 26))
	if len(letters.all) < 12 {
		return 0
	}
	return letters.sharpest(letters.coarsest()) * math.Pi / 180
}

// spot is what may be a letter: its middle, and the longer side of its box.
type spot struct{ x, y, size float64 }

// spots are the letters of a picture, and by cells of spotCell pixels where they stand.
type spots struct {
	all  []spot
	grid map[int][]int
	wide int // cells in a row
}

const (
	spotCell  = 32
	mostSpots = 6000 // more say no more about the slope
)

func newSpots(k Ink) spots {
	s := spots{grid: map[int][]int{}, wide: k.w/spotCell + 1}
	for _, p := range k.parts() {
		w, h := p.box.Dx(), p.box.Dy()
		if max(w, h) < 4 || max(w, h) > 40 || p.area < 8 || max(w, h) > 6*min(w, h) {
			continue
		}
		one := spot{float64(p.box.Min.X+p.box.Max.X) / 2, float64(p.box.Min.Y+p.box.Max.Y) / 2, float64(max(w, h))}
		cell := int(one.y)/spotCell*s.wide + int(one.x)/spotCell
		s.grid[cell] = append(s.grid[cell], len(s.all))
		if s.all = append(s.all, one); len(s.all) > mostSpots {
			break
		}
	}
	return s
}

// nearest is the way to the letter of about the same size that stands nearest to letter i in its own or a neighbouring cell, and
// the square of its length; that is infinite where there is none.
func (s spots) nearest(i int) (dx, dy, square float64) {
	one := s.all[i]
	cx, cy := int(one.x)/spotCell, int(one.y)/spotCell
	square = math.Inf(1)
	for gy := cy - 1; gy <= cy+1; gy++ {
		for gx := cx - 1; gx <= cx+1; gx++ {
			for _, j := range s.grid[gy*s.wide+gx] {
				x, y := s.all[j].x-one.x, s.all[j].y-one.y
				if d := x*x + y*y; j != i && d < square && d > 4 && s.all[j].size < 2*one.size && one.size < 2*s.all[j].size {
					dx, dy, square = x, y, d
				}
			}
		}
	}
	return dx, dy, square
}

// coarsest is the direction in which most letters have their neighbours, in degrees between -45 and 135: letters stand nearer to
// each other along a line than lines do.
func (s spots) coarsest() int {
	var votes [180]float64
	for i, one := range s.all {
		dx, dy, square := s.nearest(i)
		if !math.IsInf(square, 1) && square < 9*one.size*one.size {
			deg := math.Atan2(dy, dx) * 180 / math.Pi
			votes[((int(math.Round(deg))%180)+180)%180]++
		}
	}
	coarse, most := 0, -1.0
	for d := range votes {
		sum := 0.0
		for e := -spread; e <= spread; e++ { // the nearer the more: a flat window would lie anywhere over a narrow peak
			sum += votes[((d+e)%180+180)%180] * float64(spread+1-max(e, -e))
		}
		if sum > most {
			coarse, most = d, sum
		}
	}
	if coarse >= 135 {
		coarse -= 180
	}
	return coarse
}

// sharpest is the direction near coarse, both in degrees, that packs the letters into the fewest, fullest lines.
func (s spots) sharpest(coarse int) float64 {
	fine, sharp := float64(coarse), -1.0
	for d := float64(coarse) - spread; d <= float64(coarse)+spread; d += 0.2 {
		a := d * math.Pi / 180
		rows := map[int]float64{}
		for _, one := range s.all {
			rows[int(math.Floor((-one.x*math.Sin(a)+one.y*math.Cos(a))/3))]++
		}
		sum := 0.0
		for _, n := range rows {
			sum += n * n
		}
		if sum > sharp {
			fine, sharp = d, sum
		}
	}
	return fine
}
