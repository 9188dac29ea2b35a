package answer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"filippo.io/age"

	"motcua/agent/draft"
	"motcua/queue/seal"
)

// Names in the store's folder of drafts.
const (
	identityName = "identity" // the kiosk's age identity, that answers are sealed to
	cursorName   = "cursor"   // how far the desk's answers were taken
	clockName    = "clock"    // what the clock showed when something was last forgotten because of it
	heardName    = "heard"    // up to which answer of which desk everything was heard once
	recordPrefix = "s-"       // a dossier's record, by its submission
	resultPrefix = "r-"       // its result: a draft of its own, so that it can be wiped alone
)

// How long a kiosk remembers. A result that nobody fetched goes earlier than its answer: it is one of many copies then, and the
// office has its own.
const (
	keepResult = 30 * 24 * time.Hour  // of its answer, unless KeepResults says otherwise
	keepFinal  = 90 * 24 * time.Hour  // after the last answer to a dossier
	keepOpen   = 400 * 24 * time.Hour // while more is to come, as long as the queue keeps a record
)

// Record is what a kiosk knows of a dossier. State is empty while the desk has not answered.
type Record struct {
	Answer
	Own       bool      `json:"own,omitempty"`      // handed in at this kiosk
	Collected time.Time `json:"collected,omitzero"` // its result was handed over, here or at another kiosk, and wiped
	Told      bool      `json:"told,omitempty"`     // the desk knows that
	Lapsed    time.Time `json:"lapsed,omitzero"`    // its result was wiped here although nobody had fetched it
	Taken     time.Time `json:"taken,omitzero"`     // when it came here as news, by this kiosk's clock
}

// Store keeps answers at a kiosk, sealed. Its methods may be called by several goroutines.
type Store struct {
	drafts   *draft.Store
	identity *age.X25519Identity // what the desk is told to seal to
	others   []age.Identity      // that it may have sealed to before
	log      *slog.Logger

	mu     sync.Mutex        // guards what follows, and the order of writes
	known  map[string]place  // by a dossier's first submission
	first  map[string]string // any submission → the dossier's first
	codes  map[string]string // receipt code → the dossier's first submission
	broken map[string]bool   // records that could not be read; an answer of the desk replaces them
	cursor Cursor
	heard  Cursor    // what is numbered higher is news, whatever the desk's clock says
	forgot time.Time // what the clock showed when something was last forgotten because of it

	contact   Contact
	contacted time.Time // when it was written

	results time.Duration // how long a result is kept that nobody fetches
	wiped   chan struct{} // holds one where there may be something to tell the desk
}

// place is what the store keeps in memory of a record: nothing personal.
type place struct {
	answer  Answer    // Desk, Number, State, Received, At only
	since   time.Time // that its time counts from: At, or when it came here
	own     bool
	missing *File // a result that has not come yet
	untold  *File // a result that was handed over here, which the desk has not been told
	lapsed  bool
	has     bool // a result that came, or is to come
}

// Cursor is how far a desk's answers were taken.
type Cursor struct {
	Desk  string `json:"desk"`
	After uint64 `json:"after"`
}

// OpenStore opens the store in a folder, made if need be; vault holds the store's own key. What can't be opened (another
// key, damage) is asked of the desk anew; it is left where it lies, or set aside, and comes back when its key does.
func OpenStore(ctx context.Context, dir string, vault seal.Vault, log *slog.Logger) (*Store, error) {
	drafts, err := draft.Open(ctx, dir, vault)
	if err != nil {
		return nil, fmt.Errorf("open answers: %w", err)
	}
	s := &Store{drafts: drafts, log: log, results: keepResult, wiped: make(chan struct{}, 1),
		known: map[string]place{}, first: map[string]string{}, codes: map[string]string{}, broken: map[string]bool{}}
	if err := s.bringBack(time.Now()); err != nil {
		return nil, fmt.Errorf("open answers: %w", err)
	}
	for name, into := range map[string]any{cursorName: &s.cursor, clockName: &s.forgot, contactName: &s.contact,
		heardName: &s.heard} {
		if err := s.recall(name, into); err != nil {
			return nil, err
		}
	}
	if err := s.openIdentity(time.Now()); err != nil {
		return nil, fmt.Errorf("open answers: %w", err)
	}
	ids, err := drafts.IDs()
	if err != nil {
		return nil, fmt.Errorf("open answers: %w", err)
	}
	if err := s.sweepResults(ids, time.Now()); err != nil {
		return nil, err
	}
	for _, name := range ids {
		id, ok := strings.CutPrefix(name, recordPrefix)
		if !ok {
			continue
		}
		r, err := s.read(id)
		if err != nil {
			log.Warn("an answer can't be read: it is asked of the desk anew", "submission", id, "error", err)
			s.broken[id] = true
			continue
		}
		s.index(r)
	}
	if len(s.broken) > 0 {
		s.cursor = Cursor{}
	}
	return s, nil
}

