package specimen

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
)

// The sets of damage.
const (
	Clean  = "clean"  // a good flatbed
	Office = "office" // what a busy counter scans: worn cards, a little blur, JPEG, now and then a stamp
	Bad    = "bad"    // photocopies, faxes, streaks, fading, low quality
	Photo  = "photo"  // a phone held over the table
)

// Damage is what happened to a paper between the printing press and the file.
type Damage struct {
	Set     string // "", clean, office, bad, photo
	Seed    uint64
	NoCodes bool // QR, bar code and machine readable zone are beyond reading
}

// wear is a damage with all its dice thrown.
type wear struct {
	set         string
	noCodes     bool
	fade        float64 // of the print, 0 to 1
	patches     float64 // how unevenly it faded
	scratches   int
	stamp       bool
	blotCode    bool    // the QR symbol is scratched; whether it can still be read is chance
	blur        float64 // sigma in pixels at 300 dpi
	motion      float64
	noise       float64
	gain, lift  float64
	cast        [3]float64
	gray        bool
	contrast    float64 // photocopy
	bitonal     bool
	speckle     float64
	streaks     int
	quality     int // JPEG
	perspective float64
	shade       float64
	glare       int
	table       color.RGBA
	seed        uint64
}

func (d Damage) rng(salt uint64) *rand.Rand { return rand.New(rand.NewPCG(d.Seed, 0xda3a6e^salt)) }

func wearOf(d Damage) wear {
	r := d.rng(1)
	between := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	w := wear{set: d.Set, noCodes: d.NoCodes, gain: 1, cast: [3]float64{1, 1, 1}, quality: 93, seed: d.Seed}
	switch d.Set {
	case Clean:
		w.blur, w.noise, w.quality = between(0.2, 0.45), between(0.5, 2), 88+r.IntN(8)
	case Office:
		w.fade, w.patches, w.scratches = between(0, 0.22), between(0, 0.2), r.IntN(10)
		w.blur, w.noise, w.quality = between(0.4, 0.85), between(1.5, 4), 68+r.IntN(22)
		w.gain, w.lift = between(0.9, 1.06), between(-6, 10)
		w.cast = [3]float64{between(0.97, 1.03), 1, between(0.96, 1.03)}
		w.stamp, w.blotCode, w.gray = r.IntN(6) == 0, r.IntN(4) == 0, r.IntN(8) == 0
	case Bad:
		w.fade, w.patches, w.scratches = between(0.05, 0.38), between(0.1, 0.35), 4+r.IntN(24)
		w.blur, w.noise, w.quality = between(0.6, 1.15), between(3, 7), 38+r.IntN(35)
		w.gain, w.lift = between(0.85, 1.08), between(-14, 16)
		w.cast = [3]float64{between(0.93, 1.05), 1, between(0.92, 1.05)}
		w.stamp, w.blotCode, w.streaks = r.IntN(3) == 0, r.IntN(2) == 0, r.IntN(4)
		switch r.IntN(6) {
		case 0: // fax
			w.gray, w.bitonal, w.speckle = true, true, between(0, 0.0015)
			w.fade *= 0.4
		case 1, 2: // photocopy
			w.gray, w.contrast, w.speckle = true, between(1.2, 1.9), between(0, 0.001)
		case 3:
			w.gray = true
		}
	case Photo:
		w.fade, w.patches, w.scratches = between(0, 0.15), between(0, 0.15), r.IntN(6)
		w.blur, w.noise, w.quality = between(0.5, 1.1), between(2, 6), 62+r.IntN(28)
		w.motion = math.Max(0, between(-1, 1.6))
		w.gain, w.lift = between(0.75, 1.05), between(-5, 10)
		w.cast = [3]float64{between(0.92, 1.08), 1, between(0.88, 1.06)}
		w.perspective, w.shade, w.glare = between(0.01, 0.07), between(0.05, 0.45), r.IntN(3)
		w.blotCode = r.IntN(6) == 0
		w.table = []color.RGBA{{96, 70, 48, 255}, {60, 62, 66, 255}, {170, 160, 140, 255}, {36, 60, 80, 255}, {205, 205, 200, 255}}[r.IntN(5)]
	}
	return w
}

