package screen

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/staff"
	"motcua/agent/visit"
	"motcua/ocr"
)

const (
	CookieName  = "motcua" // of the cookie that holds a browser's session
	idleSession = time.Hour
	maxSessions = 512
)

// Session is one browser. Its token is only in the HttpOnly cookie; csrf is only in its pages.
type Session struct {
	Token string
	CSRF  string

	sending atomic.Bool // a form with files is on its way from this browser

	mu    sync.Mutex // guards the rest
	lang  string
	size  string
	table *Table
	taken bool // a volunteer took the visit to the desk; the next page says so, once
	seen  time.Time

	batch  *Table // of a volunteer: the stack that was scanned last
	picked string // of a volunteer: the procedure of the last batch

	asked      string // the submission that was asked about with the right code and year
	askedUntil time.Time

	signed []Signed // of an officer: what was signed last

	refused map[string]Refused // forms with a PIN, by the page that tells of it at its next showing

	member staff.Member // who of the staff is signed in here; none: a citizen
	until  time.Time    // when that ends by itself
}

// Table is where a visit sits: the visit, what its screen shows live, and the work done for it.
type Table struct {
	Visit   *visit.Visit
	Live    *live
	Context context.Context // ends when the visit does; what is read in it counts to share
	share   *ocr.Share
	slips   atomic.Int32 // receipts that were printed
	wiped   func()       // is called when the visit is out of memory
	leave   context.CancelFunc
	jobs    sync.WaitGroup
	host    *errgroup.Group // of all jobs, which the host waits for
	once    sync.Once

	forget func() // ends what is kept of the visit on the disk

	Pictures pictures
	Faces    faces
	compared comparison
	Stack    bool            // papers of several persons, not divided yet
	TwoSided bool            // of a stack: its fronts are scanned first, and then, turned over, its backs
	Awaits   atomic.Bool     // of a stack: not all of it was scanned, and somebody must go on with it, or say that this is all
	Doubt    string          // why a person must look at how the papers were parted, of a stack: its last ones; see counter.Parcel
	of       string          // the stack that these papers lay in
	parted   map[string]bool // of a stack that is taken up again: the persons who were parted from it before
	division []portion       // of a stack that is being dealt: who gets which of its papers

	keepMu sync.Mutex // guards kept, keptAt, parked, and keeping against forgetting
	parked parking
	kept   keeping
	keptAt time.Time

	placing Placing // guarded by stopMu

	stopMu sync.Mutex // guards stop, and the beginning of work against the end of the visit
	stop   context.CancelFunc
}

// Placing is where the papers of a scan go: before another one, or instead of it. The zero Placing: behind all.
type Placing struct {
	At      string // a paper's id
	Instead bool
	Known   []string // the papers that were here before the scan
}

// PlaceNext says where the papers of the scan that begins go.
func (t *Table) PlaceNext(at Placing) {
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	t.placing = at
}

// Placing tells where the papers of the scan go.
func (t *Table) Placing() Placing {
	t.stopMu.Lock()
	defer t.stopMu.Unlock()
	return t.placing
}

