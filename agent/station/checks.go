package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/drivers/all"
	"motcua/drivers/pcsc"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
)

// CheckScanner examines the driver of the configured scanner, and the scanner itself as far as it is there.
func CheckScanner(ctx context.Context, cfg config.Config) []doctor.Finding {
	id := cfg.Scanner.Device
	switch id {
	case "none":
		return []doctor.Finding{doctor.Good("no scanner is configured: pages come as files")}
	case "simulated":
		return []doctor.Finding{doctor.Doubt("the scanner is simulated", "set scanner.device for real papers")}
	case "", "auto":
		return checkAutomatic(ctx, cfg)
	}
	driver, known := all.For(id)
	if !known {
		return []doctor.Finding{doctor.Bad(fmt.Sprintf("scanner.device is %q", id), "ids begin with "+all.Schemes()+"; see motcua devices")}
	}
	findings := doctor.From(driver.Examine(ctx, options(cfg), id))
	if driver.Note != "" {
		findings = append(findings, doctor.Doubt(driver.What+": "+driver.Note, "scan a page and look at it"))
	}
	return append(findings, checkConfigured(ctx, cfg, scan.Info{ID: id})...)
}

// checkAutomatic examines every driver that finds devices by itself, and the device that would be taken.
func checkAutomatic(ctx context.Context, cfg config.Config) (findings []doctor.Finding) {
	for _, d := range all.Drivers {
		if d.Find != nil && d.Note == "" {
			findings = append(findings, doctor.From(d.Examine(ctx, options(cfg), ""))...)
		}
	}
	profiles, _ := LoadProfiles(cfg) // the configuration's check tells of mistakes in them
	best, err := (&automatic{cfg: cfg, profiles: profiles}).look(ctx, false)
	if err != nil {
		return append(findings, doctor.Doubt("no scanner was found", mendOf(err, "plug it in and switch it on; scanimage -L must show it")))
	}
	return append(findings, checkConfigured(ctx, cfg, best)...)
}

// checkConfigured opens a scanner that can be asked what it can do; found is what is known of it already.
func checkConfigured(ctx context.Context, cfg config.Config, found scan.Info) (findings []doctor.Finding) {
	id := found.ID
	profiles, _ := LoadProfiles(cfg)
	scanner, err := openTuned(cfg, profiles, id, false)
	if err != nil {
		return []doctor.Finding{doctor.Bad(fmt.Sprintf("the scanner %s does not open", id), err.Error())}
	}
	defer scanner.Close()
	f, ok := scanner.(*fed)
	if !ok {
		return nil
	}
	if _, asks := f.Scanner.(Prober); asks {
		info, err := f.Probe(ctx)
		if err != nil {
			return []doctor.Finding{doctor.Bad(fmt.Sprintf("the scanner %s does not open", id),
				mendOf(err, "unplug it and plug it in again; motcua devices lists what is there"))}
		}
		name := func(i scan.Info) string { return strings.TrimSpace(i.Vendor + " " + i.Model) }
		findings = append(findings, doctor.Good("%s answers (%s)", cmp.Or(name(info), name(found), id), id))
	}
	if known := profiles.For(id); known.Device != "" {
		findings = append(findings, doctor.Good("it is tuned as %s (%s)", known.Device, known.File))
	}
	return findings
}

// mendOf is what a fault says to do, or what is usual.
func mendOf(err error, usual string) string {
	var fault *scan.Fault
	if errors.As(err, &fault) {
		return fault.Technician
	}
	return usual
}

// CheckReaders examines the readers that are configured or known.
func CheckReaders(ctx context.Context, cfg config.Config) []doctor.Finding {
	var findings []doctor.Finding
	c := cfg.Readers
	profiles, _ := LoadProfiles(cfg)
	var lines []serial.Profile
	for _, line := range c.Serial {
		lines = append(lines, profiles.Line(line))
	}
	if c.Known {
		ports, err := serial.Bus{Profiles: c.Serial}.List()
		if err != nil {
			findings = append(findings, doctor.Bad(err.Error(), "look at /dev/serial/by-id"))
		}
		lines = append(lines, knownLines(profiles, ports)...)
	}
	if len(lines) > 0 {
		findings = append(findings, doctor.From(serial.Bus{Profiles: lines}.Check(ctx))...)
	}
	if c.Chip {
		findings = append(findings, doctor.From(pcsc.Check(ctx))...)
		findings = append(findings, checkAuthorities(c.CSCA)...)
	}
	if len(findings) == 0 {
		findings = append(findings, doctor.Good("no QR or chip reader is configured, and no known one is plugged in"))
	}
	return findings
}
