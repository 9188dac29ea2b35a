// Package mrz reads the machine readable zone of cards (TD1, 3 × 30) and passports (TD3, 2 × 44), ICAO 9303
// parts 4 and 5, with the Vietnamese filling of TD1 (the full personal number in the optional data). Lines of
// text in, fields out, each with the proof that its check digits give. Misread characters are mended only where
// a check digit proves the mending; what stays unproven is marked so.
package mrz

import (
	"errors"
	"strings"
	"time"
)

// ErrNone says that the lines are not a machine readable zone.
var ErrNone = errors.New("no machine readable zone")

// Value is one field and how far it is proven.
type Value struct {
	Text   string
	Proven bool // its own check digit fits
	Mended bool // a character was replaced to make it fit
}

// Zone is what a machine readable zone says.
type Zone struct {
	Passport       bool
	DocumentNumber Value // the card's last nine digits, or the passport's number
	PersonalNumber Value // twelve digits
	Birth          Value // YYYY-MM-DD
	Expiry         Value // YYYY-MM-DD
	Sex            Value // "M", "F" or ""
	Nationality    Value // ISO 3166-1 alpha-3 as printed
	Family         string
	Given          string // without diacritics
	NameWhole      bool   // the name was not cut off at the end of its line
	Composite      bool   // the last check digit, over everything, fits
	Lines          []string
}

// Proofs counts the check digits that fit.
func (z Zone) Proofs() int {
	n := 0
	for _, ok := range []bool{z.DocumentNumber.Proven, z.PersonalNumber.Proven, z.Birth.Proven, z.Expiry.Proven, z.Composite} {
		if ok {
			n++
		}
	}
	return n
}

// Whole says whether every check digit that such a zone must have fits.
func (z Zone) Whole() bool {
	return z.DocumentNumber.Proven && z.Birth.Proven && z.Expiry.Proven && z.Composite && (z.Passport || z.PersonalNumber.Proven)
}

