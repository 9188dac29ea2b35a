package sane

import (
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Helper is the file name of the small program (drivers/sane/worker) that does nothing but Serve. The whole program could do it,
// too, but loads what reads papers and signs before it does: that takes five times as long. The number is that of what
// daemon and worker say to each other: a program of another build than the helper's finds none by its name, and takes itself.
const Helper = "motcua-sane-worker-1"

// ownWorker is the command of a worker, where nobody named one.
func ownWorker() []string {
	if self, err := os.Executable(); err == nil {
		if file := helperOf(self); file != "" {
			return []string{file}
		}
	}
	return []string{"/proc/self/exe", "sane-worker"} // also after the file was replaced by an update
}

// helperOf finds the helper that belongs to a program; empty: there is none.
func helperOf(self string) string {
	dir := filepath.Dir(self)
	for _, beside := range []string{dir, filepath.Join(dir, "../lib/motcua")} { // built; installed
		if file := filepath.Join(beside, Helper); trusted(file, self) {
			return file
		}
	}
	return ""
}

// trusted reports whether a helper may be run: by whoever owns this program, or root, and changed by nobody else. In a folder
// such as /tmp anybody can lay a file beside the program, or a link to a good one, to turn it elsewhere between the look and the start.
func trusted(helper, self string) bool {
	h, err := os.Lstat(helper)
	if err != nil || !h.Mode().IsRegular() || h.Mode().Perm()&0o022 != 0 || unix.Access(helper, unix.X_OK) != nil {
		return false
	}
	p, err := os.Stat(self)
	if err != nil {
		return false
	}
	owner, mine := h.Sys().(*syscall.Stat_t).Uid, p.Sys().(*syscall.Stat_t).Uid
	return owner == 0 || owner == mine
}
