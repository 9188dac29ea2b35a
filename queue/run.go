package queue

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
)

// maxDelay bounds what a hub may ask for by Retry-After. What seems due later than that was
// stamped by a clock that was wrong, and is due at once.
const maxDelay = 24 * time.Hour

// Hub may be implemented by a sink to name the hub it delivers to. Sinks with one name share a
// circuit breaker.
type Hub interface{ Hub() string }

func hubOf(sink Sink) string {
	if h, ok := sink.(Hub); ok {
		return h.Hub()
	}
	return ""
}

// Run delivers to sink until ctx ends, oldest first, and wipes what has been delivered long enough. It
// returns nil when ctx ends, after every delivery under way has returned; what had not arrived is
// queued again. Any error means that the store itself failed and must be opened again.
//
// Where the disk is read-only, or turns so, nothing can be sent or wiped: Run waits until it can be written again, and
// returns ErrReadOnly then, for the queue to be opened anew.
func (q *Queue) Run(ctx context.Context, sink Sink) error {
	err := q.run(ctx, sink)
	if !errors.Is(err, ErrReadOnly) {
		return err
	}
	q.log.Error("nothing is sent or accepted", "error", err)
	for ctx.Err() == nil && q.life.Err() == nil {
		pause(ctx, q.life.Done(), q.now().Add(readOnlyLook), q.now())
		if q.disk.Writable(q.dir) == nil {
			return err
		}
	}
	return nil
}

// readOnlyLook is how often it is looked whether a disk that could not be written can be again.
const readOnlyLook = 15 * time.Second

func (q *Queue) run(ctx context.Context, sink Sink) error {
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(q.life, cancel)()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return q.sweepUntil(ctx) })
	g.Go(func() error { return q.letGoUntil(ctx, sink) })
	g.Go(func() error { return q.patrolOnce(ctx) })
	g.Go(func() error { return q.compactUntil(ctx) })
	c := q.newCrew(sink)
	for n := range c.workers {
		g.Go(func() error { return q.deliverUntil(ctx, c.worker(n)) })
	}
	return g.Wait()
}

// deliverUntil is one worker of Run.
func (q *Queue) deliverUntil(ctx context.Context, w *worker) error {
	for ctx.Err() == nil {
		changed := q.changes.waiter() // before looking, so that nothing is missed
		did, err := w.step(ctx, q.now())
		if err != nil {
			return errors.Join(err, w.rest())
		}
		if !did.one {
			pause(ctx, changed, did.next, q.now())
		}
	}
	return w.rest()
}

// pause waits for a change, or for a moment of queue time if there is one.
func pause(ctx context.Context, changed <-chan struct{}, until, now time.Time) {
	var ring <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(max(until.Sub(now), time.Millisecond))
		defer t.Stop()
		ring = t.C
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-ring:
	}
}

func (q *Queue) sweepUntil(ctx context.Context) error {
	for ctx.Err() == nil {
		changed := q.changes.waiter()
		if _, err := q.Sweep(ctx); err != nil && ctx.Err() == nil {
			// A blob that can't be wiped now is tried again; only a broken index ends Run.
			if q.isBroken() {
				return err
			}
			q.log.Error("wipe delivered submissions", "error", err)
		}
		at, ok, err := q.expires()
		if err != nil {
			return err
		}
		// The wall clock decides here, and it may jump: look at least every minute.
		wait := q.now().Add(time.Minute)
		if ok {
			left := max(at.Sub(q.wall()), time.Second)
			wait = q.now().Add(min(left, time.Minute))
		}
		pause(ctx, changed, wait, q.now())
	}
	return nil
}

// heldLook is how often it is looked whether what holds submissions has changed.
const heldLook = 15 * time.Minute

func (q *Queue) letGoUntil(ctx context.Context, sink Sink) error {
	for ctx.Err() == nil {
		if _, err := q.letGo(ctx, sink); err != nil && ctx.Err() == nil {
			return fmt.Errorf("look at what is held: %w", err)
		}
		pause(ctx, nil, q.now().Add(heldLook), q.now())
	}
	return nil
}

