package qr

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/paper"
)

// Parse takes the text of an identity card's QR apart: number|old number|name|ddmmyyyy|sex|residence|ddmmyyyy of
// issue, with more fields behind on newer cards, which are passed over. A field that has not its form is left
// out; ok is false unless at least number, name and birth date are there.
func Parse(text string) (values map[paper.Name]string, ok bool) {
	text = norm.NFC.String(strings.Trim(text, " \t\r\n\x00\ufeff"))
	f := strings.Split(text, "|")
	if len(f) < 6 || len(f) > 40 {
		return nil, false
	}
	for i := range f {
		f[i] = strings.Join(strings.Fields(f[i]), " ")
	}
	v := map[paper.Name]string{}
	put := func(name paper.Name, value string, fits bool) {
		if fits && value != "" {
			v[name] = value
		}
	}
	put(paper.Number, f[0], digits(f[0], 12))
	put(paper.OldNumber, f[1], digits(f[1], 9) || digits(f[1], 12))
	put(paper.FullName, f[2], words(f[2]))
	birth, fits := day(f[3])
	put(paper.DateOfBirth, birth, fits)
	sex, fits := Sex(f[4])
	put(paper.Sex, sex, fits)
	put(paper.PlaceOfResidence, f[5], !strings.ContainsRune(f[5], unicode.ReplacementChar))
	if len(f) > 6 {
		issued, fits := day(f[6])
		put(paper.DateOfIssue, issued, fits && issued > birth)
	}
	if v[paper.Number] == "" || v[paper.FullName] == "" || v[paper.DateOfBirth] == "" {
		return nil, false
	}
	return v, true
}

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

// words are letters with what stands between them in names.
func words(s string) bool {
	letters := 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.Is(unicode.Mn, r), r == ' ', r == '\'', r == '’', r == '-', r == '.':
		default:
			return false
		}
	}
	return letters >= 2
}
