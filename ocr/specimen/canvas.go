package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"

	"motcua/ocr/paper"
)

// canvas is one side of a paper, drawn in millimetres from its upper left corner.
type canvas struct {
	img     *image.RGBA
	scale   float64 // pixels per mm
	w, h    float64 // mm
	dx, dy  float64 // offset of everything printed after the background, mm
	values  map[paper.Name]string
	printed map[paper.Name]string
	where   map[paper.Name]rect
	code    bool
	codes   []rect  // where symbols and machine readable zones lie
	radius  float64 // of the corners
	err     error   // first thing that went wrong
}

type rect struct{ x, y, w, h float64 }

// drawnSide is a finished side, ready to be laid on the glass.
type drawnSide struct {
	img               *image.RGBA
	widthMM, heightMM float64
	radius            float64
	values, printed   map[paper.Name]string
	where             map[paper.Name]rect
	code              bool

	paper    int
	side     Side
	rotation int
	skew     float64
}

// Sides are drawn finer than they are scanned, so that the scan samples them as a lamp samples print.
const oversample = 2

func newCanvas(w, h, dpi float64) *canvas {
	s := oversample * dpi / 25.4
	return &canvas{img: image.NewRGBA(image.Rect(0, 0, int(math.Ceil(w*s)), int(math.Ceil(h*s)))), scale: s, w: w, h: h,
		values: map[paper.Name]string{}, printed: map[paper.Name]string{}, where: map[paper.Name]rect{}}
}

func (c *canvas) side() drawnSide {
	return drawnSide{img: c.img, widthMM: c.w, heightMM: c.h, radius: c.radius, values: c.values, printed: c.printed,
		where: c.where, code: c.code}
}

// lettering is how text looks.
type lettering struct {
	face    *typeface
	size    float64 // mm per em
	ink     color.Color
	stretch float64 // 0: 1
	spacing float64 // further advance, ems
	slant   float64
	bold    float64 // emboldening, mm
}

// text writes s with its baseline beginning at x, y and returns where it ends.
func (c *canvas) text(x, y float64, s string, l lettering) float64 {
	if l.stretch == 0 {
		l.stretch = 1
	}
	x, y = x+c.dx, y+c.dy
	px := l.size * c.scale
	pad := px * 0.4
	width := l.width(s)
	x0, y0 := x*c.scale, y*c.scale
	ox, oy := math.Floor(x0-pad), math.Floor(y0-1.3*px)
	// The rasteriser clips outlines, but trusts the rectangle it draws to.
	b := image.Rect(int(ox), int(oy), int(x0+width*c.scale+pad)+1, int(y0+0.5*px)+1).Intersect(c.img.Rect)
	if b.Empty() {
		return x + width - c.dx
	}
	ox, oy = float64(b.Min.X), float64(b.Min.Y)
	var z vector.Rasterizer
	z.Reset(b.Dx(), b.Dy())
	passes := []float64{0}
	if l.bold > 0 {
		passes = append(passes, l.bold*c.scale/2, -l.bold*c.scale/2)
	}
	for _, d := range passes {
		at := x0 - ox + d
		for _, r := range s {
			g, err := l.face.glyph(r)
			if err != nil {
				if c.err == nil {
					c.err = err
				}
				return x
			}
			g.add(&z, at, y0-oy, px*l.stretch, px, l.slant)
			at += (g.advance*l.stretch + l.spacing) * px
		}
	}
	z.Draw(c.img, b, image.NewUniform(l.ink), image.Point{})
	return x + width - c.dx
}

func (l lettering) width(s string) float64 {
	st := l.stretch
	if st == 0 {
		st = 1
	}
	w := 0.0
	for _, r := range s {
		if g, err := l.face.glyph(r); err == nil {
			w += (g.advance*st + l.spacing) * l.size
		}
	}
	return w
}

// centre writes s centred on x.
func (c *canvas) centre(x, y float64, s string, l lettering) {
	c.text(x-l.width(s)/2, y, s, l)
}

// value writes a field's value and remembers it: truth is what motcua must say, s what is printed.
func (c *canvas) value(n paper.Name, truth string, x, y float64, s string, l lettering) float64 {
	end := c.text(x, y, s, l)
	c.note(n, truth, s, rect{x + c.dx, y + c.dy - l.size, end - x, l.size * 1.3})
	return end
}

// note remembers a value that was drawn in several parts.
func (c *canvas) note(n paper.Name, truth, printed string, r rect) {
	c.values[n] = truth
	if old, ok := c.where[n]; ok {
		x0, y0 := math.Min(old.x, r.x), math.Min(old.y, r.y)
		x1, y1 := math.Max(old.x+old.w, r.x+r.w), math.Max(old.y+old.h, r.y+r.h)
		r = rect{x0, y0, x1 - x0, y1 - y0}
		printed = c.printed[n] + " " + printed
	}
	c.printed[n], c.where[n] = printed, r
}

