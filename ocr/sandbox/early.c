// What must be given up while the process has one thread: a thread made later inherits it, and to reach threads that are
// there already would need their numbers, which a process in a PID namespace of its own cannot read. So this runs before
// main, and before the Go runtime starts its threads, in a child that sandbox.Start made, and in no other process.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "early.h"

// Numbers and structures of landlock(7); the headers of Debian 12 do not have all of them.
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, VERSION = 1, PATH_BENEATH = 1 };
enum { WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3 };

struct ruleset { uint64_t fs, net, scoped; };
struct beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));

int mo_landlock = -1, mo_capabilities = -1, mo_abi = 0;

static void permit(int rules, const char *path, uint64_t rights) {
	struct beneath b = {rights, open(path, O_PATH | O_CLOEXEC)};
	struct stat st;
	if (b.parent < 0) return; // what is not there needs no rule
	if (fstat(b.parent, &st) == 0 && !S_ISDIR(st.st_mode)) b.allowed &= ~(uint64_t)READ_DIR;
	syscall(ADD_RULE, rules, PATH_BENEATH, &b, 0);
	close(b.parent);
}

// landlock leaves the folders in readable to be read, and nothing else to be done with any file, address or process.
static int landlock(char *readable) {
	long abi = syscall(CREATE_RULESET, NULL, 0, VERSION);
	if (abi < 1) return errno ? errno : ENOSYS;
	mo_abi = (int)abi;
	struct ruleset all = {(1 << 13) - 1, 0, 0};
	size_t size = 8;
	if (abi >= 2) all.fs |= 1 << 13;                    // moving between folders
	if (abi >= 3) all.fs |= 1 << 14;                    // truncating
	if (abi >= 4) all.net = 3, size = 16;               // binding and connecting TCP
	if (abi >= 5) all.fs |= 1 << 15;                    // ioctl of devices
	if (abi >= 6) all.scoped = 3, size = sizeof all;    // abstract sockets, signals
	int rules = (int)syscall(CREATE_RULESET, &all, size, 0);
	if (rules < 0) return errno;
	for (char *path = strtok(readable, ":"); path; path = strtok(NULL, ":")) permit(rules, path, READ_FILE | READ_DIR);
	permit(rules, "/dev/null", READ_FILE | WRITE_FILE);
	int failed = syscall(RESTRICT_SELF, rules, 0) == 0 ? 0 : errno;
	close(rules);
	return failed;
}

__attribute__((constructor)) static void early(void) {
	const char *given = getenv(MO_READABLE);
	if (!given) return;
	char *readable = strdup(given);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	mo_landlock = readable ? landlock(readable) : ENOMEM;
	free(readable);
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
	mo_capabilities = syscall(SYS_capset, &head, none) == 0 ? 0 : errno;
}
