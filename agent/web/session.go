package web

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
	"motcua/agent/staff"
	"motcua/agent/visit"
	"motcua/ocr"
)

const (
	cookieName  = "motcua"
	idleSession = time.Hour
	maxSessions = 512
)

// session is one browser. Its token is only in the HttpOnly cookie; csrf is only in its pages.
type session struct {
	token string
	csrf  string

	sending atomic.Bool // a form with files is on its way from this browser

	mu    sync.Mutex // guards the rest
	lang  string
	size  string
	table *table
	taken bool // a volunteer took the visit to the desk; the next page says so, once
	seen  time.Time

	batch  *table // of a volunteer: the stack that was scanned last
	picked string // of a volunteer: the procedure of the last batch

	member staff.Member // who of the staff is signed in here; none: a citizen
	until  time.Time    // when that ends by itself
}

// table is where a visit sits: the visit, what its screen shows live, and the work done for it.
type table struct {
	visit *visit.Visit
	live  *live
	ctx   context.Context // ends when the visit does; what is read in it counts to share
	share *ocr.Share
	wiped func() // is called when the visit is out of memory
	leave context.CancelFunc
	jobs  sync.WaitGroup
	host  *errgroup.Group // of all jobs, which the host waits for
	once  sync.Once

	forget func() // ends what is kept of the visit on the disk

	pictures pictures
	stack    bool // papers of several persons, not divided yet

	keepMu sync.Mutex // guards kept, keptAt, and keeping against forgetting
	kept   keeping
	keptAt time.Time

	stopMu sync.Mutex // guards stop, and the beginning of work against the end of the visit
	stop   context.CancelFunc
}

// sessions holds all browsers. It is bounded: the longest unseen without a visit makes room.
type sessions struct {
	mu   sync.Mutex // guards the rest
	all  map[string]*session
	line []*table // visits that wait for a volunteer; the line is the office's, not one browser's
}

func newSessions() *sessions { return &sessions{all: map[string]*session{}} }

func secret() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *Host) sessionOf(r *http.Request) (*session, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil, false
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	found, ok := s.sessions.all[c.Value]
	return found, ok
}

// session gives the browser's session, making one for a newcomer.
func (s *Host) session(w http.ResponseWriter, r *http.Request) *session {
	now := s.now()
	if found, ok := s.sessionOf(r); ok {
		found.mu.Lock()
		found.seen = now
		found.mu.Unlock()
		return found
	}
	fresh := &session{token: secret(), csrf: secret(), lang: "vi", size: "m", seen: now}
	s.sessions.add(fresh)
	http.SetCookie(w, cookie(r, fresh.token))
	return fresh
}

func cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil}
}

func (a *sessions) add(fresh *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) >= maxSessions {
		var oldest *session
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
		delete(a.all, oldest.token)
	}
	a.all[fresh.token] = fresh
}

// drop forgets a session and wipes what it still holds.
func (a *sessions) drop(s *session) {
	a.mu.Lock()
	delete(a.all, s.token)
	a.mu.Unlock()
	for _, t := range s.tables() {
		t.end()
	}
}

// tables lists the visit before the session and the stack it scans.
func (s *session) tables() []*table {
	s.mu.Lock()
	defer s.mu.Unlock()
	var tables []*table
	for _, t := range []*table{s.table, s.batch} {
		if t != nil {
			tables = append(tables, t)
		}
	}
	return tables
}

func (a *sessions) list() []*session {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*session, 0, len(a.all))
	for _, s := range a.all {
		list = append(list, s)
	}
	return list
}

// visits lists the tables at which somebody sits or waits.
func (a *sessions) visits() []*table {
	tables := a.lined()
	for _, s := range a.list() {
		for _, t := range s.tables() {
			if t.visit.State().Step != visit.Over {
				tables = append(tables, t)
			}
		}
	}
	return tables
}

func (a *sessions) forgetIdle(now time.Time) {
	for _, s := range a.list() {
		s.mu.Lock()
		idle := s.table == nil && now.Sub(s.seen) > idleSession
		s.mu.Unlock()
		if idle {
			a.drop(s)
		}
	}
}

// wipeAll clears the memory of every visit; what is kept of them stays on the disk for the next start.
func (a *sessions) wipeAll() {
	for _, t := range a.visits() {
		t.wipe()
	}
}

// enqueue puts visits at the end of the line.
func (a *sessions) enqueue(tables ...*table) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line = append(a.line, tables...)
}

