package ocr

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/find"
	"motcua/ocr/jpeg"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
	"motcua/ocr/sandbox"
)

// local reads in this process.
type local struct {
	limits  Limits
	engines *engines
	file    *page.File // open between open and done
	words   bool       // all words are wanted, see Input.Words
}

func newLocal(l Limits) *local { return &local{limits: l, engines: newEngines()} }

func (l *local) warm(ctx context.Context) ([]sandbox.Protection, error) {
	if err := l.engines.warm(ctx); err != nil {
		return nil, err
	}
	page.Warm()
	// The first reading touches every page of the models.
	blank := image.NewGray(image.Rect(0, 0, 400, 40))
	for i := range blank.Pix {
		blank.Pix[i] = 255
	}
	_, err := l.engines.second(ctx, blank)
	return nil, err
}

func (*local) try(context.Context) ([]sandbox.Protection, error) { return nil, nil } // nothing guards this process

func (*local) renew() {}

func (l *local) close() error {
	l.engines.close()
	return nil
}

func (l *local) open(_ context.Context, data []byte, words bool) (int, *Problem) {
	l.words = words
	f, err := page.Open(data, l.limits.Pixels)
	if err != nil {
		return 0, problem(err, 0)
	}
	l.file = f
	return f.Pages(), nil
}

func (l *local) done() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

func (l *local) page(ctx context.Context, n int) ([]*readSide, []Timing, *Problem) {
	sides, timings, err := l.papers(ctx, l.file, n)
	if err != nil {
		return sides, timings, problem(err, n)
	}
	return sides, timings, nil
}

// errCutOff is a page of which a part is missing or wrong; what can be seen of it was read.
var errCutOff = errors.New("page is cut off")

// papers reads every paper on one page.
func (l *local) papers(ctx context.Context, file *page.File, n int) ([]*readSide, []Timing, error) {
	ctx, cancel := context.WithTimeout(ctx, l.limits.Time)
	defer cancel()
	w := &laps{page: n, last: time.Now()}
	p, err := file.Gray(n)
	if err != nil {
		return nil, nil, err
	}
	find.Unstreak(p.Gray)
	w.lap("decode")
	found := outlinesOf(p)
	w.lap("find")
	cards, sides, err := l.allCodes(ctx, p, found, n)
	if err != nil {
		return nil, w.timings, err
	}
	w.lap("codes")
	if err := l.allPrint(ctx, cards, sides, p.DPI*float64(p.Scale)); err != nil {
		return nil, w.timings, err
	}
	w.lap("print")
	sides = slices.DeleteFunc(sides, func(f *readSide) bool { return !f.recognised() || found.blocks && f.Kind == paper.Other })
	// Without a title or a code, what was taken for a card may be part of a form; forms have QR symbols, too. And a back
	// alone seldom comes alone: its front's edges were not seen.
	vague := !slices.ContainsFunc(sides, func(f *readSide) bool {
		return f.Kind != "" && f.Side != "back" || f.MRZ != nil || f.hasQR() && !found.blocks
	})
	if vague {
		if sides, err = l.orSheet(ctx, file, p, n, sides); err != nil {
			return nil, w.timings, err
		}
		w.lap("sheet")
	}
	if l.words {
		copyBeside(p, sides)
		w.lap("copy")
	}
	for _, f := range sides {
		f.scale(float64(p.Scale))
	}
	if p.Truncated {
		return sides, w.timings, errCutOff
	}
	return sides, w.timings, nil
}

// How far from a card the symbol of its certified copy is looked for, and in squares of which side: the copy's page has it right above the
// card, 16 mm wide (agent/sign); a printer may have enlarged both.
const (
	copyAbout = 30.0 // mm
	copyTile  = 45.0 // mm
	cardWide  = 85.6 // mm (ISO/IEC 7810, ID-1)
)

// copyBeside looks for the symbol of a certified copy about the cards of a page: only on a sheet is it among what is read. That takes some
// hundredths of a second a card, so it is done where all of a paper is wanted.
func copyBeside(p page.Picture, sides []*readSide) {
	for _, f := range sides {
		if f.Copy != "" || f.Kind == "" || isSheet(f.Kind) {
			continue
		}
		wide := max(math.Hypot(f.Quad[1].X-f.Quad[0].X, f.Quad[1].Y-f.Quad[0].Y), math.Hypot(f.Quad[3].X-f.Quad[0].X, f.Quad[3].Y-f.Quad[0].Y))
		mm := wide / cardWide
		about := bounds(f.Quad, func(q paper.Point) paper.Point { return q }).Inset(-int(copyAbout * mm))
		f.Copy = qr.FindCopy(p.Gray, about, int(copyTile*mm))
	}
}

