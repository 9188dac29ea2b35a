package queue

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"motcua/queue/seal"
)

// Options say how a queue behaves. The zero value is a good kiosk: a key file in the data folder, 512 MiB
// kept free, content wiped at once when it is delivered.
type Options struct {
	Vault      seal.Vault      // where the kiosk key is; nil = the file kiosk.key in the queue's folder
	Office     []age.Recipient // may also open every bundle; see seal.ParseRecipients
	OfficeOnly bool            // only Office may: this kiosk can't read a submission once it is accepted, and uploads the age file

	Stores []*seal.Wrapped // keys of other stores, which Rekey wraps anew with the kiosk key

	MinFree   int64         // bytes kept free on the disk; 0 = 512 MiB, negative = all may be used
	MaxSize   int64         // bytes of one submission; 0 = 2 GiB
	Retention time.Duration // how long content stays after delivery; 0 = wiped at once, negative = for ever
	Records   time.Duration // how long the record stays after its content was wiped; 0 = 400 days, negative = for ever

	UntilAcknowledged bool // Retention counts from the acknowledgement, not from the delivery

	Parallel   int           // submissions whose bytes travel at a time; 0 = 2
	RetryFirst time.Duration // delay after the first failure, doubled with each; 0 = 2 s
	RetryMax   time.Duration // longest delay; 0 = 15 min

	Outbox bool         // keep events until Taken says that a follower has them
	Log    *slog.Logger // ids and states only; nil = none

	disk disk             // tests put faults here
	wall func() time.Time // tests make the clock jump here

	opened  func(*bolt.DB)       // tests write down here what the index writes
	elapsed func() time.Duration // and let retention pass here; nil = as it does
}

func (o *Options) defaults(dir string) {
	if o.Vault == nil {
		o.Vault = seal.NewFile(filepath.Join(dir, "kiosk.key"))
	}
	if o.MinFree == 0 {
		o.MinFree = 512 << 20
	}
	if o.MaxSize == 0 {
		o.MaxSize = 2 << 30
	}
	if o.Records == 0 {
		o.Records = 400 * 24 * time.Hour
	}
	if o.Parallel <= 0 {
		o.Parallel = 2
	}
	if o.RetryFirst <= 0 {
		o.RetryFirst = 2 * time.Second
	}
	if o.RetryMax <= 0 {
		o.RetryMax = 15 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.disk == nil {
		o.disk = osDisk{}
	}
	if o.wall == nil {
		o.wall = time.Now
	}
}

// Queue is an open store. Its methods may be called by several goroutines.
type Queue struct {
	dir  string
	o    Options
	disk disk
	db   *bolt.DB // replaced under indexLock
	lock *os.File
	log  *slog.Logger

	life context.Context // ends with Close
	end  context.CancelFunc

	epoch  time.Time // wall clock at Open
	opened time.Time // the monotonic reading then, from which queue time counts

	// keys is held for reading by Enqueue from wrapping a key until the record is committed, so that rotation,
	// which changes ring under the write lock, finds every record that used the old key.
	keys sync.RWMutex
	ring atomic.Pointer[seal.Ring]

	rekeying sync.Mutex   // one rotation at a time, and none while something leaves found/
	headers  sync.RWMutex // a header is not read while rotation rewrites it
	sweeping sync.Mutex   // one sweep at a time; guards clock
	clock    clock
	wiping   sync.Mutex   // one at a time removes what is marked for wiping
	marking  sync.RWMutex // nobody begins to read between the look at who reads and the commit of the mark
	blocks   sync.Pool    // of fans
	pieces   sync.Pool    // of blobs that are being written, as *bufio.Writer
	segments segments
	breakers breakers
	changes  changes

	group     group
	indexLock sync.RWMutex // held for reading by every transaction, for writing while the index is compacted
	mending   sync.Mutex   // one at a time makes the lists of the index anew
	readOnly  error        // why nothing can be written; set by Open only, see also broken
	found     atomic.Int64 // files that were set aside

	mu       sync.Mutex // guards what follows
	busy     map[string]chan struct{}
	open     map[string]int // contents being read, by id
	broken   error          // nothing is written any more until the queue is opened again
	closed   bool
	lastSent time.Time
	retried  bool // the last submission taken was a retry: a fresh one goes next
	inflight sync.WaitGroup
}

// Close ends Run, waits for calls under way and closes the queue.
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	q.mu.Unlock()
	q.end()
	q.inflight.Wait()
	q.changes.close()
	if err := q.release(); err != nil {
		return fmt.Errorf("close queue: %w", err)
	}
	return nil
}

