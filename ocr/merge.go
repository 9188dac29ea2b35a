package ocr

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/fields"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
	"motcua/ocr/vn"
)

// enough is the confidence from which a value may be used without a look.
const enough = 0.98

// ParseQR reads the text of an identity card's QR symbol as a reader typed or sent it. torn says that name and residence
// were left out, because the reader does not know Vietnamese and lost letters of them.
func ParseQR(text string) (values map[paper.Name]string, torn, ok bool) {
	values, torn, ok = qr.Typed(text)
	for n, t := range values {
		values[n] = shown(n, t)
	}
	return values, torn, ok
}

// Merge lays values from another source (a chip, a handheld QR reader) over a scanned document, by rank:
// chip > qr > mrz > ocr. A value that differs from what was read before puts the field under review; so does a
// chip or QR of another person, whose number differs. A QR symbol's text is as easily made as typed: what no scan
// of the paper says as well wants a look.
func Merge(doc *paper.Document, src paper.Source, values map[paper.Name]string) {
	all := map[paper.Name][]paper.Evidence{}
	for n, f := range doc.Fields {
		all[n] = evidence(f)
	}
	for n, v := range values {
		if v = shown(n, vn.NFC(v)); v != "" {
			all[n] = append(all[n], paper.Evidence{Value: v, Source: src, Conf: certainty(src)})
			all[n] = once(all[n])
		}
	}
	if src == paper.QR {
		doubtUnscanned(doc, all)
	}
	doc.Fields = settle(doc.Type, all)
	calibrate(doc.Fields)
}

// evidence is what a settled field was made of. A field that kept none, from a document of an earlier build, gives the source that leads,
// first, and those that say the same.
func evidence(f paper.Field) []paper.Evidence {
	if len(f.Evidence) > 0 {
		all := slices.Clone(f.Evidence)
		for i := range all {
			all[i].Doubts = slices.Clone(all[i].Doubts)
		}
		return all
	}
	all := []paper.Evidence{{Value: f.Value, Source: f.Source, Conf: f.Confidence, Doubts: own(f.Doubts), Settled: true, Choices: f.Choices,
		Page: f.Page, Where: f.Where}}
	for _, a := range f.Agrees {
		conf := certainty(a)
		if slices.Contains(f.Doubts, paper.Unseen) {
			conf = min(conf, possible) // what agreed was read too badly to answer that
		}
		all = append(all, paper.Evidence{Value: f.Value, Source: a, Conf: conf, Page: f.Page, Where: f.Where})
	}
	return all
}

// once drops what a source that is read again has said before.
func once(all []paper.Evidence) []paper.Evidence {
	last := all[len(all)-1]
	if slices.ContainsFunc(all[:len(all)-1], func(r paper.Evidence) bool {
		return r.Source == last.Source && r.Value == last.Value && r.Page == last.Page
	}) {
		return all[:len(all)-1]
	}
	return all
}

// own drops the doubts that settle finds again from the values themselves. What print said against a value, or how badly it was
// read, it can't: those stay with the reading until another source leads.
func own(d []paper.Doubt) []paper.Doubt {
	return slices.DeleteFunc(slices.Clone(d), func(d paper.Doubt) bool { return d == paper.NumberMismatch })
}

func rank(s paper.Source) int {
	return slices.Index([]paper.Source{paper.ChipUnchecked, paper.OCR, paper.MRZ, paper.QR, paper.Chip, paper.User}, s)
}

func certainty(s paper.Source) float64 {
	switch s {
	case paper.User, paper.Chip, paper.QR:
		return 0.999
	case paper.MRZ:
		return 0.998
	}
	return 0.9
}

// exact says whether a reading is proven by a code.
func exact(r paper.Evidence) bool {
	return rank(r.Source) >= rank(paper.QR) || r.Source == paper.MRZ && r.Conf >= certainty(paper.MRZ)
}

// settle merges the readings of every field by rank and holds the fields against each other.
func settle(kind paper.Kind, all map[paper.Name][]paper.Evidence) map[paper.Name]paper.Field {
	out := map[paper.Name]paper.Field{}
	proven := map[paper.Name]bool{}
	for n, rs := range all {
		if len(rs) == 0 {
			continue
		}
		f, lead := merged(n, rs)
		out[n] = f
		proven[n] = exact(lead)
	}
	if forged(all) || disputed(out) > 1 {
		doubtCode(out)
	}
	for n, f := range out {
		proven[n] = proven[n] && len(f.Doubts) == 0 // a code in doubt proves nothing of others
	}
	checker{kind, out, proven}.check()
	for n, f := range out {
		if f.Confidence < enough && !slices.Contains(f.Doubts, paper.LowConfidence) && len(f.Doubts) == 0 {
			f.Doubts = append(f.Doubts, paper.LowConfidence)
		}
		f.Review = len(f.Doubts) > 0
		if !f.Review {
			f.Choices = nil
		}
		out[n] = f
	}
	return out
}

