package pdf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	fitz "github.com/gen2brain/go-fitz"
)

// JPEG2000 decodes a JP2 file or a bare codestream by MuPDF's OpenJPEG, if it has no more than limit pixels.
func JPEG2000(data []byte, limit int) (*image.RGBA, error) {
	quiet()
	w, h, ok := size2000(data)
	if !ok {
		return nil, fmt.Errorf("%w: no size", ErrDamaged)
	}
	if w > limit/h {
		return nil, ErrTooLarge
	}
	doc, err := openFitz(data, "\x00\x00\x00\x0CjP  ", start2000)
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	box, err := doc.Bound(0)
	if err != nil || box.Dx() <= 0 || box.Dy() <= 0 {
		return nil, fmt.Errorf("%w: no page", ErrDamaged)
	}
	// MuPDF draws pictures at a resolution; at this one each pixel stays itself.
	dpi := 72 * math.Sqrt(float64(w)/float64(box.Dx())*float64(h)/float64(box.Dy()))
	img, err := doc.ImageDPI(0, dpi)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return img, nil
}

// openFitz lets MuPDF open a file that begins with one of marks. By itself MuPDF opens whatever it knows, by its first bytes:
// XPS, EPUB, SVG, HTML, MOBI and others, with parsers that nothing here wants. go-fitz ends some damaged files in a panic.
func openFitz(data []byte, marks ...string) (doc *fitz.Document, err error) {
	if !slices.ContainsFunc(marks, func(m string) bool { return bytes.HasPrefix(data, []byte(m)) }) {
		return nil, fmt.Errorf("%w: it begins with another mark", ErrDamaged)
	}
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("%w: the parser stopped", ErrDamaged)
		}
	}()
	doc, err = fitz.NewFromMemory(data)
	switch {
	case errors.Is(err, fitz.ErrNeedsPassword):
		return nil, ErrEncrypted
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return doc, nil
}

// start2000 begins a codestream.
const start2000 = "\xFF\x4F\xFF\x51"

// size2000 reads the SIZ segment (ISO 15444-1, A.5.1), which follows the mark of the codestream.
func size2000(data []byte) (w, h int, ok bool) {
	for i := 0; i+24 <= len(data) && i < 1<<16; i++ {
		if string(data[i:i+4]) == start2000 {
			u := func(at int) int64 { return int64(binary.BigEndian.Uint32(data[i+at:])) }
			x, y := u(8)-u(16), u(12)-u(20)
			return int(x), int(y), x > 0 && y > 0 && x < 1<<20 && y < 1<<20
		}
	}
	return 0, 0, false
}
