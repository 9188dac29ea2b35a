package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/agent/answer"
	"motcua/agent/dossier"
	"motcua/queue"
)

// answered is a period of two weeks: five submissions of the first, of which one is more papers of another, and one of the second.
func answered(t *testing.T) Report {
	t.Helper()
	monday := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	labels := map[string]string{dossier.LabelWard: "Phường Mẫu", dossier.LabelProcedure: "2.000815"}
	subs := []queue.Submission{{ID: "A", Created: monday}, {ID: "B", Created: monday}, {ID: "C", Created: monday.AddDate(0, 0, 6)},
		{ID: "D", Created: monday}, {ID: "E", Created: monday.AddDate(0, 0, -9)}, {ID: "S", Created: monday},
		{ID: "F", Created: monday.AddDate(0, 0, 7)}}
	for i := range subs {
		subs[i].Labels = labels
	}
	type stands struct {
		state answer.State
		after time.Duration
	}
	known := map[string]stands{"A": {answer.Done, 2 * time.Hour}, "B": {answer.Refused, 50 * time.Hour},
		"C": {answer.NeedsMore, 200 * time.Hour},
		"D": {"", 0}, "E": {answer.Done, time.Hour}, "F": {answer.Done, 170 * time.Hour}}
	find := func(id string) (answer.State, time.Time, bool) {
		k, ok := known[id]
		return k.state, monday.Add(k.after), ok
	}
	return Tally(slices.Values(subs), nil, find, monday.Truncate(24*time.Hour), monday.AddDate(0, 0, 13))
}

func TestAnswersAreCounted(t *testing.T) {
	r := answered(t)
	got := r.Answers
	got.took = nil
	if want := (Answers{Answered: 4, NeedsMore: 1, Done: 2, Refused: 1, Median: 2, Longest: 50}); got.Longest != 50 ||
		!reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	weeks := r.Weeks()
	for i := range weeks {
		weeks[i].took = nil
	}
	want := []Week{
		{"2026-W45", "2026-11-02", 5, Answers{Answered: 3, NeedsMore: 1, Done: 1, Refused: 1, Median: 50, Longest: 50}},
		{"2026-W46", "2026-11-09", 1, Answers{Answered: 1, Done: 1, Median: 2, Longest: 2}},
	}
	if !reflect.DeepEqual(weeks, want) {
		t.Errorf("%+v, want %+v", weeks, want)
	}
}

func TestAnswersInPDF(t *testing.T) {
	r := answered(t)
	path := filepath.Join(t.TempDir(), "report.pdf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.PDF(f, "UBND Phường Mẫu", "", time.Now()), f.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("pdftotext", "-layout", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (package poppler-utils): %v", err)
	}
	for _, want := range []string{`Trả lời của cơ quan theo tuần`, `02/11–08/11/2026\s+5\s+3\s+1\s+1\s+1\s+50.0`,
		`09/11–15/11/2026\s+1\s+1\s+0\s+1\s+0\s+2.0`,
		`Tổng\s+6\s+4\s+1\s+2\s+1\s+2.0`} {
		if !regexp.MustCompile(want).Match(text) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

func TestAnswersInCSVAndText(t *testing.T) {
	r := answered(t)
	var b bytes.Buffer
	if err := r.CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[0][11:], ","); got != "cơ quan đã trả lời,chờ bổ sung,đã xong,không giải quyết,giờ giải quyết (trung vị)" {
		t.Errorf("heads %q", got)
	}
	for i, want := range []string{"2,0,1,1,50.0", "1,1,0,0,", "1,0,1,0,2.0"} {
		if got := strings.Join(rows[i+1][11:], ","); got != want {
			t.Errorf("row %d: %q, want %q", i+1, got, want)
		}
	}
	b.Reset()
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"theo tuần", "02/11–08/11/2026", "09/11–15/11/2026"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
