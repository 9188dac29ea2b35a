package line

import (
	"strings"
	"unicode"
)

// wordsLimit is how many runes of a far side's words a person gets to see.
const wordsLimit = 300

// Clean makes a far side's text fit for a list or a log: no control characters, one line, bounded.
func Clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > wordsLimit {
		text = string(runes[:wordsLimit]) + "…"
	}
	return text
}
