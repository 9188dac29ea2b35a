// Package form fills the official form (tờ khai) of a procedure. In go a layout as data (a file
// form.<name>.yaml beside the procedures), a procedure and its answers; out comes a Sheet: the form as the
// annex prints it, in order and numbering, with tables and signature places, as PDF to print and sign and as
// DOCX to edit. It promises that both say the same words, that what is missing is dotted and never invented,
// that nothing runs over its line, cell or page, and that a new form needs no Go.
package form

import (
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"motcua/agent/procedure"
	"motcua/agent/strict"
)

// Layout is an official form as its annex prints it.
type Layout struct {
	Name       string        `yaml:"name" json:"name"` // "khai-sinh"; the file is form.khai-sinh.yaml
	Title      string        `yaml:"title" json:"title"`
	Number     string        `yaml:"number" json:"number"` // printed top right: "Mẫu CT01 ban hành kèm theo …"; may be empty
	Sources    []string      `yaml:"sources" json:"sources"`
	LookedUp   procedure.Day `yaml:"looked_up" json:"looked_up"`
	Unverified []string      `yaml:"unverified" json:"unverified"` // for the technician: what no source settles
	Uses       []string      `yaml:"uses" json:"uses"`             // texts each procedure must give (form.texts)
	Body       []Block       `yaml:"body" json:"body"`
	Notes      []string      `yaml:"notes" json:"notes"` // the form's own footnotes, as "(1) …"
}

// Block is one piece of a form; exactly one of its kinds is set. Texts are templates (see template.go).
type Block struct {
	Line       string      `yaml:"line" json:"line,omitempty"` // a paragraph
	Align      Align       `yaml:"align" json:"align,omitempty"`
	Bold       bool        `yaml:"bold" json:"bold,omitempty"`
	Italic     bool        `yaml:"italic" json:"italic,omitempty"`
	Digits     *Digits     `yaml:"digits" json:"digits,omitempty"`
	Table      *Columns    `yaml:"table" json:"table,omitempty"`
	List       *List       `yaml:"list" json:"list,omitempty"`
	Signatures *Signatures `yaml:"signatures" json:"signatures,omitempty"`
}

// Align is where the lines of a paragraph stand.
type Align string

// The alignments.
const (
	Left   Align = ""
	Center Align = "center"
	Right  Align = "right"
)

// UnmarshalText accepts the known alignments only.
func (a *Align) UnmarshalText(text []byte) error {
	if s := Align(text); s == Left || s == Center || s == Right {
		*a = s
		return nil
	}
	return fmt.Errorf("must be center or right, or left out, not %q", text)
}

// Digits is a number written into boxes, one digit each.
type Digits struct {
	Label string `yaml:"label" json:"label"`
	Field string `yaml:"field" json:"field"`
	Boxes int    `yaml:"boxes" json:"boxes"`
}

// Columns is a table with fixed rows: a heading, then rows of as many cells.
type Columns struct {
	Head   []string   `yaml:"head" json:"head"`
	Widths []int      `yaml:"widths" json:"widths"` // shares; empty: all the same
	Rows   [][]string `yaml:"rows" json:"rows"`
}

// List is a table with a row for each line of a field with columns.
type List struct {
	Head   []string `yaml:"head" json:"head"` // the first is the running number
	Widths []int    `yaml:"widths" json:"widths"`
	Field  string   `yaml:"field" json:"field"`
	Blank  int      `yaml:"blank" json:"blank"` // rows there are at least
}

// Signatures are places to sign, side by side.
type Signatures struct {
	Boxed  bool    `yaml:"boxed" json:"boxed,omitempty"`
	Places []Place `yaml:"places" json:"places"`
}

// Place is where one person signs. Texts are templates.
type Place struct {
	Date  string   `yaml:"date" json:"date,omitempty"`
	Title string   `yaml:"title" json:"title"`
	Note  string   `yaml:"note" json:"note,omitempty"`
	Name  string   `yaml:"name" json:"name,omitempty"`
	Lines []string `yaml:"lines" json:"lines,omitempty"` // below the name
}

// Layouts are the forms by name.
type Layouts map[string]*Layout

// Load reads the layouts that lie beside the procedures, and checks that each procedure's form exists, and
// that every name on it is one of the procedure. A layout is taken from the first folder that has it. All
// mistakes come back at once, as strict.Problems.
func Load(catalog *procedure.Catalog, folders ...fs.FS) (Layouts, error) {
	layouts := Layouts{}
	files := map[string]*strict.File{}
	for _, folder := range folders {
		names, err := fs.Glob(folder, procedure.FormPrefix+"*.yaml")
		if err != nil {
			return nil, fmt.Errorf("list forms: %w", err)
		}
		for _, name := range names {
			short := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), procedure.FormPrefix), ".yaml")
			if layouts[short] != nil {
				continue
			}
			data, err := fs.ReadFile(folder, name)
			if err != nil {
				return nil, fmt.Errorf("read form: %w", err)
			}
			l := &Layout{}
			files[short] = strict.Decode(name, data, l)
			l.examine(files[short], short)
			layouts[short] = l
		}
	}
	for _, p := range catalog.All {
		l, ok := layouts[p.Form.Layout]
		if !ok && p.Form.Layout != "" {
			file := files[""]
			if file == nil {
				file = strict.Decode(p.Code+".yaml", nil, &struct{}{})
				files[""] = file
			}
			file.Problem("form.layout", "procedure %s: there is no form %q%s", p.Code, p.Form.Layout, strict.Meant(p.Form.Layout, layouts.names()))
		}
		if ok {
			l.fits(p, files[p.Form.Layout])
		}
	}
	var problems strict.Problems
	for _, name := range slices.Sorted(mapsKeys(files)) {
		problems = append(problems, files[name].Problems()...)
	}
	return layouts, problems.Err()
}

