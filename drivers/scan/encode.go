package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
)

// jpegQuality keeps a card's QR modules and a form's thin strokes; below it ringing begins to cost reads.
const jpegQuality = 90

// Bilevel is the palette of a lineart page: index 0 is paper, index 1 is ink.
var Bilevel = color.Palette{color.White, color.Black}

// Encode gives the bytes of a page as they are recognised, shown and submitted: JPEG for colour and grey,
// PNG for lineart (a two-colour *image.Paletted), both with the resolution in them. A page that a driver
// was handed as a file passes unchanged.
func Encode(p Page) (data []byte, mediaType string, err error) {
	if p.Encoded != nil {
		return p.Encoded, p.MediaType, nil
	}
	if p.Image == nil {
		return nil, "", fmt.Errorf("encode page %d: %w", p.Number, errors.New("it holds neither pixels nor a file"))
	}
	if i, ok := p.Image.(*image.Paletted); ok && len(i.Palette) <= 2 {
		var b bytes.Buffer
		if err := png.Encode(&b, i); err != nil {
			return nil, "", fmt.Errorf("encode page %d as PNG: %w", p.Number, err)
		}
		return withPHYs(b.Bytes(), p.DPI), "image/png", nil
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p.Image, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return nil, "", fmt.Errorf("encode page %d as JPEG: %w", p.Number, err)
	}
	return withJFIF(b.Bytes(), p.DPI), "image/jpeg", nil
}

// withJFIF puts a JFIF header with the density behind the SOI marker; the encoder writes none.
func withJFIF(data []byte, dpi int) []byte {
	unit, density := byte(1), dpi // 1: dots per inch
	if dpi <= 0 || dpi > math.MaxUint16 {
		unit, density = 0, 1 // 0: only the pixel's aspect is known
	}
	out := make([]byte, 0, len(data)+18)
	out = append(out, 0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, unit)
	out = binary.BigEndian.AppendUint16(out, uint16(density))
	out = binary.BigEndian.AppendUint16(out, uint16(density))
	out = append(out, 0, 0) // no thumbnail
	return append(out, data[2:]...)
}

// withPHYs puts the resolution behind the PNG's header chunk, which always ends at byte 33.
func withPHYs(data []byte, dpi int) []byte {
	const header = 8 + 25
	if dpi <= 0 {
		return data
	}
	perMetre := uint32(math.Round(float64(dpi) / 0.0254))
	chunk := binary.BigEndian.AppendUint32(nil, 9)
	chunk = append(chunk, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1) // per metre
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	out := make([]byte, 0, len(data)+len(chunk))
	out = append(out, data[:header]...)
	out = append(out, chunk...)
	return append(out, data[header:]...)
}
