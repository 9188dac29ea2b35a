package queue

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"motcua/queue/seal"
)

// rebuild goes on with building a lost index again from the cards of the blobs, folder by folder. The mark in the index
// tells which comes next; the last transaction takes it away. What was delivered and whose record is lost too is
// queued again: a hub takes every id once.
func (q *Queue) rebuild(ctx context.Context, repairs *Repairs) error {
	next, aside, err := q.rebuilding()
	if err != nil || aside == nil {
		return err
	}
	known, err := q.salvageAside(*aside)
	if err != nil {
		return err
	}
	segs, err := q.listSegments()
	if err != nil {
		return err
	}
	for _, segment := range segs {
		if segment < next {
			continue
		}
		if err := q.takeInSegment(ctx, segment, *aside, known, repairs); err != nil {
			return err
		}
	}
	return q.update(func(tx *bolt.Tx) error {
		for _, r := range known {
			if r.Wiped && tx.Bucket(bucketID).Get([]byte(r.ID)) == nil {
				if err := q.insert(tx, r, true); err != nil {
					return err
				}
			}
		}
		return tx.Bucket(bucketMeta).Delete(keyRebuild)
	})
}

// rebuilding returns where a rebuild goes on and the name of the index that was given up ("" = it was not there);
// nil where there is none.
func (q *Queue) rebuilding() (next uint64, aside *string, err error) {
	err = q.view(func(tx *bolt.Tx) error {
		if v := tx.Bucket(bucketMeta).Get(keyRebuild); len(v) >= 8 {
			name := string(v[8:])
			next, aside = binary.BigEndian.Uint64(v), &name
		}
		return nil
	})
	return next, aside, err
}

// salvageAside asks the index that was given up; where that tells nothing, the one given up last before it: a power cut
// between moving it aside and beginning anew leaves no index, or a torn one.
func (q *Queue) salvageAside(name string) (map[string]*record, error) {
	names, err := q.disk.List(q.dir)
	if err != nil {
		return nil, fmt.Errorf("look for damaged indexes: %w", err)
	}
	asides := slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, filepath.Base(q.indexPath())+asideMark) })
	slices.Sort(asides)
	if name != "" {
		asides = append(asides, name)
	}
	for _, aside := range slices.Backward(asides) {
		known, err := salvage(filepath.Join(q.dir, aside))
		if err != nil {
			q.log.Warn("a damaged index tells nothing", "name", aside, "error", err)
		} else if len(known) > 0 {
			return known, nil
		}
	}
	return nil, nil
}

// salvage finds in a damaged index the last record of each submission that is whole, wherever it lies: each says by its
// checksum that it is one. What it tells of deliveries may be out of date, never invented.
func salvage(path string) (map[string]*record, error) {
	data, err := readWritten(path)
	if err != nil {
		return nil, err
	}
	known := map[string]*record{}
	begin := []byte(`{"id":"`)
	for at := 0; ; {
		i := bytes.Index(data[at:], begin)
		if i < 0 {
			return known, nil
		}
		at += i + 1
		start := at - 1 - recordHead
		if start < 0 || data[start] != recordMark {
			continue
		}
		text := json.NewDecoder(bytes.NewReader(data[at-1:]))
		r := new(record)
		if text.Decode(r) != nil {
			continue
		}
		end := at - 1 + int(text.InputOffset())
		if _, old, err := checkSum(number(r.Seq), data[start:end]); old || err != nil {
			continue
		}
		if was := known[r.ID]; was == nil || was.Revision < r.Revision {
			known[r.ID] = r
		}
	}
}

// salvageMost is how many bytes of a damaged index are looked through: ten times what 100,000 submissions take.
const salvageMost = 1 << 30

// readWritten reads what was ever written of a file: a damaged index may be terabytes of nothing.
func readWritten(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data []byte
	for at := int64(0); len(data) < salvageMost; {
		from, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return data, nil // nothing but a hole to the end
		}
		if err != nil {
			return nil, err
		}
		to, err := unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		piece := make([]byte, min(to-from, salvageMost-int64(len(data))))
		if _, err := f.ReadAt(piece, from); err != nil {
			return nil, err
		}
		data, at = append(data, piece...), to
	}
	return data, nil
}

// recall gives a record that comes from a card what the index that was given up knew of its way.
func (r *record) recall(old *record) {
	if old == nil || old.SHA256 != r.SHA256 || old.Wiped {
		return
	}
	segment := r.Segment
	*r = *old
	r.Segment = segment
	if r.State == Sending {
		r.State = Queued
	}
}

// takeInSegment makes records of all blobs in one folder.
func (q *Queue) takeInSegment(ctx context.Context, segment uint64, aside string, known map[string]*record, repairs *Repairs) error {
	names, err := q.disk.List(q.segmentPath(segment))
	if err != nil {
		return err
	}
	var cards []*record
	for _, id := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !validID(id) {
			continue // half-written blobs are dealt with as always
		}
		at := place{segment, id}
		in, there := q.whereIs(id)
		if there && in == segment {
			continue // taken in before
		}
		if err := mayRead(q.disk, q.path(at)); err != nil {
			return err
		}
		r, why := q.cardOf(at)
		if there && why == "" {
			why = whyElsewhere
		}
		if why == "" {
			r.recall(known[id])
			cards = append(cards, r)
			continue
		}
		name, err := q.setAside(at, id, why)
		if err != nil {
			return err
		}
		repairs.Unreadable = append(repairs.Unreadable, name)
	}
	sortByCreated(cards) // oldest first, as they were accepted
	err = q.update(func(tx *bolt.Tx) error {
		for _, r := range cards {
			if err := q.insert(tx, r, true); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		return errors.Join(meta.Put(keySegment, number(segment)), meta.Put(keyRebuild, append(number(segment+1), aside...)))
	})
	if err != nil {
		return err
	}
	for _, r := range cards {
		repairs.Adopted = append(repairs.Adopted, r.ID)
	}
	return nil
}

// cardOf reads a blob's card, or says why the blob has to be set aside. What fails once is tried again.
func (q *Queue) cardOf(at place) (r *record, why string) {
	for range 2 {
		var err error
		r, err = q.readBlobCard(q.path(at), at)
		switch {
		case err == nil:
			return r, ""
		case errors.Is(err, ErrNoKey):
			why = whyOtherKey
		case errors.Is(err, errDamaged):
			why = whyDamaged
		default:
			why = whyUnreadable
		}
	}
	return nil, why
}

func (q *Queue) readBlobCard(path string, at place) (*record, error) {
	f, err := q.disk.Open(path)
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
	r.reset(at.segment)
	return &r, nil
}

// checkSlots tells a blob whose key was wiped from one that needs another kiosk key.
func (q *Queue) checkSlots(slots [2][]byte) error {
	err := fmt.Errorf("%w: its key was wiped", errDamaged)
	ring := q.currentRing()
	for _, s := range slots {
		id, ok := seal.WrappedBy(s)
		switch {
		case !ok:
		case ring.Has(id):
			return nil
		default:
			err = fmt.Errorf("%w: %s does not hold %s", ErrNoKey, q.o.Vault, id)
		}
	}
	return err
}
