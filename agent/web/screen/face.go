package screen

import (
	"slices"
	"strings"
	"sync"

	"motcua/agent/visit"
	"motcua/ocr/paper"
)

// The picture in a card's chip, for a volunteer to lay beside the person: it is decoded in recognition's sandbox, held with
// the table in memory alone, shown to whoever is signed in where the visit sits, and wiped with the visit. It is in no
// draft, on no disk and in no submission, since the visit does not know of it.

// Bounds of what is shown: a chip's picture is about 300 pixels wide, and a matter has a few persons.
const (
	faceWidth = 360 // pixels
	mostFaces = 8
)

// faces are those of one table.
type faces struct {
	mu    sync.Mutex // guards the rest
	known []face
	over  bool
}

type face struct {
	number string // of the card
	jpeg   []byte
}

// Of tells under which number a card's picture is shown, from 1; 0: there is none.
func (f *faces) Of(number string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return 1 + slices.IndexFunc(f.known, func(one face) bool { return one.number == number })
}

// Get gives a copy of a picture.
func (f *faces) Get(n int) (jpeg []byte, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < 1 || n > len(f.known) {
		return nil, false
	}
	return slices.Clone(f.known[n-1].jpeg), true
}

func (f *faces) put(number string, jpeg []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || len(f.known) >= mostFaces {
		clear(jpeg)
		return
	}
	f.known = append(f.known, face{strings.Clone(number), jpeg})
}

// Wipe forgets all for good.
func (f *faces) Wipe() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.known {
		clear(one.jpeg)
	}
	f.known, f.over = nil, true
}

// WantsFace reports whether somebody of the staff is signed in where the visit with that card sits, and has no picture of it.
func (s *Host) WantsFace(number string) bool { return len(s.wanting(number)) > 0 }

// Face gives the picture of a chip that proved itself to the visits that want it.
func (s *Host) Face(number string, picture []byte) {
	for _, t := range s.wanting(number) {
		jpeg, err := s.Options.Reader.Preview(t.Context, picture, 1, faceWidth)
		if err != nil {
			s.Log.Warn("picture of a chip not shown", "visit", t.Visit.ID, "error", err)
			continue
		}
		t.Faces.put(number, jpeg)
		t.Live.Send(Event{Kind: "reading", Key: "source." + string(paper.Chip)})
	}
}

func (s *Host) wanting(number string) (all []*Table) {
	for _, sess := range s.Sessions.All() {
		t := sess.Sitting()
		if t == nil || !s.staffed(sess) || t.Faces.Of(number) > 0 {
			continue
		}
		state := t.Visit.State()
		if !state.Consented.IsZero() && state.Step != visit.Receipt && holds(state, number) {
			all = append(all, t)
		}
	}
	return all
}

// staffed is Staffed for a sign-in that still holds.
func (s *Host) staffed(sess *Session) bool {
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.member.Name != "" && s.Now().Before(sess.until)
}

// holds reports whether a card of that number was read in the visit.
func holds(state visit.State, number string) bool {
	for _, p := range state.Papers {
		for _, d := range p.Documents {
			if d.Fields[paper.Number].Value == number {
				return true
			}
		}
	}
	return slices.ContainsFunc(state.Readings, func(r visit.Reading) bool { return r.Values[paper.Number] == number })
}
