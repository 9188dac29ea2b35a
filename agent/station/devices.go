package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/config"
	"motcua/agent/profile"
	"motcua/drivers/all"
	"motcua/drivers/hidpos"
	"motcua/drivers/pcsc"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
)

// Ready is the state of a device that can be used now.
const Ready = "ready"

// Device is one device as it is listed.
type Device struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State string `json:"state"`

	// What it can do, where it is a scanner that says so: sizes in millimetres, the largest of each source.
	Sources []scan.Source             `json:"sources,omitempty"`
	Modes   []scan.Mode               `json:"modes,omitempty"`
	DPIs    []int                     `json:"resolutions,omitempty"`
	Sizes   map[scan.Source]scan.Area `json:"sizes,omitempty"`

	Profile string `json:"profile"` // what is known of its make; empty where nothing is
	Note    string `json:"note,omitempty"`
}

// Watch tells of scanners, ports and chip readers as they come and go, until ctx ends; what is there already comes
// first. tell and complain are called by one goroutine at a time: complain with what a driver cannot do, by its name.
func Watch(ctx context.Context, cfg config.Config, tell func(d Device, present bool), complain func(driver string, err error)) error {
	profiles, err := LoadProfiles(cfg)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex // one word at a time
	say := func(d Device, present bool) {
		d = d.known(profiles)
		mu.Lock()
		defer mu.Unlock()
		tell(d, present)
	}
	fault := func(driver string, err error) {
		mu.Lock()
		defer mu.Unlock()
		complain(driver, err)
	}
	group.Go(func() error {
		for c := range scan.Watch(ctx, finders(cfg)...) {
			if c.Err != nil {
				fault(c.Driver, c.Err)
			} else if c.Info.ID != "" {
				say(scannerLine(c.Info), c.Present)
			}
		}
		return nil
	})
	group.Go(func() error {
		var before []Device
		return serial.Bus{Profiles: cfg.Readers.Serial}.Watch(ctx, func(ports []serial.Port) {
			now := portLines(slices.DeleteFunc(ports, func(p serial.Port) bool { return p.Device == "" })) // named, not there
			for _, d := range now {
				if !slices.ContainsFunc(before, d.same) {
					say(d, true)
				}
			}
			for _, d := range before {
				if !slices.ContainsFunc(now, func(n Device) bool { return n.ID == d.ID }) {
					say(d, false)
				}
			}
			before = now
		})
	})
	group.Go(func() error {
		return pcsc.Watch(ctx, func(e pcsc.Event) {
			line := Device{ID: "pcsc:" + e.Reader, Kind: "chip reader", Name: e.Reader, State: Ready}
			switch e.Kind {
			case pcsc.ReaderAdded:
				say(line, true)
			case pcsc.ReaderRemoved:
				say(line, false)
			case pcsc.ServiceDown:
				if cfg.Readers.Chip { // else nobody may have meant to use one
					fault("pcsc", e.Fault)
				}
			}
		})
	})
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// finders look for scanners as they come and go; a network scanner that is named is asked by its address.
func finders(cfg config.Config) (finders []scan.Finder) {
	for _, d := range all.Drivers {
		if d.Find != nil {
			finders = append(finders, d.Find(options(cfg))...)
		}
	}
	return finders
}

// Devices asks every driver, side by side. One that cannot answer leaves the others' devices in the
// list.
func Devices(ctx context.Context, cfg config.Config) (devices []Device, problems []error) {
	type lister struct {
		what string
		list func() ([]Device, error)
	}
	var drivers []lister
	for _, d := range all.Drivers {
		if d.List != nil {
			drivers = append(drivers, lister{d.What, func() ([]Device, error) { return scanners(ctx, cfg, d) }})
		}
	}
	drivers = append(drivers, []lister{
		{"serial readers", func() ([]Device, error) {
			ports, err := serial.Bus{Profiles: cfg.Readers.Serial}.List()
			return portLines(ports), err
		}},
		{"HID readers", func() (lines []Device, err error) {
			found, err := hidpos.Bus{}.List()
			for _, d := range found {
				lines = append(lines, Device{ID: d.ID, Kind: "HID reader", Name: d.Name, State: Ready})
			}
			return lines, err
		}},
		{"chip readers", func() (lines []Device, err error) {
			names, err := pcsc.Service{}.Readers(ctx)
			if err != nil && !cfg.Readers.Chip { // nobody may have meant to use one
				return nil, nil
			}
			for _, name := range names {
				lines = append(lines, Device{ID: "pcsc:" + name, Kind: "chip reader", Name: name, State: Ready})
			}
			return lines, err
		}},
	}...)
	lines := make([][]Device, len(drivers))
	errs := make([]error, len(drivers))
	var wait sync.WaitGroup
	for i, d := range drivers {
		wait.Go(func() { lines[i], errs[i] = d.list() })
	}
	wait.Wait()
	profiles, err := LoadProfiles(cfg)
	if err != nil {
		problems = append(problems, err)
	}
	for i, d := range drivers {
		for _, line := range lines[i] {
			devices = append(devices, line.known(profiles))
		}
		if errs[i] != nil {
			problems = append(problems, fmt.Errorf("%s: %w", d.what, errs[i]))
		}
	}
	return devices, problems
}

// same reports whether nothing that is told of a port has changed.
func (d Device) same(o Device) bool {
	return d.ID == o.ID && d.Kind == o.Kind && d.Name == o.Name && d.State == o.State
}

// known says what the profiles know of a device.
func (d Device) known(profiles profile.Profiles) Device {
	p := profiles.For(d.ID)
	d.Profile = p.Device
	switch {
	case d.Note == "":
		d.Note = p.Note
	case p.Note != "":
		d.Note += "; " + p.Note
	}
	return d
}

// probing is how long a device may take to say what it can do when all are listed.
const probing = 8 * time.Second

// scanners lists the devices of one driver with what they can do: faults point there.
func scanners(ctx context.Context, cfg config.Config, driver all.Driver) ([]Device, error) {
	o := options(cfg)
	found, err := driver.List(ctx, o, false)
	lines := make([]Device, len(found))
	var wait sync.WaitGroup
	for i, info := range found {
		wait.Go(func() { lines[i] = probed(ctx, o, driver, info) })
	}
	wait.Wait()
	return lines, err
}

// probed asks a device what it can do. One that is in use or silent is listed without.
func probed(ctx context.Context, o all.Options, driver all.Driver, info scan.Info) Device {
	line := scannerLine(info)
	line.Note = driver.Note
	if info.ByName != "" {
		line.Note = info.ByName
	}
	if driver.Check != nil && driver.Find == nil { // nothing to probe, and a folder may be out of order
		line.State = worst(driver.Examine(ctx, o, info.ID))
		return line
	}
	scanner, err := driver.Open(o, info.ID)
	if err != nil {
		line.State = err.Error()
		return line
	}
	defer scanner.Close()
	if p, ok := scanner.(Prober); ok {
		ctx, cancel := context.WithTimeout(ctx, probing)
		defer cancel()
		known, err := p.Probe(ctx)
		var fault *scan.Fault
		switch {
		case errors.As(err, &fault):
			line.State, line.Note = string(fault.Code), fault.Technician
		case err != nil:
			line.State = "it does not say what it can do"
		default:
			line.Sources, line.Modes, line.DPIs, line.Sizes = known.Sources, known.Modes, known.DPIs, known.Areas
			if known.Note != "" {
				line.Note = known.Note
			}
		}
	}
	return line
}

// worst is the mend of the first finding that is not in order.
func worst(findings []scan.Finding) string {
	for _, f := range findings {
		if !f.OK {
			return f.What + ": " + f.Mend
		}
	}
	return Ready
}

func portLines(ports []serial.Port) []Device {
	var lines []Device
	for _, port := range ports {
		state := Ready
		switch {
		case port.Device == "":
			state = "not plugged in"
		case !port.Ready:
			state = "no permission: add this user to the group dialout"
		}
		lines = append(lines, Device{ID: "serial:" + port.Name, Kind: "serial port", Name: port.Description, State: state})
	}
	return lines
}

func scannerLine(i scan.Info) Device {
	kind := i.Kind
	if kind == "" {
		kind = "scanner"
	}
	return Device{ID: i.ID, Kind: kind, Name: strings.TrimSpace(i.Vendor + " " + i.Model), State: Ready,
		Sources: i.Sources, Modes: i.Modes, DPIs: i.DPIs, Sizes: i.Areas}
}
