package zoo

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Every attribute of every device has a place that says so.
func TestDevices(t *testing.T) {
	all, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	makes := map[string]int{}
	habits := 0
	for _, d := range all {
		data, err := fs.ReadFile(files, "devices/"+d.File+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var raw map[string]any
		if err := yaml.Unmarshal(data, &raw); err != nil {
			t.Fatal(err)
		}
		said := map[string]bool{}
		for _, f := range d.From {
			if !strings.HasPrefix(f.Where, "https://") {
				t.Errorf("%s: %q is no address", d.File, f.Where)
			}
			for _, s := range f.Says {
				said[s] = true
			}
		}
		for _, kind := range []string{"sane", "escl"} {
			attributes, _ := raw[kind].(map[string]any)
			for name := range attributes {
				habits++
				if !said[name] {
					t.Errorf("%s: nobody says %s", d.File, name)
				}
			}
		}
		if d.Device == "" || (d.SANE == nil) == (d.ESCL == nil) {
			t.Errorf("%s: no name, or not one of sane and escl", d.File)
		}
		name, _, _ := strings.Cut(d.File, "-")
		makes[name]++
	}
	t.Logf("%d devices, %d attributes, makes %s", len(all), habits, fmt.Sprint(makes))
	if len(all) < 30 || len(makes) < 12 {
		t.Errorf("%d devices of %d makes", len(all), len(makes))
	}
}
