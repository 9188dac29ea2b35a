package ecopy_test

import (
	"bytes"
	"strings"
	"testing"

	"motcua/agent/ecopy"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// heldBack is the first seed that nobody tunes the reader on (ocr/lab/bench).
const heldBack = 1_000_000

// near is how many letters of a value stand in a text, in their order and at one place: what is left after the least edits.
func near(value, text []rune) int {
	// Edits of the value's first letters against what ends at each place of the text, which may begin anywhere.
	row := make([]int, len(value)+1)
	for i := range row {
		row[i] = i
	}
	least := len(value)
	for _, letter := range text {
		left := row[0]
		for i, v := range value {
			cost := left
			if v != letter {
				cost = min(left, row[i], row[i+1]) + 1
			}
			left, row[i+1] = row[i+1], cost
		}
		least = min(least, row[len(value)])
	}
	return len(value) - least
}

// Every letter that the reader found on pages that nobody tuned it on, another program finds in the text layer.
func TestTextLayerHoldsWhatWasRead(t *testing.T) {
	t.Parallel()
	r := reader(t)
	all, read, found := 0, 0, 0
	for i, kind := range []paper.Kind{paper.KhaiSinh, paper.CCCD, paper.KetHon, paper.CanCuoc, paper.BaoTu,
		paper.CMND, paper.CT07} {
		for _, set := range []string{specimen.Clean, specimen.Office}[i%2:][:1] {
			seed := uint64(heldBack + 7919*i + 1)
			img, truth, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: kind, Person: specimen.InventFor(kind, seed)}}}, seed,
				specimen.Damage{Set: set, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			data, _, err := specimen.Encode(img, 300, specimen.Damage{Set: set, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			res := r.Read(t.Context(), ocr.Input{Data: data, Words: true})
			if res.Problem != nil {
				t.Fatal(res.Problem)
			}
			var words, layer strings.Builder
			for _, d := range res.Documents {
				for _, p := range d.Parts {
					for _, w := range p.Words {
						words.WriteString(w.Text)
					}
				}
			}
			for _, c := range ecopy.Of("scan", func() ([]byte, error) { return data, nil }, res.Documents) {
				var b bytes.Buffer
				if err := ecopy.Write(t.Context(), &b, r, c, options); err != nil {
					t.Fatal(err)
				}
				layer.WriteString(run(t, b.Bytes(), "pdftotext", "-raw", "FILE", "-"))
			}
			for _, value := range truth.Papers[0].Printed {
				letters := []rune(squeezed(value))
				all += len(letters)
				read += near(letters, []rune(squeezed(words.String())))
				found += near(letters, []rune(squeezed(layer.String())))
			}
		}
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(all) }
	t.Logf("of %d letters of held-back pages the reader found %.2f %%, pdftotext finds %.2f %% in the text layer",
		all, share(read), share(found))
	if found < read || all < 500 {
		t.Errorf("pdftotext finds %d letters, the reader found %d of %d", found, read, all)
	}
}
