package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TryEnv names, in a child's environment, what it shall attempt once it is locked; see Attempt.
const TryEnv = "MOTCUA_SANDBOX_TRY"

// attempt is one thing that whoever took the parser over would do.
type attempt struct {
	name  string // the guard it tests, as Protections names it
	claim string // what holds, as a sentence for the technician, if do fails
	// do attempts it; what it returns is why it failed, nil if it came through.
	do func() error
}

// through is done by a call's return value.
func through(_, _ uintptr, e unix.Errno) error {
	if e != 0 {
		return e
	}
	return nil
}

// fork makes a process that ends at once.
func fork(flags uintptr) error {
	pid, _, e := unix.RawSyscall6(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if e == 0 && pid == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0) // does not come back
	}
	return through(pid, 0, e)
}

func cstring(s string) uintptr {
	b := append([]byte(s), 0)
	return uintptr(unsafe.Pointer(&b[0]))
}

const (
	x32          = 0x40000000
	foreignCalls = "32-bit calls"
	goCrash      = 2 // exit code of a Go program that met a fault
)

// attempts are tried in this order. The files named are there on every Linux.
var attempts = []attempt{
	{"files", "no file can be opened", func() error {
		return through(unix.RawSyscall6(unix.SYS_OPENAT, ^uintptr(99), cstring("/etc/passwd"), unix.O_RDONLY, 0, 0, 0))
	}},
	{"file modes", "no file's mode can be changed, by new calls either", func() error {
		const fchmodat2 = 452
		e := through(unix.RawSyscall6(fchmodat2, ^uintptr(99), cstring("/etc/passwd"), 0o644, 0, 0, 0))
		if errors.Is(e, unix.EPERM) || errors.Is(e, unix.EROFS) || errors.Is(e, unix.ENOENT) {
			return nil // the file system's answer, not the guard's
		}
		return e
	}},
	{foreignCalls, "calls of a foreign architecture are not carried out", func() error {
		const getpid = 20 // of i386
		if foreign(getpid) == noDoor {
			return errors.New("this processor has no second door")
		}
		return nil
	}},
	{"x32 calls", "calls of the x32 architecture are not carried out", func() error {
		return through(unix.RawSyscall(unix.SYS_GETPID|x32, 0, 0, 0))
	}},
	{"sockets", "no socket can be made", func() error {
		return through(unix.RawSyscall(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0))
	}},
	{"programs", "no other program can be started", func() error {
		argv := [2]uintptr{cstring("/bin/true"), 0}
		return through(unix.RawSyscall(unix.SYS_EXECVE, argv[0], uintptr(unsafe.Pointer(&argv[0])), 0))
	}},
	{"processes", "no process can be made", func() error { return fork(0) }},
	{"other memory", "no other process's memory can be read", func() error {
		// Nothing lies at that address; that the kernel says so and not that it may not look is the answer.
		var b byte
		into, from := unix.Iovec{Base: &b, Len: 1}, unix.RemoteIovec{Base: 0x1000, Len: 1}
		e := through(unix.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(os.Getppid()), uintptr(unsafe.Pointer(&into)), 1,
			uintptr(unsafe.Pointer(&from)), 1, 0))
		if errors.Is(e, unix.EFAULT) {
			return nil
		}
		return e
	}},
	{"signals", "no other process can be signalled", func() error {
		return through(unix.RawSyscall(unix.SYS_KILL, uintptr(os.Getppid()), 0, 0))
	}},
	{"code", "no memory can be made executable", func() error {
		return through(unix.RawSyscall6(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON,
			^uintptr(0), 0))
	}},
	{"kernel rings", "no ring of asynchronous calls can be set up", func() error {
		var params [128]byte
		return through(unix.RawSyscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params[0])), 0))
	}},
	{"namespaces", "no new namespace can be made", func() error { return fork(unix.CLONE_NEWUSER) }},
	{"memory", fmt.Sprintf("no more than %d MB can be taken", Memory>>20), func() error {
		_, err := unix.Mmap(-1, 0, Memory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	}},
	{"own processes", "it is alone in its process table", func() error {
		if os.Getpid() == 1 {
			return errors.New("it is process 1")
		}
		return nil
	}},
	{"own network", "it has a network of its own with nothing in it", func() error {
		return networkAtStart
	}},
}

// networkAtStart is why nothing could be sent while this process still might have: in a network of its own not even its own address
// is up. Nil where something could. (What /proc says of namespaces is hidden under the daemon's unit.)
var networkAtStart error

func sendNothing() error {
	c, err := net.Dial("udp4", "127.0.0.1:9") // sends nothing yet: it only wants a way there
	if err != nil {
		return err
	}
	return c.Close()
}

// What a child says of an attempt that it survived.
const (
	cameThrough = "came through"
	refusedTo   = "refused: "
)

// Attempt is the child's side of Try: it locks this process as Lock does, attempts what TryEnv names and tells on w what
// became of it. Most attempts end the process instead.
func Attempt(w io.Writer) error {
	networkAtStart = sendNothing()
	Lock()
	return attemptNamed(os.Getenv(TryEnv), w)
}

func attemptNamed(name string, w io.Writer) error {
	for _, a := range attempts {
		if a.name != name {
			continue
		}
		said := cameThrough
		if err := a.do(); err != nil {
			said = refusedTo + err.Error()
		}
		_, err := fmt.Fprintln(w, said)
		return err
	}
	return fmt.Errorf("try the sandbox: nothing is known by the name %q", name)
}

// attemptTime bounds one attempt: starting the program takes a tenth of a second, on a busy or an emulated machine ten seconds.
const attemptTime = time.Minute

// Try has a child for each thing a taken-over parser might do attempt it, and says what held. argv starts a program that
// calls Attempt when TryEnv is set.
func Try(ctx context.Context, argv []string) ([]Protection, error) {
	var tried []Protection
	for _, a := range attempts {
		ctx, cancel := context.WithTimeout(ctx, attemptTime)
		p, err := a.try(ctx, argv, confined)
		cancel()
		if err != nil {
			return tried, fmt.Errorf("try the sandbox: %s: %w", a.name, err)
		}
		tried = append(tried, p)
	}
	return tried, nil
}

// starter starts a child with env.
type starter func(cmd *exec.Cmd, env ...string) error

func confined(cmd *exec.Cmd, env ...string) error { return Start(cmd, nil, env...) }

func (a attempt) try(ctx context.Context, argv []string, start starter) (Protection, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var said bytes.Buffer
	cmd.Stdout = &said
	if err := start(cmd, TryEnv+"="+a.name); err != nil {
		return Protection{}, err
	}
	err := cmd.Wait()
	p := Protection{Name: a.name, Detail: a.claim}
	switch said := said.String(); {
	case ctx.Err() != nil:
		return p, ctx.Err()
	case ForbiddenCall(cmd.ProcessState):
		p.Active = true
	case err != nil && cmd.ProcessState.ExitCode() == goCrash && a.name == foreignCalls:
		p.Active = true // a kernel without 32-bit calls answers the attempt with a fault
	case err != nil:
		return p, fmt.Errorf("%w: %s", err, said)
	case strings.HasPrefix(said, refusedTo):
		p.Active = true
	default: // it came through, or became another program
		p.Detail = "not so: " + a.claim
	}
	return p, nil
}
