package collect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/queue/receive"
)

// collectorVariable tells this program, run once more, that it is a collector.
const collectorVariable = "MOTCUA_TEST_COLLECTOR"

// collecting is what such a collector is told.
type collecting struct {
	Disk   string
	Bucket BucketOptions
	Owner  string
	Book   string // the desk: a line a submission
}

func TestMain(m *testing.M) {
	text := os.Getenv(collectorVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	go func() { // it ends with the test, however that ended
		io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	var c collecting
	err := json.Unmarshal([]byte(text), &c)
	if err == nil {
		err = c.run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (c collecting) run(ctx context.Context) (err error) {
	var from Store
	if c.Disk != "" {
		from, err = OpenDisk(c.Disk)
	} else {
		from, err = OpenBucket(c.Bucket)
	}
	if err != nil {
		return err
	}
	book, err := os.OpenFile(c.Book, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	file := func(_ context.Context, r receive.Receipt, _ fs.FS) (bool, error) {
		text, err := os.ReadFile(c.Book)
		if err != nil || bytes.Contains(text, []byte(r.ID+"\n")) {
			return false, err
		}
		if _, err := book.WriteString(r.ID + "\n"); err != nil {
			return false, err
		}
		return true, book.Sync()
	}
	collector, err := New(Options{Store: from, Owner: c.Owner, File: file, Every: 20 * time.Millisecond, Rest: -1,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	fmt.Println("up")
	return collector.Run(ctx)
}

// start runs a collector as a process of its own, and waits until it looks.
func (c collecting) start(t *testing.T) (kill func()) {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), collectorVariable+"="+string(text))
	cmd.Stderr = t.Output()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "up\n" {
		t.Fatalf("a collector did not start: %q, %v", line, err)
	}
	return func() { cmd.Process.Kill(); cmd.Wait(); in.Close() }
}

// Two collectors at one store, with desks of their own, are killed again and again while submissions come: each is filed once.
func TestProcessesKilledAtRandom(t *testing.T) {
	both(t, func(t *testing.T, h hub) {
		n := 6 // submissions, and kills
		if os.Getenv("MOTCUA_SOAK") != "" {
			n = 100
		}
		dir := t.TempDir()
		var desks []collecting
		for i := range 2 {
			c := collecting{Owner: fmt.Sprint("desk-", i), Book: filepath.Join(dir, fmt.Sprint("book-", i))}
			switch s := h.store.(type) {
			case *Bucket:
				c.Bucket = s.o
				c.Bucket.Client = nil
			case *Disk:
				c.Disk = s.dir
			}
			desks = append(desks, c)
		}
		var kill []func()
		for _, c := range desks {
			kill = append(kill, c.start(t))
		}
		defer func() {
			for _, k := range kill {
				k()
			}
		}()
		for i := range n {
			send(t, h.url, nil, false, fmt.Sprint("S", i, "E"))
			time.Sleep(rand.N(150 * time.Millisecond)) // how far a collector has come when it is hit
			hit := rand.IntN(len(desks))
			kill[hit]()
			kill[hit] = desks[hit].start(t)
		}
		for end := time.Now().Add(2 * time.Minute); left(t, h.store) > 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		}
		filed := map[string]int{}
		for _, c := range desks {
			text, err := os.ReadFile(c.Book)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range strings.Fields(string(text)) {
				filed[id]++
			}
		}
		for i := range n {
			if id := fmt.Sprint("S", i, "E"); filed[id] != 1 {
				t.Errorf("%s is filed %d times", id, filed[id])
			}
		}
		if len(filed) != n || left(t, h.store) != 0 {
			t.Errorf("%d of %d are filed, %d are left", len(filed), n, left(t, h.store))
		}
		t.Logf("%d submissions, 2 collectors, %d kills", n, n)
	})
}
