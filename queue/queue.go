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
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"motcua/queue/seal"
)

// Options say how a queue behaves. The zero value is a good kiosk: a key file in the data folder, 512 MiB
// kept free, content wiped at once when it is delivered.
type Options struct {
	Vault      seal.Vault      // where the kiosk key is; nil = the file kiosk.key in the queue's folder
	Office     []age.Recipient // may also open every bundle; see seal.ParseRecipients
	OfficeOnly bool            // only Office may: this kiosk can't read a submission once it is accepted, and uploads the age file

	MinFree   int64         // bytes kept free on the disk; 0 = 512 MiB, negative = all may be used
	MaxSize   int64         // bytes of one submission; 0 = 2 GiB
	Retention time.Duration // how long content stays after delivery; 0 = wiped at once, negative = for ever

	Parallel   int           // deliveries at a time; 0 = 2
	RetryFirst time.Duration // delay after the first failure, doubled with each; 0 = 2 s
	RetryMax   time.Duration // longest delay; 0 = 15 min

	Outbox bool         // keep events until Taken says that a follower has them
	Log    *slog.Logger // ids and states only; nil = none

	disk disk             // tests put faults here
	wall func() time.Time // tests make the clock jump here
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
	db   *bolt.DB
	lock *os.File
	log  *slog.Logger

	life context.Context // ends with Close
	end  context.CancelFunc

	epoch  time.Time // wall clock at Open
	opened time.Time // the monotonic reading then, from which queue time counts

	// keys guards ring: Enqueue holds it for reading from wrapping a key until the record is committed,
	// so that rotation, which changes ring under the write lock, finds every record that used the old key.
	keys sync.RWMutex
	ring *seal.Ring

	rekeying sync.Mutex   // one rotation at a time
	headers  sync.RWMutex // a header is not read while rotation rewrites it
	wiping   sync.Mutex   // one at a time removes what is marked for wiping
	marking  sync.RWMutex // nobody begins to read between the look at who reads and the commit of the mark
	blocks   sync.Pool    // of fans
	segments segments
	breakers breakers
	changes  changes

	mu       sync.Mutex // guards what follows
	busy     map[string]chan struct{}
	open     map[string]int // contents being read, by id
	broken   error          // the index can't be trusted until it is opened again
	closed   bool
	lastSent time.Time
	retried  bool // the last submission taken was a retry: a fresh one goes next
	inflight sync.WaitGroup
}

// Open opens the queue in dir, making it where there is none, repairs what a crash left half done and says
// what that was. It returns ErrLocked if another process has the queue, ErrNewer if a newer version
// wrote it, and ErrNoKey if there are submissions but not the key they are sealed under. It takes the
// same time whatever the backlog, unless the index itself was lost and is built again.
func Open(ctx context.Context, dir string, o Options) (*Queue, Repairs, error) {
	o.defaults(dir)
	if o.OfficeOnly && len(o.Office) == 0 {
		return nil, Repairs{}, errors.New("open queue: sealed to the office only, but no key of the office is configured")
	}
	q := &Queue{dir: dir, o: o, disk: o.disk, log: o.Log, epoch: o.wall().Round(0), opened: time.Now(),
		busy: map[string]chan struct{}{}, open: map[string]int{}}
	q.life, q.end = context.WithCancel(context.Background())
	q.changes.init()
	repairs, err := q.openAll(ctx)
	if err != nil {
		q.end()
		return nil, repairs, fmt.Errorf("open queue in %s: %w", dir, errors.Join(err, q.release()))
	}
	return q, repairs, nil
}

func (q *Queue) openAll(ctx context.Context) (Repairs, error) {
	var repairs Repairs
	if err := q.disk.MkdirAll(q.blobs()); err != nil {
		return repairs, err
	}
	if err := q.takeLock(); err != nil {
		return repairs, err
	}
	if err := q.openIndex(&repairs); err != nil {
		return repairs, err
	}
	if err := q.openKeys(ctx, &repairs); err != nil {
		return repairs, err
	}
	return repairs, q.repair(ctx, &repairs)
}

func (q *Queue) blobs() string     { return filepath.Join(q.dir, "blobs") }
func (q *Queue) indexPath() string { return filepath.Join(q.dir, "index.db") }

// takeLock uses a file of its own, because a damaged index is moved aside under the lock. The kernel
// lets go of it when the process dies, however it dies.
func (q *Queue) takeLock() error {
	f, err := os.OpenFile(filepath.Join(q.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return ErrLocked
		}
		return fmt.Errorf("lock: %w", err)
	}
	q.lock = f
	return nil
}

