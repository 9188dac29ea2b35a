package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	bolt "go.etcd.io/bbolt"

	"motcua/queue/seal"
)

// The search of all cuts, in the manner of ALICE, CrashMonkey and SQLite's test VFS. A recorder under the store writes
// down every write, truncation, rename, removal and sync of one operation. Every prefix of that record is then
// played onto a disk that may have lost, torn at a sector, or reordered what was not synced; the queue is opened on
// each, and cut again while it opens. What was acknowledged must be there once, arrive once and verify; nothing whole
// may be destroyed; nothing may be readable.
//
// What it can't show: a drive that says synced and is not, and a file system that reorders renames.

// event is one thing that was done to the disk.
type event struct {
	kind     string // create, write, sync, rename, remove, mkdir, syncdir, snapshot
	inode    int
	path, to string // below the queue's folder
	off      int64
	data     []byte
}

// recorder is a disk that writes down what is done to it.
type recorder struct {
	disk
	root string

	mu     sync.Mutex // guards what follows
	log    []event
	inodes map[string]int // by present path
	next   int
	base   map[string][]byte // the files that were there before
}

func record1(t *testing.T, root string) *recorder {
	t.Helper()
	r := &recorder{disk: osDisk{}, root: root, inodes: map[string]int{}, base: map[string][]byte{}}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel := r.rel(path)
		r.base[rel] = data
		r.next++
		r.inodes[rel] = r.next
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *recorder) rel(path string) string {
	rel, err := filepath.Rel(r.root, path)
	if err != nil {
		panic(err)
	}
	return rel
}

func (r *recorder) note(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, e)
}

func (r *recorder) inode(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inodes[r.rel(path)]
}

func (r *recorder) MkdirAll(path string) error {
	r.note(event{kind: "mkdir", path: r.rel(path)})
	return r.disk.MkdirAll(path)
}

func (r *recorder) Create(path string) (file, error) {
	f, err := r.disk.Create(path)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.next++
	n := r.next
	r.inodes[r.rel(path)] = n
	r.log = append(r.log, event{kind: "create", inode: n, path: r.rel(path)})
	r.mu.Unlock()
	return &recordedFile{file: f, r: r, inode: n}, nil
}

func (r *recorder) Edit(path string) (file, error) {
	f, err := r.disk.Edit(path)
	if err != nil {
		return nil, err
	}
	return &recordedFile{file: f, r: r, inode: r.inode(path)}, nil
}

func (r *recorder) Rename(from, to string) error {
	if err := r.disk.Rename(from, to); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a, b := r.rel(from), r.rel(to)
	r.inodes[b] = r.inodes[a]
	delete(r.inodes, a)
	r.log = append(r.log, event{kind: "rename", path: a, to: b})
	return nil
}

func (r *recorder) Remove(path string) error {
	if err := r.disk.Remove(path); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.inodes, r.rel(path))
	r.log = append(r.log, event{kind: "remove", path: r.rel(path)})
	return nil
}

// Replace puts down the whole file, which bbolt wrote and synced beside.
func (r *recorder) Replace(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := r.disk.Replace(from, to); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	n, a, b := r.next, r.rel(from), r.rel(to)
	r.inodes[b] = n
	r.log = append(r.log, event{kind: "create", inode: n, path: a}, event{kind: "write", inode: n, data: bytes.TrimRight(data, "\x00")},
		event{kind: "write", inode: n, off: int64(len(data)) - 1, data: []byte{0}}, event{kind: "sync", inode: n},
		event{kind: "rename", path: a, to: b})
	return nil
}

func (r *recorder) SyncDir(dir string) error {
	if err := r.disk.SyncDir(dir); err != nil {
		return err
	}
	r.note(event{kind: "syncdir", path: r.rel(dir)})
	return nil
}

type recordedFile struct {
	file
	r     *recorder
	inode int
	off   int64
}

func (f *recordedFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.r.note(event{kind: "write", inode: f.inode, off: f.off, data: bytes.Clone(p[:n])})
	f.off += int64(n)
	return n, err
}

