package mrz

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"image"
	"math"
	"slices"
	"strings"
	"sync"
)

// Signs are the 37 signs of an MRZ, in the order of the classifier's outputs.
const Signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// A sign is looked at as CellW × CellH values: 0 paper, 1 ink.
const (
	CellW  = 14
	CellH  = 20
	hidden = 72
)

// glyphs.bin holds the classifier's weights, made by `go run ./ocr/lab/mrz`: per row a float32 scale and int8 weights,
// the last of them the bias.
//
//go:embed glyphs.bin
var weights []byte

type layer struct {
	in, out int
	w       []float32 // out rows of in+1
}

type network [2]layer

var load = sync.OnceValues(func() (network, error) {
	n := network{{in: CellW * CellH, out: hidden}, {in: hidden, out: len(Signs)}}
	b := weights
	for i := range n {
		l := &n[i]
		for range l.out {
			if len(b) < 4+l.in+1 {
				return n, errors.New("load classifier of machine readable zones: too short")
			}
			scale := math.Float32frombits(binary.LittleEndian.Uint32(b))
			for _, v := range b[4 : 4+l.in+1] {
				l.w = append(l.w, scale*float32(int8(v)))
			}
			b = b[4+l.in+1:]
		}
	}
	return n, nil
})

func (l layer) apply(x, y []float32) {
	for o := range y {
		row := l.w[o*(l.in+1) : (o+1)*(l.in+1)]
		s := row[l.in]
		for i, v := range x[:l.in] {
			s += row[i] * v
		}
		y[o] = s
	}
}

// classify gives the logit of each sign.
func (n network) classify(cell []float32) []float32 {
	h := make([]float32, hidden)
	n[0].apply(cell, h)
	for i, v := range h {
		h[i] = max(v, 0)
	}
	out := make([]float32, len(Signs))
	n[1].apply(h, out)
	return out
}

// Line is one line as read from pixels.
type Line struct {
	Text string
	Conf []float64 // of each sign, 0…1
}

// Read reads lines of an MRZ from pixels: boxes are its lines from top to bottom, as found, upright. The signs stand at
// equal steps; where they begin and how long a step is, is found by where the ink leaves gaps.
func Read(img *image.Gray, boxes []image.Rectangle) []Line {
	net, err := load()
	if err != nil || len(boxes) < 2 {
		return nil
	}
	widths := []int{44, 36} // passports and most visas, larger cards
	if len(boxes) >= 3 {
		widths = []int{30}
		boxes = boxes[:3]
	}
	// All lines are of one length; where noise was taken for part of one, most of them say better.
	var lefts, rights []int
	for _, b := range boxes {
		lefts, rights = append(lefts, b.Min.X), append(rights, b.Max.X)
	}
	slices.Sort(lefts)
	slices.Sort(rights)
	left, right := lefts[(len(lefts)-1)/2], rights[len(rights)/2]
	rows := make([]row, len(boxes))
	for i, b := range boxes {
		rows[i] = newRow(img, image.Rect(left, b.Min.Y, right, b.Max.Y))
	}
	steps, at, step, least := 0, 0.0, 0.0, math.Inf(1)
	for _, n := range widths {
		if a, s, ink := grid(rows, n); ink < least {
			steps, at, step, least = n, a, s, ink
		}
	}
	out := make([]Line, len(rows))
	cell := make([]float32, CellW*CellH)
	head := "" // how the first line begins: what may stand where depends on it
	for i, r := range rows {
		var text []byte
		var conf []float64
		for k := range steps {
			r.cell(img, at+float64(k)*step, step, cell)
			logits := net.classify(cell)
			allowed := place(steps, i, k, head)
			best, sum := -1, 0.0
			for s, v := range logits {
				if allowed(Signs[s]) && (best < 0 || v > logits[best]) {
					best = s
				}
			}
			for s, v := range logits {
				if allowed(Signs[s]) {
					sum += math.Exp(float64(v - logits[best]))
				}
			}
			text = append(text, Signs[best])
			if i == 0 && k < 5 {
				head = string(text)
			}
			conf = append(conf, 1/sum)
		}
		out[i] = Line{string(text), conf}
	}
	return out
}

// What may stand at a position of an MRZ.
func isDigit(c byte) bool          { return c >= '0' && c <= '9' }
func isLetter(c byte) bool         { return c >= 'A' && c <= 'Z' }
func isAny(byte) bool              { return true }
func isDigitOrFiller(c byte) bool  { return isDigit(c) || c == '<' }
func isLetterOrFiller(c byte) bool { return isLetter(c) || c == '<' }
func isSex(c byte) bool            { return c == 'M' || c == 'F' || c == '<' }

// place says what may stand at a position: ICAO 9303 fixes letters and digits for most, a Vietnamese card's number for more.
// head is what was read of the first line's first five signs.
func place(steps, line, k int, head string) func(byte) bool {
	switch {
	case steps == 30 && line == 0:
		return placeTD1First(k, strings.HasSuffix(head, Vietnam))
	case steps == 30 && line == 1:
		return placeTD1Second(k)
	case steps == 30 || line == 0:
		return isLetterOrFiller // the names
	}
	return placeSecond(steps, k, strings.HasPrefix(head, "V"))
}

// placeTD1First is place for the first line of a card (part 5, TD1); home: issued in Vietnam, whose number goes on behind its
// check digit.
func placeTD1First(k int, home bool) func(byte) bool {
	switch {
	case k < 5:
		return isLetterOrFiller
	case home && k == 29:
		return isDigit
	case home || k == 14:
		return isDigitOrFiller
	}
	return isAny
}

// placeTD1Second is place for a card's second line.
func placeTD1Second(k int) func(byte) bool {
	switch {
	case k < 7, k >= 8 && k < 15, k == 29:
		return isDigit
	case k == 7:
		return isSex
	case k < 18:
		return isLetterOrFiller
	}
	return isAny
}

