package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
	"motcua/ocr/vn"
)

// How a value could be known. Bars differ: with a readable code the truth is in the code.
const (
	byCode = "code read"    // a QR symbol or machine readable zone was read on the paper
	alone  = "OCR alone"    // the paper bears no code, or none that can be read
	missed = "code missed"  // a code is there but nothing was read from it
	noRead = "paper missed" // no document was found for the paper
)

// score counts fields.
type score struct {
	total, exact, missing   int
	flagged, flaggedRight   int
	silent                  int // wrong and not flagged: the worst defect there is
	edits, letters          int
	confident, confidentBad int // given 0.99 or more
}

func (s *score) add(o score) {
	s.total += o.total
	s.exact += o.exact
	s.missing += o.missing
	s.flagged += o.flagged
	s.flaggedRight += o.flaggedRight
	s.silent += o.silent
	s.edits += o.edits
	s.letters += o.letters
	s.confident += o.confident
	s.confidentBad += o.confidentBad
}

type tally struct {
	set      string
	fields   map[string]*score // "kind field"
	ways     map[string]*score
	kinds    map[paper.Kind]*[3]int // papers, right kind, right rotation
	invented int
	lies     [2]int // values of which a forged code says other than the print; of these used without a flag
	times    []time.Duration
	code     []bool // a code was read on page i
	theirs   []time.Duration
	problems int
	given    []given              // by bins
	classes  map[string]ocr.Count // by what was known of a value
}

func newTally(set string) *tally {
	return &tally{set: set, fields: map[string]*score{}, ways: map[string]*score{}, kinds: map[paper.Kind]*[3]int{},
		given: make([]given, len(bins)), classes: map[string]ocr.Count{}}
}

// add scores one page and says in words what was not right.
func (t *tally) add(c page, truth specimen.Truth, out ocr.Result, took time.Duration) (wrong []string) {
	t.times = append(t.times, took)
	if out.Problem != nil {
		t.problems++
		wrong = append(wrong, "problem "+out.Problem.Code)
	}
	docs := out.Documents
	pageCode := false
	found := match(truth.Papers, docs)
	for at, p := range truth.Papers {
		var doc paper.Document
		if found[at] >= 0 {
			doc = docs[found[at]]
		}
		way, notes := t.paper(p, doc, found[at] >= 0)
		pageCode = pageCode || way == byCode
		wrong = append(wrong, notes...)
	}
	wrong = append(wrong, t.further(truth, docs, found)...)
	t.code = append(t.code, pageCode)
	sort.Strings(wrong)
	return wrong
}

// paper scores the document that was found for a paper.
func (t *tally) paper(p specimen.PaperTruth, doc paper.Document, found bool) (way string, wrong []string) {
	way, wrong = t.kind(p, doc, found)
	if p.Kind == paper.Other {
		for n, f := range doc.Fields {
			if !f.Review {
				t.invented++
				wrong = append(wrong, fmt.Sprintf("!! %s invented on a letter: %q", n, f.Value))
			}
		}
		return way, wrong
	}
	for n, v := range p.Fields {
		f, ok := doc.Fields[n]
		if _, printed := p.Printed[n]; !printed && !ok {
			continue // only in a code, and the code was not read
		}
		s := one(n, v, f, ok)
		t.graded(f, s)
		if slices.Contains(p.Lies, n) {
			t.lies[0]++
			t.lies[1] += s.silent
		}
		t.at(t.fields, string(p.Kind)+" "+string(n)).add(s)
		t.at(t.ways, way).add(s)
		if s.exact == 0 && way != noRead {
			sign := "  "
			if s.silent > 0 {
				sign = "!!"
			}
			wrong = append(wrong, fmt.Sprintf("%s [%s] %s: want %q got %q source=%s agrees=%v conf=%.3f review=%t doubts=%v", sign, way, n, v,
				f.Value, f.Source, f.Agrees, f.Confidence, f.Review, f.Doubts))
		}
	}
	for n, f := range doc.Fields {
		if _, ok := p.Fields[n]; !ok && f.Value != "" && !f.Review && len(p.Sides) != 1 {
			t.invented++
			wrong = append(wrong, fmt.Sprintf("!! [%s] %s invented: %q source=%s conf=%.3f", way, n, f.Value, f.Source, f.Confidence))
		}
	}
	return way, wrong
}

