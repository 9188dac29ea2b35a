package web

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/agent/staff"
	"motcua/queue"
)

// VolunteerPages are the desk's.
type VolunteerPages struct{ *Host }

// NewVolunteer makes the desk's pages.
func NewVolunteer(h *Host) *VolunteerPages { return &VolunteerPages{h} }

// Routes adds the pages to a mux.
func (s *VolunteerPages) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /desk", s.need(staff.Volunteer, s.deskPage))
	mux.HandleFunc("GET /desk/live", s.need(staff.Volunteer, s.deskLive))
	mux.HandleFunc("POST /desk/new", s.need(staff.Volunteer, s.deskNew))
	mux.HandleFunc("POST /desk/next", s.need(staff.Volunteer, s.deskNext))
	mux.HandleFunc("POST /desk/take/{id}", s.need(staff.Volunteer, s.deskTake))
	mux.HandleFunc("POST /desk/open/{id}", s.need(staff.Volunteer, s.deskOpen))
	mux.HandleFunc("POST /desk/drop/{id}", s.need(staff.Volunteer, s.deskDrop))
	mux.HandleFunc("POST /desk/batch", s.need(staff.Volunteer, s.batchStart))
	mux.HandleFunc("GET /desk/batch", s.need(staff.Volunteer, s.batchPage))
	mux.HandleFunc("GET /desk/batch/live", s.need(staff.Volunteer, s.batchLive))
	mux.HandleFunc("GET /desk/batch/strip/{n}", s.need(staff.Volunteer, s.batchStrip))
	mux.HandleFunc("POST /desk/batch/stop", s.need(staff.Volunteer, s.batchStop))

	mux.HandleFunc("GET /report", s.need(staff.Volunteer, s.reportPage))
	mux.HandleFunc("GET /report/{file}", s.need(staff.Volunteer, s.reportFile))

	mux.HandleFunc("GET /takeover", s.seated(s.takeOverPage))
	mux.HandleFunc("POST /takeover", s.seated(s.takeOver))
}

type deskBody struct {
	Line       deskLine
	Today      tally
	Procedures []choice
	Picked     string
	Scanner    bool
}

type choice struct{ Code, Name string }

// deskLine is what changes while somebody watches.
type deskLine struct {
	CSRF    string
	Ready   []waiting // scanned in a batch, waiting to be checked
	Screens []waiting // citizens at other screens
	Mine    bool      // the volunteer has a visit open
}

type tally struct{ All, Self, Helped int }

func (s *VolunteerPages) deskPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.session(w, r)
	lang := sess.language()
	b := deskBody{Line: s.line(sess, lang), Today: s.today(), Scanner: s.scanner() != nil}
	for _, p := range s.o.Procedures().All {
		b.Procedures = append(b.Procedures, choice{p.Code, p.Plain.In(lang)})
	}
	_, b.Picked = sess.stacked()
	v := consoleView{Member: m, Body: b, Done: s.said(r, lang)}
	if fault := r.URL.Query().Get("fault"); fault != "" && s.words.has(lang, "fault."+fault) {
		v.Fault = s.words.say(lang, "fault."+fault)
	}
	s.renderConsole(w, r, http.StatusOK, "desk", v)
}

// line says who waits: those a batch made ready, those who called for help first, then the others.
func (s *VolunteerPages) line(sess *session, lang string) deskLine {
	l := deskLine{CSRF: sess.csrf, Mine: sess.sitting() != nil}
	for _, t := range s.sessions.lined() {
		l.Ready = append(l.Ready, s.waiting(t, lang))
	}
	for _, other := range s.sessions.list() {
		t := other.sitting()
		if t == nil || other == sess {
			continue
		}
		if one := s.waiting(t, lang); !other.staffed() {
			one.Who = "" // nobody looks over a citizen's shoulder before taking over
			l.Screens = append(l.Screens, one)
		}
	}
	slices.SortFunc(l.Screens, func(a, b waiting) int {
		if a.Called != b.Called {
			if a.Called {
				return -1
			}
			return 1
		}
		return a.Since.Compare(b.Since)
	})
	return l
}

// today counts what was accepted since midnight.
func (s *VolunteerPages) today() (n tally) {
	if s.o.Console.Backlog == nil {
		return n
	}
	now := s.now()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	subs, err := s.o.Console.Backlog.List(queue.Filter{Since: midnight})
	if err != nil {
		s.log.Error("count today", "error", err)
		return n
	}
	for _, sub := range subs {
		n.All++
		if sub.Labels[dossier.LabelChannel] == string(dossier.Volunteer) {
			n.Helped++
		} else {
			n.Self++
		}
	}
	return n
}

