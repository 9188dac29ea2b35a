package web

import (
	"net/http"

	"motcua/agent/audit"
)

type startBody struct {
	Lost  bool // a visit that was open before a restart is gone
	Taken bool // a volunteer has just taken the visit of this screen to the desk
}

func (s *CitizenPages) start(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	s.render(w, r, http.StatusOK, "start", view{Body: startBody{Lost: s.lostVisit(), Taken: sess.wasTaken()}})
}

// beginVisit seats a newcomer. A visit that was left open on this screen ends first: it may be
// somebody else's.
func (s *CitizenPages) beginVisit(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	sess.speak(r.PostForm.Get("lang"))
	if s.full(w, r) {
		return
	}
	s.lostSeen()
	t := s.begin(sess)
	s.keep(t, sess)
	s.log.Info("visit began", "visit", t.visit.ID)
	s.note(audit.Event{Actor: "citizen", Act: audit.VisitBegan, Visit: t.visit.ID})
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
}

func (s *CitizenPages) setLanguage(w http.ResponseWriter, r *http.Request) {
	s.session(w, r).speak(r.PostForm.Get("lang"))
	http.Redirect(w, r, local(r.PostForm.Get("to")), http.StatusSeeOther)
}

func (s *CitizenPages) setSize(w http.ResponseWriter, r *http.Request) {
	s.session(w, r).enlarge(r.PostForm.Get("size"))
	http.Redirect(w, r, local(r.PostForm.Get("to")), http.StatusSeeOther)
}
