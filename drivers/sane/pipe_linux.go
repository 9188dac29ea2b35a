package sane

import (
	"os"

	"golang.org/x/sys/unix"
)

// widen lets the worker get ahead by so much; with less, the two processes change more often.
func widen(pipe *os.File) {
	const size = 1 << 20 // what an account without privileges may have
	if raw, err := pipe.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, size) })
	}
}