// paper wears one side of a paper before it is laid down.
func (w wear) paper(c *canvas, rng *rand.Rand) {
	if w.fade > 0 {
		field := newField(rng, 7)
		for y := range c.img.Rect.Dy() {
			row := c.img.Pix[y*c.img.Stride:]
			fy := float64(y) / float64(c.img.Rect.Dy())
			for x := range c.img.Rect.Dx() {
				k := w.fade + w.patches*(field.at(float64(x)/float64(c.img.Rect.Dx()), fy)-0.5)
				if k <= 0 {
					continue
				}
				p := row[x*4 : x*4+3]
				p[0], p[1], p[2] = blend(p[0], 226, k), blend(p[1], 229, k), blend(p[2], 222, k)
			}
		}
	}
	for range w.scratches {
		x, y, a, l := rng.Float64()*c.w, rng.Float64()*c.h, rng.Float64()*math.Pi, 4+rng.Float64()*25
		ink := color.NRGBA{238, 238, 232, uint8(90 + rng.IntN(120))}
		px, py := x, y
		for range 5 {
			a += (rng.Float64() - 0.5) * 0.3
			qx, qy := px+l/5*math.Cos(a), py+l/5*math.Sin(a)
			c.line(ink, 0.06+0.12*rng.Float64(), px, py, qx, qy)
			px, py = qx, qy
		}
	}
	if w.stamp {
		red := color.RGBA{uint8(190 + rng.IntN(40)), uint8(40 + rng.IntN(30)), uint8(50 + rng.IntN(40)), 255}
		r := 9 + 5*rng.Float64()
		c.stamp(c.w*(0.25+0.6*rng.Float64()), c.h*(0.25+0.6*rng.Float64()), r, red, "CHỨNG THỰC BẢN SAO")
	}
	for _, z := range c.codes {
		switch {
		case w.noCodes:
			c.rubOut(z, 0.55, rng)
		case w.blotCode:
			c.rubOut(z, 0.12+0.2*rng.Float64(), rng)
		}
	}
	w.code(c)
}

func (w wear) code(c *canvas) {
	if w.noCodes {
		c.code = false
	}
}

// rubOut wears a share of a code's area down to the card.
func (c *canvas) rubOut(z rect, share float64, rng *rand.Rand) {
	done := 0.0
	for done < share*z.w*z.h {
		rx, ry := z.w*(0.03+0.09*rng.Float64()), z.h*(0.06+0.12*rng.Float64())
		x, y := z.x-c.dx+rng.Float64()*z.w, z.y-c.dy+rng.Float64()*z.h
		v := uint8(205 + rng.IntN(35))
		c.disc(color.NRGBA{v, v, v - 6, 235}, x, y, rx, ry)
		done += math.Pi * rx * ry
	}
}

// page does to a whole page what scanning, copying or photographing does to it.
func (w wear) page(img *image.RGBA, dpi float64) (*image.RGBA, *homography) {
	if w.set == "" {
		return img, nil
	}
	rng := Damage{Seed: w.seed}.rng(2)
	var h *homography
	if w.perspective > 0 {
		img, h = w.tilt(img, rng)
	}
	scale := dpi / 300
	if s := w.blur * math.Max(0.6, scale); s > 0.25 {
		blur(img, s, s)
	}
	if w.motion > 0.3 {
		if rng.IntN(2) == 0 {
			blur(img, w.motion*scale, 0.01)
		} else {
			blur(img, 0.01, w.motion*scale)
		}
	}
	if w.perspective > 0 {
		w.light(img, rng)
	}
	w.sensor(img, rng)
	for range w.streaks {
		x := rng.IntN(img.Rect.Dx())
		k := 0.7 + 0.25*rng.Float64()
		for y := range img.Rect.Dy() {
			for d := range 1 + int(2*scale) {
				if x+d < img.Rect.Dx() {
					i := img.PixOffset(x+d, y)
					for c := range 3 {
						img.Pix[i+c] = byte(float64(img.Pix[i+c]) * k)
					}
				}
			}
		}
	}
	if w.bitonal {
		threshold(img, int(20*scale), 0.88)
	}
	return img, h
}

