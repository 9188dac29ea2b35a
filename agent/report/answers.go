package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"motcua/agent/answer"
	"motcua/queue"
)

// Answers counts what the office answered of submissions, and how long it took.
type Answers struct {
	Answered  int     `json:"answered"`   // an officer's answer stands; that it lies before the office is none
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
	if !ok || state == "" || state == answer.Received {
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

// Group is the figures of what has one property in common.
type Group struct {
	Label    string
	Accepted int
	Answers
}

// AnswersBy adds the rows up by one property, greatest first.
func (r Report) AnswersBy(property func(Row) string) []Group {
	groups := map[string]*Group{}
	for _, row := range r.Rows {
		label := property(row)
		if groups[label] == nil {
			groups[label] = &Group{Label: label}
		}
		groups[label].Accepted += row.Accepted
		groups[label].add(row.Answers)
	}
	var out []Group
	for _, g := range groups {
		g.settle()
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Accepted, a.Accepted), cmp.Compare(a.Label, b.Label))
	})
	return out
}

var weekHeads = []string{"tuần", "từ ngày", "đến ngày", "tiếp nhận", "cơ quan đã trả lời", "chờ bổ sung", "đã xong", "không giải quyết",
	"giờ giải quyết (trung vị)", "giờ giải quyết (lâu nhất)"}

// WeeksCSV writes the weeks as CSV writes the rows.
func (r Report) WeeksCSV(w io.Writer) error {
	rows := [][]string{weekHeads}
	for _, week := range r.Weeks() {
		median, longest := "", ""
		if week.Done+week.Refused > 0 {
			median, longest = strconv.FormatFloat(week.Median, 'f', 1, 64), strconv.FormatFloat(week.Longest, 'f', 1, 64)
		}
		monday, err := time.Parse(DayForm, week.Monday)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		rows = append(rows, []string{week.Name, week.Monday, monday.AddDate(0, 0, 6).Format(DayForm), strconv.Itoa(week.Accepted),
			strconv.Itoa(week.Answered), strconv.Itoa(week.NeedsMore), strconv.Itoa(week.Done), strconv.Itoa(week.Refused), median, longest})
	}
	return WriteCSV(w, rows)
}

// Took is the median of hours as people read it, "–" where nothing is finished.
func (a Answers) Took() string {
	if a.Done+a.Refused == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", a.Median)
}
