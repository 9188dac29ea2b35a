package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mostLines is how long RESULTS.md may be.
const mostLines = 80

// render writes RESULTS.md beside a file of results: the last run of every set, and how each set came there.
func render(file string) error {
	all, err := records(file)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	tell(&b, all, filepath.Base(file))
	if n := bytes.Count(b.Bytes(), []byte{'\n'}); n > mostLines {
		return fmt.Errorf("render results: %d lines, at most %d; keep fewer kinds of sets", n, mostLines)
	}
	out := filepath.Join(filepath.Dir(file), "RESULTS.md")
	if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("render results: %w", err)
	}
	return nil
}

// key tells sets that are measured alike.
func (r record) key() string {
	s := r.Lot + ", " + r.Set
	if r.HeldOut {
		s += ", held back"
	}
	if r.Fonts {
		s += ", other fonts"
	}
	return s
}

func tell(w io.Writer, all []record, file string) {
	runs := map[string][]record{}
	var keys []string
	for _, r := range all {
		if runs[r.key()] == nil {
			keys = append(keys, r.key())
		}
		runs[r.key()] = append(runs[r.key()], r)
	}
	slices.Sort(keys)
	fmt.Fprintf(w, `# What recognition gets right, measured

Rendered from [%s](%s) by `+"`make results`"+`: the last run of each set. No real person's paper was used. "With a code" is a
paper of which a QR symbol or machine readable zone was read, "print alone" one that bears none or a destroyed one. "Silent"
is wrong and not flagged, the worst there is; "invented" a value unflagged that the paper doesn't bear.

`, file, file)
	table(w, "set | date, commit | pages | fields | exact, with a code | print alone | all | flagged though right | silent | invented")
	for _, k := range keys {
		r := runs[k][len(runs[k])-1]
		n := r.sum()
		fmt.Fprintf(w, "| %s | %s %s | %d | %d | %s | %s | %s | %s | %d | %d |\n", k, r.Date, r.Commit, r.Pages, n.Fields, r.Ways[byCode].exact(),
			r.Ways[alone].exact(), n.exact(), percent(n.FlaggedRight, n.Fields), n.Silent, r.Invented)
	}
	lies(w, keys, runs)
	reliability(w, keys, runs)
	curves(w, keys, runs)
	times(w, keys, runs)
}

// table begins a table with these columns.
func table(w io.Writer, columns string) {
	fmt.Fprintf(w, "| %s |\n%s|\n", columns, strings.Repeat("|---", strings.Count(columns, "|")+1))
}

// lies tells what became of forged codes, in all runs.
func lies(w io.Writer, keys []string, runs map[string][]record) {
	var values [2]int
	pages := 0
	for _, k := range keys {
		for _, r := range runs[k] {
			if r.Lies[0] > 0 {
				values[0], values[1], pages = values[0]+r.Lies[0], values[1]+r.Lies[1], pages+r.Pages
			}
		}
	}
	if values[0] > 0 {
		fmt.Fprintf(w, "\nForged codes, in all runs: %d values on %d pages said other than the print; used without a flag: %d.\n",
			values[0], pages, values[1])
	}
}

// reliability tells how often values were right, by the confidence that they were given, over the sets that calibrated nothing.
func reliability(w io.Writer, keys []string, runs map[string][]record) {
	sum := make([]given, len(bins))
	for _, k := range keys {
		r := runs[k][len(runs[k])-1]
		if r.Lot != "own" || strings.Contains(r.Command, "-calibrate") {
			continue
		}
		for _, g := range r.Given {
			at := &sum[bin(g.From)]
			at.N, at.Sum, at.Right = at.N+g.N, at.Sum+g.Sum, at.Right+g.Right
		}
	}
	sum = slices.DeleteFunc(sum, func(g given) bool { return g.N == 0 })
	if len(sum) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Confidence given, and how many of such values were right (own pages that calibrated nothing)\n\n")
	table(w, "given | values | right")
	for _, g := range sum {
		fmt.Fprintf(w, "| %.3f | %d | %.3f |\n", g.Sum/float64(g.N), g.N, float64(g.Right)/float64(g.N))
	}
}

// curves tells how each set that was measured more than once came to where it is.
func curves(w io.Writer, keys []string, runs map[string][]record) {
	head := false
	for _, k := range keys {
		all := runs[k]
		if len(all) < 2 {
			continue
		}
		if !head {
			fmt.Fprint(w, "\n## Over time: exact of all fields, oldest first\n\n")
			table(w, "set | runs | from 80 to 100 %")
			head = true
		}
		var curve, exact []string
		for _, r := range all[max(0, len(all)-12):] {
			n := r.sum()
			curve = append(curve, spark(float64(n.Exact)/float64(max(1, n.Fields))))
			exact = append(exact, n.exact())
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", k, strings.Join(exact, ", "), strings.Join(curve, ""))
	}
}

// spark is a bar for a share between 0.8 and 1.
func spark(share float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	return string(bars[min(max(int((share-0.8)/0.2*float64(len(bars))+1e-9), 0), len(bars)-1)])
}

func times(w io.Writer, keys []string, runs map[string][]record) {
	head := false
	for _, k := range keys {
		r := runs[k][len(runs[k])-1]
		if r.Faster == [2]float64{} {
			continue
		}
		if !head {
			fmt.Fprint(w, "\n## Time beside the tesseract program on the same pages in the same run\n\n")
			table(w, "set | with a code | without | processes that wanted the cores")
			head = true
		}
		fmt.Fprintf(w, "| %s | 1/%.1f (%.0f ms) | 1/%.1f (%.0f ms) | %.1f |\n", k, r.Faster[0], r.MS[0], r.Faster[1], r.MS[1], r.Load)
	}
}

// sum is what all ways came to.
func (r record) sum() (n counts) {
	for _, c := range r.Ways {
		n.Fields, n.Exact, n.Flagged, n.FlaggedRight, n.Silent = n.Fields+c.Fields, n.Exact+c.Exact, n.Flagged+c.Flagged,
			n.FlaggedRight+c.FlaggedRight, n.Silent+c.Silent
	}
	return n
}

func (c counts) exact() string { return percent(c.Exact, c.Fields) }
