package find

import (
	"image"

	"motcua/ocr/paper"
)

// redInk is how far above the paper (gray is 128, Cr of Rec. 601; a lamp or a tint may make it more) the ink of a stamp is at
// least, even when it was faint.
const redInk = 12

// Unstamp takes red stamps off a cutting, so that the black print under them can be read: they are lightened
// to what they would be in red light. red is the page's redness, scale the size of its pixels in those of the page, quad
// where on the page img was cut. Only what is higher and wider than least pixels of img is taken for a stamp: titles and
// numbers are printed in red, too. It says whether there was any.
func Unstamp(img, red *image.Gray, quad paper.Quad, scale image.Point, least int) bool {
	const f = 2 // redness is cut at half the size: it is seldom stored finer
	b := img.Bounds()
	for i := range quad {
		quad[i].X, quad[i].Y = quad[i].X/float64(scale.X), quad[i].Y/float64(scale.Y)
	}
	paper, any := anyRed(red, quad)
	if !any {
		return false
	}
	cut := NewPlane(quad, b.Dx()/f, b.Dy()/f).Cut(red, 1)
	w, h := cut.Rect.Dx(), cut.Rect.Dy()
	// Where nothing was cut the cutting is white; that is the edge of the page, and not red.
	ink := newMask(w, h)
	for y := range h {
		row := ink.row(y)
		for x, v := range cut.Pix[y*w : (y+1)*w] {
			if int(v) > paper+redInk && v < 250 {
				row[x/64] |= 1 << (x % 64)
			}
		}
	}
	light := paperLight(img)
	found := false
	for _, p := range ink.close(2).parts() {
		// Stamps are about as wide as high and show the paper between rim, letters and star; titles are wide, faces full, and
		// what the edge of a table draws round a card is thin.
		across, down := p.box.Dx(), p.box.Dy()
		if across*f < least || down*f < least || across > 2*down || down > 2*across || p.area*3 > across*down*2 || p.area*12 < across*down ||
			across*4 > 3*w {
			continue
		}
		found = true
		box := p.box.Inset(-3)
		box = image.Rect(box.Min.X*f, box.Min.Y*f, box.Max.X*f, box.Max.Y*f)
		in := box.Intersect(b)
		for y := in.Min.Y; y < in.Max.Y; y++ {
			row := img.Pix[y*img.Stride:]
			reds := cut.Pix[min(y/f, h-1)*cut.Stride:]
			for x := in.Min.X; x < in.Max.X; x++ {
				// Stamps are round; a number in red that stands beside one lies in the corner of its box.
				u, v := float64(2*x-box.Min.X-box.Max.X)/float64(box.Dx()), float64(2*y-box.Min.Y-box.Max.Y)/float64(box.Dy())
				if u*u+v*v > 1.05 {
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
