package find

import (
	"cmp"
	"image"
	"slices"
	"strings"
	"testing"
)

// rowAt is a row of letters of one height.
func rowAt(x, y, height, letters int) row {
	var parts []part
	for range letters {
		parts = append(parts, part{box: image.Rect(x, y, x+height/2, y+height)})
		x += height * 2 / 3
	}
	return rowsOf(parts)[0]
}

// Small print is no part of larger print that goes on beside it, unless it stands as close as a word's letters do.
func TestRowsOfOtherPrintAreApart(t *testing.T) {
	small, large := rowAt(20, 110, 16, 12), rowAt(0, 100, 26, 12)
	for _, c := range []struct {
		gap  int
		want int
	}{{14, 2}, {6, 1}} {
		at := rowAt(small.box.Max.X+c.gap, large.box.Min.Y, 26, 12)
		if got := joinTorn([]row{small, at}); len(got) != c.want {
			t.Errorf("%d pixels apart: %d rows, want %d", c.gap, len(got), c.want)
		}
	}
	a, b := rowAt(20, 100, 26, 12), rowAt(20+12*17+12, 102, 26, 12)
	if got := joinTorn([]row{a, b}); len(got) != 1 {
		t.Errorf("of one size: %d rows, want 1", len(got))
	}
}

// What is left of a line's commas and marks is no line.
func TestCommasAreNoLine(t *testing.T) {
	line := image.Rect(391, 689, 1110, 728)
	comma, word, below := image.Rect(632, 715, 663, 731), image.Rect(632, 690, 663, 726), image.Rect(391, 720, 663, 745)
	if !partOf(comma, line) || partOf(word, line) || partOf(below, line) {
		t.Error("a comma is part of its line, a word or the next line is not")
	}
}

// Labels in a small face whose x is low, "Họ và tên / Full name" at 200 dpi: their small letters are no higher than marks, and what stands
// between the tall ones holds the line together. Tones and the dots of a rule are no letters.
func TestSmallLettersHoldALineTogether(t *testing.T) {
	const least, tall, x = 15, 14, 8
	var letters, marks []part
	box := func(at, top, bottom, wide int) part { return part{box: image.Rect(at, top, at+wide, bottom)} }
	for i, sign := range []rune("Họ và tên / Full name quốc tịch") {
		at := 20 + 8*i
		switch {
		case sign == ' ':
		case strings.ContainsRune("Ht/Flbhịq", sign):
			letters = append(letters, box(at, 100, 100+tall, 6))
		default:
			marks = append(marks, box(at, 100+tall-x, 100+tall, 6))
		}
		marks = append(marks, box(at, 96, 98, 3), box(at, 119, 121, 2))
	}
	slices.SortFunc(marks, func(a, b part) int { return cmp.Compare(a.box.Min.X, b.box.Min.X) })
	if got := joinTorn(rowsOf(letters)); len(got) < 3 {
		t.Fatalf("%d rows without the small letters: this line shows nothing", len(got))
	}
	got := joinTorn(withSmall(rowsOf(letters), marks, least))
	if len(got) != 1 || got[0].box.Dy() != tall {
		t.Errorf("%d rows, the first %v", len(got), got[0].box)
	}
	// In larger print what is so low is a mark.
	if got := joinTorn(withSmall(rowsOf(letters), marks, 8)); len(got) < 3 {
		t.Error("marks of larger print were taken for letters")
	}
}
