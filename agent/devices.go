package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"motcua/agent/config"
	"motcua/agent/profile"
	"motcua/drivers/escl"
	"motcua/drivers/hotfolder"
	"motcua/drivers/pcsc"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
	"motcua/drivers/v4l2"
)

type devicesCommand struct {
	Watch bool `help:"Stay, and tell what is plugged in and pulled out."`
}

// ready is the state of a device that can be used now.
const ready = "ready"

// plugged is one device as it is listed.
type plugged struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	State string `json:"state"`

	Profile string `json:"profile"` // what is known of its make; empty where nothing is
	Note    string `json:"note,omitempty"`
}

func (c *devicesCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	devices, problems := listDevices(p.ctx, cfg)
	for _, problem := range problems {
		fmt.Fprintf(p.err, "motcua: %v\n", problem)
	}
	if err := printDevices(p, devices); err != nil {
		return err
	}
	if !c.Watch {
		if len(devices) == 0 && len(problems) > 0 {
			return told(1)
		}
		return nil
	}
	return watch(p, cfg)
}

// watch tells of scanners, ports and chip readers as they come and go, until it is ended.
func watch(p *program, cfg config.Config) error {
	profiles, err := loadProfiles(cfg)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(p.ctx)
	var mu sync.Mutex // one line at a time
	say := func(sign string, d plugged) {
		d = d.known(profiles)
		mu.Lock()
		defer mu.Unlock()
		change(p, sign, d)
	}
	var named []string
	if strings.HasPrefix(cfg.Scanner.Device, "escl:") {
		named = []string{cfg.Scanner.Device}
	}
	group.Go(func() error {
		finders := append(sane.Finders(saneOptions(cfg.Scanner)),
			scan.Finder{Name: "v4l2", List: func(ctx context.Context) ([]scan.Info, error) { return v4l2.List(ctx, v4l2.Options{}) }},
			escl.Finder(esclOptions(cfg), named...))
		changes := scan.Watch(ctx, finders...)
		for c := range changes {
			switch {
			case c.Err != nil:
				fmt.Fprintf(p.err, "motcua: %s: %v\n", c.Driver, c.Err)
			case c.Present:
				say("+", scannerLine(c.Info))
			default:
				say("-", scannerLine(c.Info))
			}
		}
		return nil
	})
	group.Go(func() error {
		var before []plugged
		return serial.Bus{Profiles: cfg.Readers.Serial}.Watch(ctx, func(ports []serial.Port) {
			now := portLines(slices.DeleteFunc(ports, func(p serial.Port) bool { return p.Device == "" })) // named, not there
			for _, d := range now {
				if !slices.Contains(before, d) {
					say("+", d)
				}
			}
			for _, d := range before {
				if !slices.ContainsFunc(now, func(n plugged) bool { return n.ID == d.ID }) {
					say("-", d)
				}
			}
			before = now
		})
	})
	group.Go(func() error {
		return pcsc.Watch(ctx, func(e pcsc.Event) {
			line := plugged{ID: "pcsc:" + e.Reader, Kind: "chip reader", Name: e.Reader, State: ready}
			switch e.Kind {
			case pcsc.ReaderAdded:
				say("+", line)
			case pcsc.ReaderRemoved:
				say("-", line)
			case pcsc.ServiceDown:
				if cfg.Readers.Chip { // else nobody may have meant to use one
					fmt.Fprintf(p.err, "motcua: pcsc: %v\n", e.Fault)
				}
			}
		})
	})
	return stopped(group.Wait())
}

// listDevices asks every driver, side by side. One that cannot answer leaves the others' devices in the
// list.
func listDevices(ctx context.Context, cfg config.Config) (devices []plugged, problems []error) {
	drivers := []struct {
		what string
		list func() ([]plugged, error)
	}{
		{"scanners", func() ([]plugged, error) {
			found, err := sane.List(ctx, saneOptions(cfg.Scanner))
			return scannerLines(found), err
		}},
		{"network scanners", func() ([]plugged, error) {
			found, err := escl.List(ctx, esclOptions(cfg))
			return scannerLines(found), err
		}},
		{"document cameras", func() ([]plugged, error) {
			found, err := v4l2.List(ctx, v4l2.Options{})
			return scannerLines(found), err
		}},
		{"scan folder", func() ([]plugged, error) {
			dir, ok := strings.CutPrefix(cfg.Scanner.Device, "hotfolder:")
			if !ok {
				return nil, nil
			}
			return []plugged{{ID: cfg.Scanner.Device, Kind: "folder", Name: dir, State: worst(hotfolder.Check(ctx, hotfolder.Options{Dir: dir}))}}, nil
		}},
		{"serial readers", func() ([]plugged, error) {
			ports, err := serial.Bus{Profiles: cfg.Readers.Serial}.List()
			return portLines(ports), err
		}},
		{"chip readers", func() (lines []plugged, err error) {
			names, err := pcsc.Service{}.Readers(ctx)
			if err != nil && !cfg.Readers.Chip { // nobody may have meant to use one
				return nil, nil
			}
			for _, name := range names {
				lines = append(lines, plugged{ID: "pcsc:" + name, Kind: "chip reader", Name: name, State: ready})
			}
			return lines, err
		}},
	}
	lines := make([][]plugged, len(drivers))
	errs := make([]error, len(drivers))
	var wait sync.WaitGroup
	for i, d := range drivers {
		wait.Go(func() { lines[i], errs[i] = d.list() })
	}
	wait.Wait()
	profiles, err := loadProfiles(cfg)
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
func (d plugged) known(profiles profile.Profiles) plugged {
	p := profiles.For(d.ID)
	d.Profile, d.Note = p.Device, p.Note
	return d
}

func scannerLines(found []scan.Info) []plugged {
	var lines []plugged
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
	return ready
}

func portLines(ports []serial.Port) []plugged {
	var lines []plugged
	for _, port := range ports {
		state := ready
		switch {
		case port.Device == "":
			state = "not plugged in"
		case !port.Ready:
			state = "no permission: add this user to the group dialout"
		}
		lines = append(lines, plugged{ID: "serial:" + port.Name, Kind: "serial port", Name: port.Description, State: state})
	}
	return lines
}

func scannerLine(i scan.Info) plugged {
	kind := i.Kind
	if kind == "" {
		kind = "scanner"
	}
	return plugged{ID: i.ID, Kind: kind, Name: strings.TrimSpace(i.Vendor + " " + i.Model), State: ready}
}

func printDevices(p *program, devices []plugged) error {
	if p.json {
		if devices == nil {
			devices = []plugged{}
		}
		return p.printJSON(devices)
	}
	if len(devices) == 0 {
		fmt.Fprintln(p.out, "nothing is plugged in that Motcua can use")
		return nil
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, d := range devices {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", d.ID, d.Kind, d.Name, d.State, d.Profile)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, d := range devices {
		if d.Note != "" {
			fmt.Fprintf(p.out, "\n%s: %s\n", d.ID, d.Note)
		}
	}
	return nil
}

func change(p *program, sign string, d plugged) {
	if p.json {
		_ = p.printJSON(struct {
			Change string  `json:"change"`
			Device plugged `json:"device"`
		}{map[string]string{"+": "plugged", "-": "unplugged"}[sign], d})
		return
	}
	fmt.Fprintf(p.out, "%s %s  %s  %s  %s\n", sign, d.ID, d.Kind, d.Name, d.State)
}
