package find

import (
	"image"
	"slices"

	"motcua/ocr/paper"
)

// redInk is how far above the paper (gray is 128, Cr of Rec. 601; a lamp or a tint may make it more) the ink of a stamp is at
// least, even when it was faint.
const redInk = 12

// Unstamp takes red stamps off a cutting, so that the black print under them can be read: they are lightened
// to what they would be in red light. red is the page's redness, scale the size of its pixels in those of the page, quad
// where on the page img was cut. Only what is higher and wider than least pixels of img is taken for a stamp: titles and
// numbers are printed in red, too. It gives the stamps that there were.
func Unstamp(img, red *image.Gray, quad paper.Quad, scale image.Point, least int) Stamps {
	const f = finer
	b := img.Bounds()
	for i := range quad {
		quad[i].X, quad[i].Y = quad[i].X/float64(scale.X), quad[i].Y/float64(scale.Y)
	}
	paper, any := anyRed(red, quad)
	if !any {
		return Stamps{}
	}
	cut := NewPlane(quad, b.Dx()/f, b.Dy()/f).Cut(red, 1)
	w, h := cut.Rect.Dx(), cut.Rect.Dy()
	// Where nothing was cut the cutting is white; that is the edge of the page, and not red.
	ink := newMask(w, h)
	for y := range h {
		row := ink.row(y)
		for x, v := range cut.Pix[y*w : (y+1)*w] {
			if int(v) > paper+redInk && v < outsidePage {
				row[x/64] |= 1 << (x % 64)
			}
		}
	}
	light := paperLight(img)
	found := Stamps{red: cut, ink: paper + redInk, size: b.Size()}
	for _, p := range ink.close(2).parts() {
		// Stamps are about as wide as high and show the paper between rim, letters and star; titles are wide, faces full, and
		// what the edge of a table draws round a card is thin.
		across, down := p.box.Dx(), p.box.Dy()
		if across*f < least || down*f < least || across > 2*down || down > 2*across || p.area*3 > across*down*2 || p.area*12 < across*down ||
			across*4 > 3*w {
			continue
		}
		box := p.box.Inset(-3)
		box = image.Rect(box.Min.X*f, box.Min.Y*f, box.Max.X*f, box.Max.Y*f)
		found.boxes = append(found.boxes, box)
		in := box.Intersect(b)
		for y := in.Min.Y; y < in.Max.Y; y++ {
			row := img.Pix[y*img.Stride:]
			reds := cut.Pix[min(y/f, h-1)*cut.Stride:]
			for x := in.Min.X; x < in.Max.X; x++ {
				if !round(box, x, y) {
					continue
				}
				if r := int(reds[min(x/f, w-1)]) - paper; r > redInk/2 && r < 122 {
					v := int(row[x])
					row[x] = uint8(max(v, min(v+r*1436/1024, light))) // R = Y + 1.402 (Cr − 128)
				}
			}
		}
	}
	return found
}

// finer is how many pixels of a cutting are one of its redness, which is seldom stored finer.
const finer = 2

// round says whether a place lies in a stamp's ellipse: a number in red that stands beside a stamp lies in the corner of its box.
func round(box image.Rectangle, x, y int) bool {
	u, v := float64(2*x-box.Min.X-box.Max.X)/float64(box.Dx()), float64(2*y-box.Min.Y-box.Max.Y)/float64(box.Dy())
	return u*u+v*v <= 1.05
}

// Stamps are those that were taken off a cutting.
type Stamps struct {
	boxes    []image.Rectangle
	red      *image.Gray // the cutting's redness
	ink      int         // what is redder is ink
	size     image.Point // of the cutting
	quarters int         // by which the cutting was turned since, clockwise
}

// Turned are the stamps of the cutting turned clockwise by so many quarters.
func (s Stamps) Turned(quarters int) Stamps {
	s.quarters = (s.quarters + quarters) % 4
	return s
}

