package serial

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tarm "github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

var (
	errGone = errors.New("the port went away")
	errBusy = errors.New("the port is in use by another program")
)

// tick is how often a silent port is looked at. It is also the finest read timeout tarm/serial can set
// (VTIME counts tenths of a second).
const tick = 100 * time.Millisecond

// port is a serial line opened for reading. It wraps tarm/serial, which has four defects this works
// round:
//
//   - It knows no context, and Close does not wake a Read (the descriptor is in blocking mode). So a read
//     timeout of one tick is set, and whoever reads looks at its context between reads.
//   - A timeout and a line that was pulled out both read as io.EOF. The second descriptor, claim, is
//     asked: poll says POLLHUP only for the latter.
//   - A configured line is not exclusive: a second program steals half of every code. claim holds an
//     advisory lock (two of ours) and TIOCEXCL (anyone who is not root).
//   - What was typed before the line was opened is still in its buffer: it may be the last citizen's
//     code, so it is thrown away.
type port struct {
	tarm  *tarm.Port
	claim int
}

func openPort(path string, p Profile) (*port, error) {
	claim, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.EBUSY) {
			return nil, errBusy
		}
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := unix.Flock(claim, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(claim)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errBusy
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	line, err := tarm.OpenPort(&tarm.Config{Name: path, Baud: p.Baud, Size: byte(p.DataBits), Parity: parities[p.Parity],
		StopBits: tarm.StopBits(p.StopBits), ReadTimeout: tick})
	if err != nil {
		unix.Close(claim)
		return nil, fmt.Errorf("set %s to %s: %w", path, p.framing(), err)
	}
	_ = unix.IoctlSetInt(claim, unix.TIOCEXCL, 0) // best effort: a line without it is only less private
	if err := line.Flush(); err != nil {
		unix.Close(claim)
		line.Close()
		return nil, fmt.Errorf("flush %s: %w", path, err)
	}
	return &port{line, claim}, nil
}

// read waits at most one tick. It gives 0 bytes where nothing came, and errGone where nothing ever will.
func (p *port) read(b []byte) (int, error) {
	n, err := p.tarm.Read(b)
	switch {
	case n > 0:
		return n, nil
	case err == nil || errors.Is(err, io.EOF):
		if p.hungUp() {
			return 0, errGone
		}
		return 0, nil
	case errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN):
		return 0, nil
	case errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV):
		return 0, errGone
	}
	return 0, err
}

func (p *port) hungUp() bool {
	fds := []unix.PollFd{{Fd: int32(p.claim), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
}

func (p *port) close() {
	_ = unix.IoctlSetInt(p.claim, unix.TIOCNXCL, 0)
	p.tarm.Close()
	unix.Close(p.claim)
}
