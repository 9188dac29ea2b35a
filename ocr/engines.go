package ocr

import (
	"context"
	"image"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/find"
	"motcua/ocr/tess"
)

// engines are the warm Tesseract instances of one process: Vietnamese text and machine readable zones.
type engines struct {
	text *tess.Pool
	zone *tess.Pool
}

const zoneAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// lanes is how many engines of a kind work at once on one page: as many as a kiosk has cores.
const lanes = 2

func newEngines() *engines {
	return &engines{
		text: tess.NewPool(lanes, func() (*tess.Engine, error) { return tess.Open("vie", "") }),
		zone: tess.NewPool(1, func() (*tess.Engine, error) { return tess.Open("eng", zoneAlphabet) }),
	}
}

func (e *engines) warm(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return e.text.Warm(ctx) })
	g.Go(func() error { return e.zone.Warm(ctx) })
	return g.Wait()
}

func (e *engines) close() {
	e.text.Close()
	e.zone.Close()
}

// lines reads each line of img by itself, all lanes at work. Words are numbered by their line's place in boxes.
func (e *engines) lines(ctx context.Context, img *image.Gray, boxes []image.Rectangle) ([]tess.Word, error) {
	found := make([][]tess.Word, len(boxes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanes)
	for i, box := range boxes {
		g.Go(func() error {
			ws, err := e.line(ctx, strip(img, box, boxes), lineHeight)
			found[i] = ws
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var all []tess.Word
	for i, ws := range found {
		for _, w := range ws {
			w.Line = i
			all = append(all, w)
		}
	}
	return all, nil
}

// lineHeight is what strips are brought to: near what the model was trained on. Tesseract's own shrinking of larger lines
// loses tone marks on capitals.
const lineHeight = 40

// line reads one strip at a given height; boxes come back in the pixels of the strip.
func (e *engines) line(ctx context.Context, s *image.Gray, height int) ([]tess.Word, error) {
	b := s.Bounds()
	w := max(1, (b.Dx()*height+b.Dy()/2)/b.Dy())
	words, err := e.text.Read(ctx, find.Resize(s, w, height), tess.Line, 300)
	fx, fy := float64(b.Dx())/float64(w), float64(b.Dy())/float64(height)
	for i, o := range words {
		r := o.Box
		words[i].Box = image.Rect(b.Min.X+int(float64(r.Min.X)*fx), b.Min.Y+int(float64(r.Min.Y)*fy), b.Min.X+int(float64(r.Max.X)*fx+0.5), b.Min.Y+int(float64(r.Max.Y)*fy+0.5))
	}
	return words, err
}

// strip is a line with a little room around it, but nothing of its neighbours.
func strip(img *image.Gray, box image.Rectangle, all []image.Rectangle) *image.Gray {
	v := max(5, box.Dy()*2/7)
	up, down, left, right := v, v, v, v
	for _, o := range all {
		if o == box {
			continue
		}
		if o.Min.X < box.Max.X && o.Max.X > box.Min.X {
			if gap := box.Min.Y - o.Max.Y; o.Min.Y < box.Min.Y {
				up = min(up, max(gap, 1))
			}
			if gap := o.Min.Y - box.Max.Y; o.Max.Y > box.Max.Y {
				down = min(down, max(gap, 1))
			}
		} else if o.Min.Y < box.Max.Y && o.Max.Y > box.Min.Y {
			if gap := box.Min.X - o.Max.X; gap >= 0 {
				left = min(left, max(gap, 2))
			}
			if gap := o.Min.X - box.Max.X; gap >= 0 {
				right = min(right, max(gap, 2))
			}
		}
	}
	r := image.Rect(box.Min.X-left, box.Min.Y-up, box.Max.X+right, box.Max.Y+down).Intersect(img.Bounds())
	return img.SubImage(r).(*image.Gray)
}

// figures reads a line of digits by the model for machine readable zones.
func (e *engines) figures(ctx context.Context, s *image.Gray) (string, error) {
	b := s.Bounds()
	words, err := e.zone.Read(ctx, find.Resize(s, max(1, b.Dx()*44/b.Dy()), 44), tess.Line, 300)
	digits := ""
	for _, w := range words {
		for _, r := range w.Text {
			switch r {
			case 'O', 'Q', 'D':
				r = '0'
			case 'I', 'L':
				r = '1'
			}
			if r >= '0' && r <= '9' {
				digits += string(r)
			}
		}
	}
	return digits, err
}
