package web

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Site) start(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "start", view{})
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
	t := s.begin(sess)
	s.log.Info("visit began", "visit", t.visit.ID)
	s.note(r.Context(), "citizen", "visit.begin", t.visit.ID)
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
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
