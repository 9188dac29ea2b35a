// Command train makes ocr/mrz/glyphs.bin, the classifier of the signs of machine readable zones, from fonts: OCR-B
// and, as some printers and copies are careless, other even-pitched ones. Signs are drawn at many sizes, shifted,
// slanted, thickened, thinned, blurred and laid over patterns and noise; a network with one hidden layer learns them.
// The last fifth is held back and measured.
//
//	go run ./ocr/lab/mrz -o ocr/mrz/glyphs.bin FONT…
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"image"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"motcua/ocr/mrz"
)

const hidden = 72

func main() {
	out := flag.String("o", "ocr/mrz/glyphs.bin", "where to write the weights")
	each := flag.Int("n", 1200, "samples of each sign and font")
	rounds := flag.Int("rounds", 14, "passes over the samples")
	flag.Parse()
	rng := rand.New(rand.NewPCG(1, 2))
	var xs [][]float32
	var ys []int
	for i, name := range flag.Args() {
		b, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		f, err := opentype.Parse(b)
		if err != nil {
			log.Fatal(name, ": ", err)
		}
		n := *each
		if i > 0 {
			n /= 2 // the first font is the real one
		}
		for s := range mrz.Signs {
			for range n {
				xs = append(xs, sample(f, rune(mrz.Signs[s]), rng))
				ys = append(ys, s)
			}
		}
	}
	rng.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i]; ys[i], ys[j] = ys[j], ys[i] })
	cut := len(xs) * 4 / 5
	net := train(xs[:cut], ys[:cut], *rounds, rng)
	wrong := 0
	for i := cut; i < len(xs); i++ {
		if _, o := net.run(xs[i]); best(o) != ys[i] {
			wrong++
		}
	}
	fmt.Printf("%d samples, %.3f %% of those held back misread\n", len(xs), 100*float64(wrong)/float64(len(xs)-cut))
	if err := os.WriteFile(*out, net.bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// up is how much finer than the cell a sign is drawn, along and down.
const up = 6

// sample draws one sign as a scanner sees it in its cell.
func sample(f *opentype.Font, sign rune, rng *rand.Rand) []float32 {
	w, h := mrz.CellW*up, mrz.CellH*up
	pix := newDrawing(f, sign, rng).bent(rng)
	if rng.IntN(3) == 0 {
		neighbour(pix, w, h, rng)
	}
	if rng.IntN(2) == 0 {
		pattern(pix, w, h, rng)
	}
	dirt(pix, w, h, rng)
	blur(pix, w, h, rng.IntN(up+3))
	return scanned(pix, rng)
}

// drawing is one sign, upright in the middle of twice the room of its cell.
type drawing struct {
	big       *image.Alpha
	capHeight float64 // pixels
	wide      float64 // pixels of the widest sign
	w, h      int     // pixels of the cell
}

func newDrawing(f *opentype.Font, sign rune, rng *rand.Rand) drawing {
	w, h := mrz.CellW*up, mrz.CellH*up
	size := float64(h) * (1.15 + 0.25*rng.Float64())
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		log.Fatal(err)
	}
	defer face.Close()
	// The height of a capital fills the cell but for the little room that is kept above and below.
	box, _, _ := face.GlyphBounds('H')
	capHeight := float64(box.Max.Y-box.Min.Y) / 64
	glyph, _, _ := face.GlyphBounds(sign)
	big := image.NewAlpha(image.Rect(0, 0, 2*w, 2*h))
	d := font.Drawer{Dst: big, Src: image.Opaque, Face: face,
		Dot: fixed.Point26_6{X: fixed.I(w) - (glyph.Min.X+glyph.Max.X)/2, Y: fixed.I(h + int(capHeight/2))}}
	d.DrawString(string(sign))
	wide, _, _ := face.GlyphBounds('M')
	return drawing{big, capHeight, float64(wide.Max.X-wide.Min.X) / 64, w, h}
}