// calibrate gives settled fields their confidence, when all doubts are known.
func calibrate(fields map[paper.Name]paper.Field) {
	for n, f := range fields {
		f.Confidence = math.Round(calibrated(f)*1000) / 1000
		fields[n] = f
	}
}

// merged takes the reading of highest rank and says which others agree.
func merged(n paper.Name, rs []paper.Evidence) (paper.Field, paper.Evidence) {
	slices.SortStableFunc(rs, func(a, b paper.Evidence) int {
		return cmp.Or(cmp.Compare(rank(b.Source), rank(a.Source)), cmp.Compare(b.Conf, a.Conf))
	})
	lead := leading(n, rs)
	m := merging{name: n, lead: lead, all: rs}
	m.field = paper.Field{Value: norm.NFC.String(lead.Value), Source: lead.Source, Agrees: []paper.Source{}, Confidence: lead.Conf,
		Doubts: slices.Clone(lead.Doubts), Choices: lead.Choices, Page: lead.Page, Where: lead.Where, Evidence: rs}
	if lead.Source == paper.OCR && !lead.Settled {
		m.field.Confidence = confidence(n, lead)
	}
	m.wrong = 1 - m.field.Confidence
	for _, r := range rs {
		if r.Source == lead.Source {
			m.repeated(r)
		} else {
			m.other(r)
		}
	}
	m.field.Confidence = min(1-m.wrong, 0.9995)
	slices.SortFunc(m.field.Agrees, func(a, b paper.Source) int { return cmp.Compare(rank(b), rank(a)) })
	return m.field, lead
}

// leading is the reading whose value a field takes, of those in order of rank.
func leading(n paper.Name, rs []paper.Evidence) paper.Evidence {
	lead := rs[0]
	if lead.Source != paper.MRZ {
		return lead
	}
	for _, r := range rs[1:] {
		// The MRZ's name has no diacritics: what is printed leads. And a value that no check digit proves
		// does not outrank print that was read well.
		if r.Source == paper.OCR && (n == paper.FullName || !exact(lead) && r.Conf > 0.8 && !same(n, r, lead)) {
			return r
		}
	}
	return lead
}

// merging is a field being made of its readings.
type merging struct {
	name  paper.Name
	lead  paper.Evidence
	all   []paper.Evidence
	field paper.Field
	wrong float64 // the chance that the value is wrong, by all who say it
}

// repeated takes a further reading of the source that leads.
func (m *merging) repeated(r paper.Evidence) {
	if !same(m.name, m.lead, r) && r.Conf > 0.5 {
		m.field.Doubts = doubt(m.field.Doubts, paper.Disagreement)
	}
	// The same code, or the same source read once more, says nothing new; a person does.
	if r.Settled && r.Source != paper.User && (r.Source == paper.QR || !m.lead.Settled) {
		for _, d := range r.Doubts {
			m.field.Doubts = doubt(m.field.Doubts, d)
		}
		if len(m.field.Choices) == 0 {
			m.field.Choices = r.Choices
		}
	}
}

// other takes a reading of another source than the one that leads.
func (m *merging) other(r paper.Evidence) {
	if r.Source == paper.OCR && r.Where != nil {
		m.field.Page, m.field.Where = r.Page, r.Where // people compare with the print, not with the code
	}
	switch {
	case same(m.name, m.lead, r):
		m.agree(r)
	case contradicts(m.name, m.lead, r, m.all):
		m.field.Doubts = doubt(m.field.Doubts, paper.Disagreement)
		if r.Source != paper.MRZ && !slices.Contains(m.field.Choices, r.Value) {
			m.field.Choices = append(slices.Clone(m.field.Choices), r.Value)
		}
	}
}

// agree counts a source that says the same, and lets go of the doubts that this answers. That something else was read, too, no
// further code answers, only what is signed or a person.
func (m *merging) agree(r paper.Evidence) {
	if r.Settled && slices.Contains(r.Doubts, paper.Disagreement) && rank(m.lead.Source) < rank(paper.Chip) {
		m.field.Doubts = doubt(m.field.Doubts, paper.Disagreement)
		if len(m.field.Choices) == 0 {
			m.field.Choices = r.Choices
		}
	}
	byMRZ := r.Source == paper.MRZ || m.lead.Source == paper.MRZ
	if m.name == paper.FullName && byMRZ { // letters agree; an MRZ says nothing of the marks, so it doesn't say the same
		return
	}
	if r.Source == paper.ChipUnchecked || slices.Contains(m.field.Agrees, r.Source) {
		return
	}
	m.field.Agrees = append(m.field.Agrees, r.Source)
	m.wrong *= 1 - min(0.95, r.Conf)
	m.field.Doubts = slices.DeleteFunc(m.field.Doubts, func(d paper.Doubt) bool {
		return d == paper.CheckDigit || d == paper.Unseen && r.Conf > possible
	})
}

