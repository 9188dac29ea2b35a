package vn

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NameScore says how common the syllables of a name are, from 0 (none is known) to 1 (all are). Rare
// names exist: a low score may raise doubt or decide between two readings that are alike otherwise, and
// nothing more.
func NameScore(name string) float64 {
	words := strings.Fields(name)
	if len(words) == 0 {
		return 0
	}
	known := 0
	for i, w := range words {
		k := Fold(w)
		_, family := nameIndex().family[k]
		_, other := nameIndex().other[k]
		if i == 0 && family || i > 0 && (other || family) {
			known++
		}
	}
	return float64(known) / float64(len(words))
}

// Family says whether the word is a known family name, and how common it is in thousandths.
func Family(word string) (share int, known bool) {
	share, known = nameIndex().family[Fold(word)]
	return share, known
}

// DotUsual says whether a word that bears the dot of nặng is at least as common in names and places so as without it: Thị is, Tận is not.
func DotUsual(word string) bool {
	const dot = "\u0323"
	with := norm.NFC.String(strings.ToLower(word))
	without := norm.NFC.String(strings.ReplaceAll(norm.NFD.String(with), dot, ""))
	return with == without || syllableCounts()[with] > 0 && syllableCounts()[with] >= syllableCounts()[without]
}

// syllableCounts are how often syllables stand in the names of communes, and how common they are in those of persons, in small letters.
var syllableCounts = sync.OnceValue(func() map[string]int {
	n := map[string]int{}
	for _, l := range [][]Share{families, maleMiddle, femaleMiddle, maleGiven, femaleGiven} {
		for _, s := range l {
			n[norm.NFC.String(strings.ToLower(s.Text))] += s.Share
		}
	}
	for _, list := range communeIndex() {
		for _, w := range strings.FieldsFunc(strings.ToLower(list), func(r rune) bool { return !unicode.IsLetter(r) }) {
			n[norm.NFC.String(w)]++
		}
	}
	return n
})

// Syllable says whether the word is known as a part of names.
func Syllable(word string) bool {
	k := Fold(word)
	_, family := nameIndex().family[k]
	_, other := nameIndex().other[k]
	return family || other
}

type names struct{ family, other map[string]int }

var nameIndex = sync.OnceValue(func() names {
	n := names{map[string]int{}, map[string]int{}}
	for _, s := range families {
		n.family[Fold(s.Text)] += s.Share
	}
	for _, l := range [][]Share{maleMiddle, femaleMiddle, maleGiven, femaleGiven} {
		for _, s := range l {
			n.other[Fold(s.Text)] += s.Share
		}
	}
	for _, h := range highlandHeads {
		n.family[Fold(h)]++
	}
	for _, w := range highlandWords {
		n.other[Fold(w)]++
	}
	return n
})

// Initials, nuclei with their possible finals: the shape of a Vietnamese syllable.
var (
	initials = strings.Fields("ngh ng gh gi kh nh ph qu th tr ch b c d đ g h k l m n p r s t v x")
	finals   = strings.Fields("ng nh ch c m n p t")
	nuclei   = strings.Fields(`a ă â e ê i o ô ơ u ư y ai ao au ay âu ây eo êu ia iê iu oa oă oe oi oo ôi ơi ua uâ uê ui uô uơ uy
		ưa ưi ươ ưu yê
		iêu oai oao oay oeo uao uây uôi uya uyê uyu ươi ươu yêu uơi`)
)

// Of these the first take no final, and the others don't go without one: hương is a word, huơng and hươ are none.
var (
	open   = strings.Fields(`ai ao au ay âu ây eo êu ia iu oi ôi ơi ua ui uơ ưa ưi ưu oai oao oay oeo uao uây uôi uya uyu ươi ươu yêu iêu`)
	closed = strings.Fields("ă â iê oă oo uâ uô ươ yê uyê")
)

// Spelled says whether a word can be a Vietnamese syllable: an initial, a vowel group and a final that go
// together, and the tones that syllables ending in a stop can bear. Words of other languages (place names
// of the highlands, foreign names) are not spelled so.
func Spelled(word string) bool {
	s, tone, ok := toneless(word)
	if !ok || s == "" {
		return false
	}
	for _, i := range append([]string{""}, initials...) {
		rest, ok := strings.CutPrefix(s, i)
		if !ok {
			continue
		}
		for _, f := range append([]string{""}, finals...) {
			mid, ok := strings.CutSuffix(rest, f)
			if !ok || stops(f) && tone != acute && tone != dotBelow {
				continue
			}
			if i == "gi" && mid == "" && !stops(f) {
				return f == "" || f == "n" // gì, gìn
			}
			if goTogether(mid, f) {
				return true
			}
		}
	}
	return false
}

