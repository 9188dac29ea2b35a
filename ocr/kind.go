package ocr

import (
	"cmp"
	"slices"
	"strings"

	"motcua/ocr/field"
	"motcua/ocr/kinds"
	"motcua/ocr/mrz"
	"motcua/ocr/paper"
)

// enoughProof is how much must speak for a side being an identity card of ours where its title can't be read: two of its own marks,
// or one and a code, or an MRZ, or a code beside which nothing can be read.
const enoughProof = 2

// tellKind decides from print and codes together which paper a side is of; edges says whether the paper's own were seen. What nothing tells
// stays "", and an MRZ of another country, or of a foreigner, makes it paper.Other.
func (f *readSide) tellKind(side *field.Side, edges bool) {
	if f.abroad(side) {
		side.Kind = paper.Other
	}
	if side.Kind == paper.Other {
		side.Values = nil
		return
	}
	if side.Kind == "" && f.CodeOf == paper.BHYT && f.MRZ == nil && !f.Stuck && (side.Labels < leastLabels || f.saysCode()) {
		side.Kind = paper.BHYT // no other card has such a code
	}
	f.ownCode(side.Kind)
	proof := proofOf(side, edges)
	if f.MRZ != nil {
		proof += enoughProof
	}
	if f.hasQR() && !f.Stuck {
		proof++
		if side.Labels < leastLabels {
			switch {
			case f.unrelated():
				f.doubtSymbol(paper.Unseen)
			case edges: // a card so worn that only its symbol can be read
				proof++
			}
		}
	}
	switch {
	case side.Kind != "":
		f.Sure = kinds.Identity(side.Kind)
	case proof >= enoughProof:
		side.Kind, f.Sure = side.Likely, true
	}
}

// abroad says whether the side's MRZ is of another country, or of a foreigner. One so worn that its letters say nothing of a country,
// beside print that tells an identity card, is forgotten.
func (f *readSide) abroad(side *field.Side) bool {
	if f.MRZ == nil || ours(*f.MRZ) {
		return false
	}
	if kinds.Identity(side.Kind) && !side.Weak && !f.MRZ.Whole() {
		f.dropMRZ()
		return false
	}
	return true
}

// dropMRZ forgets what a worn MRZ said.
func (f *readSide) dropMRZ() {
	f.MRZ = nil
	for n, rs := range f.Readings {
		if f.Readings[n] = slices.DeleteFunc(rs, func(r paper.Evidence) bool { return r.Source == paper.MRZ }); len(f.Readings[n]) == 0 {
			delete(f.Readings, n)
		}
	}
}

// proofOf is what a side's marks prove: those that other papers about a person bear, too, hardly anything but on a card, under the motto.
func proofOf(side *field.Side, edges bool) int {
	if side.Weak && !(edges && side.Motto) {
		return min(side.Marks, 1)
	}
	return side.Marks
}

// ownCode forgets what a symbol said that is none of a paper's of this kind, and doubts what is left where one was stuck on.
func (f *readSide) ownCode(kind paper.Kind) {
	own := kind
	if kinds.Identity(kind) {
		own = paper.CCCD
	}
	if kind != "" && (f.Stuck || f.CodeOf != "" && f.CodeOf != own) {
		f.dropCode(func(r paper.Evidence) bool { return r.Code != own })
	}
	if f.Stuck {
		f.doubtSymbol(paper.Unseen)
	}
}

// dropCode forgets the values of QR symbols that none says are the paper's own.
func (f *readSide) dropCode(none func(paper.Evidence) bool) {
	f.CodeOf = ""
	for n, rs := range f.Readings {
		rs = slices.DeleteFunc(rs, func(r paper.Evidence) bool { return r.Source == paper.QR && none(r) })
		for _, r := range rs {
			f.CodeOf = cmp.Or(f.CodeOf, r.Code)
		}
		if len(rs) == 0 {
			delete(f.Readings, n)
		} else {
			f.Readings[n] = rs
		}
	}
}

// doubtSymbol puts all under review that the side's QR symbols say.
func (f *readSide) doubtSymbol(why paper.Doubt) {
	for _, rs := range f.Readings {
		for i, r := range rs {
			if r.Source == paper.QR {
				rs[i].Doubts = doubt(r.Doubts, why)
			}
		}
	}
}

// ours says whether an MRZ is of a Vietnamese citizen's paper: issued by Vietnam for its own, a letter of one of the two misread perhaps.
// Foreigners' residence cards are issued by Vietnam, for others.
func ours(z mrz.Data) bool {
	issuer, nation := off(z.Issuer, mrz.Vietnam), off(z.Nationality.Text, mrz.Vietnam)
	return issuer+nation <= 1 && (z.Passport || z.Format == mrz.TD1)
}

// off counts the letters in which two codes of countries differ.
func off(a, b string) int {
	a += strings.Repeat("<", max(0, len(b)-len(a)))
	n := len(a) - len(b)
	for i := range b {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// coded says whether an identity card's code was read on the side: the barcode card has none.
func (f *readSide) coded() bool { return f.MRZ != nil && !f.MRZ.Passport || f.hasQR() }
