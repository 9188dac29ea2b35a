package citizen

import (
	"net/http"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
)

func (s *Pages) choose(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if err := at.Visit.Go(s.Now(), visit.Choose); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	s.Render(w, r, http.StatusOK, "choose", screen.View{Steps: s.Steps(at.Lang, visit.Choose), Back: "/", Body: s.Options.Procedures().All})
}

func (s *Pages) about(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	p, err := s.Options.Procedures().Get(r.PathValue("code"))
	if err != nil {
		http.Redirect(w, r, "/choose", http.StatusSeeOther)
		return
	}
	_ = at.Visit.Touch(s.Now())
	s.Render(w, r, http.StatusOK, "about", screen.View{Steps: s.Steps(at.Lang, visit.Choose), Back: "/choose",
		Title: p.Plain.In(at.Lang), Read: p.Plain.In(at.Lang) + ". " + p.Summary.In(at.Lang), Body: p})
}

func (s *Pages) pick(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	p, err := s.Options.Procedures().Get(r.PathValue("code"))
	if err != nil {
		http.Redirect(w, r, "/choose", http.StatusSeeOther)
		return
	}
	if err := at.Visit.Pick(s.Now(), p.Code); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	if state := at.Visit.State(); state.Step == visit.Scan && len(state.Papers) > 0 {
		// Another procedure for papers that lie here already: fill its form from them.
		if err := counter.Fill(at.Visit, p, s.Now()); err != nil {
			s.TurnAway(w, r, at, err)
			return
		}
		http.Redirect(w, r, "/papers", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, s.WhereTo(at.Visit.State()), http.StatusSeeOther)
}

func (s *Pages) consent(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Consent); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	s.showConsent(w, r, at, http.StatusOK, false)
}

type consentBody struct {
	Given   bool
	Missing bool // pressed on without the tick
}

func (s *Pages) showConsent(w http.ResponseWriter, r *http.Request, at screen.Seat, status int, missing bool) {
	s.Render(w, r, status, "consent", screen.View{Steps: s.Steps(at.Lang, visit.Consent), Path: "/consent", Commits: true,
		Back: "/choose/" + at.Proc.Code, Body: consentBody{Given: !at.State.Consented.IsZero(), Missing: missing}})
}

// agree records consent. It takes a tick of its own and then the button: one tap that was meant for the page
// before gives no consent.
func (s *Pages) agree(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if r.PostForm.Get("agreed") == "" {
		s.showConsent(w, r, at, http.StatusUnprocessableEntity, true)
		return
	}
	if err := at.Visit.Agree(s.Now()); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	s.Note(audit.Event{Actor: "citizen", Act: audit.ConsentGiven, Reason: screen.ConsentVersion, Visit: at.State.ID})
	http.Redirect(w, r, "/scan", http.StatusSeeOther)
}
