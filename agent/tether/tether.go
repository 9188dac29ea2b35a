// Package tether starts programs for tests. In goes a command, out comes its process, which ends with the test binary: also when that
// is killed and runs no cleanup any more. A daemon that was left behind so has starved a machine for half an hour.
package tether

import (
	"os/exec"
	"runtime"
	"sync"
)

type start struct {
	cmd *exec.Cmd
	err chan error
}

// starter is the one thread that starts them all. The kernel ends a child when the thread that forked it does, not the process, and a
// thread of a test may end long before: hence one that stays.
var starter = sync.OnceValue(func() chan<- start {
	starts := make(chan start)
	go func() {
		runtime.LockOSThread()
		for s := range starts {
			s.err <- s.cmd.Start()
		}
	}()
	return starts
})

// Start is cmd.Start for a process that ends with this one. One that changes its user forgets that it should (prctl(2),
// PR_SET_PDEATHSIG): setpriv has --pdeathsig.
func Start(cmd *exec.Cmd) error {
	tie(cmd)
	s := start{cmd, make(chan error, 1)}
	starter() <- s
	return <-s.err
}
