package ocr

import (
	"context"
	"image"

	"golang.org/x/sync/errgroup"

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
		text: tess.NewPool(lanes, func() (*tess.Engine, error) { return tess.Open("vie", "", true) }),
		zone: tess.NewPool(1, func() (*tess.Engine, error) { return tess.Open("eng", zoneAlphabet, false) }),
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
			ws, err := e.text.Read(ctx, strip(img, box), tess.Line, 300)
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

// strip is a line with the room above and below that tone marks take.
func strip(img *image.Gray, box image.Rectangle) *image.Gray {
	v := max(5, box.Dy()*2/7)
	r := image.Rect(box.Min.X-v, box.Min.Y-v, box.Max.X+v, box.Max.Y+v).Intersect(img.Bounds())
	return img.SubImage(r).(*image.Gray)
}