// Renew takes the store's keys from the vault again, where another one was put before them.
func (s *Store) Renew(ctx context.Context, vault seal.Vault) error { return s.drafts.Renew(ctx, vault) }

// recall reads what the store noted for itself. What can't be read is forgotten, for nothing could be written in its place; it is of
// no worth: the desk is asked anew.
func (s *Store) recall(name string, into any) error {
	err := s.drafts.Take(name, into)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s.log.Warn("a note about answers can't be read and is begun anew", "note", name, "error", err)
	if err := s.drafts.Forget(name); err != nil {
		return fmt.Errorf("open answers: %w", err)
	}
	return nil
}

// Each shows the records of a store that another process may have open. A folder that is not there has none; records that can't
// be read are left out.
func Each(ctx context.Context, dir string, vault seal.Vault, do func(Record)) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	drafts, err := draft.Open(ctx, dir, vault)
	if err != nil {
		return fmt.Errorf("open answers: %w", err)
	}
	ids, err := drafts.IDs()
	if err != nil {
		return fmt.Errorf("open answers: %w", err)
	}
	for _, name := range ids {
		var r Record
		if strings.HasPrefix(name, recordPrefix) && drafts.Take(name, &r) == nil {
			do(r)
		}
	}
	return nil
}

// Recipient is what answers are to be sealed to.
func (s *Store) Recipient() *age.X25519Recipient { return s.identity.Recipient() }

// Cursor is how far the desk's answers were taken.
func (s *Store) Cursor() Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// Advance notes how far the desk's answers were taken. It may be lost: what is taken again changes nothing.
func (s *Store) Advance(c Cursor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c == s.cursor {
		return nil
	}
	if err := s.drafts.Keep(cursorName, c); err != nil {
		return fmt.Errorf("keep how far answers were taken: %w", err)
	}
	s.cursor = c
	return nil
}

