package scan

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"
)

// A page that was coded in strips is the page that was coded whole, to the pixel, for the standard library's decoder and for libjpeg.
func TestStrips_change_no_pixel(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for _, size := range []image.Point{{2480, 3508}, {1240, 1754}, {333, 128}, {65, 129}, {1, 700}, {9000, 200}, {40, 65000}} {
		colour := page(size.X, size.Y)
		for range size.X * size.Y / 50 {
			colour.Pix[noise.IntN(len(colour.Pix))] = uint8(noise.Uint32())
		}
		gray := image.NewGray(colour.Rect)
		draw.Draw(gray, gray.Rect, colour, image.Point{}, draw.Src)
		for name, code := range map[string]func(processors int) ([]byte, error){
			"colour": func(n int) ([]byte, error) {
				return compressSideBySide(colour.Pix, colour.Stride, size.X, size.Y, true, 90, n)
			},
			"gray": func(n int) ([]byte, error) {
				return compressSideBySide(gray.Pix, gray.Stride, size.X, size.Y, false, 90, n)
			},
		} {
			whole, err := code(1)
			if err != nil {
				t.Fatal(err)
			}
			for _, processors := range []int{2, 3, 16} {
				t.Run(fmt.Sprint(name, size, processors), func(t *testing.T) {
					data, err := code(processors)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Contains(data, []byte{0xff, 0xdd, 0, 4}) || !bytes.Contains(data, []byte{0xff, 0xd0}) {
						t.Error("it was not coded in strips")
					}
					if len(data) > len(whole)+len(whole)/50+200 {
						t.Errorf("%d bytes, and %d whole", len(data), len(whole))
					}
					samePicture(t, data, whole)
				})
			}
		}
	}
}

func samePicture(t *testing.T, data, whole []byte) {
	t.Helper()
	got, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	want, err := jpeg.Decode(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != want.Bounds() || !bytes.Equal(planes(got), planes(want)) {
		t.Errorf("another picture of %v for the standard library", got.Bounds())
	}
	mine, err := shrink(data, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := shrink(whole, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mine.Pix, theirs.Pix) {
		t.Error("another picture for libjpeg")
	}
}

// planes are a decoded picture's samples without the padding behind them.
func planes(img image.Image) []byte {
	switch i := img.(type) {
	case *image.Gray:
		return i.Pix
	case *image.YCbCr:
		return append(append(bytes.Clone(i.Y), i.Cb...), i.Cr...)
	}
	return nil
}

// Strips that were not coded alike, and what is no picture, are not joined.
func TestStrips_that_differ(t *testing.T) {
	a, err := compress(make([]byte, 64*64), 64, 64, 64, false, 90)
	if err != nil {
		t.Fatal(err)
	}
	b, err := compress(make([]byte, 64*64), 64, 64, 64, false, 50)
	if err != nil {
		t.Fatal(err)
	}
	for name, strips := range map[string][][]byte{
		"other tables": {a, b}, "nothing": {a, nil}, "torn": {a, a[:40]}, "no end": {a, a[:len(a)-1]},
		"lengths that lie": {{0xff, 0xd8, 0xff, 0xc0, 9, 9}},
	} {
		if joinStrips(strips, 128, 64) != nil {
			t.Errorf("%s: joined", name)
		}
	}
	if joinStrips([][]byte{a, bytes.Clone(a)}, 128, 64) == nil {
		t.Error("two alike were not joined")
	}
}

// What has more lines than a JPEG can say is refused, and not cut.
func TestStrips_of_more_lines_than_a_JPEG_has(t *testing.T) {
	if _, _, err := Encode(Page{Image: image.NewGray(image.Rect(0, 0, 16, 1<<16+100))}); err == nil {
		t.Error("it was coded")
	}
}