// at is how much ink lies at a place, 0 to 1.
func (d drawing) at(x, y float64) float64 {
	ix, iy := int(x), int(y)
	if ix < 0 || iy < 0 || ix >= 2*d.w || iy >= 2*d.h {
		return 0
	}
	return float64(d.big.AlphaAt(ix, iy).A) / 255
}

// bent is the sign in its cell: sized, shifted, slanted, thickened or thinned.
func (d drawing) bent(rng *rand.Rand) []float64 {
	w, h := d.w, d.h
	grow := func(v float64) float64 { return v * (1 + 0.10*(rng.Float64()*2-1)) }
	sy := d.capHeight / (float64(h) / 1.12) // drawn pixels for one of the cell's
	sy = grow(sy)
	pitch := 0.5 + 0.45*rng.Float64() // share of the cell a wide sign takes
	sx := d.wide / (float64(w) * pitch)
	sx = grow(sx)
	dx, dy := (rng.Float64()*2-1)*float64(w)*0.10, (rng.Float64()*2-1)*float64(h)*0.06
	slant := (rng.Float64()*2 - 1) * 0.06
	thick := rng.IntN(7) - 2
	pix := make([]float64, w*h)
	for y := range h {
		for x := range w {
			cx, cy := float64(x)-float64(w)/2+dx, float64(y)-float64(h)/2+dy
			cx += slant * cy
			v := d.at(float64(w)+cx*sx, float64(h)+cy*sy)
			for k := 1; k <= max(thick, -thick); k++ {
				for _, o := range [4][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
					u := d.at(float64(w)+(cx+float64(k)*o[0])*sx, float64(h)+(cy+float64(k)*o[1])*sy)
					if thick > 0 {
						v = max(v, u)
					} else {
						v = min(v, u)
					}
				}
			}
			pix[y*w+x] = v
		}
	}
	return pix
}

// neighbour lets another sign look in from a side.
func neighbour(pix []float64, w, h int, rng *rand.Rand) {
	side := rng.IntN(2) * (w - 1)
	for y := rng.IntN(h / 2); y < h/2+rng.IntN(h/2); y++ {
		for k := range 1 + rng.IntN(up*2) {
			x := side - k
			if side == 0 {
				x = k
			}
			pix[y*w+x] = max(pix[y*w+x], 0.4+0.6*rng.Float64())
		}
	}
}

// pattern lays lines behind, as guilloche is.
func pattern(pix []float64, w, h int, rng *rand.Rand) {
	a, f, amp := rng.Float64()*math.Pi, 0.05+0.25*rng.Float64(), 0.05+0.25*rng.Float64()
	for y := range h {
		for x := range w {
			g := math.Sin((math.Cos(a)*float64(x) + math.Sin(a)*float64(y)) * f * 2)
			if g > 0.3 {
				pix[y*w+x] = min(1, pix[y*w+x]+amp*(g-0.3))
			}
		}
	}
}

// dirt takes ink away in places, or puts some.
func dirt(pix []float64, w, h int, rng *rand.Rand) {
	for range rng.IntN(3) {
		cx, cy, r := rng.IntN(w), rng.IntN(h), 2+rng.IntN(up*2)
		v := float64(rng.IntN(2))
		for y := max(0, cy-r); y < min(h, cy+r); y++ {
			for x := max(0, cx-r); x < min(w, cx+r); x++ {
				pix[y*w+x] = 0.3*pix[y*w+x] + 0.7*v
			}
		}
	}
}

// scanned brings a drawn sign to the cell's size, with a scanner's gain, lift and noise.
func scanned(pix []float64, rng *rand.Rand) []float32 {
	out := make([]float32, mrz.CellW*mrz.CellH)
	gain, lift, noise := 0.8+0.4*rng.Float64(), 0.15*(rng.Float64()-0.5), 0.12*rng.Float64()
	for j := range mrz.CellH {
		for i := range mrz.CellW {
			s := 0.0
			for y := range up {
				for x := range up {
					s += pix[(j*up+y)*mrz.CellW*up+i*up+x]
				}
			}
			v := s/(up*up)*gain + lift + noise*rng.NormFloat64()
			out[j*mrz.CellW+i] = float32(min(1, max(0, v)))
		}
	}
	return out
}

