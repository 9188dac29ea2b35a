package office

import (
	"archive/zip"
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
	"motcua/queue/receive"
)

// sealedName is the one file of a submission that no key here opened when it came.
const sealedName = "bundle.zip.age"

// Unseal opens dossiers that were filed sealed, with keys that the desk was given since, and gives their receipt codes. What none
// of the keys opens stays as it is; what opens and is not what it says is an error, and stays too. The sealed file stays beside
// what was in it. More papers that came sealed join the dossier that they are for, unless an officer acted on them meanwhile or
// papers were added to them: then their history names it.
func (s *Store) Unseal(ctx context.Context, keys []age.Identity) (opened []string, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	s.mu.RLock()
	var sealed []string
	for _, r := range s.records {
		if r.Sealed {
			sealed = append(sealed, r.ID)
		}
	}
	s.mu.RUnlock()
	slices.Sort(sealed)
	for _, id := range sealed {
		if ctx.Err() != nil {
			return opened, ctx.Err()
		}
		code, e := s.unseal(ctx, id, keys)
		var other *age.NoIdentityMatchError
		switch {
		case errors.As(e, &other):
		case e != nil:
			err = errors.Join(err, fmt.Errorf("open the sealed submission %s: %w", id, e))
		case code != "":
			opened = append(opened, code)
		}
	}
	return opened, err
}

func (s *Store) unseal(ctx context.Context, id string, keys []age.Identity) (code string, err error) {
	s.acting.Lock()
	defer s.acting.Unlock()
	if err := s.ready(); err != nil {
		return "", err
	}
	was := s.record(id)
	if was == nil || !was.Sealed {
		return "", nil
	}
	rec := was.clone()
	f, ok := rec.File(sealedName)
	if !ok {
		return "", fmt.Errorf("%w: no file of that name", ErrUnknown)
	}
	own, err := age.ParseX25519Identity(rec.Key)
	if err != nil {
		return "", fmt.Errorf("read a dossier's key: %w", err)
	}
	file, err := os.Open(filepath.Join(s.dir, filesName, f.Place))
	if err != nil {
		return "", fmt.Errorf("open a dossier's file: %w", err)
	}
	defer file.Close()
	parts, err := bundleIn(file, own, keys)
	if err != nil {
		return "", err
	}
	in := &incoming{receipt: receive.Receipt{ID: rec.ID, Code: rec.Code, SHA256: rec.SHA256, Kiosk: rec.Kiosk, Received: rec.Received}}
	if err := in.read(parts); err != nil {
		return "", err
	}
	if first := s.supplemented(in); first != nil && first.ID != rec.ID && rec.untouched() {
		return first.Code, s.join(ctx, first.clone(), rec, in, parts, f)
	}
	told := &record{}
	if err := told.begin(in); err != nil {
		return "", err
	}
	rec.Sealed, rec.Code, rec.Kiosk, rec.Procedure, rec.Title, rec.Ward = false, told.Code, told.Kiosk, told.Procedure, told.Title, told.Ward
	rec.Person, rec.Names, rec.Numbers, rec.Born = told.Person, told.Names, told.Numbers, told.Born
	rec.Certified = append(rec.Certified, told.Certified...) // what was added to it meanwhile may bear some, too
	if err := s.unpack(ctx, rec, in, parts, "o"+strconv.FormatUint(rec.Revision, 10)); err != nil {
		return "", err
	}
	step := Step{At: s.o.Now().UTC(), State: rec.State}
	if first := s.supplemented(in); first != nil {
		step.File = first.Code
	} else if named := in.supplements(); validID.MatchString(named) {
		step.File = named
	}
	s.step(rec, step, true) // kiosks learn the years of birth
	return rec.Code, s.save(rec, &audit.Event{Actor: "system", Act: audit.DossierUnsealed, Submission: rec.ID, Procedure: rec.Procedure})
}

// bundleIn looks into a sealed bundle that lies sealed once more, as a file of a dossier; nothing of it is laid on the disk.
func bundleIn(file *os.File, own age.Identity, keys []age.Identity) (*zip.Reader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open a dossier's file: %w", err)
	}
	outer, size, err := age.DecryptReaderAt(file, info.Size(), own)
	if err != nil {
		return nil, fmt.Errorf("open a dossier's file: %w", errors.New(err.Error())) // it is no other's: the file is damaged
	}
	plain, size, err := age.DecryptReaderAt(outer, size, keys...)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(plain, size)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no ZIP file", ErrUnproved)
	}
	if err := receive.Plain(z, size, receive.MostParts); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnproved, err)
	}
	return z, nil
}

