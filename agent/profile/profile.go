// Package profile is what is known of makes of scanners and readers. In goes a folder of YAML files, one a family
// of devices; out comes, for the id of a device as `motcua devices` prints it, how its driver is tuned and whether
// `scanner.device: auto` should take it. A new make of device needs a file and no Go.
package profile

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/strict"
	"motcua/drivers/all"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
)

// Profile is one family of devices.
type Profile struct {
	File   string   `yaml:"-"`
	Device string   `yaml:"device"` // what a technician calls it
	Match  []string `yaml:"match"`  // ids; * stands for anything
	Auto   string   `yaml:"auto"`   // Prefer, Avoid or empty: whether "auto" takes it
	Note   string   `yaml:"note"`   // what a technician should know of it

	Scanner Scanner        `yaml:"scanner"`
	Serial  serial.Profile `yaml:"serial"`

	reader bool // the file has a serial section
}

// The values of Profile.Auto.
const (
	Prefer = "prefer"
	Avoid  = "avoid"
)

// Scanner tunes a scanner. What the configuration says goes before it.
type Scanner struct {
	Source   scan.Source   `yaml:"source"`   // taken where nobody asks for one
	Paper    string        `yaml:"paper"`    // what the feeder is fed with: a4, 210x356, … (scan.Paper)
	Longest  float64       `yaml:"longest"`  // mm: longer sheets that the scanner sees the end of
	Set      []string      `yaml:"set"`      // SANE options, left out on models that lack them
	Crop     bool          `yaml:"crop"`     // the feeder shows a dark backing around the sheet
	Watchdog time.Duration `yaml:"watchdog"` // the longest silence of a scan that goes well
}

// Profiles are searched in order.
type Profiles []Profile

