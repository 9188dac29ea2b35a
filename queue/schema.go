package queue

import (
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"motcua/queue/seal"
)

// migrations[n] takes an index of schema n to n+1, all steps in one transaction. Version 0 is an empty file.
// A step that was released never changes; a new layout adds a step and a test with an index of the
// version before.
var migrations = []func(*bolt.Tx) error{
	makeBuckets,
	addSegmentToID,
	listWiped,
}

// schemaVersion is what this program writes.
var schemaVersion = uint64(len(migrations))

// schemaSum vouches for what an index says of its layout: one bent byte must not look like a newer program's.
func schemaSum(v uint64) []byte { return withSum(keySchema, number(v)) }

// ErrNewer is returned by Open for an index that a newer program wrote.
var ErrNewer = errors.New("the queue was written by a newer version of this program")

// migrate brings the index up to date in one transaction. A new index gets its layout, the name of the kiosk key
// and, where there are blobs already, the mark that it is to be built from them: so it is never taken for whole
// before it is. aside names the damaged index that may still tell of deliveries.
func (q *Queue) migrate(s survey, aside string) error {
	known := s.kiosk != nil && q.currentRing().Has(seal.ID(s.kiosk))
	if s.schema == schemaVersion && known {
		return nil
	}
	segs, err := q.listSegments()
	if err != nil {
		return err
	}
	return q.update(func(tx *bolt.Tx) error {
		for v := s.schema; v < schemaVersion; v++ {
			if err := migrations[v](tx); err != nil {
				return fmt.Errorf("migrate the index from layout %d: %w", v, err)
			}
		}
		meta := tx.Bucket(bucketMeta)
		if !known {
			current := q.currentRing().Current()
			if err := meta.Put(keyKiosk, current[:]); err != nil {
				return err
			}
		}
		if s.kiosk == nil && !s.used && len(segs) > 0 {
			// Nothing was ever accepted through this index: what lies beside it is from one that was lost.
			if err := meta.Put(keyRebuild, append(number(0), aside...)); err != nil {
				return err
			}
			if err := tx.Bucket(bucketOutbox).SetSequence(firstEvent(q.wall())); err != nil {
				return err
			}
		}
		return errors.Join(meta.Put(keySchema, number(schemaVersion)), meta.Put(keySchemaSum, schemaSum(schemaVersion)))
	})
}

// firstEvent is where the numbers of events go on in place of an index that was lost: no store tells an event a
// microsecond, so it is beyond every number that was given out before, and still exact in JSON.
func firstEvent(now time.Time) uint64 { return uint64(max(now.UnixMicro(), 0)) }

func makeBuckets(tx *bolt.Tx) error {
	for _, b := range buckets {
		if _, err := tx.CreateBucketIfNotExists(b); err != nil {
			return err
		}
	}
	return nil
}

// addSegmentToID: since layout 2 the bucket of ids tells the blob's folder too, so that the search for strays
// reads no records.
func addSegmentToID(tx *bolt.Tx) error {
	return eachSeq(tx, func(seq []byte) error {
		r, err := recordAt(tx, seq)
		if err != nil {
			return err
		}
		return tx.Bucket(bucketID).Put([]byte(r.ID), idValue(r))
	})
}

// listWiped: since layout 3 a record carries a checksum as soon as it is written again, there are lists of
// what was acknowledged and of what was wiped, and an index may be marked as still being built.
func listWiped(tx *bolt.Tx) error {
	if err := makeBuckets(tx); err != nil {
		return err
	}
	return eachSeq(tx, func(seq []byte) error {
		r, err := recordAt(tx, seq)
		if errors.Is(err, errBadRecord) {
			return nil // mended when it is asked for
		}
		if err != nil {
			return err
		}
		for _, e := range entries(r) {
			if err := tx.Bucket(e.bucket).Put(e.key, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func eachSeq(tx *bolt.Tx, do func(seq []byte) error) error {
	c := tx.Bucket(bucketRecord).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if err := do(k); err != nil {
			return err
		}
	}
	return nil
}
