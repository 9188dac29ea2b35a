package find

// #include "pixels.h"
import "C"

import (
	"image"
	"iter"
	"math/bits"
	"unsafe"

	"motcua/ocr/paper"
)

// mask is a picture of one bit a pixel; in each row the lowest bit of the first word is the leftmost pixel, and what is
// left of the last word is off.
type mask struct {
	w, h, words int
	on          []uint64 // rows of words
}

func newMask(w, h int) mask {
	words := (w + 63) / 64
	return mask{w, h, words, make([]uint64, words*h)}
}

func (m mask) bits() *C.uint64_t { return (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(m.on))) }

func (m mask) row(y int) []uint64 { return m.on[y*m.words : (y+1)*m.words] }

// turnOn marks the columns from x0 to before x1 of a row.
func (m mask) turnOn(y, x0, x1 int) {
	row := m.row(y)
	for x := x0; x < x1; x++ {
		row[x/64] |= 1 << (x % 64)
	}
}

// at says whether a pixel is on; beyond the edge none is.
func (m mask) at(x, y int) bool {
	return x >= 0 && x < m.w && y >= 0 && y < m.h && m.on[y*m.words+x/64]>>(x%64)&1 == 1
}

// Count is how many pixels in a box are on.
func (m mask) Count(box image.Rectangle) (n int) {
	box = box.Intersect(image.Rect(0, 0, m.w, m.h))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := m.row(y)
		for i := box.Min.X / 64; i*64 < box.Max.X; i++ {
			n += bits.OnesCount64(row[i] & within(i, box))
		}
	}
	return n
}

// Clear turns off what lies in a box.
func (m mask) Clear(box image.Rectangle) {
	box = box.Intersect(image.Rect(0, 0, m.w, m.h))
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := m.row(y)
		for i := box.Min.X / 64; i*64 < box.Max.X; i++ {
			row[i] &^= within(i, box)
		}
	}
}

// within are the bits of a row's word i that lie in a box.
func within(i int, box image.Rectangle) uint64 {
	w := ^uint64(0)
	if left := box.Min.X - 64*i; left > 0 {
		w <<= left
	}
	if right := box.Max.X - 64*i; right < 64 {
		w &= 1<<right - 1
	}
	return w
}

// copy turns on what is on of from in a box.
func (m mask) copy(from mask, box image.Rectangle) {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		src, dst := from.row(y), m.row(y)
		for i := box.Min.X / 64; i*64 < box.Max.X; i++ {
			dst[i] |= src[i] & within(i, box)
		}
	}
}

func (m mask) turnOff(x, y int) { m.on[y*m.words+x/64] &^= 1 << (x % 64) }

// masks marks what is not background, in several ways: what differs in brightness from the page's border,
// where there is texture, and what differs in redness. Which of them separates a paper depends on the glass, the copy, the
// table and the shadow on it.
func masks(g, red *image.Gray) iter.Seq2[int, mask] {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	mode, spread := border(g)
	reach := max(2, max(w, h)/260)
	return func(yield func(int, mask) bool) {
		for i, t := range []int{max(6, 3*spread/2), max(18, 3*spread)} {
			if !yield(i, differing(g, mode, t).close(reach)) {
				return
			}
		}
		m := newMask(w, h)
		C.find_texture(bytes(g.Pix), C.ptrdiff_t(g.Stride), C.int(w), C.int(h), 14, m.bits(), C.int(m.words))
		if !yield(2, m.close(reach)) || red == nil {
			return
		}
		g := Resize(red, w, h)
		mode, spread := border(g)
		yield(3, differing(g, mode, max(5, 2*spread)).close(reach))
	}
}

// differing marks what is more than t brighter or darker than mode.
func differing(g *image.Gray, mode, t int) mask {
	m := newMask(g.Rect.Dx(), g.Rect.Dy())
	C.find_differing(bytes(g.Pix), C.ptrdiff_t(g.Stride), C.int(m.w), C.int(m.h), C.int(mode), C.int(t), m.bits(), C.int(m.words))
	return m
}

// border gives the commonest brightness along the edge of a page, and within how much of it seven tenths of that edge lie.
func border(g *image.Gray) (mode, spread int) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	var ring [256]int
	total := 0
	count := func(line []uint8) {
		total += len(line)
		for _, v := range line {
			ring[v]++
		}
	}
	edge := max(3, min(w, h)/40)
	for y := range h {
		line := g.Pix[y*g.Stride:][:w]
		if y < edge || y >= h-edge {
			count(line)
		} else {
			count(line[:edge])
			count(line[w-edge:])
		}
	}
	for v := range ring {
		if ring[v] > ring[mode] {
			mode = v
		}
	}
	within := ring[mode]
	for within < total*7/10 && spread < 40 {
		spread++
		if mode-spread >= 0 {
			within += ring[mode-spread]
		}
		if mode+spread < 256 {
			within += ring[mode+spread]
		}
	}
	return mode, spread
}

// close joins what is at most 2r apart.
func (m mask) close(r int) mask {
	grown := m.grow(r)
	return grown.not().grow(r).not()
}

// not is what is off; beyond the mask's edge nothing is on either way.
func (m mask) not() mask {
	out := newMask(m.w, m.h)
	for i, v := range m.on {
		out.on[i] = ^v
	}
	if rest := m.w % 64; rest != 0 {
		for y := range m.h {
			out.row(y)[m.words-1] &= 1<<rest - 1
		}
	}
	return out
}

