package ocr

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime/debug"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// Protection is one thing that keeps a hostile file in the worker from reaching anything else. Active is what
// was tried in the worker itself, not what the kernel says it has.
type Protection struct {
	Name   string `json:"name"`
	Active bool   `json:"active"`
	Detail string `json:"detail"`
}

// confine gives up what a parser does not need. What the kernel does not have is reported, not fatal: the limits
// that remain are still better than none.
func confine() []Protection {
	var out []Protection
	say := func(name string, err error, probe func() bool, detail string) {
		p := Protection{Name: name, Detail: detail}
		switch {
		case err != nil:
			p.Detail = fmt.Sprintf("not available on this kernel: %v", err)
		case probe == nil || probe():
			p.Active = true
		default:
			p.Detail = "the kernel accepted it but does not enforce it"
		}
		out = append(out, p)
	}

	// Two workers stay under 400 MB together.
	debug.SetGCPercent(60)
	debug.SetMemoryLimit(160 << 20)
	var limits error
	for _, l := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_CORE, 0},     // a core dump would hold citizens' papers
		{unix.RLIMIT_FSIZE, 0},    // nothing is written
		{unix.RLIMIT_NOFILE, 64},  // pipes and what the libraries hold open
		{unix.RLIMIT_AS, 3 << 30}, // address space; Go reserves far more than it uses
		{unix.RLIMIT_MEMLOCK, 0},  //
		{unix.RLIMIT_MSGQUEUE, 0}, //
	} {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.most, Max: l.most}); err != nil && limits == nil {
			limits = err
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil && limits == nil {
		limits = err
	}
	say("rlimits", limits, nil, "no core dumps, no file writes, at most 3 GiB of address space")

	err := landlock.V8.BestEffort().Restrict()
	say("landlock", err, func() bool {
		f, err := os.Open("/etc/passwd")
		if err == nil {
			f.Close()
		}
		return err != nil
	}, "no file can be opened")

	err = seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionErrno, Names: forbidden}},
		},
	})
	say("seccomp", err, func() bool {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			l.Close()
		}
		return err != nil && exec.Command("/bin/true").Run() != nil
	}, "no network, no other programs, no files")
	return out
}

// forbidden are the system calls a parser has no business with. Threads, memory, time and the pipes stay.
var forbidden = []string{
	"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
	"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd",
	"open", "openat", "openat2", "creat", "open_by_handle_at", "unlink", "unlinkat", "rename", "renameat", "renameat2",
	"link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat", "truncate", "chmod", "fchmodat",
	"chown", "fchownat", "mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "bpf", "perf_event_open",
	"keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "userfaultfd", "kexec_load", "init_module",
	"finit_module", "delete_module", "memfd_create", "memfd_secret", "shmget", "shmat", "msgget", "semget",
}
