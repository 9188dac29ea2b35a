package sane

import (
	"fmt"
	"image"
	"slices"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// The values of SANE_Frame a page is made of.
const (
	formatGray = iota
	formatRGB
	formatRed
	formatGreen
	formatBlue
)

const (
	maxWidth  = 1 << 16
	maxPixels = 200 << 20
	// Backends pad lines to whole words or to what their hardware moves at once. More than a line's own length is no padding: the
	// device says other things of its lines than it sends (a grey line with the bytes of a coloured one: AirSane 85).
	mostPadding = 512 // bytes
)

// canvas gathers the bytes of a page's frames into its image, whatever pieces they come in. The zero
// canvas is an empty page.
type canvas struct {
	p     params
	rows  int    // complete lines of the frame that is coming in
	rest  []byte // the beginning of the line after them
	total int    // lines the device promised for the page; 0: it does not know
	// The image as far as it goes, 4 bytes a pixel where colour, else 1.
	pix    []byte
	height int
	color  bool
	bits   bool // black and white
}

// begin makes ready for a frame.
func (c *canvas) begin(p params) error {
	color := p.Format != formatGray
	channels := 1
	if p.Format == formatRGB {
		channels = 3
	}
	switch {
	case p.Format < formatGray || p.Format > formatBlue:
		return unsupportedError{fmt.Sprintf("frame format %d that is pixels", p.Format)}
	case p.Depth != 8 && p.Depth != 16 && (p.Depth != 1 || color):
		return unsupportedError{fmt.Sprintf("depth this program reads: it sends %d bits", p.Depth)}
	case p.PixelsPerLine <= 0 || p.PixelsPerLine > maxWidth || p.BytesPerLine < (p.PixelsPerLine*channels*p.Depth+7)/8 ||
		p.BytesPerLine > 8*maxWidth,
		p.BytesPerLine > 2*((p.PixelsPerLine*channels*p.Depth+7)/8)+mostPadding,
		p.Lines > maxPixels/p.PixelsPerLine:
		return fmt.Errorf("impossible page: %d pixels in %d bytes a line, %d lines", p.PixelsPerLine, p.BytesPerLine, p.Lines)
	case c.height > 0 && (p.PixelsPerLine != c.p.PixelsPerLine || color != c.color):
		return fmt.Errorf("frames of one page differ: %d and %d pixels wide", c.p.PixelsPerLine, p.PixelsPerLine)
	}
	c.p, c.color, c.bits = p, color, p.Depth == 1
	c.rows, c.rest = 0, c.rest[:0]
	if p.Lines > 0 {
		c.total = p.Lines
		if need := p.Lines * c.stride(); c.height == 0 && cap(c.pix) < need {
			c.pix = make([]byte, 0, need)
			populate(c.pix[:need])
		}
	}
	return nil
}

// next is an empty page in the memory of one that nobody looks at any more.
func (c *canvas) next() *canvas { return &canvas{pix: c.pix[:0]} }

// populate has the kernel give memory at one time: page by page, as lines come, it takes far longer.
func populate(mem []byte) {
	const worth = 1 << 20 // bytes; so much begins where one of the kernel's pages does
	if len(mem) >= worth {
		_ = unix.Madvise(mem, unix.MADV_HUGEPAGE)
		_ = unix.Madvise(mem, unix.MADV_POPULATE_WRITE) // since Linux 5.14; else page by page
	}
}

func (c *canvas) stride() int {
	if c.color {
		return 4 * c.p.PixelsPerLine
	}
	return c.p.PixelsPerLine
}

// write takes the next bytes of the frame.
func (c *canvas) write(data []byte) error {
	n := c.p.BytesPerLine
	if n == 0 {
		return fmt.Errorf("pixels before a frame: %w", errFrame)
	}
	if len(c.rest) > 0 {
		take := min(n-len(c.rest), len(data))
		c.rest = append(c.rest, data[:take]...)
		data = data[take:]
		if len(c.rest) < n {
			return nil
		}
		if err := c.line(c.rest); err != nil {
			return err
		}
		c.rest = c.rest[:0]
	}
	for ; len(data) >= n; data = data[n:] {
		if err := c.line(data[:n]); err != nil {
			return err
		}
	}
	c.rest = append(c.rest, data...)
	return nil
}

func (c *canvas) line(src []byte) error {
	stride := c.stride()
	if c.rows == c.height {
		if (c.height+1)*c.p.PixelsPerLine > maxPixels {
			return fmt.Errorf("the page does not end: %d lines", c.height)
		}
		c.pix = slices.Grow(c.pix, stride)[:len(c.pix)+stride]
		if c.p.Format > formatRGB { // of a line's colours one comes at a time, and the memory may have held another page
			clear(c.pix[len(c.pix)-stride:])
		}
		c.height++
	}
	dst := c.pix[c.rows*stride : (c.rows+1)*stride]
	c.rows++
	// Of 16 bits the high byte is the second: SANE sends them in the machine's order.
	step, high := 1, 0
	if c.p.Depth == 16 {
		step, high = 2, 1
	}
	switch c.p.Format {
	case formatGray:
		switch {
		case c.bits:
			for x := range dst {
				dst[x] = src[x>>3] >> (7 - x&7) & 1
			}
		case step == 1:
			copy(dst, src)
		default:
			for x := range dst {
				dst[x] = src[x*step+high]
			}
		}
	case formatRGB:
		for i, k := 0, high; i+3 < len(dst); i, k = i+4, k+3*step {
			dst[i], dst[i+1], dst[i+2], dst[i+3] = src[k], src[k+step], src[k+2*step], 255
		}
	default:
		channel := c.p.Format - formatRed
		for i, k := 0, high; i+3 < len(dst); i, k = i+4, k+step {
			dst[i+channel], dst[i+3] = src[k], 255
		}
	}
	return nil
}

// strip is the part of the page between two lines; the whole page is strip(0, height).
func (c *canvas) strip(from, to int) image.Image {
	stride := c.stride()
	rect := image.Rect(0, from, c.p.PixelsPerLine, to)
	pix := c.pix[from*stride : to*stride]
	switch {
	case c.color:
		return &image.RGBA{Pix: pix, Stride: stride, Rect: rect}
	case c.bits:
		return &image.Paletted{Pix: pix, Stride: stride, Rect: rect, Palette: scan.Bilevel}
	}
	return &image.Gray{Pix: pix, Stride: stride, Rect: rect}
}
