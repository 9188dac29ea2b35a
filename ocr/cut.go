package ocr

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"golang.org/x/image/draw"

	"motcua/ocr/exif"
	"motcua/ocr/find"
	"motcua/ocr/jpeg"
	"motcua/ocr/page"
	"motcua/ocr/paper"
)

// Cut is the picture of one side of a paper as a copy shows it.
type Cut struct {
	JPEG          []byte `json:"-"`
	Gray          bool
	Width, Height int // of the JPEG, pixels
	// Corners say where the picture's top left, top right and bottom left stand on the upright paper: from its top left
	// corner, in pixels of the page. What lies outside the paper is to be clipped.
	Corners [3]paper.Point
	Size    [2]float64 // of the paper, pixels of the page
	Passed  bool       // the scan's own JPEG, or whole blocks of it: no second loss
}

// errAway says that a cut lies outside its page.
var errAway = errors.New("nothing of the page lies there")

// tilted is how far the fourth corner may lie from where a rectangle's would, as a share of the diagonal, before a picture
// taken at an angle has to be straightened.
const tilted = 0.01

// Qualities for pictures that have to be encoded: once, from pixels.
const (
	fineQuality   = 90
	fewestQuality = 30
)

// cut makes the copy of what lies within q on page n of the open file, of at most most bytes (0: as many as it takes).
func (l *local) cut(_ context.Context, n int, q paper.Quad, most int) (Cut, error) {
	if l.file == nil || n < 1 || n > l.file.Pages() {
		return Cut{}, fmt.Errorf("cut page %d: there is none", n)
	}
	c, err := cutOut(l.file, n, q)
	if err == nil && most > 0 && len(c.JPEG) > most {
		c, err = c.smaller(most)
	}
	if err != nil {
		return Cut{}, fmt.Errorf("cut page %d: %w", n, err)
	}
	return c, nil
}

func cutOut(f *page.File, n int, q paper.Quad) (Cut, error) {
	w, h := math.Hypot(q[1].X-q[0].X, q[1].Y-q[0].Y), math.Hypot(q[3].X-q[0].X, q[3].Y-q[0].Y)
	if w < 1 || h < 1 || w > 1e5 || h > 1e5 {
		return Cut{}, errAway
	}
	off := math.Hypot(q[1].X+q[3].X-q[0].X-q[2].X, q[1].Y+q[3].Y-q[0].Y-q[2].Y)
	if off > tilted*math.Hypot(w, h) {
		return straightened(f, n, q, w, h)
	}
	if data, o, ok := f.JPEG(n); ok {
		if c, err := passed(data, o, q, w, h); err == nil {
			return c, nil
		}
	}
	img, scale, err := f.Color(n, 0)
	if err != nil {
		return Cut{}, err
	}
	b := img.Bounds()
	k := float64(scale)
	box := bounds(q, func(p paper.Point) paper.Point { return paper.Point{X: p.X / k, Y: p.Y / k} }).Add(b.Min).Intersect(b)
	if box.Empty() {
		return Cut{}, errAway
	}
	c, err := encoded(cropped(img, box), fineQuality)
	if err != nil {
		return Cut{}, err
	}
	c.place(q, w, h, func(x, y float64) paper.Point {
		return paper.Point{X: (x + float64(box.Min.X-b.Min.X)) * k, Y: (y + float64(box.Min.Y-b.Min.Y)) * k}
	})
	return c, nil
}

// passed takes the scan's own JPEG, cut to whole blocks about q, without decoding it.
func passed(data []byte, o exif.Orientation, q paper.Quad, w, h float64) (Cut, error) {
	head, err := jpeg.ReadHeader(data)
	if err != nil {
		return Cut{}, err
	}
	if head.Inks() {
		return Cut{}, errors.New("four inks need a profile of their own")
	}
	if _, _, err := jpeg.Luma(data, 8); err != nil { // a copy is not to be of a torn file
		return Cut{}, err
	}
	stored, seen := turns(o, float64(head.Width), float64(head.Height))
	all := image.Rect(0, 0, head.Width, head.Height)
	box := bounds(q, stored).Intersect(all)
	if box.Empty() {
		return Cut{}, errAway
	}
	c := Cut{JPEG: data, Gray: head.Components == 1, Passed: true}
	if box != all || !jpeg.Bare(data) {
		if c.JPEG, box, err = jpeg.Crop(data, box); err != nil {
			return Cut{}, err
		}
	}
	c.Width, c.Height = box.Dx(), box.Dy()
	c.place(q, w, h, func(x, y float64) paper.Point {
		return seen(paper.Point{X: x + float64(box.Min.X), Y: y + float64(box.Min.Y)})
	})
	return c, nil
}

