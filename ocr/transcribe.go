package ocr

import (
	"context"
	"image"
	"math"
	"slices"
	"strings"

	"motcua/ocr/field"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
)

// transcribe notes where a side lies and all words on it, in reading order: what a copy of the paper needs. Most lines were
// read already; those that recognition had no use for are read now.
func (l *local) transcribe(ctx context.Context, c *card, f *readSide, dpi float64) error {
	part := &paper.Part{Page: f.Page, Side: f.Side, Where: c.quad, DPI: dpi}
	boxes, mrzWords := c.all, []lines.Word(nil)
	if f.MRZ != nil {
		boxes, mrzWords = c.beside(f.MRZ.Lines)
	}
	words, err := l.lines(ctx, c, boxes)
	if err != nil {
		return err
	}
	for i, w := range mrzWords {
		w.Line = len(boxes) + i
		words = append(words, w)
	}
	for i, run := range field.InOrder(words) {
		for _, w := range run.Words {
			part.Words = append(part.Words, paper.Word{Text: w.Text, Line: i, Where: c.plane.Quad(w.Box)})
		}
	}
	f.Part = part
	return nil
}

// beside parts the lines of an MRZ from the others and gives them as words, as they were made out there.
func (c *card) beside(texts []string) (rest []image.Rectangle, mrzWords []lines.Word) {
	boxes, others := c.mrzOf(c.all)
	rows := rows(boxes)
	if len(rows) != len(texts) { // read where a scratch parts the rows
		return c.all, nil
	}
	for i, r := range rows {
		mrzWords = append(mrzWords, lines.Word{Text: strings.TrimSpace(texts[i]), Box: r})
	}
	return others, mrzWords
}

// straightEnough is the slope, in radians, under which a sheet counts as fed straight: 0.2°, one millimetre over an A4 page.
const straightEnough = 0.0035

// snapped gives a sheet the page's own sides where it was fed straight, so that its copy is the page and nothing is resampled.
func snapped(q paper.Quad, page image.Rectangle) paper.Quad {
	slope := math.Remainder(math.Atan2(q[1].Y-q[0].Y, q[1].X-q[0].X), math.Pi/2)
	if math.Abs(slope) > straightEnough {
		return q
	}
	w, h := float64(page.Dx()), float64(page.Dy())
	corners := []paper.Point{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}}
	first := 0
	for i, p := range corners {
		if math.Hypot(p.X-q[0].X, p.Y-q[0].Y) < math.Hypot(corners[first].X-q[0].X, corners[first].Y-q[0].Y) {
			first = i
		}
	}
	out := slices.Concat(corners[first:], corners[:first])
	return paper.Quad(out)
}
