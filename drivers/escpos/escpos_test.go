package escpos

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"motcua/drivers/printer"
)

// striped is a picture whose width and height fill neither a byte nor a band.
func striped() *image.Gray {
	p := image.NewGray(image.Rect(0, 0, 101, 2*bandLines+7))
	for y := range p.Rect.Dy() {
		for x := range p.Rect.Dx() {
			p.SetGray(x, y, color.Gray{Y: uint8(255 * ((x/3 + y) % 2))})
		}
	}
	return p
}

// drawn does what a printer does with the bytes: it gives the lines of dots and what came after them.
func drawn(t *testing.T, data []byte) (lines [][]byte, rest []byte) {
	t.Helper()
	rest, ok := bytes.CutPrefix(data, []byte("\x1b@"))
	if !ok {
		t.Fatal("the printer is not initialised")
	}
	for bytes.HasPrefix(rest, []byte{0x1d, 'v', '0', 0}) {
		row, n := int(rest[4])|int(rest[5])<<8, int(rest[6])|int(rest[7])<<8
		rest = rest[8:]
		for range n {
			lines = append(lines, rest[:row])
			rest = rest[row:]
		}
	}
	return lines, rest
}

func TestEncode(t *testing.T) {
	p := striped()
	lines, rest := drawn(t, Encode(p))
	if len(lines) != p.Rect.Dy() || string(rest) != "\x1bd\x04\x1dVB\x00" {
		t.Fatalf("%d lines, then %q", len(lines), rest)
	}
	for y, line := range lines {
		for x := range 8 * len(line) {
			dot := line[x/8]&(0x80>>(x%8)) != 0
			if want := x < p.Rect.Dx() && p.GrayAt(x, y).Y < dark; dot != want {
				t.Fatalf("dot %d, %d is %t", x, y, dot)
			}
		}
	}
}

func TestPrint(t *testing.T) {
	t.Run("to_an_address", func(t *testing.T) {
		address, sent := listening(t, func(line net.Conn) []byte {
			data, _ := io.ReadAll(line) // it answers nothing
			return data
		})
		if err := Print(t.Context(), address, striped()); err != nil {
			t.Fatal(err)
		}
		if got, asked := bytes.CutPrefix(sent(), []byte{0x10, 0x04, 4}); !asked || !bytes.Equal(got, Encode(striped())) {
			t.Error("other bytes arrived")
		}
	})
	t.Run("to_a_device", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "lp0")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Print(t.Context(), name, striped()); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, Encode(striped())) {
			t.Errorf("other bytes arrived, %v", err)
		}
	})
	t.Run("to_nobody", func(t *testing.T) {
		for _, to := range []string{filepath.Join(t.TempDir(), "lp0"), "printer", "127.0.0.1:", ""} {
			if Print(t.Context(), to, striped()) == nil {
				t.Errorf("%q is said to have printed", to)
			}
		}
	})
	// A printer whose paper ran out takes no more bytes: the person is not kept waiting for ever.
	t.Run("to_one_that_takes_nothing", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = c.Read(make([]byte, 1)) // the first byte, and no more
			cancel()
			<-t.Context().Done()
		}()
		tall := image.NewGray(image.Rect(0, 0, Dots80, 1<<18))
		var f *printer.Fault
		if err := Print(ctx, l.Addr().String(), tall); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &f) ||
			f.Code != printer.Silent {
			t.Errorf("%v", err)
		}
	})
}

// states are what printers answer to status requests, by the request's number.
var states = map[string]state{
	"ready":              {map[byte]byte{4: 0x12, 2: 0x12}, ""},
	"paper at its end":   {map[byte]byte{4: 0x72, 2: 0x32}, printer.NoPaper},
	"paper near its end": {map[byte]byte{4: 0x1e, 2: 0x12}, ""},
	"cover open":         {map[byte]byte{4: 0x72, 2: 0x16}, printer.CoverOpen},
	"knows no status":    {nil, ""},
	"answers nonsense":   {map[byte]byte{4: 0xff, 2: 0xff}, ""},
}

type state struct {
	answers map[byte]byte
	want    printer.Code // empty: it prints
}

// check holds what Print said, and what the printer was sent to print, against the state.
func (s state) check(t *testing.T, err error, sent []byte) {
	t.Helper()
	var f *printer.Fault
	if s.want != "" && (!errors.As(err, &f) || f.Code != s.want) || s.want == "" && err != nil {
		t.Errorf("%v, want %q", err, s.want)
	}
	if s.want == "" && !bytes.Equal(sent, Encode(striped())) || s.want != "" && len(sent) > 0 {
		t.Errorf("%d bytes were sent to be printed", len(sent))
	}
}

// answering plays a printer at the end of a line until the line is closed, and gives what it was sent to print.
func answering(line io.ReadWriter, answers map[byte]byte) []byte {
	var all []byte
	var b [1]byte
	for {
		if _, err := io.ReadFull(line, b[:]); err != nil {
			return all
		}
		all = append(all, b[0])
		ask, is := bytes.CutPrefix(all, []byte{0x10, 0x04})
		if !is || len(ask) != 1 {
			continue
		}
		all = nil
		if answer, knows := answers[ask[0]]; knows {
			if _, err := line.Write([]byte{answer}); err != nil {
				return all
			}
		}
	}
}

// listening is a printer on a network: play has its end of the one connection, and sent gives what play gave.
func listening(t *testing.T, play func(net.Conn) []byte) (address string, sent func() []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan []byte, 1)
	go func() {
		defer close(got)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		got <- play(c)
	}()
	return l.Addr().String(), func() []byte { return <-got }
}

// A printer on a network is asked like one at a line.
func TestPrint_asks_on_a_network(t *testing.T) {
	for name, c := range states {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, sent := listening(t, func(line net.Conn) []byte { return answering(line, c.answers) })
			c.check(t, Print(t.Context(), address, striped()), sent())
		})
	}
}

// One that tells its state by itself (automatic status back) gets the whole receipt: closing over what it said would reset the line.
func TestPrint_takes_what_is_said_unasked(t *testing.T) {
	printed := make(chan struct{})
	var broken error
	address, sent := listening(t, func(line net.Conn) []byte {
		var question [3]byte
		for _, answer := range []string{"\x12", "\x12\x10\x00\x00\x00"} {
			if _, err := io.ReadFull(line, question[:]); err != nil {
				broken = err
				return nil
			}
			if _, err := io.WriteString(line, answer); err != nil {
				broken = err
				return nil
			}
		}
		<-printed
		all, err := io.ReadAll(line)
		broken = err
		return all
	})
	err := Print(t.Context(), address, striped())
	close(printed)
	if got := sent(); err != nil || broken != nil || !bytes.Equal(got, Encode(striped())) {
		t.Errorf("%v; the printer got %d bytes and %v", err, len(got), broken)
	}
}
