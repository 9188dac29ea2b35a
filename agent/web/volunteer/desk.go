// Package volunteer has the desk of whoever helps: the line of waiting visits, a stack scanned for many persons and parted by
// separator sheets or by their cards, taking over at a citizen's screen, and the report of what was handed in.
package volunteer

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"

	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/queue"
)

// Pages are the desk's.
type Pages struct{ *screen.Host }

// New makes the desk's pages.
func New(h *screen.Host) *Pages { return &Pages{h} }

// Routes adds the pages to a mux.
func (s *Pages) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /desk", s.Need(staff.Volunteer, s.deskPage))
	mux.HandleFunc("GET /desk/live", s.Need(staff.Volunteer, s.deskLive))
	mux.HandleFunc("POST /desk/new", s.Need(staff.Volunteer, s.deskNew))
	mux.HandleFunc("POST /desk/next", s.Need(staff.Volunteer, s.deskNext))
	mux.HandleFunc("POST /desk/take/{id}", s.Need(staff.Volunteer, s.deskTake))
	mux.HandleFunc("POST /desk/open/{id}", s.Need(staff.Volunteer, s.deskOpen))
	mux.HandleFunc("POST /desk/drop/{id}", s.Need(staff.Volunteer, s.deskDrop))
	mux.HandleFunc("GET /desk/face/{n}", s.Need(staff.Volunteer, s.deskFace))
	mux.HandleFunc("POST /desk/batch", s.Need(staff.Volunteer, s.batchStart))
	mux.HandleFunc("GET /desk/batch", s.Need(staff.Volunteer, s.batchPage))
	mux.HandleFunc("GET /desk/batch/live", s.Need(staff.Volunteer, s.batchLive))
	mux.HandleFunc("GET /desk/batch/strip/{n}", s.Need(staff.Volunteer, s.batchStrip))
	mux.HandleFunc("POST /desk/batch/stop", s.Need(staff.Volunteer, s.batchStop))
	mux.HandleFunc("POST /desk/stack/{id}/{act}", s.Need(staff.Volunteer, s.stackAct))
	mux.HandleFunc("GET /desk/separators.pdf", s.Need(staff.Volunteer, s.separators))
	mux.HandleFunc("POST /desk/separators", s.Need(staff.Volunteer, s.printSeparator))

	mux.HandleFunc("GET /report", s.Need(staff.Volunteer, s.reportPage))
	mux.HandleFunc("GET /report/{file}", s.Need(staff.Volunteer, s.reportFile))

	mux.HandleFunc("GET "+takeOverPath, s.Seated(s.takeOverPage))
	mux.HandleFunc("POST "+takeOverPath, s.Seated(s.takeOver))
}

type deskBody struct {
	Line       deskLine
	Today      tally
	Procedures []choice
	Picked     string
	Scanner    bool
	Printer    bool // separator sheets are printed here
	OneSide    bool // its feeder takes one side at a time
}

type choice struct{ Code, Name string }

// deskLine is what changes while somebody watches.
type deskLine struct {
	CSRF    string
	Halves  []half           // stacks that wait for their backs
	Ready   []screen.Waiting // scanned in a batch, waiting to be checked
	Screens []screen.Waiting // citizens at other screens
	Mine    bool             // the volunteer has a visit open
}

type tally struct{ All, Self, Helped int }

func (s *Pages) deskPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.Session(w, r)
	lang := sess.Language()
	b := deskBody{Line: s.line(sess, lang), Today: s.today(), Scanner: s.Scanner() != nil,
		Printer: s.Options.PrintSheet != nil}
	for _, p := range s.Options.Procedures().All {
		b.Procedures = append(b.Procedures, choice{p.Code, p.Plain.In(lang)})
	}
	_, b.Picked = sess.Stacked()
	if sc := s.Scanner(); sc != nil {
		b.OneSide = s.feeder(sc) == scan.ADF
	}
	v := screen.ConsoleView{Member: m, Body: b, Done: s.Said(r, lang)}
	for _, family := range []string{"fault", "print"} {
		if fault := r.URL.Query().Get(family); fault != "" && s.Words.Has(lang, family+"."+fault) {
			v.Fault = s.Words.Say(lang, family+"."+fault)
		}
	}
	s.RenderConsole(w, r, http.StatusOK, "desk", v)
}

