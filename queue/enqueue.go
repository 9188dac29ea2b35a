package queue

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"time"

	"github.com/oklog/ulid/v2"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Enqueue accepts a submission. When it returns without error the submission is on the disk, sealed, and
// survives power loss the next millisecond; when it returns an error, either nothing was accepted or
// a second Enqueue with the same Draft.ID finds it. It returns ErrFull when the disk is nearly full.
//
// The order of writes: blob, fsync, rename, fsync of the folder, then one transaction of the index.
func (q *Queue) Enqueue(ctx context.Context, d Draft) (Submission, error) {
	leave, err := q.enter()
	if err != nil {
		return Submission{}, err
	}
	defer leave()
	if err := checkDraft(d); err != nil {
		return Submission{}, fmt.Errorf("enqueue: %w", err)
	}
	if d.ID == "" {
		d.ID = ulid.MustNew(ulid.Timestamp(q.wall()), rand.Reader).String()
	}
	s := Submission{ID: d.ID, Labels: maps.Clone(d.Labels)}
	r, err := q.accept(ctx, s, func(w *bodyWriter, s *Submission) (err error) {
		s.Parts, err = writeBundle(ctx, w, *s, d.Parts)
		return err
	})
	if err != nil {
		return Submission{}, fmt.Errorf("enqueue %s: %w", d.ID, err)
	}
	return r.Submission, nil
}

// errCodeTaken asks for another receipt code.
var errCodeTaken = errors.New("receipt code is taken")

// accept stores one submission whose bundle fill writes. It returns what is stored already under the
// same id.
func (q *Queue) accept(ctx context.Context, s Submission, fill func(*bodyWriter, *Submission) error) (*record, error) {
	unlock, err := q.own(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if r, err := q.stored(s.ID); !errors.Is(err, ErrNotFound) {
		return r, err
	}
	if err := q.room(q.o.MinFree / 2); err != nil {
		return nil, err
	}
	imported := s.Code != ""
	for {
		r := &record{Submission: s}
		r.State = Queued
		if !imported {
			r.Code = newCode()
			r.Created = q.wall().UTC().Truncate(time.Millisecond)
		}
		err := q.store(r, imported, fill)
		if errors.Is(err, errCodeTaken) {
			continue // one in 17 thousand million
		}
		if err != nil {
			return nil, err
		}
		q.changes.tell(r.Submission)
		q.log.Info("submission accepted", "submission", r.ID, "bytes", r.Size)
		return r, nil
	}
}

// store writes the blob and then the record.
func (q *Queue) store(r *record, imported bool, fill func(*bodyWriter, *Submission) error) (err error) {
	segment, leave, err := q.enterSegment()
	if err != nil {
		return err
	}
	defer leave()
	r.Segment = segment
	q.keys.RLock()
	defer q.keys.RUnlock()
	if err := q.writeBlob(r, imported, fill); err != nil {
		return err
	}
	err = q.together(func(tx *bolt.Tx) error { return q.insert(tx, r, imported) })
	if err == nil {
		return nil
	}
	q.mu.Lock()
	broken := q.broken
	q.mu.Unlock()
	if broken != nil {
		// Whether the transaction is on the disk is not known, so the blob must stay: the next Open
		// either finds its record or wipes it.
		return err
	}
	return errors.Join(err, q.discard(q.path(r.place()), segment))
}

// insert is the one transaction that makes a submission accepted.
func (q *Queue) insert(tx *bolt.Tx, r *record, imported bool) error {
	records, ids, codes := tx.Bucket(bucketRecord), tx.Bucket(bucketID), tx.Bucket(bucketCode)
	seq, err := records.NextSequence()
	if err != nil {
		return err
	}
	r.Seq = seq
	taken := codes.Get([]byte(r.Code)) != nil
	switch {
	case ids.Get([]byte(r.ID)) != nil:
		return fmt.Errorf("submission %s is there already", r.ID) // own() makes this impossible
	case taken && !imported:
		return errCodeTaken
	case !taken:
		// Another kiosk's submission whose code is taken here is found by its id only.
		if err := codes.Put([]byte(r.Code), number(seq)); err != nil {
			return err
		}
	}
	if err := ids.Put([]byte(r.ID), idValue(r)); err != nil {
		return err
	}
	meta := tx.Bucket(bucketMeta)
	if v := meta.Get(keySegment); len(v) != 8 || binary.BigEndian.Uint64(v) < r.Segment {
		if err := meta.Put(keySegment, number(r.Segment)); err != nil {
			return err
		}
	}
	return q.save(tx, nil, r)
}

// bodyWriter takes the bundle's bytes on their way into the blob.
type bodyWriter struct {
	w    io.Writer
	size int64
	max  int64
}

// ErrTooLarge refuses a submission over Options.MaxSize.
var ErrTooLarge = errors.New("submission is larger than allowed")

func (b *bodyWriter) Write(p []byte) (int, error) {
	b.size += int64(len(p))
	if b.size > b.max {
		return 0, fmt.Errorf("%w (%d MiB)", ErrTooLarge, b.max>>20)
	}
	return b.w.Write(p)
}

// writeBlob leaves the whole blob of r durably at its place, or nothing.
func (q *Queue) writeBlob(r *record, imported bool, fill func(*bodyWriter, *Submission) error) (err error) {
	partial := q.partial(r.place())
	f, err := q.disk.Create(partial)
	if errors.Is(err, fs.ErrExist) {
		// Left by a try whose end the disk refused; nobody else works on this id.
		if err := q.discard(partial, r.Segment); err != nil {
			return err
		}
		f, err = q.disk.Create(partial)
	}
	if err != nil {
		return q.told(fmt.Errorf("create blob: %w", err))
	}
	at := partial
	defer func() {
		if err != nil {
			err = q.told(errors.Join(err, q.discard(at, r.Segment)))
		}
	}()
	if err := q.fillBlob(f, r, imported, fill); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close blob: %w", err)
	}
	err = q.disk.Rename(partial, q.path(r.place()))
	if errors.Is(err, fs.ErrExist) {
		// A stray of the same id that nobody came across yet.
		if _, err = q.setAside(r.place(), r.ID, whyUnknown); err == nil {
			err = q.disk.Rename(partial, q.path(r.place()))
		}
	}
	if err != nil {
		return fmt.Errorf("name blob: %w", err)
	}
	at = q.path(r.place())
	if err := q.disk.SyncDir(q.segmentPath(r.Segment)); err != nil {
		return fmt.Errorf("sync blob's folder: %w", err)
	}
	return nil
}

