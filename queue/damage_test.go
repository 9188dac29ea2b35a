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
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// everyState makes a closed queue with one submission in each state, named by it; W is wiped.
func everyState(t *testing.T) (dir string, o Options) {
	t.Helper()
	ctx := t.Context()
	dir, o = memoryDir(t), Options{Parallel: 1, Retention: -1, MinFree: -1}
	q := mustOpen(t, dir, o)
	one := func(id string, sink Sink) {
		mustEnqueue(t, q, draft(id, 1))
		if sink == nil {
			return
		}
		if _, err := q.DeliverDue(ctx, sink); err != nil {
			t.Fatal(err)
		}
	}
	one("W", &hub{})
	q.o.Retention = 0
	if _, err := q.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	q.o.Retention = -1
	one("D", &hub{})
	one("A", acknowledging{})
	one("H", &hub{fail: func(Submission) error { return Permanent(io.ErrUnexpectedEOF) }})
	one("P", &hub{fail: func(Submission) error { return RetryAfter(io.ErrUnexpectedEOF, time.Hour) }})
	one("Q", nil)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, o
}

// acknowledging is a hub that says at once that the dossier is before those it is for.
type acknowledging struct{}

func (acknowledging) Probe(context.Context) error { return nil }
func (acknowledging) Deliver(_ context.Context, _ Submission, _ Bundle, n Notes) error {
	n.(Acknowledger).Acknowledge()
	return nil
}

var states = map[string]State{"W": Delivered, "D": Delivered, "A": Acknowledged, "H": Held, "P": Queued, "Q": Queued}

