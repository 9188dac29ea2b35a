package find

// #include "pixels.h"
import "C"

import (
	"cmp"
	"image"
	"math"
	"slices"
	"unsafe"
)

// Ink marks what is darker than its surroundings by contrast (0…255): local means over a window keep shadows and
// tinted paper out.
type Ink struct {
	mask
	gray *image.Gray
}

// Unstamped says that no stamp lies over the print, or that it was taken off: then large dark parts are pictures, and
// nothing is looked for in them.
func (k Ink) Unstamped() Ink {
	k.gray = nil
	return k
}

// NewInk binarises g against the local mean.
func NewInk(g *image.Gray, window, contrast int) Ink {
	b := g.Bounds()
	w, h := b.Dx(), b.Dy()
	k := Ink{newMask(w, h), g}
	if w == 0 || h == 0 {
		return k
	}
	in := bytes(g.Pix[g.PixOffset(b.Min.X, b.Min.Y):])
	inParallel(h, func(first, end int) {
		sums := make([]int32, 2*w+1+16*k.words)
		C.find_ink(in, C.ptrdiff_t(g.Stride), C.int(w), C.int(h), C.int(window/2), C.int(contrast), C.int(first), C.int(end),
			(*C.uint64_t)(unsafe.Pointer(&k.row(first)[0])), C.int(k.words), numbers(sums))
	})
	return k
}

// part is a connected group of ink.
type part struct {
	box  image.Rectangle
	area int
	torn bool // cut out of a larger part
}

// add takes in another part.
func (p *part) add(o part) {
	p.box.Min.X, p.box.Min.Y = min(p.box.Min.X, o.box.Min.X), min(p.box.Min.Y, o.box.Min.Y)
	p.box.Max.X, p.box.Max.Y = max(p.box.Max.X, o.box.Max.X), max(p.box.Max.Y, o.box.Max.Y)
	p.area += o.area
}

// parts finds the 8-connected groups.
func (m mask) parts() []part {
	out, _ := m.split(nil)
	return out
}

// Specks counts the dark parts no wider and no higher than most that lie outside all lines: dirt, or the dots of a rule.
func (k Ink) Specks(most int, lines []image.Rectangle) int {
	n := 0
	for _, p := range k.parts() {
		lone := !slices.ContainsFunc(lines, func(l image.Rectangle) bool { return p.box.Overlaps(l) })
		if lone && p.box.Dx() <= most && p.box.Dy() <= most && p.area > 1 {
			n++
		}
	}
	return n
}

// split parts the connected groups that are large, if any can be, from the others; of those it gives the runs.
func (m mask) split(large func(part) bool) ([]part, []span) {
	var all []span
	var up []int32 // union-find
	var list []part
	root := func(i int32) int32 {
		for up[i] != i {
			up[i] = up[up[i]]
			i = up[i]
		}
		return i
	}
	var above, here []span
	for y := range m.h {
		here = here[:0]
		j := 0
		for x0, x1 := range m.spans(y, 0) {
			id := int32(-1)
			for j < len(above) && above[j].x1 < x0 {
				j++
			}
			for i := j; i < len(above) && above[i].x0 <= x1; i++ {
				o := root(int32(above[i].part))
				if id < 0 {
					id = o
				} else if o != id {
					up[o] = id
					list[id].add(list[o])
				}
			}
			p := part{box: image.Rectangle{Min: image.Pt(x0, y), Max: image.Pt(x1, y+1)}, area: x1 - x0}
			if id < 0 {
				id = int32(len(list))
				up = append(up, id)
				list = append(list, p)
			} else {
				list[id].add(p)
			}
			here = append(here, span{y, x0, x1, int(id)})
		}
		if large != nil {
			all = append(all, here...)
		}
		above, here = here, above
	}
	var out []part
	huge := make([]bool, len(list))
	for i, p := range list {
		if int(up[i]) != i {
			continue
		}
		if huge[i] = large != nil && large(p); !huge[i] {
			out = append(out, p)
		}
	}
	return out, slices.DeleteFunc(all, func(s span) bool { return !huge[root(int32(s.part))] })
}