// grow turns on what is at most r columns and r rows from what is on.
func (m mask) grow(r int) mask {
	wide := newMask(m.w, m.h)
	src, dst := make([]uint64, m.words), make([]uint64, m.words)
	for y := range m.h {
		copy(src, m.row(y))
		// Each step adds as many columns as there are already: 1, 2, 4 …, and the last what is left.
		for done := 0; done < r; {
			step := min(done+1, r-done)
			smear(dst, src, step)
			copy(src, dst)
			done += step
		}
		row := wide.row(y)
		copy(row, src)
		if rest := m.w % 64; rest != 0 {
			row[m.words-1] &= 1<<rest - 1
		}
	}
	out := wide
	for done := 0; done < r; {
		step := min(done+1, r-done)
		next := newMask(m.w, m.h)
		for y := range m.h {
			row := next.row(y)
			copy(row, out.row(y))
			if y >= step {
				for i, v := range out.row(y - step) {
					row[i] |= v
				}
			}
			if y+step < m.h {
				for i, v := range out.row(y + step) {
					row[i] |= v
				}
			}
		}
		out = next
		done += step
	}
	return out
}

// smear is src with what is on set down once more k columns, at most 64, to the left and to the right.
func smear(dst, src []uint64, k int) {
	for i, v := range src {
		var before, behind uint64
		if i > 0 {
			before = src[i-1]
		}
		if i+1 < len(src) {
			behind = src[i+1]
		}
		dst[i] = v | v<<k | before>>(64-k) | v>>k | behind<<(64-k)
	}
}

// spans gives the runs of a row that are on, or with flip all ones those that are off: first column, and the one behind the
// last.
func (m mask) spans(y int, flip uint64) iter.Seq2[int, int] {
	row := m.row(y)
	return func(yield func(int, int) bool) {
		from := -1
		for i, v := range row {
			v ^= flip
			at := 64 * i
			for n := 0; n < 64; {
				if from < 0 {
					z := bits.TrailingZeros64(v)
					if z == 64 {
						break
					}
					n += z
					v >>= z
					from = at + n
				} else {
					z := bits.TrailingZeros64(^v)
					if n += z; n >= 64 {
						break
					}
					v >>= z
					if !yield(from, min(at+n, m.w)) || at+n >= m.w {
						return
					}
					from = -1
				}
			}
		}
		if from >= 0 && from < m.w {
			yield(from, m.w)
		}
	}
}

// span is one run of a part that is joined along the sides of its pixels.
type span struct{ y, x0, x1, part int }

// joined gives the runs that are on (or off) with the number of the part that each belongs to: parts are counted in the
// order in which their first pixels stand.
func (m mask) joined(flip uint64) (all []span, parts int) {
	var up []int // union-find; roots are the oldest
	root := func(i int) int {
		for up[i] != i {
			up[i] = up[up[i]]
			i = up[i]
		}
		return i
	}
	above := 0 // the row above begins here in all
	for y := range m.h {
		start := len(all)
		j := above
		for x0, x1 := range m.spans(y, flip) {
			id := -1
			for j < start && all[j].x1 <= x0 {
				j++
			}
			for i := j; i < start && all[i].x0 < x1; i++ {
				o := root(all[i].part)
				switch {
				case id < 0:
					id = o
				case o < id:
					up[id] = o
					id = o
				default:
					up[o] = id
				}
			}
			if id < 0 {
				id = len(up)
				up = append(up, id)
			}
			all = append(all, span{y, x0, x1, id})
		}
		above = start
	}
	number := make([]int, len(up))
	for i := range up {
		if r := root(i); r == i {
			number[i] = parts
			parts++
		} else {
			number[i] = number[r] // the root is older
		}
	}
	for i := range all {
		all[i].part = number[all[i].part]
	}
	return all, parts
}

// fill turns on what is off and cannot be reached from outside.
func (m mask) fill() {
	off, parts := m.joined(^uint64(0))
	outside := make([]bool, parts)
	for _, s := range off {
		if s.y == 0 || s.y == m.h-1 || s.x0 == 0 || s.x1 == m.w {
			outside[s.part] = true
		}
	}
	for _, s := range off {
		if !outside[s.part] {
			m.turnOn(s.y, s.x0, s.x1)
		}
	}
}

// loose lays outlines round the connected parts of a mask, holes filled.
func loose(m mask) []Outline {
	m.fill()
	on, parts := m.joined(0)
	area := make([]int, parts)
	for _, s := range on {
		area[s.part] += s.x1 - s.x0
	}
	rows := make([][]span, parts) // of each part that is large enough: from the first to the last pixel of each row
	for _, s := range on {
		if area[s.part] < m.w*m.h/80 {
			continue
		}
		if r := rows[s.part]; len(r) > 0 && r[len(r)-1].y == s.y {
			r[len(r)-1].x1 = s.x1
		} else {
			rows[s.part] = append(r, s)
		}
	}
	var found []Outline
	for i, r := range rows {
		if len(r) == 0 {
			continue
		}
		points := make([]paper.Point, 0, 4*len(r))
		for _, s := range r {
			x0, x1, y0, y1 := float64(s.x0), float64(s.x1), float64(s.y), float64(s.y+1)
			points = append(points, paper.Point{X: x0, Y: y0}, paper.Point{X: x1, Y: y0}, paper.Point{X: x0, Y: y1}, paper.Point{X: x1, Y: y1})
		}
		hull := convex(points)
		if o, ok := fit(hull, float64(area[i])); ok {
			o.hull = hull
			found = append(found, o)
		}
	}
	return found
}
