package find

import (
	"image"
	"math/rand/v2"
	"slices"
	"testing"
)

// speckled is a picture of one value a pixel with parts of all sizes.
func speckled(r *rand.Rand, w, h int) []bool {
	on := make([]bool, w*h)
	share := r.Float64()
	for i := range on {
		on[i] = r.Float64() < share
	}
	for range 4 { // and some larger things
		x, y := r.IntN(w), r.IntN(h)
		v := r.IntN(2) == 0
		for j := y; j < min(h, y+r.IntN(20)); j++ {
			for i := x; i < min(w, x+r.IntN(90)); i++ {
				on[j*w+i] = v
			}
		}
	}
	return on
}

// marked is the mask of what is on.
func marked(w, h int, on []bool) mask {
	m := newMask(w, h)
	for y := range h {
		row := m.row(y)
		for x, v := range on[y*w : (y+1)*w] {
			if v {
				row[x/64] |= 1 << (x % 64)
			}
		}
	}
	return m
}

// bools is the mask with one value a pixel.
func (m mask) bools() []bool {
	out := make([]bool, m.w*m.h)
	for y := range m.h {
		for x0, x1 := range m.spans(y, 0) {
			line := out[y*m.w : (y+1)*m.w]
			for x := x0; x < x1; x++ {
				line[x] = true
			}
		}
	}
	return out
}

// near says whether any pixel within r is v.
func near(on []bool, w, h, x, y, r int, v bool) bool {
	for j := max(0, y-r); j <= min(h-1, y+r); j++ {
		for i := max(0, x-r); i <= min(w-1, x+r); i++ {
			if on[j*w+i] == v {
				return true
			}
		}
	}
	return false
}

// What is done to whole words of pixels is what would be done to each pixel.
func TestMasksGrowPixelByPixel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		w, h, reach := 1+r.IntN(200), 1+r.IntN(40), 1+r.IntN(9)
		on := speckled(r, w, h)
		m := marked(w, h, on)
		if !slices.Equal(m.bools(), on) {
			t.Fatalf("%d×%d: a mask does not give back what was marked", w, h)
		}
		grown := make([]bool, len(on))
		for i := range grown {
			grown[i] = near(on, w, h, i%w, i/w, reach, true)
		}
		closed := make([]bool, len(on))
		for i := range closed {
			closed[i] = !near(grown, w, h, i%w, i/w, reach, false)
		}
		if got := m.close(reach).bools(); !slices.Equal(got, closed) {
			t.Fatalf("%d×%d: closing by %d is not what it is pixel by pixel", w, h, reach)
		}
	}
}

// Parts and holes are those that a flood finds.
func TestMasksPartsAreFloods(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		w, h := 1+r.IntN(150), 1+r.IntN(40)
		on := speckled(r, w, h)
		part := make([]int, len(on)) // of each pixel, from 1 on; those that are off are counted apart
		var parts [2]int
		outside := map[int]bool{}
		for start := range on {
			if part[start] != 0 {
				continue
			}
			side := 0
			if !on[start] {
				side = 1
			}
			parts[side]++
			part[start] = parts[side]
			for stack := []int{start}; len(stack) > 0; {
				i := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				x, y := i%w, i/w
				if side == 1 && (x == 0 || y == 0 || x == w-1 || y == h-1) {
					outside[part[i]] = true
				}
				for _, p := range []image.Point{{X: x - 1, Y: y}, {X: x + 1, Y: y}, {X: x, Y: y - 1}, {X: x, Y: y + 1}} {
					if j := p.Y*w + p.X; p.In(image.Rect(0, 0, w, h)) && part[j] == 0 && on[j] == on[i] {
						part[j] = part[i]
						stack = append(stack, j)
					}
				}
			}
		}
		m := marked(w, h, on)
		for side, flip := range []uint64{0, ^uint64(0)} {
			runs, n := m.joined(flip)
			if n != parts[side] {
				t.Fatalf("%d×%d: %d parts, a flood finds %d", w, h, n, parts[side])
			}
			for _, s := range runs {
				for x := s.x0; x < s.x1; x++ {
					if i := s.y*w + x; on[i] != (side == 0) || part[i] != s.part+1 {
						t.Fatalf("%d×%d: pixel %d,%d is in part %d, a flood says %d", w, h, x, s.y, s.part+1, part[i])
					}
				}
			}
		}
		filled := slices.Clone(on)
		for i := range filled {
			filled[i] = on[i] || !outside[part[i]]
		}
		m.fill()
		if !slices.Equal(m.bools(), filled) {
			t.Fatalf("%d×%d: not the holes alone were filled", w, h)
		}
	}
}
