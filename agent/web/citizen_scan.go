package web

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/sync/errgroup"

	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/ocr/early"
	"motcua/ocr/page"
)

type scanBody struct {
	Scanner  bool // there is one
	Feeder   bool // the sheets go into a feeder, not onto glass
	Busy     bool // a scan or a reading of this visit is under way
	Papers   int
	Proc     *procedure.Procedure
	Accept   string
	MaxBytes int64
	Fault    string // sentence about what went wrong just before
	At       string // address of the live parts of the scan
	Again    string // where to try again
}

func (s *Site) scanPage(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if err := at.visit.Go(s.now(), visit.Scan); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	s.showScan(w, r, at, http.StatusOK, "")
}

func (s *Site) showScan(w http.ResponseWriter, r *http.Request, at seat, status int, fault string) {
	b := scanBody{Busy: at.visit.State().Busy, Papers: len(at.state.Papers), Proc: at.proc,
		At: "/scan", Again: "/scan", Accept: page.MediaTypes(), MaxBytes: s.o.UploadLimit, Fault: fault}
	if sc := s.scanner(); sc != nil {
		b.Scanner = true
		b.Feeder = s.source(sc) != scan.Flatbed
	}
	back := "/consent"
	if b.Papers > 0 {
		back = "/papers"
	}
	name := "scan"
	if b.Busy {
		name, back = "scanning", ""
	}
	s.render(w, r, status, name, view{Steps: s.steps(at.lang, visit.Scan), Back: back, Path: "/scan", Body: b})
}

func (s *Site) source(sc Scanner) scan.Source {
	if s.o.Source != "" {
		return s.o.Source
	}
	if sources := sc.Info().Sources; len(sources) > 0 {
		return sources[0]
	}
	return scan.Flatbed
}

// scanStart begins a scan that goes on when this request is answered; its screen is /scan.
func (s *Site) scanStart(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	sc := s.scanner()
	if sc == nil {
		s.showScan(w, r, at, http.StatusOK, s.words.say(at.lang, "fault."+string(scan.NoDevice)))
		return
	}
	if at.state.Busy { // pressed twice
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	done, err := at.visit.Work(s.now())
	if err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	at.table.live.reset()
	ctx, cancel := at.table.job()
	at.table.run(s, func() {
		defer cancel()
		end := s.scanJob(ctx, at, sc, s.source(sc))
		done(s.now()) // before the screen is told: it may ask at once
		at.table.live.send(end)
	})
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}

// run does work of the visit beside the requests; end waits for it. Work for a visit that has ended is
// not begun.
func (t *table) run(s *Site, f func()) {
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	if t.ctx.Err() != nil {
		return
	}
	t.jobs.Add(1)
	s.jobs.Go(func() error {
		defer t.jobs.Done()
		f()
		return nil
	})
}

// job gives the context of a scan, which a press of Stop or the end of the visit ends.
func (t *table) job() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.ctx)
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	t.stop = cancel
	return ctx, cancel
}

func (t *table) cancel() {
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	if t.stop != nil {
		t.stop()
	}
}

func (s *Site) scanStop(w http.ResponseWriter, r *http.Request, at seat) {
	at.table.cancel()
	_ = at.visit.Touch(s.now())
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}

