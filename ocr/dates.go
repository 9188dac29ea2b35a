package ocr

import (
	"slices"
	"time"

	"motcua/ocr/field"
	"motcua/ocr/fields"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

// The dates of a paper check each other: birth < issue < expiry, an identity card ends on a birthday at one of a few ages, and
// of an MRZ's two-figure years only one century fits the others.

// date is a day, or a year of which no more is known.
type date struct {
	time.Time
	year bool
}

// parseDate reads a value of a field that is a day: ISO 8601, or a year alone ("1950": old people may have no more).
func parseDate(v string) (date, bool) {
	if t, err := time.Parse(time.DateOnly, v); err == nil && t.Year() >= firstYear && t.Year() <= lastYear {
		return date{Time: t}, true
	}
	if t, err := time.Parse("2006", v); err == nil && t.Year() >= firstYear && t.Year() <= lastYear {
		return date{Time: t, year: true}, true
	}
	return date{}, false
}

// The years that can stand on a paper: of the oldest person alive when the oldest paper was written, to the last expiry.
const (
	firstYear = 1880
	lastYear  = 2150
)

// onCalendar says whether a value can stand in a field at all: no paper bears the 44th of a month.
func onCalendar(n paper.Name, v string) bool {
	kind := fields.TypeOf(n)
	if !kind.IsDate() || kind == fields.Expiry && v == field.Forever {
		return true
	}
	d, ok := parseDate(v)
	return ok && (!d.year || kind == fields.Birthday)
}

// before says whether a can come before b, as far as years alone tell.
func (a date) before(b date) bool {
	if a.year || b.year {
		return a.Year() <= b.Year()
	}
	return a.Before(b.Time)
}

// onBirthday says whether b's day and month are those of a, born on 29 February also the days beside it.
func (a date) onBirthday(b date) bool {
	if a.Month() == time.February && a.Day() == 29 {
		return b.YearDay() >= 59 && b.YearDay() <= 61
	}
	return a.Month() == b.Month() && a.Day() == b.Day()
}

// exchangeAges are the ages at which an identity card must be exchanged (Law 26/2023/QH15, article 21; before July 2024, by Law
// 59/2014/QH13, there was none at 14).
var exchangeAges = []int{14, 25, 40, 60}

// lateIssue is how long before such an age a card is issued that runs to the next one.
const lateIssue = 2 // years

// foreverFrom is the age from which a card that is issued runs for life: 60, less lateIssue.
const foreverFrom = 58

// plausibleExpiry says whether a card of someone born then can expire so. issue may be unknown.
func plausibleExpiry(born, issue date, known bool, expiry date) bool {
	age := expiry.Year() - born.Year()
	if !slices.Contains(exchangeAges, age) || !born.year && !born.onBirthday(expiry) {
		return false
	}
	if !known || born.year || issue.year {
		return true
	}
	// The card runs to the first of the ages that is more than two years off; the law lets offices count these days either way.
	for _, a := range exchangeAges {
		if a == 14 && issue.Year() < 2024 {
			continue
		}
		end := born.AddDate(a-lateIssue, 0, 0)
		if issue.Before(end.AddDate(0, 0, -slack)) {
			return age == a
		}
		if issue.Before(end.AddDate(0, 0, slack)) {
			return true
		}
	}
	return true
}

// slack is how many days about the limit of two years a card's expiry is not held against it.
const slack = 31

// dates holds the days of a paper against the calendar and each other. blame doubts a field, confirm makes one that was
// read from print surer: exact are those that codes prove.
func (c checker) dates() map[paper.Name]date {
	dates := map[paper.Name]date{}
	for _, n := range []paper.Name{paper.DateOfBirth, paper.DateOfIssue, paper.DateOfExpiry} {
		f, ok := c.fields[n]
		if !ok || f.Value == field.Forever {
			continue
		}
		d, ok := parseDate(f.Value)
		if !ok {
			c.blame(n, paper.ImpossibleDate)
			continue
		}
		dates[n] = d
	}
	for _, pair := range [][2]paper.Name{{paper.DateOfBirth, paper.DateOfIssue}, {paper.DateOfIssue, paper.DateOfExpiry},
		{paper.DateOfBirth, paper.DateOfExpiry}} {
		a, okA := dates[pair[0]]
		b, okB := dates[pair[1]]
		if okA && okB && !a.before(b) {
			c.blameBoth(pair[0], pair[1], paper.ImpossibleDate)
		}
	}
	born, known := dates[paper.DateOfBirth]
	issue, issued := dates[paper.DateOfIssue]
	// Cards end on a birthday, and are hardly ever issued on one: such a day of issue is the day of expiry, taken from under the
	// wrong label.
	if known && issued && !c.exact[paper.DateOfIssue] && !born.year && issue.Month() == born.Month() && issue.Day() == born.Day() {
		c.blame(paper.DateOfIssue, paper.ImpossibleDate)
	}
	if k, _ := kinds.Of(c.kind); k.EndsOnBirthday && known {
		c.expiry(dates, born, issue, issued)
	}
	return dates
}

// expiry holds a card's day of expiry against its bearer's birth and its day of issue.
func (c checker) expiry(dates map[paper.Name]date, born, issue date, issued bool) {
	expiry, ends := dates[paper.DateOfExpiry]
	switch {
	case c.fields[paper.DateOfExpiry].Value == field.Forever:
		if issued && issue.Year()-born.Year() < foreverFrom-1 {
			c.blame(paper.DateOfExpiry, paper.ImpossibleDate)
		}
	case !ends:
	case !plausibleExpiry(born, issue, issued, expiry):
		c.blameBoth(paper.DateOfBirth, paper.DateOfExpiry, paper.ImpossibleDate)
	case !born.year: // a misread day or year would hardly have come to the one that fits
		if c.sure(paper.DateOfBirth) {
			c.settleDoubt(paper.DateOfExpiry, paper.LowConfidence)
		}
		c.confirm(paper.DateOfExpiry, 0.2)
		c.confirm(paper.DateOfBirth, 0.2)
	}
}

// settleCenturies gives the dates of an MRZ, which have two figures for the year, the century that fits the
// other dates of the paper.
func settleCenturies(all map[paper.Name][]paper.Evidence, now time.Time) {
	if r := ofMRZ(all[paper.DateOfExpiry]); r != nil && r.Value != field.Forever && !takeCentury(r, all[paper.DateOfExpiry]) {
		if d, ok := parseDate(r.Value); ok && d.Year() > now.Year()+longestValidity {
			r.Value = centuryBefore(d)
		}
	}
	r := ofMRZ(all[paper.DateOfBirth])
	if r == nil || takeCentury(r, all[paper.DateOfBirth]) {
		return
	}
	d, ok := parseDate(r.Value)
	if !ok {
		return
	}
	issue, expiry := latest(all[paper.DateOfIssue]), latest(all[paper.DateOfExpiry])
	if d.After(now) || !issue.IsZero() && d.After(issue) || !expiry.IsZero() && d.After(expiry) {
		r.Value = centuryBefore(d)
	}
}

// ofMRZ is what an MRZ says of a field, nil if none does.
func ofMRZ(all []paper.Evidence) *paper.Evidence {
	if i := slices.IndexFunc(all, func(r paper.Evidence) bool { return r.Source == paper.MRZ }); i >= 0 {
		return &all[i]
	}
	return nil
}

// takeCentury takes the century from what print or another code says of the same day and month: that goes before any rule.
func takeCentury(r *paper.Evidence, all []paper.Evidence) bool {
	for _, o := range all {
		if o.Source != paper.MRZ && len(o.Value) == len(r.Value) && len(o.Value) > 2 && o.Value[2:] == r.Value[2:] {
			r.Value = o.Value
			return true
		}
	}
	return false
}

// latest is the latest day of what was read of a field; zero if none was.
func latest(all []paper.Evidence) time.Time {
	var best time.Time
	for _, o := range all {
		if d, ok := parseDate(o.Value); ok && !d.year && d.After(best) {
			best = d.Time
		}
	}
	return best
}

func centuryBefore(d date) string { return d.AddDate(-100, 0, 0).Format(time.DateOnly) }

// longestValidity is the most years to come a paper can still be valid: from 23 to 40 or 38 to 60, with room.
const longestValidity = 25
