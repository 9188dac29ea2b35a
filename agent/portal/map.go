// Package portal brings the answers of a checked form into the portal's own web forms. In go maps from our fields to
// the portal's as data (configs/portal), a procedure and its answers; out comes a plan per page, which the browser
// extension beside (extension/) carries out. It promises that a plan names the person each value is of, that nothing
// is planned for what the portal fills itself, that what can't be filled is listed in the person's words, and that a
// visit's data is given out once, for a code that is shown on the kiosk's screen and ends soon.
package portal

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"motcua/agent/procedure"
	"motcua/agent/strict"
)

// Map is how one procedure (or "*", every one) is filled on the portal.
type Map struct {
	Procedure string        `yaml:"procedure"`
	Version   string        `yaml:"version"` // of the portal's form, as far as it is known
	LookedUp  procedure.Day `yaml:"looked_up"`
	Sources   []string      `yaml:"sources"`
	Pages     []Page        `yaml:"pages"`
}

// Page is one form of the portal: a page, or a frame in it.
type Page struct {
	ID     string   `yaml:"id"`
	Hosts  []string `yaml:"hosts"`
	Path   string   `yaml:"path"`   // the beginning of its path
	Locked []string `yaml:"locked"` // what the portal fills: never written
	Known  []string `yaml:"known"`  // further names of the form that are the person's to answer
	Owner  *Owner   `yaml:"owner"`
	Fields []Field  `yaml:"fields"`
	Attach []Attach `yaml:"attach"`
}

// Owner is how a page tells whether the person signed in is the one the dossier is for.
type Owner struct {
	Number string `yaml:"number" json:"number"` // name of the locked field with the number of who is signed in
	Box    string `yaml:"box" json:"box"`       // the box that is ticked where they are the same
	Part   string `yaml:"part" json:"part"`     // how names begin in the part that opens where they aren't
}

// Field is one field of the portal and what fills it.
type Field struct {
	Name   string                `yaml:"name"`
	Alias  []string              `yaml:"alias"` // what it is called in other versions of the form
	Label  string                `yaml:"label"` // in the person's words; also found by it, where just one field has it
	From   string                `yaml:"from"`  // our field
	Value  string                `yaml:"value"` // a fixed answer
	Given  string                `yaml:"given"` // our field that must be known for a fixed answer
	Take   Take                  `yaml:"take"`
	Values map[string]string     `yaml:"values"` // our answer → the portal's words
	When   []procedure.Condition `yaml:"when"`
}

// Attach is where a paper's files go.
type Attach struct {
	Name  string `yaml:"name" json:"name"`
	Label string `yaml:"label" json:"label"`
	Paper string `yaml:"paper" json:"paper"` // id of the procedure's paper
}

// Take is which part of an answer a field takes.
type Take string

// The parts.
const (
	Whole    Take = ""
	Area     Take = "area" // an address as country, province, ward and the rest
	Province Take = "province"
	Ward     Take = "ward"
	Detail   Take = "detail" // of an address, what stands before the ward
	DayPart  Take = "day"
	Month    Take = "month"
	Year     Take = "year"
)

// UnmarshalText accepts the known parts only.
func (t *Take) UnmarshalText(text []byte) error {
	known := []Take{Area, Province, Ward, Detail, DayPart, Month, Year}
	if !slices.Contains(known, Take(text)) {
		return fmt.Errorf("must be one of %v, or left out, not %q", known, text)
	}
	*t = Take(text)
	return nil
}

// EveryProcedure is the code of maps that belong to all.
const EveryProcedure = "*"

// Maps are the maps by procedure.
type Maps map[string]*Map

// Load reads the maps of a folder and checks them against the procedures. All mistakes come back at once, as
// strict.Problems, beside the maps that have none: a procedure of another day than its map is filled by hand.
func Load(folder fs.FS, catalog *procedure.Catalog) (Maps, error) {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list portal maps: %w", err)
	}
	found := Maps{}
	var problems strict.Problems
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read portal map: %w", err)
		}
		m := &Map{}
		file := strict.Decode(name, data, m)
		m.examine(file, strings.TrimSuffix(path.Base(name), ".yaml"), catalog)
		if wrong := file.Problems(); len(wrong) > 0 {
			problems = append(problems, wrong...)
			continue
		}
		found[m.Procedure] = m
	}
	return found, problems.Err()
}