// Place lays the papers that a scan gave to where they go. Where it gave none the old one stays.
func (s *Host) Place(t *Table) {
	to := t.Placing()
	if to.At == "" {
		return
	}
	t.PlaceNext(Placing{})
	var fresh []string
	for _, p := range t.Visit.State().Papers {
		if !slices.Contains(to.Known, p.ID) {
			fresh = append(fresh, p.ID)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if err := t.Visit.Place(s.Now(), fresh, to.At, to.Instead); err != nil {
		s.Log.Warn("place papers", "visit", t.Visit.ID, "error", err) // they stay behind all others
		return
	}
	t.Pictures.Forget()
	if p := s.ProcedureOf(t.Visit.State()); p != nil {
		if err := counter.Fill(t.Visit, p, s.Now()); err != nil {
			s.Log.Error("fill form", "visit", t.Visit.ID, "error", err)
		}
	}
}

// sessions holds all browsers. It is bounded: the longest unseen without a visit makes room.
type sessions struct {
	mu   sync.Mutex // guards the rest
	all  map[string]*Session
	line []*Table // visits that wait for a volunteer; the line is the office's, not one browser's

	parked  map[string]parking // visits that wait for their persons
	wrong   int                // wrong codes in a row
	wrongAt time.Time

	stacks []*Table // that are being scanned, or read again after a restart; they end in the line, whoever has signed out
}

func newSessions() *sessions {
	return &sessions{all: map[string]*Session{}, parked: map[string]parking{}}
}

func secret() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

// SessionOf gives the session that a request's cookie names.
func (s *Host) SessionOf(r *http.Request) (*Session, bool) {
	c, err := r.Cookie(CookieName)
	if err != nil {
		return nil, false
	}
	s.Sessions.mu.Lock()
	defer s.Sessions.mu.Unlock()
	found, ok := s.Sessions.all[c.Value]
	return found, ok
}

// mostSlips is how often a visit's receipt is printed: once more where it was torn or lost, and once for a relative. Paper is what a
// bored child at the screen can waste.
const mostSlips = 3

// PrintsSlip counts a receipt that is printed; false: it was printed often enough. Where it was not printed after all, undo takes it back.
func (t *Table) PrintsSlip() (undo func(), ok bool) {
	if t.slips.Add(1) > mostSlips {
		t.slips.Add(-1)
		return nil, false
	}
	return func() { t.slips.Add(-1) }, true
}

// navigates tells whether a request is for a page. A picture or a stream that a page asked for which was left meanwhile is answered late:
// were it given a session, that one would take the place of the next page's, and its first touch would be refused. Browsers that don't
// say what they ask for ask for pages.
func navigates(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "" || mode == "navigate"
}

// Session gives the browser's session, making one for a newcomer; one that lasts for this answer alone where no page is asked for.
func (s *Host) Session(w http.ResponseWriter, r *http.Request) *Session {
	now := s.Now()
	if found, ok := s.SessionOf(r); ok {
		found.mu.Lock()
		found.seen = now
		found.mu.Unlock()
		return found
	}
	if found, ok := s.givenWith(w); ok {
		return found
	}
	fresh := &Session{Token: secret(), CSRF: secret(), lang: "vi", size: "m", seen: now}
	if !navigates(r) {
		return fresh
	}
	s.Sessions.add(fresh)
	http.SetCookie(w, cookie(r, fresh.Token))
	return fresh
}

// givenWith is the session that this very answer gives to a newcomer.
func (s *Host) givenWith(w http.ResponseWriter) (*Session, bool) {
	for _, line := range w.Header().Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil || c.Name != CookieName {
			continue
		}
		s.Sessions.mu.Lock()
		found, ok := s.Sessions.all[c.Value]
		s.Sessions.mu.Unlock()
		if ok {
			return found, true
		}
	}
	return nil, false
}

func cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{Name: CookieName, Value: token, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil}
}

func (a *sessions) add(fresh *Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) >= maxSessions {
		var oldest *Session
		for _, s := range a.all {
			s.mu.Lock()
			if s.table == nil && (oldest == nil || s.seen.Before(oldest.seen)) {
				oldest = s
			}
			s.mu.Unlock()
		}
		if oldest == nil {
			return // everybody has papers on the table: the newcomer sees pages, and cannot begin
		}
		delete(a.all, oldest.Token)
	}
	a.all[fresh.Token] = fresh
}

// Drop forgets a session and ends the visit that sits there. A stack it scans is the office's.
func (a *sessions) Drop(s *Session) {
	a.mu.Lock()
	delete(a.all, s.Token)
	a.mu.Unlock()
	s.mu.Lock()
	t := s.table
	s.mu.Unlock()
	if t != nil {
		t.End()
	}
}

// All lists the sessions.
func (a *sessions) All() []*Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*Session, 0, len(a.all))
	for _, s := range a.all {
		list = append(list, s)
	}
	return list
}

