package office

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"motcua/agent/audit"
)

// sweepEvery is how often dossiers past their time are looked for.
const sweepEvery = time.Hour

// Run wipes what is past its time, now and every hour, until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		switch n, err := s.Sweep(ctx); {
		case err != nil && ctx.Err() == nil:
			s.o.Log.Error("wipe dossiers past their time", "error", err)
		case n > 0:
			s.o.Log.Info("dossiers past their time were wiped", "count", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Sweep wipes closed dossiers whose time is over. Of each is left its id and digest, so that it is not filed anew.
func (s *Store) Sweep(ctx context.Context) (wiped int, err error) {
	if s.o.Keep == nil {
		return 0, nil
	}
	s.acting.Lock()
	defer s.acting.Unlock()
	now := s.o.Now()
	for _, r := range s.over(now) {
		if ctx.Err() != nil {
			return wiped, ctx.Err()
		}
		if err := s.ready(); err != nil {
			return wiped, err
		}
		if err := s.wipe(r); err != nil {
			return wiped, err
		}
		wiped++
	}
	if err := s.clearGone(); err != nil {
		return wiped, err
	}
	if wiped > 0 {
		return wiped, s.compact()
	}
	return 0, nil
}

// over lists the closed dossiers whose time is over.
func (s *Store) over(now time.Time) (all []*record) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.records {
		if keep := s.o.Keep(r.Procedure); r.State.Final() && keep > 0 && now.Sub(r.Changed) >= keep {
			all = append(all, r)
		}
	}
	return all
}

// wipe takes a dossier out of the index first: what then is left of its files when the power fails has a card no more than
// an id in the list of those that are gone, and goes at the next sweep.
func (s *Store) wipe(r *record) error {
	err := s.db.Update(func(tx *bolt.Tx) error {
		for _, one := range r.submissions() {
			if err := tx.Bucket(bucketGone).Put([]byte(one.ID), []byte(one.SHA256)); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketRecord).Delete(number(r.Number)); err != nil {
			return err
		}
		return post(tx, audit.Event{Actor: "system", Act: audit.DossierWiped, Submission: r.ID, Procedure: r.Procedure})
	})
	if err != nil {
		return fmt.Errorf("wipe a dossier: %w", err)
	}
	s.mu.Lock()
	delete(s.records, r.Number)
	for _, one := range r.submissions() {
		delete(s.ids, one.ID)
		delete(s.codes, foldCode(one.Code))
	}
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	return s.flush(false)
}

// clearGone removes the files of what was wiped, the cards, which hold the keys, first.
func (s *Store) clearGone() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, filesName))
	if err != nil {
		return fmt.Errorf("remove wiped files: %w", err)
	}
	for _, e := range entries {
		gone := false
		err := s.db.View(func(tx *bolt.Tx) error {
			gone = tx.Bucket(bucketGone).Get([]byte(e.Name())) != nil
			return nil
		})
		if err != nil {
			return err
		}
		if !gone {
			continue
		}
		folder := filepath.Join(s.dir, filesName, e.Name())
		if err := overwrite(filepath.Join(folder, cardName)); err != nil {
			return err
		}
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove wiped files: %w", err)
		}
	}
	return nil
}

// overwrite fills a file with random bytes: on a plain disk the key in it is gone then.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("overwrite what is wiped: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, rand.Reader, info.Size())
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("overwrite what is wiped: %w", err)
	}
	return nil
}

// tidy makes up for a compaction that was cut: the index is whole in any case. Before the new one has its place, the old one
// has two names.
func tidy(path string) error {
	if err := remove(path + ".new"); err != nil {
		return fmt.Errorf("tidy up after a compaction: %w", err)
	}
	old, err := os.Stat(path + ".old")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tidy up after a compaction: %w", err)
	}
	if now, err := os.Stat(path); err == nil && !os.SameFile(now, old) {
		if err := overwrite(path + ".old"); err != nil {
			return err
		}
	} else if err != nil {
		return fmt.Errorf("tidy up after a compaction: the index is missing, %s.old may be it: %w", path, err)
	}
	return remove(path + ".old")
}

// compact writes the index anew without what was deleted in it: bbolt keeps the bytes of what it frees, the keys of wiped
// dossiers too.
func (s *Store) compact() error {
	path := filepath.Join(s.dir, indexName)
	fresh, err := bolt.Open(path+".new", 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("compact the index: %w", err)
	}
	if err := errors.Join(bolt.Compact(fresh, s.db, 0), fresh.Sync(), fresh.Close()); err != nil {
		return errors.Join(fmt.Errorf("compact the index: %w", err), remove(path+".new"))
	}
	if err := os.Link(path, path+".old"); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("compact the index: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("compact the index: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	// The old file is closed only when the new one is open: nobody else may take the folder meanwhile.
	opened, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("open the compacted index: %w", err)
	}
	old := s.db
	s.db = opened
	return errors.Join(old.Close(), overwrite(path+".old"), remove(path+".old"))
}
