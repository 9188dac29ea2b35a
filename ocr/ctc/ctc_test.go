package ctc

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// typeset prints one line, black on white with a little grain, and gives a strip as recognition cuts it.
func typeset(t testing.TB, ttf []byte, size float64, text string) *image.Gray {
	t.Helper()
	f, err := opentype.Parse(ttf)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	bounds, _ := font.BoundString(face, text)
	w, h := (bounds.Max.X-bounds.Min.X).Ceil()+16, (bounds.Max.Y-bounds.Min.Y).Ceil()+12
	strip := image.NewGray(image.Rect(0, 0, w, h))
	rng := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range strip.Pix {
		strip.Pix[i] = uint8(225 + rng.IntN(20))
	}
	d := font.Drawer{Dst: strip, Src: image.NewUniform(color.Gray{40}), Face: face,
		Dot: fixed.Point26_6{X: fixed.I(8) - bounds.Min.X, Y: fixed.I(6) - bounds.Min.Y}}
	d.DrawString(text)
	return strip
}

func text(letters []Letter) string {
	var b strings.Builder
	for _, l := range letters {
		b.WriteRune(l.Sign)
	}
	return b.String()
}

var lines = []string{"NGUYỄN THỊ THÙY DƯƠNG", "Quê quán / Place of origin:", "079090012345",
	"Ấp Mỹ Hưng, Thạnh Hóa, Long An", "14/01/2004",
	"Số 58, Ngõ 417, Đắk Lắk"}

func TestReadClearPrint(t *testing.T) {
	n, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, ttf := range map[string][]byte{"sans": liberationsansregular.TTF, "serif_bold": liberationserifbold.TTF} {
		t.Run(name, func(t *testing.T) {
			for _, want := range lines {
				strip := typeset(t, ttf, 26, want)
				letters := n.Read(strip)
				if got := text(letters); got != want {
					t.Errorf("read %q for %q", got, want)
				}
				last := 0
				for _, l := range letters {
					if l.From < last || l.To <= l.From || l.To > strip.Rect.Max.X || l.Prob < 0 || l.Prob > 1.0001 {
						t.Errorf("letter %q at %d to %d with %.3f in %q", l.Sign, l.From, l.To, l.Prob, want)
					}
					last = l.From
				}
			}
		})
	}
}

// A letter half covered must not be told with the certainty of a clear one.
func TestReadDoubtsWhatIsCovered(t *testing.T) {
	n, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	strip := typeset(t, liberationsansregular.TTF, 26, "079090012345")
	for y := range strip.Rect.Dy() {
		for x := 70; x < 84; x++ {
			strip.Pix[y*strip.Stride+x] = uint8(200 + (x*y)%40)
		}
	}
	least := 1.0
	for _, l := range n.Read(strip) {
		least = min(least, l.Prob)
	}
	if least > 0.9 {
		t.Errorf("every letter was read with %.3f or more, though one is covered", least)
	}
}

func TestProcessorsAgree(t *testing.T) {
	n, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	s := Prepare(typeset(t, liberationserifbold.TTF, 24, lines[3]))
	best, places := n.run(&scratch{}, s)
	defer limit(0)
	for older := 1; older <= 2; older++ {
		limit(older)
		other, _ := n.run(&scratch{}, s)
		for i := range best {
			if i%n.scores.out < n.classes && math.Abs(float64(best[i]-other[i])) > 1e-2*max(1, math.Abs(float64(best[i]))) {
				t.Fatalf("limit %d, score %d of %d places: %v, without a limit %v", older, i, places, other[i], best[i])
			}
		}
	}
}

// Whole weights are as good as the floats they stand for, and no sum of them with what is read leaves 32 bits.
func TestWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	const k, out = 1200, 8
	weights := make([]float32, k*out)
	for i := range weights {
		weights[i] = float32(rng.NormFloat64()) * 0.05 * float32(i%out) // the first output has none
	}
	w, worth := whole(weights, out)
	for o := range out {
		sum := int64(0)
		for i := range k {
			v := w[(i/2*out+o)*2+i%2]
			sum += most * int64(max(v, -v))
			if d := math.Abs(float64(v)*float64(worth[o]) - float64(weights[i*out+o])); d > float64(worth[o])*0.501 {
				t.Fatalf("weight %d of output %d is off by %v, one is worth %v", i, o, d, worth[o])
			}
		}
		if sum > math.MaxInt32 {
			t.Errorf("output %d may come to %d", o, sum)
		}
	}
}

// Every way to multiply gives the sums of products that the shape says, whatever of the input is zero and wherever a block of
// places ends.
func TestRows(t *testing.T) {
	defer limit(0)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ taps, step, pixels, out, n int }{
		{3, 16, 3, 24, 70}, {3, 24, 3, 48, 7}, {3, 48, 3, 80, 33}, {5, 80, 3, 144, 25},
		{1, 144, 1, 144, 65}, {1, 144, 1, 224, 1}, {3, 1, 4, 16, 9},
	} {
		length, row := c.step*c.pixels, (c.n+c.pixels)*c.step+2
		in := make([]int16, c.taps*row)
		for i := range in {
			if rng.IntN(3) > 0 && i/64%3 > 0 {
				in[i] = int16(rng.IntN(most + 1))
			}
		}
		l := layer{weights: make([]int16, c.taps*length*c.out), worth: make([]float32, c.out), bias: make([]float32, c.out), out: c.out}
		for i := range l.weights {
			l.weights[i] = int16(rng.IntN(801) - 400)
		}
		for o := range c.out {
			l.worth[o], l.bias[o] = 1, float32(o)
		}
		for older := range 3 {
			limit(older)
			got := make([]float32, c.n*c.out)
			l.rows(&scratch{}, input{in, 1}, 0, row, c.step, c.taps, length, c.n, got, false, nil)
			for i := range c.n {
				for o := range c.out {
					sum := int32(0)
					for k := range c.taps * length {
						sum += int32(in[k/length*row+i*c.step+k%length]) * int32(l.weights[(k/2*c.out+o)*2+k%2])
					}
					if want := float32(sum) + float32(o); got[i*c.out+o] != want {
						t.Fatalf("%+v, limit %d: place %d, output %d: %v, want %v", c, older, i, o, got[i*c.out+o], want)
					}
				}
			}
		}
	}
}

