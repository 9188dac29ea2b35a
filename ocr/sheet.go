package ocr

import (
	"context"
	"image"
	"slices"
	"strings"

	"motcua/ocr/field"
	"motcua/ocr/find"
	"motcua/ocr/kinds"
	"motcua/ocr/lines"
	"motcua/ocr/mrz"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
)

// widest is how wide a whole page is cut out at most: A4 at 300 dpi.
const widest = 2500

// narrowest is how wide it is cut out at least, A4 at 120 dpi: of what was made small, letters of few pixels are no lines.
const narrowest = 1000

// symbolShare is which part of a sheet's width a corner is in which a small symbol is looked for: 50 mm of A4.
const symbolShare = 4

// readSheet reads a page on which no card was found: a form or a letter, or a card whose edges cannot be seen.
func (l *local) readSheet(ctx context.Context, p page.Picture, n int) (*readSide, error) {
	c, err := l.sheetOf(ctx, p)
	if err != nil {
		return nil, err
	}
	f, err := l.sheetFace(ctx, p, c, n)
	if err != nil || f.MRZ != nil || f.CodeOf != "" || f.Kind != "" && f.Kind != paper.Other || !f.foreign() {
		return f, err
	}
	// Little of it is Vietnamese: an open passport's other page may bear more print than the one with its data, across that.
	c = c.quarter()
	if !c.longRows() {
		return f, nil
	}
	up, err := l.vote(ctx, c)
	if err != nil {
		return nil, err
	}
	if !up {
		c.flip()
	}
	g, err := l.sheetFace(ctx, p, c, n)
	if err != nil || g.MRZ == nil {
		return f, err
	}
	g.Copy = f.Copy
	return g, nil
}

// foreignShare is which share of a sheet's words is read well as Vietnamese at most, where they are another language's or lie on the side.
const foreignShare = 0.25

func (f *readSide) foreign() bool {
	return float64(f.Legible) < foreignShare*float64(len(strings.Fields(f.Words)))
}

// quarter is a sheet's cutting turned clockwise by a quarter, with the lines that are found on it so.
func (c *card) quarter() *card {
	q, w, h := c.quad, c.plane.Width, c.plane.Height
	t := &card{img: page.Turn(c.img, 90), quad: paper.Quad{q[3], q[0], q[1], q[2]}, plain: c.plain, stamps: c.stamps.Turned(1)}
	t.plane = find.NewPlane(t.quad, h, w)
	t.lines = sheetLines(t.ink(sheetWindow(h)), h)
	return t
}

// longRow is how many times as long as high an MRZ's row is at least: 30 signs of 2.54 mm on a line of 4.
const longRow = 15

// longRows says whether two rows stand one under the other as an MRZ's do.
func (c *card) longRows() bool {
	long := slices.DeleteFunc(rows(c.lines), func(r image.Rectangle) bool { return r.Dx() < longRow*r.Dy() })
	for i, a := range long {
		for _, b := range long[i+1:] {
			gap, off := b.Min.Y-a.Max.Y, abs(a.Min.X-b.Min.X)+abs(a.Max.X-b.Max.X)
			if gap < 2*a.Dy() && off < 2*a.Dy() && near(b.Dy(), a.Dy(), 0.6) {
				return true
			}
		}
	}
	return false
}

