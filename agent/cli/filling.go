package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/counter"
	"motcua/agent/daemon"
	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/page"
	"motcua/ocr/paper"
)

// filling is what commands share that fill a procedure's form from papers and answers.
type filling struct {
	Procedure string            `required:"" placeholder:"CODE" help:"Code of the procedure, such as 2.000815."`
	Set       map[string]string `placeholder:"FIELD=VALUE" mapsep:"none" help:"Fill or correct a field; counts as looked at. May be repeated."`
	Reviewed  bool              `help:"I have looked at every value that is marked for a look."`
	Files     []string          `arg:"" optional:"" name:"file" help:"Papers: images or PDFs."`
}

// about is the procedure that is meant, with the official forms of all.
func (c *filling) about(p *program) (config.Config, *procedure.Procedure, form.Layouts, error) {
	cfg, catalog, err := p.procedures()
	if err != nil {
		return cfg, nil, nil, err
	}
	proc, err := catalog.Get(c.Procedure)
	if err != nil {
		return cfg, nil, nil, unusable(err)
	}
	if err := checkSet(proc, c.Set); err != nil {
		return cfg, nil, nil, unusable(err)
	}
	layouts, err := daemon.LoadForms(cfg, catalog)
	return cfg, proc, layouts, err
}

// fill reads the papers and lays what was typed over what was read.
func (c *filling) fill(p *program, cfg config.Config, reader *ocr.Reader, proc *procedure.Procedure, now time.Time) (
	[]visit.Paper, []visit.Entry, error) {
	papers, err := readPapers(p, cfg, reader, c.Files)
	if err != nil {
		return nil, nil, err
	}
	entries := counter.Form(proc, papers, nil, now)
	confirm(proc, entries, c.Set, c.Reviewed)
	return papers, entries, nil
}

func openReader(p *program, cfg config.Config) (*ocr.Reader, error) {
	return daemon.OpenReader(cfg, daemon.LogForbidden(daemon.Logger(p.err, cfg.Log)))
}

func checkSet(proc *procedure.Procedure, set map[string]string) error {
	for id := range set {
		if _, ok := proc.Field(id); !ok {
			var ids []string
			for _, f := range proc.Fields {
				ids = append(ids, f.ID)
			}
			return fmt.Errorf("procedure %s has no field %q; it has %s", proc.Code, id, strings.Join(ids, ", "))
		}
	}
	return nil
}

// readPapers loads the files as they are and recognises them. Every unusable file is named, not just the first.
func readPapers(p *program, cfg config.Config, reader *ocr.Reader, files []string) ([]visit.Paper, error) {
	var papers []visit.Paper
	var bad []error
	for _, name := range files {
		data, problem := load(p.in, name, int64(cfg.Reading.MaxBytes))
		var result ocr.Result
		if problem == nil {
			result = reader.Read(p.ctx, ocr.Input{Name: name, Data: data})
			problem = result.Problem
		}
		if p.ctx.Err() != nil {
			return nil, p.ctx.Err()
		}
		if problem != nil {
			bad = append(bad, fmt.Errorf("%s: %s", name, problem.Message))
			continue
		}
		papers = append(papers, visit.Paper{ID: fmt.Sprintf("p%d", len(papers)+1), Name: name, Data: data, MediaType: page.MediaType(data),
			Size: len(data), Pages: result.Pages, Documents: result.Documents})
	}
	if len(bad) > 0 {
		return nil, unusable(errors.Join(bad...))
	}
	return papers, nil
}

// operator is who confirms values on the command line.
const operator = "command-line"

// confirm lays what was typed over what was read.
func confirm(proc *procedure.Procedure, entries []visit.Entry, set map[string]string, reviewed bool) {
	for i := range entries {
		e := &entries[i]
		if text, typed := set[e.Name]; typed {
			f, _ := proc.Field(e.Name)
			answer := procedure.Answer{Text: f.Normal(text), Source: paper.User, Confidence: 1, Looked: operator, Document: -1}
			*e = visit.Entry{Name: e.Name, Answer: answer, Seen: true}
		}
		if reviewed {
			e.Review, e.Seen, e.Looked = false, true, operator
		}
	}
}

// explain says what is missing in words, and how to give it.
func explain(proc *procedure.Procedure, complaints []procedure.Complaint) error {
	var b strings.Builder
	fmt.Fprintf(&b, "the form of %s is not complete; fill it with --set FIELD=VALUE", proc.Code)
	for _, c := range complaints {
		f, _ := proc.Field(c.Field)
		why := map[string]string{
			procedure.Missing:    "is missing",
			procedure.Unreviewed: "was read with doubt: look at it, then say --set or --reviewed",
			procedure.NoChoice:   "must be one of " + strings.Join(options(f), ", "),
			procedure.NotADate:   "must be a date, YYYY-MM-DD or dd/mm/yyyy",
			procedure.FutureDate: "lies in the future",
			procedure.TooShort:   "is too short",
			procedure.TooLong:    "is too long",
			procedure.NotANumber: "is not such a number",
			procedure.TooSmall:   fmt.Sprintf("must be at least %d", f.Min),
			procedure.TooLarge:   fmt.Sprintf("must be at most %d", f.Max),
			procedure.Letters:    "has a sign that does not belong there",
			procedure.Columns:    "has more parts in a line than the table has columns; divide them by ;",
			procedure.Pattern:    "does not have the right form; example: " + f.Example,
		}[c.Code]
		fmt.Fprintf(&b, "\n  %-22s %s (%s)", c.Field, why, f.Label.VI)
	}
	return errors.New(b.String())
}

func options(f *procedure.Field) []string {
	var all []string
	for _, o := range f.Choices {
		all = append(all, o.Value)
	}
	return all
}
