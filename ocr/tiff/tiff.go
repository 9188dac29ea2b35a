// Package tiff decodes the kinds of TIFF that Go's own decoder does not take, by libtiff: JPEG inside TIFF (what office
// machines write), the JPEG of TIFF 6.0, four inks, planes apart, extra samples, BigTIFF. In go bytes and where a page's directory
// lies, out come its pixels as they are stored, on white; the orientation tag is left to the caller. Bytes from outside are
// to be decoded in the worker only.
package tiff

/*
#cgo pkg-config: libtiff-4
#include "tiff.h"
*/
import "C"

import (
	"errors"
	"image"
	"unsafe"
)

// What keeps a page from being decoded.
var (
	ErrDamaged     = errors.New("TIFF page is damaged or of an unknown kind")
	ErrTooLarge    = errors.New("TIFF page has too many pixels")
	ErrUnsupported = errors.New("TIFF page has samples, or a compression, that are not supported")
)

// Decode gives the page whose directory lies at an offset, if it has no more than limit pixels.
func Decode(data []byte, directory uint32, limit int) (*image.RGBA, error) {
	if len(data) < 8 {
		return nil, ErrDamaged
	}
	at, n, most := (*C.uint8_t)(unsafe.Pointer(&data[0])), C.size_t(len(data)), C.uint64_t(limit)
	var w, h C.uint32_t
	if err := verdict(C.motcua_tiff_size(at, n, C.uint64_t(directory), most, &w, &h)); err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, int(w), int(h)))
	if err := verdict(C.motcua_tiff_decode(at, n, C.uint64_t(directory), most, (*C.uint8_t)(unsafe.Pointer(&img.Pix[0])))); err != nil {
		return nil, err
	}
	return img, nil
}

func verdict(rc C.int) error {
	switch rc {
	case C.MOTCUA_TIFF_OK:
		return nil
	case C.MOTCUA_TIFF_TOO_LARGE:
		return ErrTooLarge
	case C.MOTCUA_TIFF_UNSUPPORTED:
		return ErrUnsupported
	}
	return ErrDamaged
}
