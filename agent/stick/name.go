package stick

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	maxShown = 60 // letters of a name
	maxMarks = 2  // on one letter: Vietnamese has no more
)

// Shown makes a name such that it shows as what it is: signs that can't be seen or turn the direction of writing, and marks piled on a
// letter, are replaced; a long name keeps its beginning and its end.
func Shown(name string) string {
	var b strings.Builder
	marks := 0
	for _, r := range norm.NFD.String(strings.ToValidUTF8(name, "\uFFFD")) {
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else if marks = 0; !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	letters := []rune(norm.NFC.String(b.String()))
	if len(letters) <= maxShown {
		return string(letters)
	}
	const end = 12 // letters: the ending, and what tells two such names apart
	return string(letters[:maxShown-end-1]) + "…" + string(letters[len(letters)-end:])
}
