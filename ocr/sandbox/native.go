package sandbox

/*
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "early.h"

// mo_told ends the process and says which call it was; only what is safe in a signal handler.
static void mo_told(int sig, siginfo_t *info, void *context) {
	static const char head[] = "forbidden call ";
	char line[40];
	size_t n = sizeof head - 1;
	memcpy(line, head, n);
	unsigned call = (unsigned)info->si_syscall, digits = 1;
	for (unsigned c = call; c >= 10; c /= 10) digits++;
	for (unsigned i = digits; i-- > 0; call /= 10) line[n + i] = '0' + call % 10;
	n += digits;
	line[n++] = '\n';
	if (write(2, line, n) < 0) _exit(97);
	_exit(98);
}

static void mo_tell(void) {
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_sigaction = mo_told;
	a.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigaction(SIGSYS, &a, NULL);
}

// mo_foreign makes a call by the 32-bit door of a 64-bit kernel; -1000 where the processor has none.
static long mo_foreign(long number) {
#if defined(__x86_64__)
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	return -1000;
#endif
}
*/
import "C"

import (
	"errors"

	"golang.org/x/sys/unix"
)

func tellOfForbiddenCalls() { C.mo_tell() }

const noDoor = -1000

func foreign(number int) int { return int(C.mo_foreign(C.long(number))) }

// early says what was given up before main; see early.c.
func early() (landlock, capabilities error) {
	result := func(e C.int) error {
		switch {
		case e < 0:
			return errors.New("the process was not started by sandbox.Start")
		case e > 0:
			return unix.Errno(e)
		}
		return nil
	}
	return result(C.mo_landlock), result(C.mo_capabilities)
}

// landlockABI is what this kernel's Landlock is, from 1; 0 where it has none or early did not run.
func landlockABI() int { return int(C.mo_abi) }

const readableEnv = C.MO_READABLE
