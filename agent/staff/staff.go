// Package staff keeps the people who may sign in: volunteers, technicians and officers, each with a
// role and a PIN. PINs are stored as argon2id only, and the whole roster is sealed by a key under the kiosk's. In go a sign-in
// name, a PIN and the device it was typed at; out comes the Member or a reason to refuse. After five wrong PINs in a row that
// name has to wait at that device, longer each time up to five minutes, across restarts: a six-digit PIN can't be guessed at
// the screen (fewer than 300 tries a day), and nobody can lock the office out for longer than that. A new PIN, by the command
// line or a technician, ends every wait. Known and unknown names are answered alike and after the same work.
package staff

import (
	"crypto/rand"
	"crypto/sha256"
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
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sys/unix"
)

// Role is what a member may do. A technician may do all a volunteer may.
type Role string

// The roles; the citizen has none and signs in nowhere.
const (
	Volunteer  Role = "volunteer"
	Technician Role = "technician"
	// Officer works at the office's desk; at a kiosk only where its configuration lets officers sign, and then as a volunteer, too.
	Officer Role = "officer"
)

// Covers reports whether a member of this role may do what needs the other.
func (r Role) Covers(needed Role) bool {
	return r == needed || needed == Volunteer && (r == Technician || r == Officer)
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
	ErrBadRole   = errors.New("staff: the role is volunteer, technician or officer")
	ErrExists    = errors.New("staff: that name is taken")
	ErrNotFound  = errors.New("staff: no such name")
	ErrBusy      = errors.New("staff: too many PINs are being tried at once")
	ErrLastAdmin = errors.New("staff: the last technician can't be removed")
)

// Wrong PINs that are free, and how long the next ones make wait: 20 s, 40 s, … up to five minutes.
const (
	freeTries   = 5
	firstLock   = 20 * time.Second
	longestLock = 5 * time.Minute
	// maxWaits bounds what strangers who type any name can put into the roster; the oldest wait makes room.
	maxWaits = 256
	// maxGuesses are tried or wait to be tried, one after the other; further ones are turned away.
	maxGuesses = 8
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
	Salt string `json:"salt"`
	Hash string `json:"hash"`

	Waits []string `json:"waits,omitempty"` // keys of the waits of this name
}

// wait is how often a PIN was wrong for a name at a device since the last right one there. Key is a digest of both: the name
// may be anything that was typed.
type wait struct {
	Key   string    `json:"key"`
	Wrong int       `json:"wrong"`
	Until time.Time `json:"until,omitzero"`
	Last  time.Time `json:"last"`
}

func keyOf(name, device string) string {
	sum := sha256.Sum256([]byte(name + "\x00" + device))
	return base64.RawStdEncoding.EncodeToString(sum[:18])
}

// file is the roster on the disk. Older builds wrote the members alone.
type file struct {
	Members []record `json:"members"`
	Waits   []wait   `json:"waits,omitempty"`
}

// Box seals the roster; *seal.Ring is one.
type Box interface {
	Wrap(name string, secret []byte) []byte
	Unwrap(name string, wrapped []byte) ([]byte, error)
}

// sealedName is what the roster is sealed for.
const sealedName = "staff roll" // a kiosk's disk has it: never another word

// Roster is the list of members, kept in one file that only its owner can read.
type Roster struct {
	path string
	now  func() time.Time

	guess   sync.Mutex   // one PIN is tried at a time: bounds memory and makes the count of wrong ones exact
	guesses atomic.Int32 // that are tried or wait

	mu      sync.Mutex // guards the rest
	box     Box        // nil: the roster can't be sealed
	plain   bool       // it is not sealed yet
	records []record
	waits   []wait
}

