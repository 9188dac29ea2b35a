package sane

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"motcua/drivers/scan"
)

// asFault turns a worker's answer into what a person can mend.
func asFault(device string, r reply) *scan.Fault {
	cause := fmt.Errorf("sane %s: %s", r.During, r.Text)
	code := scan.IOError
	switch status(r.Status) {
	case statusUnsupported:
		code = scan.Unsupported
	case statusCancelled:
		code = scan.Cancelled
	case statusDeviceBusy, statusWarmingUp:
		code = scan.Busy
	case statusInval:
		code = scan.Unsupported
		if r.During == "open" {
			code = scan.NoDevice
		}
	case statusJammed:
		code = scan.Jammed
	case statusNoDocs:
		code = scan.NoDocuments
	case statusCoverOpen:
		code = scan.CoverOpen
	case statusNoMem:
		code = scan.OutOfMemory
	case statusAccessDenied:
		code = scan.AccessDenied
	case statusIOError, statusEOF, statusGood:
		if gone(device) {
			code = scan.Unplugged
		}
	}
	f := scan.NewFault(device, code, cause)
	if status(r.Status) == statusHWLocked {
		f.Technician = "The scanner's transport lock is closed. Slide the lock (mostly underneath the scanner) to open, and scan again."
	}
	return f
}

// crashed is the fault of a worker that ended in the middle of a job.
func crashed(device string, cause error) *scan.Fault {
	f := scan.NewFault(device, scan.IOError, cause)
	if gone(device) {
		return scan.NewFault(device, scan.Unplugged, cause)
	}
	f.Technician = "The scanner's SANE driver crashed; it is started anew for the next scan. If it crashes again, switch the scanner off " +
		"and on, and look for a newer driver."
	return f
}

var usbName = regexp.MustCompile(`libusb:(\d{3}):(\d{3})$`)

// gone reports whether a device that is named by its place on the USB bus is no longer there.
func gone(device string) bool {
	m := usbName.FindStringSubmatch(device)
	if m == nil {
		return false
	}
	_, err := os.Stat("/dev/bus/usb/" + m[1] + "/" + m[2])
	return errors.Is(err, os.ErrNotExist)
}
