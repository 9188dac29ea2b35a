package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"

	"motcua/queue/seal"
)

// Repairs is what Open found half done and put right. None of it is lost data unless it says so.
type Repairs struct {
	Requeued     []string // were being sent when the program ended; they are sent again
	Unfinished   int      // blobs that were being written, of submissions never acknowledged; wiped
	Orphans      []string // whole blobs whose submission was never acknowledged; wiped
	Wiped        int      // wipes that were begun and are now done
	MigratedFrom int      // layout of the index before, 0 = it was current
	IndexAside   string   // the damaged index, moved here
	Adopted      []string // submissions put back into a lost index from their blobs; all are sent (again)
	Unreadable   []string // blobs that could not be put back into a lost index; moved to the folder "damaged"
	KeyRotation  bool     // a rotation of the kiosk key was broken off; rotate again to finish it

	fresh bool // the index had nothing in it
}

// Any reports whether there was anything to repair.
func (r Repairs) Any() bool { return r.String() != "" }

// String tells the technician in a few sentences; empty when there was nothing.
func (r Repairs) String() string {
	var s []string
	say := func(n int, format string, a ...any) {
		if n > 0 {
			s = append(s, fmt.Sprintf(format, a...))
		}
	}
	say(len(r.IndexAside), "The index was damaged; it was moved to %s and built again from the blobs.", r.IndexAside)
	say(len(r.Adopted), "%d submissions were put back into the index and will be sent; the hub keeps one copy of each.", len(r.Adopted))
	say(len(r.Unreadable), "%d blobs could not be read and were moved to the folder damaged: %s.", len(r.Unreadable), strings.Join(r.Unreadable, ", "))
	say(len(r.Requeued), "%d submissions were being sent when the program ended and are queued again.", len(r.Requeued))
	say(r.Unfinished, "%d half-written blobs of submissions that were never confirmed were wiped.", r.Unfinished)
	say(len(r.Orphans), "%d blobs of submissions that were never confirmed were wiped.", len(r.Orphans))
	say(r.Wiped, "%d wipes that had been begun were finished.", r.Wiped)
	say(r.MigratedFrom, "The index was migrated from layout %d to %d.", r.MigratedFrom, schemaVersion)
	if r.KeyRotation {
		s = append(s, "A rotation of the kiosk key was broken off: run it again.")
	}
	return strings.Join(s, " ")
}

// repair looks only where a crash can have left something: the marks for wiping, the list of what is being
// sent, and the newest folder of blobs.
func (q *Queue) repair(ctx context.Context, repairs *Repairs) error {
	if repairs.fresh {
		if err := q.adopt(ctx, repairs); err != nil {
			return fmt.Errorf("build the index again: %w", err)
		}
	}
	n, err := q.wipeMarked()
	repairs.Wiped = n
	if err != nil {
		return err
	}
	if err := q.requeueSending(repairs); err != nil {
		return fmt.Errorf("queue again what was being sent: %w", err)
	}
	if err := q.findOrphans(ctx, repairs); err != nil {
		return fmt.Errorf("look for orphans: %w", err)
	}
	return nil
}

// requeueSending queues again what was being sent. The first interruption is taken for a power cut and costs
// nothing; one that was interrupted before has to wait like after a failure, because it may be what
// brings the program down.
func (q *Queue) requeueSending(repairs *Repairs) error {
	if err := q.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketSending).ForEach(func(k, _ []byte) error {
			r, err := recordAt(tx, k)
			if err == nil {
				repairs.Requeued = append(repairs.Requeued, r.ID)
			}
			return err
		})
	}); err != nil || len(repairs.Requeued) == 0 {
		return err
	}
	return q.update(func(tx *bolt.Tx) error {
		for _, id := range repairs.Requeued {
			was, err := recordByID(tx, id)
			if err != nil {
				return err
			}
			r := *was
			r.State = Queued
			if r.Attempts > 1 {
				q.postpone(&r, q.backoff(r.Attempts))
			}
			if err := q.save(tx, was, &r); err != nil {
				return err
			}
		}
		return nil
	})
}

