package ocr

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

// assemble joins the sides that belong to one person's paper and settles their values. now tells the centuries of MRZs.
func assemble(sides []*readSide, now time.Time) []paper.Document {
	var docs []paper.Document
	used := make([]bool, len(sides))
	for i, f := range sides {
		if used[i] {
			continue
		}
		used[i] = true
		parts := []*readSide{f}
		if j := partner(sides, used, i); j >= 0 {
			used[j] = true
			parts = append(parts, sides[j])
			if len(sides) > 2 && !(f.best(paper.Number) != "" && f.best(paper.Number) == sides[j].best(paper.Number)) {
				// More than one card lies there, and nothing but its place says whose back this is.
				for _, p := range parts {
					if p.Side == "back" {
						p.doubtPrint()
					}
				}
			}
		}
		docs = append(docs, document(parts, now))
	}
	if docs == nil {
		docs = []paper.Document{}
	}
	return docs
}

// partner finds the other side of a card: the one whose number is the same, or else, where neither side has one
// that speaks against it, the next one.
func partner(sides []*readSide, used []bool, i int) int {
	f := sides[i]
	if f.Side == "" {
		return -1
	}
	next := -1
	for j := i + 1; j < len(sides); j++ {
		o := sides[j]
		if used[j] || o.Side == "" || o.Side == f.Side || !compatible(f.Kind, o.Kind) && !f.twelveFigures(o) && !o.twelveFigures(f) {
			continue
		}
		a, b := f.best(paper.Number), o.best(paper.Number)
		switch {
		case a != "" && a == b:
			return j
		case a == "" || b == "":
			if next < 0 {
				next = j
			}
		case misread(a, b, 0.3) && next < 0: // one of them may be misread
			next = j
		}
	}
	return next
}

// doubtPrint puts what was read from print under review.
func (f *readSide) doubtPrint() {
	for _, rs := range f.Readings {
		for i := range rs {
			if !exact(rs[i]) {
				rs[i].Doubts = doubt(rs[i].Doubts, paper.LowConfidence)
			}
		}
	}
}

// twelveFigures says whether f is the front of an identity card of twelve figures and o may be its back: that looks as the barcode
// card's does, which has only been issued since.
func (f *readSide) twelveFigures(o *readSide) bool {
	return f.Kind == paper.CMND && f.Side == "front" && len(f.best(paper.Number)) == 12 && o.Kind == paper.CCCD2016 && o.Side == "back"
}

// compatible says whether two sides can be of one kind of paper.
func compatible(a, b paper.Kind) bool {
	return a == b || a == "" || b == "" || a == paper.CCCD && b == paper.CCCD2016 || a == paper.CCCD2016 && b == paper.CCCD
}

func (f *readSide) best(n paper.Name) string {
	v, r := "", -1
	for _, x := range f.Readings[n] {
		if rank(x.Source) > r {
			v, r = x.Value, rank(x.Source)
		}
	}
	return v
}

// document settles what the sides of one paper say.
func document(parts []*readSide, now time.Time) paper.Document {
	slices.SortStableFunc(parts, func(a, b *readSide) int { // front before back
		return order(a.Side) - order(b.Side)
	})
	d, all := united(parts)
	switch {
	case d.Type == paper.Other: // on a letter any word may look like a value
		for n, rs := range all {
			all[n] = slices.DeleteFunc(rs, func(r paper.Evidence) bool { return r.Source == paper.OCR })
		}
	case !kinds.IsSheet(d.Type):
		d.Text = ""
	}
	doubtUnseen(d.Type, parts, all)
	settleCenturies(all, now)
	d.Fields = settle(d.Type, all)
	doubtWhole(d, parts)
	calibrate(d.Fields)
	return d
}

// united is the document of these sides without its fields, and what they say of those.
func united(parts []*readSide) (paper.Document, map[paper.Name][]paper.Evidence) {
	d := paper.Document{Page: parts[0].Page, Sides: []string{}, Rotation: parts[0].Turn}
	where := parts[0].Quad
	d.Where = &where
	all := map[paper.Name][]paper.Evidence{}
	for _, p := range parts {
		if p.Side != "" {
			d.Sides = append(d.Sides, p.Side)
		}
		if p.Kind != "" && (d.Type == "" || p.Side == "front") {
			d.Type = p.Kind
		}
		for n, rs := range maps.All(p.Readings) {
			all[n] = append(all[n], rs...)
		}
		d.Page = min(d.Page, p.Page)
		d.Text += p.Text
		d.Copy = cmp.Or(d.Copy, p.Copy)
		if p.Part != nil {
			d.Parts = append(d.Parts, *p.Part)
		}
	}
	d.Type = kindOf(d.Type, parts)
	return d, all
}

