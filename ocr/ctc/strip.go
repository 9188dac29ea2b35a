package ctc

import (
	"image"

	"motcua/ocr/find"
)

// Height is what every line is brought to, in pixels.
const Height = 40

// Prepare brings a strip that holds one line to the network's height and its ink to full contrast: 0 is paper,
// 255 the blackest ink. A strip too small to hold one gives nil.
func Prepare(strip *image.Gray) *image.Gray { return prepare(strip, Height) }

func prepare(strip *image.Gray, height int) *image.Gray {
	b := strip.Bounds()
	if b.Dx() < 2 || b.Dy() < 4 {
		return nil
	}
	g := find.Resize(strip, max(8, (b.Dx()*height+b.Dy()/2)/b.Dy()), height)
	var hist [256]int
	for _, v := range g.Pix {
		hist[v]++
	}
	at := func(share float64) int {
		left := int(share * float64(len(g.Pix)))
		for v, n := range hist {
			if left -= n; left < 0 {
				return v
			}
		}
		return 255
	}
	paper, ink := at(0.75), at(0.02)
	reach := max(paper-ink, leastContrast)
	var tones [256]uint8
	for v := range tones {
		tones[v] = uint8(min(max((paper-v)*255/reach, 0), 255))
	}
	for i, v := range g.Pix {
		g.Pix[i] = tones[v]
	}
	return g
}

// leastContrast keeps the grain of empty paper from being blown up to letters.
const leastContrast = 24
