package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"motcua/ocr/ctc"
)

const em = 1 << 11

type letter struct {
	segments []sfnt.Segment
	advance  float64
}

type typeface map[rune]letter

// load takes the outlines of every sign; fonts that lack more than a few of those needed are left out.
func load(paths []string, needed string) ([]typeface, error) {
	var out []typeface
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("read font: %w", err)
		}
		f, err := sfnt.Parse(data)
		if err != nil {
			fmt.Fprintln(os.Stderr, "left out:", p, err)
			continue
		}
		t := typeface{}
		var buf sfnt.Buffer
		missing := 0
		for _, r := range append(slices.Collect(maps.Keys(alike)), ctc.Signs...) {
			i, err := f.GlyphIndex(&buf, r)
			if err != nil || i == 0 {
				if strings.ContainsRune(needed, r) {
					missing++
				}
				continue
			}
			segs, err := f.LoadGlyph(&buf, i, fixed.I(em), nil)
			if err != nil {
				continue
			}
			adv, err := f.GlyphAdvance(&buf, i, fixed.I(em), font.HintingNone)
			if err != nil {
				continue
			}
			t[r] = letter{append([]sfnt.Segment(nil), segs...), float64(adv) / 64 / em}
		}
		if missing > 4 { // a rare letter may lack: its lines are drawn in another font
			fmt.Fprintf(os.Stderr, "left out: %s lacks %d letters\n", p, missing)
			continue
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no font has the letters")
	}
	return out, nil
}

// fit drops words from the end of text until it is at most so many ems wide.
func (t typeface) fit(text string, most float64) string {
	words := strings.Fields(text)
	for ; len(words) > 1; words = words[:len(words)-1] {
		width := 0.0
		for _, r := range strings.Join(words, " ") {
			width += t[r].advance
		}
		if width <= most {
			break
		}
	}
	return strings.Join(words, " ")
}

func between(rng *rand.Rand, a, b float64) float64 { return a + (b-a)*rng.Float64() }

// picture is light, 0 black to 255 white.
type picture struct {
	w, h int
	pix  []float32
}

// hand is how a line is set: where its baseline begins, how large, wide, tight, aslant and tilted, and whether a worn typewriter
// struck it.
type hand struct {
	x, y, size, stretch, spacing, slant, tilt float64
	typed                                     *ribbon
}

// ribbon is what a typewriter does to each letter: how far it stands off its place, in ems, and how dark it is struck.
type ribbon struct {
	off  [64][2]float64
	dark [64]float64
}

func newRibbon(rng *rand.Rand) *ribbon {
	var t ribbon
	loose, weak := between(rng, 0, 0.035), between(rng, 0, 0.35)
	for i := range t.off {
		t.off[i] = [2]float64{rng.NormFloat64() * loose * 0.5, rng.NormFloat64() * loose}
		t.dark[i] = min(1, max(0.3, 1-weak*math.Abs(rng.NormFloat64())))
	}
	return &t
}

// setting draws how a line is set. A line of a book's page is small.
func setting(t typeface, rng *rand.Rand, wide bool) hand {
	// Pixels an em in the scan: the small print of a card has 15 at 200 dpi, its values 30 at 300 dpi.
	h := hand{size: between(rng, 15, 46), stretch: 1}
	switch rng.IntN(6) {
	case 0:
		h.size = between(rng, 26, 34)
	case 1, 2:
		h.size = between(rng, 10, 20)
	}
	if wide {
		h.size = between(rng, 11, 30)
	}
	if rng.IntN(3) == 0 {
		h.stretch = between(rng, 0.82, 1.15)
	}
	if rng.IntN(4) == 0 {
		h.spacing = between(rng, -0.02, 0.10)
	}
	if rng.IntN(8) == 0 {
		h.slant = between(rng, -0.05, 0.25)
	}
	if rng.IntN(3) == 0 {
		h.tilt = rng.NormFloat64() * 0.006
		if wide {
			h.tilt /= 4
		}
	}
	if t['i'].advance == t['W'].advance && rng.IntN(3) > 0 {
		h.typed = newRibbon(rng)
	}
	return h
}

