package office

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"

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
	Key     string    // recipient that its answers are sealed to; "": it has not asked yet
	Other   string    // a recipient that was shown with its credential since, and is not sealed to
	Shown   time.Time // when it was last shown
	Revoked bool
	Listed  bool // its credential is in the list: it may send, were it revoked or not
}

// shown is a recipient that was shown with a kiosk's credential, and is not the one it is bound to.
type shown struct {
	key string
	at  time.Time
}

// shownEvery is how often it is noted that the same one was shown again.
const shownEvery = time.Minute

// kiosks is what is known of them in memory; the index has it too, but for shown.
type kiosks struct {
	bound   map[string]string
	revoked map[string]bool
	shown   map[string]shown
}

// readKiosks reads them from the index.
func (s *Store) readKiosks(tx *bolt.Tx) error {
	s.kiosks = kiosks{map[string]string{}, map[string]bool{}, map[string]shown{}}
	err := tx.Bucket(bucketKiosk).ForEach(func(k, v []byte) error {
		s.kiosks.bound[string(k)] = string(v)
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketRevoked).ForEach(func(k, _ []byte) error {
		s.kiosks.revoked[string(k)] = true
		return nil
	})
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
	err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketKiosk).Put([]byte(kiosk), []byte(recipient)) })
	if err != nil {
		return fmt.Errorf("enrol kiosk: %w", err)
	}
	s.knows(func(k *kiosks) { k.bound[kiosk] = recipient })
	return nil
}

// enrolled tells whether a kiosk is bound to a key, or why it can't be.
func (s *Store) enrolled(kiosk, recipient string) (known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch bound := s.kiosks.bound[kiosk]; {
	case s.kiosks.revoked[kiosk]:
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

// knows changes what is known in memory, and tells who waits for it.
func (s *Store) knows(change func(*kiosks)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.kiosks)
	s.tell()
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
		other := s.kiosks.shown[name]
		out = append(out, Kiosk{name, s.kiosks.bound[name], other.key, other.at, s.kiosks.revoked[name], slices.Contains(listed, name)})
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
		err := s.db.Update(func(tx *bolt.Tx) error {
			if err := tx.Bucket(bucketKiosk).Delete([]byte(kiosk)); err != nil {
				return err
			}
			if err := tx.Bucket(bucketRevoked).Put([]byte(kiosk), []byte(s.o.Now().UTC().Format(time.RFC3339))); err != nil {
				return err
			}
			return post(tx, audit.Event{Actor: actor(by), Act: audit.KioskRevoked, Reason: codeOf(kiosk)})
		})
		if err != nil {
			return fmt.Errorf("forget a kiosk's key: %w", err)
		}
		s.knows(func(k *kiosks) {
			delete(k.bound, kiosk)
			delete(k.shown, kiosk)
			k.revoked[kiosk] = true
		})
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
// showed last (ErrStale: another came meanwhile). Without: it was revoked, and is bound to the first that comes; what
// list.Revoke took out of the list is put back.
func (s *Store) Allow(_ context.Context, list *receive.Kiosks, kiosk, recipient, by string) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	s.mu.RLock()
	other, revoked := s.kiosks.shown[kiosk].key, s.kiosks.revoked[kiosk]
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
	err := s.db.Update(func(tx *bolt.Tx) error {
		if recipient != "" {
			what = "key " + strings.ToLower(answer.Fingerprint(recipient))
			if err := tx.Bucket(bucketKiosk).Put([]byte(kiosk), []byte(recipient)); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketRevoked).Delete([]byte(kiosk)); err != nil {
			return err
		}
		return post(tx, audit.Event{Actor: actor(by), Act: audit.KioskAllowed, Reason: codeOf(kiosk)})
	})
	if err != nil {
		return fmt.Errorf("allow a kiosk: %w", err)
	}
	s.o.Log.Warn("a kiosk gets answers again", "kiosk", kiosk, "what", what)
	s.knows(func(k *kiosks) {
		delete(k.shown, kiosk)
		delete(k.revoked, kiosk)
		if recipient != "" {
			k.bound[kiosk] = recipient
		}
	})
	return s.flush(false)
}
