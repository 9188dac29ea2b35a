package lds

import (
	"errors"
	"strings"
	"time"
)

// endless is the expiry of a card that has none; its MRZ says 991231.
const endless = "Không thời hạn"

// mrz is what the lines in DG1 say.
type mrz struct {
	lines              []string
	document, optional string
	birth, expiry      string // YYMMDD
	sex, nationality   string
	state              string   // the issuer
	wrong              []string // fields whose check digit is wrong
}

// parseMRZ reads the three sizes of 9303 parts 4 to 6 by their length: 90 (TD1), 72 (TD2), 88 (TD3).
func parseMRZ(text string) (mrz, error) {
	var m mrz
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") != "" {
		return m, errors.New("the MRZ has characters no MRZ has")
	}
	check := func(field, value string, digit byte) {
		if want, ok := checkDigit(value); !ok || digit != want && (digit != '<' || strings.Trim(value, "<") != "") {
			m.wrong = append(m.wrong, field)
		}
	}
	trim := func(s string) string { return strings.TrimRight(s, "<") }
	switch len(text) {
	case 90:
		m.lines = []string{text[:30], text[30:60], text[60:]}
		a, b := m.lines[0], m.lines[1]
		m.document, m.optional = trim(a[5:14]), trim(a[15:30])
		if a[14] == '<' && m.document != "" && m.optional != "" {
			// A number of more than nine characters goes on in the optional data, its check digit last.
			long, _, _ := strings.Cut(a[15:30], "<")
			m.document, m.optional = a[5:14]+long[:max(0, len(long)-1)], ""
			if long != "" {
				check("document_number", m.document, long[len(long)-1])
			}
		} else {
			check("document_number", a[5:14], a[14])
			if d := a[29]; d >= '0' && d <= '9' && strings.HasSuffix(a[15:29], "<<") { // as Vietnam writes it
				m.optional = trim(a[15:29])
				check("number", a[15:29], d)
			}
		}
		m.birth, m.sex, m.expiry, m.nationality = b[0:6], b[7:8], b[8:14], trim(b[15:18])
		check("date_of_birth", m.birth, b[6])
		check("date_of_expiry", m.expiry, b[14])
	case 72, 88:
		half := len(text) / 2
		m.lines = []string{text[:half], text[half:]}
		b := m.lines[1]
		m.document, m.nationality, m.birth, m.sex, m.expiry = trim(b[0:9]), trim(b[10:13]), b[13:19], b[20:21], b[21:27]
		check("document_number", b[0:9], b[9])
		check("date_of_birth", m.birth, b[19])
		check("date_of_expiry", m.expiry, b[27])
		if len(text) == 88 {
			m.optional = trim(b[28:42])
			check("number", b[28:42], b[42])
		} else {
			m.optional = trim(b[28:35])
		}
	default:
		return m, errors.New("the MRZ has a length no MRZ has")
	}
	m.state = trim(m.lines[0][2:5])
	return m, nil
}

// fields are the values DG1 can tell. The name is not among them: the MRZ writes it without diacritics.
func (m mrz) fields(now time.Time) map[string]string {
	f := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			f[name] = value
		}
	}
	number := ""
	// A Vietnamese card has the personal number in the optional data, followed by its check digit; a
	// passport has it in the personal number's place.
	if digits, _, _ := strings.Cut(m.optional, "<"); len(digits) == 12 && strings.Trim(digits, "0123456789") == "" {
		number = digits
	}
	set("number", number)
	if len(m.lines) == 2 || number == "" {
		set("document_number", m.document)
	}
	set("sex", map[string]string{"M": "Nam", "F": "Nữ"}[m.sex])
	if m.nationality == "VNM" {
		set("nationality", "Việt Nam")
	} else {
		set("nationality", m.nationality)
	}
	if born, err := time.Parse("060102", m.birth); err == nil {
		year := 1900 + born.Year()%100
		switch {
		case number != "":
			year += 100 * int((number[3]-'0')/2) // the fourth digit tells century and sex
		case year+100 <= now.Year():
			year += 100 // or a person of more than 100 years: see doubtful
		}
		set("date_of_birth", isoDate(year, born))
	}
	if m.expiry == "991231" {
		set("date_of_expiry", endless)
	} else if end, err := time.Parse("060102", m.expiry); err == nil {
		set("date_of_expiry", isoDate(2000+end.Year()%100, end))
	}
	return f
}

// doubtful are the fields that want a look: a wrong check digit, or a century that nothing tells.
func (m mrz) doubtful(now time.Time) []string {
	all := m.wrong
	if born, err := time.Parse("060102", m.birth); err == nil && m.fields(now)["number"] == "" {
		if year := 1900 + born.Year()%100; year+100 <= now.Year() && year > now.Year()-116 {
			all = append(all, "date_of_birth")
		}
	}
	return all
}

// isoDate puts the date into another century, and gives nothing for a 29 February that is none there.
func isoDate(year int, d time.Time) string {
	moved := time.Date(year, d.Month(), d.Day(), 0, 0, 0, 0, time.UTC)
	if moved.Day() != d.Day() {
		return ""
	}
	return moved.Format(time.DateOnly)
}
