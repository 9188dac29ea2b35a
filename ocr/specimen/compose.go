package specimen

import (
	"encoding/binary"
	"image"
	"math"
	"math/rand/v2"

	"motcua/ocr/paper"
)

// homography maps the plane; [8] is 1 for affine maps.
type homography [9]float64

func (h *homography) at(x, y float64) (float64, float64) {
	w := h[6]*x + h[7]*y + h[8]
	return (h[0]*x + h[1]*y + h[2]) / w, (h[3]*x + h[4]*y + h[5]) / w
}

func (h *homography) apply(q paper.Quad) paper.Quad {
	for i, p := range q {
		q[i].X, q[i].Y = h.at(p.X, p.Y)
	}
	return q
}

func (h *homography) quad(x0, y0, x1, y1 float64) paper.Quad {
	return h.apply(paper.Quad{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

func (h *homography) inverse() homography {
	a, b, c, d, e, f, g, i, j := h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8]
	det := a*(e*j-f*i) - b*(d*j-f*g) + c*(d*i-e*g)
	return homography{(e*j - f*i) / det, (c*i - b*j) / det, (b*f - c*e) / det,
		(f*g - d*j) / det, (a*j - c*g) / det, (c*d - a*f) / det,
		(d*i - e*g) / det, (b*g - a*i) / det, (a*e - b*d) / det}
}

// sampled are the places in a pixel where its light is measured.
var sampled = [4][2]float64{{0.25, 0.3}, {0.7, 0.25}, {0.3, 0.75}, {0.75, 0.7}}

// warp draws src through h (source pixels to destination pixels) onto dst, averaging four samples a
// pixel. Outside the source dst stays; inside reports whether a source point belongs to the paper.
func warp(dst, src *image.RGBA, h homography, inside func(x, y float64) bool) {
	inv := h.inverse()
	affine := inv[6] == 0 && inv[7] == 0 && inv[8] == 1
	b := bounds(h, src.Rect).Intersect(dst.Rect)
	sw, sh := float64(src.Rect.Dx()), float64(src.Rect.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var r, g, bl, n float64
			for _, o := range sampled {
				px, py := float64(x)+o[0], float64(y)+o[1]
				sx, sy := inv[0]*px+inv[1]*py+inv[2], inv[3]*px+inv[4]*py+inv[5]
				if !affine {
					w := inv[6]*px + inv[7]*py + inv[8]
					sx, sy = sx/w, sy/w
				}
				if sx < 0 || sy < 0 || sx >= sw || sy >= sh || inside != nil && !inside(sx, sy) {
					continue
				}
				pr, pg, pb := bilinear(src, sx-0.5, sy-0.5)
				r, g, bl, n = r+pr, g+pg, bl+pb, n+1
			}
			if n == 0 {
				continue
			}
			i := dst.PixOffset(x, y)
			p := dst.Pix[i : i+4]
			k := (4 - n) / 4
			p[0] = byte(r/4 + float64(p[0])*k + 0.5)
			p[1] = byte(g/4 + float64(p[1])*k + 0.5)
			p[2] = byte(bl/4 + float64(p[2])*k + 0.5)
			p[3] = 255
		}
	}
}

func bounds(h homography, r image.Rectangle) image.Rectangle {
	q := h.quad(0, 0, float64(r.Dx()), float64(r.Dy()))
	x0, y0, x1, y1 := q[0].X, q[0].Y, q[0].X, q[0].Y
	for _, p := range q {
		x0, y0, x1, y1 = math.Min(x0, p.X), math.Min(y0, p.Y), math.Max(x1, p.X), math.Max(y1, p.Y)
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1))+1, int(math.Ceil(y1))+1)
}

func bilinear(m *image.RGBA, x, y float64) (r, g, b float64) {
	if x < 0 {
		x = 0
	}
	if y < 0 {
		y = 0
	}
	x0, y0 := int(x), int(y)
	fx, fy := x-float64(x0), y-float64(y0)
	x1, y1 := min(x0+1, m.Rect.Dx()-1), min(y0+1, m.Rect.Dy()-1)
	x0, y0 = min(x0, x1), min(y0, y1)
	above, below := m.Pix[y0*m.Stride:], m.Pix[y1*m.Stride:]
	p00, p10 := binary.LittleEndian.Uint32(above[x0*4:]), binary.LittleEndian.Uint32(above[x1*4:])
	p01, p11 := binary.LittleEndian.Uint32(below[x0*4:]), binary.LittleEndian.Uint32(below[x1*4:])
	gx, gy := 1-fx, 1-fy
	w00, w10, w01, w11 := gx*gy, fx*gy, gx*fy, fx*fy
	return w00*level[p00&255] + w10*level[p10&255] + w01*level[p01&255] + w11*level[p11&255],
		w00*level[p00>>8&255] + w10*level[p10>>8&255] + w01*level[p01>>8&255] + w11*level[p11>>8&255],
		w00*level[p00>>16&255] + w10*level[p10>>16&255] + w01*level[p01>>16&255] + w11*level[p11>>16&255]
}

// level are the values of a byte: looking one up is quicker than converting it.
var level = func() (t [256]float64) {
	for i := range t {
		t[i] = float64(i)
	}
	return
}()

const a4w, a4h = 210.0, 297.0

