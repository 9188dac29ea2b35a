package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"motcua/agent/draft"
	"motcua/queue/seal"
)

// otherPrefix names an identity that this kiosk went by for a while, by its fingerprint: what was sealed to it may still come.
const otherPrefix = identityName + "-"

// identities are all that an answer may be sealed to.
func (s *Store) identities() []age.Identity { return append([]age.Identity{s.identity}, s.others...) }

// openIdentity gives the kiosk's identity, or makes one. One that can't be opened is set aside; when its key is back it is the
// kiosk's again, unless the desk has answered to the one that was made meanwhile. Cut anywhere, it comes to the same when it runs again.
func (s *Store) openIdentity(now time.Time) error {
	current, err := s.takeIdentity()
	if err != nil {
		return err
	}
	if current == nil {
		if err := s.drafts.SetAside(identityName, now); err != nil {
			return err
		}
	}
	aside, err := s.identitiesAside()
	if err != nil {
		return err
	}
	if len(aside) > 0 && (current == nil || s.heard.Desk == "") {
		if err := s.goBy(aside[0].Aside, current); err != nil {
			return err
		}
		aside = aside[1:]
		if current, err = s.takeIdentity(); err != nil {
			return err
		}
	}
	if s.identity = current; current == nil {
		if s.identity, err = age.GenerateX25519Identity(); err != nil {
			return err
		}
		if err := s.drafts.Keep(identityName, s.identity.String()); err != nil {
			return fmt.Errorf("keep the kiosk's key: %w", err)
		}
	}
	for _, a := range aside {
		if err := s.keepOther(a.identity); err != nil {
			return err
		}
		if err := s.drafts.ForgetAside(a.Aside); err != nil { // only now: a key that could not be kept stays aside
			return err
		}
	}
	return s.openOthers(now)
}

// identityAside is an identity that was set aside and can be opened again.
type identityAside struct {
	draft.Aside
	identity *age.X25519Identity
}

func (s *Store) identitiesAside() ([]identityAside, error) {
	all, err := s.drafts.Aside()
	if err != nil {
		return nil, err
	}
	var out []identityAside
	for _, a := range all {
		if a.ID != identityName {
			continue
		}
		if own, err := identityOf(func(text *string) error { return s.drafts.TakeAside(a, text) }); err == nil {
			out = append(out, identityAside{a, own})
		}
	}
	return out, nil
}

// takeIdentity reads the identity; nil where it is not there, or can't be opened. One that can't be read just now is an error: it may be
// whole, and the desk seals to no other.
func (s *Store) takeIdentity() (*age.X25519Identity, error) {
	own, err := identityOf(func(text *string) error { return s.drafts.Take(identityName, text) })
	var unread *fs.PathError
	switch {
	case err == nil:
		return own, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, &unread):
		return nil, fmt.Errorf("read the kiosk's key: %w", err)
	}
	s.log.Error("the kiosk's key for answers can't be opened and is set aside", "error", err)
	return nil, nil
}

// identityOf parses an identity that is read by take.
func identityOf(take func(text *string) error) (*age.X25519Identity, error) {
	var text string
	if err := take(&text); err != nil {
		return nil, err
	}
	own, err := age.ParseX25519Identity(text)
	if err != nil {
		return nil, errors.New("the kiosk's key for answers is none") // without the text
	}
	return own, nil
}

// goBy makes an identity that was set aside the kiosk's again; current, if there is one, may still have been sealed to.
func (s *Store) goBy(a draft.Aside, current *age.X25519Identity) error {
	if current != nil {
		if err := s.keepOther(current); err != nil {
			return err // on a full disk, say: what could not be kept beside stays in its place
		}
		if err := s.drafts.Forget(identityName); err != nil {
			return err
		}
	}
	if err := s.drafts.BringBack(a); err != nil {
		return err
	}
	s.log.Warn("the kiosk's earlier key for answers is back", "set aside", a.Since)
	return nil
}

func (s *Store) keepOther(i *age.X25519Identity) error {
	name := otherPrefix + strings.ToLower(Fingerprint(i.Recipient().String()))
	if s.drafts.Opens(name) {
		return nil
	}
	err := s.drafts.SetAside(name, time.Now())
	if err == nil {
		err = s.drafts.Keep(name, i.String())
	}
	if err != nil {
		return fmt.Errorf("keep an earlier key of the kiosk: %w", err)
	}
	return nil
}

// mostKeys is how many keys are kept besides the kiosk's own: one comes with each loss, and by then nothing is sealed to the first. Keys
// are counted, not aged: of what is forgotten under a wrong clock the desk gives all again, but never a key.
const mostKeys = 16

// isKey says whether a draft holds a key of the kiosk's.
func isKey(name string) bool { return name == identityName || strings.HasPrefix(name, otherPrefix) }

