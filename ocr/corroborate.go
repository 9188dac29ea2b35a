package ocr

import (
	"image"
	"slices"
	"strings"
	"unicode/utf8"

	"motcua/ocr/ctc"
	"motcua/ocr/field"
	"motcua/ocr/kinds"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// codeValues are the values that the QR symbols of a page give.
type codeValues map[paper.Name][]string

func (k codeValues) add(f *readSide) {
	for n, rs := range f.Readings {
		for _, r := range rs {
			if r.Source == paper.QR && !slices.Contains(k[n], r.Value) {
				k[n] = append(k[n], r.Value)
			}
		}
	}
}

// leastOdds is how much less likely, as a power of e, the network may take a code's value to be than what it reads in a
// value's rows, for the print to fit the code: one in seven. A forged tone on clear print comes to one in hundreds, but once, of a row cut
// close to its marks, to one in 18; cut a little wider the same row gave one in 700 and less. So both cuts must leave it open.
const leastOdds = -2

// wider is how many pixels more are cut out about a row the second time.
const wider = 3

// compare notes which codes' values, if others than were read, the pixels of a value's rows may as well be: print that is hard
// to read speaks neither for a code nor against it.
func (l *local) compare(c *card, known []string, v *field.Value) error {
	others := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return vn.Same(k, v.Text) })
	if len(others) == 0 || len(v.Rows) == 0 {
		return nil
	}
	network, err := ctc.Load()
	if err != nil {
		return err
	}
	var cuts [][]ctc.Posterior
	for _, by := range []int{0, wider} {
		cuts = append(cuts, c.look(network, v.Rows, by))
	}
	for _, k := range others {
		if !slices.ContainsFunc(cuts, func(seen []ctc.Posterior) bool { return network.Odds(seen, printedForm(k)) < leastOdds }) {
			v.Fits = append(v.Fits, k)
		}
	}
	return nil
}

// look is what the network sees on rows that are cut out by so many pixels wider.
func (c *card) look(network *ctc.Network, rows []image.Rectangle, by int) []ctc.Posterior {
	var seen []ctc.Posterior
	for _, r := range rows {
		if strip := c.rowStrip(r, by); strip != nil {
			seen = append(seen, network.Look(strip))
		}
	}
	return seen
}

// printedForm is a value as it is printed: days as day/month/year.
func printedForm(v string) string {
	if len(v) == len("2006-01-02") && v[4] == '-' && v[7] == '-' {
		return v[8:] + "/" + v[5:7] + "/" + v[:4]
	}
	return v
}

// index notes which values of the side's code stand in its print, under whatever label: they are read, too.
func (f *readSide) index(words []lines.Word) {
	var b strings.Builder
	f.Legible = 0
	for _, w := range words {
		b.WriteByte(' ')
		b.WriteString(w.Text)
		if w.Conf > fair && utf8.RuneCountInString(w.Text) > 2 && vn.Spelled(w.Text) {
			f.Legible++
		}
	}
	f.Words = vn.Fold(b.String())
}

// prints says whether a value stands somewhere in the side's print.
func (f *readSide) prints(value string) bool {
	return strings.Contains(" "+f.Words+" ", " "+vn.Fold(printedForm(value))+" ")
}

// leastWords is how many syllables read well make a side legible whose labels are none of ours; of a card so worn that no label can be
// told, hardly one is.
const leastWords = 6

// unrelated says whether a side's print can be read and says nothing of what its QR symbol says: the symbol was stuck on it.
func (f *readSide) unrelated() bool {
	if f.Legible < leastWords {
		return false
	}
	for n, rs := range f.Readings {
		for _, r := range rs {
			if r.Source != paper.QR || n == paper.Sex {
				continue
			}
			parts := []string{r.Value}
			if isPlace(n) { // any paper may name the district and the province
				parts = strings.Split(r.Value, ",")
				parts = parts[:max(1, len(parts)-2)]
			}
			if slices.ContainsFunc(parts, f.prints) {
				return false
			}
		}
	}
	return true
}

