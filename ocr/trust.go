package ocr

import (
	"motcua/ocr/fields"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// How sure is a value that was only read from print? The network's own probability of its least sure letter is worth
// much but not enough by itself, and nobody's word is taken for a value that makes no sense. So three things count: that
// probability (conf); whether the value's rows, cut out by themselves, are read alike by the network (reread) and by
// Tesseract (second); how clearly two networks see the same marks on its letters (marks); and whether names and places are
// known. The limits are what the benchmark's pages that were tuned on left no silent error under.
const (
	distinct = 0.97 // every letter stood out
	obvious  = 0.99
	fair     = 0.8
	possible = 0.5
)

// trusted says whether a value read from print may be used without a look.
func trusted(n paper.Name, e paper.Evidence) bool {
	switch fields.TypeOf(n) {
	case fields.Sex, fields.Nation: // a word out of two, or the one that is printed on every card
		return e.Conf > possible || e.Reread || e.Second
	case fields.Personal, fields.Serial, fields.Register, fields.Birthday, fields.Day, fields.Expiry, fields.Class:
		return e.Reread && e.Conf > 0.9 || e.Second && e.Conf > possible
	case fields.People, fields.Faith:
		return vn.Listed(e.Value) && (e.Reread && e.Conf > fair || e.Second)
	case fields.PersonName:
		return trustedName(e)
	case fields.Place:
		return trustedPlace(n, e)
	}
	return false
}

// trustedName is trusted for names. Both engines know the common names: one alone may have guessed what is no known syllable.
func trustedName(e paper.Evidence) bool {
	known, spelled := plausibleName(e.Value), spelledName(e.Value)
	switch e.Marks {
	case paper.MarksSure:
		return known || spelled
	case paper.MarksOpen:
		return false
	}
	// Of marks that a coarse scan made one blob both engines have read Thủy for Thùy alike: second alone settles nothing below fair.
	return e.Reread && (known && e.Conf > distinct || spelled && e.Conf > obvious || (known || spelled) && e.Second && e.Conf > fair)
}

// trustedPlace is trusted for places. Of one whose every part is in the lists and like no other there, a wrong mark would have made
// another or none.
func trustedPlace(n paper.Name, e paper.Evidence) bool {
	switch {
	case !plausiblePlace(n, e.Value), vn.Locate(e.Value).Near != "": // one letter off a commune of its district, a speck's dot mostly
		return false
	case e.Marks == paper.MarksSure:
		return true
	case e.Marks == paper.MarksOpen:
		return false
	case listedPlace(n, e.Value):
		return e.Conf > fair && (e.Reread || e.Second)
	}
	// Of one that is in no list nothing but the letters speaks: both engines have read "Tận An" for "Tân An" alike.
	return knownWords(e.Value) && e.Reread && (e.Conf > distinct || e.Second && e.Conf > fair)
}

// confidence is the calibrated confidence of a value that was only read from print.
func confidence(n paper.Name, r paper.Evidence) float64 {
	switch {
	case !trusted(n, r):
		return min(r.Conf, 0.93)
	case r.Reread && (r.Second || r.Marks == paper.MarksSure):
		return 0.995
	}
	return 0.985
}