// laps times the steps of one page.
type laps struct {
	page    int
	last    time.Time
	timings []Timing
}

func (w *laps) lap(step string) {
	w.timings = append(w.timings, Timing{w.page, step, float64(time.Since(w.last).Microseconds()) / 1000})
	w.last = time.Now()
}

// outlines are what on a page may be cards.
type outlines struct {
	all    []find.Outline
	edged  int  // so many of them, the first, by their edges
	blocks bool // none by its edges: all are blocks of print
}

func outlinesOf(p page.Picture) outlines {
	found := find.Cards(p.Gray, p.Red, p.DPI)
	if len(found) == 0 && likeCard(p.Gray.Rect) {
		found = []find.Outline{whole(p.Gray.Rect)}
	}
	o := outlines{all: found, edged: len(found), blocks: len(found) == 0}
	switch {
	case o.blocks:
		o.all = find.Blocks(p.Gray, p.DPI)
	case len(found) == 1: // its other side may be too pale for its edges to be seen
		o.all = append(found, find.Blocks(p.Gray, p.DPI, found...)...)
	}
	return o
}

// allCodes cuts every outline out, side by side, and reads its codes.
func (l *local) allCodes(ctx context.Context, p page.Picture, found outlines, n int) ([]*card, []*readSide, error) {
	sides, cards := make([]*readSide, len(found.all)), make([]*card, len(found.all))
	g, ctx := errgroup.WithContext(ctx)
	for i, o := range found.all {
		g.Go(func() (err error) {
			cards[i], sides[i], err = l.codes(ctx, p, o, i < found.edged, n)
			return err
		})
	}
	return cards, sides, g.Wait()
}

// allPrint reads the print of all cards of a page, side by side, into sides.
func (l *local) allPrint(ctx context.Context, cards []*card, sides []*readSide, dpi float64) error {
	known := codeValues{}
	for _, f := range sides {
		known.add(f)
	}
	g, ctx := errgroup.WithContext(ctx)
	for i := range cards {
		g.Go(func() (err error) {
			sides[i], err = l.print(ctx, cards[i], sides[i], known)
			if err == nil && l.words {
				err = l.transcribe(ctx, cards[i], sides[i], dpi)
			}
			return err
		})
	}
	return g.Wait()
}

// orSheet reads the page as one sheet and says what it is of the cards that were told so far, of which none is sure: a sheet, a card,
// or they.
func (l *local) orSheet(ctx context.Context, file *page.File, p page.Picture, n int, sides []*readSide) ([]*readSide, error) {
	f, err := l.readSheet(ctx, p, n)
	if err != nil {
		return nil, err
	}
	if f.Kind == paper.Other || f.Kind == "" {
		if text := file.Text(n); len(text) > len(f.Text)/2 && text != "" {
			f.Text = text // what the PDF itself says is better than what it looks like
		}
	}
	switch {
	case paragraphs(sides, f), len(sides) == 0 || isSheet(f.Kind) && f.Kind != paper.Other || f.MRZ != nil:
		return []*readSide{f}, nil
	case f.Kind != "" && !isSheet(f.Kind): // a card: of its back more was read by itself
		backs := slices.DeleteFunc(sides, func(o *readSide) bool { return o.Side != "back" || f.Side != "front" })
		return append([]*readSide{f}, backs...), nil
	}
	return sides, nil
}

// mostBeside is how much more print than on the cards may be read on the whole page, of which no card is told, before they are taken for
// parts of a letter: a share of the cards' letters. Under it are what the cards' own cutting reads less well, and specks of the glass.
const mostBeside = 0.5

// paragraphs says whether what was taken for cards, of which no kind was told and no code read, is part of a page's running text: a column
// may be as wide and high as a card, and hold words that are labels.
func paragraphs(sides []*readSide, sheet *readSide) bool {
	letters := 0
	for _, f := range sides {
		if f.Kind != "" && f.Kind != paper.Other || f.CodeOf != "" || f.MRZ != nil || f.Sure {
			return false
		}
		letters += len(f.Text)
	}
	return float64(len(sheet.Text)) > (1+mostBeside)*float64(letters)
}

