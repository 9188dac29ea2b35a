package web

import (
	"net/http"
	"strings"
	"unicode"

	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// typed takes the text of a card's QR symbol from a reader that types it like a keyboard (a wedge) into the visit's
// page; static/wedge.js tells it from fingers. It answers 204 if the visit took it, and else a sentence for the person
// at the screen.
func (s *Site) typed(w http.ResponseWriter, r *http.Request, at seat) {
	refuse := func(status int, key string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(s.words.say(at.lang, key)))
	}
	if at.state.Consented.IsZero() || at.state.Step == visit.Receipt || at.proc == nil {
		refuse(http.StatusConflict, "typed.early")
		return
	}
	values, ok := ocr.ParseQR(r.PostFormValue("text"))
	if !ok {
		refuse(http.StatusUnprocessableEntity, "typed.unknown")
		return
	}
	dropTorn(values)
	if err := at.visit.Hold(s.now(), visit.Reading{Source: paper.QR, Values: values, Alone: true}); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	if err := s.fill(at.visit, at.proc); err != nil {
		s.log.Error("fill form", "visit", at.state.ID, "error", err)
	}
	w.WriteHeader(http.StatusNoContent)
}

// dropTorn leaves out name and address where the reader could not type Vietnamese. Most wedges know the keys of an
// English keyboard only: they drop ễ, or type e for it, and what is left can look like another name. So without a
// single mark in both, or with a word that cannot be spelled so, neither is taken; figures and dates always come whole.
func dropTorn(values map[paper.Name]string) {
	marked, torn := false, false
	for _, n := range []paper.Name{paper.FullName, paper.PlaceOfResidence} {
		for _, word := range strings.FieldsFunc(values[n], func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
			marked = marked || strings.IndexFunc(word, func(r rune) bool { return r > unicode.MaxASCII }) >= 0
			torn = torn || n == paper.FullName && !vn.Spelled(word) && !vn.Syllable(word)
		}
	}
	if torn || !marked {
		delete(values, paper.FullName)
		delete(values, paper.PlaceOfResidence)
	}
}
