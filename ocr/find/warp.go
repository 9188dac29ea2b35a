package find

// #include "pixels.h"
import "C"

import (
	"image"
	"math"
	"unsafe"

	"motcua/ocr/paper"
)

// Plane maps between the pixels of an upright cutting and those of the page.
type Plane struct {
	to            [9]float64 // cutting → page
	Width, Height int
}

// NewPlane lays a w × h cutting over the quad q of a page.
func NewPlane(q paper.Quad, w, h int) Plane {
	// Square to quadrilateral (Heckbert), scaled to w × h.
	dx1, dx2 := q[1].X-q[2].X, q[3].X-q[2].X
	dy1, dy2 := q[1].Y-q[2].Y, q[3].Y-q[2].Y
	sx, sy := q[0].X-q[1].X+q[2].X-q[3].X, q[0].Y-q[1].Y+q[2].Y-q[3].Y
	den := dx1*dy2 - dx2*dy1
	g, k := 0.0, 0.0
	if den != 0 {
		g, k = (sx*dy2-dx2*sy)/den, (dx1*sy-sx*dy1)/den
	}
	fw, fh := float64(w), float64(h)
	return Plane{Width: w, Height: h, to: [9]float64{
		(q[1].X - q[0].X + g*q[1].X) / fw, (q[3].X - q[0].X + k*q[3].X) / fh, q[0].X,
		(q[1].Y - q[0].Y + g*q[1].Y) / fw, (q[3].Y - q[0].Y + k*q[3].Y) / fh, q[0].Y,
		g / fw, k / fh, 1,
	}}
}

// Page is where a point of the cutting lies on the page.
func (p Plane) Page(x, y float64) paper.Point {
	w := p.to[6]*x + p.to[7]*y + p.to[8]
	if w == 0 {
		w = 1e-9
	}
	return paper.Point{X: (p.to[0]*x + p.to[1]*y + p.to[2]) / w, Y: (p.to[3]*x + p.to[4]*y + p.to[5]) / w}
}

// Cutting is where a point of the page lies on the cutting: the inverse of Page.
func (p Plane) Cutting(at paper.Point) paper.Point {
	m := p.to
	// The adjugate is the inverse up to a factor, which falls out.
	x := (m[4]*m[8]-m[5]*m[7])*at.X + (m[2]*m[7]-m[1]*m[8])*at.Y + (m[1]*m[5] - m[2]*m[4])
	y := (m[5]*m[6]-m[3]*m[8])*at.X + (m[0]*m[8]-m[2]*m[6])*at.Y + (m[2]*m[3] - m[0]*m[5])
	w := (m[3]*m[7]-m[4]*m[6])*at.X + (m[1]*m[6]-m[0]*m[7])*at.Y + (m[0]*m[4] - m[1]*m[3])
	if w == 0 {
		w = 1e-9
	}
	return paper.Point{X: x / w, Y: y / w}
}

// shift moves what lies on the page and then scales it.
func (p *Plane) shift(x, y, by float64) {
	for i := range 3 {
		p.to[i] = (p.to[i] + x*p.to[6+i]) * by
		p.to[3+i] = (p.to[3+i] + y*p.to[6+i]) * by
	}
}

// Quad is where a rectangle of the cutting lies on the page.
func (p Plane) Quad(r image.Rectangle) paper.Quad {
	x0, y0, x1, y1 := float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)
	return paper.Quad{p.Page(x0, y0), p.Page(x1, y0), p.Page(x1, y1), p.Page(x0, y1)}
}

// onPixel is how far, in pixels, a cutting's corners may lie from the page's pixels to be taken for them: what rounding leaves.
const onPixel = 1e-6

// pixelForPixel says whether the cutting is made of the page's own pixels, and from where on: a sheet that was fed straight is.
func (p Plane) pixelForPixel() (at image.Point, ok bool) {
	origin := p.Page(0, 0)
	at = image.Pt(int(math.Round(origin.X)), int(math.Round(origin.Y)))
	for _, c := range [][2]int{{0, 0}, {p.Width, 0}, {p.Width, p.Height}, {0, p.Height}} {
		q := p.Page(float64(c[0]), float64(c[1]))
		if math.Abs(q.X-float64(at.X+c[0])) > onPixel || math.Abs(q.Y-float64(at.Y+c[1])) > onPixel {
			return at, false
		}
	}
	return at, true
}

// Cut resamples the cutting from the page, bilinearly; where the page is finer, fine × fine pixels are averaged first.
func (p Plane) Cut(g *image.Gray, fine int) *image.Gray {
	if fine > 1 {
		all := p.Quad(image.Rect(0, 0, p.Width, p.Height))
		part := bounds(all[:]).Inset(-2 * fine).Intersect(g.Rect)
		p.shift(-float64(part.Min.X), -float64(part.Min.Y), 1/float64(fine))
		g = Shrink(g.SubImage(part).(*image.Gray), fine)
	}
	out := image.NewGray(image.Rect(0, 0, p.Width, p.Height))
	b := g.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < 2 || h < 2 {
		return out
	}
	if at, whole := p.pixelForPixel(); whole && out.Rect.Add(at).In(image.Rect(0, 0, w, h)) {
		for y := range p.Height {
			from := g.PixOffset(b.Min.X+at.X, b.Min.Y+at.Y+y)
			copy(out.Pix[y*out.Stride:][:p.Width], g.Pix[from:from+p.Width])
		}
		return out
	}
	inParallel(p.Height, func(first, end int) {
		C.find_cut(bytes(g.Pix[g.PixOffset(b.Min.X, b.Min.Y):]), C.ptrdiff_t(g.Stride), C.int(w), C.int(h), (*C.double)(unsafe.Pointer(&p.to[0])),
			C.int(p.Width), C.int(first), C.int(end), bytes(out.Pix[first*out.Stride:]))
	})
	return out
}
