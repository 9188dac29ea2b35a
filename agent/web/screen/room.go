package screen

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

// Full refuses a new visit in good time, before somebody has scanned and typed, when the disk is nearly full or can't be
// written, or too much is open.
func (s *Host) Full(w http.ResponseWriter, r *http.Request) bool {
	key := ""
	err := s.Options.Queue.Room()
	visits, held := s.held()
	switch {
	case errors.Is(err, queue.ErrFull), errors.Is(err, queue.ErrReadOnly): // what else may be wrong shows when something is stored
		key = QueueFault(err)
	case visits >= maxVisits || held >= maxHeld:
		key = "fault.crowded"
	default:
		return false
	}
	s.Log.Error("no new visits", "error", err, "visits", visits, "bytes", held)
	s.Fail(w, r, http.StatusServiceUnavailable, key)
	return true
}

// held is how many visits are open, and how many bytes of pages they have.
func (s *Host) held() (visits, bytes int) {
	for _, t := range s.Sessions.Visits() {
		visits++
		bytes += t.Visit.Size()
	}
	return visits, bytes
}
