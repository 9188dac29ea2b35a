package config

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/quick"

	"motcua/agent/strict"
	"motcua/drivers/all"
)

func shipped(t *testing.T) Config {
	t.Helper()
	c, err := Default(os.DirFS("../../configs"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaultExplainsEveryKey(t *testing.T) {
	shipped(t)
	data, err := os.ReadFile("../../configs/motcua.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	f := strict.Decode("motcua.yaml", data, &c)
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for i := range typ.NumField() {
			field := typ.Field(i)
			child := strings.TrimPrefix(path+"."+field.Tag.Get("yaml"), ".")
			if !f.Has(child) {
				t.Errorf("configs/motcua.yaml says nothing about %s", child)
			}
			if field.Type.Kind() == reflect.Struct {
				walk(field.Type, child)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

// A way out that is named and not set up is a mistake of the file, told with its line, and not of the daemon's start.
func TestEveryWayOutIsCheckedAndExplained(t *testing.T) {
	data, err := os.ReadFile("../../configs/motcua.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range ToAny {
		if _, err := Load(shipped(t), "mine.yaml", []byte("upload:\n  to: "+to+"\n")); (err == nil) != (to == ToNone) {
			t.Errorf("upload.to: %s with nothing else is right: %t; what it lacks is for checkUpload to say", to, err == nil)
		}
		if !regexp.MustCompile(`(?m)^  to: none .*\b` + to + `\b`).Match(data[bytes.Index(data, []byte("\nupload:")):]) {
			t.Errorf("configs/motcua.yaml does not say that upload.to may be %s", to)
		}
	}
}

func TestEveryDriverIsExplained(t *testing.T) {
	data, err := os.ReadFile("../../configs/motcua.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all.Drivers {
		if !d.Alone && !bytes.Contains(data, []byte(d.Scheme+":")) {
			t.Errorf("configs/motcua.yaml does not say at scanner.device how an id of %s: looks", d.Scheme)
		}
	}
}

func TestLoadTakesDefaultsForWhatIsNotSaid(t *testing.T) {
	defaults := shipped(t)
	c, err := Load(defaults, "mine.yaml", []byte("kiosk: {id: ben-thanh-2}\nqueue:\n  keep: 7d\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := defaults
	want.Kiosk.ID, want.Queue.Keep = "ben-thanh-2", Duration(7*24*3600e9)
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v", c)
	}
	for _, empty := range []string{"", "\n", "# nothing\n", "---\n"} {
		if c, err := Load(defaults, "mine.yaml", []byte(empty)); err != nil || !reflect.DeepEqual(c, defaults) {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

func TestLoadListsEveryMistake(t *testing.T) {
	_, err := Load(shipped(t), "mine.yaml", []byte(strings.TrimLeft(`
kiosk:
  id: "ben thanh"
  wards: x
web:
  listen: 0.0.0.0:8080
  silence: soon
  warning: 5m
  hosts: kiosk.local
upload:
  to: tuss
scanner:
  dpi: "300"
  device: hp:1
  source: [adf]
readers:
  serial:
    - {port: /dev/serial/by-id/x, bauds: 9600}
  chip: yes please
queue:
  keep: 24h
  keep: 48h
  min_free: 5 apples
  seal_to: age1xyz
payment:
  bin: "97"
data:
unknown_section:
  a: 1
`, "\n")))
	var problems strict.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"mine.yaml:2:7: kiosk.id: must be 1 to 63 letters",
		`mine.yaml:3:3: kiosk.wards: is not a key known here; did you mean "ward"?`,
		"mine.yaml:5:11: web.listen: must be on loopback",
		"mine.yaml:6:12: web.silence: must be a duration",
		"mine.yaml:7:12: web.warning: must be more than 0 and less than web.silence",
		"mine.yaml:8:10: web.hosts: must be a list",
		`mine.yaml:10:7: upload.to: must be one of none, tus, s3, folder, not "tuss"; did you mean "tus"?`,
		`mine.yaml:12:8: scanner.dpi: must be a whole number, not "300"`,
		"mine.yaml:13:11: scanner.device: must be auto, none",
		"mine.yaml:14:11: scanner.source: must be a single value, not a list",
		`mine.yaml:17:35: readers.serial[0].bauds: is not a key known here; did you mean "baud"?`,
		`mine.yaml:18:9: readers.chip: must be true or false, not "yes please"`,
		"mine.yaml:21:3: queue.keep: is set twice",
		"mine.yaml:22:13: queue.min_free: must be a size",
		"mine.yaml:23:12: queue.seal_to: is not an age recipient",
		"mine.yaml:25:8: payment.bin: must be the bank's six digits",
		"mine.yaml:25:3: payment.account: must be",
		"mine.yaml:26:1: data: has no value",
		"mine.yaml:27:1: unknown_section: is not a key known here",
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("no %q in\n%v", w, err)
		}
	}
	for i := 1; i < len(problems); i++ {
		if problems[i].Line < problems[i-1].Line {
			t.Errorf("not in the order of the lines:\n%v", err)
		}
	}
}

func TestNotYAML(t *testing.T) {
	_, err := Load(shipped(t), "mine.yaml", []byte("kiosk: {id: [\nweb: :\n  - x: *"))
	var problems strict.Problems
	if !errors.As(err, &problems) || !strings.Contains(err.Error(), "not YAML") {
		t.Errorf("got %v", err)
	}
}

func TestUnits(t *testing.T) {
	round := func(n uint32) bool {
		d, s := Duration(n)*1e9, Size(n)
		var d2 Duration
		var s2 Size
		return d2.UnmarshalText([]byte(d.String())) == nil && s2.UnmarshalText([]byte(s.String())) == nil && d2 == d && s2 == s
	}
	if err := quick.Check(round, nil); err != nil {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	data, err := os.ReadFile("../../configs/motcua.yaml")
	if err != nil {
		f.Fatal(err)
	}
	defaults, err := Default(os.DirFS("../../configs"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("kiosk: {id: &a b}\nweb: *a\n? x\n: y\n"))
	f.Add([]byte("web:\n  hosts: [!!str a, |\n b]\n<<: {data: /x}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Load(defaults, "f", data); err != nil {
			var problems strict.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Errorf("an error without a place: %v", err)
			}
		}
	})
}
