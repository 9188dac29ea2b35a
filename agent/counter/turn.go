package counter

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
)

// turnedQuality is that of a JPEG which a person turned: the one time that a scan is written anew.
const turnedQuality = 93

// turnedPage gives a page as a person turned it, clockwise by 90, 180 or 270 degrees. What is not a JPEG or PNG, and what
// does not open, is given as it was, and still to be turned.
func turnedPage(data []byte, mediaType string, degrees int) (out []byte, left int) {
	if degrees%360 == 0 || mediaType != "image/jpeg" && mediaType != "image/png" {
		return data, degrees
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return data, degrees
	}
	var b bytes.Buffer
	if mediaType == "image/png" {
		err = png.Encode(&b, rotated(img, degrees))
	} else {
		err = jpeg.Encode(&b, rotated(img, degrees), &jpeg.Options{Quality: turnedQuality})
	}
	if err != nil {
		return data, degrees
	}
	return b.Bytes(), 0
}

// rotated turns a picture clockwise by a multiple of 90 degrees.
func rotated(img image.Image, degrees int) image.Image {
	r := img.Bounds()
	w, h := r.Dx(), r.Dy()
	size := image.Rect(0, 0, h, w)
	if degrees == 180 {
		size = image.Rect(0, 0, w, h)
	}
	out := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			c := img.At(r.Min.X+x, r.Min.Y+y)
			switch degrees {
			case 90:
				out.Set(h-1-y, x, c)
			case 180:
				out.Set(w-1-x, h-1-y, c)
			case 270:
				out.Set(y, w-1-x, c)
			default:
				panic(fmt.Sprintf("turned by %d degrees", degrees))
			}
		}
	}
	return out
}
