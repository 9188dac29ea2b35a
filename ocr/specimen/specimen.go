// Package specimen draws papers of persons who don't exist: every kind of paper a ward office takes,
// as printed, worn and scanned, together with the truth of what is written on them and where.
//
// In go a description of what lies on the glass, a seed and a kind of damage; out come page pixels and
// a Truth. The same input gives the same pixels. The demo scans these pages, tests read them, and the
// benchmark measures recognition against them. Layout, fonts and sizes vary with the seed by more
// than real printing does, so that recognition has to find text by its labels. Every paper bears the
// words "MẪU / SPECIMEN" and none could be taken for real.
package specimen

import (
	"fmt"
	"image"
	"maps"
	"math/rand/v2"
	"slices"

	"motcua/ocr/paper"
)

// Side is a side of a card or a page of a booklet.
type Side string

// The sides papers have; sheets and the data page of a passport have a front only.
const (
	Front Side = "front"
	Back  Side = "back"
)

// Paper is one paper on the glass.
type Paper struct {
	Kind     paper.Kind
	Person   Person
	Like     string  // of a paper.Other: the name of one of Lookalikes; "": a letter
	Code     *Person // of whom its QR symbol speaks, stuck over the card's own; nil: of its bearer
	Sides    []Side  // what is shown on this page; nil: front only, for cards front and back
	Rotation int     // clockwise degrees: 0, 90, 180, 270
	Skew     float64 // further degrees clockwise
}

// Spec is what one page shows.
type Spec struct {
	Papers []Paper
	DPI    int // 0: 300
	Fonts  *Family
	Tight  bool // cropped to the paper, as a hand scanner or an ID slot gives it; otherwise a whole A4 bed
}

// Family is a pair of TrueType fonts to print with instead of those built in. A benchmark uses fonts that
// recognition has never been tried with.
type Family struct{ regular, bold *typeface }

// NewFamily takes the bytes of two font files.
func NewFamily(name string, regular, bold []byte) *Family {
	return &Family{&typeface{name: name, data: regular}, &typeface{name: name + " bold", data: bold}}
}

// Truth is what stands on a page.
type Truth struct {
	Papers []PaperTruth
}

// PaperTruth is what stands on one paper of a page.
type PaperTruth struct {
	Kind     paper.Kind
	Sides    []string
	Rotation int
	Fields   map[paper.Name]string // true values of all fields the shown sides bear, dates in ISO 8601
	Printed  map[paper.Name]string // the same as letters on the paper
	Code     bool                  // a QR symbol or MRZ is on the shown sides (damage may still make it unreadable)
	Lies     []paper.Name          // fields of the shown sides of which a forged QR symbol says other than the print
	Where    map[Side]paper.Quad   // outline of each side in page pixels
	Fields2D map[paper.Name]paper.Quad
}

// Draw draws a page. It fails only for a spec that makes no sense.
func Draw(spec Spec, seed uint64, d Damage) (*image.RGBA, Truth, error) {
	if spec.DPI == 0 {
		spec.DPI = 300
	}
	if spec.DPI < 72 || spec.DPI > 1200 {
		return nil, Truth{}, fmt.Errorf("draw specimen: %d dpi", spec.DPI)
	}
	rng := rand.New(rand.NewPCG(seed, 0x6d6f74637561))
	w := wearOf(d)
	var sides []drawnSide
	var truth Truth
	for i, p := range spec.Papers {
		drawn, t, err := drawPaper(spec, p, w, rng)
		if err != nil {
			return nil, Truth{}, err
		}
		for _, f := range drawn {
			f.paper = i
			sides = append(sides, f)
		}
		truth.Papers = append(truth.Papers, t)
	}
	page, spots := compose(sides, spec, w, rng)
	for i, f := range sides {
		t := &truth.Papers[f.paper]
		t.Where[f.side] = spots[i].quad(0, 0, f.widthMM, f.heightMM)
		for n, r := range f.where {
			t.Fields2D[n] = spots[i].quad(r.x, r.y, r.x+r.w, r.y+r.h)
		}
	}
	img, h := w.page(page, float64(spec.DPI))
	if h != nil {
		for _, t := range truth.Papers {
			t.bend(h)
		}
	}
	return img, truth, nil
}

