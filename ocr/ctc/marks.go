package ctc

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The line network reads a letter among its neighbours, and where the print leaves a mark open it sees the syllable that is usual: of
// names that nobody bears it took HỔNG for HỒNG. A second, smaller network looks at one letter at a time, by nothing but its window of
// pixels, in a finer raster, and says which marks it bears. It learned from other drawings of single letters (ocr/lab/lines, -marks).

//go:embed marks.bin
var markWeights []byte

// The window of a letter: the whole height of its line, and as much width as the widest capital takes with a little of its neighbours.
const (
	WindowHeight = 64
	WindowWidth  = 48
)

// Own is the mark that makes a letter another one, as a hat makes Ô of O.
type Own uint8

// The letters' own marks, in the order of the network's classes.
const (
	Bare Own = iota
	Hat
	Breve
	Horn
	Stroke // of Đ
	owns
)

// Tone is the mark that says how a syllable is sung.
type Tone uint8

// The tones, in the order of the network's classes: none, huyền, sắc, hỏi, ngã, nặng.
const (
	Level Tone = iota
	Grave
	Acute
	Hook
	Tilde
	Dot
	tones
)

var (
	ownMarks  = [owns]string{"", "\u0302", "\u0306", "\u031b", ""}
	toneMarks = [tones]string{"", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"}
)

// parts are what a sign is made of, and the signs that it may be with other marks.
type parts struct {
	base   rune
	own    Own
	tone   Tone
	bears  bool
	marked []rune
}

// signParts are the parts of all Signs: they are asked for at each letter of each value.
var signParts = sync.OnceValue(func() map[rune]*parts {
	all := map[rune]*parts{}
	same := map[rune][]rune{}
	for _, r := range Signs {
		p := &parts{}
		p.base, p.own, p.tone, p.bears = parted(r)
		all[r] = p
		same[p.base] = append(same[p.base], r)
	}
	for _, p := range all {
		if p.bears {
			p.marked = same[p.base]
		}
	}
	return all
})

// Parted parts a letter into what is left without marks, and these. ok says whether it is one that can bear a mark.
func Parted(r rune) (base rune, own Own, tone Tone, ok bool) {
	if p := signParts()[r]; p != nil {
		return p.base, p.own, p.tone, p.bears
	}
	return parted(r)
}

func parted(r rune) (base rune, own Own, tone Tone, ok bool) {
	switch r {
	case 'Đ':
		return 'D', Stroke, Level, true
	case 'đ':
		return 'd', Stroke, Level, true
	}
	for i, c := range norm.NFD.String(string(r)) {
		switch {
		case i == 0:
			base = c
		case slices.Contains(toneMarks[1:], string(c)):
			tone = Tone(slices.Index(toneMarks[:], string(c)))
		default:
			own = Own(max(0, slices.Index(ownMarks[:Stroke], string(c))))
		}
	}
	return base, own, tone, strings.ContainsRune("AEIOUYDaeiouyd", base)
}

// Marked are the signs that a letter may be with other marks, itself among them; nil of one that bears none.
func Marked(r rune) []rune {
	if p := signParts()[r]; p != nil {
		return p.marked
	}
	return nil
}

// Windows are what the network of marks sees of the letters of a strip, as Network.Read gives them: for each its pixels, 255 the blackest
// ink; nil for a letter that bears no marks.
func Windows(strip *image.Gray, letters []Letter) []*image.Gray {
	out := make([]*image.Gray, len(letters))
	s := prepare(strip, WindowHeight)
	if s == nil {
		return out
	}
	b := strip.Bounds()
	for i, l := range letters {
		if _, _, _, ok := Parted(l.Sign); !ok {
			continue
		}
		middle := (l.From + l.To - 2*b.Min.X) * s.Rect.Dx() / (2 * b.Dx())
		w := image.NewGray(image.Rect(0, 0, WindowWidth, WindowHeight))
		from := middle - WindowWidth/2
		first, end := max(0, -from), min(WindowWidth, s.Rect.Dx()-from)
		for y := range WindowHeight {
			if first < end {
				copy(w.Pix[y*w.Stride+first:y*w.Stride+end], s.Pix[y*s.Stride+from+first:])
			}
		}
		out[i] = w
	}
	return out
}

// Align gives for each letter that was read the place in a text of the one that it is, marks and case aside; -1 for one that is none of
// them. It takes the way of the fewest edits.
func Align(read []Letter, text []rune) []int {
	want := make([]rune, len(text))
	for j, r := range text {
		base, _, _, _ := Parted(r)
		want[j] = unicode.ToUpper(base)
	}
	same := func(i, j int) bool {
		base, _, _, _ := Parted(read[i].Sign)
		return unicode.ToUpper(base) == want[j]
	}
	cost := make([][]int, len(read)+1) // of what is left from i and j on
	for i := len(read); i >= 0; i-- {
		cost[i] = make([]int, len(want)+1)
		for j := len(want); j >= 0; j-- {
			switch {
			case i == len(read):
				cost[i][j] = len(want) - j
			case j == len(want):
				cost[i][j] = len(read) - i
			case same(i, j):
				cost[i][j] = cost[i+1][j+1]
			default:
				cost[i][j] = 1 + min(cost[i+1][j+1], cost[i+1][j], cost[i][j+1])
			}
		}
	}
	out := make([]int, len(read))
	for i, j := 0, 0; i < len(read); {
		out[i] = -1
		switch {
		case j == len(want):
			i++
		case same(i, j):
			out[i] = j
			i, j = i+1, j+1
		case cost[i][j] == 1+cost[i+1][j+1]:
			i, j = i+1, j+1
		case cost[i][j] == 1+cost[i+1][j]:
			i++
		default:
			j++
		}
	}
	return out
}

// Marks is the network that tells the marks of one letter. It is safe for concurrent use.
type Marks struct {
	convs     [4]layer
	whole     layer // of the window
	scores    layer
	scratches sync.Pool // of *scratch
}

// LoadMarks gives the network of marks that the program carries.
func LoadMarks() (*Marks, error) { return loadedMarks() }

var loadedMarks = sync.OnceValues(func() (*Marks, error) {
	limit(0)
	return parseMarks(markWeights)
})

// parseMarks reads what marks.py wrote: a head of shapes, then half floats, layer by layer, in PyTorch's order of axes.
func parseMarks(b []byte) (*Marks, error) {
	const head = 4 + 5*2
	if len(b) < head || string(b[:4]) != "mctm" {
		return nil, fmt.Errorf("load network of marks: not one")
	}
	r := weightReader{left: b[head:]}
	m := &Marks{}
	in := 1
	for i := range m.convs {
		out := int(binary.LittleEndian.Uint16(b[4+2*i:]))
		m.convs[i] = r.conv(in, out, 9)
		in = out
	}
	out := int(binary.LittleEndian.Uint16(b[12:]))
	m.whole = r.conv(in, out, 12)
	m.scores = r.conv(out, int(owns)+int(tones), 1)
	if r.short || len(r.left) != 0 {
		return nil, fmt.Errorf("load network of marks: its length does not fit its shape")
	}
	return m, nil
}

// MarkOdds are the logarithms of the probabilities of a letter's marks.
type MarkOdds struct {
	Own  [owns]float32
	Tone [tones]float32
}

// Of is the logarithm of the probability that a letter bears the marks of this sign.
func (o MarkOdds) Of(sign rune) float64 {
	_, own, tone, _ := Parted(sign)
	return float64(o.Own[own]) + float64(o.Tone[tone])
}

// Tell says of a letter's window, as Windows gives it, how likely each of its marks is.
func (m *Marks) Tell(window *image.Gray) MarkOdds {
	s, _ := m.scratches.Get().(*scratch)
	if s == nil {
		s = &scratch{}
	}
	defer m.scratches.Put(s)
	p := plane{h: WindowHeight, w: WindowWidth, c: 1}
	in, segment := s.pixels(window, p.w), 4
	for i, l := range m.convs {
		out := s.planes[i].plane(p.h/2, p.w/2, l.out)
		l.pooled(s, in, p, segment, [2]int{2, 2}, out)
		p, in, segment = out, s.whole(out.v), 3*l.out
	}
	x := s.lines[1].floats(m.whole.out)
	m.whole.rows(s, in, p.at(0, 0), (p.w+2)*p.c, p.c, p.h, p.w*p.c, 1, x, true, nil)
	y := s.lines[2].floats(m.scores.out)
	m.scores.rows(s, s.whole(x), 0, 0, m.whole.out, 1, m.whole.out, 1, y, false, nil)
	var o MarkOdds
	copy(o.Own[:], y)
	copy(o.Tone[:], y[owns:])
	logOdds(o.Own[:])
	logOdds(o.Tone[:])
	return o
}

// logOdds turns scores into the logarithms of probabilities.
func logOdds(scores []float32) {
	sum := 0.0
	for _, v := range scores {
		sum += math.Exp(float64(v))
	}
	for i := range scores {
		scores[i] -= float32(math.Log(sum))
	}
}
