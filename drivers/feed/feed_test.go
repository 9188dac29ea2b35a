package feed

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/go-fonts/liberation/liberationserifregular"

	"motcua/drivers/scan"
)

// sheet is an A4 page at 150 dpi as a scanner sees paper: off-white, uneven, noisy.
func sheet(r *rand.Rand, tone int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, 1240, 1754))
	for y := range 1754 {
		for x := range 1240 {
			g.Pix[y*g.Stride+x] = uint8(min(255, max(0, tone-12*x/1240-8*y/1754+int(r.NormFloat64()*4))))
		}
	}
	return g
}

func write(t testing.TB, g *image.Gray, text string, points float64, x, y int, ink uint8) {
	t.Helper()
	f, err := opentype.Parse(liberationserifregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: points, DPI: 150})
	if err != nil {
		t.Fatal(err)
	}
	d := font.Drawer{Dst: g, Src: image.NewUniform(color.Gray{Y: ink}), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

func fill(g *image.Gray, r image.Rectangle, tone uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			g.SetGray(x, y, color.Gray{Y: tone})
		}
	}
}

func TestBlank(t *testing.T) {
	for name, c := range map[string]struct {
		draw  func(*image.Gray, *rand.Rand)
		blank bool
	}{
		"nothing": {func(*image.Gray, *rand.Rand) {}, true},
		"dust": {func(g *image.Gray, r *rand.Rand) {
			for range 60 {
				g.SetGray(r.IntN(1240), r.IntN(1754), color.Gray{Y: 60})
			}
		}, true},
		"shadow of the edge": {func(g *image.Gray, _ *rand.Rand) {
			fill(g, image.Rect(0, 0, 1240, 12), 90)
			fill(g, image.Rect(1225, 0, 1240, 1754), 100)
		}, true},
		"what shines through": {func(g *image.Gray, _ *rand.Rand) {
			for i := range 40 {
				write(t, g, "Cộng hòa xã hội chủ nghĩa Việt Nam, độc lập, tự do, hạnh phúc", 12, 120, 150+35*i, 205)
			}
		}, true},
		"a page number alone": {func(g *image.Gray, _ *rand.Rand) { write(t, g, "7", 11, 620, 1650, 30) }, false},
		"pencil, one word":    {func(g *image.Gray, _ *rand.Rand) { write(t, g, "đồng ý", 14, 300, 400, 140) }, false},
		"a stamp":             {func(g *image.Gray, _ *rand.Rand) { fill(g, image.Rect(800, 1300, 860, 1304), 120) }, false},
		"a full page":         {func(g *image.Gray, _ *rand.Rand) { write(t, g, "GIẤY KHAI SINH", 20, 300, 300, 20) }, false},
		"the lid was open":    {func(g *image.Gray, _ *rand.Rand) { fill(g, g.Rect, 12) }, false},
		"a card on a dark sheet": {func(g *image.Gray, _ *rand.Rand) { fill(g, g.Rect, 60); fill(g, image.Rect(100, 100, 600, 420), 200) },
			false},
	} {
		for _, tone := range []int{252, 215} {
			t.Run(fmt.Sprintf("%s, paper of tone %d", name, tone), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(tone)))
				g := sheet(r, tone)
				c.draw(g, r)
				p := scan.Page{Number: 1, DPI: 150, Image: g}
				if got := Blank(p); got != c.blank {
					t.Errorf("blank: %v", got)
				}
				data, mediaType, err := scan.Encode(p)
				if err != nil {
					t.Fatal(err)
				}
				if got := Blank(scan.Page{DPI: 150, Encoded: data, MediaType: mediaType}); got != c.blank {
					t.Errorf("as JPEG, blank: %v", got)
				}
			})
		}
	}
}

// At 300 dpi and in small, thin strokes pale: a line of pencil must still be seen.
func TestBlank_pencil_at_300_dpi(t *testing.T) {
	for _, ink := range []uint8{110, 140, 165} {
		r := rand.New(rand.NewPCG(7, uint64(ink)))
		g := image.NewGray(image.Rect(0, 0, 2480, 3508))
		for i := range g.Pix {
			g.Pix[i] = uint8(min(255, max(0, 243+int(r.NormFloat64()*4))))
		}
		// Strokes three pixels (a quarter of a millimetre) thick, as of a short word in handwriting.
		for k := range 6 {
			for i := range 50 {
				x, y := 600+40*k+i/2, 900+i-(k%2)*2*i
				fill(g, image.Rect(x, y, x+3, y+3), ink)
			}
		}
		data, mediaType, err := scan.Encode(scan.Page{Image: g, DPI: 300})
		if err != nil {
			t.Fatal(err)
		}
		if Blank(scan.Page{Encoded: data, MediaType: mediaType, DPI: 300}) || Blank(scan.Page{Image: g, DPI: 300}) {
			t.Errorf("pencil of tone %d was dropped", ink)
		}
	}
}

func TestBlank_keeps_what_it_cannot_look_into(t *testing.T) {
	if Blank(scan.Page{Encoded: []byte("%PDF-1.4"), MediaType: "application/pdf"}) {
		t.Error("a PDF was dropped unseen")
	}
}

