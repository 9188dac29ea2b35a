package screen

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"motcua/agent/visit"
)

// A person who can't finish today may leave the visit here, sealed as all drafts are, and take it up again with a code. The
// code is shown once and not kept: whoever has the disk and its key has no list of codes. The person agrees to it by a line
// of its own, may take it back, and what nobody comes back for goes after the days that the office has set.

// parking is how a visit waits for its person; the zero parking is none.
type parking struct {
	Sum   []byte    // of the code
	Until time.Time // then it is gone
}

func (p parking) waits(now time.Time) bool { return len(p.Sum) > 0 && now.Before(p.Until) }

// What can go wrong when a visit is left for later, or taken up again.
var (
	ErrNothingYet  = errors.New("there is nothing in the visit that could be left for later")
	ErrNotKept     = errors.New("the visit can't be kept")
	ErrUnknownCode = errors.New("no visit waits under this code")
	ErrTooOften    = errors.New("too many wrong codes")
)

const (
	codeDigits = 12 // of a code: 40 bits, against guesses at the pace below
	wrongCodes = 5  // wrong codes in a row before one has to wait
	wrongPause = 30 * time.Second
)

// CanPark tells whether visits can be left for later here.
func (s *Host) CanPark() bool { return s.Options.Drafts != nil && s.Options.Later > 0 }

// Parked tells until when a visit waits for its person; the zero time if it does not.
func (t *Table) Parked() time.Time {
	t.keepMu.Lock()
	defer t.keepMu.Unlock()
	return t.parked.Until
}

// Park keeps the visit at a session for later, and gives the code under which it comes back. The visit stays open until its
// person leaves. Parked again, it has a new code.
func (s *Host) Park(t *Table, sess *Session) (code string, err error) {
	state := t.Visit.State()
	if !s.CanPark() || !state.Begun() || state.Busy || state.Code != "" {
		return "", ErrNothingYet
	}
	for range codeDigits {
		n, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			return "", fmt.Errorf("draw a code: %w", err)
		}
		code += n.String()
	}
	before := s.setParking(t, parking{sumOf(code), s.Now().Add(s.Options.Later)})
	if s.Keep(t, sess); !s.safe(t) {
		s.setParking(t, before)
		return "", ErrNotKept
	}
	return code, nil
}

// Unpark takes back that the visit is kept for later.
func (s *Host) Unpark(t *Table, sess *Session) {
	s.setParking(t, parking{})
	s.Keep(t, sess)
}

func (s *Host) setParking(t *Table, p parking) (before parking) {
	t.keepMu.Lock()
	before, t.parked = t.parked, p
	t.kept.changes = -1 // to be written whatever else has changed
	t.keepMu.Unlock()
	s.Sessions.park(t.Visit.ID, p)
	return before
}

// Resume finds the visit that waits under a code and seats it at the session.
func (s *Host) Resume(sess *Session, code string) (*Table, error) {
	now := s.Now()
	id, err := s.Sessions.parkedUnder(sumOf(plainCode(code)), now)
	if err != nil {
		return nil, err
	}
	for _, other := range s.Sessions.All() { // it may still be open at a screen
		if t := other.Sitting(); t != nil && t.Visit.ID == id {
			if other != sess && !other.Give(t) {
				return nil, ErrUnknownCode
			}
			s.sit(sess, t)
			return t, nil
		}
	}
	var r kept
	if err := s.Options.Drafts.Take(id, &r); err != nil {
		return nil, fmt.Errorf("take up a visit again: %w", err)
	}
	if sub, err := s.Options.Queue.Get(id); err == nil { // its code is on the receipt
		s.drop(id)
		s.Sessions.park(id, parking{})
		s.Log.Info("visit was sent already", "submission", sub.ID)
		return nil, ErrUnknownCode
	}
	t := s.reopen(r, s.Options.Citizen, nil)
	s.sit(sess, t)
	s.Keep(t, sess)
	s.readOn(t, sess)
	return t, nil
}

// sit seats a visit that somebody takes up; one that was open at the session ends.
func (s *Host) sit(sess *Session, t *Table) {
	sess.mu.Lock()
	old := sess.table
	sess.table = t
	sess.mu.Unlock()
	if old != nil && old != t {
		old.End()
	}
}

// forgetParked ends what nobody has come back for.
func (s *Host) forgetParked(now time.Time) {
	open := map[string]bool{}
	for _, t := range s.Sessions.Visits() {
		open[t.Visit.ID] = true
	}
	for _, id := range s.Sessions.overdue(now) {
		s.Sessions.park(id, parking{})
		if !open[id] {
			s.drop(id)
		}
	}
}

// plainCode is a code as it is drawn: people write it in groups.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, typed)
}

func sumOf(code string) []byte {
	sum := sha256.Sum256([]byte("motcua visit for later\x00" + code))
	return sum[:]
}

// park notes how a visit waits.
func (a *sessions) park(id string, p parking) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(p.Sum) == 0 {
		delete(a.parked, id)
		return
	}
	a.parked[id] = p
}

// parkedUnder finds the visit of a code. Who guesses has to wait.
func (a *sessions) parkedUnder(sum []byte, now time.Time) (id string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wrong >= wrongCodes && now.Sub(a.wrongAt) < wrongPause {
		return "", ErrTooOften
	}
	for one, p := range a.parked {
		if subtle.ConstantTimeCompare(p.Sum, sum) == 1 && p.waits(now) {
			id = one
		}
	}
	if id == "" {
		a.wrong++
		a.wrongAt = now
		return "", ErrUnknownCode
	}
	a.wrong = 0
	return id, nil
}

func (a *sessions) overdue(now time.Time) (ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, p := range a.parked {
		if !p.waits(now) {
			ids = append(ids, id)
		}
	}
	return ids
}

// staysParked tells whether a visit that ends is to stay on the disk for its person.
func (t *Table) staysParked(state visit.State) bool {
	t.keepMu.Lock()
	defer t.keepMu.Unlock()
	return len(t.parked.Sum) > 0 && state.Code == "" && !t.kept.failed
}