// place finds the Corners; at maps a point of the picture to the page as it is seen.
func (c *Cut) place(q paper.Quad, w, h float64, at func(x, y float64) paper.Point) {
	ux, uy := (q[1].X-q[0].X)/w, (q[1].Y-q[0].Y)/w
	vx, vy := (q[3].X-q[0].X)/h, (q[3].Y-q[0].Y)/h
	det := ux*vy - uy*vx
	for i, p := range []paper.Point{at(0, 0), at(float64(c.Width), 0), at(0, float64(c.Height))} {
		dx, dy := p.X-q[0].X, p.Y-q[0].Y
		c.Corners[i] = paper.Point{X: (dx*vy - dy*vx) / det, Y: (dy*ux - dx*uy) / det}
	}
	c.Size = [2]float64{w, h}
}

// turns gives the ways between the pixels of a file, w × h, and those of the page as it is seen.
func turns(o exif.Orientation, w, h float64) (stored, seen func(paper.Point) paper.Point) {
	mirror, degrees := o.Steps()
	seen = func(p paper.Point) paper.Point {
		if mirror {
			p.X = w - p.X
		}
		switch degrees {
		case 90:
			p.X, p.Y = h-p.Y, p.X
		case 180:
			p.X, p.Y = w-p.X, h-p.Y
		case 270:
			p.X, p.Y = p.Y, w-p.X
		}
		return p
	}
	stored = func(p paper.Point) paper.Point {
		switch degrees {
		case 90:
			p.X, p.Y = p.Y, h-p.X
		case 180:
			p.X, p.Y = w-p.X, h-p.Y
		case 270:
			p.X, p.Y = w-p.Y, p.X
		}
		if mirror {
			p.X = w - p.X
		}
		return p
	}
	return stored, seen
}

// OnPaper gives the words of a part as they stand on the upright paper, from its top left corner, in pixels of the page: as
// the picture of its Cut does.
func OnPaper(p paper.Part) []paper.Word {
	w, h := math.Hypot(p.Where[1].X-p.Where[0].X, p.Where[1].Y-p.Where[0].Y), math.Hypot(p.Where[3].X-p.Where[0].X, p.Where[3].Y-p.Where[0].Y)
	plane := find.NewPlane(p.Where, max(1, int(w+0.5)), max(1, int(h+0.5)))
	out := slices.Clone(p.Words)
	for i := range out {
		for k, at := range out[i].Where {
			out[i].Where[k] = plane.Cutting(at)
		}
	}
	return out
}

// bounds is the smallest rectangle of whole pixels about q, each corner moved by to.
func bounds(q paper.Quad, to func(paper.Point) paper.Point) image.Rectangle {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range q {
		p = to(p)
		x0, y0, x1, y1 = min(x0, p.X), min(y0, p.Y), max(x1, p.X), max(y1, p.Y)
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1)))
}

// straightened resamples a paper that was taken at an angle.
func straightened(f *page.File, n int, q paper.Quad, w, h float64) (Cut, error) {
	img, scale, err := f.Color(n, 0)
	if err != nil {
		return Cut{}, err
	}
	k := float64(scale)
	for i := range q {
		q[i].X, q[i].Y = q[i].X/k, q[i].Y/k
	}
	out := image.NewRGBA(image.Rect(0, 0, max(1, int(w/k+0.5)), max(1, int(h/k+0.5))))
	src := cropped(img, img.Bounds()).(*image.RGBA)
	plane := find.NewPlane(q, out.Rect.Dx(), out.Rect.Dy())
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			p := plane.Page(float64(x)+0.5, float64(y)+0.5)
			between(src, p.X-0.5, p.Y-0.5, out.Pix[y*out.Stride+4*x:])
		}
	}
	c, err := encoded(out, fineQuality)
	if err != nil {
		return Cut{}, err
	}
	c.Corners = [3]paper.Point{{}, {X: w}, {Y: h}}
	c.Size = [2]float64{w, h}
	return c, nil
}

