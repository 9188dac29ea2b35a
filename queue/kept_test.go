package queue

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is kept is sealed, and lasts over restarts and changes of the key.
func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "queue")
	q, _, err := Open(t.Context(), dir, Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := q.Kept("head"); v != nil || err != nil {
		t.Errorf("nothing was kept: %q, %v", v, err)
	}
	if err := q.Keep("head", []byte("the newest entry")); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Rekey(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "index.db")); err != nil || bytes.Contains(data, []byte("the newest entry")) {
		t.Errorf("it lies in the clear (%v)", err)
	}
	if q, _, err = Open(t.Context(), dir, Options{MinFree: -1}); err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if v, err := q.Kept("head"); string(v) != "the newest entry" || err != nil {
		t.Errorf("kept %q, %v", v, err)
	}
	if err := q.Keep("head", nil); err != nil {
		t.Fatal(err)
	}
	if v, err := q.Kept("head"); v != nil || err != nil {
		t.Errorf("forgotten: %q, %v", v, err)
	}
}
