package specimen

import (
	_ "embed"
	"fmt"
	"image"
	"image/draw"
	"sync"

	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
	"github.com/go-fonts/dejavu/dejavuserifcondensed"
	"github.com/go-fonts/dejavu/dejavuserifcondensedbold"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

//go:embed fonts/OCRB.ttf
var ocrB []byte

// typeface gives the outlines of one font in units of the em.
type typeface struct {
	name string
	data []byte
	once sync.Once
	font *sfnt.Font
	err  error

	mu     sync.Mutex // guards glyphs
	glyphs map[rune]glyph
}

type glyph struct {
	segments []sfnt.Segment
	advance  float64
}

const em = 1 << 11 // ppem at which outlines are taken, fine enough for any size

var (
	sans        = &typeface{name: "sans", data: liberationsansregular.TTF}
	sansBold    = &typeface{name: "sans bold", data: liberationsansbold.TTF}
	serif       = &typeface{name: "serif", data: liberationserifregular.TTF}
	serifBold   = &typeface{name: "serif bold", data: liberationserifbold.TTF}
	serifItalic = &typeface{name: "serif italic", data: liberationserifitalic.TTF}
	dejavu      = &typeface{name: "dejavu", data: dejavusanscondensed.TTF}
	dejavuBold  = &typeface{name: "dejavu bold", data: dejavusanscondensedbold.TTF}
	dserif      = &typeface{name: "dejavu serif", data: dejavuserifcondensed.TTF}
	dserifBold  = &typeface{name: "dejavu serif bold", data: dejavuserifcondensedbold.TTF}
	typed       = &typeface{name: "mono", data: liberationmonoregular.TTF}
	machine     = &typeface{name: "OCR-B", data: ocrB}
)

func (t *typeface) glyph(r rune) (glyph, error) {
	t.once.Do(func() { t.font, t.err = sfnt.Parse(t.data); t.glyphs = map[rune]glyph{} })
	if t.err != nil {
		return glyph{}, fmt.Errorf("parse font %s: %w", t.name, t.err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if g, ok := t.glyphs[r]; ok {
		return g, nil
	}
	var buf sfnt.Buffer
	i, err := t.font.GlyphIndex(&buf, r)
	if err != nil {
		return glyph{}, fmt.Errorf("font %s: %w", t.name, err)
	}
	if i == 0 {
		return glyph{}, fmt.Errorf("font %s has no %q", t.name, r)
	}
	segs, err := t.font.LoadGlyph(&buf, i, fixed.I(em), nil)
	if err != nil {
		return glyph{}, fmt.Errorf("font %s: %w", t.name, err)
	}
	adv, err := t.font.GlyphAdvance(&buf, i, fixed.I(em), font.HintingNone)
	if err != nil {
		return glyph{}, fmt.Errorf("font %s: %w", t.name, err)
	}
	g := glyph{segments: append([]sfnt.Segment(nil), segs...), advance: float64(adv) / 64 / em}
	t.glyphs[r] = g
	return g, nil
}

// machinePoints is the size of OCR-B at ten letters an inch, as ICAO 9303-3 wants it.
const machinePoints = 12

// Typist types OCR-B as a machine readable zone's printer does, letter by letter, for who draws more than specimens.
type Typist struct {
	face font.Face
}

// NewTypist has letters of ten an inch at a resolution.
func NewTypist(dpi float64) (*Typist, error) {
	parsed, err := opentype.Parse(ocrB)
	if err != nil {
		return nil, fmt.Errorf("parse font OCR-B: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: machinePoints, DPI: dpi, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("font OCR-B at %v dpi: %w", dpi, err)
	}
	return &Typist{face}, nil
}

// Type puts a line on img in a colour, its base line beginning at x, y, a letter every step pixels.
func (t *Typist) Type(img draw.Image, ink image.Image, text string, x, y, step float64) {
	for i, r := range text {
		d := font.Drawer{Dst: img, Src: ink, Face: t.face,
			Dot: fixed.Point26_6{X: fixed.Int26_6((x + float64(i)*step) * 64), Y: fixed.Int26_6(y * 64)}}
		d.DrawString(string(r))
	}
}

// CapHeight is how many pixels the capitals are high.
func (t *Typist) CapHeight() int { return t.face.Metrics().CapHeight.Ceil() }

// add puts the outline of g into z with its origin at x, y; size and stretch in pixels per em.
func (g glyph) add(z *vector.Rasterizer, x, y, sx, sy, slant float64) {
	at := func(p fixed.Point26_6) (float32, float32) {
		px, py := float64(p.X)/64/em, float64(p.Y)/64/em
		return float32(x + (px-py*slant)*sx), float32(y + py*sy)
	}
	for _, s := range g.segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			z.ClosePath()
			z.MoveTo(at(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			z.LineTo(at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			bx, by := at(s.Args[0])
			cx, cy := at(s.Args[1])
			z.QuadTo(bx, by, cx, cy)
		case sfnt.SegmentOpCubeTo:
			bx, by := at(s.Args[0])
			cx, cy := at(s.Args[1])
			dx, dy := at(s.Args[2])
			z.CubeTo(bx, by, cx, cy, dx, dy)
		}
	}
	z.ClosePath()
}
