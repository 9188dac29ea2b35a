package scan

/*
#cgo LDFLAGS: -lturbojpeg
#include <stdlib.h>
#include <turbojpeg.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"
)

// The standard library's encoder takes ten times as long for an A4 page, and that time lies between the
// last scan line and the first recognised field.

// compress encodes rows of RGBA or grey bytes.
func compress(pix []byte, stride, width, height int, color bool, quality int) ([]byte, error) {
	if width <= 0 || height <= 0 || stride < width || len(pix) < stride*(height-1)+width {
		return nil, errors.New("empty image")
	}
	h := C.tjInitCompress()
	if h == nil {
		return nil, errors.New("start libturbojpeg")
	}
	defer C.tjDestroy(h)
	format, sampling := C.TJPF_GRAY, C.TJSAMP_GRAY
	if color {
		format, sampling = C.TJPF_RGBA, C.TJSAMP_420
	}
	var out *C.uchar
	var size C.ulong
	defer func() { C.tjFree(out) }()
	if C.tjCompress2(h, (*C.uchar)(unsafe.Pointer(&pix[0])), C.int(width), C.int(stride), C.int(height), C.int(format),
		&out, &size, C.int(sampling), C.int(quality), 0) != 0 {
		return nil, errors.New(C.GoString(C.tjGetErrorStr2(h)))
	}
	return C.GoBytes(unsafe.Pointer(out), C.int(size)), nil
}

// shrink decodes a JPEG to grey at the smallest of the decoder's own scales that is at least so wide.
func shrink(data []byte, atLeast int) (*image.Gray, error) {
	if len(data) == 0 {
		return nil, errors.New("empty JPEG")
	}
	h := C.tjInitDecompress()
	if h == nil {
		return nil, errors.New("start libturbojpeg")
	}
	defer C.tjDestroy(h)
	src, n := (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data))
	var width, height, sampling, space C.int
	if C.tjDecompressHeader3(h, src, n, &width, &height, &sampling, &space) != 0 {
		return nil, fmt.Errorf("read JPEG: %s", C.GoString(C.tjGetErrorStr2(h)))
	}
	const limit = 200 << 20
	if width <= 0 || height <= 0 || int(width)*int(height) > limit {
		return nil, fmt.Errorf("read JPEG: %d × %d pixels", width, height)
	}
	denominator := 8
	for denominator > 1 && int(width)/denominator < atLeast {
		denominator /= 2
	}
	w, t := (int(width)+denominator-1)/denominator, (int(height)+denominator-1)/denominator
	img := image.NewGray(image.Rect(0, 0, w, t))
	// A damaged end still gives the picture above it, which is enough to judge by.
	if C.tjDecompress2(h, src, n, (*C.uchar)(unsafe.Pointer(&img.Pix[0])), C.int(w), C.int(w), C.int(t), C.TJPF_GRAY, C.TJFLAG_FASTDCT) != 0 &&
		C.tjGetErrorCode(h) != C.TJERR_WARNING {
		return nil, fmt.Errorf("read JPEG: %s", C.GoString(C.tjGetErrorStr2(h)))
	}
	return img, nil
}
