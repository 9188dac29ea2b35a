package field

import (
	"cmp"
	"image"
	"slices"

	"motcua/ocr/lines"
)

// What makes two columns of running text of print that stands side by side, rather than a form's or a table's rows, which
// are read across. In heights of a word, lines, words and shares; taught by two-column pages and by the tables of official forms.
const (
	gutterWidth   = 0.4 // heights: how wide the white between two columns is at least; words stand a third apart
	columnLines   = 5   // lines that each column has at least
	columnWords   = 3   // words of its middle line at least
	columnFilled  = 0.6 // share of the column that its middle line fills at least
	columnsBeside = 0.5 // share of the shorter column that stands beside the other at least
)

// InOrder groups words into runs as Runs does, in the order in which people read them: row by row, but running text that is set in
// columns one column after the other.
func InOrder(words []lines.Word) []Run {
	var out []Run
	for _, part := range parts(words, middleHeight(words)) {
		out = append(out, Runs(part)...)
	}
	return out
}

// parts cuts words where the pair of columns with the most white between them stands: above, left, right, below, each cut further.
func parts(words []lines.Word, height int) [][]lines.Word {
	best, most := columnPair{}, 0
	for _, x := range gutters(words, height) {
		for _, c := range pairs(words, x, height) {
			if w := c.white(); w > most && c.prose() {
				best, most = c, w
			}
		}
	}
	if most == 0 {
		return [][]lines.Word{words}
	}
	var out [][]lines.Word
	for _, part := range [][]lines.Word{best.above, best.left, best.right, best.below} {
		if len(part) > 0 {
			out = append(out, parts(part, height)...)
		}
	}
	return out
}

// gutters are the places between words that may part columns.
func gutters(words []lines.Word, height int) []int {
	var out []int
	for _, w := range words {
		left := -1 // the nearest word's end on the left
		for _, o := range words {
			if o.Box.Max.X <= w.Box.Min.X && sameLine(o.Box, w.Box) {
				left = max(left, o.Box.Max.X)
			}
		}
		if left >= 0 && float64(w.Box.Min.X-left) >= gutterWidth*float64(height) {
			out = append(out, w.Box.Min.X-int(gutterWidth*float64(height)/2))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// columnPair is the words on either side of a gutter as far up and down as none crosses it, and those above and below.
type columnPair struct{ above, left, right, below []lines.Word }

// pairs are the stretches of a gutter between the words that cross it.
func pairs(words []lines.Word, x, height int) []columnPair {
	half := int(gutterWidth * float64(height) / 2)
	sorted := slices.SortedFunc(slices.Values(words), func(a, b lines.Word) int {
		return cmp.Compare(a.Box.Min.Y+a.Box.Max.Y, b.Box.Min.Y+b.Box.Max.Y)
	})
	crosses := func(b image.Rectangle) bool { return b.Min.X < x+half-1 && b.Max.X > x-half+1 }
	var out []columnPair
	for from := 0; from < len(sorted); {
		if crosses(sorted[from].Box) {
			from++
			continue
		}
		to := from
		for to < len(sorted) && !crosses(sorted[to].Box) {
			to++
		}
		// A line that crosses takes its other words with it.
		first, last := from, to
		for first < last && from > 0 && sameLine(sorted[from-1].Box, sorted[first].Box) {
			first++
		}
		for last > first && to < len(sorted) && sameLine(sorted[to].Box, sorted[last-1].Box) {
			last--
		}
		c := columnPair{above: sorted[:first], below: sorted[last:]}
		for _, w := range sorted[first:last] {
			if w.Box.Max.X <= x {
				c.left = append(c.left, w)
			} else {
				c.right = append(c.right, w)
			}
		}
		out = append(out, c)
		from = to
	}
	return out
}

func extent(words []lines.Word) image.Rectangle {
	var out image.Rectangle
	for _, w := range words {
		out = out.Union(w.Box)
	}
	return out
}

// white is the area of the gutter.
func (c columnPair) white() int {
	a, b := extent(c.left), extent(c.right)
	return (b.Min.X - a.Max.X) * min(a.Dy(), b.Dy())
}

// prose says whether both sides are running text.
func (c columnPair) prose() bool {
	a, b := extent(c.left), extent(c.right)
	beside := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	return float64(beside) >= columnsBeside*float64(min(a.Dy(), b.Dy())) && isColumn(c.left) && isColumn(c.right)
}

func isColumn(words []lines.Word) bool {
	slices.SortStableFunc(words, func(a, b lines.Word) int {
		return cmp.Compare(a.Box.Min.Y+a.Box.Max.Y, b.Box.Min.Y+b.Box.Max.Y)
	})
	var counts, widths []int
	for from := 0; from < len(words); {
		to := from + 1
		for to < len(words) && sameLine(words[from].Box, words[to].Box) {
			to++
		}
		counts = append(counts, to-from)
		widths = append(widths, extent(words[from:to]).Dx())
		from = to
	}
	if len(counts) < columnLines {
		return false
	}
	slices.Sort(counts)
	slices.Sort(widths)
	return counts[len(counts)/2] >= columnWords &&
		float64(widths[len(widths)/2]) >= columnFilled*float64(extent(words).Dx())
}
