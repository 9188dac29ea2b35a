package sane

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// Check looks at everything between SANE and a scanner, for `motcua doctor`: that backends are configured
// and load, that USB scanners may be used by this account, and that the hosts whose scanners are shared
// let this one in.
func Check(ctx context.Context, o Options) []scan.Finding {
	config := "/etc/sane.d"
	for _, e := range append(os.Environ(), o.Env...) {
		if v, ok := strings.CutPrefix(e, "SANE_CONFIG_DIR="); ok {
			config = strings.Split(v, ":")[0]
		}
	}
	findings := []scan.Finding{checkBackends(config)}
	findings = append(findings, checkDevices(ctx, o), checkBounds(ctx, o))
	m := machine{sys: "/sys/bus/usb/devices", udev: "/run/udev/data", usable: func(node string) bool {
		return unix.Access(node, unix.R_OK|unix.W_OK) == nil
	}}
	findings = append(findings, m.check()...)
	return append(findings, checkHosts(ctx, config)...)
}

// checkBackends reads which backends dll.conf and the files beside it name.
func checkBackends(config string) scan.Finding {
	files, _ := filepath.Glob(filepath.Join(config, "dll.d", "*"))
	var names []string
	for _, f := range append([]string{filepath.Join(config, "dll.conf")}, files...) {
		names = append(names, settings(f)...)
	}
	if len(names) == 0 {
		return scan.Finding{
			What: "SANE has no backend configured in " + config,
			Mend: "Install the Debian package libsane1, or write the backend's name (as in genesys, epsonds, net) into " +
				filepath.Join(config, "dll.conf") + ".",
		}
	}
	return scan.Finding{OK: true, What: fmt.Sprintf("SANE has %d backends configured", len(names))}
}

// settings gives the lines of a SANE configuration file that are not comments.
func settings(file string) (lines []string) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func checkDevices(ctx context.Context, o Options) scan.Finding {
	infos, err := List(ctx, o)
	var end *endError
	switch {
	case errors.As(err, &end):
		return scan.Finding{
			What: "A SANE backend crashes while it looks for scanners: " + end.Error(),
			Mend: "Name in dll.conf only the backend of the scanner that is used here, and update the package libsane1.",
		}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return scan.Finding{
			What: "A SANE backend does not come back from looking for scanners",
			Mend: "Name in dll.conf only the backend of the scanner that is used here; network backends wait for hosts that do not answer.",
		}
	case err != nil:
		return scan.Finding{What: "SANE cannot look for scanners: " + err.Error(), Mend: "Reinstall the package libsane1."}
	}
	names := make([]string, 0, len(infos))
	for _, i := range infos {
		names = append(names, fmt.Sprintf("%s %s (%s)", i.Vendor, i.Model, i.ID))
	}
	what := fmt.Sprintf("SANE finds %d scanners", len(infos))
	if len(names) > 0 {
		what += ": " + strings.Join(names, ", ")
	}
	return scan.Finding{OK: true, What: what}
}

// checkBounds tells what a backend that was taken over could not do, tried from inside, and what it still could.
func checkBounds(ctx context.Context, o Options) scan.Finding {
	held, err := Try(ctx, o)
	if err != nil {
		return scan.Finding{What: "The bounds of SANE's backends could not be tried: " + err.Error(),
			Mend: "Start motcua doctor again; if it stays so, reinstall the package motcua."}
	}
	var so, not []string
	for _, h := range held {
		if h.Holds {
			so = append(so, h.Claim)
		} else {
			not = append(not, h.Claim)
		}
	}
	what := fmt.Sprintf("SANE's backends are held, tried from inside: %s", strings.Join(so, "; "))
	if len(not) > 0 {
		what += ". Not held by this kernel: " + strings.Join(not, "; ")
	}
	return scan.Finding{OK: true, What: what + ". Left open, since scanners need them: " + leftOpen}
}

// machine is where the kernel and udev tell of USB devices.
type machine struct {
	sys, udev string
	usable    func(node string) bool
}

// makers are USB vendors whose devices with a vendor-specific interface are mostly scanners.
var makers = []string{"04a9", "1083", "04b8", "03f0", "04f9", "04c5", "055f", "07b3", "0638", "04a7", "040a", "29cb", "0458", "05da",
	"06bd", "0482", "04e8"}

