package configs

import (
	"strings"
	"testing"
)

// sticks are what is plugged in: one whose first bytes are a file system, and a disk that is no USB one; as the kernel tells them, with
// what udev's blkid would find on them.
const sticks = `P: /devices/pci0000:00/0000:00:14.0/usb1/1-2
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=0951\n
A: idProduct=1666\n
A: manufacturer=Kingston\n
A: product=DataTraveler\n
A: serial=0001\n

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
A: bInterfaceClass=08\n
A: bInterfaceNumber=00\n
A: bInterfaceSubClass=06\n
A: bInterfaceProtocol=50\n

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0
E: DEVTYPE=scsi_device
E: SUBSYSTEM=scsi
A: vendor=Kingston\n
A: model=DataTraveler 3.0\n
A: rev=PMAP\n
A: type=0\n

P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb
N: sdb
E: DEVNAME=/dev/sdb
E: DEVTYPE=disk
E: MAJOR=8
E: MINOR=16
E: SUBSYSTEM=block
E: ID_FS_USAGE=USAGE
A: dev=8:16\n

P: /devices/pci0000:00/0000:00:17.0/block/sda
N: sda
E: DEVNAME=/dev/sda
E: DEVTYPE=disk
E: MAJOR=8
E: MINOR=0
E: SUBSYSTEM=block
E: ID_BUS=ata
E: ID_FS_USAGE=filesystem
A: dev=8:0\n
`

// TestUdevRulesOfSticks lets udev itself handle a stick that is plugged in, with the rules under the name by which a technician
// lays them down: before 60-persistent-storage.rules it is not known what bus a disk is on.
func TestUdevRulesOfSticks(t *testing.T) {
	const (
		rules = "packaging/sticks/62-motcua-sticks.rules"
		name  = "62-motcua-sticks.rules"
		stick = usb + "1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb"
		wants = "SYSTEMD_WANTS=motcua-stick@sdb.service\n"
	)
	for _, c := range []struct {
		what, usage, name, path string
		mounted                 bool
	}{
		{"a stick", "filesystem", name, stick, true},
		{"a sealed stick, which can't be read and is told", "crypto", name, stick, true},
		{"a stick that holds no file system", "raid", name, stick, false},
		{"the kiosk's own disk", "filesystem", name, "/sys/devices/pci0000:00/0000:00:17.0/block/sda", false},
		{"a stick, rules that come too early", "filesystem", "50-motcua-sticks.rules", stick, false},
	} {
		told := udev(t, strings.Replace(sticks, "=USAGE", "="+c.usage, 1), rules, c.name, c.path)
		if !strings.Contains(told, "ID_FS_USAGE=") {
			t.Fatalf("%s: udev does not know the disk:\n%s", c.what, told)
		}
		if c.mounted && !strings.Contains(told, wants) || !c.mounted && strings.Contains(told, "motcua-stick@") {
			t.Errorf("%s: mounted: %t wanted:\n%s", c.what, c.mounted, told)
		}
	}
}
