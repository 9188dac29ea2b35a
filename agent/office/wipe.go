package office

import (
	"context"
	"crypto/rand"
	"encoding/binary"
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

// Run wipes what is past its time, now and every hour, until ctx ends. Before, it notes what an older program left unnoted.
func (s *Store) Run(ctx context.Context) error {
	if err := s.noteCertified(ctx); err != nil && ctx.Err() == nil {
		s.o.Log.Error("look for the numbers of certified copies", "error", err)
	}
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
	over := s.over(now)
	if trusted, err := s.trusts(now); err != nil {
		return 0, err
	} else if !trusted {
		over = nil
	}
	for _, r := range over {
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
		if keep := s.o.Keep(r.Procedure); r.State.Final() && keep > 0 && now.Sub(r.end()) >= keep {
			all = append(all, r)
		}
	}
	return all
}

// end is when a closed dossier was closed, or later: a clock that was behind just then must not end its time early.
func (r *record) end() time.Time {
	end := r.Received
	for _, h := range r.History {
		if h.At.After(end) {
			end = h.At
		}
	}
	return end
}

// A clock that is wrong (a dead battery, a year set by hand) must not wipe a whole ward's dossiers: what it was seen at last is
// noted, and one that is far from there decides nothing before it has gone on so for a day. As at the kiosks, what is kept a
// day too long harms less than what is wiped too early.
const (
	clockAhead = 30 * 24 * time.Hour // a desk that was off for longer is treated like one whose clock was set
	clockTrust = 24 * time.Hour
)

// trusts reports whether the clock may decide what is wiped, and notes where it is.
func (s *Store) trusts(now time.Time) (trusted bool, err error) {
	err = s.db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		seen, some := noted(meta, keyClock)
		if !some {
			seen = s.newest(now)
		}
		doubt, doubted := noted(meta, keyDoubt)
		passed := now.Sub(doubt)
		if trusted = now.Sub(seen).Abs() <= clockAhead || doubted && passed >= clockTrust && passed <= clockAhead; trusted {
			if err := meta.Delete(keyDoubt); err != nil {
				return err
			}
			return meta.Put(keyClock, number(uint64(now.Unix())))
		}
		if doubted && passed >= 0 && passed <= clockAhead {
			return nil
		}
		s.o.Log.Warn("the clock is far from where it was; nothing is wiped for a day: look at date and time of this machine",
			"was", seen.UTC(), "is", now.UTC())
		return meta.Put(keyDoubt, number(uint64(now.Unix())))
	})
	if err != nil {
		return false, fmt.Errorf("look at the clock: %w", err)
	}
	return trusted, nil
}

// noted reads a time out of the index.
func noted(meta *bolt.Bucket, key []byte) (time.Time, bool) {
	v := meta.Get(key)
	if len(v) != 8 {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(v)), 0), true
}

// newest is when something was done here last; now for an empty desk.
func (s *Store) newest(now time.Time) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var newest time.Time
	for _, r := range s.records {
		if r.Changed.After(newest) {
			newest = r.Changed
		}
	}
	if newest.IsZero() {
		return now
	}
	return newest
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
	s.forget(r)
	s.tell()
	s.mu.Unlock()
	return s.flush(false)
}

// gone tells whether a submission was wiped.
func (s *Store) gone(id string) (gone bool, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		gone = tx.Bucket(bucketGone).Get([]byte(id)) != nil
		return nil
	})
	return gone, err
}

// clearGone removes the files of what was wiped, the cards, which hold the keys, first.
func (s *Store) clearGone() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, filesName))
	if err != nil {
		return fmt.Errorf("remove wiped files: %w", err)
	}
	for _, e := range entries {
		if gone, err := s.gone(e.Name()); err != nil {
			return err
		} else if !gone {
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
	return tidyOld(path)
}

// tidyOld destroys an index that another took the place of; a second name of the index itself is only taken away.
func tidyOld(path string) error {
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
	err = errors.Join(bolt.Compact(fresh, s.db, 0), fresh.Sync())
	if err == nil {
		err = exchange(path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("compact the index: %w", err), fresh.Close(), remove(path+".new"))
	}
	// From the renaming on the new file is the index, whatever fails after it. It was never closed, so it was locked all the
	// time: another process that took it in between would leave this one with the old file, whose acts Open throws away.
	old := s.db
	s.db = fresh
	if err := syncDir(s.dir); err != nil {
		return errors.Join(err, old.Close()) // the old one keeps its second name: which of them a power cut leaves is open
	}
	return errors.Join(old.Close(), overwrite(path+".old"), remove(path+".old"))
}

// exchange puts the new index in the place of the old one, which keeps a second name.
func exchange(path string) error {
	if err := tidyOld(path); err != nil {
		return err
	}
	if err := os.Link(path, path+".old"); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
