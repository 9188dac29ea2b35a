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

// Effort is how long Find may search.
type Effort int

// Quick tries upright symbols at full scale; Hard also turns, shrinks and binarises in other ways.
const (
	Quick Effort = iota
	Hard
)

// Find decodes the symbols in img; corners are in img's coordinates.
func Find(img *image.Gray, formats int, effort Effort) []Symbol {
	b := img.Bounds()
	if b.Dx() < 20 || b.Dy() < 20 {
		return nil
	}
	const most = 8
	out := make([]C.mo_code, most)
	hard := C.int(0)
	if effort == Hard {
		hard = 1
	}
	at := img.PixOffset(b.Min.X, b.Min.Y)
	n := int(C.mo_read_codes((*C.uchar)(unsafe.Pointer(&img.Pix[at])), C.int(b.Dx()), C.int(b.Dy()), C.int(img.Stride),
		C.int(formats), hard, 0, &out[0], most))
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
