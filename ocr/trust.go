package ocr

import (
	"motcua/ocr/fields"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// How sure is a value that was only read from print? The network's own probability of its least sure letter is worth
// much but not enough by itself, and nobody's word is taken for a value that makes no sense. So three things count: that
// probability (conf); whether the value's rows, cut out by themselves, are read alike by the network (reread) and by
// Tesseract (second); and whether names and places are known. The limits are what the benchmark's pages that were tuned
// on left no silent error under.
const (
	distinct = 0.97 // every letter stood out
	obvious  = 0.99
	fair     = 0.8
	possible = 0.5
)

// trusted says whether a value read from print may be used without a look.
func trusted(n paper.Name, text string, conf float64, reread, second bool) bool {
	switch fields.TypeOf(n) {
	case fields.Sex, fields.Nation: // a word out of two, or the one that is printed on every card
		return conf > possible || reread || second
	case fields.Personal, fields.Serial, fields.Register, fields.Birthday, fields.Day, fields.Expiry, fields.Class:
		return reread && conf > 0.9 || second && conf > possible
	case fields.People, fields.Faith:
		return vn.Listed(text) && (reread && conf > fair || second)
	case fields.PersonName:
		return trustedName(text, conf, reread, second)
	case fields.Place:
		return trustedPlace(n, text, conf, reread, second)
	}
	return false
}

// trustedName is trusted for names. Both engines know the common names: one alone may have guessed what is no known syllable.
func trustedName(text string, conf float64, reread, second bool) bool {
	known, spelled := plausibleName(text), spelledName(text)
	// Of marks that a coarse scan made one blob both engines have read Thủy for Thùy alike: second alone settles nothing below fair.
	return reread && (known && conf > distinct || spelled && conf > obvious || (known || spelled) && second && conf > fair)
}

// trustedPlace is trusted for places. Of one whose every part is in the lists and like no other there, a wrong mark would have made
// another or none.
func trustedPlace(n paper.Name, text string, conf float64, reread, second bool) bool {
	switch {
	case !plausiblePlace(n, text):
		return false
	case listedPlace(n, text):
		return conf > fair && (reread || second)
	}
	// Of one that is in no list nothing but the letters speaks: both engines have read "Tận An" for "Tân An" alike.
	return knownWords(text) && reread && (conf > distinct || second && conf > fair)
}

// confidence is the calibrated confidence of a value that was only read from print.
func confidence(n paper.Name, r paper.Evidence) float64 {
	switch {
	case !trusted(n, r.Value, r.Conf, r.Reread, r.Second):
		return min(r.Conf, 0.93)
	case r.Reread && r.Second:
		return 0.995
	}
	return 0.985
}
