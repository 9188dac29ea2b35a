package cli

import (
	"errors"
	"slices"
	"time"

	"motcua/agent/answer"
	"motcua/agent/daemon"
	"motcua/agent/report"
	"motcua/queue"
)

type reportCommand struct {
	From string `placeholder:"DAY" help:"First day, YYYY-MM-DD (default: the first of this month)."`
	To   string `placeholder:"DAY" help:"Last day, YYYY-MM-DD (default: today)."`
	CSV  bool   `name:"csv" help:"Print CSV for a spreadsheet."`
}

func (c *reportCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	since, until, err := report.Period(c.From, c.To, time.Now())
	if err != nil {
		return unusable(err)
	}
	catalog, err := daemon.LoadProcedures(cfg)
	if err != nil {
		return err
	}
	var subs []queue.Submission
	q, err := p.openBacklog(cfg, false)
	switch {
	case errors.Is(err, errNoData):
	case err != nil:
		return err
	default:
		defer q.Close()
		err = q.Each(p.ctx, queue.Filter{Since: since, Until: until}, func(s queue.Submission) error {
			subs = append(subs, s)
			return nil
		})
		if err != nil {
			return err
		}
	}
	answers, err := daemon.ReadAnswers(p.ctx, cfg)
	if err != nil {
		return err
	}
	find := func(id string) (answer.State, time.Time, bool) {
		a, ok := answers[id]
		return a.State, a.At, ok && a.Submission == id
	}
	r := report.Tally(slices.Values(subs), catalog, find, since, until)
	switch {
	case p.json:
		return p.printJSON(r)
	case c.CSV:
		return r.CSV(p.out)
	}
	return r.Text(p.out)
}
