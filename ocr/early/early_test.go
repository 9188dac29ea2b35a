package early

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// patience is what a test allows what it waits for: longer than a machine takes that does much else, short of a hang.
const patience = 5 * time.Minute

const dpi = 200

// glass draws an A4 bed with one card near its upper edge; low puts a second person's card near its lower edge.
func glass(t testing.TB, low bool) *image.RGBA {
	t.Helper()
	bed := image.NewRGBA(image.Rect(0, 0, 8.27*dpi, 11.69*dpi))
	draw.Draw(bed, bed.Rect, image.NewUniform(color.Gray{244}), image.Point{}, draw.Src)
	lay := func(seed uint64, y int) {
		card, _, err := specimen.Draw(specimen.Spec{DPI: dpi, Tight: true,
			Papers: []specimen.Paper{{Kind: paper.CCCD, Person: specimen.InventFor(paper.CCCD, seed), Sides: []specimen.Side{specimen.Front}}}},
			seed, specimen.Damage{Set: specimen.Clean, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		draw.Draw(bed, card.Rect.Add(image.Pt(150, y)), card, image.Point{}, draw.Src)
	}
	lay(3, 120)
	if low {
		lay(4, 1880)
	}
	return bed
}

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// feed hands the bed's lines to p as a scanner does.
func feed(p *Page, bed *image.RGBA) {
	const strip = 64
	for y := 0; y < bed.Rect.Dy(); y += strip {
		p.Take(y, bed.Rect.Dy(), bed.SubImage(image.Rect(0, y, bed.Rect.Dx(), min(y+strip, bed.Rect.Dy()))))
	}
}

func values(r ocr.Result) []map[paper.Name]string {
	var all []map[paper.Name]string
	for _, d := range r.Documents {
		m := map[paper.Name]string{}
		for n, f := range d.Fields {
			m[n] = f.Value
		}
		all = append(all, m)
	}
	return all
}

func TestPage(t *testing.T) {
	reader, err := ocr.New(ocr.Options{Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, c := range []struct {
		name  string
		low   bool
		again bool // the whole page must be read
		feed  func(*Page, *image.RGBA)
	}{
		{"card_near_the_top_is_read_before_the_last_line", false, false, feed},
		{"card_further_down_makes_it_read_the_whole_page", true, true, feed},
		{"lines_lost_make_it_read_the_whole_page", false, true, func(p *Page, bed *image.RGBA) {
			p.Take(0, bed.Rect.Dy(), bed.SubImage(image.Rect(0, 0, bed.Rect.Dx(), 700)))
			p.Take(800, bed.Rect.Dy(), bed.SubImage(image.Rect(0, 800, bed.Rect.Dx(), bed.Rect.Dy())))
		}},
		{"scanner_that_tells_of_no_lines", false, true, func(*Page, *image.RGBA) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bed := glass(t, c.low)
			file := encoded(t, bed)
			var whole atomic.Int32
			p := New(t.Context(), func(ctx context.Context, in ocr.Input) ocr.Result {
				if bytes.Equal(in.Data, file) {
					whole.Add(1)
				}
				return reader.Read(ctx, in)
			}, dpi)
			c.feed(p, bed)
			got := p.Finish(t.Context(), ocr.Input{Name: "bed.jpg", Data: file}, bed.Rect.Size())
			if read := whole.Load() > 0; read != c.again {
				t.Errorf("whole page read: %v", read)
			}
			want := reader.Read(t.Context(), ocr.Input{Name: "bed.jpg", Data: file})
			if got.File != "bed.jpg" || got.Pages != 1 || !slices.EqualFunc(values(got), values(want), maps.Equal[map[paper.Name]string]) {
				t.Errorf("%s: %v, want %v", got.File, values(got), values(want))
			}
			if len(want.Documents) == 0 {
				t.Error("nothing was read at all")
			}
		})
	}
}

func TestPrinted(t *testing.T) {
	line := func(f func(x int) int) []byte {
		b := make([]byte, 1600)
		for x := range b {
			b[x] = byte(f(x))
		}
		return b
	}
	noise := func(x int) int { return x * 7919 % 13 }
	for _, c := range []struct {
		name string
		line []byte
		want bool
	}{
		{"empty_glass", line(func(x int) int { return 238 + noise(x) }), false},
		{"dark_lid", line(func(x int) int { return 20 + noise(x) }), false},
		{"shaded_a_little", line(func(x int) int { return 225 + x/100 + noise(x) }), false},
		{"dust_under_the_lamp", line(func(x int) int {
			if x == 800 {
				return 90
			}
			return 240
		}), false},
		{"card", line(func(x int) int {
			if x > 300 && x < 900 {
				return 205
			}
			return 244
		}), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := printed(c.line); got != c.want {
				t.Errorf("printed is %v", got)
			}
		})
	}
}

// A visit that ends must not wait for a reading that nobody wants any more.
func TestDropWaitsForTheReadingItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var ended atomic.Bool
	p := New(ctx, func(ctx context.Context, _ ocr.Input) ocr.Result {
		<-ctx.Done()
		ended.Store(true)
		return ocr.Result{}
	}, dpi)
	feed(p, glass(t, false))
	cancel()
	p.Drop()
	if !ended.Load() {
		t.Error("the reading is still under way, or was never begun")
	}
}

// BenchmarkAfterLastLine says how long the fields take once the lamp has returned, early and read as a whole.
func BenchmarkAfterLastLine(b *testing.B) {
	reader, err := ocr.New(ocr.Options{Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	bed := glass(b, false)
	file := encoded(b, bed)
	in := ocr.Input{Data: file}
	reader.Read(b.Context(), in)
	var ahead, whole time.Duration
	for b.Loop() {
		p := New(b.Context(), reader.Read, dpi)
		feed(p, bed)
		p.work.Wait() // a scanner needs seconds for the lines below the card
		at := time.Now()
		p.Finish(b.Context(), in, bed.Rect.Size())
		ahead += time.Since(at)
		at = time.Now()
		reader.Read(b.Context(), in)
		whole += time.Since(at)
	}
	b.ReportMetric(float64(ahead.Microseconds())/1000/float64(b.N), "early-ms")
	b.ReportMetric(float64(whole.Microseconds())/1000/float64(b.N), "whole-ms")
}
