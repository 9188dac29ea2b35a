package ctc

import (
	"image"
	"math"
	"slices"
)

// Posterior is what the network saw along a line: at each place the logarithm of the probability of every sign. It tells
// how well a text that is known from elsewhere fits the print.
type Posterior struct {
	scores []float32 // places × stride
	stride int
}

// Look gives the posterior of the line in a strip; of a strip too small to hold one it is empty.
func (n *Network) Look(strip *image.Gray) Posterior {
	s := Prepare(strip)
	if s == nil {
		return Posterior{}
	}
	work, _ := n.scratches.Get().(*scratch)
	if work == nil {
		work = &scratch{}
	}
	defer n.scratches.Put(work)
	scores, places := n.run(work, s)
	stride := n.scores.out
	return Posterior{scores: append([]float32(nil), scores[:places*stride]...), stride: stride}
}

// Odds says by how many powers of e a text is less likely to stand on these lines, read one after the other, than what
// the network itself reads there: 0 is as likely, −2.3 a tenth, −7 a thousandth. A line may break the text at a space.
// Signs that the network doesn't know are passed over.
func (n *Network) Odds(lines []Posterior, text string) float64 {
	var places [][]float32
	for i, l := range lines {
		if l.stride == 0 {
			continue
		}
		if i > 0 && len(places) > 0 {
			places = append(places, nil) // where a line ends anything may be a space
		}
		for at := 0; at < len(l.scores); at += l.stride {
			places = append(places, l.scores[at:at+n.classes])
		}
	}
	if len(places) == 0 {
		return math.Inf(-1)
	}
	return forward(places, classesOf(text)) - forward(places, best(places))
}

// classesOf are the network's classes of a text's signs.
func classesOf(text string) []int {
	var out []int
	for _, r := range text {
		if c := classOf(r); c != blank {
			out = append(out, c)
		}
	}
	return out
}

// classOf is the class of a sign; blank for one that the network doesn't know.
func classOf(r rune) int { return slices.Index(Signs, r) + 1 }

// spaceClass is the class of the space between words, the first of Signs.
const spaceClass = 1

// logProb is the logarithm of a class's probability at a place; a place without scores is a line's end.
func logProb(place []float32, class int) float64 {
	if place != nil {
		return float64(place[class])
	}
	if class == blank || class == spaceClass {
		return 0
	}
	return never
}

// best is what the likeliest class of each place makes, repetitions and blanks dropped.
func best(places [][]float32) []int {
	var out []int
	last := blank
	for _, p := range places {
		top := spaceClass
		if p != nil {
			top = blank
			for c, v := range p {
				if v > p[top] {
					top = c
				}
			}
		}
		if top != blank && top != last {
			out = append(out, top)
		}
		last = top
	}
	return out
}

// forward is the logarithm of the probability that the classes stand along the places, over all ways to lay them
// (connectionist temporal classification, Graves et al. 2006, section 4.1).
func forward(places [][]float32, classes []int) float64 {
	signs := make([]int, 2*len(classes)+1) // a blank before, between and behind
	for i, c := range classes {
		signs[2*i+1] = c
	}
	now, next := make([]float64, len(signs)), make([]float64, len(signs))
	for i := range now {
		now[i] = never
	}
	now[0] = logProb(places[0], blank)
	if len(signs) > 1 {
		now[1] = logProb(places[0], signs[1])
	}
	for _, p := range places[1:] {
		for i, c := range signs {
			sum := now[i]
			if i > 0 {
				sum = logAdd(sum, now[i-1])
			}
			if i > 1 && c != blank && c != signs[i-2] {
				sum = logAdd(sum, now[i-2])
			}
			next[i] = max(sum+logProb(p, c), never)
		}
		now, next = next, now
	}
	end := now[len(signs)-1]
	if len(signs) > 1 {
		end = logAdd(end, now[len(signs)-2])
	}
	return end
}

func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if b <= never {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
