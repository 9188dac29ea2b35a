package office

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"motcua/agent/answer"
)

// keeps is a desk that keeps closed dossiers for a time, by a clock of the test's.
func keeps(long time.Duration, now *time.Time) func(*Options) {
	return func(o *Options) {
		o.Now = func() time.Time { return *now }
		o.Keep = func(string) time.Duration { return long }
	}
}

// Another process that waits for the folder gets no hold of the index while it is compacted: with it the desk went on in the old
// file, and what it said was done was destroyed at the next start.
func TestCompactingLetsNobodyIn(t *testing.T) {
	for end := time.Now().Add(2 * time.Minute); !thiefAtCompaction(t); { // a busy machine lets him sleep through it
		if time.Now().After(end) {
			t.Fatal("nobody ever came in time to take the new index, and not before it was ours")
		}
	}
}

// thiefAtCompaction compacts an index while somebody waits for the new one; he is false where he came too late, or so early that there is
// no compaction this time.
func thiefAtCompaction(t *testing.T) bool {
	t.Helper()
	now := time.Now()
	w := open(t, t.TempDir(), keeps(time.Hour, &now))
	w.act(t, w.file(t, "s1", "Lê Thị Thử", "079190012345"), answer.Done, "")
	w.file(t, "s2", "Lê Văn Thử", "079090012345")
	now = now.Add(2 * time.Hour)
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- takeIndex(filepath.Join(w.dir, "desk", indexName+".new"), stop) }()
	n, err := w.store.Sweep(t.Context())
	early := errors.Is(err, bolterrors.ErrTimeout)
	if n != 1 || err != nil && !early {
		t.Errorf("%d wiped, %v", n, err)
	}
	d, err := w.store.Get("s2")
	if err != nil {
		t.Fatal(err)
	}
	w.act(t, d, answer.Eligible, "")
	close(stop)
	came := <-ended
	if came != nil && !errors.Is(came, errTooLate) {
		t.Fatal(came)
	}
	w = w.reopened(t)
	defer w.close(t)
	if d, err := w.store.Get("s2"); err != nil || d.State != answer.Eligible {
		t.Errorf("what was done after the compaction is lost: %v, %v", d, err)
	}
	return came == nil && !early
}

var errTooLate = errors.New("there was no new index to take")

// takeIndex locks a file as soon as it is there and nobody else has it, until stop.
func takeIndex(path string, stop <-chan struct{}) error {
	var f *os.File
	for f == nil {
		var err error
		if f, err = os.Open(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-stop:
			return errTooLate
		default:
		}
	}
	defer f.Close()
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			<-stop
			return nil
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

// A dossier that is wiped stays so, also when the power fails before its files are gone.
func TestWipedIsNotTakenInAgain(t *testing.T) {
	now := time.Now()
	w := open(t, t.TempDir(), keeps(time.Hour, &now))
	w.act(t, w.file(t, "s1", "Lê Thị Thử", "079190012345"), answer.Done, "")
	w.store.acting.Lock()
	err := w.store.wipe(w.store.record("s1")) // the files would go next
	w.store.acting.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	w = w.reopened(t, keeps(time.Hour, &now))
	defer w.close(t)
	if _, err := w.store.Get("s1"); !errors.Is(err, ErrUnknown) {
		t.Errorf("it is there again: %v", err)
	}
	if _, err := w.store.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "desk", filesName, "s1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its files are still there: %v", err)
	}
}

// A clock that is wrong wipes nothing before its time, whichever way it is wrong and over restarts.
func TestRetentionUnderWrongClocks(t *testing.T) {
	const keep = 90 * 24 * time.Hour
	right := time.Now().UTC()
	now := right
	w := open(t, t.TempDir(), keeps(keep, &now))
	defer func() { w.close(t) }()
	sweep := func(want int) {
		t.Helper()
		if n, err := w.store.Sweep(t.Context()); n != want || err != nil {
			t.Fatalf("at %s: %d wiped, want %d, %v", now, n, want, err)
		}
	}
	w.act(t, w.file(t, "s1", "Lê Thị Thử", "079190012345"), answer.Done, "")
	sweep(0)
	now = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
	sweep(0)
	w = w.reopened(t, keeps(keep, &now))
	now = now.Add(23 * time.Hour)
	sweep(0)
	now = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) // and then a dossier is closed by a clock that is behind
	second := w.file(t, "s2", "Lê Văn Thử", "079090012345")
	w.act(t, second, answer.Done, "")
	sweep(0)
	now = right.Add(2 * time.Hour)
	sweep(0)
	// The clock is right again: what is over goes, after a long holiday a day later.
	now = right.Add(keep + time.Hour)
	sweep(0)
	now = now.Add(25 * time.Hour)
	sweep(2)
}
