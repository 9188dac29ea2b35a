package find

import (
	"cmp"
	"image"
	"slices"
)

// Unrule takes ruled lines off a form, from its ink k and from the picture img that k was made of: letters that stand on
// a line or in a frame are joined to it and read as part of it. It gives the combs, rows of cells that hold one sign
// each, as forms have them for numbers. letter is the least height of text in pixels.
func Unrule(img *image.Gray, k Ink, letter int) (combs []image.Rectangle) {
	long, thick := 7*letter, max(3, letter*2/3) // of a rule; a capital's bar is shorter
	level := newMask(k.w, k.h)
	type stretch struct{ y, x0, x1 int }
	var rules []stretch
	for y := range k.h {
		for x0, x1 := range k.spans(y, 0) {
			if x1-x0 >= long {
				rules = append(rules, stretch{y, x0, x1})
				level.turnOn(y, x0, x1)
			}
		}
	}
	if len(rules) == 0 {
		return nil
	}
	ruled, on := level.at, k.at
	// Uprights begin and end at a rule; they are looked for from the lower edge of each.
	type upright struct{ x, y0, y1 int }
	var uprights []upright
	for _, r := range rules {
		if r.y+1 >= k.h {
			continue
		}
		for x := r.x0; x < r.x1; x++ {
			if ruled(x, r.y+1) || !on(x, r.y+1) {
				continue
			}
			y := r.y + 1
			for on(x, y) && !ruled(x, y) {
				y++
			}
			if y-r.y < 2*letter || !ruled(x, y) && !ruled(x, y+1) && !ruled(x, y+2) {
				continue
			}
			middle := (r.y + y) / 2
			left, right := x, x
			for on(left-1, middle) && x-left <= thick {
				left--
			}
			for on(right+1, middle) && right-x <= thick {
				right++
			}
			if right-left < thick {
				uprights = append(uprights, upright{x, r.y + 1, y})
			}
		}
	}
	// What lies under a rule is gone; what lies beside it is the best guess.
	b := img.Rect
	at := func(x, y int) *uint8 {
		return &img.Pix[img.PixOffset(b.Min.X+min(max(x, 0), k.w-1), b.Min.Y+min(max(y, 0), k.h-1))]
	}
	for _, r := range rules {
		for x := r.x0; x < r.x1; x++ {
			y0, y1 := r.y, r.y
			for on(x, y0-1) && r.y-y0 <= thick {
				y0--
			}
			for on(x, y1+1) && y1-r.y <= thick {
				y1++
			}
			if y1-y0 >= thick { // a letter stands on it, or an upright
				continue
			}
			paper := uint8((int(*at(x, y0-3)) + int(*at(x, y1+3))) / 2)
			for y := y0 - 2; y <= y1+2; y++ {
				*at(x, y) = max(*at(x, y), paper)
			}
			for y := y0; y <= y1; y++ {
				k.turnOff(x, y)
			}
		}
	}
	for _, u := range uprights {
		for y := u.y0 - 2; y < u.y1+2; y++ {
			paper := max(*at(u.x-thick, y), *at(u.x+thick, y))
			for x := u.x - 2; x <= u.x+2; x++ {
				*at(x, y) = max(*at(x, y), paper)
			}
			if y >= 0 && y < k.h {
				k.turnOff(u.x, y)
			}
		}
	}
	// A comb: eight uprights or more of one height, as far from each other.
	slices.SortFunc(uprights, func(a, b upright) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y0, b.y0)) })
	used := make([]bool, len(uprights))
	for i, u := range uprights {
		if used[i] {
			continue
		}
		h := u.y1 - u.y0
		cell := image.Rect(u.x, u.y0, u.x+1, u.y1)
		var steps []int
		last := u
		for j := i + 1; j < len(uprights); j++ {
			v := uprights[j]
			if used[j] || abs(v.y0-last.y0) > h/4 || abs(v.y1-last.y1) > h/4 {
				continue
			}
			if v.x-last.x > 3*h {
				break
			}
			used[j] = true
			if v.x-last.x > thick {
				steps = append(steps, v.x-last.x)
			}
			last = v
			cell = cell.Union(image.Rect(v.x, v.y0, v.x+1, v.y1))
		}
		if len(steps) < 8 {
			continue
		}
		slices.Sort(steps)
		middle := steps[len(steps)/2]
		if steps[1] < middle*3/4 || steps[len(steps)-2] > middle*5/4 {
			continue
		}
		// Its ends are worn sometimes; the rules above and below it go as far as it does.
		whole := cell
		for _, r := range rules {
			if (abs(r.y-cell.Min.Y) <= thick || abs(r.y-cell.Max.Y) <= thick) && r.x0 < cell.Max.X && r.x1 > cell.Min.X {
				whole.Min.X, whole.Max.X = min(whole.Min.X, r.x0), max(whole.Max.X, r.x1)
			}
		}
		if whole.Dx()-cell.Dx() < 5*middle {
			cell = whole
		}
		combs = append(combs, cell.Add(b.Min))
	}
	return combs
}
