package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
)

// What a set gave is kept as a line, and rendered: the last run of each set, all forged values, and how confidence came out.
func TestResultsAreKeptAndRendered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.jsonl")
	for _, run := range []struct{ right, wrong, silent int }{{8, 2, 1}, {19, 1, 0}} {
		tally := newTally("office")
		for i := range run.right + run.wrong {
			s := score{total: 1, exact: 1}
			if i >= run.right {
				s = score{total: 1}
				if run.silent > 0 && i == run.right {
					s.silent = 1
				}
			}
			tally.at(tally.ways, alone).add(s)
			tally.at(tally.fields, "cccd number").add(s)
			tally.graded(paper.Field{Source: paper.QR, Agrees: []paper.Source{paper.OCR}, Confidence: 0.97}, s)
		}
		tally.lies = [2]int{4, run.silent}
		if got := tally.classes["qr=ocr"]; got != (ocr.Count{Values: run.right + run.wrong, Right: run.right}) {
			t.Errorf("counted %v", got)
		}
		if err := tally.record(flags{}).keep(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := render(file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(file), "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| own, office |", "| 20 | – | 95.0 | 95.0 |",
		"8 values on 0 pages said other than the print; used without a flag: 1.",
		"| 0.970 | 20 | 0.950 |", "| own, office | 80.0, 95.0 | ▁▇ |"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %q in:\n%s", want, b)
		}
	}
}
