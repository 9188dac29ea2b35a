package ocr_test

import (
	"image"
	"image/color"
	pixels "image/draw"
	"testing"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
	"motcua/ocr/vn"
)

// What a lamp's reflection took of a value on a tinted card is missing from it: what is left goes into no form without a look, however
// well it reads.
func TestGlareOverPartOfAValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     paper.Kind
		field    paper.Name
		from, to float64 // share of the value's width that is lost
	}{
		{paper.GPLX, paper.LicenceClass, 0.45, 1}, {paper.GPLX, paper.DateOfBirth, 0, 0.56}, {paper.CMND, paper.DateOfBirth, 0, 0.56},
		{paper.CCCD, paper.FullName, 0.6, 1}, {paper.CCCD, paper.FullName, 0, 0.4},
	} {
		p := specimen.Paper{Kind: c.kind, Person: specimen.InventFor(c.kind, 640), Sides: []specimen.Side{specimen.Front}}
		img, truth, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{p}, Tight: true}, 640,
			specimen.Damage{Set: specimen.Clean, Seed: 1, NoCodes: true})
		if err != nil {
			t.Fatal(err)
		}
		q := truth.Papers[0].Fields2D[c.field]
		w, h := q[1].X-q[0].X, q[3].Y-q[0].Y
		lost := image.Rect(int(q[0].X+c.from*w), int(q[0].Y-h/4), int(q[0].X+c.to*w), int(q[3].Y+h/4))
		if c.to == 1 {
			lost.Max.X += int(2 * h)
		} else {
			lost.Min.X -= 4
		}
		pixels.Draw(img, lost, image.NewUniform(color.White), image.Point{}, pixels.Src)
		for _, d := range near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)}).Documents {
			f, ok := d.Fields[c.field]
			if ok && !f.Review && !vn.Same(f.Value, truth.Papers[0].Fields[c.field]) {
				t.Errorf("%s, %s: %d letters of %d are used without a look", c.kind, c.field, len(f.Value), len(truth.Papers[0].Fields[c.field]))
			}
		}
	}
}
