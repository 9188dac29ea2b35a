package scan

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

func page(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 10), uint8(y / 14), uint8((x ^ y) & 128), 255})
		}
	}
	return img
}

func TestEncode_keeps_picture_and_resolution(t *testing.T) {
	rgba := page(640, 480)
	gray := image.NewGray(image.Rect(0, 0, 64, 48))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i)
	}
	for name, img := range map[string]image.Image{
		"color": rgba, "a part of a page": rgba.SubImage(image.Rect(100, 50, 300, 150)), "gray": gray,
		"another kind of image": image.NewNRGBA(image.Rect(0, 0, 30, 20)),
	} {
		t.Run(name, func(t *testing.T) {
			data, mediaType, err := Encode(Page{Number: 1, Image: img, DPI: 300})
			if err != nil || mediaType != "image/jpeg" {
				t.Fatal(mediaType, err)
			}
			if want := []byte{'J', 'F', 'I', 'F', 0, 1, 1, 1, 0x01, 0x2C, 0x01, 0x2C}; !bytes.Equal(data[6:18], want) {
				t.Errorf("header % x, want % x", data[6:18], want)
			}
			got, err := jpeg.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			b := img.Bounds()
			if got.Bounds().Size() != b.Size() {
				t.Fatalf("%v, want %v", got.Bounds(), b)
			}
			for _, at := range []image.Point{{0, 0}, {b.Dx() / 2, b.Dy() / 3}, {b.Dx() - 1, b.Dy() - 1}} {
				w := color.GrayModel.Convert(img.At(b.Min.X+at.X, b.Min.Y+at.Y)).(color.Gray).Y
				g := color.GrayModel.Convert(got.At(at.X, at.Y)).(color.Gray).Y
				if d := int(w) - int(g); d > 24 || d < -24 {
					t.Errorf("at %v: %d, want about %d", at, g, w)
				}
			}
		})
	}
}

func TestEncode_lineart_is_lossless(t *testing.T) {
	img := image.NewPaletted(image.Rect(0, 0, 33, 9), Bilevel)
	for i := range img.Pix {
		img.Pix[i] = uint8(i*7) & 1
	}
	data, mediaType, err := Encode(Page{Image: img, DPI: 600})
	if err != nil || mediaType != "image/png" {
		t.Fatal(mediaType, err)
	}
	if !bytes.Contains(data, []byte{'p', 'H', 'Y', 's', 0, 0, 0x5C, 0x46, 0, 0, 0x5C, 0x46, 1}) { // 23622 a metre
		t.Error("no resolution")
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.(*image.Paletted).Pix, img.Pix) {
		t.Error("pixels differ")
	}
}

func TestEncode_passes_files_unchanged(t *testing.T) {
	data, mediaType, err := Encode(Page{Encoded: []byte("%PDF-1.7"), MediaType: "application/pdf"})
	if string(data) != "%PDF-1.7" || mediaType != "application/pdf" || err != nil {
		t.Error(string(data), mediaType, err)
	}
}

func TestEncode_refuses_nothing(t *testing.T) {
	for _, p := range []Page{{}, {Image: image.NewRGBA(image.Rectangle{})}, {Encoded: []byte{}, MediaType: "image/jpeg"}} {
		if _, _, err := Encode(p); err == nil {
			t.Errorf("%+v was encoded", p)
		}
	}
}

func BenchmarkEncode_A4_300dpi(b *testing.B) {
	img := page(2480, 3508)
	for b.Loop() {
		if _, _, err := Encode(Page{Image: img, DPI: 300}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkThumbnail_of_JPEG_A4_300dpi(b *testing.B) {
	data, _, err := Encode(Page{Image: page(2480, 3508), DPI: 300})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Thumbnail(Page{Encoded: data, MediaType: "image/jpeg"}, 800); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzThumbnail(f *testing.F) {
	data, _, err := Encode(Page{Image: page(40, 30), DPI: 300})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		Thumbnail(Page{Encoded: data, MediaType: "image/jpeg"}, 16)
	})
}
