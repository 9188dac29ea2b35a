package find

import (
	"image"
	"sync"

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

// Quad is where a rectangle of the cutting lies on the page.
func (p Plane) Quad(r image.Rectangle) paper.Quad {
	x0, y0, x1, y1 := float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)
	return paper.Quad{p.Page(x0, y0), p.Page(x1, y0), p.Page(x1, y1), p.Page(x0, y1)}
}

// Cut resamples the cutting from the page, bilinearly; where the page is finer, neighbours are averaged.
func (p Plane) Cut(g *image.Gray) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, p.Width, p.Height))
	b := g.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < 2 || h < 2 {
		return out
	}
	// Positions in 1/65536 of a pixel; along a row they go in equal steps unless the paper was seen at a slant.
	affine := p.to[6] == 0 && p.to[7] == 0
	const one = 1 << 16
	stepX, stepY := int(p.to[0]*one), int(p.to[3]*one)
	inParallel(p.Height, func(y int) {
		row := out.Pix[y*out.Stride : y*out.Stride+p.Width]
		fy := float64(y) + 0.5
		ix := int((p.to[0]*0.5 + p.to[1]*fy + p.to[2] - 0.5) * one)
		iy := int((p.to[3]*0.5 + p.to[4]*fy + p.to[5] - 0.5) * one)
		for x := range row {
			if !affine {
				fx := float64(x) + 0.5
				d := p.to[6]*fx + p.to[7]*fy + p.to[8]
				ix = int(((p.to[0]*fx+p.to[1]*fy+p.to[2])/d - 0.5) * one)
				iy = int(((p.to[3]*fx+p.to[4]*fy+p.to[5])/d - 0.5) * one)
			}
			x0, y0, ax, ay := ix>>16, iy>>16, ix>>8&255, iy>>8&255
			ix, iy = ix+stepX, iy+stepY
			if x0 < 0 || y0 < 0 || x0 >= w-1 || y0 >= h-1 {
				if x0 < -1 || y0 < -1 || x0 > w || y0 > h {
					row[x] = 255
					continue
				}
				x0, y0 = min(max(x0, 0), w-2), min(max(y0, 0), h-2)
			}
			i := y0*g.Stride + x0
			upper, lower := g.Pix[i:i+2:i+2], g.Pix[i+g.Stride:i+g.Stride+2:i+g.Stride+2]
			a, c := int(upper[0]), int(upper[1])
			e, f := int(lower[0]), int(lower[1])
			top, bottom := a<<8+(c-a)*ax, e<<8+(f-e)*ax
			row[x] = uint8((top<<8 + (bottom-top)*ay) >> 16)
		}
	})
	return out
}

// inParallel calls f for every line, half of them on each of a kiosk's two processors, and waits.
func inParallel(lines int, f func(y int)) {
	var wait sync.WaitGroup
	wait.Go(func() {
		for y := range lines / 2 {
			f(y)
		}
	})
	for y := lines / 2; y < lines; y++ {
		f(y)
	}
	wait.Wait()
}