func (q *Queue) release() error {
	var errs []error
	if q.db != nil {
		err := q.db.Close()
		if err == nil && q.ReadOnly() == nil {
			q.closeInOrder()
		}
		errs = append(errs, err)
	}
	if q.lock != nil {
		errs = append(errs, q.lock.Close())
	}
	return errors.Join(errs...)
}

// enter counts in a call that may write, so that Close waits for it; call leave after.
func (q *Queue) enter() (leave func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, ErrClosed
	case q.readOnly != nil:
		return nil, q.readOnly
	case q.broken != nil:
		return nil, q.broken
	}
	q.inflight.Add(1)
	return q.inflight.Done, nil
}

// enterReading counts in a call that only reads: it works on a disk that can't be written any more too.
func (q *Queue) enterReading() (leave func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, ErrClosed
	case errors.Is(q.broken, errIndexDamaged):
		return nil, q.broken
	}
	q.inflight.Add(1)
	return q.inflight.Done, nil
}

// ReadOnly returns why nothing is accepted, sent or wiped although the queue is open: the disk can't be written,
// as when ext4 finds errors on a dying drive. What lies here can still be listed, verified and exported.
// It is nil while all is well; once it is not, only opening the queue again helps.
func (q *Queue) ReadOnly() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.readOnly != nil:
		return q.readOnly
	case q.broken != nil && !errors.Is(q.broken, ErrReadOnly):
		return fmt.Errorf("%w: %w", ErrReadOnly, q.broken)
	}
	return q.broken
}

// update runs one transaction. An error of the disk while it is committed leaves it open whether the
// transaction is on the disk, and a later fsync that succeeds proves nothing about the pages that an
// earlier one lost; so from then on the queue refuses to go on until it is opened again, which reads
// what is really there. A disk that is merely full is noticed before anything is lost.
//
// A damaged record that fn meets is mended and fn run once more: it must not rely on being run once.
func (q *Queue) update(fn func(*bolt.Tx) error) error {
	err := q.updateOnce(fn)
	if errors.Is(err, errBadRecord) {
		if err := q.mend(); err != nil {
			return err
		}
		err = q.updateOnce(fn)
	}
	return err
}

func (q *Queue) updateOnce(fn func(*bolt.Tx) error) (err error) {
	q.indexLock.RLock()
	defer q.indexLock.RUnlock()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	tx, err := q.db.Begin(true)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = q.suspect(p)
			_ = guarded(tx.Rollback)
		}
	}()
	if err := fn(tx); err != nil {
		return errors.Join(q.nonsense(err), tx.Rollback())
	}
	switch err := tx.Commit(); {
	case err == nil:
		return nil
	case isDiskFull(err) && isWrite(err):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, unix.EROFS):
		return q.stop(fmt.Errorf("%w (%w)", ErrReadOnly, err))
	default:
		return q.stop(fmt.Errorf("write index: %w; open the queue again", err))
	}
}

// view reads in one snapshot. A damaged record that fn meets is mended, where the disk can be written, and fn run
// once more.
func (q *Queue) view(fn func(*bolt.Tx) error) error {
	err := q.viewOnce(fn)
	if errors.Is(err, errBadRecord) && q.ReadOnly() == nil {
		if err := q.mend(); err != nil {
			return err
		}
		err = q.viewOnce(fn)
	}
	return err
}

func (q *Queue) viewOnce(fn func(*bolt.Tx) error) (err error) {
	q.indexLock.RLock()
	defer q.indexLock.RUnlock()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = q.suspect(p)
		}
	}()
	return q.nonsense(q.db.View(fn))
}

// nonsense gives the index up where bbolt finds something else than was ever put there.
func (q *Queue) nonsense(err error) error {
	for _, e := range []error{bolterrors.ErrIncompatibleValue, bolterrors.ErrBucketNotFound, bolterrors.ErrBucketExists,
		bolterrors.ErrBucketNameRequired} {
		if errors.Is(err, e) {
			return q.giveUp(err)
		}
	}
	return err
}

// stop makes the queue refuse to go on.
func (q *Queue) stop(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.broken = err
	return err
}

