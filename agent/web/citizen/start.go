package citizen

import (
	"net/http"

	"motcua/agent/audit"
	"motcua/agent/web/screen"
)

type startBody struct {
	Lost  bool // a visit that was open before a restart is gone
	Taken bool // a volunteer has just taken the visit of this screen to the desk
}

func (s *Pages) start(w http.ResponseWriter, r *http.Request) {
	sess := s.Session(w, r)
	s.Render(w, r, http.StatusOK, "start", screen.View{Body: startBody{Lost: s.LostVisit(), Taken: sess.WasTaken()}})
}

// beginVisit seats a newcomer. A visit that was left open on this screen ends first: it may be
// somebody else's.
func (s *Pages) beginVisit(w http.ResponseWriter, r *http.Request) {
	sess := s.Session(w, r)
	sess.Speak(r.PostForm.Get("lang"))
	if s.Full(w, r) {
		return
	}
	s.LostSeen()
	t := s.Begin(sess)
	s.Keep(t, sess)
	s.Log.Info("visit began", "visit", t.Visit.ID)
	s.Note(audit.Event{Actor: "citizen", Act: audit.VisitBegan, Visit: t.Visit.ID})
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
}

func (s *Pages) setLanguage(w http.ResponseWriter, r *http.Request) {
	s.Session(w, r).Speak(r.PostForm.Get("lang"))
	http.Redirect(w, r, screen.Local(r.PostForm.Get("to")), http.StatusSeeOther)
}

func (s *Pages) setSize(w http.ResponseWriter, r *http.Request) {
	s.Session(w, r).Enlarge(r.PostForm.Get("size"))
	http.Redirect(w, r, screen.Local(r.PostForm.Get("to")), http.StatusSeeOther)
}
