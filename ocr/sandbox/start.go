package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces are what a child gets of its own: users, so that an unprivileged parent may make the others, a network without
// any interface that is up, a process table in which it is alone, and System V objects. Files are held by the filter.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS

// apart says, once, why this kernel or the unit we run in gives no namespaces; nil if it does.
var apart = sync.OnceValue(func() error {
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = attributes(true)
	if err := cmd.Run(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
})

func attributes(apart bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if apart {
		// No user of ours is mapped into its namespace: there it is nobody. To map one, this process would have to see the child in
		// /proc, which the daemon's unit hides (ProtectProc=invisible).
		a.Cloneflags = namespaces
	}
	return a
}

// readable is what a child may read until it is locked: libraries, models and what the Go runtime asks about the machine.
const readable = "/usr:/lib:/lib64:/etc/ld.so.cache:/sys:/proc/self"

// Start starts cmd in namespaces of its own, or without them where they cannot be had: Try tells. cmd.SysProcAttr, cmd.Dir
// and cmd.Env are set by Start, env on top of what any child needs; the child ends with this process. Until it is locked it may read
// libraries
// and what lies in folders.
func Start(cmd *exec.Cmd, folders []string, env ...string) error {
	// Nothing of the daemon's surroundings: no tokens, no addresses.
	cmd.Env = append([]string{"OMP_THREAD_LIMIT=1", "GOTRACEBACK=none", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin",
		readableEnv + "=" + strings.Join(append([]string{readable}, folders...), ":")}, env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = attributes(apart() == nil)
	return cmd.Start()
}

// ForbiddenCall says whether a child ended because of a call that is not on the list.
func ForbiddenCall(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGSYS
}

// NamedCall takes the call's name out of what a child with TellEnv said before it ended; empty if it said none.
func NamedCall(said string) string {
	var number int
	if n, err := fmt.Sscanf(said, "forbidden call %d", &number); n != 1 || err != nil {
		return ""
	}
	return CallName(number)
}
