package screen

import "net/http"

// Refused is why a form with a PIN was refused.
type Refused struct {
	Status int
	Fault  string // the sentence
	Body   any    // what its page fills in again; never the PIN
}

// Refuse sends the browser back to the form's page, which tells of it once. The answer to a PIN is never a page: one that is loaded
// again sends its PIN again, and that costs a try of a token, or makes a member of the staff wait.
func (s *Host) Refuse(w http.ResponseWriter, r *http.Request, page string, why Refused) {
	sess := s.Session(w, r)
	sess.mu.Lock()
	if sess.refused == nil {
		sess.refused = map[string]Refused{}
	}
	sess.refused[page] = why
	sess.mu.Unlock()
	http.Redirect(w, r, page, http.StatusSeeOther)
}

// Refused takes what a page has to tell; its status is 200 where there is nothing.
func (s *Host) Refused(r *http.Request, page string) Refused {
	sess, ok := s.SessionOf(r)
	if !ok {
		return Refused{Status: http.StatusOK}
	}
	sess.mu.Lock()
	defer sess.mu.Unlock()
	why, ok := sess.refused[page]
	if !ok {
		return Refused{Status: http.StatusOK}
	}
	delete(sess.refused, page)
	return why
}
