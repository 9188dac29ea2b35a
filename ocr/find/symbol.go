package find

import "image"

// symbol is where a QR symbol lies among the parts of a picture, whether it can be decoded or not: a worn one would be taken
// for letters. It is known by its finder patterns (ISO/IEC 18004, 5.3.3): a ring of seven modules around a square of three;
// two of the three are enough.
func symbol(parts []part) image.Rectangle {
	corners := finders(parts)
	for i, a := range corners {
		for _, b := range corners[i+1:] {
			if box := spanned(a, b, parts); !box.Empty() {
				return box
			}
		}
	}
	return image.Rectangle{}
}

// finders are the finder patterns among the parts of a picture.
func finders(parts []part) []image.Rectangle {
	var corners []image.Rectangle
	for _, ring := range parts {
		w, h := ring.box.Dx(), ring.box.Dy()
		if w < 12 || 6*abs(w-h) > w || ring.area*100 < 33*w*h || ring.area*100 > 66*w*h {
			continue
		}
		for _, p := range parts {
			if p.box.In(ring.box) && p.box != ring.box && eye(p, ring.box) {
				corners = append(corners, ring.box)
				break
			}
		}
	}
	return corners
}

// eye says whether a part is the full square of three modules in the middle of a ring of seven.
func eye(p part, ring image.Rectangle) bool {
	w, h := ring.Dx(), ring.Dy()
	pw, ph := p.box.Dx(), p.box.Dy()
	return 4*abs(pw-ph) <= pw && 7*pw > 2*w && 7*pw < 4*w && p.area*100 >= 72*pw*ph &&
		8*abs(p.box.Min.X+p.box.Max.X-ring.Min.X-ring.Max.X) < 2*w &&
		8*abs(p.box.Min.Y+p.box.Max.Y-ring.Min.Y-ring.Max.Y) < 2*h
}

// spanned is the symbol of which two finder patterns are corners; empty if they can't be of one.
func spanned(a, b image.Rectangle, parts []part) image.Rectangle {
	if 4*abs(a.Dx()-b.Dx()) > a.Dx() {
		return image.Rectangle{}
	}
	both := a.Union(b)
	w, h := both.Dx(), both.Dy()
	side := max(w, h)
	switch {
	case side < 3*a.Dx() || side > 20*a.Dx(): // version 1 has 21 modules, version 30 has 137
		return image.Rectangle{}
	case 6*abs(w-h) < side: // they stand across
		return both
	case 4*min(w, h) > 6*a.Dx():
		return image.Rectangle{}
	}
	// Two along a side: the symbol lies where its modules are.
	down := image.Rect(both.Min.X, both.Min.Y, both.Min.X+side, both.Min.Y+side)
	up := image.Rect(both.Max.X-side, both.Max.Y-side, both.Max.X, both.Max.Y)
	if partsIn(parts, down) >= partsIn(parts, up) {
		return down
	}
	return up
}

// partsIn counts the parts in a box.
func partsIn(parts []part, box image.Rectangle) int {
	n := 0
	for _, p := range parts {
		if p.box.In(box) {
			n++
		}
	}
	return n
}

// outside are the parts whose middle lies outside a box.
func outside(parts []part, box image.Rectangle) []part {
	if box.Empty() {
		return parts
	}
	box = box.Inset(-box.Dx() / 40)
	var out []part
	for _, p := range parts {
		if middle := image.Pt((p.box.Min.X+p.box.Max.X)/2, (p.box.Min.Y+p.box.Max.Y)/2); !middle.In(box) {
			out = append(out, p)
		}
	}
	return out
}

func abs(n int) int { return max(n, -n) }
