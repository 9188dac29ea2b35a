package web

import (
	"net/http"
	"strconv"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/staff"
	"motcua/agent/visit"
	"motcua/drivers/scan"
)

// A batch is a stack in the feeder: papers of many citizens who have agreed, for one procedure. It is
// scanned and read as one visit, then split into one visit a person; those wait in the volunteer's line.

func (s *Site) batchStart(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.session(w, r)
	p := s.procedureOf(r.PostForm.Get("procedure"))
	sc := s.scanner()
	fault := ""
	switch {
	case p == nil:
		fault = "no-procedure"
	case r.PostForm.Get("agreed") == "":
		fault = "no-consent"
	case sc == nil:
		fault = string(scan.NoDevice)
	}
	if fault != "" {
		http.Redirect(w, r, "/desk?fault="+fault, http.StatusSeeOther)
		return
	}
	if s.full(w, r) {
		return
	}
	t := s.newTable()
	t.stack = true
	now := s.now()
	_ = t.visit.Pick(now, p.Code) // a new visit refuses none of these
	_ = t.visit.Agree(now)
	_ = t.visit.TakeOver(now, m.Name, s.o.Helped)
	sess.mu.Lock()
	if sess.batch != nil && sess.batch.visit.State().Busy {
		sess.mu.Unlock()
		t.end()
		http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
		return
	}
	old := sess.batch
	sess.batch, sess.picked = t, p.Code
	sess.mu.Unlock()
	if old != nil {
		old.end()
	}
	done, err := t.visit.Work(now)
	if err != nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	ctx, cancel := t.job()
	at := seat{session: sess, table: t, visit: t.visit, state: t.visit.State(), lang: sess.language(), proc: p}
	t.run(s, func() {
		defer cancel()
		end := s.scanJob(ctx, at, sc, s.feeder(sc))
		done(s.now())
		if end.Kind == "done" || len(t.visit.State().Papers) > 0 && ctx.Err() == nil {
			s.deal(t, p, m.Name)
			if end.Kind == "done" {
				end.To = "/desk"
			}
		}
		t.live.send(end)
	})
	http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
}

// feeder is where a stack lies: the feeder with both sides, the feeder, else the glass.
func (s *Site) feeder(sc Scanner) scan.Source {
	best := scan.Flatbed
	for _, have := range sc.Info().Sources {
		if have == scan.ADFDuplex || have == scan.ADF && best == scan.Flatbed {
			best = have
		}
	}
	return best
}

// deal makes a visit of each person in the stack and puts them in the line. The bytes move: the stack's
// own visit is wiped after.
func (s *Site) deal(stack *table, p *procedure.Procedure, name string) {
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

func (s *Site) batch(w http.ResponseWriter, r *http.Request) *table {
	sess := s.session(w, r)
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.batch
}

func (s *Site) batchPage(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if s.batch(w, r) == nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	s.render(w, r, http.StatusOK, "scanning", view{Path: "/desk/batch", Body: scanBody{At: "/desk/batch", Again: "/desk"}})
}

func (s *Site) batchLive(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.batch(w, r); t != nil {
		s.watch(w, r, t, s.session(w, r).language())
	}
}

func (s *Site) batchStrip(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	n, err := strconv.Atoi(r.PathValue("n"))
	t := s.batch(w, r)
	if err != nil || t == nil {
		http.NotFound(w, r)
		return
	}
	sendStrip(w, r, t, n)
}

func (s *Site) batchStop(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.batch(w, r); t != nil {
		t.cancel()
	}
	http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
}
