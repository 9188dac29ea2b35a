package ocr

import (
	"context"
	"image"
	"strings"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/field"
	"motcua/ocr/paper"
	"motcua/ocr/tess"
	"motcua/ocr/vn"
)

// lookAgain reads the values that no code gives again, from their rows alone: by the network, and where that leaves a
// doubt by Tesseract, which learned from other print and seldom makes the same mistake. It takes eight times as long.
func (l *local) lookAgain(ctx context.Context, c *card, side field.Side, f *face) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanes)
	var names []paper.Name
	for n := range side.Values {
		if !f.proven(n) {
			names = append(names, n)
		}
	}
	values := make([]field.Value, len(names))
	for i, n := range names {
		values[i] = side.Values[n]
		g.Go(func() error { return l.confirm(ctx, c, n, &values[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, n := range names {
		side.Values[n] = values[i]
	}
	return nil
}

// confirm notes which readers see the same in a value's rows alone.
func (l *local) confirm(ctx context.Context, c *card, n paper.Name, v *field.Value) error {
	read := func(by func(*image.Gray) ([]tess.Word, error)) (string, error) {
		rows := make([][]tess.Word, len(v.Rows))
		for i, r := range v.Rows {
			box := c.around(r).Intersect(c.img.Bounds())
			if box.Dx() < 4 || box.Dy() < 4 {
				continue
			}
			words, err := by(c.img.SubImage(box).(*image.Gray))
			if err != nil {
				return "", err
			}
			rows[i] = words
		}
		text, _, _ := field.Again(n, rows)
		return text, nil
	}
	first, err := read(l.engines.first)
	if err != nil {
		return err
	}
	v.Again = first != "" && vn.Same(first, v.Text)
	if len(v.Doubts) == 0 && certain(n, v.Text, v.Conf, v.Again, false) {
		return nil
	}
	second, err := read(func(s *image.Gray) ([]tess.Word, error) { return l.engines.second(ctx, s) })
	if err != nil {
		return err
	}
	v.Twice = second != "" && vn.Same(second, v.Text)
	if other := second; !v.Twice && isName(n) && vn.Plain(other) == vn.Plain(v.Text) {
		v.Text = likelier(v.Text, other) // which nobody read as a whole, so that it stays in doubt
		v.Again = false
	}
	return nil
}

// around is a row of words with as much room above and below as its line has.
func (c *card) around(row image.Rectangle) image.Rectangle {
	box := row.Inset(-max(4, row.Dy()*3/10)) // the last letter may be wider than its place was taken to be
	box.Min.Y, box.Max.Y = row.Min.Y, row.Max.Y
	for _, l := range c.lines {
		if middle := (l.Min.Y + l.Max.Y) / 2; middle > row.Min.Y && middle < row.Max.Y && l.Overlaps(row) {
			r := roomy(l, c.lines)
			box.Min.Y, box.Max.Y = min(box.Min.Y, r.Min.Y), max(box.Max.Y, r.Max.Y)
		}
	}
	return box
}

// proven says whether an exact code gave the field.
func (f *face) proven(n paper.Name) bool {
	for _, r := range f.Readings[n] {
		if r.exact() && !(n == paper.FullName && r.Source == paper.MRZ) {
			return true
		}
	}
	return false
}

func isName(n paper.Name) bool {
	return n == paper.FullName || n == paper.FatherName || n == paper.MotherName
}

// likelier takes of each pair of syllables the one that is known in names.
func likelier(a, b string) string {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return a
	}
	for i := range x {
		if i == 0 {
			p, _ := vn.Family(x[0])
			q, _ := vn.Family(y[0])
			if q > p {
				x[0] = y[0]
			}
		} else if vn.Syllable(y[i]) && !vn.Syllable(x[i]) {
			x[i] = y[i]
		}
	}
	return strings.Join(x, " ")
}