// between samples src bilinearly; outside of it is white.
func between(src *image.RGBA, x, y float64, to []byte) {
	x0, y0 := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := x-float64(x0), y-float64(y0)
	if x0 < 0 || y0 < 0 || x0+1 >= src.Rect.Dx() || y0+1 >= src.Rect.Dy() {
		to[0], to[1], to[2], to[3] = 255, 255, 255, 255
		return
	}
	a, b := src.Pix[y0*src.Stride+4*x0:], src.Pix[(y0+1)*src.Stride+4*x0:]
	for i := range 3 {
		top := float64(a[i])*(1-fx) + float64(a[4+i])*fx
		low := float64(b[i])*(1-fx) + float64(b[4+i])*fx
		to[i] = uint8(top*(1-fy) + low*fy + 0.5)
	}
	to[3] = 255
}

// cropped is a part of img as its own pixels from the origin on: gray as it is, all else RGBA on white.
func cropped(img image.Image, r image.Rectangle) image.Image {
	to := image.Rect(0, 0, r.Dx(), r.Dy())
	switch m := img.(type) {
	case *image.Gray:
		out := image.NewGray(to)
		draw.Draw(out, to, m, r.Min, draw.Src)
		return out
	case *image.RGBA:
		if r == m.Rect && r.Min == (image.Point{}) {
			return m
		}
	}
	out := image.NewRGBA(to)
	draw.Draw(out, to, image.White, image.Point{}, draw.Src)
	draw.Draw(out, to, img, r.Min, draw.Over)
	return out
}

func encoded(img image.Image, quality int) (Cut, error) {
	data, err := jpeg.Encode(img, quality)
	if err != nil {
		return Cut{}, err
	}
	_, gray := img.(*image.Gray)
	return Cut{JPEG: data, Gray: gray, Width: img.Bounds().Dx(), Height: img.Bounds().Dy()}, nil
}

// smaller encodes a cut anew so that it has at most so many bytes: first coarser, then with fewer pixels. What cannot be
// made that small stays at its smallest.
func (c Cut) smaller(most int) (Cut, error) {
	var img image.Image
	var err error
	if c.Gray {
		img, _, err = jpeg.Luma(c.JPEG, 1)
	} else {
		img, err = jpeg.Color(c.JPEG, 1)
	}
	if err != nil {
		return Cut{}, err
	}
	best := c
	for shrink := 1.0; ; shrink *= 1.5 {
		for quality := 80; quality >= fewestQuality; quality -= 10 {
			small, err := encoded(img, quality)
			if err != nil {
				return Cut{}, err
			}
			small.Corners, small.Size = c.Corners, c.Size
			best = small
			if len(small.JPEG) <= most {
				return small, nil
			}
		}
		// Below 130 dpi of a 300 dpi scan small print cannot be read.
		if shrink > 2 {
			return best, nil
		}
		b := img.Bounds()
		to := image.Rect(0, 0, max(1, int(float64(b.Dx())/1.5)), max(1, int(float64(b.Dy())/1.5)))
		var next draw.Image = image.NewRGBA(to)
		if c.Gray {
			next = image.NewGray(to)
		}
		draw.CatmullRom.Scale(next, to, img, b, draw.Src, nil)
		img = next
	}
}

// Cuts cuts parts of papers, as Read gave them for this input with Words, out of their pages, one after the other, each of at
// most most bytes (0: as many as it takes), and hands them to take. It stops at the first error.
func (r *Reader) Cuts(ctx context.Context, in Input, parts []paper.Part, most int, take func(i int, c Cut) error) error {
	b, err := r.pool.take(ctx)
	if err != nil {
		return err
	}
	defer r.pool.give(b)
	if _, p := b.open(ctx, in.Data, false); p != nil {
		return p
	}
	defer b.done()
	for i, p := range parts {
		c, err := b.cut(ctx, p.Page, p.Where, most)
		if err != nil {
			return err
		}
		if err := take(i, c); err != nil {
			return err
		}
	}
	return nil
}
