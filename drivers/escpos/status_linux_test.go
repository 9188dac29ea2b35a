package escpos

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// plugged is a line with a printer at its end that answers status requests so, by their number, and gives what else it was sent
// once the line is closed. A terminal pair stands for USB's node: how usblp behaves with a printer of metal it can't show.
func plugged(t *testing.T, answers map[byte]byte) (name string, sent func() []byte) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)); err != nil {
		t.Fatal(err)
	}
	raw, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	raw.Iflag, raw.Oflag, raw.Lflag = 0, 0, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, raw); err != nil {
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "printer")
	got := make(chan []byte, 1)
	go func() { got <- answering(master, answers) }()
	return fmt.Sprintf("/dev/pts/%d", n), func() []byte {
		defer master.Close()
		return <-got
	}
}

// A printer at a line that says that it has no paper is not printed on; one that says nothing is.
func TestPrint_asks_for_paper(t *testing.T) {
	for name, c := range states {
		t.Run(name, func(t *testing.T) {
			line, sent := plugged(t, c.answers)
			c.check(t, Print(t.Context(), line, striped()), sent())
		})
	}
}
