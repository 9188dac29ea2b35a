// Package feed looks after what comes out of a feeder: pages of any driver go in, the same pages in the
// same order come out, without the blank ones, with dark backing cut off around the sheet, and with a mark
// on a page that is so long that two sheets may have gone through at once.
//
// It promises to err towards keeping: a page is dropped only if nothing is on it but dust and what shines
// through, it is not changed if its pixels are not at hand (PDF, TIFF), and a stack of blank sheets still
// gives its first page, so that nobody wonders where the scan went.
package feed

import (
	"image"
	"iter"
	"slices"

	"motcua/drivers/scan"
)

// Filter is what to look after. The zero value looks after nothing.
type Filter struct {
	DropBlank  bool
	Crop       bool    // to the sheet, where the backing is dark
	DoubleFeed float64 // a page so many times as long as its neighbours is suspect, say 1.3; 0: none is
}

// Pages passes the pages of a scan through the filter. Errors pass unchanged, and so does breaking off.
func (f Filter) Pages(pages iter.Seq2[scan.Page, error]) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		var dropped *scan.Page
		var lengths []float64
		passed := 0
		for p, err := range pages {
			if err != nil {
				yield(p, err)
				return
			}
			if f.Crop && p.Image != nil {
				p.Image = crop(p.Image)
			}
			if f.DoubleFeed > 0 {
				if length := Length(p); length > 0 {
					if n := len(lengths); n > 0 && length > f.DoubleFeed*median(lengths) {
						p.Suspect = scan.DoubleFeed
					}
					lengths = append(lengths, length)
				}
			}
			if f.DropBlank && Blank(p) {
				if dropped == nil {
					dropped = kept(p)
				}
				continue
			}
			passed++
			if !yield(p, nil) {
				return
			}
		}
		if passed == 0 && dropped != nil {
			yield(*dropped, nil)
		}
	}
}

// kept is a page that outlasts its turn of the loop (scan.Settings.Reuse).
func kept(p scan.Page) *scan.Page {
	if data, mediaType, err := scan.Encode(p); err == nil {
		p.Image, p.Encoded, p.MediaType = nil, data, mediaType
	}
	return &p
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// Length is a page's length in millimetres, or in pixels where the resolution is not known; pages of one
// scan compare either way. It is 0 where the pixels are not at hand.
func Length(p scan.Page) float64 {
	var height int
	if p.Image != nil {
		height = p.Image.Bounds().Dy()
	} else {
		height = encodedHeight(p)
	}
	if p.DPI > 0 {
		return float64(height) / float64(p.DPI) * 25.4
	}
	return float64(height)
}

// Blank reports whether nothing is on the page. What is darker than the paper around it counts as ink when
// it is darker by more than what shines through from the other side, and when it holds together: dust is a
// pixel here and there.
func Blank(p scan.Page) bool {
	const (
		width   = 1200 // about 150 dpi on A4: thin strokes pale when they are averaged
		contour = 55   // levels of 255 between paper and ink
		enough  = 12   // pixels of ink that hold together: less than one printed digit
	)
	g, err := scan.Thumbnail(p, width)
	if err != nil {
		return false
	}
	w, h := g.Rect.Dx(), g.Rect.Dy()
	if w < 32 || h < 32 {
		return false
	}
	paper := background(g)
	if sorted := slices.Sorted(slices.Values(paper.tone)); sorted[len(sorted)/2] < 110 {
		return false // a dark page is no blank sheet: the lid was open, or it is a photograph
	}
	// The rim holds shadows of the sheet's own edge.
	rim := w / 40
	ink := make([]bool, w*h)
	lines := make([]int, 0, h) // that have ink
	for y := rim; y < h-rim; y++ {
		line, tones, some := g.Pix[y*g.Stride:], paper.line(y), false
		for x := rim; x < w-rim; x++ {
			if int(line[x])+contour < tones[x/square] {
				ink[y*w+x], some = true, true
			}
		}
		if some {
			lines = append(lines, y)
		}
	}
	held := 0
	for _, y := range lines {
		for x := rim; x < w-rim; x++ {
			if !ink[y*w+x] {
				continue
			}
			neighbours := 0
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if ink[(y+dy)*w+x+dx] {
						neighbours++
					}
				}
			}
			if neighbours > 3 { // itself and three more
				if held++; held >= enough {
					return false
				}
			}
		}
	}
	return true
}

// square is the side, in pixels, of what has one tone.
const square = 32

// tones is the paper's tone in each square of the page; paper is seldom white and never even.
type tones struct {
	across int
	tone   []int
}

// line gives the tones of a line's squares.
func (t tones) line(y int) []int { return t.tone[y/square*t.across:] }

// background takes in each square the tone that a quarter of its pixels are lighter than.
func background(g *image.Gray) tones {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	t := tones{across: (w + square - 1) / square}
	for y0 := 0; y0 < h; y0 += square {
		for x0 := 0; x0 < w; x0 += square {
			var count [256]int
			n := 0
			for y := y0; y < min(y0+square, h); y++ {
				for _, v := range g.Pix[y*g.Stride+x0 : y*g.Stride+min(x0+square, w)] {
					count[v]++
				}
				n += min(x0+square, w) - x0
			}
			tone, lighter := 255, count[255]
			for lighter <= n/4 && tone > 0 {
				tone--
				lighter += count[tone]
			}
			t.tone = append(t.tone, tone)
		}
	}
	return t
}