func (f *recordedFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.file.WriteAt(p, at)
	f.r.note(event{kind: "write", inode: f.inode, off: at, data: bytes.Clone(p[:n])})
	return n, err
}

func (f *recordedFile) Sync() error {
	err := f.file.Sync()
	f.r.note(event{kind: "sync", inode: f.inode})
	return err
}

// index puts the recorder under bbolt: its writes go through a function that its own tests replace too. It syncs
// before and after it writes a meta page, which is how the syncs are known.
func (r *recorder) index(db *bolt.DB) {
	path := r.rel(db.Path())
	content, err := os.ReadFile(db.Path())
	if err != nil {
		panic(err)
	}
	r.mu.Lock()
	n := r.inodes[path]
	if n == 0 {
		// Made just now: bbolt writes four pages and syncs.
		r.next++
		n = r.next
		r.inodes[path] = n
		r.log = append(r.log, event{kind: "create", inode: n, path: path}, event{kind: "write", inode: n, data: bytes.TrimRight(content, "\x00")},
			event{kind: "write", inode: n, off: int64(len(content)) - 1, data: []byte{0}}, event{kind: "sync", inode: n})
	}
	r.mu.Unlock()
	ops := reflect.ValueOf(db).Elem().FieldByName("ops").FieldByName("writeAt")
	hook := (*func([]byte, int64) (int, error))(unsafe.Pointer(ops.UnsafeAddr()))
	write := *hook
	page := int64(db.Info().PageSize)
	*hook = func(p []byte, at int64) (int, error) {
		meta := at < 2*page
		if meta {
			r.note(event{kind: "sync", inode: n})
		}
		r.note(event{kind: "write", inode: n, off: at, data: bytes.Clone(p)})
		if meta {
			r.note(event{kind: "sync", inode: n})
		}
		return write(p, at)
	}
}

// recordedVault keeps the kiosk key in its file, whose replacement is one step here: package seal has its own tests.
type recordedVault struct {
	*seal.File
	r    *recorder
	path string
}

func (v recordedVault) Save(ctx context.Context, keys []seal.Key) error {
	if err := v.File.Save(ctx, keys); err != nil {
		return err
	}
	data, err := os.ReadFile(v.path)
	v.r.note(event{kind: "snapshot", path: v.r.rel(v.path), data: data})
	return err
}

func (r *recorder) options(o Options) Options {
	o.disk, o.opened, o.MinFree, o.Parallel = r, r.index, -1, 1
	key := filepath.Join(r.root, "kiosk.key")
	o.Vault = recordedVault{seal.NewFile(key), r, key}
	return o
}

// modes are what becomes of what was not synced.
var modes = []string{"kept", "lost", "mixed"}

// onDisk is what a disk may hold after the first n events.
func (r *recorder) onDisk(n int, mode string, rng *rand.Rand) map[string][]byte {
	type node struct {
		synced  []byte
		pending []event
	}
	nodes, names, durable := map[int]*node{}, map[string]int{}, map[string]int{}
	for path, inode := range r.baseInodes() {
		nodes[inode] = &node{synced: r.base[path]}
		names[path], durable[path] = inode, inode
	}
	var unsynced []event // of directories, in order
	apply := func(names map[string]int, e event) {
		switch e.kind {
		case "create":
			names[e.path] = e.inode
		case "rename":
			names[e.to] = names[e.path]
			delete(names, e.path)
		case "remove":
			delete(names, e.path)
		}
	}
	snapshots := map[string][]byte{}
	for _, e := range r.log[:n] {
		switch e.kind {
		case "write":
			if nodes[e.inode] == nil {
				nodes[e.inode] = &node{}
			}
			nodes[e.inode].pending = append(nodes[e.inode].pending, e)
		case "sync":
			if f := nodes[e.inode]; f != nil {
				f.synced = write(f.synced, f.pending)
				f.pending = nil
			}
		case "create", "rename", "remove":
			if e.kind == "create" && nodes[e.inode] == nil {
				nodes[e.inode] = &node{}
			}
			apply(names, e)
			unsynced = append(unsynced, e)
		case "syncdir":
			unsynced = slices.DeleteFunc(unsynced, func(u event) bool {
				mine := filepath.Dir(u.path) == e.path || u.to != "" && filepath.Dir(u.to) == e.path
				if mine {
					apply(durable, u)
				}
				return mine
			})
		case "snapshot":
			snapshots[e.path] = e.data
		}
	}
	keep := len(unsynced)
	switch mode {
	case "lost":
		keep = 0
	case "mixed":
		keep = rng.IntN(len(unsynced) + 1)
	}
	for _, u := range unsynced[:keep] {
		apply(durable, u)
	}
	files := map[string][]byte{}
	for path, inode := range durable {
		f := nodes[inode]
		if f == nil {
			continue
		}
		files[path] = write(f.synced, survive1(f.pending, mode, rng))
	}
	for path, data := range snapshots {
		files[path] = data
	}
	return files
}

