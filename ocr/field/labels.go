package field

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"motcua/ocr/kinds"
	"motcua/ocr/lines"
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
	either bool // it may as well be the label of another field
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

// endsAsPrinted says whether a label that differs from the holder's by its last word ends with that word: "Họ, chữ đệm, tên:
// PHẠM" is but a letter from "họ, chữ đệm, tên cha". Names stand in capitals, where labels don't.
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
		t := plainTextOf(texts(run))
		var here []located
		for _, l := range labels {
			if f, ok := t.locate(l); ok && !(f.errors > 0 && len(l.Text) <= wordLabel && surelyRead(run.Words[f.from:f.to])) {
				f.run = r
				here = better(here, f)
			}
		}
		for _, f := range here {
			out = append(out, f.place)
		}
	}
	return out
}

// sureWord is how sure a word must be to be none that was misread.
const sureWord = 0.9

// surelyRead says whether all words are syllables that were read well: they are no misread label, but sound like one, as "Di Linh" does
// like "dị hình", "Giao Tân, Giao Thủy" like "tôn giáo", "Gio Linh" like "giới tính".
func surelyRead(words []lines.Word) bool {
	return !slices.ContainsFunc(words, func(w lines.Word) bool { return w.Conf < sureWord || !vn.Spelled(w.Text) })
}

// plainText is a run's words and their plain letters: letter i is of word word[i] and ends before that word's end[i]-th.
type plainText struct {
	words     []string
	letters   []byte
	word, end []int
}

func plainTextOf(words []string) plainText {
	letters, word, end := plain(words)
	return plainText{words, letters, word, end}
}

// located is a label's place with the letters it stands on.
type located struct {
	place
	first, last int // letters of the run, last excluded
}

// shortLabel is the number of letters up to which a label must be words of its own; one as long as wordLabel may begin within a word.
const (
	shortLabel = 4
	wordLabel  = 10
)

// locate finds where in a run a label stands, if it does.
func (t plainText) locate(l kinds.Label) (f located, ok bool) {
	from, to, errors := search(t.letters, l.Text, allowed(len(l.Text)))
	if errors > allowed(len(l.Text)) || to <= from {
		return f, false
	}
	// A label begins where a word begins: Hưng Lợi, Ninh Kiều is no giới tính.
	if len(l.Text) <= wordLabel && t.within(from) && t.end[from] == t.end[from-1]+1 {
		return f, false
	}
	if to, ok = t.endOf(l, to); !ok {
		return f, false
	}
	first, last := t.word[from], t.word[to-1]
	// NGUYỄN XUÂN and NGUYỄN QUÂN are names; the label is never printed in capitals.
	if l.Text == "NGUYENQUAN" && !strings.ContainsFunc(strings.Join(t.words[first:last+1], ""), unicode.IsLower) {
		return f, false
	}
	if l.Of != kinds.Holder && !endsAsPrinted(l.Text, t.letters[from:to], t.words[first], t.words[last]) {
		return f, false
	}
	if len(l.Text) <= shortLabel && (t.within(from) || t.within(to) || l.Field == paper.Number && houseNumber(t.words[last+1:])) {
		return f, false
	}
	f = located{place{label: l, from: first, to: last + 1, errors: errors}, from, to}
	rest := []rune(t.words[last])[t.end[to-1]:]
	if slices.ContainsFunc(rest, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		f.inside = t.end[to-1]
	}
	return f, true
}

// within says whether the letter at i goes on with the word of the one before it.
func (t plainText) within(i int) bool {
	return i > 0 && i < len(t.letters) && t.word[i-1] == t.word[i]
}

// endOf says whether a label ends where a word ends, or where something other than a letter follows, and where: NGUYỄN QUANG is not
// nguyên quán.
func (t plainText) endOf(l kinds.Label, to int) (int, bool) {
	if !t.within(to) {
		return to, true
	}
	rest := []rune(t.words[t.word[to]])[t.end[to-1]:]
	switch {
	case len(rest) == 0 || !unicode.IsLetter(rest[0]):
		return to, true
	case len(rest) == 1 && len(l.Text) > wordLabel:
		return to + 1, true // its last letter was misread
	}
	return to, false
}

// better adds a label to those of a run unless one on the same letters has a better share of fitting letters, and drops those that have a
// worse.
func better(here []located, f located) []located {
	worse := func(o located) bool {
		return cmp.Or(cmp.Compare(f.fit(), o.fit()), cmp.Compare(len(f.label.Text), len(o.label.Text))) > 0
	}
	over := func(o located) bool { return o.first < f.last && f.first < o.last }
	keep := !slices.ContainsFunc(here, func(o located) bool { return over(o) && !worse(o) })
	here = slices.DeleteFunc(here, func(o located) bool { return over(o) && worse(o) })
	if keep {
		here = append(here, f)
	}
	return here
}

// fit is how well a label stands there: a misread letter costs three.
func (p place) fit() int { return len(p.label.Text) - 3*p.errors }
