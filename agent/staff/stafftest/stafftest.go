// Package stafftest gives tests lists of staff. Hashing a PIN is dear, as it must be: a list is made once in a process, and each
// test gets a copy of it.
package stafftest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"motcua/agent/staff"
)

// Member is somebody who may sign in.
type Member struct {
	Name string
	Role staff.Role
	PIN  string
}

var (
	mu   sync.Mutex            // guards made
	made = map[string][]byte{} // the lists' files by their members
)

// Write writes a list of these members at path, as staff.Open reads it without a box.
func Write(t testing.TB, path string, members ...Member) {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	name := fmt.Sprint(members)
	if made[name] == nil {
		file := filepath.Join(t.TempDir(), "staff.json")
		roster, err := staff.Open(file, time.Now, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			if err := roster.Add(m.Name, m.Role, m.PIN); err != nil {
				t.Fatal(err)
			}
		}
		if made[name], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, made[name], 0o600); err != nil {
		t.Fatal(err)
	}
}

// Open gives a list of these members in a folder of the test's own.
func Open(t testing.TB, members ...Member) *staff.Roster {
	t.Helper()
	path := filepath.Join(t.TempDir(), "staff.json")
	Write(t, path, members...)
	roster, err := staff.Open(path, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return roster
}
