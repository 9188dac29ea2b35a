package jpeg

/*
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

// Crop cuts r out of a JPEG without decoding a pixel: whole blocks of it, so that what comes out begins at got.Min, up to 15
// pixels left of and above r. Nothing but the picture is kept: no EXIF, no comment.
func Crop(data []byte, r image.Rectangle) (out []byte, got image.Rectangle, err error) {
	if len(data) < 4 {
		return nil, got, errors.New("crop JPEG: too short")
	}
	t := C.tjInitTransform()
	if t == nil {
		return nil, got, errors.New("crop JPEG: no transformer")
	}
	defer C.tjDestroy(t)
	var w, h, sub, space C.int
	at, n := (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data))
	if C.tjDecompressHeader3(t, at, n, &w, &h, &sub, &space) != 0 || sub < 0 || sub >= C.TJ_NUMSAMP {
		return nil, got, fmt.Errorf("crop JPEG: %s", C.GoString(C.tjGetErrorStr2(t)))
	}
	block := [C.TJ_NUMSAMP]image.Point{C.TJSAMP_444: {X: 8, Y: 8}, C.TJSAMP_422: {X: 16, Y: 8}, C.TJSAMP_420: {X: 16, Y: 16},
		C.TJSAMP_GRAY: {X: 8, Y: 8}, C.TJSAMP_440: {X: 8, Y: 16}, C.TJSAMP_411: {X: 32, Y: 8}}[sub]
	got = r.Intersect(image.Rect(0, 0, int(w), int(h)))
	if got.Empty() {
		return nil, got, errors.New("crop JPEG: nothing of the picture lies there")
	}
	got.Min.X -= got.Min.X % block.X
	got.Min.Y -= got.Min.Y % block.Y
	var job C.tjtransform
	job.r = C.tjregion{x: C.int(got.Min.X), y: C.int(got.Min.Y), w: C.int(got.Dx()), h: C.int(got.Dy())}
	job.op = C.TJXOP_NONE
	job.options = C.TJXOPT_CROP | C.TJXOPT_COPYNONE
	var buf *C.uchar
	var size C.ulong
	defer func() { C.tjFree(buf) }()
	if C.tjTransform(t, at, n, 1, &buf, &size, &job, 0) != 0 {
		if err := verdict(t); err != nil {
			return nil, got, err
		}
	}
	return C.GoBytes(unsafe.Pointer(buf), C.int(size)), got, nil
}

// Bare says whether a JPEG has nothing in it that tells more than the picture: where it was taken, by what, when.
func Bare(data []byte) bool {
	for i := 2; i+4 <= len(data) && data[i] == 0xFF; {
		marker, n := data[i+1], int(data[i+2])<<8|int(data[i+3])
		switch {
		case marker == 0xDA:
			return true
		case marker == 0xE0, marker == 0xEE: // JFIF, Adobe
		case marker >= 0xE1 && marker <= 0xEF, marker == 0xFE:
			return false
		}
		if n < 2 {
			break
		}
		i += 2 + n
	}
	return false
}
