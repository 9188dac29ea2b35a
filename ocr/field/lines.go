// Package field takes the words read from a paper and gives its fields. It finds values by the labels printed
// beside or above them, in Vietnamese or English, however the layout lies: no position, font or size is
// assumed. Words with boxes in; the kind of paper, and values with their place, confidence and doubts out. It
// is pure: the clock comes from outside.
package field

import (
	"cmp"
	"image"
	"maps"
	"slices"
	"strings"

	"motcua/ocr/lines"
	"motcua/ocr/vn"
)

// Run is a run of words on one line without a wide gap: a label, a value, or a label with its value.
type Run struct {
	Words []lines.Word
	Box   image.Rectangle
}

// Text is the run's words with single spaces.
func (r Run) Text() string {
	var b strings.Builder
	for i, w := range r.Words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.Text)
	}
	return b.String()
}

// from is the run without the words that end left of x: dark parts of a photo that were taken for letters. A run that
// lies left of it as a whole stays as it is.
func (r Run) from(x int) Run {
	i := 0
	for i < len(r.Words) && r.Words[i].Box.Max.X < x {
		i++
	}
	if i == 0 || i == len(r.Words) {
		return r
	}
	out := Run{Words: r.Words[i:], Box: r.Words[i].Box}
	for _, w := range out.Words {
		out.Box = out.Box.Union(w.Box)
	}
	return out
}

// Runs groups words into runs, in reading order. Tesseract's own lines are not used: beside a photo it joins
// columns or tears lines.
func Runs(words []lines.Word) []Run {
	var ws []lines.Word
	for _, w := range words {
		if strings.TrimSpace(w.Text) != "" && w.Box.Dx() > 0 && w.Box.Dy() > 0 {
			ws = append(ws, w)
		}
	}
	slices.SortFunc(ws, func(a, b lines.Word) int { return cmp.Compare(a.Box.Min.X, b.Box.Min.X) })
	height := middleHeight(ws)
	edges := columns(ws, height)
	var runs []Run
	for _, w := range ws {
		begins := slices.ContainsFunc(edges, func(x int) bool { return 3*abs(w.Box.Min.X-x) <= height })
		best, least := -1, 0
		for i, r := range runs {
			if gap, ok := r.gap(w, height, begins); ok && (best < 0 || gap < least) {
				best, least = i, gap
			}
		}
		if best < 0 {
			runs = append(runs, Run{Words: []lines.Word{w}, Box: w.Box})
			continue
		}
		runs[best].Words = append(runs[best].Words, w)
		runs[best].Box = runs[best].Box.Union(w.Box)
	}
	slices.SortFunc(runs, func(a, b Run) int {
		if sameLine(a.Box, b.Box) {
			return cmp.Compare(a.Box.Min.X, b.Box.Min.X)
		}
		return cmp.Compare(a.Box.Min.Y+a.Box.Max.Y, b.Box.Min.Y+b.Box.Max.Y)
	})
	return runs
}

// gap is how far behind a run a word stands, if it can be its next: height is that of most words, begins says that lines begin where the
// word does.
func (r Run) gap(w lines.Word, height int, begins bool) (int, bool) {
	end := r.Words[len(r.Words)-1]
	last := end.Box
	between := w.Box.Min.X - last.Max.X
	size := max(min(last.Dy(), w.Box.Dy()), height*2/3)
	switch {
	case between < -size/2, between > size*9/5, !sameLine(last, w.Box):
		return 0, false
	case end.Line != w.Line && between > size/2 &&
		4*abs(last.Min.Y+last.Max.Y-w.Box.Min.Y-w.Box.Max.Y) > 2*max(last.Dy(), w.Box.Dy()):
		return 0, false // two lines of two columns may overlap; those of one stand level
	case end.Line != w.Line && len(r.Words) > 2 && float64(w.Box.Dy()) > otherSize*float64(last.Dy()) &&
		(between > size/5 || endsWithDate(r.Words)):
		return 0, false // small print of one column before larger of the next
	// A date is a column by itself: the one under the photo stands close to the address beside it, and wherever three
	// lines begin, the words there are not of the line that ends before them.
	case endsWithDate(r.Words) && (between > size*3/4 || begins && between > size/5):
		return 0, false
	case wholeDate(w.Text) && begins && r.Box.Min.X < w.Box.Min.X-2*height:
		return 0, false
	}
	return between, true
}

// otherSize is how much higher one of two lines is whose print is not of one size.
const otherSize = 1.5

// columns are the places at which three lines or more begin.
func columns(ws []lines.Word, height int) []int {
	first := map[int]int{}
	for _, w := range ws {
		if x, ok := first[w.Line]; !ok || w.Box.Min.X < x {
			first[w.Line] = w.Box.Min.X
		}
	}
	starts := slices.Sorted(maps.Values(first))
	var edges []int
	for i := 0; i < len(starts); {
		j := i
		for j < len(starts) && 3*(starts[j]-starts[i]) <= height {
			j++
		}
		if j-i >= 3 {
			edges = append(edges, starts[(i+j)/2])
		}
		i = max(j, i+1)
	}
	return edges
}

func middleHeight(ws []lines.Word) int {
	if len(ws) == 0 {
		return 0
	}
	hs := make([]int, len(ws))
	for i, w := range ws {
		hs[i] = w.Box.Dy()
	}
	slices.Sort(hs)
	return hs[len(hs)/2]
}

// sameLine says whether two boxes share most of the lower one's height.
func sameLine(a, b image.Rectangle) bool {
	overlap := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	return overlap*2 > min(a.Dy(), b.Dy())
}

// endsWithDate says whether words end with a date, or with what stands in its place on a card that does not expire.
func endsWithDate(ws []lines.Word) bool {
	last := ws[len(ws)-1]
	if wholeDate(last.Text) {
		return true
	}
	if n := len(ws); n >= 3 && vn.Plain(last.Text) == "HAN" {
		return vn.Plain(ws[n-3].Text+ws[n-2].Text) == "KHONGTHOI"
	}
	return false
}

// wholeDate says whether a word is a date with its separators.
func wholeDate(t string) bool {
	t = strings.TrimRight(t, ".,")
	if len(t) != 10 || t[2] != t[5] || t[2] != '/' && t[2] != '-' && t[2] != '.' {
		return false
	}
	for i := range len(t) {
		if i != 2 && i != 5 && (t[i] < '0' || t[i] > '9') {
			return false
		}
	}
	return true
}