// sheetFace reads a sheet that was cut out and turned.
func (l *local) sheetFace(ctx context.Context, p page.Picture, c *card, n int) (*readSide, error) {
	f := &readSide{Page: n, Quad: c.quad, Turn: turnOf(c.quad), Readings: map[paper.Name][]paper.Evidence{}}
	for _, s := range c.codes {
		if procedure, ok := qr.Separator(s.Text); ok && s.QR && !l.words { // nothing else on it is of use to anybody
			f.Kind, f.Text = paper.Separator, procedure
			return f, nil
		}
		f.code(s, c)
	}
	mrzRows, rest := c.mrzOf(c.lines)
	if len(mrzRows) > 0 {
		if err := l.readMRZ(c, mrzRows, f, likeMRZ); err != nil {
			return nil, err
		}
		if f.MRZ == nil { // a paragraph
			rest = c.lines
		}
	}
	words, err := l.lines(ctx, c, rest)
	if err != nil {
		return nil, err
	}
	if f.MRZ == nil && field.Sheet(field.Runs(words)).Kind == paper.Other {
		if words, err = l.mrzIn(c, rest, words, f); err != nil {
			return nil, err
		}
	}
	f.index(words)
	side := f.sheetOrCard(field.Runs(words), c.codes)
	known := codeValues{}
	known.add(f)
	if err := l.reread(ctx, c, side, f, known); err != nil {
		return nil, err
	}
	f.take(side, c)
	if f.Kind == "" || isSheet(f.Kind) {
		f.Text = field.Text(field.InOrder(words))
	}
	if l.words {
		c.all = c.lines
		if err := l.transcribe(ctx, c, f, p.DPI*float64(p.Scale)); err != nil {
			return nil, err
		}
		f.Part.Where = snapped(f.Part.Where, p.Gray.Rect)
	}
	return f, nil
}

// How the rows of an MRZ look when they were read as lines: signs of its alphabet without a space (ICAO 9303-3), 30 to 44 of them, of
// which a few were lost, added or misread.
const (
	mrzSigns  = 26  // at least
	mostSigns = 48  // at most
	mrzShare  = 0.8 // of a row's signs are capitals, figures and fillers
	mrzFiller = "<<"
)

// mrzIn looks for an MRZ among the lines of a sheet that were read, wherever it stands and however little of the sheet it fills: a
// passport beside something else. Only one without fault counts. It gives the words without the MRZ's.
func (l *local) mrzIn(c *card, boxes []image.Rectangle, words []lines.Word, f *readSide) ([]lines.Word, error) {
	if !slices.ContainsFunc(words, func(w lines.Word) bool { return strings.Contains(w.Text, mrzFiller) }) {
		return words, nil
	}
	texts := make([]string, len(boxes))
	for _, w := range words {
		texts[w.Line] += w.Text
	}
	var mrzRows []image.Rectangle
	for _, r := range rows(boxes) {
		var signs string
		var parts []image.Rectangle
		for i, b := range boxes {
			if b.In(r) {
				signs += texts[i]
				parts = append(parts, b)
			}
		}
		if machineReadable(signs) {
			mrzRows = append(mrzRows, parts...)
		}
	}
	if len(mrzRows) < 2 {
		return words, nil
	}
	err := l.readMRZ(c, mrzRows, f, func(z mrz.Data) bool { return likeMRZ(z) && z.Whole() })
	if err != nil || f.MRZ == nil {
		return words, err
	}
	return slices.DeleteFunc(words, func(w lines.Word) bool { return slices.Contains(mrzRows, boxes[w.Line]) }), nil
}

// machineReadable says whether what was read on a row looks like an MRZ's.
func machineReadable(signs string) bool {
	all, own := 0, 0
	for _, r := range signs {
		all++
		if r == '<' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			own++
		}
	}
	return all >= mrzSigns && all <= mostSigns && float64(own) >= mrzShare*float64(all)
}

// How a sheet w pixels wide is looked at: the window in pixels by which ink is told from paper, the height of the smallest letters, and
// its lines.
func sheetWindow(w int) int { return max(41, w/30) | 1 }
func leastLetter(w int) int { return max(10, w/200) }
func sheetLines(k find.Ink, w int) []image.Rectangle {
	return find.SheetLines(k, leastLetter(w), max(48, w/22))
}