// Expect notes a submission that was accepted at this kiosk, so that it can be looked up before the desk answers.
func (s *Store) Expect(a Answer) error {
	a.State = ""
	if !validID.MatchString(a.Submission) || !validCode.MatchString(a.Code) {
		return errors.New("expect answer: submission or receipt code is none")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first[a.Submission] != "" {
		return nil
	}
	return s.write(Record{Answer: a, Own: true})
}

// Take takes an answer in. fresh is false for one that is known, or older than what is known: it changes nothing.
func (s *Store) Take(a Answer, now time.Time) (fresh bool, err error) {
	if err := a.Validate(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.heard.Desk == a.Desk && a.Number > s.heard.After
	if a.State.Final() && now.Sub(a.At) > keepFinal && !news {
		return false, s.noteClock(now) // forgotten here long ago, or never of use here
	}
	was, known := s.known[a.Submission]
	if s.partNow(a) || known && !a.after(was.answer) {
		return false, nil
	}
	var r Record
	if known {
		if r, err = s.read(a.Submission); err != nil {
			r = Record{Own: was.own}
		}
	}
	same := r.takes(a)
	if news {
		r.Taken = now
	}
	if err := s.write(r); err != nil {
		return false, err
	}
	if err := s.forgetParts(a); err != nil {
		return true, err
	}
	if !same || !r.holds() {
		if err := s.drafts.Forget(resultPrefix + a.Submission); err != nil {
			return true, fmt.Errorf("take answer: %w", err)
		}
		s.index(r)
	}
	handed := known && was.answer.State == a.State && was.answer.At.Equal(a.At) // says no more than that the result is in hand
	return !handed, nil
}

// forgetParts forgets what this kiosk noted of supplements: the dossier's own record tells of them from now on. The caller holds mu.
func (s *Store) forgetParts(a Answer) error {
	for _, more := range a.Supplements {
		if _, ok := s.known[more.Submission]; !ok {
			continue
		}
		if err := s.forget(more.Submission); err != nil {
			return err
		}
	}
	return nil
}

// partNow reports whether an answer is to what was a dossier of its own then, and is part of another now; the caller holds mu.
func (s *Store) partNow(a Answer) bool {
	first := s.first[a.Submission]
	p := s.known[first]
	return first != a.Submission && p.answer.Desk == a.Desk && p.answer.Number > a.Number
}

// takes puts a newer answer into the record; same tells that its result is the one of before.
func (r *Record) takes(a Answer) (same bool) {
	same = r.Result != nil && a.Result != nil && r.Result.SHA256 == a.Result.SHA256
	if len(a.Born) == 0 {
		a.Born = r.Born // the kiosk that took the papers knows, where the desk could not read them
	}
	again := !a.At.Equal(r.At)                         // an officer who answers again offers the result again
	if !same || again && r.Told && a.Handed.IsZero() { // also one that was told as handed over, as by a stolen kiosk
		r.Collected, r.Told = time.Time{}, false
	}
	if !same || again {
		r.Lapsed = time.Time{}
	}
	r.Answer = a
	if a.Result != nil && !a.Handed.IsZero() {
		if r.Collected.IsZero() {
			r.Collected = a.Handed
		}
		r.Told = true
	}
	return same
}

// holds reports whether a result is kept, or waited for.
func (r *Record) holds() bool { return r.Result != nil && r.Collected.IsZero() && r.Lapsed.IsZero() }

// KeepResults says how long a result is kept that nobody fetches; 0: as long as its answer.
func (s *Store) KeepResults(long time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.results = long; long <= 0 {
		s.results = keepFinal
	}
}

// Untold lists answers whose result was handed over here, which the desk has not been told.
func (s *Store) Untold() []Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Answer
	for id, p := range s.known {
		if p.untold != nil {
			out = append(out, Answer{Submission: id, Result: p.untold})
		}
	}
	return out
}

// SetTold notes that the desk knows that this result was handed over.
func (s *Store) SetTold(a Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.known[a.Submission]
	if p.untold == nil || a.Result == nil || p.untold.SHA256 != a.Result.SHA256 {
		return nil
	}
	r, err := s.read(a.Submission)
	if err != nil {
		return fmt.Errorf("note what the desk was told: %w", err)
	}
	r.Told = true
	return s.write(r)
}

// AllHeard notes that all answers of a desk up to that number came here, or were passed over: what comes after them is news, also from a
// desk whose clock is years behind.
func (s *Store) AllHeard(c Cursor) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Desk == s.heard.Desk && c.After <= s.heard.After {
		return nil
	}
	if err := s.drafts.Keep(heardName, c); err != nil {
		return fmt.Errorf("keep how far answers were heard: %w", err)
	}
	s.heard = c
	return nil
}

// Missing lists answers whose result has not come yet, by the submission.
func (s *Store) Missing() []Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Answer
	for id, p := range s.known {
		if p.missing != nil {
			a := p.answer
			a.Submission, a.Result = id, p.missing
			out = append(out, a)
		}
	}
	return out
}