// baseInodes gives the numbers that record1 gave to the files that were there before.
func (r *recorder) baseInodes() map[string]int {
	all := map[string]int{}
	n := 0
	for _, path := range r.baseOrder() {
		n++
		all[path] = n
	}
	return all
}

// baseOrder is that of filepath.WalkDir: lexical, folder by folder.
func (r *recorder) baseOrder() []string {
	return slices.SortedFunc(maps.Keys(r.base), func(a, b string) int {
		return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
	})
}

// survive1 is what is left of writes that were not synced: any of them, torn at a sector.
func survive1(pending []event, mode string, rng *rand.Rand) []event {
	const sector = 512
	switch mode {
	case "kept":
		return pending
	case "lost":
		return nil
	}
	var left []event
	for _, e := range pending {
		switch rng.IntN(3) {
		case 0:
		case 1:
			left = append(left, e)
		default:
			e.data = e.data[:min(len(e.data), sector*rng.IntN(len(e.data)/sector+1))]
			left = append(left, e)
		}
	}
	return left
}

func write(content []byte, events []event) []byte {
	out := bytes.Clone(content)
	for _, e := range events {
		if need := int(e.off) + len(e.data); need > len(out) {
			out = append(out, make([]byte, need-len(out))...)
		}
		copy(out[e.off:], e.data)
	}
	return out
}

// story is one operation that is cut anywhere.
type story struct {
	o       Options
	prepare func(t *testing.T, dir string)     // on a queue that is closed again
	do      func(t *testing.T, q *Queue) error // nil = opening is the operation
	must    []string                           // acknowledged before, and to arrive
	after   []string                           // acknowledged by do
	may     []string                           // may be destroyed by do: delivered and expired, or dropped
}

func (s *story) prepared(t *testing.T) string {
	t.Helper()
	dir := memoryDir(t)
	if s.prepare != nil {
		s.prepare(t, dir)
	}
	return dir
}

