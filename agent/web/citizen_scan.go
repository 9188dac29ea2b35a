package web

import (
	"errors"
	"net/http"
	"strconv"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/drivers/scan"
	"motcua/ocr"
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

func (s *CitizenPages) scanPage(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if err := at.visit.Go(s.now(), visit.Scan); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	s.showScan(w, r, at, http.StatusOK, "")
}

func (s *CitizenPages) showScan(w http.ResponseWriter, r *http.Request, at seat, status int, fault string) {
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

// scanStart begins a scan that goes on when this request is answered; its screen is /scan.
func (s *CitizenPages) scanStart(w http.ResponseWriter, r *http.Request, at seat) {
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
	at.table.run(func() {
		defer cancel()
		end := s.scanJob(ctx, at, sc, s.source(sc))
		done(s.now()) // before the screen is told: it may ask at once
		at.table.live.send(end)
	})
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}

func (s *CitizenPages) scanStop(w http.ResponseWriter, r *http.Request, at seat) {
	at.table.cancel()
	_ = at.visit.Touch(s.now())
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}

func (s *CitizenPages) scanLive(w http.ResponseWriter, r *http.Request, at seat) {
	s.watch(w, r, at.table, at.lang)
}

func (s *CitizenPages) scanStrip(w http.ResponseWriter, r *http.Request, at seat) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sendStrip(w, r, at.table, n)
}

// upload takes files where there is no scanner.
func (s *CitizenPages) upload(w http.ResponseWriter, r *http.Request, at seat) {
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
	at.table.run(func() {
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
