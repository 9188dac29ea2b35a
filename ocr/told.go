package ocr

import (
	"slices"
	"strings"

	"motcua/ocr/field"
	"motcua/ocr/kinds"
	"motcua/ocr/mrz"
	"motcua/ocr/paper"
)

// enoughProof is how much must speak for a side being an identity card of ours where its title can't be read: two of its own marks,
// or one and a code, or a zone, or a code beside which nothing can be read.
const enoughProof = 2

// tell decides from print and codes together which paper a side is of. What nothing tells stays "", and a zone of another country, or of
// a foreigner, makes it paper.Other.
func (f *face) tell(side *field.Side) {
	if f.Zone != nil && !ours(*f.Zone) {
		side.Kind = paper.Other
	}
	if side.Kind == paper.Other {
		side.Values = nil
		return
	}
	if side.Kind == "" && f.CodeOf == paper.BHYT && f.Zone == nil {
		side.Kind = paper.BHYT // no other paper has such a code
	}
	if side.Kind != "" && f.CodeOf != "" && kinds.Identity(side.Kind) != (f.CodeOf == paper.CCCD) {
		f.dropCode() // another paper's, stuck on or laid beside
	}
	proof := side.Marks
	if f.Zone != nil {
		proof += enoughProof
	}
	if f.hasQR() {
		proof++
		if side.Labels < leastLabels {
			if f.strange() {
				f.doubtSymbol()
			} else {
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

// dropCode forgets what a QR symbol said that is none of the paper's.
func (f *face) dropCode() {
	f.CodeOf = ""
	for n, rs := range f.Readings {
		if rs = slices.DeleteFunc(rs, func(r reading) bool { return r.Source == paper.QR }); len(rs) == 0 {
			delete(f.Readings, n)
		} else {
			f.Readings[n] = rs
		}
	}
}

// doubtSymbol puts all under review that the side's QR symbol says.
func (f *face) doubtSymbol() {
	for _, rs := range f.Readings {
		for i, r := range rs {
			if r.Source == paper.QR {
				rs[i].Doubts = doubt(r.Doubts, paper.LowConfidence)
			}
		}
	}
}

// ours says whether a zone is of a Vietnamese citizen's paper: issued by Vietnam for its own, a letter of one of the two misread perhaps.
// Foreigners' residence cards are issued by Vietnam, for others.
func ours(z mrz.Zone) bool {
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
func (f *face) coded() bool { return f.Zone != nil && !f.Zone.Passport || f.hasQR() }
