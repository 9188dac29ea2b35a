package hotfolder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// What the kernel is asked about files and folders.

// lockAlone takes a folder's lock until the file is closed; ErrInUse: another process has it.
func lockAlone(f *os.File) error {
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return ErrInUse
	}
	return nil
}

// openSeen opens what lies under a name, but follows no link and waits for no pipe.
func openSeen(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// usable reports whether this account may take files out of a folder.
func usable(dir string) bool { return unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK) == nil }

// beingWritten asks the kernel whether somebody has the file open for writing or holds a lock on it. Where
// the file system cannot say, only the file's stillness counts.
func beingWritten(path string) bool {
	file, err := openSeen(path)
	if err != nil {
		return false // the claim will tell
	}
	defer file.Close()
	fd := int(file.Fd())
	if err := unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return true
	}
	lock := unix.Flock_t{Type: unix.F_RDLCK}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &lock); err == nil && lock.Type == unix.F_WRLCK {
		return true
	}
	// A read lease is given only while nobody writes.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK); errors.Is(err, unix.EAGAIN) {
		return true
	} else if err == nil {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK) // closing gives it back as well
	}
	return false
}

// syncDir makes a rename or a deletion survive a power cut. Some network file systems cannot.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}
