package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// wholeBlobs finds every file below dir that is a blob from its header to its footer, with a key in it, whatever it
// is called and wherever it lies. It gives the submissions' ids, sorted.
func wholeBlobs(t testing.TB, dir string) []string {
	t.Helper()
	var ids []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Ext(path) == partialSuffix {
			return err
		}
		f, err := osDisk{}.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		card, err := readCard(f)
		if err != nil {
			return nil
		}
		slots, err := readSlots(f)
		if err == nil && (card.Sealed || slots[0] != nil || slots[1] != nil) {
			ids = append(ids, card.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

// contents reads every file below dir, so that a test can tell whether anything changed.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// filled makes a closed queue with n small submissions and gives their ids.
func filled(t *testing.T, n int) (dir string, ids []string) {
	t.Helper()
	dir = memoryDir(t)
	q := mustOpen(t, dir, Options{})
	for i := range n {
		ids = append(ids, mustEnqueue(t, q, draft(fmt.Sprintf("N%04d", i), 0)).ID)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, ids
}

// TestInterruptedRebuild cuts the building of a lost index at every operation on files, and then opens the queue again.
func TestInterruptedRebuild(t *testing.T) {
	const n = 2*segmentFill + 5
	dir, ids := filled(t, n)
	if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
		t.Fatal(err)
	}
	count := &faultDisk{disk: osDisk{}}
	whole := memoryDir(t)
	copyTree(t, dir, whole)
	q, _, err := Open(t.Context(), whole, Options{MinFree: -1, disk: count})
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	step := 1
	if testing.Short() {
		step = 7
	}
	for at := 1; at <= count.ops; at += step {
		cut := memoryDir(t)
		copyTree(t, dir, cut)
		d := &faultDisk{disk: osDisk{}, mode: "cut", at: at}
		if q, _, err := Open(t.Context(), cut, Options{MinFree: -1, disk: d}); err == nil {
			q.Close()
		}
		q, _ := mustOpenRepairs(t, cut, Options{})
		for _, id := range ids {
			if _, err := q.Get(id); err != nil {
				t.Fatalf("cut at operation %d of %d: %s: %v", at, count.ops, id, err)
			}
		}
		if got := wholeBlobs(t, cut); !slices.Equal(got, ids) {
			t.Fatalf("cut at operation %d of %d: %d of %d blobs are whole", at, count.ops, len(got), n)
		}
		q.Close()
		os.RemoveAll(cut)
	}
	t.Logf("%d cuts", count.ops)
}

// TestRefusalChangesNothing: what must refuse to start does so again and again, and is whole when the cause is mended.
func TestRefusalChangesNothing(t *testing.T) {
	other, _ := filled(t, 0)
	for name, spoil := range map[string]func(dir string) error{
		"key_missing": func(dir string) error { return nil },
		"key_of_another_kiosk": func(dir string) error {
			copyFile(t, filepath.Join(other, "kiosk.key"), filepath.Join(dir, "kiosk.key"))
			return nil
		},
		"key_missing_and_index_lost":      func(dir string) error { return os.Remove(filepath.Join(dir, "index.db")) },
		"key_missing_and_index_emptied":   func(dir string) error { return os.Truncate(filepath.Join(dir, "index.db"), 0) },
		"key_missing_and_index_damaged":   func(dir string) error { return overwriteAt(filepath.Join(dir, "index.db"), 0, make([]byte, 8192)) },
		"key_missing_and_index_cut_short": func(dir string) error { return os.Truncate(filepath.Join(dir, "index.db"), 3*4096) },
		"another_key_and_index_lost": func(dir string) error {
			copyFile(t, filepath.Join(other, "kiosk.key"), filepath.Join(dir, "kiosk.key"))
			return os.Remove(filepath.Join(dir, "index.db"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ids := filled(t, 3)
			key := filepath.Join(dir, "kiosk.key")
			kept, err := os.ReadFile(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Remove(key), spoil(dir)); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			for range 3 {
				q, _, err := Open(t.Context(), dir, Options{MinFree: -1})
				if err == nil {
					q.Close()
				}
				if !errors.Is(err, ErrNoKey) {
					t.Fatalf("started: %v; %d of %d blobs are whole", err, len(wholeBlobs(t, dir)), len(ids))
				}
				if after := contents(t, dir); !maps.Equal(before, after) {
					t.Fatal("a start that refused changed something")
				}
			}
			if err := os.WriteFile(key, kept, 0o600); err != nil {
				t.Fatal(err)
			}
			q := mustOpen(t, dir, Options{Parallel: 1})
			for _, id := range ids {
				mustState(t, q, id, Queued)
			}
			if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != len(ids) {
				t.Fatal(pass, err)
			}
		})
	}
}

// TestUnknownBlobsAreKept: whole blobs that the index does not know are set aside, whatever made them unknown.
func TestUnknownBlobsAreKept(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string, older []byte){
		"newest_meta_page_unreadable": func(t *testing.T, dir string, _ []byte) { spoilNewestMeta(t, filepath.Join(dir, "index.db")) },
		"older_index_put_back": func(t *testing.T, dir string, older []byte) {
			if err := os.WriteFile(filepath.Join(dir, "index.db"), older, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ids := filled(t, 3)
			older, err := os.ReadFile(filepath.Join(dir, "index.db"))
			if err != nil {
				t.Fatal(err)
			}
			q := mustOpen(t, dir, Options{})
			last := mustEnqueue(t, q, draft("LAST", 1))
			q.Close()
			spoil(t, dir, older)
			before := wholeBlobs(t, dir)
			q, repairs := mustOpenRepairs(t, dir, Options{Parallel: 1})
			if after := wholeBlobs(t, dir); !slices.Equal(before, after) {
				t.Fatalf("whole before %v, after %v; %s", before, after, repairs)
			}
			for _, id := range ids {
				mustState(t, q, id, Queued)
			}
			if _, err := q.Get("LAST"); !errors.Is(err, ErrNotFound) {
				t.Fatalf("the damage did not do what it is called: %v", err)
			}
			found, err := q.Found(context.Background())
			if err != nil || len(found) != 1 || found[0].Submission.ID != last.ID {
				t.Fatalf("%+v %v", found, err)
			}
		})
	}
}

// spoilNewestMeta makes the meta page of the last transaction unreadable.
func spoilNewestMeta(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page, txid = 4096, 16 + 48 // bbolt's page header, and where its meta keeps the transaction's number
	newest := int64(0)
	if data[page+txid] > data[txid] {
		newest = 1
	}
	if err := overwriteAt(path, newest*page, make([]byte, 512)); err != nil {
		t.Fatal(err)
	}
}

// TestIndexThatMayNotBeRead: files that a technician copied back as another user are no damage: the start refuses, as often
// as it is tried, and changes nothing; the right owner mends it.
func TestIndexThatMayNotBeRead(t *testing.T) {
	const nobody = 65534
	dir := memoryDir(t)
	q := mustOpen(t, dir, Options{Parallel: 1, Retention: -1})
	mustEnqueue(t, q, draft("A", 1))
	if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
	index := q.indexPath()
	blob := q.path(place{0, "A"})
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	asUser := func(do func()) { do() }
	if os.Geteuid() == 0 { // nothing is forbidden to root
		if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, nobody, nobody))
		}); err != nil {
			t.Fatal(err)
		}
		asUser = func(do func()) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if _, err := unix.SetfsuidRetUid(nobody); err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = unix.SetfsuidRetUid(0) }()
			do()
		}
	}
	refuses := func(forbidden string) {
		t.Helper()
		before := contents(t, dir)
		if err := os.Chmod(forbidden, 0); err != nil {
			t.Fatal(err)
		}
		asUser(func() {
			for range 3 {
				q, _, err := Open(t.Context(), dir, Options{MinFree: -1})
				if err == nil {
					q.Close()
				}
				if !errors.Is(err, fs.ErrPermission) {
					t.Errorf("opened what may not be read: %v", err)
				}
			}
		})
		if err := os.Chmod(forbidden, 0o600); err != nil {
			t.Fatal(err)
		}
		if after := contents(t, dir); !maps.Equal(after, before) {
			t.Fatalf("a start that refused changed something: %d files, before %d", len(after), len(before))
		}
	}
	refuses(index)
	q = mustOpen(t, dir, Options{Retention: -1})
	mustState(t, q, "A", Delivered)
	// With the index lost it is the blobs that tell: one that may not be read is not set aside.
	if err := errors.Join(q.Close(), os.Remove(index)); err != nil {
		t.Fatal(err)
	}
	refuses(blob)
	mustState(t, mustOpen(t, dir, Options{}), "A", Queued)
}
