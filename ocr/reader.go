// Package ocr turns pages into recognised documents. In go the bytes of an image or a PDF, as a scanner,
// a phone or a citizen made them; out comes a Result: every paper found on every page, its fields, where
// each value stands, which sources agree on it, and whether a person must look at it before it is used.
//
// What it promises: no input crashes or hangs the caller (with Options.Worker the parsers run in child
// processes without files, network or keys); bad input ends in a Problem that says what to do; a value that
// is not flagged for review was confirmed by an exact code or read with calibrated confidence; nothing that was
// read appears in an error or a log.
package ocr

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/sandbox"
)

// Options says where and how widely to read.
type Options struct {
	// Worker is the command that runs Serve in a child process, e.g. {"/proc/self/exe", "ocr-worker"}.
	// Nil reads in this process: for the worker itself, for tests and for benchmarks.
	Worker []string
	// Workers is how many inputs are read at once; 0 means as many as there are processors, at most 2.
	Workers int
	Limits  Limits
	// Forbidden is told the name of a system call that a worker was ended for: the mark of a hostile file, or of a library
	// that wants more than the sandbox gives. Nil: nobody is told.
	Forbidden func(call string)
}

// Limits bounds what one input may cost. Zero fields mean the defaults.
type Limits struct {
	Bytes  int64         // of one input; default 64 MiB
	Pages  int           // of one input; default 100
	Pixels int           // of one page as decoded; default 45 million (A4 at 600 dpi is 35)
	Time   time.Duration // for one page; default 20 s
	// FileTime is how long workers may work on all pages of one input; what is left then is not read. Default 60 s: a
	// hundred scanned pages take a third of that on two slow cores.
	FileTime time.Duration
}

func (l Limits) filled() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	if l.Pages <= 0 {
		l.Pages = 100
	}
	if l.Pixels <= 0 {
		l.Pixels = 45_000_000
	}
	if l.Time <= 0 {
		l.Time = 20 * time.Second
	}
	if l.FileTime <= 0 {
		l.FileTime = time.Minute
	}
	return l
}

// Input is one file's content. Its kind is told by the content; Name is only repeated in the Result.
type Input struct {
	Name  string
	Data  []byte
	Words bool // fill Parts of the documents, for copies of the papers; every line is read then, also those no field needs
}

// Result is what one input gave; it marshals to the object `motcua read --json` prints.
type Result struct {
	File      string           `json:"file"`
	Pages     int              `json:"pages"`
	ElapsedMS int64            `json:"elapsed_ms"`
	Documents []paper.Document `json:"documents"` // never nil
	Problem   *Problem         `json:"error"`     // nil if every page could be read
	Timings   []Timing         `json:"timings,omitempty"`
}

// Timing is how long one step took on one page.
type Timing struct {
	Page int     `json:"page"`
	Step string  `json:"step"`
	MS   float64 `json:"ms"`
}

// The codes of a Problem.
const (
	EmptyFile    = "empty-file"
	NotAnImage   = "not-an-image"
	Unsupported  = "unsupported"
	TooLarge     = "too-large"
	EncryptedPDF = "encrypted-pdf"
	ActivePDF    = "active-pdf" // carries scripts, or starts programs
	NoPages      = "no-pages"
	Damaged      = "damaged"
	TimedOut     = "timed-out"
	WorkerDied   = "worker-died"
)

// Problem says why an input, or some of its pages, could not be read. Message is a sentence for the
// technician that says what to do next; interfaces translate by Code.
type Problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is the message.
func (p *Problem) Error() string { return p.Message }

// ErrClosed is returned by methods of a Reader after Close.
var ErrClosed = errors.New("reader is closed")

// backend reads one input at a time, page by page, so that a page on which it dies costs no other page; the Reader
// owns a pool of them.
type backend interface {
	open(ctx context.Context, data []byte, words bool) (pages int, p *Problem)
	page(ctx context.Context, n int) ([]*readSide, []Timing, *Problem)
	done()
	cut(ctx context.Context, n int, q paper.Quad, most int) (Cut, error) // of the open file
	crop(ctx context.Context, data []byte, page int, q paper.Quad, maxWidth int) ([]byte, error)
	warm(ctx context.Context) ([]sandbox.Protection, error)
	try(ctx context.Context) ([]sandbox.Protection, error)
	renew()
	close() error
}

// Reader recognises documents. It is safe for concurrent use.
type Reader struct {
	pool    *pool
	workers int
	limits  Limits
}

// New makes a Reader. Engines and children start on first use, or in Warm.
func New(o Options) (*Reader, error) {
	if o.Workers <= 0 {
		o.Workers = min(2, runtime.NumCPU())
	}
	limits := o.Limits.filled()
	var all []backend
	for range o.Workers {
		if o.Worker == nil {
			all = append(all, newLocal(limits))
		} else {
			all = append(all, newChild(o.Worker, limits, o.Forbidden))
		}
	}
	return &Reader{pool: newPool(all), workers: o.Workers, limits: limits}, nil
}

// Read recognises every paper on every page of the input. What cannot be read is told in Result.Problem;
// documents found on other pages are still there.
func (r *Reader) Read(ctx context.Context, in Input) Result {
	start := time.Now()
	b, err := r.pool.take(ctx)
	if err != nil {
		return Result{File: in.Name, Documents: []paper.Document{}, Problem: &Problem{Code: TimedOut,
			Message: "Reading was broken off before it began; try again."}}
	}
	b, out := r.read(ctx, b, in)
	if b != nil {
		r.pool.give(b)
	}
	out.ElapsedMS = time.Since(start).Milliseconds()
	return out
}

