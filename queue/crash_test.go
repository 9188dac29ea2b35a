package queue

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The crash test runs a kiosk in a child process: it hands in submissions one after the other, each under an
// id chosen before, delivers them, wipes them and now and then rotates the key. The child is killed
// by SIGKILL at a random moment and started again on the same folder, many times over. SIGKILL keeps
// what the kernel was given; what a power cut takes besides is the matter of fault_test.go and
// index_test.go.

const crashEnv = "MOTCUA_QUEUE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		if err := crashChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func crashOptions() Options {
	return Options{MinFree: -1, Retention: 50 * time.Millisecond, RetryFirst: time.Millisecond, RetryMax: 20 * time.Millisecond, Outbox: true}
}

// atWork is what the kiosk says when its process has started and the queue is about to be opened.
const atWork = "at work"

// crashChild is the kiosk. It counts its submissions in the file "acked", one line each, written only when
// Enqueue has returned.
func crashChild(dir string) error {
	ctx := context.Background()
	fmt.Println(atWork)
	q, repairs, err := Open(ctx, filepath.Join(dir, "kiosk"), crashOptions())
	if err != nil {
		return err
	}
	if repairs.Any() {
		fmt.Println("repairs:", repairs)
	}
	acked, next, err := readAcked(dir)
	if err != nil {
		return err
	}
	go func() {
		if err := q.Run(ctx, crashHub{dir}); err != nil {
			fmt.Fprintln(os.Stderr, "run:", err)
			os.Exit(1)
		}
	}()
	if rand.IntN(4) == 0 || repairs.KeyRotation {
		go func() {
			if _, err := q.Rekey(ctx, nil); err != nil {
				fmt.Fprintln(os.Stderr, "rekey:", err)
				os.Exit(1)
			}
		}()
	}
	for ; ; next++ {
		d := draft(fmt.Sprintf("N%06d", next), 1+next%4)
		s, err := q.Enqueue(ctx, d)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(acked, "%s %s %s\n", s.ID, s.Code, s.SHA256); err != nil {
			return err
		}
	}
}

func readAcked(dir string) (f *os.File, next int, err error) {
	f, err = os.OpenFile(filepath.Join(dir, "acked"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, err
	}
	for s := bufio.NewScanner(f); s.Scan(); next++ {
	}
	return f, next, nil
}

// crashHub is a far side on the disk, as durable as a receiver: a bundle under its id by rename, once each.
// Now and then it fails, before or after taking the bundle.
type crashHub struct{ dir string }

func (crashHub) Probe(context.Context) error { return nil }

func (h crashHub) Deliver(ctx context.Context, s Submission, b Bundle, n Notes) error {
	if rand.IntN(10) == 0 {
		return errors.New("503 not now")
	}
	if err := n.Save("upload of " + s.ID); err != nil {
		return err
	}
	at := filepath.Join(h.dir, "hub", s.ID)
	if _, err := os.Stat(at); err == nil {
		return nil
	}
	sum := sha256.New()
	part := at + ".part"
	f, err := os.Create(part)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(f, sum), io.NewSectionReader(b, 0, b.Size()))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != b.SHA256() {
		return Permanent(errors.New("422 digest differs"))
	}
	if err := os.Rename(part, at); err != nil {
		return err
	}
	if rand.IntN(10) == 0 {
		return errors.New("connection lost before the answer")
	}
	return nil
}

func TestCrashKilledAtAnyMoment(t *testing.T) {
	kills, most := 25, 250*time.Millisecond
	if os.Getenv("MOTCUA_SOAK") != "" {
		kills = 1000
	}
	dir := t.TempDir()
	kiosk := filepath.Join(dir, "kiosk")
	if err := os.MkdirAll(filepath.Join(dir, "hub"), 0o700); err != nil {
		t.Fatal(err)
	}
	repaired := 0
	for i := 0; i < kills || repaired == 0 && i < 20*kills; i++ { // a slow machine gets less done between two kills
		out := killedChild(t, dir, time.Duration(rand.Int64N(int64(most))))
		repaired += strings.Count(out, "repairs:")
		if _, err := os.Stat(kiosk); err == nil && i%50 == 0 { // the first may be killed before it made a folder
			noMarker(t, kiosk)
		}
	}
	noMarker(t, kiosk)
	ctx := context.Background()
	q, repairs, err := Open(ctx, kiosk, crashOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Fatalf("%+v %v; repairs: %s", v, err, repairs)
	}
	if _, err := q.RetryAll(ctx); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Minute); ; {
		if _, err := q.DeliverDue(ctx, crashHub{dir}); err != nil && !errors.Is(err, ErrHub) {
			t.Fatal(err)
		}
		s, err := q.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if s.Count[Queued]+s.Count[Sending] == 0 {
			if s.Count[Held] > 0 {
				t.Fatalf("%d held", s.Count[Held])
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not all is delivered: %+v", s)
		}
		time.Sleep(10 * time.Millisecond)
	}
	n := checkArrivals(t, dir, q)
	t.Logf("%d kills, %d starts with repairs, %d submissions: 0 lost, 0 doubled, 0 readable", kills, repaired, n)
	if repaired == 0 {
		t.Error("no kill hit anything that needed repair: the test proves nothing")
	}
}

// checkArrivals holds what was acknowledged against what the hub has.
func checkArrivals(t *testing.T, dir string, q *Queue) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "acked"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	seen := map[string]bool{}
	codes := map[string]bool{}
	for _, line := range lines {
		var id, code, digest string
		if _, err := fmt.Sscan(line, &id, &code, &digest); err != nil {
			t.Fatal(line, err)
		}
		if seen[id] || codes[code] {
			t.Errorf("%s was acknowledged twice", id)
		}
		seen[id], codes[code] = true, true
		bundle, err := os.ReadFile(filepath.Join(dir, "hub", id))
		if err != nil {
			t.Errorf("%s was acknowledged and is lost: %v", id, err)
			continue
		}
		if sum := sha256.Sum256(bundle); hex.EncodeToString(sum[:]) != digest || !bytes.Contains(bundle, []byte(marker)) {
			t.Errorf("%s arrived changed", id)
		}
		if s, err := q.Get(code); err != nil || s.ID != id || s.State != Delivered {
			t.Errorf("receipt %s: %+v %v", code, s, err)
		}
	}
	arrived, err := os.ReadDir(filepath.Join(dir, "hub"))
	if err != nil {
		t.Fatal(err)
	}
	extra := 0
	for _, e := range arrived {
		if strings.HasSuffix(e.Name(), ".part") {
			continue
		}
		if !seen[e.Name()] {
			extra++ // accepted, and killed before it could be told
		}
	}
	all, err := q.List(Filter{})
	if err != nil {
		t.Fatal(err)
	}
	// The last one may have been accepted without the child having noted it; its next life would have
	// handed it in under the same id and got the same receipt. More there can't be.
	if extra > 1 || len(all) != len(lines)+extra {
		t.Errorf("%d acknowledged, %d in the queue, %d arrived unasked", len(lines), len(all), extra)
	}
	return len(lines)
}

func killedChild(t *testing.T, dir string, after time.Duration) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+dir)
	var out, errs bytes.Buffer
	cmd.Stderr = &errs
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The start of a process takes a while: count from when it is at work, or nothing would be hit.
	lines := bufio.NewReader(said)
	if first, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(first) != atWork {
		t.Fatalf("the child said %q, %v", first, err)
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	if _, err := out.ReadFrom(lines); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("child ended by itself: %v\n%s", err, errs.String())
	}
	return out.String()
}
