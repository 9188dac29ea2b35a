package find

import (
	"cmp"
	"math"
	"slices"

	"motcua/ocr/paper"
)

func cross(o, a, b paper.Point) float64 { return (a.X-o.X)*(b.Y-o.Y) - (a.Y-o.Y)*(b.X-o.X) }

// convex gives the convex hull, clockwise on the page (Andrew's monotone chain).
func convex(p []paper.Point) []paper.Point {
	slices.SortFunc(p, func(a, b paper.Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	if len(p) < 3 {
		return p
	}
	var hull []paper.Point
	add := func(q paper.Point, base int) {
		for len(hull) >= base+2 && cross(hull[len(hull)-2], hull[len(hull)-1], q) <= 0 {
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, q)
	}
	for _, q := range p {
		add(q, 0)
	}
	base := len(hull) - 1
	for i := len(p) - 2; i >= 0; i-- {
		add(p[i], base)
	}
	return hull[:len(hull)-1]
}

func area(p []paper.Point) float64 {
	s := 0.0
	for i := range p {
		j := (i + 1) % len(p)
		s += p[i].X*p[j].Y - p[j].X*p[i].Y
	}
	return math.Abs(s) / 2
}

// fit lays a quadrilateral round a hull: its smallest rectangle, or, where the hull fills that badly because the
// paper was seen at an angle, the four strongest sides of the hull.
func fit(hull []paper.Point, pixels float64) (Outline, bool) {
	if len(hull) < 4 {
		return Outline{}, false
	}
	quad, ok := rectangle(hull)
	if !ok {
		return Outline{}, false
	}
	if area(hull) < 0.955*area(quad[:]) {
		if q, ok := sides(hull); ok && area(hull) > 0.93*area(q[:]) {
			quad = q
		}
	}
	top := (dist(quad[0], quad[1]) + dist(quad[3], quad[2])) / 2
	side := (dist(quad[0], quad[3]) + dist(quad[1], quad[2])) / 2
	if side > top { // the long side goes first; a quarter turn clockwise brings it level
		quad = paper.Quad{quad[3], quad[0], quad[1], quad[2]}
		top, side = side, top
	}
	if side < 1 {
		return Outline{}, false
	}
	return Outline{Quad: quad, Width: top, Height: side, Fill: pixels / area(quad[:])}, true
}

func dist(a, b paper.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// rectangle is the rectangle of least area round a hull, its corners in page order from the top left.
func rectangle(hull []paper.Point) (paper.Quad, bool) {
	best, found := math.Inf(1), false
	var quad paper.Quad
	for i := range hull {
		j := (i + 1) % len(hull)
		d := dist(hull[i], hull[j])
		if d < 1e-9 {
			continue
		}
		ux, uy := (hull[j].X-hull[i].X)/d, (hull[j].Y-hull[i].Y)/d
		a0, a1, b0, b1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
		for _, p := range hull {
			a, b := p.X*ux+p.Y*uy, -p.X*uy+p.Y*ux
			a0, a1, b0, b1 = min(a0, a), max(a1, a), min(b0, b), max(b1, b)
		}
		if s := (a1 - a0) * (b1 - b0); s < best {
			best, found = s, true
			at := func(a, b float64) paper.Point { return paper.Point{X: a*ux - b*uy, Y: a*uy + b*ux} }
			quad = paper.Quad{at(a0, b0), at(a1, b0), at(a1, b1), at(a0, b1)}
		}
	}
	return order(quad), found
}

// order begins at the corner nearest to the page's top left, clockwise.
func order(q paper.Quad) paper.Quad {
	if (q[1].X-q[0].X)*(q[2].Y-q[0].Y)-(q[1].Y-q[0].Y)*(q[2].X-q[0].X) < 0 {
		q[1], q[3] = q[3], q[1]
	}
	// The first side is the one that runs most nearly to the right.
	first, best := 0, math.Inf(-1)
	for i := range q {
		j := (i + 1) % 4
		if c := (q[j].X - q[i].X) / max(dist(q[i], q[j]), 1e-9); c > best {
			first, best = i, c
		}
	}
	return paper.Quad{q[first], q[(first+1)%4], q[(first+2)%4], q[(first+3)%4]}
}

// sides merges hull edges that run the same way, keeps the four longest runs and meets their lines.
func sides(hull []paper.Point) (paper.Quad, bool) {
	type run struct {
		a, b   paper.Point
		length float64
	}
	n := len(hull)
	var runs []run
	angle := func(a, b paper.Point) float64 { return math.Atan2(b.Y-a.Y, b.X-a.X) }
	// Start where the direction changes most, so that no side is split by the slice's ends.
	start, most := 0, -1.0
	for i := range n {
		d := math.Abs(math.Remainder(angle(hull[i], hull[(i+1)%n])-angle(hull[(i+n-1)%n], hull[i]), 2*math.Pi))
		if d > most {
			start, most = i, d
		}
	}
	for k := range n {
		a, b := hull[(start+k)%n], hull[(start+k+1)%n]
		if len(runs) > 0 {
			last := &runs[len(runs)-1]
			if math.Abs(math.Remainder(angle(a, b)-angle(last.a, last.b), 2*math.Pi)) < 0.12 {
				last.b = b
				last.length = dist(last.a, last.b)
				continue
			}
		}
		runs = append(runs, run{a, b, dist(a, b)})
	}
	if len(runs) < 4 {
		return paper.Quad{}, false
	}
	byLength := slices.Clone(runs)
	slices.SortFunc(byLength, func(p, q run) int { return cmp.Compare(q.length, p.length) })
	least := byLength[3].length
	var four []run
	for _, r := range runs {
		if r.length >= least && len(four) < 4 {
			four = append(four, r)
		}
	}
	var q paper.Quad
	for i := range four {
		p, ok := meet(four[i].a, four[i].b, four[(i+1)%4].a, four[(i+1)%4].b)
		if !ok {
			return q, false
		}
		q[i] = p
	}
	return order(q), true
}

func meet(a, b, c, d paper.Point) (paper.Point, bool) {
	den := (b.X-a.X)*(d.Y-c.Y) - (b.Y-a.Y)*(d.X-c.X)
	if math.Abs(den) < 1e-6 {
		return paper.Point{}, false
	}
	t := ((c.X-a.X)*(d.Y-c.Y) - (c.Y-a.Y)*(d.X-c.X)) / den
	return paper.Point{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y)}, true
}
