package specimen

import (
	"testing"

	"motcua/ocr/paper"
)

// BenchmarkDraw is what one page of the benchmark costs before anything is read.
func BenchmarkDraw(b *testing.B) {
	p := InventFor(paper.CCCD, 1)
	for b.Loop() {
		if _, _, err := Draw(Spec{Papers: []Paper{{Kind: paper.CCCD, Person: p, Skew: 2}}}, 1, Damage{Set: Office, Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
