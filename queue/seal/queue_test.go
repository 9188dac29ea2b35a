package seal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"motcua/queue"
	"motcua/queue/seal"
)

// TestQueueMovesIntoTPM takes a queue whose key was a file to the chip, and shows that the folder is worth nothing
// in another machine.
func TestQueueMovesIntoTPM(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	open := func(v seal.Vault) (*queue.Queue, error) {
		q, _, err := queue.Open(ctx, dir, queue.Options{MinFree: -1, Vault: v})
		return q, err
	}
	enqueue := func(q *queue.Queue, id string) {
		t.Helper()
		_, err := q.Enqueue(ctx, queue.Draft{ID: id, Parts: []queue.Part{queue.FromBytes("form.json", "application/json", []byte("{}"))}})
		if err != nil {
			t.Fatal(err)
		}
	}
	q, err := open(nil)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(q, "A")
	sealed := filepath.Join(dir, "kiosk.key.tpm")
	chip := seal.NewTPM(sealed, seal.StartTPM(t, t.TempDir()))
	if n, err := q.Rekey(ctx, chip); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	enqueue(q, "B")
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "kiosk.key")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("the key file is still there")
	}
	if q, err := open(seal.NewTPM(sealed, seal.StartTPM(t, t.TempDir()))); err == nil {
		q.Close()
		t.Fatal("opens in another machine")
	}
	if q, err = open(chip); err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if v, err := q.Verify(ctx); err != nil || v.Checked != 2 || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
}
