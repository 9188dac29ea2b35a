package scan

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
)

// ErrNoPixels says that a page comes as a file drivers do not look into (PDF, TIFF).
var ErrNoPixels = errors.New("the page's pixels are not at hand")

// Thumbnail gives a page in grey, at least so many pixels wide and less than about twice that where the
// page has so many: what is needed to judge a page, not to read it.
func Thumbnail(p Page, width int) (*image.Gray, error) {
	if p.Image != nil {
		return reduce(p.Image, width), nil
	}
	switch p.MediaType {
	case "image/jpeg":
		return shrink(p.Encoded, width)
	case "image/png":
		c, err := png.DecodeConfig(bytes.NewReader(p.Encoded))
		if err != nil {
			return nil, err
		}
		if c.Width*c.Height > 100<<20 {
			return nil, ErrNoPixels
		}
		img, err := png.Decode(bytes.NewReader(p.Encoded))
		if err != nil {
			return nil, err
		}
		return reduce(img, width), nil
	}
	return nil, ErrNoPixels
}

// reduce averages squares of pixels.
func reduce(img image.Image, width int) *image.Gray {
	b := img.Bounds()
	n := max(1, b.Dx()/max(width, 1))
	out := image.NewGray(image.Rect(0, 0, b.Dx()/n, b.Dy()/n))
	at := func(x, y int) int { return int(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y) }
	switch i := img.(type) {
	case *image.Gray:
		at = func(x, y int) int { return int(i.Pix[i.PixOffset(x, y)]) }
	case *image.RGBA:
		at = func(x, y int) int {
			p := i.Pix[i.PixOffset(x, y):]
			return (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) / 1000
		}
	case *image.Paletted:
		if len(i.Palette) > 0 {
			tones := make([]int, 256)
			for k, c := range i.Palette {
				tones[k] = int(color.GrayModel.Convert(c).(color.Gray).Y)
			}
			at = func(x, y int) int { return tones[i.Pix[i.PixOffset(x, y)]] }
		}
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			sum := 0
			for dy := range n {
				for dx := range n {
					sum += at(b.Min.X+x*n+dx, b.Min.Y+y*n+dy)
				}
			}
			out.Pix[y*out.Stride+x] = uint8(sum / (n * n))
		}
	}
	return out
}
