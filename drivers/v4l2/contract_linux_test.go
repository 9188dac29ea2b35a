package v4l2

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
	"motcua/drivers/scantest"
)

func TestContract(t *testing.T) {
	good := motionJPEG(t, paper(640, 480, 100))
	f := &fake{frames: func(int) []byte { return good }, held: new(atomic.Bool)}
	s := plug(t, f)
	s.o.Stall = 2 * time.Second
	there := s.o.open
	next := map[string]error{"pulled": unix.ENODEV, "bus": unix.ENOSPC, "used": unix.EBUSY}
	scantest.Run(t, scantest.Bench{
		Single: true,
		Open:   func(*testing.T) scantest.Scanner { return s },
		Load:   func(*testing.T, int) {},
		Which:  func(p scan.Page) (int, error) { return 1, nil },
		Fail: func(_ *testing.T, manner string, _ int) {
			failed := false
			s.o.open = func(path string) (camera, error) {
				cam, err := there(path)
				delete(f.fail, ioStreamOn)
				if !failed {
					f.fail[ioStreamOn], failed = next[manner], true
				}
				return cam, err
			}
		},
		Faults: map[string]scantest.Fault{"pulled": {Code: scan.Unplugged}, "bus": {Code: scan.IOError}, "used": {Code: scan.Busy}},
		Hold:   func(*testing.T) func() { f.held.Store(true); return func() { f.held.Store(false) } },
		Away: func(*testing.T) func() {
			s.o.open = func(string) (camera, error) {
				return nil, &os.PathError{Op: "open", Path: "/dev/video0", Err: os.ErrNotExist}
			}
			return func() { s.o.open = there }
		},
	})
}
