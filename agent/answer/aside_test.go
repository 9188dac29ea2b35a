package answer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"motcua/queue/seal"
)

// lost is a store whose own key was lost after it took an answer with its result, and that was opened again with a new one.
type lost struct {
	dir    string
	keys   []seal.Key // the lost one
	was    string     // its recipient
	result Answer
	data   []byte
}

func loseKey(t *testing.T) lost {
	t.Helper()
	l := lost{dir: t.TempDir(), data: []byte("%PDF-1.7 a result")}
	sum := sha256.Sum256(l.data)
	l.result = Answer{Desk: "desk-1", Number: 3, Submission: "A", Code: codeOf("A"), State: Done, At: noon, Received: noon,
		Result: &File{Name: "r.pdf", MediaType: "application/pdf", Size: int64(len(l.data)), SHA256: hex.EncodeToString(sum[:])}}
	s := openAt(t, l.dir)
	err := s.Expect(Answer{Submission: "A", Code: codeOf("A"), At: noon, Received: noon, Born: []int{1990}})
	if err == nil {
		_, err = s.Take(l.result, noon)
	}
	if err := errors.Join(err, s.PutResult(l.result, l.data), s.AllHeard(Cursor{Desk: "desk-1", After: 3})); err != nil {
		t.Fatal(err)
	}
	l.was = s.Recipient().String()
	if l.keys, err = seal.NewFile(filepath.Join(l.dir, "key")).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(l.dir, "key")); err != nil {
		t.Fatal(err)
	}
	return l
}

// back puts the lost key back, behind the one that was made meanwhile.
func (l lost) back(t *testing.T) *Store {
	t.Helper()
	vault := seal.NewFile(filepath.Join(l.dir, "key"))
	now, err := vault.Load(t.Context())
	if err == nil {
		err = vault.Save(t.Context(), append(now, l.keys...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return openAt(t, l.dir)
}

// has checks that a store has the dossier that was handed in here, and its result.
func (l lost) has(t *testing.T, s *Store) {
	t.Helper()
	r, err := s.ByCode(codeOf("A"))
	if err != nil || !r.Own || r.State != Done {
		t.Errorf("the dossier: %v, %v", r, err)
	}
	if _, data, err := s.Result("A"); err != nil || string(data) != string(l.data) {
		t.Errorf("its result: %q, %v", data, err)
	}
}

// A store whose key is lost and comes back has again what it had: the key that the desk seals to, its dossiers and their results.
func TestKeyThatComesBack(t *testing.T) {
	t.Run("the desk was not heard meanwhile", func(t *testing.T) {
		l := loseKey(t)
		between := openAt(t, l.dir).Recipient().String()
		openAt(t, l.dir) // and again
		if between == l.was {
			t.Fatal("no key was lost")
		}
		for range 2 {
			s := l.back(t)
			if got := s.Recipient().String(); got != l.was {
				t.Errorf("the desk seals to %s, the kiosk goes by %s", l.was, got)
			}
			if len(s.identities()) != 2 {
				t.Errorf("what was sealed to the key of between is lost: %d keys", len(s.identities()))
			}
			l.has(t, s)
		}
	})
	t.Run("the desk answered to the new one", func(t *testing.T) {
		l := loseKey(t)
		s := openAt(t, l.dir)
		between := s.Recipient().String()
		if _, err := s.Take(l.result, noon); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.PutResult(l.result, l.data), s.AllHeard(Cursor{Desk: "desk-1", After: 3})); err != nil {
			t.Fatal(err)
		}
		sealed, err := Seal(l.result, openRecipient(t, l.was))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s = l.back(t)
			if got := s.Recipient().String(); got != between {
				t.Errorf("the desk seals to %s, the kiosk goes by %s", between, got)
			}
			if _, err := Open(sealed, s.identities()...); err != nil {
				t.Errorf("what was sealed to the earlier key: %v", err)
			}
			l.has(t, s)
		}
	})
	t.Run("a result handed over is not offered again", func(t *testing.T) {
		l := loseKey(t)
		if err := seal.NewFile(filepath.Join(l.dir, "key")).Save(t.Context(), l.keys); err != nil {
			t.Fatal(err)
		}
		if err := openAt(t, l.dir).Wipe("A", l.result.Result.SHA256, noon); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(l.dir, "key")); err != nil {
			t.Fatal(err)
		}
		s := openAt(t, l.dir)
		if _, err := s.Take(l.result, noon); err != nil {
			t.Fatal(err)
		}
		if err := s.PutResult(l.result, l.data); err != nil {
			t.Fatal(err)
		}
		s = l.back(t)
		if _, _, err := s.Result("A"); err == nil || len(s.Untold()) != 1 {
			t.Errorf("a result that its citizen has is offered again (%v), the desk is to be told of %d", err, len(s.Untold()))
		}
	})
}