// tilt sees the page from a slant.
func (w wear) tilt(img *image.RGBA, rng *rand.Rand) (*image.RGBA, *homography) {
	fw, fh := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	j := func() float64 { return (rng.Float64() - 0.3) * w.perspective }
	to := [4][2]float64{{fw * j(), fh * j()}, {fw * (1 - j()), fh * j()}, {fw * (1 - j()), fh * (1 - j())}, {fw * j(), fh * (1 - j())}}
	h := square(to)
	scaled := homography{h[0] / fw, h[1] / fh, h[2], h[3] / fw, h[4] / fh, h[5], h[6] / fw, h[7] / fh, h[8]}
	out := image.NewRGBA(img.Rect)
	grain := newField(rng, 40)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			k := 0.92 + 0.16*grain.at(float64(x)/fw, float64(y)/fh*0.15)
			i := out.PixOffset(x, y)
			out.Pix[i], out.Pix[i+1], out.Pix[i+2], out.Pix[i+3] = clamp(float64(w.table.R)*k), clamp(float64(w.table.G)*k),
				clamp(float64(w.table.B)*k), 255
		}
	}
	warp(out, img, scaled, nil)
	return out, &scaled
}

// square maps the unit square to a quadrilateral (Heckbert).
func square(q [4][2]float64) homography {
	dx1, dx2, sx := q[1][0]-q[2][0], q[3][0]-q[2][0], q[0][0]-q[1][0]+q[2][0]-q[3][0]
	dy1, dy2, sy := q[1][1]-q[2][1], q[3][1]-q[2][1], q[0][1]-q[1][1]+q[2][1]-q[3][1]
	det := dx1*dy2 - dx2*dy1
	g, h := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	return homography{q[1][0] - q[0][0] + g*q[1][0], q[3][0] - q[0][0] + h*q[3][0], q[0][0],
		q[1][1] - q[0][1] + g*q[1][1], q[3][1] - q[0][1] + h*q[3][1], q[0][1], g, h, 1}
}

// light throws the shadow of the hand and the reflection of the lamp.
func (w wear) light(img *image.RGBA, rng *rand.Rand) {
	fw, fh := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	a := rng.Float64() * 2 * math.Pi
	cos, sin := math.Cos(a), math.Sin(a)
	edge, soft := 0.2+0.6*rng.Float64(), 0.05+0.3*rng.Float64()
	type spot struct{ x, y, r, k float64 }
	var spots []spot
	for range w.glare {
		spots = append(spots, spot{rng.Float64() * fw, rng.Float64() * fh, fw * (0.03 + 0.07*rng.Float64()), 50 + 150*rng.Float64()})
	}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			u := 0.5 + cos*(float64(x)/fw-0.5) + sin*(float64(y)/fh-0.5)
			t := math.Min(1, math.Max(0, (u-edge)/soft+0.5))
			k := 1 - w.shade*t*t*(3-2*t)
			add := 0.0
			for _, s := range spots {
				dx, dy := float64(x)-s.x, float64(y)-s.y
				if d := (dx*dx + dy*dy) / (s.r * s.r); d < 4 {
					add += s.k * math.Exp(-d*1.5)
				}
			}
			i := img.PixOffset(x, y)
			for c := range 3 {
				img.Pix[i+c] = clamp(float64(img.Pix[i+c])*k + add)
			}
		}
	}
}

// sensor is gain, colour cast, noise and, in grey modes, the loss of colour and the copier's contrast.
func (w wear) sensor(img *image.RGBA, rng *rand.Rand) {
	var bell [4096]float64
	for i := range bell {
		bell[i] = rng.NormFloat64() * w.noise
	}
	state := rng.Uint64() | 1
	var gain [3]float64
	for c := range gain {
		gain[c] = w.gain * w.cast[c]
	}
	speckle := uint64(w.speckle * (1 << 32))
	for i := 0; i < len(img.Pix); i += 4 {
		state = state*6364136223846793005 + 1442695040888963407
		p := img.Pix[i : i+4]
		r, g, b := float64(p[0])*gain[0]+w.lift, float64(p[1])*gain[1]+w.lift, float64(p[2])*gain[2]+w.lift
		if w.gray {
			v := 0.299*r + 0.587*g + 0.114*b
			if w.contrast > 0 {
				v = 128 + (v-128+8*w.contrast)*w.contrast
			}
			v += bell[state>>52]
			if speckle > 0 && state>>12&0xffffffff < speckle {
				v = 30
			}
			p[0] = clamp(v)
			p[1], p[2] = p[0], p[0]
			continue
		}
		p[0] = clamp(r + bell[state>>52])
		p[1] = clamp(g + bell[state>>40&4095])
		p[2] = clamp(b + bell[state>>28&4095])
	}
}

