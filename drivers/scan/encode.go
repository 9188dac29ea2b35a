package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"runtime"
)

// jpegQuality keeps a card's QR modules and a form's thin strokes; below it ringing begins to cost reads.
const jpegQuality = 90

// Bilevel is the palette of a lineart page: index 0 is paper, index 1 is ink.
var Bilevel = color.Palette{color.White, color.Black}

// Encode gives the bytes of a page as they are recognised, shown and submitted: JPEG for colour and grey,
// PNG for lineart (a two-colour *image.Paletted), both with the resolution in them. A page that a driver
// was handed as a file passes unchanged.
func Encode(p Page) (data []byte, mediaType string, err error) {
	if len(p.Encoded) > 0 {
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
	if data, err = encodeJPEG(p.Image); err != nil {
		return nil, "", fmt.Errorf("encode page %d as JPEG: %w", p.Number, err)
	}
	setDensity(data, p.DPI)
	return data, "image/jpeg", nil
}

func encodeJPEG(img image.Image) ([]byte, error) {
	b := img.Bounds()
	switch i := img.(type) {
	case *image.RGBA:
		return compressSideBySide(i.Pix, i.Stride, b.Dx(), b.Dy(), true, jpegQuality, runtime.GOMAXPROCS(0))
	case *image.Gray:
		return compressSideBySide(i.Pix, i.Stride, b.Dx(), b.Dy(), false, jpegQuality, runtime.GOMAXPROCS(0))
	}
	i := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(i, i.Rect, img, b.Min, draw.Src)
	return compressSideBySide(i.Pix, i.Stride, b.Dx(), b.Dy(), true, jpegQuality, runtime.GOMAXPROCS(0))
}

// setDensity writes the resolution into the JFIF header, which the encoder always puts first.
func setDensity(data []byte, dpi int) {
	const unit, x, y = 13, 14, 16
	if dpi <= 0 || dpi > math.MaxUint16 || len(data) < y+2 || string(data[6:11]) != "JFIF\x00" {
		return
	}
	data[unit] = 1 // dots per inch
	binary.BigEndian.PutUint16(data[x:], uint16(dpi))
	binary.BigEndian.PutUint16(data[y:], uint16(dpi))
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
