package ocr

import (
	"context"
	"slices"

	"motcua/ocr/field"
	"motcua/ocr/find"
	"motcua/ocr/kinds"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
)

// widest is how wide a whole page is cut out at most: A4 at 300 dpi.
const widest = 2500

// symbolShare is which part of a sheet's width a corner is in which a small symbol is looked for: 50 mm of A4.
const symbolShare = 4

// readSheet reads a page on which no card was found: a form or a letter, or a card whose edges cannot be seen.
func (l *local) readSheet(ctx context.Context, p page.Picture, n int) (*face, error) {
	c, err := l.sheetOf(ctx, p)
	if err != nil {
		return nil, err
	}
	f := &face{Page: n, Quad: c.quad, Turn: turnOf(c.quad), Readings: map[paper.Name][]paper.Evidence{}}
	for _, s := range c.codes {
		if procedure, ok := qr.Separator(s.Text); ok && s.QR && !l.words { // nothing else on it is of use to anybody
			f.Kind, f.Text = paper.Separator, procedure
			return f, nil
		}
		f.code(s, c)
	}
	zone, rest := c.zoneOf(c.lines)
	if len(zone) > 0 {
		if err := l.readZone(c, zone, f, likeZone); err != nil {
			return nil, err
		}
		if f.Zone == nil { // a paragraph
			rest = c.lines
		}
	}
	words, err := l.lines(ctx, c, rest)
	if err != nil {
		return nil, err
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

// sheetOf cuts the sheet out of its page, takes off what is no print, finds its lines and codes, and turns it upright.
func (l *local) sheetOf(ctx context.Context, p page.Picture) (*card, error) {
	o := find.Sheet(p.Gray)
	w := int(min(o.Width, widest))
	c := cutTo(p, o, w)
	if p.Red != nil { // an office's stamp is 36 mm wide, a signature's 10
		find.Unstamp(c.img, p.Red, o.Quad, p.RedScale(), w/22)
	}
	k, letter := c.ink(max(41, w/30)|1), max(10, w/200)
	combs := find.Unrule(c.img, k, letter)
	for _, comb := range combs { // one sign a cell: by itself each is too little to be a line
		k.Clear(comb)
	}
	c.lines = append(find.SheetLines(k, letter, max(48, w/22)), combs...)
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
func (f *face) sheetOrCard(runs []field.Run, codes []qr.Symbol) field.Side {
	side := field.Sheet(runs)
	if side.Kind == paper.Other {
		if s := field.Card(runs); s.Kind != "" && s.Labels >= fewestCardLabels || f.Zone != nil || f.hasQR() {
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
func (f *face) code(s qr.Symbol, c *card) {
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

// take adds what was read from print.
func (f *face) take(side field.Side, c *card) {
	f.Kind, f.Side, f.Labels = side.Kind, side.Side, side.Labels
	for n, v := range side.Values {
		where := c.plane.Quad(v.Box)
		f.add(n, paper.Evidence{Value: v.Text, Source: paper.OCR, Conf: v.Conf, Reread: v.Reread, Second: v.Second, Fits: v.Fits,
			Doubts: v.Doubts, Choices: v.Choices, Where: &where})
	}
	switch {
	case isSheet(f.Kind):
		f.Side = ""
	case f.Zone != nil && !f.Zone.Passport:
		f.Side = "back"
	case f.Zone != nil:
		f.Kind, f.Side = paper.Passport, ""
	case f.Side == "" && len(f.Readings[paper.Number]) > 0:
		f.Side = "front"
	}
}

func isSheet(k paper.Kind) bool { return k != "" && kinds.IsSheet(k) }
