package hidpos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const card = "001199000001||Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Phường Mẫu, Hà Nội|10052021"

// reports are what a reader sends for a code.
func reports(code string) (all [][]byte) {
	for len(code) > 0 {
		n := min(len(code), maxData)
		r := make([]byte, reportSize)
		r[0], r[atLength] = reportID, byte(n)
		copy(r[atAIM:], "]Q1")
		copy(r[atData:], code[:n])
		if code = code[n:]; code != "" {
			r[atMore] = 1
		}
		all = append(all, r)
	}
	return all
}

// line stands for the kernel's node: a read gives one report, and none after it was pulled out. No test machine has a
// hidraw node, nor uhid to make one; what this can't show is the kernel's own part.
func line(t *testing.T) (reader, device *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	reader, device = os.NewFile(uintptr(fds[0]), "node"), os.NewFile(uintptr(fds[1]), "device")
	t.Cleanup(func() { reader.Close(); device.Close() })
	return reader, device
}

func TestRead(t *testing.T) {
	long := card + strings.Repeat("|Nguyễn Văn Mít", 10)
	cut := reports(card)[:1]
	other := append([]byte{1}, make([]byte, 63)...)
	garbled := reports("001199000001||L\xea Th\xed|")
	for name, c := range map[string]struct {
		sent [][]byte
		want []string
	}{
		"a code":                         {reports(card), []string{"]Q1" + card}},
		"two":                            {append(reports(card), reports(long)...), []string{"]Q1" + card, "]Q1" + long}},
		"one that fills its reports":     {reports(strings.Repeat("x", 2*maxData)), []string{"]Q1" + strings.Repeat("x", 2*maxData)}},
		"a report of another kind first": {append([][]byte{other}, reports(card)...), []string{"]Q1" + card}},
		"no UTF-8 is no code":            {append(garbled, reports(card)...), []string{"]Q1" + card}},
		"an impossible length":           {append([][]byte{{2, 60, ']', 'Q', '1'}}, reports(card)...), []string{"]Q1" + card}},
		"broken off, and pulled out":     {cut, nil},
	} {
		t.Run(name, func(t *testing.T) {
			reader, device := line(t)
			for _, r := range c.sent {
				if _, err := device.Write(r); err != nil {
					t.Fatal(err)
				}
			}
			device.Close()
			var got []string
			err := read(t.Context(), reader, Device{ID: "hid:x"}, func(r Reading) {
				got = append(got, r.Text)
				if s := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(s, "Mẫu") || strings.Contains(s, "0011") {
					t.Errorf("the text is in %s", s)
				}
			})
			if err == nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%d codes of %d, %v", len(got), len(c.want), err)
			}
		})
	}
}

// A code whose second half never comes is not joined with the next code.
func TestRead_half_a_code(t *testing.T) {
	reader, device := line(t)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 2)
	done := make(chan error, 1)
	go func() { done <- read(ctx, reader, Device{}, func(r Reading) { got <- r.Text }) }()
	if _, err := device.Write(reports(card)[0]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(half + 100*time.Millisecond) // it is the silence that tells
	for _, r := range reports(card) {
		if _, err := device.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if text := <-got; text != "]Q1"+card {
		t.Errorf("%d bytes came, want %d", len(text), len(card)+3)
	}
	cancel()
	device.Close()
	<-done
}

func TestList(t *testing.T) {
	sys := t.TempDir()
	for name, files := range map[string]map[string]string{
		"hidraw0": {"report_descriptor": "\x05\x01\x09\x06\xa1\x01", "uevent": "HID_NAME=A keyboard\n"},
		"hidraw3": {"report_descriptor": "\x05\x8c\x09\x02\xa1\x01",
			"uevent": "HID_ID=0003:00000C2E:00000B61\nHID_NAME=Honeywell 1900\nHID_UNIQ=16B123\n"},
		"hidraw4": {"report_descriptor": "\x05\x8c\x09\x02\xa1\x01",
			"uevent": "HID_ID=0003:00001EAB:00000006\nHID_NAME=Newland HR22\nHID_UNIQ=\n"},
	} {
		for file, text := range files {
			dir := filepath.Join(sys, name, "device")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := Bus{Sys: sys}.List()
	want := "[{hid:0C2E:0B61:16B123 /dev/hidraw3 Honeywell 1900} {hid:1EAB:0006: /dev/hidraw4 Newland HR22}]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("got  %v, %v\nwant %s", got, err, want)
	}
	if got, err := (Bus{Sys: filepath.Join(sys, "none")}).List(); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(reports(card)[0])
	f.Fuzz(func(t *testing.T, report []byte) { parse(report) })
}
