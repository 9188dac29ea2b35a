package desk

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/staff"
)

// Roster is the file of who may sign in at the desk. It is read anew for every question and locked while it is changed, so
// that `motcua office officer` works beside a running desk, and an officer who is taken off it is out at once.
type Roster struct {
	path string
	now  func() time.Time
	mu   sync.Mutex
}

// NewRoster names the file; it is made by the first change.
func NewRoster(path string) *Roster { return &Roster{path: path, now: time.Now} }

// with runs f on the roster while no other process changes it.
func (r *Roster) with(f func(*staff.Roster) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	lock, err := os.OpenFile(r.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the list of officers: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("open the list of officers: %w", err)
	}
	roster, err := staff.Open(r.path, r.now, nil)
	if err != nil {
		return err
	}
	return f(roster)
}

// SignIn checks a PIN, as staff.Roster does.
func (r *Roster) SignIn(name, pin, device string) (m staff.Member, err error) {
	err = r.with(func(roster *staff.Roster) error {
		m, err = roster.SignIn(name, pin, device)
		return err
	})
	return m, err
}

// Officer finds who is on the roster; false where he is not, or not any more.
func (r *Roster) Officer(name string) (staff.Member, bool, error) {
	roster, err := staff.Open(r.path, r.now, nil)
	if err != nil {
		return staff.Member{}, false, err
	}
	for _, m := range roster.Members() {
		if m.Name == name && m.Role == staff.Officer {
			return m, true, nil
		}
	}
	return staff.Member{}, false, nil
}

// Members lists the officers.
func (r *Roster) Members() (all []staff.Member, err error) {
	err = r.with(func(roster *staff.Roster) error { all = roster.Members(); return nil })
	return all, err
}

// Add, SetPIN and Remove change the roster.
func (r *Roster) Add(name, pin string) error {
	return r.with(func(roster *staff.Roster) error { return roster.Add(name, staff.Officer, pin) })
}

// SetPIN gives an officer a new PIN.
func (r *Roster) SetPIN(name, pin string) error {
	return r.with(func(roster *staff.Roster) error { return roster.SetPIN(name, pin) })
}

// Remove takes an officer off the roster.
func (r *Roster) Remove(name string) error {
	return r.with(func(roster *staff.Roster) error { return roster.Remove(name) })
}