// findOrphans wipes blobs that have no record, and sets the folder for new blobs.
func (q *Queue) findOrphans(ctx context.Context, repairs *Repairs) error {
	var last uint64
	if err := q.view(func(tx *bolt.Tx) error {
		if v := tx.Bucket(bucketMeta).Get(keySegment); len(v) == 8 {
			last = binary.BigEndian.Uint64(v)
		}
		return nil
	}); err != nil {
		return err
	}
	filled := 0
	for segment := last; ; segment++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		names, err := q.disk.List(q.segmentPath(segment))
		if errors.Is(err, fs.ErrNotExist) {
			if segment > last {
				break
			}
			if segment == last {
				if err := q.makeSegment(segment); err != nil {
					return err
				}
			}
			continue
		}
		if err != nil {
			return err
		}
		kept, err := q.wipeOrphans(segment, names, repairs)
		if err != nil {
			return err
		}
		last, filled = segment, kept
	}
	q.segments.current, q.segments.filled, q.segments.inflight = last, filled, 0
	return nil
}

func (q *Queue) wipeOrphans(segment uint64, names []string, repairs *Repairs) (kept int, err error) {
	wiped := false
	err = q.view(func(tx *bolt.Tx) error {
		for _, name := range names {
			id, unfinished := strings.CutSuffix(name, partialSuffix)
			if !unfinished {
				if !validID(id) {
					continue // not ours
				}
				if at, known := segmentOf(tx, id); known && at == segment {
					kept++
					continue
				}
			}
			if err := wipeBlob(q.disk, q.path(place{segment, name})); err != nil {
				return err
			}
			wiped = true
			if unfinished {
				repairs.Unfinished++
			} else {
				repairs.Orphans = append(repairs.Orphans, id)
			}
		}
		return nil
	})
	if err == nil && wiped {
		err = q.disk.SyncDir(q.segmentPath(segment))
	}
	return kept, err
}

// adopt builds a lost index again from the cards of the blobs. What was delivered but not yet wiped is
// queued again, which is harmless: a hub takes every id once.
func (q *Queue) adopt(ctx context.Context, repairs *Repairs) error {
	segs, err := q.listSegments()
	if err != nil {
		return err
	}
	for _, segment := range segs {
		names, err := q.disk.List(q.segmentPath(segment))
		if err != nil {
			return err
		}
		var found []*record
		for _, id := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !validID(id) {
				continue // half-written blobs are dealt with as always
			}
			r, err := q.cardOf(place{segment, id})
			if err == nil {
				if _, e := q.stored(id); e == nil {
					err = fmt.Errorf("%w: submission %s is there twice", errDamaged, id)
				}
			}
			if errors.Is(err, errDamaged) {
				err = q.setAside(place{segment, id}, repairs)
			} else if err == nil {
				found = append(found, r)
			}
			if err != nil {
				return err
			}
		}
		// Oldest first, as they were accepted.
		sortByCreated(found)
		if err := q.update(func(tx *bolt.Tx) error {
			for _, r := range found {
				if err := q.insert(tx, r, true); err != nil {
					return err
				}
			}
			return tx.Bucket(bucketMeta).Put(keySegment, number(segment))
		}); err != nil {
			return err
		}
		for _, r := range found {
			repairs.Adopted = append(repairs.Adopted, r.ID)
		}
	}
	return nil
}

// setAside moves a blob out of the way of the search for orphans, which would wipe it.
func (q *Queue) setAside(at place, repairs *Repairs) error {
	dir := filepath.Join(q.dir, "damaged")
	if err := q.disk.MkdirAll(dir); err != nil {
		return err
	}
	if err := q.disk.Rename(q.path(at), filepath.Join(dir, at.id)); err != nil {
		return err
	}
	repairs.Unreadable = append(repairs.Unreadable, at.id)
	return q.disk.SyncDir(dir)
}

func (q *Queue) cardOf(at place) (*record, error) {
	f, err := q.disk.Open(q.path(at))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := readCard(f)
	if err != nil {
		return nil, err
	}
	if r.ID != at.id {
		return nil, fmt.Errorf("%w: card of another submission", errDamaged)
	}
	slots, err := readSlots(f)
	if err != nil {
		return nil, err
	}
	if err := q.checkSlots(slots); err != nil && !r.Sealed {
		return nil, err
	}
	r.Segment, r.State, r.Due, r.Attempts = at.segment, Queued, 0, 0
	return &r, nil
}

// checkSlots tells a blob whose key was wiped from one that needs another kiosk key.
func (q *Queue) checkSlots(slots [2][]byte) error {
	err := fmt.Errorf("%w: its key was wiped", errDamaged)
	for _, s := range slots {
		id, ok := seal.WrappedBy(s)
		switch {
		case !ok:
		case q.ring.Has(id):
			return nil
		default:
			err = fmt.Errorf("%w: %s does not hold %s", ErrNoKey, q.o.Vault, id)
		}
	}
	return err
}
