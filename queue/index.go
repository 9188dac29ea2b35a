package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The index. Every list that is asked for "the next one" has a bucket of its own whose first key is
// the answer, and every total has a counter, so that nothing is ever scanned. Records are keyed by
// a sequence number and not by time: a clock that jumps does not change who came first.
var (
	bucketMeta    = []byte("meta")    // schema, segment, kiosk key id, counters
	bucketRecord  = []byte("record")  // seq → record, in order of acceptance
	bucketID      = []byte("id")      // id → seq, folder of the blob
	bucketCode    = []byte("code")    // receipt code → seq
	bucketPending = []byte("pending") // seq: queued and sending
	bucketFresh   = []byte("fresh")   // seq: queued, may go at any time
	bucketWait    = []byte("wait")    // due, seq: queued, not before due
	bucketSending = []byte("sending") // seq
	bucketHeld    = []byte("held")    // seq
	bucketDone    = []byte("done")    // delivered at, seq: content still here
	bucketAcked   = []byte("acked")   // acknowledged at, seq: content still here
	bucketGone    = []byte("gone")    // delivered at, seq: content wiped, the record left
	bucketWipe    = []byte("wipe")    // seq → place of a blob that is being wiped
	bucketNote    = []byte("note")    // id → a sink's note
	bucketOutbox  = []byte("outbox")  // event number → event, until a follower has taken it

	buckets = [][]byte{bucketMeta, bucketRecord, bucketID, bucketCode, bucketPending, bucketFresh, bucketWait,
		bucketSending, bucketHeld, bucketDone, bucketAcked, bucketGone, bucketWipe, bucketNote, bucketOutbox}

	keySchema    = []byte("schema")
	keySchemaSum = []byte("schema-sum")
	keySegment   = []byte("segment")
	keyKiosk     = []byte("kiosk-key")
	// the next folder to take in, and the name of the index that was given up; there while a lost index is being built again
	keyRebuild = []byte("rebuild")
)

// Dropped is the state named by the last Event of a submission that a person removed; no submission
// is ever found in it.
const Dropped State = "dropped"

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func timed(t int64, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(number(uint64(max(t, 0))), seq)
}

// save puts r in place of was (nil for a new record) and keeps every index, counter and the outbox in
// step. It is the only way a submission changes.
func (q *Queue) save(tx *bolt.Tx, was, r *record) error {
	if err := reindex(tx, was, r); err != nil {
		return err
	}
	r.Revision = uint64(tx.ID())
	if was != nil {
		r.Revision = max(r.Revision, was.Revision+1) // a compacted index counts its transactions anew
	}
	data, err := encodeRecord(r)
	if err != nil {
		return err
	}
	records := tx.Bucket(bucketRecord)
	records.FillPercent = 0.9 // keys only ever grow, so pages needn't be left half empty
	if err := records.Put(number(r.Seq), data); err != nil {
		return err
	}
	announced := was == nil || (was.State != r.State && (r.State == Delivered || r.State == Acknowledged || r.State == Held))
	if announced {
		return q.post(tx, r.Submission, r.State)
	}
	return nil
}

// remove takes a record out of everything and says so.
func (q *Queue) remove(tx *bolt.Tx, r *record) error {
	if err := forget(tx, r); err != nil {
		return err
	}
	return q.post(tx, r.Submission, Dropped)
}

// forget takes a record out of everything.
func forget(tx *bolt.Tx, r *record) error {
	if err := reindex(tx, r, nil); err != nil {
		return err
	}
	err := errors.Join(
		tx.Bucket(bucketRecord).Delete(number(r.Seq)),
		tx.Bucket(bucketID).Delete([]byte(r.ID)),
		tx.Bucket(bucketNote).Delete([]byte(r.ID)),
	)
	if at := tx.Bucket(bucketCode).Get([]byte(r.Code)); at != nil && binary.BigEndian.Uint64(at) == r.Seq {
		err = errors.Join(err, tx.Bucket(bucketCode).Delete([]byte(r.Code)))
	}
	return err
}

