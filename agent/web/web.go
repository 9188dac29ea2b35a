// Package web is the screen of the counter: server-rendered pages for the citizen, the volunteer, the
// officer who signs there, and the technician. In go HTTP requests of one kiosk's browser, pages of the scanner and readings of
// recognition; out come confirmed submissions to the queue and pages that never show a Go error.
//
// It only joins what makes the pages, and lets in what may ask for them (guard.go): package screen is what they
// stand on, citizen, volunteer, officer and technician are one package a role, none of which knows another.
//
// It promises: it answers only its own origin (guard.go); nothing of a visit can be seen after the visit
// has ended (citizen/leave.go); every page works by finger, by keyboard and without JavaScript but for
// its live parts; every sentence exists in Vietnamese and English. Its tests are of the whole site.
package web

import (
	"net/http"

	"motcua/agent/web/citizen"
	"motcua/agent/web/officer"
	"motcua/agent/web/screen"
	"motcua/agent/web/technician"
	"motcua/agent/web/volunteer"
)

// Site is the handler of all pages. Run must be running for silent visits to end by themselves.
type Site struct {
	*screen.Host
	handler http.Handler
}

// New builds the site; it fails only on a mistake in the program's own templates or catalogues.
func New(o screen.Options) (*Site, error) {
	host, err := screen.New(o)
	if err != nil {
		return nil, err
	}
	s := &Site{Host: host}
	mux := http.NewServeMux()
	host.ShownRoutes(mux)
	citizen.New(host).Routes(mux)
	if o.Console.Roster != nil {
		s.StaffRoutes(mux)
		technician.New(host).Routes(mux)
		volunteer.New(host).Routes(mux)
		if host.Officers() {
			officer.New(host).Routes(mux)
		}
	}
	mux.Handle("GET /static/", screen.Assets())
	mux.HandleFunc("GET /elsewhere", s.elsewhere)
	mux.HandleFunc("/", s.NotFound)
	s.handler = s.guard(mux)
	s.Restore()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