// Memory is used again: what a line gives must not depend on the line before it.
func TestReadForgetsTheLineBefore(t *testing.T) {
	n, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	long, short := typeset(t, liberationserifbold.TTF, 30, lines[3]+" "+lines[5]), typeset(t, liberationsansregular.TTF, 22, lines[2])
	s := &scratch{}
	alone, places := n.run(&scratch{}, Prepare(short))
	n.run(s, Prepare(long))
	after, _ := n.run(s, Prepare(short))
	for i := range places * n.scores.out {
		if i%n.scores.out < n.classes && alone[i] != after[i] {
			t.Fatalf("score %d: %v alone, %v after a longer line", i, alone[i], after[i])
		}
	}
}

func TestParseRefusesWhatIsNotTheNetwork(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":      nil,
		"other_file": []byte("\x89PNG\r\n\x1a\n with something behind it"),
		"cut_off":    weights[:len(weights)-100],
		"too_long":   append(append([]byte(nil), weights...), 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(b); err == nil {
				t.Error("was loaded")
			}
		})
	}
}

func TestHalf(t *testing.T) {
	for h, want := range map[uint16]float32{0: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.33325195, 0x0001: 5.9604645e-08, 0x8400: -6.1035156e-05} {
		if got := half(h); got != want {
			t.Errorf("half %#04x is %v, want %v", h, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	n, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0, 255, 3, 9}, 2, 2)
	f.Add(make([]byte, 400), 100, 4)
	f.Fuzz(func(t *testing.T, pix []byte, w, h int) {
		if w < 1 || h < 1 || w > 2000 || h > 200 || w*h > len(pix) {
			return
		}
		for _, l := range n.Read(&image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, h)}) {
			if l.From < 0 || l.To > w || math.IsNaN(l.Prob) {
				t.Fatalf("letter from %d to %d of %d, probability %v", l.From, l.To, w, l.Prob)
			}
		}
	})
}

// BenchmarkRead reads a line of 41 letters, as the best way of this processor, as one that has AVX2, and as any does.
func BenchmarkRead(b *testing.B) {
	n, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	strip := typeset(b, liberationsansregular.TTF, 26, "Số 58, Ngõ 417, Phan Đình Phùng, Đại Thắng")
	defer limit(0)
	var best time.Duration
	for older, name := range []string{"best", "avx2", "sse2"} {
		b.Run(name, func(b *testing.B) {
			limit(older)
			for b.Loop() {
				n.Read(strip)
			}
			each := b.Elapsed() / time.Duration(b.N)
			if older == 0 {
				best = each
			} else if best > 0 {
				b.ReportMetric(float64(each)/float64(best), "times-best")
			}
		})
	}
}

// A text known from a code fits the print if it stands there, and does not if it is another's by as little as a digit or a
// tone; what a line's end parts stays one text.
func TestOddsTellATextFromItsForgery(t *testing.T) {
	n, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	const fits, differs = -0.7, -4.6 // half as likely; a hundredth
	for _, c := range []struct {
		printed []string
		forged  []string
	}{
		{[]string{"NGUYỄN THỊ THÙY DƯƠNG"}, []string{"NGUYỄN THỊ THÚY DƯƠNG", "NGUYỄN THỊ THÙY DUNG",
			"NGUYỄN VĂN THÙY DƯƠNG",
			"NGUYỄN THỊ DƯƠNG"}},
		{[]string{"079090012345"}, []string{"079090012346", "079190012345", "07909001234"}},
		{[]string{"12 Lê Lợi, Bến Nghé,", "Quận 1, Hồ Chí Minh"}, []string{"14 Lê Lợi, Bến Nghé, Quận 1, Hồ Chí Minh",
			"12 Lê Lai, Bến Nghé, Quận 1, Hồ Chí Minh", "12 Lê Lợi, Bến Nghé, Quận 7, Hồ Chí Minh"}},
	} {
		for name, ttf := range map[string][]byte{"sans": liberationsansregular.TTF, "serif_bold": liberationserifbold.TTF} {
			var seen []Posterior
			for _, l := range c.printed {
				seen = append(seen, n.Look(typeset(t, ttf, 26, l)))
			}
			printed := strings.Join(c.printed, " ")
			if odds := n.Odds(seen, printed); odds < fits {
				t.Errorf("%s: %q on its own print has odds %.1f", name, printed, odds)
			}
			for _, f := range c.forged {
				if odds := n.Odds(seen, f); odds > differs {
					t.Errorf("%s: %q on the print of %q has odds %.1f", name, f, printed, odds)
				}
			}
		}
	}
	if odds := n.Odds(nil, "A"); !math.IsInf(odds, -1) {
		t.Errorf("on nothing the odds are %v", odds)
	}
}
