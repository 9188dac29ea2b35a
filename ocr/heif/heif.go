// Package heif decodes the pictures that telephones make: HEIC (HEVC) and AVIF (AV1), by libheif. In go bytes, out come the
// pixels of the primary picture, turned as the file says, on white where it is transparent. Bytes from outside are to be
// decoded in the worker only.
package heif

/*
#cgo pkg-config: libheif
#include <libheif/heif.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"runtime"
	"sync"
	"unsafe"
)

// What keeps a picture from being decoded.
var (
	ErrTooLarge = errors.New("HEIF picture has too many pixels")
	ErrNoCodec  = errors.New("HEIF picture is of a kind that this machine's libheif does not decode")
)

// Load makes libheif look for its codecs, which it must do before the worker gives up the file system.
var Load = sync.OnceFunc(func() { C.heif_init(nil) })

// Decode gives the primary picture, if it has no more than limit pixels.
func Decode(data []byte, limit int) (*image.RGBA, error) {
	if len(data) == 0 {
		return nil, errors.New("decode HEIF: no data")
	}
	Load()
	ctx := C.heif_context_alloc()
	if ctx == nil {
		return nil, errors.New("decode HEIF: no memory")
	}
	defer C.heif_context_free(ctx)
	var pin runtime.Pinner // libheif keeps looking at the bytes until the context is freed
	defer pin.Unpin()
	pin.Pin(&data[0])
	if err := failed(C.heif_context_read_from_memory_without_copy(ctx, unsafe.Pointer(&data[0]), C.size_t(len(data)), nil)); err != nil {
		return nil, fmt.Errorf("decode HEIF: %w", err)
	}
	var handle *C.struct_heif_image_handle
	if err := failed(C.heif_context_get_primary_image_handle(ctx, &handle)); err != nil {
		return nil, fmt.Errorf("decode HEIF: %w", err)
	}
	defer C.heif_image_handle_release(handle)
	w, h := int(C.heif_image_handle_get_width(handle)), int(C.heif_image_handle_get_height(handle))
	if w <= 0 || h <= 0 {
		return nil, errors.New("decode HEIF: no size")
	}
	if w > limit/h {
		return nil, ErrTooLarge
	}
	options := C.heif_decoding_options_alloc()
	defer C.heif_decoding_options_free(options)
	options.convert_hdr_to_8bit = 1
	var img *C.struct_heif_image
	if err := failed(C.heif_decode_image(handle, &img, C.heif_colorspace_RGB, C.heif_chroma_interleaved_RGBA, options)); err != nil {
		return nil, fmt.Errorf("decode HEIF: %w", err)
	}
	defer C.heif_image_release(img)
	w, h = int(C.heif_image_get_width(img, C.heif_channel_interleaved)), int(C.heif_image_get_height(img, C.heif_channel_interleaved))
	var stride C.int
	plane := C.heif_image_get_plane_readonly(img, C.heif_channel_interleaved, &stride)
	if plane == nil || w <= 0 || h <= 0 || w > limit/h || int(stride) < 4*w {
		return nil, errors.New("decode HEIF: no pixels")
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	pix := unsafe.Slice((*byte)(plane), int(stride)*(h-1)+4*w)
	for y := range h {
		copy(out.Pix[y*out.Stride:(y+1)*out.Stride], pix[y*int(stride):])
	}
	if C.heif_image_handle_has_alpha_channel(handle) != 0 {
		onWhite(out.Pix, C.heif_image_handle_is_premultiplied_alpha(handle) != 0)
	}
	return out, nil
}

// onWhite makes pixels opaque.
func onWhite(pix []byte, premultiplied bool) {
	for i := 0; i+4 <= len(pix); i += 4 {
		a := uint32(pix[i+3])
		for k := range 3 {
			v := uint32(pix[i+k])
			if !premultiplied {
				v = v * a / 255
			}
			pix[i+k] = uint8(min(v+255-a, 255))
		}
		pix[i+3] = 255
	}
}

func failed(e C.struct_heif_error) error {
	switch e.code {
	case C.heif_error_Ok:
		return nil
	case C.heif_error_Unsupported_filetype, C.heif_error_Unsupported_feature, C.heif_error_Plugin_loading_error:
		return fmt.Errorf("%w: %s", ErrNoCodec, C.GoString(e.message))
	}
	return errors.New(C.GoString(e.message))
}
