package serial

import (
	"errors"
	"fmt"
	"strings"
	"time"

	tarm "github.com/tarm/serial"
)

// Profile is how one reader talks. A zero field means what most hand-held readers are shipped with:
// 9600 baud, 8 data bits, no parity, one stop bit, a line ended by CR, LF or both.
type Profile struct {
	Name string `yaml:"name"` // what a technician calls it; the port's name where empty
	Port string `yaml:"port"` // a stable path below /dev/serial/by-id; shell patterns are allowed

	Baud     int    `yaml:"baud"`
	DataBits int    `yaml:"data_bits"`
	Parity   string `yaml:"parity"` // none, odd or even
	StopBits int    `yaml:"stop_bits"`

	// End says what ends a reading: "line" (CR, LF or both), "cr", "lf", "tab", or "idle" for readers
	// that type no terminator. Suffix, where set, takes its place.
	End    string `yaml:"end"`
	Prefix string `yaml:"prefix"` // a reading begins after it; anything before is noise
	Suffix string `yaml:"suffix"` // and ends before it

	// Idle is the silence that ends a reading with End "idle" (100 ms) and that gives up on a reading
	// that stopped half way otherwise (500 ms). The port is looked at every 100 ms.
	Idle time.Duration `yaml:"idle"`

	Encoding  string `yaml:"encoding"`   // auto, utf-8 or tcvn3
	MaxLength int    `yaml:"max_length"` // longer readings are noise; 4096 where zero
}

func (p Profile) withDefaults() Profile {
	if p.Baud == 0 {
		p.Baud = 9600
	}
	if p.DataBits == 0 {
		p.DataBits = 8
	}
	if p.Parity == "" {
		p.Parity = "none"
	}
	if p.StopBits == 0 {
		p.StopBits = 1
	}
	if p.End == "" {
		p.End = "line"
	}
	if p.Idle == 0 {
		p.Idle = 500 * time.Millisecond
		if p.End == "idle" {
			p.Idle = 100 * time.Millisecond
		}
	}
	if p.Encoding == "" {
		p.Encoding = "auto"
	}
	if p.MaxLength == 0 {
		p.MaxLength = 4096
	}
	if p.Name == "" {
		p.Name = p.Port
	}
	return p
}

// Validate reports every mistake in the profile at once.
func (p Profile) Validate() error {
	p = p.withDefaults()
	var all []error
	oneOf := func(what, got string, want ...string) {
		for _, w := range want {
			if got == w {
				return
			}
		}
		all = append(all, fmt.Errorf("%s %q: want %s", what, got, strings.Join(want, ", ")))
	}
	if p.Port == "" {
		all = append(all, errors.New("port is missing: name a device below /dev/serial/by-id"))
	}
	if !bauds[p.Baud] {
		all = append(all, fmt.Errorf("baud %d: not a speed a serial port has (9600, 19200, 38400, 57600, 115200 …)", p.Baud))
	}
	if p.DataBits != 7 && p.DataBits != 8 {
		all = append(all, fmt.Errorf("data_bits %d: want 7 or 8", p.DataBits))
	}
	if p.StopBits != 1 && p.StopBits != 2 {
		all = append(all, fmt.Errorf("stop_bits %d: want 1 or 2", p.StopBits))
	}
	if p.Idle < 0 {
		all = append(all, fmt.Errorf("idle %s: want a positive time", p.Idle))
	}
	oneOf("parity", p.Parity, "none", "odd", "even")
	oneOf("end", p.End, "line", "cr", "lf", "tab", "idle")
	oneOf("encoding", p.Encoding, "auto", "utf-8", "tcvn3")
	return errors.Join(all...)
}

// framing is the line's settings as a technician writes them: 9600 8N1.
func (p Profile) framing() string {
	return fmt.Sprintf("%d %d%c%d", p.Baud, p.DataBits, parities[p.Parity], p.StopBits)
}

var parities = map[string]tarm.Parity{"none": tarm.ParityNone, "odd": tarm.ParityOdd, "even": tarm.ParityEven}

// bauds are the speeds tarm/serial knows on Linux, from 1200 up.
var bauds = map[int]bool{1200: true, 1800: true, 2400: true, 4800: true, 9600: true, 19200: true,
	38400: true, 57600: true, 115200: true, 230400: true, 460800: true, 500000: true, 576000: true,
	921600: true, 1000000: true, 1500000: true, 2000000: true, 3000000: true}
