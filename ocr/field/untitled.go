package field

import (
	"slices"
	"strings"

	"motcua/ocr/kinds"
	"motcua/ocr/lines"
	"motcua/ocr/vn"
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

// A heading is read well where every word is as sure as clearHead, and says something in shortHead letters or more.
const (
	clearHead = 0.9
	shortHead = 4
)

// headed says whether above a bearer's labels in two languages a heading stands that no identity card's front has: another paper's title
// over labels copied word for word, or the ministry's name, which cards bear on the back.
func headed(runs []Run, lines []line) bool {
	top := -1
	for i, l := range lines {
		if slices.ContainsFunc(bilingual, func(t [2]string) bool { return l.near(t[0]) && l.near(t[1]) }) &&
			(top < 0 || runs[lines[i].run].Box.Min.Y < runs[lines[top].run].Box.Min.Y) {
			top = i
		}
	}
	if top < 0 || !lines[top].bearers() {
		return false
	}
	return slices.ContainsFunc(lines, func(l line) bool {
		return runs[l.run].Box.Max.Y <= runs[lines[top].run].Box.Min.Y && l.foreignHead(runs[l.run])
	})
}

// bearers says whether a line's label is one that fronts begin with.
func (l line) bearers() bool {
	return l.near("FULLNAME") || l.near("DATEOFBIRTH")
}

// foreignHead says whether a line is a heading in capitals, read well, and none that stands on an identity card's front, whole or in part.
func (l line) foreignHead(r Run) bool {
	if len(l.letters) < shortHead || !l.inCapitals(0, len(l.letters)) || slices.ContainsFunc(r.Words, func(w lines.Word) bool {
		return w.Conf < clearHead || strings.ContainsAny(w.Text, "0123456789<")
	}) {
		return false
	}
	if slices.ContainsFunc(ministry, l.has) {
		return true
	}
	if _, name := vn.Family(l.words[0]); name && len(l.words) > 1 { // the label above the bearer's name was not read
		return false
	}
	if slices.ContainsFunc(motto, l.partOf) || l.partOf("INDEPENDENCEFREEDOMHAPPINESS") {
		return false
	}
	return !slices.ContainsFunc(kinds.All, func(k *kinds.Kind) bool {
		return k.Identity && slices.ContainsFunc(k.Titles, func(t kinds.Title) bool { return resembles(l, t.Text) || l.partOf(t.Text) })
	})
}

// ministry stands on the backs of cards.
var ministry = []string{"BOCONGAN", "MINISTRYOFPUBLICSECURITY"}

// partOf says whether a line is a part of a text, or holds it, with a third of its letters misread.
func (l line) partOf(text string) bool {
	short, long := string(l.letters), text
	if len(short) > len(long) {
		short, long = long, short
	}
	from, to, errors := search([]byte(long), short, len(short)/3)
	return to > from && errors <= len(short)/3
}
