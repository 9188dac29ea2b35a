package report

import (
	"testing"
	"time"

	"motcua/agent/answer"
	"motcua/queue"
)

func TestAnswersAreCounted(t *testing.T) {
	monday := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	subs := []queue.Submission{{ID: "A", Created: monday}, {ID: "B", Created: monday}, {ID: "C", Created: monday}, {ID: "D", Created: monday},
		{ID: "E", Created: monday.AddDate(0, 0, -9)}, {ID: "S", Created: monday}}
	known := map[string]answer.Record{}
	for id, c := range map[string]struct {
		state answer.State
		after time.Duration
	}{"A": {answer.Done, 2 * time.Hour}, "B": {answer.Refused, 50 * time.Hour}, "C": {answer.NeedsMore, time.Hour}, "D": {"", 0},
		"E": {answer.Done, time.Hour}} {
		known[id] = answer.Record{Answer: answer.Answer{Submission: id, State: c.state, At: monday.Add(c.after)}}
	}
	known["S"] = known["A"] // more papers for A
	got := Count(subs, func(id string) (answer.Record, bool) { r, ok := known[id]; return r, ok }, monday, monday.AddDate(0, 0, 1))
	if want := (Answers{Answered: 3, NeedsMore: 1, Done: 1, Refused: 1, Median: 50, Longest: 50}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
