package portal

import (
	"log/slog"
	"strings"
	"time"

	"motcua/agent/address"
	"motcua/agent/procedure"
)

// Work is what the extension is given for one visit.
type Work struct {
	Token     string     `json:"token"` // for telling of a form that changed
	Procedure string     `json:"procedure"`
	Number    string     `json:"number"` // personal number of the person the dossier is for
	Pages     []PagePlan `json:"pages"`
	Missing   []Open     `json:"missing"` // what nobody has answered, in the person's words
	Files     []File     `json:"files"`
}

// String gives kind and counts only.
func (w Work) String() string { return "work(" + w.Procedure + ")" }

// GoString is String, for %#v.
func (w Work) GoString() string { return w.String() }

// LogValue keeps values out of logs.
func (w Work) LogValue() slog.Value { return slog.StringValue(w.String()) }

// PagePlan is what is to be done on one page.
type PagePlan struct {
	ID     string   `json:"id"`
	Hosts  []string `json:"hosts"`
	Path   string   `json:"path"`
	Locked []string `json:"locked"`
	Known  []string `json:"known"`
	Owner  *Owner   `json:"owner,omitempty"`
	Items  []Item   `json:"items"`
	Attach []Attach `json:"attach"`
}

// Item is one value and where it goes.
type Item struct {
	Name  string    `json:"name"`
	Alias []string  `json:"alias,omitempty"`
	Label string    `json:"label"`
	Value string    `json:"value"`
	Area  *AreaPart `json:"area,omitempty"`
	Unit  bool      `json:"unit,omitempty"` // an administrative unit: lists leave its kind out
}

// AreaPart is an address as the portal takes it apart.
type AreaPart struct {
	Country  string `json:"country"`
	Province string `json:"province"`
	Ward     string `json:"ward"`
	Detail   string `json:"detail"`
}

// Open is a field that a person has to fill.
type Open struct {
	Label string `json:"label"`
	Why   string `json:"why,omitempty"`
}

// File is a paper to attach.
type File struct {
	Paper     string `json:"paper"`
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Data      []byte `json:"data"` // base64 in JSON
}

// Plan says what goes where. values are those of a confirmed form; units tells addresses of today from others: an
// address that isn't known to be of today is left to the person.
func (ms Maps) Plan(p *procedure.Procedure, values map[string]procedure.Answer, units *address.Table) Work {
	complete := p.Complete(values)
	w := Work{Procedure: p.Code, Number: complete["applicant_number"].Text, Pages: []PagePlan{}, Missing: []Open{}, Files: []File{}}
	for _, code := range []string{EveryProcedure, p.Code} {
		m := ms[code]
		if m == nil {
			continue
		}
		for _, page := range m.Pages {
			plan := PagePlan{ID: page.ID, Hosts: page.Hosts, Path: page.Path, Owner: page.Owner, Items: []Item{},
				Locked: append([]string{}, page.Locked...), Known: append([]string{}, page.Known...), Attach: append([]Attach{}, page.Attach...)}
			for _, f := range page.Fields {
				if _, ok := p.Field(f.From); !ok && f.From != "" { // a field of every procedure that this one doesn't ask
					plan.Known = append(plan.Known, f.Name)
					continue
				}
				item, state := f.item(p, values, complete, units)
				switch state {
				case known:
					plan.Items = append(plan.Items, item)
				case unknown:
					plan.Known = append(append(plan.Known, f.Name), f.Alias...)
					if page.Owner == nil { // Part II is opened only where it is needed
						w.Missing = append(w.Missing, Open{Label: f.Label, Why: whyOpen(f)})
					}
				default:
					plan.Known = append(append(plan.Known, f.Name), f.Alias...)
				}
			}
			w.Pages = append(w.Pages, plan)
		}
	}
	return w
}

func whyOpen(f Field) string {
	if f.Take == Area || f.Take == Province || f.Take == Ward {
		return "chưa rõ theo đơn vị hành chính mới"
	}
	return ""
}

type state int

const (
	needless state = iota // the other answers make it so
	known
	unknown
)

func (f Field) item(p *procedure.Procedure, values, complete map[string]procedure.Answer, units *address.Table) (Item, state) {
	item := Item{Name: f.Name, Alias: f.Alias, Label: f.Label, Value: f.Value, Unit: f.Take == Province || f.Take == Ward}
	for _, c := range f.When {
		if !p.Holds(c, complete) {
			return item, needless
		}
	}
	if f.Value != "" {
		if f.Given != "" && complete[f.Given].Text == "" {
			return item, needless
		}
		return item, known
	}
	text := complete[f.From].Text
	if text == "" {
		if !p.Asked(f.From, values) {
			return item, needless
		}
		return item, unknown
	}
	field, _ := p.Field(f.From)
	switch f.Take {
	case Area, Province, Ward, Detail:
		area := apart(text, units)
		if area == nil {
			return item, unknown
		}
		item.Value = map[Take]string{Province: area.Province, Ward: area.Ward, Detail: area.Detail}[f.Take]
		if f.Take == Area {
			item.Area = area
		} else if item.Value == "" {
			return item, unknown
		}
	case DayPart, Month, Year:
		if item.Value = datePart(text, f.Take); item.Value == "" {
			return item, unknown
		}
	default:
		if item.Value = f.words(field, text); item.Value == "" {
			return item, unknown
		}
	}
	return item, known
}

// words is an answer as the portal writes it.
func (f Field) words(field *procedure.Field, text string) string {
	if f.Values != nil {
		return f.Values[text] // an answer the map does not know is left to the person
	}
	switch field.Type {
	case procedure.Date, procedure.PastDate:
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			return t.Format("02/01/2006")
		}
		return "" // a year alone is no date for the portal
	case procedure.Choice:
		for _, o := range field.Choices {
			if o.Value == text {
				return o.Label.VI
			}
		}
	}
	return text
}

func datePart(text string, part Take) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return ""
	}
	return t.Format(map[Take]string{DayPart: "02", Month: "01", Year: "2006"}[part])
}

// apart takes an address of today apart; nil where it isn't known to be one.
func apart(text string, units *address.Table) *AreaPart {
	if units == nil || units.Convert(text).State != address.Today {
		return nil
	}
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	n := len(parts)
	return &AreaPart{Country: "Việt Nam", Province: parts[n-1], Ward: parts[n-2], Detail: strings.Join(parts[:n-2], ", ")}
}
