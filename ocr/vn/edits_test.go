package vn

import (
	"testing"

	"pgregory.net/rapid"
)

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"Nguyễn", "Nguyễn", 0}, {"Nguyễn", "Nguyen", 1}, {"Hoà", "Hòa", 2}, {"kitten", "sitting", 3},
		{"an", "lan", 1},
	} {
		if got := Edits([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("aăâb")), 0, 8, -1)
		a, b, c := []rune(word.Draw(t, "a")), []rune(word.Draw(t, "b")), []rune(word.Draw(t, "c"))
		if Edits(a, b) != Edits(b, a) || Edits(a, c) > Edits(a, b)+Edits(b, c) || (Edits(a, b) == 0) != (string(a) == string(b)) {
			t.Fatal("no distance")
		}
	})
}
