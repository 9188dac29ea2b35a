package ocr_test

import (
	"testing"

	"motcua/ocr"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
	"motcua/ocr/vn"
)

// Every row of the table of kinds has a specimen, which is told, and of which nothing wrong goes by unflagged.
func TestEveryKindIsReadFromItsSpecimen(t *testing.T) {
	for i, k := range kinds.All {
		t.Run(string(k.ID), func(t *testing.T) {
			t.Parallel()
			seed := uint64(8100 + i)
			p := specimen.Paper{Kind: k.ID, Person: specimen.InventFor(k.ID, seed), Sides: []specimen.Side{specimen.Front}}
			spec := specimen.Spec{Papers: []specimen.Paper{p}, Tight: true}
			if k.Shape == kinds.Sheet {
				spec.DPI = 200 // a sheet takes long to draw
			}
			img, truth, err := specimen.Draw(spec, seed, specimen.Damage{Set: specimen.Clean, Seed: seed})
			if err != nil {
				t.Fatalf("%v; a new kind's specimen is an entry of listings in ocr/specimen/listed.go", err)
			}
			got := near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)})
			if len(got.Documents) != 1 || got.Documents[0].Type != k.ID {
				t.Fatalf("%v", got.Documents)
			}
			missing := 0
			for n, want := range truth.Papers[0].Fields {
				f, ok := got.Documents[0].Fields[n]
				switch {
				case !ok:
					missing++
				case !vn.Same(f.Value, want) && !f.Review:
					t.Errorf("%s: %q for %q, unflagged", n, f.Value, want)
				}
			}
			for _, n := range k.Required {
				if _, ok := got.Documents[0].Fields[n]; !ok && truth.Papers[0].Fields[n] != "" {
					t.Errorf("%q is printed as %s, which it requires, and was not read: a label of its row that is not as printed, or a value "+
						"that the field's type (ocr/fields) does not take", truth.Papers[0].Printed[n], n)
				}
			}
			if missing*4 > len(truth.Papers[0].Fields) {
				t.Errorf("%d of %d fields were not read: %v", missing, len(truth.Papers[0].Fields), got.Documents[0].Fields)
			}
		})
	}
}

// Cards with a name, a birth date and twelve figures, papers of other states, and sheets that quote the titles of ours: none is an
// identity paper, and nothing on them goes by unflagged.
func TestLookalikesAreNoneOfOurs(t *testing.T) {
	for i, like := range specimen.Lookalikes() {
		t.Run(like, func(t *testing.T) {
			t.Parallel()
			seed := uint64(8300 + i)
			p := specimen.Paper{Kind: paper.Other, Like: like, Person: specimen.InventFor(paper.CCCD, seed)}
			img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{p}, Tight: true, DPI: 200 + 100*(i%2)}, seed,
				specimen.Damage{Set: specimen.Clean, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)}).Documents {
				if d.Type != paper.Other {
					t.Errorf("told as %s", d.Type)
				}
				for n, f := range d.Fields {
					if !f.Review {
						t.Errorf("%s of it is used without a look: %v", n, f)
					}
				}
			}
		})
	}
}
