// Package early reads what has arrived of a page while the lamp still moves. In go the scan lines as they come; a card
// that lies whole above some empty lines is read at once, and when the rest of the glass turns out to be empty that
// reading is the page's, ready with its last line. Where anything lies further down, the whole page is read as ever:
// what is read never depends on luck, only when.
package early

import (
	"context"
	"image"
	"image/draw"
	"slices"
	"sync"

	"motcua/ocr"
	"motcua/ocr/jpeg"
	"motcua/ocr/page"
	"motcua/ocr/paper"
)

// Sizes in millimetres on the glass.
const (
	leastContent = 40 // no card is lower
	quiet        = 6  // empty lines below it; between two lines of a form there is less
)

// finest is the resolution above which lines are not kept: A4 has 35 MB at 300 dpi and four times as much at 600.
const finest = 300

// tries bounds what a page with much white in it may cost.
const tries = 3

// Page is one page under the lamp. Take is called by the scanning goroutine; Finish or Drop ends it and waits for the
// reading it may have begun.
type Page struct {
	read    func(context.Context, ocr.Input) ocr.Result
	ctx     context.Context
	dpi     int
	work    sync.WaitGroup
	width   int
	gray    bool   // the scanner gives no colour
	pix     []byte // lines so far, of one byte or four a pixel; a reading keeps the part it was given, which is never written again
	rows    int
	first   int // line with the first content; -1 before it
	last    int // line behind the last content
	begun   int // lines that the latest reading was given; 0: none yet
	tried   int
	spoiled bool // lines came out of order or with another width: nothing is known

	mu     sync.Mutex // guards result and lines
	result ocr.Result
	lines  int // that result was read from; 0: none yet
}

// New prepares for one page of so many dots an inch. read is (*ocr.Reader).Read or does the same.
func New(ctx context.Context, read func(context.Context, ocr.Input) ocr.Result, dpi int) *Page {
	return &Page{read: read, ctx: ctx, dpi: dpi, first: -1}
}

// Take is given the lines of the page from y on; total is how many it will have, 0 where the scanner does not know.
// It keeps nothing of img and waits for nothing.
func (p *Page) Take(y, total int, img image.Image) {
	b := img.Bounds()
	if p.rows == 0 {
		_, p.gray = img.(*image.Gray)
		p.width = b.Dx()
		p.pix = make([]byte, 0, p.stride()*max(total, b.Dy()))
	}
	if p.spoiled = p.spoiled || y != p.rows || b.Dx() != p.width || p.width < 64 || p.dpi > finest; p.spoiled {
		return
	}
	p.keep(img)
	if p.due(total) {
		p.begin()
	}
}

// keep adds lines and notes where the content begins and ends.
func (p *Page) keep(img image.Image) {
	bright := page.Luma(img)
	lines, stride := bright.Pix, bright.Stride
	if !p.gray {
		colour := rgba(img)
		lines, stride = colour.Pix, colour.Stride
	}
	for row := range img.Bounds().Dy() {
		p.pix = append(p.pix, lines[row*stride:row*stride+p.stride()]...)
		p.rows++
		if p.rows%2 == 0 && printed(bright.Pix[row*bright.Stride:row*bright.Stride+p.width]) {
			if p.first < 0 {
				p.first = p.rows
			}
			p.last = p.rows
		}
	}
}

// due says whether something as high as a card lies whole above empty lines, was not read yet, and is worth a try before the
// whole page is there.
func (p *Page) due(total int) bool {
	mm := float64(p.dpi) / 25.4
	switch {
	case p.first < 0, float64(p.last-p.first) < leastContent*mm, float64(p.rows-p.last) < quiet*mm:
		return false
	case p.begun >= p.last, p.tried == tries:
		return false
	}
	return total <= 0 || p.rows <= total*95/100
}

// begin reads what has arrived, beside the scanning.
func (p *Page) begin() {
	p.begun = p.rows
	p.tried++
	arrived := p.rows
	part := p.picture(arrived)
	p.work.Go(func() {
		data, err := jpeg.Encode(part, 92)
		if err != nil {
			return // the page is read as a whole
		}
		r := p.read(p.ctx, ocr.Input{Name: "lines", Data: jpeg.WithDensity(data, p.dpi)})
		p.mu.Lock()
		defer p.mu.Unlock()
		if arrived > p.lines {
			p.result, p.lines = r, arrived
		}
	})
}

// stride is how many bytes a line has.
func (p *Page) stride() int {
	if p.gray {
		return p.width
	}
	return 4 * p.width
}

// picture is the first lines of the page.
func (p *Page) picture(lines int) image.Image {
	pix, r := p.pix[:lines*p.stride():lines*p.stride()], image.Rect(0, 0, p.width, lines)
	if p.gray {
		return &image.Gray{Pix: pix, Stride: p.width, Rect: r}
	}
	return &image.RGBA{Pix: pix, Stride: 4 * p.width, Rect: r}
}

// rgba is img from the origin on; img itself if it is that already.
func rgba(img image.Image) *image.RGBA {
	b := img.Bounds()
	if m, ok := img.(*image.RGBA); ok {
		return &image.RGBA{Pix: m.Pix[m.PixOffset(b.Min.X, b.Min.Y):], Stride: m.Stride, Rect: b.Sub(b.Min)}
	}
	m := image.NewRGBA(b.Sub(b.Min))
	draw.Draw(m, m.Rect, img, b.Min, draw.Src)
	return m
}

// cell is how many pixels are taken together, so that noise is not taken for print.
const cell = 16

// printed says whether anything on a line differs from the background, which may be shaded from side to side.
func printed(line []byte) bool {
	means := make([]int, 0, 512)
	for x := 0; x+cell <= len(line); x += cell {
		sum := 0
		for _, v := range line[x : x+cell] {
			sum += int(v)
		}
		means = append(means, sum/cell)
	}
	sorted := slices.Sorted(slices.Values(means))
	middle := sorted[len(sorted)/2]
	off := 0
	for _, m := range means {
		if m > middle+14 || m < middle-14 {
			off++
		}
	}
	return off >= 2
}

// Drop ends a page that did not come to its end.
func (p *Page) Drop() { p.work.Wait() }

// Finish gives the reading of the page, of which in holds the file and size the pixels.
func (p *Page) Finish(ctx context.Context, in ocr.Input, size image.Point) ocr.Result {
	p.work.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.spoiled && size == (image.Point{X: p.width, Y: p.rows}) && p.lines > p.last && p.result.Problem == nil &&
		slices.ContainsFunc(p.result.Documents, known) {
		p.result.File = in.Name
		return p.result
	}
	return p.read(ctx, in)
}

func known(d paper.Document) bool { return d.Type != paper.Other && d.Type != "" }
