package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"motcua/queue/seal"
)

// What holds a submission is written down with it: the kind, and a fingerprint of what would have to change. When
// that has changed the submission is tried again by itself.
const (
	heldByHub     = "hub "     // the hub refused it; the fingerprint is of the sink's description
	heldByContent = "content " // it can't be read here; of the blob's file
	heldByKey     = "key "     // of the kiosk keys at hand
)

// heldAgain is how long after the hub refused a submission it is asked once more anyway: not every change at the far
// side can be seen from here.
const heldAgain = 24 * time.Hour

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// heldByHub is what to write down when the hub refused. A hub that can't be described now leaves an empty
// fingerprint, which any later description differs from.
func (q *Queue) heldByHub(ctx context.Context, sink Sink) string {
	d, ok := sink.(Described)
	if !ok {
		return heldByHub + hubOf(sink)
	}
	text, err := d.Describe(ctx)
	if err != nil {
		return heldByHub
	}
	return heldByHub + fingerprint(text)
}

// heldByStore is what to write down when the content can't be had.
func (q *Queue) heldByStore(r *record, err error) string {
	if errors.Is(err, seal.ErrWrongKey) {
		return q.heldByKeys()
	}
	return q.heldByFile(r)
}

func (q *Queue) heldByKeys() string {
	var ids []string
	for _, k := range q.currentRing().Keys() {
		ids = append(ids, k.ID().String())
	}
	return heldByKey + fingerprint(strings.Join(ids, " "))
}

func (q *Queue) heldByFile(r *record) string {
	var s unix.Stat_t
	if unix.Stat(q.path(r.place()), &s) != nil {
		return heldByContent + "none"
	}
	return heldByContent + fingerprint(fmt.Sprint(s.Ino, s.Size, s.Mtim.Nano()))
}

// letGo queues again what was held by something that has changed since, and returns how many that were. Builds before
// layout 3 did not write down why they held: all of theirs is tried once more.
func (q *Queue) letGo(ctx context.Context, sink Sink) (int, error) {
	var none bool
	if err := q.view(func(tx *bolt.Tx) error {
		k, _ := tx.Bucket(bucketHeld).Cursor().First()
		none = k == nil
		return nil
	}); err != nil || none {
		return 0, err
	}
	hub := q.heldByHub(ctx, sink)
	total, after := 0, []byte(nil)
	for {
		n, next, err := q.letGoSome(after, hub)
		total += n
		if err != nil || next == nil || ctx.Err() != nil {
			if total > 0 {
				q.log.Info("what held submissions has changed, they are tried again", "submissions", total)
				q.changes.nudge()
			}
			return total, err
		}
		after = next
	}
}

func (q *Queue) letGoSome(after []byte, hub string) (n int, next []byte, err error) {
	const batch = 256
	err = q.update(func(tx *bolt.Tx) error {
		n, next = 0, nil
		var free []*record
		c := tx.Bucket(bucketHeld).Cursor()
		k, _ := c.Seek(after)
		if bytes.Equal(k, after) {
			k, _ = c.Next()
		}
		for seen := 0; k != nil; k, _ = c.Next() {
			r, err := recordAt(tx, k)
			if err != nil {
				return err
			}
			if q.changed(r, hub) {
				free = append(free, r)
			}
			if seen++; seen == batch {
				next = bytes.Clone(k)
				break
			}
		}
		for _, r := range free {
			if _, err := q.release1(tx, r); err != nil {
				return err
			}
		}
		n = len(free)
		return nil
	})
	return n, next, err
}

// changed reports whether what held a submission is not as it was.
func (q *Queue) changed(r *record, hub string) bool {
	switch {
	case strings.HasPrefix(r.HeldBy, heldByContent):
		return r.HeldBy != q.heldByFile(r)
	case strings.HasPrefix(r.HeldBy, heldByKey):
		return r.HeldBy != q.heldByKeys()
	case hub == heldByHub:
		return false // it does not answer now
	}
	return r.HeldBy != hub || q.wall().Sub(wallNano(r.HeldAt)) > heldAgain
}

// RetryHeld makes everything due now that is held for a reason which contains a text, whatever its case; "" for all.
func (q *Queue) RetryHeld(ctx context.Context, reason string) (int, error) {
	leave, err := q.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	held, err := q.List(Filter{States: []State{Held}})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, s := range held {
		if !strings.Contains(strings.ToLower(s.LastError), strings.ToLower(reason)) {
			continue
		}
		if err := q.Retry(ctx, s.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return n, err
		}
		n++
	}
	return n, nil
}