// under is the ink of runs that is darker than the runs' ink about it: print that a stamp's rim or a scratch has joined
// to itself stands out of it again, for print is the darker and both together are darker still.
func (k Ink) under(runs []span) mask {
	out := newMask(k.w, k.h)
	const cell = 16
	cw, ch := k.w/cell+1, k.h/cell+1
	sum, n := make([]int32, cw*ch), make([]int32, cw*ch)
	b := k.gray.Rect
	for _, r := range runs {
		at := k.gray.PixOffset(b.Min.X, b.Min.Y+r.y)
		row := r.y / cell * cw
		for x := r.x0; x < r.x1; x++ {
			sum[row+x/cell] += int32(k.gray.Pix[at+x])
			n[row+x/cell]++
		}
	}
	mean := make([]uint8, cw*ch)
	for y := range ch {
		for x := range cw {
			var s, m int32
			for j := max(0, y-1); j <= min(ch-1, y+1); j++ {
				for i := max(0, x-1); i <= min(cw-1, x+1); i++ {
					s, m = s+sum[j*cw+i], m+n[j*cw+i]
				}
			}
			if m > 0 {
				mean[y*cw+x] = uint8(s / m)
			}
		}
	}
	for _, r := range runs {
		at := k.gray.PixOffset(b.Min.X, b.Min.Y+r.y)
		row, dst := r.y/cell*cw, out.row(r.y)
		for x := r.x0; x < r.x1; x++ {
			if k.gray.Pix[at+x]+4 < mean[row+x/cell] {
				dst[x/64] |= 1 << (x % 64)
			}
		}
	}
	return out
}

// Lines finds lines of text between least and most pixels high, from top to bottom: rows of small parts that
// stand side by side. Photos, stamps and rules are passed over, and with them what is no wider than two letters.
func Lines(k Ink, least, most int) []image.Rectangle { return lines(k, least, most, false) }

// SheetLines is Lines for a sheet, on which a word of two letters counts ("Số:", "32") if it stands beside a line, level with it: forms and
// typewriters put wide spaces between words.
func SheetLines(k Ink, least, most int) []image.Rectangle { return lines(k, least, most, true) }

func lines(k Ink, least, most int, narrow bool) []image.Rectangle {
	letters, marks := lettersOf(k, least, most)
	rows := breakOff(withSmall(rowsOf(letters), marks, least), marks, most)
	rows = joinTorn(rows)
	rows = joinLone(rows, least)
	var out []image.Rectangle
	for _, r := range rows {
		if box, ok := r.line(rows, marks, most, narrow); ok {
			out = append(out, box)
		}
	}
	all := slices.Clone(out)
	out = slices.DeleteFunc(out, func(r image.Rectangle) bool {
		return slices.ContainsFunc(all, func(o image.Rectangle) bool { return partOf(r, o) })
	})
	slices.SortFunc(out, func(a, b image.Rectangle) int { return cmp.Compare(a.Min.Y+a.Max.Y, b.Min.Y+b.Max.Y) })
	return out
}

// partOf says whether a line is but commas and marks of a higher one in which most of it lies.
func partOf(r, line image.Rectangle) bool {
	in := r.Intersect(line)
	return line.Dy() > 3*r.Dy()/2 && line.Dx() > 4*r.Dx() && 3*in.Dx()*in.Dy() > 2*r.Dx()*r.Dy()
}

// lettersOf are the parts that may be letters, from left to right, and those that may be marks above and below them (tones, dots).
func lettersOf(k Ink, least, most int) (letters, marks []part) {
	var small, torn []part
	if k.gray == nil {
		small = k.parts()
	} else {
		var runs []span
		small, runs = k.split(func(p part) bool { return p.box.Dy() > most*3/2 })
		torn = k.under(runs).parts()
	}
	for i := range torn {
		torn[i].torn = true
	}
	code := symbol(small)
	for _, p := range append(outside(small, code), outside(torn, code)...) {
		w, h := p.box.Dx(), p.box.Dy()
		switch {
		case h < least/3 || h > most*3/2 || w > most*6 || p.area < least/2 || w > 8*h && h < least/2:
		case h < least*2/3:
			marks = append(marks, p)
		default:
			letters = append(letters, p)
		}
	}
	byLeft := func(a, b part) int { return cmp.Compare(a.box.Min.X, b.box.Min.X) }
	slices.SortFunc(letters, byLeft)
	slices.SortFunc(marks, byLeft)
	return letters, marks
}