// Visits lists the tables at which somebody sits or waits.
func (a *sessions) Visits() []*Table {
	tables := append(a.Lined(), a.stacked()...)
	for _, s := range a.All() {
		if t := s.Sitting(); t != nil {
			tables = append(tables, t)
		}
	}
	return tables
}

func (a *sessions) forgetIdle(now time.Time) {
	for _, s := range a.All() {
		s.mu.Lock()
		idle := s.table == nil && now.Sub(s.seen) > idleSession
		s.mu.Unlock()
		if idle {
			a.Drop(s)
		}
	}
}

// wipeAll clears the memory of every visit; what is kept of them stays on the disk for the next start.
func (a *sessions) wipeAll() {
	for _, t := range a.Visits() {
		t.wipe()
	}
}

// enqueue puts visits at the end of the line.
func (a *sessions) enqueue(tables ...*Table) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line = append(a.line, tables...)
}

// Lined lists the visits that wait in the line.
func (a *sessions) Lined() []*Table {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line = slices.DeleteFunc(a.line, func(t *Table) bool { return t.Visit.State().Step == visit.Over })
	return slices.Clone(a.line)
}

// stacked lists the stacks that are not divided yet.
func (a *sessions) stacked() []*Table {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stacks = slices.DeleteFunc(a.stacks, func(t *Table) bool { return t.Visit.State().Step == visit.Over })
	return slices.Clone(a.stacks)
}

// Halves lists the stacks that wait for their backs, or for their rest.
func (a *sessions) Halves() []*Table {
	return slices.DeleteFunc(a.stacked(), func(t *Table) bool { return !t.Awaits.Load() })
}

func (a *sessions) stack(t *Table) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stacks = append(a.stacks, t)
}

// Unline takes a visit out of the line; the caller owns it then.
func (a *sessions) Unline(id string) *Table {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, t := range a.line {
		if t.Visit.ID == id {
			a.line = slices.Delete(a.line, i, i+1)
			return t
		}
	}
	return nil
}

// Sitting is the visit before the session, or nil.
func (s *Session) Sitting() *Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil && s.table.Visit.State().Step == visit.Over {
		s.table = nil
	}
	return s.table
}

// Staffed tells whether somebody of the staff signed in here.
func (s *Session) Staffed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.member.Name != ""
}

// Language is the code of the language its pages are in.
func (s *Session) Language() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lang
}

// Speak sets the language of the session's pages, if there is such a language.
func (s *Session) Speak(lang string) {
	if !slices.Contains(Languages, lang) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lang = lang
}

var sizes = []string{"m", "l", "xl"}

// Enlarge sets the size of the session's text.
func (s *Session) Enlarge(size string) {
	if !slices.Contains(sizes, size) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
}

// WasTaken tells, once, that a volunteer took the visit of this session to the desk.
func (s *Session) WasTaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.taken
	s.taken = false
	return taken
}

// Give hands the session's visit over to a volunteer, unless it is not there any more or the session is a volunteer's own.
func (s *Session) Give(t *Table) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.member.Name != "" || s.table != t {
		return false
	}
	s.table, s.taken = nil, true
	return true
}

// Rise leaves the session without a visit.
func (s *Session) Rise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table = nil
}

// Stacked gives the stack that was scanned last, and the procedure it was for.
func (s *Session) Stacked() (t *Table, procedure string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batch, s.picked
}

// Stack lays a new stack down in place of the session's one before, unless that one is still being scanned.
func (s *Host) Stack(sess *Session, t *Table, procedure string) bool {
	sess.mu.Lock()
	old := sess.batch
	if old != nil && old.Visit.State().Busy {
		sess.mu.Unlock()
		return false
	}
	sess.batch, sess.picked = t, procedure
	sess.mu.Unlock()
	s.Sessions.stack(t)
	if old != nil && !old.Awaits.Load() { // one that waits for the rest of its papers is the office's
		old.End()
	}
	return true
}

