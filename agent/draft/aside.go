package draft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A draft that the keys at hand do not open may be set aside, so that another can be kept under its name, and come back when its key
// does. Its folder is named for when that was: the order of their names is that of time.
const (
	asidePrefix = ".aside-"
	asideStamp  = "20060102T150405.000000000Z"
)

// Aside is a draft that was set aside.
type Aside struct {
	ID    string
	Since time.Time
	Opens bool // with the keys at hand

	folder string
}

// SetAside puts a draft out of the way as it lies there. What is not there is no error; one without a key, which nothing opens ever
// again, is forgotten.
func (s *Store) SetAside(id string, now time.Time) error {
	if !valid(id) {
		return errors.New("set draft aside: not a name")
	}
	s.mu.Lock()
	delete(s.keys, id)
	s.mu.Unlock()
	if _, err := os.Lstat(filepath.Join(s.dir, id, keyFile)); errors.Is(err, fs.ErrNotExist) {
		return s.Forget(id)
	}
	to := filepath.Join(s.dir, asidePrefix+now.UTC().Format(asideStamp)+"-"+id)
	if err := os.Rename(filepath.Join(s.dir, id), to); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("set draft aside: %w", err)
	}
	return syncFolder(s.dir)
}

// Aside lists what was set aside, the oldest first.
func (s *Store) Aside() ([]Aside, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list what was set aside: %w", err)
	}
	var all []Aside
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), asidePrefix)
		if !ok || !e.IsDir() || len(rest) <= len(asideStamp)+1 {
			continue
		}
		since, err := time.Parse(asideStamp, rest[:len(asideStamp)])
		if err != nil {
			continue
		}
		a := Aside{ID: rest[len(asideStamp)+1:], Since: since, folder: e.Name()}
		a.Opens = s.opens(a.ID, a.folder)
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b Aside) int { return a.Since.Compare(b.Since) })
	return all, nil
}

// Opens reports whether the keys at hand open a draft that is there, and whether its record is whole where it has one.
func (s *Store) Opens(id string) bool { return valid(id) && s.opens(id, id) }

func (s *Store) opens(id, folder string) bool {
	aead, err := s.cipherOf(id, folder)
	if err != nil {
		return false
	}
	_, err = unseal(aead, id, recordFile, filepath.Join(s.dir, folder, recordFile))
	return err == nil || errors.Is(err, fs.ErrNotExist)
}

// TakeAside reads the record of a draft that was set aside.
func (s *Store) TakeAside(a Aside, record any) error {
	aead, err := s.cipherOf(a.ID, a.folder)
	if err != nil {
		return err
	}
	data, err := unseal(aead, a.ID, recordFile, filepath.Join(s.dir, a.folder, recordFile))
	if err != nil {
		return err
	}
	return unmarshal(data, record)
}

// BringBack puts a draft that was set aside back in its place; fs.ErrExist where another has that.
func (s *Store) BringBack(a Aside) error {
	place := filepath.Join(s.dir, a.ID)
	if _, err := os.Lstat(place); err == nil {
		return fmt.Errorf("bring draft back: %w", fs.ErrExist)
	}
	if err := os.Rename(filepath.Join(s.dir, a.folder), place); err != nil {
		return fmt.Errorf("bring draft back: %w", err)
	}
	return syncFolder(s.dir)
}

// ForgetAside ends a draft that was set aside, as Forget ends one.
func (s *Store) ForgetAside(a Aside) error {
	ended := filepath.Join(s.dir, endedPrefix+a.folder)
	if err := os.Rename(filepath.Join(s.dir, a.folder), ended); err != nil {
		return erase(filepath.Join(s.dir, a.folder))
	}
	return errors.Join(syncFolder(s.dir), erase(ended))
}