// row is a row of letters that stand side by side.
type row struct {
	box           image.Rectangle
	core          [2]float64 // mean top and bottom of its latest letters
	last          image.Rectangle
	glyphs        int
	torn          int // of the glyphs
	tops, bottoms []int
	parts         []part
}

// rowsOf makes rows of letters, which come from left to right.
func rowsOf(letters []part) []row {
	var rows []row
	for _, p := range letters {
		best, gap := -1, 0
		for i := range rows {
			if between, fits := rows[i].takes(p); fits && (best < 0 || between < gap) {
				best, gap = i, between
			}
		}
		if best < 0 {
			r := row{box: p.box, last: p.box, glyphs: 1, core: [2]float64{float64(p.box.Min.Y), float64(p.box.Max.Y)},
				tops: []int{p.box.Min.Y}, bottoms: []int{p.box.Max.Y}, parts: []part{p}}
			if p.torn {
				r.torn = 1
			}
			rows = append(rows, r)
			continue
		}
		rows[best].add(p)
	}
	return rows
}

// Small letters of small print: a face whose x is low has them no higher than the marks of larger print, and lines of its labels fell apart
// into their capitals. In letters of the row, which are as high as its core.
const (
	smallPrint  = 1.6  // of the least height of a line: x of larger print is a letter by itself
	leastX      = 0.4  // how high x is at least
	besideX     = 0.8  // how far it stands from the row
	offBaseline = 0.25 // how far its foot is from the row's
)

// withSmall gives rows of small print the small letters that stand beside their tall ones.
func withSmall(rows []row, marks []part, least int) []row {
	used := make([]bool, len(marks))
	for i := range rows {
		r := &rows[i]
		size, foot := r.core[1]-r.core[0], r.core[1]
		if r.torn > 0 || size > smallPrint*float64(least) {
			continue
		}
		for r.addSmall(marks, used, size, foot) {
		}
	}
	return rows
}

// addSmall adds the small letters that stand right beside a row of tall ones of this size and foot, and says whether there was any. Marks
// come from left to right.
func (r *row) addSmall(marks []part, used []bool, size, foot float64) (any bool) {
	reach := int(besideX * size)
	from, _ := slices.BinarySearchFunc(marks, r.box.Min.X-3*reach, func(m part, x int) int { return cmp.Compare(m.box.Min.X, x) })
	for i := from; i < len(marks) && marks[i].box.Min.X <= r.box.Max.X+reach; i++ {
		m := marks[i].box
		beside := m.Min.X >= r.box.Max.X || m.Max.X <= r.box.Min.X && r.box.Min.X-m.Max.X <= reach
		if used[i] || !beside || float64(m.Dy()) < leastX*size || float64(m.Dx()) > 2*size || math.Abs(float64(m.Max.Y)-foot) > offBaseline*size {
			continue
		}
		used[i], any = true, true
		r.add(marks[i])
	}
	return any
}

// takes says whether a letter goes on with the row, and how far behind its last it stands.
func (r *row) takes(p part) (between int, fits bool) {
	h := p.box.Dy()
	between = p.box.Min.X - r.last.Max.X
	top, bottom := r.core[0], r.core[1]
	size := int(bottom - top)
	// Words stand a third of this apart; columns more than this.
	if between > size*11/10 || between < -size || p.torn && h > size*3/2 {
		return between, false
	}
	overlap := min(bottom, float64(p.box.Max.Y)) - max(top, float64(p.box.Min.Y))
	if overlap*2 < min(bottom-top, float64(h)) || between*5 > size*3 && overlap*4 < 3*min(bottom-top, float64(h)) {
		return between, false
	}
	return between, float64(h) <= 2.2*(bottom-top) && float64(h)*3 >= bottom-top && float64(r.box.Union(p.box).Dy()) <= 2.1*(bottom-top)
}

