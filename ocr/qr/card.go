package qr

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Parse takes the text of an identity card's QR apart: number|old number|name|ddmmyyyy|sex|residence|ddmmyyyy of
// issue, with more fields behind on newer cards, which are passed over. A field that has not its form is left
// out and costs none of the others; ok is false unless the number and two more are there. An AIM identifier, which
// readers may put before a code ("]Q1": ISO/IEC 15424), is none of it. Name and residence are left out together where
// either was torn on its way: see whole.
func Parse(text string) (values map[paper.Name]string, ok bool) {
	values, _, ok = parse(text, false)
	return values, ok
}

// Typed is Parse for what a reader typed or sent, which may not know Vietnamese: torn says that name and residence
// were left out because letters are missing in them.
func Typed(text string) (values map[paper.Name]string, torn, ok bool) { return parse(text, true) }

func parse(text string, typed bool) (v map[paper.Name]string, torn, ok bool) {
	text = norm.NFC.String(strings.Trim(text, " \t\r\n\x00\ufeff"))
	text = withoutAIM(text)
	if odd(text) {
		return nil, false, false
	}
	f := strings.Split(text, "|")
	if len(f) < 6 || len(f) > 40 {
		return nil, false, false
	}
	for i := range f {
		f[i] = strings.Join(strings.Fields(f[i]), " ")
	}
	if letter(f[1]) || digits(f[2], 8) || digits(f[4], 8) {
		return nil, false, false // the party card of 2025: number|name|birth|joined|official|organisation|issued
	}
	v = map[paper.Name]string{}
	put := func(name paper.Name, value string, fits bool) {
		if fits && value != "" {
			v[name] = value
		}
	}
	put(paper.Number, f[0], digits(f[0], 12))
	put(paper.OldNumber, f[1], digits(f[1], 9) || digits(f[1], 12))
	birth, fits := birthday(f[3])
	put(paper.DateOfBirth, birth, fits)
	sex, fits := Sex(f[4])
	put(paper.Sex, sex, fits)
	if len(f) > 6 {
		issued, fits := day(f[6])
		put(paper.DateOfIssue, issued, fits && issued > birth)
	}
	torn = !whole(f[2], f[5], typed)
	put(paper.FullName, f[2], !torn && words(f[2]))
	put(paper.PlaceOfResidence, f[5], !torn && !strings.ContainsFunc(f[5], unicode.IsControl))
	known := 0
	for _, n := range []paper.Name{paper.FullName, paper.DateOfBirth, paper.Sex, paper.DateOfIssue} {
		if v[n] != "" {
			known++
		}
	}
	if v[paper.Number] == "" || known < 2 {
		return nil, false, false
	}
	return v, torn, true
}

// withoutAIM drops the identifier of the symbology: a bracket, a letter and a figure or letter.
func withoutAIM(text string) string {
	if len(text) > 3 && text[0] == ']' && asciiLetter(text[1]) && (asciiLetter(text[2]) || text[2] >= '0' && text[2] <= '9') {
		return strings.TrimSpace(text[3:])
	}
	return text
}

// odd finds what no office puts into a code: control characters but line ends and tabs, signs without width or that turn the
// direction of writing (category Cf of Unicode). Who made such a code wants something of the screen or of the office. The
// controls of Latin-1 (U+0080 to U+009F) stand for bytes of an older character set, which cost a field only.
func odd(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r >= 0x80 && r < 0xa0:
			return false
		}
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point)
	})
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// whole reports whether name and residence came with all their letters. Readers that know ASCII only drop ễ, put ? for it,
// or e; what is left can look like another name. So a sign for what could not be shown, a letter that Vietnamese
// doesn't have, and not a single mark in both say that they are torn. Where letters may have been dropped alone (typed),
// so does a word of the name that cannot be spelled so.
func whole(name, residence string, typed bool) bool {
	marked, torn := checkLetters(norm.NFD.String(name + "\n" + residence))
	switch {
	case torn:
		return false
	case !typed:
		return marked || name == "" && residence == ""
	}
	ofName := func(r rune) bool { return unicode.IsLetter(r) || strings.ContainsRune(apostrophes, r) }
	return marked && !slices.ContainsFunc(strings.FieldsFunc(residence, notLetter), voiceless) &&
		!slices.ContainsFunc(strings.FieldsFunc(name, func(r rune) bool { return !ofName(r) }), unspelled)
}

// checkLetters goes through text in NFD: marked says that a letter has a mark of Vietnamese, torn that a sign stands for one that could
// not be shown, or that Vietnamese doesn't have one.
func checkLetters(text string) (marked, torn bool) {
	for _, r := range text {
		switch {
		case r == 'đ' || r == 'Đ':
			marked = true
		case r == '?' || r == unicode.ReplacementChar || unicode.IsLetter(r) && r > unicode.MaxASCII:
			return marked, true
		case unicode.Is(unicode.Mn, r):
			if !strings.ContainsRune(marks, r) {
				return marked, true
			}
			marked = true
		}
	}
	return marked, false
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// unspelled reports a word of a name that neither Vietnamese nor a name of the highlands is spelled like.
func unspelled(word string) bool {
	return !strings.ContainsAny(word, apostrophes) && !vn.Spelled(word) && !vn.Syllable(word)
}

// voiceless reports a word that has lost its vowels; short forms have none either.
func voiceless(word string) bool {
	word = strings.ToLower(word)
	return utf8.RuneCountInString(word) > 1 && !slices.Contains(shortForms, word) &&
		!strings.ContainsFunc(norm.NFD.String(word), func(r rune) bool { return strings.ContainsRune("aeiouy", r) })
}

// shortForms stand in addresses without a vowel: thành phố, thị trấn, thị xã, khu phố, tổ dân phố, quốc lộ, tỉnh lộ …
var shortForms = strings.Fields("tp tt tx kp tdp ql tl hl dt đt nv bv kđt kdc ktx hcm hn đn gr kr h'l")

const (
	// marks are the tones, the breve, the hat and the horn of Vietnamese, as they stand apart in NFD.
	marks = "\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b"
	// apostrophes stand in names of the highlands in whatever shape a clerk's keyboard had (K`Brêu, H'Hen).
	apostrophes = "'’‘ʼ`´"
)

// Sex accepts both spellings of "Nữ" and any case.
func Sex(s string) (string, bool) {
	switch strings.ToLower(norm.NFC.String(s)) {
	case "nam":
		return "Nam", true
	case "nữ", "nư", "nu":
		return "Nữ", true
	}
	return "", false
}

func letter(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func day(s string) (string, bool) {
	if !digits(s, 8) {
		return "", false
	}
	t, err := time.Parse("02012006", s)
	if err != nil || t.Year() < 1880 || t.Year() > 2150 {
		return "", false
	}
	return t.Format(time.DateOnly), true
}

// birthday is a day, or the year alone for those of whom no more is known: "1950" or "00001950".
func birthday(s string) (string, bool) {
	if year := strings.TrimPrefix(s, "0000"); digits(year, 4) && year >= "1880" && year <= "2150" {
		return year, true
	}
	return day(s)
}

// words are letters with what stands between them in names, a second name in brackets among it.
func words(s string) bool {
	letters := 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.Is(unicode.Mn, r), strings.ContainsRune(" -.,()"+apostrophes, r):
		default:
			return false
		}
	}
	return letters >= 2
}
