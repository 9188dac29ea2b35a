package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestIndexSurvivesTornCommits plays every power cut that can come while bbolt commits: it keeps the index before
// and after each transaction and builds what the disk may hold between. bbolt writes data pages, syncs,
// writes one meta page and syncs; so either any of the data pages may have got to the disk, torn at
// any sector, under the old meta page, or all of them under a torn one.
func TestIndexSurvivesTornCommits(t *testing.T) {
	dir := memoryDir(t)
	path := filepath.Join(dir, "index.db")
	q := mustOpen(t, dir, Options{Parallel: 1, RetryFirst: time.Hour, RetryMax: time.Hour})
	mustEnqueue(t, q, draft("A", 1))
	var taken *record
	claim := func() (err error) { taken, _, err = q.claim(turn{}, q.now()); return err }
	settle := func(cause error) func() error {
		return func() error { return settled(context.Background(), q, taken, cause) }
	}
	for _, s := range []struct {
		name string
		do   func() error // one transaction
	}{
		{"enqueue", func() error { _, err := q.Enqueue(context.Background(), draft("B", 1)); return err }},
		{"claim", claim},
		{"hold", settle(Permanent(io.ErrUnexpectedEOF))},
		{"retry", func() error { return q.Retry(context.Background(), "A") }},
		{"claim_again", claim},
		{"postpone", settle(io.ErrUnexpectedEOF)},
		{"claim_other", claim},
		{"deliver", settle(nil)},
		{"mark_for_wiping", func() error { _, err := q.markExpired(); return err }},
		{"wipe", func() error { _, err := q.wipeMarked(); return err }},
	} {
		t.Run(s.name, func(t *testing.T) {
			before, _ := os.ReadFile(path)
			if err := s.do(); err != nil {
				t.Fatal(err)
			}
			after, _ := os.ReadFile(path)
			for try := range 40 {
				meta := try%2 == 1
				checkTorn(t, tearIndex(t, before, after, meta), dir)
				if t.Failed() {
					t.Fatalf("try %d, meta page torn: %v", try, meta)
				}
			}
		})
	}
	mustState(t, q, "A", Queued)
	if !mustState(t, q, "B", Delivered).Wiped {
		t.Fatal("the steps did not do what they are called")
	}
}

// tearIndex builds what a power cut may leave between two images of the index that are one commit apart.
func tearIndex(t *testing.T, before, after []byte, meta bool) []byte {
	t.Helper()
	const page, sector = 4096, 512
	image := make([]byte, max(len(before), len(after)))
	copy(image, before)
	changed := [2]int{}
	for at := 0; at < len(after); at += page {
		to, from := image[at:at+page], after[at:at+page]
		if bytes.Equal(to, from) {
			continue
		}
		switch isMeta := at < 2*page; {
		case isMeta:
			changed[1]++
			if meta {
				copy(to[:rand.IntN(128)], from)
			}
		case meta || rand.IntN(2) == 0:
			changed[0]++
			copy(to, from)
		default:
			changed[0]++
			copy(to[:sector*rand.IntN(page/sector)], from)
		}
	}
	if changed[0] == 0 || changed[1] != 1 {
		t.Fatalf("%d data and %d meta pages changed: that was not one commit", changed[0], changed[1])
	}
	return image
}

