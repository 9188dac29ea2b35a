package volunteer

import (
	"net/http"
	"strconv"

	"motcua/agent/staff"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
)

// A batch is a stack in the feeder: papers of many citizens who have agreed, for one procedure. It is
// scanned and read as one visit, then split into one visit a person; those wait in the volunteer's line.

func (s *Pages) batchStart(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.Session(w, r)
	p := s.Procedure(r.PostForm.Get("procedure"))
	sc := s.Scanner()
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
	if s.Full(w, r) {
		return
	}
	t := s.NewTable()
	t.Stack = true
	now := s.Now()
	_ = t.Visit.Pick(now, p.Code) // a new visit refuses none of these
	_ = t.Visit.Agree(now)
	_ = t.Visit.TakeOver(now, m.Name, s.Options.Helped)
	if !s.Stack(sess, t, p.Code) { // pressed twice
		t.End()
		http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
		return
	}
	done, err := t.Visit.Work(now)
	if err != nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	ctx, cancel := t.Job()
	at := screen.Seat{Session: sess, Table: t, Visit: t.Visit, State: t.Visit.State(), Lang: sess.Language(), Proc: p}
	t.Run(func() {
		defer cancel()
		end := s.ScanJob(ctx, at, sc, s.feeder(sc))
		done(s.Now())
		if end.Kind == "done" || len(t.Visit.State().Papers) > 0 && ctx.Err() == nil {
			s.Deal(t, p, m.Name)
			if end.Kind == "done" {
				end.To = "/desk"
			}
		}
		t.Live.Send(end)
	})
	http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
}

// feeder is where a stack lies: the feeder with both sides, the feeder, else the glass.
func (s *Pages) feeder(sc screen.Scanner) scan.Source {
	best := scan.Flatbed
	for _, have := range sc.Info().Sources {
		if have == scan.ADFDuplex || have == scan.ADF && best == scan.Flatbed {
			best = have
		}
	}
	return best
}

func (s *Pages) batch(w http.ResponseWriter, r *http.Request) *screen.Table {
	t, _ := s.Session(w, r).Stacked()
	return t
}

// scanningBody is the page of a scan that goes on.
type scanningBody struct {
	At     string // address of the live parts of the scan
	Again  string // where to try again
	Papers int    // that can be gone on with when it breaks off
}

func (s *Pages) batchPage(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if s.batch(w, r) == nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	s.Render(w, r, http.StatusOK, "scanning", screen.View{Path: "/desk/batch", Body: scanningBody{At: "/desk/batch", Again: "/desk"}})
}

func (s *Pages) batchLive(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.batch(w, r); t != nil {
		s.Watch(w, r, t, s.Session(w, r).Language())
	}
}

func (s *Pages) batchStrip(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	n, err := strconv.Atoi(r.PathValue("n"))
	t := s.batch(w, r)
	if err != nil || t == nil {
		http.NotFound(w, r)
		return
	}
	screen.SendStrip(w, r, t, n)
}

func (s *Pages) batchStop(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.batch(w, r); t != nil {
		t.Cancel()
	}
	http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
}