func blur(p []float64, w, h, r int) {
	if r == 0 {
		return
	}
	line := func(n, step, at int) {
		src := make([]float64, n)
		for i := range n {
			src[i] = p[at+i*step]
		}
		for i := range n {
			s, c := 0.0, 0.0
			for k := max(0, i-r); k <= min(n-1, i+r); k++ {
				s += src[k]
				c++
			}
			p[at+i*step] = s / c
		}
	}
	for y := range h {
		line(w, 1, y*w)
	}
	for x := range w {
		line(h, w, x)
	}
}

type net struct{ a, b []float32 } // rows with the bias last

const inputs = mrz.CellW * mrz.CellH

func (n *net) run(x []float32) (h, o []float32) {
	h = make([]float32, hidden)
	for i := range h {
		row := n.a[i*(inputs+1):]
		s := row[inputs]
		for k, v := range x {
			s += row[k] * v
		}
		h[i] = max(s, 0)
	}
	o = make([]float32, len(mrz.Signs))
	for i := range o {
		row := n.b[i*(hidden+1):]
		s := row[hidden]
		for k, v := range h {
			s += row[k] * v
		}
		o[i] = s
	}
	return h, o
}

func best(o []float32) int {
	b := 0
	for i, v := range o {
		if v > o[b] {
			b = i
		}
	}
	return b
}

// train descends by momentum, sample by sample.
func train(xs [][]float32, ys []int, rounds int, rng *rand.Rand) *net {
	n := &net{make([]float32, hidden*(inputs+1)), make([]float32, len(mrz.Signs)*(hidden+1))}
	for i := range n.a {
		n.a[i] = float32(rng.NormFloat64() * math.Sqrt(2.0/inputs))
	}
	for i := range n.b {
		n.b[i] = float32(rng.NormFloat64() * math.Sqrt(2.0/hidden))
	}
	order := rng.Perm(len(xs))
	for round := range rounds {
		rate := float32(0.012 * math.Pow(0.78, float64(round)))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		wrong := 0
		for _, s := range order {
			x := xs[s]
			h, o := n.run(x)
			if best(o) != ys[s] {
				wrong++
			}
			top := o[best(o)]
			sum := float32(0)
			for i, v := range o {
				o[i] = float32(math.Exp(float64(v - top)))
				sum += o[i]
			}
			gh := make([]float32, hidden)
			for i := range o {
				g := o[i] / sum
				if i == ys[s] {
					g--
				}
				if g < 1e-4 && g > -1e-4 {
					continue
				}
				row := n.b[i*(hidden+1):]
				for k, v := range h {
					gh[k] += g * row[k]
					row[k] -= rate * g * v
				}
				row[hidden] -= rate * g
			}
			for i, g := range gh {
				if h[i] == 0 || g == 0 {
					continue
				}
				row := n.a[i*(inputs+1):]
				for k, v := range x {
					row[k] -= rate * g * v
				}
				row[inputs] -= rate * g
			}
		}
		fmt.Printf("round %d: %.3f %% misread in training\n", round+1, 100*float64(wrong)/float64(len(xs)))
	}
	return n
}

func (n *net) bytes() []byte {
	var out []byte
	put := func(row []float32) {
		most := float32(0)
		for _, v := range row {
			most = max(most, v, -v)
		}
		scale := most / 127
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(scale))
		for _, v := range row {
			out = append(out, byte(int8(math.Round(float64(v/scale)))))
		}
	}
	for i := range hidden {
		put(n.a[i*(inputs+1) : (i+1)*(inputs+1)])
	}
	for i := range len(mrz.Signs) {
		put(n.b[i*(hidden+1) : (i+1)*(hidden+1)])
	}
	return out
}
