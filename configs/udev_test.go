package configs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// device is a Newland reader on "USB COM port emulation", as umockdev plays it to udev.
const device = `P: /devices/pci0000:00/0000:00:14.0/usb1/1-2
N: bus/usb/001/005
E: DEVNAME=/dev/bus/usb/001/005
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=1eab\n
A: idProduct=0006\n
A: manufacturer=Newland\n
A: product=HR22\n
A: serial=0001\n
A: bDeviceClass=02\n

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
A: bInterfaceClass=02\n
A: bInterfaceNumber=00\n
A: bInterfaceSubClass=02\n
A: bInterfaceProtocol=01\n

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/tty/ttyACM0
N: ttyACM0
E: DEVNAME=/dev/ttyACM0
E: MAJOR=166
E: MINOR=0
E: SUBSYSTEM=tty
A: dev=166:0\n
`

const usb = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/"

// TestUdevRules lets udev itself handle a reader that is plugged in, with the rules under the name by which they are
// installed: rules are read by name, and those that come before 60-serial.rules don't know yet what bus a line is on.
func TestUdevRules(t *testing.T) {
	rules, err := filepath.Glob("packaging/[0-9]*-motcua.rules")
	if err != nil || len(rules) != 1 {
		t.Fatalf("%v, %v", rules, err)
	}
	nfpm, err := os.ReadFile("packaging/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if name := filepath.Base(rules[0]); !strings.Contains(string(nfpm), "dst: /usr/lib/udev/rules.d/"+name) {
		t.Errorf("the package does not install %s by its name", name)
	}
	const line = usb + "1-2:1.0/tty/ttyACM0"
	told := udev(t, device, rules[0], filepath.Base(rules[0]), line)
	for _, want := range []string{"ID_BUS=usb", "ID_SERIAL=Newland_HR22_0001", "ID_MM_DEVICE_IGNORE=1"} {
		if !strings.Contains(told, want+"\n") {
			t.Errorf("udev does not say %s:\n%s", want, told)
		}
	}
	// The test can fail: by the name that the rules once had they come too early.
	if told := udev(t, device, rules[0], "60-motcua.rules", line); strings.Contains(told, "ID_MM_DEVICE_IGNORE") {
		t.Error("the rules would have come in time under their former name")
	}
}

// udev runs udev's own test of a device that umockdev plays, with the rules in a folder that is only this process's.
func udev(t *testing.T, device, rules, name, path string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "reader"), []byte(device), 0o600); err != nil {
		t.Fatal(err)
	}
	script := `set -e; mkdir -p /run/udev; mount -t tmpfs udev /run/udev; mkdir /run/udev/rules.d; cp "$1" "/run/udev/rules.d/$2"
exec umockdev-run -d "$3" -- udevadm test --action=add "$4" 2>&1`
	argv := []string{"unshare", "--mount", "bash", "-c", script, "udev", rules, name, filepath.Join(dir, "reader"), path}
	if os.Geteuid() != 0 {
		argv = append([]string{"sudo", "-n"}, argv...)
	}
	c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	var say strings.Builder
	c.Stderr = &say
	out, err := c.Output()
	if err != nil {
		t.Fatalf("udevadm test: %v\n%s", err, &say)
	}
	return string(out)
}

// hid lays a tree of one HID device under /sys, of this process alone, and has udev test the rules on it. umockdev's tree
// is not seen by the helper that the rule starts.
const hid = `set -e
mount -t tmpfs fake /sys
d=/sys/devices/usb1/1-2/1-2:1.0/0003:1EAB:0001.0001; node=$d/hidraw/hidraw0
mkdir -p $node /sys/class/hidraw
printf 'MAJOR=240\nMINOR=0\nDEVNAME=hidraw0\n' >$node/uevent
echo 240:0 >$node/dev
ln -s /sys/class/hidraw $node/subsystem
ln -s $d $node/device
ln -s $node /sys/class/hidraw/hidraw0
printf "$2" >$d/report_descriptor
mkdir -p /run/udev; mount -t tmpfs udev /run/udev; mkdir /run/udev/rules.d; cp "$1" /run/udev/rules.d/
SYSTEMD_DEVICE_VERIFY_SYSFS=0 exec udevadm test --action=add $node 2>&1`

// A reader in POS mode is told by its report descriptor, and is the kiosk's; a keyboard stays root's.
func TestUdevRulesOfHIDReaders(t *testing.T) {
	for name, c := range map[string]struct {
		descriptor string
		ours       bool
	}{
		"reader in POS mode": {`\x05\x8c\x09\x02\xa1\x01`, true}, // usage page 8C, usage 02 (HID Point of Sale usage tables)
		"keyboard":           {`\x05\x01\x09\x06\xa1\x01`, false},
	} {
		argv := []string{"unshare", "--mount", "bash", "-c", hid, "udev", "packaging/61-motcua.rules", c.descriptor}
		if os.Geteuid() != 0 {
			argv = append([]string{"sudo", "-n"}, argv...)
		}
		out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: udevadm test: %v\n%s", name, err, out)
		}
		if ours := strings.Contains(string(out), "MODE 0660"); ours != c.ours || !strings.Contains(string(out), "Running PROGRAM") {
			t.Errorf("%s: given to the kiosk: %t\n%s", name, ours, out)
		}
	}
}
