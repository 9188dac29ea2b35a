package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"motcua/ocr"
)

// record is what one set of one run gave: a line of results.jsonl, from which RESULTS.md is rendered.
type record struct {
	Date     string            `json:"date"`
	Commit   string            `json:"commit"`
	Command  string            `json:"command"`
	Set      string            `json:"set"`
	Lot      string            `json:"lot"` // own, forged, look-alikes, rare, or the folder of pages that another program drew
	Fonts    bool              `json:"fonts,omitempty"`
	HeldOut  bool              `json:"heldout,omitempty"`
	Pages    int               `json:"pages"`
	Ways     map[string]counts `json:"ways"`   // by how a value could be known
	Fields   map[string]counts `json:"fields"` // by name
	Kinds    map[string][3]int `json:"kinds"`  // papers, kind right, rotation right
	Invented int               `json:"invented"`
	Lies     [2]int            `json:"lies"` // forged values, of these used without a flag
	Problems int               `json:"problems,omitempty"`
	Given    []given           `json:"given,omitempty"` // by the confidence that was given out
	MS       [2]float64        `json:"ms"`              // median of pages with a code read, and without; 0: none
	Faster   [2]float64        `json:"faster"`          // geometric mean of tesseract's time over ours, as MS; 0: not measured
	Load     float64           `json:"load"`            // processes that wanted the machine's cores at the end
}

// counts of fields.
type counts struct {
	Fields       int `json:"fields"`
	Exact        int `json:"exact"`
	Missing      int `json:"missing,omitempty"`
	Flagged      int `json:"flagged,omitempty"`
	FlaggedRight int `json:"flagged_right,omitempty"`
	Silent       int `json:"silent,omitempty"`
	Edits        int `json:"edits,omitempty"`
	Letters      int `json:"letters,omitempty"`
}

// given are the values whose confidence lay in one bin.
type given struct {
	From  float64 `json:"from"`
	N     int     `json:"n"`
	Sum   float64 `json:"sum"` // of the confidences
	Right int     `json:"right"`
}

// bins are where the bins of confidence begin.
var bins = []float64{0, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999}

func bin(conf float64) int {
	i := 0
	for i+1 < len(bins) && conf >= bins[i+1] {
		i++
	}
	return i
}

func (s score) counts() counts {
	return counts{s.total, s.exact, s.missing, s.flagged, s.flaggedRight, s.silent, s.edits, s.letters}
}

// record is what the tally of a set comes to.
func (t *tally) record(f flags) record {
	r := record{Date: today(), Commit: commit(), Command: command(),
		Set: t.set, Lot: f.lot(), Fonts: f.fonts != "", HeldOut: f.from >= heldBack, Pages: len(t.times), Invented: t.invented, Lies: t.lies,
		Problems: t.problems, Ways: map[string]counts{}, Fields: map[string]counts{}, Kinds: map[string][3]int{}, Load: load()}
	for name, s := range t.ways {
		r.Ways[name] = s.counts()
	}
	byName := map[string]*score{}
	for name, s := range t.fields {
		_, field, _ := strings.Cut(name, " ")
		t.at(byName, field).add(*s)
	}
	for name, s := range byName {
		r.Fields[name] = s.counts()
	}
	for k, n := range t.kinds {
		r.Kinds[string(k)] = *n
	}
	for i, g := range t.given {
		if g.N > 0 {
			g.From = bins[i]
			r.Given = append(r.Given, g)
		}
	}
	with, without := t.parted()
	r.MS = [2]float64{milliseconds(with), milliseconds(without)}
	for i, code := range []bool{true, false} {
		r.Faster[i], _ = t.faster(code)
	}
	return r
}

func milliseconds(all []time.Duration) float64 {
	return float64(quantile(all, 0.5).Microseconds()) / 1000
}

// lot names what the pages of a run are.
func (f flags) lot() string {
	switch {
	case len(f.pages) > 0:
		return filepath.Base(filepath.Dir(filepath.Clean(f.pages[0])))
	case f.forged:
		return "forged"
	case f.unlike:
		return "look-alikes"
	case f.rare:
		return "rare tones"
	}
	return "own"
}

// keep appends a record to the file of all runs.
func (r record) keep(file string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keep results: %w", err)
	}
	if _, err := f.Write(append(b, '\n')); err != nil {
		f.Close()
		return fmt.Errorf("keep results: %w", err)
	}
	return f.Close()
}

// records reads the file of all runs.
func records(file string) ([]record, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var out []record
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("read results, line %d: %w", n, err)
		}
		out = append(out, r)
	}
	return out, lines.Err()
}

// calibrate writes how often values of each class were right.
func calibrate(file string, classes map[string]ocr.Count) error {
	c := ocr.Calibration{Command: command(), Date: today(), Classes: classes}
	b, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return fmt.Errorf("encode calibration: %w", err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write calibration: %w", err)
	}
	return nil
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// command is the one that is running, without the folders of this machine.
func command() string {
	args := slices.Clone(os.Args[1:])
	for i, a := range args {
		if filepath.IsAbs(a) {
			args[i] = filepath.Base(a)
		}
	}
	return "go run ./ocr/lab/bench " + strings.Join(args, " ")
}

func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// load is the machine's load over the last minute; -1 where it can't be known, since 0 would say that nobody else was at work.
func load() float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return -1
	}
	var minute float64
	if _, err := fmt.Sscan(string(b), &minute); err != nil {
		return -1
	}
	return minute
}
