// Package bmp decodes BMP files of every age: the heads of OS/2 1 and 2 and of Windows 2 to 5, 1 to 32 bits a pixel, palettes,
// masks, RLE of 4, 8 and 24 bits, rows from either end. In go bytes, out come pixels as they are to be seen. What is left out is told
// by ErrUnsupported: Huffman's code of OS/2 (a fax), JPEG or PNG inside (made for printers only), 64 bits. golang.org/x/image/bmp takes
// few of these and tells damage from another kind by nothing.
package bmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math/bits"
	"slices"
)

// What keeps a picture from being decoded.
var (
	ErrDamaged     = errors.New("BMP is damaged")
	ErrTooLarge    = errors.New("BMP has too many pixels")
	ErrUnsupported = errors.New("BMP is of a kind that is not supported")
)

// The sizes of heads, behind the fourteen bytes of the file's own; those of OS/2 2 may be cut off at any field from 16 on.
const (
	fileHead = 14
	os21Head = 12
	os22Head = 64
	infoHead = 40
	v2Head   = 52
	v3Head   = 56
	v4Head   = 108
	v5Head   = 124
)

// How pixels are laid down, by the number in a head of Windows.
const (
	plainRows   = 0
	rle8        = 1
	rle4        = 2
	masked      = 3 // in a head of OS/2: Huffman's code
	jpegInside  = 4 // in a head of OS/2: RLE of 24 bits
	pngInside   = 5
	alphaMasked = 6
)

// head is what a file says of its pixels.
type head struct {
	size        int // of the head itself
	os2         bool
	w, h        int
	topDown     bool
	depth       int // bits a pixel
	compression uint32
	colours     int       // in the palette; 0: as many as depth can tell apart
	masks       [4]uint32 // of red, green, blue and alpha
	pixels      int       // where they begin
	metre       uint32    // pixels of a row in it
}

// Is says whether a file begins as a BMP does.
func Is(data []byte) bool {
	return len(data) > fileHead+os21Head && string(data[:2]) == "BM" && known(int(binary.LittleEndian.Uint32(data[fileHead:])))
}

func known(size int) bool {
	return size == os21Head || size >= 16 && size <= os22Head && size%2 == 0 || size == v4Head || size == v5Head
}

// DotsPerMetre is how fine a file says it is, 0 where it does not.
func DotsPerMetre(data []byte) uint32 {
	h, err := readHead(data)
	if err != nil {
		return 0
	}
	return h.metre
}

func readHead(data []byte) (h head, err error) {
	le := binary.LittleEndian
	if !Is(data) {
		return h, ErrDamaged
	}
	h.size, h.pixels = int(le.Uint32(data[fileHead:])), int(le.Uint32(data[10:]))
	if len(data) < fileHead+h.size {
		return h, ErrDamaged
	}
	b := make([]byte, v5Head) // what a short head does not say is nothing
	copy(b, data[fileHead:fileHead+h.size])
	if h.size == os21Head {
		h.os2 = true
		h.w, h.h, h.depth = int(le.Uint16(b[4:])), int(le.Uint16(b[6:])), int(le.Uint16(b[10:]))
	} else {
		h.os2 = h.size <= os22Head && h.size != infoHead && h.size != v2Head && h.size != v3Head
		h.w, h.h, h.depth = int(int32(le.Uint32(b[4:]))), int(int32(le.Uint32(b[8:]))), int(le.Uint16(b[14:]))
		h.compression, h.metre, h.colours = le.Uint32(b[16:]), le.Uint32(b[24:]), int(le.Uint32(b[32:]))
	}
	if h.h < 0 {
		h.h, h.topDown = -h.h, true
	}
	if h.w <= 0 || h.h <= 0 || h.w > 1<<24 || h.h > 1<<24 {
		return h, ErrDamaged
	}
	return h, h.readMasks(data, b)
}

// readMasks finds which bits of a pixel are which colour.
func (h *head) readMasks(data, b []byte) error {
	if h.depth != 16 && h.depth != 32 {
		return nil
	}
	switch {
	case h.os2 || h.compression == plainRows:
		if h.masks = [4]uint32{0x7C00, 0x3E0, 0x1F}; h.depth == 32 {
			h.masks = [4]uint32{0xFF0000, 0xFF00, 0xFF}
		}
		return nil
	case h.compression != masked && h.compression != alphaMasked:
		return nil
	case h.size == infoHead: // they follow the head
		n := 12
		if h.compression == alphaMasked {
			n = 16
		}
		if len(data) < fileHead+infoHead+n {
			return ErrDamaged
		}
		copy(b[infoHead:], data[fileHead+infoHead:fileHead+infoHead+n])
		h.size += n
	}
	for i := range h.masks {
		h.masks[i] = binary.LittleEndian.Uint32(b[infoHead+4*i:])
	}
	return nil
}

