package find

/*
#cgo CFLAGS: -O3
#include "pixels.h"
*/
import "C"

import (
	"image"
	"sync"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The processor is asked through cpu, which GODEBUG limits: so can a benchmark limit the whole program.
func init() {
	if cpu.X86.HasAVX2 {
		C.find_use_avx2(1)
	}
}

func bytes(p []uint8) *C.uint8_t   { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(p))) }
func numbers(p []int32) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(p))) }

// Shrink averages f × f pixels into one.
func Shrink(g *image.Gray, f int) *image.Gray {
	b := g.Bounds()
	w, h := b.Dx()/f, b.Dy()/f
	if f == 1 || w == 0 || h == 0 {
		return g
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	inParallel(h, func(first, end int) {
		sums := make([]uint16, w*f)
		C.find_shrink(bytes(g.Pix[g.PixOffset(b.Min.X, b.Min.Y+first*f):]), C.ptrdiff_t(g.Stride), C.int(f), C.int(w), C.int(end-first),
			bytes(out.Pix[first*w:]), (*C.uint16_t)(unsafe.Pointer(&sums[0])))
	})
	return out
}

// Resize samples img at w × h: neighbours are averaged where it shrinks, so that thin strokes and tone marks do not
// fall between the samples, and blended where it grows.
func Resize(img *image.Gray, w, h int) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, max(w, 0), max(h, 0)))
	if w <= 0 || h <= 0 || b.Empty() {
		return out
	}
	xs, ys := newTaps(b.Dx(), w), newTaps(b.Dy(), h)
	C.find_resize(bytes(img.Pix[img.PixOffset(b.Min.X, b.Min.Y):]), C.ptrdiff_t(img.Stride), C.int(b.Dx()), C.int(w), C.int(h),
		numbers(xs.from), numbers(xs.count), numbers(xs.weights), numbers(ys.from), numbers(ys.count), numbers(ys.weights),
		bytes(out.Pix), numbers(make([]int32, b.Dx())))
	return out
}

// taps are the source samples of each target sample: from where on, how many, and all weights one after the other, 1024
// for each target.
type taps struct{ from, count, weights []int32 }

// newTaps weighs by a triangle as wide as the larger of the two steps.
func newTaps(from, to int) taps {
	step := float64(from) / float64(to)
	reach := max(step*0.65, 1) // narrower than would be smooth: the model likes its edges sharp
	t := taps{make([]int32, to), make([]int32, to), make([]int32, 0, to*(int(2*reach)+3))}
	var raw []float64
	for i := range to {
		centre := (float64(i)+0.5)*step - 0.5
		lo, hi := max(0, int(centre-reach)), min(from-1, int(centre+reach)+1)
		sum := 0.0
		raw = raw[:0]
		for k := lo; k <= hi; k++ {
			d := (float64(k) - centre) / reach
			v := max(0, 1-max(d, -d))
			raw = append(raw, v)
			sum += v
		}
		t.from[i], t.count[i] = int32(lo), int32(len(raw))
		left := int32(1024)
		for k, v := range raw {
			n := int32(v/sum*1024 + 0.5)
			if k == len(raw)-1 || n > left {
				n = left
			}
			left -= n
			t.weights = append(t.weights, n)
		}
	}
	return t
}

// inParallel calls f for two shares of the lines, one on each of a kiosk's two processors, and waits. No share is empty.
func inParallel(lines int, f func(first, end int)) {
	var wait sync.WaitGroup
	if lines > 1 {
		wait.Go(func() { f(0, lines/2) })
	}
	if lines > 0 {
		f(lines/2, lines)
	}
	wait.Wait()
}
