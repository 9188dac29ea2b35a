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

// TestNewKeyIsNotBound: a key that has no way back, be it the first or that of a rotation, outlives an update of what is booted.
func TestNewKeyIsNotBound(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	chip := seal.NewTPM(filepath.Join(dir, "kiosk.key.tpm"), seal.StartTPM(t, t.TempDir())).Bound(4, 7)
	for _, rotate := range []bool{false, true} {
		q, _, err := queue.Open(ctx, dir, queue.Options{MinFree: -1, Vault: chip})
		if err != nil {
			t.Fatal(err)
		}
		if rotate {
			if _, err := q.Rekey(ctx, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		seal.Measure(t, chip, 4)
		if keys, err := chip.Load(ctx); err != nil || len(keys) != 1 {
			t.Fatalf("rotated %t: after an update of the boot loader: %d keys, %v", rotate, len(keys), err)
		}
	}
}

// TestKeysOfARotationAreNotLost: while two keys are in use neither is bound, and where both are they are not replaced by one.
func TestKeysOfARotationAreNotLost(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	path := filepath.Join(dir, "kiosk.key.tpm")
	chip := seal.NewTPM(path, seal.StartTPM(t, t.TempDir())).Bound(4)
	keys := []seal.Key{seal.NewKey(), seal.NewKey()}
	if err := chip.Save(ctx, keys); err != nil {
		t.Fatal(err)
	}
	if err := queue.KeyWayBack(ctx, dir, chip, func([]seal.Key) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.ResealKey(ctx, dir, chip); err == nil {
		t.Error("two keys are bound, and the words are of one")
	}
	seal.Measure(t, chip, 4)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := queue.RestoreKey(ctx, chip, keys[:1]); err == nil {
		t.Error("one key was put in the place of two")
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the sealed keys were changed: %v", err)
	}
	if _, err := queue.RestoreKey(ctx, chip, keys); err != nil { // the office's file has both
		t.Error(err)
	}
	if got, err := chip.Load(ctx); err != nil || len(got) != 2 {
		t.Errorf("%d keys, %v", len(got), err)
	}
}
