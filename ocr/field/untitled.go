package field

import (
	"slices"
	"strings"

	"motcua/ocr/kinds"
)

// How an identity card is told of which no title was read: by its own marks. Those in Vietnamese alone stand in every curriculum vitae and
// on many a staff card, too, so they count on a card only, under the state's motto or what is left of the title.

// common says whether a mark's text stands on papers of many kinds.
func common(text string) bool {
	return slices.Contains(kinds.Common, text)
}

// strong says whether a mark of any identity card stands there that few other papers bear.
func strong(lines []line) bool {
	return slices.ContainsFunc(kinds.All, func(k *kinds.Kind) bool {
		return k.Identity && slices.ContainsFunc(k.Marks, func(m kinds.Mark) bool {
			return slices.ContainsFunc(m, func(text string) bool {
				return !common(text) && slices.ContainsFunc(lines, func(l line) bool {
					from, to, errors := search(l.letters, text, allowed(len(text)))
					return to > from && errors <= max(1, len(text)/8) // ngày, tháng, năm sinh is but three letters from "… cấp"
				})
			})
		})
	})
}

// motto are the lines at the head of every card of the state.
var motto = []string{"CONGHOAXAHOICHUNGHIAVIETNAM", "SOCIALISTREPUBLICOFVIETNAM", "DOCLAPTUDOHANHPHUC"}

// under says whether the state's motto stands on the lines.
func under(lines []line) bool {
	return slices.ContainsFunc(lines, func(l line) bool { return slices.ContainsFunc(motto, l.has) })
}

// half says whether a line is what is left of an identity card's title.
func half(lines []line) bool {
	return slices.ContainsFunc(lines, func(l line) bool {
		return l.inCapitals(0, len(l.letters)) && slices.ContainsFunc(kinds.All, func(k *kinds.Kind) bool {
			return k.Identity && slices.ContainsFunc(k.Titles, func(t kinds.Title) bool { return resembles(l, t.Text) })
		})
	})
}

// strange says whether a label stands on the lines that no identity card bears.
func strange(lines []line) bool {
	return slices.ContainsFunc(lines, func(l line) bool {
		return slices.ContainsFunc(kinds.Strange, func(t string) bool {
			from, to, errors := search(l.letters, t, allowed(len(t)))
			return from == 0 && to > 0 && errors <= allowed(len(t)) && errors+l.rest(to) <= allowed(len(t)) && l.labelled()
		})
	})
}

// labelled says whether a line is written as a label and its value.
func (l line) labelled() bool {
	return slices.ContainsFunc(l.words, func(w string) bool { return strings.Contains(w, ":") })
}
