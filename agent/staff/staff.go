// Package staff keeps the people who may sign in at the kiosk: volunteers and technicians, each with a
// role and a PIN. PINs are stored as argon2id only. In go a sign-in name and a PIN; out comes the Member or a reason
// to refuse. After five wrong PINs in a row the member is locked for a time that doubles with every
// further one, across restarts, so that a six-digit PIN can't be guessed at the screen.
package staff

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// Role is what a member may do. A technician may do all a volunteer may.
type Role string

// The roles; the citizen has none and signs in nowhere.
const (
	Volunteer  Role = "volunteer"
	Technician Role = "technician"
)

// Covers reports whether a member of this role may do what needs the other.
func (r Role) Covers(needed Role) bool {
	return r == needed || r == Technician && needed == Volunteer
}

// Member is one person who may sign in, without the PIN.
type Member struct {
	Name        string    `json:"name"` // sign-in name: lower-case ASCII letters, digits, hyphen
	Role        Role      `json:"role"`
	Added       time.Time `json:"added"`
	LockedUntil time.Time `json:"locked_until,omitzero"`
}

// The reasons to refuse. Wrong name and wrong PIN are one error: it must not tell which names exist.
var (
	ErrWrongPIN  = errors.New("staff: wrong name or PIN")
	ErrLocked    = errors.New("staff: locked after too many wrong PINs")
	ErrWeakPIN   = errors.New("staff: the PIN needs 6 to 12 digits that are no simple row and not all the same")
	ErrBadName   = errors.New("staff: a sign-in name has 2 to 32 of a-z, 0-9 and hyphen, and begins with a letter")
	ErrBadRole   = errors.New("staff: the role is volunteer or technician")
	ErrExists    = errors.New("staff: that name is taken")
	ErrNotFound  = errors.New("staff: no such name")
	ErrLastAdmin = errors.New("staff: the last technician can't be removed")
)

// Wrong PINs that are free, and how long the next ones lock: 1 minute, 2, 4, … up to a day.
const (
	freeTries   = 5
	firstLock   = time.Minute
	longestLock = 24 * time.Hour
)

// Argon2id by RFC 9106, section 4, second recommended option scaled to a kiosk: one guess costs about
// 60 ms and 64 MiB, so guesses are made one at a time (see SignIn).
const (
	passes  = 1
	memory  = 64 << 10 // KiB
	threads = 2
	keySize = 32
)

type record struct {
	Member
	Salt  string `json:"salt"`
	Hash  string `json:"hash"`
	Wrong int    `json:"wrong"` // wrong PINs since the last right one
}

// Roll is the list of members, kept in one file that only its owner can read.
type Roll struct {
	path string
	now  func() time.Time

	guess sync.Mutex // one PIN is tried at a time: bounds memory and makes the count of wrong ones exact

	mu      sync.Mutex // guards records
	records []record
}

// Open reads the roll; a file that is not there yet is an empty roll.
func Open(path string, now func() time.Time) (*Roll, error) {
	r := &Roll{path: path, now: now}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read staff roll: %w", err)
	}
	if err := json.Unmarshal(data, &r.records); err != nil {
		return nil, fmt.Errorf("read staff roll %s: %w", path, err)
	}
	return r, nil
}

// Members lists who may sign in, by name.
func (r *Roll) Members() []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := make([]Member, len(r.records))
	for i, rec := range r.records {
		members[i] = rec.Member
	}
	return members
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)

// Add puts a member on the roll.
func (r *Roll) Add(name string, role Role, pin string) error {
	switch {
	case !nameForm.MatchString(name):
		return ErrBadName
	case role != Volunteer && role != Technician:
		return ErrBadRole
	}
	salt, hash, err := seal(pin)
	if err != nil {
		return err
	}
	return r.change(func() error {
		if r.find(name) >= 0 {
			return ErrExists
		}
		r.records = append(r.records, record{Member: Member{Name: name, Role: role, Added: r.now().UTC().Truncate(time.Second)}, Salt: salt, Hash: hash})
		slices.SortFunc(r.records, func(a, b record) int { return strings.Compare(a.Name, b.Name) })
		return nil
	})
}

// SetPIN gives a member a new PIN and unlocks them.
func (r *Roll) SetPIN(name, pin string) error {
	salt, hash, err := seal(pin)
	if err != nil {
		return err
	}
	return r.change(func() error {
		i := r.find(name)
		if i < 0 {
			return ErrNotFound
		}
		rec := &r.records[i]
		rec.Salt, rec.Hash, rec.Wrong, rec.LockedUntil = salt, hash, 0, time.Time{}
		return nil
	})
}

