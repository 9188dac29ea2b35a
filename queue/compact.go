package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The index never shrinks by itself: bbolt keeps what it frees. When nothing is going on and most of it is empty, a copy of
// what is left takes its place, by one rename; cut anywhere, the one or the other is there, whole.
const (
	compactLook  = 10 * time.Minute // how often it is looked, and how long nothing must have changed
	compactLeast = 16 << 20         // bytes; a smaller index is not worth it
	compactTx    = 1 << 20          // bytes copied in one transaction
)

func (q *Queue) compactUntil(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := q.changes.waiter()
		pause(ctx, nil, q.now().Add(compactLook), q.now())
		select {
		case <-changed:
			continue // not idle
		default:
		}
		if ctx.Err() != nil {
			return nil
		}
		if _, err := q.compact(compactLeast); err != nil {
			if q.isBroken() {
				return err
			}
			q.log.Error("compact the index", "error", err)
		}
	}
	return nil
}

// compact copies the index if it takes at least so many bytes and more than half of them are free. Nothing is read or
// written meanwhile, about a second for 100,000 submissions.
func (q *Queue) compact(least int64) (done bool, err error) {
	q.indexLock.Lock()
	defer q.indexLock.Unlock()
	path := q.indexPath()
	var used int64
	if err := q.db.View(func(tx *bolt.Tx) error { used = tx.Size(); return nil }); err != nil {
		return false, err
	}
	free := int64(q.db.Stats().FreePageN) * int64(q.db.Info().PageSize)
	if used < least || free*2 < used {
		return false, nil
	}
	copied := path + ".compact"
	if err := os.Remove(copied); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	if err := q.copyIndex(copied); err != nil {
		return false, errors.Join(fmt.Errorf("compact the index: %w", err), os.Remove(copied))
	}
	if err := q.db.Close(); err != nil {
		return false, q.stop(fmt.Errorf("compact the index: %w; open the queue again", err))
	}
	if err := errors.Join(q.disk.Replace(copied, path), q.disk.SyncDir(q.dir)); err != nil {
		return false, q.stop(fmt.Errorf("compact the index: %w; open the queue again", err))
	}
	db, err := loadIndex(path, false)
	if err != nil {
		return false, q.stop(fmt.Errorf("compact the index: %w; open the queue again", err))
	}
	q.db = db
	if q.o.opened != nil {
		q.o.opened(db)
	}
	q.log.Info("the index was compacted", "bytes_before", used, "bytes_free", free)
	return true, nil
}

func (q *Queue) copyIndex(to string) error {
	options := boltOptions(false)
	options.NoSync = true // once, at the end
	dst, err := bolt.Open(to, 0o600, options)
	if err != nil {
		return err
	}
	err = bolt.Compact(dst, q.db, compactTx)
	if err == nil {
		err = dst.Sync()
	}
	return errors.Join(err, dst.Close())
}
