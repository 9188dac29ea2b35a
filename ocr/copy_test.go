package ocr_test

import (
	"bytes"
	"image"
	imagedraw "image/draw"
	"image/jpeg"
	"math"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
	"motcua/ocr/specimen"
)

// The symbol of a certified copy is found on the print of a card's copy too, where it stands above the card.
func TestCopyOfACard(t *testing.T) {
	t.Parallel()
	r := near()
	const seed = 11
	img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: paper.CCCD, Person: specimen.Invent(seed),
		Sides: []specimen.Side{specimen.Front}}}}, seed, specimen.Damage{Set: specimen.Clean, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	print := image.NewRGBA(img.Bounds())
	imagedraw.Draw(print, print.Rect, img, img.Bounds().Min, imagedraw.Src)
	read := func(words bool) []paper.Document {
		t.Helper()
		var b bytes.Buffer
		if err := jpeg.Encode(&b, print, &jpeg.Options{Quality: 90}); err != nil {
			t.Fatal(err)
		}
		result := r.Read(t.Context(), ocr.Input{Name: "print", Data: b.Bytes(), Words: words})
		if result.Problem != nil || len(result.Documents) == 0 || result.Documents[0].Type != paper.CCCD || result.Documents[0].Where == nil {
			t.Fatalf("the card is not read: %v %v", result.Problem, result.Documents)
		}
		return result.Documents
	}
	card := *read(false)[0].Where
	mm := math.Hypot(card[1].X-card[0].X, card[1].Y-card[0].Y) / 85.6
	text := qr.CopyText("SAO Y", "12/2026 SCT/BS kiosk-1", strings.Repeat("0a", 32))
	symbol, err := qrcode.New(text, qrcode.Low)
	if err != nil {
		t.Fatal(err)
	}
	symbol.DisableBorder = true
	left, top := card[0].X, card[0].Y
	for _, c := range card {
		left, top = min(left, c.X), min(top, c.Y)
	}
	side := int(16 * mm)
	at := image.Rect(int(left), int(top-5*mm)-side, int(left)+side, int(top-5*mm))
	if !at.In(print.Rect) {
		t.Fatalf("no room above the card: %v in %v", at, print.Rect)
	}
	imagedraw.Draw(print, at.Inset(-int(2*mm)), image.White, image.Point{}, imagedraw.Src)
	imagedraw.Draw(print, at, symbol.Image(side), image.Point{}, imagedraw.Src)
	if got := read(true)[0].Copy; got != text {
		t.Errorf("the symbol says %q", got)
	}
}
