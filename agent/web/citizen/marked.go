package citizen

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"

	"motcua/agent/visit"
	"motcua/ocr/paper"
)

const (
	wholeWidth = 1400 // px of the picture of a whole paper: its print can be read when it is enlarged
	markWidth  = 7    // px of the mark's line on it
)

// marked draws the paper that a value was read from, cut out where recognition found its outline, with the value's place
// marked. Where the page's own size is not known, as that of a PDF, nothing is marked.
func (s *Pages) marked(ctx context.Context, p visit.Paper, e visit.Entry) ([]byte, error) {
	outline, known := outlineOf(p, e)
	var data []byte
	var err error
	if known {
		data, err = s.Options.Reader.Crop(ctx, p.Data, e.Page, outline, wholeWidth)
	} else {
		data, err = s.Options.Reader.Preview(ctx, p.Data, e.Page, wholeWidth)
	}
	if err != nil {
		return nil, err
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	size := picture.Bounds().Size()
	if !known {
		page, _, err := image.DecodeConfig(bytes.NewReader(p.Data))
		// A photo that was turned by its own mark, or a PDF: its pixels are others than those of the place.
		if err != nil || math.Abs(float64(page.Width)/float64(page.Height)-float64(size.X)/float64(size.Y)) > 0.02 {
			return data, nil
		}
		width, height := float64(page.Width), float64(page.Height)
		outline = paper.Quad{{X: 0, Y: 0}, {X: width, Y: 0}, {X: width, Y: height}, {X: 0, Y: height}}
	}
	if *e.Where == outline { // all of it
		return data, nil
	}
	canvas := image.NewRGBA(picture.Bounds())
	draw.Draw(canvas, canvas.Bounds(), picture, picture.Bounds().Min, draw.Src)
	frame(canvas, placeIn(outline, *e.Where, size))
	var out bytes.Buffer
	if err := jpeg.Encode(&out, canvas, &jpeg.Options{Quality: 80}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// outlineOf finds the outline of the document on the page that a value lies on.
func outlineOf(p visit.Paper, e visit.Entry) (paper.Quad, bool) {
	for _, d := range p.Documents {
		if d.Where == nil || d.Page != e.Page {
			continue
		}
		for _, f := range d.Fields {
			if f.Where != nil && *f.Where == *e.Where {
				return *d.Where, true
			}
		}
		if *d.Where == *e.Where {
			return *d.Where, true
		}
	}
	return paper.Quad{}, false
}

// placeIn gives the upright box, in pixels of a picture of that size cut out along the outline, that a region of the
// page takes there.
func placeIn(outline, region paper.Quad, size image.Point) image.Rectangle {
	ax, ay := outline[1].X-outline[0].X, outline[1].Y-outline[0].Y
	dx, dy := outline[3].X-outline[0].X, outline[3].Y-outline[0].Y
	area := ax*dy - ay*dx
	if area == 0 {
		return image.Rectangle{}
	}
	box := image.Rectangle{}
	for i, c := range region {
		x, y := c.X-outline[0].X, c.Y-outline[0].Y
		at := image.Pt(int((x*dy-y*dx)/area*float64(size.X)), int((ax*y-ay*x)/area*float64(size.Y)))
		one := image.Rectangle{at, at.Add(image.Pt(1, 1))}
		if i == 0 {
			box = one
		} else {
			box = box.Union(one)
		}
	}
	return box.Inset(-2 * markWidth)
}

// frame draws a box by four bars, so that nothing of what stands in it is covered.
func frame(on draw.Image, box image.Rectangle) {
	mark := image.NewUniform(color.RGBA{0xC6, 0x1A, 0x2E, 0xFF})
	for _, bar := range []image.Rectangle{
		{box.Min, image.Pt(box.Max.X, box.Min.Y+markWidth)}, {image.Pt(box.Min.X, box.Max.Y-markWidth), box.Max},
		{box.Min, image.Pt(box.Min.X+markWidth, box.Max.Y)}, {image.Pt(box.Max.X-markWidth, box.Min.Y), box.Max},
	} {
		draw.Draw(on, bar.Intersect(on.Bounds()), mark, image.Point{}, draw.Src)
	}
}
