package field

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever has few enough errors is found by its pieces.
func TestMayHoldMissesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		pattern := make([]byte, 3+r.IntN(14))
		for i := range pattern {
			pattern[i] = "ABILOQ"[r.IntN(6)]
		}
		text := make([]byte, r.IntN(20))
		for i := range text {
			text[i] = "ABILOQ"[r.IntN(6)]
		}
		text = append(text, pattern...)
		for range r.IntN(4) {
			text[r.IntN(len(text))] = 'Z'
		}
		if r.IntN(2) == 0 {
			i := r.IntN(len(text))
			text = slices.Delete(text, i, i+1)
		}
		_, _, errors := search(text, string(pattern), len(pattern))
		for most := range 4 {
			if errors <= most && most < len(pattern) && !mayHold(text, string(pattern), most) {
				t.Fatalf("%s stands in %s with %d errors", pattern, text, errors)
			}
		}
	}
}
