// Package sticktest mounts real file systems as sticks in tests.
package sticktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// harmless is how the shipped unit mounts a stick.
const harmless = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// CanMount tells whether this process may mount. Where it may not, the test is run once more in a user and mount namespace of its own,
// and false says that this was it.
func CanMount(t *testing.T) bool {
	t.Helper()
	if os.Getuid() == 0 {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("in a namespace where it may mount: %v\n%s", err, out)
	}
	return false
}

// Stick is one that is plugged in.
type Stick struct {
	t   *testing.T
	dir string
}

// Plug lays files on a file system of its own and mounts it in folder under a name, as the shipped unit would.
func Plug(t *testing.T, folder, name string, fill func(dir string)) *Stick {
	t.Helper()
	s := &Stick{t, filepath.Join(folder, name)}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.mount("tmpfs", "tmpfs", unix.MS_NOSUID, "size=256m")
	t.Cleanup(func() { _ = unix.Unmount(s.dir, unix.MNT_DETACH) })
	fill(s.dir)
	s.Remount(harmless)
	return s
}

// PlugImage mounts a file system that lies in a file, on a loop device; ok is false where this machine's kernel does not have it.
func PlugImage(t *testing.T, folder, name, kind, image, options string) (s *Stick, ok bool) {
	t.Helper()
	s = &Stick{t, filepath.Join(folder, name)}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", kind, "-o", "loop,ro,nosuid,nodev,noexec"+options, image, s.dir).CombinedOutput(); err != nil {
		t.Logf("no %s here: %s", kind, out)
		_ = os.Remove(s.dir)
		return nil, false
	}
	t.Cleanup(func() { _ = unix.Unmount(s.dir, unix.MNT_DETACH) })
	return s, true
}

func (s *Stick) mount(source, kind string, flags uintptr, data string) {
	s.t.Helper()
	if err := unix.Mount(source, s.dir, kind, flags, data); err != nil {
		s.t.Fatalf("mount a stick: %v", err)
	}
}

// Remount gives the mount other flags.
func (s *Stick) Remount(flags uintptr) {
	s.t.Helper()
	s.mount("", "", unix.MS_REMOUNT|unix.MS_BIND|flags, "")
}

// Change lets something be written on the stick, as another machine would before it is plugged in.
func (s *Stick) Change(change func(dir string)) {
	s.t.Helper()
	s.Remount(unix.MS_NOSUID)
	change(s.dir)
	s.Remount(harmless)
}

// Pull takes the stick out: what is open of it stays so, and its folder goes.
func (s *Stick) Pull() {
	s.t.Helper()
	if err := unix.Unmount(s.dir, unix.MNT_DETACH); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Remove(s.dir); err != nil {
		s.t.Fatal(err)
	}
}
