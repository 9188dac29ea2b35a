package queue

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	bolt "go.etcd.io/bbolt"
)

// record is a submission as the index and the blob's card hold it.
type record struct {
	Submission
	Seq     uint64 `json:"seq"`
	Segment uint64 `json:"segment"`
	Stored  int64  `json:"stored"`        // bytes of the age file in the blob
	Due     int64  `json:"due,omitempty"` // queue time; 0 = at any time

	Revision uint64 `json:"revision,omitempty"` // grows with every change; the number of the transaction that wrote it, or more

	HeldBy  string        `json:"held_by,omitempty"` // what held it, see letGo; when that changes it is tried again
	HeldAt  int64         `json:"held_at,omitempty"` // wall clock, ns
	Session int64         `json:"session,omitempty"` // the opening of the queue in which Delivered was stamped
	Elapsed time.Duration `json:"elapsed,omitempty"` // how long after that opening
}

// place names the record's blob below the blobs folder.
func (r *record) place() place { return place{r.Segment, r.ID} }

// A record in the index begins with a mark and the CRC-32C of its key and the JSON that follows: bbolt has no
// checksum for its pages. What layouts 1 and 2 wrote is the JSON alone, which begins with a brace.
const (
	recordMark = 0x01
	recordHead = 5 // bytes before the JSON
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errBadRecord is a record, or a list of records, that can't be what was written. mend takes care of it.
var errBadRecord = errors.New("a record of the index is damaged")

// withSum puts a mark and a checksum over key and value before a value.
func withSum(key, value []byte) []byte {
	out := append(make([]byte, 0, recordHead+len(value)), recordMark)
	out = binary.BigEndian.AppendUint32(out, crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value))
	return append(out, value...)
}

// checkSum returns the value that withSum was given. old reports that there is no mark: nothing vouches for it.
func checkSum(key, stored []byte) (value []byte, old bool, err error) {
	if len(stored) == 0 || stored[0] != recordMark {
		return stored, true, nil
	}
	if len(stored) < recordHead {
		return nil, false, errBadRecord
	}
	value = stored[recordHead:]
	if binary.BigEndian.Uint32(stored[1:]) != crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value) {
		return nil, false, errBadRecord
	}
	return value, false, nil
}

func encodeRecord(r *record) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return withSum(number(r.Seq), data), nil
}

func decodeRecord(seq, data []byte) (*record, error) {
	text, _, err := checkSum(seq, data)
	r := new(record)
	if err == nil && json.Unmarshal(text, r) != nil {
		err = errBadRecord
	}
	if err == nil && (len(seq) != 8 || r.Seq != binary.BigEndian.Uint64(seq) || !validID(r.ID)) {
		err = errBadRecord
	}
	if err != nil {
		return nil, fmt.Errorf("%w (number %x)", err, seq)
	}
	return r, nil
}

// decodeListed is decodeRecord for a list; brief leaves the parts out before they are read.
func decodeListed(seq, data []byte, brief bool) (*record, error) {
	text, old, err := checkSum(seq, data)
	if err != nil || old || !brief {
		return decodeRecord(seq, data)
	}
	r := new(record)
	if !scanBrief(text, r) || len(seq) != 8 || r.Seq != binary.BigEndian.Uint64(seq) || !validID(r.ID) {
		if r, err = decodeRecord(seq, data); err == nil {
			r.Parts = nil
		}
		return r, err
	}
	return r, nil
}

// recordAt reads a record that some list of the index led to: one that is not there is a fault of that list.
func recordAt(tx *bolt.Tx, seq []byte) (*record, error) {
	data := tx.Bucket(bucketRecord).Get(seq)
	if data == nil {
		return nil, fmt.Errorf("%w: number %x is in a list and not there", errBadRecord, seq)
	}
	return decodeRecord(seq, data)
}

func recordByID(tx *bolt.Tx, id string) (*record, error) {
	v := tx.Bucket(bucketID).Get([]byte(id))
	if len(v) < 8 {
		return nil, ErrNotFound
	}
	r, err := recordAt(tx, v[:8])
	if err == nil && r.ID != id {
		return nil, fmt.Errorf("%w: the list of ids leads elsewhere", errBadRecord)
	}
	return r, err
}