// What was set aside may be all that tells of a result that its citizen has: it stays until it has been read.
func TestUnreadableRecordStaysAside(t *testing.T) {
	for name, unreadable := range map[string]string{"what is aside": "aside", "what stands in its place": "place"} {
		t.Run(name, func(t *testing.T) {
			l := loseKey(t)
			if err := seal.NewFile(filepath.Join(l.dir, "key")).Save(t.Context(), l.keys); err != nil {
				t.Fatal(err)
			}
			s := openAt(t, l.dir)
			if err := s.Wipe("A", l.result.Result.SHA256, noon); err != nil {
				t.Fatal(err)
			}
			var handed Record
			if err := s.drafts.Take(recordPrefix+"A", &handed); err != nil {
				t.Fatal(err)
			}
			keep := func(where string, record any) {
				t.Helper()
				if where == unreadable {
					record = "no record"
				}
				if err := s.drafts.Keep(recordPrefix+"A", record); err != nil {
					t.Fatal(err)
				}
			}
			keep("aside", handed)
			if err := s.drafts.SetAside(recordPrefix+"A", noon); err != nil {
				t.Fatal(err)
			}
			keep("place", l.result)
			openAt(t, l.dir)
			aside, err := s.drafts.Aside()
			if err != nil || len(aside) != 1 || aside[0].ID != recordPrefix+"A" {
				t.Errorf("it is gone: %v, %v", aside, err)
			}
		})
	}
}

// Wherever the power fails while an identity comes back, the next start comes to the same.
func TestKeyThatComesBackCut(t *testing.T) {
	for name, cut := range map[string]func(s *Store) error{
		"the new one is kept beside": func(s *Store) error { return s.keepOther(s.identity) },
		"and is no more in its place": func(s *Store) error {
			return errors.Join(s.keepOther(s.identity), s.drafts.Forget(identityName))
		},
		"all stand aside": func(s *Store) error { return s.drafts.SetAside(identityName, noon.AddDate(90, 0, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			l := loseKey(t)
			if err := cut(openAt(t, l.dir)); err != nil {
				t.Fatal(err)
			}
			s := l.back(t)
			if got := s.Recipient().String(); got != l.was || len(s.identities()) != 2 {
				t.Errorf("the kiosk goes by %s of %d keys, not by %s", got, len(s.identities()), l.was)
			}
			l.has(t, s)
			if again := openAt(t, l.dir); again.Recipient().String() != l.was || len(again.identities()) != 2 {
				t.Error("not so after the next start")
			}
		})
	}
}

// What is aside goes once its key was away for as long as anything is kept.
func TestSetAsideGoes(t *testing.T) {
	l := loseKey(t)
	s := openAt(t, l.dir)
	count := func() int {
		t.Helper()
		n, err := CountAside(t.Context(), l.dir, seal.NewFile(filepath.Join(l.dir, "key")))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 2 { // the kiosk's key and the result; the record lies where it lay
		t.Errorf("%d are set aside", n)
	}
	aside, err := s.drafts.Aside()
	if err != nil {
		t.Fatal(err)
	}
	last := aside[len(aside)-1].Since.Add(keepOpen)
	if _, err := s.Sweep(aside[0].Since.Add(keepOpen)); err != nil || count() != 2 {
		t.Errorf("%d are left, %v", count(), err)
	}
	if _, err := s.Sweep(last.Add(1)); err != nil || count() != 1 { // no key goes by the clock
		t.Errorf("%d are left, %v", count(), err)
	}
}

// Under a clock that runs years ahead for a while nothing is lost that the desk can't give again: the kiosk's keys stay.
func TestKeysStayUnderAWrongClock(t *testing.T) {
	l := loseKey(t)
	ahead := time.Now().AddDate(3, 0, 0)
	s := openAt(t, l.dir)
	if _, err := s.Sweep(ahead); err != nil {
		t.Fatal(err)
	}
	s = l.back(t)
	if got := s.Recipient().String(); got != l.was || len(s.identities()) != 2 {
		t.Fatalf("the kiosk goes by %s of %d keys, not by %s", got, len(s.identities()), l.was)
	}
	s.others = nil
	if err := s.openOthers(ahead); err != nil || len(s.identities()) != 2 {
		t.Errorf("%d keys are left, %v", len(s.identities()), err)
	}
	// They don't pile up either.
	for range mostKeys + 3 {
		other, err := age.GenerateX25519Identity()
		if err == nil {
			err = s.keepOther(other)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.others = nil
	if err := s.openOthers(time.Now()); err != nil || len(s.others) != mostKeys {
		t.Errorf("%d keys beside the kiosk's, %v", len(s.others), err)
	}
}

func openRecipient(t *testing.T, text string) age.Recipient {
	t.Helper()
	r, err := age.ParseX25519Recipient(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
