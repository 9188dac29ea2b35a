package screen

import (
	"errors"
	"net/http"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/queue"
)

// Seat is what a citizen's handler works with.
type Seat struct {
	Session *Session
	Table   *Table
	Visit   *visit.Visit
	State   visit.State
	Lang    string
	Proc    *procedure.Procedure // nil until one is chosen
	Backs   bool                 // what is scanned are the backs of a stack that was turned over
}

// Seated runs a handler for somebody who has begun a visit; others are shown the start.
func (s *Host) Seated(f func(http.ResponseWriter, *http.Request, Seat)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sess := s.Session(w, r)
		t := sess.Sitting()
		if t == nil {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		at := Seat{Session: sess, Table: t, Visit: t.Visit, State: t.Visit.State(), Lang: sess.Language()}
		if at.State.Procedure != "" {
			at.Proc = s.ProcedureOf(at.State)
		}
		f(w, r, at)
		// Before the answer to a form leaves: it is short, and is sent when this returns. What it says is kept, then.
		s.Keep(t, sess)
	}
}

// TurnAway leads to the page where the visit really stands; every refusal of the state machine ends
// here, so there is no dead end.
func (s *Host) TurnAway(w http.ResponseWriter, r *http.Request, at Seat, err error) {
	to := "/"
	switch {
	case errors.Is(err, visit.ErrOver):
	case errors.Is(err, visit.ErrSubmitted):
		to = "/receipt"
	case errors.Is(err, visit.ErrOpen), errors.Is(err, visit.ErrNoField):
		to = "/check"
	case errors.Is(err, visit.ErrFull):
		to = PapersFull
	case errors.Is(err, visit.ErrNoPaper):
		to = "/papers"
	case errors.Is(err, visit.ErrNotYet):
		to = s.WhereTo(at.Visit.State())
	default:
		s.Log.Error("visit", "visit", at.State.ID, "error", err)
		s.Fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// WhereTo is the page of the first step that is not done.
func (s *Host) WhereTo(state visit.State) string {
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

// NeedProcedure sends a visit whose procedure is not (or no longer) offered to choose one.
func NeedProcedure(w http.ResponseWriter, r *http.Request, at Seat) bool {
	if at.Proc != nil {
		return true
	}
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
	return false
}

// Fail shows a sentence of the catalogue with ways onward.
func (s *Host) Fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	lang := s.Session(w, r).Language()
	s.Render(w, r, status, "fault", View{Title: s.Words.Say(lang, "fault.title"), Path: "/", Back: "/",
		Body: s.Words.Say(lang, key)})
}

// NotFound answers for an address that there is not.
func (s *Host) NotFound(w http.ResponseWriter, r *http.Request) {
	s.Fail(w, r, http.StatusNotFound, "fault.no-page")
}

// QueueFault is the sentence for a submission the queue did not take.
func QueueFault(err error) string {
	switch {
	case errors.Is(err, queue.ErrFull):
		return "fault.queue-full"
	case errors.Is(err, queue.ErrReadOnly):
		return "fault.disk"
	}
	return "fault.not-saved"
}

// ProcedureOf gives a visit's procedure; nil where none was chosen, or it was taken away meanwhile.
func (s *Host) ProcedureOf(state visit.State) *procedure.Procedure {
	p := s.Procedure(state.Procedure)
	if p != nil && state.Supplements != "" {
		return p.Supplement()
	}
	return p
}

// Procedure gives a procedure by code, or nil.
func (s *Host) Procedure(code string) *procedure.Procedure {
	p, err := s.Options.Procedures().Get(code)
	if err != nil {
		return nil
	}
	return p
}
