package citizen

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/ocr/page"
)

type scanBody struct {
	Scanner  bool // there is one
	Feeder   bool // the sheets go into a feeder, not onto glass
	Busy     bool // a scan or a reading of this visit is under way, or has just ended and the screen isn't told yet
	Papers   int
	Proc     *procedure.Procedure
	Stick    bool // files come from a stick that the page lists; else by the browser's dialog
	Accept   string
	MaxBytes int64
	Fault    string            // sentence about what went wrong just before
	At       string            // address of the live parts of the scan
	Again    string            // where to try again
	Next     *screen.NextStack // a citizen has none
	Place    screen.Placing
	Query    string // the same, behind an address
	Number   int    // of the paper that Place names
}

func (s *Pages) scanPage(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Scan); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	s.showScan(w, r, at, http.StatusOK, "")
}

// placing reads from an address where the papers of a scan go, if there is such a paper. It stands in the address and the forms
// of a page, so that two windows on one visit don't take each other's.
func placing(ask url.Values, state visit.State) screen.Placing {
	var to screen.Placing
	for _, p := range state.Papers {
		to.Known = append(to.Known, p.ID)
		switch p.ID {
		case ask.Get("instead"):
			to.At, to.Instead = p.ID, true
		case ask.Get("before"):
			to.At = p.ID
		}
	}
	return to
}

// query is a placing as an address has it.
func query(to screen.Placing) string {
	switch {
	case to.At == "":
		return ""
	case to.Instead:
		return "?instead=" + url.QueryEscape(to.At)
	}
	return "?before=" + url.QueryEscape(to.At)
}

func (s *Pages) showScan(w http.ResponseWriter, r *http.Request, at screen.Seat, status int, fault string) {
	b := scanBody{Busy: at.Visit.State().Busy || fault == "" && at.Table.Live.Untold(), Papers: len(at.State.Papers), Proc: at.Proc,
		At: "/scan", Stick: s.Options.Sticks != nil, Accept: page.MediaTypes(), MaxBytes: s.Options.UploadLimit, Fault: fault,
		Place: placing(r.URL.Query(), at.State)}
	if b.Place.At != "" {
		b.Number = 1 + slices.Index(b.Place.Known, b.Place.At)
	}
	b.Query = query(b.Place)
	b.Again = "/scan" + b.Query
	if sc := s.Scanner(); sc != nil {
		b.Scanner = true
		b.Feeder = s.Source(sc) != scan.Flatbed
	}
	back := "/consent"
	if b.Papers > 0 {
		back = "/papers"
	}
	name := "scan"
	if b.Busy {
		name, back = "scanning", ""
	}
	s.Render(w, r, status, name, screen.View{Steps: s.Steps(at.Lang, visit.Scan), Back: back, Path: b.Again, Body: b})
}

// scanStart begins a scan that goes on when this request is answered; its screen is /scan.
func (s *Pages) scanStart(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	sc := s.Scanner()
	if sc == nil {
		s.showScan(w, r, at, http.StatusOK, s.Words.Say(at.Lang, "fault."+string(scan.NoDevice)))
		return
	}
	if at.State.Busy { // pressed twice
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	done, err := at.Visit.Work(s.Now())
	if err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	to := placing(r.URL.Query(), at.State)
	at.Table.PlaceNext(to)
	at.Table.Live.Reset()
	ctx, cancel := at.Table.Job()
	at.Table.Run(func() {
		defer cancel()
		end := s.ScanJob(ctx, at, sc, s.Source(sc))
		s.Place(at.Table)
		s.Keep(at.Table, at.Session)
		done(s.Now()) // before the screen is told: it may ask at once
		at.Table.Live.Send(end)
	})
	http.Redirect(w, r, "/scan"+query(to), http.StatusSeeOther)
}

func (s *Pages) scanStop(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	at.Table.Cancel()
	_ = at.Visit.Touch(s.Now())
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}

func (s *Pages) scanLive(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	s.Watch(w, r, at.Table, at.Lang)
}

func (s *Pages) scanStrip(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	screen.SendStrip(w, r, at.Table, n)
}

// upload takes files where there is no scanner.
func (s *Pages) upload(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	files := screen.FilesOf(r, "file")
	if len(files) == 0 {
		s.showScan(w, r, at, http.StatusBadRequest, s.Words.Say(at.Lang, "upload.none"))
		return
	}
	var all [][]byte
	var names []string
	for _, f := range files {
		all, names = append(all, f.Data), append(names, f.Name())
	}
	if why := s.noPapers(at.Lang, all, names); why != "" { // all of them before any is taken in
		s.showScan(w, r, at, http.StatusUnprocessableEntity, why)
		return
	}
	s.takeIn(w, r, at, all, names)
}

// noPapers tells which of some files are no papers, as far as their first bytes tell; "" where all of them may be some.
func (s *Pages) noPapers(lang string, all [][]byte, names []string) string {
	var bad []screen.BadFile
	for i, data := range all {
		if problem := refusal(data); problem != "" {
			bad = append(bad, screen.BadFile{Name: names[i], Why: "problem." + problem})
		}
	}
	switch {
	case len(bad) == 0:
		return ""
	case len(all) == 1:
		return s.Words.Say(lang, bad[0].Why)
	}
	return s.SayBad(lang, bad)
}

// takeIn lays files down as papers and begins to read them.
func (s *Pages) takeIn(w http.ResponseWriter, r *http.Request, at screen.Seat, all [][]byte, names []string) {
	taken := 0
	defer func() {
		for _, data := range all[taken:] { // what found no room
			clear(data)
		}
	}()
	done, err := at.Visit.Work(s.Now()) // first: what was taken in is read, come what may
	if err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	var ids []string
	for _, data := range all {
		var id string
		if id, err = at.Visit.Add(s.Now(), visit.Paper{Data: data, MediaType: page.MediaType(data), Reading: true}); err != nil {
			break
		}
		ids = append(ids, id)
		taken++
	}
	if len(ids) == 0 {
		done(s.Now())
		s.TurnAway(w, r, at, err)
		return
	}
	to := placing(r.URL.Query(), at.State)
	at.Table.PlaceNext(to)
	at.Table.Live.Reset()
	ctx, cancel := at.Table.Job()
	at.Table.Run(func() {
		defer cancel()
		end := s.ReadJob(ctx, at, ids, names)
		if len(ids) < len(all) && end.Kind == "done" { // not all of them found room
			end = screen.Full("upload.full", len(ids))
		}
		s.Place(at.Table)
		s.Keep(at.Table, at.Session)
		done(s.Now())
		at.Table.Live.Send(end)
	})
	http.Redirect(w, r, "/scan"+query(to), http.StatusSeeOther)
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