// openIndex opens the index, moves one that is damaged aside, and brings the layout up to date.
func (q *Queue) openIndex(repairs *Repairs) error {
	_, err := os.Stat(q.suspectPath())
	suspect := err == nil
	db, from, err := loadIndex(q.indexPath(), suspect)
	if errors.Is(err, errIndexDamaged) {
		aside := fmt.Sprintf("%s.damaged-%s", q.indexPath(), q.wall().UTC().Format("20060102T150405"))
		if err := q.disk.Rename(q.indexPath(), aside); err != nil {
			return err
		}
		repairs.IndexAside = aside
		db, from, err = loadIndex(q.indexPath(), false)
	}
	if err != nil {
		return err
	}
	q.db = db
	repairs.fresh = from == 0
	if from != 0 && from != schemaVersion {
		repairs.MigratedFrom = int(from)
	}
	if suspect {
		if err := q.disk.Remove(q.suspectPath()); err != nil {
			return err
		}
	}
	if !repairs.fresh {
		return nil
	}
	// New names: the index, the folder of blobs and the queue's own.
	if err := q.disk.SyncDir(q.dir); err != nil {
		return err
	}
	return q.disk.SyncDir(filepath.Dir(q.dir))
}

func (q *Queue) suspectPath() string { return filepath.Join(q.dir, "index.suspect") }

var errIndexDamaged = errors.New("index is damaged")

// loadIndex opens and migrates, and checks every page if asked. bbolt panics on pages it can't make sense of,
// and reading a file that was cut short faults; here both are errors.
func loadIndex(path string, check bool) (db *bolt.DB, from uint64, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errIndexDamaged, p)
		}
		if err != nil && db != nil {
			db.Close()
			db = nil
		}
	}()
	open := func() (*bolt.DB, error) { return bolt.Open(path, 0o600, boltOptions()) }
	db, err = open()
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, 0, ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum):
		return nil, 0, fmt.Errorf("%w: %w", errIndexDamaged, err)
	case err != nil:
		return nil, 0, err
	}
	var used int64
	if err := db.View(func(tx *bolt.Tx) error {
		used = tx.Size()
		return checkPages(tx, path, check)
	}); err != nil {
		return db, 0, err
	}
	if scarce(path, used) {
		if err := db.Close(); err != nil {
			return nil, 0, err
		}
		reserve(path, used)
		if db, err = open(); err != nil {
			return nil, 0, err
		}
	}
	from, err = migrate(db)
	return db, from, err
}

func boltOptions() *bolt.Options {
	return &bolt.Options{
		// The lock file decides who has the queue; this only guards against another bbolt program.
		Timeout: time.Second,
		// The list of free pages is kept on disk: finding them again would read the whole index at start.
		FreelistType: bolt.FreelistMapType,
	}
}

// The index grows into blocks that are written beforehand: a commit into a hole must wait for the file
// system's journal as well, and so for whatever else is being written on the machine.
const (
	reserveSize = 4 << 20
	reserveLow  = 1 << 20
)

// scarce reports whether less than reserveLow of written blocks follows what is used.
func scarce(path string, used int64) bool {
	var s unix.Stat_t
	return unix.Stat(path, &s) == nil && s.Blocks*512-used < reserveLow
}

// reserve writes zeros behind what is used. It is a matter of speed only: on an error, such as a full disk, the
// index grows as it otherwise would.
func reserve(path string, used int64) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, reserveSize), used); err == nil {
		_ = f.Sync()
	}
}

// checkPages looks whether all pages are there, and at all of them if asked.
func checkPages(tx *bolt.Tx, path string, all bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() < tx.Size() {
		return fmt.Errorf("%w: %d of %d bytes are there", errIndexDamaged, info.Size(), tx.Size())
	}
	if !all {
		return nil
	}
	for e := range tx.Check() {
		err = fmt.Errorf("%w: %w", errIndexDamaged, e)
	}
	return err
}

// ErrNoKey says that the kiosk key is missing or another one than the queue was sealed with.
var ErrNoKey = errors.New("the kiosk key of this queue is not there")

// openKeys loads the kiosk key, or makes one for a queue that never had one. It never makes one beside
// submissions: they would be lost behind it.
func (q *Queue) openKeys(ctx context.Context, repairs *Repairs) error {
	keys, err := q.o.Vault.Load(ctx)
	if err != nil {
		return err
	}
	var known []byte
	if err := q.view(func(tx *bolt.Tx) error {
		known = slices.Clone(tx.Bucket(bucketMeta).Get(keyKiosk))
		return nil
	}); err != nil {
		return err
	}
	if len(keys) == 0 {
		segs, err := q.listSegments()
		if err != nil {
			return err
		}
		if known != nil || (repairs.fresh && len(segs) > 0) {
			return fmt.Errorf("%w: %s holds none; put it back from your backup", ErrNoKey, q.o.Vault)
		}
		keys = []seal.Key{seal.NewKey()}
		if err := q.o.Vault.Save(ctx, keys); err != nil {
			return err
		}
	}
	q.ring = seal.NewRing(keys[0], keys[1:]...)
	if known != nil && !q.ring.Has(seal.ID(known)) {
		return fmt.Errorf("%w: %s holds %s, the queue was sealed with %x", ErrNoKey, q.o.Vault, keys[0], known)
	}
	repairs.KeyRotation = len(keys) > 1
	if current := q.ring.Current(); known == nil {
		return q.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyKiosk, current[:]) })
	}
	return nil
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
		errs = append(errs, q.db.Close())
	}
	if q.lock != nil {
		errs = append(errs, q.lock.Close())
	}
	return errors.Join(errs...)
}

