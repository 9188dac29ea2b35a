// Package find locates papers on a page: cards and booklets on a scanner's glass, printed on a photocopy, or
// photographed on a table. Gray pixels in, outlines out, best first; a page on which nothing card-like lies
// gives none and is read as a sheet. Nothing is assumed about where on the page a paper lies, how it is
// turned, or what is printed on it: only that it differs from what surrounds it and has the shape of one.
package find

import (
	"image"
	"iter"
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

// Cards finds card- and passport-shaped papers. dpi is 0 where it is not known.
func Cards(g *image.Gray, dpi float64) []Outline {
	b := g.Bounds()
	long := max(b.Dx(), b.Dy())
	if long < 200 || min(b.Dx(), b.Dy()) < 100 {
		return nil
	}
	f := max(1, (long+450)/900)
	small := Shrink(g, f)
	var found []Outline
	// The gentlest way that finds both sides is enough; each costs as much as reading a line.
	for _, m := range masks(small) {
		if len(found) > 1 {
			break
		}
		for _, o := range shapes(m, dpi/float64(f)) {
			for i := range o.Quad {
				o.Quad[i].X *= float64(f)
				o.Quad[i].Y *= float64(f)
			}
			o.Width, o.Height = o.Width*float64(f), o.Height*float64(f)
			if !slices.ContainsFunc(found, func(p Outline) bool { return overlaps(p, o) }) {
				found = append(found, o)
			}
		}
	}
	sortAsRead(found)
	return found
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

// Shrink averages f × f pixels into one.
func Shrink(g *image.Gray, f int) *image.Gray {
	b := g.Bounds()
	w, h := b.Dx()/f, b.Dy()/f
	if f == 1 || w == 0 || h == 0 {
		return g
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	inParallel(h, func(y int) {
		sums := make([]uint32, w)
		for k := range f {
			row := g.Pix[g.PixOffset(b.Min.X, b.Min.Y+y*f+k):]
			for x := range sums {
				var s uint32
				for _, v := range row[x*f : x*f+f] {
					s += uint32(v)
				}
				sums[x] += s
			}
		}
		dst := out.Pix[y*out.Stride:]
		n := uint32(f * f)
		for x, s := range sums {
			dst[x] = uint8(s / n)
		}
	})
	return out
}

type mask struct {
	w, h int
	on   []bool
}

// masks marks what is not background, in several ways: what differs in brightness from the page's border,
// and where there is texture. Which of them separates a paper depends on the glass, the copy, the table.
func masks(g *image.Gray) iter.Seq2[int, mask] {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	var ring [256]int
	total := 0
	edge := max(3, min(w, h)/40)
	for y := range h {
		for x := range w {
			if x < edge || y < edge || x >= w-edge || y >= h-edge {
				ring[g.Pix[y*g.Stride+x]]++
				total++
			}
		}
	}
	mode := 0
	for v := range ring {
		if ring[v] > ring[mode] {
			mode = v
		}
	}
	spread, within := 0, ring[mode]
	for within < total*7/10 && spread < 40 {
		spread++
		if mode-spread >= 0 {
			within += ring[mode-spread]
		}
		if mode+spread < 256 {
			within += ring[mode+spread]
		}
	}
	reach := max(2, max(w, h)/260)
	return func(yield func(int, mask) bool) {
		for i, t := range []int{max(6, 3*spread/2), max(18, 3*spread)} {
			m := mask{w, h, make([]bool, w*h)}
			for y := range h {
				for x := range w {
					d := int(g.Pix[y*g.Stride+x]) - mode
					m.on[y*w+x] = d > t || d < -t
				}
			}
			if !yield(i, m.close(reach)) {
				return
			}
		}
		// Texture: the local range within 3 × 3 pixels.
		m := mask{w, h, make([]bool, w*h)}
		for y := 1; y < h-1; y++ {
			for x := 1; x < w-1; x++ {
				i := y*g.Stride + x
				gx := int(g.Pix[i+1]) - int(g.Pix[i-1])
				gy := int(g.Pix[i+g.Stride]) - int(g.Pix[i-g.Stride])
				m.on[y*w+x] = gx*gx+gy*gy > 14*14
			}
		}
		yield(2, m.close(reach))
	}
}

// close joins what is at most 2r apart.
func (m mask) close(r int) mask {
	grown := m.spread(r, true)
	return grown.spread(r, false)
}

// spread grows (or shrinks) by r in both directions.
func (m mask) spread(r int, grow bool) mask {
	wide, out := make([]bool, len(m.on)), mask{m.w, m.h, make([]bool, len(m.on))}
	if !grow {
		for i := range wide {
			wide[i], out.on[i] = true, true
		}
	}
	for y := range m.h {
		src, dst := m.on[y*m.w:(y+1)*m.w], wide[y*m.w:(y+1)*m.w]
		last := -r - 1
		for x, v := range src {
			if v == grow {
				last = x
			}
			if x-last <= r {
				dst[x] = grow
			}
		}
		last = m.w + r
		for x := m.w - 1; x >= 0; x-- {
			if src[x] == grow {
				last = x
			}
			if last-x <= r {
				dst[x] = grow
			}
		}
	}
	// Downwards and upwards line by line, as they lie in memory.
	last := make([]int, m.w)
	for x := range last {
		last[x] = -r - 1
	}
	for y := range m.h {
		src, dst := wide[y*m.w:(y+1)*m.w], out.on[y*m.w:(y+1)*m.w]
		for x, v := range src {
			if v == grow {
				last[x] = y
			}
			if y-last[x] <= r {
				dst[x] = grow
			}
		}
	}
	for x := range last {
		last[x] = m.h + r
	}
	for y := m.h - 1; y >= 0; y-- {
		src, dst := wide[y*m.w:(y+1)*m.w], out.on[y*m.w:(y+1)*m.w]
		for x, v := range src {
			if v == grow {
				last[x] = y
			}
			if last[x]-y <= r {
				dst[x] = grow
			}
		}
	}
	return out
}

// shapes keeps the connected parts of a mask that are shaped like a card.
func shapes(m mask, dpi float64) []Outline {
	return slices.DeleteFunc(loose(m), func(o Outline) bool { return !plausible(o, dpi, m) })
}

// loose lays outlines round the connected parts of a mask, holes filled.
func loose(m mask) []Outline {
	m.fill()
	seen := make([]bool, len(m.on))
	var found []Outline
	var stack []int
	spans := make([][2]int, m.h) // of each row of a part: first and last column
	clean := func(rows [][2]int) {
		for i := range rows {
			rows[i] = [2]int{m.w, -1}
		}
	}
	clean(spans)
	for start, on := range m.on {
		if !on || seen[start] {
			continue
		}
		area := 0
		top, bottom := m.h, -1
		stack = append(stack[:0], start)
		seen[start] = true
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			area++
			x, y := i%m.w, i/m.w
			top, bottom = min(top, y), max(bottom, y)
			spans[y] = [2]int{min(spans[y][0], x), max(spans[y][1], x)}
			for _, d := range [4]int{1, -1, m.w, -m.w} {
				j := i + d
				if j < 0 || j >= len(m.on) || seen[j] || !m.on[j] || (d == 1 && x == m.w-1) || (d == -1 && x == 0) {
					continue
				}
				seen[j] = true
				stack = append(stack, j)
			}
		}
		rows := spans[top : bottom+1]
		if area < m.w*m.h/80 {
			clean(rows)
			continue
		}
		points := make([]paper.Point, 0, 4*len(rows))
		for i, span := range rows {
			y := top + i
			points = append(points, paper.Point{X: float64(span[0]), Y: float64(y)}, paper.Point{X: float64(span[1] + 1), Y: float64(y)},
				paper.Point{X: float64(span[0]), Y: float64(y + 1)}, paper.Point{X: float64(span[1] + 1), Y: float64(y + 1)})
		}
		clean(rows)
		hull := convex(points)
		o, ok := fit(hull, float64(area))
		if ok {
			o.hull = hull
			found = append(found, o)
		}
	}
	return found
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
	if o.Width*o.Height > 0.6*float64(m.w*m.h) {
		return false // a sheet has nearly a passport page's shape, too
	}
	return card || passport
}

// fill turns holes on.
func (m mask) fill() {
	outside := make([]bool, len(m.on))
	var stack []int
	push := func(i int) {
		if !m.on[i] && !outside[i] {
			outside[i] = true
			stack = append(stack, i)
		}
	}
	for x := range m.w {
		push(x)
		push((m.h-1)*m.w + x)
	}
	for y := range m.h {
		push(y * m.w)
		push(y*m.w + m.w - 1)
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x := i % m.w
		if x > 0 {
			push(i - 1)
		}
		if x < m.w-1 {
			push(i + 1)
		}
		if i >= m.w {
			push(i - m.w)
		}
		if i+m.w < len(m.on) {
			push(i + m.w)
		}
	}
	for i := range m.on {
		m.on[i] = !outside[i]
	}
}