func (q *Queue) fillBlob(f file, r *record, imported bool, fill func(*bodyWriter, *Submission) error) error {
	raw := r.Sealed // an imported bundle that is an age file already
	// An imported bundle stays as it was: the hub knows it by its digest.
	officeOnly := raw || (q.o.OfficeOnly && !imported)
	buf, ok := q.pieces.Get().(*bufio.Writer)
	if !ok {
		buf = bufio.NewWriterSize(nil, blobPiece)
	}
	defer q.pieces.Put(buf)
	body := &blobBody{raw: raw, digest: officeOnly, file: f, buf: buf, check: func(int64) error { return q.room(q.o.MinFree / 4) },
		keys: func() (sealer, error) { return newSealer(r.ID, q.currentRing(), q.o.Office, officeOnly) }}
	plain := sha256.New()
	outs := []io.Writer{body}
	if !officeOnly {
		outs = append(outs, plain)
	}
	side := newFan(&q.blocks, outs...)
	w := &bodyWriter{w: side, max: q.o.MaxSize}
	if err := fill(w, &r.Submission); err != nil {
		_ = side.Close() // its error, if any, is what fill returned
		return err
	}
	if err := side.Close(); err != nil {
		return err
	}
	blob, err := body.close()
	if err != nil {
		return err
	}
	r.Stored = blob.stored
	r.Sealed = officeOnly
	if officeOnly {
		r.Size, r.SHA256 = blob.stored, hexSum(blob.sum)
	} else {
		r.Size, r.SHA256 = w.size, hexSum(plain)
	}
	if err := blob.finish(*r); err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	return nil
}

// discard wipes what was written of a submission that is not accepted. What it can't remove now, the
// next Open finds.
func (q *Queue) discard(path string, segment uint64) error {
	if err := wipeBlob(q.disk, path); err != nil {
		return fmt.Errorf("discard unaccepted blob: %w", err)
	}
	if err := q.disk.SyncDir(q.segmentPath(segment)); err != nil {
		return fmt.Errorf("discard unaccepted blob: %w", err)
	}
	return nil
}

// told makes the disk's own words into ErrFull or ErrReadOnly.
func (q *Queue) told(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrFull), errors.Is(err, ErrReadOnly):
		return err
	case isDiskFull(err):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, unix.EROFS):
		return q.stop(fmt.Errorf("%w (%w)", ErrReadOnly, err))
	}
	return err
}

func (q *Queue) stored(id string) (r *record, err error) {
	err = q.view(func(tx *bolt.Tx) error {
		r, err = recordByID(tx, id)
		return err
	})
	return r, err
}

// own makes one caller at a time work on an id.
func (q *Queue) own(ctx context.Context, id string) (release func(), err error) {
	for {
		q.mu.Lock()
		taken, ok := q.busy[id]
		if !ok {
			done := make(chan struct{})
			q.busy[id] = done
			q.mu.Unlock()
			return func() {
				q.mu.Lock()
				delete(q.busy, id)
				q.mu.Unlock()
				close(done)
			}, nil
		}
		q.mu.Unlock()
		select {
		case <-taken:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// FromBytes makes a part of bytes in memory.
func FromBytes(name, mediaType string, data []byte) Part {
	return Part{Name: name, MediaType: mediaType, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}
