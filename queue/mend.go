package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// The records are the index; every list and counter beside them follows from them, and a record itself follows from the
// card of its blob, save for how far its delivery came, which the lists tell. So one damaged record, or a
// list that leads nowhere, costs nothing but itself: mend makes all of it anew, in one transaction.

// derived are the buckets that follow from the records.
var derived = [][]byte{bucketID, bucketCode, bucketPending, bucketFresh, bucketWait, bucketSending, bucketHeld,
	bucketDone, bucketAcked, bucketGone}

// mend is called by view and update when they met a damaged record.
func (q *Queue) mend() error {
	q.mending.Lock()
	defer q.mending.Unlock()
	var rebuilt, lost []string
	err := q.updateOnce(func(tx *bolt.Tx) error {
		rebuilt, lost = nil, nil
		bad, err := badRecords(tx)
		if err != nil {
			return err
		}
		if err := dropStrangeKeys(tx); err != nil {
			return err
		}
		newest := max(newestRevision(tx), uint64(tx.ID()))
		for _, b := range bad {
			r := q.rebuildRecord(b)
			if r == nil {
				lost = append(lost, b.id)
				if err := tx.Bucket(bucketRecord).Delete(number(b.seq)); err != nil {
					return err
				}
				continue
			}
			rebuilt = append(rebuilt, r.ID)
			r.Revision = newest + 1 // above what is left of it on pages that are free: a card has the first one
			data, err := encodeRecord(r)
			if err != nil {
				return err
			}
			if err := tx.Bucket(bucketRecord).Put(number(r.Seq), data); err != nil {
				return err
			}
		}
		return deriveLists(tx)
	})
	switch {
	case errors.Is(err, errIndexDamaged), err != nil && q.ReadOnly() != nil:
		return err
	case err != nil && !errors.As(err, new(unix.Errno)):
		// More is wrong than a record: the next start builds all of it again.
		return q.giveUp(fmt.Errorf("mend: %w", err))
	case err != nil:
		return fmt.Errorf("mend the index: %w", err)
	}
	q.log.Warn("the index was mended", "records_built_again", len(rebuilt), "records_lost", strings.Join(lost, " "))
	return nil
}

// badRecord is what the lists still say of a record that can't be read or is not there.
type badRecord struct {
	seq, segment uint64
	id           string
	state        State
	gone         bool  // its content was wiped
	at           int64 // due, delivered or acknowledged, by the list it is in
}

