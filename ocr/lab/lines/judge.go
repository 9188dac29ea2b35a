package main

import (
	"fmt"
	"io"
	"strings"

	"motcua/ocr/ctc"
	"motcua/ocr/vn"
)

// bounds are the lower ends of the bins of probability in which judged letters are counted.
var bounds = [...]float64{0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999}

// judgement counts what the network that the program carries reads on drawn lines.
type judgement struct {
	lines, wrongLines, letters, edits int
	sureWrong                         int // lines read wrong of which every letter was given 0.99 or more
	bins                              [len(bounds)]struct{ letters, right int }
}

// add reads a line, a strip as ctc.Prepare made it, and holds it against its text.
func (j *judgement) add(n *ctc.Network, line sample) {
	read := n.Read(line.strip)
	want := []rune(plainSigns(line.text))
	got := make([]rune, len(read))
	least := 1.0
	for i, l := range read {
		got[i] = l.Sign
		least = min(least, l.Prob)
	}
	e := vn.Edits(want, got)
	j.lines++
	j.letters += len(want)
	j.edits += e
	if e > 0 {
		j.wrongLines++
		if least >= 0.99 {
			j.sureWrong++
		}
	}
	if len(got) != len(want) {
		return // which letter answers to which is not told
	}
	for i, l := range read {
		bin := 0
		for bin+1 < len(bounds) && l.Prob >= bounds[bin+1] {
			bin++
		}
		j.bins[bin].letters++
		if got[i] == want[i] {
			j.bins[bin].right++
		}
	}
}

// plainSigns is the text as the network spells it.
func plainSigns(s string) string {
	return strings.Map(func(r rune) rune {
		if p, ok := alike[r]; ok {
			return p
		}
		return r
	}, s)
}

func (j *judgement) print(w io.Writer, name string) {
	fmt.Fprintf(w, "%s: %d lines, %.2f %% of letters and %.2f %% of lines wrong; wrong with every letter at 0.99 or more: %d\n",
		name, j.lines, 100*float64(j.edits)/float64(j.letters), 100*float64(j.wrongLines)/float64(j.lines), j.sureWrong)
	for i, b := range j.bins {
		if b.letters > 0 {
			fmt.Fprintf(w, "  probability from %.3f: %7d letters, right %.2f %%\n", bounds[i], b.letters, 100*float64(b.right)/float64(b.letters))
		}
	}
}
