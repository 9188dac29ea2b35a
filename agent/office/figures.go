package office

import (
	"time"

	"motcua/agent/answer"
	"motcua/agent/dossier"
	"motcua/agent/report"
	"motcua/queue"
)

// Figures counts what came from since up to but not at until, what officers answered to it and how long that took, as the kiosks'
// own report does; in one place for all kiosks of the ward. What was wiped when its time was over is not counted any more.
func (s *Store) Figures(since, until time.Time) report.Report {
	all := map[string]Dossier{}
	titles := map[string]string{}
	for _, d := range s.List(Filter{}) {
		all[d.ID] = d
		if d.Title != "" {
			titles[d.Procedure] = d.Title
		}
	}
	came := func(yield func(queue.Submission) bool) {
		for _, d := range all {
			if !yield(queue.Submission{ID: d.ID, Created: d.Received, State: queue.Acknowledged,
				Labels: map[string]string{dossier.LabelWard: d.Ward, dossier.LabelProcedure: d.Procedure}}) {
				return
			}
		}
	}
	find := func(id string) (answer.State, time.Time, bool) {
		d := all[id]
		return d.State, d.since(), true
	}
	r := report.Tally(came, nil, find, since, until)
	for i, row := range r.Rows {
		if title := titles[row.Procedure]; title != "" {
			r.Rows[i].Name = title
		}
	}
	return r
}

// since is when the dossier was put into the state that it is in; what was attached or handed over in that state changes nothing.
func (d *Dossier) since() time.Time {
	at := d.Changed
	for i := len(d.History) - 1; i >= 0 && d.History[i].State == d.State; i-- {
		at = d.History[i].At
	}
	return at
}
