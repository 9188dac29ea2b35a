package audit

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever can write the log can make a chain that holds; against what was kept outside of it each of these is told.
func TestVerifyKept(t *testing.T) {
	lines := func(t *testing.T, path string) []string {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
	}
	rewrite := func(t *testing.T, path string, all []string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Join(all, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		attack func(t *testing.T, dir string, names []string)
		moved  bool
		why    string // empty: it holds
	}{
		"untouched": {func(*testing.T, string, []string) {}, false, ""},
		"tail_cut": {func(t *testing.T, dir string, names []string) {
			path := filepath.Join(dir, names[len(names)-1])
			all := lines(t, path)
			rewrite(t, path, all[:len(all)-2])
		}, false, "the end was cut off"},
		"head_cut": {func(t *testing.T, dir string, names []string) {
			path := filepath.Join(dir, names[0])
			rewrite(t, path, lines(t, path)[3:])
		}, false, "the beginning was cut off"},
		"month_gone": {func(t *testing.T, dir string, names []string) {
			if err := os.Remove(filepath.Join(dir, names[0])); err != nil {
				t.Fatal(err)
			}
		}, false, "the beginning was cut off"},
		"month_moved_to_the_archive": {func(t *testing.T, dir string, names []string) {
			if err := os.Remove(filepath.Join(dir, names[0])); err != nil {
				t.Fatal(err)
			}
		}, true, ""},
		"recomputed": {func(t *testing.T, dir string, names []string) {
			last := origin
			for _, name := range names {
				path := filepath.Join(dir, name)
				all := lines(t, path)
				for i, line := range all {
					var e Entry
					if err := json.Unmarshal([]byte(line), &e); err != nil {
						t.Fatal(err)
					}
					if e.Seq == 2 {
						e.Actor = "system"
					}
					e.Prev = last.Hash
					e.Hash = e.sum()
					last = Head{e.Seq, e.Hash}
					out, _ := json.Marshal(e)
					all[i] = string(out) + "\n"
				}
				rewrite(t, path, all)
			}
			if _, _, err := Verify(t.Context(), dir, nil, nil); err != nil {
				t.Fatalf("the forged chain does not hold by itself: %v", err)
			}
		}, false, "written anew"},
		"emptied": {func(t *testing.T, dir string, names []string) {
			for _, name := range names {
				if err := os.Truncate(filepath.Join(dir, name), 0); err != nil {
					t.Fatal(err)
				}
			}
		}, false, "not there"},
		"removed": {func(t *testing.T, dir string, _ []string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, false, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "audit")
			k := Kept{First: 1, Head: write(t, dir, 10).String()}
			write(t, dir, 3) // what came after it was kept
			names, err := files(dir)
			if err != nil {
				t.Fatal(err)
			}
			c.attack(t, dir, names)
			if name == "tail_cut" { // to below what was kept
				all := lines(t, filepath.Join(dir, names[len(names)-1]))
				rewrite(t, filepath.Join(dir, names[len(names)-1]), all[:max(0, len(all)-3)])
			}
			again, err := ParseKept(k.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = VerifyKept(t.Context(), dir, again, c.moved, nil)
			var broken *Break
			switch {
			case c.why == "" && err != nil:
				t.Error(err)
			case c.why != "" && (!errors.As(err, &broken) || !strings.Contains(broken.Why, c.why)):
				t.Errorf("told %v, want %q", err, c.why)
			}
		})
	}
}
