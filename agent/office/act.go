package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"filippo.io/age"

	"motcua/agent/answer"
	"motcua/agent/audit"
)

// Act is what an officer decides.
type Act struct {
	By       string // sign-in name
	Revision uint64 // of the dossier as the officer saw it
	State    answer.State
	Reasons  []string // codes of answer.Listed
	Text     string   // typed, for the citizen
	Result   string   // a file of the dossier that the citizen gets; empty: as it is
}

// next says which state may follow which. A closed dossier may be opened again: an officer is a person, too.
var next = map[answer.State][]answer.State{
	answer.Received:  {answer.NeedsMore, answer.Eligible, answer.Done, answer.Refused},
	answer.NeedsMore: {answer.NeedsMore, answer.Eligible, answer.Done, answer.Refused},
	answer.Eligible:  {answer.NeedsMore, answer.Eligible, answer.Done, answer.Refused},
	answer.Done:      {answer.Eligible, answer.Done},
	answer.Refused:   {answer.Eligible},
}

// Next lists the states that a dossier may be put in.
func Next(s answer.State) []answer.State { return slices.Clone(next[s]) }

// Act changes a dossier's state. It fails with ErrUnknown, ErrStale, ErrNotNow or ErrNoReason, and with what answer.Validate
// says; nothing has changed then.
func (s *Store) Act(_ context.Context, id string, a Act) (Dossier, error) {
	s.acting.Lock()
	defer s.acting.Unlock()
	rec, err := s.change(id, a.Revision)
	if err != nil {
		return Dossier{}, err
	}
	switch {
	case !slices.Contains(next[rec.State], a.State):
		return rec.Dossier, ErrNotNow
	case (a.State == answer.NeedsMore || a.State == answer.Refused || rec.State.Final()) && len(a.Reasons) == 0 && a.Text == "":
		return rec.Dossier, ErrNoReason
	}
	if a.Result != "" {
		if _, ok := rec.File(a.Result); !ok {
			return rec.Dossier, fmt.Errorf("%w: no file of that name", ErrUnknown)
		}
		rec.Result = a.Result
	}
	rec.Reasons, rec.Text = slices.Clone(a.Reasons), a.Text
	rec.Handed = nil // who answers again offers the result again
	s.step(rec, Step{At: s.o.Now().UTC(), By: a.By, State: a.State, Reasons: rec.Reasons, Text: a.Text}, true)
	if err := s.answerOf(rec).Validate(); err != nil {
		return Dossier{}, err
	}
	e := audit.Event{Actor: actor(a.By), Act: audit.DossierAnswered, Submission: rec.ID, Procedure: rec.Procedure,
		Reason: string(a.State) + "/" + strconv.FormatUint(rec.Revision, 10)}
	if err := s.save(rec, &e); err != nil {
		return Dossier{}, err
	}
	return rec.Dossier, nil
}

// change gives a copy of a record to change, if it is what the officer saw.
func (s *Store) change(id string, revision uint64) (*record, error) {
	r := s.record(id)
	if r == nil {
		return nil, ErrUnknown
	}
	if r.Revision != revision {
		return nil, ErrStale
	}
	if err := s.ready(); err != nil {
		return nil, err
	}
	return r.clone(), nil
}

// Attachment is a file that an officer adds: a result, or a signed version of a file.
type Attachment struct {
	By        string
	Revision  uint64
	Name      string // as the citizen sees it; one that is taken gets a number
	MediaType string
	Of        string // the file that this one is a signed version of
	Result    bool   // the citizen gets it when the dossier is done
	Content   func() (io.ReadCloser, error)
}

// Attach adds a file. It fails as Act does.
func (s *Store) Attach(_ context.Context, id string, a Attachment) (Dossier, File, error) {
	s.acting.Lock()
	defer s.acting.Unlock()
	rec, err := s.change(id, a.Revision)
	if err != nil {
		return Dossier{}, File{}, err
	}
	key, err := age.ParseX25519Identity(rec.Key)
	if err != nil {
		return Dossier{}, File{}, fmt.Errorf("read a dossier's key: %w", err)
	}
	// The place follows from the revision, so that what a crash left there is what is written over.
	place := filepath.Join(rec.ID, "a"+strconv.FormatUint(rec.Revision, 10))
	at := filepath.Join(s.dir, filesName, place)
	f, err := sealFile(at, key.Recipient(), a.Content)
	if err != nil {
		return Dossier{}, File{}, errors.Join(err, remove(at))
	}
	if err := syncDir(filepath.Dir(at)); err != nil {
		return Dossier{}, File{}, err
	}
	f.Name, f.MediaType, f.Place, f.By, f.Of, f.Added = rec.freeName(a.Name), a.MediaType, place, a.By, a.Of, s.o.Now().UTC()
	rec.Files = append(rec.Files, f)
	told := false
	if a.Result || a.Of != "" && a.Of == rec.Result {
		rec.Result = f.Name
		told = rec.State == answer.Done
	}
	s.step(rec, Step{At: f.Added, By: a.By, State: rec.State, File: f.Name}, told)
	e := audit.Event{Actor: actor(a.By), Act: audit.DossierAttached, Submission: rec.ID, Procedure: rec.Procedure,
		Reason: "file/" + strconv.FormatUint(rec.Revision, 10)}
	if a.Of != "" {
		e.Act = audit.DossierSigned
	}
	if err := s.save(rec, &e); err != nil {
		return Dossier{}, File{}, err
	}
	return rec.Dossier, f, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// freeName gives a name that no file of the dossier has.
func (r *record) freeName(name string) string {
	ext := filepath.Ext(name)
	stem := name[:len(name)-len(ext)]
	for n := 2; ; n++ {
		if _, taken := r.File(name); !taken {
			return name
		}
		name = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
}

// Note records an act that changes no dossier: that one was opened, or a file of it taken away.
func (s *Store) Note(e audit.Event) error {
	if s.o.AuditLog == nil {
		return nil
	}
	return s.o.AuditLog.Append(e)
}