// patrolOnce looks for strays in all folders, which takes too long for a start.
func (q *Queue) patrolOnce(ctx context.Context) error {
	err := q.patrol(ctx)
	if err != nil && ctx.Err() == nil {
		q.log.Error("look for strays", "error", err)
	}
	return nil
}

func (q *Queue) isBroken() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.broken != nil
}

// Pass is what one round of deliveries came to.
type Pass struct {
	Delivered, Held, Failed int
}

// ErrHub says that a hub was given up for now because several submissions in a row failed.
var ErrHub = errors.New("the hub does not take submissions now")

// DeliverDue delivers what is due when it is called, each submission once, and returns; with ErrHub if the
// hub was given up before all were tried. It is for a command line without the daemon.
func (q *Queue) DeliverDue(ctx context.Context, sink Sink) (Pass, error) {
	leave, err := q.enter()
	if err != nil {
		return Pass{}, err
	}
	defer leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(q.life, cancel)()
	var (
		pass  Pass
		down  bool
		mu    sync.Mutex // guards pass and down
		start = q.now()
	)
	if _, err := q.letGo(ctx, sink); err != nil {
		return Pass{}, err
	}
	g, gctx := errgroup.WithContext(ctx)
	c := q.newCrew(sink)
	c.ended = func(end State) {
		mu.Lock()
		defer mu.Unlock()
		pass.count(end)
	}
	for n := range c.workers {
		g.Go(func() error {
			w := c.worker(n)
			for gctx.Err() == nil {
				did, err := w.step(gctx, start)
				if err != nil || did.down {
					mu.Lock()
					down = down || did.down
					mu.Unlock()
					return errors.Join(err, w.rest())
				}
				if !did.one {
					return w.collect() // what another claimed ahead is that one's to send: given back, nobody would
				}
			}
			return errors.Join(gctx.Err(), w.rest())
		})
	}
	err = g.Wait()
	if _, e := q.Sweep(ctx); err == nil {
		err = e
	}
	// Spare workers may have met the hub's refusals alone, after the others had found nothing left to do.
	if err == nil && (down || c.b.wait(q.now()) > 0) {
		err = ErrHub
	}
	return pass, err
}

func (p *Pass) count(end State) {
	switch end {
	case Delivered, Acknowledged:
		p.Delivered++
	case Held:
		p.Held++
	default:
		p.Failed++
	}
}

// claim moves the oldest submission that is due to Sending and returns it, or nil and when the next is due
// (zero if none waits). A crash after claim is harmless: on Open every Sending submission becomes
// Queued again, and sinks are idempotent by id.
func (q *Queue) claim(t turn, now time.Time) (taken *record, next time.Time, err error) {
	claimed, next, err := q.claimAhead(t, now, 1, false)
	if len(claimed) > 0 {
		taken = claimed[0]
	}
	return taken, next, err
}

// claimAhead claims what a worker is to deliver now and, where they are small, more for whoever is free next; with small
// nothing that is not.
func (q *Queue) claimAhead(t turn, now time.Time, want int, small bool) (claimed []*record, next time.Time, err error) {
	some := false
	err = q.view(func(tx *bolt.Tx) error {
		_, _, some, next = q.due(tx, t, now)
		return nil
	})
	if err != nil || !some {
		return nil, next, err
	}
	err = q.together(func(tx *bolt.Tx) (err error) {
		claimed, err = q.claimIn(tx, t, now, want, small)
		return err
	})
	if err != nil {
		return nil, next, fmt.Errorf("claim a submission: %w", err)
	}
	if len(claimed) > 0 {
		q.changes.tell(claimed[0].Submission)
	}
	return claimed, next, nil
}

