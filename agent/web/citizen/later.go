package citizen

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"motcua/agent/audit"
	"motcua/agent/web/screen"
)

// laterVersion names the text of later.* in the catalogue, as screen.ConsentVersion does that of the consent.
const laterVersion = "later-2026-11"

type laterBody struct {
	Until string // the last day, as people write it
	Code  string // shown once
	Fault string // key
}

// later asks whether the visit may be kept for another day.
func (s *Pages) later(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	_ = at.Visit.Touch(s.Now())
	if !s.CanPark() || at.State.Code != "" {
		http.Redirect(w, r, s.WhereTo(at.State), http.StatusSeeOther)
		return
	}
	s.showLater(w, r, at, http.StatusOK, laterBody{})
}

func (s *Pages) showLater(w http.ResponseWriter, r *http.Request, at screen.Seat, status int, b laterBody) {
	until := s.Now().Add(s.Options.Later)
	b.Until = screen.ShownDate(until.Format(time.DateOnly))
	v := screen.View{Path: "/later", Commits: true, Back: s.WhereTo(at.State), Body: b}
	if b.Code != "" {
		v.Back = ""
		v.Title = s.Words.Say(at.Lang, "later.kept")
		v.Read = v.Title + ". " + s.Words.Say(at.Lang, "later.code.lead") + " " + strings.Join(strings.Split(b.Code, ""), " ")
	} else {
		v.Title = s.Words.Say(at.Lang, "later")
		v.Read = v.Title + ". " + s.Words.Say(at.Lang, "later.lead") + " " + s.Words.Say(at.Lang, "later.long.head", "day", b.Until)
	}
	s.Render(w, r, status, "later", v)
}

// park keeps the visit, by a consent of its own, and shows the code.
func (s *Pages) park(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if r.PostForm.Get("agreed") == "" {
		s.showLater(w, r, at, http.StatusUnprocessableEntity, laterBody{Fault: "later.missing"})
		return
	}
	code, err := s.Park(at.Table, at.Session)
	switch {
	case errors.Is(err, screen.ErrNothingYet):
		s.showLater(w, r, at, http.StatusUnprocessableEntity, laterBody{Fault: "later.nothing"})
		return
	case err != nil:
		s.Log.Error("keep for later", "visit", at.State.ID, "error", err)
		s.showLater(w, r, at, http.StatusServiceUnavailable, laterBody{Fault: "later.failed"})
		return
	}
	s.Note(audit.Event{Actor: who(at.State), Act: audit.ConsentGiven, Reason: laterVersion, Visit: at.State.ID})
	s.Note(audit.Event{Actor: who(at.State), Act: audit.VisitParked, Visit: at.State.ID})
	s.showLater(w, r, at, http.StatusOK, laterBody{Code: code[:4] + " " + code[4:8] + " " + code[8:]})
}

// unpark takes the consent back: what was kept for later is gone when this visit ends.
func (s *Pages) unpark(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	s.Unpark(at.Table, at.Session)
	s.Note(audit.Event{Actor: who(at.State), Act: audit.VisitUnparked, Visit: at.State.ID})
	http.Redirect(w, r, s.WhereTo(at.State), http.StatusSeeOther)
}

// resume opens a visit that was kept for later.
func (s *Pages) resume(w http.ResponseWriter, r *http.Request) {
	if !s.CanPark() {
		s.NotFound(w, r)
		return
	}
	fault, status := "", http.StatusOK
	if r.Method == http.MethodPost {
		if s.Full(w, r) {
			return
		}
		t, err := s.Resume(s.Session(w, r), r.PostForm.Get("code"))
		switch {
		case err == nil:
			s.Log.Info("visit taken up by its code", "visit", t.Visit.ID)
			s.Note(audit.Event{Actor: "citizen", Act: audit.VisitResumed, Visit: t.Visit.ID})
			http.Redirect(w, r, s.WhereTo(t.Visit.State()), http.StatusSeeOther)
			return
		case errors.Is(err, screen.ErrTooOften):
			fault, status = "resume.often", http.StatusTooManyRequests
		case errors.Is(err, screen.ErrUnknownCode):
			fault, status = "resume.unknown", http.StatusNotFound
		default:
			s.Log.Error("take up by code", "error", err)
			fault, status = "fault", http.StatusInternalServerError
		}
	}
	s.Render(w, r, status, "resume", screen.View{Back: "/", Path: "/resume", Body: fault})
}
