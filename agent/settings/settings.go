// Package settings is the configuration file as a technician changes it: checked before it is applied,
// replaced in one step, with the last ten versions kept to go back to. In go the text of a file; out comes
// a new version, or every mistake at once and the old file untouched.
package settings

import (
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

	"motcua/agent/config"
)

// Kept is how many versions can be gone back to.
const Kept = 10

// Version is one text that was in force.
type Version struct {
	ID   string    `json:"id"` // sorts by age
	Time time.Time `json:"time"`
	By   string    `json:"by"` // sign-in name, "shipped" for what was there before the first change
}

// File is the configuration file at Path, its versions in a folder of their own.
type File struct {
	path     string
	versions string
	defaults config.Config
	shipped  []byte // what counts as the text where there is no file
	now      func() time.Time

	// Try checks what a configuration names, on this machine; nil: nothing is tried.
	Try func(config.Config) error

	mu sync.Mutex // one change at a time
}

// New names the file; neither it nor the versions folder needs to exist yet.
func New(path, versions string, defaults config.Config, shipped []byte, now func() time.Time) *File {
	return &File{path: path, versions: versions, defaults: defaults, shipped: shipped, now: now}
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Text is what is in force now.
func (f *File) Text() ([]byte, error) {
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.shipped, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return data, nil
}

// Check gives every mistake of a text, as strict.Problems; of a text without, what of the files, folders and addresses it
// names can't be used; or nil.
func (f *File) Check(text []byte) error {
	cfg, err := config.Load(f.defaults, filepath.Base(f.path), text)
	if err == nil && f.Try != nil {
		err = f.Try(cfg)
	}
	return err
}

// Apply puts a text in force, unless it has mistakes. by is the sign-in name of who did it. What was in force
// before is a version from then on. The daemon reads the file at its next start.
func (f *File) Apply(text []byte, by string) error {
	if err := f.Check(text); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	have, err := f.list()
	if err != nil {
		return err
	}
	if len(have) == 0 { // the first change: keep what it replaces
		before, err := f.Text()
		if err != nil {
			return err
		}
		if err := f.keep(before, "shipped"); err != nil {
			return err
		}
	}
	if err := f.keep(text, by); err != nil {
		return err
	}
	if err := replace(f.path, text, mode(f.path)); err != nil {
		return fmt.Errorf("apply configuration: %w", err)
	}
	return f.prune()
}

// Versions lists what was in force, the newest first.
func (f *File) Versions() ([]Version, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	have, err := f.list()
	slices.Reverse(have)
	return have, err
}

// ErrNoVersion is returned for an id that Versions does not list.
var ErrNoVersion = errors.New("no such version of the configuration")

// Version gives the text of one version.
func (f *File) Version(id string) ([]byte, error) {
	if !versionForm.MatchString(id) {
		return nil, ErrNoVersion
	}
	data, err := os.ReadFile(filepath.Join(f.versions, id+".yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoVersion
	}
	if err != nil {
		return nil, fmt.Errorf("read version of the configuration: %w", err)
	}
	return data, nil
}

const stamp = "20060102T150405.000"

var versionForm = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{3})-([a-z][a-z0-9-]*)$`)

// list gives the versions, the oldest first.
func (f *File) list() ([]Version, error) {
	entries, err := os.ReadDir(f.versions)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list versions of the configuration: %w", err)
	}
	var have []Version
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".yaml")
		m := versionForm.FindStringSubmatch(id)
		if !ok || m == nil {
			continue
		}
		if t, err := time.Parse(stamp, m[1]); err == nil {
			have = append(have, Version{ID: id, Time: t, By: m[2]})
		}
	}
	return have, nil
}

func (f *File) keep(text []byte, by string) error {
	if err := os.MkdirAll(f.versions, 0o700); err != nil {
		return fmt.Errorf("keep version of the configuration: %w", err)
	}
	t := f.now().UTC().Truncate(time.Millisecond)
	if have, err := f.list(); err == nil && len(have) > 0 {
		if last := have[len(have)-1].Time; !t.After(last) { // a clock set back must not change the order
			t = last.Add(time.Millisecond)
		}
	}
	id := t.Format(stamp) + "-" + by
	if !versionForm.MatchString(id) {
		return fmt.Errorf("keep version of the configuration: %q is no sign-in name", by)
	}
	if err := replace(filepath.Join(f.versions, id+".yaml"), text, 0o600); err != nil {
		return fmt.Errorf("keep version of the configuration: %w", err)
	}
	return nil
}

func (f *File) prune() error {
	have, err := f.list()
	if err != nil {
		return err
	}
	// One more than can be gone back to: the newest is what is in force.
	for _, v := range have[:max(0, len(have)-Kept-1)] {
		if err := os.Remove(filepath.Join(f.versions, v.ID+".yaml")); err != nil {
			return fmt.Errorf("remove old version of the configuration: %w", err)
		}
	}
	return nil
}

func mode(path string) fs.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o600
}

// replace writes a file in one step: whoever reads it, also after a power cut, finds the old or the new.
func replace(path string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(t.Name()) // a no-op after the rename
	_, err = t.Write(data)
	if err == nil {
		err = t.Chmod(mode)
	}
	if err == nil {
		err = t.Sync()
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := os.Rename(t.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
