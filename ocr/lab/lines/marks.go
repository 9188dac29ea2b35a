package main

import (
	"bufio"
	"cmp"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
	"unicode"

	"motcua/ocr/ctc"
	"motcua/ocr/specimen"
	"motcua/ocr/vn"
)

// mark is one letter's window, what it is, and what the network of lines takes it for.
type mark struct {
	window     *image.Gray
	sign, read rune
}

// Unmarked letters are most of all: of them only so many are learned from.
const (
	bareKept = 0.4
	plainD   = 0.25 // of letters D
)

// drawMarks writes so many samples; 0: until the trainer has enough.
func (d drawer) drawMarks(out *bufio.Writer, count int) error {
	n, err := ctc.Load()
	if err != nil {
		return err
	}
	for done := 0; count == 0 || done < count; {
		for _, m := range d.nextMarks(n) {
			if err := writeMark(out, m); err != nil {
				return nil
			}
			done++
		}
	}
	return out.Flush()
}

// composeMarked makes up a line in which any letter may bear any marks, more often in capitals than papers have them: a name's.
func (d drawer) composeMarked() (string, float64) {
	text := respelled(specimen.Invent(d.rng.Uint64()).FullName, d.rng)
	switch k := d.rng.IntN(10); {
	case k < 3:
		return compose(d.rng)
	case k < 7:
		text = syllables(d.rng, 2+d.rng.IntN(3))
	}
	if d.rng.IntN(3) == 0 {
		return capitalised(text), narrow
	}
	return strings.ToUpper(vn.NFC(text)), narrow
}

// nextMarks draws a line, lets the network read it as recognition does, and gives the windows of the letters that it found where they are.
func (d drawer) nextMarks(n *ctc.Network) []mark {
	face := d.fonts[d.rng.IntN(len(d.fonts))]
	text, most := d.composeMarked()
	text = plainSigns(face.fit(text, most))
	strip := draw(face, text, most > narrow, d.rng)
	if strip == nil {
		return nil
	}
	letters := n.Read(strip)
	windows := ctc.Windows(strip, letters)
	want := []rune(text)
	var out []mark
	for i, j := range ctc.Align(letters, want) {
		if j < 0 || windows[i] == nil {
			continue
		}
		_, own, tone, ok := ctc.Parted(want[j])
		if !ok {
			continue
		}
		if own == ctc.Bare && tone == ctc.Level {
			kept := bareKept
			if unicode.ToUpper(want[j]) == 'D' {
				kept = plainD
			}
			if d.rng.Float64() > kept {
				continue
			}
		}
		out = append(out, mark{windows[i], want[j], letters[i].Sign})
	}
	return out
}

// writeMark writes a sample for marks.py: the classes of its own mark and its tone, then its pixels.
func writeMark(out *bufio.Writer, m mark) error {
	_, own, tone, _ := ctc.Parted(m.sign)
	if _, err := out.Write([]byte{byte(own), byte(tone)}); err != nil {
		return err
	}
	_, err := out.Write(m.window.Pix)
	return err
}

// judgeMarks reads so many letters with both networks of this tree and says how many of each one's marks are wrong.
func (d drawer) judgeMarks(w io.Writer, count int) error {
	lines, err := ctc.Load()
	if err != nil {
		return err
	}
	marks, err := ctc.LoadMarks()
	if err != nil {
		return err
	}
	var all, byLine, byMarks, agreed, agreedWrong int
	for all < count {
		for _, m := range d.nextMarks(lines) {
			odds := marks.Tell(m.window)
			best := slices.MaxFunc(ctc.Marked(m.read), func(a, b rune) int { return cmp.Compare(odds.Of(a), odds.Of(b)) })
			all++
			if m.read != m.sign {
				byLine++
			}
			if best != m.sign {
				byMarks++
			}
			if best == m.read {
				agreed++
				if best != m.sign {
					agreedWrong++
				}
			}
		}
	}
	share := func(a, b int) float64 { return 100 * float64(a) / float64(b) }
	_, err = fmt.Fprintf(w, "%d letters: marks wrong by the network of lines %.2f %%, by that of marks %.2f %%; "+
		"both agree on %.1f %%, of these wrong %.3f %%\n",
		all, share(byLine, all), share(byMarks, all), share(agreed, all), share(agreedWrong, agreed))
	return err
}
