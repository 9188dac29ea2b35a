// Package person finds what a kiosk keeps of one person, for the answer that the law on personal data gives everybody a right to
// (Law 91/2025/QH15: to know, and to be given a copy). In go the queue and whom to look for; out come the submissions that name
// that person, with the values about that person alone: a submission names others too, and their data is not this person's to have.
//
// It looks into everything that lies here and can be opened; what it could not look into is counted and told, never passed over.
package person

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/queue"
)

// Query says whom to look for. A submission is found by one of Codes, by Number, or by Name and Birth together.
type Query struct {
	Codes  []string `json:"codes,omitempty"`  // receipt codes or ids
	Number string   `json:"number,omitempty"` // 12 or 9 figures
	Name   string   `json:"name,omitempty"`
	Birth  string   `json:"birth,omitempty"` // YYYY-MM-DD, or the year alone
}

// String, GoString and LogValue keep the person out of logs.
func (Query) String() string       { return "person" }
func (Query) GoString() string     { return "person" }
func (Query) LogValue() slog.Value { return slog.StringValue("person") }

// ErrQuery says that a query names nobody.
var ErrQuery = errors.New("write a personal number (12 or 9 figures), or full name and date of birth: NGUYỄN VĂN AN 14/01/2004")

// Parse reads whom to look for as people write it: a number, or a name and behind it a date of birth or its year.
func Parse(text string) (Query, error) {
	text = strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	if number := strings.ReplaceAll(text, " ", ""); figures(number) && (len(number) == 12 || len(number) == 9) {
		return Query{Number: number}, nil
	}
	i := strings.LastIndex(text, " ")
	if i < 0 {
		return Query{}, ErrQuery
	}
	name, birth := strings.Trim(text[:i], " ,"), text[i+1:]
	for _, form := range []string{"2/1/2006", "2-1-2006", "2.1.2006", time.DateOnly} {
		if day, err := time.Parse(form, birth); err == nil {
			return Query{Name: name, Birth: day.Format(time.DateOnly)}, nil
		}
	}
	if figures(birth) && len(birth) == 4 {
		return Query{Name: name, Birth: birth}, nil
	}
	return Query{}, ErrQuery
}

func figures(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Store is what is looked through; *queue.Queue is one.
type Store interface {
	Get(idOrCode string) (queue.Submission, error)
	Each(ctx context.Context, f queue.Filter, do func(queue.Submission) error) error
	Content(ctx context.Context, idOrCode string) (*queue.Content, error)
}

// Found is what is kept of a person, and what could not be looked into.
type Found struct {
	Records    []Record `json:"records"`
	Perhaps    []string `json:"perhaps,omitempty"` // codes of submissions with this name and no date of birth beside it: ask by code
	Looked     int      `json:"looked_into"`       // submissions whose content was read
	Sealed     int      `json:"sealed_to_office"`  // only the office can open them: ask there
	Wiped      int      `json:"wiped"`             // of them only code, procedure and times are left: nothing says whose they were
	Unreadable int      `json:"unreadable"`        // their content is damaged
}

// Value is one field of a form.
type Value struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Value  string `json:"value"`
	Old    string `json:"old,omitempty"` // an address as the paper has it, with units of before July 2025
	Source string `json:"source,omitempty"`
}

// form is what is looked at of a submission's form.json, as any build wrote it.
type form struct {
	Procedure struct {
		Name string `json:"name"`
	} `json:"procedure"`
	Values  []Value `json:"values"`
	Consent struct {
		Purpose string    `json:"purpose"`
		Given   time.Time `json:"given"`
	} `json:"consent"`
}

