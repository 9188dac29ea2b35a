package all

import (
	"image"
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

// Every driver opens a device that is not there without touching it, and can be listed or is there by its scheme alone.
func TestDrivers(t *testing.T) {
	o := Options{Sheets: func() ([]simulated.Sheet, error) {
		return []simulated.Sheet{{Front: func() (image.Image, error) { return image.White, nil }}}, nil
	}}
	ids := map[string]string{"sane": "sane:none:0", "escl": "escl:http://192.0.2.1/eSCL", "v4l2": "v4l2:/dev/video99",
		"hotfolder": "hotfolder:" + t.TempDir(), "simulated": "simulated"}
	seen := map[string]bool{}
	for _, d := range Drivers {
		if seen[d.Scheme] || d.What == "" || d.Open == nil || !d.Alone && (d.List == nil || d.Check == nil) {
			t.Errorf("the line of %s lacks something or stands twice", d.Scheme)
		}
		seen[d.Scheme] = true
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
