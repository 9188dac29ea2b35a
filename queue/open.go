package queue

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"motcua/queue/seal"
)

// Open opens the queue in dir, making it where there is none, repairs what a crash left half done and says
// what that was. It returns ErrLocked if another process has the queue, ErrNewer if a newer version
// wrote it, and ErrNoKey if there are submissions but not the key they are sealed under; none of the three
// changes anything, however often it is tried. It takes the same time whatever the backlog, unless the
// index itself was lost and is built again, which goes on where it was when it is broken off.
//
// Where the disk is read-only the queue opens for reading: see ReadOnly.
func Open(ctx context.Context, dir string, o Options) (*Queue, Repairs, error) {
	o.defaults(dir)
	if o.OfficeOnly && len(o.Office) == 0 {
		return nil, Repairs{}, errors.New("open queue: sealed to the office only, but no key of the office is configured")
	}
	q, repairs, err := openOnce(ctx, dir, o)
	if errors.Is(err, errIndexDamaged) && ctx.Err() == nil {
		// A page was met that makes no sense: a mark was left, by which all pages are looked at this time.
		q, repairs, err = openOnce(ctx, dir, o)
	}
	if err != nil {
		return nil, repairs, fmt.Errorf("open queue in %s: %w", dir, err)
	}
	return q, repairs, nil
}

func openOnce(ctx context.Context, dir string, o Options) (*Queue, Repairs, error) {
	q := &Queue{dir: dir, o: o, disk: o.disk, log: o.Log, epoch: o.wall().Round(0), opened: time.Now(),
		busy: map[string]chan struct{}{}, open: map[string]int{}}
	q.life, q.end = context.WithCancel(context.Background())
	q.changes.init()
	repairs, err := q.openAll(ctx)
	if err != nil {
		q.end()
		return nil, repairs, errors.Join(err, q.release())
	}
	return q, repairs, nil
}

// openAll looks first and refuses if it must; then it changes what has to be changed, "done" last.
func (q *Queue) openAll(ctx context.Context) (Repairs, error) {
	var repairs Repairs
	if err := q.makeFolder(); err != nil {
		return repairs, err
	}
	if err := q.takeLock(); err != nil {
		return repairs, err
	}
	seen, err := q.survey()
	if err != nil {
		return repairs, err
	}
	keys, err := q.loadKeys(ctx, seen)
	if q.readOnly != nil && err != nil {
		// Lists and cards need no key, and no start can make anything worse here.
		q.log.Error("what waits can be listed, not opened", "error", err)
		keys, err = nil, nil
	}
	if err != nil {
		return repairs, err
	}
	repairs.KeyRotation = len(keys) > 1
	if q.readOnly != nil {
		return repairs, q.openForReading(seen, keys)
	}
	if len(keys) == 0 {
		keys = []seal.Key{seal.NewKey()}
		if err := loose(q.o.Vault).Save(ctx, keys); err != nil {
			return repairs, err
		}
		q.tellLoose(q.o.Vault)
	}
	q.ring.Store(seal.NewRing(keys[0], keys[1:]...))
	if err := q.openIndex(seen, &repairs); err != nil {
		return repairs, err
	}
	return repairs, q.repair(ctx, &repairs)
}

func (q *Queue) blobs() string     { return filepath.Join(q.dir, "blobs") }
func (q *Queue) indexPath() string { return filepath.Join(q.dir, "index.db") }

// suspectPath is a mark that the index makes no sense; checkedPath, that it did so before and its pages were good.
func (q *Queue) suspectPath() string { return filepath.Join(q.dir, "index.suspect") }
func (q *Queue) checkedPath() string { return filepath.Join(q.dir, "index.checked") }

const (
	markSuspect = "check all pages"
	markGivenUp = "build it again"
)

// makeFolder makes the queue's folder. One that is there on a disk that can't be written is opened for reading.
func (q *Queue) makeFolder() error {
	err := q.disk.MkdirAll(q.blobs())
	if err == nil {
		err = q.disk.Writable(q.dir)
	}
	if errors.Is(err, unix.EROFS) {
		if _, e := os.Stat(q.indexPath()); e == nil {
			q.readOnly = fmt.Errorf("%w (%w)", ErrReadOnly, err)
			return nil
		}
	}
	return err
}

// takeLock uses a file of its own, because a damaged index is moved aside under the lock. The kernel
// lets go of it when the process dies, however it dies.
func (q *Queue) takeLock() error {
	path := filepath.Join(q.dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if q.readOnly != nil && errors.Is(err, unix.EROFS) {
		if f, err = os.Open(path); errors.Is(err, fs.ErrNotExist) {
			return nil // nobody else can take it either
		}
	}
	if err != nil {
		return err
	}
	how := unix.LOCK_EX
	if q.readOnly != nil {
		how = unix.LOCK_SH // several may read
	}
	if err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return ErrLocked
		}
		return fmt.Errorf("lock: %w", err)
	}
	q.lock = f
	return nil
}

