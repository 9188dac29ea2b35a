package seal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// File is a vault in a file that only its owner may read.
type File struct{ path string }

// NewFile names the file; it is made by the first Save.
func NewFile(path string) *File { return &File{path} }

func (f *File) String() string { return "file " + f.path }

const fileHeading = "# Kiosk key of Motcua. Who has this file and the data folder can read what waits in the queue.\n"

// Load reads the keys. A file that others may read is refused: the technician must know.
func (f *File) Load(context.Context) ([]Key, error) {
	data, err := readPrivate(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read kiosk key: %w", err)
	}
	defer clear(data)
	keys, err := parseKeyLines(data)
	if err != nil {
		return nil, fmt.Errorf("read kiosk key: %s %w", f.path, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read kiosk key: %s is empty; put back the file from your backup, or remove it if nothing waits in the queue",
			f.path)
	}
	return keys, nil
}

// parseKeyLines reads one key a line.
func parseKeyLines(data []byte) (keys []Key, err error) {
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, ok := strings.CutPrefix(line, "motcua-key-1 ")
		raw, err := base64.StdEncoding.DecodeString(text)
		var k Key
		if !ok || err != nil || len(raw) != len(k.secret) {
			// The line itself must not get into the error: it may be most of a key.
			return nil, errors.New("holds a line that is no key")
		}
		copy(k.secret[:], raw)
		keys = append(keys, k)
	}
	return keys, nil
}

// Save replaces the file and overwrites the one before. Without keys the file is removed.
func (f *File) Save(_ context.Context, keys []Key) error {
	if len(keys) == 0 {
		if err := erasePrivate(f.path); err != nil {
			return fmt.Errorf("remove kiosk key: %w", err)
		}
		return nil
	}
	text := keyLines(keys)
	defer clear(text)
	if err := replacePrivate(f.path, text); err != nil {
		return fmt.Errorf("save kiosk key: %w", err)
	}
	return nil
}

func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it, and rotate the key if somebody could have copied it", path,
			mode)
	}
	data, err := os.ReadFile(path)
	if err == nil && len(data) > 0 && len(bytes.TrimLeft(data, "\x00")) == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrErased)
	}
	return data, err
}

// ErrErased says that a file of keys was overwritten, and that its removal was cut off.
var ErrErased = errors.New("its keys were erased")

// replacePrivate puts data at path so that after a power cut either the old or the new file is there,
// whole, and overwrites the old file's blocks, which the rename alone would leave on the disk.
func replacePrivate(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if old != nil {
		defer old.Close()
	}
	tmp, err := os.CreateTemp(dir, ".key-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	if err := keepOwner(tmp, dir); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if _, err := tmp.Write(data); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Sync(); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if old == nil {
		return nil
	}
	return overwrite(old)
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

func erasePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := errors.Join(overwrite(f), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Remove(path), syncDir(filepath.Dir(path)))
}

func overwrite(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, info.Size()), 0); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
