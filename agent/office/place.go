package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"motcua/agent/audit"
)

// place puts a staged folder where it belongs, with the dossier's card in it where it is the first of its dossier.
func (s *Store) place(staging, id string, rec *record) error {
	if id == rec.ID {
		if err := s.writeCard(staging, rec); err != nil {
			return err
		}
	}
	if err := syncDir(staging); err != nil {
		return err
	}
	at := filepath.Join(s.dir, filesName, id)
	if _, err := os.Lstat(at); err == nil {
		// Nothing knows this folder: what adopt could not read. It is set aside, not destroyed.
		if err := os.Rename(at, filepath.Join(s.dir, filesName, fmt.Sprintf(".aside-%s-%d", id, s.o.Now().UnixNano()))); err != nil {
			return fmt.Errorf("set aside a folder that nothing knows: %w", err)
		}
	}
	if err := os.Rename(staging, at); err != nil {
		return fmt.Errorf("put a submission's files in place: %w", err)
	}
	return syncDir(filepath.Join(s.dir, filesName))
}

// writeCard writes the record beside its files, in place of the one before.
func (s *Store) writeCard(folder string, r *record) error {
	sealed, err := s.wrap("card/"+r.ID, r)
	if err != nil {
		return fmt.Errorf("write a dossier's card: %w", err)
	}
	return writeWhole(filepath.Join(folder, cardName), sealed)
}

// readCard reads a folder's card; nil where it has none.
func (s *Store) readCard(id string) (*record, error) {
	sealed, err := os.ReadFile(filepath.Join(s.dir, filesName, id, cardName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a dossier's card: %w", err)
	}
	return s.unwrap("card/"+id, sealed)
}

// adopt indexes folders that the index does not know: those of a crash just before the index was written, and all of them
// when the index was lost. What has no card that this desk's key opens is left as it lies.
func (s *Store) adopt(ctx context.Context) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, filesName))
	if err != nil {
		return fmt.Errorf("look for files without an index: %w", err)
	}
	var found []*record
	joined := map[string]bool{} // submissions that are part of one that was found
	for _, e := range entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if r := s.of(e.Name()); r != nil {
			if err := s.joined(r, e.Name()); err != nil {
				return err
			}
			continue
		}
		if gone, err := s.gone(e.Name()); err != nil {
			return err
		} else if gone {
			continue // wiped, and cut before its files went: the next sweep removes them
		}
		r, err := s.readCard(e.Name())
		if err != nil {
			s.o.Log.Error("a folder that the index does not know can't be read; it is left as it lies", "submission", e.Name(), "error", err)
			continue
		}
		if r == nil || r.ID != e.Name() {
			continue // of a supplement whose dossier's card does not know it: it is filed again by who holds it
		}
		found = append(found, r)
		for _, more := range r.Added {
			joined[more.ID] = true
		}
	}
	for _, r := range found {
		if joined[r.ID] {
			continue
		}
		if _, taken := s.records[r.Number]; taken || r.Number == 0 {
			r.Number = s.lastNumber + 1
		}
		r.Answer = s.lastAnswer + 1
		s.o.Log.Warn("a dossier that the index did not know is taken in", "dossier", r.Number)
		if err := s.save(r, &audit.Event{Actor: "system", Act: audit.DossierFiled, Submission: r.ID, Procedure: r.Procedure}); err != nil {
			return err
		}
	}
	return nil
}

// joined clears the folder of more papers that became part of a dossier, where a cut left the card of what they were before.
func (s *Store) joined(r *record, id string) error {
	if r.ID == id {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(s.dir, filesName, id, cardName)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.clearJoined(id)
}

// Open opens a file of a dossier for reading.
func (s *Store) Open(d Dossier, name string) (io.ReadCloser, error) {
	r := s.record(d.ID)
	if r == nil {
		return nil, ErrUnknown
	}
	f, ok := r.File(name)
	if !ok {
		return nil, fmt.Errorf("%w: no file of that name", ErrUnknown)
	}
	return s.openSealed(r, f)
}

func (s *Store) openSealed(r *record, f File) (io.ReadCloser, error) {
	key, err := age.ParseX25519Identity(r.Key)
	if err != nil {
		return nil, fmt.Errorf("read a dossier's key: %w", err)
	}
	file, err := os.Open(filepath.Join(s.dir, filesName, f.Place))
	if err != nil {
		return nil, fmt.Errorf("open a dossier's file: %w", err)
	}
	plain, err := age.Decrypt(file, key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a dossier's file: %w", err), file.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, file}, nil
}

// Read reads a whole file of a dossier.
func (s *Store) Read(d Dossier, name string) ([]byte, error) {
	f, err := s.Open(d, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read a dossier's file: %w", err)
	}
	return data, nil
}

// writeWhole writes a file durably in place of the one before.
func writeWhole(path string, data []byte) error {
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