// draw prints text as a scanner sees it and cuts it out as recognition does; nil if the font lacks a sign.
func draw(t typeface, text string, wide bool, rng *rand.Rand) *image.Gray {
	set := setting(t, rng, wide)
	size := set.size
	width := 0.0
	for _, r := range text {
		l, ok := t[r]
		if !ok {
			return nil
		}
		width += (l.advance*set.stretch + set.spacing) * size
	}
	w, h := int(width+2*size), int(3*size)
	if w > 2600 || w < 8 {
		return nil
	}
	set.x, set.y = size, 1.9*size
	cover, box := print(t, text, w, h, set)
	if box.Empty() {
		return nil
	}
	overlay := func(text string, set hand) {
		more, _ := print(t, text, w, h, set)
		for i, v := range more {
			cover[i] = max(cover[i], v)
		}
	}
	if rng.IntN(4) == 0 { // bolder
		bold := set
		bold.x += between(rng, 0.01, 0.05) * size
		overlay(text, bold)
	}
	if rng.IntN(3) == 0 { // neighbours above and below
		other, _ := compose(rng)
		for _, dy := range []float64{-1, 1} {
			if rng.IntN(2) == 0 {
				near := set
				near.y += dy * size * between(rng, 1.15, 1.6)
				near.x += between(rng, -2, 2) * size
				overlay(other, near)
			}
		}
	}
	p := &picture{w, h, make([]float32, w*h)}
	p.paper(rng, size)
	p.rule(rng, box, size)
	p.ink(cover, set, rng)
	p.scratch(rng, size)
	if rng.IntN(8) == 0 {
		p.stamp(t, w, h, rng, size)
	}
	p.blur(between(rng, 0.25, 0.055*size*between(rng, 0.3, 1)), between(rng, 0.25, 0.055*size*between(rng, 0.3, 1)))
	g := p.sense(rng)
	if rng.IntN(9) == 0 {
		fax(g, int(between(rng, 0.4, 1.5)*size), between(rng, 0.78, 0.95))
	}
	return cutOut(g, box, rng)
}

// cutOut takes the line out as find.Lines and strip leave it: the ink's box, give or take a little, and some room around it.
func cutOut(g *image.Gray, box image.Rectangle, rng *rand.Rand) *image.Gray {
	room := box.Dy() * 2 / 7
	cut := image.Rect(box.Min.X-rng.IntN(room+4), box.Min.Y-rng.IntN(room+3)-1, box.Max.X+rng.IntN(room+4), box.Max.Y+rng.IntN(room+3)+1)
	switch rng.IntN(14) {
	case 0: // a little too tight, so that tones lose their tips
		cut.Min.Y = box.Min.Y + int(between(rng, 0, 0.11)*float64(box.Dy()))
	case 1:
		cut.Min.Y, cut.Max.Y = box.Min.Y-rng.IntN(2), box.Max.Y+rng.IntN(2)
	}
	cut = cut.Intersect(g.Rect)
	if rng.IntN(3) > 0 && g.Rect.Dx() > 16 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, g, &jpeg.Options{Quality: 35 + rng.IntN(60)}); err != nil {
			return nil
		}
		m, err := jpeg.Decode(&b)
		if err != nil {
			return nil
		}
		g = m.(*image.Gray)
	}
	return g.SubImage(cut).(*image.Gray)
}

// ink lays the print on the paper, paler in places where the ribbon or the toner was.
func (p *picture) ink(cover []uint8, set hand, rng *rand.Rand) {
	ink := between(rng, 10, 95)
	fade := between(rng, 0, 0.35) * float64(rng.IntN(2))
	grain := 0.0
	if set.typed != nil {
		fade, grain = between(rng, 0, 0.4), between(rng, 0, 0.35)
	}
	patch := newField(rng, 5)
	for i, v := range cover {
		if v == 0 {
			continue
		}
		k := 1.0
		if fade > 0 {
			k = 1 - fade*patch.at(float64(i%p.w)/float64(p.w), float64(i/p.w)/float64(p.h))*1.6
		}
		if grain > 0 { // of the cloth
			k -= grain * rng.Float64()
		}
		a := float32(min(max(k, 0.25), 1)) * float32(v) / 255
		p.pix[i] = p.pix[i]*(1-a) + float32(ink)*a
	}
}

// print draws text as it is set and gives the coverage and the ink's box.
func print(t typeface, text string, w, h int, set hand) ([]uint8, image.Rectangle) {
	var z vector.Rasterizer
	z.Reset(w, h)
	box := image.Rectangle{}
	first := true
	at, n := set.x, 0
	for _, r := range text {
		l, ok := t[r]
		if !ok {
			continue
		}
		x, y := at, set.y
		if set.typed != nil {
			o := set.typed.off[n%len(set.typed.off)]
			x, y = x+o[0]*set.size, y+o[1]*set.size
		}
		outline(&z, l, func(p fixed.Point26_6) (float32, float32) {
			px, py := float64(p.X)/64/em, float64(p.Y)/64/em
			gx, gy := x+(px-py*set.slant)*set.size*set.stretch, y+py*set.size
			gy += set.tilt * (gx - float64(w)/2)
			q := image.Rect(int(gx), int(gy), int(gx)+1, int(gy)+1)
			if first {
				box, first = q, false
			}
			box = box.Union(q)
			return float32(gx), float32(gy)
		})
		at += (l.advance*set.stretch + set.spacing) * set.size
		n++
	}
	m := image.NewAlpha(image.Rect(0, 0, w, h))
	z.Draw(m, m.Rect, image.Opaque, image.Point{})
	if set.typed != nil {
		step := (t['i'].advance*set.stretch + set.spacing) * set.size
		for i, v := range m.Pix {
			if v > 0 {
				n := max(0, int((float64(i%w)-set.x)/step))
				m.Pix[i] = uint8(float64(v) * set.typed.dark[n%len(set.typed.dark)])
			}
		}
	}
	return m.Pix, box.Intersect(m.Rect)
}

