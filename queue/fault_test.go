package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// faultDisk stands between the store and the real disk. It counts every operation and spoils the one
// numbered at, in one of several ways. It also keeps account of what was never synced, so that a power cut
// can take it away. What it can't show is what a real drive does behind the kernel's back.
type faultDisk struct {
	disk
	mode string // "fail", "full", "tear", "late" or "cut"
	at   int    // 0 = count only

	mu     sync.Mutex // guards what follows
	ops    int
	what   string // the operation that was spoiled
	dead   bool   // the power is gone
	inodes []*inode
	moves  []move // directory operations not yet synced, in order
}

type inode struct {
	path   string
	synced []byte
	dirty  bool
}

type move struct {
	dir    string
	revert func() error
}

var errSpoiled = errors.New("input/output error on purpose")

// step counts an operation and says whether to do it (wholly or half) and what to return.
func (d *faultDisk) step(what string) (do, half bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops++
	if d.dead {
		return false, false, errSpoiled
	}
	if d.ops != d.at {
		return true, false, nil
	}
	d.what = what
	switch d.mode {
	case "fail":
		return false, false, errSpoiled
	case "full":
		return false, false, unix.ENOSPC
	case "tear":
		return false, true, errSpoiled
	case "late":
		return true, false, errSpoiled
	case "cut":
		d.dead = true
		return rand.IntN(2) == 0, true, errSpoiled
	}
	panic(d.mode)
}

func (d *faultDisk) moved(dir string, revert func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves = append(d.moves, move{dir, revert})
}

func (d *faultDisk) find(path string) *inode {
	for _, i := range d.inodes {
		if i.path == path {
			return i
		}
	}
	return nil
}

// lose takes away what a power cut could: every directory operation from some point on that was not synced,
// and of every file what was not synced, or a part of it.
func (d *faultDisk) lose() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, i := range d.inodes {
		if !i.dirty {
			continue
		}
		now, err := os.ReadFile(i.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		keep := slices.Clone(i.synced)
		if len(now) > len(keep) {
			keep = append(keep, now[len(keep):len(keep)+rand.IntN(len(now)-len(keep)+1)]...)
		} else if rand.IntN(2) == 0 {
			n := rand.IntN(len(now) + 1) // an overwrite in place that got so far
			copy(keep, now[:n])
		}
		if err := os.WriteFile(i.path, keep, 0o600); err != nil {
			return err
		}
	}
	keep := rand.IntN(len(d.moves) + 1)
	for _, m := range slices.Backward(d.moves[keep:]) {
		if err := m.revert(); err != nil {
			return err
		}
	}
	return nil
}

func (d *faultDisk) MkdirAll(path string) error {
	do, _, err := d.step("mkdir")
	if do {
		err = errors.Join(err, d.disk.MkdirAll(path))
	}
	return err
}

