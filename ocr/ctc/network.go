// Package ctc reads one line of print by a small convolutional network of this project's own, trained on drawn lines
// (ocr/lab/lines) of Vietnamese papers. In goes a strip of pixels that holds one line, out come its letters, each with its
// place and the network's probability of it. It takes about 1/13 of Tesseract's time for a line, and, being another
// kind of reader that learned from other lines, it seldom makes the same mistake: where the two agree a value is far
// surer than either makes it.
//
// The network: convolutions and poolings down to one row at a quarter of the width, four residual steps along the
// line, and a score for every sign and the blank at each place, read by connectionist temporal classification (Graves
// et al. 2006). A Network holds no state between lines and is safe for concurrent use.
package ctc

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lm
#include "layers.h"
*/
import "C"

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:embed network.bin
var weights []byte

// Load gives the network that the program carries.
func Load() (*Network, error) { return loaded() }

var loaded = sync.OnceValues(func() (*Network, error) {
	limit(0)
	return parse(weights)
})

// layer is one set of weights, outputs filled up to a multiple of eight.
type layer struct {
	weights []int16   // [inputs/2][outputs][2]
	worth   []float32 // of one whole weight, for each output
	bias    []float32
	out     int // channels with the filling
}

// depth is a layer's weights along the line, one channel at a time: [7][channels].
type depth struct{ weights, bias []float32 }

// most is the largest whole number that stands for what a layer reads.
const most = 4095

// whole brings weights, [inputs][outputs], to whole numbers: each output's as fine as 16 bits hold and no sum of products
// overflows 32.
func whole(weights []float32, out int) (w []int16, worth []float32) {
	k := len(weights) / out
	w, worth = make([]int16, len(weights)), make([]float32, out)
	for o := range out {
		var top, sum float64
		for i := range k {
			v := math.Abs(float64(weights[i*out+o]))
			top, sum = max(top, v), sum+v
		}
		if top == 0 {
			continue
		}
		by := min(math.MaxInt16/top, float64(math.MaxInt32/most-k)/sum)
		worth[o] = float32(1 / by)
		for i := range k {
			w[(i/2*out+o)*2+i%2] = int16(math.Round(float64(weights[i*out+o]) * by))
		}
	}
	return w, worth
}

// Network is the trained network.
type Network struct {
	convs     [5]layer
	deep      []depth
	point     []layer
	dilations []int
	scores    layer
	classes   int
	scratches sync.Pool // of *scratch
}

func eights(n int) int { return (n + 7) &^ 7 }

// parse reads what train.py wrote: a head of shapes, then half floats, layer by layer, in PyTorch's order of axes.
func parse(b []byte) (*Network, error) {
	const head = 4 + 8*2
	if len(b) < head || string(b[:4]) != "mctc" {
		return nil, fmt.Errorf("load line network: not a network")
	}
	shape := make([]int, 8)
	for i := range shape {
		shape[i] = int(binary.LittleEndian.Uint16(b[4+2*i:]))
	}
	height, widths, blocks, classes := shape[0], shape[1:6], shape[6], shape[7]
	if height != Height || classes != len(Signs)+1 || len(b) < head+2*blocks {
		return nil, fmt.Errorf("load line network: it was trained for %d rows and %d signs, not for %d and %d", height, classes-1, Height,
			len(Signs))
	}
	n := &Network{classes: classes}
	for i := range blocks {
		n.dilations = append(n.dilations, int(binary.LittleEndian.Uint16(b[head+2*i:])))
	}
	r := weightReader{left: b[head+2*blocks:]}
	in := 1
	for i, out := range widths {
		taps := 9
		if i == 4 {
			taps = 15
		}
		n.convs[i] = r.conv(in, out, taps)
		in = out
	}
	for range blocks {
		n.deep = append(n.deep, r.depth(in))
		n.point = append(n.point, r.conv(in, in, 1))
	}
	n.scores = r.conv(in, classes, 1)
	if r.short || len(r.left) != 0 {
		return nil, fmt.Errorf("load line network: its length does not fit its shape")
	}
	return n, nil
}

// weightReader takes layers from the half floats behind a network's head.
type weightReader struct {
	left  []byte
	short bool // more was asked for than there is; what is missing was given as zeros
}

