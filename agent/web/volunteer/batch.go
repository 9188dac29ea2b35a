package volunteer

import (
	"errors"
	"net/http"
	"strconv"

	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/staff"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
)

// A batch is a stack in the feeder: papers of many citizens who have agreed, for one procedure. It is
// scanned and read as one visit, then split into one visit a person; those wait in the volunteer's line. Sheets with a code
// between them (separator.go) part the stack where that says so, each for a procedure of its own. A feeder that takes one side at a time
// is gone through twice; between the two, and where the scan stopped before its end, the stack waits at the desk, whoever's it was.

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
	t.TwoSided = r.PostForm.Get("sides") == "two"
	t.Awaits.Store(true) // until all of it is here, also over a restart
	now := s.Now()
	_ = t.Visit.Pick(now, p.Code) // a new visit refuses none of these
	_ = t.Visit.Agree(now)
	_ = t.Visit.TakeOver(now, m.Name, s.Options.Helped)
	if !s.Stack(sess, t, p.Code) { // pressed twice
		t.End()
		http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
		return
	}
	s.scanStack(w, r, sess, t, m.Name, false)
}

// scanStack scans the stack in the feeder into a table, the backs of its sheets or their fronts, and deals it, unless it
// still waits for its backs.
func (s *Pages) scanStack(w http.ResponseWriter, r *http.Request, sess *screen.Session, t *screen.Table, name string, backs bool) {
	state := t.Visit.State()
	p, sc := s.ProcedureOf(state), s.Scanner()
	done, err := t.Visit.Work(s.Now())
	if err != nil || p == nil || sc == nil {
		if err == nil {
			done(s.Now())
		}
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	t.Live.Reset()
	ctx, cancel := t.Job()
	at := screen.Seat{Session: sess, Table: t, Visit: t.Visit, State: state, Lang: sess.Language(), Proc: p, Backs: backs}
	t.Run(func() {
		defer cancel()
		end := s.ScanJob(ctx, at, sc, s.feeder(sc))
		done(s.Now())
		t.Live.Send(s.scanned(t, p, name, backs, end))
	})
	http.Redirect(w, r, "/desk/batch", http.StatusSeeOther)
}

// scanned says what becomes of a stack when the feeder is empty or has stopped, and gives the event its screen ends with.
func (s *Pages) scanned(t *screen.Table, p *procedure.Procedure, name string, backs bool, end screen.Event) screen.Event {
	papers := t.Visit.State().Papers
	full := end.Kind == "full"
	whole := full || end.Kind == "done"
	if whole {
		end.To = "/desk"
	}
	if full {
		t.Doubt = counter.DoubtFull // its last person's papers may go on in the next stack
		end.Key = "desk.full.wait"
	}
	if whole && t.TwoSided {
		_, err := counter.Interleave(papers)
		whole = backs && err == nil
	}
	if len(papers) == 0 && !t.TwoSided { // nothing of it waits: it makes room for the next
		t.Awaits.Store(false)
		return end
	}
	if len(papers) == 0 || !whole || !t.Awaits.CompareAndSwap(true, false) {
		s.AwaitRest(t, name)
		return end
	}
	if full {
		end.Key, end.Next = "desk.full", true
	}
	s.Divide(t, p, name)
	return end
}

// half is a stack that waits for its backs or for its rest, as the desk shows it.
type half struct {
	ID       string
	What     string
	TwoSided bool
	Fronts   int
	Backs    int    // scanned, but not as they should be
	Fault    string // key: why they could not be laid together
	Full     bool   // no more may be scanned: there would be no room, of two-sided sheets for their backs
}

func (s *Pages) halves(lang string) []half {
	var list []half
	for _, t := range s.Sessions.Halves() {
		state := t.Visit.State()
		if state.Busy || len(state.Papers) == 0 && !t.TwoSided {
			continue
		}
		h := half{ID: state.ID, TwoSided: t.TwoSided}
		if p := s.ProcedureOf(state); p != nil {
			h.What = p.Plain.In(lang)
		}
		for _, one := range state.Papers {
			if one.Back {
				h.Backs++
			} else {
				h.Fronts++
			}
		}
		h.Full = t.TwoSided && h.Fronts >= screen.MostTwoSided || len(state.Papers) >= visit.MaxPapers || t.Doubt == counter.DoubtFull
		switch _, err := counter.Interleave(state.Papers); {
		case !t.TwoSided:
		case errors.Is(err, counter.ErrUneven):
			h.Fault = "desk.backs.uneven"
		case err != nil:
			h.Fault = "desk.backs.unlike"
		}
		list = append(list, h)
	}
	return list
}

// stackAct goes on with a stack that waits: its backs are scanned, it is dealt with what is here, or it is dropped.
func (s *Pages) stackAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	t := s.Half(r.PathValue("id"))
	if t == nil || t.Visit.State().Busy {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	state := t.Visit.State()
	switch r.PathValue("act") {
	case "backs":
		if s.Scanner() == nil {
			http.Redirect(w, r, "/desk?fault="+string(scan.NoDevice), http.StatusSeeOther)
			return
		}
		for _, p := range state.Papers { // of the last try: the sheets lie before the volunteer
			if p.Back {
				_ = t.Visit.Discard(s.Now(), p.ID)
			}
		}
		sess := s.Session(w, r)
		sess.Attend(t)
		s.scanStack(w, r, sess, t, m.Name, true)
		return
	case "fronts":
		sess := s.Session(w, r)
		sess.Attend(t)
		s.scanStack(w, r, sess, t, m.Name, false)
		return
	case "deal":
		if p := s.ProcedureOf(state); p != nil && t.Awaits.CompareAndSwap(true, false) {
			if !t.TwoSided && t.Doubt == "" {
				t.Doubt = counter.DoubtBroken
			}
			s.Divide(t, p, m.Name)
		}
	case "drop":
		s.EndVisit(r.Context(), t, "left")
	default:
		s.NotFound(w, r)
		return
	}
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
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
	At     string            // address of the live parts of the scan
	Again  string            // where to try again
	Papers int               // that can be gone on with when it breaks off
	Next   *screen.NextStack // what is begun when the stack was longer than one scan takes
}

func (s *Pages) batchPage(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	t := s.batch(w, r)
	if t == nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	b := scanningBody{At: "/desk/batch", Again: "/desk", Next: &screen.NextStack{Procedure: t.Visit.State().Procedure, Sides: "one"}}
	if t.TwoSided {
		b.Next.Sides = "two"
	}
	s.Render(w, r, http.StatusOK, "scanning", screen.View{Path: "/desk/batch", Body: b})
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
