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

// tick is how often a silent port is looked at.
const tick = 100 * time.Millisecond

// port is a serial line opened for reading. It wraps tarm/serial, which has five defects this works
// round:
//
//   - It knows no context, and Close does not wake a Read (the descriptor is in blocking mode). So it is
//     read only when poll, on the second descriptor claim, says that something is there, and whoever
//     reads looks at its context between ticks.
//   - Its read timeout rests on terminal settings that any other program can change (stty, a modem
//     manager, whoever makes a pseudo-terminal): then a Read never returns. poll does not care.
//   - A timeout and a line that was pulled out both read as io.EOF. poll tells them apart.
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
		_ = line.Close()
		return nil, fmt.Errorf("flush %s: %w", path, err)
	}
	return &port{line, claim}, nil
}

// read waits at most a tick. It gives what came, or that a whole tick was silent, or errGone where
// nothing will ever come.
func (p *port) read(b []byte) (n int, silent bool, err error) {
	fds := []unix.PollFd{{Fd: int32(p.claim), Events: unix.POLLIN}}
	ready, err := unix.Poll(fds, int(tick/time.Millisecond))
	switch {
	case errors.Is(err, unix.EINTR): // the Go runtime interrupts its threads now and then: that is no silence
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("poll: %w", err)
	case ready == 0:
		return 0, true, nil
	case fds[0].Revents&unix.POLLIN == 0:
		return 0, false, errGone
	}
	n, err = p.tarm.Read(b)
	switch {
	case n > 0:
		return n, false, nil
	case err == nil || errors.Is(err, io.EOF):
		if fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
			return 0, false, errGone
		}
		return 0, false, nil
	case errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN):
		return 0, false, nil
	case errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV):
		return 0, false, errGone
	}
	return 0, false, err
}

func (p *port) close() {
	_ = unix.IoctlSetInt(p.claim, unix.TIOCNXCL, 0)
	_ = p.tarm.Close()
	unix.Close(p.claim)
}
