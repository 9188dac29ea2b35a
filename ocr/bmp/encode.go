package bmp

import (
	"encoding/binary"
	"image"
)

// Encode writes pixels without compression, for whoever takes encoded pictures only: 8 bits, BITMAPINFOHEADER, rows from
// the bottom up.
func Encode(img *image.Gray, dpi int) []byte {
	const head, palette = 14 + 40, 256 * 4
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	row := (w + 3) &^ 3
	out := make([]byte, head+palette, head+palette+row*h)
	copy(out, "BM")
	le := binary.LittleEndian
	le.PutUint32(out[2:], uint32(head+palette+row*h))
	le.PutUint32(out[10:], head+palette)
	le.PutUint32(out[14:], 40)
	le.PutUint32(out[18:], uint32(w))
	le.PutUint32(out[22:], uint32(h))
	le.PutUint16(out[26:], 1)
	le.PutUint16(out[28:], 8)
	le.PutUint32(out[34:], uint32(row*h))
	perMetre := uint32(float64(dpi)/0.0254 + 0.5)
	le.PutUint32(out[38:], perMetre)
	le.PutUint32(out[42:], perMetre)
	le.PutUint32(out[46:], 256)
	for i := range 256 {
		g := byte(i)
		copy(out[head+4*i:], []byte{g, g, g, 0})
	}
	for y := b.Max.Y - 1; y >= b.Min.Y; y-- {
		at := img.PixOffset(b.Min.X, y)
		out = append(out, img.Pix[at:at+w]...)
		out = append(out, make([]byte, row-w)...)
	}
	return out
}