// due finds what is to be delivered next. What failed before and is due again takes its turn by age too, but never two in a
// row while others wait: a thousand submissions that a hub chokes on can't use up all the time there is.
func (q *Queue) due(tx *bolt.Tx, t turn, now time.Time) (seq uint64, retry, ok bool, next time.Time) {
	fresh, haveFresh := endSeq(tx, bucketFresh, t.newer)
	due, again, haveAgain := q.firstRetry(tx, now)
	if haveAgain && due.After(now) {
		haveAgain, next = false, due
	}
	q.mu.Lock()
	retried := q.retried
	q.mu.Unlock()
	if haveAgain && (!haveFresh || (again < fresh && !retried && t.probe == 0)) {
		return again, true, true, next
	}
	return fresh, false, haveFresh, next
}

// claimIn claims up to want submissions in a transaction. Those that nobody is free for yet, which is all but the first
// or with ahead the first too, are claimed only while all are small.
func (q *Queue) claimIn(tx *bolt.Tx, t turn, now time.Time, want int, ahead bool) (claimed []*record, err error) {
	for range want {
		seq, retry, ok, _ := q.due(tx, t, now)
		if !ok {
			break // another worker was faster
		}
		was, err := recordAt(tx, number(seq))
		if err != nil {
			return nil, err
		}
		if ahead && was.Size > aheadMost {
			break
		}
		r := *was
		r.State, r.Due, r.NextAttempt = Sending, 0, time.Time{}
		r.Attempts++
		if err := q.save(tx, was, &r); err != nil {
			return nil, err
		}
		q.mu.Lock()
		q.retried = retry
		q.mu.Unlock()
		claimed = append(claimed, &r)
		if ahead = true; r.Size > aheadMost {
			break
		}
	}
	return claimed, nil
}

// firstRetry finds the head of the waiting ones. The last one tells of a clock that was set back while the
// program was not running: then its due time lies further ahead than any delay.
func (q *Queue) firstRetry(tx *bolt.Tx, now time.Time) (due time.Time, seq uint64, ok bool) {
	c := tx.Bucket(bucketWait).Cursor()
	if k, _ := c.Last(); k != nil {
		if t, seq := splitTimed(k); wallNano(t).Sub(now) > maxDelay+time.Hour {
			return now, seq, true
		}
	}
	k, _ := c.First()
	if k == nil {
		return due, 0, false
	}
	t, seq := splitTimed(k)
	return wallNano(t), seq, true
}

// deliver hands one claimed submission to the sink and returns what is to be written down of it.
func (q *Queue) deliver(ctx context.Context, sink Sink, b *breaker, t turn, r *record, n *note) (end *record, cause error) {
	release := q.reading(r.ID)
	defer release()
	if ctx.Err() != nil {
		b.release(t)
		return q.outcome(ctx, r, *r, ctx.Err()), ctx.Err() // it was claimed in the very moment that we were to end
	}
	own, err := q.hand(ctx, sink, r, n)
	switch delay, _ := RetryDelay(err); {
	case own, ctx.Err() != nil && err != nil && !IsPermanent(err):
		b.release(t) // says nothing about the hub
	case err == nil || IsPermanent(err):
		b.success()
	default:
		b.failure(t, r.ID, q.now(), delay)
	}
	said := *r
	switch {
	case err == nil && n.acknowledged.Load():
		said.Acknowledged = q.wall().UTC()
	case IsPermanent(err) && !own:
		said.HeldBy = q.heldByHub(ctx, sink)
	case IsPermanent(err):
		said.HeldBy = q.heldByStore(r, err)
	}
	return q.outcome(ctx, r, said, err), err
}

// readTries is how often a drive is asked for content that it can't give before the submission is held.
const readTries = 4

// hand opens the content and gives it to the sink. own reports that the error is the store's and not the hub's.
func (q *Queue) hand(ctx context.Context, sink Sink, r *record, n *note) (own bool, err error) {
	c, err := q.openBlob(r)
	if err == nil {
		err = sink.Deliver(ctx, r.Submission, c, n)
		fault := c.fault.get()
		if e := c.f.Close(); e != nil && fault == nil && err != nil {
			err = errors.Join(err, e)
		}
		if err == nil || fault == nil {
			return false, err
		}
		err = fault
	}
	if errors.Is(err, errUnreadable) && r.Attempts < readTries {
		return true, err
	}
	return true, Permanent(err)
}

