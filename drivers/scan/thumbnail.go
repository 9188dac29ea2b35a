package scan

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"runtime"

	"golang.org/x/sync/errgroup"
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

// reduce averages squares of pixels, by every processor there is: each page of a feeder is looked at on its way.
func reduce(img image.Image, width int) *image.Gray {
	b := img.Bounds()
	n := max(1, b.Dx()/max(width, 1))
	out := image.NewGray(image.Rect(0, 0, b.Dx()/n, b.Dy()/n))
	add := adder(img, n)
	parts := runtime.GOMAXPROCS(0)
	var at errgroup.Group
	for part := range parts {
		at.Go(func() error {
			sums := make([]int, out.Rect.Dx())
			for y := out.Rect.Dy() * part / parts; y < out.Rect.Dy()*(part+1)/parts; y++ {
				clear(sums)
				for line := y * n; line < (y+1)*n; line++ {
					add(sums, line)
				}
				row := out.Pix[y*out.Stride:]
				for x, sum := range sums {
					row[x] = uint8(sum / (n * n))
				}
			}
			return nil
		})
	}
	_ = at.Wait()
	return out
}

// adder gives what adds a line's tones to the sums of n pixels each.
func adder(img image.Image, n int) func(sums []int, line int) {
	b := img.Bounds()
	switch i := img.(type) {
	case *image.Gray:
		return func(sums []int, line int) {
			pix := i.Pix[i.PixOffset(b.Min.X, b.Min.Y+line):]
			for x := range sums {
				for _, v := range pix[x*n : x*n+n] {
					sums[x] += int(v)
				}
			}
		}
	case *image.RGBA:
		return func(sums []int, line int) {
			pix := i.Pix[i.PixOffset(b.Min.X, b.Min.Y+line):]
			for x := range sums {
				for p := pix[x*n*4 : (x*n+n)*4]; len(p) >= 4; p = p[4:] {
					sums[x] += (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) / 1000
				}
			}
		}
	case *image.Paletted:
		if len(i.Palette) == 0 {
			break
		}
		tones := make([]int, 256)
		for k, c := range i.Palette {
			tones[k] = int(color.GrayModel.Convert(c).(color.Gray).Y)
		}
		return func(sums []int, line int) {
			pix := i.Pix[i.PixOffset(b.Min.X, b.Min.Y+line):]
			for x := range sums {
				for _, v := range pix[x*n : x*n+n] {
					sums[x] += tones[v]
				}
			}
		}
	}
	return func(sums []int, line int) {
		for x := range len(sums) * n {
			sums[x/n] += int(color.GrayModel.Convert(img.At(b.Min.X+x, b.Min.Y+line)).(color.Gray).Y)
		}
	}
}