// Load reads every *.yaml file of the folders; those of an earlier folder go first. The error holds every mistake
// of every file as strict.Problems.
func Load(folders ...fs.FS) (Profiles, error) {
	var all Profiles
	var problems strict.Problems
	for _, folder := range folders {
		names, err := fs.Glob(folder, "*.yaml")
		if err != nil {
			return nil, fmt.Errorf("list device profiles: %w", err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(folder, name)
			if err != nil {
				return nil, fmt.Errorf("read device profile: %w", err)
			}
			p := Profile{File: name}
			f := strict.Decode(name, data, &p)
			p.reader = f.Has("serial")
			p.check(f)
			problems = append(problems, f.Problems()...)
			all = append(all, p)
		}
	}
	return all, problems.Err()
}

func (p Profile) check(f *strict.File) {
	if p.Device == "" {
		f.Problem("device", "is missing: what a technician calls these devices")
	}
	serialOnly, scanners := p.checkMatch(f)
	switch p.Auto {
	case "", Prefer, Avoid:
	default:
		f.Problem("auto", "must be %s or %s, not %q", Prefer, Avoid, p.Auto)
	}
	hid := slices.ContainsFunc(p.Match, func(m string) bool { return strings.HasPrefix(m, "hid:") })
	if !scanners && (f.Has("scanner") || f.Has("auto") && !hid) {
		f.Problem("scanner", "belongs to scanners, and match names none")
	}
	p.Scanner.check(f)
	if p.reader {
		p.checkReader(f, serialOnly)
	}
}

// checkMatch judges the patterns, and tells whether they name serial readers only, and whether any names scanners.
func (p Profile) checkMatch(f *strict.File) (serialOnly, scanners bool) {
	if len(p.Match) == 0 {
		f.Problem("match", `is missing: ids as "motcua devices" prints them, such as ["sane:fujitsu:*"]`)
	}
	serialOnly = true
	for i, pattern := range p.Match {
		driver, rest, _ := strings.Cut(pattern, ":")
		switch _, known := all.For(driver + ":any"); {
		case driver == "serial":
		case driver == "hid": // only whether it is used can be said of those
			serialOnly = false
		case known:
			serialOnly, scanners = false, true
		default:
			f.Problem(fmt.Sprintf("match[%d]", i), "must begin with %s; a reader's with serial: or hid:; it is %q", all.Schemes(), pattern)
			continue
		}
		if strings.Trim(rest, "*/") == "" && driver == "serial" {
			f.Problem(fmt.Sprintf("match[%d]", i), "fits every port: a device that is no reader would be opened")
		}
	}
	return serialOnly, scanners
}

// check judges what a profile says of a scanner.
func (s Scanner) check(f *strict.File) {
	switch s.Source {
	case "", scan.Flatbed, scan.ADF, scan.ADFDuplex:
	default:
		f.Problem("scanner.source", "must be %s, %s or %s, not %q", scan.Flatbed, scan.ADF, scan.ADFDuplex, s.Source)
	}
	for i, option := range s.Set {
		if name, _, ok := strings.Cut(option, "="); !ok || name == "" {
			f.Problem(fmt.Sprintf("scanner.set[%d]", i), "must be written option=value, such as swdeskew=yes, not %q", option)
		}
	}
	if _, err := scan.Paper(s.Paper); err != nil {
		f.Problem("scanner.paper", "%v", err)
	}
	if l := s.Longest; l != 0 && (l < 100 || l > 1000) {
		f.Problem("scanner.longest", "must be between 100 and 1000 mm, not %g", l)
	}
	if d := s.Watchdog; d != 0 && (d < 10*time.Second || d > 30*time.Minute) {
		f.Problem("scanner.watchdog", "must be between 10s and 30m, not %s", d)
	}
}

// checkReader judges what a profile says of a reader on a serial line.
func (p Profile) checkReader(f *strict.File, serialOnly bool) {
	if !serialOnly {
		f.Problem("serial", "belongs to serial readers, and match names others")
	}
	if f.Has("serial.port") || f.Has("serial.name") {
		f.Problem("serial", "takes no port and no name: match and device say them")
	}
	line := p.Serial
	line.Port = "/dev/serial/by-id/any"
	if err := line.Validate(); err != nil {
		f.Problem("serial", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// For gives the first profile that fits a device's id, or the beginning of one as a configuration may name it
// ("sane:fujitsu"); the zero Profile fits all others.
func (ps Profiles) For(id string) Profile {
	for _, p := range ps {
		for _, pattern := range p.Match {
			if fits(pattern, id) || beginning(id, pattern) {
				return p
			}
		}
	}
	return Profile{}
}

// beginning reports whether an id is a pattern's first parts: the driver and at least the backend.
func beginning(id, pattern string) bool {
	return strings.Count(id, ":") > 0 && !strings.HasSuffix(id, ":") && strings.HasPrefix(pattern, id+":")
}

// fits compares an id with a pattern in which * stands for anything, separators included.
func fits(pattern, id string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(id, parts[0]) {
		return false
	}
	id = id[len(parts[0]):]
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(id, part)
		}
		_, rest, ok := strings.Cut(id, part)
		if !ok {
			return false
		}
		id = rest
	}
	return id == ""
}

// Best gives the first device that "auto" should take: a preferred one, else an ordinary one, else one to avoid; the zero
// Info of none.
func (ps Profiles) Best(found []scan.Info) (best scan.Info, auto string) {
	for _, want := range []string{Prefer, "", Avoid} {
		for _, info := range found {
			if ps.For(info.ID).Auto == want {
				return info, want
			}
		}
	}
	return scan.Info{}, ""
}

// Tune lays the profile under what the configuration says of a scanner: its options are set first, the source counts
// where the configuration names none, and of two watchdogs the more patient one.
func (p Profile) Tune(c config.Scanner) config.Scanner {
	if c.Source == "" {
		c.Source = p.Scanner.Source
	}
	if c.Paper == "" {
		c.Paper = p.Scanner.Paper
	}
	c.Crop = c.Crop || p.Scanner.Crop
	c.Watchdog = max(c.Watchdog, config.Duration(p.Scanner.Watchdog))
	return c
}

// Reader gives the settings for a port that no line of the configuration names; false where it is not known as
// a reader's.
func (ps Profiles) Reader(port string) (serial.Profile, bool) {
	p := ps.For("serial:" + port)
	if !p.reader {
		return serial.Profile{}, false
	}
	line := p.Serial
	line.Name, line.Port = p.Device, port
	return line, true
}

// Line fills what a line of the configuration leaves open from the profile of its port.
func (ps Profiles) Line(c serial.Profile) serial.Profile {
	p := ps.For("serial:" + c.Port)
	if !p.reader {
		return c
	}
	known := p.Serial
	if c.Name == "" {
		c.Name = p.Device
	}
	fill(&c.Baud, known.Baud)
	fill(&c.DataBits, known.DataBits)
	fill(&c.Parity, known.Parity)
	fill(&c.StopBits, known.StopBits)
	fill(&c.Encoding, known.Encoding)
	fill(&c.MaxLength, known.MaxLength)
	if c.End == "" && c.Prefix == "" && c.Suffix == "" && c.Idle == 0 { // how a reading is framed is one thing
		c.End, c.Prefix, c.Suffix, c.Idle = known.End, known.Prefix, known.Suffix, known.Idle
	}
	return c
}

func fill[T comparable](at *T, known T) {
	var zero T
	if *at == zero {
		*at = known
	}
}