// TestOneBadRecord bends a byte of one record, in every copy that the index holds of it.
func TestOneBadRecord(t *testing.T) {
	for id := range states {
		t.Run(id, func(t *testing.T) {
			dir, o := everyState(t)
			path := filepath.Join(dir, "index.db")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; ; {
				i := bytes.Index(data[at:], fmt.Appendf(nil, `{"id":%q`, id))
				if i < 0 {
					break
				}
				at += i + 40
				data[at] ^= 0x04
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			q, _ := mustOpenRepairs(t, dir, o)
			if list, err := q.List(Filter{}); err != nil || len(list) < 5 {
				t.Fatal(len(list), err)
			}
			for other, state := range states {
				got, err := q.Get(other)
				if id == "W" && other == "W" {
					if !errors.Is(err, ErrNotFound) { // nothing is left to build it from, and nothing to lose
						t.Fatal(got, err)
					}
					continue
				}
				if err != nil || got.State != state || (other == "P" && got.NextAttempt.IsZero() && id != "P") {
					t.Fatalf("%s: %+v %v", other, got, err)
				}
			}
			if v, err := q.Verify(t.Context()); err != nil || len(v.Faults) > 0 {
				t.Fatalf("%+v %v", v, err)
			}
			h := &hub{}
			if _, err := q.RetryAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := q.DeliverDue(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if slices.Sort(h.order); !slices.Equal(h.order, []string{"H", "P", "Q"}) {
				t.Fatalf("sent %v", h.order)
			}
		})
	}
}

// TestAnyDamageOfTheIndex cuts the index to any length and bends it anywhere. Whatever came of it, a second start at the
// latest works, every submission that waits is there or set aside, and nothing whole is destroyed.
func TestAnyDamageOfTheIndex(t *testing.T) {
	dir, o := everyState(t)
	index, err := os.ReadFile(filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(index, "\x00"))
	before := wholeBlobs(t, dir)
	try := func(name string, damaged []byte) {
		cut := memoryDir(t)
		defer os.RemoveAll(cut)
		copyTree(t, filepath.Join(dir, "blobs"), filepath.Join(cut, "blobs"))
		copyFile(t, filepath.Join(dir, "kiosk.key"), filepath.Join(cut, "kiosk.key"))
		if err := os.WriteFile(filepath.Join(cut, "index.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		q, _, err := Open(t.Context(), cut, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for range 3 { // a page that makes no sense may be met only now
			if _, err = q.List(Filter{}); err == nil {
				_, err = q.DeliverDue(t.Context(), &hub{})
			}
			if !errors.Is(err, errIndexDamaged) {
				break
			}
			q.Close()
			if q, _, err = Open(t.Context(), cut, o); err != nil {
				t.Fatalf("%s: again: %v", name, err)
			}
		}
		defer q.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if after := wholeBlobs(t, cut); !slices.Equal(before, after) {
			t.Fatalf("%s: whole before %v, after %v", name, before, after)
		}
		found, err := q.Found(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, id := range []string{"Q", "P", "H"} {
			_, err := q.Get(id)
			aside := slices.ContainsFunc(found, func(f Found) bool { return f.Submission.ID == id })
			if err != nil && !aside {
				t.Fatalf("%s: %s is gone: %v", name, id, err)
			}
		}
	}
	tries := 30
	if os.Getenv("MOTCUA_SOAK") != "" {
		tries = 3000
	}
	for i := range tries {
		n := rand.IntN(used + 1)
		if i < 12 {
			n = []int{1, 16, 63, 64, 80, 100, 4095, 4096, 4097, 8191, 8192, 16384}[i]
		}
		try(fmt.Sprintf("cut to %d bytes", n), index[:n])
		bent := bytes.Clone(index)
		at := rand.IntN(used)
		bent[at] ^= 1 << rand.IntN(8)
		try(fmt.Sprintf("bent at %d", at), bent)
		for range 1 + rand.IntN(200) {
			bent[rand.IntN(used)] = byte(rand.Int())
		}
		try("bent in many places", bent)
	}
}

func TestSwappedBlobsAreHeldWithWords(t *testing.T) {
	dir, ids := filled(t, 3)
	at := func(id string) string { return filepath.Join(dir, "blobs/00000000", id) }
	for _, move := range [][2]string{{at(ids[0]), at("x")}, {at(ids[1]), at(ids[0])}, {at("x"), at(ids[1])}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	q := mustOpen(t, dir, Options{Parallel: 1})
	h := &hub{}
	pass, err := q.DeliverDue(t.Context(), h)
	if err != nil || pass != (Pass{Delivered: 1, Held: 2}) {
		t.Fatal(pass, err)
	}
	if s := mustState(t, q, ids[0], Held); !strings.Contains(s.LastError, "submission "+ids[1]) {
		t.Fatal(s.LastError)
	}
	// Put right, they are sent without a word from anybody.
	for _, move := range [][2]string{{at(ids[0]), at("x")}, {at(ids[1]), at(ids[0])}, {at("x"), at(ids[1])}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	if pass, err := q.DeliverDue(t.Context(), h); err != nil || pass.Delivered != 2 {
		t.Fatal(pass, err)
	}
}

// flakyDisk fails to read so many times.
type flakyDisk struct {
	disk
	fails atomic.Int64
}

type flakyFile struct {
	file
	d *flakyDisk
}

func (d *flakyDisk) Open(path string) (file, error) {
	f, err := d.disk.Open(path)
	return flakyFile{f, d}, err
}

func (f flakyFile) ReadAt(p []byte, off int64) (int, error) {
	if off > headerSize && f.d.fails.Add(-1) >= 0 {
		return 0, unix.EIO
	}
	return f.file.ReadAt(p, off)
}

func TestReadErrorThatComesOnce(t *testing.T) {
	d := &flakyDisk{disk: osDisk{}}
	q := mustOpen(t, t.TempDir(), Options{Parallel: 1, disk: d, RetryFirst: time.Nanosecond, RetryMax: time.Nanosecond})
	mustEnqueue(t, q, draft("A", 3))
	d.fails.Store(1)
	if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
	mustEnqueue(t, q, draft("B", 3))
	d.fails.Store(1 << 30)
	for range readTries - 1 {
		if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Failed != 1 {
			t.Fatal(pass, err)
		}
	}
	if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Held != 1 {
		t.Fatal(pass, err)
	}
}

func TestTakeFound(t *testing.T) {
	ctx := t.Context()
	dir, _ := filled(t, 1)
	older, err := os.ReadFile(filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	q := mustOpen(t, dir, Options{})
	last, other := mustEnqueue(t, q, draft("LAST", 2)), mustEnqueue(t, q, draft("OTHER", 1))
	q.Close()
	if err := os.WriteFile(filepath.Join(dir, "index.db"), older, 0o600); err != nil {
		t.Fatal(err)
	}
	q = mustOpen(t, dir, Options{Parallel: 1})
	if s, err := q.Stats(); err != nil || s.Found != 2 {
		t.Fatal(s, err)
	}
	// A new kiosk key wraps what was set aside too.
	if _, err := q.Rekey(ctx, nil); err != nil {
		t.Fatal(err)
	}
	// A damaged copy is not taken in.
	aside := filepath.Join(dir, "found", "OTHER.unknown")
	whole, err := os.ReadFile(aside)
	if err != nil {
		t.Fatal(err)
	}
	if err := overwriteAt(aside, headerSize+500, []byte("bent")); err != nil {
		t.Fatal(err)
	}
	if _, err := q.TakeFound(ctx, other.Code); !errors.Is(err, errDamaged) {
		t.Fatal(err)
	}
	if err := os.WriteFile(aside, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := q.TakeFound(ctx, last.Code)
	if err != nil || got.ID != last.ID || got.Code != last.Code || got.State != Queued || !got.Created.Equal(last.Created) {
		t.Fatalf("%+v %v", got, err)
	}
	// Handed in once more meanwhile, the other is here already.
	mustEnqueue(t, q, draft("OTHER", 1))
	if _, err := q.TakeFound(ctx, "OTHER.unknown"); !errors.Is(err, ErrState) {
		t.Fatal(err)
	}
	if _, err := q.DropFound(ctx, "OTHER.unknown"); err != nil {
		t.Fatal(err)
	}
	if found, err := q.Found(ctx); err != nil || len(found) != 0 {
		t.Fatal(found, err)
	}
	// A record whose blob is gone gets it back.
	blob := filepath.Join(dir, "blobs/00000000/LAST")
	if err := os.Rename(blob, filepath.Join(dir, "found", "LAST.unknown")); err != nil {
		t.Fatal(err)
	}
	if pass, err := q.DeliverDue(ctx, &hub{}); err != nil || pass.Held != 1 {
		t.Fatal(pass, err)
	}
	if got, err := q.TakeFound(ctx, "LAST"); err != nil || got.State != Queued {
		t.Fatal(got, err)
	}
	if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
	if pass, err := q.DeliverDue(ctx, &hub{}); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
}

// TestHeldHeals: what the hub refused is asked again when the hub or the configuration changed, and a day later.
func TestHeldHeals(t *testing.T) {
	ctx := t.Context()
	now := time.Now()
	q := mustOpen(t, t.TempDir(), Options{Parallel: 1, wall: func() time.Time { return now }})
	mustEnqueue(t, q, draft("A", 1))
	h := &describedHub{about: "takes 1 MB"}
	h.fail = func(Submission) error { return Permanent(errors.New("413 too large")) }
	pass := func(want Pass) {
		t.Helper()
		if got, err := q.DeliverDue(ctx, h); err != nil || got != want {
			t.Fatal(got, err)
		}
	}
	pass(Pass{Held: 1})
	pass(Pass{})
	h.about = "takes 2 MB"
	pass(Pass{Held: 1})
	pass(Pass{})
	now = now.Add(heldAgain + time.Hour)
	pass(Pass{Held: 1})
	pass(Pass{})
	if n, err := q.RetryHeld(ctx, "NOT THIS"); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	if n, err := q.RetryHeld(ctx, "Too Large"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	h.fail = nil
	pass(Pass{Delivered: 1})
}

// TestOldRecordsAreForgotten, and the index shrinks.
func TestOldRecordsAreForgotten(t *testing.T) {
	now := time.Now()
	opened := now
	q := mustOpen(t, memoryDir(t), Options{Records: 400 * 24 * time.Hour, wall: func() time.Time { return now },
		elapsed: func() time.Duration { return now.Sub(opened) }})
	const n = 300
	for i := range n {
		mustEnqueue(t, q, draft(fmt.Sprint("S", i), 0))
	}
	if pass, err := q.DeliverDue(t.Context(), &hub{}); err != nil || pass.Delivered != n {
		t.Fatal(pass, err)
	}
	kept := mustEnqueue(t, q, draft("WAITS", 0))
	count := func(want int) {
		t.Helper()
		if _, err := q.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if list, err := q.List(Filter{}); err != nil || len(list) != want {
			t.Fatal(len(list), err)
		}
		if v, err := q.Verify(t.Context()); err != nil || len(v.Faults) > 0 {
			t.Fatal(v, err)
		}
	}
	now = now.Add(399 * 24 * time.Hour)
	count(n + 1)
	now = now.Add(2 * 24 * time.Hour)
	count(1)
	if done, err := q.compact(0); err != nil || !done {
		t.Fatal(done, err)
	}
	count(1)
	if got, err := q.Get(kept.Code); err != nil || got.ID != kept.ID {
		t.Fatal(got, err)
	}
	mustEnqueue(t, q, draft("AFTER", 1))
}

// TestPagesThatWereNotWritten: a drive that says written and is not leaves pages as they were some time before, each of them
// whole by itself. Nothing that was accepted is lost for it, and nothing whole is destroyed.
func TestPagesThatWereNotWritten(t *testing.T) {
	const page = 4096
	dir := memoryDir(t)
	q := mustOpen(t, dir, Options{Parallel: 1, Retention: -1})
	var ids []string
	var ages [][]byte // the index, as it was
	for i := range 24 {
		ids = append(ids, mustEnqueue(t, q, draft(fmt.Sprintf("N%02d", i), 0)).ID)
		if i%4 == 3 {
			h := &hub{}
			if _, err := q.DeliverDue(t.Context(), h); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(q.indexPath())
		if err != nil {
			t.Fatal(err)
		}
		ages = append(ages, data)
	}
	if err := errors.Join(q.Close(), os.Remove(closedPath(q.indexPath()))); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	rng := rand.New(rand.NewPCG(7, 7))
	for n := range 12 {
		index := []byte(files[filepath.Join(dir, "index.db")])
		used := min(len(index), 40*page)
		for range 1 + rng.IntN(3) {
			at := (2 + rng.IntN(used/page-2)) * page
			copy(index[at:at+page], ages[rng.IntN(len(ages))][at:at+page])
		}
		again := memoryDir(t)
		for path, data := range files {
			to := filepath.Join(again, path[len(dir):])
			if path == filepath.Join(dir, "index.db") {
				data = string(index)
			}
			if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, []byte(data), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		q, repairs, err := Open(t.Context(), again, Options{Parallel: 1, Retention: -1, MinFree: -1})
		if err != nil {
			t.Errorf("%d: %v", n, err)
			continue
		}
		if whole := wholeBlobs(t, again); len(whole) != len(ids) {
			t.Errorf("%d: %d whole blobs of %d", n, len(whole), len(ids))
		}
		missing := 0
		for _, id := range ids {
			if _, err := q.Get(id); err != nil {
				missing++
			}
		}
		if missing > 0 {
			if err := q.patrol(t.Context()); err != nil {
				t.Error(err)
			}
			if aside := q.found.Load(); aside < int64(missing) {
				t.Errorf("%d: %d are not known and %d set aside; %v", n, missing, aside, repairs)
			}
		}
		q.Close()
	}
}