// Attend has the session watch a stack that waited.
func (s *Session) Attend(t *Table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch = t
}

// Begin seats a new visit at the session.
func (s *Host) Begin(sess *Session) *Table {
	t := s.NewTable()
	sess.mu.Lock()
	old := sess.table
	sess.table = t
	sess.mu.Unlock()
	if old != nil {
		old.End()
	}
	return t
}

// NewTable begins a visit that no session has yet.
func (s *Host) NewTable() *Table {
	return s.newTable(ulid.MustNew(ulid.Timestamp(s.Now()), rand.Reader).String())
}

func (s *Host) newTable(id string) *Table {
	if s.Options.Sticks != nil {
		s.Options.Sticks.State() // notes which are there already: they are not this visit's
	}
	now := s.Now()
	share := new(ocr.Share)
	ctx, leave := context.WithCancel(ocr.WithShare(s.Ending, share))
	t := &Table{
		Visit: visit.New(id, now, s.Options.Citizen),
		Live:  newLive(), Context: ctx, leave: leave, share: share, wiped: s.forgetSoon, host: &s.jobs,
	}
	t.forget = func() { s.forget(t) }
	return t
}

// Worked is how long recognition's workers have worked for the visit.
func (t *Table) Worked() time.Duration { return t.share.Used() }

// wipe breaks off the table's work, waits for it and wipes the visit from memory.
func (t *Table) wipe() {
	t.once.Do(func() {
		t.stopMu.Lock() // no work begins after this
		t.leave()
		t.stopMu.Unlock()
		t.jobs.Wait()
		t.Live.wipe()
		t.Pictures.Wipe()
		t.Faces.Wipe()
		t.compared.wipe()
		t.Visit.Wipe()
		t.wiped()
	})
}

// End ends the visit for good: in memory, and on the disk unless its person comes back for it.
func (t *Table) End() {
	parked := t.staysParked(t.Visit.State())
	t.wipe()
	if !parked {
		t.forget()
	}
}

// EndVisit ends a visit and notes why.
func (s *Host) EndVisit(ctx context.Context, t *Table, why string) {
	id := t.Visit.ID
	t.End()
	s.Desk.Close(id)
	s.Log.Info("visit ended", "visit", id, "why", why)
	s.Note(audit.Event{Actor: "citizen", Act: audit.VisitEnded, Reason: why, Visit: id})
}

// forgetSoon has the rest of the machine forget, too, as soon as Run gets to it.
func (s *Host) forgetSoon() {
	select {
	case s.forgetting <- struct{}{}:
	default: // it will be done already
	}
}

// silence is what the screen must know of the silence rule, in seconds from now.
type silence struct {
	Silence int  `json:"silence"` // until the visit ends
	Warning int  `json:"warning"` // before that, the countdown shows
	Cover   int  `json:"cover"`   // until the screen covers itself while help is on its way; -1: it does not
	Kept    bool `json:"kept"`    // what was done so far is here after a restart, too
}

// Silence says how the silence rule stands for a visit.
func (s *Host) Silence(t *Table) silence {
	now := s.Now()
	left, _ := t.Visit.Silence(now)
	out := silence{Silence: int(left.Seconds()), Warning: int(t.Visit.Limits().Warning.Seconds()), Cover: -1, Kept: s.safe(t)}
	if after, held := t.Visit.Cover(now); held {
		out.Cover = int(after.Seconds())
	}
	return out
}

// DropMember signs a member out everywhere, but for the browser that keeps its own session where keep.
// What was open there goes back into the line.
func (s *Host) DropMember(name string, keep bool, token string) {
	for _, sess := range s.Sessions.All() {
		sess.mu.Lock()
		theirs := sess.member.Name == name
		sess.mu.Unlock()
		if theirs && !(keep && sess.Token == token) {
			s.HandBack(context.Background(), sess)
			s.Sessions.Drop(sess)
		}
	}
}
