package counter

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

func TestTurnedPagesAreDeliveredTurned(t *testing.T) {
	// A red corner at the top left of a page that is wider than high.
	page := image.NewRGBA(image.Rect(0, 0, 6, 4))
	page.Set(0, 0, color.RGBA{255, 0, 0, 255})
	var b bytes.Buffer
	if err := png.Encode(&b, page); err != nil {
		t.Fatal(err)
	}
	for degrees, want := range map[int]struct{ size, corner image.Point }{
		90: {image.Pt(4, 6), image.Pt(3, 0)}, 180: {image.Pt(6, 4), image.Pt(5, 3)}, 270: {image.Pt(4, 6), image.Pt(0, 5)},
	} {
		data, left := turnedPage(b.Bytes(), "image/png", degrees)
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || left != 0 {
			t.Fatal(err, left)
		}
		if r, _, _, _ := img.At(want.corner.X, want.corner.Y).RGBA(); img.Bounds().Size() != want.size || r == 0 {
			t.Errorf("%d degrees: %v, the corner is not at %v", degrees, img.Bounds().Size(), want.corner)
		}
	}
	if data, left := turnedPage([]byte("%PDF"), "application/pdf", 90); string(data) != "%PDF" || left != 90 {
		t.Error("a PDF was touched")
	}
}
