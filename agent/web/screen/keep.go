package screen

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"motcua/agent/draft"
	"motcua/agent/visit"
	"motcua/queue/seal"
)

// What is not sent yet lies sealed on the disk (package draft) for as long as the silence rule lets the visit live, and
// is taken up again when the daemon comes back: by the browser that shows it, or in the volunteers' line.

// kept is the record of a visit on the disk.
type kept struct {
	Visit visit.Snapshot
	Saved time.Time
	Line  bool   // it waits for a volunteer; else it sits at the browser below
	Stack bool   // it is a stack of papers that has not been divided into persons yet
	Of    string // the stack that this person's papers lay in

	TwoSided bool   // a stack whose fronts are scanned first, and then its backs
	Awaits   bool   // a stack that waits for them, or for the rest of its papers
	Doubt    string // how the papers were parted from their stack wants a look

	Division []portion `json:",omitempty"` // of a stack that is being dealt
	Placing  Placing   // where the papers go that are being scanned

	Parked parking // its person comes back with a code

	Compared *keptComparison `json:",omitempty"` // what an officer compared

	Token, CSRF, Lang, Size string
}

// keeping is what a table knows of its draft.
type keeping struct {
	changes int // of the visit, as kept last
	against int // the same of its comparison
	line    bool
	pages   map[string]bool // kept
	failed  bool
}

// refreshed is how old a record may grow while the person only gives signs of life.
const refreshed = 20 * time.Second

// Keep brings the draft of a visit up to date; sess is the browser it sits at, nil for the volunteers' line. Where it has
// been taken from that browser meanwhile, it comes back in the line, never there: somebody else may sit there now. What
// cannot be kept is not said to be.
func (s *Host) Keep(t *Table, sess *Session) {
	if s.Options.Drafts == nil {
		return
	}
	r := kept{Line: true, Stack: t.Stack, Of: t.of, TwoSided: t.TwoSided, Awaits: t.Awaits.Load(), Doubt: t.Doubt,
		Division: t.division, Placing: t.Placing(), Saved: s.Now()}
	if sess != nil {
		sess.mu.Lock()
		// A volunteer signs in anew after a restart, and finds it in the line.
		if r.Line = sess.member.Name != "" || sess.table != t; !r.Line {
			r.Token, r.CSRF, r.Lang, r.Size = sess.Token, sess.CSRF, sess.lang, sess.size
		}
		sess.mu.Unlock()
	}
	t.keepMu.Lock()
	defer t.keepMu.Unlock()
	changes := t.Visit.Changes()
	compared, against := t.compared.kept()
	same := changes == t.kept.changes && against == t.kept.against && r.Line == t.kept.line
	if t.Context.Err() != nil || same && !t.kept.failed && r.Saved.Sub(t.keptAt) < refreshed {
		return
	}
	r.Visit, r.Parked, r.Compared = t.Visit.Snapshot(), t.parked, compared
	err := s.keepPages(t)
	if err == nil {
		err = s.Options.Drafts.Keep(t.Visit.ID, r)
	}
	if err != nil {
		s.Log.Error("keep draft", "visit", t.Visit.ID, "error", err)
	}
	t.kept.changes, t.kept.against, t.kept.line, t.kept.failed, t.keptAt = changes, against, r.Line, err != nil, r.Saved
}

