// Package web is the screen of the counter: server-rendered pages for the citizen, the volunteer and
// the technician. In go HTTP requests of one kiosk's browser, pages of the scanner and readings of
// recognition; out come confirmed submissions to the queue and pages that never show a Go error.
//
// It promises: it answers only its own origin (guard.go); nothing of a visit can be seen after the visit
// has ended (citizen_leave.go); every page works by finger, by keyboard and without JavaScript but for
// its live parts; every sentence exists in Vietnamese and English.
package web

import (
	"net/http"
)

// Site is the handler of all pages. Run must be running for silent visits to end by themselves.
type Site struct {
	*Host
	handler http.Handler
}

// New builds the site; it fails only on a mistake in the program's own templates or catalogues.
func New(o Options) (*Site, error) {
	host, err := NewHost(o)
	if err != nil {
		return nil, err
	}
	s := &Site{Host: host}
	mux := http.NewServeMux()
	NewCitizen(host).Routes(mux)
	if o.Console.Roll != nil {
		technician, err := NewTechnician(host)
		if err != nil {
			return nil, err
		}
		s.staffRoutes(mux)
		technician.Routes(mux)
		NewVolunteer(host).Routes(mux)
	}
	mux.Handle("GET /static/", assets())
	mux.HandleFunc("/", s.notFound)
	s.handler = s.guard(mux)
	s.restore()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
