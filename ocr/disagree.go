package ocr

import (
	"slices"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// A QR symbol is unsigned print: a sticker over it is easy to make. So it is held against what is printed beside it, and the
// least that is read well and says something else puts all of it in doubt.

// misreadShare is the share of letters in which print that was read badly may differ from a chip or from an MRZ whose check
// digits fit: such print says nothing against them. It doesn't hold for a QR symbol.
const misreadShare = 0.3

// misreadPlace is the same for places, which run over several lines, of which print often gives only a part.
const misreadPlace = 0.7

// readWell says whether print was read so well that what it says other than a code is no misreading: two readings of its rows
// agree, and the letters stood out or the second reader was another one; of a name or a place no other marks may as well stand there.
func readWell(r paper.Evidence) bool {
	if r.Source != paper.OCR {
		return exact(r)
	}
	if r.Settled {
		return r.Conf >= enough
	}
	if r.Marks == paper.MarksOpen {
		return false
	}
	return r.Marks == paper.MarksSure || r.Reread && r.Conf > distinct || r.Second && r.Conf > possible
}

// fits says whether the print of a reading may as well say this, as far as its pixels tell.
func fits(r paper.Evidence, value string) bool {
	return slices.ContainsFunc(r.Fits, func(v string) bool { return vn.Same(v, value) })
}

// contradicts says whether a reading speaks against the one that leads; all are those of the field.
func contradicts(n paper.Name, lead, r paper.Evidence, all []paper.Evidence) bool {
	switch {
	case r.Source == paper.ChipUnchecked:
		return true
	case lead.Source == paper.MRZ && n == paper.FullName:
		return false // print leads there, and its letters were compared
	case r.Source == paper.MRZ && n == paper.FullName && lead.Source != paper.OCR:
		return mrzName(lead, r, all)
	case r.Source == paper.OCR && outweighed(n, lead, all):
		return false
	case !exact(lead) || exact(r) || r.Source == paper.OCR && readWell(r):
		return true
	case r.Source == paper.OCR && fits(r, lead.Value):
		return false
	case lead.Source == paper.QR && r.Source == paper.OCR:
		return true
	case r.Source == paper.OCR && r.Conf < 0.75:
		return false
	case isPlace(n):
		return !misread(lead.Value, r.Value, misreadPlace)
	}
	return !misread(lead.Value, r.Value, misreadShare)
}

// mrzName says whether an MRZ's name speaks against a code's. No check digit guards it: print that says what the code says outweighs a
// letter misread there.
func mrzName(lead, said paper.Evidence, all []paper.Evidence) bool {
	printed := slices.ContainsFunc(all, func(o paper.Evidence) bool { return o.Source == paper.OCR && same(paper.FullName, lead, o) })
	return !printed || !misread(letters(lead.Value), letters(said.Value), misreadShare)
}

// outweighed says whether a chip leads and a code on the paper says the same: what is signed and what was printed by the issuer outweigh
// print that was misread.
func outweighed(n paper.Name, lead paper.Evidence, all []paper.Evidence) bool {
	return lead.Source == paper.Chip && slices.ContainsFunc(all, func(o paper.Evidence) bool {
		return o.Source != paper.Chip && exact(o) && same(n, lead, o)
	})
}

// forged says whether a QR symbol says anything other than another symbol, a chip, an MRZ's check digits, or print that was
// read well.
func forged(all map[paper.Name][]paper.Evidence) bool {
	for n, rs := range all {
		for _, code := range rs {
			if code.Source != paper.QR {
				continue
			}
			if slices.ContainsFunc(rs, func(r paper.Evidence) bool {
				if r.Source == paper.User || same(n, code, r) {
					return false
				}
				return r.Source == paper.QR || !fits(r, code.Value) &&
					(readWell(r) || r.Source == paper.MRZ && n == paper.FullName && contradicts(n, code, r, rs))
			}) {
				return true
			}
		}
	}
	return false
}

// disputed counts the fields of a QR symbol against which anything speaks: print that was read badly may be wrong in one, hardly in two.
func disputed(fields map[paper.Name]paper.Field) int {
	n := 0
	for _, f := range fields {
		if f.Source == paper.QR && slices.Contains(f.Doubts, paper.Disagreement) {
			n++
		}
	}
	return n
}

// doubtCode puts every value under review that only a doubted QR symbol gives.
func doubtCode(fields map[paper.Name]paper.Field) {
	for n, f := range fields {
		if f.Source == paper.QR && len(f.Agrees) == 0 {
			f.Doubts = doubt(f.Doubts, paper.Disagreement)
			fields[n] = f
		}
	}
}
