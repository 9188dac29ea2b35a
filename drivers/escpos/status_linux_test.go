package escpos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"motcua/drivers/printer"
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
	go func() {
		var all []byte
		defer func() { got <- all }()
		var b [1]byte
		for {
			if _, err := io.ReadFull(master, b[:]); err != nil {
				return // the other side was closed
			}
			all = append(all, b[0])
			ask, is := bytes.CutPrefix(all, []byte{0x10, 0x04})
			if !is || len(ask) != 1 {
				continue
			}
			all = nil
			if answer, knows := answers[ask[0]]; knows {
				if _, err := master.Write([]byte{answer}); err != nil {
					return
				}
			}
		}
	}()
	return fmt.Sprintf("/dev/pts/%d", n), func() []byte {
		defer master.Close()
		return <-got
	}
}

// A printer that says that it has no paper is not printed on; one that says nothing is.
func TestPrint_asks_for_paper(t *testing.T) {
	for name, c := range map[string]struct {
		answers map[byte]byte
		want    printer.Code // empty: it prints
	}{
		"ready":              {map[byte]byte{4: 0x12, 2: 0x12}, ""},
		"paper at its end":   {map[byte]byte{4: 0x72, 2: 0x32}, printer.NoPaper},
		"paper near its end": {map[byte]byte{4: 0x1e, 2: 0x12}, ""},
		"cover open":         {map[byte]byte{4: 0x72, 2: 0x16}, printer.CoverOpen},
		"knows no status":    {nil, ""},
		"answers nonsense":   {map[byte]byte{4: 0xff, 2: 0xff}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			line, sent := plugged(t, c.answers)
			err := Print(t.Context(), line, striped())
			var f *printer.Fault
			if c.want != "" && (!errors.As(err, &f) || f.Code != c.want) || c.want == "" && err != nil {
				t.Errorf("%v, want %q", err, c.want)
			}
			if got := sent(); c.want == "" && !bytes.Equal(got, Encode(striped())) || c.want != "" && len(got) > 0 {
				t.Errorf("%d bytes were sent to be printed", len(got))
			}
		})
	}
}
