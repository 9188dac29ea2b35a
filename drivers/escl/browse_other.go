//go:build !linux

package escl

import "syscall"

// sharePort has nothing to ask for: where the port is taken, the browser's own error says so.
func sharePort(_, _ string, _ syscall.RawConn) error { return nil }