// outcome is the record as a delivery leaves it: what end says already, and what cause says.
func (q *Queue) outcome(ctx context.Context, r *record, end record, cause error) *record {
	delay, asked := RetryDelay(cause)
	switch {
	case cause == nil:
		end.State, end.LastError = Delivered, ""
		if !end.Acknowledged.IsZero() {
			end.State = Acknowledged
		}
		q.stamp(&end)
	case IsPermanent(cause):
		end.State, end.LastError, end.HeldAt = Held, words(cause), q.wall().UnixNano()
	case ctx.Err() != nil:
		// Broken off by us, not by the hub: it keeps its place and the try isn't counted.
		end.State = Queued
		end.Attempts--
	default:
		end.State, end.LastError = Queued, words(cause)
		wait := q.backoff(r.Attempts)
		if asked {
			wait = max(wait, min(delay, maxDelay))
		}
		q.postpone(&end, wait)
	}
	return &end
}

// settleIn writes down how a delivery ended.
func (q *Queue) settleIn(tx *bolt.Tx, r, end *record) error {
	if end.State.Sent() {
		if err := tx.Bucket(bucketNote).Delete([]byte(r.ID)); err != nil {
			return err
		}
	}
	return q.save(tx, r, end)
}

// settle is settleIn in a transaction of its own.
func (q *Queue) settle(r, end *record) error {
	if err := q.together(func(tx *bolt.Tx) error { return q.settleIn(tx, r, end) }); err != nil {
		return fmt.Errorf("note the end of delivery of %s: %w", r.ID, err)
	}
	q.settled(r, end)
	return nil
}

// settled tells everybody of an end that is written down.
func (q *Queue) settled(r, end *record) {
	if end.State.Sent() {
		q.mu.Lock()
		q.lastSent = end.Delivered
		q.mu.Unlock()
	}
	q.log.Info("delivery ended", "submission", r.ID, "state", end.State, "attempt", r.Attempts, "error", end.LastError)
	q.changes.tell(end.Submission)
}

// postpone makes a queued record due after wait.
func (q *Queue) postpone(r *record, wait time.Duration) {
	r.Due = q.now().Add(wait).UnixNano()
	r.NextAttempt = q.wall().Add(wait).UTC().Truncate(time.Second)
}

func (q *Queue) backoff(attempts int) time.Duration {
	return jitter(grow(q.o.RetryFirst, q.o.RetryMax, attempts-1))
}

