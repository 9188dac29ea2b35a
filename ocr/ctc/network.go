// Package ctc reads one line of print by a small convolutional network of this project's own, trained on drawn lines
// (train) of Vietnamese papers. In goes a strip of pixels that holds one line, out come its letters, each with its
// place and the network's probability of it. It takes about 1/8 of Tesseract's time for a line, and, being another
// kind of reader that learned from other lines, it seldom makes the same mistake: where the two agree a value is far
// surer than either makes it.
//
// The network: convolutions and poolings down to one row at a quarter of the width, four residual steps along the
// line, and a score for every sign and the blank at each place, read by connectionist temporal classification (Graves
// et al. 2006). A Network holds no state between lines and is safe for concurrent use.
package ctc

/*
#cgo CFLAGS: -O3
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
)

//go:embed network.bin
var weights []byte

// Load gives the network that the program carries.
func Load() (*Network, error) { return loaded() }

var loaded = sync.OnceValues(func() (*Network, error) { return parse(weights) })

// layer is one set of weights as [inputs][outputs], outputs filled up to a multiple of eight.
type layer struct {
	weights, bias []float32
	out           int // channels with the filling
}

// Network is the trained network.
type Network struct {
	convs     [5]layer
	deep      []layer
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
		return nil, fmt.Errorf("load line network: it was trained for %d rows and %d signs, not for %d and %d", height, classes-1, Height, len(Signs))
	}
	n := &Network{classes: classes}
	for i := range blocks {
		n.dilations = append(n.dilations, int(binary.LittleEndian.Uint16(b[head+2*i:])))
	}
	b = b[head+2*blocks:]
	short := false
	take := func(k int) []float32 {
		out := make([]float32, k)
		if len(b) < 2*k {
			short = true
			return out
		}
		for i := range out {
			out[i] = half(binary.LittleEndian.Uint16(b[2*i:]))
		}
		b = b[2*k:]
		return out
	}
	// conv turns [out][in][taps] into [taps][in][out], both filled up.
	conv := func(in, out, taps int) layer {
		inFilled, outFilled := eights(in), eights(out)
		if in == 1 {
			inFilled = 1
		}
		raw := take(out * in * taps)
		l := layer{make([]float32, taps*inFilled*outFilled), make([]float32, outFilled), outFilled}
		for o := range out {
			for i := range in {
				for t := range taps {
					l.weights[(t*inFilled+i)*outFilled+o] = raw[(o*in+i)*taps+t]
				}
			}
		}
		copy(l.bias, take(out))
		return l
	}
	in := 1
	for i, out := range widths {
		taps := 9
		if i == 4 {
			taps = 15
		}
		n.convs[i] = conv(in, out, taps)
		in = out
	}
	for range blocks {
		raw := take(in * 7)
		l := layer{make([]float32, 7*eights(in)), make([]float32, eights(in)), eights(in)}
		for c := range in {
			for t := range 7 {
				l.weights[t*l.out+c] = raw[c*7+t]
			}
		}
		copy(l.bias, take(in))
		n.deep = append(n.deep, l)
		n.point = append(n.point, conv(in, in, 1))
	}
	n.scores = conv(in, classes, 1)
	if short || len(b) != 0 {
		return nil, fmt.Errorf("load line network: its length does not fit its shape")
	}
	return n, nil
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

// narrow makes the layers run as on a processor without AVX2; for tests.
func narrow(on bool) {
	if on {
		C.ctc_narrow(1)
	} else {
		C.ctc_narrow(0)
	}
}

func rows(in []float32, at, row, step, taps, length int, l layer, n int, out []float32, relu bool, add []float32) {
	r := C.int(0)
	if relu {
		r = 1
	}
	var more *C.float
	if add != nil {
		more = (*C.float)(unsafe.Pointer(&add[0]))
	}
	C.ctc_rows((*C.float)(unsafe.Pointer(&in[at])), C.ptrdiff_t(row), C.int(step), C.int(taps), C.int(length), (*C.float)(unsafe.Pointer(&l.weights[0])),
		(*C.float)(unsafe.Pointer(&l.bias[0])), C.int(n), C.int(l.out), (*C.float)(unsafe.Pointer(&out[0])), r, more)
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

// buffer is memory that is used again for the next line: a page has some forty, of a megabyte each.
type buffer []float32

func (b *buffer) floats(n int) []float32 {
	if cap(*b) < n {
		*b = make([]float32, n+n/4)
	}
	return (*b)[:n]
}

// scratch is what run needs for one line.
type scratch struct{ planes, lines [5]buffer }

func (p plane) at(x, y int) int { return ((y+1)*(p.w+2) + x + 1) * p.c }

// run gives the logarithms of the probabilities of all classes at each place, a quarter as many as the strip, which
// Prepare made, has columns. They lie in s.
func (n *Network) run(s *scratch, strip *image.Gray) (scores []float32, places int) {
	w := (strip.Rect.Dx() + 3) / 4 * 4
	in := s.planes[0].plane(Height, w, 1)
	for y := range Height {
		dst := in.v[in.at(0, y):][:w]
		line := strip.Pix[y*strip.Stride : y*strip.Stride+strip.Rect.Dx()]
		for x, v := range line {
			dst[x] = float32(v) / 255
		}
		clear(dst[len(line):])
	}
	pools := [3][2]int{{2, 2}, {2, 2}, {1, 2}}
	for i, pool := range pools {
		l := n.convs[i]
		out := s.planes[i+1].plane(in.h/pool[1], in.w/pool[0], l.out)
		line := s.lines[0].floats(pool[1] * in.w * l.out)
		for y := range out.h {
			for k := range pool[1] {
				rows(in.v, in.at(-1, pool[1]*y+k-1), (in.w+2)*in.c, in.c, 3, 3*in.c, l, in.w, line[k*in.w*l.out:], true, nil)
			}
			C.ctc_pool((*C.float)(unsafe.Pointer(&line[0])), C.int(in.w), C.int(l.out), C.int(pool[0]), C.int(pool[1]), (*C.float)(unsafe.Pointer(&out.v[out.at(0, y)])))
		}
		in = out
	}
	l := n.convs[3]
	out := s.planes[4].plane(in.h, in.w, l.out)
	for y := range in.h {
		rows(in.v, in.at(-1, y-1), (in.w+2)*in.c, in.c, 3, 3*in.c, l, in.w, out.v[out.at(0, y):], true, nil)
	}
	in = out
	places = in.w
	l = n.convs[4]
	x := s.lines[1].floats(places * l.out)
	rows(in.v, in.at(-1, 0), (in.w+2)*in.c, in.c, 5, 3*in.c, l, places, x, true, nil)
	y, z := s.lines[2].floats(len(x)), s.lines[3].floats(len(x))
	for i, d := range n.dilations {
		C.ctc_deep((*C.float)(unsafe.Pointer(&x[0])), C.int(places), C.int(l.out), C.int(d), (*C.float)(unsafe.Pointer(&n.deep[i].weights[0])),
			(*C.float)(unsafe.Pointer(&n.deep[i].bias[0])), (*C.float)(unsafe.Pointer(&y[0])))
		rows(y, 0, 0, l.out, 1, l.out, n.point[i], places, z, true, x)
		x, z = z, x
	}
	scores = s.lines[4].floats(places * n.scores.out)
	rows(x, 0, 0, l.out, 1, l.out, n.scores, places, scores, false, nil)
	for t := range places {
		normalise(scores[t*n.scores.out:][:n.classes])
	}
	return scores, places
}

// normalise turns scores into logarithms of probabilities.
func normalise(s []float32) {
	top := s[0]
	for _, v := range s {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range s {
		if v > top-16 { // what is left out is less than 1 in 10,000 together
			sum += math.Exp(float64(v - top))
		}
	}
	off := top + float32(math.Log(sum))
	for i := range s {
		s[i] -= off
	}
}