// deskLive sends the line anew whenever it has changed.
func (s *VolunteerPages) deskLive(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	sess := s.session(w, r)
	lang := sess.language()
	out, err := newStream(w)
	if err != nil {
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for beats := 0; ; beats++ {
		if _, in := s.signedIn(r); !in {
			return // signed out meanwhile: nothing more is told
		}
		var b bytes.Buffer
		if err := s.console.sets[lang]["desk"].ExecuteTemplate(&b, "line", s.line(sess, lang)); err != nil {
			s.log.Error("render", "page", "desk", "error", err)
			return
		}
		if now := b.String(); now != last {
			last = now
			if out.send(now) != nil {
				return
			}
		} else if beats%20 == 19 && out.beat() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.stop.Done():
			return
		}
	}
}

// deskNew begins a visit for the citizen who stands before the volunteer.
func (s *VolunteerPages) deskNew(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.full(w, r) {
		return
	}
	sess := s.session(w, r)
	t := s.newTable()
	if err := s.seat(r, sess, t, m); err != nil {
		s.log.Error("seat", "error", err)
	}
	s.log.Info("visit began", "visit", t.visit.ID, "channel", "volunteer")
	s.note(audit.Event{Actor: actor(m), Act: audit.VisitBegan, Visit: t.visit.ID})
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
}

// deskNext opens whoever is first in the line, or begins anew where nobody waits.
func (s *VolunteerPages) deskNext(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if line := s.sessions.lined(); len(line) > 0 {
		s.open(w, r, m, line[0].visit.ID)
		return
	}
	s.deskNew(w, r, m)
}

func (s *VolunteerPages) deskOpen(w http.ResponseWriter, r *http.Request, m staff.Member) {
	s.open(w, r, m, r.PathValue("id"))
}

func (s *VolunteerPages) open(w http.ResponseWriter, r *http.Request, m staff.Member, id string) {
	sess := s.session(w, r)
	t := s.sessions.unline(id)
	if t == nil || s.seat(r, sess, t, m) != nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, s.whereTo(t.visit.State()), http.StatusSeeOther)
}

// deskDrop forgets a visit that waits.
func (s *VolunteerPages) deskDrop(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.sessions.unline(r.PathValue("id")); t != nil {
		s.endVisit(r.Context(), t, "left")
	}
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
}

// deskTake moves a citizen's visit from its screen to the volunteer's; the citizen's screen goes back
// to the start.
func (s *VolunteerPages) deskTake(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.session(w, r)
	for _, other := range s.sessions.list() {
		t := other.sitting()
		if t == nil || other == sess || t.visit.ID != r.PathValue("id") {
			continue
		}
		if !other.give(t) || s.seat(r, sess, t, m) != nil {
			break
		}
		s.helped(m, t.visit.ID)
		http.Redirect(w, r, s.whereTo(t.visit.State()), http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
}

type takeOverBody struct {
	Name  string
	Fault string
}

// takeOverPage lets a volunteer who came to the citizen's screen take over right there. The screen stays
// the citizen's: the PIN opens nothing else.
func (s *VolunteerPages) takeOverPage(w http.ResponseWriter, r *http.Request, at seat) {
	_ = at.visit.Touch(s.now())
	s.render(w, r, http.StatusOK, "takeover", view{Back: s.whereTo(at.state), Body: takeOverBody{}})
}

func (s *VolunteerPages) takeOver(w http.ResponseWriter, r *http.Request, at seat) {
	name := r.PostForm.Get("name")
	m, err := s.o.Console.Roll.SignIn(name, r.PostForm.Get("pin"), deviceOf(r))
	if err != nil {
		s.note(audit.Event{Actor: "system", Act: audit.SignInFailed})
		s.render(w, r, http.StatusForbidden, "takeover", view{Back: s.whereTo(at.state), Path: "/takeover",
			Body: takeOverBody{Name: name, Fault: s.words.say(at.lang, "takeover.wrong")}})
		return
	}
	if err := at.visit.TakeOver(s.now(), m.Name, s.o.Helped); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	s.helped(m, at.state.ID)
	http.Redirect(w, r, s.whereTo(at.state), http.StatusSeeOther)
}
