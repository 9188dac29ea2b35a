package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/breach"
	"motcua/agent/config"
	"motcua/agent/daemon"
	"motcua/agent/report"
	"motcua/queue"
)

type breachCommand struct {
	From string `placeholder:"DAY" help:"First day on which strangers may have had the kiosk, YYYY-MM-DD (default: since it was set up)."`
	To   string `placeholder:"DAY" help:"Last such day (default: today)."`
	CSV  bool   `name:"csv" help:"Print CSV for a spreadsheet."`
}

// Run changes nothing: the kiosk may be evidence.
func (c *breachCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	from, until, err := c.period(time.Now())
	if err != nil {
		return unusable(err)
	}
	r, err := p.heldHere(cfg, from, until)
	if err != nil {
		return err
	}
	switch {
	case p.json:
		return p.printJSON(r)
	case c.CSV:
		return r.CSV(p.out, time.Local)
	}
	return r.Text(p.out, time.Local)
}

func (c *breachCommand) period(now time.Time) (from, until time.Time, err error) {
	until = now
	if c.From != "" {
		if from, err = time.ParseInLocation(report.DayForm, c.From, time.Local); err != nil {
			return from, until, fmt.Errorf("day %q: write it as 2026-11-30", c.From)
		}
	}
	if c.To != "" {
		if until, err = time.ParseInLocation(report.DayForm, c.To, time.Local); err != nil {
			return from, until, fmt.Errorf("day %q: write it as 2026-11-30", c.To)
		}
		until = until.AddDate(0, 0, 1)
	}
	if !from.Before(until) {
		return from, until, errors.New("the period ends before it begins")
	}
	return from, until, nil
}

func (p *program) heldHere(cfg config.Config, from, until time.Time) (breach.Report, error) {
	q, err := p.openBacklog(cfg, false)
	if err != nil {
		return breach.Report{}, err
	}
	defer q.Close()
	book := breach.Open(from, until, cfg.Queue.Keep.D())
	if err := q.Each(p.ctx, queue.Filter{}, func(s queue.Submission) error { book.Submission(s); return nil }); err != nil {
		return breach.Report{}, fmt.Errorf("list submissions: %w", err)
	}
	found, err := q.Found(p.ctx)
	if err != nil {
		return breach.Report{}, fmt.Errorf("list what was set aside: %w", err)
	}
	for _, f := range found {
		book.Found(f)
	}
	dir := filepath.Join(cfg.Data, "audit")
	if _, err := os.Stat(dir); err == nil {
		var broken *audit.Break
		if _, _, err := audit.Verify(p.ctx, dir, nil, book.Entry); errors.As(err, &broken) {
			fmt.Fprintf(p.err, "motcua: the audit log was changed (%v): what it no longer says is not in this report\n", broken)
		} else if err != nil {
			return breach.Report{}, err
		}
	}
	r := book.Report(cfg.Kiosk.ID, cfg.Kiosk.Ward, daemon.KeyPlace(cfg), time.Local)
	if r.Answers, r.Results, err = answer.Held(filepath.Join(cfg.Data, "answers")); err != nil {
		return breach.Report{}, err
	}
	if r.Visits, err = unfinished(filepath.Join(cfg.Data, "drafts")); err != nil {
		return breach.Report{}, err
	}
	return r, nil
}

// unfinished counts the visits of which something lies on the disk.
func unfinished(dir string) (n int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		if e.IsDir() {
			n++
		}
	}
	return n, err
}