// scanJob scans until the source is empty, while pages that are complete are being read.
// It gives the event the screen ends with.
func (s *Site) scanJob(ctx context.Context, at seat, sc Scanner, source scan.Source) event {
	out := at.table.live
	fault := func(key string) event { return event{Kind: "fault", Key: key} }
	if !s.scanning.TryLock() {
		return fault("fault." + string(scan.Busy))
	}
	release := s.scanning.Unlock
	defer func() { release() }()

	var reading errgroup.Group
	reading.SetLimit(2)
	strips := newStrips(out)
	moved := func(b scan.Band) {
		strips.take(b)
		_ = at.visit.Touch(s.now()) // a lamp that moves is a sign of life
	}
	settings := scan.Settings{Source: source, DPI: s.o.DPI, MaxPages: visit.MaxPapers, Lines: moved}
	var glass *early.Page // what lies on it is read before the lamp returns
	if settings.Source == scan.Flatbed {
		settings.MaxPages = 1
		glass = early.New(ctx, s.o.Reader.Read, s.o.DPI)
		defer glass.Drop()
		settings.Lines = func(b scan.Band) {
			moved(b)
			if b.Image != nil {
				glass.Take(b.Y, b.Total, b.Image)
			}
		}
	}
	var stopped error
	pages := 0
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
		out.send(event{Kind: "page", Page: pages})
		id, err := at.visit.Add(s.now(), visit.Paper{Data: data, MediaType: media, Reading: true})
		if err != nil {
			stopped = err
			break
		}
		read := s.o.Reader.Read
		if glass != nil && page.Image != nil {
			read = func(ctx context.Context, in ocr.Input) ocr.Result {
				return glass.Finish(ctx, in, page.Image.Bounds().Size())
			}
		}
		reading.Go(func() error {
			s.keep(at.table, at.session) // beside the scan, which does not wait for the disk
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
		if err := counter.Fill(at.visit, at.proc, s.now()); err != nil {
			s.log.Error("fill form", "visit", at.state.ID, "error", err)
		}
		s.keep(at.table, at.session)
		s.cutAhead(at.table)
	}
	var f *scan.Fault
	switch {
	case errors.As(stopped, &f) && f.Code == scan.NoDocuments && pages > 0: // the feeder ran empty
	case errors.As(stopped, &f):
		s.log.Warn("scan", "visit", at.state.ID, "code", f.Code, "error", f)
		return fault(f.Message())
	case errors.Is(stopped, visit.ErrFull):
	case stopped != nil:
		s.log.Error("scan", "visit", at.state.ID, "error", stopped)
		return fault("fault." + string(scan.IOError))
	case pages == 0:
		return fault("fault." + string(scan.NoDocuments))
	}
	return event{Kind: "done", To: "/papers"}
}

// visitReading is how long workers may work for one visit; papers beyond it go unread, and the person fills the form. Forty
// cards take about ten seconds.
const visitReading = 3 * time.Minute

// read recognises one paper of the visit by read and records the outcome.
func (s *Site) read(ctx context.Context, at seat, id string, read func(context.Context, ocr.Input) ocr.Result) {
	var result ocr.Result
	err := at.visit.Use(func(papers []visit.Paper) error {
		for _, p := range papers {
			switch {
			case p.ID != id:
			case at.table.share.Used() >= visitReading:
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
		s.log.Warn("read", "visit", at.state.ID, "code", problem)
	}
	if err := at.visit.Read(s.now(), id, result.Pages, result.Documents, problem); err != nil {
		return
	}
	for _, d := range result.Documents {
		at.table.live.send(event{Kind: "read", Key: "paper." + string(d.Type)})
	}
}

func (s *Site) scanLive(w http.ResponseWriter, r *http.Request, at seat) {
	s.watch(w, r, at.table, at.lang)
}

func (s *Site) scanStrip(w http.ResponseWriter, r *http.Request, at seat) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sendStrip(w, r, at.table, n)
}

func sendStrip(w http.ResponseWriter, r *http.Request, t *table, n int) {
	data, ok := t.live.picture(n)
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
		s.out.send(event{Kind: "progress", Page: b.Page, Percent: min(100*(b.Y+b.Height)/b.Total, 100)})
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

// upload takes files where there is no scanner.
func (s *Site) upload(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	files := filesOf(r, "file")
	if len(files) == 0 {
		s.showScan(w, r, at, http.StatusBadRequest, s.words.say(at.lang, "upload.none"))
		return
	}
	for _, f := range files { // all of them before any is taken in
		if problem := refusal(f.data); problem != "" {
			s.showScan(w, r, at, http.StatusUnprocessableEntity, s.words.say(at.lang, "problem."+problem))
			return
		}
	}
	done, err := at.visit.Work(s.now()) // first: what was taken in is read, come what may
	if err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	var ids []string
	for _, f := range files {
		var id string
		if id, err = at.visit.Add(s.now(), visit.Paper{Data: f.data, MediaType: page.MediaType(f.data), Reading: true}); err != nil {
			break
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		done(s.now())
		s.turnAway(w, r, at, err)
		return
	}
	at.table.live.reset()
	ctx, cancel := at.table.job()
	at.table.run(s, func() {
		defer cancel()
		end := s.readJob(ctx, at, ids)
		done(s.now())
		at.table.live.send(end)
	})
	if err != nil { // not all of them found room
		s.turnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}

// refusal is the code of why a file is no paper, as far as its first bytes tell; "" where it may be one.
func refusal(data []byte) string {
	_, err := page.Sniff(data)
	switch {
	case errors.Is(err, page.ErrEmpty):
		return ocr.EmptyFile
	case errors.Is(err, page.ErrUnsupported):
		return ocr.Unsupported
	case err != nil:
		return ocr.NotAnImage
	}
	return ""
}

// readJob reads files that were handed in and gives the event the screen ends with.
func (s *Site) readJob(ctx context.Context, at seat, ids []string) event {
	for i, id := range ids {
		s.read(ctx, at, id, s.o.Reader.Read)
		at.table.live.send(event{Kind: "progress", Page: i + 1, Percent: 100 * (i + 1) / len(ids)})
	}
	refused := ""
	for _, id := range ids {
		// A file nobody can open is no paper: say so and do not keep it.
		if p, ok := at.visit.State().Paper(id); ok && p.Problem != "" && len(p.Documents) == 0 && useless(p.Problem) {
			_ = at.visit.Discard(s.now(), id)
			refused = "problem." + p.Problem
		}
	}
	if err := counter.Fill(at.visit, at.proc, s.now()); err != nil {
		s.log.Error("fill form", "visit", at.state.ID, "error", err)
	}
	s.keep(at.table, at.session)
	s.cutAhead(at.table)
	if refused != "" {
		end := event{Kind: "fault", Key: refused}
		if len(at.visit.State().Papers) > 0 {
			end.To = "/papers" // with those that are good
		}
		return end
	}
	return event{Kind: "done", To: "/papers"}
}

// useless tells the problems after which a file holds nothing that could be sent. After the others
// (reading took too long, the reader died) the page itself is still good.
func useless(problem string) bool {
	return problem != ocr.TimedOut && problem != ocr.WorkerDied
}

// how names the drawing that shows where the paper goes.
func how(scanner, feeder bool) string {
	switch {
	case !scanner:
		return "pictures/upload.svg"
	case feeder:
		return "pictures/feeder.svg"
	}
	return "pictures/glass.svg"
}
