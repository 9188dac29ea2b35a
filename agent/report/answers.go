package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"motcua/agent/answer"
	"motcua/queue"
)

// Answers counts what the office answered of submissions, and how long it took.
type Answers struct {
	Answered  int     `json:"answered"`   // at least once
	NeedsMore int     `json:"needs_more"` // wait for the citizen now
	Done      int     `json:"done"`
	Refused   int     `json:"refused"`
	Median    float64 `json:"median_hours"`  // from handing in to done or refused
	Longest   float64 `json:"longest_hours"` // the same

	took []float64 // hours of each that is done or refused
}

// Find gives how the office answered a dossier, by its first submission, and when; ok is false for one that it did not answer, and
// for a supplement, which belongs to its dossier and is not counted by itself.
type Find func(submission string) (state answer.State, at time.Time, ok bool)

// count counts the answer of one submission.
func (a *Answers) count(s queue.Submission, find Find) {
	if find == nil {
		return
	}
	state, at, ok := find(s.ID)
	if !ok || state == "" {
		return
	}
	a.Answered++
	switch state {
	case answer.NeedsMore:
		a.NeedsMore++
	case answer.Done:
		a.Done++
	case answer.Refused:
		a.Refused++
	}
	if state.Final() {
		a.took = append(a.took, max(at.Sub(s.Created), 0).Hours())
	}
}

// add counts what another counted.
func (a *Answers) add(b Answers) {
	a.Answered += b.Answered
	a.NeedsMore += b.NeedsMore
	a.Done += b.Done
	a.Refused += b.Refused
	a.took = append(a.took, b.took...)
}

// settle works out how long it took.
func (a *Answers) settle() {
	if len(a.took) > 0 {
		slices.Sort(a.took)
		a.Median, a.Longest = a.took[len(a.took)/2], a.took[len(a.took)-1]
	}
}

// Week is one week's figures, Monday to Sunday, as far as it lies in the period.
type Week struct {
	Name     string `json:"name"` // ISO 8601: 2026-W48
	Monday   string `json:"monday"`
	Accepted int    `json:"accepted"`
	Answers
}

// Weeks adds the rows up by the week in which the submissions were accepted, in their order; weeks without any are left out.
func (r Report) Weeks() []Week {
	weeks := map[string]*Week{}
	for _, row := range r.Rows {
		day, err := time.Parse(DayForm, row.Day)
		if err != nil {
			continue
		}
		monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7).Format(DayForm)
		w := weeks[monday]
		if w == nil {
			year, number := day.ISOWeek()
			w = &Week{Name: fmt.Sprintf("%d-W%02d", year, number), Monday: monday}
			weeks[monday] = w
		}
		w.Accepted += row.Accepted
		w.add(row.Answers)
	}
	var out []Week
	for _, w := range slices.SortedFunc(maps.Values(weeks), func(a, b *Week) int { return cmp.Compare(a.Monday, b.Monday) }) {
		w.settle()
		out = append(out, *w)
	}
	return out
}

// Days names the week by its first and last day.
func (w Week) Days() string {
	monday, err := time.Parse(DayForm, w.Monday)
	if err != nil {
		return w.Name
	}
	return monday.Format("02/01") + "–" + monday.AddDate(0, 0, 6).Format("02/01/2006")
}

// Took is the median of hours as people read it, "–" where nothing is finished.
func (a Answers) Took() string {
	if a.Done+a.Refused == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", a.Median)
}
