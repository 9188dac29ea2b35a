package queue

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// disk is every operation that the store makes on files other than the index. Tests put a layer
// between that fails, tears or forgets any of them.
type disk interface {
	MkdirAll(path string) error
	Create(path string) (file, error) // for writing; an existing file is an error
	Open(path string) (file, error)   // for reading
	Edit(path string) (file, error)   // for reading and writing in place
	Rename(from, to string) error     // never over another file: fs.ErrExist
	Replace(from, to string) error    // over the other file
	Remove(path string) error
	List(dir string) ([]string, error)
	SyncDir(dir string) error
	Free(dir string) (int64, error) // bytes that this process may still write
	Writable(dir string) error      // why no file can be made there: unix.EROFS where the disk is read-only
}

type file interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
	io.Closer
	Sync() error
	Hint(off, n int64) // the disk may begin to write this down; no promise
	Size() (int64, error)
}

// Hint lets the drive work while the next bytes are sealed, so that less is left for Sync to wait for.
func (f osFile) Hint(off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

type osDisk struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (osDisk) open(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d osDisk) MkdirAll(path string) error { return os.MkdirAll(path, 0o700) }
func (d osDisk) Create(path string) (file, error) {
	return d.open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
}
func (d osDisk) Open(path string) (file, error) { return d.open(path, os.O_RDONLY) }
func (d osDisk) Edit(path string) (file, error) { return d.open(path, os.O_RDWR) }
func (osDisk) Remove(path string) error         { return os.Remove(path) }
func (osDisk) Replace(from, to string) error    { return os.Rename(from, to) }

func (osDisk) Rename(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		// A file system that can't: one process has the folder, so nothing comes between the look and the deed.
		if _, err := os.Lstat(to); err == nil {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
		}
		return os.Rename(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func (osDisk) List(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	return names, errors.Join(err, d.Close())
}

func (osDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (osDisk) Free(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}

func (osDisk) Writable(dir string) error { return unix.Access(dir, unix.W_OK) }