// PutResult keeps a result after proving it by the answer that it belongs to; one whose answer was replaced meanwhile is dropped.
func (s *Store) PutResult(a Answer, data []byte) error {
	sum := sha256.Sum256(data)
	if a.Result == nil || int64(len(data)) != a.Result.Size || hex.EncodeToString(sum[:]) != a.Result.SHA256 {
		return errors.New("take result: it is not the one that the answer names")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.known[a.Submission]
	if p.missing == nil || p.missing.SHA256 != a.Result.SHA256 {
		return nil
	}
	if err := s.drafts.KeepPage(resultPrefix+a.Submission, a.Result.SHA256, data); err != nil {
		return fmt.Errorf("take result: %w", err)
	}
	p.missing = nil
	s.known[a.Submission] = p
	return nil
}

// Result reads the result of a dossier; ErrUnknown where it has not come, or was wiped.
func (s *Store) Result(submission string) (File, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.read(submission)
	if err != nil || !r.holds() {
		return File{}, nil, ErrUnknown
	}
	f := *r.Result
	data, err := s.drafts.Page(resultPrefix+submission, f.SHA256)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, nil, ErrUnknown
	}
	if err != nil {
		return File{}, nil, fmt.Errorf("read result: %w", err)
	}
	return f, data, nil
}

// Wipe destroys a result that was handed over, known by its digest: it can't be had again from this kiosk, nor is it asked of the desk
// anew. The desk is told, and tells the other kiosks. ErrUnknown: another result has come meanwhile, which nobody has in hand.
func (s *Store) Wipe(submission, sum string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.read(submission)
	if err != nil {
		return fmt.Errorf("wipe result: %w", err)
	}
	if r.Result == nil || r.Result.SHA256 != sum {
		return ErrUnknown
	}
	r.Collected = now
	if err := s.write(r); err != nil {
		return err
	}
	if err := s.drafts.Forget(resultPrefix + submission); err != nil {
		return fmt.Errorf("wipe result: %w", err)
	}
	select {
	case s.wiped <- struct{}{}:
	default:
	}
	return nil
}

// lapse destroys a result that nobody fetched; the caller holds mu.
func (s *Store) lapse(id string, now time.Time) error {
	r, err := s.read(id)
	if err != nil {
		return fmt.Errorf("wipe result: %w", err)
	}
	if err := s.noteClock(now); err != nil {
		return err
	}
	r.Lapsed = now
	if err := s.write(r); err != nil {
		return err
	}
	if err := s.drafts.Forget(resultPrefix + id); err != nil {
		return fmt.Errorf("wipe result: %w", err)
	}
	return nil
}

// ByCode gives the record of a receipt code, of the first submission or of a supplement.
func (s *Store) ByCode(code string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.codes[code]
	if !ok {
		return Record{}, ErrUnknown
	}
	return s.read(id)
}

// Born gives the years of birth of whom it may be told where a dossier stands; none where it is not known.
func (s *Store) Born(submission string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.read(s.first[submission])
	if err != nil {
		return nil
	}
	return r.Born
}

// Answered reports whether the desk has answered a submission, be it a dossier's first or a supplement.
func (s *Store) Answered(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[s.first[id]].answer.State != ""
}

// Sweep forgets what is past its time, results before their answers, and returns how many records that were.
func (s *Store) Sweep(now time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.askAnew(now); err != nil {
		return 0, err
	}
	n := 0
	for id, p := range s.known {
		keep := keepOpen
		if p.answer.State.Final() {
			keep = keepFinal
		}
		since := p.since
		if since.Sub(now) > clockSlack { // this kiosk's clock was ahead then
			since = p.answer.At
		}
		if now.Sub(since) <= keep {
			if p.has && now.Sub(since) > s.results {
				if err := s.lapse(id, now); err != nil {
					return n, err
				}
			}
			continue
		}
		if err := s.noteClock(now); err != nil {
			return n, err
		}
		if err := s.forget(id); err != nil {
			return n, err
		}
		n++
	}
	return n, s.sweepAside(now)
}

// clockSlack is how far a clock may be set without anything having been forgotten too early for that.
const clockSlack = 24 * time.Hour

// noteClock notes what the clock showed when something is forgotten because of it; the caller holds mu.
func (s *Store) noteClock(now time.Time) error {
	if now.Sub(s.forgot) <= clockSlack {
		return nil
	}
	if err := s.drafts.Keep(clockName, now); err != nil {
		return fmt.Errorf("note the clock: %w", err)
	}
	s.forgot = now
	return nil
}