// survey is what a start sees of the index before it changes anything.
type survey struct {
	lost    bool   // there is no index, or none that was ever finished
	damaged error  // why it is given up
	schema  uint64 // its layout
	sound   bool   // a checksum vouches for that: since layout 3
	used    bool   // it has records
	kiosk   []byte // id of the kiosk key that the queue was sealed with, 8 bytes; nil = not known
	suspect bool   // it was found to be damaged while it was used
}

// survey reads the index without touching it. A read error that comes once is tried again.
func (q *Queue) survey() (survey, error) {
	mark, err := os.ReadFile(q.suspectPath())
	suspect := err == nil
	s, err := surveyIndex(q.indexPath(), suspect)
	if string(mark) == markGivenUp && err == nil && !s.lost {
		s = survey{lost: true, damaged: fmt.Errorf("%w: it makes no sense", errIndexDamaged)}
	}
	if err == nil && s.damaged != nil && string(mark) != markGivenUp {
		s, err = surveyIndex(q.indexPath(), suspect)
	}
	s.suspect = suspect
	return s, err
}

func surveyIndex(path string, check bool) (s survey, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && info.Size() == 0) {
		return survey{lost: true}, nil
	}
	if err != nil {
		return s, err
	}
	if err := mayRead(osDisk{}, path); err != nil {
		return s, err
	}
	// What was closed in order and not changed since needs no look at all pages, which takes longer the more there
	// is. bbolt itself must not see a page that makes no sense: it may write where it should not, also in memory.
	if check || !closedInOrder(path) {
		if faults := checkIndexFile(path); len(faults) > 0 {
			return survey{lost: true, damaged: fmt.Errorf("%w: %w", errIndexDamaged, errors.Join(faults...))}, nil
		}
	}
	db, err := loadIndex(path, true)
	if errors.Is(err, errIndexDamaged) {
		return survey{lost: true, damaged: err}, nil
	}
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = guarded(func() error { return db.View(s.read) })
	switch {
	case errors.Is(err, errIndexDamaged):
		return survey{lost: true, damaged: err}, nil
	case err == nil && !s.lost && (s.schema == 0 || s.schema > schemaVersion && !s.sound):
		return survey{lost: true, damaged: fmt.Errorf("%w: it does not say its layout", errIndexDamaged)}, nil
	case err == nil && s.schema > schemaVersion:
		err = fmt.Errorf("%w (its layout is %d, this one knows %d): install the newer version again", ErrNewer, s.schema, schemaVersion)
	}
	return s, err
}

// read finds out what an index says of itself.
func (s *survey) read(tx *bolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		if k, _ := tx.Cursor().First(); k != nil {
			return fmt.Errorf("%w: the list %s is not there", errIndexDamaged, bucketMeta)
		}
		s.lost = true // a first start that was cut before its one transaction
		return nil
	}
	if v := meta.Get(keySchema); len(v) == 8 {
		s.schema = binary.BigEndian.Uint64(v)
		s.sound = bytes.Equal(meta.Get(keySchemaSum), schemaSum(s.schema))
	}
	if records := tx.Bucket(bucketRecord); records != nil {
		k, _ := records.Cursor().First()
		s.used = k != nil
	}
	for _, b := range buckets {
		if s.schema == schemaVersion && tx.Bucket(b) == nil {
			return fmt.Errorf("%w: the list %s is not there", errIndexDamaged, b)
		}
	}
	if v := meta.Get(keyKiosk); len(v) == len(seal.ID{}) {
		s.kiosk = slices.Clone(v)
	}
	return nil
}

// asideMark stands between the name of the index and the time when it was moved aside.
const asideMark = ".damaged-"

// openIndex opens the index for writing, makes a new one in place of one that was lost, and brings the layout up to date.
func (q *Queue) openIndex(s survey, repairs *Repairs) error {
	if s.damaged != nil {
		aside := freeName(fmt.Sprintf("%s%s%s", q.indexPath(), asideMark, q.wall().UTC().Format("20060102T150405")))
		if err := q.disk.Rename(q.indexPath(), aside); err != nil {
			return err
		}
		if err := q.disk.SyncDir(q.dir); err != nil {
			return err
		}
		repairs.IndexAside = aside
	}
	db, err := loadIndex(q.indexPath(), false)
	if err != nil {
		return err
	}
	q.db = db
	if q.o.opened != nil {
		q.o.opened(db)
	}
	if err := q.migrate(s, asideName(repairs.IndexAside)); err != nil {
		return err
	}
	if !s.lost && s.schema != schemaVersion {
		repairs.MigratedFrom = int(s.schema)
	}
	if s.lost {
		// New names: the index, the folder of blobs and the queue's own.
		if err := errors.Join(q.disk.SyncDir(q.dir), q.disk.SyncDir(filepath.Dir(q.dir))); err != nil {
			return err
		}
	}
	return q.settleSuspicion(s)
}