// recognised says whether anything shows what a card-shaped thing is.
func (f *readSide) recognised() bool {
	return f.Kind != "" || f.MRZ != nil || f.Labels >= 2 || len(f.Readings) >= 2
}

// likeCard says whether a whole picture has a card's shape.
func likeCard(r image.Rectangle) bool {
	a, b := float64(max(r.Dx(), r.Dy())), float64(min(r.Dx(), r.Dy()))
	return a/b > 1.45 && a/b < 1.72
}

func whole(r image.Rectangle) find.Outline {
	w, h := float64(r.Dx()), float64(r.Dy())
	q := paper.Quad{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}}
	if h > w {
		q = paper.Quad{q[3], q[0], q[1], q[2]}
		w, h = h, w
	}
	return find.Outline{Quad: q, Width: w, Height: h, Fill: 1}
}

// scale brings positions from decoded pixels to the file's.
func (f *readSide) scale(s float64) {
	if s == 1 {
		return
	}
	grow := func(q *paper.Quad) {
		for i := range q {
			q[i].X *= s
			q[i].Y *= s
		}
	}
	grow(&f.Quad)
	if f.Part != nil {
		grow(&f.Part.Where)
		for i := range f.Part.Words {
			grow(&f.Part.Words[i].Where)
		}
	}
	seen := map[*paper.Quad]bool{}
	for _, rs := range f.Readings {
		for _, r := range rs {
			if r.Where != nil && !seen[r.Where] {
				seen[r.Where] = true
				grow(r.Where)
			}
		}
	}
}

// problem puts an error into words a technician can act on.
func problem(err error, n int) *Problem {
	where := "The file"
	if n > 0 {
		where = fmt.Sprintf("Page %d", n)
	}
	switch {
	case errors.Is(err, page.ErrEmpty):
		return &Problem{EmptyFile, "The file is empty; scan or save the page again."}
	case errors.Is(err, page.ErrNotAnImage):
		return &Problem{NotAnImage, "The file holds no picture, whatever its name says; give a JPEG, PNG, TIFF or PDF."}
	case errors.Is(err, page.ErrUnsupported):
		return &Problem{Unsupported, "This kind of file is not supported; save it as JPEG, PNG, TIFF or PDF."}
	case errors.Is(err, page.ErrTooLarge):
		return &Problem{TooLarge, where + " is too large; scan it at 300 dpi or split the file."}
	case errors.Is(err, page.ErrBomb):
		return &Problem{TooLarge, "The PDF unpacks to more than a paper can hold; print it to a new PDF, or scan the paper."}
	case errors.Is(err, page.ErrActive):
		return &Problem{ActivePDF, "The PDF carries a script, starts a program or is drawn by one; print it to a new PDF, or scan the paper."}
	case errors.Is(err, page.ErrEncrypted):
		return &Problem{EncryptedPDF, "The PDF is protected by a password; save it without one."}
	case errors.Is(err, page.ErrNoPages):
		return &Problem{NoPages, "The PDF has no pages; export it again."}
	case errors.Is(err, errCutOff):
		return &Problem{Damaged, where + " is damaged or cut off, so that something may be missing; scan or send it again."}
	case errors.Is(err, context.DeadlineExceeded):
		return &Problem{TimedOut, where + " took too long to read; scan it again, straight and at 300 dpi."}
	case errors.Is(err, context.Canceled):
		return &Problem{TimedOut, "Reading was broken off; try again."}
	}
	return &Problem{Damaged, where + " is damaged and cannot be opened; scan or save it again."}
}

func (l *local) crop(_ context.Context, data []byte, n int, q paper.Quad, maxWidth int) ([]byte, error) {
	f, err := page.Open(data, l.limits.Pixels)
	if err != nil {
		return nil, fmt.Errorf("crop page %d: %w", n, err)
	}
	defer f.Close()
	if n < 1 || n > f.Pages() {
		return nil, fmt.Errorf("crop page %d: there are %d pages", n, f.Pages())
	}
	full := q == (paper.Quad{})
	least := 0
	if full {
		least = maxWidth
	}
	img, scale, err := f.Color(n, least)
	if err != nil {
		return nil, fmt.Errorf("crop page %d: %w", n, err)
	}
	out := picture(img, q, full, float64(scale), maxWidth)
	b, err := jpeg.Encode(out, 85)
	if err != nil {
		return nil, fmt.Errorf("crop page %d: %w", n, err)
	}
	return b, nil
}