// Record is one submission that names the person.
type Record struct {
	ID        string      `json:"id"`
	Code      string      `json:"code"`
	State     queue.State `json:"state"`
	Accepted  time.Time   `json:"accepted"`
	Delivered time.Time   `json:"delivered,omitzero"`
	Procedure string      `json:"procedure"`
	Name      string      `json:"procedure_name,omitempty"`
	Ward      string      `json:"ward,omitempty"`
	Purpose   string      `json:"purpose,omitempty"` // as it was shown to who agreed
	Agreed    time.Time   `json:"agreed,omitzero"`
	Values    []Value     `json:"values"`           // about this person
	Others    int         `json:"values_of_others"` // values of the form that are not shown: about others, or the matter
	Files     []string    `json:"files"`            // of the submission: they may show others too
	// the office's answer lies here too: it is shown at the screen by code and year of birth
	Answered  bool   `json:"answer_kept,omitempty"`
	NoContent string `json:"no_content,omitempty"` // why nothing of the content is shown: "wiped", "sealed-to-office", "unreadable"
}

// String and GoString keep the person out of logs.
func (r Record) String() string       { return fmt.Sprintf("record(%s, %d values)", r.ID, len(r.Values)) }
func (r Record) GoString() string     { return r.String() }
func (r Record) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Submission is what the audit log notes of it.
func (r Record) Submission() queue.Submission {
	return queue.Submission{ID: r.ID, Labels: map[string]string{dossier.LabelProcedure: r.Procedure}}
}

// Find looks for a person. Those of Codes are found whatever they say, the others by what their form says.
func Find(ctx context.Context, store Store, q Query) (Found, error) {
	found := Found{Records: []Record{}}
	named := map[string]bool{}
	for _, code := range q.Codes {
		s, err := store.Get(code)
		if err != nil {
			return found, fmt.Errorf("submission %s: %w", code, err)
		}
		if !named[s.ID] {
			named[s.ID] = true
			if err := found.take(ctx, store, s, q, true); err != nil {
				return found, err
			}
		}
	}
	if q.Number == "" && q.Name == "" {
		return found, nil
	}
	var all []queue.Submission
	if err := store.Each(ctx, queue.Filter{}, func(s queue.Submission) error {
		s.Parts = nil
		all = append(all, s)
		return nil
	}); err != nil {
		return found, fmt.Errorf("list submissions: %w", err)
	}
	for _, s := range all {
		if named[s.ID] {
			continue
		}
		if err := found.take(ctx, store, s, q, false); err != nil {
			return found, err
		}
	}
	return found, nil
}

// take looks into one submission and adds it if it names the person, or is wanted anyway.
func (f *Found) take(ctx context.Context, store Store, s queue.Submission, q Query, wanted bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := Record{ID: s.ID, Code: s.Code, State: s.State, Accepted: s.Created, Delivered: s.Delivered, Values: []Value{}, Files: []string{},
		Procedure: s.Labels[dossier.LabelProcedure], Ward: s.Labels[dossier.LabelWard]}
	form, files, err := read(ctx, store, s)
	switch {
	case s.Wiped || errors.Is(err, queue.ErrWiped):
		f.Wiped, r.NoContent = f.Wiped+1, "wiped"
	case s.Sealed:
		f.Sealed, r.NoContent = f.Sealed+1, "sealed-to-office"
	case errors.Is(err, queue.ErrNotFound): // dropped a moment ago
		return nil
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		f.Unreadable, r.NoContent = f.Unreadable+1, "unreadable"
	default:
		f.Looked++
		r.Name, r.Purpose, r.Agreed, r.Files = form.Procedure.Name, form.Consent.Purpose, form.Consent.Given, files
		about := q.about(form)
		r.Values, r.Others = append(r.Values, about...), len(form.Values)-len(about)
		if len(about) == 0 && !wanted && q.perhaps(form) {
			f.Perhaps = append(f.Perhaps, s.Code)
		}
		wanted = wanted || len(about) > 0
	}
	if wanted {
		f.Records = append(f.Records, r)
	}
	return nil
}

// mostForm bounds form.json, in bytes; real ones have some ten thousand.
const mostForm = 8 << 20

