package screen

import (
	"errors"
	"maps"
	"time"

	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/drivers/scan"
	"motcua/ocr/paper"
)

// Readings come from devices that see no picture: QR readers on a serial line, chips. They are laid over
// the scan of the same card, whichever of the two comes first; while one person only is at the kiosk they
// fill the form also without one.

// Expects lists the cards that open visits have read.
func (s *Host) Expects() []visit.Card {
	var cards []visit.Card
	add := func(value func(paper.Name) string) {
		if n := value(paper.Number); n != "" {
			cards = append(cards, visit.Card{Number: n, Birth: value(paper.DateOfBirth), Expiry: value(paper.DateOfExpiry)})
		}
	}
	for _, t := range s.taking() {
		state := t.Visit.State()
		for _, p := range state.Papers {
			for _, d := range p.Documents {
				add(func(n paper.Name) string { return d.Fields[n].Value })
			}
		}
		for _, r := range state.Readings {
			add(func(n paper.Name) string { return r.Values[n] })
		}
	}
	return cards
}

// LastReading is what a reader gave last, whoever it was for, without a value: a technician tries a reader by it.
type LastReading struct {
	Time   time.Time // zero: nothing yet
	Source paper.Source
	Fields int
	Fault  string // key: why nothing could be read
}

// LastReading tells what a reader gave last.
func (s *Host) LastReading() LastReading {
	s.lastMu.Lock()
	defer s.lastMu.Unlock()
	return s.last
}

func (s *Host) noteReading(r LastReading) {
	s.lastMu.Lock()
	defer s.lastMu.Unlock()
	r.Time = s.Now()
	s.last = r
}

// Offer gives a reading to the visits that may take one, and reports whether any did.
func (s *Host) Offer(src paper.Source, values map[paper.Name]string) bool {
	s.noteReading(LastReading{Source: src, Fields: len(values)})
	for _, v := range values {
		if OddText(v) { // no card carries that: whoever made the code wants something of the screen or the office
			s.Log.Warn("reading refused", "why", ErrOddText, "source", src)
			return false
		}
	}
	taking := s.taking()
	taken := false
	for _, t := range taking {
		// Each visit has its own copy: it is wiped with the visit.
		r := visit.Reading{Source: src, Values: maps.Clone(values), Alone: len(taking) == 1}
		if t.Visit.Hold(s.Now(), r) != nil {
			continue
		}
		taken = true
		state := t.Visit.State()
		if proc := s.ProcedureOf(state); proc != nil {
			if err := counter.Fill(t.Visit, proc, s.Now()); err != nil {
				s.Log.Error("fill form", "visit", state.ID, "error", err)
			}
		}
		t.Live.Send(Event{Kind: "reading", Key: "source." + string(src)})
	}
	return taken
}

// Trouble tells the person at the kiosk what to do when a card could not be read.
func (s *Host) Trouble(err error) {
	var fault *scan.Fault
	if !errors.As(err, &fault) {
		return
	}
	s.noteReading(LastReading{Fault: fault.Message()})
	for _, t := range s.taking() {
		t.Live.Send(Event{Kind: "trouble", Key: fault.Message()})
	}
}

// taking lists the visits that may take a reading: consent was given and nothing was sent yet.
func (s *Host) taking() []*Table {
	var taking []*Table
	for _, t := range s.Sessions.Visits() {
		if state := t.Visit.State(); !state.Consented.IsZero() && state.Step != visit.Receipt {
			taking = append(taking, t)
		}
	}
	return taking
}
