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
	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/agent/strict"
	"motcua/agent/visit"
	"motcua/queue"
)

type submitCommand struct {
	filling `embed:""`
	Way     map[string]string `placeholder:"PAPER=WAY" mapsep:"none" help:"How a paper is given unscanned: number, vneid, lookup or counter."`
	ID      string            `placeholder:"ID" help:"The same id twice is one submission (default: made from procedure, values and files)."`
	Again   bool              `help:"Hand the same papers in anew, although they were handed in before."`
	Wait    time.Duration     `placeholder:"DURATION" help:"Wait so long for the delivery; without a daemon, deliver it now."`
}

func (c *submitCommand) Run(p *program) error {
	cfg, proc, layouts, err := c.about(p)
	if err != nil {
		return err
	}
	ways, err := checkWays(proc, c.Way)
	if err != nil {
		return unusable(err)
	}
	if len(c.Files) == 0 && len(ways) == 0 {
		return unusable(errors.New("no paper: name the files, or say by --way PAPER=WAY how a paper is given without a scan"))
	}
	draft, err := c.pack(p, cfg, proc, layouts, ways)
	if err != nil {
		return err
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

// pack makes the submission of papers and answers.
func (c *submitCommand) pack(p *program, cfg config.Config, proc *procedure.Procedure, layouts form.Layouts,
	ways map[string]procedure.WayID) (queue.Draft, error) {
	started := time.Now()
	reader, err := openReader(p, cfg)
	if err != nil {
		return queue.Draft{}, err
	}
	defer reader.Close()
	papers, entries, err := c.fill(p, cfg, reader, proc, started)
	if err != nil {
		return queue.Draft{}, err
	}
	now := time.Now()
	office := counter.Office{Ward: cfg.Kiosk.Ward, Kiosk: cfg.Kiosk.ID, Form: layouts.Layout, Copies: daemon.Copies(cfg, reader)}
	draft, err := office.Pack(p.ctx, counter.Matter{
		Procedure: proc, Ways: ways, Channel: dossier.Command, Started: started, Confirmed: now,
		Consent: dossier.Consent{Version: "command-line", Language: "vi", Given: now,
			Purpose: "Nộp bằng dòng lệnh bởi người vận hành, thay mặt và với sự đồng ý của người yêu cầu."},
	}, entries, papers).Draft()
	var invalid *dossier.InvalidError
	if errors.As(err, &invalid) {
		return queue.Draft{}, unusable(explain(proc, invalid.Complaints))
	}
	if err != nil {
		return queue.Draft{}, unusable(err)
	}
	draft.ID = c.ID
	if c.ID == "" && !c.Again {
		draft.ID = c.contentID(papers)
	}
	return draft, nil
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
