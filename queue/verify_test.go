package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"motcua/queue/seal"
)

func TestVerifyFindsEveryBentByte(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{})
	mustEnqueue(t, q, draft("A", 1))
	mustEnqueue(t, q, draft("B", 1))
	path := filepath.Join(dir, "blobs/00000000/A")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := func(at int) bool { // the rest of the header is empty space
		return at < len(headerMagic) || at >= headerSize || (at >= 512 && at < 600)
	}
	for range 400 {
		at := rand.IntN(len(whole))
		if !used(at) {
			continue
		}
		bent := bytes.Clone(whole)
		bent[at] ^= 1 << rand.IntN(8)
		if err := os.WriteFile(path, bent, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := q.Verify(context.Background())
		if err != nil || len(v.Faults) != 1 || v.Faults[0].ID != "A" || v.Checked != 1 {
			t.Fatalf("byte %d of %d bent: %+v %v", at, len(whole), v, err)
		}
	}
	for _, n := range []int{0, 100, headerSize, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if v, err := q.Verify(context.Background()); err != nil || len(v.Faults) != 1 {
			t.Fatalf("cut to %d: %+v %v", n, v, err)
		}
	}
}

func TestVerifyFindsIndexFaults(t *testing.T) {
	q := mustOpen(t, t.TempDir(), Options{})
	mustEnqueue(t, q, draft("A", 1))
	for _, damage := range []func(tx *bolt.Tx) error{
		func(tx *bolt.Tx) error { return tx.Bucket(bucketFresh).Delete(number(1)) },
		func(tx *bolt.Tx) error { return tx.Bucket(bucketFresh).Put(number(1), nil) }, // mended
		func(tx *bolt.Tx) error { return tx.Bucket(bucketHeld).Put(number(7), nil) },
		func(tx *bolt.Tx) error { return tx.Bucket(bucketHeld).Delete(number(7)) },
		func(tx *bolt.Tx) error { return add(tx, "count/queued", 1) },
		func(tx *bolt.Tx) error { return add(tx, "count/queued", -1) },
	} {
		before, _ := q.Verify(context.Background())
		if err := q.update(damage); err != nil {
			t.Fatal(err)
		}
		v, err := q.Verify(context.Background())
		if err != nil || (len(v.Faults) == 0) == (len(before.Faults) == 0) {
			t.Fatalf("%+v %v", v, err)
		}
	}
}

func TestDamagedContentIsHeldAndBlocksNobody(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{Parallel: 1})
	for _, id := range []string{"A", "B", "C", "D"} {
		mustEnqueue(t, q, draft(id, 2))
	}
	blob := func(id string) string { return filepath.Join(dir, "blobs/00000000", id) }
	if err := overwriteAt(blob("A"), headerSize+60_000, []byte("bit rot")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(blob("B")); err != nil {
		t.Fatal(err)
	}
	if err := overwriteAt(blob("C"), 512, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	h := &hub{}
	pass, err := q.DeliverDue(context.Background(), h)
	if err != nil || pass != (Pass{Delivered: 1, Held: 3}) || !slices.Equal(h.order, []string{"D"}) {
		t.Fatal(pass, err, h.order)
	}
	for _, id := range []string{"A", "B", "C"} {
		if s := mustState(t, q, id, Held); !strings.Contains(s.LastError, "damaged") || strings.Contains(s.LastError, marker) {
			t.Errorf("%s: %q", id, s.LastError)
		}
	}
}

func TestRepairs(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{Retention: -1})
	mustEnqueue(t, q, draft("A", 1))
	q.Close()
	index, _ := os.ReadFile(filepath.Join(dir, "index.db"))
	q = mustOpen(t, dir, Options{})
	mustEnqueue(t, q, draft("ORPHAN", 1))
	q.Close()
	// The power went after the blob was whole and before the index had it.
	os.WriteFile(filepath.Join(dir, "index.db"), index, 0o600)
	os.WriteFile(filepath.Join(dir, "blobs/00000000/HALF.part"), []byte("half"), 0o600)
	os.WriteFile(filepath.Join(dir, "blobs/00000000/lost+found.txt"), nil, 0o600)

	q, repairs := mustOpenRepairs(t, dir, Options{})
	if repairs.Unfinished != 1 || !slices.Equal(repairs.SetAside, []string{"ORPHAN.unknown"}) || len(repairs.Requeued) != 0 {
		t.Fatalf("%+v", repairs)
	}
	if !strings.Contains(repairs.String(), "1 half-written blobs") {
		t.Fatal(repairs.String())
	}
	if _, _, err := q.claim(turn{}, q.now()); err != nil {
		t.Fatal(err)
	}
	q.Close()
	q, repairs = mustOpenRepairs(t, dir, Options{})
	if !slices.Equal(repairs.Requeued, []string{"A"}) {
		t.Fatalf("%+v", repairs)
	}
	if s := mustState(t, q, "A", Queued); !s.NextAttempt.IsZero() {
		t.Fatal("the first power cut made it wait")
	}
	if _, _, err := q.claim(turn{}, q.now()); err != nil {
		t.Fatal(err)
	}
	q.Close()
	q, _ = mustOpenRepairs(t, dir, Options{})
	if s := mustState(t, q, "A", Queued); s.NextAttempt.IsZero() {
		t.Fatal("what ends the program twice is tried first a third time")
	}
	v, err := q.Verify(ctx)
	if err != nil || len(v.Faults) != 1 || !strings.Contains(v.Faults[0].What, "foreign file") {
		t.Fatal(v, err)
	}
	q.Close()
	if _, repairs = mustOpenRepairs(t, dir, Options{}); repairs.Any() {
		t.Fatalf("repaired again: %s", repairs)
	}
}