// lined lists the visits that wait in the line.
func (a *sessions) lined() []*table {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line = slices.DeleteFunc(a.line, func(t *table) bool { return t.visit.State().Step == visit.Over })
	return slices.Clone(a.line)
}

// unline takes a visit out of the line; the caller owns it then.
func (a *sessions) unline(id string) *table {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, t := range a.line {
		if t.visit.ID == id {
			a.line = slices.Delete(a.line, i, i+1)
			return t
		}
	}
	return nil
}

func (s *session) sitting() *table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil && s.table.visit.State().Step == visit.Over {
		s.table = nil
	}
	return s.table
}

// staffed tells whether somebody of the staff signed in here.
func (s *session) staffed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.member.Name != ""
}

func (s *session) language() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lang
}

// speak sets the language of the session's pages, if there is such a language.
func (s *session) speak(lang string) {
	if !slices.Contains(languages, lang) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lang = lang
}

var sizes = []string{"m", "l", "xl"}

// enlarge sets the size of the session's text.
func (s *session) enlarge(size string) {
	if !slices.Contains(sizes, size) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
}

// wasTaken tells, once, that a volunteer took the visit of this session to the desk.
func (s *session) wasTaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.taken
	s.taken = false
	return taken
}

// give hands the session's visit over to a volunteer, unless it is not there any more or the session is a volunteer's own.
func (s *session) give(t *table) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.member.Name != "" || s.table != t {
		return false
	}
	s.table, s.taken = nil, true
	return true
}

// rise leaves the session without a visit.
func (s *session) rise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table = nil
}

// stacked gives the stack that was scanned last, and the procedure it was for.
func (s *session) stacked() (t *table, procedure string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batch, s.picked
}

// stack lays a new stack down in place of the one before, unless that one is still being scanned.
func (s *session) stack(t *table, procedure string) bool {
	s.mu.Lock()
	old := s.batch
	if old != nil && old.visit.State().Busy {
		s.mu.Unlock()
		return false
	}
	s.batch, s.picked = t, procedure
	s.mu.Unlock()
	if old != nil {
		old.end()
	}
	return true
}

// begin seats a new visit at the session.
func (s *Host) begin(sess *session) *table {
	t := s.newTable()
	sess.mu.Lock()
	old := sess.table
	sess.table = t
	sess.mu.Unlock()
	if old != nil {
		old.end()
	}
	return t
}

func (s *Host) newTable() *table {
	now := s.now()
	share := new(ocr.Share)
	ctx, leave := context.WithCancel(ocr.WithShare(s.stop, share))
	t := &table{
		visit: visit.New(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String(), now, s.o.Citizen),
		live:  newLive(), ctx: ctx, leave: leave, share: share, wiped: s.forgetSoon, host: &s.jobs,
	}
	t.forget = func() { s.forget(t) }
	return t
}

// wipe breaks off the table's work, waits for it and wipes the visit from memory.
func (t *table) wipe() {
	t.once.Do(func() {
		t.stopMu.Lock() // no work begins after this
		t.leave()
		t.stopMu.Unlock()
		t.jobs.Wait()
		t.live.wipe()
		t.pictures.wipe()
		t.visit.Wipe()
		t.wiped()
	})
}

// end ends the visit for good: in memory and on the disk.
func (t *table) end() {
	t.wipe()
	t.forget()
}

// endVisit ends a visit and notes why.
func (s *Host) endVisit(ctx context.Context, t *table, why string) {
	id := t.visit.ID
	t.end()
	s.desk.Close(id)
	s.log.Info("visit ended", "visit", id, "why", why)
	s.note(audit.Event{Actor: "citizen", Act: audit.VisitEnded, Reason: why, Visit: id})
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

func (s *Host) silence(t *table) silence {
	now := s.now()
	left, _ := t.visit.Silence(now)
	out := silence{Silence: int(left.Seconds()), Warning: int(t.visit.Limits().Warning.Seconds()), Cover: -1, Kept: s.safe(t)}
	if after, held := t.visit.Cover(now); held {
		out.Cover = int(after.Seconds())
	}
	return out
}

// dropMember signs a member out everywhere, but for the browser that keeps its own session where keep.
func (a *sessions) dropMember(name string, keep bool, token string) {
	for _, sess := range a.list() {
		sess.mu.Lock()
		theirs := sess.member.Name == name
		sess.mu.Unlock()
		if theirs && !(keep && sess.token == token) {
			a.drop(sess)
		}
	}
}