// add takes a letter into the row.
func (r *row) add(p part) {
	r.parts = append(r.parts, p)
	if p.torn {
		r.torn++
		if r.torn < r.glyphs { // what hangs on it of the stamp must not make the row higher
			size := r.core[1] - r.core[0]
			p.box.Min.Y = max(p.box.Min.Y, int(r.core[0]-size/3))
			p.box.Max.Y = min(p.box.Max.Y, int(r.core[1]+size/4))
			r.box, r.last = r.box.Union(p.box), p.box
			r.glyphs++
			return
		}
	}
	r.box = r.box.Union(p.box)
	r.last = p.box
	r.glyphs++
	r.tops, r.bottoms = append(r.tops, p.box.Min.Y), append(r.bottoms, p.box.Max.Y)
	share := max(0.15, 1/float64(r.glyphs))
	r.core[0] += share * (float64(p.box.Min.Y) - r.core[0])
	r.core[1] += share * (float64(p.box.Max.Y) - r.core[1])
}

// join takes another row's letters into the row.
func (r *row) join(o row) {
	r.box = r.box.Union(o.box)
	r.glyphs += o.glyphs
	r.torn += o.torn
	r.tops, r.bottoms = append(r.tops, o.tops...), append(r.bottoms, o.bottoms...)
	r.parts = append(r.parts, o.parts...)
}

// joinTorn joins rows that a wide space or a worn letter has torn where they go on: always the first row that another goes on, with the
// first that does, until there is none. Every join changes one row only, and what was tried without it is not tried again: a page of
// nothing but specks has ten thousand rows.
func joinTorn(rows []row) []row {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.box.Min.X, b.box.Min.X) })
	tried, changed := 0, -1 // of the rows before tried none goes on another, but for the changed one, which is to be held against all
	for {
		i, j := nextTorn(rows, tried, changed)
		if i < 0 {
			return rows
		}
		rows[i].join(rows[j])
		rows = slices.Delete(rows, j, j+1)
		if tried = max(tried, i+1); j < tried {
			tried--
		}
		if changed = i; j < i {
			changed--
		}
	}
}

// nextTorn finds the first row that another goes on, and that other: -1 where there is none. The rows before tried need only be held
// against the changed one.
func nextTorn(rows []row, tried, changed int) (int, int) {
	for i := range rows {
		if i < tried && i != changed {
			if changed >= 0 && rows[i].goesOn(&rows[changed]) {
				return i, changed
			}
			continue
		}
		for j := range rows {
			if i != j && rows[i].goesOn(&rows[j]) {
				return i, j
			}
		}
	}
	return -1, -1
}

// goesOn says whether another row is the rest of this.
func (r *row) goesOn(o *row) bool {
	a, b := r.box, o.box
	if (r.torn > 0 || o.torn > 0) && a.Union(b).Dy()*3 > 4*min(a.Dy(), b.Dy()) {
		return false
	}
	between := b.Min.X - a.Max.X
	overlap := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	return overlap*4 > 3*min(a.Dy(), b.Dy()) && between < max(a.Dy(), b.Dy())*4/5 && between > -a.Dx() &&
		max(a.Dy(), b.Dy()) < 2*min(a.Dy(), b.Dy())+2 && !r.printedOtherwise(o, between)
}

// Two columns of one height: print of another size begins beyond a gap. The expiry in small print under the photo stands so close before an
// address that they are one row by their gap alone.
const (
	otherSize   = 1.25 // of one row's letters to the other's
	otherGap    = 0.45 // of the larger letters between the two
	fewestSized = 5    // letters a row must have for their size to be told
)

