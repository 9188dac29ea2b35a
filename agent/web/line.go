package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/staff"
	"motcua/agent/visit"
)

// lineLimits is how long a visit may wait in the volunteers' line before it is wiped: a working day.
var lineLimits = visit.Limits{Silence: 12 * time.Hour}

type waiting struct {
	ID     string
	Who    string // the name that was read, for the volunteer who has the person before them
	What   string
	Step   string
	Open   int
	Pages  int
	Called bool
	Since  time.Time
}

func (s *Host) waiting(t *table, lang string) waiting {
	state := t.visit.State()
	w := waiting{ID: state.ID, Open: len(state.Open()), Pages: counter.Pages(state.Papers), Called: !state.Called.IsZero(), Since: state.Started,
		Step: s.words.say(lang, "desk.step."+string(state.Step))}
	if p, err := s.o.Procedures().Get(state.Procedure); err == nil {
		w.What = p.Plain.In(lang)
	}
	for _, e := range state.Form {
		if strings.HasSuffix(e.From, ".full_name") && e.Value != "" {
			w.Who = e.Value
			break
		}
	}
	return w
}

// seat puts a visit before the volunteer. One that was open goes back to the line, unless it is done.
func (s *Host) seat(r *http.Request, sess *session, t *table, m staff.Member) error {
	if err := t.visit.TakeOver(s.now(), m.Name, s.o.Helped); err != nil {
		return err
	}
	sess.mu.Lock()
	old := sess.table
	sess.table = t
	sess.mu.Unlock()
	s.keep(t, sess)
	if old != nil && old != t {
		s.putBack(r.Context(), old)
	}
	return nil
}

// putBack puts a visit that a volunteer had open into the line, unless it is done or has nothing in it.
func (s *Host) putBack(ctx context.Context, t *table) {
	state := t.visit.State()
	if state.Begun() {
		_ = t.visit.TakeOver(s.now(), state.Staff, lineLimits) // fails where it has just ended
		s.sessions.enqueue(t)
		s.keep(t, nil)
		return
	}
	why := "left"
	if state.Code != "" {
		why = "finished"
	}
	s.endVisit(ctx, t, why)
}

func (s *Host) helped(m staff.Member, id string) {
	s.log.Info("visit taken over", "visit", id)
	s.note(audit.Event{Actor: actor(m), Act: audit.HelpTaken, Visit: id})
}

// deal makes a visit of each person in the stack and puts them in the line. The bytes move: the stack's
// own visit is wiped after.
func (s *Host) deal(stack *table, p *procedure.Procedure, name string) {
	consented := stack.visit.State().Consented
	var dealt []*table
	_ = stack.visit.Use(func(papers []visit.Paper) error {
		for _, person := range counter.Split(papers) {
			t := s.newTable()
			now := s.now()
			_ = t.visit.Pick(now, p.Code)
			_ = t.visit.Agree(consented)
			_ = t.visit.TakeOver(now, name, lineLimits)
			for _, page := range person {
				page.Data = append([]byte(nil), page.Data...) // the stack's copy is wiped
				if _, err := t.visit.Add(now, page); err != nil {
					s.log.Error("deal", "visit", t.visit.ID, "error", err)
				}
			}
			if err := counter.Fill(t.visit, p, now); err != nil {
				s.log.Error("fill form", "visit", t.visit.ID, "error", err)
			}
			dealt = append(dealt, t)
			s.keep(t, nil)
			s.note(audit.Event{Actor: string(staff.Volunteer) + ":" + name, Act: audit.VisitBegan, Visit: t.visit.ID})
		}
		return nil
	})
	s.sessions.enqueue(dealt...)
	stack.visit.Wipe()
	s.forget(stack) // each of its persons is kept by now
}
