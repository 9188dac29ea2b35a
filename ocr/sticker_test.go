package ocr_test

import (
	"image"
	"image/color"
	pixels "image/draw"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"motcua/ocr"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// identityText is what an identity card's symbol says.
func identityText(p specimen.Person) string {
	return strings.Join([]string{p.Number, "012345678", p.FullName, p.Birth.Format("02012006"), p.Sex, p.Residence,
		p.Issue.Format("02012006")}, "|")
}

// stick draws a symbol with its white rim, at pixels side wide, over a page.
func stick(t *testing.T, img *image.RGBA, text string, x, y, side int) {
	t.Helper()
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	pixels.Draw(img, image.Rect(x, y, x+side, y+side), code.Image(side), image.Point{}, pixels.Src)
}

// usedAlone are the fields that a symbol alone gives and that nobody would look at.
func usedAlone(d paper.Document) []paper.Name {
	var out []paper.Name
	for n, f := range d.Fields {
		if f.Source == paper.QR && !f.Review && len(f.Agrees) == 0 {
			out = append(out, n)
		}
	}
	return out
}

// A sticker with an identity card's symbol makes no identity card of the sheet it is stuck on, whoever's it is and whether or not the
// sheet's title can be read, and nothing that it alone says is used without a look.
func TestStickerOnASheet(t *testing.T) {
	for _, c := range []struct {
		name     string
		kind     paper.Kind
		like     string
		own      bool // the symbol speaks of the sheet's bearer
		untitled bool
		label    int  // millimetres of white label about the symbol, with an edge
		blank    bool // nothing of the sheet's print is left but its tint
	}{
		{"birth certificate, another's", paper.KhaiSinh, "", false, false, 0, false},
		{"birth certificate, own", paper.KhaiSinh, "", true, false, 0, false},
		{"untitled birth certificate, another's", paper.KhaiSinh, "", false, true, 0, false},
		{"untitled birth certificate, own", paper.KhaiSinh, "", true, true, 0, false},
		{"untitled birth certificate, own, on a label", paper.KhaiSinh, "", true, true, 4, false},
		{"untitled residence confirmation, own", paper.CT07, "", true, true, 0, false},
		{"untitled residence confirmation, another's", paper.CT07, "", false, true, 0, false},
		{"blank sheet", paper.Other, "", false, false, 0, true},
		{"letter, another's", paper.Other, "", false, false, 0, false},
		{"receipt, own", paper.Other, "receipt", true, false, 0, false},
		{"declaration, own", paper.Other, "declaration", true, true, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			const dpi = 200
			mm := func(v int) int { return v * dpi * 10 / 254 }
			p := specimen.Paper{Kind: c.kind, Like: c.like, Person: specimen.InventFor(c.kind, 610)}
			img, truth, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{p}, DPI: dpi}, 610,
				specimen.Damage{Set: specimen.Clean, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if c.untitled {
				top := img.Rect.Dy()
				for _, q := range truth.Papers[0].Fields2D {
					top = min(top, int(q[0].Y))
				}
				pixels.Draw(img, image.Rect(0, 0, img.Rect.Dx(), top-mm(6)), image.NewUniform(color.Gray{250}), image.Point{}, pixels.Src)
			}
			if c.blank {
				pixels.Draw(img, img.Rect, image.NewUniform(color.RGBA{236, 226, 214, 255}), image.Point{}, pixels.Src)
			}
			said := p.Person
			if !c.own {
				said = specimen.InventFor(paper.CCCD, 611)
			}
			x, y := img.Rect.Dx()-mm(45), mm(14)
			if c.label > 0 {
				edge := image.Rect(x-mm(c.label), y-mm(c.label), x+mm(14+c.label), y+mm(14+c.label))
				pixels.Draw(img, edge.Inset(-3), image.Black, image.Point{}, pixels.Src)
				pixels.Draw(img, edge, image.White, image.Point{}, pixels.Src)
			}
			stick(t, img, identityText(said), x, y, mm(16))
			for _, d := range near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)}).Documents {
				if kinds.Identity(d.Type) {
					t.Errorf("taken for %s", d.Type)
				}
				if alone := usedAlone(d); len(alone) > 0 {
					t.Errorf("%s: only the sticker says %v, unflagged", d.Type, alone)
				}
			}
		})
	}
}

// A symbol on a card-shaped piece of paper with nothing else on it is no card: its own symbol on white, of whatever size.
func TestCodeOnABlankCard(t *testing.T) {
	p := specimen.InventFor(paper.CCCD, 620)
	for _, c := range []struct {
		name       string
		x, y, side int // of 1011 × 638 pixels, 300 dpi
	}{{"where cards have it", 800, 30, 160}, {"too large", 300, 60, 500}, {"in the middle", 420, 220, 180}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			img := image.NewRGBA(image.Rect(0, 0, 1011, 638))
			pixels.Draw(img, img.Rect, image.NewUniform(color.Gray{248}), image.Point{}, pixels.Src)
			stick(t, img, identityText(p), c.x, c.y, c.side)
			seen := 0
			for _, d := range near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)}).Documents {
				seen += len(d.Fields)
				if alone := usedAlone(d); len(alone) > 0 {
					t.Errorf("%s: %v unflagged", d.Type, alone)
				}
			}
			if seen == 0 {
				t.Error("the symbol was not read")
			}
		})
	}
}

// Of two symbols of two kinds on one card one was stuck on: nothing that either alone says is used without a look, in whichever order
// they are read, and the kind is the print's.
func TestTwoKindsOfCodeOnOneCard(t *testing.T) {
	t.Parallel()
	for _, kind := range []paper.Kind{paper.BHYT, paper.CCCD} {
		for i, place := range []image.Point{{30, 30}, {300, 480}} {
			seed := uint64(630 + i)
			p := specimen.Paper{Kind: kind, Person: specimen.InventFor(kind, seed), Sides: []specimen.Side{specimen.Front}}
			img, truth, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{p}, Tight: true}, seed,
				specimen.Damage{Set: specimen.Clean, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			other := specimen.InventFor(paper.CCCD, seed+50)
			text := identityText(other)
			if kind == paper.CCCD {
				text = "0123456789|4cc3aa20566920416e|02/01/1990|1|-|79 - 026|01/01/2024|-|01/01/2024|" +
					"79022100000000|-|4|01/01/2029|0123456789abcdef-7102|4|42485848|$"
			}
			corner := truth.Papers[0].Where[specimen.Front][0]
			stick(t, img, text, int(corner.X)+place.X, int(corner.Y)+place.Y, 165)
			for _, d := range near().Read(t.Context(), ocr.Input{Data: asJPEG(t, img)}).Documents {
				if d.Type != kind {
					t.Errorf("%s under another's symbol is told as %s", kind, d.Type)
				}
				for n, f := range d.Fields {
					if want, printed := truth.Papers[0].Fields[n]; !f.Review && (!printed || f.Value != want) {
						t.Errorf("%s, %v: %s is used without a look", kind, place, n)
					}
				}
			}
		}
	}
}