// checkTorn opens a copy of the queue with the given index.
func checkTorn(t *testing.T, image []byte, dir string) {
	t.Helper()
	other, err := os.MkdirTemp(filepath.Dir(dir), "torn")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(other)
	copyTree(t, filepath.Join(dir, "blobs"), filepath.Join(other, "blobs"))
	copyFile(t, filepath.Join(dir, "kiosk.key"), filepath.Join(other, "kiosk.key"))
	if err := os.WriteFile(filepath.Join(other, "index.db"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	q, repairs, err := Open(context.Background(), other, Options{MinFree: -1})
	if err != nil {
		t.Error(err)
		return
	}
	defer q.Close()
	if repairs.IndexAside != "" {
		t.Error("index was given up")
	}
	if v, err := q.Verify(context.Background()); err != nil || len(v.Faults) > 0 {
		t.Errorf("%+v %v; repairs: %s", v.Faults, err, repairs)
	}
	if _, err := q.Get("A"); err != nil {
		t.Errorf("acknowledged and lost: %v", err)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(from, path)
		at := filepath.Join(to, rel)
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return os.MkdirAll(at, 0o700)
		}
		data, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(at, data, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestIndexLostIsBuiltAgain(t *testing.T) {
	for name, damage := range map[string]func(string) error{
		"removed":  os.Remove,
		"emptied":  func(p string) error { return os.Truncate(p, 0) },
		"garbage":  func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("garbage!"), 4096), 0o600) },
		"no_metas": func(p string) error { return overwriteAt(p, 0, make([]byte, 8192)) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			dir := t.TempDir()
			q := mustOpen(t, dir, Options{Retention: -1, Parallel: 1})
			a, b := mustEnqueue(t, q, draft("A", 1)), mustEnqueue(t, q, draft("B", 1))
			h := &hub{fail: func(s Submission) error {
				if s.ID == "B" {
					return Permanent(io.ErrUnexpectedEOF)
				}
				return nil
			}}
			if _, err := q.DeliverDue(ctx, h); err != nil {
				t.Fatal(err)
			}
			q.Close()
			if err := damage(filepath.Join(dir, "index.db")); err != nil {
				t.Fatal(err)
			}
			// A blob that is torn must not be wiped with the rest of what the index does not know.
			copyFile(t, filepath.Join(dir, "blobs/00000000/A"), filepath.Join(dir, "blobs/00000000/C"))

			q, repairs := mustOpenRepairs(t, dir, Options{Retention: -1, Parallel: 1})
			if !slices.Equal(repairs.Adopted, []string{"A", "B"}) || !slices.Equal(repairs.Unreadable, []string{"C.damaged"}) {
				t.Fatalf("%+v", repairs)
			}
			if _, err := os.Stat(filepath.Join(dir, "found", "C.damaged")); err != nil {
				t.Fatal(err)
			}
			// What whole records are left in the damaged file tell what was delivered, and what was held.
			told := name == "no_metas"
			for _, s := range []Submission{a, b} {
				want := Queued
				switch {
				case told && s.ID == "A":
					want = Delivered
				case told:
					want = Held
				}
				got := mustState(t, q, s.Code, want)
				if got.SHA256 != s.SHA256 || !got.Created.Equal(s.Created) || len(got.Parts) != len(s.Parts) {
					t.Fatalf("%+v", got)
				}
			}
			h.fail = nil
			if _, err := q.RetryAll(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := q.DeliverDue(ctx, h); err != nil || !slices.Equal(h.order, []string{"A", "B"}) {
				t.Fatal(err, h.order)
			}
			if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
				t.Fatal(v, err)
			}
		})
	}
}

