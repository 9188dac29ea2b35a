package find

// #include "pixels.h"
import "C"

import "image"

// Unstreak takes off what dust on a feeder's glass draws: dark lines of a few pixels down the whole page. A card's edge
// that touches one is no card's outline any more, and a letter under one no letter. Only a line that runs down most
// of the page counts, so that a form's own rules stay unless they do the same, and then nothing is lost by it.
func Unstreak(g *image.Gray) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	reach := max(3, w/600) // beyond a streak's width, short of a letter's
	if w < 20*reach || h < 200 {
		return
	}
	const rows = 200 // are looked at
	step := max(1, h/rows)
	darker, sum, side, through := make([]int32, w), make([]int32, w), make([]int32, w), make([]int32, w)
	seen := int32(0)
	for y := step / 2; y < h; y += step {
		seen++
		// Only where left and right are alike: cards laid under each other have their edges in one line. And the shade only on
		// paper, for ink tells nothing of it.
		C.find_streaks(bytes(g.Pix[y*g.Stride:]), C.int(w), C.int(reach), numbers(darker), numbers(sum), numbers(side), numbers(through))
	}
	for x := reach; x < w-reach; x++ {
		if darker[x] < seen*65/100 || sum[x] < 5*seen || side[x] == 0 {
			continue
		}
		k := float64(through[x]) / float64(side[x])
		var clearer [256]uint8
		for v := range clearer {
			clearer[v] = uint8(min(255, float64(v)/max(k, 0.4)))
		}
		for y := range h {
			i := y*g.Stride + x
			if k >= 0.4 {
				g.Pix[i] = clearer[g.Pix[i]]
				continue
			}
			// Black: what was under it is gone, what lies beside it is the best guess.
			g.Pix[i] = uint8((int(g.Pix[i-reach]) + int(g.Pix[i+reach])) / 2)
		}
	}
}