// openOthers reads the identities that this kiosk went by.
func (s *Store) openOthers(now time.Time) error {
	ids, err := s.drafts.IDs()
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(ids, func(name string) bool { return !strings.HasPrefix(name, otherPrefix) })
	age := func(name string) time.Duration {
		d, _ := s.drafts.Age(name, now)
		return d
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(age(a), age(b)) })
	for i, name := range ids {
		if i >= mostKeys {
			if err := s.drafts.Forget(name); err != nil {
				return err
			}
			continue
		}
		if other, err := identityOf(func(text *string) error { return s.drafts.Take(name, text) }); err == nil {
			s.others = append(s.others, other)
		}
	}
	return nil
}

// bringBack puts in its place what was set aside and opens again. Where another has that place by now, the desk's newer word stays,
// with what only this kiosk knew.
func (s *Store) bringBack(now time.Time) error {
	aside, err := s.drafts.Aside()
	if err != nil {
		return err
	}
	for _, a := range slices.Backward(aside) { // the newest first
		record, isRecord := strings.CutPrefix(a.ID, recordPrefix)
		if !a.Opens || !isRecord && !strings.HasPrefix(a.ID, resultPrefix) {
			continue
		}
		if !s.drafts.Opens(a.ID) {
			if err := s.drafts.SetAside(a.ID, now); err != nil {
				return err
			}
			if err := s.drafts.BringBack(a); err != nil {
				return err
			}
			continue
		}
		if isRecord {
			joined, err := s.join(record, a)
			if err != nil {
				return err
			}
			if !joined {
				continue
			}
		}
		if err := s.drafts.ForgetAside(a); err != nil {
			return err
		}
	}
	return nil
}

// join notes in a record what one that was set aside knew of the same dossier: that it was handed in here, and that its result was
// handed over. Where one of the two can't be read nothing is joined: what it knew is then nowhere else, and must stay for a start that
// can read it.
func (s *Store) join(id string, a draft.Aside) (joined bool, err error) {
	now, err := s.read(id)
	var was Record
	if err == nil {
		err = s.drafts.TakeAside(a, &was)
	}
	switch {
	case err != nil:
		s.log.Error("what was known of a dossier can't be read and stays set aside", "submission", id, "error", err)
		return false, nil
	case was.Submission != id:
		return true, nil // the desk's word stands by itself
	}
	both := now
	both.Own = now.Own || was.Own
	if len(both.Born) == 0 {
		both.Born = was.Born
	}
	if now.Result != nil && was.Result != nil && now.Result.SHA256 == was.Result.SHA256 && now.Collected.IsZero() {
		both.Collected, both.Told = was.Collected, was.Told
	}
	if err := s.drafts.Keep(recordPrefix+id, both); err != nil {
		return false, fmt.Errorf("keep answer: %w", err)
	}
	return true, nil
}

// sweepResults removes results that no record names any more: a cut came between record and result. What does not open, or whose
// record does not, is set aside.
func (s *Store) sweepResults(names []string, now time.Time) error {
	for _, name := range names {
		id, ok := strings.CutPrefix(name, resultPrefix)
		if !ok {
			continue
		}
		r, err := s.read(id)
		switch {
		case err == nil && r.holds() && s.drafts.Opens(name):
			continue
		case err == nil && !r.holds(), errors.Is(err, fs.ErrNotExist):
			err = s.drafts.Forget(name)
		default:
			s.log.Warn("a result that does not open is set aside", "submission", id)
			err = s.drafts.SetAside(name, now)
		}
		if err != nil {
			return fmt.Errorf("open answers: %w", err)
		}
	}
	return nil
}

// sweepAside forgets what was set aside and whose key did not come back for as long as anything is kept, but for the kiosk's own keys.
func (s *Store) sweepAside(now time.Time) error {
	aside, err := s.drafts.Aside()
	if err != nil {
		return err
	}
	keys := 0
	for _, a := range slices.Backward(aside) { // the newest first
		goes := now.Sub(a.Since) > keepOpen
		if isKey(a.ID) {
			keys++
			goes = keys > mostKeys
		}
		if !goes {
			continue
		}
		if err := s.drafts.ForgetAside(a); err != nil {
			return fmt.Errorf("forget what was set aside: %w", err)
		}
	}
	return nil
}

// CountAside is how much of the store in dir is set aside because the keys at hand do not open it, beside a daemon that may be running.
func CountAside(ctx context.Context, dir string, vault seal.Vault) (n int, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if keys, err := vault.Load(ctx); err != nil || len(keys) == 0 { // opening would make one, of the wrong user
		return 0, err
	}
	drafts, err := draft.Open(ctx, dir, vault)
	if err != nil {
		return 0, fmt.Errorf("open answers: %w", err)
	}
	aside, err := drafts.Aside()
	for _, a := range aside {
		if !a.Opens {
			n++
		}
	}
	return n, err
}
