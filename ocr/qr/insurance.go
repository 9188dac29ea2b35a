package qr

import (
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/paper"
)

// insuranceNumber is a health insurance card's: ten figures since 2021, two letters and thirteen figures before (Decision
// 1351/QĐ-BHXH of 2015).
var insuranceNumber = regexp.MustCompile(`^([0-9]{10}|[A-Z]{2}[0-9]{13})$`)

// Insurance takes the text of a health insurance card's symbol apart: number|name|birth|sex 1 or 2|address|clinic|from|to|issued|…|$,
// dates as dd/mm/yyyy, name and address as the hexadecimal of UTF-8. A hexadecimal name behind such a number, and the $ at the end, are
// what no other code has. Put together from three public decoders; of what they disagree on nothing is taken.
func Insurance(text string) (values map[paper.Name]string, ok bool) {
	text, _, _ = strings.Cut(withoutAIM(strings.TrimSpace(text)), "\x00")
	if odd(text) {
		return nil, false
	}
	f := strings.Split(text, "|")
	const least = 10
	if len(f) < least || !strings.HasSuffix(strings.TrimSpace(text), "$") || !insuranceNumber.MatchString(f[0]) {
		return nil, false
	}
	name, fits := unhex(f[1])
	if !fits || !words(name) {
		return nil, false
	}
	v := map[paper.Name]string{paper.DocumentNumber: f[0], paper.FullName: name}
	put := func(n paper.Name, value string, fits bool) {
		if fits && value != "" {
			v[n] = value
		}
	}
	birth, fits := slashed(f[2], true)
	put(paper.DateOfBirth, birth, fits)
	put(paper.Sex, map[string]string{"1": "Nam", "2": "Nữ"}[f[3]], true)
	address, fits := unhex(f[4])
	put(paper.PlaceOfResidence, address, fits)
	from, fits := slashed(f[6], false)
	put(paper.ValidFrom, from, fits)
	issued, fits := slashed(f[8], false)
	put(paper.DateOfIssue, issued, fits)
	return v, true
}

func unhex(s string) (string, bool) {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) == 0 || !utf8.Valid(b) || odd(string(b)) {
		return "", false
	}
	text := strings.Join(strings.Fields(norm.NFC.String(string(b))), " ")
	return text, !strings.ContainsFunc(text, unicode.IsControl)
}

// slashed reads dd/mm/yyyy; of a birth perhaps the year alone.
func slashed(s string, birth bool) (string, bool) {
	s = strings.TrimSpace(s)
	if birth && digits(s, 4) {
		return birthday(s)
	}
	t, err := time.Parse("02/01/2006", s)
	return t.Format(time.DateOnly), err == nil && t.Year() >= 1880 && t.Year() <= 2150
}