// suspect is for pages of the index that bbolt, or the drive under it, can't make sense of. It leaves a mark,
// by which the next Open checks all pages and builds the index again if they are bad. If they were found good once
// and it happens again, there is no telling what is wrong, and the index is given up.
func (q *Queue) suspect(p any) error {
	if _, err := os.Stat(q.checkedPath()); err == nil {
		return q.giveUp(fmt.Errorf("%v", p))
	}
	return q.distrust(fmt.Errorf("%v", p), markSuspect)
}

// giveUp makes the next Open move the index aside and build a new one.
func (q *Queue) giveUp(why error) error { return q.distrust(why, markGivenUp) }

func (q *Queue) distrust(why error, mark string) error {
	err := q.stop(fmt.Errorf("%w: %w; open the queue again", errIndexDamaged, why))
	if e := os.WriteFile(q.suspectPath(), []byte(mark), 0o600); e != nil {
		err = errors.Join(err, e)
	}
	return err
}

func isDiskFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// isWrite tells an error of writing from one of syncing, which bbolt returns as a bare error number.
func isWrite(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// wall is the clock on the wall, for people.
func (q *Queue) wall() time.Time { return q.o.wall() }

// now is queue time, for what is due: it starts at the wall clock when the queue is opened and then
// only goes forward, second by second, whatever happens to the clock.
func (q *Queue) now() time.Time { return q.epoch.Add(time.Since(q.opened)) }

// Get returns a submission by its id, or by its receipt code as a person types it.
func (q *Queue) Get(idOrCode string) (Submission, error) {
	leave, err := q.enterReading()
	if err != nil {
		return Submission{}, err
	}
	defer leave()
	var s Submission
	err = q.view(func(tx *bolt.Tx) error {
		r, err := find(tx, idOrCode)
		if err == nil {
			s = r.Submission
		}
		return err
	})
	return s, err
}

// List returns the submissions that a filter selects, in order of acceptance.
func (q *Queue) List(f Filter) ([]Submission, error) {
	var list []Submission
	err := q.Each(context.Background(), f, func(s Submission) error {
		list = append(list, s)
		return nil
	})
	return list, err
}

// Each shows the submissions that a filter selects, in order of acceptance, as they are read, in batches: what is
// accepted or changes meanwhile may be seen or not. While do is shown a batch the next is read.
func (q *Queue) Each(ctx context.Context, f Filter, do func(Submission) error) error {
	leave, err := q.enterReading()
	if err != nil {
		return err
	}
	defer leave()
	at := cursor{f: f}
	if f.After != "" {
		r, err := q.stored(f.After)
		if err != nil {
			return fmt.Errorf("list submissions: %w", err)
		}
		at.after = r.Seq
	}
	ctx, cancel := context.WithCancel(ctx)
	g, ctx := errgroup.WithContext(ctx)
	defer func() { cancel(); _ = g.Wait() }()
	batches := make(chan []Submission, 1)
	g.Go(func() error {
		defer close(batches)
		return q.readPages(ctx, at, batches)
	})
	shown := 0
	for batch := range batches {
		for _, s := range batch {
			if err := do(s); err != nil {
				return err
			}
			if shown++; shown == f.Limit {
				return nil
			}
		}
	}
	return g.Wait()
}

// cursor is where a listing goes on.
type cursor struct {
	f     Filter
	after uint64 // the last number that was looked at; 0 = none yet
	end   bool
	bytes int // read since mapped pages were last given back

	raw  []byte // of the records last read, one after the other; used again
	ends []int
}

// listPage is how many records are read in one snapshot; listMapped is how many bytes of the mapped index a listing may leave
// in the process's memory.
const (
	listPage   = 256
	listMapped = 8 << 20
)

func (q *Queue) readPages(ctx context.Context, at cursor, to chan<- []Submission) error {
	for !at.end {
		batch, err := q.readPage(&at)
		if err != nil {
			return fmt.Errorf("list submissions: %w", err)
		}
		select {
		case to <- batch:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// readPage reads up to listPage records and returns those that the filter selects. A damaged one is mended, or left
// out where the disk can't be written.
func (q *Queue) readPage(at *cursor) ([]Submission, error) {
	next, list, bad, err := q.tryPage(*at)
	if err == nil && bad && q.ReadOnly() == nil {
		if err = q.mend(); err == nil {
			next, list, _, err = q.tryPage(*at)
		}
	}
	*at = next
	return list, err
}

func (q *Queue) tryPage(at cursor) (next cursor, list []Submission, bad bool, err error) {
	var keys []uint64
	err = q.viewOnce(func(tx *bolt.Tx) error {
		next = at
		next.raw, next.ends = at.raw[:0], at.ends[:0]
		records, name := tx.Bucket(bucketRecord), listBucket(at.f.States)
		c := tx.Bucket(name).Cursor()
		k, v := start(c, at.f.Newest, at.after)
		for ; k != nil && len(keys) < listPage; k, v = step(c, at.f.Newest) {
			if len(k) != 8 {
				continue
			}
			if &name[0] != &bucketRecord[0] {
				v = records.Get(k)
			}
			next.after = binary.BigEndian.Uint64(k)
			next.raw = append(next.raw, v...)
			next.ends, keys = append(next.ends, len(next.raw)), append(keys, next.after)
		}
		next.end = k == nil
		next.bytes += len(next.raw)
		if next.bytes > listMapped || next.end {
			next.bytes = 0
			giveBackPages(q.db, tx)
		}
		return nil
	})
	if err == nil {
		list, bad = next.decode(keys)
	}
	return next, list, bad, err
}

// giveBackPages takes the pages of the mapped index out of the process's memory; they stay in the kernel's cache and come
// back when they are touched. While a transaction is open the mapping stays where it is.
func giveBackPages(db *bolt.DB, tx *bolt.Tx) {
	// It is no memory of Go's, so its address goes as a number. An error costs memory and nothing else.
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, db.Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED)
}

// decode makes submissions of the records last read, on all cores: reading JSON is what a long list costs.
func (c *cursor) decode(keys []uint64) (list []Submission, bad bool) {
	records := make([]*record, len(keys))
	var wg sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), 1+len(keys)/32)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(keys); i += workers {
				begin := 0
				if i > 0 {
					begin = c.ends[i-1]
				}
				if r, err := decodeListed(number(keys[i]), c.raw[begin:c.ends[i]], c.f.Brief); err == nil {
					records[i] = r
				}
			}
		})
	}
	wg.Wait()
	for _, r := range records {
		switch {
		case r == nil:
			bad = true
		case c.f.selects(r.Submission):
			list = append(list, r.Submission)
		}
	}
	return list, bad
}

