package ocr

import (
	"context"
	"image"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/field"
	"motcua/ocr/fields"
	"motcua/ocr/find"
	"motcua/ocr/paper"
	"motcua/ocr/tess"
	"motcua/ocr/vn"
)

// lookAgain reads the values that no code gives again, from their rows alone: by the network, and where that leaves a
// doubt by Tesseract, which learned from other print and seldom makes the same mistake. It takes a dozen times as long.
func (l *local) lookAgain(ctx context.Context, c *card, side field.Side, f *face, known codeValues) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanes)
	var names []paper.Name
	for n := range side.Values {
		if !f.proven(n, side.Values[n].Text, known) {
			names = append(names, n)
		}
	}
	values := make([]field.Value, len(names))
	for i, n := range names {
		values[i] = side.Values[n]
		g.Go(func() error {
			if err := l.compare(c, known[n], &values[i]); err != nil {
				return err
			}
			return l.confirm(ctx, c, n, &values[i])
		})
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
	if isName(n) && len(v.Rows) > 0 && c.inkBehind(v.Rows[len(v.Rows)-1]) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	if len(v.Doubts) == 0 && certain(n, v.Text, v.Conf, v.Again, false) {
		return nil
	}
	second, err := read(func(s *image.Gray) ([]tess.Word, error) { return l.engines.second(ctx, s) })
	if err != nil {
		return err
	}
	v.Twice = second != "" && vn.Same(second, v.Text)
	if err := l.respell(c, v, n); err != nil {
		return err
	}
	if !v.Twice && isName(n) && vn.Plain(second) == vn.Plain(v.Text) {
		v.Choices = slices.Insert(v.Choices, 0, second)
	}
	if a, b := vn.Locate(v.Text), vn.Locate(second); !v.Twice && isPlace(n) && a.Commune == "" && b.Commune != "" && a.District == b.District && vn.Plain(v.Text) == vn.Plain(second) {
		v.Text, v.Again = second, false // of two readings of the same letters the one that is in the gazetteer; it stays in doubt
	}
	return nil
}

// respell reads a name again where it can't be Vietnamese as it stands: its family is nobody's, or a word can't be spelled so. If the
// print's own pixels leave open that one of the possible ones stands there, that is taken, and the name stays in review with what was
// read as a choice. Print that is clear stays as it is, whatever a list says.
func (l *local) respell(c *card, v *field.Value, n paper.Name) error {
	if !isName(n) {
		return nil
	}
	words := strings.Fields(v.Text)
	var others []string
	for i, w := range words {
		candidates := vn.Respelled(w)
		if _, known := vn.Family(w); i == 0 && !known {
			for _, a := range vn.Alike(w) {
				if _, known := vn.Family(a); known {
					candidates = append(candidates, strings.ToUpper(a))
				}
			}
		}
		for _, o := range candidates {
			other := slices.Clone(words)
			other[i] = o
			others = append(others, strings.Join(other, " "))
		}
	}
	read := *v
	read.Fits = nil
	if err := l.compare(c, others, &read); err != nil || len(read.Fits) != 1 {
		return err
	}
	v.Choices = slices.Insert(slices.DeleteFunc(v.Choices, func(o string) bool { return o == read.Fits[0] }), 0, v.Text)
	v.Text, v.Again, v.Twice = read.Fits[0], false, false
	return nil
}

// inkBehind says whether anything that may be letters stands behind a row of words: a faint last name is no line's any more,
// and nothing else tells that it is missing.
func (c *card) inkBehind(row image.Rectangle) bool {
	h := row.Dy()
	behind := image.Rect(row.Max.X+h/3, row.Min.Y+h/8, row.Max.X+3*h, row.Max.Y-h/4).Intersect(c.img.Bounds())
	if h < 8 || behind.Dx() < h {
		return false
	}
	about := image.Rect(behind.Min.X-2*h, behind.Min.Y-h, behind.Max.X+2*h, behind.Max.Y+h).Intersect(c.img.Bounds())
	k := find.NewInk(c.img.SubImage(about).(*image.Gray), 41, contrast(c.img))
	return k.Count(behind.Sub(about.Min))*10 > h*h
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

// proven says whether an exact code gave the field, and print says no other than it. Print that says what another card's code says
// and not what its own does is looked at again: the codes may have changed places.
func (f *face) proven(n paper.Name, text string, known codeValues) bool {
	if slices.ContainsFunc(f.Readings[n], func(r reading) bool { return r.Source == paper.QR && !same(n, r, reading{Value: text}) }) {
		return false
	}
	if slices.Contains(known[n], shown(n, text)) || len(known[n]) == 1 && vn.Same(known[n][0], text) {
		return true
	}
	for _, r := range f.Readings[n] {
		if r.exact() && !(n == paper.FullName && r.Source == paper.MRZ) && same(n, r, reading{Value: text}) {
			return true
		}
	}
	return false
}

func isPlace(n paper.Name) bool { return fields.TypeOf(n) == fields.Place }

func isName(n paper.Name) bool { return fields.TypeOf(n) == fields.PersonName }
