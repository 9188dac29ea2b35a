// Package ecopy makes digitised copies (bản số hoá) of papers that were recognised: PDF/A of true size, upright, cut to the
// paper, with words that can be searched. In go the files as they came and what was recognised on them, out comes one
// stream a copy. The pictures are cut in the recognition worker, so that this process touches no foreign byte.
package ecopy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/pdfa"
)

// Cutter cuts papers out of pages; *ocr.Reader is one.
type Cutter interface {
	Cuts(ctx context.Context, in ocr.Input, parts []paper.Part, most int, take func(i int, c ocr.Cut) error) error
}

// Options are the same for all copies of an office.
type Options struct {
	Level   pdfa.Level
	MaxPage int // bytes of a page's picture; 0: the scan's own JPEG wherever it can be had
	Tool    string
	Now     time.Time
}

// Sheet is what one file gives to a copy: which parts of its pages, and what kind of paper they are.
type Sheet struct {
	File  string
	Load  func() ([]byte, error) // the file's content, asked for when its pages are due
	Kind  paper.Kind
	Parts []paper.Part
}

// Copy is one paper to be copied.
type Copy struct {
	Sheets []Sheet
	Title  string
	pdfa.Descriptive
}

// readAtOnce is how many files are read at the same time: recognition has two workers on the machines that kiosks are.
const readAtOnce = 2

// ReadAll reads n files, some at the same time, and gives what came of each in their order.
func ReadAll(n int, read func(i int) ocr.Result) []ocr.Result {
	results := make([]ocr.Result, n)
	var reading errgroup.Group
	reading.SetLimit(readAtOnce)
	for i := range n {
		reading.Go(func() error {
			results[i] = read(i)
			return nil
		})
	}
	_ = reading.Wait() // none fails
	return results
}

// Write writes one copy to w, page by page. Pages are cut and packed while the one before is written, no more than a few ahead, so
// that a copy of many takes no more memory than one of few.
func Write(ctx context.Context, w io.Writer, by Cutter, c Copy, o Options) error {
	out, err := pdfa.New(w, pdfa.Info{Level: o.Level, Title: c.Title, Language: "vi", Tool: o.Tool, Created: o.Now,
		Descriptive: c.Descriptive})
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	sheets := make(chan *sheetPages, 1)
	work.Go(func() error {
		defer close(sheets)
		return startSheets(ctx, work, by, c.Sheets, o.MaxPage, sheets)
	})
	work.Go(func() error {
		for s := range sheets {
			for page := range s.pages {
				p := <-page
				if p.err != nil {
					return p.err
				}
				if err := out.Add(p.page); err != nil {
					return err
				}
			}
		}
		return ctx.Err()
	})
	if err := work.Wait(); err != nil {
		return err
	}
	return out.Close()
}

// sheetPages are the pages of a sheet in their order, each ready when it is packed. begun is closed when the first is cut, or none is.
type sheetPages struct {
	pages chan (<-chan packed)
	begun chan struct{}
}

// packed is a page, or why it could not be packed.
type packed struct {
	page pdfa.Page
	err  error
}

