package station

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/agent/slip"
	"motcua/drivers/ipp/cupstest"
	"motcua/drivers/printer"
	"motcua/ocr/qr"
)

// What leaves for the printer, drawn as a printer draws it, has the code in its QR symbol, on both widths of paper. The
// printer is a socket: what real ones do with these bytes it can't show.
func TestReceiptPrinter(t *testing.T) {
	if ReceiptPrinter(config.Config{}, nil) != nil {
		t.Error("a printer where none is configured")
	}
	for paper, dots := range map[int]int{58: 384, 80: 576} {
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
		var cfg config.Config
		cfg.Web.ReceiptPrinter, cfg.Web.ReceiptPaper = l.Addr().String(), paper
		s := slip.Slip{Office: "Phường Bến Nghé", Title: "Hồ sơ đã được nhận", Code: "K7M2-9QXD-3F",
			Lines: []string{"N.V.A · 3 trang"}}
		if err := ReceiptPrinter(cfg, nil)(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		data, _ := bytes.CutPrefix(<-got, []byte{0x10, 0x04, 4}) // it was asked for its paper first
		printed := dotsOf(t, data)
		if printed.Rect.Dx() != dots {
			t.Errorf("%d dots on %d mm", printed.Rect.Dx(), paper)
		}
		if found := qr.Find(printed, qr.QRCode); len(found) != 1 || found[0].Text != s.Code {
			t.Errorf("%d mm: %d symbols are read on the slip", paper, len(found))
		}
	}
}

// A queue of CUPS prints the same slip, on a page of the paper's width; out of paper, it says so.
func TestReceiptByCUPS(t *testing.T) {
	uri, folder := cupstest.Start(t)
	var cfg config.Config
	cfg.Web.ReceiptPrinter, cfg.Web.ReceiptPaper, cfg.Web.Printer = uri, 80, uri
	s := slip.Slip{Office: "Phường Bến Nghé", Title: "Hồ sơ đã được nhận", Code: "K7M2-9QXD-3F",
		Lines: []string{"N.V.A · 3 trang"}}
	if err := ReceiptPrinter(cfg, nil)(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "pdftoppm", "-r", "203", "-gray", filepath.Join(folder, cupstest.Printed)).Output()
	if err != nil {
		t.Fatalf("pdftoppm (Debian package poppler-utils): %v", err)
	}
	var width, height, most int
	if _, err := fmt.Sscanf(string(out), "P5\n%d %d\n%d\n", &width, &height, &most); err != nil {
		t.Fatal(err)
	}
	page := &image.Gray{Pix: out[len(out)-width*height:], Stride: width, Rect: image.Rect(0, 0, width, height)}
	if found := qr.Find(page, qr.QRCode); len(found) != 1 || found[0].Text != s.Code {
		t.Errorf("%d symbols are read on the slip", len(found))
	}
	if width < 575 || width > 577 {
		t.Errorf("%d dots wide, want 576", width)
	}
	if err := os.WriteFile(filepath.Join(folder, "media-empty-error"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var f *printer.Fault
	if err := SheetPrinter(cfg, nil)(t.Context(), []byte("%PDF-1.4\n")); !errors.As(err, &f) || f.Code != printer.NoPaper {
		t.Error(err)
	}
}

// dotsOf draws the raster images of a print.
func dotsOf(t *testing.T, data []byte) *image.Gray {
	t.Helper()
	rest, ok := bytes.CutPrefix(data, []byte("\x1b@"))
	if !ok {
		t.Fatal("the printer is not initialised")
	}
	var lines [][]byte
	for bytes.HasPrefix(rest, []byte{0x1d, 'v', '0', 0}) {
		row, n := int(rest[4])|int(rest[5])<<8, int(rest[6])|int(rest[7])<<8
		for rest = rest[8:]; n > 0; n-- {
			lines, rest = append(lines, rest[:row]), rest[row:]
		}
	}
	if len(lines) == 0 {
		t.Fatal("nothing is printed")
	}
	img := image.NewGray(image.Rect(0, 0, 8*len(lines[0]), len(lines)))
	for y, line := range lines {
		for x := range img.Rect.Dx() {
			if line[x/8]&(0x80>>(x%8)) == 0 {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}
