package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"motcua/agent/audit"
	"motcua/queue"
)

type startBody struct {
	Lost  bool // a visit that was open before a restart is gone
	Taken bool // a volunteer has just taken the visit of this screen to the desk
}

func (s *Site) start(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	sess.mu.Lock()
	b := startBody{Lost: s.lostVisit(), Taken: sess.taken}
	sess.taken = false
	sess.mu.Unlock()
	s.render(w, r, http.StatusOK, "start", view{Body: b})
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

// What all visits together may take: a kiosk has one screen and a volunteer's line, and the daemon 2 GB.
const (
	maxVisits = 96
	maxHeld   = 768 << 20 // bytes of pages
)

// full refuses a new visit in good time, before somebody has scanned and typed, when the disk is nearly full or can't be
// written, or too much is open.
func (s *Site) full(w http.ResponseWriter, r *http.Request) bool {
	key := ""
	err := s.o.Queue.Room()
	visits, held := s.held()
	switch {
	case errors.Is(err, queue.ErrFull), errors.Is(err, queue.ErrReadOnly): // what else may be wrong shows when something is stored
		key = queueFault(err)
	case visits >= maxVisits || held >= maxHeld:
		key = "fault.crowded"
	default:
		return false
	}
	s.log.Error("no new visits", "error", err, "visits", visits, "bytes", held)
	s.fail(w, r, http.StatusServiceUnavailable, key)
	return true
}

// held is how many visits are open, and how many bytes of pages they have.
func (s *Site) held() (visits, bytes int) {
	for _, t := range s.sessions.visits() {
		visits++
		bytes += t.visit.Size()
	}
	return visits, bytes
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
	odd := func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f } // browsers take these out, or for a slash
	u, err := url.Parse(to)
	if err != nil || strings.ContainsFunc(to+u.Path, odd) || u.Scheme != "" || u.Opaque != "" || u.User != nil || u.Host != "" ||
		!strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || oddPath(u) {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}).String()
}
