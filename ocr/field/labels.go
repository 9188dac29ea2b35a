package field

import (
	"cmp"
	"strings"
	"unicode"

	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// place of a label found in a run.
type place struct {
	label kinds.Label
	run   int
	from  int // first word of the label
	to    int // first word behind it
	// inside is how many runes of word to-1 belong to the label, where label and value were read as one word
	// ("sinh:14/01/2004"); 0 if the label ends with its word.
	inside int
	errors int
}

// plain reduces text to plain capital letters, keeping for each the word it came from and the rune behind it.
func plain(words []string) (letters []byte, word, end []int) {
	for i, w := range words {
		n := 0
		for _, r := range w {
			n++
			if r >= '0' && r <= '9' || r == ' ' {
				continue
			}
			for _, c := range vn.Plain(string(r)) {
				if c >= 'A' && c <= 'Z' {
					letters = append(letters, byte(c))
					word = append(word, i)
					end = append(end, n)
				}
			}
		}
	}
	return letters, word, end
}

// mayHold tells quickly where search would need more than so many edits: cut into one piece more than that, a pattern has a
// piece that stands in the text as it is.
func mayHold(text []byte, pattern string, errors int) bool {
	for i := range errors + 1 {
		piece := pattern[i*len(pattern)/(errors+1) : (i+1)*len(pattern)/(errors+1)]
	at:
		for from := 0; from+len(piece) <= len(text); from++ {
			for k, c := range text[from : from+len(piece)] {
				if c != piece[k] && !alike(c, piece[k]) {
					continue at
				}
			}
			return true
		}
	}
	return false
}

// search finds pattern in text with the fewest edits (Sellers). from and to delimit the match; if it has more than most
// errors, there is none.
func search(text []byte, pattern string, most int) (from, to, errors int) {
	m := len(pattern)
	if !mayHold(text, pattern, most) {
		return 0, 0, m
	}
	cost := make([]int, m+1)
	start := make([]int, m+1)
	for i := range cost {
		cost[i] = i
	}
	best, bestFrom, bestTo := m, 0, 0
	for j, c := range text {
		diag, diagStart := cost[0], start[0]
		cost[0], start[0] = 0, j+1
		if j == 0 {
			diagStart = 0
		}
		for i := 1; i <= m; i++ {
			up, upStart := cost[i], start[i]
			sub := diag
			if pattern[i-1] != c && !alike(pattern[i-1], c) {
				sub++
			}
			v, s := sub, diagStart
			if i == 1 && diag == 0 {
				s = j
			}
			if up+1 < v {
				v, s = up+1, upStart
			}
			if cost[i-1]+1 < v {
				v, s = cost[i-1]+1, start[i-1]
			}
			cost[i], start[i] = v, s
			diag, diagStart = up, upStart
		}
		if cost[m] < best {
			best, bestFrom, bestTo = cost[m], start[m], j+1
		}
	}
	return bestFrom, bestTo, best
}

// alike are capitals that are the same shape to a tired eye.
func alike(a, b byte) bool {
	return a == 'I' && b == 'L' || a == 'L' && b == 'I' || a == 'O' && b == 'Q' || a == 'Q' && b == 'O'
}

// allowed is how many edits a label of n letters may have.
func allowed(n int) int {
	switch {
	case n <= 4:
		return 0
	case n <= 10:
		return 1
	case n <= 14:
		return 2
	}
	return n / 5
}

// houseNumber says whether words that stand behind "Số" are those of an address ("Số 21 Điện Biên Phủ") and no card's number.
func houseNumber(words []string) bool {
	if len(words) < 2 || strings.IndexAny(words[0], "0123456789") != 0 {
		return false
	}
	figures := 0
	for _, r := range words[0] {
		if unicode.IsDigit(r) {
			figures++
		}
	}
	return figures < 6 && strings.ContainsFunc(strings.Join(words[1:], ""), unicode.IsLetter)
}

// endsAsPrinted says whether a label that differs from the holder's by its last word ends with that word: "Họ, chữ đệm, tên: PHẠM"
// is but a letter from "họ, chữ đệm, tên cha". Names stand in capitals, where labels don't.
func endsAsPrinted(text string, found []byte, first, last string) bool {
	const end = 3
	if !strings.HasSuffix(string(found), text[len(text)-end:]) {
		return false
	}
	lower := func(w string) bool { return strings.ContainsFunc(w, unicode.IsLower) }
	return lower(last) || !lower(first)
}

// find locates labels in runs: at each place the longest that fits best.
func find(runs []Run, labels []kinds.Label) []place {
	var out []place
	for r, run := range runs {
		words := make([]string, len(run.Words))
		for i, w := range run.Words {
			words[i] = w.Text
		}
		letters, word, end := plain(words)
		var here []place
		var spans [][2]int
		for _, l := range labels {
			from, to, errors := search(letters, l.Text, allowed(len(l.Text)))
			if errors > allowed(len(l.Text)) || to <= from {
				continue
			}
			// A label begins where a word begins: Hưng Lợi, Ninh Kiều is no giới tính.
			if from > 0 && len(l.Text) <= 10 && word[from-1] == word[from] && end[from] == end[from-1]+1 {
				continue
			}
			// A label ends where a word ends, or where something other than a letter follows: NGUYỄN QUANG is not nguyên quán.
			if to < len(letters) && word[to] == word[to-1] {
				if rest := []rune(words[word[to]])[end[to-1]:]; len(rest) == 1 && len(l.Text) > 10 && unicode.IsLetter(rest[0]) {
					to++ // its last letter was misread
				} else if len(rest) > 0 && unicode.IsLetter(rest[0]) {
					continue
				}
			}
			// NGUYỄN XUÂN and NGUYỄN QUÂN are names; the label is never printed in capitals.
			if l.Text == "NGUYENQUAN" && !strings.ContainsFunc(strings.Join(words[word[from]:word[to-1]+1], ""), unicode.IsLower) {
				continue
			}
			if l.Of != kinds.Holder && !endsAsPrinted(l.Text, letters[from:to], words[word[from]], words[word[to-1]]) {
				continue
			}
			if len(l.Text) <= 4 { // short labels must be words of their own
				if from > 0 && word[from-1] == word[from] || to < len(letters) && word[to] == word[to-1] {
					continue
				}
				if l.Field == paper.Number && houseNumber(words[word[to-1]+1:]) {
					continue
				}
			}
			p := place{label: l, run: r, from: word[from], to: word[to-1] + 1, errors: errors}
			if n := len([]rune(words[p.to-1])); end[to-1] < n && strings.IndexFunc(string([]rune(words[p.to-1])[end[to-1]:]), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0 {
				p.inside = end[to-1]
			}
			// Against what was found at the same letters, the better share of fitting letters wins.
			keep := true
			for i := 0; i < len(here); i++ {
				if spans[i][0] >= to || from >= spans[i][1] {
					continue
				}
				if o := here[i]; cmp.Or(cmp.Compare(len(l.Text)-3*errors, len(o.label.Text)-3*o.errors), cmp.Compare(len(l.Text), len(o.label.Text))) > 0 {
					here = append(here[:i], here[i+1:]...)
					spans = append(spans[:i], spans[i+1:]...)
					i--
				} else {
					keep = false
				}
			}
			if keep {
				here, spans = append(here, p), append(spans, [2]int{from, to})
			}
		}
		out = append(out, here...)
	}
	return out
}