// line says who waits: those a batch made ready, those who called for help first, then the others.
func (s *Pages) line(sess *screen.Session, lang string) deskLine {
	l := deskLine{CSRF: sess.CSRF, Mine: sess.Sitting() != nil, Halves: s.halves(lang)}
	for _, t := range s.Sessions.Lined() {
		l.Ready = append(l.Ready, s.Waiting(t, lang))
	}
	for _, other := range s.Sessions.All() {
		t := other.Sitting()
		if t == nil || other == sess {
			continue
		}
		if one := s.Waiting(t, lang); !other.Staffed() {
			one.Who = "" // nobody looks over a citizen's shoulder before taking over
			l.Screens = append(l.Screens, one)
		}
	}
	slices.SortFunc(l.Screens, func(a, b screen.Waiting) int {
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

// deskFace sends the picture in the chip of somebody whose visit sits here.
func (s *Pages) deskFace(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	n, err := strconv.Atoi(r.PathValue("n"))
	t := s.Session(w, r).Sitting()
	if err != nil || t == nil {
		http.NotFound(w, r)
		return
	}
	jpeg, ok := t.Faces.Get(n)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(jpeg) // whoever went away needs no picture
	clear(jpeg)
}

// today counts what was accepted since midnight.
func (s *Pages) today() (n tally) {
	if s.Options.Console.Backlog == nil {
		return n
	}
	now := s.Now()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	subs, err := s.Options.Console.Backlog.List(queue.Filter{Since: midnight})
	if err != nil {
		s.Log.Error("count today", "error", err)
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
func (s *Pages) deskLive(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	sess := s.Session(w, r)
	lang := sess.Language()
	out, err := screen.NewStream(w)
	if err != nil {
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for beats := 0; ; beats++ {
		if _, in := s.SignedIn(r); !in {
			return // signed out meanwhile: nothing more is told
		}
		var b bytes.Buffer
		if err := s.Console.Sets[lang]["desk"].ExecuteTemplate(&b, "line", s.line(sess, lang)); err != nil {
			s.Log.Error("render", "page", "desk", "error", err)
			return
		}
		if now := b.String(); now != last {
			last = now
			if out.Send(now) != nil {
				return
			}
		} else if beats%20 == 19 && out.Beat() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.Ending.Done():
			return
		}
	}
}

// deskNew begins a visit for the citizen who stands before the volunteer.
func (s *Pages) deskNew(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Full(w, r) {
		return
	}
	sess := s.Session(w, r)
	t := s.NewTable()
	if err := s.Seat(r, sess, t, m); err != nil {
		s.Log.Error("seat", "error", err)
	}
	s.Log.Info("visit began", "visit", t.Visit.ID, "channel", "volunteer")
	s.Note(audit.Event{Actor: screen.Actor(m), Act: audit.VisitBegan, Visit: t.Visit.ID})
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
}

// deskNext opens whoever is first in the line, or begins anew where nobody waits.
func (s *Pages) deskNext(w http.ResponseWriter, r *http.Request, m staff.Member) {
	for _, t := range s.Sessions.Lined() {
		if !t.Compared() { // that only waits for its officer's PIN
			s.open(w, r, m, t.Visit.ID)
			return
		}
	}
	s.deskNew(w, r, m)
}

func (s *Pages) deskOpen(w http.ResponseWriter, r *http.Request, m staff.Member) {
	s.open(w, r, m, r.PathValue("id"))
}

func (s *Pages) open(w http.ResponseWriter, r *http.Request, m staff.Member, id string) {
	sess := s.Session(w, r)
	t := s.Sessions.Unline(id)
	if t == nil || s.Seat(r, sess, t, m) != nil {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return
	}
	to := s.WhereTo(t.Visit.State())
	if t.Doubt != "" {
		to = "/papers"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// deskDrop forgets a visit that waits.
func (s *Pages) deskDrop(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if t := s.Sessions.Unline(r.PathValue("id")); t != nil {
		s.EndVisit(r.Context(), t, "left")
	}
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
}

// deskTake moves a citizen's visit from its screen to the volunteer's; the citizen's screen goes back
// to the start.
func (s *Pages) deskTake(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.Session(w, r)
	for _, other := range s.Sessions.All() {
		t := other.Sitting()
		if t == nil || other == sess || t.Visit.ID != r.PathValue("id") {
			continue
		}
		if !other.Give(t) || s.Seat(r, sess, t, m) != nil {
			break
		}
		s.Helped(m, t.Visit.ID)
		http.Redirect(w, r, s.WhereTo(t.Visit.State()), http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/desk", http.StatusSeeOther)
}

// takeOverPath is the page where a volunteer takes a citizen's visit over.
const takeOverPath = "/takeover"

type takeOverBody struct {
	Name  string
	Fault string
}

// takeOverPage lets a volunteer who came to the citizen's screen take over right there. The screen stays
// the citizen's: the PIN opens nothing else.
func (s *Pages) takeOverPage(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	_ = at.Visit.Touch(s.Now())
	why := s.Refused(r, takeOverPath)
	name, _ := why.Body.(string)
	s.Render(w, r, why.Status, "takeover", screen.View{Back: s.WhereTo(at.State), Body: takeOverBody{Name: name, Fault: why.Fault}})
}

func (s *Pages) takeOver(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	name := r.PostForm.Get("name")
	m, err := s.SignInAs(name, r.PostForm.Get("pin"), screen.DeviceOf(r))
	if err != nil {
		s.Note(audit.Event{Actor: "system", Act: audit.SignInFailed})
		s.Refuse(w, r, takeOverPath, screen.Refused{Status: http.StatusForbidden, Fault: s.Words.Say(at.Lang, "takeover.wrong"), Body: name})
		return
	}
	if err := at.Visit.TakeOver(s.Now(), m.Name, s.Options.Helped); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	s.Refused(r, takeOverPath) // of a try before that no page has told of
	s.Helped(m, at.State.ID)
	http.Redirect(w, r, s.WhereTo(at.State), http.StatusSeeOther)
}
