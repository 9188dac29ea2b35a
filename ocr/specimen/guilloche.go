package specimen

import (
	"image/color"
	"math"
	"math/rand/v2"
)

// guilloche paints the whole canvas with a gradient between two inks, crossed by families of fine wavy
// lines, as cards are printed against copying. strength is the contrast of the lines, 0 to 1.
func (c *canvas) guilloche(from, middle, to color.RGBA, strength float64, rng *rand.Rand) {
	type wave struct{ kx, ky, pitch, amp, freq, phase, sharp float64 }
	var waves []wave
	for range 4 {
		a := rng.Float64() * math.Pi
		waves = append(waves, wave{math.Cos(a), math.Sin(a), 0.55 + 0.5*rng.Float64(), 1.5 + 3*rng.Float64(),
			0.15 + 0.25*rng.Float64(), rng.Float64() * 7, 0.72 + 0.15*rng.Float64()})
	}
	sin := func(x float64) float64 { return sine[int(x*sineSteps/(2*math.Pi))&(sineSteps-1)] }
	b := c.img.Rect
	for py := b.Min.Y; py < b.Max.Y; py++ {
		y := float64(py) / c.scale
		row := c.img.Pix[py*c.img.Stride:]
		for px := b.Min.X; px < b.Max.X; px++ {
			x := float64(px) / c.scale
			t := x/c.w*0.8 + y/c.h*0.2
			var bg [3]float64
			if t < 0.5 {
				bg = mix(from, middle, 2*t)
			} else {
				bg = mix(middle, to, 2*t-1)
			}
			dark := 0.0
			for _, w := range waves {
				u, v := w.kx*x+w.ky*y, w.kx*y-w.ky*x
				p := sin(2*math.Pi*(u+w.amp*sin(w.freq*v+w.phase)+400)/w.pitch + 1000)
				if p > w.sharp {
					dark += (p - w.sharp) / (1 - w.sharp)
				}
			}
			if dark > 1.5 {
				dark = 1.5
			}
			k := 1 - strength*dark
			row[px*4], row[px*4+1], row[px*4+2], row[px*4+3] = byte(bg[0]*k), byte(bg[1]*(1-strength*dark*0.75)), byte(bg[2]*(1-strength*dark*0.8)),
				255
		}
	}
}

const sineSteps = 4096

var sine = func() (t [sineSteps]float64) {
	for i := range t {
		t[i] = math.Sin(2 * math.Pi * float64(i) / sineSteps)
	}
	return
}()

func mix(a, b color.RGBA, t float64) [3]float64 {
	return [3]float64{float64(a.R) + (float64(b.R)-float64(a.R))*t, float64(a.G) + (float64(b.G)-float64(a.G))*t,
		float64(a.B) + (float64(b.B)-float64(a.B))*t}
}

// drum draws rings of a bronze drum, the emblem behind the text.
func (c *canvas) drum(ink color.Color, x, y, r float64) {
	for i := range 9 {
		c.ring(ink, 0.12, x, y, r*(0.2+0.1*float64(i)))
	}
	for i := range 14 {
		a := float64(i) / 14 * 2 * math.Pi
		c.line(ink, 0.15, x, y, x+0.2*r*math.Cos(a), y+0.2*r*math.Sin(a))
	}
	for i := range 60 {
		a := float64(i) / 60 * 2 * math.Pi
		c.line(ink, 0.1, x+0.6*r*math.Cos(a), y+0.6*r*math.Sin(a), x+0.7*r*math.Cos(a+0.05), y+0.7*r*math.Sin(a+0.05))
	}
}