func outline(z *vector.Rasterizer, l letter, place func(fixed.Point26_6) (float32, float32)) {
	for _, s := range l.segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			z.ClosePath()
			z.MoveTo(place(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			z.LineTo(place(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			bx, by := place(s.Args[0])
			cx, cy := place(s.Args[1])
			z.QuadTo(bx, by, cx, cy)
		case sfnt.SegmentOpCubeTo:
			bx, by := place(s.Args[0])
			cx, cy := place(s.Args[1])
			dx, dy := place(s.Args[2])
			z.CubeTo(bx, by, cx, cy, dx, dy)
		}
	}
	z.ClosePath()
}

// paper is plain, shaded, or covered with the fine waves cards are printed with.
func (p *picture) paper(rng *rand.Rand, size float64) {
	light := between(rng, 165, 250)
	dx, dy := between(rng, -25, 25)/float64(p.w), between(rng, -25, 25)/float64(p.h)
	type wave struct{ kx, ky, amp, freq, phase, depth float64 }
	var waves []wave
	if rng.IntN(3) > 0 {
		for range 1 + rng.IntN(4) {
			a := rng.Float64() * math.Pi
			pitch := between(rng, 0.2, 0.7) * size
			waves = append(waves, wave{math.Cos(a) * 2 * math.Pi / pitch, math.Sin(a) * 2 * math.Pi / pitch, between(rng, 1, 5),
				between(rng, 0.2, 2) / size, rng.Float64() * 7, between(rng, 2, 26)})
		}
	}
	for y := range p.h {
		for x := range p.w {
			v := light + dx*float64(x) + dy*float64(y)
			for _, w := range waves {
				s := sine(w.kx*float64(x) + w.ky*float64(y) + w.amp*sine(w.freq*float64(x-y)+w.phase))
				if s > 0.6 {
					v -= w.depth * (s - 0.6) * 2.5
				}
			}
			p.pix[y*p.w+x] = float32(v)
		}
	}
}

// sine is read off a table: drawing must keep ahead of learning.
func sine(x float64) float64 { return sines[int(x*(4096/(2*math.Pi)))&4095] }

var sines = func() (t [4096]float64) {
	for i := range t {
		t[i] = math.Sin(float64(i) * 2 * math.Pi / 4096)
	}
	return t
}()

// rule draws the dotted or plain rule that forms have under what is filled in.
func (p *picture) rule(rng *rand.Rand, box image.Rectangle, size float64) {
	if rng.IntN(10) > 0 {
		return
	}
	y := box.Max.Y - rng.IntN(max(1, box.Dy()/4)) + 2
	step := 1
	if rng.IntN(3) > 0 {
		step = max(2, int(size/7))
	}
	thick := 1 + rng.IntN(2)
	dark := float32(between(rng, 60, 170))
	for x := 0; x < p.w; x++ {
		if step > 1 && x/thick%step > 0 {
			continue
		}
		for k := range thick {
			if y+k < p.h {
				p.pix[(y+k)*p.w+x] = dark
			}
		}
	}
}

// scratch lays a worn line, a stamp's rim or a speck over the print.
func (p *picture) scratch(rng *rand.Rand, size float64) {
	for range rng.IntN(3) * rng.IntN(2) {
		x, y, a := rng.Float64()*float64(p.w), rng.Float64()*float64(p.h), rng.Float64()*math.Pi
		bend := rng.NormFloat64() * 0.02
		v := float32(between(rng, 200, 245))
		k := float32(between(rng, 0.3, 0.9))
		if rng.IntN(3) == 0 {
			v = float32(between(rng, 80, 180))
		}
		thick := between(rng, 0.4, 0.07*size)
		for range int(between(rng, 1, 6) * size) {
			for oy := -thick; oy <= thick; oy++ {
				ix, iy := int(x), int(y+oy)
				if ix >= 0 && iy >= 0 && ix < p.w && iy < p.h {
					i := iy*p.w + ix
					p.pix[i] = p.pix[i]*(1-k) + v*k
				}
			}
			x, y, a = x+math.Cos(a)*0.7, y+math.Sin(a)*0.7, a+bend
		}
	}
	if rng.IntN(6) == 0 {
		for range rng.IntN(12) {
			p.pix[rng.IntN(len(p.pix))] = 40
		}
	}
}

// stamp lays what a gray copy makes of a red stamp over the print: pieces of rings, letters that run aslant.
func (p *picture) stamp(t typeface, w, h int, rng *rand.Rand, size float64) {
	dark, k := float32(between(rng, 60, 170)), float32(between(rng, 0.3, 0.9))
	lay := func(i int, a float32) {
		a *= k
		p.pix[i] = p.pix[i]*(1-a) + min(p.pix[i], dark)*a
	}
	for range 1 + rng.IntN(3) {
		r := between(rng, 1.5, 7) * size
		cx, cy := between(rng, -0.2, 1.2)*float64(w), float64(h)/2+between(rng, -1.1, 1.1)*r
		thick := between(rng, 0.03, 0.16) * size
		for y := range h {
			for x := range w {
				if d := math.Abs(math.Hypot(float64(x)-cx, float64(y)-cy) - r); d < thick {
					lay(y*w+x, float32(min(1, thick-d)))
				}
			}
		}
	}
	if rng.IntN(2) == 0 {
		big := size * between(rng, 0.6, 1.6)
		text, _ := compose(rng)
		cover, _ := print(t, text, w, h, hand{x: between(rng, -0.5, 0.8) * float64(w), y: between(rng, 0.3, 1) * float64(h), size: big,
			stretch: 1, tilt: between(rng, -0.6, 0.6)})
		for i, v := range cover {
			if v > 0 {
				lay(i, float32(v)/255)
			}
		}
	}
}

// fax makes the picture bitonal against the mean of each pixel's surroundings, r pixels either way.
func fax(g *image.Gray, r int, k float64) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	sum := make([]int, (w+1)*(h+1))
	for y := range h {
		row := 0
		for x := range w {
			row += int(g.Pix[y*g.Stride+x])
			sum[(y+1)*(w+1)+x+1] = sum[y*(w+1)+x+1] + row
		}
	}
	for y := range h {
		for x := range w {
			x0, y0, x1, y1 := max(x-r, 0), max(y-r, 0), min(x+r+1, w), min(y+r+1, h)
			mean := float64(sum[y1*(w+1)+x1]-sum[y0*(w+1)+x1]-sum[y1*(w+1)+x0]+sum[y0*(w+1)+x0]) / float64((x1-x0)*(y1-y0))
			v := uint8(255)
			if float64(g.Pix[y*g.Stride+x]) < mean*k {
				v = 0
			}
			g.Pix[y*g.Stride+x] = v
		}
	}
}

func (p *picture) blur(sx, sy float64) {
	pass := func(s float64, n, step, lines, across int) {
		if s < 0.3 {
			return
		}
		r := int(math.Ceil(2.5 * s))
		k := make([]float32, 2*r+1)
		sum := float32(0)
		for i := range k {
			k[i] = float32(math.Exp(-float64((i-r)*(i-r)) / (2 * s * s)))
			sum += k[i]
		}
		row := make([]float32, n)
		for l := range lines {
			for i := range row {
				row[i] = p.pix[l*across+i*step]
			}
			for i := range row {
				v := float32(0)
				for j, w := range k {
					v += w * row[min(max(i+j-r, 0), n-1)]
				}
				p.pix[l*across+i*step] = v / sum
			}
		}
	}
	pass(sx, p.w, 1, p.h, p.w)
	pass(sy, p.h, p.w, p.w, 1)
}

// sense turns light into a scan's bytes: gain, noise, a copier's contrast, a fax's two levels.
func (p *picture) sense(rng *rand.Rand) *image.Gray {
	noise := between(rng, 0.5, 7)
	gain, lift := between(rng, 0.75, 1.06), between(rng, -12, 14)
	contrast := 1.0
	kind := rng.IntN(12)
	if kind < 2 {
		contrast = between(rng, 1.1, 2)
	}
	g := image.NewGray(image.Rect(0, 0, p.w, p.h))
	mean := 0.0
	for _, v := range p.pix {
		mean += float64(v)
	}
	mean /= float64(len(p.pix))
	for i, v := range p.pix {
		u := float64(v)*gain + lift
		u = 128 + (u-128+6*(contrast-1))*contrast
		u += rng.NormFloat64() * noise
		if kind == 2 {
			if u < (mean*gain+lift)*0.86 {
				u = 0
			} else {
				u = 255
			}
		}
		g.Pix[i] = uint8(min(max(u, 0), 255))
	}
	return g
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
	a, b := f.v[j*(f.n+1)+i], f.v[j*(f.n+1)+i+1]
	c, d := f.v[(j+1)*(f.n+1)+i], f.v[(j+1)*(f.n+1)+i+1]
	return (a*(1-u)+b*u)*(1-v) + (c*(1-u)+d*u)*v
}
