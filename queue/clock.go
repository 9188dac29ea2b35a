package queue

import (
	"time"

	bolt "go.etcd.io/bbolt"
)

// A kiosk's clock may be wrong: a dead battery, a year set by hand, a time server that comes late. Retention counts from
// stamps that such a clock made, so they are put right as soon as it shows:
//
//   - while the queue stays open the monotonic clock knows how long ago a delivery was, whatever the wall clock did;
//   - a stamp that lies ahead, or before this program was written, is wrong and counts from now;
//   - after the clock was set by more than clockJump, or seems to have run ahead while the queue was closed, older stamps
//     are not compared with it for clockTrust: content is rather kept a day too long than wiped a month too early.
const (
	clockJump  = time.Hour
	clockAhead = 30 * 24 * time.Hour // a kiosk that was off for longer is treated like one whose clock was set
	clockTrust = 24 * time.Hour
	clockSlack = time.Minute // what a time server corrects without notice
)

// plausible is before any delivery of this program.
var plausible = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is what the sweep knows of the wall clock. Only one sweep runs at a time.
type clock struct {
	skew  time.Duration // wall clock less queue time when it was last looked at
	doubt time.Time     // until then (queue time) stamps of earlier openings are not compared with the wall clock
}

// stamp notes that a submission was delivered, or acknowledged, now.
func (q *Queue) stamp(r *record) {
	now := q.wall().UTC()
	if r.Delivered.IsZero() {
		r.Delivered = now
	}
	if r.State == Acknowledged {
		r.Acknowledged = now
	}
	r.Session, r.Elapsed = q.session(), q.elapsed()
}

// elapsed is how long the queue is open, whatever happens to the clock on the wall.
func (q *Queue) elapsed() time.Duration {
	if q.o.elapsed != nil {
		return q.o.elapsed()
	}
	return time.Since(q.opened)
}

// session tells this opening of the queue from others.
func (q *Queue) session() int64 { return q.epoch.UnixNano() }

// restamp moves the stamps of a record to when its delivery really was, as far as that is known.
func (q *Queue) restamp(r *record) {
	age := time.Duration(0)
	if r.Session == q.session() {
		age = q.elapsed() - r.Elapsed
	}
	at := q.wall().Add(-age).UTC()
	r.Delivered = at
	if r.State == Acknowledged {
		r.Acknowledged = at
	}
	r.Session, r.Elapsed = q.session(), q.elapsed()-age
}

// lookAtClock notices that the clock was set and puts right what was stamped by a wrong one. It reports whether
// stamps of earlier openings may be compared with the clock.
func (q *Queue) lookAtClock() (trusted bool, err error) {
	now, wall := q.epoch.Add(q.elapsed()), q.wall()
	skew := wall.Sub(now)
	jumped := (skew - q.clock.skew).Abs() > clockJump
	if jumped {
		q.log.Warn("the clock was set", "by", (skew - q.clock.skew).Round(time.Second).String())
		q.clock.skew, q.clock.doubt = skew, now.Add(clockTrust)
	}
	if wall.Before(plausible) {
		return false, nil
	}
	// What was put right must not seem wrong again, or the sweep never comes to an end.
	moved := func(r *record) bool {
		return jumped && r.Session == q.session() && r.Delivered.Sub(wall.Add(r.Elapsed-q.elapsed())).Abs() > clockSlack
	}
	wrong := func(r *record) bool {
		return r.Delivered.After(wall.Add(clockSlack)) || r.Delivered.Before(plausible) ||
			r.State == Acknowledged && r.Acknowledged.After(wall.Add(clockSlack)) ||
			moved(r)
	}
	for {
		n, err := q.straighten(wall, jumped, wrong)
		if err != nil || n < wipeBatch {
			return !now.Before(q.clock.doubt), err
		}
		jumped = jumped && n == wipeBatch
	}
}

// straighten restamps up to wipeBatch records that are wrong. Wrong stamps stand at either end of the list; after a jump
// they may be anywhere.
func (q *Queue) straighten(wall time.Time, everywhere bool, wrong func(*record) bool) (n int, err error) {
	suspects := func(tx *bolt.Tx) (seqs []uint64) {
		c := tx.Bucket(bucketDone).Cursor()
		for k, _ := c.First(); len(k) == 16; k, _ = c.Next() {
			t, seq := splitTimed(k)
			if !everywhere && !wallNano(t).Before(plausible) {
				break
			}
			seqs = append(seqs, seq)
		}
		if everywhere {
			return seqs
		}
		for k, _ := c.Last(); len(k) == 16; k, _ = c.Prev() {
			t, seq := splitTimed(k)
			if !wallNano(t).After(wall.Add(clockSlack)) {
				break
			}
			seqs = append(seqs, seq)
		}
		return seqs
	}
	some := false
	if err := q.view(func(tx *bolt.Tx) error { some = len(suspects(tx)) > 0; return nil }); err != nil || !some {
		return 0, err
	}
	err = q.update(func(tx *bolt.Tx) error {
		n = 0
		for _, seq := range suspects(tx) {
			was, err := recordAt(tx, number(seq))
			if err != nil {
				return err
			}
			if !wrong(was) {
				continue
			}
			r := *was
			q.restamp(&r)
			if err := q.save(tx, was, &r); err != nil {
				return err
			}
			if n++; n == wipeBatch {
				break
			}
		}
		return nil
	})
	return n, err
}

// doubtClock is asked once, at Open: is the clock far ahead of all that was ever written here?
func (q *Queue) doubtClock() error {
	return q.view(func(tx *bolt.Tx) error {
		var newest time.Time
		if k, v := tx.Bucket(bucketRecord).Cursor().Last(); k != nil {
			if r, err := decodeRecord(k, v); err == nil {
				newest = r.Created
			}
		}
		if k, _ := tx.Bucket(bucketDone).Cursor().Last(); len(k) == 16 {
			if t, _ := splitTimed(k); wallNano(t).After(newest) {
				newest = wallNano(t)
			}
		}
		if !newest.IsZero() && q.wall().Sub(newest) > clockAhead {
			q.clock.doubt = q.epoch.Add(q.elapsed() + clockTrust)
		}
		return nil
	})
}
