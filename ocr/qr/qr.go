// Package qr reads the machine codes printed on identity papers: the QR symbol of the chip cards and the
// Code 128 strip of the barcode card. Pixels in, text with its place on the page out; and the text of an
// identity card's QR in, the fields out. A decoded symbol is right (its error correction says so) unless
// its text does not have the form of an identity card's; then it is not one.
package qr

/*
#cgo pkg-config: zxing
#cgo CXXFLAGS: -std=c++17 -O2
#include "zxing.h"
*/
import "C"

import (
	"image"
	"unicode/utf8"
	"unsafe"

	"motcua/ocr/paper"
)

// Symbol is one code as decoded.
type Symbol struct {
	Text  string
	QR    bool // else Code 128
	Where paper.Quad
}

// What Find looks for.
const (
	QRCode  = 1
	Code128 = 2
)

// Find decodes the symbols in img; corners are in img's coordinates.
func Find(img *image.Gray, formats int) []Symbol { return decode(img, formats, false) }

// FindWorn looks for the QR symbol that Find did not read: it parts light from dark by one level for the whole picture,
// which a stamp or a scratch across a QR disturbs less than levels that follow it.
func FindWorn(img *image.Gray) []Symbol {
	if img.Rect.Dx() < 20 || img.Rect.Dy() < 20 {
		return nil
	}
	black, paper := tones(img)
	// Half way suits a stamp and most scratches, nearer to the paper what is pale. Measured on 311 card faces these
	// two read 5 QRs beside the 37 read without; turning, halving and enlarging read none.
	for _, share := range []int{50, 65} {
		if found := decode(split(img, black+(paper-black)*share/100), QRCode, true); len(found) > 0 {
			return found
		}
	}
	return nil
}

// tones are the levels of the blackest ink and of the paper.
func tones(img *image.Gray) (black, paper int) {
	var hist [256]int
	b, n := img.Bounds(), 0
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		row := img.Pix[img.PixOffset(b.Min.X, y):][:b.Dx()]
		for x := 0; x < len(row); x += 2 {
			hist[row[x]]++
			n++
		}
	}
	at := func(left int) int {
		for v, c := range hist {
			if left -= c; left < 0 {
				return v
			}
		}
		return 255
	}
	return at(n / 100), at(n / 2)
}

// split is img in black and white.
func split(img *image.Gray, level int) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		src, dst := img.Pix[img.PixOffset(b.Min.X, y):][:b.Dx()], out.Pix[out.PixOffset(b.Min.X, y):][:b.Dx()]
		for x, v := range src {
			if int(v) > level {
				dst[x] = 255
			}
		}
	}
	return out
}

// decode reads the symbols in img, which is black and white already if twoTone says so.
func decode(img *image.Gray, formats int, twoTone bool) []Symbol {
	b := img.Bounds()
	if b.Dx() < 20 || b.Dy() < 20 {
		return nil
	}
	const most = 8
	out := make([]C.mo_code, most)
	two := C.int(0)
	if twoTone {
		two = 1
	}
	at := img.PixOffset(b.Min.X, b.Min.Y)
	n := int(C.mo_read_codes((*C.uchar)(unsafe.Pointer(&img.Pix[at])), C.int(b.Dx()), C.int(b.Dy()), C.int(img.Stride),
		C.int(formats), two, &out[0], most))
	var found []Symbol
	for _, c := range out[:n] {
		raw := C.GoBytes(unsafe.Pointer(&c.text[0]), c.length)
		s := Symbol{Text: text(raw), QR: c.format == 1}
		for i := range s.Where {
			s.Where[i] = paper.Point{X: float64(c.corner[2*i]) + float64(b.Min.X), Y: float64(c.corner[2*i+1]) + float64(b.Min.Y)}
		}
		found = append(found, s)
	}
	return found
}

// text takes the bytes for UTF-8, as the cards have it, and else for Latin-1, which keeps digits right.
func text(raw []byte) string {
	if utf8.Valid(raw) {
		return string(raw)
	}
	r := make([]rune, len(raw))
	for i, b := range raw {
		r[i] = rune(b)
	}
	return string(r)
}