// kind counts whether a paper was told for what it is, and says how its values could be known.
func (t *tally) kind(p specimen.PaperTruth, doc paper.Document, found bool) (way string, wrong []string) {
	k := t.kinds[p.Kind]
	if k == nil {
		k = &[3]int{}
		t.kinds[p.Kind] = k
	}
	k[0]++
	switch {
	case !found && p.Kind == paper.Other:
		return noRead, nil
	case !found:
		return noRead, []string{fmt.Sprintf("%s not found", p.Kind)}
	case doc.Type == p.Kind:
		k[1]++
	default:
		wrong = append(wrong, fmt.Sprintf("kind %s read as %s", p.Kind, doc.Type))
	}
	if doc.Rotation == p.Rotation {
		k[2]++
	}
	switch {
	case usedCode(doc):
		way = byCode
	case p.Code:
		way = missed
	default:
		way = alone
	}
	return way, wrong
}

// further counts what documents say that are none of a paper's: a side left by itself repeats what is true; anything else is made up.
func (t *tally) further(truth specimen.Truth, docs []paper.Document, found []int) (wrong []string) {
	for i, d := range docs {
		if slices.Contains(found, i) {
			continue
		}
		for n, f := range d.Fields {
			if !f.Review && !slices.ContainsFunc(truth.Papers, func(p specimen.PaperTruth) bool { return same(n, p.Fields[n], f.Value) }) {
				t.invented++
				wrong = append(wrong, fmt.Sprintf("!! %s of a further %s that is not there: %q", n, d.Type, f.Value))
			}
		}
	}
	return wrong
}

func (t *tally) at(m map[string]*score, key string) *score {
	s := m[key]
	if s == nil {
		s = &score{}
		m[key] = s
	}
	return s
}

func (t *tally) beside(took time.Duration) { t.theirs = append(t.theirs, took) }

func usedCode(d paper.Document) bool {
	for _, f := range d.Fields {
		if f.Source == paper.QR || f.Source == paper.MRZ || slices.Contains(f.Agrees, paper.QR) || slices.Contains(f.Agrees, paper.MRZ) {
			return true
		}
	}
	return false
}

// match finds for each paper the document that was read from it, or -1: pair by pair, the likeliest first, so that the
// document of one person is not held against another whose card was not found.
func match(papers []specimen.PaperTruth, docs []paper.Document) []int {
	found := make([]int, len(papers))
	for i := range found {
		found[i] = -1
	}
	for range papers {
		which, best, most := -1, -1, -1.0
		for i, p := range papers {
			for j, d := range docs {
				if v := likeness(p, d); found[i] < 0 && !slices.Contains(found, j) && v > most && (v >= 1.5 || p.Kind == paper.Other) {
					which, best, most = i, j, v
				}
			}
		}
		if which < 0 {
			break
		}
		found[which] = best
	}
	return found
}

// likeness counts what speaks for a document being read from a paper: its kind, its values, and where it lies.
func likeness(p specimen.PaperTruth, d paper.Document) float64 {
	points := 0.0
	if d.Type == p.Kind {
		points += 1.5
	}
	for n, v := range p.Fields {
		if same(n, v, d.Fields[n].Value) {
			points++
		}
	}
	if d.Where != nil {
		for _, q := range p.Where {
			if inside(centre(*d.Where), q) {
				points += 3
			}
		}
	}
	return points
}

func centre(q paper.Quad) (p paper.Point) {
	for _, c := range q {
		p.X += c.X / 4
		p.Y += c.Y / 4
	}
	return p
}

func inside(p paper.Point, q paper.Quad) bool {
	for i := range q {
		a, b := q[i], q[(i+1)%4]
		if (b.X-a.X)*(p.Y-a.Y)-(b.Y-a.Y)*(p.X-a.X) < 0 {
			return false
		}
	}
	return true
}

func one(n paper.Name, truth string, f paper.Field, ok bool) score {
	s := score{total: 1, letters: len([]rune(truth))}
	if !ok || f.Value == "" {
		s.missing, s.edits = 1, s.letters
		return s
	}
	right := same(n, truth, f.Value)
	s.edits = vn.Edits([]rune(key(n, truth)), []rune(key(n, f.Value)))
	if right {
		s.exact = 1
	}
	if f.Review {
		s.flagged = 1
		s.flaggedRight = s.exact
	} else if !right {
		s.silent = 1
	}
	if f.Confidence >= 0.99 {
		s.confident = 1
		s.confidentBad = 1 - s.exact
	}
	return s
}

func same(n paper.Name, a, b string) bool { return a != "" && key(n, a) == key(n, b) }

// key is what is compared: letters and punctuation as read, without regard to case (codes carry names in
// title case), space, as about a hyphen, and the two ways to place a tone mark.
func key(n paper.Name, s string) string {
	var out []string
	for _, w := range strings.Fields(strings.ReplaceAll(vn.NFC(s), " - ", "-")) {
		marks := strings.Map(func(r rune) rune {
			if unicode.IsPunct(r) || unicode.IsSymbol(r) {
				return r
			}
			return -1
		}, w)
		out = append(out, vn.Fold(w)+marks)
	}
	return strings.Join(out, " ")
}

