package serial

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mayOpen asks without opening: opening a line raises DTR, at which some readers beep.
func mayOpen(device string) bool { return unix.Access(device, unix.R_OK|unix.W_OK) == nil }

// holder names the process that has the port open, as far as this account may see: "ModemManager
// (process 312)". Empty where nobody or unknown.
func holder(path string) string {
	device, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	self := strconv.Itoa(os.Getpid())
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || to != device {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		if pid == self {
			return "motcua itself (process " + pid + ")"
		}
		comm, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(comm)), pid)
	}
	return ""
}
