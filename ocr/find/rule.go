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
	u := unruler{img: img, ink: k, letter: letter, thick: max(3, letter*2/3), level: newMask(k.w, k.h)}
	u.findRules()
	if len(u.rules) == 0 {
		return nil
	}
	u.findUprights()
	for _, r := range u.rules {
		u.wipeRule(r)
	}
	for _, p := range u.uprights {
		u.wipeUpright(p)
	}
	return u.combs()
}

// ruleLength is the least length of a rule in letter heights; a capital's bar is shorter.
const ruleLength = 7

// unruler is a form whose rules are being taken off.
type unruler struct {
	img      *image.Gray
	ink      Ink
	letter   int // least height of text, in pixels
	thick    int // of a rule at most, in pixels
	level    mask
	rules    []rule
	uprights []upright
}

// rule is one row of pixels of a ruled line.
type rule struct{ y, x0, x1 int }

// upright is one column of pixels between two rules.
type upright struct{ x, y0, y1 int }

// findRules finds the rows of ink that are longer than any letter's.
func (u *unruler) findRules() {
	for y := range u.ink.h {
		for x0, x1 := range u.ink.spans(y, 0) {
			if x1-x0 >= ruleLength*u.letter {
				u.rules = append(u.rules, rule{y, x0, x1})
				u.level.turnOn(y, x0, x1)
			}
		}
	}
}

// findUprights finds the thin columns of ink that begin and end at a rule: they are looked for from the lower edge of each.
func (u *unruler) findUprights() {
	ruled, on := u.level.at, u.ink.at
	for _, r := range u.rules {
		if r.y+1 >= u.ink.h {
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
			ends := ruled(x, y) || ruled(x, y+1) || ruled(x, y+2)
			if y-r.y >= 2*u.letter && ends && u.thinAt(x, (r.y+y)/2) {
				u.uprights = append(u.uprights, upright{x, r.y + 1, y})
			}
		}
	}
}

// thinAt says whether the ink about a pixel is no wider than a rule is thick.
func (u *unruler) thinAt(x, y int) bool {
	left, right := x, x
	for u.ink.at(left-1, y) && x-left <= u.thick {
		left--
	}
	for u.ink.at(right+1, y) && right-x <= u.thick {
		right++
	}
	return right-left < u.thick
}

// at is a pixel of the picture, the nearest where it has none.
func (u *unruler) at(x, y int) *uint8 {
	b := u.img.Rect
	return &u.img.Pix[u.img.PixOffset(b.Min.X+min(max(x, 0), u.ink.w-1), b.Min.Y+min(max(y, 0), u.ink.h-1))]
}

// wipeRule takes a rule off, but for where letters or uprights stand on it. What lies under it is gone; what lies beside it is the best
// guess.
func (u *unruler) wipeRule(r rule) {
	for x := r.x0; x < r.x1; x++ {
		y0, y1 := r.y, r.y
		for u.ink.at(x, y0-1) && r.y-y0 <= u.thick {
			y0--
		}
		for u.ink.at(x, y1+1) && y1-r.y <= u.thick {
			y1++
		}
		if y1-y0 >= u.thick { // a letter stands on it, or an upright
			continue
		}
		paper := uint8((int(*u.at(x, y0-3)) + int(*u.at(x, y1+3))) / 2)
		for y := y0 - 2; y <= y1+2; y++ {
			*u.at(x, y) = max(*u.at(x, y), paper)
		}
		for y := y0; y <= y1; y++ {
			u.ink.turnOff(x, y)
		}
	}
}

// wipeUpright takes an upright off.
func (u *unruler) wipeUpright(p upright) {
	for y := p.y0 - 2; y < p.y1+2; y++ {
		paper := max(*u.at(p.x-u.thick, y), *u.at(p.x+u.thick, y))
		for x := p.x - 2; x <= p.x+2; x++ {
			*u.at(x, y) = max(*u.at(x, y), paper)
		}
		if y >= 0 && y < u.ink.h {
			u.ink.turnOff(p.x, y)
		}
	}
}

// combCells is how many steps from upright to upright a comb has at least.
const combCells = 8

// combs are rows of uprights of one height, as far from each other.
func (u *unruler) combs() (combs []image.Rectangle) {
	slices.SortFunc(u.uprights, func(a, b upright) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y0, b.y0)) })
	used := make([]bool, len(u.uprights))
	for i := range u.uprights {
		if used[i] {
			continue
		}
		comb, steps := u.row(i, used)
		if len(steps) < combCells {
			continue
		}
		slices.Sort(steps)
		middle := steps[len(steps)/2]
		if steps[1] < middle*3/4 || steps[len(steps)-2] > middle*5/4 {
			continue
		}
		if whole := u.asRuled(comb); whole.Dx()-comb.Dx() < 5*middle {
			comb = whole
		}
		combs = append(combs, comb.Add(u.img.Rect.Min))
	}
	return combs
}

// row is what the i-th upright and those of its height behind it take up, and how far each is from the one before; it marks them used.
func (u *unruler) row(i int, used []bool) (box image.Rectangle, steps []int) {
	last := u.uprights[i]
	h := last.y1 - last.y0
	box = image.Rect(last.x, last.y0, last.x+1, last.y1)
	for j := i + 1; j < len(u.uprights); j++ {
		v := u.uprights[j]
		if used[j] || abs(v.y0-last.y0) > h/4 || abs(v.y1-last.y1) > h/4 {
			continue
		}
		if v.x-last.x > 3*h {
			break
		}
		used[j] = true
		if v.x-last.x > u.thick {
			steps = append(steps, v.x-last.x)
		}
		last = v
		box = box.Union(image.Rect(v.x, v.y0, v.x+1, v.y1))
	}
	return box, steps
}

// asRuled is a comb as wide as the rules above and below it: its ends are worn sometimes.
func (u *unruler) asRuled(comb image.Rectangle) image.Rectangle {
	whole := comb
	for _, r := range u.rules {
		if (abs(r.y-comb.Min.Y) <= u.thick || abs(r.y-comb.Max.Y) <= u.thick) && r.x0 < comb.Max.X && r.x1 > comb.Min.X {
			whole.Min.X, whole.Max.X = min(whole.Min.X, r.x0), max(whole.Max.X, r.x1)
		}
	}
	return whole
}
