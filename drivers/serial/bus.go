package serial

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"motcua/drivers/scan"
)

// Bus is what can be a serial reader on this machine: the ports the system gives a stable name, and
// those the profiles name.
type Bus struct {
	Dev      string // "/dev" where empty
	Profiles []Profile
}

// Port is one serial port.
type Port struct {
	Name        string // the stable path, fit for Profile.Port
	Device      string // the device node behind it; empty where it is not plugged in
	Description string // maker and model as the stable name tells them
	Profile     string // the name of the profile that uses it, or empty
	Ready       bool   // there, and this account may open it
}

// List is every port now, sorted by name. A port that a profile names is listed also while it is not
// plugged in.
func (b Bus) List() ([]Port, error) {
	dev := b.Dev
	if dev == "" {
		dev = "/dev"
	}
	var all []Port
	seen := map[string]int{} // device node, or name where there is none → place in all
	add := func(name, description, profile string) {
		key := name
		device, err := filepath.EvalSymlinks(name)
		if err != nil {
			device = "" // a link may outlive its device for a moment
		} else {
			key = device
		}
		if i, ok := seen[key]; ok {
			if profile != "" && all[i].Profile == "" {
				all[i].Profile = profile
			}
			return
		}
		seen[key] = len(all)
		all = append(all, Port{Name: name, Device: device, Description: description, Profile: profile,
			Ready: device != "" && mayOpen(device)})
	}
	for _, pattern := range []string{"serial/by-id/*", "ttyUSB*", "ttyACM*"} {
		names, err := filepath.Glob(filepath.Join(dev, pattern))
		if err != nil {
			return nil, fmt.Errorf("list serial ports: %w", err)
		}
		for _, name := range names {
			add(name, describe(filepath.Base(name)), "")
		}
	}
	for _, p := range b.Profiles {
		p = p.withDefaults()
		name, err := resolve(p.Port)
		if err != nil {
			name = p.Port
		}
		add(name, describe(filepath.Base(name)), p.Name)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, nil
}

// Watch calls fn with the list at once and then whenever it changed, until ctx ends. It looks twice a
// second: a plug shows in well under two, without a netlink socket that a sandbox may forbid.
func (b Bus) Watch(ctx context.Context, fn func([]Port)) error {
	var last []Port
	for first := true; ; first = false {
		now, err := b.List()
		if err != nil {
			return err
		}
		if first || !slices.Equal(now, last) {
			fn(slices.Clone(now))
			last = now
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second / 2):
		}
	}
}

// Check looks at every reader the profiles name, and opens those that nobody uses. It does not read:
// whether a reader's speed is right shows in its State as soon as a code was read.
func (b Bus) Check(ctx context.Context) []scan.Finding {
	var all []scan.Finding
	for _, p := range b.Profiles {
		if ctx.Err() != nil {
			return all
		}
		all = append(all, check(p))
	}
	return all
}

// Check looks at one running reader, its readings included.
func (r *Reader) Check(ctx context.Context) []scan.Finding {
	s := r.State()
	switch {
	case s.Fault != nil:
		return []scan.Finding{{What: fmt.Sprintf("serial reader %s: %s", r.profile.Name, s.Fault.Code), Mend: s.Fault.Technician}}
	case s.Connected:
		return []scan.Finding{{OK: true, What: fmt.Sprintf("serial reader %s on %s at %s", r.profile.Name, s.Device, r.profile.framing())}}
	}
	return Bus{Profiles: []Profile{r.profile}}.Check(ctx)
}

func check(p Profile) scan.Finding {
	if err := p.Validate(); err != nil {
		return scan.Finding{What: fmt.Sprintf("serial reader %s: %v", p.Name, err), Mend: "Correct the reader's profile in the configuration."}
	}
	p = p.withDefaults()
	path, err := resolve(p.Port)
	if err == nil {
		if held := holder(path); strings.HasPrefix(held, "motcua ") {
			return scan.Finding{OK: true, What: fmt.Sprintf("serial reader %s is in use by %s", p.Name, held)}
		}
		var line *port
		if line, err = openPort(path, p); err == nil {
			line.close()
			return scan.Finding{OK: true, What: fmt.Sprintf("serial reader %s on %s at %s", p.Name, path, p.framing())}
		}
	}
	f := faultOf(p, err)
	return scan.Finding{What: fmt.Sprintf("serial reader %s: %s", p.Name, f.Code), Mend: f.Technician}
}

// describe makes "Honeywell Imaging & Mobility 1900" of usb-Honeywell_Imaging_..._1900_123-if00-port0.
func describe(base string) string {
	name, ok := strings.CutPrefix(base, "usb-")
	if !ok {
		return base
	}
	if i := strings.LastIndex(name, "-if"); i > 0 {
		name = name[:i]
	}
	return strings.ReplaceAll(name, "_", " ")
}