// TestIndexCutAnywhereIsBuiltAgain cuts the index at its pages. Where in the file bbolt wrote a record is its own
// affair, so what a cut leaves of it may be told or not; but nothing is told otherwise than it was, and the longest cut,
// which takes only what was free at the end, tells all.
func TestIndexCutAnywhereIsBuiltAgain(t *testing.T) {
	ctx := context.Background()
	whole := t.TempDir()
	q := mustOpen(t, whole, Options{Retention: -1, Parallel: 1})
	a, b := mustEnqueue(t, q, draft("A", 1)), mustEnqueue(t, q, draft("B", 1))
	h := &hub{fail: func(s Submission) error {
		if s.ID == "B" {
			return Permanent(io.ErrUnexpectedEOF)
		}
		return nil
	}}
	if _, err := q.DeliverDue(ctx, h); err != nil {
		t.Fatal(err)
	}
	q.Close()
	info, err := os.Stat(filepath.Join(whole, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	page := int64(os.Getpagesize())
	told := 0
	for size := int64(0); size < info.Size(); size += max(page, size/16/page*page) { // what two submissions need lies in front
		dir := filepath.Join(t.TempDir(), "queue")
		copyTree(t, whole, dir)
		if err := os.Truncate(filepath.Join(dir, "index.db"), size); err != nil {
			t.Fatal(err)
		}
		q, _ := mustOpenRepairs(t, dir, Options{Retention: -1, Parallel: 1})
		gotA, errA := q.Get(a.Code)
		gotB, errB := q.Get(b.Code)
		q.Close()
		if errA != nil || errB != nil {
			t.Fatalf("cut at %d of %d: %v, %v", size, info.Size(), errA, errB)
		}
		if gotA.State != Delivered && gotA.State != Queued || gotB.State != Held && gotB.State != Queued {
			t.Errorf("cut at %d of %d: %s, %s", size, info.Size(), gotA.State, gotB.State)
		}
		if gotA.State == Delivered && gotB.State == Held {
			told++
		}
	}
	if told == 0 {
		t.Error("no cut left a whole record that was told")
	}
}

// TestIndexPagesRot spoils pages that bbolt reads only later.
func TestIndexPagesRot(t *testing.T) {
	ctx := context.Background()
	noticed := 0
	for try := range 30 {
		dir := memoryDir(t)
		q := mustOpen(t, dir, Options{Retention: -1, Parallel: 1})
		const n = 40
		for i := range n {
			mustEnqueue(t, q, draft(fmt.Sprint(i), 0))
		}
		var used int64
		if err := q.view(func(tx *bolt.Tx) error { used = tx.Size(); return nil }); err != nil {
			t.Fatal(err)
		}
		q.Close()
		path := filepath.Join(dir, "index.db")
		page := 2 + rand.Int64N(used/4096-2)
		junk := make([]byte, 4096)
		for i := range junk {
			junk[i] = byte(rand.Int())
		}
		if err := overwriteAt(path, page*4096, junk); err != nil {
			t.Fatal(err)
		}
		h := &hub{}
		// The daemon is started again by systemd until it stays up. A citizen's submission is lost in no case.
		arrived := func() bool {
			q, repairs, err := Open(ctx, dir, Options{MinFree: -1, Retention: -1, Parallel: 1})
			if err != nil {
				t.Logf("try %d: open: %v", try, err)
				return false
			}
			defer q.Close()
			if repairs.IndexAside != "" {
				noticed++
			}
			if _, err = q.DeliverDue(ctx, h); err != nil {
				t.Logf("try %d: deliver: %v", try, err)
			}
			if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
				t.Logf("try %d: verify: %v %v", try, v.Faults, err)
			}
			return err == nil
		}
		for range 4 {
			if arrived() {
				break
			}
		}
		if len(h.order) != n {
			t.Errorf("try %d, page %d: %d of %d arrived", try, page, len(h.order), n)
		}
	}
	t.Logf("noticed %d times", noticed)
}

func overwriteAt(path string, at int64, p []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(p, at)
	return errors.Join(err, f.Close())
}

func TestKeyMissing(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "kiosk.key")
	q := mustOpen(t, dir, Options{})
	mustEnqueue(t, q, draft("A", 1))
	q.Close()
	kept, _ := os.ReadFile(key)
	refuse := func(name string) {
		t.Helper()
		if _, _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrNoKey) {
			t.Fatalf("%s: %v", name, err)
		}
	}
	os.Remove(key)
	refuse("removed")
	if _, err := os.Stat(key); err == nil {
		t.Fatal("made a new key beside submissions")
	}
	index, _ := os.ReadFile(filepath.Join(dir, "index.db"))
	os.Remove(filepath.Join(dir, "index.db"))
	refuse("key and index removed")
	mustOpen(t, t.TempDir(), Options{}).Close()
	other := t.TempDir()
	mustOpen(t, other, Options{}).Close()
	copyFile(t, filepath.Join(other, "kiosk.key"), key)
	os.Remove(filepath.Join(dir, "index.db"))
	refuse("another kiosk's key, index removed")
	os.WriteFile(filepath.Join(dir, "index.db"), index, 0o600)
	refuse("another kiosk's key")
	os.WriteFile(key, kept, 0o600)
	mustState(t, mustOpen(t, dir, Options{}), "A", Queued)
}

func TestMigration(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{})
	mustEnqueue(t, q, draft("A", 1))
	q.Close()
	kept, keptVersion := migrations, schemaVersion
	defer func() { migrations, schemaVersion = kept, keptVersion }()
	bucketNew := []byte("made by the next version")

	broken := errors.New("disk gave up")
	migrations = append(slices.Clone(kept), func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucket(bucketNew); err != nil {
			return err
		}
		return broken
	})
	schemaVersion = uint64(len(migrations))
	if _, _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}

	// Half a migration leaves nothing: the step can make its bucket again.
	migrations[len(kept)] = func(tx *bolt.Tx) error { _, err := tx.CreateBucket(bucketNew); return err }
	q, repairs := mustOpenRepairs(t, dir, Options{})
	if repairs.MigratedFrom != len(kept) {
		t.Fatalf("%+v", repairs)
	}
	mustState(t, q, "A", Queued)
	q.Close()

	migrations, schemaVersion = kept, keptVersion
	if _, _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Fatalf("an older program opened it: %v", err)
	}
}