// mayRead tells a file that only has the wrong owner or mode, as after a copy back as another user: that is no damage.
func mayRead(d disk, path string) error {
	f, err := d.Open(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: give the whole data folder back to the user that the daemon runs as (chown -R)", err)
	case err == nil:
		return f.Close()
	}
	return nil // whatever else is wrong is found where it is read
}

// closedPath holds the number of the last transaction before the index was closed in order.
func closedPath(index string) string { return index + ".closed" }

func closedInOrder(index string) bool {
	said, err := os.ReadFile(closedPath(index))
	if err != nil {
		return false
	}
	f, err := os.Open(index)
	if err != nil {
		return false
	}
	defer f.Close()
	meta, err := newestMeta(f)
	return err == nil && string(said) == meta.String()
}

// closeInOrder leaves the note that spares the next start the look at all pages. Without it nothing is lost but time.
func (q *Queue) closeInOrder() {
	f, err := os.Open(q.indexPath())
	if err != nil {
		return
	}
	defer f.Close()
	if meta, err := newestMeta(f); err == nil {
		_ = os.WriteFile(closedPath(q.indexPath()), []byte(meta.String()), 0o600)
	}
}

// settleSuspicion takes the mark away once the index was found good or was replaced.
func (q *Queue) settleSuspicion(s survey) error {
	switch {
	case !s.suspect:
		return nil
	case s.lost:
		return errors.Join(q.removeIfThere(q.suspectPath()), q.removeIfThere(q.checkedPath()))
	}
	return errors.Join(os.WriteFile(q.checkedPath(), nil, 0o600), q.removeIfThere(q.suspectPath()))
}

func (q *Queue) removeIfThere(path string) error {
	if err := q.disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// freeName appends a number to a name that is taken.
func freeName(path string) string {
	name := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s.%d", path, n)
	}
}

var errIndexDamaged = errors.New("index is damaged")

// guarded makes an error of bbolt's panic on pages it can't make sense of, and of the fault that reading a
// mapped file raises where the file was cut short or the drive gives nothing.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errIndexDamaged, p)
		}
	}()
	return fn()
}

