package folder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"motcua/queue"
)

type memory struct {
	io.ReaderAt
	n   int64
	sum string
}

func (m memory) Size() int64    { return m.n }
func (m memory) SHA256() string { return m.sum }

func bundle(n int) (memory, []byte) {
	content := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
	sum := sha256.Sum256(content)
	return memory{bytes.NewReader(content), int64(n), hex.EncodeToString(sum[:])}, content
}

var sub = queue.Submission{ID: "01JCTEST000000000000000001"}

func sink(t *testing.T, o Options) *Sink {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestDeliver(t *testing.T) {
	dir := t.TempDir()
	s := sink(t, Options{Dir: dir})
	b, content := bundle(1 << 20)
	for range 2 { // the second time as after a crash
		if err := s.Deliver(t.Context(), sub, b, nil); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, sub.ID+".zip"))
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("read back %d bytes, %v", len(got), err)
		}
		if n := names(t, dir); len(n) != 1 {
			t.Errorf("folder holds %v", n)
		}
	}
	sealed := sub
	sealed.Sealed = true
	if err := s.Deliver(t.Context(), sealed, b, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, sub.ID+".zip.age")); err != nil {
		t.Error(err)
	}
}

func TestHalfWrittenIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	s := sink(t, Options{Dir: dir})
	b, content := bundle(100_000)
	if err := os.WriteFile(filepath.Join(dir, "."+sub.ID+".zip.part"), bytes.Repeat([]byte("x"), 200_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(t.Context(), sub, b, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, sub.ID+".zip")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("read back %d bytes, %v", len(got), err)
	}
}

func TestAnothersFileIsKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, sub.ID+".zip")
	if err := os.WriteFile(path, []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _ := bundle(1000)
	err := sink(t, Options{Dir: dir}).Deliver(t.Context(), sub, b, nil)
	if !queue.IsPermanent(err) {
		t.Errorf("error %v, want a permanent one", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "another's" {
		t.Error("another's file was overwritten")
	}
}

func TestBreaks(t *testing.T) {
	b, _ := bundle(1 << 20)
	t.Run("share_not_there", func(t *testing.T) {
		err := sink(t, Options{Dir: filepath.Join(t.TempDir(), "share")}).Deliver(t.Context(), sub, b, nil)
		if err == nil || queue.IsPermanent(err) {
			t.Errorf("error %v, want one to try again after", err)
		}
	})
	t.Run("share_not_mounted", func(t *testing.T) {
		dir := t.TempDir()
		err := sink(t, Options{Dir: dir, Mounted: true}).Deliver(t.Context(), sub, b, nil)
		if err == nil || !strings.Contains(err.Error(), "not mounted") || queue.IsPermanent(err) {
			t.Errorf("error %v, want not mounted", err)
		}
		if n := names(t, dir); len(n) != 0 {
			t.Errorf("wrote %v where a share should be mounted", n)
		}
	})
	t.Run("bundle_unreadable", func(t *testing.T) {
		dir := t.TempDir()
		broken := b
		broken.ReaderAt = halfway{b}
		if err := sink(t, Options{Dir: dir}).Deliver(t.Context(), sub, broken, nil); !errors.Is(err, unix.EIO) {
			t.Errorf("error %v, want the bundle's", err)
		}
		if n := names(t, dir); len(n) != 0 {
			t.Errorf("left %v", n)
		}
	})
	t.Run("bundle_not_what_it_says", func(t *testing.T) {
		dir := t.TempDir()
		wrong := b
		wrong.sum = strings.Repeat("0", 64)
		if err := sink(t, Options{Dir: dir}).Deliver(t.Context(), sub, wrong, nil); err == nil {
			t.Error("delivered")
		}
		if n := names(t, dir); len(n) != 0 {
			t.Errorf("left %v", n)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		stop := limit(func() { cancel() })
		if err := sink(t, Options{Dir: dir, Limit: stop}).Deliver(ctx, sub, b, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		if n := names(t, dir); len(n) != 0 {
			t.Errorf("left %v", n)
		}
	})
	t.Run("share_full", func(t *testing.T) {
		dir := t.TempDir()
		// A real file system of 64 kB.
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
			t.Skipf("mounting needs root: %v", err)
		}
		defer unix.Unmount(dir, 0)
		err := sink(t, Options{Dir: dir, Mounted: true}).Deliver(t.Context(), sub, b, nil)
		if d, _ := queue.RetryDelay(err); d != full {
			t.Errorf("error %v after %v, want one to try again after %v", err, d, full)
		}
		small, _ := bundle(1000)
		if err := sink(t, Options{Dir: dir, Mounted: true}).Deliver(t.Context(), sub, small, nil); err != nil {
			t.Errorf("small bundle after that: %v", err)
		}
	})
}

type halfway struct{ memory }

func (h halfway) ReadAt(p []byte, off int64) (int, error) {
	if off > h.n/2 {
		return 0, unix.EIO
	}
	return h.memory.ReadAt(p, off)
}

type limit func()

func (l limit) WaitN(ctx context.Context, _ int) error { l(); return ctx.Err() }

func TestProbe(t *testing.T) {
	dir := t.TempDir()
	if err := sink(t, Options{Dir: dir}).Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if n := names(t, dir); len(n) != 0 {
		t.Errorf("left %v", n)
	}
	if err := sink(t, Options{Dir: filepath.Join(dir, "x")}).Probe(t.Context()); err == nil {
		t.Error("a folder that isn't there was found good")
	}
	if _, err := New(Options{Dir: "relative"}); err == nil {
		t.Error("a relative folder was taken")
	}
}
