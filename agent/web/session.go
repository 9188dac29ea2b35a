package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"motcua/agent/audit"
	"motcua/agent/staff"
	"motcua/agent/visit"
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

	mu    sync.Mutex // guards the rest
	lang  string
	size  string
	table *table
	seen  time.Time

	line   []*table // of a volunteer: visits that wait to be checked
	batch  *table   // of a volunteer: the stack that was scanned last
	picked string   // of a volunteer: the procedure of the last batch

	member staff.Member // who of the staff is signed in here; none: a citizen
	until  time.Time    // when that ends by itself
}

// table is where a visit sits: the visit, what its screen shows live, and the work done for it.
type table struct {
	visit *visit.Visit
	live  *live
	ctx   context.Context // ends when the visit does
	leave context.CancelFunc
	jobs  sync.WaitGroup
	once  sync.Once

	pictures pictures

	stopMu sync.Mutex // guards stop, and the beginning of work against the end of the visit
	stop   context.CancelFunc
}

// sessions holds all browsers. It is bounded: the longest unseen without a visit makes room.
type sessions struct {
	mu  sync.Mutex // guards all
	all map[string]*session
}

func newSessions() *sessions { return &sessions{all: map[string]*session{}} }

func secret() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *Site) sessionOf(r *http.Request) (*session, bool) {
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
func (s *Site) session(w http.ResponseWriter, r *http.Request) *session {
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
			if s.table == nil && len(s.line) == 0 && (oldest == nil || s.seen.Before(oldest.seen)) {
				oldest = s
			}
			s.mu.Unlock()
		}
		if oldest != nil {
			delete(a.all, oldest.token)
		}
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

// tables lists the visit before the session and those in its line.
func (s *session) tables() []*table {
	s.mu.Lock()
	defer s.mu.Unlock()
	tables := append([]*table(nil), s.line...)
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
	var tables []*table
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
		idle := s.table == nil && len(s.line) == 0 && now.Sub(s.seen) > idleSession
		s.mu.Unlock()
		if idle {
			a.drop(s)
		}
	}
}

func (a *sessions) wipeAll() {
	for _, t := range a.visits() {
		t.end()
	}
}

func (s *session) sitting() *table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil && s.table.visit.State().Step == visit.Over {
		s.table = nil
	}
	return s.table
}

func (s *session) language() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lang
}

// begin seats a new visit at the session.
func (s *Site) begin(sess *session) *table {
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

func (s *Site) newTable() *table {
	now := s.now()
	ctx, leave := context.WithCancel(s.stop)
	return &table{
		visit: visit.New(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String(), now, s.o.Citizen),
		live:  newLive(), ctx: ctx, leave: leave,
	}
}

// end breaks off the table's work, waits for it and wipes the visit.
func (t *table) end() {
	t.once.Do(func() {
		t.stopMu.Lock() // no work begins after this
		t.leave()
		t.stopMu.Unlock()
		t.jobs.Wait()
		t.live.wipe()
		t.pictures.wipe()
		t.visit.Wipe()
	})
}

// endVisit ends a visit and notes why.
func (s *Site) endVisit(ctx context.Context, t *table, why string) {
	id := t.visit.ID
	t.end()
	s.log.Info("visit ended", "visit", id, "why", why)
	s.note(audit.Event{Actor: "citizen", Act: audit.VisitEnded, Reason: why, Visit: id})
}
