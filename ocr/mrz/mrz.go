// Package mrz reads machine readable zones of ICAO Doc 9303: cards of three lines (TD1) and of two (TD2), passports (TD3),
// visas (MRV-A, MRV-B), and the Vietnamese filling of TD1 (the full personal number in the optional data). Lines of text in,
// fields out, each with the proof that its check digits give. Misread characters are mended only where a check digit proves
// the mending, a lost or added one only where exactly one way to mend it fits; what stays unproven is marked so, and a date
// that cannot be is no value at all.
package mrz

import (
	"errors"
	"slices"
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

// Format is the size and filling of an MRZ.
type Format string

// The formats of ICAO Doc 9303, parts 4 to 7.
const (
	TD1  Format = "TD1"   // 3 × 30: cards
	TD2  Format = "TD2"   // 2 × 36: larger cards
	TD3  Format = "TD3"   // 2 × 44: passports
	MRVA Format = "MRV-A" // 2 × 44: visas
	MRVB Format = "MRV-B" // 2 × 36: smaller visas
)

// Vietnam is the code of the issuer whose MRZs have the filling described above.
const Vietnam = "VNM"

// Data is what a machine readable zone says.
type Data struct {
	Format         Format
	Passport       bool   // it is a TD3
	Code           string // of the document: "ID", "P", "V" …
	Issuer         string // state or organisation, by ISO 3166-1 alpha-3 or ICAO's own codes, as read
	DocumentNumber Value  // the card's last nine digits, or the number of the passport, card or visa
	PersonalNumber Value  // twelve digits, of Vietnamese papers only
	Birth          Value  // YYYY-MM-DD
	Expiry         Value  // YYYY-MM-DD
	Sex            Value  // "M", "F" or ""
	Nationality    Value  // ISO 3166-1 alpha-3 as printed
	Family         string
	Given          string // without diacritics
	NameWhole      bool   // the name was not cut off at the end of its line
	Composite      bool   // the last check digit, over everything, fits
	Lines          []string
}

// Foreign says whether the paper was issued by another state than Vietnam, so that nothing may be taken from it for a
// Vietnamese paper.
func (z Data) Foreign() bool { return z.Issuer != Vietnam }

// Proofs counts the check digits that fit.
func (z Data) Proofs() int {
	n := 0
	for _, ok := range []bool{z.DocumentNumber.Proven, z.PersonalNumber.Proven, z.Birth.Proven, z.Expiry.Proven, z.Composite} {
		if ok {
			n++
		}
	}
	return n
}

// Whole says whether every check digit that such an MRZ must have fits.
func (z Data) Whole() bool {
	visa := z.Format == MRVA || z.Format == MRVB // has no check digit over everything
	personal := z.PersonalNumber.Proven || z.Format != TD1 || z.Foreign()
	return z.DocumentNumber.Proven && z.Birth.Proven && z.Expiry.Proven && (z.Composite || visa) && personal
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
var digitFor = map[byte]byte{'O': '0', 'Q': '0', 'D': '0', 'U': '0', 'I': '1', 'L': '1', 'T': '1', 'J': '1', 'Z': '2', 'S': '5', 'G': '6',
	'B': '8', 'A': '4', 'C': '0'}

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

// Parse finds the MRZ among lines as read: other lines, spaces and small letters are tolerated. now tells the
// century of a date that nothing else tells.
func Parse(lines []string, now time.Time) (Data, error) {
	var clean []string
	for _, l := range lines {
		if l = tidy(l); len(l) >= shortest {
			clean = append(clean, l)
		}
	}
	var found candidates
	for i := range clean {
		for _, shape := range shapes {
			if i+shape.lines <= len(clean) {
				shape.try(&found, clean[i:i+shape.lines], now)
			}
		}
	}
	return found.best()
}

// shortest is a line of an MRZ that lost its fillers at the end.
const shortest = 24

// shape is how an MRZ is laid out on its lines.
type shape struct {
	lines, width int
	parse        func(lines []string, now time.Time) Data
	namesAt      int // the line of names, which has no check digit and may be short
}

var shapes = []shape{
	{3, 30, td1, 2},
	{2, 44, twoLines, 0},
	{2, 36, twoLines, 0},
}

// try adds every MRZ that these lines may be, each line brought to its length in every way that makes sense.
func (s shape) try(found *candidates, lines []string, now time.Time) {
	ways := make([][]way, len(lines))
	for i, l := range lines {
		switch {
		case i == s.namesAt && len(l) <= s.width+4 && len(l) >= min(s.width-8, 36):
			ways[i] = []way{{text: padded(l, s.width)}}
		case i != s.namesAt && within(l, s.width):
			ways[i] = fitted(l, s.width)
		}
		if len(ways[i]) == 0 {
			return
		}
	}
	pick := make([]way, len(lines))
	var walk func(i int)
	walk = func(i int) {
		if i == len(ways) {
			texts := make([]string, len(pick))
			for k, w := range pick {
				texts[k] = w.text
			}
			z := s.parse(texts, now)
			for k, w := range pick {
				z.blur(k, w)
			}
			found.add(z, slices.ContainsFunc(pick, func(w way) bool { return w.edit == lost }))
			return
		}
		for _, w := range ways[i] {
			pick[i] = w
			walk(i + 1)
		}
	}
	walk(0)
}

// edit is what was done to a line to bring it to its length.
type edit int

const (
	none   edit = iota
	cut         // characters were taken away
	filled      // a run of fillers was made longer
	lost        // a gap was put in
)

// way is one way to bring a line to its length.
type way struct {
	text string
	edit edit
	at   int // where something was put in
}

// blur takes its proof from a value into which something was put: its check digit was used up to find the place.
func (z *Data) blur(line int, w way) {
	if w.edit != filled && w.edit != lost {
		return
	}
	in := func(l, from, to int, v *Value) {
		if l == line && w.at >= from && w.at < to {
			v.Proven = false
		}
	}
	if z.Format == TD1 {
		in(0, 5, 15, &z.DocumentNumber)
		in(0, 15, 27, &z.PersonalNumber)
		in(1, 0, 7, &z.Birth)
		in(1, 8, 15, &z.Expiry)
		return
	}
	in(1, 0, 10, &z.DocumentNumber)
	in(1, 13, 20, &z.Birth)
	in(1, 21, 28, &z.Expiry)
	in(1, 28, 40, &z.PersonalNumber)
}

// candidates are the MRZs that the lines may be.
type candidates []scored

type scored struct {
	Data
	score  int
	likely bool
	gap    bool // a character was lost
}

func (c *candidates) add(z Data, gap bool) {
	if n, likely := z.score(); n > 0 {
		*c = append(*c, scored{z, n, likely, gap})
	}
}

// codes are the first letters of documents of each format.
var codes = map[Format]string{TD1: "ACI", TD2: "ACIP", TD3: "P", MRVA: "V", MRVB: "V"}

// score weighs check digits over looks. likely says whether lines may be called an MRZ at all: of a Vietnamese one little is
// enough, because the print beside it says the same; any other must look like one, or a form's figures would do.
func (z Data) score() (n int, likely bool) {
	home := !z.Foreign() && (z.Format == TD1 || z.Format == TD3)
	code := z.Code != "" && strings.Contains(codes[z.Format], z.Code[:1])
	n = 2 * z.Proofs()
	for _, looks := range []bool{home, code, z.Given != ""} {
		if looks {
			n++
		}
	}
	likely = n >= 2 && z.Proofs() > 0
	if !home {
		likely = z.Proofs() >= 2 && state(z.Issuer) && (state(z.Nationality.Text) || z.Nationality.Text == "") &&
			(code && z.Given != "" || z.Proofs() >= 3)
	}
	return n, likely
}

// state says whether this can be the code of a state: one to three letters (Germany has one), a lost one among them.
func state(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"+gap) == ""
}

// luck is how much a score may owe to chance where a character was lost: a number whose own check digit fits by chance fits
// the last one, too.
const luck = 4

// best is the likeliest MRZ. Where several are as likely, what they differ in is not proven by any of them.
func (c *candidates) best() (Data, error) {
	var top scored
	for _, z := range *c {
		if z.likely && z.score > top.score {
			top = z
		}
	}
	if top.score == 0 {
		return Data{}, ErrNone
	}
	least := top.score
	if top.gap {
		least -= luck
	}
	z := top.Data
	for _, o := range *c {
		if o.score < least {
			continue
		}
		for _, pair := range [][2]*Value{{&z.DocumentNumber, &o.DocumentNumber}, {&z.PersonalNumber, &o.PersonalNumber},
			{&z.Birth, &o.Birth}, {&z.Expiry, &o.Expiry}, {&z.Sex, &o.Sex}, {&z.Nationality, &o.Nationality}} {
			if pair[0].Text != pair[1].Text {
				pair[0].Proven = false
			}
		}
	}
	return z, nil
}

func within(s string, n int) bool { return len(s) >= n-2 && len(s) <= n+3 }

// tidy upper-cases and drops what cannot stand in an MRZ.
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

// fitted gives the ways to bring a line to n characters: a run of fillers was read too long or too short, something stood
// before or behind it, or one character was lost or added anywhere. For a lost one stands a gap, which proves nothing.
func fitted(l string, n int) []way {
	if len(l) == n {
		return []way{{text: l}}
	}
	var out []way
	put := func(s string, e edit, at int) {
		if len(s) == n && !slices.ContainsFunc(out, func(w way) bool { return w.text == s }) {
			out = append(out, way{s, e, at})
		}
	}
	if d := len(l) - n; d > 0 {
		put(l[d:], cut, 0)
		put(l[:n], cut, 0)
		for i := range l {
			run := i+d <= len(l) && strings.Trim(l[i:i+d], "<") == "" && (i == 0 || l[i-1] != '<')
			if run || d == 1 {
				put(l[:i]+l[i+d:], cut, 0)
			}
		}
		return out
	}
	for i := 1; i <= len(l); i++ {
		if l[i-1] == '<' && (i == len(l) || l[i] != '<') {
			put(l[:i]+strings.Repeat("<", n-len(l))+l[i:], filled, i)
		}
	}
	for i := 0; i <= len(l) && n-len(l) == 1; i++ {
		put(l[:i]+gap+l[i:], lost, i)
	}
	return out
}

// gap stands for a character that was lost. No check digit fits it.
const gap = "?"

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

// td1 reads three lines of 30 (Doc 9303-5).
func td1(lines []string, now time.Time) Data {
	a, b, c := lines[0], lines[1], lines[2]
	z := Data{Format: TD1, Lines: lines, Code: code(a), Issuer: nation(a[2:5]).Text}
	optional := a[15:30]
	z.vietnamese(a)
	var number string
	if z.PersonalNumber.Text != "" {
		number, optional = z.DocumentNumber.Text+a[14:15], z.PersonalNumber.Text+a[27:30]
	} else {
		number = z.number(a[5:14], a[14:15], optional)
	}
	birth, expiry := prove(b[0:6], b[6:7]), prove(b[8:14], b[14:15])
	z.Composite = fits(number+optional+birth.Text+digits(b[6:7])+expiry.Text+digits(b[14:15])+b[18:29], b[29:30])
	z.Sex, z.Nationality = sex(b[7]), nation(b[15:18])
	z.Family, z.Given, z.NameWhole = names(c)
	z.dates(birth, expiry, now)
	return z
}

// vietnamese reads the number of a Vietnamese card, whose last nine digits stand twice, with a check digit each. What
// proves such a filling proves the issuer, too.
func (z *Data) vietnamese(a string) {
	nine, ninec := digits(a[5:14]), digits(a[14:15])
	full, fullc := digits(a[15:27]), digits(a[29:30])
	if !allDigits(nine) && !allDigits(full) {
		return
	}
	own, short := fits(full, fullc), fits(nine, ninec)
	twice := allDigits(full) && full[3:] == nine
	filled := twice && own && short && strings.Trim(a[27:29], "<") == ""
	if z.Issuer != Vietnam && !filled {
		return
	}
	z.Issuer = Vietnam
	z.DocumentNumber = Value{Text: nine, Proven: short && allDigits(nine)}
	if !allDigits(full) {
		return
	}
	z.PersonalNumber = Value{Text: full, Proven: short && twice && own}
	switch {
	case twice:
	case allDigits(nine) && short && fits(full[:3]+nine, fullc): // two copies that differ: the one whose check digit fits mends the other
		z.PersonalNumber = Value{Text: full[:3] + nine, Proven: true, Mended: true}
	case own && fits(full[3:], ninec):
		z.PersonalNumber = Value{Text: full, Proven: true, Mended: true}
		z.DocumentNumber = Value{Text: full[3:], Proven: true, Mended: true}
	}
}

// number reads the number of a document that is not a Vietnamese card, and gives it with its check digit as it counts for
// the last one. A number of more than nine characters goes on in the optional data, behind a filler in place of its
// check digit (Doc 9303-5, note j).
func (z *Data) number(nine, check, optional string) string {
	if check == "<" {
		if rest, _, ok := strings.Cut(optional, "<"); ok && len(rest) > 1 {
			text, c := nine+rest[:len(rest)-1], rest[len(rest)-1:]
			z.DocumentNumber = Value{Text: text, Proven: fits(text, c)}
			return nine + check
		}
	}
	c := digits(check)
	// A Vietnamese passport's number is a letter and digits; of any other's nothing is known, and what is mended there would
	// fit by chance too often.
	if home := letters(nine[:1]) + digits(nine[1:]); !z.Foreign() && fits(home, c) {
		z.DocumentNumber = Value{Text: strings.TrimRight(home, "<"), Proven: true, Mended: home != nine}
		return home + c
	}
	text := strings.TrimRight(nine, "<")
	if fits(nine, c) {
		z.DocumentNumber = Value{Text: text, Proven: !strings.Contains(text, "<")}
		return nine + c
	}
	// O for 0 is what is misread most; a number mended that way is likely, but not proven.
	if zero := strings.ReplaceAll(nine, "O", "0"); zero != nine && fits(zero, c) {
		z.DocumentNumber = Value{Text: strings.TrimRight(zero, "<"), Mended: true}
		return zero + c
	}
	z.DocumentNumber = Value{Text: text}
	return nine + c
}

// twoLines reads two lines of 36 or 44 (Doc 9303-4, -6 and -7), which differ only in how much optional data there is.
func twoLines(lines []string, now time.Time) Data {
	a, b := lines[0], lines[1]
	z := Data{Format: TD3, Lines: lines, Code: code(a), Issuer: nation(a[2:5]).Text}
	long := len(b) == 44
	visa := a[0] == 'V'
	if visa && long { // unless it is a P misread: no visa has the two last check digits
		visa = !fits(b[28:42], digits(b[42:43])) || !fits(b[0:10]+b[13:20]+b[21:43], digits(b[43:]))
	}
	switch {
	case visa && long:
		z.Format = MRVA
	case visa:
		z.Format = MRVB
	case !long:
		z.Format = TD2
	}
	z.Passport = z.Format == TD3
	last := len(b) - 1
	number := z.number(b[0:9], b[9:10], b[28:last])
	birth, expiry := prove(b[13:19], b[19:20]), prove(b[21:27], b[27:28])
	optional := b[28:last]
	if z.Passport {
		personal := digits(strings.TrimRight(b[28:42], "<"))
		if allDigits(personal) && len(personal) == 12 && !z.Foreign() {
			z.PersonalNumber = Value{Text: personal, Proven: fits(personal, digits(b[42:43]))}
			optional = padded(personal, 14) + digits(b[42:43])
		}
	}
	if z.Format == TD2 || z.Format == TD3 {
		z.Composite = fits(number+birth.Text+digits(b[19:20])+expiry.Text+digits(b[27:28])+optional, digits(b[last:]))
	}
	z.Sex = sex(b[20])
	z.Nationality = nation(b[10:13])
	z.Family, z.Given, z.NameWhole = names(a[5:])
	z.dates(birth, expiry, now)
	return z
}

// fits says whether text has this check digit.
func fits(text, check string) bool {
	return text != "" && allDigits(check) && len(check) == 1 && !strings.Contains(text, gap) && Check(text) == check[0]
}

// code is the kind of document in the first two places.
func code(l string) string { return strings.TrimRight(letters(l[:2]), "<") }

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
	return Value{Text: strings.TrimRight(l, "<"), Proven: l == s && !strings.ContainsAny(s, "<"+gap)}
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

// How far from the day of reading a date may lie, in years. Hardly anyone who comes is over 110; a document that has
// expired for longer than it can be valid is not handed in, and none is valid for fifty years.
const (
	oldest   = 110
	validity = 50
)

// dates gives both dates their centuries, by the personal number where that is proven, and by each other: one is born before
// the document ends, and not in the future. A day that does not exist or cannot be is no value.
func (z *Data) dates(birth, expiry Value, now time.Time) {
	for _, year := range Centuries(expiry.Text) {
		t, _ := time.Parse(time.DateOnly, year)
		// 31 December 99 stands for a Vietnamese card without an end.
		endless := !z.Foreign() && z.Format == TD1 && expiry.Text == "991231" && t.Year() == 2099
		if endless || t.Year() <= now.Year()+validity && t.Year() > now.Year()+validity-100 {
			z.Expiry = Value{Text: year, Proven: expiry.Proven, Mended: expiry.Mended}
		}
		if endless {
			break
		}
	}
	var born []string
	for _, day := range Centuries(birth.Text) {
		t, _ := time.Parse(time.DateOnly, day)
		if t.After(now) || t.Year() < now.Year()-oldest || z.Expiry.Text != "" && day >= z.Expiry.Text {
			continue
		}
		if n := z.PersonalNumber; n.Proven && !sameYear(n.Text, t.Year()) {
			continue
		}
		born = append(born, day)
	}
	if len(born) == 0 {
		return
	}
	// Of a child and a person of a hundred years the child is likelier; but who it is the MRZ does not say.
	z.Birth = Value{Text: born[len(born)-1], Proven: birth.Proven && len(born) == 1, Mended: birth.Mended}
}

// Centuries gives the days that six digits YYMMDD may mean, in 1900 to 2099, as YYYY-MM-DD, earlier first; none for a day that
// does not exist.
func Centuries(yymmdd string) []string {
	var days []string
	for _, century := range []string{"19", "20"} {
		if t, err := time.Parse("20060102", century+yymmdd); err == nil && len(yymmdd) == 6 && allDigits(yymmdd) {
			days = append(days, t.Format(time.DateOnly))
		}
	}
	return days
}

// sameYear says whether a personal number is of someone born in a year: its fourth digit tells the century and the sex, the
// two after it the year (Circular 59/2021/TT-BCA, Article 4).
func sameYear(number string, year int) bool {
	century := 1900 + 100*(int(number[3]-'0')/2)
	return year == century+10*int(number[4]-'0')+int(number[5]-'0')
}
