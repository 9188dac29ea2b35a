// What a process that runs SANE backends gives up: all but the system's files, the scanners' device nodes, the folders for
// temporary things and the network. It runs before main, while the process has one thread, in a child whose parent named
// what it may reach (confine_linux.go), and in no other process.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine_linux.h"

// Numbers and structures of landlock(7); the headers of Debian 12 do not have all of them.
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, VERSION = 1, PATH_BENEATH = 1 };
enum { EXECUTE = 1 << 0, WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3, TRUNCATE = 1 << 14, IOCTL_DEV = 1 << 15 };
enum { OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV };

struct ruleset { uint64_t fs, net, scoped; };
struct beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));

static void permit(int rules, const char *variable, uint64_t rights) {
	const char *given = getenv(variable);
	char *paths = given ? strdup(given) : NULL;
	for (char *path = paths ? strtok(paths, ":") : NULL; path; path = strtok(NULL, ":")) {
		struct beneath b = {rights, open(path, O_PATH | O_CLOEXEC)};
		struct stat st;
		if (b.parent < 0) continue; // what is not there needs no rule
		if (fstat(b.parent, &st) == 0 && !S_ISDIR(st.st_mode)) b.allowed &= OF_FILES;
		syscall(ADD_RULE, rules, PATH_BENEATH, &b, 0);
		close(b.parent);
	}
	free(paths);
}

static int landlock(void) {
	long abi = syscall(CREATE_RULESET, NULL, 0, VERSION);
	if (abi < 1) return errno ? errno : ENOSYS;
	struct ruleset all = {(1 << 13) - 1, 0, 0};
	size_t size = 8;
	if (abi >= 2) all.fs |= 1 << 13; // moving between folders
	if (abi >= 3) all.fs |= TRUNCATE;
	if (abi >= 5) all.fs |= IOCTL_DEV;
	if (abi >= 6) all.scoped = 3, size = sizeof all; // abstract sockets, signals
	int rules = (int)syscall(CREATE_RULESET, &all, size, 0);
	if (rules < 0) return errno;
	permit(rules, MO_READ, EXECUTE | READ_FILE | READ_DIR);
	permit(rules, MO_DEVICES, all.fs & (WRITE_FILE | READ_FILE | READ_DIR | TRUNCATE | IOCTL_DEV));
	permit(rules, MO_WRITE, all.fs);
	int failed = syscall(RESTRICT_SELF, rules, 0) == 0 ? 0 : errno;
	close(rules);
	return failed;
}

// Calls that no backend makes, and by which other processes, other files or more of the kernel are reached.
static const int denied[] = {
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, 438 /* pidfd_getfd */, 440 /* process_madvise */,
	SYS_move_pages, SYS_migrate_pages, SYS_open_by_handle_at, SYS_name_to_handle_at,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, 428 /* open_tree */, 429 /* move_mount */, 430 /* fsopen */,
	431 /* fsconfig */, 432 /* fsmount */, 433 /* fspick */, 442 /* mount_setattr */, SYS_unshare, SYS_setns,
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl,
	425 /* io_uring_setup */, 426 /* io_uring_enter */, 427 /* io_uring_register */,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct,
	SYS_quotactl, SYS_syslog, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm,
#endif
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
};

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define FIELD(f) ((uint32_t)offsetof(struct seccomp_data, f))
#define LOAD(at) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define IS(v, then, otherwise) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(v), (then), (otherwise))
#define HAS(v, then, otherwise) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(v), (then), (otherwise))
#define GIVE(v) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (v))
#define FAIL(e) GIVE(SECCOMP_RET_ERRNO | (e))
#define ALLOW GIVE(SECCOMP_RET_ALLOW)

static int filter(void) {
#ifndef ARCH
	return ENOSYS;
#else
	enum { COUNT = sizeof denied / sizeof *denied };
	static struct sock_filter code[2 * COUNT + 40];
	unsigned short n = 0;
	code[n++] = LOAD(FIELD(arch));
	code[n++] = IS(ARCH, 1, 0);
	code[n++] = GIVE(SECCOMP_RET_KILL_PROCESS); // calls of a foreign architecture
	code[n++] = LOAD(FIELD(nr));
#if defined(__x86_64__)
	code[n++] = HAS(0x40000000, 0, 1); // x32
	code[n++] = GIVE(SECCOMP_RET_KILL_PROCESS);
#endif
	for (int i = 0; i < COUNT; i++) {
		code[n++] = IS(denied[i], 0, 1);
		code[n++] = FAIL(EPERM);
	}
	code[n++] = IS(435, 0, 1); // clone3: a filter cannot see its arguments, and libraries fall back on clone
	code[n++] = FAIL(ENOSYS);
	code[n++] = IS(SYS_clone, 0, 4);
	code[n++] = LOAD(FIELD(args[0]));
	code[n++] = HAS(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP, 0, 1);
	code[n++] = FAIL(EPERM);
	code[n++] = ALLOW;
	code[n++] = IS(SYS_socket, 0, 7);
	code[n++] = LOAD(FIELD(args[0]));
	code[n++] = IS(AF_UNIX, 3, 0);
	code[n++] = IS(AF_INET, 2, 0);
	code[n++] = IS(AF_INET6, 1, 0);
	code[n++] = IS(AF_NETLINK, 0, 1); // plugging and unplugging
	code[n++] = ALLOW;
	code[n++] = FAIL(EAFNOSUPPORT);
	code[n++] = IS(SYS_ioctl, 0, 5);
	code[n++] = LOAD(FIELD(args[1]));
	code[n++] = IS(0x5412 /* TIOCSTI */, 1, 0);
	code[n++] = IS(0x541c /* TIOCLINUX */, 0, 1);
	code[n++] = FAIL(EPERM);
	code[n++] = ALLOW;
	code[n++] = ALLOW;
	struct sock_fprog program = {n, code};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : errno;
#endif
}

static int capabilities(void) {
	// Of root's, those by which its own and others' files are opened stay: which files, Landlock says.
	enum { KEPT = 1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER };
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct now[2];
	if (syscall(SYS_capget, &head, now) != 0) return errno;
	now[0].effective &= KEPT, now[0].permitted &= KEPT, now[0].inheritable = 0;
	now[1].effective = now[1].permitted = now[1].inheritable = 0;
	return syscall(SYS_capset, &head, now) == 0 ? 0 : errno;
}

int mo_sane_landlock = -1, mo_sane_filter = -1;

__attribute__((constructor)) static void confine(void) {
	if (!getenv(MO_READ)) return;
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none); // a core dump would hold citizens' papers
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	mo_sane_landlock = landlock();
	capabilities();
	mo_sane_filter = filter();
}

// mo_sane_foreign makes a call by the 32-bit door of a 64-bit kernel; -1000 where the processor has none.
long mo_sane_foreign(long number) {
#if defined(__x86_64__)
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	(void)number;
	return -1000;
#endif
}
