package web

import (
	"net/http"
	"strconv"

	"motcua/agent/staff"
	"motcua/drivers/scan"
)

// A batch is a stack in the feeder: papers of many citizens who have agreed, for one procedure. It is
// scanned and read as one visit, then split into one visit a person; those wait in the volunteer's line.

func (s *VolunteerPages) batchStart(w http.ResponseWriter, r *http.Request, m staff.Member) {
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
	if !sess.stack(t, p.Code) { // pressed twice
		t.end()
		http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
		return
	}
	done, err := t.visit.Work(now)
	if err != nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	ctx, cancel := t.job()
	at := seat{session: sess, table: t, visit: t.visit, state: t.visit.State(), lang: sess.language(), proc: p}
	t.run(func() {
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
func (s *VolunteerPages) feeder(sc Scanner) scan.Source {
	best := scan.Flatbed
	for _, have := range sc.Info().Sources {
		if have == scan.ADFDuplex || have == scan.ADF && best == scan.Flatbed {
			best = have
		}
	}
	return best
}

func (s *VolunteerPages) batch(w http.ResponseWriter, r *http.Request) *table {
	t, _ := s.session(w, r).stacked()
	return t
}

// scanningBody is the page of a scan that goes on.
type scanningBody struct {
	At     string // address of the live parts of the scan
	Again  string // where to try again
	Papers int    // that can be gone on with when it breaks off
}

func (s *VolunteerPages) batchPage(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if s.batch(w, r) == nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	s.render(w, r, http.StatusOK, "scanning", view{Path: "/desk/batch", Body: scanningBody{At: "/desk/batch", Again: "/desk"}})
}

func (s *VolunteerPages) batchLive(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.batch(w, r); t != nil {
		s.watch(w, r, t, s.session(w, r).language())
	}
}

func (s *VolunteerPages) batchStrip(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	n, err := strconv.Atoi(r.PathValue("n"))
	t := s.batch(w, r)
	if err != nil || t == nil {
		http.NotFound(w, r)
		return
	}
	sendStrip(w, r, t, n)
}

func (s *VolunteerPages) batchStop(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.batch(w, r); t != nil {
		t.cancel()
	}
	http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
}
