// Package escpos prints pictures on receipt printers by ESC/POS: in goes a picture and where the printer is, out come the
// bytes of Epson's command reference ("GS v 0", raster bit image), which the printers of all makes that wards buy understand.
// Text goes as a picture, since what letters a printer has differs from make to make, and few have the Vietnamese ones.
//
// It promises: a picture is sent whole or an error tells that it was not; nothing is asked of the person. A printer is asked for its
// paper and its cover first (DLE EOT, the same reference), at USB, at a serial line and on a network; one that does not answer is
// printed on all the same. It cannot tell that paper came out; one that takes no bytes is told as printer.Silent.
package escpos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"motcua/drivers/printer"
)

// Widths of the print head in dots, at 203 dpi, by the width of the paper in mm.
const (
	Dots58 = 384
	Dots80 = 576
)

const (
	bandLines = 128                    // lines of one command: printers with the smallest buffer take it
	dark      = 128                    // a dot below this grey is printed
	sendTime  = 10 * time.Second       // for a printer that takes nothing: its paper has run out, or its cover is open
	askTime   = 300 * time.Millisecond // a real-time command is answered in some milliseconds, by whoever knows it
	farTime   = time.Second            // the same by way of a radio that sleeps between beacons
	endTime   = time.Second            // for a printer on a network to let the connection go
)

// ErrTarget is returned for a printer that is neither a device nor an address.
var ErrTarget = errors.New("a receipt printer is a device file (/dev/usb/lp0) or host:port (192.0.2.7:9100)")

// Check tells whether a printer can be named so.
func Check(to string) error {
	if strings.HasPrefix(to, "/") {
		return nil
	}
	if host, port, err := net.SplitHostPort(to); err != nil || host == "" || port == "" {
		return ErrTarget
	}
	return nil
}

// Print sends a picture to a printer, feeds it past the knife and cuts.
func Print(ctx context.Context, to string, picture *image.Gray) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := Check(to); err != nil {
		return err
	}
	out, err := open(ctx, to)
	if err != nil {
		return fmt.Errorf("open receipt printer: %w", &printer.Fault{Code: printer.Unreachable, Err: err})
	}
	stop := context.AfterFunc(ctx, func() { _ = out.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	if f := trouble(out); f != nil {
		return fmt.Errorf("print receipt: %w", errors.Join(f, end(out)))
	}
	_, err = out.Write(Encode(picture))
	if err = errors.Join(err, end(out)); err != nil {
		return fmt.Errorf("print receipt: %w", &printer.Fault{Code: printer.Silent, Err: err})
	}
	return nil
}

type connection interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func open(ctx context.Context, to string) (connection, error) {
	if strings.HasPrefix(to, "/") {
		// Without waiting: a printer that is off would hold the opening, and its writes could not be broken off.
		if f, err := os.OpenFile(to, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
			return f, nil
		}
		return os.OpenFile(to, os.O_WRONLY|syscall.O_NONBLOCK, 0) // one that cannot answer
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// questions are real-time status requests: DLE EOT n, and the bits of the answer that mean trouble.
var questions = []struct {
	n    byte
	bits byte
	code printer.Code
}{
	{4, 0x60, printer.NoPaper},   // the roll's end is at both of its sensors
	{2, 0x04, printer.CoverOpen}, // and a printer whose cover is open sees no paper either, so this is asked second
}

// end lets a printer go. What one on a network said unasked (a change of its state, a late answer) is taken first: a connection that
// is closed over unread bytes is reset, and the printer may lose what it had not taken in.
func end(out connection) error {
	c, far := out.(*net.TCPConn)
	if !far {
		return out.Close()
	}
	err := errors.Join(c.CloseWrite(), c.SetReadDeadline(time.Now().Add(endTime)))
	if err == nil {
		_, _ = io.Copy(io.Discard, c) // until the printer lets go or the time is up: both are an end
	}
	return errors.Join(err, c.Close())
}

// trouble asks a printer why it would not print; nil where nothing is in the way, or it does not answer.
func trouble(out connection) error {
	patience := farTime
	if device, ok := out.(*os.File); ok {
		if info, err := device.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			return nil
		}
		patience = askTime
	}
	var found error
	for _, q := range questions {
		state, ok := ask(out, q.n, patience)
		if !ok {
			return found
		}
		if state&q.bits != 0 {
			found = &printer.Fault{Code: q.code}
		}
	}
	return found
}

// ask makes a real-time status request; ok is false where there is no answer that could be one.
func ask(device connection, n byte, patience time.Duration) (state byte, ok bool) {
	if err := device.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, false // its reads cannot be broken off
	}
	if _, err := device.Write([]byte{0x10, 0x04, n}); err != nil {
		return 0, false
	}
	var answer [1]byte
	for {
		if k, err := device.Read(answer[:]); err != nil || k == 0 {
			return 0, false
		}
		if answer[0]&0x93 == 0x12 { // bits 1 and 4 are set, and 0 and 7 not, in every status byte
			return answer[0], true
		}
	}
}

// Encode gives the bytes that print a picture: initialise, the picture in bands, feed, partial cut.
func Encode(picture *image.Gray) []byte {
	var b bytes.Buffer
	b.WriteString("\x1b@")
	size := picture.Bounds().Size()
	row := (size.X + 7) / 8
	for top := 0; top < size.Y; top += bandLines {
		lines := min(bandLines, size.Y-top)
		b.Write([]byte{0x1d, 'v', '0', 0, byte(row), byte(row >> 8), byte(lines), byte(lines >> 8)})
		for y := top; y < top+lines; y++ {
			bits := make([]byte, row)
			for x := range size.X {
				if picture.GrayAt(picture.Rect.Min.X+x, picture.Rect.Min.Y+y).Y < dark {
					bits[x/8] |= 0x80 >> (x % 8)
				}
			}
			b.Write(bits)
		}
	}
	b.WriteString("\x1bd\x04\x1dVB\x00")
	return b.Bytes()
}
