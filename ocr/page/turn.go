package page

import (
	"image"
	"image/draw"
	"slices"

	"motcua/ocr/exif"
)

// upright gives a gray picture as its file says it is to be seen.
func upright(img *image.Gray, o exif.Orientation) *image.Gray {
	if img == nil {
		return nil
	}
	mirror, degrees := o.Steps()
	if mirror {
		for y := range img.Rect.Dy() {
			slices.Reverse(img.Pix[y*img.Stride : y*img.Stride+img.Rect.Dx()])
		}
	}
	return Turn(img, degrees)
}

// uprightColor is upright for pixels of any kind.
func uprightColor(img image.Image, o exif.Orientation) image.Image {
	mirror, degrees := o.Steps()
	if !mirror && degrees == 0 {
		return img
	}
	if g, ok := img.(*image.Gray); ok {
		return upright(g, o)
	}
	m := opaque(img)
	if mirror {
		for y := range m.Rect.Dy() {
			row := m.Pix[y*m.Stride : y*m.Stride+4*m.Rect.Dx()]
			for a, b := 0, len(row)-4; a < b; a, b = a+4, b-4 {
				for k := range 4 {
					row[a+k], row[b+k] = row[b+k], row[a+k]
				}
			}
		}
	}
	return TurnColor(m, degrees)
}

// opaque is img as RGBA from the origin on, on white where it is transparent; img itself if it is that already.
func opaque(img image.Image) *image.RGBA {
	b := img.Bounds()
	if m, ok := img.(*image.RGBA); ok && b.Min == (image.Point{}) && m.Opaque() {
		return m
	}
	m := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(m, m.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(m, m.Rect, img, b.Min, draw.Over)
	return m
}

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