func clamp(v float64) byte {
	if v <= 0 {
		return 0
	}
	if v >= 254.5 {
		return 255
	}
	return byte(v + 0.5)
}

// blur is a separable Gaussian.
func blur(img *image.RGBA, sx, sy float64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if sx > 0.2 {
		blurRows(img, gaussian(sx))
	}
	if sy <= 0.2 {
		return
	}
	k := gaussian(sy)
	n := len(k) / 2
	keep := make([][]spread, len(k)) // the source rows around y, before they are overwritten
	for i := range keep {
		keep[i] = make([]spread, w)
		spreadRow(keep[i], img.Pix[min(max(i-n, 0), h-1)*img.Stride:][:w*4])
	}
	sum := make([]spread, w)
	for y := range h {
		weigh(sum, keep[0], k[0])
		for i, row := range keep[1:] {
			addWeighed(sum, row, k[i+1])
		}
		gatherRow(img.Pix[y*img.Stride:][:w*4], sum)
		first := keep[0]
		copy(keep, keep[1:])
		keep[len(k)-1] = first
		spreadRow(first, img.Pix[min(y+1+n, h-1)*img.Stride:][:w*4])
	}
}

// blurRows blurs from left to right.
func blurRows(img *image.RGBA, k []uint64) {
	w := img.Rect.Dx()
	n := len(k) / 2
	row, sum := make([]spread, w+2*n), make([]spread, w)
	for y := range img.Rect.Dy() {
		pix := img.Pix[y*img.Stride:][:w*4]
		spreadRow(row[n:n+w], pix)
		for i := range n {
			row[i], row[n+w+i] = row[n], row[n+w-1]
		}
		weigh(sum, row, k[0])
		for i := 1; i < len(k); i++ {
			addWeighed(sum, row[i:], k[i])
		}
		gatherRow(pix, sum)
	}
}

const (
	weightBits = 14 // of a blur's weights, whose sum is 1 << weightBits
	laneBits   = 32 // of a colour in a spread pixel: more than 8 + weightBits
)

// gaussian are the weights of a blur of s pixels.
func gaussian(s float64) []uint64 {
	n := int(math.Ceil(2.5 * s))
	k := make([]uint64, 2*n+1)
	f := make([]float64, 2*n+1)
	sum := 0.0
	for i := range f {
		f[i] = math.Exp(-float64((i-n)*(i-n)) / (2 * s * s))
		sum += f[i]
	}
	rest := uint64(1 << weightBits)
	for i := range k {
		k[i] = uint64(f[i] / sum * (1 << weightBits))
		rest -= k[i]
	}
	k[n] += rest
	return k
}

// spread is a pixel whose colours are multiplied at once: red and green in one word, blue in another.
type spread struct{ rg, b uint64 }

func spreadRow(to []spread, pix []byte) {
	for x := range to {
		p := pix[x*4 : x*4+4]
		to[x] = spread{uint64(p[0]) | uint64(p[1])<<laneBits, uint64(p[2])}
	}
}

func weigh(sum, row []spread, k uint64) {
	row = row[:len(sum)]
	for x := range sum {
		sum[x] = spread{k * row[x].rg, k * row[x].b}
	}
}

func addWeighed(sum, row []spread, k uint64) {
	row = row[:len(sum)]
	for x := range sum {
		sum[x].rg += k * row[x].rg
		sum[x].b += k * row[x].b
	}
}

func gatherRow(pix []byte, sum []spread) {
	for x, v := range sum {
		p := pix[x*4 : x*4+4]
		p[0], p[1], p[2] = byte(v.rg>>weightBits), byte(v.rg>>(laneBits+weightBits)), byte(v.b>>weightBits)
	}
}

