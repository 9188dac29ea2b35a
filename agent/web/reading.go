package web

import (
	"time"

	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Readings come from devices that see no picture: QR readers on a serial line, chips. They are laid over
// the scan of the same card, whichever of the two is first.

// Expects lists the personal numbers that were read in open visits: a chip opens by the last digits of its
// card's number.
func (s *Site) Expects() []string {
	var numbers []string
	for _, t := range s.sessions.visits() {
		for _, p := range t.visit.State().Papers {
			for _, d := range p.Documents {
				if n := d.Fields[paper.Number].Value; n != "" {
					numbers = append(numbers, n)
				}
			}
		}
	}
	return numbers
}

// Offer lays a reading over every open visit's scan of the same card, now or as soon as that card is
// scanned. It reports whether a visit is open at all. What no visit takes is forgotten with the visits.
func (s *Site) Offer(src paper.Source, values map[paper.Name]string) bool {
	open := s.sessions.visits()
	for _, t := range open {
		t.jobs.Go(func() {
			tick := time.NewTicker(300 * time.Millisecond)
			defer tick.Stop()
			for !s.lay(t, src, values) {
				select {
				case <-tick.C:
				case <-t.ctx.Done():
					return
				}
			}
		})
	}
	return len(open) > 0
}

// lay reports true once the reading was laid over a scan of its card.
func (s *Site) lay(t *table, src paper.Source, values map[paper.Name]string) bool {
	state := t.visit.State()
	laid := false
	for _, p := range state.Papers {
		if p.Reading {
			continue
		}
		docs := append([]paper.Document(nil), p.Documents...)
		mine := false
		for i := range docs {
			if same(docs[i], values) {
				ocr.Merge(&docs[i], src, values)
				mine = true
			}
		}
		if mine && t.visit.Read(s.now(), p.ID, p.Pages, docs, p.Problem) == nil {
			laid = true
		}
	}
	if !laid {
		return false
	}
	if proc := s.procedureOf(state.Procedure); proc != nil && state.Step != visit.Receipt {
		if err := s.fill(t.visit, proc); err != nil {
			s.log.Error("fill form", "visit", state.ID, "error", err)
		}
	}
	t.live.send(event{Kind: "read", Key: "paper." + string(paper.CCCD)})
	return true
}

// same tells whether a reading is of the card that was scanned: by its number, or where that was misread
// by name and date of birth.
func same(d paper.Document, values map[paper.Name]string) bool {
	is := func(n paper.Name) bool {
		return values[n] != "" && vn.Same(d.Fields[n].Value, values[n])
	}
	return is(paper.Number) || is(paper.FullName) && is(paper.DateOfBirth)
}