func (d *faultDisk) open(what, path string, open func(string) (file, error)) (file, error) {
	do, _, err := d.step(what)
	if !do {
		return nil, err
	}
	f, e := open(path)
	if e != nil {
		return nil, errors.Join(err, e)
	}
	d.mu.Lock()
	i := d.find(path)
	if i == nil {
		i = &inode{path: path}
		i.synced, _ = os.ReadFile(path)
		d.inodes = append(d.inodes, i)
	}
	d.mu.Unlock()
	if what == "create" {
		d.moved(filepath.Dir(path), func() error { return os.Remove(path) })
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &faultFile{f, d, i}, nil
}

func (d *faultDisk) Create(path string) (file, error) { return d.open("create", path, d.disk.Create) }
func (d *faultDisk) Open(path string) (file, error)   { return d.open("open", path, d.disk.Open) }
func (d *faultDisk) Edit(path string) (file, error)   { return d.open("edit", path, d.disk.Edit) }

func (d *faultDisk) Rename(from, to string) error {
	do, _, err := d.step("rename")
	if !do {
		return err
	}
	if e := d.disk.Rename(from, to); e != nil {
		return errors.Join(err, e)
	}
	d.mu.Lock()
	i := d.find(from)
	if i != nil {
		i.path = to
	}
	d.mu.Unlock()
	d.moved(filepath.Dir(to), func() error {
		if i != nil {
			i.path = from
		}
		return os.Rename(to, from)
	})
	return err
}

func (d *faultDisk) Remove(path string) error {
	do, _, err := d.step("remove")
	if !do {
		return err
	}
	info, e := os.Stat(path)
	if e != nil || info.IsDir() {
		return errors.Join(err, d.disk.Remove(path))
	}
	content, _ := os.ReadFile(path)
	if e := d.disk.Remove(path); e != nil {
		return errors.Join(err, e)
	}
	d.moved(filepath.Dir(path), func() error { return os.WriteFile(path, content, 0o600) })
	return err
}

func (d *faultDisk) List(dir string) ([]string, error) {
	if _, _, err := d.step("list"); err != nil {
		return nil, err
	}
	return d.disk.List(dir)
}

func (d *faultDisk) SyncDir(dir string) error {
	do, _, err := d.step("syncdir")
	if !do {
		return err
	}
	if e := d.disk.SyncDir(dir); e != nil {
		return errors.Join(err, e)
	}
	d.mu.Lock()
	d.moves = slices.DeleteFunc(d.moves, func(m move) bool { return m.dir == dir })
	d.mu.Unlock()
	return err
}

type faultFile struct {
	file
	d *faultDisk
	i *inode
}

func (f *faultFile) write(what string, p []byte, write func([]byte) (int, error)) (int, error) {
	do, half, err := f.d.step(what)
	f.d.mu.Lock()
	f.i.dirty = true
	f.d.mu.Unlock()
	switch {
	case half:
		p = p[:len(p)/2]
	case !do:
		return 0, err
	}
	n, e := write(p)
	return n, errors.Join(err, e)
}

func (f *faultFile) Write(p []byte) (int, error) { return f.write("write", p, f.file.Write) }
func (f *faultFile) WriteAt(p []byte, at int64) (int, error) {
	return f.write("writeat", p, func(p []byte) (int, error) { return f.file.WriteAt(p, at) })
}

func (f *faultFile) ReadAt(p []byte, at int64) (int, error) {
	if _, _, err := f.d.step("readat"); err != nil {
		return 0, err
	}
	return f.file.ReadAt(p, at)
}

func (f *faultFile) Sync() error {
	do, _, err := f.d.step("fsync")
	if !do {
		return err
	}
	if e := f.file.Sync(); e != nil {
		return errors.Join(err, e)
	}
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.i.synced, _ = os.ReadFile(f.i.path)
	f.i.dirty = false
	return err
}

func (f *faultFile) Close() error {
	_, _, err := f.d.step("close")
	return errors.Join(err, f.file.Close())
}

// life is a short story of a queue in which every operation on files occurs. It notes what was
// acknowledged.
type life struct {
	acked, dropped map[string]bool
	hub            *hub
}

func (l *life) live(dir string, d disk) error {
	ctx := context.Background()
	q, _, err := Open(ctx, dir, Options{MinFree: -1, disk: d, Parallel: 1})
	if err != nil {
		return err
	}
	defer q.Close()
	var errs []error
	enqueue := func(id string) {
		// As an agent does: after an error once more, under the same id.
		for range 2 {
			_, err := q.Enqueue(ctx, draft(id, 2))
			errs = append(errs, err)
			if err == nil {
				l.acked[id] = true
				break
			}
		}
	}
	enqueue("A")
	enqueue("B")
	if err := q.Drop(ctx, "B"); err == nil {
		l.dropped["B"] = true
	} else {
		errs = append(errs, err)
	}
	_, err = q.DeliverDue(ctx, l.hub)
	errs = append(errs, err)
	q.segments.mu.Lock()
	q.segments.filled = segmentFill // the next blob begins a new folder
	q.segments.mu.Unlock()
	enqueue("C")
	enqueue("D")
	_, err = q.Rekey(ctx, nil)
	errs = append(errs, err)
	errs = append(errs, q.Drop(ctx, "D"))
	if errs[len(errs)-1] == nil {
		l.dropped["D"] = true
	}
	_, err = q.Verify(ctx)
	errs = append(errs, err)
	_, err = q.Export(ctx, io.Discard, recipients(), "C")
	return errors.Join(append(errs, err)...)
}

func TestEveryFaultAtEveryPoint(t *testing.T) {
	count := &faultDisk{disk: osDisk{}}
	if err := (&life{acked: map[string]bool{}, dropped: map[string]bool{}, hub: &hub{}}).live(memoryDir(t), count); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d operations", count.ops)
	rounds := 1
	if os.Getenv("MOTCUA_SOAK") != "" {
		rounds = 20 // the loss after a cut is random
	}
	for _, mode := range []string{"fail", "full", "tear", "late", "cut"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			seen := map[string]int{}
			for at := 1; at <= count.ops; at++ {
				for range rounds {
					d := &faultDisk{disk: osDisk{}, mode: mode, at: at}
					survive(t, d)
					seen[d.what]++
					if mode != "cut" {
						break
					}
				}
				if t.Failed() {
					t.Fatalf("%s of operation %d", mode, at)
				}
			}
			t.Log(seen)
		})
	}
}

