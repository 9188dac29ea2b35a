package sandbox

import (
	"fmt"
	"os"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// allowed are the calls a locked process makes, found by strace over every test of recognition, and those that glibc 2.36
// to 2.41, the Go runtime (1.26) and the decoders' thread pools may make where a machine differs (fewer or more processors,
// another allocator path, no vDSO clock). None of them names a file, a socket or another process.
var allowed = []string{
	// What the pipes are for. Descriptors that are open already are all there will ever be.
	"read", "write", "readv", "writev", "pread64", "close", "lseek", "poll", "ppoll", "fstat",
	// The Go runtime's poller, begun with its first timer, and its way of waking a thread.
	"epoll_create1", "epoll_pwait", "epoll_ctl", "epoll_wait", "eventfd2",
	// Memory. mmap and mprotect only without PROT_EXEC: see conditions.
	"munmap", "mremap", "brk", "madvise", "mincore", "membarrier",
	// Threads and waiting.
	"futex", "nanosleep", "clock_nanosleep", "sched_yield", "restart_syscall", "set_robust_list", "get_robust_list", "rseq",
	"set_tid_address", "exit", "exit_group", "gettid", "getpid",
	// Signals to itself.
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "rt_sigtimedwait",
	// The clock, where the vDSO has none.
	"clock_gettime", "clock_getres", "gettimeofday", "time", "times",
	// What a thread pool or an allocator asks about the machine and about itself: qsort asks for the memory there is (sysinfo),
	// OpenMP for processors (sched_getaffinity), a thread for its limits and policy.
	"sysinfo", "getcpu", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
	"sched_get_priority_min", "getrusage", "getrlimit", "getrandom", "uname", "getuid", "geteuid", "getgid", "getegid", "getppid",
}

// refused are calls that libraries make by habit and can do without: they fail and nothing else happens. glibc's allocator
// looks at /proc/sys/vm/overcommit_memory, its get_nprocs at /sys, Tesseract opens /dev/null for its debugging, stdio asks
// whether its stream is a terminal; clone3's arguments cannot be seen by a filter, and without it glibc uses clone.
var refused = map[string]unix.Errno{
	"open": unix.EACCES, "openat": unix.EACCES, "stat": unix.EACCES, "lstat": unix.EACCES, "newfstatat": unix.EACCES,
	"statx": unix.EACCES, "access": unix.EACCES, "faccessat": unix.EACCES, "faccessat2": unix.EACCES,
	"readlink": unix.EACCES, "readlinkat": unix.EACCES, "ioctl": unix.ENOTTY, "clone3": unix.ENOSYS,
	"sched_setaffinity": unix.EPERM, "sched_setscheduler": unix.EPERM, "sched_setparam": unix.EPERM, "setpriority": unix.EPERM,
	"get_mempolicy": unix.ENOSYS, "set_mempolicy": unix.ENOSYS, "mbind": unix.ENOSYS, "mlock": unix.EPERM, "mlock2": unix.EPERM,
}

// Flags of clone that make a thread of this process and nothing else.
const (
	threadMust = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	threadMay  = threadMust | unix.CLONE_SYSVSEM | unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID |
		unix.CLONE_CHILD_SETTID | unix.CLONE_DETACHED
)

// Offsets in struct seccomp_data; the low half of an argument comes first on every architecture we are built for.
const (
	offNumber = 0
	offArch   = 4
	offArg0   = 16
)

func low(arg uint32) bpf.Instruction  { return bpf.LoadAbsolute{Off: offArg0 + 8*arg, Size: 4} }
func high(arg uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offArg0 + 8*arg + 4, Size: 4} }

// Return values of a seccomp filter (seccomp(2)).
var (
	allow = bpf.RetConstant{Val: 0x7fff0000}
	kill  = bpf.RetConstant{Val: 0x80000000} // the process, not the thread
	trap  = bpf.RetConstant{Val: 0x00030000}
)

func fail(e unix.Errno) bpf.Instruction { return bpf.RetConstant{Val: 0x00050000 | uint32(e)} }

// oneOf allows a call whose argument is one of values and has nothing in its upper half.
func oneOf(arg uint32, otherwise bpf.Instruction, values ...uint32) []bpf.Instruction {
	code := []bpf.Instruction{high(arg), bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, otherwise, low(arg)}
	for _, v := range values {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v, SkipTrue: 1}, allow)
	}
	return append(code, otherwise)
}

// without allows a call whose argument has none of the bits.
func without(arg, bits uint32, otherwise bpf.Instruction) []bpf.Instruction {
	return []bpf.Instruction{low(arg), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: bits, SkipFalse: 1}, otherwise, allow}
}

// conditions are the calls that are allowed with some arguments only. end is what becomes of the others.
func conditions(pid int, end bpf.Instruction) map[string][]bpf.Instruction {
	const setVMA = 0x53564d41 // PR_SET_VMA names a mapping for those who look at /proc
	return map[string][]bpf.Instruction{
		"mmap":     without(2, unix.PROT_EXEC, end),
		"mprotect": without(2, unix.PROT_EXEC, end),
		"tgkill":   oneOf(0, end, uint32(pid)),
		"prctl":    oneOf(0, end, unix.PR_SET_NAME, unix.PR_GET_NAME, setVMA),
		"fcntl":    oneOf(1, end, unix.F_GETFL, unix.F_GETFD, unix.F_SETFD),
		// Limits may be asked for, and of this process only.
		"prlimit64": append([]bpf.Instruction{
			low(0), bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(pid), SkipTrue: 1}, end,
		}, append([]bpf.Instruction{low(2), bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, end}, oneOf(2, end, 0)...)...),
		"clone": {
			high(0), bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, end,
			low(0), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: ^uint32(threadMay), SkipFalse: 1}, end,
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: threadMust}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: threadMust, SkipTrue: 1}, end,
			allow,
		},
	}
}

// program is the filter: kernel's struct sock_filter instructions. A name that this architecture does not have is left out.
func program(pid int, tell bool) ([]bpf.RawInstruction, error) {
	native, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	var end bpf.Instruction = kill
	if tell {
		end = trap
	}
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(native.ID), SkipTrue: 1}, end,
		// A number with the x32 bit is none of those below, and so ends the process, too.
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
	}
	add := func(name string, then ...bpf.Instruction) {
		if number, ok := native.SyscallNames[name]; ok {
			code = append(code, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(number), SkipTrue: uint8(len(then))})
			code = append(code, then...)
		}
	}
	for _, name := range allowed {
		add(name, allow)
	}
	for name, then := range conditions(pid, end) {
		add(name, then...)
	}
	for name, errno := range refused {
		add(name, fail(errno))
	}
	return bpf.Assemble(append(code, end))
}

// filter puts the program before every thread of the process.
func filter(pid int, tell bool) error {
	code, err := program(pid, tell)
	if err != nil {
		return err
	}
	raw := make([]unix.SockFilter, len(code))
	for i, c := range code {
		raw[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	if tell {
		tellOfForbiddenCalls()
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&p)))
	switch {
	case errno != 0:
		return os.NewSyscallError("seccomp", errno)
	case thread != 0:
		return fmt.Errorf("thread %d could not be brought under the filter", thread)
	}
	return nil
}

// CallName is what a system call of the native architecture is called.
func CallName(number int) string {
	if native, err := arch.GetInfo(""); err == nil {
		if name, ok := native.SyscallNumbers[number]; ok {
			return name
		}
	}
	return fmt.Sprintf("number %d", number)
}
