package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"motcua/queue/seal"
)

// Rekey makes a new kiosk key and wraps every data key anew, so that the old kiosk key opens nothing any
// more; the contents themselves are not touched. With a vault the key moves there and the vault that
// was used until now is emptied: the configuration must name the new one from then on. It may run
// beside everything else, and run again after a crash it goes on where it was. It returns how many
// submissions were wrapped anew.
//
// The new key is bound to no boot state: it has no way back yet.
func (q *Queue) Rekey(ctx context.Context, to seal.Vault) (n int, err error) {
	leave, err := q.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	q.rekeying.Lock()
	defer q.rekeying.Unlock()
	from := q.o.Vault
	if to == nil {
		to = from
	}
	keys := q.currentRing().Keys()
	if len(keys) == 1 {
		keys = []seal.Key{seal.NewKey(), keys[0]}
	}
	// Both vaults know both keys until nothing needs the old one, so that a crash locks nobody out.
	if err := loose(to).Save(ctx, keys); err != nil {
		return 0, fmt.Errorf("rotate kiosk key: %w", err)
	}
	if to != from {
		if err := loose(from).Save(ctx, keys); err != nil {
			return 0, fmt.Errorf("rotate kiosk key: %w", err)
		}
	}
	q.keys.Lock() // waits for every Enqueue that wrapped with the old key
	q.ring.Store(seal.NewRing(keys[0], keys[1:]...))
	q.keys.Unlock()

	n, err = q.rewrapAll(ctx)
	if err == nil {
		err = q.rewrapStores()
	}
	if err != nil {
		return n, fmt.Errorf("rotate kiosk key: %w; rotate again to go on", err)
	}
	current := keys[0].ID()
	if err := q.update(func(tx *bolt.Tx) error {
		return errors.Join(q.rewrapKept(tx), tx.Bucket(bucketMeta).Put(keyKiosk, current[:]))
	}); err != nil {
		return n, fmt.Errorf("rotate kiosk key: %w", err)
	}
	if err := loose(to).Save(ctx, keys[:1]); err != nil {
		return n, fmt.Errorf("rotate kiosk key: %w", err)
	}
	if to != from {
		if err := from.Save(ctx, nil); err != nil {
			return n, fmt.Errorf("empty the old vault: %w", err)
		}
	}
	q.keys.Lock()
	q.ring.Store(seal.NewRing(keys[0]))
	q.o.Vault = to
	q.keys.Unlock()
	q.tellLoose(to)
	q.log.Info("kiosk key rotated", "key", current.String(), "submissions", n)
	return n, nil
}

// rewrapAll wraps every data key anew that the keys at hand open, of what was set aside too: the old kiosk key is
// about to be destroyed. What no key at hand opens stays as it is.
func (q *Queue) rewrapAll(ctx context.Context) (n int, err error) {
	count := func(done bool, err error) error {
		if done {
			n++
		}
		return err
	}
	// Strays first: what is set aside while the records are walked would be missed.
	if err := q.patrol(ctx); err != nil {
		return 0, err
	}
	for _, dir := range []string{q.foundPath(), q.damagedPath()} {
		names, err := q.disk.List(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return n, err
		}
		for _, name := range names {
			id, _, _ := cutFound(name)
			if err := count(q.rewrapBlob(filepath.Join(dir, name), id)); err != nil {
				return n, err
			}
		}
	}
	err = q.eachRecord(ctx, nil, func(r *record) error {
		if r.Wiped || r.Sealed {
			return nil
		}
		return count(q.rewrap(r.ID))
	})
	return n, err
}

// rewrapStores wraps the keys of other stores anew. What no key at hand opens stays as it is.
func (q *Queue) rewrapStores() error {
	for _, store := range q.o.Stores {
		err := store.Rewrap(q.currentRing())
		if errors.Is(err, seal.ErrWrongKey) {
			q.log.Warn("no key at hand opens the keys of a store, they stay as they are", "store", store.String())
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rewrap moves the data key of one submission under the current kiosk key.
func (q *Queue) rewrap(id string) (done bool, err error) {
	release := q.reading(id)
	defer release()
	r, err := q.stored(id)
	if errors.Is(err, ErrNotFound) || (err == nil && r.Wiped) {
		return false, nil // dropped or wiped meanwhile
	}
	if err != nil {
		return false, err
	}
	return q.rewrapBlob(q.path(r.place()), id)
}

func (q *Queue) rewrapBlob(path, id string) (done bool, err error) {
	f, err := q.disk.Edit(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // Verify tells of it; no key can be lost with it
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	q.headers.Lock()
	defer q.headers.Unlock()
	slots, err := readSlots(f)
	if errors.Is(err, errDamaged) {
		q.log.Warn("a damaged blob keeps its key", "submission", id)
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("submission %s: %w", id, err)
	}
	put := func(i int, secret []byte) error {
		slot := make([]byte, slotMax)
		putSlot(slot, secret)
		if _, err := f.WriteAt(slot, slotOffsets[i]); err != nil {
			return err
		}
		return f.Sync()
	}
	if slots[0] == nil && slots[1] == nil {
		return false, nil // sealed to the office only
	}
	ring := q.currentRing()
	use := -1
	for i, s := range slots {
		if by, ok := seal.WrappedBy(s); ok && by == ring.Current() {
			// A slot that was torn by a power cut carries the right name but doesn't open.
			if _, err := ring.Unwrap(id, s); err == nil {
				use = i
			}
		}
	}
	for i, s := range slots {
		if use >= 0 {
			break
		}
		secret, err := ring.Unwrap(id, s)
		if err != nil {
			continue
		}
		err = put(1-i, ring.Wrap(id, secret))
		clear(secret)
		if err != nil {
			return false, err
		}
		use, done = 1-i, true
	}
	switch {
	case use < 0:
		q.log.Warn("no key at hand opens a blob, it stays as it is", "submission", id)
		return false, nil
	case slots[1-use] != nil:
		return done, put(1-use, nil)
	}
	return done, nil
}
