package screen

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/sync/errgroup"

	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/ocr/early"
)

// Source is where the citizen's paper lies in a scanner.
func (s *Host) Source(sc Scanner) scan.Source {
	if s.Options.Source != "" {
		return s.Options.Source
	}
	if sources := sc.Info().Sources; len(sources) > 0 {
		return sources[0]
	}
	return scan.Flatbed
}

// Run does work of the visit beside the requests; end waits for it. Work for a visit that has ended is
// not begun.
func (t *Table) Run(f func()) {
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	if t.Context.Err() != nil {
		return
	}
	t.jobs.Add(1)
	t.host.Go(func() error {
		defer t.jobs.Done()
		f()
		return nil
	})
}

// Job gives the context of a scan, which a press of Stop or the end of the visit ends.
func (t *Table) Job() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context)
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	t.stop = cancel
	return ctx, cancel
}

// Cancel breaks off the scan that is under way.
func (t *Table) Cancel() {
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	if t.stop != nil {
		t.stop()
	}
}

// MostTwoSided is how many sheets of a stack are scanned from the front: their backs must find room in the same visit.
const MostTwoSided = visit.MaxPapers / 2

// PapersFull is the page of the papers, which says that there is room for no more.
const PapersFull = "/papers?full"

// room is how many more pages a scan may take, in whole sheets: one that the visit has no room for would be out of the feeder and
// nowhere.
func room(at Seat, source scan.Source) int {
	papers := len(at.Visit.State().Papers)
	switch {
	case at.Table.TwoSided && !at.Backs:
		return MostTwoSided - papers
	case source == scan.ADFDuplex:
		return (visit.MaxPapers - papers) / 2 * 2
	}
	return visit.MaxPapers - papers
}

// intake lays the pages of a scan into the visit.
type intake struct {
	at    Seat
	taken int // pages that found room
	// The page before.
	id     string
	number int
}

// take lays a page into the visit and gives its id there. Of a sheet whose back finds no room the front is given back, so that
// it can be put in again as a whole; fronts leave as much room for their backs.
func (in *intake) take(now time.Time, page scan.Page, data []byte, media string) (id string, err error) {
	at := in.at
	if at.Table.TwoSided && !at.Backs {
		size := len(data)
		for _, other := range at.Visit.State().Papers {
			size += other.Size
		}
		if size > visit.MaxBytes/2 {
			return "", visit.ErrFull
		}
	}
	id, err = at.Visit.Add(now, visit.Paper{Data: data, MediaType: media, Reading: true, Back: page.Back || at.Backs})
	if errors.Is(err, visit.ErrFull) && page.Back && in.number == page.Number-1 && at.Visit.Discard(now, in.id) == nil {
		in.taken--
	}
	if err == nil {
		in.taken++
		in.id, in.number = id, page.Number
	}
	return id, err
}

// NextStack is what is scanned when a volunteer's stack was longer than one scan takes: its citizens have agreed with the others.
type NextStack struct{ Procedure, Sides string }

// Full is the event of a scan or of files of which n found room and others did not, or may not.
func Full(key string, n int) Event { return Event{Kind: "full", Key: key, Page: n, To: PapersFull} }

