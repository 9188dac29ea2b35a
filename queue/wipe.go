package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Wiping is done in two transactions with the deed between: the first takes the submission out of use and
// writes down which blob must go, the second strikes that out once the key in the blob is overwritten
// and the blob is gone. A crash between them is made good by the next Open.

// wipeBatch bounds a transaction and the work that a crash can leave.
const wipeBatch = 64

func placeValue(p place) []byte { return append(number(p.segment), p.id...) }

func parsePlace(v []byte) (place, bool) {
	if len(v) < 9 {
		return place{}, false
	}
	return place{binary.BigEndian.Uint64(v), string(v[8:])}, true
}

// mark is the first transaction. Until it is committed nobody begins to read: who looked the record up in
// between would find it whole, and its blob being overwritten.
func (q *Queue) mark(fn func(*bolt.Tx) error) error {
	q.marking.Lock()
	defer q.marking.Unlock()
	return q.update(fn)
}

// Drop removes a submission for good: its content is wiped and its record is gone. One that is being sent
// or read can't be dropped (ErrState).
func (q *Queue) Drop(ctx context.Context, idOrCode string) error {
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	var gone *record
	err = q.mark(func(tx *bolt.Tx) error {
		r, err := find(tx, idOrCode)
		if err != nil {
			return err
		}
		if r.State == Sending || q.isRead(r.ID) {
			return fmt.Errorf("%w: it is being sent or read, try again when that has ended", ErrState)
		}
		gone = r
		if !r.Wiped {
			if err := tx.Bucket(bucketWipe).Put(number(r.Seq), placeValue(r.place())); err != nil {
				return err
			}
		}
		return q.remove(tx, r)
	})
	if err != nil {
		return fmt.Errorf("drop %s: %w", idOrCode, err)
	}
	q.log.Info("submission dropped", "submission", gone.ID)
	s := gone.Submission
	s.State = Dropped
	q.changes.tell(s)
	if _, err := q.wipeMarked(); err != nil {
		return fmt.Errorf("drop %s: %w", gone.ID, err)
	}
	return nil
}

// Sweep wipes what was delivered longer ago than the retention and returns how many submissions that were.
// Run does it by itself.
func (q *Queue) Sweep(ctx context.Context) (int, error) {
	leave, err := q.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	total := 0
	for q.o.Retention >= 0 {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := q.markExpired()
		if err == nil && n > 0 {
			_, err = q.wipeMarked()
		}
		if err != nil {
			return total, fmt.Errorf("wipe delivered submissions: %w", err)
		}
		total += n
		if n == 0 {
			break
		}
	}
	return total, nil
}

// expires says when the next content is to be wiped.
func (q *Queue) expires() (at time.Time, ok bool, err error) {
	if q.o.Retention < 0 {
		return at, false, nil
	}
	err = q.view(func(tx *bolt.Tx) error {
		var t int64
		t, _, ok = firstDue(tx, bucketDone)
		at = wallNano(t).Add(q.o.Retention)
		return nil
	})
	return at, ok, err
}

// markExpired takes a batch of expired submissions out of use.
func (q *Queue) markExpired() (int, error) {
	at, ok, err := q.expires()
	if now := q.wall(); err != nil || !ok || at.After(now) {
		return 0, err
	}
	var marked []Submission
	err = q.mark(func(tx *bolt.Tx) error {
		limit := q.wall().Add(-q.o.Retention).UnixNano()
		var expired []uint64
		c := tx.Bucket(bucketDone).Cursor()
		for k, _ := c.First(); k != nil && len(expired) < wipeBatch; k, _ = c.Next() {
			t, seq := splitTimed(k)
			if t > limit {
				break
			}
			expired = append(expired, seq)
		}
		for _, seq := range expired {
			was, err := recordAt(tx, number(seq))
			if err != nil {
				return err
			}
			if q.isRead(was.ID) {
				continue
			}
			r := *was
			r.Wiped = true
			// The digest of a small part is nearly its content: who guesses it right is told so. That
			// of the bundle covers a random receipt code besides and stays as proof of what was sent.
			r.Parts = append([]PartInfo(nil), was.Parts...)
			for i := range r.Parts {
				r.Parts[i].SHA256 = ""
			}
			if err := tx.Bucket(bucketWipe).Put(number(seq), placeValue(r.place())); err != nil {
				return err
			}
			if err := q.save(tx, was, &r); err != nil {
				return err
			}
			marked = append(marked, r.Submission)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, s := range marked {
		q.log.Info("submission wiped", "submission", s.ID)
		q.changes.tell(s)
	}
	return len(marked), nil
}

// wipeMarked does what the first transaction wrote down, a batch at a time.
func (q *Queue) wipeMarked() (int, error) {
	q.wiping.Lock()
	defer q.wiping.Unlock()
	total := 0
	for {
		type mark struct {
			key []byte
			at  place
		}
		var marks []mark
		err := q.view(func(tx *bolt.Tx) error {
			c := tx.Bucket(bucketWipe).Cursor()
			for k, v := c.First(); k != nil && len(marks) < wipeBatch; k, v = c.Next() {
				at, ok := parsePlace(v)
				if !ok {
					return fmt.Errorf("wipe mark %x can't be read", k)
				}
				marks = append(marks, mark{append([]byte(nil), k...), at})
			}
			return nil
		})
		if err != nil || len(marks) == 0 {
			return total, err
		}
		touched := map[uint64]bool{}
		for _, m := range marks {
			err := wipeBlob(q.disk, q.path(m.at))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return total, fmt.Errorf("wipe %s: %w", m.at.id, err)
			}
			touched[m.at.segment] = true
		}
		for segment := range touched {
			err := q.disk.SyncDir(q.segmentPath(segment))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return total, fmt.Errorf("sync folder of wiped blobs: %w", err)
			}
		}
		err = q.update(func(tx *bolt.Tx) error {
			for _, m := range marks {
				if err := tx.Bucket(bucketWipe).Delete(m.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		for segment := range touched {
			q.tidySegment(segment)
		}
		total += len(marks)
	}
}
