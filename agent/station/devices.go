package station

import (
	"context"
	"errors"
	"fmt"
	"motcua/agent/config"
	"motcua/agent/profile"
	"motcua/drivers/escl"
	"motcua/drivers/hotfolder"
	"motcua/drivers/pcsc"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
	"motcua/drivers/v4l2"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Ready is the state of a device that can be used now.
const Ready = "Ready"

// Device is one device as it is listed.
type Device struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State string `json:"state"`

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
				if !slices.Contains(before, d) {
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
func finders(cfg config.Config) []scan.Finder {
	var named []string
	if strings.HasPrefix(cfg.Scanner.Device, "escl:") {
		named = []string{cfg.Scanner.Device}
	}
	return append(sane.Finders(saneOptions(cfg.Scanner)),
		scan.Finder{Name: "v4l2", List: func(ctx context.Context) ([]scan.Info, error) { return v4l2.List(ctx, v4l2.Options{}) }},
		escl.Finder(esclOptions(cfg), named...))
}

// Devices asks every driver, side by side. One that cannot answer leaves the others' devices in the
// list.
func Devices(ctx context.Context, cfg config.Config) (devices []Device, problems []error) {
	drivers := []struct {
		what string
		list func() ([]Device, error)
	}{
		{"scanners", func() ([]Device, error) {
			found, err := sane.List(ctx, saneOptions(cfg.Scanner))
			return scannerLines(found), err
		}},
		{"network scanners", func() ([]Device, error) {
			found, err := escl.List(ctx, esclOptions(cfg))
			return scannerLines(found), err
		}},
		{"document cameras", func() ([]Device, error) {
			found, err := v4l2.List(ctx, v4l2.Options{})
			return scannerLines(found), err
		}},
		{"scan folder", func() ([]Device, error) {
			dir, ok := strings.CutPrefix(cfg.Scanner.Device, "hotfolder:")
			if !ok {
				return nil, nil
			}
			return []Device{{ID: cfg.Scanner.Device, Kind: "folder", Name: dir, State: worst(hotfolder.Check(ctx, hotfolder.Options{Dir: dir}))}}, nil
		}},
		{"serial readers", func() ([]Device, error) {
			ports, err := serial.Bus{Profiles: cfg.Readers.Serial}.List()
			return portLines(ports), err
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
	}
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

// known says what the profiles know of a device.
func (d Device) known(profiles profile.Profiles) Device {
	p := profiles.For(d.ID)
	d.Profile, d.Note = p.Device, p.Note
	return d
}

func scannerLines(found []scan.Info) []Device {
	var lines []Device
	for _, i := range found {
		lines = append(lines, scannerLine(i))
	}
	return lines
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
	return Device{ID: i.ID, Kind: kind, Name: strings.TrimSpace(i.Vendor + " " + i.Model), State: Ready}
}
