package find

import (
	"image"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// Rows are joined in the order that trying every pair anew after each join gives: the pages that are read hang on it.
func TestTornRowsAreJoinedInTheSameOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 13))
	joined := 0
	for range 300 {
		var rows []row
		for range 2 + rng.IntN(60) {
			x, y := rng.IntN(600), 20*rng.IntN(6)+rng.IntN(8)
			box := image.Rect(x, y, x+5+rng.IntN(60), y+12+rng.IntN(8))
			rows = append(rows, row{box: box, last: box, glyphs: 1, torn: rng.IntN(8) / 7, tops: []int{box.Min.Y}, bottoms: []int{box.Max.Y}})
		}
		plain := slices.Clone(rows)
		slices.SortFunc(plain, func(a, b row) int { return a.box.Min.X - b.box.Min.X })
		for i := 0; i < len(plain); i++ {
			for j := range plain {
				if i != j && plain[i].goesOn(&plain[j]) {
					plain[i].join(plain[j])
					plain = slices.Delete(plain, j, j+1)
					joined++
					i = -1
					break
				}
			}
		}
		if got := joinTorn(rows); !reflect.DeepEqual(got, plain) {
			t.Fatalf("%d rows are %v, tried anew each time %v", len(rows), got, plain)
		}
	}
	if joined < 1000 {
		t.Errorf("%d rows were joined", joined)
	}
}
