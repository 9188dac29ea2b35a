package page

import "image"

// Turn gives img turned clockwise by 0, 90, 180 or 270 degrees.
func Turn(img *image.Gray, degrees int) *image.Gray {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if degrees == 0 {
		return img
	}
	out := image.NewGray(turned(w, h, degrees))
	if degrees == 180 { // every second card lies upside down: worth a loop of its own
		for y := range h {
			src, dst := img.Pix[y*img.Stride:y*img.Stride+w], out.Pix[(h-1-y)*out.Stride:(h-y)*out.Stride]
			for x, v := range src {
				dst[w-1-x] = v
			}
		}
		return out
	}
	turn(w, h, degrees, func(sx, sy, dx, dy int) { out.Pix[dy*out.Stride+dx] = img.Pix[sy*img.Stride+sx] })
	return out
}

// TurnColor is Turn in colour.
func TurnColor(img *image.RGBA, degrees int) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if degrees == 0 {
		return img
	}
	out := image.NewRGBA(turned(w, h, degrees))
	turn(w, h, degrees, func(sx, sy, dx, dy int) {
		copy(out.Pix[dy*out.Stride+4*dx:dy*out.Stride+4*dx+4], img.Pix[sy*img.Stride+4*sx:])
	})
	return out
}

func turned(w, h, degrees int) image.Rectangle {
	if degrees%180 == 0 {
		return image.Rect(0, 0, w, h)
	}
	return image.Rect(0, 0, h, w)
}

func turn(w, h, degrees int, move func(sx, sy, dx, dy int)) {
	for y := range h {
		for x := range w {
			switch degrees {
			case 90:
				move(x, y, h-1-y, x)
			case 180:
				move(x, y, w-1-x, h-1-y)
			case 270:
				move(x, y, y, w-1-x)
			}
		}
	}
}
