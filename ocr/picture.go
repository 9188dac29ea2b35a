package ocr

import (
	"context"
	"image"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"motcua/ocr/paper"
)

// Crop gives the region q of a page upright as a JPEG at most maxWidth pixels wide (0: as it is). It decodes
// in this process: for bytes from outside use Reader.Crop, which decodes in the worker.
func Crop(data []byte, page int, q paper.Quad, maxWidth int) ([]byte, error) {
	l := &local{limits: Limits{}.filled()}
	return l.crop(context.Background(), data, page, q, maxWidth)
}

// picture cuts q (in the file's pixels) out of img, decoded at 1/scale, and turns it upright. full takes all.
func picture(img image.Image, q paper.Quad, full bool, scale float64, maxWidth int) *image.RGBA {
	b := img.Bounds()
	if full {
		w, h := float64(b.Dx())*scale, float64(b.Dy())*scale
		q = paper.Quad{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}}
	}
	for i := range q {
		q[i].X, q[i].Y = q[i].X/scale+float64(b.Min.X), q[i].Y/scale+float64(b.Min.Y)
	}
	w := math.Hypot(q[1].X-q[0].X, q[1].Y-q[0].Y)
	h := math.Hypot(q[3].X-q[0].X, q[3].Y-q[0].Y)
	limit := func(v float64) float64 { return min(max(v, 1), 8000) }
	w, h = limit(w), limit(h)
	shrink := 1.0
	if maxWidth > 0 && w > float64(maxWidth) {
		shrink = float64(maxWidth) / w
	}
	out := image.NewRGBA(image.Rect(0, 0, max(1, int(w*shrink)), max(1, int(h*shrink))))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	// The quad's first corner and two sides are enough: papers on glass are not seen at an angle within one value.
	ux, uy := (q[1].X-q[0].X)/w/shrink, (q[1].Y-q[0].Y)/w/shrink
	vx, vy := (q[3].X-q[0].X)/h/shrink, (q[3].Y-q[0].Y)/h/shrink
	det := ux*vy - vx*uy
	if math.Abs(det) < 1e-9 {
		return out
	}
	// From page to cutting: the inverse.
	a, bb, c, d := vy/det, -vx/det, -uy/det, ux/det
	m := f64.Aff3{a, bb, -(a*q[0].X + bb*q[0].Y), c, d, -(c*q[0].X + d*q[0].Y)}
	var scaler draw.Interpolator = draw.ApproxBiLinear
	if shrink < 0.6 {
		scaler = draw.BiLinear // averages over what it leaves out
	}
	scaler.Transform(out, m, img, b, draw.Over, nil)
	return out
}