func TestRekey(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	key := filepath.Join(dir, "kiosk.key")
	q := mustOpen(t, dir, Options{})
	for i := range 5 {
		mustEnqueue(t, q, draft(fmt.Sprint("A", i), 1))
	}
	old, _ := os.ReadFile(key)
	// Others go on meanwhile.
	var wg sync.WaitGroup
	var put, got atomic.Int64
	bothGoOn := func() {
		for p, g := put.Load(), got.Load(); put.Load() == p || got.Load() == g; {
			if t.Failed() {
				return
			}
			runtime.Gosched()
		}
	}
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if _, err := q.Enqueue(ctx, draft(fmt.Sprint("B", i), 1)); err != nil {
					t.Error(err)
				}
				put.Add(1)
			}
		}
	})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c, err := q.Content(ctx, "A3")
				if err != nil {
					t.Error(err)
					return
				}
				c.Close()
				got.Add(1)
			}
		}
	})
	bothGoOn()
	n, err := q.Rekey(ctx, nil)
	bothGoOn()
	close(stop)
	wg.Wait()
	if err != nil || n < 5 {
		t.Fatal(n, err)
	}
	if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
	q.Close()

	// The old key opens nothing any more, neither by the index nor in any blob's header.
	now, _ := os.ReadFile(key)
	os.WriteFile(key, old, 0o600)
	if _, _, err := Open(ctx, dir, Options{}); !errors.Is(err, ErrNoKey) {
		t.Fatalf("got %v", err)
	}
	keys, _ := seal.NewFile(key).Load(ctx)
	ring := seal.NewRing(keys[0])
	blobs, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", "*"))
	for _, b := range blobs {
		f, err := osDisk{}.Open(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dataKey(f, filepath.Base(b), ring); err == nil {
			t.Errorf("%s opens with the old key", b)
		}
		f.Close()
	}
	os.WriteFile(key, now, 0o600)
	q = mustOpen(t, dir, Options{})

	t.Run("to_another_vault", func(t *testing.T) {
		to := seal.NewFile(filepath.Join(t.TempDir(), "elsewhere.key"))
		if _, err := q.Rekey(ctx, to); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
			t.Fatal("the old vault was not emptied")
		}
		mustEnqueue(t, q, draft("C", 1))
		q.Close()
		if _, _, err := Open(ctx, dir, Options{}); !errors.Is(err, ErrNoKey) {
			t.Fatalf("got %v", err)
		}
		q := mustOpen(t, dir, Options{Vault: to})
		if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
			t.Fatal(v, err)
		}
	})
}