// unturned is where a place of the turned cutting was before.
func (s Stamps) unturned(r image.Rectangle) image.Rectangle {
	w, h := s.size.X, s.size.Y
	switch s.quarters {
	case 1: // (x, y) became (h − y, x)
		return image.Rect(r.Min.Y, h-r.Max.X, r.Max.Y, h-r.Min.X)
	case 2:
		return image.Rect(w-r.Max.X, h-r.Max.Y, w-r.Min.X, h-r.Min.Y)
	case 3: // (x, y) became (y, w − x)
		return image.Rect(w-r.Max.Y, r.Min.X, w-r.Min.Y, r.Max.X)
	}
	return r
}

// redPrint is the share of red pixels from which print is red: its letters take a fifth and more of a row, what bleeds into black print
// from a stamp beside it next to nothing.
const redPrint = 0.06

// What of a row's height lies between it and the ink that crosses it, and how far such ink is looked for: colour is stored coarsely and
// bleeds, and the title above a red number stands two thirds away.
const (
	crossFrom = 0.15
	crossTo   = 0.4
	crossInk  = 0.015 // of a square as high as the row: a stamp's rim has three times as much
)

// Hurt says whether a row of red print was hurt: a part of it lay under a stamp, and what was taken off there was the print's ink, too; or
// other red ink runs through it, of a stamp that was not taken off because it hangs together with print.
func (s Stamps) Hurt(row image.Rectangle) bool {
	if s.red == nil {
		return false
	}
	row = s.unturned(row)
	stamp := func(x, y int) bool {
		return slices.ContainsFunc(s.boxes, func(b image.Rectangle) bool { return image.Pt(x, y).In(b) && round(b, x, y) })
	}
	under, beside, ink := 0, 0, 0
	for y := row.Min.Y; y < row.Max.Y; y += finer {
		for x := row.Min.X; x < row.Max.X; x += finer {
			switch {
			case stamp(x, y):
				under++
			default:
				beside++
				ink += s.inked(x, y)
			}
		}
	}
	if float64(ink) <= redPrint*float64(beside) {
		return false
	}
	crossing := 0
	h := float64(row.Dy())
	for d := int(crossFrom * h); d < int(crossTo*h); d += finer {
		for x := row.Min.X; x < row.Max.X; x += finer {
			crossing += s.inked(x, row.Min.Y-1-d) + s.inked(x, row.Max.Y+d)
		}
	}
	return under > 0 || float64(crossing*finer*finer) > crossInk*h*h
}

// inked is 1 where red ink is.
func (s Stamps) inked(x, y int) int {
	at := image.Pt(x/finer, y/finer)
	if !at.In(s.red.Rect) {
		return 0
	}
	if v := int(s.red.GrayAt(at.X, at.Y).Y); v > s.ink && v < outsidePage {
		return 1
	}
	return 0
}

// outsidePage is what a cutting of a page's redness has where the page ends: white, and not red.
const outsidePage = 250

// anyRed looks here and there in a part of a page, for most have no stamp, and nothing to be cut out for it. It gives the
// redness of the paper: of the half of the pixels that are less red.
func anyRed(red *image.Gray, quad paper.Quad) (paper int, any bool) {
	const step = 6
	r := bounds(quad[:]).Intersect(red.Rect)
	var hist [256]int
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y += step {
		row := red.Pix[red.PixOffset(r.Min.X, y):]
		for x := 0; x < r.Dx(); x += step {
			hist[row[x]]++
			n++
		}
	}
	paper = max(ranked(hist, n/2), 128)
	more := 0
	for v := paper + redInk + 1; v < len(hist); v++ {
		more += hist[v]
	}
	return paper, more > 8
}

// paperLight is how bright the paper is: three quarters of a cutting are darker or as dark.
func paperLight(img *image.Gray) int {
	var hist [256]int
	n := 0
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 3 {
		row := img.Pix[img.PixOffset(b.Min.X, y):]
		for x := 0; x < b.Dx(); x += 3 {
			hist[row[x]]++
			n++
		}
	}
	return ranked(hist, n*3/4)
}

// ranked is the value behind which so many of a histogram's lie.
func ranked(hist [256]int, left int) int {
	for v, c := range hist {
		if left -= c; left < 0 {
			return v
		}
	}
	return 255
}