func (ls Layouts) names() []string { return slices.Sorted(mapsKeys(ls)) }

// Of gives the layout of a procedure's form; false where it has none (certification has no form).
func (ls Layouts) Of(p *procedure.Procedure) (*Layout, bool) {
	l, ok := ls[p.Form.Layout]
	return l, ok && p.Form.Layout != ""
}

// Layout is Of for those who take nil where there is none.
func (ls Layouts) Layout(p *procedure.Procedure) *Layout {
	l, _ := ls.Of(p)
	return l
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (l *Layout) examine(f *strict.File, name string) {
	if l.Name != name || !nameForm.MatchString(l.Name) {
		f.Problem("name", "must be %q, as the file is called", name)
	}
	if l.Title == "" {
		f.Problem("title", "is missing")
	}
	if len(l.Sources) == 0 {
		f.Problem("sources", "at least one is needed: by which circular is this the form?")
	}
	if l.LookedUp == "" {
		f.Problem("looked_up", "is missing: the day the sources were read")
	}
	if len(l.Body) == 0 {
		f.Problem("body", "is missing")
	}
	for i, b := range l.Body {
		b.examine(fmt.Sprintf("body[%d]", i), f)
	}
}

func (b Block) examine(at string, f *strict.File) {
	kinds := 0
	for _, set := range []bool{b.Line != "", b.Digits != nil, b.Table != nil, b.List != nil, b.Signatures != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		f.Problem(at, "needs exactly one of line, digits, table, list, signatures")
	}
	widths := func(head []string, widths []int) {
		if len(widths) != 0 && len(widths) != len(head) {
			f.Problem(at, "widths needs one number for each of the %d columns", len(head))
		}
		for _, w := range widths {
			if w < 1 {
				f.Problem(at, "widths are shares of the line: whole numbers above 0")
			}
		}
	}
	switch {
	case b.Digits != nil && (b.Digits.Boxes < 1 || b.Digits.Boxes > 20):
		f.Problem(at+".digits.boxes", "must be 1 to 20")
	case b.Table != nil:
		widths(b.Table.Head, b.Table.Widths)
		for k, row := range b.Table.Rows {
			if len(row) != len(b.Table.Head) {
				f.Problem(fmt.Sprintf("%s.table.rows[%d]", at, k), "has %d cells, the heading %d", len(row), len(b.Table.Head))
			}
		}
	case b.List != nil:
		widths(b.List.Head, b.List.Widths)
	case b.Signatures != nil && (len(b.Signatures.Places) < 1 || len(b.Signatures.Places) > 4):
		f.Problem(at+".signatures.places", "needs 1 to 4 places")
	}
}

// fits checks that every name on the form is one of the procedure.
func (l *Layout) fits(p *procedure.Procedure, f *strict.File) {
	for _, name := range l.Uses {
		if p.Form.Texts[name] == "" {
			f.Problem("uses", "procedure %s does not give the text %q under form.texts", p.Code, name)
		}
	}
	names := func(at, template string) {
		for _, err := range check(template, p) {
			f.Problem(at, "procedure %s: %v", p.Code, err)
		}
	}
	for _, name := range slices.Sorted(mapsKeys(p.Form.Texts)) {
		if !slices.Contains(l.Uses, name) {
			f.Problem("uses", "procedure %s gives the text %q, which this form does not use", p.Code, name)
		}
		names("uses", p.Form.Texts[name])
	}
	for i, b := range l.Body {
		at := fmt.Sprintf("body[%d]", i)
		for _, t := range b.templates() {
			names(at, t)
		}
	}
}

// templates lists all templates of a block.
func (b Block) templates() []string {
	all := []string{b.Line}
	switch {
	case b.Digits != nil:
		all = append(all, b.Digits.Label, "{"+b.Digits.Field+"}")
	case b.Table != nil:
		for _, row := range append([][]string{b.Table.Head}, b.Table.Rows...) {
			all = append(all, row...)
		}
	case b.List != nil:
		all = append(append(all, b.List.Head...), "{"+b.List.Field+"}")
	case b.Signatures != nil:
		for _, p := range b.Signatures.Places {
			all = append(append(all, p.Date, p.Title, p.Note, p.Name), p.Lines...)
		}
	}
	return all
}

// Schema is the JSON schema of a form's file.
func Schema() map[string]any {
	return strict.Schema(Layout{}, map[reflect.Type][]string{reflect.TypeFor[Align](): {string(Center), string(Right)}})
}
