package specimen

import (
	"image"
	"math/rand/v2"
	"testing"
)

// Every pixel is the weighed mean of its neighbours in its own colour, and what lies beyond an edge is like the edge.
func TestBlur(t *testing.T) {
	const w, h, sigma = 23, 17, 1.1
	rng := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(rng.IntN(256))
	}
	for i := range 4 * w { // the brightest that there is: no colour may run into the next
		img.Pix[i] = 255
	}
	k := gaussian(sigma)
	n := len(k) / 2
	weighed := func(at func(i int) byte) byte {
		var sum uint64
		for i, kv := range k {
			sum += kv * uint64(at(i-n))
		}
		return byte(sum >> weightBits)
	}
	across, both := image.NewRGBA(img.Rect), image.NewRGBA(img.Rect)
	for i := range img.Pix {
		x, y, c := i/4%w, i/4/w, i%4
		across.Pix[i] = weighed(func(d int) byte { return img.Pix[img.PixOffset(min(max(x+d, 0), w-1), y)+c] })
	}
	for i := range img.Pix {
		x, y, c := i/4%w, i/4/w, i%4
		both.Pix[i] = weighed(func(d int) byte { return across.Pix[across.PixOffset(x, min(max(y+d, 0), h-1))+c] })
	}
	blur(img, sigma, sigma)
	for i := range img.Pix {
		if i%4 < 3 && img.Pix[i] != both.Pix[i] {
			t.Fatalf("x %d, y %d, colour %d: %d, want %d", i/4%w, i/4/w, i%4, img.Pix[i], both.Pix[i])
		}
	}
}

// A paper that lies flat is drawn as by a camera that looks straight down.
func TestWarpFlat(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	src := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range src.Pix {
		src.Pix[i] = byte(rng.IntN(256))
	}
	flat := homography{0.5, 0.1, 3, -0.1, 0.5, 6, 0, 0, 1}
	seen := flat
	for i := range seen {
		seen[i] *= 2 // the same map, which the quick way is not taken for
	}
	a, b := image.NewRGBA(image.Rect(0, 0, 32, 32)), image.NewRGBA(image.Rect(0, 0, 32, 32))
	warp(a, src, flat, nil)
	warp(b, src, seen, nil)
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d < -1 || d > 1 {
			t.Fatalf("at %d: %d and %d", i, a.Pix[i], b.Pix[i])
		}
	}
}
