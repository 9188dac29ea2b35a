// Package hidpos reads barcode readers on USB that are set to "HID POS" (USB usage page 8C), which type nothing and take no
// port: what goes in is the kernel's hidraw node of a reader, what comes out is codes as text. A reader is told by its own
// report descriptor, so one that types like a keyboard, or is something else, is never opened.
//
// It promises that a code comes whole and once: one that is sent in several reports is put together, and one that breaks off,
// or is no UTF-8, is dropped. Text is personal data; a Reading prints as its length.
package hidpos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/drivers/scan"
)

// Device is a reader that is plugged in.
type Device struct {
	ID   string // stable: "hid:1EAB:0006:0001", vendor, product and serial number
	Node string // /dev/hidraw…
	Name string // as it calls itself
}

// Reading is one code.
type Reading struct {
	Text   string // with its AIM identifier, as in "]Q1…"
	At     time.Time
	Device string
}

// Format keeps the text out of every log and error.
func (r Reading) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "reading of %d bytes from %s", len(r.Text), r.Device)
}

// LogValue keeps the text out of structured logs.
func (r Reading) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// Bus is where readers are found. The zero value is this machine's.
type Bus struct {
	Sys string // "/sys/class/hidraw" where empty
	Dev string // "/dev" where empty
}

// scanner is how the report descriptor of a barcode reader in POS mode begins: usage page 8C, usage 2 (USB HID Point of Sale
// Usage Tables 1.02, 3).
var scanner = []byte{0x05, 0x8c, 0x09, 0x02}

// List gives the readers that are plugged in, by ID.
func (b Bus) List() (all []Device, err error) {
	sys, dev := b.Sys, b.Dev
	if sys == "" {
		sys = "/sys/class/hidraw"
	}
	if dev == "" {
		dev = "/dev"
	}
	entries, err := os.ReadDir(sys)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list HID readers: %w", err)
	}
	for _, e := range entries {
		folder := filepath.Join(sys, e.Name(), "device")
		descriptor, err := os.ReadFile(filepath.Join(folder, "report_descriptor"))
		if err != nil || !bytes.HasPrefix(descriptor, scanner) {
			continue // gone since, or something else
		}
		d := Device{Node: filepath.Join(dev, e.Name())}
		uevent, _ := os.ReadFile(filepath.Join(folder, "uevent"))
		id, unique := "", ""
		for line := range strings.Lines(string(uevent)) {
			switch k, v, _ := strings.Cut(strings.TrimSpace(line), "="); k {
			case "HID_NAME":
				d.Name = strings.ToValidUTF8(v, "?")
			case "HID_UNIQ":
				unique = strings.ToValidUTF8(v, "?")
			case "HID_ID": // bus:vendor:product, eight figures each
				if parts := strings.Split(v, ":"); len(parts) == 3 && len(parts[1]) == 8 && len(parts[2]) == 8 {
					id = parts[1][4:] + ":" + parts[2][4:]
				}
			}
		}
		d.ID = "hid:" + id + ":" + unique
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Device) int { return strings.Compare(a.ID+a.Node, b.ID+b.Node) })
	return all, nil
}

// The input report as makers document it (Access-IS ATR110 manual, appendix A; Honeywell's is the same): identifier 2, length,
// AIM identifier, 56 bytes of data, two bytes of no use here, and a bit that says that the next report goes on.
const (
	reportID   = 2
	reportSize = 64
	atLength   = 1
	atAIM      = 2
	atData     = 5
	atMore     = 63
	maxData    = 56
	maxCode    = 4096 // bytes; longer ones are noise
)

// half is how long a code that goes on may keep the next report waiting.
const half = time.Second

// errGone says that the reader was pulled out.
var errGone = errors.New("the reader went away")

// Read reads from one reader until the context ends or it is pulled out. fn is called from this goroutine.
func Read(ctx context.Context, d Device, fn func(Reading)) error {
	f, err := os.OpenFile(d.Node, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return &scan.Fault{Code: scan.AccessDenied, Device: d.ID, Err: err,
			Technician: "This account may not open the reader " + d.Node + ". Install the package's udev rules and plug the reader in again."}
	}
	if err != nil {
		return &scan.Fault{Code: scan.Unplugged, Device: d.ID, Err: err,
			Technician: "The reader was pulled out. It is used again as soon as it is back."}
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.Close() })()
	if err := read(ctx, f, d, fn); ctx.Err() == nil {
		return &scan.Fault{Code: scan.Unplugged, Device: d.ID, Err: err,
			Technician: "The reader was pulled out. It is used again as soon as it is back."}
	}
	return ctx.Err()
}

// source gives one report a read.
type source interface{ Read(p []byte) (int, error) }

// read puts codes together from reports.
func read(ctx context.Context, from source, d Device, fn func(Reading)) error {
	report := make([]byte, 256)
	var code []byte
	var last time.Time
	for ctx.Err() == nil {
		n, err := from.Read(report)
		if err != nil || n == 0 {
			return errors.Join(errGone, err)
		}
		part, aim, more, ok := parse(report[:n])
		now := time.Now()
		if !ok || len(code) > 0 && now.Sub(last) > half {
			clear(code)
			code = code[:0]
			if !ok {
				continue
			}
		}
		if last = now; len(code) == 0 {
			code = append(code, aim...)
		}
		code = append(code, part...)
		clear(report)
		if more && len(code) <= maxCode {
			continue
		}
		if !more && len(code) > len(aim) && utf8.Valid(code) {
			fn(Reading{Text: norm.NFC.String(strings.TrimRight(string(code), "\r\n\x00")), At: now, Device: d.ID})
		}
		clear(code)
		code = code[:0]
	}
	return ctx.Err()
}

// parse takes a report apart; ok is false for one of another kind.
func parse(report []byte) (data, aim []byte, more, ok bool) {
	if len(report) != reportSize || report[0] != reportID || report[atLength] > maxData {
		return nil, nil, false, false
	}
	if report[atAIM] == ']' {
		aim = report[atAIM:atData]
	}
	return report[atData : atData+int(report[atLength])], aim, report[atMore]&1 == 1, true
}