// Crop gives the region q of a page upright as a JPEG at most maxWidth pixels wide (0: as it is).
func (r *Reader) Crop(ctx context.Context, data []byte, page int, q paper.Quad, maxWidth int) ([]byte, error) {
	b, err := r.pool.take(ctx)
	if err != nil {
		return nil, err
	}
	defer r.pool.give(b)
	defer func(since time.Time) { shareOf(ctx).add(time.Since(since)) }(time.Now())
	return b.crop(ctx, data, page, q, maxWidth)
}

// Preview gives a whole page as a JPEG at most maxWidth pixels wide.
func (r *Reader) Preview(ctx context.Context, data []byte, page, maxWidth int) ([]byte, error) {
	return r.Crop(ctx, data, page, paper.Quad{}, maxWidth)
}

// Warm starts all engines, so that the first page is as quick as the next.
func (r *Reader) Warm(ctx context.Context) error {
	var all []backend
	defer func() {
		for _, b := range all {
			r.pool.give(b)
		}
	}()
	for range r.workers {
		b, err := r.pool.take(ctx)
		if err != nil {
			return err
		}
		all = append(all, b)
		if _, err := b.warm(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close waits for readings under way, then frees the engines and ends the children.
func (r *Reader) Close() error {
	if !r.pool.close() {
		return nil
	}
	var errs []error
	for range r.workers {
		errs = append(errs, (<-r.pool.home).close())
	}
	return errors.Join(errs...)
}

// mostPages is the largest number of pages that is believed of a file. A PDF of 700 bytes may say that it has two thousand million, and
// whoever keeps something a page would fill the memory with it.
const mostPages = 10_000

// read reads with b, and gives the backend that it has in the end: another one, if it made room for somebody, or none.
func (r *Reader) read(ctx context.Context, b backend, in Input) (backend, Result) {
	out := Result{File: in.Name, Documents: []paper.Document{}}
	if int64(len(in.Data)) > r.limits.Bytes {
		out.Problem = problem(page.ErrTooLarge, 0)
		return b, out
	}
	share := shareOf(ctx)
	var worked time.Duration
	count := func(since time.Time) {
		d := time.Since(since)
		worked += d
		share.add(d)
	}
	start := time.Now()
	out.Pages, out.Problem = b.open(ctx, in.Data, in.Words)
	count(start)
	if out.Problem != nil {
		return b, out
	}
	if out.Pages < 0 || out.Pages > mostPages {
		b.done()
		out.Problem = &Problem{TooLarge, fmt.Sprintf("The file says that it has %d pages; print those that are needed to a new PDF.", out.Pages)}
		out.Pages = 0
		return b, out
	}
	var sides []*readSide
	last := min(out.Pages, r.limits.Pages)
	n := 1
	for ; n <= last && ctx.Err() == nil && worked < r.limits.FileTime; n++ {
		if n > 1 && r.pool.behind(share) {
			if b = r.makeRoom(ctx, b, in); b == nil {
				break
			}
		}
		start := time.Now()
		got, timings, p := b.page(ctx, n)
		count(start)
		out.Timings = append(out.Timings, timings...)
		if out.Problem == nil {
			out.Problem = p
		}
		sides = append(sides, got...)
	}
	if b != nil {
		b.done()
	}
	switch {
	case out.Problem != nil:
	case ctx.Err() != nil:
		out.Problem = problem(ctx.Err(), 0)
	case b == nil:
		out.Problem = &Problem{TimedOut, "Reading was broken off; try again."}
	case n <= last:
		out.Problem = &Problem{TimedOut,
			fmt.Sprintf("Only the first %d of %d pages were read, since they took too long; scan it again at 300 dpi, or split the file.", n-1,
				out.Pages)}
	case out.Pages > r.limits.Pages:
		out.Problem = &Problem{TooLarge, fmt.Sprintf("Only the first %d of %d pages were read; split the file.", r.limits.Pages, out.Pages)}
	}
	out.Documents = assemble(sides, time.Now())
	return b, out
}

// makeRoom lets somebody who has used less have the backend first, and gives one that has the file open again; nil where
// there is none to be had.
func (r *Reader) makeRoom(ctx context.Context, b backend, in Input) backend {
	b.done()
	r.pool.give(b)
	b, err := r.pool.take(ctx)
	if err != nil {
		return nil
	}
	if _, p := b.open(ctx, in.Data, in.Words); p != nil {
		r.pool.give(b)
		return nil
	}
	return b
}

// Renew ends the children that are idle, and with them all that is in their memory, and starts others.
func (r *Reader) Renew() {
	for _, b := range r.pool.rest() {
		b.renew()
		r.pool.give(b)
	}
}

// Protections starts a backend if need be and says what guards the parsers: what the worker could lock, and what came of
// attempts to break out of one that was locked in the same way. In this process nothing guards them.
func (r *Reader) Protections(ctx context.Context) ([]sandbox.Protection, error) {
	b, err := r.pool.take(ctx)
	if err != nil {
		return nil, err
	}
	guards, err := b.warm(ctx)
	r.pool.give(b) // attempts run in processes of their own: nobody's page waits for them
	if err != nil {
		return nil, err
	}
	tried, err := b.try(ctx)
	return append(guards, tried...), err
}