// untouched tells that no officer did anything to a dossier, and that no papers were added to it.
func (r *record) untouched() bool {
	return r.State == answer.Received && len(r.Added) == 0 && !slices.ContainsFunc(r.History, func(h Step) bool { return h.By != "" })
}

// join makes more papers that came sealed, and were filed as a dossier of their own for that, part of the dossier they are for:
// files first, sealed under its key, then one transaction. What a cut leaves of the other dossier Open removes.
func (s *Store) join(ctx context.Context, into, rec *record, in *incoming, parts *zip.Reader, sealed File) error {
	key, err := age.ParseX25519Identity(into.Key)
	if err != nil {
		return fmt.Errorf("read a dossier's key: %w", err)
	}
	place := filepath.Join(rec.ID, "j0")
	whole, err := sealFile(filepath.Join(s.dir, filesName, place), key.Recipient(), func() (io.ReadCloser, error) {
		return s.openSealed(rec, sealed)
	})
	if err != nil {
		return err
	}
	if whole.SHA256 != sealed.SHA256 {
		return fmt.Errorf("%w: the sealed file is damaged", ErrUnproved)
	}
	whole.Name, whole.Place, whole.From, whole.Added = rec.ID+"-"+sealedName, place, rec.ID, sealed.Added
	into.Files = append(into.Files, whole)
	if err := s.unpack(ctx, into, in, parts, "j"); err != nil {
		return err
	}
	e := s.take(into, in)
	into.Added[len(into.Added)-1].Number = rec.Number
	opened := audit.Event{Actor: "system", Act: audit.DossierUnsealed, Submission: rec.ID, Procedure: into.Procedure}
	if err := s.merge(into, rec, opened, e); err != nil {
		return err
	}
	return s.clearJoined(rec.ID)
}

// clearJoined removes what is left of the dossier that more papers were before they joined theirs: its card, and what lies sealed
// under its key.
func (s *Store) clearJoined(id string) error {
	folder := filepath.Join(s.dir, filesName, id)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("clear what became part of a dossier: %w", err)
	}
	r := s.of(id)
	for _, e := range entries {
		if r == nil || slices.ContainsFunc(r.Files, func(f File) bool { return f.Place == filepath.Join(id, e.Name()) }) {
			continue
		}
		at := filepath.Join(folder, e.Name())
		if e.Name() == cardName {
			if err := overwrite(at); err != nil {
				return err
			}
		}
		if err := remove(at); err != nil {
			return fmt.Errorf("clear what became part of a dossier: %w", err)
		}
	}
	return syncDir(folder)
}

// unpack seals the parts into the submission's folder under a dossier's key, each proved on the way. Their places follow from mark,
// so that what a crash left there is what is written over.
func (s *Store) unpack(ctx context.Context, rec *record, in *incoming, parts *zip.Reader, mark string) error {
	key, err := age.ParseX25519Identity(rec.Key)
	if err != nil {
		return fmt.Errorf("read a dossier's key: %w", err)
	}
	id := in.receipt.ID
	for i, name := range in.names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		place := filepath.Join(id, mark+"-"+strconv.Itoa(i+1))
		f, err := sealFile(filepath.Join(s.dir, filesName, place), key.Recipient(), func() (io.ReadCloser, error) { return parts.Open(name) })
		if err != nil {
			return err
		}
		f.Name, f.Place, f.Added = name, place, s.o.Now().UTC()
		if err := in.prove(&f); err != nil {
			return err
		}
		rec.put(f, id)
	}
	return syncDir(filepath.Join(s.dir, filesName, id))
}

// put adds a file of a submission to the dossier, under a name that no other file has.
func (r *record) put(f File, submission string) {
	if submission != r.ID {
		f.From = submission
		if _, taken := r.File(f.Name); taken {
			f.Name = submission + "-" + f.Name
		}
	}
	f.Name = r.freeName(f.Name)
	r.Files = append(r.Files, f)
}