// askAnew begins at the desk's first answer again where the clock shows less than when something was forgotten: it was ahead
// then, and the desk still has what went too early. The caller holds mu.
func (s *Store) askAnew(now time.Time) error {
	if s.forgot.Sub(now) <= clockSlack {
		return nil
	}
	s.log.Warn("the clock was ahead: answers that were forgotten for that are asked of the desk anew", "by", s.forgot.Sub(now).String())
	if err := s.drafts.Keep(cursorName, Cursor{}); err != nil {
		return fmt.Errorf("keep how far answers were taken: %w", err)
	}
	s.cursor = Cursor{}
	for id, p := range s.known {
		if !p.lapsed {
			continue
		}
		r, err := s.read(id)
		if err != nil {
			continue // it is asked of the desk anew with its answer
		}
		r.Lapsed = time.Time{}
		if err := s.write(r); err != nil {
			return err
		}
	}
	if err := s.drafts.Keep(clockName, now); err != nil {
		return fmt.Errorf("note the clock: %w", err)
	}
	s.forgot = now
	return nil
}

// forget destroys a record and its result; the caller holds mu.
func (s *Store) forget(id string) error {
	for _, name := range []string{resultPrefix + id, recordPrefix + id} {
		if err := s.drafts.Forget(name); err != nil {
			return fmt.Errorf("forget answer: %w", err)
		}
	}
	delete(s.known, id)
	maps.DeleteFunc(s.first, func(_, of string) bool { return of == id })
	maps.DeleteFunc(s.codes, func(_, of string) bool { return of == id })
	return nil
}

// Stands tells how the office answered a dossier, by its first submission, and when; ok is false for one that is not known.
func (s *Store) Stands(submission string) (state State, at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.known[submission]
	return p.answer.State, p.answer.At, ok
}

// Counts is how many dossiers are known, by state; "" for those not answered yet.
func (s *Store) Counts() map[State]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[State]int{}
	for _, p := range s.known {
		out[p.answer.State]++
	}
	return out
}

func (s *Store) read(id string) (Record, error) {
	var r Record
	if err := s.drafts.Take(recordPrefix+id, &r); err != nil {
		return r, err
	}
	if r.Submission != id {
		return r, errors.New("a record names another submission")
	}
	return r, nil
}

func (s *Store) write(r Record) error {
	if s.broken[r.Submission] {
		if err := s.drafts.SetAside(recordPrefix+r.Submission, time.Now()); err != nil {
			return fmt.Errorf("replace an answer that can't be read: %w", err)
		}
		delete(s.broken, r.Submission)
	}
	if err := s.drafts.Keep(recordPrefix+r.Submission, r); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	s.index(r)
	return nil
}

// index notes a record in memory; the caller holds mu, or is alone.
func (s *Store) index(r Record) {
	p := place{answer: Answer{Desk: r.Desk, Number: r.Number, State: r.State, Received: r.Received, At: r.At}, own: r.Own,
		since: r.At, lapsed: !r.Lapsed.IsZero(), has: r.holds()}
	if r.Taken.After(r.At) {
		p.since = r.Taken
	}
	if p.has {
		if _, err := s.drafts.Page(resultPrefix+r.Submission, r.Result.SHA256); err != nil {
			p.missing = r.Result
		}
	} else if r.Result != nil && !r.Collected.IsZero() && !r.Told {
		p.untold = r.Result
	}
	s.known[r.Submission] = p
	for _, id := range r.IDs() {
		s.first[id] = r.Submission
	}
	for _, c := range r.codes() {
		if !s.heldBefore(c, r) {
			s.codes[c] = r.Submission
		}
	}
}

// heldBefore reports whether a receipt code is another dossier's already: that of this kiosk's own receipt, or of one that the office
// received earlier. A code is what a kiosk says.
func (s *Store) heldBefore(code string, r Record) bool {
	held, some := s.codes[code]
	p, known := s.known[held]
	switch {
	case !some || !known || slices.Contains(r.IDs(), held):
		return false
	case p.own != r.Own:
		return p.own
	}
	return !p.answer.Received.IsZero() && (r.Received.IsZero() || p.answer.Received.Before(r.Received))
}
