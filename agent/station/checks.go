package station

import (
	"context"
	"errors"
	"fmt"
	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/profile"
	"motcua/drivers/escl"
	"motcua/drivers/hotfolder"
	"motcua/drivers/pcsc"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
	"motcua/drivers/v4l2"
	"strings"
)

func CheckScanner(ctx context.Context, cfg config.Config) []doctor.Finding {
	c := cfg.Scanner
	switch {
	case c.Device == "none":
		return []doctor.Finding{doctor.Good("no scanner is configured: pages come as files")}
	case c.Device == "simulated":
		return []doctor.Finding{doctor.Doubt("the scanner is simulated", "set scanner.device for real papers")}
	case c.Device == "auto" || strings.HasPrefix(c.Device, "sane:"):
		profiles, _ := LoadProfiles(cfg) // the configuration's check tells of mistakes in them
		return checkSane(ctx, c, profiles)
	case strings.HasPrefix(c.Device, "v4l2:"):
		return doctor.From(v4l2.Check(ctx, v4l2.Options{}))
	case strings.HasPrefix(c.Device, "escl:"):
		return doctor.From(escl.Check(ctx, esclOptions(cfg), c.Device))
	}
	return doctor.From(hotfolder.Check(ctx, hotfolder.Options{Dir: strings.TrimPrefix(c.Device, "hotfolder:")}))
}

func checkSane(ctx context.Context, c config.Scanner, profiles profile.Profiles) []doctor.Finding {
	findings := doctor.From(sane.Check(ctx, saneOptions(c)))
	found, err := sane.List(ctx, saneOptions(c))
	if err != nil {
		mend := "apt install libsane1 sane-utils, then run motcua doctor again"
		var fault *scan.Fault
		if errors.As(err, &fault) {
			mend = fault.Technician
		}
		return append(findings, doctor.Bad("SANE does not answer: "+err.Error(), mend))
	}
	if len(found) == 0 {
		what, mend := "no scanner was found", "plug it in and switch it on; add the service's user to the group scanner; scanimage -L must show it"
		if c.Device == "auto" {
			return append(findings, doctor.Doubt(what, mend))
		}
		return append(findings, doctor.Bad(what+", but "+c.Device+" is configured", mend))
	}
	id, name := c.Device, c.Device
	if id == "auto" {
		best, _ := profiles.Best(found)
		id, name = best.ID, strings.TrimSpace(best.Vendor+" "+best.Model)
	}
	scanner := sane.Open(saneOptions(c), id)
	defer scanner.Close()
	if _, err := scanner.Probe(ctx); err != nil {
		mend := "unplug it and plug it in again; motcua devices lists what is there"
		var fault *scan.Fault
		if errors.As(err, &fault) {
			mend = fault.Technician
		}
		return append(findings, doctor.Bad(fmt.Sprintf("the scanner %s does not open", id), mend))
	}
	findings = append(findings, doctor.Good("%s answers (%s)", name, id))
	if known := profiles.For(id); known.Device != "" {
		findings = append(findings, doctor.Good("it is tuned as %s (%s)", known.Device, known.File))
	}
	return findings
}

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