// fill paints a polygon given as x, y pairs in mm.
func (c *canvas) fill(ink color.Color, xy ...float64) {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for i := 0; i+1 < len(xy); i += 2 {
		minX, maxX = math.Min(minX, xy[i]), math.Max(maxX, xy[i])
		minY, maxY = math.Min(minY, xy[i+1]), math.Max(maxY, xy[i+1])
	}
	b := image.Rect(int(math.Floor((minX+c.dx)*c.scale)), int(math.Floor((minY+c.dy)*c.scale)),
		int(math.Ceil((maxX+c.dx)*c.scale))+1, int(math.Ceil((maxY+c.dy)*c.scale))+1).Intersect(c.img.Rect)
	if b.Empty() {
		return
	}
	var z vector.Rasterizer
	z.Reset(b.Dx(), b.Dy())
	for i := 0; i+1 < len(xy); i += 2 {
		px, py := float32((xy[i]+c.dx)*c.scale-float64(b.Min.X)), float32((xy[i+1]+c.dy)*c.scale-float64(b.Min.Y))
		if i == 0 {
			z.MoveTo(px, py)
		} else {
			z.LineTo(px, py)
		}
	}
	z.ClosePath()
	z.Draw(c.img, b, image.NewUniform(ink), image.Point{})
}

// line draws a stroke.
func (c *canvas) line(ink color.Color, width, x0, y0, x1, y1 float64) {
	d := math.Hypot(x1-x0, y1-y0)
	if d == 0 {
		return
	}
	nx, ny := -(y1-y0)/d*width/2, (x1-x0)/d*width/2
	c.fill(ink, x0+nx, y0+ny, x1+nx, y1+ny, x1-nx, y1-ny, x0-nx, y0-ny)
}

// box draws an outline.
func (c *canvas) box(ink color.Color, width, x, y, w, h float64) {
	c.line(ink, width, x, y, x+w, y)
	c.line(ink, width, x+w, y, x+w, y+h)
	c.line(ink, width, x+w, y+h, x, y+h)
	c.line(ink, width, x, y+h, x, y)
}

// disc paints an ellipse.
func (c *canvas) disc(ink color.Color, x, y, rx, ry float64) {
	var xy []float64
	for i := range 48 {
		a := float64(i) / 48 * 2 * math.Pi
		xy = append(xy, x+rx*math.Cos(a), y+ry*math.Sin(a))
	}
	c.fill(ink, xy...)
}

// ring draws a circle's outline.
func (c *canvas) ring(ink color.Color, width, x, y, r float64) {
	const n = 72
	for i := range n {
		a, b := float64(i)/n*2*math.Pi, float64(i+1)/n*2*math.Pi
		c.line(ink, width, x+r*math.Cos(a), y+r*math.Sin(a), x+r*math.Cos(b), y+r*math.Sin(b))
	}
}

// star paints a five-pointed star.
func (c *canvas) star(ink color.Color, x, y, r float64) {
	var xy []float64
	for i := range 10 {
		a := -math.Pi/2 + float64(i)*math.Pi/5
		q := r
		if i%2 == 1 {
			q = r * 0.38
		}
		xy = append(xy, x+q*math.Cos(a), y+q*math.Sin(a))
	}
	c.fill(ink, xy...)
}

// paint fills everything.
func (c *canvas) paint(ink color.Color) {
	draw.Draw(c.img, c.img.Rect, image.NewUniform(ink), image.Point{}, draw.Src)
}

// style is what one print run of a card has in common: its fonts and how far it lies off the ideal layout.
type style struct {
	label, value, strong, title *typeface
	size                        float64 // of all text
	stretch                     float64
	dx, dy                      float64 // of all print, mm
	lead                        float64 // line distance
	ink, faint, red             color.RGBA
	bold                        float64
	off                         [6]float64 // how far single parts lie off, -1 to 1 (to be scaled to mm)
}

func newStyle(rng *rand.Rand) style {
	s := style{label: sans, value: sans, strong: sansBold, title: sansBold}
	switch rng.IntN(6) {
	case 0:
		s.label, s.value, s.strong, s.title = dejavu, dejavu, dejavuBold, dejavuBold
	case 1:
		s.label, s.value, s.strong, s.title = sans, serif, serifBold, serifBold
	}
	s.size = 0.95 + 0.1*rng.Float64()
	s.stretch = 0.92 + 0.12*rng.Float64()
	if s.label == dejavu {
		s.stretch *= 0.94
	}
	s.dx, s.dy = 1.2*(rng.Float64()-0.5), 1.2*(rng.Float64()-0.5)
	s.lead = 0.985 + 0.03*rng.Float64()
	if rng.IntN(3) == 0 {
		s.bold = 0.05 * rng.Float64()
	}
	v := uint8(20 + rng.IntN(40))
	s.ink = color.RGBA{v, v, v + 5, 255}
	s.faint = color.RGBA{v + 10, v + 30, v + 25, 255}
	s.red = color.RGBA{uint8(190 + rng.IntN(40)), uint8(25 + rng.IntN(20)), uint8(30 + rng.IntN(25)), 255}
	for i := range s.off {
		s.off[i] = rng.Float64()*2 - 1
	}
	return s
}