// loadIndex opens the index and looks whether all its pages are there.
func loadIndex(path string, readOnly bool) (db *bolt.DB, err error) {
	var file *os.File // what a panic inside Open leaves open, and locked
	options := boltOptions(readOnly)
	options.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	open := func() (*bolt.DB, error) { return bolt.Open(path, 0o600, options) }
	err = guarded(func() error {
		db, err = open()
		switch {
		case errors.Is(err, bolterrors.ErrTimeout):
			return ErrLocked
		case err != nil && errors.As(err, new(unix.Errno)):
			return err
		case err != nil:
			return fmt.Errorf("%w: %w", errIndexDamaged, err)
		}
		var used int64
		if err := db.View(func(tx *bolt.Tx) error {
			used = tx.Size()
			return checkSize(tx, path)
		}); err != nil || readOnly || !scarce(path, used) {
			return err
		}
		if err := db.Close(); err != nil {
			return err
		}
		reserve(path, used)
		db, err = open()
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case db != nil:
		err = errors.Join(err, guarded(db.Close))
	case file != nil:
		_ = file.Close() // closed already where Open returned by itself
	}
	return nil, err
}

func boltOptions(readOnly bool) *bolt.Options {
	return &bolt.Options{
		// The lock file decides who has the queue; this only guards against another bbolt program.
		Timeout: time.Second,
		// The list of free pages is kept on disk: finding them again would read the whole index at start.
		FreelistType: bolt.FreelistMapType,
		ReadOnly:     readOnly,
		// Looked at even where it is not needed, to see whether it is damaged.
		PreLoadFreelist: true,
		// A bent page number would make it grow without end.
		MaxSize: indexMost,
	}
}

// indexMost is more than any kiosk's index will ever take.
const indexMost = 64 << 30

// The index grows into blocks that are written beforehand: a commit into a hole must wait for the file
// system's journal as well, and so for whatever else is being written on the machine.
const reserveLow = 1 << 20

// reserveSize is a variable for tests that lay out an index thousands of times; 0 = none.
var reserveSize = 4 << 20

// scarce reports whether less than reserveLow of written blocks follows what is used.
func scarce(path string, used int64) bool {
	var s unix.Stat_t
	return reserveSize > 0 && unix.Stat(path, &s) == nil && s.Blocks*512-used < reserveLow
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

// checkSize looks whether all pages are there.
func checkSize(tx *bolt.Tx, path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() < tx.Size() {
		err = fmt.Errorf("%w: %d of %d bytes are there", errIndexDamaged, info.Size(), tx.Size())
	}
	return err
}

// ErrNoKey says that the kiosk key is missing or another one than the queue was sealed with.
var ErrNoKey = errors.New("the kiosk key of this queue is not there")

// loadKeys loads the kiosk keys, the current one first; none for a queue that never had one. It never lets one
// be made beside submissions: they would be lost behind it.
func (q *Queue) loadKeys(ctx context.Context, s survey) ([]seal.Key, error) {
	keys, err := q.o.Vault.Load(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case s.kiosk == nil:
	case len(keys) == 0:
		return nil, fmt.Errorf("%w: %s holds none; put it back from your backup", ErrNoKey, q.o.Vault)
	case seal.NewRing(keys[0], keys[1:]...).Has(seal.ID(s.kiosk)):
		return keys, nil
	}
	// Only the blobs can tell which key they need. One that opens shows that the key is this queue's; then
	// others that don't are strangers, and no reason to refuse.
	var needed *seal.ID
	opens := false
	err = q.eachSlot(ctx, func(id string, slot []byte) bool {
		by, ok := seal.WrappedBy(slot)
		if !ok {
			return true
		}
		needed = &by
		if len(keys) > 0 {
			_, err := seal.NewRing(keys[0], keys[1:]...).Unwrap(id, slot)
			opens = err == nil
		}
		return len(keys) > 0 && !opens
	})
	switch {
	case err != nil:
		return nil, err
	case needed == nil || opens:
		return keys, nil
	case len(keys) == 0:
		return nil, fmt.Errorf("%w: %s holds none, and submissions are sealed with %s; put it back from your backup", ErrNoKey, q.o.Vault, needed)
	}
	return nil, fmt.Errorf("%w: %s holds %s, submissions are sealed with %s; put the right one back from your backup", ErrNoKey, q.o.Vault,
		keys[0], needed)
}

// eachSlot shows the wrapped keys of all blobs, those set aside included, until look returns false.
func (q *Queue) eachSlot(ctx context.Context, look func(id string, slot []byte) bool) error {
	return q.eachBlob(ctx, func(path, id string) (bool, error) {
		if err := mayRead(q.disk, path); err != nil {
			return false, err
		}
		f, err := q.disk.Open(path)
		if err != nil {
			return true, nil // a name that can't be opened needs no key
		}
		slots, err := readSlots(f)
		f.Close()
		if err != nil {
			return true, nil
		}
		for _, s := range slots {
			if s != nil && !look(id, s) {
				return false, nil
			}
		}
		return true, nil
	})
}

// eachBlob walks all files that may be blobs, those set aside first.
func (q *Queue) eachBlob(ctx context.Context, do func(path, id string) (more bool, err error)) error {
	visit := func(dir string) (more bool, err error) {
		names, err := q.disk.List(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		for _, name := range names {
			id, _, _ := cutFound(name)
			if !validID(id) || filepath.Ext(name) == partialSuffix {
				continue
			}
			if more, err := do(filepath.Join(dir, name), id); err != nil || !more {
				return false, err
			}
		}
		return true, ctx.Err()
	}
	dirs := []string{q.foundPath(), q.damagedPath()}
	segs, err := q.listSegments()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, s := range segs {
		dirs = append(dirs, q.segmentPath(s))
	}
	for _, dir := range dirs {
		if more, err := visit(dir); err != nil || !more {
			return err
		}
	}
	return nil
}

// openForReading opens what is there and leaves all of it as it is.
func (q *Queue) openForReading(s survey, keys []seal.Key) error {
	if s.lost {
		return fmt.Errorf("%w, and the index can't be built again", q.readOnly)
	}
	db, err := loadIndex(q.indexPath(), true)
	if err != nil {
		return err
	}
	q.db = db
	q.ring.Store(new(seal.Ring))
	if len(keys) > 0 {
		q.ring.Store(seal.NewRing(keys[0], keys[1:]...))
	}
	q.countFound()
	q.log.Error("the queue is open for reading only", "error", q.readOnly)
	return nil
}

// asideName is the name of an index that was moved aside; "" for none.
func asideName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}
