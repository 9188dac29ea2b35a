package office

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	bolt "go.etcd.io/bbolt"

	"motcua/agent/answer"
	"motcua/agent/audit"
)

// Store is where the kiosks' answers come from.
var _ answer.Source = (*Store)(nil)

// Desk is the random name of this store: numbers of another one do not compare.
func (s *Store) Desk() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.name
}

// Last is the highest number of an answer that was given.
func (s *Store) Last(context.Context) (uint64, error) {
	s.acting.Lock()
	defer s.acting.Unlock()
	return s.lastAnswer, nil
}

// Renew gives the store another random name: it was set back to an older copy, and would give numbers a second time.
func (s *Store) Renew(context.Context) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	name := rand.Text()
	err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyDesk, []byte(name)) })
	if err != nil {
		return fmt.Errorf("rename the desk: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = name
	return nil
}

// answerOf is what the kiosks get of a dossier.
func (s *Store) answerOf(r *record) answer.Answer {
	a := answer.Answer{Desk: s.name,
		Number: r.Answer, Submission: r.ID, Code: r.Code, Kiosk: r.Kiosk, Procedure: r.Procedure,
		State: r.State, Reasons: slices.Clone(r.Reasons), Text: r.Text, Born: r.Born, Received: r.Received, At: r.Changed}
	for _, one := range r.Added {
		a.Supplements = append(a.Supplements, answer.Supplement{Submission: one.ID, Code: one.Code})
	}
	if f, ok := r.File(r.Result); ok && r.State.Final() {
		a.Result = &answer.File{Name: f.Name, MediaType: f.MediaType, Size: f.Size, SHA256: f.SHA256}
		if r.Handed != nil && r.Handed.SHA256 == f.SHA256 {
			a.Handed = r.Handed.At
		}
	}
	return a
}

// errUnbound says that no key of a kiosk is known here: no answer was ever sealed to it.
var errUnbound = errors.New("the desk knows no key of this kiosk")

// HandedOver notes that a kiosk handed a result to its citizen: officers see it, and the ward's other kiosks wipe theirs. What was
// answered, and when, stays as it is. It is believed only of a kiosk that answers are sealed to; what a stolen one told, an officer
// takes back (OfferAgain, or Act).
func (s *Store) HandedOver(_ context.Context, kiosk, submission, sum string) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	s.mu.RLock()
	out, bound := s.kiosks.out(kiosk), s.kiosks.bound[kiosk] != ""
	s.mu.RUnlock()
	switch {
	case out:
		return answer.ErrTurnedOut
	case !bound:
		return errUnbound
	}
	was := s.of(submission)
	if was == nil {
		return answer.ErrUnknown
	}
	f, ok := was.File(was.Result)
	if !ok || f.SHA256 != sum || !was.State.Final() {
		return answer.ErrUnknown
	}
	if was.Handed != nil && was.Handed.SHA256 == sum {
		return nil
	}
	if err := s.ready(); err != nil {
		return err
	}
	rec, now := was.clone(), s.o.Now().UTC()
	rec.Handed = &Handed{now, kiosk, sum}
	changed := rec.Changed
	s.step(rec, Step{At: now, State: rec.State, Handed: kiosk}, true)
	rec.Changed = changed
	return s.save(rec, &audit.Event{Actor: "system", Act: audit.ResultWiped, Submission: rec.ID, Procedure: rec.Procedure,
		Reason: codeOf(kiosk)})
}

// OfferAgain has the kiosks offer again every result that a revoked kiosk told as handed over, and gives how many those are: a thief
// who has the whole kiosk can tell so of each that it had. Cut anywhere, it goes on when it is done again. What others do meanwhile
// waits for one of them at most, not for all: there may be thousands.
func (s *Store) OfferAgain(ctx context.Context, kiosk, by string) (n int, err error) {
	s.mu.RLock()
	out := s.kiosks.out(kiosk)
	var ids []string
	for _, r := range s.records {
		if r.handedAt(kiosk) {
			ids = append(ids, r.ID)
		}
	}
	s.mu.RUnlock()
	if !out {
		return 0, ErrNotNow
	}
	slices.Sort(ids)
	for _, id := range ids {
		offered, err := s.offerAgain(ctx, id, kiosk, by)
		if err != nil {
			return n, err
		}
		if offered {
			n++
		}
	}
	return n, nil
}

// offerAgain does so for one result, if it is still so that a kiosk told it as handed over.
func (s *Store) offerAgain(ctx context.Context, id, kiosk, by string) (offered bool, err error) {
	s.acting.Lock()
	defer s.acting.Unlock()
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if err := s.ready(); err != nil {
		return false, err
	}
	s.mu.RLock()
	out := s.kiosks.out(kiosk)
	s.mu.RUnlock()
	was := s.record(id)
	if was == nil || !out || !was.handedAt(kiosk) {
		return false, nil
	}
	rec := was.clone()
	rec.Handed = nil
	s.step(rec, Step{At: s.o.Now().UTC(), By: by, State: rec.State, Offered: kiosk}, true)
	return true, s.save(rec, &audit.Event{Actor: actor(by), Act: audit.ResultOffered, Submission: rec.ID, Procedure: rec.Procedure,
		Reason: codeOf(kiosk)})
}

// handedAt reports whether the result that the citizen is to get now was told by a kiosk as handed over.
func (r *record) handedAt(kiosk string) bool {
	f, ok := r.File(r.Result)
	return ok && r.State.Final() && r.Handed != nil && r.Handed.Kiosk == kiosk && r.Handed.SHA256 == f.SHA256
}

// Answers gives the newest answer of each dossier whose number is above after, by number, at most that many.
func (s *Store) Answers(_ context.Context, after uint64, most int) ([]answer.Answer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var newer []*record
	for _, r := range s.records {
		if r.Answer > after {
			newer = append(newer, r)
		}
	}
	slices.SortFunc(newer, func(a, b *record) int { return int(a.Answer) - int(b.Answer) })
	var out []answer.Answer
	for _, r := range newer[:min(most, len(newer))] {
		out = append(out, s.answerOf(r))
	}
	return out, nil
}

// Result opens the result of the answer of that number.
func (s *Store) Result(_ context.Context, number uint64) (io.ReadCloser, error) {
	s.mu.RLock()
	var found *record
	for _, r := range s.records {
		if r.Answer == number && r.State.Final() && r.Result != "" {
			found = r
		}
	}
	s.mu.RUnlock()
	if found == nil {
		return nil, answer.ErrUnknown
	}
	f, _ := found.File(found.Result)
	return s.openSealed(found, f)
}

// codeOf is a kiosk's name as the audit log takes it: a row of nine digits may be a person's number there.
func codeOf(kiosk string) string {
	digits := 0
	out := make([]byte, 0, len(kiosk)+2)
	for i := range len(kiosk) {
		if c := kiosk[i]; c >= '0' && c <= '9' {
			if digits++; digits > 8 {
				out, digits = append(out, '.'), 1
			}
		} else {
			digits = 0
		}
		out = append(out, kiosk[i])
	}
	return string(out[:min(len(out), 64)])
}

// Wait returns when there is an answer above that number, or ctx ends.
func (s *Store) Wait(ctx context.Context, after uint64) {
	for {
		s.mu.RLock()
		last, changed := s.lastAnswer, s.changed
		s.mu.RUnlock()
		if last > after {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
