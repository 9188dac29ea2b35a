package screen

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"motcua/agent/visit"
)

// Shown tells whether the kiosk's own screen shows a page of ours: each page says so while it can be seen (static/shown.js). Its
// browser is started anew where none has for too long (motcua screen): it shows a page of the portal that somebody left, a file, or
// that the kiosk could not be reached while it was started anew.
type Shown struct {
	Ever  bool          `json:"ever"`  // since the daemon runs
	Away  time.Duration `json:"away"`  // since then, or since the daemon runs
	Limit time.Duration `json:"limit"` // as long may it be away
	Tries int           `json:"tries"` // browsers that were started since then; the one that asks is among them
}

const (
	// tellPace is shown.js's: so long ago may it be that a page said that it is seen, though it was left just now.
	tellPace = 10 * time.Second
	// backWithin is how soon a page of ours that is open shows itself once the daemon runs again.
	backWithin = 3 * tellPace
	// restWithin is how long nothing of ours may be seen where no visit goes on: from there nothing leads elsewhere.
	restWithin = time.Minute
)

// Begun, in the query of "GET /away", says that its keeper has just started a browser.
const Begun = "begun"

// shown is what is known of the kiosk's own screen.
type shown struct {
	mu   sync.Mutex // guards the rest
	last Shown
	at   time.Time
	kept time.Time // when the browser's keeper last asked
}

// ShownRoutes adds what pages and the browser's keeper ask.
func (s *Host) ShownRoutes(mux *http.ServeMux) {
	s.shown.at, s.shown.last.Limit = s.Now(), backWithin
	mux.HandleFunc("GET /shown", func(w http.ResponseWriter, r *http.Request) {
		if DeviceOf(r) == ownScreen {
			s.isShown(r)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, r *http.Request) {
		s.shown.mu.Lock()
		if DeviceOf(r) == ownScreen {
			s.shown.kept = s.Now()
			if r.URL.Query().Has(Begun) {
				s.shown.last.Tries++
			}
		}
		now := s.shown.last
		now.Away = s.Now().Sub(s.shown.at)
		s.shown.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(now) // to nobody, if that fails
	})
}

// filesHere tells whether the browser that asks can open a file dialog. The kiosk's own can't, by the policy that comes with the
// package (configs/packaging/chromium-policy.json): it is the one here that is kept at our pages.
func (s *Host) filesHere(r *http.Request) bool {
	s.shown.mu.Lock()
	defer s.shown.mu.Unlock()
	return DeviceOf(r) != ownScreen || s.shown.kept.IsZero() || s.Now().Sub(s.shown.kept) > backWithin
}

// OnPortal notes that the kiosk's own screen shows the portal's form of a visit that goes on, as the extension there says.
func (s *Host) OnPortal() {
	s.shown.mu.Lock()
	defer s.shown.mu.Unlock()
	s.shown.last, s.shown.at = Shown{Ever: true, Limit: s.Options.Citizen.Silence}, s.Now()
}

// isShown notes that a page is seen. Away it may be for as long as its visit may be silent: for longer where somebody of the staff
// has signed in, or a form is whole and may be filled on the portal, which takes minutes; for less where nobody sits.
func (s *Host) isShown(r *http.Request) {
	limit := s.Options.Citizen.Silence
	_, longer := s.SignedIn(r)
	var t *Table
	if sess, ok := s.SessionOf(r); ok {
		t = sess.Sitting()
	}
	switch {
	case longer:
	case t == nil:
		limit = min(limit, restWithin)
	case s.Options.Portal != nil:
		longer = t.Visit.State().Step == visit.Confirm
	}
	if longer {
		limit = max(limit, s.Options.Helped.Silence)
	}
	s.shown.mu.Lock()
	defer s.shown.mu.Unlock()
	s.shown.last, s.shown.at = Shown{Ever: true, Limit: limit + tellPace}, s.Now()
}
