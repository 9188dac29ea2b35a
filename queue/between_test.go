package queue

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// watchedDisk calls once, when a file or folder is about to be touched in one way, what comes between.
type watchedDisk struct {
	disk
	edit, sync string // the end of the path to be edited, or of the folder to be synced; "" = none
	once       sync.Once
	between    func()
}

func (d *watchedDisk) Edit(path string) (file, error) {
	if d.edit != "" && strings.HasSuffix(path, d.edit) {
		d.once.Do(d.between)
	}
	return d.disk.Edit(path)
}

func (d *watchedDisk) SyncDir(dir string) error {
	if d.sync != "" && strings.HasSuffix(dir, d.sync) {
		d.once.Do(d.between)
	}
	return d.disk.SyncDir(dir)
}

// TestAcceptedWhileDropped: what is accepted under an id whose former blob is just being wiped stays whole.
func TestAcceptedWhileDropped(t *testing.T) {
	d := &watchedDisk{disk: osDisk{}, edit: string(filepath.Separator) + "A"}
	q := mustOpen(t, memoryDir(t), Options{disk: d})
	mustEnqueue(t, q, draft("A", 1))
	var wg sync.WaitGroup
	d.between = func() {
		q.mu.Lock()
		_, owned := q.busy["A"]
		q.mu.Unlock()
		enqueue := func() {
			if _, err := q.Enqueue(t.Context(), draft("A", 2)); err != nil {
				t.Error(err)
			}
		}
		if owned {
			wg.Go(enqueue) // it waits for its turn
		} else {
			enqueue()
		}
	}
	if err := q.Drop(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if v, err := q.Verify(t.Context()); err != nil || len(v.Faults) > 0 || v.Checked != 1 {
		t.Fatalf("%+v %v", v, err)
	}
}

// TestTakenInWhileRotated: a blob on its way back from found/ is not left behind under a key that is being destroyed.
func TestTakenInWhileRotated(t *testing.T) {
	d := &watchedDisk{disk: osDisk{}}
	q := mustOpen(t, memoryDir(t), Options{disk: d})
	mustEnqueue(t, q, draft("A", 1))
	r, err := q.stored("A")
	if err != nil {
		t.Fatal(err)
	}
	if err := q.update(func(tx *bolt.Tx) error { return forget(tx, r) }); err != nil {
		t.Fatal(err)
	}
	name, err := q.setAside(r.place(), "A", whyUnknown)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	d.between = func() {
		if q.rekeying.TryLock() {
			q.rekeying.Unlock()
			t.Error("a rotation may begin while a blob is neither in found/ nor in the index")
		}
		wg.Go(func() {
			if _, err := q.Rekey(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	d.sync = filepath.Base(q.segmentPath(r.Segment))
	if _, err := q.TakeFound(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if v, err := q.Verify(t.Context()); err != nil || len(v.Faults) > 0 || v.Checked != 1 {
		t.Fatalf("%+v %v", v, err)
	}
}

// TestRevisionsGrowThroughCompaction: in a damaged index the latest of several versions of a record is found, although a
// compacted index counts its transactions anew.
func TestRevisionsGrowThroughCompaction(t *testing.T) {
	q := mustOpen(t, memoryDir(t), Options{Retention: -1})
	for range 40 {
		mustEnqueue(t, q, draft("GONE", 1))
		if err := q.Drop(t.Context(), "GONE"); err != nil {
			t.Fatal(err)
		}
	}
	mustEnqueue(t, q, draft("A", 1))
	if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
	before, err := q.stored("A")
	if err != nil {
		t.Fatal(err)
	}
	if err := q.copyIndex(q.indexPath() + ".copy"); err != nil {
		t.Fatal(err)
	}
	if err := q.db.Close(); err != nil {
		t.Fatal(err)
	}
	if q.db, err = loadIndex(q.indexPath()+".copy", false); err != nil {
		t.Fatal(err)
	}
	if err := q.Retry(t.Context(), "A"); err != nil {
		t.Fatal(err)
	}
	after, err := q.stored("A")
	if err != nil || after.Revision <= before.Revision {
		t.Fatalf("revision %d after %d: %v", after.Revision, before.Revision, err)
	}
}

// TestSweepEndsAfterAClockJump: more deliveries than one transaction puts right are put right once, not for ever.
func TestSweepEndsAfterAClockJump(t *testing.T) {
	const n = wipeBatch + 6
	start := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	off, asked := time.Duration(0), 0
	o := Options{Parallel: 1, Retention: 24 * time.Hour, elapsed: func() time.Duration { return time.Hour }, wall: func() time.Time {
		if asked++; asked > 100*n {
			panic("the sweep does not end")
		}
		return start.Add(off)
	}}
	q := mustOpen(t, memoryDir(t), o)
	for i := range n {
		mustEnqueue(t, q, draft("S"+string(rune('A'+i/26))+string(rune('A'+i%26)), 0))
	}
	if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != n {
		t.Fatal(pass, err)
	}
	off, asked = 30*24*time.Hour, 0
	if _, err := q.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := q.List(Filter{})
	if err != nil || len(list) != n {
		t.Fatal(len(list), err)
	}
	for _, s := range list {
		if s.Wiped || !s.Delivered.Equal(start.Add(off)) {
			t.Fatalf("%s: wiped %v, delivered %v", s.ID, s.Wiped, s.Delivered)
		}
	}
}

// unwritableDisk is one that turned read-only.
type unwritableDisk struct{ disk }

func (unwritableDisk) Writable(string) error { return unix.EROFS }

// TestReadOnlyBeforeMigration: a queue of an older layout on a disk that turned read-only before it could be migrated is
// listed, verified and exported as it is.
func TestReadOnlyBeforeMigration(t *testing.T) {
	dir := memoryDir(t)
	copyTree(t, "testdata/layout-2", dir)
	q := mustOpen(t, dir, Options{disk: unwritableDisk{osDisk{}}})
	if q.ReadOnly() == nil {
		t.Fatal("it was opened for writing")
	}
	v, err := q.Verify(t.Context())
	if err != nil || v.Checked == 0 {
		t.Fatalf("%+v %v", v, err)
	}
	for _, f := range v.Faults {
		if f.ID == "" {
			t.Errorf("fault of the index: %s", f.What)
		}
	}
	if list, err := q.List(Filter{}); err != nil || len(list) < v.Checked {
		t.Fatal(len(list), err)
	}
	if _, err := q.Stats(); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Found(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestCutBetweenAsideAndAnew: a power cut after a damaged index was moved aside, and before the new one was begun, does not
// forget what the damaged one tells of deliveries.
func TestCutBetweenAsideAndAnew(t *testing.T) {
	for name, begun := range map[string][]byte{"no_index": nil, "empty": {}, "torn": make([]byte, 5000)} {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			q := mustOpen(t, dir, Options{Retention: -1})
			mustEnqueue(t, q, draft("SENT", 0))
			if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != 1 {
				t.Fatal(pass, err)
			}
			mustEnqueue(t, q, draft("WAITS", 0))
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			index := filepath.Join(dir, "index.db")
			if err := os.Rename(index, index+".damaged-20261129T120000"); err != nil {
				t.Fatal(err)
			}
			if begun != nil {
				if err := os.WriteFile(index, begun, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			q = mustOpen(t, dir, Options{Retention: -1})
			mustState(t, q, "SENT", Delivered)
			mustState(t, q, "WAITS", Queued)
		})
	}
}

// TestDroppedFromFoundAlone: nothing is taken in from found/ while a file there is being destroyed.
func TestDroppedFromFoundAlone(t *testing.T) {
	d := &watchedDisk{disk: osDisk{}}
	q := mustOpen(t, memoryDir(t), Options{disk: d})
	mustEnqueue(t, q, draft("A", 1))
	r, err := q.stored("A")
	if err != nil {
		t.Fatal(err)
	}
	name, err := q.setAside(r.place(), "A", whyUnknown)
	if err != nil {
		t.Fatal(err)
	}
	d.edit, d.between = name, func() {
		if q.rekeying.TryLock() {
			q.rekeying.Unlock()
			t.Error("the file could be taken in while it is overwritten")
		}
	}
	if _, err := q.DropFound(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// stuckDisk does not let one blob be changed.
type stuckDisk struct {
	disk
	id string
}

func (d *stuckDisk) Edit(path string) (file, error) {
	if filepath.Base(path) == d.id {
		return nil, unix.EIO
	}
	return d.disk.Edit(path)
}

// TestOpensWithAWipeThatFails: a blob that can't be wiped keeps nothing else from being accepted, and is wiped when it can be.
func TestOpensWithAWipeThatFails(t *testing.T) {
	dir := memoryDir(t)
	d := &stuckDisk{disk: osDisk{}, id: "GONE"}
	q := mustOpen(t, dir, Options{disk: d})
	mustEnqueue(t, q, draft("GONE", 1))
	mustEnqueue(t, q, draft("STAYS", 1))
	if err := q.Drop(t.Context(), "GONE"); err == nil {
		t.Fatal("the disk let it go")
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = mustOpen(t, dir, Options{disk: d})
	mustState(t, q, "STAYS", Queued)
	mustEnqueue(t, q, draft("NEW", 1))
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	d.id = ""
	if _, repairs := mustOpenRepairs(t, dir, Options{disk: d}); repairs.Wiped != 1 || len(repairs.SetAside) > 0 {
		t.Fatalf("%+v", repairs)
	}
}