// read gives a submission's form and the names of its files.
func read(ctx context.Context, store Store, s queue.Submission) (f form, files []string, err error) {
	if s.Wiped || s.Sealed {
		return f, nil, nil
	}
	content, err := store.Content(ctx, s.ID)
	if err != nil {
		return f, nil, fmt.Errorf("open submission %s: %w", s.ID, err)
	}
	defer content.Close()
	z, err := zip.NewReader(content, content.Size())
	if err != nil {
		return f, nil, fmt.Errorf("open submission %s: %w", s.ID, err)
	}
	for _, file := range z.File {
		files = append(files, file.Name)
	}
	file, err := z.Open("form.json")
	if err != nil {
		return f, nil, fmt.Errorf("read form of submission %s: %w", s.ID, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostForm))
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	if err != nil { // without its words: they may quote the form
		return f, nil, fmt.Errorf("read form of submission %s: it is damaged", s.ID)
	}
	return f, files, nil
}

// about gives the values of a form that are about the person: those of each group in which the number stands, or name and
// birth, and single lines of tables and texts that bear the number.
func (q Query) about(form form) []Value {
	groups := map[string]bool{}
	births := map[string]bool{}
	for _, v := range form.Values {
		if q.Birth != "" && len(v.Value) >= 4 && (v.Value == q.Birth || v.Value[:4] == q.Birth) {
			births[group(v.ID)] = true
		}
	}
	for _, v := range form.Values {
		switch {
		case q.Number != "" && v.Value == q.Number, q.Name != "" && births[group(v.ID)] && same(v.Value, q.Name):
			groups[group(v.ID)] = true
		}
	}
	var out []Value
	for _, v := range form.Values {
		if groups[group(v.ID)] {
			out = append(out, v)
			continue
		}
		var lines []string
		for line := range strings.Lines(v.Value) {
			if q.in(line) {
				lines = append(lines, strings.TrimRight(line, "\r\n"))
			}
		}
		if len(lines) > 0 {
			v.Value, v.Old = strings.Join(lines, "\n"), ""
			out = append(out, v)
		}
	}
	return out
}

// perhaps tells whether a form has the name in a group without any date of birth: it may be somebody else's.
func (q Query) perhaps(form form) bool {
	return q.Name != "" && slices.ContainsFunc(form.Values, func(v Value) bool {
		return same(v.Value, q.Name) && !slices.ContainsFunc(form.Values,
			func(b Value) bool { return b.ID == group(v.ID)+"_birth" && b.Value != "" })
	})
}

// in tells whether a line of a table ("name; number; …") or of a text names the person.
func (q Query) in(line string) bool {
	cells := strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == ',' || r == '\n' || r == '\r' })
	named, born := false, false
	for _, cell := range cells {
		cell = strings.TrimSpace(cell)
		if q.Number != "" && cell == q.Number {
			return true
		}
		named = named || q.Name != "" && same(cell, q.Name)
		born = born || q.Birth != "" && (cell == q.Birth || cell == dayFirst(q.Birth) || strings.HasSuffix(cell, q.Birth) && len(q.Birth) == 4)
	}
	return named && born
}

func dayFirst(iso string) string {
	day, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return day.Format("02/01/2006")
}

// group is what the fields about one person begin with: "mother" of "mother_number".
func group(id string) string {
	i := strings.LastIndex(id, "_")
	if i < 0 || !slices.Contains(procedure.PartNames(), id[i+1:]) && !slices.Contains(ownParts, id[i+1:]) {
		return id
	}
	return id[:i]
}

// ownParts are further things that procedures ask of a person in fields of their own.
var ownParts = []string{"birthplace", "address", "relation", "occupation", "date"}

// same compares names without capitals.
func same(a, b string) bool {
	fold := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(norm.NFC.String(s)), " ")) }
	return fold(a) == fold(b)
}
