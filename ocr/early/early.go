// Package early reads what has arrived of a page while the lamp still moves. In go the scan lines as they come; a card
// that lies whole above some empty lines is read at once, and when the rest of the glass turns out to be empty that
// reading is the page's, ready with its last line. Where anything lies further down, the whole page is read as ever:
// what is read never depends on luck, only when.
package early

import (
	"context"
	"image"
	"slices"
	"sync"

	"motcua/ocr"
	"motcua/ocr/page"
	"motcua/ocr/paper"
)

// Sizes in millimetres on the glass.
const (
	leastContent = 40 // no card is lower
	quiet        = 6  // empty lines below it; between two lines of a form there is less
)

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
	pix     []byte // gray lines so far; a reading keeps the part it was given, which is never written again
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
		p.width = b.Dx()
		p.pix = make([]byte, 0, b.Dx()*max(total, b.Dy()))
	}
	if p.spoiled = p.spoiled || y != p.rows || b.Dx() != p.width || p.width < 64; p.spoiled {
		return
	}
	g := page.Luma(img)
	for row := range b.Dy() {
		line := g.Pix[row*g.Stride : row*g.Stride+p.width]
		p.pix = append(p.pix, line...)
		p.rows++
		if p.rows%2 == 0 && printed(line) {
			if p.first < 0 {
				p.first = p.rows
			}
			p.last = p.rows
		}
	}
	mm := float64(p.dpi) / 25.4
	if p.first < 0 || float64(p.last-p.first) < leastContent*mm || float64(p.rows-p.last) < quiet*mm || p.begun >= p.last || p.tried == tries || total > 0 && p.rows > total*95/100 {
		return
	}
	p.begun = p.rows
	p.tried++
	part := &image.Gray{Pix: p.pix[: p.rows*p.width : p.rows*p.width], Stride: p.width, Rect: image.Rect(0, 0, p.width, p.rows)}
	p.work.Go(func() {
		r := p.read(p.ctx, ocr.Input{Name: "lines", Data: page.EncodeBMP(part, p.dpi)})
		p.mu.Lock()
		defer p.mu.Unlock()
		if part.Rect.Dy() > p.lines {
			p.result, p.lines = r, part.Rect.Dy()
		}
	})
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
	if !p.spoiled && size == (image.Point{X: p.width, Y: p.rows}) && p.lines > p.last && p.result.Problem == nil && slices.ContainsFunc(p.result.Documents, known) {
		p.result.File = in.Name
		return p.result
	}
	return p.read(ctx, in)
}

func known(d paper.Document) bool { return d.Type != paper.Other && d.Type != "" }
