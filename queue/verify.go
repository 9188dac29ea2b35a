package queue

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Fault is one thing that Verify found wrong. What names no content.
type Fault struct {
	ID   string `json:"id,omitempty"` // the submission, empty for a fault of the index
	What string `json:"what"`
}

// Verified is what Verify looked at and found.
type Verified struct {
	Checked int     `json:"checked"` // submissions whose content was read and fits every digest
	Bytes   int64   `json:"bytes"`
	Wiped   int     `json:"wiped"` // had no content any more, rightly
	Faults  []Fault `json:"faults"`
}

// Verify reads every stored submission whole and proves it against the digests that were computed when it was
// accepted, and the index against itself. It changes nothing and may run beside everything else. The
// error is about Verify itself; what it found wrong is in Faults.
func (q *Queue) Verify(ctx context.Context) (Verified, error) {
	var v Verified
	leave, err := q.enterReading()
	if err != nil {
		return v, err
	}
	defer leave()
	bad := func(seq []byte, err error) error {
		v.Faults = append(v.Faults, Fault{"", err.Error() + "; it is mended when it is used"})
		return nil
	}
	err = q.eachRecord(ctx, bad, func(r *record) error {
		if r.Wiped {
			v.Wiped++
			return nil
		}
		n, err := q.verifyContent(ctx, r.ID)
		switch {
		case errors.Is(err, ErrWiped), errors.Is(err, ErrNotFound):
			// delivered and wiped, or dropped, while we were on the way
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			v.Faults = append(v.Faults, Fault{r.ID, err.Error()})
		default:
			v.Checked++
			v.Bytes += n
		}
		return nil
	})
	if err == nil {
		err = q.verifyIndex(&v)
	}
	if err == nil {
		err = q.verifyFiles(ctx, &v)
	}
	if err != nil {
		return v, fmt.Errorf("verify the queue: %w", err)
	}
	return v, nil
}