// compose lays the sides on the glass and says for each how millimetres of the side map to page pixels.
func compose(sides []drawnSide, spec Spec, w wear, rng *rand.Rand) (*image.RGBA, []homography) {
	dpmm := float64(spec.DPI) / 25.4
	spots, wide, high := layOut(sides, spec, rng)
	page := image.NewRGBA(image.Rect(0, 0, int(wide*dpmm+0.5), int(high*dpmm+0.5)))
	lid := byte(242 + rng.IntN(13))
	under := [3]byte{lid, lid, lid}
	if w.perspective > 0 {
		under = [3]byte{w.table.R, w.table.G, w.table.B}
	}
	for i := 0; i < len(page.Pix); i += 4 {
		page.Pix[i], page.Pix[i+1], page.Pix[i+2], page.Pix[i+3] = under[0], under[1], under[2], 255
	}
	maps := make([]homography, len(sides))
	for i, f := range sides {
		a := (float64(f.rotation) + f.skew) * math.Pi / 180
		sin, cos := math.Sin(a)*dpmm, math.Cos(a)*dpmm
		cx, cy := f.widthMM/2, f.heightMM/2
		maps[i] = homography{cos, -sin, spots[i][0]*dpmm - cos*cx + sin*cy, sin, cos, spots[i][1]*dpmm - sin*cx - cos*cy, 0, 0, 1}
		s := float64(f.img.Rect.Dx()) / f.widthMM
		m := maps[i]
		px := homography{m[0] / s, m[1] / s, m[2], m[3] / s, m[4] / s, m[5], 0, 0, 1}
		if isThick(f) {
			shadow(page, maps[i], f, dpmm)
		}
		warp(page, f.img, px, f.inside(s))
	}
	return page, maps
}

func isThick(f drawnSide) bool { return f.widthMM < 200 }

func (f drawnSide) inside(s float64) func(x, y float64) bool {
	if f.radius == 0 {
		return nil
	}
	r, w, h := f.radius*s, f.widthMM*s, f.heightMM*s
	return func(x, y float64) bool {
		dx := math.Max(r-x, x-(w-r))
		dy := math.Max(r-y, y-(h-r))
		return dx <= 0 || dy <= 0 || dx*dx+dy*dy <= r*r
	}
}

// shadow darkens the lid beside the lower and right edge, as a lamp does under a card's thickness.
func shadow(page *image.RGBA, m homography, f drawnSide, dpmm float64) {
	inv := m.inverse()
	grown := homography{m[0], m[1], m[2] + 0.5*dpmm, m[3], m[4], m[5] + 0.8*dpmm, 0, 0, 1}
	b := bounds(grown, image.Rect(0, 0, int(f.widthMM)+1, int(f.heightMM)+1)).Intersect(page.Rect)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			mx, my := inv.at(float64(x)-0.25*dpmm, float64(y)-0.45*dpmm)
			rx, ry := math.Max(f.radius-mx, mx-(f.widthMM-f.radius)), math.Max(f.radius-my, my-(f.heightMM-f.radius))
			d := math.Max(rx, ry) - f.radius
			if rx > 0 && ry > 0 {
				d = math.Hypot(rx, ry) - f.radius
			}
			if d > 0.5 {
				continue
			}
			k := 0.75 + 0.25*math.Max(0, d)/0.5
			i := page.PixOffset(x, y)
			for c := range 3 {
				page.Pix[i+c] = byte(float64(page.Pix[i+c]) * k)
			}
		}
	}
}

// layOut finds a spot (centre, mm) for every side: sheets fill the bed, cards go into rows.
func layOut(sides []drawnSide, spec Spec, rng *rand.Rand) (spots [][2]float64, w, h float64) {
	size := func(f drawnSide) (float64, float64) {
		a := (float64(f.rotation) + f.skew) * math.Pi / 180
		s, c := math.Abs(math.Sin(a)), math.Abs(math.Cos(a))
		return f.widthMM*c + f.heightMM*s, f.widthMM*s + f.heightMM*c
	}
	if spec.Tight {
		y := 0.0
		edge := 2 + 8*rng.Float64()
		for _, f := range sides {
			fw, fh := size(f)
			w = math.Max(w, fw+edge)
			spots = append(spots, [2]float64{(fw + edge) / 2, y + (fh+edge)/2})
			y += fh + edge
		}
		return spots, w, y
	}
	w, h = a4w, a4h
	if len(sides) == 1 && !isThick(sides[0]) {
		if fw, fh := size(sides[0]); fw > fh {
			w, h = h, w
		}
		return [][2]float64{{w / 2, h / 2}}, w, h
	}
	// Shelves from the top; the rest of the bed is spread between them.
	type shelf struct {
		n          int
		wide, high float64
	}
	var shelves []shelf
	for _, f := range sides {
		fw, fh := size(f)
		if k := len(shelves) - 1; k >= 0 && shelves[k].wide+fw+12 <= w && len(sides) > 2 {
			shelves[k].n++
			shelves[k].wide += fw + 6
			shelves[k].high = math.Max(shelves[k].high, fh)
		} else {
			shelves = append(shelves, shelf{1, fw, fh})
		}
	}
	used := 0.0
	for _, s := range shelves {
		used += s.high
	}
	gap := math.Max(2, (h-used)/float64(len(shelves)+1))
	i, y := 0, 0.0
	for _, s := range shelves {
		free := gap
		if free > 8 {
			free = 6 + rng.Float64()*(gap-6)
		}
		y += free
		x := (w - s.wide) * rng.Float64()
		for range s.n {
			fw, fh := size(sides[i])
			spots = append(spots, [2]float64{x + fw/2, y + fh/2})
			x += fw + 6
			i++
		}
		y += s.high
	}
	return spots, w, h
}