func percent(a, b int) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100*float64(a)/float64(b))
}

func (t *tally) print(w io.Writer, peak int64) {
	fmt.Fprintf(w, "\nset %s: %d pages\n", t.set, len(t.times))
	tw := tabwriter.NewWriter(w, 2, 0, 2, ' ', tabwriter.AlignRight)
	head := "\tfields\texact %\tCER %\tmissing %\tflagged %\tflagged though right %\tWRONG, NOT FLAGGED\t"
	row := func(name string, s score) {
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%d\t\n", name, s.total, percent(s.exact, s.total), percent(s.edits, s.letters),
			percent(s.missing, s.total), percent(s.flagged, s.total), percent(s.flaggedRight, s.total), s.silent)
	}
	fmt.Fprintln(tw, "by how it could be known"+head)
	var all score
	for _, k := range []string{byCode, alone, missed, noRead} {
		if s := t.ways[k]; s != nil {
			row(k, *s)
			all.add(*s)
		}
	}
	row("all", all)
	fmt.Fprintln(tw, "by kind and field"+head)
	names := make([]string, 0, len(t.fields))
	for n := range t.fields {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		row(n, *t.fields[n])
	}
	if err := tw.Flush(); err != nil {
		log.Print("print the scores: ", err)
	}
	kinds := make([]string, 0, len(t.kinds))
	for k := range t.kinds {
		kinds = append(kinds, string(k))
	}
	sort.Strings(kinds)
	for _, k := range kinds {
		n := t.kinds[paper.Kind(k)]
		fmt.Fprintf(w, "%s: %d papers, kind right %d, rotation right %d\n", k, n[0], n[1], n[2])
	}
	fmt.Fprintf(w, "values invented and not flagged: %d; confidence ≥ 0.99: %d fields, %d wrong; pages with a problem: %d\n",
		t.invented, all.confident, all.confidentBad, t.problems)
	if t.lies[0] > 0 {
		fmt.Fprintf(w, "values of which a forged code says other than the print: %d, used without a flag: %d\n", t.lies[0], t.lies[1])
	}
	fmt.Fprint(w, "confidence given, values, right:")
	for _, g := range t.given {
		if g.N > 0 {
			fmt.Fprintf(w, "  %.3f %d %.3f", g.Sum/float64(g.N), g.N, float64(g.Right)/float64(g.N))
		}
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "time: median %s, p95 %s", round(quantile(t.times, 0.5)), round(quantile(t.times, 0.95)))
	with, without := t.parted()
	fmt.Fprintf(w, "; with a code read: median %s; without: %s; peak memory of the workers together %d MB\n", round(quantile(with, 0.5)),
		round(quantile(without, 0.5)), peak>>20)
	if len(t.theirs) > 0 {
		ratio := func(code bool) string {
			times, n := t.faster(code)
			if n == 0 {
				return "–"
			}
			return fmt.Sprintf("1/%.1f (%d pages)", times, n)
		}
		fmt.Fprintf(w, "tesseract program on the first %d pages: median %s, p95 %s; ours is with a code read %s, without %s of its time\n",
			len(t.theirs), round(quantile(t.theirs, 0.5)), round(quantile(t.theirs, 0.95)), ratio(true), ratio(false))
	}
	fmt.Fprintln(w)
}

// parted are the times of pages of which a code was read, and of the others.
func (t *tally) parted() (with, without []time.Duration) {
	for i, d := range t.times {
		if t.code[i] {
			with = append(with, d)
		} else {
			without = append(without, d)
		}
	}
	return with, without
}

// faster is how many times as long the tesseract program took on pages with or without a code read (geometric mean), and on how many.
func (t *tally) faster(code bool) (times float64, pages int) {
	var sum float64
	for i, d := range t.theirs {
		if t.code[i] == code {
			sum += math.Log(float64(d) / float64(t.times[i]))
			pages++
		}
	}
	if pages == 0 {
		return 0, 0
	}
	return math.Exp(sum / float64(pages)), pages
}

// graded notes whether a value that was given out was right, by its confidence and by what was known of it.
func (t *tally) graded(f paper.Field, s score) {
	if s.missing > 0 {
		return
	}
	g := &t.given[bin(f.Confidence)]
	g.N++
	g.Sum += f.Confidence
	g.Right += s.exact
	class := ocr.Class(f)
	c := t.classes[class]
	t.classes[class] = ocr.Count{Values: c.Values + 1, Right: c.Right + s.exact}
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Clone(d)
	slices.Sort(s)
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
