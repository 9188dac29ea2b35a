package jpeg_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	std "image/jpeg"
	"slices"
	"testing"

	"motcua/ocr/jpeg"
)

// drawn is a picture whose every part differs from the rest, written by Go's own encoder: colour with one sample of it for four
// pixels (4:2:0), or gray.
func drawn(t testing.TB, gray bool, w, h int) []byte {
	t.Helper()
	var img image.Image
	if gray {
		m := image.NewGray(image.Rect(0, 0, w, h))
		for i := range m.Pix {
			m.Pix[i] = uint8(i%w*3 + i/w*5)
		}
		img = m
	} else {
		m := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				m.SetRGBA(x, y, color.RGBA{uint8(3 * x), uint8(5 * y), uint8(x + y), 255})
			}
		}
		img = m
	}
	var b bytes.Buffer
	if err := std.Encode(&b, img, &std.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withSegment puts a segment behind the start of a JPEG.
func withSegment(data []byte, marker byte, content string) []byte {
	n := len(content) + 2
	out := append([]byte{0xFF, 0xD8, 0xFF, marker, byte(n >> 8), byte(n)}, content...)
	return append(out, data[2:]...)
}

// What is cut out is the picture's own, to the bit, and begins where Crop says.
func TestCrop_keeps_every_pixel(t *testing.T) {
	for name, gray := range map[string]bool{"colour": false, "gray": true} {
		t.Run(name, func(t *testing.T) {
			data := drawn(t, gray, 150, 90)
			whole, _, err := jpeg.Luma(data, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range []image.Rectangle{image.Rect(0, 0, 150, 90), image.Rect(37, 21, 83, 55), image.Rect(149, 89, 400, 400)} {
				out, got, err := jpeg.Crop(data, r)
				if err != nil {
					t.Fatal(r, err)
				}
				if want := r.Intersect(whole.Rect); !want.In(got) || want.Min.X-got.Min.X > 15 || want.Min.Y-got.Min.Y > 15 || got.Max != want.Max {
					t.Errorf("%v was cut as %v", r, got)
				}
				cut, _, err := jpeg.Luma(out, 1)
				if err != nil || cut.Rect.Size() != got.Size() {
					t.Fatal(r, cut.Rect, err)
				}
				for y := range got.Dy() {
					for x := range got.Dx() {
						if cut.GrayAt(x, y) != whole.GrayAt(got.Min.X+x, got.Min.Y+y) {
							t.Fatalf("%v: pixel %d,%d differs", r, x, y)
						}
					}
				}
			}
		})
	}
}

// A cutting shows the picture and says nothing of where, when and by what it was taken.
func TestCrop_tells_nothing_else(t *testing.T) {
	data := drawn(t, false, 64, 64)
	if !jpeg.Bare(data) {
		t.Error("a plain JPEG is said to tell something")
	}
	for name, marker := range map[string]byte{"EXIF": 0xE1, "Photoshop": 0xED, "comment": 0xFE} {
		told := withSegment(data, marker, "21.03 N 105.85 E")
		if jpeg.Bare(told) {
			t.Errorf("%s is not seen", name)
		}
		out, _, err := jpeg.Crop(told, image.Rect(8, 8, 32, 32))
		if err != nil {
			t.Fatal(err)
		}
		if !jpeg.Bare(out) || bytes.Contains(out, []byte("105.85")) {
			t.Errorf("%s went with the cutting", name)
		}
	}
}

func TestCrop_refuses(t *testing.T) {
	data := drawn(t, false, 64, 64)
	for name, c := range map[string]struct {
		data []byte
		r    image.Rectangle
	}{
		"outside": {data, image.Rect(64, 0, 90, 20)}, "empty": {data, image.Rectangle{}}, "nothing": {nil, image.Rect(0, 0, 9, 9)},
		"no_JPEG": {[]byte("this is none at all"), image.Rect(0, 0, 9, 9)},
	} {
		if out, _, err := jpeg.Crop(c.data, c.r); err == nil || out != nil {
			t.Errorf("%s: %d bytes, %v", name, len(out), err)
		}
	}
}

// A file that ends early gives what is there and says so; the caller decides. No cut gives a whole picture without a word.
func TestEndsEarly(t *testing.T) {
	data := drawn(t, false, 120, 80)
	for cut := 0; cut < len(data)-2; cut += 7 {
		y, _, err := jpeg.Luma(data[:cut], 1)
		switch {
		case err == nil:
			t.Fatalf("cut at %d of %d: said to be whole", cut, len(data))
		case errors.Is(err, jpeg.ErrTruncated) && (y == nil || y.Rect != image.Rect(0, 0, 120, 80)):
			t.Fatalf("cut at %d: %v without the picture", cut, err)
		}
		if img, err := jpeg.Color(data[:cut], 1); err == nil {
			t.Fatalf("cut at %d: %v said to be whole in colour", cut, img.Rect)
		}
		_, _ = jpeg.ReadHeader(data[:cut]) // need only not crash
		jpeg.Bare(data[:cut])
	}
	if _, _, err := jpeg.Luma(data[:len(data)*2/3], 1); !errors.Is(err, jpeg.ErrTruncated) {
		t.Errorf("two thirds of a picture: %v", err)
	}
}

func TestReadHeader(t *testing.T) {
	data, err := jpeg.Encode(image.NewGray(image.Rect(0, 0, 150, 90)), 80)
	if err != nil {
		t.Fatal(err)
	}
	h, err := jpeg.ReadHeader(jpeg.WithDensity(data, 300))
	if err != nil || h.Width != 150 || h.Height != 90 || h.DPI != 300 || h.Components != 1 || h.Inks() || h.Orientation != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	// A directory with one tag: turn by 90°.
	turned := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
	if h, err = jpeg.ReadHeader(withSegment(drawn(t, false, 50, 40), 0xE1, turned)); err != nil || h.Orientation != 6 || h.Components != 3 {
		t.Errorf("%+v, %v", h, err)
	}
}

// A whole file whose coding is not decoded is told as that, not as damaged; what is decoded besides the usual is not refused.
func TestReadHeader_unsupported(t *testing.T) {
	for name, c := range map[string]struct {
		mark, depth byte
		refused     bool
	}{
		"baseline": {0xC0, 8, false}, "extended": {0xC1, 8, false}, "twelve_bits": {0xC1, 12, true}, "lossless": {0xC3, 8, true},
		"hierarchical": {0xC5, 8, true}, "arithmetic": {0xC9, 8, false}, "lossless_arithmetic": {0xCB, 8, true},
	} {
		data := drawn(t, false, 50, 40)
		at := bytes.Index(data, []byte{0xFF, 0xC0})
		data[at+1], data[at+4] = c.mark, c.depth
		if _, err := jpeg.ReadHeader(data); errors.Is(err, jpeg.ErrUnsupported) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Filling before a mark is allowed (T.81, B.1.1.2).
	if h, err := jpeg.ReadHeader(slices.Insert(drawn(t, false, 50, 40), 2, 0xFF)); err != nil || h.Width != 50 {
		t.Errorf("with a filling: %+v, %v", h, err)
	}
}

// At 1/2, 1/4 and 1/8 a picture has that much of its sides, rounded up, and none of its light is lost.
func TestLuma_smaller(t *testing.T) {
	data := drawn(t, false, 150, 91)
	mean := func(m *image.Gray) float64 {
		sum := 0
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				sum += int(m.GrayAt(x, y).Y)
			}
		}
		return float64(sum) / float64(m.Rect.Dx()*m.Rect.Dy())
	}
	whole, red, err := jpeg.Luma(data, 1)
	if err != nil || red == nil {
		t.Fatal(red, err)
	}
	for _, d := range []int{2, 4, 8} {
		small, _, err := jpeg.Luma(data, d)
		if err != nil || small.Rect.Dx() != (150+d-1)/d || small.Rect.Dy() != (91+d-1)/d {
			t.Fatal(d, small.Rect, err)
		}
		if a, b := mean(whole), mean(small); a-b > 4 || b-a > 4 {
			t.Errorf("1/%d: mean %.1f instead of %.1f", d, b, a)
		}
	}
	if _, red, err := jpeg.Luma(drawn(t, true, 20, 20), 1); err != nil || red != nil {
		t.Errorf("a gray picture has a red plane: %v, %v", red, err)
	}
}
