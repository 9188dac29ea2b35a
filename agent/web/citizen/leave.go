package citizen

import (
	"encoding/json"
	"net/http"

	"motcua/agent/web/screen"
)

// leave ends the visit and has the browser forget all of it: cookie, cache and stored pages. What a
// finished, left or silent visit showed cannot be called back by the browser's history, for every page
// was sent with no-store and its session is gone.
func (s *Pages) leave(w http.ResponseWriter, r *http.Request) {
	sess := s.Session(w, r)
	if t := sess.Sitting(); t != nil {
		if t.Visit.IsSending() && r.PostForm.Get("why") == "silence" {
			// The screen counts silence by itself, and knows nothing of what takes so long here: the code is about to come.
			http.Redirect(w, r, "/confirm", http.StatusSeeOther)
			return
		}
		why := "left"
		switch {
		case t.Visit.State().Code != "":
			why = "finished"
		case r.PostForm.Get("why") == "silence":
			why = "silence"
		}
		s.EndVisit(r.Context(), t, why)
	}
	if _, staffed := s.SignedIn(r); staffed { // a volunteer goes on with the next
		sess.Rise()
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	s.Sessions.Drop(sess)
	h := w.Header()
	h.Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	http.SetCookie(w, &http.Cookie{Name: screen.CookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// stay is a sign of life; the answer says how long the visit may be silent from now.
func (s *Pages) stay(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if err := at.Visit.Touch(s.Now()); err != nil {
		http.Error(w, http.StatusText(http.StatusGone), http.StatusGone)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.Silence(at.Table))
}