// Remove takes a member off the roll. The last technician stays: nobody could sign in to mend it.
func (r *Roll) Remove(name string) error {
	return r.change(func() error {
		i := r.find(name)
		if i < 0 {
			return ErrNotFound
		}
		technicians := 0
		for _, rec := range r.records {
			if rec.Role == Technician {
				technicians++
			}
		}
		if r.records[i].Role == Technician && technicians == 1 {
			return ErrLastAdmin
		}
		r.records = slices.Delete(r.records, i, i+1)
		return nil
	})
}

// SignIn checks a PIN. A lock is answered with ErrLocked before the PIN is looked at, so that a guess
// made while locked tells nothing; the count and the lock are on the disk before the answer is given.
func (r *Roll) SignIn(name, pin string) (Member, error) {
	r.guess.Lock()
	defer r.guess.Unlock()

	r.mu.Lock()
	var rec record
	i := r.find(name)
	if i >= 0 {
		rec = r.records[i]
	}
	r.mu.Unlock()

	if r.now().Before(rec.LockedUntil) {
		return rec.Member, ErrLocked
	}
	salt, err := base64.RawStdEncoding.DecodeString(rec.Salt)
	if err != nil {
		return Member{}, fmt.Errorf("read salt of %s: %w", name, err)
	}
	// An unknown name costs the same time as a known one.
	right := matches(pin, salt, rec.Hash) && i >= 0
	if i < 0 {
		return Member{}, ErrWrongPIN
	}
	var member Member
	err = r.change(func() error {
		i := r.find(name)
		if i < 0 {
			return ErrWrongPIN
		}
		rec := &r.records[i]
		if right {
			rec.Wrong, rec.LockedUntil = 0, time.Time{}
		} else {
			rec.Wrong++
			if rec.Wrong >= freeTries {
				rec.LockedUntil = r.now().Add(min(firstLock<<min(rec.Wrong-freeTries, 20), longestLock)).UTC()
			}
		}
		member = rec.Member
		return nil
	})
	if err != nil {
		return Member{}, err
	}
	if !right {
		if !member.LockedUntil.IsZero() {
			return member, ErrLocked
		}
		return Member{}, ErrWrongPIN
	}
	return member, nil
}

// find gives the place of a name, or -1. mu is held.
func (r *Roll) find(name string) int {
	return slices.IndexFunc(r.records, func(rec record) bool { return rec.Name == name })
}

// change runs do under the lock and writes the roll; if either goes wrong the roll stays as it was.
func (r *Roll) change(do func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := slices.Clone(r.records)
	err := do()
	if err == nil {
		err = r.write()
	}
	if err != nil {
		r.records = before
	}
	return err
}

func (r *Roll) write() error {
	data, err := json.MarshalIndent(r.records, "", "  ")
	if err != nil {
		return fmt.Errorf("write staff roll: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), ".staff-*") // 0600
	if err != nil {
		return fmt.Errorf("write staff roll: %w", err)
	}
	defer os.Remove(f.Name()) // a no-op after the rename
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), r.path)
	}
	if err != nil {
		return fmt.Errorf("write staff roll: %w", err)
	}
	dir, err := os.Open(filepath.Dir(r.path))
	if err != nil {
		return fmt.Errorf("write staff roll: %w", err)
	}
	defer dir.Close()
	return dir.Sync()
}

func seal(pin string) (salt, hash string, err error) {
	if !strong(pin) {
		return "", "", ErrWeakPIN
	}
	raw := make([]byte, 16)
	rand.Read(raw)
	return base64.RawStdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(derive(pin, raw)), nil
}

func derive(pin string, salt []byte) []byte {
	return argon2.IDKey([]byte(pin), salt, passes, memory, threads, keySize)
}

func matches(pin string, salt []byte, hash string) bool {
	got := base64.RawStdEncoding.EncodeToString(derive(pin, salt))
	return subtle.ConstantTimeCompare([]byte(got), []byte(hash)) == 1
}

// strong refuses what is tried first: 000000, 123456, 654321, 135790 and the like (one step repeated), 121212,
// 123123 (one group repeated).
func strong(pin string) bool {
	if len(pin) < 6 || len(pin) > 12 {
		return false
	}
	step := true
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return false
		}
		if i > 1 && (pin[i]-pin[i-1]+10)%10 != (pin[1]-pin[0]+10)%10 {
			step = false
		}
	}
	for group := 1; group <= len(pin)/2; group++ {
		if len(pin)%group == 0 && strings.Repeat(pin[:group], len(pin)/group) == pin {
			return false
		}
	}
	return !step
}