// kindOf is the kind of a paper, told as it is by its sides' print.
func kindOf(told paper.Kind, parts []*readSide) paper.Kind {
	switch {
	case slices.ContainsFunc(parts, func(p *readSide) bool { return p.Kind == paper.Other }):
		return paper.Other
	case told == paper.CCCD2016 && slices.ContainsFunc(parts, (*readSide).coded):
		return paper.CCCD
	case told == "" && slices.ContainsFunc(parts, func(p *readSide) bool { return p.Sure }):
		return paper.CCCD
	case told == "":
		return paper.Other
	}
	return told
}

// doubtWhole doubts what the kind of paper, or where a code stands on it, speaks against.
func doubtWhole(d paper.Document, parts []*readSide) {
	if misplaced(d.Type, parts) {
		doubtCode(d.Fields)
		for n, f := range d.Fields {
			if len(f.Doubts) > 0 {
				doubtField(d.Fields, n, f.Doubts[0])
			}
		}
	}
	if k, _ := kinds.Of(d.Type); d.Fields[paper.DateOfIssue].Value < k.First {
		// No such card was issued yet: the day, or the back it stands on, belongs to another.
		doubtField(d.Fields, paper.DateOfIssue, paper.ImpossibleDate)
	}
	if d.Type == paper.Other { // nothing says what its values mean
		for n := range d.Fields {
			doubtField(d.Fields, n, paper.Unknown)
		}
	}
}

// misplaced says whether a QR symbol stands on a paper, or on a side of one, that has none: a sticker.
func misplaced(kind paper.Kind, parts []*readSide) bool {
	k, _ := kinds.Of(kind)
	return slices.ContainsFunc(parts, func(p *readSide) bool {
		return p.CodeOf != "" && (p.Uncoded || kind != paper.Other && (k.CodeSide == "" || p.Side != "" && p.Side != k.CodeSide))
	})
}

// doubtField puts a settled value under review.
func doubtField(fields map[paper.Name]paper.Field, n paper.Name, why paper.Doubt) {
	if f, ok := fields[n]; ok {
		f.Doubts = doubt(f.Doubts, why)
		f.Review = true
		for i, e := range f.Evidence {
			if e.Source == f.Source { // it stays when the field is settled anew, until another source leads
				f.Evidence = slices.Clone(f.Evidence)
				f.Evidence[i].Doubts = doubt(slices.Clone(e.Doubts), why)
				break
			}
		}
		fields[n] = f
	}
}

func order(side string) int {
	return slices.Index([]string{"front", "", "back"}, side)
}

// Join brings the two sides of a card together that were scanned as separate inputs: a front and a back whose numbers
// agree become one document, or the next two where one has none; if others lie there, too, what stands on such a back is
// doubted. Pages must have been numbered through by the caller.
func Join(docs []paper.Document) []paper.Document {
	var out []paper.Document
	used := make([]bool, len(docs))
	for i, d := range docs {
		if used[i] {
			continue
		}
		used[i] = true
		if j, sure := otherSide(docs, used, i); j >= 0 {
			used[j] = true
			d = joined(d, docs[j], sure)
		}
		out = append(out, d)
	}
	return out
}

// otherSide finds the document that shows the other side of the i-th, -1 if none does; sure is false where nothing but its place
// among others tells that it does.
func otherSide(docs []paper.Document, used []bool, i int) (next int, sure bool) {
	next = -1
	for j := i + 1; j < len(docs); j++ {
		if used[j] || !twoSides(docs[i], docs[j]) {
			continue
		}
		if docs[i].Fields[paper.Number].Value != "" && docs[j].Fields[paper.Number].Value != "" {
			return j, true
		}
		if next < 0 {
			next = j
		}
	}
	sure = true
	for k, d := range docs {
		if next >= 0 && k != i && k != next && (twoSides(docs[i], d) || twoSides(docs[next], d)) {
			sure = false
		}
	}
	return next, sure
}

// twoSides says whether two documents may be the two sides of one card.
func twoSides(a, b paper.Document) bool {
	if len(a.Sides) != 1 || len(b.Sides) != 1 || a.Sides[0] == b.Sides[0] || !compatible(a.Type, b.Type) && b.Type != paper.Other {
		return false
	}
	m, n := a.Fields[paper.Number].Value, b.Fields[paper.Number].Value
	return m == "" || n == "" || m == n
}

func joined(a, b paper.Document, sure bool) paper.Document {
	if a.Sides[0] == "back" {
		a, b = b, a
	}
	all := map[paper.Name][]paper.Evidence{}
	for i, d := range []paper.Document{a, b} {
		for n, f := range d.Fields {
			read := evidence(f)
			for k, r := range read {
				if i == 1 && !sure && !exact(r) {
					read[k].Doubts = doubt(r.Doubts, paper.LowConfidence)
				}
			}
			all[n] = append(all[n], read...)
		}
	}
	a.Sides = []string{"front", "back"}
	a.Parts = append(slices.Clone(a.Parts), b.Parts...)
	a.Fields = settle(a.Type, all)
	calibrate(a.Fields)
	return a
}
