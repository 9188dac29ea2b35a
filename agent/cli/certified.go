package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"motcua/agent/daemon"
	"motcua/agent/report"
	"motcua/agent/sign"
)

type certifiedCommand struct {
	Month string `placeholder:"MONTH" help:"YYYY-MM (default: this month)."`
	CSV   bool   `name:"csv" help:"Print CSV for a spreadsheet; those of several kiosks can be laid one after the other."`
}

// Run prints the register of certifications of this kiosk.
func (c *certifiedCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	month := c.Month
	if month == "" {
		month = time.Now().Format("2006-01")
	}
	if _, err := time.Parse("2006-01", month); err != nil {
		return unusable(fmt.Errorf("--month must be YYYY-MM, not %q", month))
	}
	register, err := daemon.Register(cfg)
	if err != nil {
		return err
	}
	codes := func(string) string { return "" }
	q, err := p.openBacklog(cfg, false)
	switch {
	case errors.Is(err, errNoData):
	case err != nil:
		return err
	default:
		defer func() { _ = q.Close() }()
		codes = func(submission string) string {
			if sub, err := q.Get(p.ctx, submission); err == nil {
				return sub.Code
			}
			return ""
		}
	}
	lines := register.In(month)
	switch {
	case p.json:
		if lines == nil {
			lines = []sign.Certified{}
		}
		return p.printJSON(map[string]any{"book": register.Book(), "lines": lines})
	case c.CSV:
		return report.WriteCSV(p.out, register.Table(cfg.Kiosk.ID, lines, codes))
	}
	for _, row := range register.Table(cfg.Kiosk.ID, lines, codes) {
		if _, err := fmt.Fprintln(p.out, strings.Join(row[1:10], "\t")); err != nil {
			return fmt.Errorf("print the register: %w", err)
		}
	}
	return nil
}
