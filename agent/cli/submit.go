package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/counter"
	"motcua/agent/daemon"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/strict"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/queue"
)

type submitCommand struct {
	Procedure string            `required:"" placeholder:"CODE" help:"Code of the procedure, such as 2.000815."`
	Set       map[string]string `placeholder:"FIELD=VALUE" mapsep:"none" help:"Fill or correct a field; counts as looked at. May be repeated."`
	Reviewed  bool              `help:"I have looked at every value that is marked for a look."`
	Way       map[string]string `placeholder:"PAPER=WAY" mapsep:"none" help:"How a paper is given that is not scanned: number, vneid, lookup or counter. May be repeated."`
	ID        string            `placeholder:"ID" help:"Id of the submission: the same one twice is one submission (default: made from procedure, values and files)."`
	Again     bool              `help:"Hand the same papers in anew, although they were handed in before."`
	Wait      time.Duration     `placeholder:"DURATION" help:"Wait so long for the delivery; without a daemon, deliver it now."`
	Files     []string          `arg:"" optional:"" name:"file" help:"Pages: images or PDFs."`
}

func (c *submitCommand) Run(p *program) error {
	started := time.Now()
	cfg, catalog, err := p.procedures()
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
	ways, err := checkWays(proc, c.Way)
	if err != nil {
		return unusable(err)
	}
	if len(c.Files) == 0 && len(ways) == 0 {
		return unusable(errors.New("no paper: name the files, or say by --way PAPER=WAY how a paper is given without a scan"))
	}
	layouts, err := daemon.LoadForms(cfg, catalog)
	if err != nil {
		return err
	}
	reader, err := daemon.OpenReader(cfg, daemon.LogForbidden(daemon.Logger(p.err, cfg.Log)))
	if err != nil {
		return err
	}
	defer reader.Close()
	papers, err := readPapers(p, cfg, reader, c.Files)
	if err != nil {
		return err
	}
	now := time.Now()
	entries := counter.Form(proc, papers, nil, now)
	confirm(proc, entries, c.Set, c.Reviewed)
	office := counter.Office{Ward: cfg.Kiosk.Ward, Kiosk: cfg.Kiosk.ID, Form: layouts.Layout, Copies: daemon.Copies(cfg, reader)}
	draft, err := office.Pack(p.ctx, counter.Matter{
		Procedure: proc, Ways: ways, Channel: dossier.Command, Started: started, Confirmed: now,
		Consent: dossier.Consent{Version: "command-line", Language: "vi", Given: now,
			Purpose: "Nộp bằng dòng lệnh bởi người vận hành, thay mặt và với sự đồng ý của người yêu cầu."},
	}, entries, papers).Draft()
	var invalid *dossier.InvalidError
	if errors.As(err, &invalid) {
		return unusable(explain(proc, invalid.Complaints))
	}
	if err != nil {
		return unusable(err)
	}
	draft.ID = c.ID
	if c.ID == "" && !c.Again {
		draft.ID = c.contentID(papers)
	}
	q, err := p.openBacklog(cfg, true)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := c.accept(p, q, draft)
	if err != nil {
		return err
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

// accept hands the draft in. One of the same id is the same submission: a script whose answer was lost says the
// same again and gets the same code.
func (c *submitCommand) accept(p *program, q backlog, draft queue.Draft) (queue.Submission, error) {
	if draft.ID != "" {
		s, err := q.Get(p.ctx, draft.ID)
		if err == nil && s.ID != draft.ID { // Get takes receipt codes too: this one would be told another's
			return queue.Submission{}, unusable(fmt.Errorf("--id %s is the receipt code of another submission; choose another id", draft.ID))
		}
		if err == nil {
			fmt.Fprintf(p.err, "motcua: accepted before, on %s; --again hands the same papers in anew\n", local8(s.Created))
			return s, nil
		}
		if !errors.Is(err, queue.ErrNotFound) {
			return s, fmt.Errorf("look for the submission: %w", err)
		}
	}
	s, err := q.Enqueue(p.ctx, draft)
	if err != nil {
		return s, fmt.Errorf("accept submission: %w", err)
	}
	return s, nil
}

// contentID names a submission by what was said on the command line: procedure, values and the bytes of the files.
func (c *submitCommand) contentID(papers []visit.Paper) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", c.Procedure)
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		fmt.Fprintf(sum, "%q %q\n", name, c.Set[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Way)) {
		fmt.Fprintf(sum, "way %q %q\n", name, c.Way[name])
	}
	for _, paper := range papers {
		fmt.Fprintf(sum, "%x\n", sha256.Sum256(paper.Data))
	}
	return "c-" + hex.EncodeToString(sum.Sum(nil)[:16])
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

// checkWays says which papers can't be given in the way asked for.
func checkWays(proc *procedure.Procedure, asked map[string]string) (map[string]procedure.WayID, error) {
	ways := map[string]procedure.WayID{}
	for id, way := range asked {
		n := slices.IndexFunc(proc.Papers, func(d procedure.Paper) bool { return d.ID == id })
		if n < 0 {
			var ids []string
			for _, d := range proc.Papers {
				ids = append(ids, d.ID)
			}
			return nil, fmt.Errorf("procedure %s has no paper %q%s", proc.Code, id, strict.Meant(id, ids))
		}
		w, ok := proc.Papers[n].Way(procedure.WayID(way))
		if !ok {
			var offers []string
			for _, o := range proc.Papers[n].Offers() {
				offers = append(offers, string(o.ID))
			}
			return nil, fmt.Errorf("paper %s can be given by %s, not by %q", id, strings.Join(offers, ", "), way)
		}
		ways[id] = w.ID
	}
	return ways, nil
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
			*e = visit.Entry{Name: e.Name, Value: f.Normal(text), Source: paper.User, Confidence: 1, Seen: true, By: operator}
		}
		if reviewed {
			e.Review, e.Seen, e.By = false, true, operator
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
		case now.State.Sent():
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
