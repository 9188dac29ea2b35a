package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"motcua/agent/counter"
	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/ocr"
	"motcua/ocr/paper"
)

type formCommand struct {
	filling `embed:""`
	Out     string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to write it: a name that ends with .pdf or .docx."`
}

// Run fills the official form of a procedure from papers and answers. What is missing, and what was read with
// doubt and not looked at, is left dotted and named.
func (c *formCommand) Run(p *program) error {
	kind := strings.ToLower(filepath.Ext(c.Out))
	if kind != ".pdf" && kind != ".docx" {
		return unusable(fmt.Errorf("%s: the name must end with .pdf or .docx", filepath.Base(c.Out)))
	}
	cfg, proc, layouts, err := c.about(p)
	if err != nil {
		return err
	}
	layout, ok := layouts.Of(proc)
	if !ok {
		return unusable(fmt.Errorf("procedure %s (%s) has no form: it is asked for without one", proc.Code, proc.Name.VI))
	}
	var reader *ocr.Reader // is not needed where there is nothing to read
	if len(c.Files) > 0 {
		if reader, err = openReader(p, cfg); err != nil {
			return err
		}
		defer reader.Close()
	}
	now := time.Now()
	_, entries, err := c.fill(p, cfg, reader, proc, now)
	if err != nil {
		return err
	}
	values := counter.Values(entries)
	left := leaveOpen(proc, values, now)
	data, err := printForm(layout.Fill(proc, values, cfg.Kiosk.Ward, now), kind)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, data, 0o600); err != nil { // it is full of personal data
		return fmt.Errorf("write form: %w", err)
	}
	if len(left) > 0 {
		fmt.Fprintf(p.err, "motcua: left open on the form:\n%s\n", strings.TrimPrefix(explain(proc, left).Error(), "the form"))
	}
	return nil
}

func printForm(sheet form.Sheet, kind string) ([]byte, error) {
	if kind == ".docx" {
		return sheet.DOCX()
	}
	return sheet.PDF()
}

// leaveOpen empties what may not be used as it is, and says what that was.
func leaveOpen(proc *procedure.Procedure, values map[string]procedure.Answer, now time.Time) []procedure.Complaint {
	complaints := proc.Validate(values, now)
	for _, c := range complaints {
		values[c.Field] = procedure.Answer{Source: paper.User, Document: -1}
	}
	return complaints
}

type procedureCommand struct {
	Check  procedureCheckCommand  `cmd:"" help:"Check a folder of procedures and forms: every mistake at once, with line numbers."`
	Names  procedureNamesCommand  `cmd:"" help:"List the names that procedures and forms may use."`
	Schema procedureSchemaCommand `cmd:"" help:"Print the JSON schema of a procedure (or, with --form, of a form), for editors."`
}

type procedureCheckCommand struct {
	Dir string `arg:"" type:"existingdir" help:"Folder with the YAML files."`
}

func (c *procedureCheckCommand) Run(p *program) error {
	catalog, err := procedure.Check(os.DirFS(c.Dir))
	if err != nil {
		catalog, _ = procedure.Load(os.DirFS(c.Dir)) // as far as it can be read: the forms are checked against it
	}
	if catalog != nil {
		_, wrong := form.Load(catalog, os.DirFS(c.Dir))
		err = errors.Join(err, wrong)
	}
	if err != nil {
		fmt.Fprintln(p.out, err)
		return told(2)
	}
	for _, one := range catalog.All {
		for _, fact := range one.Unverified {
			fmt.Fprintf(p.out, "%s.yaml: to look up: %s\n", one.Code, fact)
		}
	}
	fmt.Fprintf(p.out, "%d procedures are right\n", len(catalog.All))
	return nil
}

type procedureNamesCommand struct{}

func (procedureNamesCommand) Run(p *program) error {
	names := struct {
		From    []string          `json:"from"`
		Parts   []string          `json:"parts"`
		Filters []string          `json:"filters"`
		Ways    []procedure.WayID `json:"ways"`
		Topics  []procedure.Topic `json:"topics"`
	}{procedure.Names(), procedure.PartNames(), form.Filters(), procedure.WayIDs, procedure.Topics}
	if p.json {
		return p.printJSON(names)
	}
	fmt.Fprintf(p.out, "from: [role.NAME]   NAME is one of\n  %s\n", strings.Join(names.From, "\n  "))
	fmt.Fprintf(p.out, "parts: [PART]   of an entry with person\n  %s\n", strings.Join(names.Parts, "\n  "))
	fmt.Fprintf(p.out, "{field|FILTER}   in a form\n  %s\n", strings.Join(names.Filters, "\n  "))
	fmt.Fprintf(p.out, "ways: [{id: WAY}]   of a paper\n")
	for _, w := range names.Ways {
		fmt.Fprintf(p.out, "  %-8s %s\n", w, w.Text().VI)
	}
	return nil
}

type procedureSchemaCommand struct {
	Form bool `help:"Of a file form.NAME.yaml."`
}

func (c procedureSchemaCommand) Run(p *program) error {
	if c.Form {
		return p.printJSON(form.Schema())
	}
	return p.printJSON(procedure.Schema())
}
