package find

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
	darker, sum, side, through := make([]int, w), make([]int, w), make([]int, w), make([]int, w)
	seen := 0
	for y := step / 2; y < h; y += step {
		row := g.Pix[y*g.Stride : y*g.Stride+w]
		seen++
		before, after := row[:w-2*reach], row[2*reach:]
		for i, here := range row[reach : w-reach] {
			x, left, right := i+reach, int(before[i]), int(after[i])
			if left-right > 24 || right-left > 24 {
				continue // the edge of something: cards laid under each other have theirs in one line
			}
			beside := (left + right) / 2
			d := min(left, right) - int(here)
			if d > 2 {
				darker[x]++
			}
			sum[x] += min(max(d, -30), 30)
			if beside > 100 { // on paper: ink tells nothing of a shade
				side[x] += beside
				through[x] += int(here)
			}
		}
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