// ScanJob scans until the source is empty, while pages that are complete are being read.
// It gives the event the screen ends with.
func (s *Host) ScanJob(ctx context.Context, at Seat, sc Scanner, source scan.Source) Event {
	out := at.Table.Live
	fault := func(key string) Event { return Event{Kind: "fault", Key: key} }
	if !s.Scanning.TryLock() {
		return fault("fault." + string(scan.Busy))
	}
	release := s.Scanning.Unlock
	defer func() { release() }()

	var reading errgroup.Group
	reading.SetLimit(2)
	strips := newStrips(out)
	moved := func(b scan.Band) {
		strips.take(b)
		_ = at.Visit.Touch(s.Now()) // a lamp that moves is a sign of life
	}
	settings := scan.Settings{Source: source, DPI: s.Options.DPI, MaxPages: room(at, source), Reuse: true, Lines: moved}
	if settings.MaxPages <= 0 {
		return Full("scan.full", 0)
	}
	var glass *early.Page // what lies on it is read before the lamp returns
	if settings.Source == scan.Flatbed {
		settings.MaxPages = 1
		glass = early.New(ctx, s.Options.Reader.Read, s.Options.DPI)
		defer glass.Drop()
		settings.Lines = func(b scan.Band) {
			moved(b)
			if b.Image != nil {
				glass.Take(b.Y, b.Total, b.Image)
			}
		}
	}
	var stopped error
	pages, in := 0, intake{at: at}
	for page, err := range sc.Scan(ctx, settings) {
		if err != nil {
			stopped = err
			break
		}
		strips.flush()
		pages++
		data, media, err := scan.Encode(page)
		if err != nil {
			stopped = err
			break
		}
		out.Send(Event{Kind: "page", Page: pages})
		id, err := in.take(s.Now(), page, data, media)
		if err != nil {
			stopped = err
			break
		}
		read := s.Options.Reader.Read
		if glass != nil && page.Image != nil {
			read = func(ctx context.Context, in ocr.Input) ocr.Result {
				return glass.Finish(ctx, in, page.Image.Bounds().Size())
			}
		}
		reading.Go(func() error {
			s.Keep(at.Table, at.Session) // beside the scan, which does not wait for the disk
			s.read(ctx, at, id, read)
			return nil
		})
	}
	release()
	release = func() {}
	_ = reading.Wait()
	if ctx.Err() != nil {
		return fault("scan.stopped")
	}
	if pages > 0 {
		if err := counter.Fill(at.Visit, at.Proc, s.Now()); err != nil {
			s.Log.Error("fill form", "visit", at.State.ID, "error", err)
		}
		s.Keep(at.Table, at.Session)
		s.cutAhead(at.Table)
	}
	if errors.Is(stopped, visit.ErrFull) || stopped == nil && source != scan.Flatbed && pages > 0 && room(at, source) <= 0 {
		return Full("scan.full", in.taken)
	}
	if key := s.brokenOff(at.State.ID, stopped, pages); key != "" {
		return fault(key)
	}
	return Event{Kind: "done", To: "/papers"}
}

// brokenOff says as a key of the catalogue why a scan gave less than it should; an empty key is none.
func (s *Host) brokenOff(id string, stopped error, pages int) string {
	var f *scan.Fault
	switch {
	case errors.As(stopped, &f) && f.Code == scan.NoDocuments && pages > 0: // the feeder ran empty
	case errors.As(stopped, &f):
		s.Log.Warn("scan", "visit", id, "code", f.Code, "error", f)
		return f.Message()
	case stopped != nil:
		s.Log.Error("scan", "visit", id, "error", stopped)
		return "fault." + string(scan.IOError)
	case pages == 0:
		return "fault." + string(scan.NoDocuments)
	}
	return ""
}

// visitReading is how long workers may work for one visit; papers beyond it go unread, and the person fills the form. Forty
// cards take about ten seconds.
const visitReading = 3 * time.Minute

// read recognises one paper of the visit by read and records the outcome.
func (s *Host) read(ctx context.Context, at Seat, id string, read func(context.Context, ocr.Input) ocr.Result) {
	var result ocr.Result
	err := at.Visit.Use(func(papers []visit.Paper) error {
		for _, p := range papers {
			switch {
			case p.ID != id:
			case at.Table.share.Used() >= visitReading:
				result = ocr.Result{Pages: 1, Problem: &ocr.Problem{Code: ocr.TimedOut}}
			default:
				result = read(ctx, ocr.Input{Name: p.ID, Data: p.Data})
			}
		}
		return nil
	})
	if err != nil || ctx.Err() != nil {
		return
	}
	problem := ""
	if result.Problem != nil {
		problem = result.Problem.Code
		s.Log.Warn("read", "visit", at.State.ID, "code", problem)
	}
	if err := at.Visit.Read(s.Now(), id, result.Pages, result.Documents, problem); err != nil {
		return
	}
	for _, d := range result.Documents {
		at.Table.Live.Send(Event{Kind: "read", Key: "paper." + string(d.Type)})
	}
}

// SendStrip answers with a picture of the lines that just arrived.
func SendStrip(w http.ResponseWriter, r *http.Request, t *Table, n int) {
	data, ok := t.Live.picture(n)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(data)
}