// Open reads the roster; a file that is not there yet is an empty roster, which is sealed from the beginning where there is a box. One that
// lies there plain, by an older build, stays so until Seal; one that is sealed cannot be read without its box.
func Open(path string, now func() time.Time, box Box) (*Roster, error) {
	r := &Roster{path: path, now: now, box: box}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read staff roster: %w", err)
	}
	// Not by its first byte: what is sealed begins with the name of the kiosk key, and one in 128 keys has one of JSON's.
	if r.plain = json.Valid(data); !r.plain {
		if box == nil {
			return nil, fmt.Errorf("read staff roster %s: it is sealed, and its key is not here", path)
		}
		if data, err = box.Unwrap(sealedName, data); err != nil {
			return nil, fmt.Errorf("read staff roster %s: %w", path, err)
		}
	}
	var f file
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		err = json.Unmarshal(data, &f.Members)
	} else {
		err = json.Unmarshal(data, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("read staff roster %s: %w", path, err)
	}
	r.records, r.waits = f.Members, f.Waits
	return r, nil
}

// Seal seals the roster by a box from now on, also where it was sealed by another one.
func (r *Roster) Seal(box Box) error {
	return r.change(func() error {
		r.box, r.plain = box, false
		return nil
	})
}

// Plain tells whether the roster lies on the disk unsealed.
func (r *Roster) Plain() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plain
}

// Members lists who may sign in, by name.
func (r *Roster) Members() []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := make([]Member, len(r.records))
	for i, rec := range r.records {
		members[i] = rec.Member
		if !r.now().Before(rec.LockedUntil) {
			members[i].LockedUntil = time.Time{}
		}
	}
	return members
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)

// Add puts a member on the roster.
func (r *Roster) Add(name string, role Role, pin string) error {
	switch {
	case !nameForm.MatchString(name):
		return ErrBadName
	case role != Volunteer && role != Technician && role != Officer:
		return ErrBadRole
	}
	salt, hash, err := hashed(pin)
	if err != nil {
		return err
	}
	return r.change(func() error {
		if r.find(name) >= 0 {
			return ErrExists
		}
		r.records = append(r.records, record{Member: Member{Name: name, Role: role, Added: r.now().UTC().Truncate(time.Second)}, Salt: salt,
			Hash: hash})
		slices.SortFunc(r.records, func(a, b record) int { return strings.Compare(a.Name, b.Name) })
		return nil
	})
}

// SetPIN gives a member a new PIN and unlocks them.
func (r *Roster) SetPIN(name, pin string) error {
	salt, hash, err := hashed(pin)
	if err != nil {
		return err
	}
	return r.change(func() error {
		i := r.find(name)
		if i < 0 {
			return ErrNotFound
		}
		rec := &r.records[i]
		r.waits = slices.DeleteFunc(r.waits, func(w wait) bool { return slices.Contains(rec.Waits, w.Key) })
		rec.Salt, rec.Hash, rec.LockedUntil, rec.Waits = salt, hash, time.Time{}, nil
		return nil
	})
}

