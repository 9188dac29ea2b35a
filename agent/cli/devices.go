package cli

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"motcua/agent/station"
)

type devicesCommand struct {
	Watch bool `help:"Stay, and tell what is plugged in and pulled out."`
}

func (c *devicesCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	devices, problems := station.Devices(p.ctx, cfg)
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
	return station.Watch(p.ctx, cfg, func(d station.Device, present bool) { change(p, d, present) },
		func(driver string, err error) { fmt.Fprintf(p.err, "motcua: %s: %v\n", driver, err) })
}

func printDevices(p *program, devices []station.Device) error {
	if p.json {
		if devices == nil {
			devices = []station.Device{}
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
		if can := abilities(d); can != "" {
			fmt.Fprintf(p.out, "\n%s: %s\n", d.ID, can)
		}
		if d.Note != "" {
			fmt.Fprintf(p.out, "\n%s: %s\n", d.ID, d.Note)
		}
	}
	return nil
}

// abilities is what a scanner can do, in a line: faults send a technician here.
func abilities(d station.Device) string {
	var parts []string
	var sources, modes, dpis []string
	for _, s := range d.Sources {
		text := string(s)
		if size, known := d.Sizes[s]; known {
			text += fmt.Sprintf(" (%.0f × %.0f mm)", size.Width, size.Height)
		}
		sources = append(sources, text)
	}
	for _, m := range d.Modes {
		modes = append(modes, string(m))
	}
	for _, dpi := range d.DPIs {
		dpis = append(dpis, strconv.Itoa(dpi))
	}
	for _, part := range []struct {
		name   string
		values []string
	}{{"sources", sources}, {"modes", modes}, {"resolutions", dpis}} {
		if len(part.values) > 0 {
			parts = append(parts, part.name+" "+strings.Join(part.values, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// change tells of one device that came or went.
func change(p *program, d station.Device, present bool) {
	sign, word := "-", "unplugged"
	if present {
		sign, word = "+", "plugged"
	}
	if p.json {
		_ = p.printJSON(struct {
			Change string         `json:"change"`
			Device station.Device `json:"device"`
		}{word, d})
		return
	}
	fmt.Fprintf(p.out, "%s %s  %s  %s  %s\n", sign, d.ID, d.Kind, d.Name, d.State)
}
