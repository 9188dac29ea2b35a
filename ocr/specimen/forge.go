package specimen

import (
	"math/rand/v2"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Forgery is one way to lie in a QR symbol that is stuck over a card's own.
type Forgery string

// The ways, from the least to all of it.
const (
	OneDigit    Forgery = "digit"   // of the number
	OneTone     Forgery = "tone"    // of the name
	OneWord     Forgery = "word"    // of the name
	OneHouse    Forgery = "house"   // the number or the first word of the residence
	OneStreet   Forgery = "street"  // another word of it
	OtherBirth  Forgery = "birth"   // day or month
	OtherIssue  Forgery = "issue"   // day or month; in print on the back only
	OtherPerson Forgery = "another" // everything
)

// Forgeries lists the ways.
var Forgeries = []Forgery{OneDigit, OneTone, OneWord, OneHouse, OneStreet, OtherBirth, OtherIssue, OtherPerson}

// Forge gives the person of whom a forged symbol on the card of p speaks. Where p's values have no room for this way of lying it
// tells the truth.
func Forge(p Person, how Forgery, seed uint64) Person {
	rng := rand.New(rand.NewPCG(seed, 0x666f726765))
	q := p
	switch how {
	case OneDigit:
		at := 6 + rng.IntN(6)
		b := []byte(p.Number)
		b[at] = '0' + (b[at]-'0'+1+byte(rng.IntN(8)))%10
		q.Number = string(b)
	case OneTone:
		q.FullName = otherTone(p.FullName, rng)
	case OneWord:
		words := strings.Fields(p.FullName)
		at := len(words) - 1
		givens := vn.Givens(p.Sex)
		for words[at] == strings.Fields(p.FullName)[at] {
			words[at] = givens[rng.IntN(len(givens))].Text
		}
		q.FullName = strings.Join(words, " ")
	case OneHouse:
		words := strings.Fields(p.Residence)
		for i, w := range words {
			if n := strings.IndexFunc(w, unicode.IsDigit); n >= 0 {
				b := []byte(w)
				b[n] = '1' + (b[n]-'0'+byte(rng.IntN(7)))%9
				words[i] = string(b)
				break
			}
		}
		q.Residence = strings.Join(words, " ")
	case OneStreet:
		words := strings.Fields(p.Residence)
		at := rng.IntN(len(words))
		comma := strings.HasSuffix(words[at], ",")
		words[at] = []string{"Lừa", "Hải", "Bưởi", "Đảo", "Mộc"}[rng.IntN(5)]
		if comma {
			words[at] += ","
		}
		q.Residence = strings.Join(words, " ")
	case OtherBirth:
		q.Birth = time.Date(p.Birth.Year(), time.Month(1+rng.IntN(12)), 1+rng.IntN(28), 0, 0, 0, 0, time.UTC)
	case OtherIssue:
		q.Issue = p.Issue.AddDate(0, 0, 1+rng.IntN(60))
	case OtherPerson:
		o := Invent(seed ^ 0x6f74686572)
		q.Number, q.FullName, q.Birth, q.Sex, q.Residence, q.Issue, q.OldNumber = o.Number, o.FullName, o.Birth, o.Sex, o.Residence, o.Issue,
			o.OldNumber
	}
	return q
}

// lies are the fields in which a symbol that speaks of q differs from a card of p.
func lies(p, q Person) []paper.Name {
	var out []paper.Name
	for _, f := range []struct {
		name paper.Name
		same bool
	}{
		{paper.Number, q.Number == p.Number}, {paper.FullName, vn.Same(q.FullName, p.FullName)}, {paper.DateOfBirth, q.Birth.Equal(p.Birth)},
		{paper.Sex, q.Sex == p.Sex}, {paper.PlaceOfResidence, vn.Same(q.Residence, p.Residence)}, {paper.DateOfIssue, q.Issue.Equal(p.Issue)},
	} {
		if !f.same {
			out = append(out, f.name)
		}
	}
	return out
}

// otherTone gives a word of a name another tone mark, where its own stands or where one is written: over the vowel with a mark of
// its own, or the only one. A name with no room for one stays.
func otherTone(name string, rng *rand.Rand) string {
	words := strings.Fields(name)
	for range 30 {
		at := rng.IntN(len(words))
		letters, own, place := []rune{}, rune(0), -1
		vowels := 0
		for _, r := range norm.NFD.String(words[at]) {
			switch {
			case strings.ContainsRune(toneMarks, r):
				own, place = r, len(letters)
				continue
			case strings.ContainsRune(qualityMarks, r):
				place = len(letters) + 1
			case strings.ContainsRune("aeiouyAEIOUY", r):
				vowels++
			}
			letters = append(letters, r)
		}
		if place < 0 && vowels == 1 {
			place = strings.IndexAny(string(letters), "aeiouyAEIOUY") + 1
		}
		tone := []rune(toneMarks)[rng.IntN(5)]
		if place < 1 || place > len(letters) || tone == own || strings.ContainsAny(words[at], "đĐ") {
			continue
		}
		word := norm.NFC.String(string(letters[:place]) + string(tone) + string(letters[place:]))
		if vn.Spelled(word) && !vn.Same(word, words[at]) {
			words[at] = word
			return strings.Join(words, " ")
		}
	}
	return name
}

// toneMarks are the five tones that are written.
const toneMarks = "\u0300\u0301\u0303\u0309\u0323"

// qualityMarks make other vowels of a, e, o and u.
const qualityMarks = "\u0302\u0306\u031b"

// Rare gives a person a name of whose words most bear a tone that few names have: Kỷ, Vĩ, Mẫn, Oánh.
func Rare(p Person, seed uint64) Person {
	rng := rand.New(rand.NewPCG(seed, 0x72617265))
	words := strings.Fields(p.FullName)
	for i := 1; i < len(words); i++ {
		if i == len(words)-1 || rng.IntN(2) == 0 {
			words[i] = otherTone(words[i], rng)
		}
	}
	p.FullName = strings.Join(words, " ")
	p.Father, p.Mother = otherTone(p.Father, rng), otherTone(p.Mother, rng)
	return p
}