// printedOtherwise says whether another row, so far behind this, is in letters of another size.
func (r *row) printedOtherwise(o *row, between int) bool {
	if len(r.parts) < fewestSized || len(o.parts) < fewestSized {
		return false
	}
	a, b := r.tallest(), o.tallest()
	return float64(max(a, b)) > otherSize*float64(min(a, b)) && float64(between) > otherGap*float64(max(a, b))
}

// tallest is the height of a row's tall letters: the fourth part down.
func (r *row) tallest() int {
	heights := make([]int, len(r.parts))
	for i, p := range r.parts {
		heights[i] = p.box.Dy()
	}
	slices.Sort(heights)
	return heights[len(heights)*3/4]
}

// fewestParted is how many parts a row must have that is looked at again in two halves.
const fewestParted = 6

// breakOff parts rows that are no lines, too high as they are.
func breakOff(rows []row, marks []part, most int) []row {
	var out []row
	for _, r := range rows {
		if r.box.Dy() > most*4/3 {
			if _, ok := r.line(rows, marks, most, false); !ok {
				if halves := r.parted(); halves != nil {
					out = append(out, halves...)
					continue
				}
			}
		}
		out = append(out, r)
	}
	return out
}

// parted are the two halves of a row that is no line, at its widest gap: dark parts of a photo had begun one, and print beside it went on
// with them.
func (r row) parted() []row {
	if len(r.parts) < fewestParted || r.torn > 0 {
		return nil
	}
	slices.SortFunc(r.parts, func(a, b part) int { return cmp.Compare(a.box.Min.X, b.box.Min.X) })
	at, widest := 0, 0
	end := r.parts[0].box.Max.X
	for i, p := range r.parts {
		if gap := p.box.Min.X - end; gap > widest {
			at, widest = i, gap
		}
		end = max(end, p.box.Max.X)
	}
	if at == 0 {
		return nil
	}
	return append(rowsOf(r.parts[:at]), rowsOf(r.parts[at:])...)
}

// sized says whether the row is of letters of which one may be so high.
func (r row) sized(height int) bool {
	size := int(r.core[1] - r.core[0])
	return r.glyphs >= 3 && r.torn == 0 && 2*height >= size && height <= 2*size && r.box.Dy() <= 2*height
}

// joinLone makes a figure by itself ("Tổ 6, Ấp"), which is no row, a word of the two rows between which it stands level.
func joinLone(rows []row, least int) []row {
	level := func(a, b image.Rectangle) bool {
		return 5*(min(a.Max.Y, b.Max.Y)-max(a.Min.Y, b.Min.Y)) > 3*min(a.Dy(), b.Dy())
	}
	for i := 0; i < len(rows); i++ {
		lone := rows[i].box
		if rows[i].glyphs > 2 || rows[i].torn > 0 || lone.Dy() < least {
			continue
		}
		reach := lone.Dy() * 9 / 5
		left, right := -1, -1
		for j, o := range rows {
			if j == i || !level(o.box, lone) || !o.sized(lone.Dy()) {
				continue
			}
			if gap := lone.Min.X - o.box.Max.X; gap >= 0 && gap <= reach {
				left = j
			}
			if gap := o.box.Min.X - lone.Max.X; gap >= 0 && gap <= reach {
				right = j
			}
		}
		if left < 0 || right < 0 || !level(rows[left].box, rows[right].box) {
			continue
		}
		for _, j := range []int{i, right} {
			rows[left].join(rows[j])
		}
		rows = slices.Delete(rows, max(i, right), max(i, right)+1)
		rows = slices.Delete(rows, min(i, right), min(i, right)+1)
		i = -1
	}
	return rows
}

