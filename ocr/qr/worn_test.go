package qr

import (
	"image"
	"testing"
)

// A picture's tones are told whatever part of a larger one it is, and parting them leaves black and white only.
func TestSplit(t *testing.T) {
	page := image.NewGray(image.Rect(0, 0, 60, 60))
	for i := range page.Pix {
		page.Pix[i] = 200
	}
	part := page.SubImage(image.Rect(20, 20, 60, 60)).(*image.Gray)
	for x := 20; x < 40; x++ {
		for y := 20; y < 40; y++ {
			page.Pix[page.PixOffset(x, y)] = 40
		}
	}
	black, paper := tones(part)
	if black != 40 || paper != 200 {
		t.Fatalf("tones are %d and %d", black, paper)
	}
	out := split(part, (black+paper)/2)
	if out.GrayAt(21, 21).Y != 0 || out.GrayAt(50, 50).Y != 255 || out.Rect != part.Rect {
		t.Fatal("ink and paper are not parted")
	}
}
