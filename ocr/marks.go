package ocr

import (
	"cmp"
	"image"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"motcua/ocr/ctc"
	"motcua/ocr/field"
	"motcua/ocr/find"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// What marks the letters of a name or a place bear is asked of two networks: that of lines, which knows how syllables look, and that of
// marks, which sees one letter at a time and knows no syllable. Each is wrong where the other seldom is.

// rowsCut are the rows of a value, cut out by themselves and read by the network of lines.
type rowsCut struct {
	words   [][]lines.Word // of each row
	letters []ctc.Letter   // of all rows, one after the other
	windows []*image.Gray  // of each letter, where marks are asked for
}

// cutRows cuts out the rows of a value by so many pixels wider, and reads them.
func (c *card) cutRows(rows []image.Rectangle, wide int, marks bool) (rowsCut, error) {
	network, err := ctc.Load()
	if err != nil {
		return rowsCut{}, err
	}
	k := rowsCut{words: make([][]lines.Word, len(rows))}
	for i, r := range rows {
		strip := c.rowStrip(r, wide)
		if strip == nil {
			continue
		}
		var letters []ctc.Letter
		if marks {
			letters = network.ReadShapes(strip)
			k.windows = append(k.windows, ctc.Windows(strip, letters)...)
		} else {
			letters = network.Read(strip)
		}
		k.letters = append(k.letters, letters...)
		k.words[i] = words(letters, strip.Rect)
	}
	return k, nil
}

// text is what was read, without spaces.
func (k rowsCut) text() string {
	var b strings.Builder
	for _, l := range k.letters {
		if l.Sign != ' ' {
			b.WriteRune(l.Sign)
		}
	}
	return b.String()
}

// foundLetter is a letter of a value that was found in its rows.
type foundLetter struct {
	shape float64          // how sure it is but for its marks
	odds  map[rune]float64 // of the signs that it may be: how likely by both networks, logarithms, their sum over the cuts that were looked at
	cuts  int
}

// likeliest is the sign with the best odds, and by how much they are better than the next's, of one cut; false where it bears no marks.
func (f *foundLetter) likeliest() (sign rune, margin float64, ok bool) {
	if f == nil || f.cuts == 0 {
		return 0, 0, false
	}
	signs := slices.SortedFunc(maps.Keys(f.odds), func(a, b rune) int { return cmp.Or(cmp.Compare(f.odds[b], f.odds[a]), cmp.Compare(a, b)) })
	return signs[0], (f.odds[signs[0]] - f.odds[signs[1]]) / float64(f.cuts), true
}

// Margins between the likeliest marks of a letter and the next, as powers of e, of one cut. On 120 pages of names with rare tones in fonts
// that neither network had met, letters that came out wrong had less than openMargin; only dots of rules and dirt (specksAbout) had more.
const (
	sureMargin  = 5
	openMargin  = 1.5
	plainMargin = 10 // such a letter is not looked at again in another cut
)

// tellMarks reads the marks of a value's letters anew, by both networks in all cuts. Marks that come out other than they were read are
// taken, and the value stays in review.
func (c *card) tellMarks(n paper.Name, v *field.Value, cuts []rowsCut) error {
	found, err := findLetters(v.Text, cuts)
	if err != nil {
		return err
	}
	text := []rune(v.Text)
	shape, margin := 1.0, math.Inf(1)
	specked := sync.OnceValue(func() bool { return slices.ContainsFunc(v.Rows, c.specksAbout) })
	for i, f := range found {
		letter := unicode.IsLetter(text[i]) || unicode.IsDigit(text[i])
		switch {
		case f == nil && letter:
			shape = 0
		case f == nil:
		case letter:
			shape = min(shape, f.shape)
		case !unicode.IsSpace(text[i]) && f.shape < fair:
			shape = 0
		}
		switch sign, m, ok := f.likeliest(); {
		case !ok:
		case onlyDotted(sign, text[i]) && specked():
			margin = 0
		default:
			text[i], margin = sign, min(margin, m)
		}
	}
	switch marked := string(text); {
	case !vn.Same(marked, v.Text):
		v.Choices = slices.Insert(slices.DeleteFunc(v.Choices, func(o string) bool { return o == marked }), 0, v.Text)
		v.Text, v.Reread, v.Marks = marked, false, paper.MarksOpen
	case margin < openMargin:
		v.Marks = paper.MarksOpen
	case margin >= sureMargin && shape > distinct && !slices.ContainsFunc(cuts, func(k rowsCut) bool { return !k.sameLetters(n, v.Text) }):
		v.Marks = paper.MarksSure
	}
	return nil
}

// sameLetters says whether a cut reads the same, marks aside.
func (k rowsCut) sameLetters(n paper.Name, text string) bool {
	again, _, _ := field.FromRows(n, k.words)
	if isPlace(n) {
		again = field.Tidied(n, again)
	}
	return vn.Plain(again) == vn.Plain(text)
}

// findLetters finds the letters of a text in all cuts; nil for one that isn't there.
func findLetters(text string, cuts []rowsCut) ([]*foundLetter, error) {
	marks, err := ctc.LoadMarks()
	if err != nil {
		return nil, err
	}
	want := []rune(text)
	found := make([]*foundLetter, len(want))
	for _, k := range cuts {
		for i, at := range ctc.Align(k.letters, want) {
			if at < 0 {
				continue
			}
			if found[at] == nil {
				found[at] = &foundLetter{shape: 1, odds: map[rune]float64{}}
			}
			f, l := found[at], k.letters[i]
			f.shape = min(f.shape, l.Shape)
			if _, margin, ok := f.likeliest(); k.windows[i] == nil || ok && margin > plainMargin {
				continue
			}
			f.cuts++
			seen := marks.Tell(k.windows[i])
			for m, sign := range ctc.Marked(l.Sign) {
				f.odds[cased(sign, want[at])] += l.Marked[m] + seen.Of(sign)
			}
		}
	}
	return found, nil
}

// fewestSpecks is how many specks about a row make a dot that may be one of them.
const fewestSpecks = 4

// specksAbout says whether dirt or a dotted rule makes dots about a row, which under a letter look as nặng's.
func (c *card) specksAbout(row image.Rectangle) bool {
	about := row.Inset(-2 * row.Dy()).Intersect(c.img.Bounds())
	if row.Dy() < leastRow || about.Empty() {
		return false
	}
	var lines []image.Rectangle
	for _, l := range slices.Concat(c.lines, c.all) {
		lines = append(lines, l.Sub(about.Min))
	}
	k := find.NewInk(c.img.SubImage(about).(*image.Gray), 41, contrast(c.img))
	return k.Specks(row.Dy()/4, lines) >= fewestSpecks
}

// strayDot says whether a word bears the dot of nặng that it seldom has, with specks about: both networks and Tesseract saw the dot of
// "Tận An" for "Tân An", a speck as black as print.
func (c *card) strayDot(v *field.Value) bool {
	return v.Conf <= distinct && slices.ContainsFunc(placeWords(v.Text), func(w string) bool { return !vn.DotUsual(w) }) &&
		slices.ContainsFunc(v.Rows, c.specksAbout)
}

// onlyDotted says whether a sign is another with the dot of nặng.
func onlyDotted(sign, bare rune) bool {
	base, own, tone, _ := ctc.Parted(sign)
	otherBase, otherOwn, otherTone, _ := ctc.Parted(bare)
	return base == otherBase && own == otherOwn && tone == ctc.Dot && otherTone == ctc.Level
}

// cased is a sign in the case of another.
func cased(sign, like rune) rune {
	if unicode.IsUpper(like) {
		return unicode.ToUpper(sign)
	}
	return unicode.ToLower(sign)
}