// strips makes small pictures of the lines as they arrive, so that the page grows on the screen.
type strips struct {
	out  *live
	page int
	y    int // next line of the page that is not in a strip yet
	h    int // lines of the pending strip, scaled
	img  *image.RGBA
	from float64 // scaled position where the pending strip begins
}

const (
	stripWidth  = 420
	stripHeight = 42 // scaled lines a strip holds
)

func newStrips(out *live) *strips { return &strips{out: out} }

func (s *strips) take(b scan.Band) {
	if b.Page != s.page {
		s.flush()
		s.page, s.y, s.from = b.Page, 0, 0
	}
	if b.Total > 0 {
		s.out.Send(Event{Kind: "progress", Page: b.Page, Percent: min(100*(b.Y+b.Height)/b.Total, 100)})
	}
	if b.Image == nil || b.Image.Bounds().Dx() == 0 {
		return
	}
	scale := float64(stripWidth) / float64(b.Image.Bounds().Dx())
	top := int(float64(b.Y)*scale) - int(s.from)
	bottom := int(float64(b.Y+b.Height)*scale) - int(s.from)
	if bottom <= top {
		return
	}
	if s.img == nil {
		s.img = image.NewRGBA(image.Rect(0, 0, stripWidth, max(stripHeight, bottom)+stripHeight))
	}
	if bottom > s.img.Bounds().Dy() {
		taller := image.NewRGBA(image.Rect(0, 0, stripWidth, bottom+stripHeight))
		draw.Copy(taller, image.Point{}, s.img, s.img.Bounds(), draw.Src, nil)
		s.img = taller
	}
	draw.ApproxBiLinear.Scale(s.img, image.Rect(0, top, stripWidth, bottom), b.Image, b.Image.Bounds(), draw.Src, nil)
	s.h = bottom
	if s.h >= stripHeight {
		s.flush()
	}
}

// flush hands the pending strip to the screen.
func (s *strips) flush() {
	if s.img == nil || s.h == 0 {
		return
	}
	var b bytes.Buffer
	part := s.img.SubImage(image.Rect(0, 0, stripWidth, s.h))
	if err := jpeg.Encode(&b, part, &jpeg.Options{Quality: 60}); err == nil {
		s.out.strip(s.page, b.Bytes())
	}
	draw.Draw(s.img, s.img.Bounds(), image.NewUniform(color.Black), image.Point{}, draw.Src)
	s.from += float64(s.h)
	s.h, s.img = 0, nil
}

// ReadJob reads files that were handed in and gives the event the screen ends with. names are the files', where they have any.
func (s *Host) ReadJob(ctx context.Context, at Seat, ids, names []string) Event {
	for i, id := range ids {
		s.read(ctx, at, id, s.Options.Reader.Read)
		at.Table.Live.Send(Event{Kind: "progress", Page: i + 1, Percent: 100 * (i + 1) / len(ids)})
	}
	var refused []BadFile
	for i, id := range ids {
		// A file nobody can open is no paper: say so and do not keep it.
		if p, ok := at.Visit.State().Paper(id); ok && p.Problem != "" && len(p.Documents) == 0 && useless(p.Problem) {
			_ = at.Visit.Discard(s.Now(), id)
			one := BadFile{Why: "problem." + p.Problem}
			if len(ids) > 1 && i < len(names) { // who handed in one knows which it is
				one.Name = names[i]
			}
			refused = append(refused, one)
		}
	}
	if err := counter.Fill(at.Visit, at.Proc, s.Now()); err != nil {
		s.Log.Error("fill form", "visit", at.State.ID, "error", err)
	}
	s.Keep(at.Table, at.Session)
	s.cutAhead(at.Table)
	if len(refused) > 0 {
		end := Event{Kind: "fault", Key: refused[0].Why}
		if refused[0].Name != "" {
			end.Key, end.Text = "", s.SayBad(at.Lang, refused)
		}
		if len(at.Visit.State().Papers) > 0 {
			end.To = "/papers" // with those that are good
		}
		return end
	}
	return Event{Kind: "done", To: "/papers"}
}

// useless tells the problems after which a file holds nothing that could be sent. After the others
// (reading took too long, the reader died) the page itself is still good.
func useless(problem string) bool {
	return problem != ocr.TimedOut && problem != ocr.WorkerDied
}
