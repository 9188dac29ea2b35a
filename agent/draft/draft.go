// Package draft keeps what is not finished yet, visits and the volunteers' line, sealed on the disk, so that it is still
// there when the daemon was killed or the power failed. In go a record and its pages by name; out comes the same after
// a restart.
//
// It promises: nothing in its folder can be read without the store's own key, which is neither the kiosk's nor that of
// any submission; a draft is there whole, as it was kept last, or not at all; and what was forgotten cannot be opened
// again, for its key is overwritten first. Drafts are no submissions: nobody was told that they were accepted.
package draft

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"motcua/queue/seal"
)

// A draft's folder holds these files, and a file a page beside them.
const (
	keyFile    = "key"    // the draft's key, wrapped by the store's
	recordFile = "record" // JSON, sealed; written last
	pageSuffix = ".page"

	endedPrefix = ".ended-" // of the folder of a draft that is being forgotten
)

// Store is a folder of drafts. Its methods may be called by several goroutines, but one draft is used by one at a time.
type Store struct {
	dir string

	mu   sync.Mutex // guards ring and keys
	ring *seal.Ring
	keys map[string]cipher.AEAD // by draft
}

// Open opens the store in a folder, which is made if need be; vault holds the store's own key. Remains of drafts whose
// forgetting was cut off are removed.
func Open(ctx context.Context, dir string, vault seal.Vault) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open drafts: %w", err)
	}
	keys, err := vault.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("open drafts: %w", err)
	}
	if len(keys) == 0 {
		keys = []seal.Key{seal.NewKey()}
		if err := vault.Save(ctx, keys); err != nil {
			return nil, fmt.Errorf("open drafts: keep their key: %w", err)
		}
	}
	s := &Store{dir: dir, ring: seal.NewRing(keys[0], keys[1:]...), keys: map[string]cipher.AEAD{}}
	if err := s.sweep(); err != nil {
		return nil, err
	}
	return s, nil
}

// Renew takes the store's keys from the vault again, where another one was put before them: new drafts are sealed by it.
func (s *Store) Renew(ctx context.Context, vault seal.Vault) error {
	keys, err := vault.Load(ctx)
	if err == nil && len(keys) == 0 {
		err = errors.New("there are none")
	}
	if err != nil {
		return fmt.Errorf("renew the keys of drafts: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = seal.NewRing(keys[0], keys[1:]...)
	return nil
}

// sweep ends the forgetting of drafts during which the power failed.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("open drafts: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), endedPrefix) {
			_ = erase(filepath.Join(s.dir, e.Name())) // on a disk that can't be written it stays, and is no draft
		}
	}
	return nil
}

// IDs lists the drafts that are kept.
func (s *Store) IDs() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list drafts: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), endedPrefix) && !strings.HasPrefix(e.Name(), asidePrefix) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Keep keeps a record of a draft. The pages it names are to be kept before it.
func (s *Store) Keep(id string, record any) error {
	data, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("keep draft: %w", err)
	}
	defer clear(data)
	return s.write(id, recordFile, data)
}

// KeepPage keeps the bytes of a page; a name is written once.
func (s *Store) KeepPage(id, page string, data []byte) error {
	return s.write(id, page+pageSuffix, data)
}

// DropPage forgets a page.
func (s *Store) DropPage(id, page string) error {
	if err := os.Remove(filepath.Join(s.dir, id, page+pageSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("drop page of a draft: %w", err)
	}
	return nil
}

// Take reads a draft's record into record.
func (s *Store) Take(id string, record any) error {
	data, err := s.read(id, recordFile)
	if err != nil {
		return err
	}
	return unmarshal(data, record)
}

// unmarshal reads a record, and clears what it read.
func unmarshal(data []byte, record any) error {
	defer clear(data)
	if err := json.Unmarshal(data, record); err != nil {
		return fmt.Errorf("take draft: %w", withoutValue(err))
	}
	return nil
}

// withoutValue keeps what a record holds out of an error's text.
func withoutValue(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("its field %s is of another type", mismatch.Field)
	}
	return errors.New("it is no record")
}

// Page reads the bytes of a page.
func (s *Store) Page(id, page string) ([]byte, error) { return s.read(id, page+pageSuffix) }

// Forget ends a draft: it is no draft from then on, even if the power fails here; its key is overwritten, then all of it
// is removed. Forgetting what is not there is no error.
func (s *Store) Forget(id string) error {
	s.mu.Lock()
	delete(s.keys, id)
	s.mu.Unlock()
	if !valid(id) {
		return nil
	}
	folder, ended := filepath.Join(s.dir, id), filepath.Join(s.dir, endedPrefix+id)
	if err := os.Rename(folder, ended); err != nil {
		return erase(folder)
	}
	return errors.Join(syncFolder(s.dir), erase(ended))
}

