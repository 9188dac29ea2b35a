package scan

import (
	"bytes"
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Plugged gives notice when the kernel adds or removes a device a driver here might care for. Where the
// kernel cannot be listened to (a container), there is no notice and the watch looks by the clock alone.
func Plugged(ctx context.Context) (notice <-chan struct{}, stop func()) {
	plugged := make(chan struct{}, 1)
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, func() {}
	}
	const fromKernel = 1
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: fromKernel}); err != nil {
		unix.Close(fd)
		return nil, func() {}
	}
	socket := os.NewFile(uintptr(fd), "uevents")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 16<<10)
		for {
			n, err := socket.Read(buf)
			if err != nil && !os.IsTimeout(err) && ctx.Err() == nil {
				// Too many at once (ENOBUFS) is a notice too; anything else ends listening.
				if pe, ok := err.(*os.PathError); !ok || pe.Err != unix.ENOBUFS {
					return
				}
			} else if err != nil {
				return
			}
			if err != nil || relevant(buf[:n]) {
				select {
				case plugged <- struct{}{}:
				default: // there is one already that nobody has taken
				}
			}
		}
	}()
	return plugged, func() {
		_ = socket.SetReadDeadline(time.Unix(1, 0))
		socket.Close()
		<-ended
	}
}

// relevant reads a uevent: a header "add@/devices/…", then NAME=value, each ended by a zero byte.
func relevant(event []byte) bool {
	action, subsystem := "", ""
	for _, field := range bytes.Split(event, []byte{0}) {
		if v, ok := bytes.CutPrefix(field, []byte("ACTION=")); ok {
			action = string(v)
		}
		if v, ok := bytes.CutPrefix(field, []byte("SUBSYSTEM=")); ok {
			subsystem = string(v)
		}
	}
	switch subsystem {
	case "usb", "tty", "video4linux", "scsi_generic", "net":
		return action == "add" || action == "remove"
	}
	return false
}