// TestLayout1 opens what the first layout wrote: A and D delivered and wiped, B held, C waiting with a note, E being
// sent when the program ended.
func TestLayout1(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for _, name := range []string{"index.db", "kiosk.key", "blobs/00000000/B", "blobs/00000000/C", "blobs/00000000/E"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		copyFile(t, filepath.Join("testdata/layout-1", name), filepath.Join(dir, name))
	}
	q, repairs := mustOpenRepairs(t, dir, Options{Parallel: 1})
	if repairs.MigratedFrom != 1 || !slices.Equal(repairs.Requeued, []string{"E"}) || len(repairs.SetAside) > 0 {
		t.Fatalf("%+v", repairs)
	}
	for id, state := range map[string]State{"A": Delivered, "B": Held, "C": Queued, "D": Delivered, "E": Queued} {
		mustState(t, q, id, state)
	}
	if text, err := (&note{q: q, id: "C"}).Load(); err != nil || text != "note of C" {
		t.Fatal(text, err)
	}
	if v, err := q.Verify(ctx); err != nil || v.Checked != 3 || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
	if n, err := q.RetryAll(ctx); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	h := &hub{}
	if _, err := q.DeliverDue(ctx, h); err != nil || !slices.Equal(h.order, []string{"B", "C", "E"}) {
		t.Fatal(h.order, err)
	}
}

// TestLayout2 opens what builds before layout 3 wrote: W delivered and wiped, K delivered and kept, H held by what a
// front of the hub said, N waiting with a note, X dropped and about to be wiped, S being sent when the program ended, F
// just accepted.
func TestLayout2(t *testing.T) {
	ctx := context.Background()
	load := func(t *testing.T) string {
		dir := memoryDir(t)
		copyTree(t, "testdata/layout-2", dir)
		return dir
	}
	t.Run("whole", func(t *testing.T) {
		dir := load(t)
		q, repairs := mustOpenRepairs(t, dir, Options{Parallel: 1, Outbox: true, Retention: -1})
		if repairs.MigratedFrom != 2 || repairs.Wiped != 1 || !slices.Equal(repairs.Requeued, []string{"S"}) || len(repairs.SetAside) > 0 {
			t.Fatalf("%+v", repairs)
		}
		for id, state := range map[string]State{"W": Delivered, "K": Delivered, "H": Held, "N": Queued, "S": Queued, "F": Queued} {
			mustState(t, q, id, state)
		}
		if text, err := (&note{q: q, id: "N"}).Load(); err != nil || text != "note of N" {
			t.Fatal(text, err)
		}
		if events, err := q.Events(0, 100); err != nil || len(events) != 11 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		if v, err := q.Verify(ctx); err != nil || v.Checked != 5 || v.Wiped != 1 || len(v.Faults) > 0 {
			t.Fatal(v, err)
		}
		// Nobody wrote down why H was held: it is tried again by itself, once.
		h := &describedHub{about: "a hub"}
		if _, err := q.DeliverDue(ctx, h); err != nil {
			t.Fatal(err)
		}
		if err := q.Retry(ctx, "N"); err != nil {
			t.Fatal(err)
		}
		if _, err := q.DeliverDue(ctx, h); err != nil {
			t.Fatal(err)
		}
		slices.Sort(h.order)
		if !slices.Equal(h.order, []string{"F", "H", "N", "S"}) {
			t.Fatal(h.order)
		}
	})
	t.Run("rebuild_interrupted_by_an_older_build", func(t *testing.T) {
		dir := load(t)
		if err := os.Rename(filepath.Join(dir, "index-of-an-interrupted-rebuild.db"), filepath.Join(dir, "index.db")); err != nil {
			t.Fatal(err)
		}
		before := wholeBlobs(t, dir)
		q, repairs := mustOpenRepairs(t, dir, Options{Parallel: 1})
		if len(repairs.Adopted) != 6 || !slices.Equal(wholeBlobs(t, dir), before) {
			t.Fatalf("%+v", repairs)
		}
		if pass, err := q.DeliverDue(ctx, &hub{}); err != nil || pass.Delivered != 6 {
			t.Fatal(pass, err)
		}
	})
}

// describedHub is a hub that says what it is.
type describedHub struct {
	hub
	about string
}

func (d *describedHub) Describe(context.Context) (string, error) { return d.about, nil }
