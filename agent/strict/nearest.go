package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest gives the known word that a mistyped one most likely meant, or "".
func Nearest(word string, known []string) string {
	if near := Near(word, known, 1); len(near) > 0 {
		return near[0]
	}
	return ""
}

// Near gives up to n known words that a mistyped one may have meant, nearest first.
func Near(word string, known []string, n int) []string {
	type guess struct {
		word     string
		distance int
	}
	var guesses []guess
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d <= max(1, len([]rune(k))/3) {
			guesses = append(guesses, guess{k, d})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return a.distance - b.distance })
	var near []string
	for _, g := range guesses[:min(n, len(guesses))] {
		near = append(near, g.word)
	}
	return near
}

// distance is the least number of letters added, dropped, exchanged or swapped with the next
// (optimal string alignment): a swap is the commonest slip of whoever types, and none of a reader of print, for which
// ocr/vn counts otherwise.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}

// Meant is the end of a sentence about a mistyped word: its nearest known word, or all of them.
func Meant(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return "; known are " + strings.Join(known, ", ")
}