func (r *weightReader) take(k int) []float32 {
	out := make([]float32, k)
	if len(r.left) < 2*k {
		r.short = true
		return out
	}
	for i := range out {
		out[i] = half(binary.LittleEndian.Uint16(r.left[2*i:]))
	}
	r.left = r.left[2*k:]
	return out
}

// conv turns [out][in][rows of three taps] into [rows][three taps][in][out]; inputs and outputs are filled up, or if there
// is one input the taps to four.
func (r *weightReader) conv(in, out, taps int) layer {
	inFilled, outFilled, row := eights(in), eights(out), 3*eights(in)
	if in == 1 {
		inFilled, row = 1, 4
	}
	raw := r.take(out * in * taps)
	weights := make([]float32, (taps+2)/3*row*outFilled)
	for o := range out {
		for i := range in {
			for t := range taps {
				weights[(t/3*row+t%3*inFilled+i)*outFilled+o] = raw[(o*in+i)*taps+t]
			}
		}
	}
	if taps == 1 {
		weights = weights[:inFilled*outFilled]
	}
	l := layer{bias: make([]float32, outFilled), out: outFilled}
	l.weights, l.worth = whole(weights, outFilled)
	copy(l.bias, r.take(out))
	return l
}

// depth turns [channels][7] into [7][channels], channels filled up.
func (r *weightReader) depth(channels int) depth {
	raw := r.take(channels * 7)
	d := depth{make([]float32, 7*eights(channels)), make([]float32, eights(channels))}
	for c := range channels {
		for t := range 7 {
			d.weights[t*eights(channels)+c] = raw[c*7+t]
		}
	}
	copy(d.bias, r.take(channels))
	return d
}

// half is an IEEE 754 binary16.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	if exp == 0 {
		v := float32(frac) / (1 << 24)
		if sign != 0 {
			v = -v
		}
		return v
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// limit makes the layers run as on an older processor: 1 on one that has AVX2, 2 on any. Tests of the layers alone use it; a whole
// program is limited by GODEBUG=cpu.avx2=off and the like, which cpu.X86 obeys.
func limit(to int) {
	var use C.uint
	if x := cpu.X86; x.HasAVX2 && x.HasFMA && to < 2 {
		use |= C.CTC_AVX2
		if x.HasAVXVNNI && to < 1 {
			use |= C.CTC_AVXVNNI
		}
		if x.HasAVX512F && x.HasAVX512VNNI && to < 1 {
			use |= C.CTC_AVX512
		}
	}
	C.ctc_use(use)
}

func floats(v []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(v))) }
func shorts(v []int16) *C.int16_t { return (*C.int16_t)(unsafe.Pointer(unsafe.SliceData(v))) }

// input is what a layer reads: whole numbers, and what one of them is worth.
type input struct {
	v     []int16
	worth float32
}

// rows computes n places of a layer; taps segments of length numbers are read for each, from at on.
func (l layer) rows(s *scratch, in input, at, row, step, taps, length, n int, out []float32, relu bool, add []float32) {
	r := C.int(0)
	if relu {
		r = 1
	}
	scale := s.scale[:l.out]
	for o, w := range l.worth {
		scale[o] = w * in.worth
	}
	C.ctc_rows(shorts(in.v[at:]), C.ptrdiff_t(row), C.int(step), C.int(taps), C.int(length), shorts(l.weights),
		floats(scale), floats(l.bias), C.int(n), C.int(l.out), floats(out), r, floats(add))
}

// pooled computes a layer of three by three taps over a plane, of which in are the numbers, and takes the largest of each block of
// pool[0] columns and pool[1] rows.
func (l layer) pooled(s *scratch, in input, p plane, segment int, pool [2]int, out plane) {
	line := s.lines[0].floats(pool[1] * p.w * l.out)
	for y := range out.h {
		for k := range pool[1] {
			l.rows(s, in, p.at(-1, pool[1]*y+k-1), (p.w+2)*p.c, p.c, 3, segment, p.w, line[k*p.w*l.out:], true, nil)
		}
		C.ctc_pool(floats(line), C.int(p.w), C.int(l.out), C.int(pool[0]), C.int(pool[1]), floats(out.v[out.at(0, y):]))
	}
}