func seq(pages []scan.Page, end error) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
		if end != nil {
			yield(scan.Page{}, end)
		}
	}
}

func numbers(t *testing.T, s iter.Seq2[scan.Page, error]) (kept []int, suspect []int, err error) {
	t.Helper()
	for p, e := range s {
		if e != nil {
			return kept, suspect, e
		}
		kept = append(kept, p.Number)
		if p.Suspect == scan.DoubleFeed {
			suspect = append(suspect, p.Number)
		}
	}
	return kept, suspect, nil
}

func TestPages_drops_blank_backs_and_keeps_the_order(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	var pages []scan.Page
	for n := 1; n <= 6; n++ {
		g := sheet(r, 245)
		if n%2 == 1 || n == 4 {
			write(t, g, fmt.Sprintf("Trang %d", n), 12, 200, 300, 30)
		}
		pages = append(pages, scan.Page{Number: n, Back: n%2 == 0, DPI: 150, Image: g})
	}
	fault := scan.NewFault("x", scan.Jammed, nil)
	kept, _, err := numbers(t, Filter{DropBlank: true}.Pages(seq(pages, fault)))
	if !slices.Equal(kept, []int{1, 3, 4, 5}) || !errors.Is(err, fault) {
		t.Errorf("kept %v, %v", kept, err)
	}
	if kept, _, _ = numbers(t, Filter{}.Pages(seq(pages, nil))); len(kept) != 6 {
		t.Errorf("without the filter: %v", kept)
	}
	blank := []scan.Page{pages[1], pages[5]}
	if kept, _, _ = numbers(t, Filter{DropBlank: true}.Pages(seq(blank, nil))); !slices.Equal(kept, []int{2}) {
		t.Errorf("a blank stack gave %v", kept)
	}
}

func TestPages_marks_a_double_feed(t *testing.T) {
	var pages []scan.Page
	for n, mm := range []int{297, 297, 520, 296, 210, 297, 420} {
		pages = append(pages, scan.Page{Number: n + 1, DPI: 100, Image: image.NewGray(image.Rect(0, 0, 827, mm*100*10/254))})
	}
	_, suspect, err := numbers(t, Filter{DoubleFeed: 1.3}.Pages(seq(pages, nil)))
	if err != nil || !slices.Equal(suspect, []int{3, 7}) {
		t.Errorf("suspect: %v, %v", suspect, err)
	}
}

func TestPages_crops_to_the_sheet(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	for name, c := range map[string]struct {
		backing uint8
		sheet   image.Rectangle
		want    image.Rectangle
	}{
		"A5 on black":         {10, image.Rect(200, 0, 1074, 1240), image.Rect(200, 0, 1074, 1240)},
		"a card on dark grey": {70, image.Rect(60, 80, 565, 398), image.Rect(60, 80, 565, 398)},
		"the whole bed":       {0, image.Rect(0, 0, 1240, 1754), image.Rect(0, 0, 1240, 1754)},
		"white backing":       {240, image.Rect(200, 0, 1074, 1240), image.Rect(0, 0, 1240, 1754)},
	} {
		t.Run(name, func(t *testing.T) {
			g := sheet(r, 245)
			write(t, g, "Nội dung của tờ giấy này", 12, c.sheet.Min.X+20, c.sheet.Min.Y+100, 30)
			for y := range 1754 {
				for x := range 1240 {
					if !image.Pt(x, y).In(c.sheet) {
						g.SetGray(x, y, color.Gray{Y: c.backing})
					}
				}
			}
			for p := range (Filter{Crop: true}).Pages(seq([]scan.Page{{Number: 1, DPI: 150, Image: g}}, nil)) {
				got := p.Image.Bounds()
				if !c.want.In(got) || !got.In(c.want.Inset(-10)) {
					t.Errorf("got %v, want %v and at most 10 pixels more", got, c.want)
				}
			}
		})
	}
}

func BenchmarkBlank_A4_300dpi_JPEG(b *testing.B) {
	data, mediaType, err := scan.Encode(scan.Page{Image: image.NewRGBA(image.Rect(0, 0, 2480, 3508)), DPI: 300})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		Blank(scan.Page{Encoded: data, MediaType: mediaType})
	}
}

func BenchmarkPixels_A4_300dpi(b *testing.B) {
	gray, colour := image.NewGray(image.Rect(0, 0, 2480, 3508)), image.NewRGBA(image.Rect(0, 0, 2480, 3508))
	draw.Draw(gray, gray.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(colour, colour.Rect, image.White, image.Point{}, draw.Src)
	for name, img := range map[string]image.Image{"gray": gray, "colour": colour} {
		b.Run("crop_"+name, func(b *testing.B) {
			for b.Loop() {
				crop(img)
			}
		})
		b.Run("blank_"+name, func(b *testing.B) {
			for b.Loop() {
				if !Blank(scan.Page{Image: img}) {
					b.Fatal("it is blank")
				}
			}
		})
	}
}
