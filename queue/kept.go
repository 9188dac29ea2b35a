package queue

import (
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// keptPrefix stands before the names of what Keep keeps in the index.
const keptPrefix = "kept "

// Keep remembers a small value under a name, sealed to the kiosk's key and as durable as a submission: for what must not be
// changed together with the file that it vouches for. nil forgets it.
func (q *Queue) Keep(name string, value []byte) error {
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	q.keys.RLock() // not while the kiosk's key is changed
	defer q.keys.RUnlock()
	err = q.update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if value == nil {
			return meta.Delete([]byte(keptPrefix + name))
		}
		return meta.Put([]byte(keptPrefix+name), q.currentRing().Wrap(keptPrefix+name, value))
	})
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}

// Kept gives what Keep remembered; nil if there is nothing. After the kiosk's key was changed or lost it can't be read: the
// error is seal.ErrWrongKey.
func (q *Queue) Kept(name string) ([]byte, error) {
	leave, err := q.enterReading()
	if err != nil {
		return nil, err
	}
	defer leave()
	var sealed []byte
	err = q.view(func(tx *bolt.Tx) error {
		sealed = append(sealed, tx.Bucket(bucketMeta).Get([]byte(keptPrefix+name))...)
		return nil
	})
	if err != nil || sealed == nil {
		return nil, err
	}
	value, err := q.currentRing().Unwrap(keptPrefix+name, sealed)
	if err != nil {
		return nil, fmt.Errorf("read what was kept of %s: %w", name, err)
	}
	return value, nil
}

// rewrapKept seals everything that is kept to the ring's current key.
func (q *Queue) rewrapKept(tx *bolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	fresh := map[string][]byte{}
	c := meta.Cursor()
	for k, v := c.Seek([]byte(keptPrefix)); strings.HasPrefix(string(k), keptPrefix); k, v = c.Next() {
		if value, err := q.currentRing().Unwrap(string(k), v); err == nil { // else it was lost before
			fresh[string(k)] = q.currentRing().Wrap(string(k), value)
		}
	}
	for k, v := range fresh {
		if err := meta.Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}
