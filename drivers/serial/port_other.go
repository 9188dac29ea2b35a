//go:build !linux

package serial

import (
	"errors"
	"fmt"
	"time"
)

// Elsewhere than on Linux no port is opened: nobody has tried how a reader that is pulled out shows there.

var (
	errGone = errors.New("the port went away")
	errBusy = errors.New("the port is in use by another program")
)

const tick = 100 * time.Millisecond // how often a silent port is looked at

type port struct{}

func openPort(path string, _ Profile) (*port, error) {
	return nil, fmt.Errorf("open %s: serial ports: %w on this system", path, errors.ErrUnsupported)
}

func (*port) read([]byte) (n int, silent bool, err error) { return 0, false, errGone }

func (*port) close() {}

func mayOpen(string) bool { return false }

func holder(string) string { return "" }
