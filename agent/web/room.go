package web

import (
	"errors"
	"net/http"

	"motcua/queue"
)

// What all visits together may take: a kiosk has one screen and a volunteer's line, and the daemon 2 GB.
const (
	maxVisits = 96
	maxHeld   = 768 << 20 // bytes of pages
)

// full refuses a new visit in good time, before somebody has scanned and typed, when the disk is nearly full or can't be
// written, or too much is open.
func (s *Host) full(w http.ResponseWriter, r *http.Request) bool {
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
func (s *Host) held() (visits, bytes int) {
	for _, t := range s.sessions.visits() {
		visits++
		bytes += t.visit.Size()
	}
	return visits, bytes
}