func (m *Map) examine(f *strict.File, name string, catalog *procedure.Catalog) {
	if m.Version == "" || len(m.Sources) == 0 || m.LookedUp == "" {
		f.Problem("", "needs version, sources and looked_up: of which form is this the map?")
	}
	var p *procedure.Procedure
	if m.Procedure != EveryProcedure {
		if m.Procedure != name {
			f.Problem("procedure", "must be %q, as the file is called", name)
		}
		p, _ = catalog.Get(m.Procedure) // nil where this office does not offer it
	}
	if len(m.Pages) == 0 {
		f.Problem("", "needs pages: the forms of the portal that are filled")
	}
	ids := map[string]bool{}
	for i, page := range m.Pages {
		at := fmt.Sprintf("pages[%d]", i)
		if ids[page.ID] {
			f.Problem(at, "id %q is used twice", page.ID)
		}
		ids[page.ID] = true
		page.examine(at, p, f)
	}
}

// examine checks one page; p is nil where this office does not offer the procedure.
func (page Page) examine(at string, p *procedure.Procedure, f *strict.File) {
	if page.ID == "" || len(page.Hosts) == 0 || !strings.HasPrefix(page.Path, "/") {
		f.Problem(at, "needs id, hosts, and a path that begins with \"/\"")
	}
	seen := map[string]bool{}
	for k, field := range page.Fields {
		here := fmt.Sprintf("%s.fields[%d]", at, k)
		for _, n := range append([]string{field.Name}, field.Alias...) {
			if n == "" || seen[n] || slices.Contains(page.Locked, n) {
				f.Problem(here, "%q is empty, used twice, or locked", n)
			}
			seen[n] = true
		}
		field.examine(here, f)
		if p != nil {
			field.fits(here, p, f)
		}
	}
	for k, a := range page.Attach {
		if p != nil && !slices.ContainsFunc(p.Papers, func(d procedure.Paper) bool { return d.ID == a.Paper }) {
			f.Problem(fmt.Sprintf("%s.attach[%d]", at, k), "%q is no paper of the procedure", a.Paper)
		}
	}
}

// examine checks a field by itself.
func (field Field) examine(at string, f *strict.File) {
	if field.Label == "" {
		f.Problem(at, "needs label: how the person is told of it")
	}
	if (field.From == "") == (field.Value == "") {
		f.Problem(at, "needs either from or value")
	}
	if field.Value == "" && field.Given != "" || field.Value != "" && (field.Take != Whole || field.Values != nil) {
		f.Problem(at, "given goes with value; take and values go with from")
	}
}

// fits names what can't be meant: a field or an answer that the procedure hasn't, a part that a field's type hasn't.
func (field Field) fits(at string, p *procedure.Procedure, f *strict.File) {
	ids := make([]string, len(p.Fields))
	for i := range p.Fields {
		ids[i] = p.Fields[i].ID
	}
	get := func(id string) *procedure.Field {
		got, ok := p.Field(id)
		if !ok && id != "" {
			f.Problem(at, "%q is not a field of %s%s", id, p.Code, strict.Meant(id, ids))
		}
		if !ok {
			return nil
		}
		return got
	}
	get(field.Given)
	if from := get(field.From); from != nil {
		field.takes(at, from, f)
		answered(at+".values", from, slices.Sorted(maps.Keys(field.Values)), f)
	}
	for _, c := range field.When {
		if asked := get(c.Field); asked != nil {
			answered(at+".when", asked, c.Values, f)
		}
	}
}

// takes names a part that answers of the field's type don't have.
func (field Field) takes(at string, from *procedure.Field, f *strict.File) {
	types := []procedure.Type{procedure.Address}
	switch field.Take {
	case Whole:
		return
	case DayPart, Month, Year:
		types = []procedure.Type{procedure.Date, procedure.PastDate}
	}
	if !slices.Contains(types, from.Type) {
		f.Problem(at+".take", "%s has no %s: it is of type %s, not %s", from.ID, field.Take, from.Type, types[0])
	}
}

// answered names words that are no answer of a choice: what is mistyped would never be filled.
func answered(at string, field *procedure.Field, words []string, f *strict.File) {
	if field.Type != procedure.Choice {
		return
	}
	known := make([]string, len(field.Choices))
	for i := range field.Choices {
		known[i] = field.Choices[i].Value
	}
	for _, word := range words {
		if !slices.Contains(known, word) {
			f.Problem(at, "%q is not an answer of %s%s", word, field.ID, strict.Meant(word, known))
		}
	}
}