// Decode gives the pixels of a file, if it has no more than limit: *image.Paletted, *image.RGBA, or *image.NRGBA where it has alpha.
func Decode(data []byte, limit int) (image.Image, error) {
	h, err := readHead(data)
	if err != nil {
		return nil, err
	}
	if h.w > limit/h.h {
		return nil, ErrTooLarge
	}
	packed := h.packing()
	if packed == other {
		return nil, fmt.Errorf("%w: %d bits, compression %d", ErrUnsupported, h.depth, h.compression)
	}
	at := h.pixels
	if end := fileHead + h.size; at < end { // some programs leave it out
		at = end
		if h.depth <= 8 {
			at += h.paletteBytes()
		}
	}
	if at >= len(data) {
		return nil, ErrDamaged
	}
	if h.depth > 8 {
		return h.coloured(data[at:], packed)
	}
	palette := h.palette(data)
	if len(palette) == 0 {
		return nil, ErrDamaged
	}
	img := image.NewPaletted(image.Rect(0, 0, h.w, h.h), palette)
	if packed == rows {
		err = h.indices(data[at:], img)
	} else if !h.runs(data[at:], 1, h.row(img.Stride, img.Pix, 1)) {
		err = ErrDamaged
	}
	if err != nil {
		return nil, err
	}
	for i, v := range img.Pix { // an index beyond the palette is the last colour, as far as there is one
		if int(v) >= len(palette) {
			img.Pix[i] = uint8(len(palette) - 1)
		}
	}
	return img, nil
}

// packing is how the rows lie in the file.
type packing int

const (
	other packing = iota
	rows
	runLengths
)

func (h *head) packing() packing {
	if !slices.Contains([]int{1, 2, 4, 8, 16, 24, 32}, h.depth) {
		return other
	}
	switch {
	case h.compression == plainRows:
		return rows
	case h.compression == rle8 && h.depth == 8, h.compression == rle4 && h.depth == 4, h.os2 && h.compression == jpegInside && h.depth == 24:
		return runLengths
	case !h.os2 && (h.compression == masked || h.compression == alphaMasked) && (h.depth == 16 || h.depth == 32):
		return rows
	}
	return other
}

func (h *head) paletteBytes() int {
	each := 4
	if h.size == os21Head {
		each = 3
	}
	n := 1 << h.depth
	if h.colours > 0 && h.colours < n {
		n = h.colours
	}
	return n * each
}

// palette is as long as the file has room for it before the pixels.
func (h *head) palette(data []byte) color.Palette {
	each := 4
	if h.size == os21Head {
		each = 3
	}
	from := fileHead + h.size
	to := min(from+h.paletteBytes(), len(data))
	if h.pixels > from {
		to = min(to, h.pixels)
	}
	var out color.Palette
	for ; from+3 <= to; from += each {
		out = append(out, color.RGBA{data[from+2], data[from+1], data[from], 255})
	}
	return out
}

// row gives the bytes of the picture's row y, counted as the file has them.
func (h *head) row(stride int, pix []uint8, each int) func(y int) []uint8 {
	return func(y int) []uint8 {
		if !h.topDown {
			y = h.h - 1 - y
		}
		return pix[y*stride : y*stride+each*h.w]
	}
}

// stored is how many bytes a row takes in the file: whole words of four.
func (h *head) stored() int { return (h.w*h.depth + 31) / 32 * 4 }

func (h *head) indices(data []byte, img *image.Paletted) error {
	n, row := h.stored(), h.row(img.Stride, img.Pix, 1)
	if len(data) < (h.h-1)*n+(h.w*h.depth+7)/8 {
		return ErrDamaged
	}
	mask := uint8(1<<h.depth - 1)
	for y := range h.h {
		src, dst := data[y*n:], row(y)
		for x := range dst {
			bit := x * h.depth
			dst[x] = src[bit/8] >> (8 - h.depth - bit%8) & mask
		}
	}
	return nil
}

// coloured decodes pixels that are colours themselves.
func (h *head) coloured(data []byte, packed packing) (image.Image, error) {
	img := image.NewNRGBA(image.Rect(0, 0, h.w, h.h))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	row := h.row(img.Stride, img.Pix, 4)
	if packed == runLengths {
		if !h.runs(data, 3, row) {
			return nil, ErrDamaged
		}
		return solid(img), nil
	}
	n := h.stored()
	if len(data) < (h.h-1)*n+h.w*h.depth/8 {
		return nil, ErrDamaged
	}
	if h.depth == 24 {
		for y := range h.h {
			src, dst := data[y*n:], row(y)
			for x := range h.w {
				dst[4*x], dst[4*x+1], dst[4*x+2] = src[3*x+2], src[3*x+1], src[3*x]
			}
		}
		return solid(img), nil
	}
	var channels [4]channel
	for i, m := range h.masks {
		channels[i] = newChannel(m)
	}
	seen := uint8(0) // of alpha
	for y := range h.h {
		src, dst := data[y*n:], row(y)
		for x := range h.w {
			var v uint32
			if h.depth == 16 {
				v = uint32(binary.LittleEndian.Uint16(src[2*x:]))
			} else {
				v = binary.LittleEndian.Uint32(src[4*x:])
			}
			for i := range 3 {
				dst[4*x+i] = channels[i].of(v)
			}
			if h.masks[3] != 0 {
				dst[4*x+3] = channels[3].of(v)
				seen |= dst[4*x+3]
			}
		}
	}
	if h.masks[3] == 0 || seen == 0 { // programs that name an alpha and write none mean a picture, not nothing
		return solid(img), nil
	}
	return img, nil
}

// solid is img without alpha.
func solid(img *image.NRGBA) *image.RGBA {
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	return &image.RGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}
}

// channel is where in a pixel one colour lies.
type channel struct {
	mask  uint32
	shift int
	most  uint64
}

func newChannel(mask uint32) channel {
	if mask == 0 {
		return channel{most: 1}
	}
	shift := bits.TrailingZeros32(mask)
	return channel{mask, shift, uint64(mask >> shift)}
}

func (c channel) of(v uint32) uint8 {
	return uint8((uint64((v&c.mask)>>c.shift)*255 + c.most/2) / c.most)
}
