package vn

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	grave     = '\u0300'
	acute     = '\u0301'
	tilde     = '\u0303'
	hook      = '\u0309'
	dotBelow  = '\u0323'
	breve     = '\u0306'
	circum    = '\u0302'
	horn      = '\u031b'
	qualities = string(breve) + string(circum) + string(horn)
)

func isTone(r rune) bool {
	return r == grave || r == acute || r == tilde || r == hook || r == dotBelow
}

// Fold gives the form in which two spellings of the same word are equal: NFC, lower case, the tone
// mark moved to one agreed place (hòa = hoà, thúy = thuý), runs of anything that is neither letter nor digit
// made one space. Different words stay different: no vowel or tone is dropped. It is for comparing, never for showing.
func Fold(s string) string {
	var out strings.Builder
	var word []rune // the letters of the syllable without its tone, decomposed
	var tone rune
	flush := func() {
		if len(word) == 0 {
			return
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString(norm.NFC.String(string(word)))
		// The tone follows the syllable: where it was written no longer matters.
		if tone != 0 {
			out.WriteRune(tone)
		}
		word, tone = word[:0], 0
	}
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case isTone(r):
			tone = r
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune(qualities, r):
			word = append(word, r)
		default:
			flush()
		}
	}
	flush()
	return out.String()
}

// Same says whether two strings are the same words, whatever their case, normal form or placement of tone marks.
func Same(a, b string) bool { return Fold(a) == Fold(b) }

// SameName is Same for the names of persons: an apostrophe, as in H'Lina, may be lost or have a space behind it.
func SameName(a, b string) bool {
	if Same(a, b) {
		return true
	}
	const apostrophes = "'’‘ʼ`´"
	joined := func(s string) string {
		return strings.ReplaceAll(Fold(strings.Map(func(r rune) rune {
			if strings.ContainsRune(apostrophes, r) {
				return -1
			}
			return r
		}, s)), " ", "")
	}
	return strings.ContainsAny(a+b, apostrophes) && joined(a) == joined(b)
}

// Plain drops every diacritic, as the machine readable zone does: "Nguyễn Thị Đào" → "NGUYEN THI DAO".
func Plain(s string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == 'đ' || r == 'Đ':
			out.WriteByte('D')
		case unicode.Is(unicode.Mn, r):
		default:
			out.WriteRune(unicode.ToUpper(r))
		}
	}
	return out.String()
}

// NFC is the normal form in which text leaves this program, with runs of white space made one space.
func NFC(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

// units precede the proper name of a place.
var units = []string{"thành phố", "tỉnh", "tp.", "tp", "t.", "quận", "q.", "huyện", "h.", "thị xã", "tx.", "tx",
	"phường", "p.", "xã", "x.", "thị trấn", "tt.", "tt", "đặc khu"}

// OfCommune says whether a place is called a ward, a commune or a special zone, as no district is.
func OfCommune(name string) bool {
	low := Fold(name) + " "
	for _, u := range []string{"phường", "xã", "đặc khu"} {
		if strings.HasPrefix(low, Fold(u)+" ") {
			return true
		}
	}
	return false
}

func trimUnit(name string) string {
	s := strings.TrimSpace(norm.NFC.String(name))
	low := strings.ToLower(s)
	for _, u := range units {
		if rest, ok := strings.CutPrefix(low, u); ok {
			if strings.HasSuffix(u, ".") || strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, ".") {
				return strings.TrimLeft(s[len(s)-len(rest):], " .")
			}
		}
	}
	return s
}