// line is the box of a row with the marks of its letters, if it is a line of text: narrow ones count beside others, or under a label, only.
func (r row) line(rows []row, marks []part, most int, narrow bool) (box image.Rectangle, ok bool) {
	if r.torn > 0 && r.glyphs-r.torn < 3 && r.torn < 8 || r.glyphs < 2 { // a face, a fingerprint; a speck
		return box, false
	}
	// A part that touches the line above or below must not pull it in.
	slices.Sort(r.tops)
	slices.Sort(r.bottoms)
	top, bottom := r.tops[len(r.tops)/2], r.bottoms[len(r.bottoms)/2]
	if room := (bottom - top) * 2 / 5; len(r.tops) >= 6 {
		n := len(r.tops) / 12
		if r.box.Dy() > most*4/3 {
			n = max(n, 1) // one part that is none of its letters
		}
		r.box.Min.Y = max(r.box.Min.Y, r.tops[n]-room)
		r.box.Max.Y = min(r.box.Max.Y, r.bottoms[len(r.bottoms)-1-n]+room)
	}
	// Tones make a title's line higher than its letters are.
	if r.torn == 0 && (bottom-top > most || r.box.Dy() > most*4/3) {
		return box, false
	}
	if r.box.Dx() < r.box.Dy()*3/2 && !(narrow && r.word(rows, bottom-top)) && !r.labelled(rows, bottom-top) {
		return box, false
	}
	box = r.withMarks(rows, marks, bottom-top)
	return box, box.Dy() <= most*4/3
}

// word says whether a row no wider than two letters is a word beside a line.
func (r row) word(rows []row, height int) bool {
	return r.torn == 0 && r.box.Dx()*3 >= height*2 && slices.ContainsFunc(rows, func(o row) bool {
		return o.glyphs > r.glyphs && o.torn == 0 && beside(r.box, o.box, height)
	})
}

// fewestLabel is how many letters a row has at least that is a label, or a value beside which another stands.
const fewestLabel = 6

// labelled says whether a row no wider than two letters, a sex in narrow print, is a value: it stands close under a row of letters and
// level with another that is as high.
func (r row) labelled(rows []row, height int) bool {
	if r.torn > 0 || r.box.Dx()*3 < height*2 {
		return false
	}
	under := slices.ContainsFunc(rows, func(o row) bool {
		gap := r.box.Min.Y - o.box.Max.Y
		return o.glyphs >= fewestLabel && o.torn == 0 && o.box.Min.X-height <= r.box.Min.X && r.box.Max.X <= o.box.Max.X &&
			2*gap >= -height && 2*gap <= 3*height && 2*o.box.Dy() > height && o.box.Dy() < 2*height
	})
	return under && slices.ContainsFunc(rows, func(o row) bool {
		core := int(o.core[1] - o.core[0])
		overlap := min(r.box.Max.Y, o.box.Max.Y) - max(r.box.Min.Y, o.box.Min.Y)
		return o.glyphs >= fewestLabel && o.torn == 0 && overlap*4 >= height*3 && 4*core >= 3*height && 3*core <= 4*height
	})
}

// withMarks is the row's box with its marks: tones stand on hats on capitals, up to six tenths of a letter above, and belong to the
// nearest line below.
func (r row) withMarks(rows []row, marks []part, height int) image.Rectangle {
	roof := r.box.Min.Y - height*13/20
	for _, o := range rows {
		if o.glyphs >= 2 && o.box.Min.Y < r.box.Min.Y && o.box.Min.X < r.box.Max.X && o.box.Max.X > r.box.Min.X {
			roof = max(roof, min(o.box.Max.Y-height/5, r.box.Min.Y))
		}
	}
	box := r.box
	for _, m := range marks {
		if m.box.Min.X >= r.box.Min.X-r.box.Dy()/2 && m.box.Max.X <= r.box.Max.X+r.box.Dy()/2 &&
			m.box.Min.Y >= roof && m.box.Max.Y < r.box.Max.Y+r.box.Dy()*2/5 {
			box = box.Union(m.box)
		}
	}
	return box
}

// beside says whether a word stands level with a line of letters of its size and not far from it: within six heights.
func beside(word, line image.Rectangle, height int) bool {
	overlap := min(word.Max.Y, line.Max.Y) - max(word.Min.Y, line.Min.Y)
	gap := max(word.Min.X-line.Max.X, line.Min.X-word.Max.X)
	return overlap*5 >= min(word.Dy(), line.Dy())*3 && line.Dy() < 2*word.Dy() && word.Dy() < 2*line.Dy() && gap >= 0 && gap <= 6*height
}