// placeSecond is place for the second line of passports, larger cards and visas (parts 4, 6 and 7). A visa has no check digits at
// its end.
func placeSecond(steps, k int, visa bool) func(byte) bool {
	switch {
	case k == 9:
		return isDigitOrFiller
	case k >= 13 && k < 20, k >= 21 && k < 28, k == steps-1 && !visa:
		return isDigit
	case k >= 10 && k < 13:
		return isLetterOrFiller
	case k == 20:
		return isSex
	case k == 42 && !visa:
		return isDigitOrFiller
	}
	return isAny
}

// row is one line's band of pixels with its contrast and slope.
type row struct {
	box       image.Rectangle
	ink       []float64 // of each column
	paper     float64
	black     float64
	slope     float64 // pixels down per pixel right
	top, high float64 // of the signs at the box's left edge
}

func newRow(img *image.Gray, box image.Rectangle) row {
	r := row{box: box.Intersect(img.Bounds())}
	box = r.box
	var hist [256]int
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for _, v := range img.Pix[img.PixOffset(box.Min.X, y) : img.PixOffset(box.Max.X-1, y)+1] {
			hist[v]++
		}
	}
	n := box.Dx() * box.Dy()
	r.black, r.paper = quantile(hist[:], n*4/100), quantile(hist[:], n*75/100)
	r.ink = make([]float64, box.Dx())
	r.slope = 0
	r.top, r.high = float64(box.Min.Y), float64(box.Dy())
	// The band may slope: compare the ink's middle on the left and on the right.
	middle := func(x0, x1 int) (float64, bool) {
		sum, weight := 0.0, 0.0
		for y := box.Min.Y; y < box.Max.Y; y++ {
			for x := x0; x < x1; x++ {
				d := r.dark(img.Pix[img.PixOffset(x, y)])
				if d > 0.5 {
					sum += d * float64(y)
					weight += d
				}
			}
		}
		return sum / max(weight, 1e-9), weight > 20
	}
	w := box.Dx()
	a, okA := middle(box.Min.X, box.Min.X+w/4)
	b, okB := middle(box.Max.X-w/4, box.Max.X)
	if okA && okB && math.Abs(b-a) > 1.5 && math.Abs(b-a) < float64(box.Dy())*0.6 {
		r.slope = (b - a) / (float64(w) * 0.75)
		drift := r.slope * float64(w)
		r.high -= math.Abs(drift)
		if drift < 0 {
			r.top -= drift
		}
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		src := img.Pix[img.PixOffset(box.Min.X, y):]
		for x := range r.ink {
			r.ink[x] += r.dark(src[x])
		}
	}
	return r
}

func quantile(hist []int, n int) float64 {
	for v, c := range hist {
		if n -= c; n < 0 {
			return float64(v)
		}
	}
	return 255
}

func (r row) dark(v uint8) float64 {
	return min(1, max(0, (r.paper-float64(v))/max(r.paper-r.black, 20)))
}

// grid finds where the first sign's cell begins, how wide a cell is, and how much ink lies on a border between two cells.
func grid(rows []row, steps int) (at, step, ink float64) {
	left, w := float64(rows[0].box.Min.X), float64(rows[0].box.Dx())
	columns := make([]float64, rows[0].box.Dx())
	for _, r := range rows {
		for x, v := range r.ink {
			columns[x] += v
		}
	}
	// Little ink on the borders between cells, much in their middles.
	sums := make([]float64, len(columns)+1)
	for i, v := range columns {
		sums[i+1] = sums[i] + v
	}
	between := func(a, b float64) float64 {
		i, j := int(math.Round(a)), int(math.Round(b))
		i, j = min(max(i, 0), len(columns)), min(max(j, 0), len(columns))
		return sums[j] - sums[i]
	}
	best := math.Inf(-1)
	for share := 0.10; share <= 0.62; share += 0.02 { // of a cell that is empty at the two ends together
		s := w / (float64(steps) - share)
		for off := -share * s; off <= 0.001; off += s * 0.02 {
			score := 0.0
			for k := 0; k <= steps; k++ {
				x := off + float64(k)*s
				score -= between(x-s*0.1, x+s*0.1)
			}
			if score > best {
				best, at, step = score, left+off, s
			}
		}
	}
	return at, step, -best / (step * float64(steps+1))
}

// cell samples one sign, stretched to the classifier's size.
func (r row) cell(img *image.Gray, x, step float64, out []float32) {
	b := img.Bounds()
	// A little of the neighbourhood above and below is kept, so that a band found too narrow does no harm.
	pad := r.high * 0.06
	top := r.top - pad + r.slope*(x+step/2-float64(r.box.Min.X))
	high := r.high + 2*pad
	for j := range CellH {
		y0, y1 := top+high*float64(j)/CellH, top+high*float64(j+1)/CellH
		for i := range CellW {
			x0, x1 := x+step*float64(i)/CellW, x+step*float64(i+1)/CellW
			sum, n := 0.0, 0.0
			for y := int(y0); y <= int(y1-1e-9); y++ {
				for xx := int(x0); xx <= int(x1-1e-9); xx++ {
					if xx < b.Min.X || y < b.Min.Y || xx >= b.Max.X || y >= b.Max.Y {
						continue
					}
					wx := min(x1, float64(xx+1)) - max(x0, float64(xx))
					wy := min(y1, float64(y+1)) - max(y0, float64(y))
					sum += r.dark(img.Pix[img.PixOffset(xx, y)]) * wx * wy
					n += wx * wy
				}
			}
			v := 0.0
			if n > 0 {
				v = sum / n
			}
			out[j*CellW+i] = float32(v)
		}
	}
}