// badRecords finds records that are damaged, and ids whose record is missing.
func badRecords(tx *bolt.Tx) ([]*badRecord, error) {
	bySeq := map[uint64]*badRecord{}
	err := tx.Bucket(bucketRecord).ForEach(func(k, v []byte) error {
		if _, err := decodeRecord(k, v); err == nil || len(k) != 8 {
			return nil
		}
		b := &badRecord{seq: binary.BigEndian.Uint64(k)}
		// What is damaged may still say whose it is; the list of ids below knows better.
		var r record
		if text, _, _ := checkSum(nil, v); text != nil && json.Unmarshal(text, &r) == nil && validID(r.ID) {
			b.id, b.segment = r.ID, r.Segment
		}
		bySeq[b.seq] = b
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = tx.Bucket(bucketID).ForEach(func(id, v []byte) error {
		if len(v) != 16 {
			return nil
		}
		seq := binary.BigEndian.Uint64(v)
		b := bySeq[seq]
		if b == nil {
			if tx.Bucket(bucketRecord).Get(v[:8]) != nil {
				return nil
			}
			b = &badRecord{seq: seq}
			bySeq[seq] = b
		}
		b.id, b.segment = string(id), binary.BigEndian.Uint64(v[8:])
		return nil
	})
	if err != nil || len(bySeq) == 0 {
		return nil, err
	}
	bad := make([]*badRecord, 0, len(bySeq))
	for _, b := range bySeq {
		bad = append(bad, b)
	}
	return bad, askLists(tx, bySeq)
}

// dropStrangeKeys removes records under what can't be a number: the id they were of is found by the list of ids.
func dropStrangeKeys(tx *bolt.Tx) error {
	var strange [][]byte
	err := tx.Bucket(bucketRecord).ForEach(func(k, _ []byte) error {
		if len(k) != 8 {
			strange = append(strange, bytes.Clone(k))
		}
		return nil
	})
	for _, k := range strange {
		err = errors.Join(err, tx.Bucket(bucketRecord).Delete(k))
	}
	return err
}

// askLists finds the state of bad records by the lists they are in. The later list of those below wins.
func askLists(tx *bolt.Tx, bySeq map[uint64]*badRecord) error {
	for _, list := range []struct {
		bucket []byte
		state  State
	}{{bucketFresh, Queued}, {bucketWait, Queued}, {bucketSending, Sending}, {bucketHeld, Held},
		{bucketDone, Delivered}, {bucketAcked, Acknowledged}, {bucketGone, Delivered}} {
		bucket := tx.Bucket(list.bucket)
		if bucket == nil {
			continue
		}
		err := bucket.ForEach(func(k, _ []byte) error {
			if len(k) < 8 {
				return nil
			}
			b := bySeq[binary.BigEndian.Uint64(k[len(k)-8:])]
			if b == nil {
				return nil
			}
			b.state = list.state
			b.gone = b.gone || string(list.bucket) == string(bucketGone)
			if len(k) == 16 {
				b.at, _ = splitTimed(k)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rebuildRecord makes a record anew from the card of its blob and what the lists say; nil where there is no card.
func (q *Queue) rebuildRecord(b *badRecord) *record {
	if !validID(b.id) || b.gone {
		return nil // with its content gone, all that is lost is that it once was here
	}
	r, why := q.cardOf(place{b.segment, b.id})
	if why != "" {
		return nil
	}
	r.Seq, r.State = b.seq, b.state
	switch b.state {
	case Queued:
		r.Due = b.at
	case Delivered:
		r.Delivered = wallNano(b.at).UTC()
	case Acknowledged:
		r.Delivered, r.Acknowledged = wallNano(b.at).UTC(), wallNano(b.at).UTC()
	case Held:
		r.LastError = "its record was damaged and is built again; why it was held is not known any more"
	case Sending:
	default:
		r.State = Queued
	}
	return r
}

// newestRevision is the highest of all records that can be read.
func newestRevision(tx *bolt.Tx) (newest uint64) {
	_ = tx.Bucket(bucketRecord).ForEach(func(k, v []byte) error {
		if r, err := decodeRecord(k, v); err == nil {
			newest = max(newest, r.Revision)
		}
		return nil // fn's own errors only
	})
	return newest
}

// deriveLists makes all lists and counters anew from the records.
func deriveLists(tx *bolt.Tx) error {
	for _, name := range derived {
		if err := tx.DeleteBucket(name); err != nil {
			return err
		}
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	counters := map[string]int64{}
	for _, s := range States {
		counters["count/"+string(s)], counters["bytes/"+string(s)] = 0, 0
	}
	err := eachSeq(tx, func(seq []byte) error {
		r, err := recordAt(tx, seq)
		if err != nil {
			return err
		}
		count(counters, r, 1)
		if err := tx.Bucket(bucketID).Put([]byte(r.ID), idValue(r)); err != nil {
			return err
		}
		if codes := tx.Bucket(bucketCode); codes.Get([]byte(r.Code)) == nil {
			if err := codes.Put([]byte(r.Code), number(r.Seq)); err != nil {
				return err
			}
		}
		for _, e := range entries(r) {
			if err := tx.Bucket(e.bucket).Put(e.key, nil); err != nil {
				return err
			}
		}
		return nil
	})
	for name, n := range counters {
		err = errors.Join(err, tx.Bucket(bucketMeta).Put([]byte(name), number(uint64(n))))
	}
	return err
}
