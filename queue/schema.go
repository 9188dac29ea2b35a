package queue

import (
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// migrations[n] takes an index of schema n to n+1, in one transaction. Version 0 is an empty file.
// A step that was released never changes; a new layout adds a step and a test with an index of the
// version before.
var migrations = []func(*bolt.Tx) error{
	makeBuckets,
	addSegmentToID,
}

// schemaVersion is what this program writes.
var schemaVersion = uint64(len(migrations))

// ErrNewer is returned by Open for an index that a newer program wrote.
var ErrNewer = errors.New("the queue was written by a newer version of this program")

// migrate brings the index up to date and says from which version.
func migrate(db *bolt.DB) (from uint64, err error) {
	err = db.View(func(tx *bolt.Tx) error {
		if m := tx.Bucket(bucketMeta); m != nil {
			if v := m.Get(keySchema); len(v) == 8 {
				from = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	if err != nil || from == schemaVersion {
		return from, err
	}
	if from > schemaVersion {
		return from, fmt.Errorf("%w (its layout is %d, this one knows %d): install the newer version again", ErrNewer, from, schemaVersion)
	}
	return from, db.Update(func(tx *bolt.Tx) error {
		for v := from; v < schemaVersion; v++ {
			if err := migrations[v](tx); err != nil {
				return fmt.Errorf("migrate the index from layout %d: %w", v, err)
			}
		}
		return tx.Bucket(bucketMeta).Put(keySchema, number(schemaVersion))
	})
}

func makeBuckets(tx *bolt.Tx) error {
	for _, b := range buckets {
		if _, err := tx.CreateBucketIfNotExists(b); err != nil {
			return err
		}
	}
	return nil
}

// addSegmentToID: since layout 2 the bucket of ids tells the blob's folder too, so that the search for orphans
// reads no records.
func addSegmentToID(tx *bolt.Tx) error {
	c := tx.Bucket(bucketRecord).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		r, err := recordAt(tx, k)
		if err != nil {
			return err
		}
		if err := tx.Bucket(bucketID).Put([]byte(r.ID), idValue(r)); err != nil {
			return err
		}
	}
	return nil
}
