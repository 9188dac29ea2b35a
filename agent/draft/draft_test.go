package draft

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"motcua/queue/seal"
)

type record struct{ Name string }

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, seal.NewFile(filepath.Join(dir, "drafts.key")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const marker = "Nguyễn Thị Mẫu 001090000001"

func TestDraftComesBackAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.KeepPage("v1", "p1", []byte(marker)))
	must(t, s.Keep("v1", record{"first"}))
	must(t, s.Keep("v1", record{marker}))

	s = open(t, dir)
	ids, err := s.IDs()
	if err != nil || len(ids) != 1 || ids[0] != "v1" {
		t.Fatalf("%v, %v", ids, err)
	}
	var r record
	must(t, s.Take("v1", &r))
	if page, err := s.Page("v1", "p1"); r.Name != marker || string(page) != marker || err != nil {
		t.Errorf("%q, %q, %v", r.Name, page, err)
	}
}

func TestNothingLiesInTheClear(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.KeepPage("v1", "p1", []byte(marker)))
	must(t, s.Keep("v1", record{marker}))
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if bytes.Contains(data, []byte("001090000001")) {
			t.Errorf("%s can be read", filepath.Base(name))
		}
		return err
	}))
}

func TestForgotten(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.Keep("v1", record{marker}))
	// Somebody has a copy of the folder but for the key's place on the disk, which is overwritten.
	sealed, err := os.ReadFile(filepath.Join(dir, "v1", recordFile))
	must(t, err)
	held, err := os.Open(filepath.Join(dir, "v1", keyFile))
	must(t, err)
	defer held.Close()
	must(t, s.Forget("v1"))
	must(t, s.Forget("v1"))
	if ids, _ := s.IDs(); len(ids) != 0 {
		t.Fatalf("%v is still there", ids)
	}
	key := make([]byte, 200)
	n, _ := held.ReadAt(key, 0)
	must(t, os.MkdirAll(filepath.Join(dir, "v1"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "v1", recordFile), sealed, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "v1", keyFile), key[:n], 0o600))
	if err := open(t, dir).Take("v1", &record{}); err == nil {
		t.Error("a forgotten draft opens again")
	}
}

func TestDamageIsTold(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"cut": func(dir string) error { return os.Truncate(filepath.Join(dir, "v1", recordFile), 10) },
		"changed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "v1", recordFile), make([]byte, 90), 0o600)
		},
		"key_gone":     func(dir string) error { return os.Remove(filepath.Join(dir, "v1", keyFile)) },
		"record_moved": func(dir string) error { return os.Rename(filepath.Join(dir, "v1"), filepath.Join(dir, "v2")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, open(t, dir).Keep("v1", record{marker}))
			must(t, damage(dir))
			s := open(t, dir)
			ids, err := s.IDs()
			must(t, err)
			if err := s.Take(ids[0], &record{}); err == nil {
				t.Error("opens")
			}
			must(t, s.Forget(ids[0]))
		})
	}
}

// Power that fails while a draft is forgotten leaves none behind, neither one that opens nor one that seems lost.
func TestForgettingCutOff(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, s.Keep("v1", record{marker}))
	must(t, s.KeepPage("v1", "p1", []byte(marker)))
	must(t, os.Rename(filepath.Join(dir, "v1"), filepath.Join(dir, endedPrefix+"v1"))) // as far as it came
	if ids, err := s.IDs(); err != nil || len(ids) != 0 {
		t.Errorf("%v is still a draft, %v", ids, err)
	}
	open(t, dir)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 { // the store's key
		t.Errorf("%v is left, %v", entries, err)
	}
	s = open(t, dir)
	must(t, s.Keep("v1", record{marker}))
	must(t, s.Forget("v1"))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v is left, %v", entries, err)
	}
}
