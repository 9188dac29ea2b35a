package ocr_test

import (
	"slices"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// A QR symbol is unsigned print. One that says other than the card it is stuck on is not believed, whether by one digit, one
// tone or everything, and the same card under its own symbol needs no look. That a card whose front alone is shown bears
// another day of issue on its back can't be seen.
func TestForgedCodeIsDoubted(t *testing.T) {
	for i, how := range specimen.Forgeries {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			kind := []paper.Kind{paper.CCCD, paper.CanCuoc}[i%2]
			seed := uint64(7000 + i)
			p := specimen.Paper{Kind: kind, Person: specimen.InventFor(kind, seed)}
			if i%4 == 0 {
				p.Sides = []specimen.Side{specimen.Front}
			}
			lying := specimen.Forge(p.Person, how, seed)
			forged := p
			forged.Code = &lying
			img, truth, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{forged}, Tight: true}, seed,
				specimen.Damage{Set: specimen.Clean, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			lies := truth.Papers[0].Lies
			if len(lies) == 0 {
				t.Fatal("the symbol tells the truth")
			}
			got := near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)})
			for _, d := range got.Documents {
				for n, f := range d.Fields {
					if slices.Contains(lies, n) && !f.Review && f.Value != truth.Papers[0].Fields[n] {
						t.Errorf("forged %s is used without a look: %v", n, f)
					}
				}
			}
			img, _, err = specimen.Draw(specimen.Spec{Papers: []specimen.Paper{p}, Tight: true}, seed,
				specimen.Damage{Set: specimen.Clean, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			got = near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)})
			if len(got.Documents) != 1 {
				t.Fatalf("%d documents", len(got.Documents))
			}
			for _, n := range lies {
				if f := got.Documents[0].Fields[n]; f.Review || f.Source != paper.QR {
					t.Errorf("genuine %s: %v, doubts %v", n, f, f.Doubts)
				}
			}
		})
	}
}
