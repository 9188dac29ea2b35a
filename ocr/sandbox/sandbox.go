// Package sandbox holds a process that parses foreign bytes, so that whoever takes it over holds nothing but that process.
// Start runs the child in namespaces of its own; the child, once it has loaded what it needs, calls Lock, after which it has
// memory up to a bound, threads, the clock and the pipes it was given, and no way to name anything else: a system call that
// is not on the list in filter.go, or one of a foreign architecture, ends it. Try proves each of these claims by having a
// child that was locked in the same way attempt the opposite.
//
// What the kernel does not have is reported, not fatal: the guards that remain are still better than none.
package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// Protection is one thing that keeps a hostile file in the worker from reaching anything else. Active is what was tried
// from inside, not what the kernel says it has.
type Protection struct {
	Name   string `json:"name"`
	Active bool   `json:"active"`
	Detail string `json:"detail"`
}

// Memory is the most a locked process may have written to: RLIMIT_DATA, in bytes. A page of A4 at 600 dpi in colour takes
// about 400 MB with everything that is held beside it.
const Memory = 700 << 20

// TellEnv, set to anything in the child's environment, has a forbidden call end it with the call's name on standard error
// instead of silently: for finding out what a library of another machine wants. The call is not carried out either way.
const TellEnv = "MOTCUA_SANDBOX_TELL"

// Lock gives up what a parser does not need, for all threads of the process and for good. It reports what this kernel lacks.
func Lock() []Protection {
	// The collector gives memory back long before the bound is met; two workers stay under 400 MB together.
	debug.SetGCPercent(60)
	debug.SetMemoryLimit(160 << 20)
	landlock, capabilities := early()
	guards := []Protection{
		report("rlimits", fmt.Sprintf("no core dumps, no file writes, at most %d MB of memory", Memory>>20), limits()),
		report("landlock", "from its start on nothing but programs' files can be read"+withoutRules(landlockABI()), landlock),
		report("privileges", "no capability is left", capabilities),
	}
	return append(guards, report("seccomp", "threads, memory and the given pipes only", filter(os.Getpid(), os.Getenv(TellEnv) != "")))
}

// landlockRules are what landlock(7) can rule from which ABI on, beyond paths.
var landlockRules = []struct {
	since int
	what  string
}{{2, "moving between folders"}, {3, "truncating"}, {4, "TCP"}, {5, "commands to devices"}, {6, "signals and abstract sockets"}}

// withoutRules says what a kernel's Landlock has no rules for. While its libraries are loaded the worker is held from that by its
// namespaces and by having no descriptor of it; after that by the filter.
func withoutRules(abi int) string {
	var without []string
	for _, rule := range landlockRules {
		if abi < rule.since {
			without = append(without, rule.what)
		}
	}
	if abi == 0 || without == nil {
		return ""
	}
	return fmt.Sprintf(" (this kernel's ABI %d has no rules for %s: the other guards hold those)", abi, strings.Join(without, ", "))
}

func report(name, detail string, err error) Protection {
	if err != nil {
		return Protection{Name: name, Detail: fmt.Sprintf("not available on this kernel: %v", err)}
	}
	return Protection{Name: name, Active: true, Detail: detail}
}

func limits() error {
	var errs []error
	for _, l := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_CORE, 0},    // a core dump would hold citizens' papers
		{unix.RLIMIT_FSIZE, 0},   // nothing is written
		{unix.RLIMIT_NOFILE, 64}, // pipes and what the libraries hold open
		{unix.RLIMIT_DATA, Memory},
		{unix.RLIMIT_AS, 3 << 30}, // address space; Go reserves far more than it uses
		{unix.RLIMIT_MEMLOCK, 0},
		{unix.RLIMIT_MSGQUEUE, 0},
	} {
		errs = append(errs, unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.most, Max: l.most}))
	}
	return errors.Join(append(errs, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))...)
}
