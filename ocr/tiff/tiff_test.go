package tiff_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"testing"

	xtiff "golang.org/x/image/tiff"

	"motcua/ocr/tiff"
)

// written is a TIFF by another program's hand, where its directory lies, and its pixels.
func written(t *testing.T, o *xtiff.Options) (data []byte, directory uint32, img *image.RGBA) {
	t.Helper()
	img = image.NewRGBA(image.Rect(0, 0, 40, 30))
	for y := range 30 {
		for x := range 40 {
			img.SetRGBA(x, y, color.RGBA{uint8(6 * x), uint8(8 * y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := xtiff.Encode(&b, img, o); err != nil {
		t.Fatal(err)
	}
	data = b.Bytes()
	return data, uint32(data[4]) | uint32(data[5])<<8 | uint32(data[6])<<16 | uint32(data[7])<<24, img
}

func TestDecode(t *testing.T) {
	for name, o := range map[string]*xtiff.Options{"plain": nil, "deflate": {Compression: xtiff.Deflate},
		"deflate_by_differences": {Compression: xtiff.Deflate, Predictor: true}} {
		t.Run(name, func(t *testing.T) {
			data, at, want := written(t, o)
			got, err := tiff.Decode(data, at, 40*30)
			if err != nil {
				t.Fatal(err)
			}
			if got.Rect != want.Rect || !bytes.Equal(got.Pix, want.Pix) {
				t.Error("other pixels came out")
			}
		})
	}
}

// The limit counts before memory is taken for a page.
func TestDecode_limit(t *testing.T) {
	data, at, _ := written(t, nil)
	if img, err := tiff.Decode(data, at, 40*30-1); !errors.Is(err, tiff.ErrTooLarge) || img != nil {
		t.Errorf("%v, %v", img, err)
	}
}

// What is whole but of a depth that is not decoded is told as that: its bearer can save it otherwise, where a damaged file is lost.
func TestDecode_unsupported(t *testing.T) {
	data, at, _ := written(t, nil)
	depths := bytes.Index(data[at:], []byte{8, 0, 8, 0, 8, 0, 8, 0})
	if depths < 0 {
		t.Fatal("no depths behind the directory")
	}
	for i := range 4 {
		data[int(at)+depths+2*i] = 12
	}
	if _, err := tiff.Decode(data, at, 40*30); !errors.Is(err, tiff.ErrUnsupported) {
		t.Errorf("twelve bits a sample: %v", err)
	}
}

// No cut and no changed byte brings libtiff to read what is not there; a page that lacks its directory is damaged.
func TestDecode_damaged(t *testing.T) {
	data, at, _ := written(t, nil)
	for n := 0; n < len(data); n += 13 {
		if _, err := tiff.Decode(data[:n], at, 1<<20); n < int(at) && !errors.Is(err, tiff.ErrDamaged) {
			t.Errorf("cut at %d of %d, before the directory at %d: %v", n, len(data), at, err)
		}
	}
	for _, elsewhere := range []uint32{1, uint32(len(data)), uint32(len(data)) - 1, 1<<32 - 1} {
		if _, err := tiff.Decode(data, elsewhere, 1<<20); !errors.Is(err, tiff.ErrDamaged) {
			t.Errorf("directory at %d: %v", elsewhere, err)
		}
	}
	for n := int(at); n < len(data); n += 3 {
		for _, v := range []byte{0, 0xff} {
			broken := bytes.Clone(data)
			broken[n] = v
			img, err := tiff.Decode(broken, at, 1<<16)
			if (img == nil) == (err == nil) {
				t.Fatalf("byte %d is %d: %v and %v", n, v, img != nil, err)
			}
			if img != nil && img.Rect.Dx()*img.Rect.Dy() > 1<<16 {
				t.Fatalf("byte %d is %d: %v is beyond the limit", n, v, img.Rect)
			}
		}
	}
	if _, err := tiff.Decode(nil, 0, 1); !errors.Is(err, tiff.ErrDamaged) {
		t.Error(err)
	}
}
