package ocr_test

import (
	"image"
	pixels "image/draw"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// An identity card's symbol stuck on a paper that bears none makes it no identity card, and nothing it says is used without a
// look, whether the paper is known, or its labels are none that we know.
func TestCodeStuckOnAnotherPaper(t *testing.T) {
	t.Parallel()
	const side = 210 // pixels
	for _, c := range []struct {
		kind paper.Kind
		like string
		seed uint64
		own  bool // the symbol is of the paper's bearer, and only its residence is another's
	}{
		{paper.Other, "vehicle", 15, false}, {paper.Other, "visiting", 18, false},
		{paper.Passport, "", 24, false}, {paper.Passport, "", 24, true},
	} {
		p := specimen.Paper{Kind: c.kind, Like: c.like, Person: specimen.InventFor(c.kind, 500+c.seed)}
		other := specimen.InventFor(paper.CCCD, 991)
		said := other
		if c.own {
			said = p.Person
		}
		code, err := qrcode.New(strings.Join([]string{said.Number, "012345678", strings.ToUpper(said.FullName), said.Birth.Format("02012006"),
			said.Sex, other.Residence, said.Issue.Format("02012006")}, "|"), qrcode.Medium)
		if err != nil {
			t.Fatal(err)
		}
		spec := specimen.Spec{Papers: []specimen.Paper{p}, DPI: 200}
		img, truth, err := specimen.Draw(spec, c.seed, specimen.Damage{Set: specimen.Clean, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		corner := truth.Papers[0].Where[specimen.Front][1]
		x, y := int(corner.X)-side-20, int(corner.Y)+20
		pixels.Draw(img, image.Rect(x, y, x+side, y+side), code.Image(side), image.Point{}, pixels.Src)
		seen := 0
		for _, d := range near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)}).Documents {
			if d.Type != p.Kind {
				t.Errorf("%s %s is taken for %s", p.Kind, p.Like, d.Type)
			}
			for n, f := range d.Fields {
				if f.Source == paper.QR {
					seen++
					if !f.Review && len(f.Agrees) == 0 {
						t.Errorf("%s %s: the symbol's %s is used without a look", p.Kind, p.Like, n)
					}
				}
			}
		}
		if seen == 0 {
			t.Errorf("%s %s: the symbol was not read", p.Kind, p.Like)
		}
	}
}

// Two cards under each other's symbols: what each prints is what the other's symbol says, and yet all of both is doubted, also what
// stands in print on neither front.
func TestCodesThatChangedPlaces(t *testing.T) {
	t.Parallel()
	a, b := specimen.InventFor(paper.CCCD, 300), specimen.InventFor(paper.CCCD, 301)
	a.OldNumber, b.OldNumber = "012345678", "087654321"
	front := []specimen.Side{specimen.Front}
	img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: paper.CCCD, Person: a, Code: &b, Sides: front},
		{Kind: paper.CCCD, Person: b, Code: &a, Sides: front}}}, 0, specimen.Damage{Set: specimen.Clean, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)})
	if len(got.Documents) != 2 {
		t.Fatalf("%d documents", len(got.Documents))
	}
	for _, d := range got.Documents {
		for n, f := range d.Fields {
			if f.Source == paper.QR && !f.Review && len(f.Agrees) == 0 {
				t.Errorf("%s is used without a look", n)
			}
		}
	}
}
