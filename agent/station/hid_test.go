package station

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"motcua/drivers/hidpos"
	"motcua/drivers/serial"
	"motcua/ocr/paper"
)

// A reader in HID POS mode and one on a serial line read side by side, and both reach the visit. A named pipe stands for the
// kernel's node: a write of one report is one read as long as the reader keeps up.
func TestTwoReadersAtOnce(t *testing.T) {
	sys, dev := t.TempDir(), t.TempDir()
	folder := filepath.Join(sys, "hidraw0", "device")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"report_descriptor": "\x05\x8c\x09\x02\xa1\x01",
		"uevent": "HID_ID=0003:00001EAB:00000006\nHID_NAME=Newland HR22\nHID_UNIQ=7\n"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node := filepath.Join(dev, "hidraw0")
	if err := unix.Mkfifo(node, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &counter{taken: make(chan map[paper.Name]string, 4)}
	lines := &lineDesk{visits: c, log: slog.New(slog.DiscardHandler)}
	desk := &hidDesk{lines: lines, log: lines.log, bus: hidpos.Bus{Sys: sys, Dev: dev}}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- desk.run(ctx) }()
	pipe, err := os.OpenFile(node, os.O_WRONLY, 0) // waits until the desk reads
	if err != nil {
		t.Fatal(err)
	}
	const short = "001199000001||Lê Thị Mẫu|02011999|Nữ|Hà Nội"
	report := make([]byte, 64)
	report[0], report[1] = 2, byte(len(short))
	copy(report[2:], "]Q1"+short)
	if len(short) > 56 {
		t.Fatal("it takes more than one report")
	}
	if _, err := pipe.Write(report); err != nil {
		t.Fatal(err)
	}
	if got := c.next(t); got[paper.Number] != "001199000001" || got[paper.FullName] != "LÊ THỊ MẪU" {
		t.Errorf("HID: %v", got[paper.Number])
	}
	master, port := terminal(t)
	r, err := lines.reader(serial.Profile{Port: port})
	if err != nil {
		t.Fatal(err)
	}
	serialDone := make(chan error, 1)
	go func() { serialDone <- r.Run(ctx, lines.take) }()
	if got := c.scanned(t, master, "001199000002||Lê Thị Khác|02011999|Nữ|Hà Nội|10052021\r\n",
		serialDone); got[paper.Number] != "001199000002" {
		t.Errorf("serial: %v", got[paper.Number])
	}
	report[1+1+3+11] = '3' // the last figure of the number
	if _, err := pipe.Write(report); err != nil {
		t.Fatal(err)
	}
	if got := c.next(t); got[paper.Number] != "001199000003" {
		t.Errorf("HID again: %v", got[paper.Number])
	}
	end()
	pipe.Close()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-serialDone
}
