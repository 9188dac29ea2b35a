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
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		got := make(chan []byte, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			data, _ := io.ReadAll(c)
			got <- data
		}()
		if err := Print(t.Context(), l.Addr().String(), striped()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(<-got, Encode(striped())) {
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
