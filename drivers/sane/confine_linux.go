package sane

/*
#include "confine_linux.h"
*/
import "C"

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A backend is third-party code that reads what a device, or whoever plays one on the network, sends it. The worker may
// read and run what belongs to the system, use scanners' device nodes, keep temporary files and speak to the network, since
// that is what one backend or another does; the kiosk's own data, homes, keys and other devices are out of its reach. What
// it may is named from outside, since no list of what all makers' backends read could be complete.

// withheld are the folders and files that no backend has business with.
var withheld = []string{
	"/home", "/root", "/srv", "/mnt", "/media", "/boot", "/efi", "/lost+found", "/dev", "/tmp", "/var/tmp", "/run/lock",
	"/etc/motcua", "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssh", "/etc/ssl/private", "/etc/sudoers",
	"/etc/sudoers.d", "/etc/NetworkManager", "/etc/wpa_supplicant", "/etc/wireguard",
	"/run/motcua", "/run/motcua-kiosk", "/run/user", "/run/credentials", "/run/secrets", "/run/sudo", "/run/containerd", "/run/docker",
	"/var/lib/motcua", "/var/lib/private", "/var/backups", "/var/log", "/var/mail", "/var/spool/mail", "/var/spool/cron",
}

// writable are where backends keep locks, calibration and temporary files; the account's rights say the rest.
var writable = []string{"/tmp", "/var/tmp", "/run/lock", "/dev/shm"}

// nodes are the devices that scanners are, and those that any program uses.
var nodes = []string{
	"/dev/bus/usb", "/dev/usb", "/dev/usbscanner*", "/dev/scanner*", "/dev/sg*", "/dev/pg*", "/dev/parport*", "/dev/lp*",
	"/dev/video*", "/dev/media*", "/dev/v4l", "/dev/ttyS*", "/dev/ttyUSB*", // cameras that are scanners to SANE: v4l, dc25, dc210
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
}

// allowance is what a worker may reach.
type allowance struct{ read, devices, write []string }

// allowed plans what a worker may reach, of a machine as it is now: a scanner that is plugged in later lies in a folder that
// is named. hide is what it may not reach besides; env is what its backends are told of folders.
func allowed(hide, env []string) allowance {
	secret := slices.Clone(withheld)
	for _, h := range hide {
		if abs, err := filepath.Abs(h); err == nil && abs != "/" {
			secret = append(secret, abs)
			if real, err := filepath.EvalSymlinks(abs); err == nil {
				secret = append(secret, real)
			}
		}
	}
	a := allowance{read: around("/", secret)}
	for _, w := range writable {
		a.write = append(a.write, around(w, slices.DeleteFunc(slices.Clone(secret), func(s string) bool { return s == w }))...)
	}
	for _, pattern := range nodes {
		found, _ := filepath.Glob(pattern)
		a.devices = append(a.devices, found...)
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		switch {
		case value == "":
		case name == "HOME":
			a.write = append(a.write, filepath.Join(value, ".sane")) // calibration: genesys, gt68xx
		case name == "TMPDIR":
			a.write = append(a.write, value)
		case name == "SANE_CONFIG_DIR", name == "LD_LIBRARY_PATH":
			a.read = append(a.read, filepath.SplitList(value)...)
		}
	}
	return a
}

// around gives dir, or, where something secret lies below it, what of it does not lead there.
func around(dir string, secret []string) (open []string) {
	if slices.Contains(secret, dir) {
		return nil
	}
	below := strings.TrimSuffix(dir, "/") + "/"
	if !slices.ContainsFunc(secret, func(s string) bool { return strings.HasPrefix(s, below) }) {
		return []string{dir}
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Type()&os.ModeSymlink == 0 { // where a link leads to is named by itself
			open = append(open, around(below+e.Name(), secret)...)
		}
	}
	return open
}

// environment tells a child of this binary what it may reach.
func (a allowance) environment() []string {
	line := func(name string, paths []string) string {
		return name + "=" + strings.Join(slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return strings.Contains(p, ":") }), ":")
	}
	return []string{line(C.MO_READ, a.read), line(C.MO_DEVICES, a.devices), line(C.MO_WRITE, a.write)}
}

// identities tells which files and folders the paths of an environment's bounds lead to. The kernel holds a worker to those, not to their
// names: one that was replaced since (the list of name servers, say, or a device that was plugged in anew) is beyond its reach.
func identities(env []string) string {
	var b strings.Builder
	for _, e := range env {
		name, paths, _ := strings.Cut(e, "=")
		if name != C.MO_READ && name != C.MO_DEVICES && name != C.MO_WRITE {
			continue
		}
		for _, p := range filepath.SplitList(paths) {
			var st unix.Stat_t
			_ = unix.Stat(p, &st) // one that is not there is none
			fmt.Fprintf(&b, "%d.%d ", st.Dev, st.Ino)
		}
	}
	return b.String()
}

