package scan

import (
	"context"
	"os"
	"testing"
	"time"
)

// The kernel repeats a device's "add" to listeners when root writes it to the device's uevent file.
func TestWatch_looks_at_once_when_a_device_is_plugged_in(t *testing.T) {
	const device = "/sys/class/tty/tty0/uevent"
	f, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("needs root and a virtual terminal to make the kernel tell of a device: %v", err)
	}
	defer f.Close()
	var c counter
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.set(nil, "a")
	seen := false
	for change := range Watch(ctx, Finder{List: c.list, Every: time.Hour}) {
		if change.Info.ID == "b" {
			seen = true
			break
		}
		c.set(nil, "a", "b")
		if _, err := f.WriteString("add"); err != nil {
			t.Skipf("the kernel takes no events here: %v", err)
		}
	}
	if !seen {
		t.Error("not seen within a minute: the finder by itself looks once an hour")
	}
}

func FuzzRelevant(f *testing.F) {
	f.Add([]byte("add@/devices/x\x00ACTION=add\x00SUBSYSTEM=usb\x00"))
	f.Fuzz(func(t *testing.T, event []byte) { relevant(event) })
}