// leastLabels is how many labels and titles must have been read on a side for its print to be legible: a code is believed alone
// only where it is not.
const leastLabels = 2

// identifying are the fields in which print that says what a code says shows that the code is the paper's own.
var identifying = []paper.Name{paper.Number, paper.DocumentNumber, paper.FullName, paper.DateOfBirth}

// saysCode says whether one of these values of the side's code stands in its print, under whatever label.
func (f *readSide) saysCode() bool {
	return slices.ContainsFunc(identifying, func(n paper.Name) bool {
		return slices.ContainsFunc(f.Readings[n], func(r paper.Evidence) bool { return r.Source == paper.QR && f.prints(r.Value) })
	})
}

// confirmed says whether another source says what a QR symbol does of who somebody is. An unchecked chip proves nothing.
func confirmed(all map[paper.Name][]paper.Evidence) bool {
	for _, n := range identifying {
		for _, code := range all[n] {
			if code.Source == paper.QR && slices.ContainsFunc(all[n], func(r paper.Evidence) bool {
				return r.Source != paper.QR && r.Source != paper.ChipUnchecked && same(n, code, r)
			}) {
				return true
			}
		}
	}
	return false
}

// doubtUnseen doubts the values of a QR symbol that stand in print on a legible side, too, but were not read there: only what
// was seen confirms a code. If nothing says whose it is but the symbol, all of it is doubted.
func doubtUnseen(kind paper.Kind, parts []*readSide, all map[paper.Name][]paper.Evidence) {
	k, _ := kinds.Of(kind)
	seen := confirmed(all)
	for _, p := range parts {
		said := p.saysCode()
		seen = seen || said
		if p.Labels < leastLabels && !said {
			continue
		}
		for _, n := range k.Beside[p.Side] {
			for i, r := range all[n] {
				if r.Source == paper.QR && !elsewhere(n, all) && !p.prints(r.Value) && !(n == paper.Sex && sexOfNumber(all, r.Value)) {
					all[n][i].Doubts = doubt(r.Doubts, paper.Unseen)
				}
			}
		}
	}
	if !seen {
		doubtCodes(all)
	}
}

// elsewhere says whether a source other than a QR symbol gives a field, by print or by a proof.
func elsewhere(n paper.Name, all map[paper.Name][]paper.Evidence) bool {
	return slices.ContainsFunc(all[n], func(r paper.Evidence) bool { return r.Source == paper.OCR || r.Source != paper.QR && exact(r) })
}

// doubtCodes doubts all that QR symbols say.
func doubtCodes(all map[paper.Name][]paper.Evidence) {
	for _, rs := range all {
		for i, r := range rs {
			if r.Source == paper.QR {
				rs[i].Doubts = doubt(r.Doubts, paper.Unseen)
			}
		}
	}
}

// doubtUnscanned does the same for the text of a symbol that a reader at the counter sent: what the scanned paper doesn't show of it, or
// all where no scan says whose it is.
func doubtUnscanned(d *paper.Document, all map[paper.Name][]paper.Evidence) {
	k, _ := kinds.Of(d.Type)
	if !confirmed(all) || k.CodeSide == "" {
		doubtCodes(all)
		return
	}
	for _, side := range d.Sides {
		for _, n := range k.Beside[side] {
			for i, r := range all[n] {
				if r.Source == paper.QR && !elsewhere(n, all) {
					all[n][i].Doubts = doubt(r.Doubts, paper.Unseen)
				}
			}
		}
	}
}

// sexOfNumber says whether a number that was read from print or proven is of a person of this sex.
func sexOfNumber(all map[paper.Name][]paper.Evidence, sex string) bool {
	return slices.ContainsFunc(all[paper.Number], func(r paper.Evidence) bool {
		p, err := vn.ParsePersonalNumber(r.Value)
		return err == nil && r.Source != paper.QR && p.Sex == sex
	})
}
