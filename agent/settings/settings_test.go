package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/agent/strict"
	"motcua/configs"
)

func file(t *testing.T) *File {
	t.Helper()
	defaults, err := config.Default(configs.FS)
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := fs.ReadFile(configs.FS, config.DefaultFile)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	fixed := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	return New(filepath.Join(dir, "etc", "motcua.yaml"), filepath.Join(dir, "versions"), defaults, shipped, func() time.Time { return fixed })
}

func TestTheShippedTextIsInForceUntilAFirstChange(t *testing.T) {
	f := file(t)
	text, err := f.Text()
	if err != nil || f.Check(text) != nil {
		t.Fatalf("%v %v", err, f.Check(text))
	}
}

func TestMistakesChangeNothing(t *testing.T) {
	f := file(t)
	err := f.Apply([]byte("kiosk:\n  id: \"not good!\"\n  wrad: X\n"), "tech")
	var problems strict.Problems
	if !errors.As(err, &problems) || len(problems) != 2 || problems[0].Line != 2 || problems[1].Line != 3 {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(f.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a file was written: %v", err)
	}
	if have, _ := f.Versions(); len(have) != 0 {
		t.Fatalf("versions %v", have)
	}
}

func TestTheLastTenCanBeGoneBackTo(t *testing.T) {
	f := file(t)
	for i := range 14 {
		if err := f.Apply(fmt.Appendf(nil, "kiosk:\n  id: kiosk-%d\n", i), "tech"); err != nil {
			t.Fatal(err)
		}
	}
	have, err := f.Versions()
	if err != nil || len(have) != Kept+1 {
		t.Fatalf("%d versions, %v", len(have), err)
	}
	for back, v := range have { // the clock stood still: the order must hold all the same
		text, err := f.Version(v.ID)
		if want := fmt.Sprintf("kiosk-%d\n", 13-back); err != nil || !strings.HasSuffix(string(text), want) {
			t.Errorf("version %d back: %q, %v, want %s", back, text, err, want)
		}
	}
	old, err := f.Version(have[3].ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(old, "tech"); err != nil {
		t.Fatal(err)
	}
	if now, _ := f.Text(); string(now) != string(old) {
		t.Errorf("in force: %q", now)
	}
}

func TestTheFirstChangeKeepsWhatItReplaces(t *testing.T) {
	f := file(t)
	before, _ := f.Text()
	if err := f.Apply([]byte("kiosk: {id: a}\n"), "tech"); err != nil {
		t.Fatal(err)
	}
	have, _ := f.Versions()
	if len(have) != 2 || have[1].By != "shipped" {
		t.Fatalf("%v", have)
	}
	if text, err := f.Version(have[1].ID); err != nil || string(text) != string(before) {
		t.Errorf("%v", err)
	}
}

func TestVersionsStayInTheirFolder(t *testing.T) {
	f := file(t)
	for _, id := range []string{"", "..", "../etc/motcua", "20261124T080000.000-tech/../../etc/motcua", "20261124T080000.000-x"} {
		if _, err := f.Version(id); !errors.Is(err, ErrNoVersion) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if err := f.Apply([]byte("kiosk: {id: a}\n"), "../tech"); err == nil {
		t.Error("a sign-in name became a path")
	}
}

func TestTheFilesModeStays(t *testing.T) {
	f := file(t)
	if err := os.MkdirAll(filepath.Dir(f.Path()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path(), []byte("kiosk: {id: a}\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := f.Apply([]byte("kiosk: {id: b}\n"), "tech"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(f.Path()); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
