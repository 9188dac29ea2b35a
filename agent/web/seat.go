package web

import (
	"errors"
	"net/http"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/queue"
)

// seat is what a citizen's handler works with.
type seat struct {
	session *session
	table   *table
	visit   *visit.Visit
	state   visit.State
	lang    string
	proc    *procedure.Procedure // nil until one is chosen
}

// seated runs a handler for somebody who has begun a visit; others are shown the start.
func (s *Host) seated(f func(http.ResponseWriter, *http.Request, seat)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sess := s.session(w, r)
		t := sess.sitting()
		if t == nil {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		at := seat{session: sess, table: t, visit: t.visit, state: t.visit.State(), lang: sess.language()}
		if at.state.Procedure != "" {
			at.proc, _ = s.o.Procedures().Get(at.state.Procedure) // nil if it was taken away meanwhile
		}
		f(w, r, at)
		// Before the answer to a form leaves: it is short, and is sent when this returns. What it says is kept, then.
		s.keep(t, sess)
	}
}

// turnAway leads to the page where the visit really stands; every refusal of the state machine ends
// here, so there is no dead end.
func (s *Host) turnAway(w http.ResponseWriter, r *http.Request, at seat, err error) {
	to := "/"
	switch {
	case errors.Is(err, visit.ErrOver):
	case errors.Is(err, visit.ErrSubmitted):
		to = "/receipt"
	case errors.Is(err, visit.ErrOpen), errors.Is(err, visit.ErrNoField):
		to = "/check"
	case errors.Is(err, visit.ErrNoPaper), errors.Is(err, visit.ErrFull):
		to = "/papers"
	case errors.Is(err, visit.ErrNotYet):
		to = s.whereTo(at.visit.State())
	default:
		s.log.Error("visit", "visit", at.state.ID, "error", err)
		s.fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// whereTo is the page of the first step that is not done.
func (s *Host) whereTo(state visit.State) string {
	switch {
	case state.Step == visit.Receipt:
		return "/receipt"
	case state.Procedure == "":
		return "/choose"
	case state.Consented.IsZero():
		return "/consent"
	case len(state.Papers) == 0 && len(state.Ways) == 0:
		return "/scan"
	}
	return "/check"
}

// needProcedure sends a visit whose procedure is not (or no longer) offered to choose one.
func needProcedure(w http.ResponseWriter, r *http.Request, at seat) bool {
	if at.proc != nil {
		return true
	}
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
	return false
}

// fail shows a sentence of the catalogue with ways onward.
func (s *Host) fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	lang := s.session(w, r).language()
	s.render(w, r, status, "fault", view{Title: s.words.say(lang, "fault.title"), Path: "/", Back: "/",
		Body: s.words.say(lang, key)})
}

func (s *Host) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, http.StatusNotFound, "fault.no-page")
}

// queueFault is the sentence for a submission the queue did not take.
func queueFault(err error) string {
	switch {
	case errors.Is(err, queue.ErrFull):
		return "fault.queue-full"
	case errors.Is(err, queue.ErrReadOnly):
		return "fault.disk"
	}
	return "fault.not-saved"
}

// procedureOf gives a procedure by code, or nil.
func (s *Host) procedureOf(code string) *procedure.Procedure {
	p, err := s.o.Procedures().Get(code)
	if err != nil {
		return nil
	}
	return p
}