// startSheets cuts sheet after sheet, a second one while the first's pages are still taken. The next begins when the one before has a
// worker: where there is one worker only, it must not take it away from the sheet that is waited for.
func startSheets(ctx context.Context, work *errgroup.Group, by Cutter, sheets []Sheet, most int, to chan<- *sheetPages) error {
	for _, s := range sheets {
		p := &sheetPages{pages: make(chan (<-chan packed), 1), begun: make(chan struct{})}
		select {
		case to <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
		work.Go(func() error { return s.cut(ctx, by, most, p) })
		select {
		case <-p.begun:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// cut gives the sheet's pages to p, each packed beside the cutting of the next.
func (s Sheet) cut(ctx context.Context, by Cutter, most int, p *sheetPages) error {
	begun := sync.OnceFunc(func() { close(p.begun) })
	defer begun()
	defer close(p.pages)
	data, err := s.Load()
	if err != nil {
		return fmt.Errorf("copy %s: %w", s.File, err)
	}
	err = by.Cuts(ctx, ocr.Input{Name: s.File, Data: data}, s.Parts, most, func(i int, cut ocr.Cut) error {
		begun()
		ready := make(chan packed, 1)
		go func() { ready <- s.pack(i, cut) }()
		select {
		case p.pages <- ready:
			return nil
		case <-ctx.Done():
			<-ready
			return ctx.Err()
		}
	})
	if err != nil {
		return fmt.Errorf("copy %s: %w", s.File, err)
	}
	return nil
}

// pack lays the cutting of a part out and packs it. It runs by itself: what a worker may say that was taken over costs the copy, never
// the whole program.
func (s Sheet) pack(part int, cut ocr.Cut) (done packed) {
	defer func() {
		if r := recover(); r != nil {
			done = packed{err: errors.New("a page could not be packed")} // without what it was: it may be of the paper
		}
	}()
	done.page = layout(s.Parts[part], s.Kind, cut)
	done.page.Pack()
	return done
}

// Sizes in millimetres of papers whose picture says nothing of its resolution: a card as ISO 7810 has it (ID-1), a passport's
// page (ID-3), and for any other sheet A4.
var lengths = map[paper.Kind]float64{
	paper.CCCD: 85.6, paper.CanCuoc: 85.6, paper.CCCD2016: 85.6, paper.CMND: 85.6, paper.Passport: 125,
}

const (
	lengthA4 = 297
	perInch  = 25.4
	points   = 72 // in an inch
)

// layout lays a cutting onto a page of true size.
func layout(p paper.Part, kind paper.Kind, c ocr.Cut) pdfa.Page {
	scale := points / p.DPI
	if p.DPI <= 0 {
		long, ok := lengths[kind]
		if !ok {
			long = lengthA4
		}
		scale = long / perInch * points / max(c.Size[0], c.Size[1])
	}
	at := func(q paper.Point) paper.Point { return paper.Point{X: q.X * scale, Y: q.Y * scale} }
	page := pdfa.Page{Width: c.Size[0] * scale, Height: c.Size[1] * scale, JPEG: c.JPEG, Gray: c.Gray, Pixels: [2]int{c.Width, c.Height},
		Words: ocr.OnPaper(p)}
	for i, q := range c.Corners {
		page.Corners[i] = at(q)
	}
	for i := range page.Words {
		for k, q := range page.Words[i].Where {
			page.Words[i].Where[k] = at(q)
		}
	}
	return page
}

// Of gives a copy for each paper in a file. Pages of no known kind that follow each other are one paper: a letter has as many
// as it has.
func Of(file string, load func() ([]byte, error), docs []paper.Document) []Copy {
	var out []Copy
	last := -1 // page of the paper before, if it was of no known kind
	for _, d := range docs {
		if len(d.Parts) == 0 {
			continue
		}
		if n := len(out); d.Type == paper.Other && last > 0 && d.Page == last+1 {
			sheet := &out[n-1].Sheets[0]
			sheet.Parts = slices.Concat(sheet.Parts, d.Parts)
			last = d.Page
			continue
		}
		last = -1
		if d.Type == paper.Other {
			last = d.Page
		}
		out = append(out, Copy{Sheets: []Sheet{{File: file, Load: load, Kind: d.Type, Parts: d.Parts}}, Title: Title(d.Type),
			Descriptive: describe(d)})
	}
	return out
}

// Together makes one copy of several: a file of the office's that holds many papers.
func Together(copies []Copy) Copy {
	if len(copies) == 1 {
		return copies[0]
	}
	out := Copy{Title: "Hồ sơ giấy tờ"}
	for _, c := range copies {
		out.Sheets = append(out.Sheets, c.Sheets...)
	}
	return out
}

// Pages is how many pages a copy has.
func (c Copy) Pages() int {
	n := 0
	for _, s := range c.Sheets {
		n += len(s.Parts)
	}
	return n
}

// Kinds are the kinds of paper in a copy, each once.
func (c Copy) Kinds() []paper.Kind {
	var out []paper.Kind
	for _, s := range c.Sheets {
		if !slices.Contains(out, s.Kind) {
			out = append(out, s.Kind)
		}
	}
	return out
}

// describe takes the data about a paper that needs no more looking at.
func describe(d paper.Document) pdfa.Descriptive {
	sure := func(names ...paper.Name) string {
		for _, n := range names {
			if f, ok := d.Fields[n]; ok && !f.Review {
				return f.Value
			}
		}
		return ""
	}
	out := pdfa.Descriptive{Kind: Title(d.Type), Holder: sure(paper.FullName), Issued: sure(paper.DateOfIssue)}
	switch d.Type {
	case paper.KhaiSinh:
		out.Number = sure(paper.RegisterNumber)
	case paper.Passport:
		out.Number = sure(paper.DocumentNumber)
	default:
		out.Number = sure(paper.Number)
	}
	if _, err := time.Parse(time.DateOnly, out.Issued); err != nil {
		out.Issued = ""
	}
	return out
}

// titles are the papers' own names.
var titles = map[paper.Kind]string{
	paper.CCCD: "Căn cước công dân", paper.CanCuoc: "Căn cước", paper.CCCD2016: "Căn cước công dân",
	paper.CMND:     "Chứng minh nhân dân",
	paper.Passport: "Hộ chiếu", paper.KhaiSinh: "Giấy khai sinh", paper.CT07: "Xác nhận thông tin về cư trú",
}

// Title names a copy of a kind of paper.
func Title(k paper.Kind) string {
	if t, ok := titles[k]; ok {
		return t
	}
	return "Giấy tờ"
}