// confine brings a worker that is about to start into its bounds.
func confine(cmd *exec.Cmd, o Options) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // backends start processes of their own
		Pdeathsig: syscall.SIGKILL, // a backend can hang so badly that the end of stdin is not seen
	}
	if !o.loose {
		cmd.Env = append(cmd.Env, allowed(o.Hide, cmd.Env).environment()...)
	}
}

// killGroup ends a worker and what its backends started.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// Held is one thing that a worker was tried with from inside.
type Held struct {
	Claim string
	Holds bool
}

// attempt is one thing that whoever took a backend over would do; what do returns is why it failed.
type attempt struct {
	name, claim string
	do          func(secrets []string) error
}

const (
	tryEnv     = "MOTCUA_SANE_TRY"
	secretsEnv = "MOTCUA_SANE_SECRETS" // what the try may not open
	foreign    = "foreign calls"
)

func result(_, _ uintptr, e unix.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

func opens(path string, flags int) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

var attempts = []attempt{
	{"files", "the kiosk's data, homes and keys cannot be opened", func(secrets []string) error {
		for _, s := range secrets {
			if opens(s, unix.O_RDONLY) == nil {
				return nil
			}
		}
		return unix.EACCES
	}},
	{"devices", "no device but scanners can be opened", func([]string) error { return opens("/dev/ptmx", unix.O_RDWR) }},
	{"programs' files", "no file of the system can be changed", func([]string) error { return opens("/etc/hostname", unix.O_RDWR) }},
	{"other memory", "no other process's memory can be read", func([]string) error {
		var b byte
		into, from := unix.Iovec{Base: &b, Len: 1}, unix.RemoteIovec{Base: 0x1000, Len: 1}
		err := result(unix.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(os.Getppid()), uintptr(unsafe.Pointer(&into)), 1,
			uintptr(unsafe.Pointer(&from)), 1, 0))
		if errors.Is(err, unix.EFAULT) { // nothing lies at that address: it may look
			return nil
		}
		return err
	}},
	{"signals", "no other process can be signalled", func([]string) error { return unix.Kill(os.Getppid(), 0) }},
	{"kernel rings", "no ring of asynchronous calls can be set up", func([]string) error {
		var params [128]byte
		return result(unix.RawSyscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params[0])), 0))
	}},
	{"namespaces", "no namespace can be made", func([]string) error { return unix.Unshare(unix.CLONE_FILES | unix.CLONE_NEWIPC) }},
	{"packets", "no raw packets can be sent", func([]string) error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}},
	{foreign, "calls of a foreign architecture are not carried out", func([]string) error {
		const getpid, noDoor = 20, -1000 // of i386
		if C.mo_sane_foreign(getpid) == noDoor {
			return errors.New("this processor has no second door")
		}
		return nil
	}},
}

// leftOpen is what stays open to a worker, for the technician.
const leftOpen = "the network, and programs of the system"

// attemptNamed is the child's side of Try.
func attemptNamed(name string, w io.Writer) error {
	for _, a := range attempts {
		if a.name != name {
			continue
		}
		said := "came through"
		if err := a.do(filepath.SplitList(os.Getenv(secretsEnv))); err != nil {
			said = "refused: " + err.Error()
		}
		_, err := fmt.Fprintln(w, said)
		return err
	}
	return fmt.Errorf("try the SANE worker: nothing is known by the name %q", name)
}

// Try has a worker for each thing a taken-over backend might do attempt it, and says what held.
func Try(ctx context.Context, o Options) (all []Held, err error) {
	secrets := append([]string{"/home", "/srv"}, o.Hide...)
	for _, a := range attempts {
		h := Held{Claim: a.claim}
		if h.Holds, err = a.try(ctx, o, secrets); err != nil {
			return all, fmt.Errorf("try the SANE worker: %s: %w", a.name, err)
		}
		all = append(all, h)
	}
	return all, nil
}

// tryTime bounds one attempt: starting the program takes a tenth of a second, on a busy machine some seconds.
const tryTime = 30 * time.Second

func (a attempt) try(ctx context.Context, o Options, secrets []string) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	cmd, err := command(ctx, o)
	if err != nil {
		return false, err
	}
	cmd.Env = append(cmd.Env, tryEnv+"="+a.name, secretsEnv+"="+strings.Join(secrets, ":"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, io.Discard
	err = cmd.Run()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	const goCrash = 2 // exit code of a Go program that met a fault: a kernel without 32-bit calls
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case status.Signaled() && status.Signal() == syscall.SIGSYS, a.name == foreign && status.ExitStatus() == goCrash:
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%w: %s", err, said.String())
	}
	return strings.HasPrefix(said.String(), "refused: "), nil
}