// keepPages keeps the pages that are new and drops those that are gone. The caller holds keepMu.
func (s *Host) keepPages(t *Table) error {
	if t.kept.pages == nil {
		t.kept.pages = map[string]bool{}
	}
	there := map[string]bool{}
	err := t.Visit.Use(func(papers []visit.Paper) error {
		for _, p := range papers {
			there[p.ID] = true
			if t.kept.pages[p.ID] {
				continue
			}
			if err := s.Options.Drafts.KeepPage(t.Visit.ID, p.ID, p.Data); err != nil {
				return err
			}
			t.kept.pages[p.ID] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Collect(maps.Keys(t.kept.pages)) {
		if !there[id] {
			if err := s.Options.Drafts.DropPage(t.Visit.ID, id); err != nil {
				return err
			}
			delete(t.kept.pages, id)
		}
	}
	return nil
}

// safe tells whether what the person did so far would be here after a restart.
func (s *Host) safe(t *Table) bool {
	t.keepMu.Lock()
	defer t.keepMu.Unlock()
	return s.Options.Drafts != nil && !t.kept.failed
}

// forget ends the draft of a visit that has ended.
func (s *Host) forget(t *Table) {
	if s.Options.Drafts == nil {
		return
	}
	t.keepMu.Lock()
	defer t.keepMu.Unlock()
	s.Sessions.park(t.Visit.ID, parking{})
	if err := s.Options.Drafts.Forget(t.Visit.ID); err != nil {
		s.Log.Error("forget draft", "visit", t.Visit.ID, "error", err)
	}
}

// How long a draft that does not open is left where it is before it is removed.
const (
	stale   = 24 * time.Hour      // damaged: it may be whole after a restart
	keyAway = 30 * 24 * time.Hour // the kiosk key was lost, and may be put back: as long as a visit may be left for later at most
)

// Restore takes up the visits that were open when the daemon ended.
func (s *Host) Restore() {
	if s.Options.Drafts == nil {
		return
	}
	ids, err := s.Options.Drafts.IDs()
	if err != nil {
		s.Log.Error("take up drafts", "error", err)
		return
	}
	records, broken := map[string]kept{}, map[string]error{}
	parted := map[string]map[string]bool{} // persons by their stack
	for _, id := range ids {
		var r kept
		if err := s.Options.Drafts.Take(id, &r); err != nil {
			broken[id] = err
			continue
		}
		records[id] = r
		if r.Of != "" {
			if parted[r.Of] == nil {
				parted[r.Of] = map[string]bool{}
			}
			parted[r.Of][id] = true
		}
	}
	s.tellBroken(records, broken)
	for _, id := range ids {
		r, whole := records[id]
		if !whole {
			continue
		}
		limits, longest := s.keptFor(r)
		_, unsent := s.Options.Queue.Get(id)
		age := s.Now().Sub(r.Saved)
		if r.Parked.waits(s.Now()) && unsent != nil {
			s.Sessions.park(id, r.Parked)
			if age > longest {
				continue // it waits on the disk
			}
		}
		if age > longest || r.Visit.State.ID != id {
			s.drop(id)
			if r.Visit.State.Code == "" && age < stale && unsent != nil && len(r.Parked.Sum) == 0 {
				s.lost = s.Now()
			}
			continue
		}
		s.takeUp(r, limits, parted[id])
	}
}

// keptFor says within which limits a draft goes on, and how old it may have become meanwhile.
func (s *Host) keptFor(r kept) (limits visit.Limits, longest time.Duration) {
	switch {
	case r.Line && r.Compared != nil && r.Compared.Ready:
		since := r.Compared.Since
		if since.IsZero() { // of a program that did not note it
			since = r.Saved
		}
		if limits = s.waits(true, since); limits.Silence <= 0 {
			return limits, -1 // however lately it was kept
		}
		return limits, max(s.Options.Compared, lineLimits.Silence)
	case r.Line:
		return lineLimits, lineLimits.Silence
	case r.Visit.State.Channel == visit.Volunteer:
		return s.Options.Helped, s.Options.Helped.Silence + time.Minute
	}
	return s.Options.Citizen, s.Options.Citizen.Silence + s.Options.Citizen.Helping + time.Minute
}

// tellBroken tells of drafts that can't be opened, and lets go of the old ones.
func (s *Host) tellBroken(records map[string]kept, broken map[string]error) {
	for id, r := range records {
		for n := 0; r.Stack && n < visit.MaxPapers; n++ {
			delete(broken, personOf(id, n)) // begun to be kept when the daemon ended: the stack is dealt anew
		}
	}
	for id, err := range broken {
		s.Log.Error("take up draft", "visit", id, "error", err)
		age, known := s.Options.Drafts.Age(id, s.Now())
		waits := errors.Is(err, seal.ErrWrongKey) && age <= keyAway
		if !waits || age <= stale {
			s.lost = s.Now()
		}
		if known && age > stale && !waits {
			s.drop(id)
		}
	}
}

func (s *Host) drop(id string) {
	if err := s.Options.Drafts.Forget(id); err != nil {
		s.Log.Error("forget draft", "visit", id, "error", err)
	}
}

// takeUp seats a visit again where it was. One that was accepted in the moment the daemon ended shows its receipt.
// parted are the persons of a stack that are kept by themselves.
func (s *Host) takeUp(r kept, limits visit.Limits, parted map[string]bool) {
	if sub, err := s.Options.Queue.Get(r.Visit.State.ID); err == nil && r.Visit.State.Code == "" {
		state := &r.Visit.State
		state.Step, state.Code, state.Confirmed = visit.Receipt, sub.Code, sub.Created
		state.Papers, state.Readings, state.Form = nil, nil, nil
	}
	state := r.Visit.State
	t := s.reopen(r, limits, parted)
	var sess *Session
	if r.Line {
		if state.Code != "" { // done: nobody waits for it
			s.EndVisit(context.Background(), t, "finished")
			return
		}
		if t.Stack && s.ProcedureOf(state) != nil {
			s.Sessions.stack(t) // until it is read and dealt
		} else {
			s.Sessions.enqueue(t)
		}
	} else {
		sess = &Session{Token: r.Token, CSRF: r.CSRF, lang: r.Lang, size: r.Size, seen: s.Now(), table: t}
		s.Sessions.add(sess)
	}
	s.Log.Info("visit taken up again", "visit", state.ID, "step", string(state.Step))
	s.readOn(t, sess)
}

// reopen makes the visit of a record again, with its pages.
func (s *Host) reopen(r kept, limits visit.Limits, parted map[string]bool) *Table {
	data := map[string][]byte{}
	pages := map[string]bool{}
	for _, p := range r.Visit.State.Papers {
		page, err := s.Options.Drafts.Page(r.Visit.State.ID, p.ID)
		if err != nil {
			s.Log.Error("take up page of draft", "visit", r.Visit.State.ID, "error", err)
			continue
		}
		data[p.ID], pages[p.ID] = page, true
	}
	t := s.NewTable()
	t.Visit = visit.Restore(r.Visit, data, s.Now(), limits)
	t.kept.pages, t.Stack, t.of, t.parted, t.parked, t.Doubt = pages, r.Stack, r.Of, parted, r.Parked, r.Doubt
	t.TwoSided, t.division, t.placing = r.TwoSided, r.Division, r.Placing
	t.placing.Instead = false // that scan may have been cut: what it gave lies beside the old one
	t.Awaits.Store(r.Awaits)
	t.compared.take(r.Compared)
	return t
}

// readOn reads the papers that recognition has not answered for, because the daemon ended or the scan was stopped, and divides
// a stack, but for one that waits for more.
func (s *Host) readOn(t *Table, sess *Session) {
	state := t.Visit.State()
	var unread []string
	for _, p := range state.Papers {
		if p.Reading {
			unread = append(unread, p.ID)
		}
	}
	proc := s.ProcedureOf(state)
	deal := t.Stack && !t.Awaits.Load()
	if proc == nil || len(unread) == 0 && !deal {
		s.Place(t)
		return
	}
	done, err := t.Visit.ReadOn(s.Now())
	if err != nil {
		return
	}
	t.Live.Reset()
	at := Seat{Session: sess, Table: t, Visit: t.Visit, State: state, Lang: "vi", Proc: proc}
	ctx, cancel := t.Job()
	t.Run(func() {
		defer cancel()
		end := s.ReadJob(ctx, at, unread, nil)
		if !deal {
			s.Place(t)
			s.Keep(t, sess)
		}
		done(s.Now())
		if deal && ctx.Err() == nil {
			s.Deal(t, proc, state.Staff)
			t.leave()
			return
		}
		if deal && t.Context.Err() == nil { // stopped: it waits at the desk again
			t.Awaits.Store(true)
			_ = t.Visit.TakeOver(s.Now(), state.Staff, lineLimits) // fails where it has just ended
			s.Keep(t, nil)
		}
		if t.Stack {
			end.To = "/desk"
		}
		t.Live.Send(end)
	})
}

// lostFor is how long after a restart the first page says that an unfinished visit is gone.
const lostFor = 10 * time.Minute

// LostVisit tells whether a visit that was open before a restart could not be taken up, as far as nobody has begun since.
func (s *Host) LostVisit() bool {
	s.Sessions.mu.Lock()
	defer s.Sessions.mu.Unlock()
	return !s.lost.IsZero() && s.Now().Sub(s.lost) < lostFor
}

// LostSeen stops saying so: whoever it was has seen it, or is gone.
func (s *Host) LostSeen() {
	s.Sessions.mu.Lock()
	defer s.Sessions.mu.Unlock()
	s.lost = time.Time{}
}

// Drafts is where unfinished visits are kept; *draft.Store is one.
type Drafts interface {
	IDs() ([]string, error)
	Keep(id string, record any) error
	KeepPage(id, page string, data []byte) error
	DropPage(id, page string) error
	Take(id string, record any) error
	Page(id, page string) ([]byte, error)
	Age(id string, now time.Time) (time.Duration, bool)
	Forget(id string) error
}

var _ Drafts = (*draft.Store)(nil)
