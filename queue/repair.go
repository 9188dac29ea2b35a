package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Repairs is what Open found half done and put right. None of it destroys anything whole.
type Repairs struct {
	Requeued     []string // were being sent when the program ended; they are sent again
	Unfinished   int      // blobs that were being written, of submissions never acknowledged; removed
	SetAside     []string // blobs that the index does not know; moved to the folder "found"
	Wiped        int      // wipes that were begun and are now done
	MigratedFrom int      // layout of the index before, 0 = it was current
	IndexAside   string   // the damaged index, moved here
	Adopted      []string // submissions put back into a lost index from their blobs; all are sent (again)
	Unreadable   []string // blobs that could not be put back into a lost index; moved to the folder "found"
	KeyRotation  bool     // a rotation of the kiosk key was broken off; rotate again to finish it
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
	say(len(r.Unreadable), "%d blobs could not be put back and were set aside (motcua queue found): %s.", len(r.Unreadable),
		strings.Join(r.Unreadable, ", "))
	say(len(r.Requeued), "%d submissions were being sent when the program ended and are queued again.", len(r.Requeued))
	say(r.Unfinished, "%d half-written blobs of submissions that were never confirmed were removed.", r.Unfinished)
	say(len(r.SetAside), "%d blobs that the index does not know were set aside (motcua queue found): %s.", len(r.SetAside),
		strings.Join(r.SetAside, ", "))
	say(r.Wiped, "%d wipes that had been begun were finished.", r.Wiped)
	say(r.MigratedFrom, "The index was migrated from layout %d to %d.", r.MigratedFrom, schemaVersion)
	if r.KeyRotation {
		s = append(s, "A rotation of the kiosk key was broken off: run it again.")
	}
	return strings.Join(s, " ")
}

// repair looks only where a crash can have left something: the mark of a rebuild, the marks for wiping, the list of
// what is being sent, and the newest folder of blobs. Each step may be cut off and goes on at the next start.
func (q *Queue) repair(ctx context.Context, repairs *Repairs) error {
	q.countFound()
	if err := q.rebuild(ctx, repairs); err != nil {
		return fmt.Errorf("build the index again: %w", err)
	}
	n, err := q.wipeMarked()
	repairs.Wiped = n
	if err != nil && q.isBroken() {
		return err
	}
	if err != nil {
		// One blob that the drive does not let go must not keep the kiosk shut: its mark stays for the next time.
		q.log.Error("finish the wipes that were begun", "error", err)
	}
	if err := q.requeueSending(repairs); err != nil {
		return fmt.Errorf("queue again what was being sent: %w", err)
	}
	if err := q.findStrays(ctx, repairs); err != nil {
		return fmt.Errorf("look for strays: %w", err)
	}
	return q.doubtClock()
}

// requeueSending queues again what was being sent. The first interruption is taken for a power cut and costs
// nothing; one that was interrupted before has to wait like after a failure, because it may be what
// brings the program down.
func (q *Queue) requeueSending(repairs *Repairs) error {
	if err := q.view(func(tx *bolt.Tx) error {
		repairs.Requeued = nil
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

// findStrays looks through the folders from the last one that the index knows, removes half-written blobs, sets
// aside whole ones without a record, and sets the folder for new blobs.
func (q *Queue) findStrays(ctx context.Context, repairs *Repairs) error {
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
		_, err := q.disk.List(q.segmentPath(segment))
		if errors.Is(err, fs.ErrNotExist) {
			if segment > last {
				break
			}
			if err := q.makeSegment(segment); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		kept, err := q.tidyBlobs(ctx, segment, repairs)
		if err != nil {
			return err
		}
		last, filled = segment, kept
	}
	q.segments.current, q.segments.filled, q.segments.inflight = last, filled, 0
	return nil
}

// tidyBlobs deals with what does not belong into one folder, and counts what does. It may run beside everything else:
// who writes or takes in a blob owns its id.
func (q *Queue) tidyBlobs(ctx context.Context, segment uint64, repairs *Repairs) (kept int, err error) {
	names, err := q.disk.List(q.segmentPath(segment))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	removed := false
	for _, name := range names {
		id, unfinished := strings.CutSuffix(name, partialSuffix)
		if !validID(id) {
			continue // not ours
		}
		if !unfinished && q.knows(id, segment) {
			kept++
			continue
		}
		gone, err := q.tidyBlob(ctx, place{segment, id}, name, repairs)
		if err != nil {
			return kept, err
		}
		removed = removed || gone
	}
	if removed {
		err = q.disk.SyncDir(q.segmentPath(segment))
	}
	return kept, err
}

func (q *Queue) tidyBlob(ctx context.Context, at place, name string, repairs *Repairs) (removed bool, err error) {
	release, err := q.own(ctx, at.id)
	if err != nil {
		return false, err
	}
	defer release()
	q.wiping.Lock()
	defer q.wiping.Unlock()
	if name != at.id {
		err := wipeBlob(q.disk, q.path(place{at.segment, name}))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil // its writer ended meanwhile
		}
		if err == nil {
			repairs.Unfinished++
		}
		return true, err
	}
	if q.knows(at.id, at.segment) || q.marked(at) || q.isBroken() || mayRead(q.disk, q.path(at)) != nil {
		return false, nil // in doubt it stays where it is
	}
	_, why := q.cardOf(at)
	if why == "" {
		why = whyUnknown
		if _, there := q.whereIs(at.id); there {
			why = whyElsewhere
		}
	}
	aside, err := q.setAside(at, name, why)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		repairs.SetAside = append(repairs.SetAside, aside)
	}
	return false, err
}

// patrol looks through all folders of blobs for strays. Open looks only where a crash can have left some; a disk that
// was put back from a backup may have them anywhere.
func (q *Queue) patrol(ctx context.Context) error {
	segs, err := q.listSegments()
	if err != nil {
		return err
	}
	var found Repairs
	for _, segment := range segs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := q.tidyBlobs(ctx, segment, &found); err != nil {
			return err
		}
	}
	if found.Any() {
		q.log.Warn("strays were found among the blobs", "repairs", found.String())
	}
	return nil
}

// knows reports whether the blob of a submission is where the index says.
func (q *Queue) knows(id string, segment uint64) bool {
	at, there := q.whereIs(id)
	return there && at == segment
}

// whereIs tells the folder of a submission's blob by the index.
func (q *Queue) whereIs(id string) (segment uint64, there bool) {
	err := q.view(func(tx *bolt.Tx) error {
		segment, there = segmentOf(tx, id)
		return nil
	})
	return segment, there && err == nil
}

// marked reports whether a blob is about to be wiped.
func (q *Queue) marked(at place) (yes bool) {
	err := q.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketWipe).ForEach(func(k, v []byte) error {
			p, ok := parsePlace(k, v)
			yes = yes || (ok && p == at)
			return nil
		})
	})
	return yes || err != nil
}
