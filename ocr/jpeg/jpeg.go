// Package jpeg decodes JPEG by libjpeg-turbo, luma alone where that is all that is needed (three times
// faster than colour) and at 1/2, 1/4 or 1/8 of the size where that is enough. Bytes in, pixels out; a
// damaged file gives what could be decoded together with ErrTruncated, so that the caller can decide.
package jpeg

/*
#cgo pkg-config: libturbojpeg
#include <stdlib.h>
#include <turbojpeg.h>
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"iter"
	"runtime"
	"strings"
	"unsafe"

	"motcua/ocr/exif"
)

// ErrTruncated says that the picture is there but part of it may be missing or wrong.
var ErrTruncated = errors.New("JPEG data is damaged or ends early")

// ErrUnsupported says that the file is whole, but of a kind that libjpeg-turbo 2 does not decode.
var ErrUnsupported = errors.New("JPEG is of a kind that is not supported")

// Header is what a JPEG says of itself.
type Header struct {
	Width, Height int
	DPI           float64 // 0 where the file does not say
	Orientation   exif.Orientation
	Components    int  // 1 gray, 3 colour, 4 inks
	Inverted      bool // inks are stored as what is left of the light, as Adobe's programs and most others write them
}

// ReadHeader reads the size without decoding.
func ReadHeader(data []byte) (Header, error) {
	if len(data) < 4 {
		return Header{}, errors.New("JPEG header: too short")
	}
	if what := unsupported(data); what != "" {
		return Header{}, fmt.Errorf("%w: %s", ErrUnsupported, what)
	}
	h := C.tjInitDecompress()
	if h == nil {
		return Header{}, errors.New("JPEG header: no decoder")
	}
	defer C.tjDestroy(h)
	var w, ht, sub, cs C.int
	rc := C.tjDecompressHeader3(h, (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data)), &w, &ht, &sub, &cs)
	switch {
	case w > 0 && ht > 0: // whatever is wrong with the rest
	case rc != 0:
		return Header{}, fmt.Errorf("JPEG header: %s", C.GoString(C.tjGetErrorStr2(h)))
	default: // a file of tables alone is well formed
		return Header{}, errors.New("JPEG header: no picture")
	}
	out := marks(data)
	out.Width, out.Height, out.Components = int(w), int(ht), 3
	switch cs {
	case C.TJCS_GRAY:
		out.Components = 1
	case C.TJCS_CMYK, C.TJCS_YCCK:
		out.Components = 4
	}
	return out, nil
}

// Luma decodes the brightness at 1/denominator of the size (1, 2, 4 or 8), and with it, at the same or half the size,
// how red each place is: 128 is no colour, more is red. A gray JPEG, or one of four inks, has no red.
func Luma(data []byte, denominator int) (y, red *image.Gray, err error) {
	if red, y, err = planes(data, denominator); y != nil || err != nil {
		return y, red, err
	}
	w, h, pix, err := decode(data, denominator, C.TJPF_GRAY, 1)
	if pix == nil {
		return nil, nil, err
	}
	return gray(pix, w, h), nil, err
}

// Inks says whether a JPEG is of four inks, whose brightness only Color gives.
func (h Header) Inks() bool { return h.Components == 4 }

func gray(pix []byte, w, h int) *image.Gray {
	return &image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, h)}
}

// planes decodes the planes as they are stored, without mixing colours; it takes no longer than the luma alone. It gives
// nothing for a JPEG that has other planes.
func planes(data []byte, denominator int) (red, y *image.Gray, err error) {
	if len(data) == 0 {
		return nil, nil, errors.New("decode JPEG: no data")
	}
	t := C.tjInitDecompress()
	if t == nil {
		return nil, nil, errors.New("decode JPEG: no decoder")
	}
	defer C.tjDestroy(t)
	var w, h, sub, space C.int
	if C.tjDecompressHeader3(t, (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data)), &w, &h, &sub, &space) != 0 ||
		space != C.TJCS_YCbCr || sub == C.TJSAMP_GRAY {
		return nil, nil, nil
	}
	d := C.int(denominator)
	w, h = (w+d-1)/d, (h+d-1)/d
	var size [3][2]int
	var pix [3][]byte
	var at [3]*C.uchar
	var pins runtime.Pinner
	defer pins.Unpin()
	for i := range pix {
		size[i] = [2]int{int(C.tjPlaneWidth(C.int(i), w, sub)), int(C.tjPlaneHeight(C.int(i), h, sub))}
		if size[i][0] <= 0 || size[i][1] <= 0 {
			return nil, nil, nil
		}
		pix[i] = make([]byte, size[i][0]*size[i][1])
		pins.Pin(&pix[i][0])
		at[i] = (*C.uchar)(unsafe.Pointer(&pix[i][0]))
	}
	rc := C.tjDecompressToYUVPlanes(t, (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data)), &at[0], w, nil, h,
		C.TJFLAG_FASTDCT|C.TJFLAG_LIMITSCANS)
	y, red = gray(pix[0], size[0][0], size[0][1]), gray(pix[2], size[2][0], size[2][1])
	// The plane is filled up to whole blocks of colour.
	y.Rect.Max = image.Pt(int(w), int(h))
	if rc != 0 {
		err := verdict(t)
		if err != nil && !errors.Is(err, ErrTruncated) {
			return nil, nil, err
		}
		return red, y, err
	}
	return red, y, nil
}

// verdict says what the decoder's complaint means for the picture; nil: nothing.
func verdict(t C.tjhandle) error {
	if C.tjGetErrorCode(t) != C.TJERR_WARNING {
		return fmt.Errorf("decode JPEG: %s", C.GoString(C.tjGetErrorStr2(t)))
	}
	// Cameras leave stray bytes between segments; nothing of the picture is missing then.
	if strings.Contains(C.GoString(C.tjGetErrorStr2(t)), "extraneous bytes") {
		return nil
	}
	return ErrTruncated
}

// Color decodes in colour at 1/denominator of the size (1, 2, 4 or 8).
func Color(data []byte, denominator int) (*image.RGBA, error) {
	if h, err := ReadHeader(data); err == nil && h.Inks() {
		return fromInks(data, denominator, h.Inverted)
	}
	w, h, pix, err := decode(data, denominator, C.TJPF_RGBA, 4)
	if pix == nil {
		return nil, err
	}
	return &image.RGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}, err
}

// fromInks turns cyan, magenta, yellow and black into light, without a profile: what is read from a page needs none.
func fromInks(data []byte, denominator int, inverted bool) (*image.RGBA, error) {
	w, h, pix, err := decode(data, denominator, C.TJPF_CMYK, 4)
	if pix == nil {
		return nil, err
	}
	for i := 0; i+4 <= len(pix); i += 4 {
		if !inverted {
			for k := range 4 {
				pix[i+k] = 255 - pix[i+k]
			}
		}
		k := uint32(pix[i+3])
		for c := range 3 {
			pix[i+c] = uint8(uint32(pix[i+c]) * k / 255)
		}
		pix[i+3] = 255
	}
	return &image.RGBA{Pix: pix, Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}, err
}

func decode(data []byte, denominator int, format C.int, size int) (int, int, []byte, error) {
	head, err := ReadHeader(data)
	if err != nil {
		return 0, 0, nil, err
	}
	w, h := (head.Width+denominator-1)/denominator, (head.Height+denominator-1)/denominator
	pix := make([]byte, w*h*size)
	t := C.tjInitDecompress()
	if t == nil {
		return 0, 0, nil, errors.New("decode JPEG: no decoder")
	}
	defer C.tjDestroy(t)
	rc := C.tjDecompress2(t, (*C.uchar)(unsafe.Pointer(&data[0])), C.ulong(len(data)),
		(*C.uchar)(unsafe.Pointer(&pix[0])), C.int(w), C.int(w*size), C.int(h), format, C.TJFLAG_FASTDCT|C.TJFLAG_LIMITSCANS)
	if rc != 0 {
		if err := verdict(t); err != nil && !errors.Is(err, ErrTruncated) {
			return 0, 0, nil, err
		} else if err != nil {
			return w, h, pix, err
		}
	}
	return w, h, pix, nil
}

// Encode writes RGBA or gray pixels as a JPEG.
func Encode(img image.Image, quality int) ([]byte, error) {
	var pix []byte
	var format, sub, stride C.int
	b := img.Bounds()
	switch m := img.(type) {
	case *image.Gray:
		pix, format, sub, stride = m.Pix, C.TJPF_GRAY, C.TJSAMP_GRAY, C.int(m.Stride)
	case *image.RGBA:
		pix, format, sub, stride = m.Pix, C.TJPF_RGBA, C.TJSAMP_420, C.int(m.Stride)
	default:
		return nil, fmt.Errorf("encode JPEG: pixels of type %T", img)
	}
	if b.Dx() <= 0 || b.Dy() <= 0 {
		return nil, errors.New("encode JPEG: no pixels")
	}
	t := C.tjInitCompress()
	if t == nil {
		return nil, errors.New("encode JPEG: no encoder")
	}
	defer C.tjDestroy(t)
	var out *C.uchar
	var n C.ulong
	defer func() { C.tjFree(out) }()
	if C.tjCompress2(t, (*C.uchar)(unsafe.Pointer(&pix[0])), C.int(b.Dx()), stride, C.int(b.Dy()), format, &out, &n, sub, C.int(quality),
		0) != 0 {
		return nil, fmt.Errorf("encode JPEG: %s", C.GoString(C.tjGetErrorStr2(t)))
	}
	return C.GoBytes(unsafe.Pointer(out), C.int(n)), nil
}

// WithDensity writes dots an inch into the JFIF segment of a JPEG that Encode made.
func WithDensity(data []byte, dpi int) []byte {
	if len(data) > 18 && string(data[6:11]) == "JFIF\x00" {
		data[13] = 1
		data[14], data[15], data[16], data[17] = byte(dpi>>8), byte(dpi), byte(dpi>>8), byte(dpi)
	}
	return data
}

// segments gives the marks of a file with what stands behind each, up to its first pixels; a filling 0xFF before a mark is left out.
func segments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for i := 2; i+4 <= len(data) && data[i] == 0xFF; {
			marker, n := data[i+1], int(data[i+2])<<8|int(data[i+3])
			if marker == 0xFF {
				i++
				continue
			}
			if marker == 0xDA || n < 2 || i+2+n > len(data) || !yield(marker, data[i+4:i+2+n]) {
				return
			}
			i += 2 + n
		}
	}
}

// unsupported says in what way the pixels of a file are coded, if it is one that is not decoded (ITU-T T.81, table B.1).
func unsupported(data []byte) string {
	for marker, body := range segments(data) {
		switch {
		case marker < 0xC0 || marker > 0xCF || marker == 0xC4 || marker == 0xC8 || marker == 0xCC || len(body) == 0:
		case marker == 0xC3 || marker == 0xCB:
			return "lossless"
		case marker&7 >= 5:
			return "hierarchical"
		case body[0] != 8:
			return fmt.Sprintf("%d bits a sample", body[0])
		default:
			return ""
		}
	}
	return ""
}

// marks finds the density in the JFIF segment, the orientation in the EXIF segment, and Adobe's own segment.
func marks(data []byte) Header {
	h := Header{Orientation: exif.Upright}
	dpi := 0.0
	for marker, body := range segments(data) {
		switch {
		case marker == 0xE0 && len(body) >= 12 && string(body[:5]) == "JFIF\x00":
			x := float64(int(body[8])<<8 | int(body[9]))
			switch body[7] {
			case 1:
				dpi = x
			case 2:
				dpi = x * 2.54
			}
		case marker == 0xE1:
			if d, ok := exif.Open(body, 0); ok && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
				h.Orientation = d.Orientation() // its resolution is not the paper's: cameras write 72 there
			}
		case marker == 0xEE && bytes.HasPrefix(body, []byte("Adobe")):
			h.Inverted = true
		}
	}
	h.DPI = exif.Plausible(dpi)
	return h
}
