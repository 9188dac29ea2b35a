package kept_test

import (
	"os"
	"path/filepath"
	"testing"

	"motcua/drivers/kept"
)

// A list is replaced whole, is nobody else's to read, and one that can't be written leaves the old one and nothing beside it.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "scanners")
	for _, text := range []string{"one\n", "two, and longer\n", ""} {
		if err := kept.Write(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(file); err != nil || string(data) != text {
			t.Errorf("%q %v, want %q", data, err, text)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	blocked := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(blocked, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := kept.Write(blocked, []byte("x")); err == nil {
		t.Error("a folder was written over")
	}
	if err := kept.Write(filepath.Join(dir, "none", "scanners"), nil); err == nil {
		t.Error("a file was written where there is no folder")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v %v", left, err)
	}
}