// TestWipeWaitsForReaders: an export under way is not pulled from under its reader's feet.
func TestWipeWaitsForReaders(t *testing.T) {
	ctx := context.Background()
	q := mustOpen(t, t.TempDir(), Options{})
	mustEnqueue(t, q, draft("A", 2))
	c, err := q.Content(ctx, "A")
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Drop(ctx, "A"); !errors.Is(err, ErrState) {
		t.Fatalf("got %v", err)
	}
	if _, err := q.DeliverDue(ctx, &hub{}); err != nil {
		t.Fatal(err)
	}
	if mustState(t, q, "A", Delivered).Wiped {
		t.Fatal("wiped while it is read")
	}
	if _, err := io.Copy(io.Discard, io.NewSectionReader(c, 0, c.Size())); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if n, err := q.Sweep(ctx); err != nil || n != 1 {
		t.Fatal(n, err)
	}
}

func TestEmptyFoldersGo(t *testing.T) {
	ctx := context.Background()
	dir := memoryDir(t)
	q := mustOpen(t, dir, Options{})
	for i := range 3*segmentFill + 10 {
		mustEnqueue(t, q, draft(fmt.Sprintf("%04d", i), 0))
	}
	if segs, _ := q.listSegments(); len(segs) != 4 {
		t.Fatal(segs)
	}
	if pass, err := q.DeliverDue(ctx, &hub{}); err != nil || pass.Delivered != 3*segmentFill+10 {
		t.Fatal(pass, err)
	}
	if segs, _ := q.listSegments(); !slices.Equal(segs, []uint64{3}) {
		t.Fatal(segs)
	}
	q.Close()
	q, repairs := mustOpenRepairs(t, dir, Options{})
	if repairs.Any() || q.segments.current != 3 {
		t.Fatal(repairs, q.segments.current)
	}
	mustEnqueue(t, q, draft("later", 0))
	if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
}

// Verify runs beside the daemon, so a busy queue must not look damaged.
func TestVerifyBesideWriters(t *testing.T) {
	q := mustOpen(t, t.TempDir(), Options{MinFree: -1})
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				s, err := q.Enqueue(context.Background(), Draft{Parts: []Part{FromBytes("form.json", "application/json", []byte("{}"))}})
				if err == nil && i%2 == 0 {
					err = q.Drop(context.Background(), s.ID)
				}
				if err != nil && !errors.Is(err, ErrState) && !errors.Is(err, ErrClosed) { // read by Verify just now; the test has failed
					t.Error(err)
					return
				}
			}
		})
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		v, err := q.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range v.Faults {
			if f.ID == "" && strings.HasPrefix(f.What, "index pages") {
				t.Fatalf("a sound index is called damaged: %s", f.What)
			}
		}
	}
	close(stop)
	writers.Wait()
	if v, err := q.Verify(t.Context()); err != nil || len(v.Faults) != 0 {
		t.Fatalf("%+v %v", v.Faults, err)
	}
}

// A sweep looks at who reads and then commits its marks; who began between the two must not find the blob
// being overwritten under it.
func TestReadersBesideTheSweep(t *testing.T) {
	ctx := context.Background()
	q := mustOpen(t, t.TempDir(), Options{Retention: time.Nanosecond})
	far := &hub{}
	var done atomic.Bool
	var readers sync.WaitGroup
	readers.Go(func() {
		for !done.Load() {
			if _, err := q.Rekey(ctx, nil); err != nil {
				t.Error("rotation:", err)
				return
			}
		}
	})
	for range 2 {
		readers.Go(func() {
			for !done.Load() {
				all, err := q.List(Filter{})
				if err != nil {
					t.Error(err)
					return
				}
				for _, s := range all {
					if s.Wiped {
						continue
					}
					c, err := q.Content(ctx, s.ID)
					if errors.Is(err, ErrWiped) || errors.Is(err, ErrNotFound) {
						continue
					}
					if err == nil {
						_, err = io.Copy(io.Discard, io.NewSectionReader(c, 0, c.Size()))
						err = errors.Join(err, c.Close())
					}
					if err != nil {
						t.Error("reader:", err)
						return
					}
				}
			}
		})
	}
	for i, end := 0, time.Now().Add(time.Second); time.Now().Before(end); i++ {
		id := fmt.Sprintf("B%06d", i)
		mustEnqueue(t, q, draft(id, 1))
		if i%3 == 0 {
			if err := q.Drop(ctx, id); err != nil && !errors.Is(err, ErrState) {
				t.Error("drop:", err)
			}
			continue
		}
		if _, err := q.DeliverDue(ctx, far); err != nil {
			t.Error(err)
		}
		if _, err := q.Sweep(ctx); err != nil {
			t.Error("sweep:", err)
		}
	}
	done.Store(true)
	readers.Wait()
}