func cutStories(t *testing.T) map[string]*story {
	ids := []string{"A", "B", "C"}
	three := func(t *testing.T, dir string) {
		q := mustOpen(t, dir, Options{Parallel: 1})
		for _, id := range ids {
			mustEnqueue(t, q, draft(id, 1))
		}
		q.Close()
	}
	older := func(t *testing.T, dir string) {
		three(t, dir)
		index, err := os.ReadFile(filepath.Join(dir, "index.db"))
		if err != nil {
			t.Fatal(err)
		}
		q := mustOpen(t, dir, Options{})
		mustEnqueue(t, q, draft("LATER", 1))
		q.Close()
		if err := os.WriteFile(filepath.Join(dir, "index.db"), index, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var export bytes.Buffer
	from := mustOpen(t, memoryDir(t), Options{})
	mustEnqueue(t, from, draft("I1", 1))
	mustEnqueue(t, from, draft("I2", 1))
	if _, err := from.Export(t.Context(), &export, recipients()); err != nil {
		t.Fatal(err)
	}
	return map[string]*story{
		"first_start": {},
		"enqueue": {prepare: three, must: ids, after: []string{"D"}, do: func(_ *testing.T, q *Queue) error {
			_, err := q.Enqueue(context.Background(), draft("D", 2))
			return err
		}},
		"deliver_and_wipe": {prepare: three, must: []string{"B", "C"}, may: []string{"A"}, do: func(t *testing.T, q *Queue) error {
			_, err := q.DeliverDue(context.Background(), &hub{fail: func(s Submission) error {
				if s.ID != "A" {
					return io.ErrUnexpectedEOF
				}
				return nil
			}})
			return err
		}},
		"drop": {prepare: three, must: []string{"B", "C"}, may: []string{"A"},
			do: func(_ *testing.T, q *Queue) error { return q.Drop(context.Background(), "A") }},
		"rekey": {prepare: older, must: ids, do: func(_ *testing.T, q *Queue) error { _, err := q.Rekey(context.Background(), nil); return err }},
		"rebuild": {must: ids, prepare: func(t *testing.T, dir string) {
			three(t, dir)
			if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
				t.Fatal(err)
			}
		}},
		"rebuild_of_a_damaged_index": {must: ids, prepare: func(t *testing.T, dir string) {
			three(t, dir)
			if err := overwriteAt(filepath.Join(dir, "index.db"), 0, make([]byte, 8192)); err != nil {
				t.Fatal(err)
			}
			copyFile(t, filepath.Join(dir, "blobs/00000000/A"), filepath.Join(dir, "blobs/00000000/X"))
		}},
		"strays": {must: ids, prepare: older},
		"migration": {must: []string{"F", "N", "S", "H"}, may: []string{"X"}, o: Options{Retention: -1},
			prepare: func(t *testing.T, dir string) { copyTree(t, "testdata/layout-2", dir) }},
		"mend": {must: ids, prepare: func(t *testing.T, dir string) {
			three(t, dir)
			path := filepath.Join(dir, "index.db")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; ; {
				i := bytes.Index(data[at:], []byte(`{"id":"B"`))
				if i < 0 {
					break
				}
				at += i + 40
				data[at] ^= 1
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}, do: func(_ *testing.T, q *Queue) error { _, err := q.List(Filter{}); return err }},
		"take_in": {prepare: older, must: ids, after: []string{"LATER"}, do: func(_ *testing.T, q *Queue) error {
			_, err := q.TakeFound(context.Background(), "LATER")
			return err
		}},
		"compact": {must: ids, prepare: func(t *testing.T, dir string) {
			three(t, dir)
			q := mustOpen(t, dir, Options{})
			for i := range 100 {
				mustEnqueue(t, q, draft(fmt.Sprint("GONE", i), 0))
			}
			for i := range 100 {
				if err := q.Drop(t.Context(), fmt.Sprint("GONE", i)); err != nil {
					t.Fatal(err)
				}
			}
			q.Close()
		}, do: func(_ *testing.T, q *Queue) error {
			done, err := q.compact(0)
			if err == nil && !done {
				err = errors.New("there was nothing to compact")
			}
			return err
		}},
		"import": {prepare: three, must: ids, after: []string{"I1", "I2"}, do: func(_ *testing.T, q *Queue) error {
			_, err := q.Import(context.Background(), bytes.NewReader(export.Bytes()), officeKey)
			return err
		}},
	}
}

// TestSearchOfAllCuts: a sample, and all of it in the soak.
func TestSearchOfAllCuts(t *testing.T) {
	soak := os.Getenv("MOTCUA_SOAK") != ""
	states := 0
	defer func(kept int) { reserveSize = kept }(reserveSize)
	reserveSize = 0
	for name, s := range cutStories(t) {
		t.Run(name, func(t *testing.T) {
			dir := s.prepared(t)
			rec := record1(t, dir)
			o := rec.options(s.o)
			q, _, err := Open(t.Context(), dir, o)
			if err != nil {
				t.Fatal(err)
			}
			if s.do != nil {
				if err := s.do(t, q); err != nil {
					t.Fatal(err)
				}
			}
			full := len(rec.log)
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(1, uint64(len(name))))
			step, again := max(1, full/12), 1
			if soak {
				step, again = 1, 1<<30
			}
			mine := 0
			for n := rng.IntN(step); n <= full; n += step {
				for _, mode := range modes {
					mine += tryCut(t, s, rec, n, n == full, mode, rng, again)
					if t.Failed() {
						t.Fatalf("cut after %d of %d events, what was not synced is %s: %v", n, full, mode, last(rec.log[:n], 6))
					}
				}
			}
			states += mine
			t.Logf("%d events, %d states tried", full, mine)
		})
	}
	t.Logf("%d states tried in all", states)
	if states < 500 {
		t.Errorf("only %d states were tried", states)
	}
}

func last(log []event, n int) (kinds []string) {
	for _, e := range log[max(0, len(log)-n):] {
		kinds = append(kinds, strings.TrimSpace(fmt.Sprintf("%s %d %s %s", e.kind, e.inode, e.path, e.to)))
	}
	return kinds
}

// lay puts files into a new folder.
func lay(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := memoryDir(t)
	for path, data := range files {
		at := filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tryCut opens one state, checks it, and cuts that opening again at some or all of its events.
func tryCut(t *testing.T, s *story, rec *recorder, n int, whole bool, mode string, rng *rand.Rand, again int) (states int) {
	t.Helper()
	files := rec.onDisk(n, mode, rng)
	dir := lay(t, files)
	defer os.RemoveAll(dir)
	second := record1(t, dir)
	must := s.must
	if whole { // it was acknowledged, so all of it is synced
		must = append(slices.Clone(must), s.after...)
	}
	before := wholeBlobs(t, dir)
	opening := check(t, s, dir, second, must, before)
	states++
	for range min(again, opening) {
		at := rng.IntN(opening)
		if again >= opening {
			at = states - 1
		}
		if t.Failed() {
			return states
		}
		twice := lay(t, second.onDisk(at, modes[rng.IntN(len(modes))], rng))
		check(t, s, twice, record1(t, twice), must, before)
		os.RemoveAll(twice)
		states++
	}
	return states
}

// check opens what a cut left and holds it against the promises. It returns how many events the opening took.
func check(t *testing.T, s *story, dir string, rec *recorder, must, before []string) (opening int) {
	t.Helper()
	noMarker(t, dir)
	o := rec.options(s.o)
	o.Retention = -1 // what is delivered below stays to be counted
	q, repairs, err := Open(context.Background(), dir, o)
	opening = len(rec.log)
	if err != nil {
		t.Errorf("open: %v", err)
		return opening
	}
	defer q.Close()
	if _, err := q.List(Filter{}); err != nil { // mends what is to be mended
		t.Error(err)
	}
	found, err := q.Found(context.Background())
	if err != nil {
		t.Error(err)
	}
	gone := slices.DeleteFunc(slices.Clone(before), func(id string) bool { return slices.Contains(s.may, id) })
	now := wholeBlobs(t, dir)
	for _, id := range gone {
		if !slices.Contains(now, id) {
			t.Errorf("%s was whole and is destroyed; %s", id, repairs)
		}
	}
	v, err := q.Verify(context.Background())
	if err != nil || len(v.Faults) > 0 {
		t.Errorf("verify: %+v %v; %s", v.Faults, err, repairs)
	}
	if repairs.KeyRotation {
		if _, err := q.Rekey(context.Background(), nil); err != nil {
			t.Errorf("go on with the rotation: %v", err)
		}
	}
	h := &hub{}
	if _, err := q.RetryAll(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := q.DeliverDue(context.Background(), h); err != nil {
		t.Error(err)
	}
	for _, id := range must {
		sub, err := q.Get(id)
		if err != nil {
			t.Errorf("%s was acknowledged and is lost: %v; set aside: %v; %s", id, err, found, repairs)
			continue
		}
		if n := len(slices.DeleteFunc(slices.Clone(h.order), func(a string) bool { return a != id })); !sub.State.Sent() || n > 1 {
			t.Errorf("%s is %s (%s) and arrived %d times", id, sub.State, sub.LastError, n)
		}
	}
	return opening
}