// words makes an error fit for a list: one line, no control characters, not endless.
func words(err error) string {
	s := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	const most = 500
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Retry makes a submission due now: one that waits, one that was held, and one that was delivered while its content
// is kept.
func (q *Queue) Retry(_ context.Context, idOrCode string) error {
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	var moved *record
	err = q.update(func(tx *bolt.Tx) error {
		r, err := find(tx, idOrCode)
		if err != nil {
			return err
		}
		moved, err = q.release1(tx, r)
		return err
	})
	if err != nil {
		return fmt.Errorf("retry %s: %w", idOrCode, err)
	}
	if moved != nil {
		q.changes.tell(moved.Submission)
	}
	return nil
}

// Acknowledge notes that the far side said, by an event apart from the delivery, that the dossier lies before those it is
// for. Saying it again changes nothing; of one that was not delivered it is not believed (ErrState).
func (q *Queue) Acknowledge(_ context.Context, idOrCode string) error {
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	var end *record
	err = q.together(func(tx *bolt.Tx) error {
		end = nil
		was, err := find(tx, idOrCode)
		switch {
		case err != nil:
			return err
		case was.State == Acknowledged:
			return nil
		case was.State != Delivered:
			return fmt.Errorf("%w: it is %s", ErrState, was.State)
		}
		r := *was
		r.State = Acknowledged
		q.stamp(&r)
		end = &r
		return q.save(tx, was, &r)
	})
	if err != nil {
		return fmt.Errorf("acknowledge %s: %w", idOrCode, err)
	}
	if end != nil {
		q.changes.tell(end.Submission)
	}
	return nil
}

// release1 puts a record among those that may go at any time. nil: it is there or under way already.
func (q *Queue) release1(tx *bolt.Tx, was *record) (*record, error) {
	switch {
	case was.State == Sending, was.State == Queued && was.Due == 0:
		return nil, nil
	case was.Wiped:
		return nil, ErrWiped
	}
	r := *was
	r.State, r.Due, r.NextAttempt, r.HeldBy, r.HeldAt = Queued, 0, time.Time{}, "", 0
	if was.State != Queued {
		r.Attempts = 0
		r.Delivered, r.Acknowledged = time.Time{}, time.Time{}
	}
	return &r, q.save(tx, was, &r)
}

// RetryAll makes everything due now that waits or is held, and returns how many that were.
func (q *Queue) RetryAll(ctx context.Context) (int, error) {
	leave, err := q.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	total := 0
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n := 0
		err := q.update(func(tx *bolt.Tx) error {
			const batch = 256
			var seqs []uint64
			for _, b := range [][]byte{bucketHeld, bucketWait} {
				c := tx.Bucket(b).Cursor()
				for k, _ := c.First(); k != nil && len(seqs) < batch; k, _ = c.Next() {
					seq := k[len(k)-8:]
					seqs = append(seqs, binary.BigEndian.Uint64(seq))
				}
			}
			for _, seq := range seqs {
				r, err := recordAt(tx, number(seq))
				if err != nil {
					return err
				}
				if _, err := q.release1(tx, r); err != nil {
					return err
				}
			}
			n = len(seqs)
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("retry all: %w", err)
		}
		if n == 0 {
			q.changes.nudge()
			return total, nil
		}
		total += n
	}
}

// note is a sink's memory for one submission.
type note struct {
	q            *Queue
	id           string
	acknowledged atomic.Bool
	sent         func()        // told that all of it is on the far side
	turns        chan struct{} // of the crew
	turn         bool          // it has one; belongs to the goroutine that delivers
}

// Turn implements Sender.
func (n *note) Turn(ctx context.Context) error {
	if n.turns == nil || n.turn {
		return nil
	}
	select {
	case n.turns <- struct{}{}:
		n.turn = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *note) endTurn() {
	if n.turn {
		n.turn = false
		<-n.turns
	}
}

// Sent implements Sender.
func (n *note) Sent() {
	n.endTurn()
	n.sent()
}

// Acknowledge implements Acknowledger.
func (n *note) Acknowledge() { n.acknowledged.Store(true) }

func (n *note) Load() (text string, err error) {
	err = n.q.view(func(tx *bolt.Tx) error {
		stored := tx.Bucket(bucketNote).Get([]byte(n.id))
		kept, _, err := checkSum([]byte(n.id), stored) // what builds of layouts 1 and 2 noted has no sum
		if err != nil {
			n.q.log.Warn("a sink's note is damaged and left out", "submission", n.id)
		}
		text = string(kept)
		return nil
	})
	return text, err
}

func (n *note) Save(text string) error {
	return n.q.together(func(tx *bolt.Tx) error {
		if text == "" {
			return tx.Bucket(bucketNote).Delete([]byte(n.id))
		}
		return tx.Bucket(bucketNote).Put([]byte(n.id), withSum([]byte(n.id), []byte(text)))
	})
}

// faultNote remembers the first fault of the stored content, to tell it from one of the network.
type faultNote struct {
	mu  sync.Mutex // guards err
	err error
}

func (f *faultNote) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *faultNote) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func sortByCreated(rs []*record) {
	slices.SortFunc(rs, func(a, b *record) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
}
