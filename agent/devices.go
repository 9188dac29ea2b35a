package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"motcua/agent/config"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
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
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return nil
		case <-tick.C:
		}
		now, _ := listDevices(p.ctx, cfg)
		if p.ctx.Err() != nil {
			return nil
		}
		tell(p, devices, now)
		devices = now
	}
}

// listDevices asks every driver. One that cannot answer leaves the others' devices in the list.
func listDevices(ctx context.Context, cfg config.Config) (devices []plugged, problems []error) {
	found, err := sane.List(ctx, saneOptions(cfg.Scanner))
	if err != nil {
		problems = append(problems, fmt.Errorf("scanners: %w", err))
	}
	for _, i := range found {
		devices = append(devices, scannerLine(i))
	}
	bus := serial.Bus{Profiles: serialProfiles(cfg.Readers)}
	ports, err := bus.List()
	if err != nil {
		problems = append(problems, fmt.Errorf("serial readers: %w", err))
	}
	for _, port := range ports {
		state := ready
		switch {
		case port.Device == "":
			state = "not plugged in"
		case !port.Ready:
			state = "no permission: add this user to the group dialout"
		}
		devices = append(devices, plugged{"serial:" + port.Name, "serial port", port.Description, state})
	}
	return devices, problems
}

func scannerLine(i scan.Info) plugged {
	kind := i.Kind
	if kind == "" {
		kind = "scanner"
	}
	return plugged{i.ID, kind, strings.TrimSpace(i.Vendor + " " + i.Model), ready}
}

func serialProfiles(c config.Readers) []serial.Profile {
	var profiles []serial.Profile
	for _, port := range c.Serial {
		profiles = append(profiles, serial.Profile{Port: port, Baud: c.Baud})
	}
	return profiles
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
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.ID, d.Kind, d.Name, d.State)
	}
	return t.Flush()
}

func tell(p *program, before, now []plugged) {
	for _, d := range now {
		if !slices.Contains(before, d) {
			change(p, "+", d)
		}
	}
	for _, d := range before {
		if !slices.ContainsFunc(now, func(n plugged) bool { return n.ID == d.ID }) {
			change(p, "-", d)
		}
	}
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
