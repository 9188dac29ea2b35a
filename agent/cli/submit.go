package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/daemon"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/ocr"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/queue"
)

type submitCommand struct {
	Procedure string            `required:"" placeholder:"CODE" help:"Code of the procedure, such as 2.000815."`
	Set       map[string]string `placeholder:"FIELD=VALUE" mapsep:"none" help:"Fill or correct a field; counts as looked at. May be repeated."`
	Reviewed  bool              `help:"I have looked at every value that is marked for a look."`
	Wait      time.Duration     `placeholder:"DURATION" help:"Wait so long for the delivery; without a daemon, deliver it now."`
	Files     []string          `arg:"" name:"file" help:"Pages: images or PDFs."`
}

func (c *submitCommand) Run(p *program) error {
	started := time.Now()
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	catalog, err := daemon.LoadProcedures(cfg)
	if err != nil {
		return err
	}
	proc, err := catalog.Get(c.Procedure)
	if err != nil {
		return unusable(err)
	}
	if err := checkSet(proc, c.Set); err != nil {
		return unusable(err)
	}
	pages, docs, err := c.read(p, cfg)
	if err != nil {
		return err
	}
	values := proc.Prefill(docs, proc.Assign(docs))
	c.confirm(proc, values)

	now := time.Now()
	d := dossier.Dossier{
		Procedure: proc, Values: values, Documents: docs, Pages: pages,
		Consent: dossier.Consent{Version: "command-line", Language: "vi", Given: now,
			Purpose: "Nộp bằng dòng lệnh bởi người vận hành, thay mặt và với sự đồng ý của người yêu cầu."},
		Channel: dossier.Command, Ward: cfg.Kiosk.Ward, Kiosk: cfg.Kiosk.ID, Started: started, Confirmed: now,
	}
	draft, err := d.Draft()
	var invalid *dossier.InvalidError
	if errors.As(err, &invalid) {
		return unusable(explain(proc, invalid.Complaints))
	}
	if err != nil {
		return unusable(err)
	}
	q, err := p.openBacklog(cfg, true)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := q.Enqueue(p.ctx, draft)
	if err != nil {
		return fmt.Errorf("accept submission: %w", err)
	}
	// The code comes out before anything else can fail: what is accepted is accepted.
	if !p.json {
		fmt.Fprintln(p.out, s.Code)
	}
	if c.Wait > 0 {
		s, err = c.wait(p, cfg, q, s)
	}
	if p.json {
		if printing := p.printJSON(s); err == nil {
			err = printing
		}
	}
	return err
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

// read loads the files as they are and recognises them. Every unusable file is named, not just the first.
func (c *submitCommand) read(p *program, cfg config.Config) ([]dossier.Page, []paper.Document, error) {
	reader, err := daemon.OpenReader(cfg, daemon.LogForbidden(daemon.Logger(p.err, cfg.Log)))
	if err != nil {
		return nil, nil, err
	}
	defer reader.Close()
	var pages []dossier.Page
	var docs []paper.Document
	var bad []error
	number := 0
	for _, name := range c.Files {
		data, problem := load(p.in, name, int64(cfg.Reading.MaxBytes))
		var result ocr.Result
		if problem == nil {
			result = reader.Read(p.ctx, ocr.Input{Name: name, Data: data})
			problem = result.Problem
		}
		if p.ctx.Err() != nil {
			return nil, nil, p.ctx.Err()
		}
		if problem != nil {
			bad = append(bad, fmt.Errorf("%s: %s", name, problem.Message))
			continue
		}
		one := dossier.Page{Data: data, MediaType: page.MediaType(data), Kind: paper.Other}
		for _, d := range result.Documents {
			one.Kind = d.Type
			docs = append(docs, shift(d, number))
		}
		number += result.Pages
		pages = append(pages, one)
	}
	if len(bad) > 0 {
		return nil, nil, unusable(errors.Join(bad...))
	}
	return pages, ocr.Join(docs), nil
}

// shift numbers a document's pages through all files of a submission.
func shift(d paper.Document, by int) paper.Document {
	d.Page += by
	fields := make(map[paper.Name]paper.Field, len(d.Fields))
	for name, f := range d.Fields {
		if f.Page > 0 {
			f.Page += by
		}
		fields[name] = f
	}
	d.Fields = fields
	return d
}

// confirm lays what was typed over what was read.
func (c *submitCommand) confirm(proc *procedure.Procedure, values map[string]procedure.Value) {
	for id, text := range c.Set {
		f, _ := proc.Field(id)
		values[id] = procedure.Value{Text: f.Normal(text), Source: paper.User, Confidence: 1, Document: -1}
	}
	if c.Reviewed {
		for id, v := range values {
			v.Review = false
			values[id] = v
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

// wait follows a submission until it is delivered or held, or the time is over.
func (c *submitCommand) wait(p *program, cfg config.Config, q backlog, s queue.Submission) (queue.Submission, error) {
	if l, alone := q.(*local); alone {
		sink, err := daemon.OpenSink(cfg, daemon.Logger(p.err, cfg.Log))
		if err != nil {
			return s, err
		}
		if sink == nil {
			return s, fmt.Errorf("%s waits in the queue: there is nowhere to deliver to, set upload.to in the configuration", s.Code)
		}
		if _, err := l.queue.DeliverDue(p.ctx, sink); err != nil {
			fmt.Fprintf(p.err, "motcua: %v\n", err)
		}
	}
	end := time.Now().Add(c.Wait)
	for {
		now, err := q.Get(p.ctx, s.ID)
		if err != nil {
			return s, err
		}
		_, alone := q.(*local)
		switch {
		case now.State == queue.Delivered:
			return now, nil
		case now.State == queue.Held, alone, time.Now().After(end):
			why := ""
			if now.LastError != "" {
				why = ": " + oneLine(now.LastError)
			}
			return now, fmt.Errorf("%s is accepted and %s, but not delivered yet%s", now.Code, now.State, why)
		}
		select {
		case <-p.ctx.Done():
			return now, p.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
