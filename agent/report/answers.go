package report

import (
	"slices"
	"time"

	"motcua/agent/answer"
	"motcua/queue"
)

// Answers counts what the office answered of a period's submissions, and how long it took.
type Answers struct {
	Answered  int     `json:"answered"`   // at least once
	NeedsMore int     `json:"needs_more"` // wait for the citizen now
	Done      int     `json:"done"`
	Refused   int     `json:"refused"`
	Median    float64 `json:"median_hours"`  // from handing in to done or refused
	Longest   float64 `json:"longest_hours"` // the same
}

// Count counts answers of submissions accepted from since up to but not at until; find gives what is known of one. A
// supplement belongs to its dossier and is not counted by itself.
func Count(submissions []queue.Submission, find func(id string) (answer.Record, bool), since, until time.Time) Answers {
	var a Answers
	var took []float64
	for _, s := range submissions {
		if s.Created.Before(since) || !s.Created.Before(until) {
			continue
		}
		r, ok := find(s.ID)
		if !ok || r.State == "" || r.Submission != s.ID {
			continue
		}
		a.Answered++
		switch r.State {
		case answer.NeedsMore:
			a.NeedsMore++
		case answer.Done:
			a.Done++
		case answer.Refused:
			a.Refused++
		}
		if r.State.Final() {
			took = append(took, max(r.At.Sub(s.Created), 0).Hours())
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		a.Median, a.Longest = took[len(took)/2], took[len(took)-1]
	}
	return a
}
