// Package zoo is what is known of real devices' behaviour, as data: one file a device, written in our own words from public
// reports and captures, each attribute with the place that says so. What is not known stays out. The drivers' tests play
// every device (SANE ones by drivers/sane/backend, eSCL ones by drivers/escl/printer) and scan from it; a device that was
// never met is one more file.
package zoo

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed devices/*.yaml
var files embed.FS

// Device is one device.
type Device struct {
	File   string `yaml:"-"`
	Device string `yaml:"device"`
	SANE   *SANE  `yaml:"sane"`
	ESCL   *ESCL  `yaml:"escl"`
	From   []From `yaml:"from"`
}

// From is a place that tells something of a device.
type From struct {
	Where string   `yaml:"where"` // its address
	Says  []string `yaml:"says"`  // the attributes it tells
}

// SANE is what a backend offers. Lengths are in millimetres; zero or empty: not known.
type SANE struct {
	Backend    string   `yaml:"backend"`
	Source     []string `yaml:"source"`
	Mode       []string `yaml:"mode"`
	Resolution any      `yaml:"resolution"` // a list, or low-high
	X          float64  `yaml:"x"`          // of the feeder
	Y          float64  `yaml:"y"`
	GlassX     float64  `yaml:"glass_x"`
	GlassY     float64  `yaml:"glass_y"`
	LeastX     float64  `yaml:"least_x"` // where the window may end at the earliest
	LeastY     float64  `yaml:"least_y"`
	Page       bool     `yaml:"page"`              // page-width and page-height bound the window
	Duplex     string   `yaml:"duplex"`            // the switch to both sides, where it is no source
	Sides      []string `yaml:"sides"`             // its words, where it has some
	Resets     bool     `yaml:"source_resets"`     // a source that is set sets mode and resolution back
	Late       bool     `yaml:"late"`              // an empty feeder shows only when the page is read
	Named      string   `yaml:"resolution_option"` // what the option of the resolution is called
	Fixed      bool     `yaml:"source_fixed"`      // the source is chosen at the device
	NoMode     bool     `yaml:"no_mode"`           // there is no choice of modes
	Depth      int      `yaml:"depth"`             // bits of a pixel, where there is no choice
	NoLeft     bool     `yaml:"no_left"`           // the window has no left edge
}

// ESCL is how a device answers; see printer.Habits for what each means.
type ESCL struct {
	Make             string   `yaml:"make"`
	Model            string   `yaml:"model"`
	Server           string   `yaml:"server"`
	Platen           string   `yaml:"platen"` // width x height in 1/300 inch, or none
	Feeder           string   `yaml:"feeder"`
	Formats          []string `yaml:"formats"`
	Location         string   `yaml:"location"`
	End              int      `yaml:"end"`
	Early            int      `yaml:"early"`
	EarlyFirst       int      `yaml:"early_first"`
	NotYet           int      `yaml:"not_yet"`
	Busy             int      `yaml:"busy"`
	MaxDPI           int      `yaml:"max_dpi"`
	PortInHost       bool     `yaml:"port_in_host"`
	HostLocalhost    bool     `yaml:"host_localhost"`
	DropAfterHeaders bool     `yaml:"drop_after_headers"`
	JamOnEmpty       bool     `yaml:"jam_on_empty"`
	ConflictOnEmpty  bool     `yaml:"conflict_on_empty"`
	EmptyWhenIdle    bool     `yaml:"empty_when_idle"`
	FeederCapacity   int      `yaml:"feeder_capacity"`
	OnePageJobs      bool     `yaml:"one_page_jobs"`
	NoImage          bool     `yaml:"no_image"`
	LoadedWord       string   `yaml:"loaded_word"`
	EmptyWhileFed    bool     `yaml:"empty_while_fed"`
	Disclaimer       bool     `yaml:"disclaimer"`
	TrailingSlash    bool     `yaml:"trailing_slash"`
	NoDuplex         bool     `yaml:"no_duplex"`
	DuplexOnly       bool     `yaml:"duplex_only"`
	EndsEarly        int      `yaml:"ends_early"`
	LoadedWhenIdle   bool     `yaml:"loaded_when_idle"`
	TLS              bool     `yaml:"tls"` // it is spoken to over TLS
}

// Devices reads the zoo, by file name.
func Devices() (all []Device, err error) {
	names, err := fs.Glob(files, "devices/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the zoo: %w", err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read the zoo: %w", err)
		}
		var d Device
		if err := yaml.UnmarshalWithOptions(data, &d, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		d.File = strings.TrimSuffix(strings.TrimPrefix(name, "devices/"), ".yaml")
		all = append(all, d)
	}
	return all, nil
}

// Description is the device as drivers/sane/backend plays it. What is not known is filled with what is usual: a scanner for
// A4 of 50 to 600 dpi in grey and colour.
func (s SANE) Description() string {
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\n", key, value) }
	list := func(key string, values []string) {
		if len(values) > 0 {
			line(key, strings.Join(values, "|"))
		}
	}
	length := func(key string, v, usual float64) {
		if v == 0 {
			v = usual
		}
		if v > 0 {
			line(key, v)
		}
	}
	line("type", "scanner")
	list("source", s.Source)
	mode := s.Mode
	if len(mode) == 0 && !s.NoMode {
		mode = []string{"Gray", "Color"}
	}
	list("mode", mode)
	switch r := s.Resolution.(type) {
	case []any:
		var words []string
		for _, v := range r {
			words = append(words, fmt.Sprint(v))
		}
		list("resolution", words)
	case string:
		line("resolution", r)
	default:
		line("resolution", "50-600")
	}
	length("glass-x", s.GlassX, 215.9)
	length("glass-y", s.GlassY, 297.2)
	length("x", s.X, 215.9)
	length("y", s.Y, 355.6)
	length("least-x", s.LeastX, 0)
	length("least-y", s.LeastY, 0)
	list("duplexes", s.Sides)
	for key, name := range map[string]string{"duplex": s.Duplex, "option.resolution": s.Named} {
		if name != "" {
			line(key, name)
		}
	}
	for key, on := range map[string]bool{"page": s.Page, "late": s.Late, "fixed": s.Fixed, "depth": s.Depth == 1, "no-left": s.NoLeft,
		"resets": s.Resets} {
		if on {
			line(key, 1)
		}
	}
	return b.String()
}
