package procedure

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/paper"
)

// What is wrong with a value, as a stable code that the interface puts in words.
const (
	Missing    = "missing"
	Pattern    = "pattern"
	NoChoice   = "no-choice"
	TooShort   = "too-short"
	TooLong    = "too-long"
	NotADate   = "not-a-date"
	FutureDate = "future-date"
	NotANumber = "not-a-number"
	TooSmall   = "too-small"
	TooLarge   = "too-large"
	Letters    = "letters" // a sign that does not belong into such a value
	Columns    = "columns" // a line has more parts than the table has columns
	Unreviewed = "unreviewed"
)

// Complaint is one thing wrong with a form.
type Complaint struct {
	Field string `json:"field"`
	Code  string `json:"code"`
}

// MaxLength is the longest value of a field that sets no limit of its own.
const MaxLength = 500

// Validate says what is wrong with a filled form, in the order of its fields; fields that the other answers
// make needless are passed over. Values nobody has looked at although they need it are complained of as
// Unreviewed.
func (p *Procedure) Validate(values map[string]Answer, now time.Time) []Complaint {
	var complaints []Complaint
	for i := range p.Fields {
		f := &p.Fields[i]
		if !p.Asked(f.ID, values) {
			continue
		}
		v := values[f.ID]
		if code := p.Check(f, v.Text, values, now); code != "" {
			complaints = append(complaints, Complaint{f.ID, code})
		} else if v.Review && v.Text != "" {
			complaints = append(complaints, Complaint{f.ID, Unreviewed})
		}
	}
	return complaints
}

// Check says what is wrong with one value, given the other answers: a code, or "" if it may stand.
func (p *Procedure) Check(f *Field, text string, values map[string]Answer, now time.Time) string {
	if strings.TrimSpace(text) == "" && p.Required(f, values) {
		return Missing
	}
	return f.check(text, now)
}

// Normal is a typed value as it is kept: NFC, without blanks around it, dates as ISO 8601, telephone and
// personal numbers without separators.
func (f *Field) Normal(text string) string {
	text = norm.NFC.String(strings.TrimSpace(text))
	switch f.Type {
	case Date, PastDate:
		return isoDate(text)
	case Phone, Person:
		bare := strings.NewReplacer(" ", "", ".", "", "-", "", "(", "", ")", "").Replace(text)
		if f.Type == Phone && strings.HasPrefix(bare, "+84") {
			bare = "0" + bare[3:]
		}
		return bare
	case Lines:
		return text
	}
	return strings.Join(strings.Fields(text), " ")
}

// Row divides one line of a field with columns into its parts, without blanks around them. Parts stand between
// semicolons; a line without any is divided at its commas.
func (f *Field) Row(line string) []string {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil
	}
	by := ";"
	if !strings.Contains(line, by) {
		by = ","
	}
	cells := strings.Split(line, by)
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// noClock is for checks that must not depend on the day.
var noClock time.Time

var (
	personForm = regexp.MustCompile(`^([0-9]{12}|[0-9]{9})$`)
	phoneForm  = regexp.MustCompile(`^0[0-9]{9,10}$`)
	dayForm    = regexp.MustCompile(`^([0-9]{1,2})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{4})$`)
)

func (f *Field) check(text string, now time.Time) string {
	if strings.TrimSpace(text) == "" {
		if f.Required {
			return Missing
		}
		return ""
	}
	longest := f.MaxLength
	if longest == 0 {
		longest = MaxLength
	}
	letters := utf8.RuneCountInString(text)
	switch {
	case letters < f.MinLength:
		return TooShort
	case letters > longest:
		return TooLong
	}
	for _, r := range text {
		if unicode.IsControl(r) && (r != '\n' || f.Type != Lines) {
			return Letters
		}
	}
	if code := f.checkType(text, now); code != "" {
		return code
	}
	if f.pattern != nil && !f.pattern.MatchString(text) {
		return Pattern
	}
	return ""
}

// birthYear is the year of birth of those of whom no more is known: it is a value (their papers say so), and stays one.
var birthYear = regexp.MustCompile(`^(18[89]|19[0-9]|20[0-9])[0-9]$`)

// ofBirth says whether the field is somebody's day of birth.
func (f *Field) ofBirth() bool {
	return slices.ContainsFunc(f.From, func(s Source) bool { return strings.HasSuffix(string(s.Field), string(paper.DateOfBirth)) })
}

func (f *Field) checkType(text string, now time.Time) string {
	if check, ok := typeChecks[f.Type]; ok {
		return check(f, text, now)
	}
	return ""
}

// typeChecks tell for each type that has a form of its own what is wrong with a text; an empty fault is none.
var typeChecks = map[Type]func(f *Field, text string, now time.Time) string{
	Name: func(_ *Field, text string, _ time.Time) string {
		strange := func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" '’-.", r)
		}
		return faultIf(strings.ContainsFunc(text, strange), Letters)
	},
	Date:     (*Field).checkDay,
	PastDate: (*Field).checkDay,
	Person: func(_ *Field, text string, _ time.Time) string {
		return faultIf(!personForm.MatchString(text), NotANumber)
	},
	Phone: func(_ *Field, text string, _ time.Time) string {
		return faultIf(!phoneForm.MatchString(text), NotANumber)
	},
	Lines: func(f *Field, text string, _ time.Time) string {
		if len(f.Columns) == 0 {
			return ""
		}
		for line := range strings.Lines(text) {
			if len(f.Row(line)) > len(f.Columns) {
				return Columns
			}
		}
		return ""
	},
	Email: func(_ *Field, text string, _ time.Time) string {
		a, err := mail.ParseAddress(text)
		return faultIf(err != nil || a.Address != text, Pattern)
	},
	Integer: func(f *Field, text string, _ time.Time) string {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil:
			return NotANumber
		case n < f.Min:
			return TooSmall
		}
		return faultIf(f.Max != 0 && n > f.Max, TooLarge)
	},
	Choice: func(f *Field, text string, _ time.Time) string {
		return faultIf(!slices.ContainsFunc(f.Choices, func(o Option) bool { return o.Value == text }), NoChoice)
	},
	Tick: func(_ *Field, text string, _ time.Time) string { return faultIf(text != "yes", NoChoice) },
}

func faultIf(wrong bool, fault string) string {
	if wrong {
		return fault
	}
	return ""
}

// checkDay judges a day, or the year alone where that is how a birth was written down.
func (f *Field) checkDay(text string, now time.Time) string {
	if f.ofBirth() && birthYear.MatchString(text) {
		return faultIf(!now.IsZero() && text > now.Format("2006"), FutureDate)
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1880 {
		return NotADate
	}
	return faultIf(f.Type == PastDate && !now.IsZero() && day.After(now), FutureDate)
}

// isoDate turns day/month/year as people write it into ISO 8601; anything else stays as it is.
func isoDate(text string) string {
	m := dayForm.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	day, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	year, _ := strconv.Atoi(m[3])
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day || int(t.Month()) != month {
		return text
	}
	return t.Format(time.DateOnly)
}
