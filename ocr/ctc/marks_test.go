package ctc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
)

func TestParted(t *testing.T) {
	for r, want := range map[rune]string{'Ễ': "E 1 4", 'đ': "d 4 0", 'Ự': "U 3 5", 'ỳ': "y 0 1", 'Ă': "A 2 0", 'I': "I 0 0"} {
		base, own, tone, ok := Parted(r)
		if got := fmt.Sprintf("%c %d %d", base, own, tone); got != want || !ok {
			t.Errorf("%c is parted into %s, %t", r, got, ok)
		}
	}
	for _, r := range "BXZ059/ " {
		if _, _, _, ok := Parted(r); ok {
			t.Errorf("%q bears marks", r)
		}
	}
	for _, r := range vietnamese + strings.ToUpper(vietnamese) {
		if !strings.ContainsRune(string(Marked(r)), r) {
			t.Errorf("%c is none of the letters that it may be", r)
		}
	}
}

func networks(t testing.TB) (*Network, *Marks) {
	t.Helper()
	lines, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	marks, err := LoadMarks()
	if err != nil {
		t.Fatal(err)
	}
	return lines, marks
}

// Every letter with every mark, whether or not a syllable has it: the network of marks tells them by their pixels alone.
func TestMarksOfEveryLetter(t *testing.T) {
	lines, marks := networks(t)
	all, wrong := 0, ""
	for _, ttf := range [][]byte{liberationsansregular.TTF, liberationserifbold.TTF} {
		for _, base := range "AEIOUYDaeiouyd" {
			for _, sign := range Marked(base) {
				for _, word := range []string{"B%cNH", "TH%c", "L%cC"} {
					if base >= 'a' {
						word = strings.ToLower(word)
						word = strings.Replace(word, "%C", "%c", 1)
					}
					word = fmt.Sprintf(word, sign)
					strip := typeset(t, ttf, 30, word)
					letters := lines.Read(strip)
					windows := Windows(strip, letters)
					for i, at := range Align(letters, []rune(word)) {
						if at < 0 || []rune(word)[at] != sign || windows[i] == nil {
							continue
						}
						odds := marks.Tell(windows[i])
						best := sign
						for _, r := range Marked(sign) {
							if odds.Of(r) > odds.Of(best) {
								best = r
							}
						}
						if all++; best != sign {
							wrong += fmt.Sprintf(" %c for %c", best, sign)
						}
					}
				}
			}
		}
	}
	const fewest = 800 // of 2 fonts, 146 letters, 3 words
	if n := len(strings.Fields(wrong)) / 3; all < fewest || n*100 > all {
		t.Errorf("of %d letters %d wrong:%s", all, n, wrong)
	}
}

func TestNetworkOfMarksIsWhole(t *testing.T) {
	for name, b := range map[string][]byte{"empty": nil, "another file": []byte("mctc, and so on and on"),
		"cut off": markWeights[:len(markWeights)-2], "too long": append(markWeights[:len(markWeights):len(markWeights)], 0, 0)} {
		if _, err := parseMarks(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A letter whose marks are told beside a line's end has what is beyond it as paper.
func TestWindowsAtTheEndsOfALine(t *testing.T) {
	lines, _ := networks(t)
	strip := typeset(t, liberationsansregular.TTF, 30, "Ổ")
	letters := lines.Read(strip)
	for i, w := range Windows(strip, letters) {
		if w == nil {
			t.Fatalf("letter %d has no window", i)
		}
		if b := w.Bounds(); b.Dx() != WindowWidth || b.Dy() != WindowHeight || w.Pix[0] > 60 {
			t.Errorf("window %v, its corner at %d", b, w.Pix[0])
		}
	}
	if len(letters) != 1 {
		t.Errorf("read %d letters", len(letters))
	}
}

func BenchmarkTell(b *testing.B) {
	lines, marks := networks(b)
	strip := typeset(b, liberationsansregular.TTF, 30, "Ổ")
	window := Windows(strip, lines.Read(strip))[0]
	for b.Loop() {
		marks.Tell(window)
	}
}
