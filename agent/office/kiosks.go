package office

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/queue/receive"
)

// What the desk knows of the kiosks: the key that each one's answers are sealed to, bound to the first that came with its
// credential, so that a stolen credential alone reads nothing; another key that was shown since; and who was revoked. A kiosk's
// right to send stands in the list of receive.Kiosks; one that has its answers by JetStream may be in no list.

// Kiosk is one as officers see it.
type Kiosk struct {
	Name    string
	Key     string    // recipient that its answers are sealed to, of a revoked one: were; "": it has not asked yet
	Other   string    // a recipient that was shown with its credential since, and is not sealed to
	Shown   time.Time // when it was last shown
	Revoked bool
	Listed  bool // its credential is in the list: it may send, were it revoked or not
	Handed  int  // results that it told as handed over, and that its citizens are to get now
}

// shown is a recipient that was shown with a kiosk's credential, and is not the one it is bound to.
type shown struct {
	key string
	at  time.Time
}

// shownEvery is how often it is noted that the same one was shown again.
const shownEvery = time.Minute

// kiosks is what is known of them in memory; index and register have it too, but for shown.
type kiosks struct {
	changes uint64 // made so far
	bound   map[string]string
	revoked map[string]revocation
	shown   map[string]shown
}

// revocation is when a kiosk was revoked, and the key that it was bound to then: let in again it is bound to that one, so that
// nobody is the first who has no more than its credential.
type revocation struct {
	At  string `json:"at"`
	Key string `json:"key,omitempty"`
}

// Enrol binds a kiosk to the first key that comes with its credential. Another one is noted for the officers, and refused.
func (s *Store) Enrol(_ context.Context, kiosk, recipient string) error {
	if _, err := age.ParseX25519Recipient(recipient); err != nil || kiosk == "" {
		return errors.New("enrol kiosk: it has no name, or its key is none")
	}
	if known, err := s.enrolled(kiosk, recipient); known || err != nil {
		return err
	}
	s.acting.Lock()
	defer s.acting.Unlock()
	if known, err := s.enrolled(kiosk, recipient); known || err != nil { // while this one waited
		return err
	}
	if err := s.changeKiosks(nil, func(k *kiosks) { k.bound[kiosk] = recipient }); err != nil {
		return fmt.Errorf("enrol kiosk: %w", err)
	}
	return nil
}

// enrolled tells whether a kiosk is bound to a key, or why it can't be.
func (s *Store) enrolled(kiosk, recipient string) (known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch bound := s.kiosks.bound[kiosk]; {
	case s.kiosks.out(kiosk):
		return false, answer.ErrTurnedOut
	case bound == recipient:
		return true, nil
	case bound == "":
		return false, nil
	}
	was, now := s.kiosks.shown[kiosk], s.o.Now()
	if was.key != recipient || now.Sub(was.at) > shownEvery {
		s.o.Log.Warn("another key was shown with a kiosk's credential: an officer has to allow it", "kiosk", kiosk,
			"key", answer.Fingerprint(recipient))
		s.kiosks.shown[kiosk] = shown{recipient, now}
	}
	return false, answer.ErrOtherKey
}

// Recipients gives the keys that kiosks are bound to.
func (s *Store) Recipients(context.Context) (map[string]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.kiosks.bound), nil
}

// Kiosks lists those in the list (nil: there is none), those that asked for answers, and those that were revoked, by name.
func (s *Store) Kiosks(list *receive.Kiosks) ([]Kiosk, error) {
	var listed []string
	if list != nil {
		var err error
		if listed, err = list.Names(); err != nil {
			return nil, err
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := slices.AppendSeq(slices.Clone(listed), maps.Keys(s.kiosks.bound))
	names = slices.AppendSeq(names, maps.Keys(s.kiosks.revoked))
	slices.Sort(names)
	var out []Kiosk
	for _, name := range slices.Compact(names) {
		other, was := s.kiosks.shown[name], s.kiosks.revoked[name]
		k := Kiosk{name, cmp.Or(s.kiosks.bound[name], was.Key), other.key, other.at, s.kiosks.out(name), slices.Contains(listed, name), 0}
		for _, r := range s.records {
			if k.Revoked && r.handedAt(name) {
				k.Handed++
			}
		}
		out = append(out, k)
	}
	return out, nil
}

// HasKiosks reports whether any kiosk asked for answers here.
func (s *Store) HasKiosks() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.kiosks.bound)+len(s.kiosks.revoked) > 0
}

// Revoke takes a kiosk's credential away: it can send no more and gets no answers, and nothing is sealed to it any more, in
// JetStream neither. list may be nil. Cut anywhere, it is done by doing it again, and stands in the audit log once.
func (s *Store) Revoke(_ context.Context, list *receive.Kiosks, kiosk, by string) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	known, err := s.Kiosks(list)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(known, func(k Kiosk) bool { return k.Name == kiosk })
	if i < 0 {
		return fmt.Errorf("revoke %s: %w", kiosk, receive.ErrNoKiosk)
	}
	if !known[i].Revoked {
		at := s.o.Now().UTC().Format(time.RFC3339)
		e := audit.Event{Actor: actor(by), Act: audit.KioskRevoked, Reason: codeOf(kiosk)}
		err := s.changeKiosks(&e, func(k *kiosks) {
			k.revoked[kiosk] = revocation{at, k.bound[kiosk]}
			delete(k.bound, kiosk)
			delete(k.shown, kiosk)
		})
		if err != nil {
			return fmt.Errorf("forget a kiosk's key: %w", err)
		}
	}
	if list != nil {
		// One that is not in the list gets its answers by JetStream, or was taken out before.
		if err := list.Revoke(kiosk, by, s.o.Now()); err != nil && !errors.Is(err, receive.ErrNoKiosk) {
			return err
		}
	}
	return s.flush(false)
}

// Allow lets a kiosk have its answers again. With a recipient: it is bound to that one from now on, which must be the one it
// showed last (ErrStale: another came meanwhile). Without: it was revoked, and is bound to what it was bound to before, or to
// the first that comes where it never told a key; what list.Revoke took out of the list is put back.
func (s *Store) Allow(_ context.Context, list *receive.Kiosks, kiosk, recipient, by string) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	s.mu.RLock()
	other, revoked, was := s.kiosks.shown[kiosk].key, s.kiosks.out(kiosk), s.kiosks.revoked[kiosk].Key
	s.mu.RUnlock()
	switch {
	case recipient == "" && !revoked:
		return fmt.Errorf("allow %s: %w", kiosk, receive.ErrNoKiosk)
	case recipient != "" && (revoked || recipient != other):
		return ErrStale
	case recipient == "" && list != nil:
		if err := list.Restore(kiosk); err != nil && !errors.Is(err, receive.ErrNoKiosk) {
			return err
		}
	}
	what := "let-in"
	if recipient == "" {
		recipient = was
	}
	if recipient != "" {
		what = "key " + strings.ToLower(answer.Fingerprint(recipient))
	}
	e := audit.Event{Actor: actor(by), Act: audit.KioskAllowed, Reason: codeOf(kiosk)}
	err := s.changeKiosks(&e, func(k *kiosks) {
		delete(k.shown, kiosk)
		delete(k.revoked, kiosk)
		if recipient != "" {
			k.bound[kiosk] = recipient
		}
	})
	if err != nil {
		return fmt.Errorf("allow a kiosk: %w", err)
	}
	s.o.Log.Warn("a kiosk gets answers again", "kiosk", kiosk, "what", what)
	return s.flush(false)
}