// Check is the check digit of ICAO 9303 part 3.
func Check(s string) byte {
	sum := 0
	for i := range len(s) {
		sum += value(s[i]) * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}

func value(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 0
}

// digitFor is what a letter in a place for digits was taken for.
var digitFor = map[byte]byte{'O': '0', 'Q': '0', 'D': '0', 'U': '0', 'I': '1', 'L': '1', 'T': '1', 'J': '1', 'Z': '2', 'S': '5', 'G': '6', 'B': '8', 'A': '4', 'C': '0'}

// letterFor is what a digit in a place for letters was taken for.
var letterFor = map[byte]byte{'0': 'O', '1': 'I', '2': 'Z', '5': 'S', '6': 'G', '8': 'B', '4': 'A'}

func digits(s string) string {
	b := []byte(s)
	for i, c := range b {
		if d, ok := digitFor[c]; ok {
			b[i] = d
		}
	}
	return string(b)
}

func letters(s string) string {
	b := []byte(s)
	for i, c := range b {
		if d, ok := letterFor[c]; ok {
			b[i] = d
		}
	}
	return string(b)
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Parse finds the zone among lines as read: other lines, spaces and small letters are tolerated. now tells the
// century of a birth date that nothing else tells.
func Parse(lines []string, now time.Time) (Zone, error) {
	var clean []string
	for _, l := range lines {
		if l = tidy(l); len(l) >= 24 {
			clean = append(clean, l)
		}
	}
	best, bestScore := Zone{}, 0
	keep := func(z Zone, score int) {
		if score > bestScore {
			best, bestScore = z, score
		}
	}
	for i := 0; i+2 < len(clean); i++ {
		if a, b, c := clean[i], clean[i+1], clean[i+2]; within(a, 30) && within(b, 30) && len(c) >= 24 && len(c) <= 34 {
			for _, a := range fitted(a, 30) {
				for _, b := range fitted(b, 30) {
					keep(td1(a, b, padded(c, 30), now))
				}
			}
		}
	}
	for i := 0; i+1 < len(clean); i++ {
		if a, b := clean[i], clean[i+1]; len(a) >= 36 && within(b, 44) {
			for _, b := range fitted(b, 44) {
				keep(td3(padded(a, 44), b, now))
			}
		}
	}
	if bestScore < 2 {
		return Zone{}, ErrNone
	}
	return best, nil
}

func within(s string, n int) bool { return len(s) >= n-2 && len(s) <= n+3 }

// tidy upper-cases and drops what cannot stand in a zone.
func tidy(l string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(l) {
		switch {
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '<':
			b.WriteRune(r)
		case r == '«':
			b.WriteString("<<")
		case r == '‹', r == '(', r == '[', r == '{':
			b.WriteByte('<')
		}
	}
	return b.String()
}

// fitted gives the ways to bring a line to n characters: a run of fillers was read too long or too short, or
// something stood before or behind it.
func fitted(l string, n int) []string {
	if len(l) == n {
		return []string{l}
	}
	var out []string
	seen := map[string]bool{}
	put := func(s string) {
		if len(s) == n && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	if d := len(l) - n; d > 0 {
		put(l[d:])
		put(l[:n])
		for i := range l {
			if i+d <= len(l) && strings.Trim(l[i:i+d], "<") == "" && (i == 0 || l[i-1] != '<') {
				put(l[:i] + l[i+d:])
			}
		}
	} else {
		for i := 1; i <= len(l); i++ {
			if l[i-1] == '<' && (i == len(l) || l[i] != '<') {
				put(l[:i] + strings.Repeat("<", -d) + l[i:])
			}
		}
	}
	return out
}

func padded(l string, n int) string {
	if len(l) >= n {
		return l[:n]
	}
	return l + strings.Repeat("<", n-len(l))
}

// prove holds a numeric field against its check digit; letters in the place of digits count as the digits they were
// read for. A digit is never replaced to make it fit: too many replacements fit one check digit.
func prove(text, check string) Value {
	d, c := digits(text), digits(check)
	v := Value{Text: d}
	if !allDigits(d) || !allDigits(c) {
		return v
	}
	v.Proven = Check(d) == c[0]
	return v
}

func td1(a, b, c string, now time.Time) (Zone, int) {
	z := Zone{Lines: []string{a, b, c}}
	score := 0
	nine, ninec := digits(a[5:14]), digits(a[14:15])
	full, fullc := digits(a[15:27]), digits(a[29:30])
	z.DocumentNumber = prove(nine, ninec)
	birth, expiry := prove(b[0:6], b[6:7]), prove(b[8:14], b[14:15])
	composite := digits(b[29:30])
	whole := func() string {
		return nine + ninec + full + a[27:29] + fullc + birth.Text + digits(b[6:7]) + expiry.Text + digits(b[14:15]) + b[18:29]
	}
	z.Composite = Check(whole()) == composite[0]
	if allDigits(full) {
		// The last nine digits stand twice, with a check digit each.
		own := Check(full) == fullc[0]
		twice := full[3:] == nine
		z.PersonalNumber = Value{Text: full, Proven: z.DocumentNumber.Proven && twice && (own || z.Composite)}
		if !z.PersonalNumber.Proven {
			// Two copies that differ: each position where they do is mended from the copy whose check digit fits.
			if mended := full[:3] + nine; z.DocumentNumber.Proven && !twice && Check(mended) == fullc[0] {
				z.PersonalNumber = Value{Text: mended, Proven: true, Mended: true}
			} else if Check(full) == fullc[0] && !twice && Check(full[3:]) == ninec[0] {
				z.PersonalNumber = Value{Text: full, Proven: true, Mended: true}
				z.DocumentNumber = Value{Text: full[3:], Proven: true, Mended: true}
			}
			if z.PersonalNumber.Mended {
				nine, full = z.PersonalNumber.Text[3:], z.PersonalNumber.Text
				z.Composite = Check(whole()) == composite[0]
			}
		}
	} else if z.DocumentNumber.Proven {
		z.PersonalNumber = Value{}
	}
	z.Sex = sex(b[7])
	z.Nationality = nation(b[15:18])
	z.Family, z.Given, z.NameWhole = names(c)
	z.Birth, z.Expiry = date(birth, z.PersonalNumber, now, true), date(expiry, Value{}, now, false)
	for _, ok := range []bool{z.DocumentNumber.Proven, z.PersonalNumber.Proven, birth.Proven, expiry.Proven, z.Composite} {
		if ok {
			score += 2
		}
	}
	if strings.HasPrefix(letters(a[:5]), "IDVNM") {
		score++
	}
	if strings.Contains(c, "<<") {
		score++
	}
	return z, score
}

func td3(a, b string, now time.Time) (Zone, int) {
	z := Zone{Passport: true, Lines: []string{a, b}}
	score := 0
	number := b[0:9]
	// Vietnamese passports: a letter and seven or eight digits.
	number = letters(number[:1]) + digits(number[1:])
	if n := digits(b[9:10]); allDigits(n) {
		z.DocumentNumber = Value{Text: strings.TrimRight(number, "<"), Proven: Check(number) == n[0]}
		if !z.DocumentNumber.Proven && Check(b[0:9]) == n[0] {
			number = b[0:9]
			z.DocumentNumber = Value{Text: strings.TrimRight(number, "<"), Proven: true}
		}
	}
	birth, expiry := prove(b[13:19], b[19:20]), prove(b[21:27], b[27:28])
	personal := digits(strings.TrimRight(b[28:42], "<"))
	if pc := digits(b[42:43]); allDigits(personal) && len(personal) == 12 && allDigits(pc) {
		z.PersonalNumber = Value{Text: personal, Proven: Check(personal) == pc[0]}
	}
	optional := b[28:42]
	if z.PersonalNumber.Text != "" {
		optional = padded(personal, 14)
	}
	c := digits(b[43:44])
	z.Composite = Check(number+digits(b[9:10])+birth.Text+digits(b[19:20])+expiry.Text+digits(b[27:28])+optional+digits(b[42:43])) == c[0]
	z.Sex = sex(b[20])
	z.Nationality = nation(b[10:13])
	z.Family, z.Given, z.NameWhole = names(a[5:])
	z.Birth, z.Expiry = date(birth, z.PersonalNumber, now, true), date(expiry, Value{}, now, false)
	for _, ok := range []bool{z.DocumentNumber.Proven, birth.Proven, expiry.Proven, z.Composite} {
		if ok {
			score += 2
		}
	}
	if a[0] == 'P' {
		score++
	}
	if strings.Contains(a, "<<") {
		score++
	}
	return z, score
}

func sex(c byte) Value {
	switch c {
	case 'M', 'H', 'N':
		return Value{Text: "M", Proven: c == 'M'}
	case 'F', 'P', 'E':
		return Value{Text: "F", Proven: c == 'F'}
	}
	return Value{}
}

func nation(s string) Value {
	l := letters(s)
	return Value{Text: strings.TrimRight(l, "<"), Proven: l == s && !strings.Contains(s, "<")}
}

// names splits family and given names. A name that fills its line to the end may have been cut.
func names(l string) (family, given string, whole bool) {
	whole = strings.HasSuffix(l, "<")
	l = letters(strings.TrimRight(l, "<"))
	family, given, _ = strings.Cut(l, "<<")
	squeeze := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' }), " ")
	}
	return squeeze(family), squeeze(given), whole
}

// date gives YYMMDD its century: a birth date by the personal number or else the last hundred years, an expiry
// date the one near to now. A day that does not exist is no proof of anything.
func date(v Value, number Value, now time.Time, birth bool) Value {
	if !allDigits(v.Text) {
		return Value{}
	}
	century := "20"
	switch {
	case birth && len(number.Text) == 12 && number.Proven && number.Text[3] <= '9':
		g := int(number.Text[3]-'0') / 2
		century = [5]string{"19", "20", "21", "22", "23"}[g]
	case birth:
		if v.Text > now.Format("060102") {
			century = "19"
		}
	}
	t, err := time.Parse("20060102", century+v.Text)
	if err != nil {
		return Value{Text: century + v.Text[:2] + "-" + v.Text[2:4] + "-" + v.Text[4:]}
	}
	return Value{Text: t.Format(time.DateOnly), Proven: v.Proven, Mended: v.Mended}
}