// post adds to the outbox in the same transaction as the step it tells of.
func (q *Queue) post(tx *bolt.Tx, s Submission, state State) error {
	if !q.o.Outbox {
		return nil
	}
	b := tx.Bucket(bucketOutbox)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	e := Event{Seq: n, ID: s.ID, State: state, Time: q.wall(), Size: s.Size, Labels: s.Labels}
	if state == Held {
		e.Error = s.LastError
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return b.Put(number(n), withSum(number(n), data))
}

type entry struct{ bucket, key []byte }

// entries lists the index entries that a record in its state has.
func entries(r *record) []entry {
	seq := number(r.Seq)
	switch r.State {
	case Queued:
		if r.Due == 0 {
			return []entry{{bucketPending, seq}, {bucketFresh, seq}}
		}
		return []entry{{bucketPending, seq}, {bucketWait, timed(r.Due, r.Seq)}}
	case Sending:
		return []entry{{bucketPending, seq}, {bucketSending, seq}}
	case Held:
		return []entry{{bucketHeld, seq}}
	case Delivered, Acknowledged:
		delivered := timed(r.Delivered.UnixNano(), r.Seq)
		switch {
		case r.Wiped:
			return []entry{{bucketGone, delivered}}
		case r.State == Acknowledged:
			return []entry{{bucketDone, delivered}, {bucketAcked, timed(r.Acknowledged.UnixNano(), r.Seq)}}
		}
		return []entry{{bucketDone, delivered}}
	}
	return nil
}

// reindex changes what differs between two states of a record, nil being none: every bucket that is left
// alone is a few pages less to write and sync.
func reindex(tx *bolt.Tx, was, r *record) error {
	counters := map[string]int64{}
	var old, now []entry
	if was != nil {
		old = entries(was)
		count(counters, was, -1)
	}
	if r != nil {
		now = entries(r)
		count(counters, r, 1)
	}
	for _, e := range old {
		if slices.ContainsFunc(now, e.equal) {
			continue
		}
		if err := tx.Bucket(e.bucket).Delete(e.key); err != nil {
			return err
		}
	}
	for _, e := range now {
		if slices.ContainsFunc(old, e.equal) {
			continue
		}
		if err := tx.Bucket(e.bucket).Put(e.key, nil); err != nil {
			return err
		}
	}
	for name, by := range counters {
		if by == 0 {
			continue
		}
		if err := add(tx, name, by); err != nil {
			return err
		}
	}
	return nil
}

func (e entry) equal(o entry) bool {
	return bytes.Equal(e.bucket, o.bucket) && bytes.Equal(e.key, o.key)
}

func count(counters map[string]int64, r *record, sign int64) {
	counters["count/"+string(r.State)] += sign
	if !r.Wiped {
		counters["bytes/"+string(r.State)] += sign * r.Size
	}
}

func add(tx *bolt.Tx, counter string, by int64) error {
	return tx.Bucket(bucketMeta).Put([]byte(counter), number(uint64(counted(tx, counter)+by)))
}

func counted(tx *bolt.Tx, counter string) int64 {
	v := tx.Bucket(bucketMeta).Get([]byte(counter))
	if len(v) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// idValue is what the bucket of ids says of a record.
func idValue(r *record) []byte { return append(number(r.Seq), number(r.Segment)...) }

// segmentOf finds the folder of a submission's blob without reading its record.
func segmentOf(tx *bolt.Tx, id string) (uint64, bool) {
	v := tx.Bucket(bucketID).Get([]byte(id))
	if len(v) != 16 {
		return 0, false
	}
	return binary.BigEndian.Uint64(v[8:]), true
}

// find takes an id or a receipt code as a person types it.
func find(tx *bolt.Tx, idOrCode string) (*record, error) {
	r, err := recordByID(tx, idOrCode)
	if !errors.Is(err, ErrNotFound) {
		return r, err
	}
	code, ok := ParseCode(idOrCode)
	if !ok {
		return nil, ErrNotFound
	}
	seq := tx.Bucket(bucketCode).Get([]byte(code))
	if seq == nil {
		return nil, ErrNotFound
	}
	r, err = recordAt(tx, seq)
	if err == nil && r.Code != code {
		err = fmt.Errorf("%w: the list of codes leads elsewhere", errBadRecord)
	}
	return r, err
}

// endSeq returns the first key of a bucket, or the last.
func endSeq(tx *bolt.Tx, bucket []byte, last bool) (uint64, bool) {
	c := tx.Bucket(bucket).Cursor()
	k, _ := c.First()
	if last {
		k, _ = c.Last()
	}
	if len(k) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(k), true
}

func splitTimed(k []byte) (t int64, seq uint64) {
	return int64(binary.BigEndian.Uint64(k)), binary.BigEndian.Uint64(k[8:])
}

// firstDue returns the head of a bucket keyed by time.
func firstDue(tx *bolt.Tx, bucket []byte) (t int64, seq uint64, ok bool) {
	k, _ := tx.Bucket(bucket).Cursor().First()
	if len(k) != 16 {
		return 0, 0, false
	}
	t, seq = splitTimed(k)
	return t, seq, true
}

func wallNano(t int64) time.Time { return time.Unix(0, t) }
