package field

import (
	"slices"
	"strings"
	"unicode"

	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// line is a run's plain letters, and which of them stand in capitals.
type line struct {
	run      int
	letters  []byte
	capitals []bool
	of       []int // the word each letter is of
	words    []string
}

func linesOf(runs []Run) []line {
	out := make([]line, len(runs))
	for i, r := range runs {
		words := texts(r)
		letters, word, end := plain(words)
		capitals := make([]bool, len(letters))
		for j := range letters {
			capitals[j] = unicode.IsUpper([]rune(words[word[j]])[end[j]-1])
		}
		out[i] = line{i, letters, capitals, word, words}
	}
	return out
}

// rest is how many letters of its word stand behind a place.
func (l line) rest(at int) int {
	n := 0
	for at > 0 && at+n < len(l.of) && l.of[at+n] == l.of[at-1] {
		n++
	}
	return n
}

// inCapitals says whether most of these letters stand in capitals.
func (l line) inCapitals(from, to int) bool {
	n := 0
	for _, c := range l.capitals[from:to] {
		if c {
			n++
		}
	}
	return 2*n > to-from
}

// has says whether a text stands in the line, with as few letters misread as its length allows.
func (l line) has(text string) bool {
	from, to, errors := search(l.letters, text, allowed(len(text)))
	return to > from && errors <= allowed(len(text))
}

// titled is the kind of card whose title fits best, or paper.Other if that of a paper which only looks like one does; titles is
// how many titles were found. A misread letter costs three.
func titled(lines []line) (kind paper.Kind, side string, titles int) {
	var best bestTitle
	own := func(k *kinds.Kind) bool {
		n, vietnamese := marksOf(k, lines)
		return n > 0 && vietnamese || slices.ContainsFunc(lines, func(l line) bool { return strings.HasPrefix(string(l.letters), "CANCUOC") })
	}
	for _, l := range lines {
		if best.fit == 0 && foreignTitle(l) { // what is named below it is what it is about
			return paper.Other, "", 0
		}
		if best.better(l, own) {
			titles++
		}
		if best.kind == "" && len(l.letters) < 10 && l.has("CANCUOC") && string(l.letters) == "CANCUOC" {
			best.kind, best.side = paper.CanCuoc, "front"
		}
	}
	return best.kind, best.side, titles
}

// bestTitle is the title that fitted best so far.
type bestTitle struct {
	fit  int
	kind paper.Kind
	side string
}

// better takes a line's title where it fits better, and reports whether a card's title stands in the line. own tells whether other
// marks of a kind are there, without which a title that several kinds share says nothing.
func (c *bestTitle) better(l line, own func(*kinds.Kind) bool) (found bool) {
	for _, k := range kinds.All {
		if k.Shape == kinds.Sheet {
			continue
		}
		for _, t := range k.Titles {
			if n := titleFit(l, t.Text); n > 0 && (t.Shared || k.Shape == kinds.Booklet || tops(l, t.Text)) {
				found = true
				if n > c.fit && !(t.Shared && !own(k)) {
					*c = bestTitle{n, k.ID, t.Side}
				}
			}
		}
	}
	for _, t := range kinds.Unlike {
		if n := fit(l, t); n > c.fit && alone(l, t) {
			*c = bestTitle{n, paper.Other, ""}
		}
	}
	return found
}

// fit is how well a title stands in a line, 0 if it doesn't.
func fit(l line, title string) int {
	from, to, errors := search(l.letters, title, allowed(len(title)))
	if to <= from || errors > allowed(len(title)) {
		return 0
	}
	return len(title) - 3*errors
}

// titleFit is how well a title stands in a line that may be misread. What is left of the last word counts as misread, too: GIẤY BÁO THI
// is no giấy báo tử, GIẤY CHỨNG NHẬN no giấy chứng sinh of which two letters were lost. A title read without fault may have another word
// glued to it.
func titleFit(l line, title string) int {
	_, to, errors := search(l.letters, title, allowed(len(title)))
	switch {
	case errors == 0:
	case errors+l.rest(to) > allowed(len(title)):
		return 0
	case to < len(l.letters):
		if _, end, lost := search(l.letters, title[:len(title)-errors], 0); lost == 0 && end == to {
			return 0 // another word stands where the title's last would: GIẤY CHỨNG NHẬN has no chứng tử that lost its end
		}
	}
	return fit(l, title)
}

// tops says whether a title that fits a line is what the line says, in capitals: "TỜ KHAI CĂN CƯỚC CÔNG DÂN" and "mang theo căn
// cước công dân" only name the card. Before it stands no more than what the arms above it were misread for.
func tops(l line, title string) bool {
	from, to, _ := search(l.letters, title, allowed(len(title)))
	return from <= len(title)/2 && l.inCapitals(from, to)
}

// firstWords begin the titles of papers that are no identity cards, whatever else they say. Those of several words are plain letters.
var firstWords = []string{"THẺ", "GIẤY", "PHIẾU", "SỔ"}

var firstPhrases = []string{"TOKHAI", "HOPDONG", "HOADON", "THONGBAO", "QUYETDINH", "BIENBAN", "BIENLAI", "BIENNHAN", "CHUNGCHI",
	"CHUNGNHAN", "XACNHAN", "DONXIN", "DONDENGHI", "DONTRINHBAO", "DONDANGKY", "BANGTOTNGHIEP", "SOYEULYLICH", "BANKHAI"}

// foreignTitle says whether a line is in capitals the title of a paper, and of none of ours: a list of all there are can't be had, but they
// begin alike.
func foreignTitle(l line) bool {
	const fewest, most = 7, 60 // letters
	if len(l.letters) < fewest || len(l.letters) > most || len(l.words) < 2 || !l.inCapitals(0, len(l.letters)) || l.named() {
		return false
	}
	first := strings.TrimFunc(l.words[0], func(r rune) bool { return !unicode.IsLetter(r) })
	if l.has("SOGIAOTHONG") { // who issues licences; SỞ may be read as SỔ
		return false
	}
	if slices.ContainsFunc(firstPhrases, func(p string) bool { return strings.HasPrefix(string(l.letters), p) }) {
		return true
	}
	return slices.Contains(firstWords, vn.NFC(first)) && !slices.ContainsFunc(kinds.All, func(k *kinds.Kind) bool {
		return slices.ContainsFunc(k.Titles, func(t kinds.Title) bool { return resembles(l, t.Text) })
	})
}

// named says whether a line is somebody's name that sounds like a title: TÔ KHẢI MINH is no tờ khai, CHUNG CHÍ HÀO no chứng chỉ.
func (l line) named() bool {
	return len(l.words) > 1 && slices.Contains([]string{"TÔ KHẢI", "CHUNG CHÍ", "CHUNG NHÂN"}, vn.NFC(l.words[0]+" "+l.words[1]))
}

// resembles says whether a line may begin with a title of which up to a third was lost, or is one that lost up to half at
// its end.
func resembles(l line, title string) bool {
	if n := len(l.letters); n < len(title) && n >= len(title)/2 && fit(l, title[:n]) > 0 {
		return true
	}
	from, to, errors := search(l.letters, title, len(title)/3)
	return errors+l.rest(to) <= len(title)/3 && from <= shortLabel
}

// marksOf counts the kind's own marks that stand on the lines, each on letters of its own: "nơi thường trú" is but two
// letters from "nơi ĐK thường trú", and no second mark. vietnamese says whether one of them is not English.
func marksOf(k *kinds.Kind, lines []line) (n int, vietnamese bool) {
	type found struct{ mark, line, from, to, fit int }
	var all []found
	for i, m := range k.Marks {
		for _, text := range m {
			for j, l := range lines {
				if fits := fit(l, text); fits > 0 && !capitals(text, l) {
					from, to, _ := search(l.letters, text, allowed(len(text)))
					all = append(all, found{i, j, from, to, fits})
					vietnamese = vietnamese || !english(text)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return b.fit - a.fit })
	var kept []found
	for _, f := range all {
		if !slices.ContainsFunc(kept, func(o found) bool {
			return o.mark == f.mark || o.line == f.line && o.from < f.to && f.from < o.to
		}) {
			kept = append(kept, f)
		}
	}
	return len(kept), vietnamese
}

// capitals says whether what looks like a label is somebody's name: NGUYỄN QUÂN is no nguyên quán.
func capitals(text string, l line) bool { return text == "NGUYENQUAN" && len(l.letters) < len(text)+4 }

var englishWords = []string{"PLACEOF", "INDEXFINGER", "PERSONALIDENTIFICATIONNUMBER", "FORADMINISTRATIVE", "MINISTRYOF"}

func english(text string) bool {
	return slices.ContainsFunc(englishWords, func(w string) bool {
		return strings.HasPrefix(text, w) || strings.HasSuffix(text,
			w) && len(text) < 20
	})
}

// enoughMarks tell a kind without its title.
const enoughMarks = 2

// marked is the kind of card that its own marks tell, the one with the most of them. Where a passport has as many as a card, they are
// those that both bear, and tell neither.
func marked(lines []line) (best *kinds.Kind, marks int) {
	most := map[kinds.Shape]int{}
	bilingual := inEnglish(lines)
	for _, k := range kinds.All {
		if k.Shape == kinds.Sheet || k.English && !bilingual {
			continue
		}
		n, vietnamese := marksOf(k, lines)
		if !vietnamese {
			continue
		}
		most[k.Shape] = max(most[k.Shape], n)
		if n > marks {
			best, marks = k, n
		}
	}
	if most[kinds.Card] == most[kinds.Booklet] {
		return nil, 0
	}
	return best, marks
}

// unlike says whether a line is the title of a paper that is no kind of ours. Declarations name every other paper: what stands below
// their title is none of that name.
func unlike(l line) bool {
	return slices.ContainsFunc(kinds.Unlike, func(t string) bool { return fit(l, t) > 0 && alone(l, t) })
}

// alone says whether a title that stands in a line is what the line says, and no part of an address or a sentence: Cầu Giấy, Hà Nội
// is but a letter from giấy hẹn.
func alone(l line, title string) bool {
	if l.named() {
		return false
	}
	if len(title) <= 10 {
		at := strings.Index(string(l.letters), title)
		return at >= 0 && (len(l.letters) <= len(title)*3/2 || at == 0 && len(l.letters) <= len(title)+40)
	}
	return len(l.letters) <= 2*len(title)+10
}

// sheetKind is the kind of the sheet whose title stands first. A title stands on a line of its own, or nearly.
func sheetKind(lines []line) paper.Kind {
	for _, l := range lines {
		if unlike(l) {
			return paper.Other
		}
		if l.has("DANGKYKHAISINH") {
			continue // a label of the card of 2024, and but two letters from a title
		}
		best, length, kind := 0, 0, paper.Other
		for _, k := range kinds.All {
			if k.Shape != kinds.Sheet {
				continue
			}
			for _, t := range k.Titles {
				if n := titleFit(l, t.Text); n > best && len(l.letters) < len(t.Text)*3 && !goesOn(l, t.Text) {
					best, length, kind = n, len(t.Text), k.ID
				}
			}
		}
		if kind != paper.Other && best >= cardTitle(l, length) {
			return kind
		}
	}
	return paper.Other
}

// goesOn says whether more stands in capitals behind a title than that it is a copy: GIẤY CHỨNG NHẬN KẾT HÔN TÔN GIÁO is another paper.
func goesOn(l line, title string) bool {
	const fewest = 3 // letters
	_, to, _ := search(l.letters, title, allowed(len(title)))
	rest := l.letters[to:]
	if strings.HasPrefix(string(rest), "BAN") || strings.HasPrefix(string(rest), "SO") { // a copy, its number
		return false
	}
	return len(rest) >= fewest && l.inCapitals(to, len(l.letters))
}

// cardTitle is how well a card's title stands in a line, or as many of its first letters, of which the rest may be cut off: giấy chứng
// minh is but a letter from giấy chứng sinh.
func cardTitle(l line, letters int) int {
	best := 0
	for _, k := range kinds.All {
		if k.Shape == kinds.Sheet {
			continue
		}
		for _, t := range k.Titles {
			best = max(best, fit(l, t.Text), fit(l, t.Text[:min(len(t.Text), letters)]))
		}
	}
	return best
}