// erase overwrites the key of a draft's folder, then removes it all.
func erase(folder string) error {
	err := overwrite(filepath.Join(folder, keyFile))
	return errors.Join(err, os.RemoveAll(folder))
}

// overwrite writes noise over a file, so that what it held is gone from where it lay even if its removal is undone.
func overwrite(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("overwrite the key of a draft: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("overwrite the key of a draft: %w", err)
	}
	noise := make([]byte, info.Size())
	_, _ = rand.Read(noise) // never fails since Go 1.24
	if _, err := f.WriteAt(noise, 0); err != nil {
		return fmt.Errorf("overwrite the key of a draft: %w", err)
	}
	return f.Sync()
}

// valid keeps names of drafts and pages within the store's folder.
func valid(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

func (s *Store) write(id, name string, data []byte) error {
	if !valid(id) || !valid(name) {
		return errors.New("keep draft: not a name")
	}
	aead, err := s.key(id, true)
	if err != nil {
		return err
	}
	sealed := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(data)+chacha20poly1305.Overhead)
	_, _ = rand.Read(sealed)
	sealed = aead.Seal(sealed, slices.Clone(sealed), data, associated(id, name))
	if err := replace(filepath.Join(s.dir, id), name, sealed); err != nil {
		return fmt.Errorf("keep draft: %w", err)
	}
	return nil
}

func (s *Store) read(id, name string) ([]byte, error) {
	if !valid(id) || !valid(name) {
		return nil, errors.New("take draft: not a name")
	}
	aead, err := s.key(id, false)
	if err != nil {
		return nil, err
	}
	return unseal(aead, id, name, filepath.Join(s.dir, id, name))
}

// unseal reads a file of a draft.
func unseal(aead cipher.AEAD, id, name, path string) ([]byte, error) {
	sealed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("take draft: %w", err)
	}
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return nil, fmt.Errorf("take draft: %s is cut short", name)
	}
	data, err := aead.Open(nil, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], associated(id, name))
	if err != nil {
		return nil, fmt.Errorf("take draft: %s does not open: %w", name, err)
	}
	return data, nil
}

func associated(id, name string) []byte { return []byte("motcua draft 1\x00" + id + "\x00" + name) }

// key gives a draft's key, making one for a new draft.
func (s *Store) key(id string, create bool) (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if aead, ok := s.keys[id]; ok {
		return aead, nil
	}
	aead, err := unwrap(s.ring, id, filepath.Join(s.dir, id))
	if create && errors.Is(err, fs.ErrNotExist) {
		aead, err = s.newKey(id, filepath.Join(s.dir, id))
	}
	if err != nil {
		return nil, err
	}
	s.keys[id] = aead
	return aead, nil
}

// cipherOf gives a draft's key, wherever its folder is; it is kept for no later use.
func (s *Store) cipherOf(id, folder string) (cipher.AEAD, error) {
	s.mu.Lock()
	ring := s.ring
	s.mu.Unlock()
	return unwrap(ring, id, filepath.Join(s.dir, folder))
}

// unwrap reads the key of the draft that lies in a folder.
func unwrap(ring *seal.Ring, id, folder string) (cipher.AEAD, error) {
	wrapped, err := os.ReadFile(filepath.Join(folder, keyFile))
	if err != nil {
		return nil, fmt.Errorf("open draft: %w", err)
	}
	secret, err := ring.Unwrap("draft "+id, wrapped)
	if err != nil {
		return nil, fmt.Errorf("open draft: %w", err)
	}
	defer clear(secret)
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return nil, fmt.Errorf("open draft: %w", err)
	}
	return aead, nil
}

// newKey makes a draft's folder and key; the caller holds mu.
func (s *Store) newKey(id, folder string) (cipher.AEAD, error) {
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("keep draft: %w", err)
	}
	if err := syncFolder(s.dir); err != nil {
		return nil, fmt.Errorf("keep draft: %w", err)
	}
	secret := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(secret)
	defer clear(secret)
	if err := replace(folder, keyFile, s.ring.Wrap("draft "+id, secret)); err != nil {
		return nil, fmt.Errorf("keep draft: %w", err)
	}
	return chacha20poly1305.NewX(secret)
}

// replace puts a file in place whole: what was there before or what is there now, never a part.
func replace(folder, name string, data []byte) (err error) {
	f, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(folder, name)); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Age is how long ago a draft was changed last.
func (s *Store) Age(id string, now time.Time) (age time.Duration, known bool) {
	info, err := os.Stat(filepath.Join(s.dir, id))
	if err != nil {
		return 0, false
	}
	return now.Sub(info.ModTime()), true
}