// sheetOf cuts the sheet out of its page, takes off what is no print, finds its lines and codes, and turns it upright.
func (l *local) sheetOf(ctx context.Context, p page.Picture) (*card, error) {
	o := find.Sheet(p.Gray)
	w := int(max(narrowest, min(o.Width, widest)))
	c := cutTo(p, o, w)
	w = c.plane.Width
	if p.Red != nil { // an office's stamp is 36 mm wide, a signature's 10
		c.stamps = find.Unstamp(c.img, p.Red, o.Quad, p.RedScale(), w/22)
	}
	k := c.ink(sheetWindow(w))
	combs := find.Unrule(c.img, k, leastLetter(w))
	for _, comb := range combs { // one sign a cell: by itself each is too little to be a line
		k.Clear(comb)
	}
	c.lines = append(sheetLines(k, w), combs...)
	c.codes = qr.Find(c.img, qr.QRCode)
	if len(c.codes) == 0 {
		c.codes = qr.FindInCorners(c.img, w/symbolShare)
	}
	up, sure := c.upright()
	if !sure {
		var err error
		if up, err = l.vote(ctx, c); err != nil {
			return nil, err
		}
	}
	if !up {
		c.flip()
	}
	return c, nil
}

// fewestCardLabels is how many labels of a card make a whole page one whose edges can't be seen.
const fewestCardLabels = 4

// sheetOrCard tells what a whole page is, and takes its values: a form of ours, or else perhaps a card whose edges cannot be seen.
func (f *readSide) sheetOrCard(runs []field.Run, codes []qr.Symbol) field.Side {
	side := field.Sheet(runs)
	if side.Kind == paper.Other {
		if s := field.Card(runs); s.Kind != "" && s.Labels >= fewestCardLabels || f.MRZ != nil || f.hasQR() {
			side = s
			f.Stuck = f.Stuck || slices.ContainsFunc(codes, func(s qr.Symbol) bool { return !cardAbout(s, runs) })
			f.tellKind(&side, false)
			if s.Persons > 1 {
				for n, v := range side.Values {
					v.Doubts = append(v.Doubts, paper.Incomplete) // whose it is was not read
					side.Values[n] = v
				}
			}
		}
	}
	if isSheet(side.Kind) && side.Kind != paper.Other {
		f.dropCode(func(paper.Evidence) bool { return true })
	}
	return side
}

// code adds what a QR symbol says, and of which kind of paper it is.
func (f *readSide) code(s qr.Symbol, c *card) {
	if !s.QR {
		return
	}
	if _, _, ok := qr.Copy(s.Text); ok {
		f.Copy = s.Text
		return
	}
	v, ok := qr.Parse(s.Text)
	of := paper.CCCD
	if !ok {
		v, ok = qr.Insurance(s.Text)
		of = paper.BHYT
	}
	if !ok {
		return
	}
	f.Stuck = f.Stuck || f.CodeOf != "" && f.CodeOf != of // a card bears one
	f.CodeOf = of
	where := c.pageQuad(s.Where)
	for n, t := range v {
		f.add(n, paper.Evidence{Value: shown(n, t), Source: paper.QR, Conf: certainty(paper.QR), Code: of, Where: &where})
	}
}

// printed is a value that was read from print, but for its place on the page.
func printed(v field.Value) paper.Evidence {
	return paper.Evidence{Value: v.Text, Source: paper.OCR, Conf: v.Conf, Reread: v.Reread, Second: v.Second, Marks: v.Marks, Fits: v.Fits,
		Doubts: v.Doubts, Choices: v.Choices}
}

// take adds what was read from print.
func (f *readSide) take(side field.Side, c *card) {
	f.Kind, f.Side, f.Labels = side.Kind, side.Side, side.Labels
	for n, v := range side.Values {
		where := c.plane.Quad(v.Box)
		e := printed(v)
		e.Where = &where
		f.add(n, e)
	}
	switch {
	case isSheet(f.Kind):
		f.Side = ""
	case f.MRZ != nil && !f.MRZ.Passport:
		f.Side = "back"
	case f.MRZ != nil:
		f.Kind, f.Side = paper.Passport, ""
	case f.Side == "" && len(f.Readings[paper.Number]) > 0:
		f.Side = "front"
	}
}

func isSheet(k paper.Kind) bool { return k != "" && kinds.IsSheet(k) }
