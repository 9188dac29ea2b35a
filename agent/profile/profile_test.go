package profile

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"motcua/agent/config"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
)

func builtIn(t *testing.T) Profiles {
	t.Helper()
	all, err := Load(os.DirFS("../../configs/devices"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBuiltInProfiles(t *testing.T) {
	all := builtIn(t)
	for id, want := range map[string]string{
		"sane:fujitsu:fi-7160:123456":                                          "Fujitsu or Ricoh document scanner",
		"sane:canon_dr:libusb:001:004":                                         "Canon DR document scanner",
		"sane:genesys:libusb:001:007":                                          "flatbed scanner",
		"sane:airscan:e0:HP LaserJet":                                          "network scanner through SANE",
		"serial:/dev/serial/by-id/usb-Newland_Auto-ID_NLS-HR22_0001-if00":      "Newland reader",
		"serial:/dev/serial/by-id/usb-Symbol_Technologies__Inc__2008_SYMBOL-x": "Zebra (Symbol) reader",
		"serial:/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A9-if00-port0":      "",
		"serial:/dev/ttyACM0":                                                  "",
		"escl:http://192.168.1.20/eSCL":                                        "",
		"sane:test:0":                                                          "",
		"sane:notfujitsu:fujitsu":                                              "",
		"v4l2:/dev/v4l/by-id/usb-Zebra_cam":                                    "",
	} {
		if got := all.For(id).Device; got != want {
			t.Errorf("%s goes by %q, want %q", id, got, want)
		}
	}
	for _, p := range all {
		if strings.HasPrefix(p.File, "reader-") != p.reader {
			t.Errorf("%s: reader %v", p.File, p.reader)
		}
	}
}

func TestOwnProfilesGoFirst(t *testing.T) {
	own := fstest.MapFS{"mine.yaml": {Data: []byte("device: ours\nmatch: [\"sane:fujitsu:*\"]\nscanner: {source: adf}\n")}}
	all, err := Load(own, os.DirFS("../../configs/devices"))
	if err != nil {
		t.Fatal(err)
	}
	if got := all.For("sane:fujitsu:x"); got.Device != "ours" || got.Scanner.Source != scan.ADF {
		t.Errorf("got %+v", got)
	}
}

func TestMistakesAreListedTogether(t *testing.T) {
	_, err := Load(fstest.MapFS{"bad.yaml": {Data: []byte(strings.TrimLeft(`
match: ["usb:1", "serial:*"]
auto: always
scaner: {}
scanner:
  source: glass
  set: [swdeskew]
  watchdog: 1s
serial:
  baud: 9601
  port: /dev/ttyS0
`, "\n"))}, "silent.yaml": {Data: []byte("device: x\n")}})
	if err == nil {
		t.Fatal("was taken")
	}
	for _, want := range []string{"bad.yaml:1:", "device", "must begin with sane:", "fits every port", "auto", `did you mean "scanner"`,
		"scanner.source", "option=value",
		"between 10s and 30m", "baud 9601", "takes no port", "silent.yaml", "match: is missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in\n%v", want, err)
		}
	}
}

func TestBest(t *testing.T) {
	all := builtIn(t)
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{[]string{"sane:v4l:/dev/video0", "sane:plustek:1", "sane:fujitsu:1"}, "sane:fujitsu:1"},
		{[]string{"sane:airscan:x", "sane:unknown:1"}, "sane:unknown:1"},
		{[]string{"sane:airscan:x", "escl:http://10.0.0.2/eSCL"}, "escl:http://10.0.0.2/eSCL"},
		{[]string{"sane:airscan:x"}, "sane:airscan:x"},
		{nil, ""},
	} {
		var found []scan.Info
		for _, id := range c.ids {
			found = append(found, scan.Info{ID: id})
		}
		if got, _ := all.Best(found); got.ID != c.want {
			t.Errorf("of %v %q was taken, want %q", c.ids, got.ID, c.want)
		}
	}
}

func TestTheConfigurationGoesBeforeTheProfile(t *testing.T) {
	p := Profile{Scanner: Scanner{Source: scan.ADF, Crop: true, Watchdog: 3 * time.Minute}}
	open := p.Tune(config.Scanner{Watchdog: config.Duration(2 * time.Minute)})
	if open.Source != scan.ADF || !open.Crop || open.Watchdog.D() != 3*time.Minute {
		t.Errorf("got %+v", open)
	}
	if said := p.Tune(config.Scanner{Source: scan.Flatbed, Watchdog: config.Duration(5 * time.Minute)}); said.Source != scan.Flatbed ||
		said.Watchdog.D() != 5*time.Minute {
		t.Errorf("got %+v", said)
	}
}

func TestLinesAreFilledFromTheProfile(t *testing.T) {
	all := Profiles{{Device: "Wedge 9", Match: []string{"serial:*/usb-Wedge_*"}, reader: true,
		Serial: serial.Profile{Baud: 115200, Parity: "even", End: "idle", Idle: 50 * time.Millisecond}}}
	got := all.Line(serial.Profile{Port: "/dev/serial/by-id/usb-Wedge_*", Parity: "none", Suffix: "#"})
	if want := (serial.Profile{Name: "Wedge 9", Port: "/dev/serial/by-id/usb-Wedge_*", Baud: 115200, Parity: "none",
		Suffix: "#"}); got != want {
		t.Errorf("got %+v", got)
	}
	if line, ok := all.Reader("/dev/serial/by-id/usb-Wedge_9-if00"); !ok || line.Port != "/dev/serial/by-id/usb-Wedge_9-if00" ||
		line.End != "idle" {
		t.Errorf("got %+v, %v", line, ok)
	}
	if _, ok := all.Reader("/dev/ttyUSB0"); ok {
		t.Error("a port that nobody knows was taken for a reader's")
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		pattern, id string
		want        bool
	}{
		{"a:b", "a:b", true}, {"a:b", "a:bc", false}, {"a:*", "a:", true}, {"a:*", "b:x", false}, {"*", "", true},
		{"a*b*c", "a/b:c", true}, {"a*b*c", "ac", false}, {"a*a", "a", false}, {"a*bc", "abbc", true}, {"", "x", false},
	} {
		if got := fits(c.pattern, c.id); got != c.want {
			t.Errorf("%q for %q: %v", c.pattern, c.id, got)
		}
	}
}