// threshold makes a page bitonal against the mean of each pixel's surroundings.
func threshold(img *image.RGBA, radius int, k float64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	sum := make([]uint32, (w+1)*(h+1))
	for y := range h {
		var row uint32
		for x := range w {
			row += uint32(img.Pix[y*img.Stride+x*4])
			sum[(y+1)*(w+1)+x+1] = sum[y*(w+1)+x+1] + row
		}
	}
	for y := range h {
		y0, y1 := max(0, y-radius), min(h, y+radius+1)
		for x := range w {
			x0, x1 := max(0, x-radius), min(w, x+radius+1)
			mean := float64(sum[y1*(w+1)+x1]-sum[y0*(w+1)+x1]-sum[y1*(w+1)+x0]+sum[y0*(w+1)+x0]) / float64((x1-x0)*(y1-y0))
			p := img.Pix[y*img.Stride+x*4:]
			v := byte(255)
			if float64(p[0]) < mean*k && p[0] < 200 {
				v = 0
			}
			p[0], p[1], p[2] = v, v, v
		}
	}
}

// field is smooth noise over the unit square.
type field struct {
	n int
	v []float64
}

func newField(rng *rand.Rand, n int) field {
	f := field{n, make([]float64, (n+1)*(n+1))}
	for i := range f.v {
		f.v[i] = rng.Float64()
	}
	return f
}

func (f field) at(x, y float64) float64 {
	x, y = x*float64(f.n), y*float64(f.n)
	i, j := min(int(x), f.n-1), min(int(y), f.n-1)
	u, v := x-float64(i), y-float64(j)
	u, v = u*u*(3-2*u), v*v*(3-2*v)
	a, b := f.v[j*(f.n+1)+i], f.v[j*(f.n+1)+i+1]
	c, d := f.v[(j+1)*(f.n+1)+i], f.v[(j+1)*(f.n+1)+i+1]
	return (a*(1-u)+b*u)*(1-v) + (c*(1-u)+d*u)*v
}

// Encode writes a drawn page the way its damage would reach the kiosk: JPEG of the damage's quality with
// its density, PNG for a bitonal fax.
func Encode(img *image.RGBA, dpi int, d Damage) (data []byte, mediaType string, err error) {
	w := wearOf(d)
	var b bytes.Buffer
	if w.bitonal {
		bw := image.NewPaletted(img.Rect, color.Palette{color.Black, color.White})
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				if img.Pix[img.PixOffset(x, y)] > 127 {
					bw.Pix[y*bw.Stride+x] = 1
				}
			}
		}
		if err := png.Encode(&b, bw); err != nil {
			return nil, "", fmt.Errorf("encode specimen: %w", err)
		}
		return pngDensity(b.Bytes(), dpi), "image/png", nil
	}
	var m image.Image = img
	if w.gray {
		g := image.NewGray(img.Rect)
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				g.Pix[y*g.Stride+x] = img.Pix[img.PixOffset(x, y)]
			}
		}
		m = g
	}
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: w.quality}); err != nil {
		return nil, "", fmt.Errorf("encode specimen: %w", err)
	}
	// Go writes no JFIF header; scanners do, and it carries the density.
	jfif := []byte{0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 1, byte(dpi >> 8), byte(dpi), byte(dpi >> 8), byte(dpi), 0, 0}
	out := append([]byte{0xff, 0xd8}, jfif...)
	return append(out, b.Bytes()[2:]...), "image/jpeg", nil
}

func pngDensity(data []byte, dpi int) []byte {
	const ihdr = 8 + 25
	chunk := make([]byte, 0, 21)
	chunk = binary.BigEndian.AppendUint32(chunk, 9)
	chunk = append(chunk, "pHYs"...)
	ppm := uint32(math.Round(float64(dpi) / 0.0254))
	chunk = binary.BigEndian.AppendUint32(chunk, ppm)
	chunk = binary.BigEndian.AppendUint32(chunk, ppm)
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return append(append(append([]byte{}, data[:ihdr]...), chunk...), data[ihdr:]...)
}