// whole brings numbers, none negative, to what a layer reads.
func (s *scratch) whole(v []float32) input {
	if cap(s.input) < len(v) {
		s.input = make([]int16, len(v)+len(v)/4)
	}
	in := s.input[:len(v)]
	return input{in, float32(C.ctc_whole(floats(v), C.size_t(len(v)), most, shorts(in)))}
}

// plane is h rows of w places with c channels, a row and a column of zeros around it.
type plane struct {
	h, w, c int
	v       []float32
}

// plane lays one over a buffer that may hold another line's: its border is cleared, all else will be written.
func (b *buffer) plane(h, w, c int) plane {
	p := plane{h, w, c, b.floats((h + 2) * (w + 2) * c)}
	row := (w + 2) * c
	clear(p.v[:row])
	clear(p.v[(h+1)*row:])
	for y := 1; y <= h; y++ {
		clear(p.v[y*row : y*row+c])
		clear(p.v[(y+1)*row-c : (y+1)*row])
	}
	return p
}

func (p plane) at(x, y int) int { return ((y+1)*(p.w+2) + x + 1) * p.c }

// buffer is memory that is used again for the next line: a page has some forty, of a megabyte each.
type buffer []float32

func (b *buffer) floats(n int) []float32 {
	if cap(*b) < n {
		*b = make([]float32, n+n/4)
	}
	return (*b)[:n]
}

// scratch is what run needs for one line.
type scratch struct {
	picture, input []int16
	scale          [256]float32
	planes         [4]buffer
	lines          [5]buffer
}

// pixels lays a strip into a plane of whole numbers.
func (s *scratch) pixels(strip *image.Gray, w int) input {
	const behind = 1 // the fourth of three taps, times nothing
	h := strip.Rect.Dy()
	if n := (h+2)*(w+2) + behind; cap(s.picture) < n {
		s.picture = make([]int16, n+n/4)
	}
	in := s.picture[:(h+2)*(w+2)+behind]
	clear(in)
	for y := range h {
		for x, v := range strip.Pix[y*strip.Stride : y*strip.Stride+strip.Rect.Dx()] {
			in[(y+1)*(w+2)+x+1] = int16(v)
		}
	}
	return input{in, 1.0 / 255}
}

// run gives the logarithms of the probabilities of all classes at each place, a quarter as many as the strip, which
// Prepare made, has columns. They lie in s.
func (n *Network) run(s *scratch, strip *image.Gray) (scores []float32, places int) {
	p := plane{h: Height, w: (strip.Rect.Dx() + 3) / 4 * 4, c: 1}
	in, segment := s.pixels(strip, p.w), 4
	for i, pool := range [3][2]int{{2, 2}, {2, 2}, {1, 2}} {
		l := n.convs[i]
		out := s.planes[i].plane(p.h/pool[1], p.w/pool[0], l.out)
		l.pooled(s, in, p, segment, pool, out)
		p, in, segment = out, s.whole(out.v), 3*l.out
	}
	l := n.convs[3]
	out := s.planes[3].plane(p.h, p.w, l.out)
	for y := range p.h {
		l.rows(s, in, p.at(-1, y-1), (p.w+2)*p.c, p.c, 3, segment, p.w, out.v[out.at(0, y):], true, nil)
	}
	p, in = out, s.whole(out.v)
	places = p.w
	l = n.convs[4]
	x := s.lines[1].floats(places * l.out)
	l.rows(s, in, p.at(-1, 0), (p.w+2)*p.c, p.c, 5, 3*p.c, places, x, true, nil)
	y, z := s.lines[2].floats(len(x)), s.lines[3].floats(len(x))
	for i, d := range n.dilations {
		C.ctc_deep(floats(x), C.int(places), C.int(l.out), C.int(d), floats(n.deep[i].weights), floats(n.deep[i].bias), floats(y))
		n.point[i].rows(s, s.whole(y), 0, 0, l.out, 1, l.out, places, z, true, x)
		x, z = z, x
	}
	scores = s.lines[4].floats(places * n.scores.out)
	n.scores.rows(s, s.whole(x), 0, 0, l.out, 1, l.out, places, scores, false, nil)
	normalise(scores, places, n.scores.out, n.classes)
	return scores, places
}

// normalise turns the scores of places into logarithms of probabilities.
func normalise(scores []float32, places, stride, classes int) {
	C.ctc_normalise(floats(scores), C.int(places), C.int(stride), C.int(classes))
}