// eachRecord walks all records in batches, so that no transaction is held open for long. What bad returns for a
// damaged record ends the walk unless it is nil; without bad, damaged ones are mended.
func (q *Queue) eachRecord(ctx context.Context, bad func(seq []byte, err error) error, do func(*record) error) error {
	const batchSize = 64
	view := q.view
	if bad != nil {
		view = q.viewOnce
	}
	next, more := number(0), true
	for more {
		var batch []*record
		seek := next
		err := view(func(tx *bolt.Tx) error {
			batch, more = nil, false
			c := tx.Bucket(bucketRecord).Cursor()
			k, _ := c.Seek(seek)
			for n := 0; k != nil && n < batchSize; n++ {
				r, err := recordAt(tx, k)
				if err != nil && bad != nil {
					err = bad(k, err)
				} else if err == nil {
					batch = append(batch, r)
				}
				if err != nil {
					return err
				}
				k, _ = c.Next()
			}
			more, next = k != nil, slices.Clone(k)
			return nil
		})
		if err != nil {
			return err
		}
		for _, r := range batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// verifyContent proves one submission: the bundle's digest, and each part's by reading the ZIP as the
// office will. What is sealed to the office can only be proved as a whole.
func (q *Queue) verifyContent(ctx context.Context, id string) (int64, error) {
	c, err := q.Content(ctx, id)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, withContext{ctx, io.NewSectionReader(c, 0, c.Size())}); err != nil {
		return 0, err
	}
	if hexSum(sum) != c.r.SHA256 {
		return 0, fmt.Errorf("%w: the bundle's digest differs", errDamaged)
	}
	if card, err := readCard(c.f); err != nil {
		return 0, err
	} else if card.ID != c.r.ID || card.SHA256 != c.r.SHA256 || card.Code != c.r.Code {
		return 0, fmt.Errorf("%w: the card tells of another submission", errDamaged)
	}
	if c.r.Sealed {
		return c.Size(), nil
	}
	z, err := zip.NewReader(c, c.Size())
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if len(z.File) != len(c.r.Parts)+1 {
		return 0, fmt.Errorf("%w: %d files for %d parts", errDamaged, len(z.File), len(c.r.Parts))
	}
	for i, p := range c.r.Parts {
		if err := verifyPart(z.File[i], p); err != nil {
			return 0, fmt.Errorf("%w: part %d: %w", errDamaged, i+1, err)
		}
	}
	return c.Size(), nil
}

func verifyPart(f *zip.File, p PartInfo) error {
	if f.Name != p.Name {
		return errors.New("has another name")
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	switch {
	case err != nil:
		return err
	case n != p.Size || hex.EncodeToString(sum.Sum(nil)) != p.SHA256:
		return errors.New("digest differs")
	}
	return nil
}

// verifyPages checks the index's pages on a copy: beside a writer the file itself is never still. The copy is as sealed as the index: it
// holds no content.
func (q *Queue) verifyPages() (wrong []error, err error) {
	if q.ReadOnly() != nil {
		return checkIndexFile(q.indexPath()), nil
	}
	path := filepath.Join(q.dir, "index.verify")
	defer func() { err = errors.Join(err, os.RemoveAll(path)) }()
	if err := q.view(func(tx *bolt.Tx) error { return tx.CopyFile(path, 0o600) }); err != nil {
		return nil, fmt.Errorf("copy index: %w", err)
	}
	return checkIndexFile(path), nil
}

// verifyIndex holds bbolt's pages, every index entry and every counter against the records, in one
// snapshot.
func (q *Queue) verifyIndex(v *Verified) error {
	fault := func(id, format string, a ...any) {
		v.Faults = append(v.Faults, Fault{id, fmt.Sprintf(format, a...)})
	}
	wrong, err := q.verifyPages()
	if err != nil {
		return err
	}
	for _, e := range wrong {
		fault("", "index pages: %v", e)
	}
	return q.view(func(tx *bolt.Tx) error {
		counters := map[string]int64{}
		expected := map[string]int{} // entries by bucket
		c := tx.Bucket(bucketRecord).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			r, err := recordAt(tx, k)
			if err != nil {
				continue // told by the walk through the contents
			}
			counters["count/"+string(r.State)]++
			if !r.Wiped {
				counters["bytes/"+string(r.State)] += r.Size
			}
			for _, e := range entries(r) {
				if tx.Bucket(e.bucket) == nil {
					continue // of a later layout than this index, which can't be migrated on a disk that is read-only
				}
				expected[string(e.bucket)]++
				if found, _ := tx.Bucket(e.bucket).Cursor().Seek(e.key); string(found) != string(e.key) {
					fault(r.ID, "is missing from the list %s", e.bucket)
				}
			}
			if string(tx.Bucket(bucketID).Get([]byte(r.ID))) != string(idValue(r)) {
				fault(r.ID, "is not found by its id")
			}
			if tx.Bucket(bucketCode).Get([]byte(r.Code)) == nil {
				fault(r.ID, "is not found by its code")
			}
		}
		for _, b := range [][]byte{bucketPending, bucketFresh, bucketWait, bucketSending, bucketHeld, bucketDone, bucketAcked, bucketGone} {
			list := tx.Bucket(b)
			if list == nil {
				continue
			}
			if n := list.Stats().KeyN; n != expected[string(b)] {
				fault("", "list %s has %d entries, should have %d", b, n, expected[string(b)])
			}
		}
		for _, s := range States {
			for _, name := range []string{"count/" + string(s), "bytes/" + string(s)} {
				if n := counted(tx, name); n != counters[name] {
					fault("", "counter %s is %d, should be %d", name, n, counters[name])
				}
			}
		}
		return nil
	})
}

// verifyFiles looks for blobs that no record knows. One that is just being accepted is waited for.
func (q *Queue) verifyFiles(ctx context.Context, v *Verified) error {
	segs, err := q.listSegments()
	if err != nil {
		return err
	}
	for _, segment := range segs {
		names, err := q.disk.List(q.segmentPath(segment))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			id := strings.TrimSuffix(name, partialSuffix)
			if !validID(id) {
				v.Faults = append(v.Faults, Fault{"", fmt.Sprintf("a foreign file lies in folder %08d", segment)})
				continue
			}
			if name == id && q.holds(id, segment) {
				continue
			}
			release, err := q.own(ctx, id)
			if err != nil {
				return err
			}
			q.wiping.Lock()
			known := q.holds(id, segment)
			f, err := q.disk.Open(q.path(place{segment, name}))
			q.wiping.Unlock()
			release()
			if err != nil {
				continue // it had a reason to be there, and is gone
			}
			f.Close()
			if !known || name != id {
				v.Faults = append(v.Faults, Fault{id, "a blob is there without its submission; motcua queue found sets it aside"})
			}
		}
	}
	return nil
}

// holds reports whether the index has a submission whose content lies in a folder.
func (q *Queue) holds(id string, segment uint64) bool {
	r, err := q.stored(id)
	return err == nil && r.Segment == segment && !r.Wiped
}
