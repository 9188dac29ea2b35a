package ctc

import (
	"image"
	"math"
	"slices"
	"strings"
	"sync"
)

// Letter is one sign as read.
type Letter struct {
	Sign     rune
	From, To int     // columns of the strip, in its pixels
	Prob     float64 // the network's own probability, 0…1, that this sign stands here and no other beside it
	Shape    float64 // that it stands here with whatever marks; 0 if ReadShapes didn't read it
	// Marked are the logarithms of the most probability that each sign which Marked lists has anywhere in the letter's room; nil for a letter
	// that can bear no marks, and if ReadShapes didn't read it.
	Marked []float64
}

// Read reads the line in a strip. A strip too small to hold one gives nothing.
func (n *Network) Read(strip *image.Gray) []Letter { return n.read(strip, nil, nil) }

// ReadShapes is Read that also tells how sure the letters are but for their marks.
func (n *Network) ReadShapes(strip *image.Gray) []Letter { return n.read(strip, nil, kin()) }

// ReadOnly is Read where only some signs can stand.
func (n *Network) ReadOnly(strip *image.Gray, signs string) []Letter {
	only := make([]bool, n.classes)
	only[blank] = true
	for i, r := range Signs {
		only[i+1] = strings.ContainsRune(signs, r)
	}
	return n.read(strip, only, nil)
}

func (n *Network) read(strip *image.Gray, only []bool, kin [][]int) []Letter {
	s := Prepare(strip)
	if s == nil {
		return nil
	}
	work, _ := n.scratches.Get().(*scratch)
	if work == nil {
		work = &scratch{}
	}
	defer n.scratches.Put(work)
	scores, places := n.run(work, s)
	if only != nil {
		for t := range places {
			at := scores[t*n.scores.out:][:n.classes]
			for c := range at {
				if !only[c] {
					at[c] = never
				}
			}
		}
		normalise(scores, places, n.scores.out, n.classes)
	}
	letters := n.letters(scores, places, kin)
	b := strip.Bounds()
	wide := 4 * float64(b.Dx()) / float64(s.Rect.Dx())
	for i := range letters {
		l := &letters[i]
		l.From, l.To = b.Min.X+int(float64(l.From)*wide), b.Min.X+min(b.Dx(), int(math.Ceil(float64(l.To)*wide)))
	}
	return letters
}

// never is the logarithm of no probability at all.
const never = -1e9

// letters takes the likeliest sign of each place, drops repetitions and blanks, and weighs for each letter what else
// the network saw there.
func (n *Network) letters(scores []float32, places int, kin [][]int) []Letter {
	at := placeScores{scores, n.scores.out, n.classes, kin}
	var out []Letter
	var classes []int
	last := blank
	for t := range places {
		best := at.best(t)
		switch {
		case best == blank:
		case best == last:
			l := &out[len(out)-1]
			l.To, l.Prob = t+1, max(l.Prob, at.prob(t, best))
		default:
			out = append(out, Letter{Sign: Signs[best-1], From: t, To: t + 1, Prob: at.prob(t, best)})
			if kin != nil {
				out[len(out)-1].Shape = 1
			}
			classes = append(classes, best)
		}
		last = best
	}
	for i := -1; i < len(out); i++ {
		at.doubt(out, classes, i, places)
	}
	if kin != nil {
		at.weighMarks(out, places)
	}
	widen(out, places)
	return out
}

// weighMarks says of each letter how likely the others with its shape are in its room, which ends half the way to its neighbours.
func (s placeScores) weighMarks(letters []Letter, places int) {
	for i := range letters {
		l := &letters[i]
		from, to := 0, places
		if i > 0 {
			from = (letters[i-1].To + l.From + 1) / 2
		}
		if i+1 < len(letters) {
			to = (l.To + letters[i+1].From + 1) / 2
		}
		for _, sign := range Marked(l.Sign) {
			most, class := math.Inf(-1), classOf(sign)
			for t := from; t < to; t++ {
				most = max(most, float64(s.scores[t*s.stride+class]))
			}
			l.Marked = append(l.Marked, most)
		}
	}
}

