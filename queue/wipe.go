package queue

import (
	"bytes"
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

// placeValue is a mark, with a checksum: a bent one would name another blob.
func placeValue(seq uint64, p place) []byte {
	return withSum(number(seq), append(number(p.segment), p.id...))
}

func parsePlace(k, v []byte) (place, bool) {
	// A mark of layout 2 begins with the number of a folder, never as large as 1 << 56, where withSum puts its own.
	v, _, err := checkSum(k, v)
	if err != nil || len(v) < 9 {
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
	was, err := q.Get(idOrCode)
	if err != nil {
		return fmt.Errorf("drop %s: %w", idOrCode, err)
	}
	// Until the blob is gone nobody may lay a new one of the same id in its place.
	release, err := q.own(ctx, was.ID)
	if err != nil {
		return fmt.Errorf("drop %s: %w", idOrCode, err)
	}
	defer release()
	var gone *record
	err = q.mark(func(tx *bolt.Tx) error {
		r, err := recordByID(tx, was.ID)
		if err != nil {
			return err
		}
		if r.State == Sending || q.isRead(r.ID) {
			return fmt.Errorf("%w: it is being sent or read, try again when that has ended", ErrState)
		}
		gone = r
		if !r.Wiped {
			if err := tx.Bucket(bucketWipe).Put(number(r.Seq), placeValue(r.Seq, r.place())); err != nil {
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
	_, err = q.wipeMarked()
	switch {
	case err != nil && !gone.Wiped && q.marked(gone.place()):
		return fmt.Errorf("drop %s: %w", gone.ID, err)
	case err != nil:
		q.log.Error("wipe what was dropped or expired before", "error", err)
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
	q.sweeping.Lock()
	defer q.sweeping.Unlock()
	total := 0
	var failed error // of single blobs: the others go on
	for q.o.Retention >= 0 {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := q.markExpired()
		if err == nil && n > 0 {
			_, failed = q.wipeMarked()
		}
		if err != nil {
			return total, fmt.Errorf("wipe delivered submissions: %w", err)
		}
		total += n
		if n == 0 || q.isBroken() {
			break
		}
	}
	if failed != nil {
		return total, fmt.Errorf("wipe delivered submissions: %w", failed)
	}
	n, err := q.prune(ctx)
	if n > 0 {
		q.log.Info("records of wiped submissions forgotten", "submissions", n)
	}
	return total, err
}

// prune forgets what was wiped long ago: of a submission whose content is gone its record is all that is left.
func (q *Queue) prune(ctx context.Context) (int, error) {
	if q.o.Records < 0 || q.wall().Before(plausible) || q.epoch.Add(q.elapsed()).Before(q.clock.doubt) {
		return 0, nil
	}
	limit := q.wall().Add(-q.o.Records).UnixNano()
	total := 0
	for ctx.Err() == nil {
		var old []uint64
		look := func(tx *bolt.Tx) error {
			old = nil
			c := tx.Bucket(bucketGone).Cursor()
			for k, _ := c.First(); len(k) == 16 && len(old) < wipeBatch; k, _ = c.Next() {
				t, seq := splitTimed(k)
				if t > limit {
					break
				}
				old = append(old, seq)
			}
			return nil
		}
		if err := q.view(look); err != nil || len(old) == 0 {
			return total, err
		}
		err := q.update(func(tx *bolt.Tx) error {
			if err := look(tx); err != nil {
				return err
			}
			for _, seq := range old {
				r, err := recordAt(tx, number(seq))
				if err != nil {
					return err
				}
				if err := forget(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("forget wiped submissions: %w", err)
		}
		total += len(old)
	}
	return total, ctx.Err()
}

// keptList is the list by which retention goes.
func (q *Queue) keptList() []byte {
	if q.o.UntilAcknowledged {
		return bucketAcked
	}
	return bucketDone
}

// expires says when the next content is to be wiped.
func (q *Queue) expires() (at time.Time, ok bool, err error) {
	if q.o.Retention < 0 {
		return at, false, nil
	}
	err = q.view(func(tx *bolt.Tx) error {
		var t int64
		t, _, ok = firstDue(tx, q.keptList())
		at = wallNano(t).Add(q.o.Retention)
		return nil
	})
	return at, ok, err
}

// markExpired takes a batch of expired submissions out of use.
func (q *Queue) markExpired() (int, error) {
	trusted := true
	if q.o.Retention > 0 {
		var err error
		if trusted, err = q.lookAtClock(); err != nil {
			return 0, err
		}
	}
	at, ok, err := q.expires()
	if now := q.wall(); err != nil || !ok || (q.o.Retention > 0 && at.After(now)) {
		return 0, err
	}
	var marked []Submission
	err = q.mark(func(tx *bolt.Tx) error {
		marked = nil
		expired, err := q.expired(tx, trusted)
		if err != nil {
			return err
		}
		for _, was := range expired {
			seq := was.Seq
			r := *was
			r.Wiped = true
			// The digest of a small part is nearly its content: who guesses it right is told so. That
			// of the bundle covers a random receipt code besides and stays as proof of what was sent.
			r.Parts = append([]PartInfo(nil), was.Parts...)
			for i := range r.Parts {
				r.Parts[i].SHA256 = ""
			}
			if err := tx.Bucket(bucketWipe).Put(number(seq), placeValue(r.Seq, r.place())); err != nil {
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

// expired finds up to wipeBatch submissions whose content was kept long enough and that nobody reads.
func (q *Queue) expired(tx *bolt.Tx, trusted bool) (expired []*record, err error) {
	limit := q.wall().Add(-q.o.Retention).UnixNano()
	c := tx.Bucket(q.keptList()).Cursor()
	for k, _ := c.First(); len(k) == 16 && len(expired) < wipeBatch; k, _ = c.Next() {
		t, seq := splitTimed(k)
		if q.o.Retention > 0 && t > limit {
			break
		}
		r, err := recordAt(tx, number(seq))
		if err != nil {
			return nil, err
		}
		switch {
		case q.isRead(r.ID):
		case q.o.Retention == 0, trusted && r.Session != q.session(), r.Session == q.session() && q.elapsed()-r.Elapsed >= q.o.Retention:
			expired = append(expired, r)
		}
	}
	return expired, nil
}

// wipeMark is one line of the list of what must go.
type wipeMark struct {
	key  []byte
	at   place
	good bool // it can be read, and no submission in use lies there
}

// wipeMarked does what the first transaction wrote down, a batch at a time. One blob that the drive does not let go keeps
// its mark for the next time and stops none of the others; the error tells of all such.
func (q *Queue) wipeMarked() (int, error) {
	q.wiping.Lock()
	defer q.wiping.Unlock()
	total, after := 0, []byte(nil)
	var failed []error
	for {
		marks, err := q.wipeMarks(after)
		if err != nil || len(marks) == 0 {
			return total, errors.Join(append(failed, err)...)
		}
		after = marks[len(marks)-1].key
		done, faults := q.wipeBlobs(marks)
		failed = append(failed, faults...)
		err = q.update(func(tx *bolt.Tx) error {
			for _, m := range done {
				if err := tx.Bucket(bucketWipe).Delete(m.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, errors.Join(append(failed, err)...)
		}
		for _, m := range done {
			q.tidySegment(m.at.segment)
		}
		total += len(done)
	}
}

// wipeMarks reads the next marks after a key.
func (q *Queue) wipeMarks(after []byte) (marks []wipeMark, err error) {
	err = q.view(func(tx *bolt.Tx) error {
		marks = nil
		c := tx.Bucket(bucketWipe).Cursor()
		k, v := c.Seek(after)
		if after != nil && bytes.Equal(k, after) {
			k, v = c.Next()
		}
		for ; k != nil && len(marks) < wipeBatch; k, v = c.Next() {
			at, ok := parsePlace(k, v)
			marks = append(marks, wipeMark{bytes.Clone(k), at, ok && !inUse(tx, at)})
		}
		return nil
	})
	return marks, err
}

// wipeBlobs overwrites and removes the blobs of marks, and makes that durable. It returns the marks that are done with.
func (q *Queue) wipeBlobs(marks []wipeMark) (done []wipeMark, faults []error) {
	failed := map[uint64]error{} // folders whose fsync failed
	var gone []wipeMark
	for _, m := range marks {
		if !m.good {
			q.log.Warn("a mark for wiping is damaged and not followed", "number", m.key)
			gone = append(gone, m)
			continue
		}
		if err := wipeBlob(q.disk, q.path(m.at)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, fmt.Errorf("wipe %s: %w", m.at.id, err))
			continue
		}
		gone = append(gone, m)
		failed[m.at.segment] = nil
	}
	for segment := range failed {
		err := q.disk.SyncDir(q.segmentPath(segment))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed[segment] = fmt.Errorf("sync folder of wiped blobs: %w", err)
			faults = append(faults, failed[segment])
		}
	}
	for _, m := range gone {
		if failed[m.at.segment] == nil || !m.good {
			done = append(done, m)
		}
	}
	return done, faults
}

// inUse reports whether the index has a submission at a place whose content was not given up.
func inUse(tx *bolt.Tx, at place) bool {
	segment, ok := segmentOf(tx, at.id)
	if !ok || segment != at.segment {
		return false
	}
	r, err := recordByID(tx, at.id)
	return err != nil || !r.Wiped
}
