package pdf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"

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
	doc, err := openFitz(data)
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

// openFitz opens what MuPDF takes; go-fitz ends some damaged files in a panic.
func openFitz(data []byte) (doc *fitz.Document, err error) {
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

// size2000 reads the SIZ segment (ISO 15444-1, A.5.1), which follows the mark of the codestream.
func size2000(data []byte) (w, h int, ok bool) {
	const start = "\xFF\x4F\xFF\x51"
	for i := 0; i+24 <= len(data) && i < 1<<16; i++ {
		if string(data[i:i+4]) == start {
			u := func(at int) int64 { return int64(binary.BigEndian.Uint32(data[i+at:])) }
			x, y := u(8)-u(16), u(12)-u(20)
			return int(x), int(y), x > 0 && y > 0 && x < 1<<20 && y < 1<<20
		}
	}
	return 0, 0, false
}
