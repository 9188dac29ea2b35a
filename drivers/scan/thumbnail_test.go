package scan

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// plain hides what kind of picture it is, so that its pixels are asked for one by one.
type plain struct{ image.Image }

// Every kind of page gives the thumbnail that its pixels give one by one.
func TestThumbnail_of_every_kind(t *testing.T) {
	colour := page(641, 407)
	gray := image.NewGray(colour.Rect)
	draw.Draw(gray, gray.Rect, colour, image.Point{}, draw.Src)
	lineart := image.NewPaletted(colour.Rect, Bilevel)
	draw.Draw(lineart, lineart.Rect, colour, image.Point{}, draw.Src)
	part := image.Rect(11, 7, 600, 400)
	for name, img := range map[string]image.Image{
		"gray": gray, "colour": colour, "lineart": lineart, "no palette": image.NewPaletted(image.Rect(0, 0, 0, 9), color.Palette{}),
		"a part": gray.SubImage(part), "a coloured part": colour.SubImage(part), "a part of lineart": lineart.SubImage(part),
	} {
		for _, width := range []int{1, 100, 400, 1000} {
			got, want := reduce(img, width), reduce(plain{img}, width)
			if got.Rect != want.Rect {
				t.Fatalf("%s, %d wide: %v, want %v", name, width, got.Rect, want.Rect)
			}
			for i := range got.Pix {
				if d := int(got.Pix[i]) - int(want.Pix[i]); d > 1 || d < -1 { // shades of colour are rounded by one
					t.Fatalf("%s, %d wide, %d: %d, want %d", name, width, i, got.Pix[i], want.Pix[i])
				}
			}
			if again := reduce(img, width); !bytes.Equal(again.Pix, got.Pix) {
				t.Errorf("%s: another thumbnail each time", name)
			}
		}
	}
}
