package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Disk looks at the data folder: there, writable, for its owner only, with room.
func Disk(dir string, minFree int64) Check {
	return Check{Area: "disk", Look: func(context.Context) []Finding { return disk(dir, minFree) }}
}

func disk(dir string, minFree int64) []Finding {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{Doubt(fmt.Sprintf("the data folder %s is not there yet", dir),
			"it is made at the first start; if Motcua runs as a service, install the package, which makes it")}
	}
	if err != nil {
		return []Finding{Bad(fmt.Sprintf("the data folder %s cannot be looked at: %v", dir, err),
			"run motcua doctor as the user that the service runs as (motcua), or as root")}
	}
	if !info.IsDir() {
		return []Finding{Bad(fmt.Sprintf("%s is not a folder", dir), "set data in the configuration to a folder")}
	}
	var findings []Finding
	if unix.Access(dir, unix.W_OK) != nil {
		findings = append(findings, Bad(fmt.Sprintf("the data folder %s may not be written by this user", dir),
			"chown it to the user that the service runs as"))
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		findings = append(findings, Doubt(fmt.Sprintf("the data folder %s may be entered by others (mode %o)", dir, mode), "chmod 700 "+dir))
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return append(findings, Bad(fmt.Sprintf("the disk under %s does not answer: %v", dir, err),
			"check the disk with smartctl and the system log"))
	}
	free := int64(st.Bavail) * st.Bsize
	inodes := st.Ffree
	switch {
	case free < minFree:
		findings = append(findings, Bad(fmt.Sprintf("%s free, and new submissions are refused below %s", size(free), size(minFree)),
			"free space on the disk, or mend the upload so that the queue empties"))
	case free < 4*minFree:
		findings = append(findings, Doubt(fmt.Sprintf("%s free", size(free)),
			"free space on the disk soon: submissions are refused below "+size(minFree)))
	default:
		findings = append(findings, Good("%s free", size(free)))
	}
	if st.Files > 0 && inodes < 1000 {
		findings = append(findings, Bad(fmt.Sprintf("only %d more files fit on the disk", inodes), "remove small files from the disk"))
	}
	return findings
}

// Swap looks at where memory may be written to: with citizens' papers in it, that must not be a plain disk.
func Swap() Check {
	return Check{Area: "swap", Look: func(context.Context) []Finding {
		table, err := os.ReadFile("/proc/swaps")
		if err != nil {
			return []Finding{Doubt("whether memory is swapped cannot be seen here", "run motcua doctor outside of a container")}
		}
		return swap(string(table), func(device string) string {
			uuid, _ := os.ReadFile(filepath.Join("/sys/class/block", filepath.Base(device), "dm", "uuid")) // not there: no mapped device
			return string(uuid)
		})
	}}
}

// swap judges /proc/swaps (proc(5)); mapped gives the device mapper's name of a device, empty for others.
func swap(table string, mapped func(device string) string) []Finding {
	var findings []Finding
	for line := range strings.Lines(table) {
		device, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if resolved, err := filepath.EvalSymlinks(device); err == nil {
			device = resolved
		}
		switch {
		case !strings.HasPrefix(device, "/"): // the heading
		case strings.HasPrefix(filepath.Base(device), "zram"):
			findings = append(findings, Good("memory is swapped into memory only (%s)", device))
		case strings.HasPrefix(mapped(device), "CRYPT-"):
			findings = append(findings, Good("swap is encrypted (%s)", device))
		default:
			findings = append(findings, Doubt("memory may be swapped to "+device+" in the clear; the service keeps out of it (MemorySwapMax=0), "+
				"the browser's and other programs' memory may not",
				"swapoff "+device+" and take it out of /etc/fstab, or encrypt it with a random key (crypttab: swap, /dev/urandom)"))
		}
	}
	if findings == nil {
		findings = append(findings, Good("there is no swap"))
	}
	return findings
}

// Clock looks at the time of day: receipts, deadlines and certificates depend on it.
func Clock(now func() time.Time) Check {
	return Check{Area: "clock", Look: func(context.Context) []Finding { return clock(now().In(machineZone)) }}
}

// machineZone is the zone that the machine was set to; the program itself goes by Vietnam's.
var machineZone = time.Local

func clock(now time.Time) []Finding {
	var findings []Finding
	if now.Year() < 2025 {
		return []Finding{Bad("the clock says "+now.Format(time.DateOnly),
			"set the clock (timedatectl set-time), and change the mainboard's battery if it happens again")}
	}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	const unsynchronised = 5 // TIME_ERROR
	switch {
	case err != nil:
		findings = append(findings, Doubt("whether the clock is synchronised cannot be seen here", "run motcua doctor outside of a container"))
	case state == unsynchronised:
		findings = append(findings, Doubt("the clock is not synchronised over the network", "timedatectl set-ntp true, or install chrony"))
	default:
		findings = append(findings, Good("the clock is synchronised"))
	}
	if _, offset := now.Zone(); offset != 7*3600 {
		findings = append(findings, Doubt("the time zone is not Vietnam's (UTC+7)", "timedatectl set-timezone Asia/Ho_Chi_Minh"))
	} else {
		findings = append(findings, Good("the time zone is UTC+7"))
	}
	return findings
}

func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d bytes", n)
}