// Remove takes a member off the roster. The last technician stays: nobody could sign in to mend it.
func (r *Roster) Remove(name string) error {
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

// SignIn checks a PIN that was typed at a device. A wait is answered with ErrLocked before the PIN is looked at, so that a
// guess made while it lasts tells nothing; the count and the wait are on the disk before the answer is given. The Member that
// comes with ErrLocked has the name that was typed, which nobody need have.
func (r *Roster) SignIn(name, pin, device string) (Member, error) {
	if r.guesses.Add(1) > maxGuesses {
		r.guesses.Add(-1)
		return Member{}, ErrBusy
	}
	defer r.guesses.Add(-1)
	r.guess.Lock()
	defer r.guess.Unlock()

	key := keyOf(name, device)
	r.mu.Lock()
	var rec record
	i := r.find(name)
	if i >= 0 {
		rec = r.records[i]
	}
	var before wait
	if w := r.waitOf(key); w >= 0 {
		before = r.waits[w]
	}
	r.mu.Unlock()

	if r.now().Before(before.Until) {
		return Member{Name: name, LockedUntil: before.Until}, ErrLocked
	}
	salt, err := base64.RawStdEncoding.DecodeString(rec.Salt)
	if err != nil {
		return Member{}, fmt.Errorf("read a salt of the staff roster: %w", err)
	}
	if i < 0 {
		salt = make([]byte, 16) // an unknown name costs what a known one does
	}
	right := matches(pin, salt, rec.Hash) && i >= 0
	var member Member
	var locked time.Time
	err = r.change(func() error {
		i := r.find(name)
		if right && i < 0 { // removed in this moment
			return ErrWrongPIN
		}
		if right {
			r.waits = slices.DeleteFunc(r.waits, func(w wait) bool { return w.Key == key })
			r.records[i].LockedUntil = time.Time{}
			member = r.records[i].Member
			return nil
		}
		locked = r.wrong(key)
		if i >= 0 {
			rec := &r.records[i]
			rec.LockedUntil = locked
			if !slices.Contains(rec.Waits, key) {
				rec.Waits = append(rec.Waits, key)
			}
			rec.Waits = slices.DeleteFunc(rec.Waits, func(k string) bool { return r.waitOf(k) < 0 })
		}
		return nil
	})
	switch {
	case err != nil:
		return Member{}, err
	case right:
		return member, nil
	case !locked.IsZero():
		return Member{Name: name, LockedUntil: locked}, ErrLocked
	}
	return Member{}, ErrWrongPIN
}

// wrong counts a wrong PIN and gives until when the next one has to wait; zero: not at all. mu is held.
func (r *Roster) wrong(key string) time.Time {
	now := r.now().UTC()
	w := wait{Key: key}
	if i := r.waitOf(key); i >= 0 {
		w = r.waits[i]
		r.waits = slices.Delete(r.waits, i, i+1)
	}
	w.Wrong, w.Last = w.Wrong+1, now
	if w.Wrong >= freeTries {
		w.Until = now.Add(min(firstLock<<min(w.Wrong-freeTries, 20), longestLock))
	}
	r.waits = append(r.waits, w)
	if len(r.waits) > maxWaits {
		r.waits = slices.Delete(r.waits, 0, len(r.waits)-maxWaits) // the longest unused come first
	}
	return w.Until
}

// waitOf gives the place of a wait, or -1. mu is held.
func (r *Roster) waitOf(key string) int {
	return slices.IndexFunc(r.waits, func(w wait) bool { return w.Key == key })
}

// find gives the place of a name, or -1. mu is held.
func (r *Roster) find(name string) int {
	return slices.IndexFunc(r.records, func(rec record) bool { return rec.Name == name })
}

// change runs do under the lock and writes the roster; if either goes wrong the roster stays as it was.
func (r *Roster) change(do func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, waits, box, plain := slices.Clone(r.records), slices.Clone(r.waits), r.box, r.plain
	err := do()
	if err == nil {
		err = r.write()
	}
	if err != nil {
		r.records, r.waits, r.box, r.plain = before, waits, box, plain
	}
	return err
}

func (r *Roster) write() error {
	data, err := json.MarshalIndent(file{r.records, r.waits}, "", "  ")
	if err != nil {
		return fmt.Errorf("write staff roster: %w", err)
	}
	if r.box != nil && !r.plain {
		data = r.box.Wrap(sealedName, data)
	}
	f, err := os.CreateTemp(filepath.Dir(r.path), ".staff-*") // 0600
	if err != nil {
		return fmt.Errorf("write staff roster: %w", err)
	}
	defer os.Remove(f.Name()) // a no-op after the rename
	_, err = f.Write(data)
	if err == nil {
		err = keepOwner(f, filepath.Dir(r.path))
	}
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
		return fmt.Errorf("write staff roster: %w", err)
	}
	dir, err := os.Open(filepath.Dir(r.path))
	if err != nil {
		return fmt.Errorf("write staff roster: %w", err)
	}
	defer dir.Close()
	return dir.Sync()
}

// keepOwner gives a file that root writes to whoever the folder belongs to: the daemon must be able to read it.
func keepOwner(f *os.File, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(folder, &st); err != nil {
		return err
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

func hashed(pin string) (salt, hash string, err error) {
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