// memoryDir is for tests that play power cuts themselves: a folder where fsync costs nothing, if there is one.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "queue")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// survive lives with one fault, takes away what was not synced if the power was cut, and proves the promises
// after the next start.
func survive(t *testing.T, d *faultDisk) {
	t.Helper()
	dir := memoryDir(t)
	l := &life{acked: map[string]bool{}, dropped: map[string]bool{}, hub: &hub{}}
	err := l.live(dir, d)
	if d.mode == "cut" {
		if err == nil && d.dead && d.what != "close" { // closing what was read

			t.Error("a power cut was not noticed")
		}
		if err := d.lose(); err != nil {
			t.Fatal(err)
		}
	}
	noMarker(t, dir)
	ctx := context.Background()
	q, repairs, err := Open(ctx, dir, Options{MinFree: -1, Parallel: 1})
	if err != nil {
		t.Fatalf("open after the fault: %v", err)
	}
	defer q.Close()
	if repairs.KeyRotation {
		if _, err := q.Rekey(ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	v, err := q.Verify(ctx)
	if err != nil || len(v.Faults) > 0 {
		t.Fatalf("verify: %+v %v; repairs: %s", v, err, repairs)
	}
	if _, err := q.RetryAll(ctx); err != nil {
		t.Fatal(err)
	}
	// The citizen's submission is handed in again wherever the answer was lost.
	for _, id := range []string{"A", "C"} {
		s, err := q.Get(id)
		if l.acked[id] && err != nil {
			t.Fatalf("%s was acknowledged and is lost: %v", id, err)
		}
		if !l.acked[id] {
			if s, err = q.Enqueue(ctx, draft(id, 2)); err != nil {
				t.Fatal(err)
			}
		}
		if s.ID != id || len(s.Parts) != 3 {
			t.Fatalf("%+v", s)
		}
	}
	if _, err := q.DeliverDue(ctx, l.hub); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"A", "C"} {
		if l.hub.got[id] == nil {
			t.Fatalf("%s did not arrive", id)
		}
	}
	if (l.acked["A"] && !slices.IsSorted(l.hub.order)) || len(slices.Compact(slices.Clone(l.hub.order))) != len(l.hub.order) {
		t.Fatalf("arrived %v", l.hub.order)
	}
	for id := range l.dropped {
		if _, err := q.Get(id); !errors.Is(err, ErrNotFound) {
			t.Fatalf("%s was dropped and is there: %v", id, err)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", id+"*")); found != nil {
			t.Fatalf("%s was dropped and lies on the disk: %v", id, found)
		}
	}
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	d := &scarceDisk{disk: osDisk{}, free: 900 << 20}
	q := mustOpen(t, dir, Options{MinFree: 1 << 30, disk: d})
	if err := q.Room(); !errors.Is(err, ErrFull) {
		t.Fatalf("a visit may begin: %v", err)
	}
	mustEnqueue(t, q, draft("A", 1)) // begun before, so it can be ended
	d.free = 500 << 20
	_, err := q.Enqueue(context.Background(), draft("B", 1))
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "disk is nearly full") {
		t.Fatalf("accepted below half of the reserve: %v", err)
	}
	// What was accepted is delivered all the same, and makes room.
	if pass, err := q.DeliverDue(context.Background(), &hub{}); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
	d.free = 2 << 30
	if err := q.Room(); err != nil {
		t.Fatal(err)
	}
	mustEnqueue(t, q, draft("B", 1))
}

func TestDiskFillsWhileWriting(t *testing.T) {
	dir := t.TempDir()
	d := &scarceDisk{disk: osDisk{}, free: 2 << 30}
	q := mustOpen(t, dir, Options{MinFree: 1 << 30, disk: d})
	page := make([]byte, 8<<20)
	big := draft("BIG", 0)
	for i := range 8 {
		big.Parts = append(big.Parts, Part{Name: fmt.Sprint(i), Open: func() (io.ReadCloser, error) {
			d.free -= 300 << 20
			return FromBytes("", "", page).Open()
		}})
	}
	if _, err := q.Enqueue(context.Background(), big); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", "*")); found != nil {
		t.Fatal(found)
	}
}

// scarceDisk says how much is free; a real full disk is made of it by TestEveryFaultAtEveryPoint/full.
type scarceDisk struct {
	disk
	free int64
}

func (d *scarceDisk) Free(string) (int64, error) { return d.free, nil }

// TestIndexThatCannotBeWritten takes the file from under bbolt: every write to it vanishes and every sync fails.
func TestIndexThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{})
	mustEnqueue(t, q, draft("A", 1))
	fd := openFD(t, filepath.Join(dir, "index.db"))
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	_, err = q.Enqueue(ctx, draft("B", 1))
	if err == nil || !strings.Contains(err.Error(), "open the queue again") {
		t.Fatalf("acknowledged what is nowhere: %v", err)
	}
	if _, again := q.Enqueue(ctx, draft("C", 1)); again == nil {
		t.Fatal("went on with an index that can't be trusted")
	}
	run := make(chan error, 1)
	go func() { run <- q.Run(ctx, &hub{}) }()
	select {
	case err := <-run:
		if err == nil {
			t.Fatal("Run ended as if all were well")
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("Run goes on")
	}
	q.Close()
	q, repairs := mustOpenRepairs(t, dir, Options{Parallel: 1})
	if !slices.Equal(repairs.SetAside, []string{"B.unknown"}) {
		t.Fatalf("repairs: %+v", repairs)
	}
	mustState(t, q, "A", Queued)
	mustEnqueue(t, q, draft("B", 1))
	h := &hub{}
	if _, err := q.DeliverDue(ctx, h); err != nil || !slices.Equal(h.order, []string{"A", "B"}) {
		t.Fatal(h.order, err)
	}
}

func openFD(t *testing.T, path string) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); to == path {
			var fd int
			fmt.Sscan(e.Name(), &fd)
			return fd
		}
	}
	t.Fatal("no descriptor for", path)
	return 0
}
