package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"motcua/agent/config"
	"motcua/agent/daemon"
	"motcua/ocr"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

type readCommand struct {
	Timings bool     `help:"Say how long each step took."`
	Files   []string `arg:"" name:"file" help:"Images or PDFs; - reads standard input."`
}

func (c *readCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	reader, err := daemon.OpenReader(cfg, daemon.LogForbidden(daemon.Logger(p.err, cfg.Log)))
	if err != nil {
		return err
	}
	defer reader.Close()

	bad := false
	for _, name := range c.Files {
		result := readFile(p.ctx, reader, cfg, p.in, name)
		if err := p.ctx.Err(); err != nil {
			return err
		}
		if !c.Timings {
			result.Timings = nil
		}
		bad = bad || result.Problem != nil
		if err := c.print(p, result); err != nil {
			return err
		}
	}
	if bad {
		return told(2)
	}
	return nil
}

// The problems of a file that is not there or cannot be read, beside those of package ocr.
const (
	notFound     = "not-found"
	accessDenied = "access-denied"
	unreadable   = "unreadable"
)

func readFile(ctx context.Context, reader *ocr.Reader, cfg config.Config, in io.Reader, name string) ocr.Result {
	data, problem := load(in, name, int64(cfg.Reading.MaxBytes))
	if problem != nil {
		return ocr.Result{File: name, Documents: []paper.Document{}, Problem: problem}
	}
	return reader.Read(ctx, ocr.Input{Name: name, Data: data})
}

// load gives a file's content, at most one byte more than the limit: the reader tells of the excess.
func load(in io.Reader, name string, limit int64) ([]byte, *ocr.Problem) {
	from := in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fileProblem(name, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return nil, &ocr.Problem{Code: unreadable, Message: fmt.Sprintf("%s is a folder: name the files in it, such as %s/*.jpg", name,
				strings.TrimSuffix(name, "/"))}
		}
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, fileProblem(name, err)
	}
	return data, nil
}

func fileProblem(name string, err error) *ocr.Problem {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &ocr.Problem{Code: notFound, Message: fmt.Sprintf("%s is not there: check the name", name)}
	case errors.Is(err, fs.ErrPermission):
		return &ocr.Problem{Code: accessDenied, Message: fmt.Sprintf("%s may not be read by this user: check its permissions", name)}
	}
	return &ocr.Problem{Code: unreadable, Message: fmt.Sprintf("%s could not be read: %v", name, err)}
}

func (c *readCommand) print(p *program, r ocr.Result) error {
	if p.json {
		// One object a line and file, so that a program can take them as they come.
		e := json.NewEncoder(p.out)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	if r.Problem != nil {
		fmt.Fprintf(p.err, "motcua: %s: %s\n", r.File, r.Problem.Message)
	}
	if r.Problem != nil && len(r.Documents) == 0 {
		return nil
	}
	fmt.Fprintf(p.out, "%s: %d page(s), %d paper(s), %d ms\n", r.File, r.Pages, len(r.Documents), r.ElapsedMS)
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, d := range r.Documents {
		fmt.Fprintf(t, "  %s, page %d, turned %d°\n", d.Type, d.Page, d.Rotation)
		for _, name := range fieldNames(d) {
			f := d.Fields[name]
			fmt.Fprintf(t, "    %s\t%s\t%s\n", name, f.Value, provenance(f))
		}
		for _, name := range unread(d) {
			fmt.Fprintf(t, "    %s\t\tNOT READ, LOOK\n", name)
		}
	}
	for _, step := range r.Timings {
		fmt.Fprintf(t, "  page %d\t%s\t%.1f ms\n", step.Page, step.Step, step.MS)
	}
	return t.Flush()
}

// unread are the fields that every paper of this kind bears and that were not read: its front was seen, so they should have been.
func unread(d paper.Document) []paper.Name {
	if len(d.Sides) > 0 && !slices.Contains(d.Sides, "front") {
		return nil
	}
	kind, _ := kinds.Of(d.Type)
	return slices.DeleteFunc(slices.Clone(kind.Required), func(n paper.Name) bool { return d.Fields[n].Value != "" })
}

func provenance(f paper.Field) string {
	text := string(f.Source)
	for _, a := range f.Agrees {
		text += "=" + string(a)
	}
	if f.Review {
		text += ", LOOK"
		for _, d := range f.Doubts {
			text += " " + string(d)
		}
	}
	return text
}

var fieldOrder = []paper.Name{
	paper.Number, paper.OldNumber, paper.FullName, paper.DateOfBirth, paper.Sex, paper.Nationality,
	paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.DateOfIssue, paper.DateOfExpiry,
}

// fieldNames gives the fields of a paper in the order of a card, others after them by name.
func fieldNames(d paper.Document) []paper.Name {
	var names []paper.Name
	for name := range d.Fields {
		names = append(names, name)
	}
	rank := func(n paper.Name) int {
		if i := slices.Index(fieldOrder, n); i >= 0 {
			return i
		}
		return len(fieldOrder)
	}
	slices.SortFunc(names, func(a, b paper.Name) int {
		if rank(a) != rank(b) {
			return rank(a) - rank(b)
		}
		return strings.Compare(string(a), string(b))
	})
	return names
}
