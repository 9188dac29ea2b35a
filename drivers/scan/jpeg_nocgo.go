//go:build !cgo

package scan

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
)

// Without C the standard library codes JPEGs: the same pictures, in ten times the time.

// jfif is the header that setDensity writes into, which the standard library's encoder leaves out.
var jfif = []byte{0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0}

// compress encodes rows of RGBA or grey bytes.
func compress(pix []byte, stride, width, height int, color bool, quality int) ([]byte, error) {
	if width <= 0 || height <= 0 || stride < width || len(pix) < stride*(height-1)+width {
		return nil, errors.New("empty image")
	}
	var img image.Image = &image.Gray{Pix: pix, Stride: stride, Rect: image.Rect(0, 0, width, height)}
	if color {
		img = &image.RGBA{Pix: pix, Stride: stride, Rect: image.Rect(0, 0, width, height)}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return append(append([]byte{0xff, 0xd8}, jfif...), b.Bytes()[2:]...), nil
}

// shrink decodes a JPEG to grey at a scale of one half, quarter or eighth that is at least so wide.
func shrink(data []byte, atLeast int) (*image.Gray, error) {
	const limit = 200 << 20
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 || c.Width*c.Height > limit {
		return nil, fmt.Errorf("read JPEG: %d × %d pixels: %w", c.Width, c.Height, err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read JPEG: %w", err)
	}
	step := 8
	for step > 1 && c.Width/step < atLeast {
		step /= 2
	}
	full := image.NewGray(img.Bounds())
	draw.Draw(full, full.Rect, img, full.Rect.Min, draw.Src)
	small := image.NewGray(image.Rect(0, 0, (c.Width+step-1)/step, (c.Height+step-1)/step))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			small.Pix[y*small.Stride+x] = full.Pix[y*step*full.Stride+x*step]
		}
	}
	return small, nil
}