func step(c *bolt.Cursor, newest bool) (k, v []byte) {
	if newest {
		return c.Prev()
	}
	return c.Next()
}

// listBucket is the smallest bucket keyed by seq that holds all of some states.
func listBucket(states []State) []byte {
	within := func(set ...State) bool {
		return len(states) > 0 && !slices.ContainsFunc(states, func(s State) bool { return !slices.Contains(set, s) })
	}
	switch {
	case within(Sending):
		return bucketSending
	case within(Held):
		return bucketHeld
	case within(Queued, Sending):
		return bucketPending
	}
	return bucketRecord
}

func start(c *bolt.Cursor, newest bool, after uint64) (k, v []byte) {
	switch {
	case newest && after == 0:
		return c.Last()
	case newest:
		if k, _ = c.Seek(number(after)); k == nil {
			return c.Last()
		}
		return c.Prev()
	}
	return c.Seek(number(after + 1))
}

func (f Filter) selects(s Submission) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, s.State)) &&
		(f.Since.IsZero() || !s.Created.Before(f.Since)) &&
		(f.Until.IsZero() || s.Created.Before(f.Until))
}

// Stats reads the counters.
func (q *Queue) Stats() (Stats, error) {
	leave, err := q.enterReading()
	if err != nil {
		return Stats{}, err
	}
	defer leave()
	s := Stats{Count: map[State]int64{}, Bytes: map[State]int64{}}
	err = q.view(func(tx *bolt.Tx) error {
		for _, state := range States {
			s.Count[state] = counted(tx, "count/"+string(state))
			s.Bytes[state] = counted(tx, "bytes/"+string(state))
		}
		if k, _ := tx.Bucket(bucketPending).Cursor().First(); k != nil {
			r, err := recordAt(tx, k)
			if err != nil {
				return err
			}
			s.Oldest = r.Created
		}
		if _, fresh := endSeq(tx, bucketFresh, false); fresh {
			s.Next = q.wall()
		} else if t, _, ok := firstDue(tx, bucketWait); ok {
			s.Next = q.wall().Add(wallNano(t).Sub(q.now()))
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read counters: %w", err)
	}
	if wait := q.breakers.longest(q.now()); wait > 0 {
		s.Paused = q.wall().Add(wait)
	}
	q.mu.Lock()
	s.LastSent = q.lastSent
	q.mu.Unlock()
	s.Found, s.WayBack = q.found.Load(), q.hasWayBack()
	if why := q.ReadOnly(); why != nil {
		s.ReadOnly = why.Error()
	}
	s.Free, err = q.disk.Free(q.dir)
	return s, err
}

// Room returns ErrFull when a visit should not be begun because the disk is nearly full, and ErrReadOnly when
// nothing can be written at all. Enqueue itself refuses only at half of what Room keeps free, so that a visit that was begun can be ended.
func (q *Queue) Room() error {
	if err := q.ReadOnly(); err != nil {
		return err
	}
	return q.room(q.o.MinFree)
}

func (q *Queue) room(keep int64) error {
	if keep < 0 {
		return nil
	}
	free, err := q.disk.Free(q.dir)
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if free < keep {
		return fmt.Errorf("%w (%d MiB free, %d MiB are kept)", ErrFull, free>>20, keep>>20)
	}
	return nil
}

// Content opens a submission's bundle. Close it; until then it is not wiped.
func (q *Queue) Content(_ context.Context, idOrCode string) (*Content, error) {
	leave, err := q.enterReading()
	if err != nil {
		return nil, err
	}
	defer leave()
	var r *record
	// The reader is counted before the record is read: a sweep that comes between sees the count.
	err = q.view(func(tx *bolt.Tx) (err error) {
		r, err = find(tx, idOrCode)
		return err
	})
	if err != nil {
		return nil, err
	}
	release := q.reading(r.ID)
	err = q.view(func(tx *bolt.Tx) (err error) {
		r, err = recordByID(tx, r.ID)
		return err
	})
	if err == nil && r.Wiped {
		err = ErrWiped
	}
	if err != nil {
		release()
		return nil, err
	}
	c, err := q.openBlob(r)
	if err != nil {
		release()
		return nil, fmt.Errorf("open submission %s: %w", r.ID, err)
	}
	c.release = release
	return c, nil
}

// openBlob opens the content of a record; what the drive does not give is asked for twice.
func (q *Queue) openBlob(r *record) (*Content, error) {
	c, err := q.openBlobOnce(r)
	if errors.Is(err, errUnreadable) {
		c, err = q.openBlobOnce(r)
	}
	return c, err
}

func (q *Queue) openBlobOnce(r *record) (*Content, error) {
	f, err := q.disk.Open(q.path(r.place()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: its file is not there", errDamaged)
	}
	if err != nil {
		return nil, err
	}
	// The header first: with the ring in hand and the header still to come, a rotation could end between.
	q.headers.RLock()
	c, err := openContent(f, *r, q.currentRing())
	q.headers.RUnlock()
	if err == nil {
		return c, nil
	}
	if card, e := readCard(f); e == nil && card.ID != r.ID {
		err = fmt.Errorf("%w: its file holds submission %s: files were swapped or copied over one another", errDamaged, card.ID)
	}
	return nil, errors.Join(err, f.Close())
}

func (q *Queue) currentRing() *seal.Ring { return q.ring.Load() }

// reading keeps a submission from being wiped until release is called. It must not be called within a
// transaction; a record that is read after it tells whether the content was wiped before.
func (q *Queue) reading(id string) (release func()) {
	q.marking.RLock()
	defer q.marking.RUnlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open[id]++
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.open[id]--; q.open[id] == 0 {
			delete(q.open, id)
		}
	})
}

func (q *Queue) isRead(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open[id] > 0
}

// Events returns up to max events after a number, oldest first. A follower that is away for weeks finds
// them all; Options.Outbox must be set.
func (q *Queue) Events(after uint64, max int) ([]Event, error) {
	leave, err := q.enterReading()
	if err != nil {
		return nil, err
	}
	defer leave()
	var events []Event
	err = q.view(func(tx *bolt.Tx) error {
		events = nil
		c := tx.Bucket(bucketOutbox).Cursor()
		for k, v := c.Seek(number(after + 1)); k != nil && len(events) < max; k, v = c.Next() {
			var e Event
			text, _, err := checkSum(k, v)
			if err == nil {
				err = json.Unmarshal(text, &e)
			}
			if err != nil {
				q.log.Warn("an event is damaged and left out", "number", k)
				continue
			}
			events = append(events, e)
		}
		return nil
	})
	return events, err
}

// Taken removes events up to and including a number: the follower has them durably.
func (q *Queue) Taken(upTo uint64) error {
	leave, err := q.enter()
	if err != nil {
		return err
	}
	defer leave()
	return q.update(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketOutbox).Cursor()
		for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) <= upTo; k, _ = c.First() {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}