// toneless is a word in small letters without its tone, which is 0 where it has none; a word with two tones is not ok.
func toneless(word string) (letters string, tone rune, ok bool) {
	var all []rune
	for _, r := range norm.NFD.String(strings.ToLower(strings.TrimFunc(word, unicode.IsPunct))) {
		if !isTone(r) {
			all = append(all, r)
			continue
		}
		if tone != 0 {
			return "", 0, false
		}
		tone = r
	}
	return norm.NFC.String(string(all)), tone, true
}

// stops says whether a final is a stop.
func stops(final string) bool { return final == "c" || final == "ch" || final == "p" || final == "t" }

// goTogether says whether a vowel group can stand before a final, "" for none.
func goTogether(nucleus, final string) bool {
	if final == "" && slices.Contains(closed, nucleus) || final != "" && slices.Contains(open, nucleus) {
		return false
	}
	return slices.Contains(nuclei, nucleus)
}

// Respelled lists the Vietnamese syllables that a word which can be none differs from by the marks of one or two of its letters: DUỢC
// gives DƯỢC and ĐƯỢC, whose Ư lost its horn. A word that is spelled as it should has none.
func Respelled(word string) []string {
	letters := []rune(norm.NFC.String(word))
	if Spelled(word) || len(letters) == 0 || len(letters) > 7 {
		return nil
	}
	var out []string
	for i := range letters {
		for _, a := range marked(letters[i]) {
			one := slices.Clone(letters)
			one[i] = a
			if s := string(one); Spelled(s) {
				out = append(out, s)
				continue
			}
			for j := i + 1; j < len(letters); j++ {
				for _, b := range marked(letters[j]) {
					two := slices.Clone(one)
					two[j] = b
					if s := string(two); Spelled(s) && len(out) < mostRespelled {
						out = append(out, s)
					}
				}
			}
		}
	}
	return out
}

// Parted lists the two syllables that a word which can be none may be, where the space between them was lost: MÃTHỊ gives MÃ THỊ. A word
// that is spelled as it should has none.
func Parted(word string) []string {
	letters := []rune(norm.NFC.String(word))
	if Spelled(word) {
		return nil
	}
	var out []string
	for i := 2; i+2 <= len(letters); i++ { // a lone letter is hardly a name
		if a, b := string(letters[:i]), string(letters[i:]); Spelled(a) && Spelled(b) {
			out = append(out, a+" "+b)
		}
	}
	return out
}

// mostRespelled bounds Respelled: a word with more readings than this says nothing.
const mostRespelled = 12

// marked are the letters with the same tone that a letter may be with another mark of its vowel, or đ for d.
func marked(r rune) []rune {
	groups := []string{"aăâ", "eê", "oôơ", "uư", "dđ"}
	var tone rune
	base := []rune{}
	for _, d := range norm.NFD.String(string(r)) {
		if isTone(d) {
			tone = d
		} else {
			base = append(base, d)
		}
	}
	plain := []rune(norm.NFC.String(string(base)))
	if len(plain) != 1 {
		return nil
	}
	low := unicode.ToLower(plain[0])
	var out []rune
	for _, g := range groups {
		if !strings.ContainsRune(g, low) {
			continue
		}
		for _, o := range g {
			if o == low {
				continue
			}
			if plain[0] != low {
				o = unicode.ToUpper(o)
			}
			s := string(o)
			if tone != 0 {
				s += string(tone)
			}
			if full := []rune(norm.NFC.String(s)); len(full) == 1 {
				out = append(out, full[0])
			}
		}
	}
	return out
}

// Alike lists the known name syllables that are written with the same plain letters as word, the most common
// first: "NGUYÊN" gives Nguyễn and Nguyên. Tone marks are the first thing a worn print loses.
func Alike(word string) []string { return alikeIndex()[Plain(NFC(word))] }

var alikeIndex = sync.OnceValue(func() map[string][]string {
	shares := map[string]int{}
	for _, l := range [][]Share{families, maleMiddle, femaleMiddle, maleGiven, femaleGiven} {
		for _, s := range l {
			shares[s.Text] += s.Share
		}
	}
	index := map[string][]string{}
	for t := range shares {
		k := Plain(t)
		index[k] = append(index[k], t)
	}
	for _, l := range index {
		slices.SortFunc(l, func(a, b string) int { return cmp.Or(shares[b]-shares[a], strings.Compare(a, b)) })
	}
	return index
})

// PlaceSyllable says whether the word is a part of the name of a province, a district or a commune.
func PlaceSyllable(word string) bool {
	w := Fold(word)
	return placeSyllables()[w] || communeSyllables()[w]
}

var placeSyllables = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for _, p := range provinces {
		for _, w := range strings.Fields(Fold(p.Name + " " + p.Into + " " + districts[p.Code])) {
			known[w] = true
		}
	}
	return known
})
