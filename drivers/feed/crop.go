package feed

import (
	"bytes"
	"image"
	_ "image/jpeg" // encodedHeight reads their headers
	_ "image/png"
	"slices"

	"motcua/drivers/scan"
)

func encodedHeight(p scan.Page) int {
	c, _, err := image.DecodeConfig(bytes.NewReader(p.Encoded))
	if err != nil {
		return 0
	}
	return c.Height
}

// crop cuts a page to its sheet where that is beyond doubt: one light sheet, upright, on a dark backing. A
// white backing cannot be told from white paper, and a sheet that lies askew is recognition's to find.
func crop(img image.Image) image.Image {
	const (
		width = 400
		dark  = 90  // backing at most so light
		light = 140 // paper at least
	)
	part, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok {
		return img
	}
	g := thumbnail(img, width)
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if w < 32 || h < 32 {
		return img
	}
	// A row or column belongs to the sheet if it is at least half as light as the lightest one; ask both
	// ways until neither changes.
	box := g.Rect
	for range 4 {
		before := box
		box.Min.Y, box.Max.Y = extent(h, func(y int) float64 { return share(g, image.Rect(box.Min.X, y, box.Max.X, y+1), light) })
		box.Min.X, box.Max.X = extent(w, func(x int) float64 { return share(g, image.Rect(x, box.Min.Y, x+1, box.Max.Y), light) })
		if box == before || box.Empty() {
			break
		}
	}
	if box.Empty() || box == g.Rect || box.Dx()*box.Dy() < w*h/20 {
		return img
	}
	// All around must be backing: 98 of 100 pixels outside are dark.
	outside, backing, inside := 0, 0, box.Inset(-2)
	for y := range h {
		for x := range w {
			if !image.Pt(x, y).In(inside) {
				outside++
				if g.Pix[y*g.Stride+x] <= dark {
					backing++
				}
			}
		}
	}
	if outside == 0 || backing*100 < outside*98 {
		return img
	}
	b := img.Bounds()
	scale := func(v, of, to int) int { return v * to / of }
	const margin = 1 // of the thumbnail: edges are soft
	r := image.Rect(
		b.Min.X+scale(max(box.Min.X-margin, 0), w, b.Dx()), b.Min.Y+scale(max(box.Min.Y-margin, 0), h, b.Dy()),
		b.Min.X+scale(min(box.Max.X+margin, w), w, b.Dx()), b.Min.Y+scale(min(box.Max.Y+margin, h), h, b.Dy()),
	)
	return part.SubImage(r.Intersect(b))
}

func thumbnail(img image.Image, width int) *image.Gray {
	g, err := scan.Thumbnail(scan.Page{Image: img}, width)
	if err != nil {
		return image.NewGray(image.Rectangle{})
	}
	return g
}

// extent gives the first line that is sheet and the one after the last.
func extent(n int, part func(int) float64) (from, to int) {
	shares := make([]float64, n)
	for i := range shares {
		shares[i] = part(i)
	}
	enough := slices.Max(shares) / 2
	if enough == 0 {
		return 0, 0
	}
	for from = 0; shares[from] < enough; from++ {
	}
	for to = n; shares[to-1] < enough; to-- {
	}
	return from, to
}

// share is how much of a line is at least so light.
func share(g *image.Gray, r image.Rectangle, light uint8) float64 {
	if r.Empty() {
		return 0
	}
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range g.Pix[y*g.Stride+r.Min.X : y*g.Stride+r.Max.X] {
			if v >= light {
				n++
			}
		}
	}
	return float64(n) / float64(r.Dx()*r.Dy())
}
