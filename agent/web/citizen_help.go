package web

import (
	"net/http"

	"motcua/agent/audit"
)

func (s *CitizenPages) help(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	back := "/"
	if t := sess.sitting(); t != nil {
		_ = t.visit.Touch(s.now())
		back = local(r.URL.Query().Get("from"))
	}
	s.render(w, r, http.StatusOK, "help", view{Back: back})
}

// call asks a volunteer to come; the call shows on the volunteer's page.
func (s *CitizenPages) call(w http.ResponseWriter, r *http.Request, at seat) {
	now := s.now()
	var err error
	if r.PostForm.Get("off") != "" {
		err = at.visit.Quiet(now)
	} else {
		err = at.visit.Call(now)
		s.note(audit.Event{Actor: "citizen", Act: audit.HelpCalled, Visit: at.state.ID})
	}
	if err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, local(r.PostForm.Get("to")), http.StatusSeeOther)
}