// enter counts a call in, so that Close waits for it; call leave after.
func (q *Queue) enter() (leave func(), err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, ErrClosed
	case q.broken != nil:
		return nil, q.broken
	}
	q.inflight.Add(1)
	return q.inflight.Done, nil
}

// update runs one transaction. An error of the disk while it is committed leaves it open whether the
// transaction is on the disk, and a later fsync that succeeds proves nothing about the pages that an
// earlier one lost; so from then on the queue refuses to go on until it is opened again, which reads
// what is really there. A disk that is merely full is noticed before anything is lost.
func (q *Queue) update(fn func(*bolt.Tx) error) (err error) {
	tx, err := q.db.Begin(true)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = q.suspect(p)
			_ = tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		if isDiskFull(err) && isWrite(err) {
			return fmt.Errorf("%w (%w)", ErrFull, err)
		}
		return q.stop(fmt.Errorf("write index: %w; open the queue again", err))
	}
	return nil
}

// view reads in one snapshot.
func (q *Queue) view(fn func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = q.suspect(p)
		}
	}()
	return q.db.View(fn)
}

// stop makes the queue refuse to go on.
func (q *Queue) stop(err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.broken = err
	return err
}

// suspect is for pages of the index that bbolt, or the drive under it, can't make sense of. It leaves a mark,
// by which the next Open checks all pages and builds the index again if they are bad.
func (q *Queue) suspect(p any) error {
	err := q.stop(fmt.Errorf("%w: %v; open the queue again", errIndexDamaged, p))
	if e := os.WriteFile(q.suspectPath(), nil, 0o600); e != nil {
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
	leave, err := q.enter()
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
	leave, err := q.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []Submission
	err = q.view(func(tx *bolt.Tx) error {
		var after uint64
		if f.After != "" {
			r, err := recordByID(tx, f.After)
			if err != nil {
				return err
			}
			after = r.Seq
		}
		c := tx.Bucket(listBucket(f.States)).Cursor()
		for k := start(c, f.Newest, after); k != nil; {
			r, err := recordAt(tx, k)
			if err != nil {
				return err
			}
			if f.selects(r.Submission) {
				list = append(list, r.Submission)
				if len(list) == f.Limit {
					return nil
				}
			}
			if f.Newest {
				k, _ = c.Prev()
			} else {
				k, _ = c.Next()
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list submissions: %w", err)
	}
	return list, nil
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

func start(c *bolt.Cursor, newest bool, after uint64) (k []byte) {
	switch {
	case newest && after == 0:
		k, _ = c.Last()
	case newest:
		if k, _ = c.Seek(number(after)); k == nil {
			k, _ = c.Last()
			break
		}
		k, _ = c.Prev()
	default:
		k, _ = c.Seek(number(after + 1))
	}
	return k
}

func (f Filter) selects(s Submission) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, s.State)) &&
		(f.Since.IsZero() || !s.Created.Before(f.Since)) &&
		(f.Until.IsZero() || s.Created.Before(f.Until))
}

// Stats reads the counters.
func (q *Queue) Stats() (Stats, error) {
	leave, err := q.enter()
	if err != nil {
		return Stats{}, err
	}
	defer leave()
	s := Stats{Count: map[State]int64{}, Bytes: map[State]int64{}}
	err = q.view(func(tx *bolt.Tx) error {
		for _, state := range []State{Queued, Sending, Delivered, Held} {
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
	s.Free, err = q.disk.Free(q.dir)
	return s, err
}

// Room returns ErrFull when a visit should not be begun because the disk is nearly full. Enqueue itself
// refuses only at half of what Room keeps free, so that a visit that was begun can be ended.
func (q *Queue) Room() error {
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
	leave, err := q.enter()
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

func (q *Queue) openBlob(r *record) (*Content, error) {
	f, err := q.disk.Open(q.path(r.place()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the blob is not there", errDamaged)
	}
	if err != nil {
		return nil, err
	}
	// The header first: with the ring in hand and the header still to come, a rotation could end between.
	q.headers.RLock()
	q.keys.RLock()
	ring := q.ring
	q.keys.RUnlock()
	c, err := openContent(f, *r, ring)
	q.headers.RUnlock()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return c, nil
}

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
	leave, err := q.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	var events []Event
	err = q.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketOutbox).Cursor()
		for k, v := c.Seek(number(after + 1)); k != nil && len(events) < max; k, v = c.Next() {
			var e Event
			if err := json.Unmarshal(v, &e); err != nil {
				return err
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
