package web

import (
	"net/http"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/visit"
)

func (s *CitizenPages) choose(w http.ResponseWriter, r *http.Request, at seat) {
	if err := at.visit.Go(s.now(), visit.Choose); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	s.render(w, r, http.StatusOK, "choose", view{Steps: s.steps(at.lang, visit.Choose), Back: "/", Body: s.o.Procedures().All})
}

func (s *CitizenPages) about(w http.ResponseWriter, r *http.Request, at seat) {
	p, err := s.o.Procedures().Get(r.PathValue("code"))
	if err != nil {
		http.Redirect(w, r, "/choose", http.StatusSeeOther)
		return
	}
	_ = at.visit.Touch(s.now())
	s.render(w, r, http.StatusOK, "about", view{Steps: s.steps(at.lang, visit.Choose), Back: "/choose",
		Title: p.Plain.In(at.lang), Read: p.Plain.In(at.lang) + ". " + p.Summary.In(at.lang), Body: p})
}

func (s *CitizenPages) pick(w http.ResponseWriter, r *http.Request, at seat) {
	p, err := s.o.Procedures().Get(r.PathValue("code"))
	if err != nil {
		http.Redirect(w, r, "/choose", http.StatusSeeOther)
		return
	}
	if err := at.visit.Pick(s.now(), p.Code); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	if state := at.visit.State(); state.Step == visit.Scan && len(state.Papers) > 0 {
		// Another procedure for papers that lie here already: fill its form from them.
		if err := counter.Fill(at.visit, p, s.now()); err != nil {
			s.turnAway(w, r, at, err)
			return
		}
		http.Redirect(w, r, "/papers", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, s.whereTo(at.visit.State()), http.StatusSeeOther)
}

// consentVersion names the text of consent.* in the catalogue; it is kept with the submission. Change
// it whenever the text changes.
const consentVersion = "2026-11"

func (s *CitizenPages) consent(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if err := at.visit.Go(s.now(), visit.Consent); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	s.showConsent(w, r, at, http.StatusOK, false)
}

type consentBody struct {
	Given   bool
	Missing bool // pressed on without the tick
}

func (s *CitizenPages) showConsent(w http.ResponseWriter, r *http.Request, at seat, status int, missing bool) {
	s.render(w, r, status, "consent", view{Steps: s.steps(at.lang, visit.Consent), Path: "/consent", Commits: true,
		Back: "/choose/" + at.proc.Code, Body: consentBody{Given: !at.state.Consented.IsZero(), Missing: missing}})
}

// agree records consent. It takes a tick of its own and then the button: one tap that was meant for the page
// before gives no consent.
func (s *CitizenPages) agree(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if r.PostForm.Get("agreed") == "" {
		s.showConsent(w, r, at, http.StatusUnprocessableEntity, true)
		return
	}
	if err := at.visit.Agree(s.now()); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	s.note(audit.Event{Actor: "citizen", Act: audit.ConsentGiven, Reason: consentVersion, Visit: at.state.ID})
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}
