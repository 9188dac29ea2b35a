package all

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"motcua/drivers/simulated"
)

func TestFor(t *testing.T) {
	for id, want := range map[string]string{
		"sane:fujitsu:fi-7260": "sane", "sane:": "sane", "escl:http://10.0.0.1/eSCL": "escl", "v4l2:/dev/video0": "v4l2",
		"hotfolder:/srv": "hotfolder", "simulated": "simulated",
		"escl:": "", "escl": "", "twain:x": "", "": "", "auto": "",
	} {
		if d, ok := For(id); ok != (want != "") || d.Scheme != want && ok {
			t.Errorf("%q is of %q, want %q", id, d.Scheme, want)
		}
	}
}

// runsContract says whether a driver's package keeps its contract in a test.
func runsContract(t *testing.T, scheme string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", scheme, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		text, err := os.ReadFile(name)
		return err == nil && bytes.Contains(text, []byte("scantest.Run("))
	})
}

// Every driver opens a device that is not there without touching it, and can be listed or is there by its scheme alone.
func TestDrivers(t *testing.T) {
	o := Options{Sheets: func() ([]simulated.Sheet, error) {
		return []simulated.Sheet{{Front: func() (image.Image, error) { return image.White, nil }}}, nil
	}}
	ids := map[string]string{"sane": "sane:none:0", "escl": "escl:http://192.0.2.1/eSCL", "v4l2": "v4l2:/dev/video99",
		"hotfolder": "hotfolder:" + t.TempDir(), "simulated": "simulated"}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range Drivers {
		if seen[d.Scheme] {
			t.Errorf("%s stands twice", d.Scheme)
		}
		seen[d.Scheme] = true
		for name, lacks := range map[string]bool{"What": d.What == "", "Open": d.Open == nil, "List": !d.Alone && d.List == nil,
			"Check": !d.Alone && d.Check == nil} {
			if lacks {
				t.Errorf("the line of %s lacks %s (only a driver that is named by its scheme alone may do without List and Check)", d.Scheme, name)
			}
		}
		if !runsContract(t, d.Scheme) {
			t.Errorf("no test in drivers/%s runs scantest.Run", d.Scheme)
		}
		if !bytes.Contains(readme, []byte("| `"+d.Scheme+"` |")) {
			t.Errorf("the table of drivers/README.md has no row for %s", d.Scheme)
		}
		if ids[d.Scheme] == "" {
			t.Errorf("%s: the list ids in this test lacks an id of a device that is not there", d.Scheme)
			continue
		}
		s, err := Open(o, ids[d.Scheme])
		if err != nil {
			t.Errorf("%s: %v", d.Scheme, err)
			continue
		}
		if info := s.Info(); info.ID != ids[d.Scheme] || info.Driver != d.Scheme {
			t.Errorf("%s: %+v", d.Scheme, info)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", d.Scheme, err)
		}
	}
	if _, err := Open(o, "twain:x"); err == nil {
		t.Error("a driver that is not there opened something")
	}
}
