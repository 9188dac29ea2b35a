package staff

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	seals "motcua/queue/seal"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func open(t *testing.T, path string, c *clock) *Roster {
	t.Helper()
	r, err := Open(path, c.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSignInAndLockOut(t *testing.T) {
	c := &clock{time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	path := filepath.Join(t.TempDir(), "staff.json")
	r := open(t, path, c)
	if err := r.Add("hoa", Volunteer, "480213"); err != nil {
		t.Fatal(err)
	}
	if m, err := r.SignIn("hoa", "480213", "screen"); err != nil || m.Role != Volunteer {
		t.Fatalf("%v, %v", m, err)
	}
	for i := range freeTries - 1 {
		if _, err := r.SignIn("hoa", "999111", "screen"); !errors.Is(err, ErrWrongPIN) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if _, err := r.SignIn("hoa", "999111", "screen"); !errors.Is(err, ErrLocked) {
		t.Fatalf("fifth wrong PIN: %v", err)
	}
	r = open(t, path, c) // a restart doesn't free
	if _, err := r.SignIn("hoa", "480213", "screen"); !errors.Is(err, ErrLocked) {
		t.Fatalf("right PIN while locked: %v", err)
	}
	c.t = c.t.Add(firstLock + time.Second)
	if _, err := r.SignIn("hoa", "111999", "screen"); !errors.Is(err, ErrLocked) {
		t.Fatalf("sixth wrong PIN: %v", err)
	}
	c.t = c.t.Add(firstLock + time.Second)
	if _, err := r.SignIn("hoa", "480213", "screen"); !errors.Is(err, ErrLocked) {
		t.Fatalf("the second lock is not longer: %v", err)
	}
	c.t = c.t.Add(firstLock)
	if _, err := r.SignIn("hoa", "480213", "screen"); err != nil {
		t.Fatalf("after the lock: %v", err)
	}
	if _, err := r.SignIn("hoa", "999111", "screen"); !errors.Is(err, ErrWrongPIN) {
		t.Fatalf("the right PIN must set the count back: %v", err)
	}
}

func TestLockNeverOverflows(t *testing.T) {
	c := &clock{time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	r := open(t, filepath.Join(t.TempDir(), "staff.json"), c)
	if err := r.Add("hoa", Volunteer, "480213"); err != nil {
		t.Fatal(err)
	}
	r.waits = []wait{{Key: keyOf("hoa", "screen"), Wrong: 1 << 20}}
	if _, err := r.SignIn("hoa", "000000", "screen"); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if got := r.records[0].LockedUntil.Sub(c.t); got != longestLock {
		t.Fatalf("locked for %v", got)
	}
}

// Whoever tries names learns nothing: known and unknown ones are answered alike, also when they have to wait, and each time
// the roster is written.
func TestUnknownNameAnswersLikeAKnownOne(t *testing.T) {
	c := &clock{time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	path := filepath.Join(t.TempDir(), "staff.json")
	r := open(t, path, c)
	if err := r.Add("hoa", Volunteer, "480213"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * freeTries {
		var answers []error
		var until []time.Time
		for _, name := range []string{"hoa", "nobody", "", "Nguyễn Văn An"} {
			before, _ := os.Stat(path)
			m, err := r.SignIn(name, "999111", "screen")
			if after, _ := os.Stat(path); !errors.Is(err, ErrLocked) && os.SameFile(before, after) {
				t.Errorf("try %d of %q wrote nothing", i, name)
			}
			answers, until = append(answers, err), append(until, m.LockedUntil)
		}
		for n := range answers {
			if !errors.Is(answers[n], answers[0]) || !until[n].Equal(until[0]) {
				t.Fatalf("try %d: answers %v, until %v", i, answers, until)
			}
		}
		c.t = c.t.Add(10 * time.Second)
	}
	if data, _ := os.ReadFile(path); strings.Contains(string(data), "Nguyễn") || strings.Contains(string(data), "nobody") {
		t.Error("what strangers typed is on the disk")
	}
}

// A stranger at one device can't keep the office out: elsewhere the PIN counts, here it does after five minutes at most, and a
// new PIN ends the wait at once.
func TestNoLockWithoutAWay(t *testing.T) {
	c := &clock{time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}
	r := open(t, filepath.Join(t.TempDir(), "staff.json"), c)
	if err := r.Add("hoa", Volunteer, "480213"); err != nil {
		t.Fatal(err)
	}
	for range freeTries + 3 {
		_, _ = r.SignIn("hoa", "999111", "screen")
		c.t = c.t.Add(longestLock)
	}
	if _, err := r.SignIn("hoa", "999111", "screen"); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if _, err := r.SignIn("hoa", "480213", "desk"); err != nil {
		t.Errorf("at another device: %v", err)
	}
	if err := r.SetPIN("hoa", "704182"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SignIn("hoa", "704182", "screen"); err != nil {
		t.Errorf("with a new PIN: %v", err)
	}
	_, _ = r.SignIn("hoa", "999111", "screen")
	c.t = c.t.Add(longestLock)
	if _, err := r.SignIn("hoa", "704182", "screen"); err != nil {
		t.Errorf("after five minutes: %v", err)
	}
	for i := range 2 * maxWaits {
		_, _ = r.wrong(keyOf("x", string(rune(i)))), i
	}
	if len(r.waits) > maxWaits {
		t.Errorf("%d waits are kept", len(r.waits))
	}
}

// Sixty guesses at once take neither the memory of sixty nor for ever.
func TestGuessesAreBounded(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "staff.json"), &clock{})
	var all sync.WaitGroup
	var busy atomic.Int32
	for range 60 {
		all.Go(func() {
			if _, err := r.SignIn("hoa", "999111", "screen"); errors.Is(err, ErrBusy) {
				busy.Add(1)
			}
		})
	}
	all.Wait()
	if busy.Load() < 60-2*maxGuesses-freeTries {
		t.Errorf("only %d were turned away", busy.Load())
	}
}

// What released kiosks have on their disks is taken over, and sealed once it is said to be.
func TestOldRosterIsSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staff.json")
	r := open(t, path, &clock{})
	if err := r.Add("hoa", Volunteer, "480213"); err != nil {
		t.Fatal(err)
	}
	old, err := json.Marshal(r.records)
	if err != nil {
		t.Fatal(err)
	}
	for _, first := range []byte{'{', '[', 0} {
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Fatal(err)
		}
		oldRosterIsSealed(t, path, seals.NewRing(keyThatBegins(first)))
	}
}

// keyThatBegins makes a key whose name, and so what it seals, begins with that byte.
func keyThatBegins(first byte) seals.Key {
	for {
		if k := seals.NewKey(); k.ID()[0] == first {
			return k
		}
	}
}

func oldRosterIsSealed(t *testing.T, path string, ring *seals.Ring) {
	t.Helper()
	for i := range 2 {
		r, err := Open(path, (&clock{}).now, ring)
		if err != nil {
			t.Fatal(err)
		}
		if r.Plain() != (i == 0) {
			t.Errorf("opened for the %d. time: plain %t", i+1, r.Plain())
		}
		if err := r.Seal(ring); err != nil {
			t.Fatal(err)
		}
		if _, err := r.SignIn("hoa", "480213", "screen"); err != nil {
			t.Errorf("sign in: %v", err)
		}
		if data, _ := os.ReadFile(path); strings.Contains(string(data), "hoa") || strings.Contains(string(data), "hash") {
			t.Error("the roster is not sealed")
		}
	}
	if _, err := Open(path, (&clock{}).now, nil); err == nil {
		t.Error("a sealed roster was opened without its key")
	}
	if _, err := Open(path, (&clock{}).now, seals.NewRing(seals.NewKey())); err == nil {
		t.Error("a sealed roster was opened with another key")
	}
}

// What it is sealed for is part of what lies on every kiosk's disk: under any other word no list of staff would open any more.
func TestRosterOfOlderBuildsOpens(t *testing.T) {
	path, ring := filepath.Join(t.TempDir(), "staff.json"), seals.NewRing(seals.NewKey())
	r := open(t, path, &clock{})
	if err := r.Add("tech", Technician, "704182"); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, ring.Wrap("staff roll", plain), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := Open(path, (&clock{}).now, ring); err != nil || r.Plain() || len(r.Members()) != 1 {
		t.Fatalf("open: %v", err)
	}
}

func TestRosterOnDiskIsPrivateAndHoldsNoPIN(t *testing.T) {
	path := filepath.Join(t.TempDir(), "staff.json")
	r := open(t, path, &clock{})
	if err := r.Add("tech", Technician, "704182"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	data, _ := os.ReadFile(path)
	if strings.Contains(string(data), "704182") {
		t.Fatal("the PIN is on the disk")
	}
}

func TestChangesToTheRoster(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "staff.json"), &clock{})
	steps := []struct {
		what string
		do   func() error
		want error
	}{
		{"technician", func() error { return r.Add("tech", Technician, "704182") }, nil},
		{"twice", func() error { return r.Add("tech", Volunteer, "704182") }, ErrExists},
		{"name", func() error { return r.Add("Thu Hà", Volunteer, "704182") }, ErrBadName},
		{"role", func() error { return r.Add("thuha", "mayor", "704182") }, ErrBadRole},
		{"weak", func() error { return r.Add("thuha", Volunteer, "123456") }, ErrWeakPIN},
		{"last technician", func() error { return r.Remove("tech") }, ErrLastAdmin},
		{"no such", func() error { return r.Remove("thuha") }, ErrNotFound},
		{"no such PIN", func() error { return r.SetPIN("thuha", "704182") }, ErrNotFound},
		{"volunteer", func() error { return r.Add("thuha", Volunteer, "704182") }, nil},
		{"new PIN", func() error { return r.SetPIN("thuha", "281407") }, nil},
		{"old PIN", func() error { _, err := r.SignIn("thuha", "704182", "screen"); return err }, ErrWrongPIN},
		{"signs in", func() error { _, err := r.SignIn("thuha", "281407", "screen"); return err }, nil},
		{"removed", func() error { return r.Remove("thuha") }, nil},
		{"gone", func() error { _, err := r.SignIn("thuha", "281407", "screen"); return err }, ErrWrongPIN},
	}
	for _, s := range steps {
		if err := s.do(); !errors.Is(err, s.want) {
			t.Errorf("%s: %v, want %v", s.what, err, s.want)
		}
	}
}

func TestStrong(t *testing.T) {
	for pin, want := range map[string]bool{
		"480213": true, "704182": true, "000000": false, "123456": false, "654321": false, "789012": false,
		"121212": false, "123123": false, "12345": false, "1234567890123": false, "48021a": false, "135791": false,
	} {
		if strong(pin) != want {
			t.Errorf("strong(%s) = %t", pin, !want)
		}
	}
}

func TestRoleCovers(t *testing.T) {
	if !Technician.Covers(Volunteer) || Volunteer.Covers(Technician) || Role("").Covers(Volunteer) {
		t.Fatal("roles")
	}
}

func TestFullDiskChangesNothing(t *testing.T) {
	dir := t.TempDir()
	r := open(t, filepath.Join(dir, "gone", "staff.json"), &clock{})
	if err := r.Add("tech", Technician, "704182"); err == nil || len(r.Members()) != 0 {
		t.Fatalf("%v, %v", r.Members(), err)
	}
}