// check finds the USB devices that look like scanners and may not be used.
func (m machine) check() []scan.Finding {
	dirs, _ := filepath.Glob(filepath.Join(m.sys, "*"))
	var findings []scan.Finding
	for _, dir := range dirs {
		read := func(name string) string {
			data, _ := os.ReadFile(filepath.Join(dir, name))
			return strings.TrimSpace(strings.ToValidUTF8(string(data), "?"))
		}
		bus, _ := strconv.Atoi(read("busnum"))
		number, _ := strconv.Atoi(read("devnum"))
		if bus == 0 || number == 0 {
			continue
		}
		known := m.matched(read("dev"))
		if !known && !looksLikeScanner(dir, read("idVendor")) {
			continue
		}
		name := strings.TrimSpace(read("manufacturer") + " " + read("product"))
		what := fmt.Sprintf("USB scanner %s (%s:%s)", cmp.Or(name, "without a name"), read("idVendor"), read("idProduct"))
		node := fmt.Sprintf("/dev/bus/usb/%03d/%03d", bus, number)
		switch {
		case m.usable(node):
			findings = append(findings, scan.Finding{OK: true, What: what + " may be used"})
		case known:
			findings = append(findings, scan.Finding{
				What: what + " may not be used by this account",
				Mend: "Add the kiosk's user to the group scanner (adduser USER scanner), and start its session anew.",
			})
		default:
			findings = append(findings, scan.Finding{
				What: what + " has no udev rule, and may not be used by this account",
				Mend: fmt.Sprintf(`Write ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", MODE="0660", GROUP="scanner", ENV{libsane_matched}="yes" `+
					`into /etc/udev/rules.d/60-scanner.rules, and plug the scanner in again.`, read("idVendor"), read("idProduct")),
			})
		}
	}
	return findings
}

// matched reports whether udev's rules for SANE know the device, by its number "major:minor".
func (m machine) matched(dev string) bool {
	data, err := os.ReadFile(filepath.Join(m.udev, "c"+dev))
	return err == nil && strings.Contains(string(data), "E:libsane_matched=yes\n")
}

func looksLikeScanner(dir, vendor string) bool {
	classes, _ := filepath.Glob(filepath.Join(dir, "*:*", "bInterfaceClass"))
	for _, f := range classes {
		data, _ := os.ReadFile(f)
		switch strings.TrimSpace(string(data)) {
		case "06": // still image
			return true
		case "ff":
			if slices.Contains(makers, strings.ToLower(vendor)) {
				return true
			}
		}
	}
	return false
}

// checkHosts asks each host that net.conf names whether it lets this one use its scanners.
func checkHosts(ctx context.Context, config string) (findings []scan.Finding) {
	for _, host := range settings(filepath.Join(config, "net.conf")) {
		if strings.Contains(host, "=") { // an option
			continue
		}
		address := strings.Trim(host, "[]")
		if h, p, err := net.SplitHostPort(host); err == nil {
			address = net.JoinHostPort(h, p)
		} else {
			address = net.JoinHostPort(address, "6566")
		}
		findings = append(findings, checkHost(ctx, host, address))
	}
	return findings
}

func checkHost(ctx context.Context, host, address string) scan.Finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := greet(ctx, address)
	switch {
	case err == nil:
		return scan.Finding{OK: true, What: "saned at " + host + " lets this machine use its scanners"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return scan.Finding{What: "saned does not run at " + host, Mend: "On that machine: systemctl enable --now saned.socket"}
	case errors.Is(err, errDenied):
		return scan.Finding{What: "saned at " + host + " does not let this machine in",
			Mend: "On that machine, write this one's address into /etc/sane.d/saned.conf."}
	}
	return scan.Finding{What: "saned at " + host + " does not answer: " + err.Error(),
		Mend: "Check that the host is on, that its name is right in net.conf, and that its firewall lets TCP port 6566 through."}
}

var errDenied = errors.New("access denied")

// greet speaks the first exchange of SANE's network protocol: words are four bytes, big endian.
func greet(ctx context.Context, address string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	user := "motcua\x00"
	hello := binary.BigEndian.AppendUint32(nil, 0) // SANE_NET_INIT
	hello = binary.BigEndian.AppendUint32(hello, 1<<24|3)
	hello = binary.BigEndian.AppendUint32(hello, uint32(len(user)))
	if _, err := c.Write(append(hello, user...)); err != nil {
		return err
	}
	var answer [8]byte // status and version
	if _, err := io.ReadFull(bufio.NewReader(c), answer[:]); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errDenied // it hangs up on hosts it does not know
	}
	if status(binary.BigEndian.Uint32(answer[:])) != statusGood {
		return errDenied
	}
	return nil
}
