package web

import (
	"encoding/json"
	"net/http"
)

// leave ends the visit and has the browser forget all of it: cookie, cache and stored pages. What a
// finished, left or silent visit showed cannot be called back by the browser's history, for every page
// was sent with no-store and its session is gone.
func (s *CitizenPages) leave(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	if t := sess.sitting(); t != nil {
		why := "left"
		switch {
		case t.visit.State().Code != "":
			why = "finished"
		case r.PostForm.Get("why") == "silence":
			why = "silence"
		}
		s.endVisit(r.Context(), t, why)
	}
	if _, staffed := s.signedIn(r); staffed { // a volunteer goes on with the next
		sess.rise()
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	s.sessions.drop(sess)
	h := w.Header()
	h.Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// stay is a sign of life; the answer says how long the visit may be silent from now.
func (s *CitizenPages) stay(w http.ResponseWriter, r *http.Request, at seat) {
	if err := at.visit.Touch(s.now()); err != nil {
		http.Error(w, http.StatusText(http.StatusGone), http.StatusGone)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.silence(at.table))
}