func doubt(ds []paper.Doubt, d paper.Doubt) []paper.Doubt {
	if slices.Contains(ds, d) {
		return ds
	}
	return append(ds, d)
}

// same says whether two readings mean the same value.
func same(n paper.Name, a, b paper.Evidence) bool {
	switch fields.TypeOf(n) {
	case fields.PersonName:
		if a.Source == paper.MRZ || b.Source == paper.MRZ {
			return letters(a.Value) == letters(b.Value)
		}
		return vn.SameName(a.Value, b.Value)
	case fields.Place, fields.Nation, fields.Expiry, fields.Text:
		return vn.Same(a.Value, b.Value)
	}
	return a.Value == b.Value
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, vn.Plain(s))
}

// misread says whether b can be a misreading of a: a plain form of which at most a share of the letters differs.
func misread(a, b string, share float64) bool {
	x, y := []rune(vn.Plain(a)), []rune(vn.Plain(b))
	return float64(vn.Edits(x, y)) <= share*float64(max(len(x), len(y)))
}

// checker holds the fields of one paper against each other. exact are those that codes prove.
type checker struct {
	kind   paper.Kind
	fields map[paper.Name]paper.Field
	exact  map[paper.Name]bool
}

// blame doubts a field.
func (c checker) blame(n paper.Name, d paper.Doubt) {
	if f, ok := c.fields[n]; ok {
		f.Doubts = doubt(f.Doubts, d)
		c.fields[n] = f
	}
}

// blameBoth doubts the one of two fields that no code proves, or both.
func (c checker) blameBoth(a, b paper.Name, d paper.Doubt) {
	if !c.exact[a] || c.exact[b] {
		c.blame(a, d)
	}
	if !c.exact[b] || c.exact[a] {
		c.blame(b, d)
	}
}

// confirm leaves a field that was read from print this share of its chance to be wrong.
func (c checker) confirm(n paper.Name, share float64) {
	if f, ok := c.fields[n]; ok && f.Source == paper.OCR {
		f.Confidence = 1 - (1-f.Confidence)*share
		c.fields[n] = f
	}
}

// sure says whether a field needs no look as far as it alone goes.
func (c checker) sure(n paper.Name) bool {
	f, ok := c.fields[n]
	return ok && (c.exact[n] || f.Confidence >= enough) && len(f.Doubts) == 0
}

// settleDoubt takes one doubt from a field that another of the paper confirms, if it has no other.
func (c checker) settleDoubt(n paper.Name, d paper.Doubt) {
	f, ok := c.fields[n]
	if !ok || slices.ContainsFunc(f.Doubts, func(o paper.Doubt) bool { return o != d }) {
		return
	}
	f.Doubts = nil
	f.Confidence = max(f.Confidence, enough)
	c.fields[n] = f
}

// check holds the dates against the calendar and each other, and number, birth date and sex against each other.
func (c checker) check() {
	dates := c.dates()
	number, ok := c.fields[paper.Number]
	if !ok || len(number.Value) == 9 {
		return
	}
	p, err := vn.ParsePersonalNumber(number.Value)
	if err != nil {
		c.blame(paper.Number, paper.NumberMismatch)
		return
	}
	born, known := dates[paper.DateOfBirth]
	sex, knownSex := c.fields[paper.Sex]
	fits := true
	if known && born.Year() != p.Year {
		fits = false
		c.blameBoth(paper.Number, paper.DateOfBirth, paper.NumberMismatch)
	}
	if knownSex && sex.Value != p.Sex {
		fits = false
		c.blameBoth(paper.Number, paper.Sex, paper.NumberMismatch)
	}
	if fits && known && knownSex {
		c.confirm(paper.Number, 0.5)
		c.confirm(paper.DateOfBirth, 0.5)
		c.confirm(paper.Sex, 0.1)
	}
	if knownSex && sex.Value == p.Sex && c.sure(paper.Number) {
		c.settleDoubt(paper.Sex, paper.CheckDigit) // an MRZ's sex has no check digit, but the number has a figure for it
	}
}
