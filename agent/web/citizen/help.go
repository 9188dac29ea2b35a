package citizen

import (
	"net/http"

	"motcua/agent/audit"
	"motcua/agent/web/screen"
)

func (s *Pages) help(w http.ResponseWriter, r *http.Request) {
	sess := s.Session(w, r)
	back := "/"
	if t := sess.Sitting(); t != nil {
		_ = t.Visit.Touch(s.Now())
		back = screen.Local(r.URL.Query().Get("from"))
	}
	s.Render(w, r, http.StatusOK, "help", screen.View{Back: back})
}

// call asks a volunteer to come; the call shows on the volunteer's page.
func (s *Pages) call(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	now := s.Now()
	var err error
	if r.PostForm.Get("off") != "" {
		err = at.Visit.Quiet(now)
	} else {
		err = at.Visit.Call(now)
		s.Note(audit.Event{Actor: "citizen", Act: audit.HelpCalled, Visit: at.State.ID})
	}
	if err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, screen.Local(r.PostForm.Get("to")), http.StatusSeeOther)
}