// placeScores are the logarithms of the probabilities of all classes at each place of a line, as run gives them.
type placeScores struct {
	scores          []float32
	stride, classes int
	kin             [][]int // of each class those of the same letter with other marks; nil where nobody asks
}

func (s placeScores) prob(t, class int) float64 { return math.Exp(float64(s.scores[t*s.stride+class])) }

// best is the likeliest class at place t.
func (s placeScores) best(t int) int {
	best := 0
	for c, v := range s.scores[t*s.stride : t*s.stride+s.classes] {
		if v > s.scores[t*s.stride+best] {
			best = c
		}
	}
	return best
}

// doubt lowers the probability of letters i and i+1 (-1 and len(letters): the ends of the line) by what stands between their
// middles: only these and the blank are expected there, so whatever else is likely puts the nearer in doubt, and far from both
// the one before.
func (s placeScores) doubt(letters []Letter, classes []int, i, places int) {
	before, behind := i >= 0, i+1 < len(letters)
	from, to := 0, places
	if before {
		from = (letters[i].From + letters[i].To) / 2
	}
	if behind {
		to = (letters[i+1].From + letters[i+1].To + 1) / 2
	}
	for t := from; t < to; t++ {
		fits := s.prob(t, blank)
		if before {
			fits += s.prob(t, classes[i])
		}
		if behind && (!before || classes[i+1] != classes[i]) {
			fits += s.prob(t, classes[i+1])
		}
		second := behind && t > letters[i+1].From-3
		if before && (t < letters[i].To+2 || behind && !second) {
			s.lower(&letters[i], fits, t, classes, i)
		}
		if second {
			s.lower(&letters[i+1], fits, t, classes, i)
		}
	}
}

// lower lowers what is given to a letter to what fits at place t, between letters i and i+1.
func (s placeScores) lower(l *Letter, fits float64, t int, classes []int, i int) {
	l.Prob = min(l.Prob, fits)
	if s.kin != nil {
		l.Shape = min(l.Shape, fits+s.others(t, classes, i))
	}
}

// others is the probability at place t of the letters i and i+1 with other marks.
func (s placeScores) others(t int, classes []int, i int) (sum float64) {
	for j := max(i, 0); j < min(i+2, len(classes)); j++ {
		for _, c := range s.kin[classes[j]] {
			if j == i && i+1 < len(classes) && c == classes[i+1] || j > max(i, 0) && (c == classes[j-1] || slices.Contains(s.kin[classes[j-1]], c)) {
				continue // counted
			}
			sum += s.prob(t, c)
		}
	}
	return sum
}

// kin are of each class the others of the same letter with other marks.
var kin = sync.OnceValue(func() [][]int {
	out := make([][]int, len(Signs)+1)
	for i, r := range Signs {
		out[i+1] = slices.DeleteFunc(classesOf(string(Marked(r))), func(c int) bool { return c == i+1 })
	}
	return out
})

// widen makes of the places at which letters were recognised, which may be narrower than these, the room that each
// takes: to half the way to its neighbours, and at the ends as far as to the one neighbour.
func widen(letters []Letter, places int) {
	mids := make([]int, len(letters)) // doubled
	for i, l := range letters {
		mids[i] = l.From + l.To
	}
	for i := range letters {
		l := &letters[i]
		before, behind := 6, 6 // a letter by itself is about as wide as high
		if len(letters) > 1 {
			before, behind = mids[max(i, 1)]-mids[max(i, 1)-1], mids[min(i+1, len(mids)-1)]-mids[min(i, len(mids)-2)]
		}
		l.From = min(l.From, max(0, (mids[i]-before/2)/2))
		l.To = max(l.To, min(places, (mids[i]+behind/2+1)/2))
	}
}