// drawPaper draws the sides of a paper that its page shows, and says what stands on them but for where.
func drawPaper(spec Spec, p Paper, w wear, rng *rand.Rand) ([]drawnSide, PaperTruth, error) {
	t := PaperTruth{Kind: p.Kind, Rotation: p.Rotation, Fields: map[paper.Name]string{}, Printed: map[paper.Name]string{},
		Where: map[Side]paper.Quad{}, Fields2D: map[paper.Name]paper.Quad{}}
	style := newStyle(rng)
	if f := spec.Fonts; f != nil {
		style.label, style.value, style.strong, style.title = f.regular, f.regular, f.bold, f.bold
	}
	bearer := p.Person
	bearer.code, bearer.like = p.Code, p.Like
	var sides []drawnSide
	for _, s := range p.shown() {
		f, err := drawSide(p.Kind, s, bearer, style, w, float64(spec.DPI), rng)
		if err != nil {
			return nil, t, fmt.Errorf("draw specimen %s %s: %w", p.Kind, s, err)
		}
		f.side, f.rotation, f.skew = s, p.Rotation, p.Skew
		sides = append(sides, f)
		if isCard(p.Kind) {
			t.Sides = append(t.Sides, string(s))
		}
		t.Code = t.Code || f.code
		maps.Copy(t.Fields, f.values)
		maps.Copy(t.Printed, f.printed)
	}
	if p.Code != nil {
		t.Lies = slices.DeleteFunc(lies(p.Person, *p.Code), func(n paper.Name) bool { _, shown := t.Printed[n]; return !shown })
	}
	return sides, t, nil
}

// shown are the sides that a page shows.
func (p Paper) shown() []Side {
	switch {
	case len(p.Sides) > 0:
		return p.Sides
	case isCard(p.Kind) && !fromList(p.Kind):
		return []Side{Front, Back}
	}
	return []Side{Front}
}

// bend moves the places on a page as a camera's view bends it.
func (t PaperTruth) bend(h *homography) {
	for s, q := range t.Where {
		t.Where[s] = h.apply(q)
	}
	for n, q := range t.Fields2D {
		t.Fields2D[n] = h.apply(q)
	}
}

func isCard(k paper.Kind) bool {
	switch k {
	case paper.CCCD, paper.CanCuoc, paper.CCCD2016, paper.CMND, paper.GPLX, paper.BHYT, paper.TheTamTru, paper.TheThuongTru:
		return true
	}
	return false
}

// fromList says whether a kind is drawn from listings.
func fromList(k paper.Kind) bool {
	return slices.ContainsFunc(listings, func(l listing) bool { return l.kind == k })
}

// A painter draws a side of a paper, undamaged, at dots an inch.
type painter func(p Person, st style, dpi float64, rng *rand.Rand) *canvas

// painters draw the kinds that have a hand of their own; the others are listings.
var painters = map[paper.Kind]map[Side]painter{
	paper.CCCD:     {Front: cccdFront, Back: cccdBack},
	paper.CanCuoc:  {Front: canCuocFront, Back: canCuocBack},
	paper.CCCD2016: {Front: card2016Front, Back: card2016Back},
	paper.CMND:     {Front: cmndFront, Back: cmndBack},
	paper.Passport: {Front: passportPage},
	paper.KhaiSinh: {Front: khaiSinh},
	paper.CT07:     {Front: ct07},
	paper.Other:    {Front: letter},
}

// painterOf finds who draws a side; like is the name of the look-alike that a paper.Other is, or nothing.
func painterOf(k paper.Kind, s Side, like string) (painter, error) {
	if k == paper.Other && s == Front && like != "" {
		l, ok := lookalikes[like]
		if !ok {
			return nil, fmt.Errorf("no look-alike %q", like)
		}
		return l.paint, nil
	}
	if paint, ok := painters[k][s]; ok {
		return paint, nil
	}
	if i := slices.IndexFunc(listings, func(l listing) bool { return l.kind == k }); i >= 0 && s == Front {
		return listings[i].paint, nil
	}
	return nil, fmt.Errorf("no such side")
}

func drawSide(k paper.Kind, s Side, p Person, st style, w wear, dpi float64, rng *rand.Rand) (drawnSide, error) {
	paint, err := painterOf(k, s, p.like)
	if err != nil {
		return drawnSide{}, err
	}
	c := paint(p, st, dpi, rng)
	if c.err != nil {
		return drawnSide{}, c.err
	}
	c.dx, c.dy = 0, 0
	w.paper(c, Damage{Seed: w.seed ^ uint64(len(s))<<32 ^ uint64(c.img.Rect.Dx())}.rng(3))
	return c.side(), nil
}

// Page is a drawn page.
type Page struct {
	*image.RGBA
	DPI   int
	Truth Truth
}

func drawPage(spec Spec, seed uint64, d Damage) (Page, error) {
	if spec.DPI == 0 {
		spec.DPI = 300
	}
	img, truth, err := Draw(spec, seed, d)
	return Page{img, spec.DPI, truth}, err
}
