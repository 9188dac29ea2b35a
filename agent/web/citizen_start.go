package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"motcua/agent/audit"
	"motcua/queue"
)

func (s *Site) start(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "start", view{Body: s.lostVisit()})
}

// beginVisit seats a newcomer. A visit that was left open on this screen ends first: it may be
// somebody else's.
func (s *Site) beginVisit(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	if lang := r.PostForm.Get("lang"); slices.Contains(languages, lang) {
		sess.mu.Lock()
		sess.lang = lang
		sess.mu.Unlock()
	}
	if s.full(w, r) {
		return
	}
	s.sessions.mu.Lock()
	s.lost = time.Time{} // whoever it was has seen it, or is gone
	s.sessions.mu.Unlock()
	t := s.begin(sess)
	s.keep(t, sess)
	s.log.Info("visit began", "visit", t.visit.ID)
	s.note(audit.Event{Actor: "citizen", Act: audit.VisitBegan, Visit: t.visit.ID})
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
}

// full refuses a new visit in good time, before somebody has scanned and typed, when the disk is nearly full or can't be
// written.
func (s *Site) full(w http.ResponseWriter, r *http.Request) bool {
	err := s.o.Queue.Room()
	if !errors.Is(err, queue.ErrFull) && !errors.Is(err, queue.ErrReadOnly) { // what else may be wrong shows when something is stored
		return false
	}
	s.log.Error("no new visits", "error", err)
	s.fail(w, r, http.StatusServiceUnavailable, queueFault(err))
	return true
}

func (s *Site) setLanguage(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	if lang := r.PostForm.Get("lang"); slices.Contains(languages, lang) {
		sess.mu.Lock()
		sess.lang = lang
		sess.mu.Unlock()
	}
	http.Redirect(w, r, local(r.PostForm.Get("to")), http.StatusSeeOther)
}

var sizes = []string{"m", "l", "xl"}

func (s *Site) setSize(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	if size := r.PostForm.Get("size"); slices.Contains(sizes, size) {
		sess.mu.Lock()
		sess.size = size
		sess.mu.Unlock()
	}
	http.Redirect(w, r, local(r.PostForm.Get("to")), http.StatusSeeOther)
}

// local keeps a redirect on this site.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	return to
}
