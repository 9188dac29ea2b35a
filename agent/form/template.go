package form

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"motcua/agent/procedure"
	"motcua/agent/strict"
)

// A template is text with places in braces:
//
//	{field}           the answer as people write it; dots where there is none
//	{field|words}     a date in words: "ngày hai mươi chín tháng mười một năm hai nghìn không trăm hai mươi sáu"
//	{field|day} {field|month} {field|year}   parts of a date
//	{field|tick}      ☒ where there is an answer other than 0, else ☐; {field|tick:a} where the answer is a
//	{field|untick}    ☒ where the answer is 0; no answer ticks nothing
//	{person|identity} the identity paper in one line: kind, number, issuer, date
//	{today|day}       the day the form is filled, like a date
//	{office}          the office's unit as it stands in a sentence: "phường Bến Thành, Thành phố Hồ Chí Minh"
//	{text:name}       a text of the procedure (form.texts)
//	[… {field} …]     left out wholly where an answer in it is missing
var (
	place   = regexp.MustCompile(`\{([a-z][a-z0-9_]*)(?:(\||:)([a-z_]+)(?::([^}]*))?)?\}`)
	options = regexp.MustCompile(`\[([^\[\]]*)\]`)
)

// The places that are no fields: the office's own name, and the day the form is filled.
const (
	OfficeName = "office"
	Today      = "today"
)

// The filters after "|".
var filters = []string{"words", "day", "month", "year", "tick", "untick", "identity"}

// Filters lists what may stand behind "|" in a template.
func Filters() []string { return slices.Clone(filters) }

// check lists what is wrong with a template of a procedure.
func check(template string, p *procedure.Procedure) []error {
	var wrong []error
	rest := place.ReplaceAllStringFunc(template, func(s string) string {
		m := place.FindStringSubmatch(s)
		switch {
		case m[1] == OfficeName && m[2] == "", m[1] == Today && slices.Contains(filters[1:4], m[3]):
		case m[1] == "text" && m[2] == ":":
			if p.Form.Texts[m[3]] == "" {
				wrong = append(wrong, fmt.Errorf("there is no text %q under form.texts", m[3]))
			}
		case m[2] == "|" && m[3] == "identity":
			if _, ok := p.Field(m[1] + "_number"); !ok {
				wrong = append(wrong, fmt.Errorf("%q has no field %s_number", s, m[1]))
			}
		default:
			if _, ok := p.Field(m[1]); !ok {
				wrong = append(wrong, fmt.Errorf("there is no field %q%s", m[1], strict.Meant(m[1], ids(p))))
			}
			if m[2] != "" && !slices.Contains(filters, m[3]) {
				wrong = append(wrong, fmt.Errorf("%q: there is no filter %q%s", s, m[3], strict.Meant(m[3], filters)))
			}
		}
		return ""
	})
	if strings.ContainsAny(rest, "{}") || strings.ContainsAny(options.ReplaceAllString(rest, ""), "[]") {
		wrong = append(wrong, fmt.Errorf("braces or brackets do not close in %q", template))
	}
	return wrong
}

// answers are what a form is filled with.
type answers struct {
	p      *procedure.Procedure
	values map[string]procedure.Answer // complete, but for what the form does not ask: that is left empty
	office string
	today  string // ISO 8601
}

// runs fills a template.
func (a answers) runs(template string) []Run {
	template = options.ReplaceAllStringFunc(template, func(s string) string {
		inner := s[1 : len(s)-1]
		for _, r := range a.fill(inner) {
			if r.Gap {
				return ""
			}
		}
		return inner
	})
	return a.fill(template)
}

func (a answers) fill(template string) []Run {
	var runs []Run
	last := 0
	for _, at := range place.FindAllStringSubmatchIndex(template, -1) {
		if at[0] > last {
			runs = append(runs, Run{Text: template[last:at[0]]})
		}
		last = at[1]
		part := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return template[at[2*n]:at[2*n+1]]
		}
		if part(1) == "text" && part(2) == ":" {
			runs = append(runs, a.runs(a.p.Form.Texts[part(3)])...)
			continue
		}
		text := a.text(part(1), part(3), part(4))
		runs = append(runs, Run{Text: text, Filled: true, Gap: text == ""})
	}
	if last < len(template) {
		runs = append(runs, Run{Text: template[last:]})
	}
	return runs
}

func (a answers) text(name, filter, argument string) string {
	if name == OfficeName {
		return a.office
	}
	if filter == "identity" {
		return a.identity(name)
	}
	value := a.values[name].Text
	if name == Today {
		value = a.today
	}
	switch filter {
	case "words":
		return dateInWords(value)
	case "day", "month", "year":
		return datePart(value, filter)
	case "tick":
		return ticked(value != "" && value != "0" && (argument == "" || value == argument))
	case "untick":
		return ticked(value == "0")
	}
	f, ok := a.p.Field(name)
	if !ok {
		return ""
	}
	if old := a.values[name].Old; old != "" && value != "" && old != value {
		return value + " (ghi trên giấy tờ: " + old + ")"
	}
	return written(f, value)
}

// The marks of a tick box.
const (
	Ticked   = "☒"
	Unticked = "☐"
)

func ticked(yes bool) string {
	if yes {
		return Ticked
	}
	return Unticked
}

// written is an answer as the form words it.
func written(f *procedure.Field, value string) string {
	switch f.Type {
	case procedure.Date, procedure.PastDate:
		return shownDate(value)
	case procedure.Choice:
		for _, o := range f.Choices {
			if o.Value == value {
				if o.Form != "" {
					return o.Form
				}
				return o.Label.VI
			}
		}
		return value
	case procedure.Tick:
		return ticked(value != "")
	case procedure.Lines:
		return strings.Join(strings.Fields(value), " ")
	}
	return value
}

// identity is a person's identity paper in one line, as far as it is known.
func (a answers) identity(person string) string {
	number := a.values[person+"_number"].Text
	if number == "" {
		return ""
	}
	kind := "Số định danh cá nhân"
	if f, ok := a.p.Field(person + "_paper"); ok && a.values[f.ID].Text != "" {
		kind = written(f, a.values[f.ID].Text) + " số"
	} else if len(number) == 9 {
		kind = "Chứng minh nhân dân số"
	}
	text := kind + " " + number
	if issuer := a.values[person+"_issuer"].Text; issuer != "" {
		text += ", " + issuer
		if day := a.values[person+"_issued"].Text; day != "" {
			return text + " cấp ngày " + shownDate(day)
		}
		return text + " cấp"
	}
	if day := a.values[person+"_issued"].Text; day != "" {
		text += ", cấp ngày " + shownDate(day)
	}
	return text
}

// shownDate writes an ISO date as day/month/year; a year alone, or what is no date, stays as it is.
func shownDate(iso string) string {
	if t, err := time.Parse(time.DateOnly, iso); err == nil {
		return t.Format("02/01/2006")
	}
	return iso
}

func datePart(iso, part string) string {
	t, err := time.Parse(time.DateOnly, iso)
	switch {
	case err != nil && part == "year" && len(iso) == 4:
		return iso
	case err != nil:
		return ""
	case part == "day":
		return t.Format("02")
	case part == "month":
		return t.Format("01")
	}
	return t.Format("2006")
}

func ids(p *procedure.Procedure) []string {
	all := make([]string, len(p.Fields))
	for i := range p.Fields {
		all[i] = p.Fields[i].ID
	}
	return all
}

func mapsKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
