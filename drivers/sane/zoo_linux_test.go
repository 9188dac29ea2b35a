package sane

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"motcua/drivers/scan"
	"motcua/drivers/scantest"
	"motcua/drivers/zoo"
)

// The contract holds for every SANE device of the zoo, from each source it has; with MOTCUA_SOAK=1 all of it.
func TestZoo(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range devices {
		if z.SANE == nil || z.SANE.Depth == 1 { // of a page in black and white nobody can tell which it is: TestOneBit
			continue
		}
		t.Run(z.File, func(t *testing.T) {
			t.Parallel()
			for source, b := range played(t, z) {
				t.Run(string(source), func(t *testing.T) { scantest.Run(t, b) })
			}
		})
	}
}

// played gives what a device of the zoo is tried with, from each source it has.
func played(t *testing.T, z zoo.Device) map[scan.Source]scantest.Bench {
	t.Helper()
	d, o := play(t, "zoo", z.SANE.Description())
	if os.Getenv("MOTCUA_SOAK") != "" {
		o.Worker = []string{installed(t)}
	}
	s := open(t, o, "sane:"+d.ID)
	info, err := s.Probe(t.Context())
	if err != nil || len(info.Sources) == 0 || slices.Contains(info.Modes, scan.Gray) == z.SANE.NoMode ||
		len(info.DPIs) == 0 || len(info.Areas) == 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	s.Close()
	all := map[scan.Source]scantest.Bench{}
	for _, source := range info.Sources {
		b := bench(d, o, source)
		b.Colour = z.SANE.NoMode
		b.Pages, b.Brief = 3, os.Getenv("MOTCUA_SOAK") == ""
		delete(b.Faults, "hang") // seconds each, and the device has no part in it
		delete(b.Faults, "io")
		all[source] = b
	}
	return all
}

// TestOneBit scans from a device that has neither a choice of modes nor grey, and whose source is chosen at the device: the source that
// is chosen there is the one it has, another one is refused with a word on why, and pages say that they are less than was asked for.
func TestOneBit(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(devices, func(z zoo.Device) bool { return z.SANE != nil && z.SANE.Depth == 1 && z.SANE.Fixed })
	d, o := play(t, "zoo", devices[i].SANE.Description())
	s := open(t, o, "sane:"+d.ID)
	info, err := s.Probe(t.Context())
	if err != nil || !slices.Equal(info.Sources, []scan.Source{scan.Flatbed}) {
		t.Fatalf("%+v, %v", info, err)
	}
	for wanted, instead := range map[scan.Mode]scan.Mode{scan.Gray: scan.Lineart, scan.Color: scan.Lineart, scan.Lineart: "", "": ""} {
		pages, err := all(t.Context(), s, scan.Settings{Mode: wanted, DPI: 100})
		if len(pages) != 1 || err != nil || pages[0].Instead != instead {
			t.Errorf("%q wished: %d pages, %v", wanted, len(pages), err)
		}
	}
	var f *scan.Fault
	_, err = all(t.Context(), s, scan.Settings{Source: scan.ADF, DPI: 100})
	if !errors.As(err, &f) || f.Code != scan.Unsupported || !strings.Contains(err.Error(), "Document Glass") {
		t.Error(err)
	}
}

// A device that claims more bytes in a line than its pixels have would give a picture of parts of lines: it is a fault.
func TestLinesThatAreNotTheirPixels(t *testing.T) {
	d, o := play(t, "pixma", "source=Flatbed\nmode=Color|Gray\nresolution=75-600\nx=215.9\ny=297\nclaim=3\n")
	s := open(t, o, "sane:"+d.ID)
	pages, err := all(t.Context(), s, scan.Settings{Mode: scan.Gray, DPI: 75})
	if len(pages) != 0 || !errors.Is(err, &scan.Fault{Code: scan.IOError}) {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

// TestSoakZoo scans from every SANE device of the zoo, a thousand times in all, while things go wrong; it tells the counts make by
// make. Without MOTCUA_SOAK=1 it is a device here and there.
func TestSoakZoo(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	devices = slices.DeleteFunc(devices, func(z zoo.Device) bool { return z.SANE == nil || z.SANE.Depth == 1 })
	scans, step := 1000, 1
	if os.Getenv("MOTCUA_SOAK") == "" {
		scans, step = 2*len(devices), len(devices)/3
	}
	makes := scantest.Makes{}
	for n := 0; n < len(devices); n += step {
		z := devices[n]
		t.Run(z.File, func(t *testing.T) {
			r := rand.New(rand.NewPCG(20, uint64(n)))
			all := played(t, z)
			for _, source := range slices.Sorted(maps.Keys(all)) {
				c := scantest.Soak(t, all[source], scantest.Share(scantest.Share(scans, len(devices)), len(all)), r)
				c.Devices = 0
				makes.Add(z.File, c)
			}
			makes.Add(z.File, scantest.Counts{Devices: 1})
		})
	}
	makes.Log(t)
}

// A feeder that never says that it is empty is told, and not followed until the disk is full.
func TestAFeederWithoutAnEnd(t *testing.T) {
	d, o := play(t, "endless", "source=ADF\nmode=Gray\nresolution=50-600\nx=20\ny=20\n")
	if err := d.Load(10 * mostPages); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:"+d.ID)
	pages := 0
	set := scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 50, Reuse: true, Area: scan.Area{Width: 20, Height: 20}}
	for _, err := range s.Scan(t.Context(), set) {
		if err != nil {
			if !errors.Is(err, &scan.Fault{Code: scan.IOError}) {
				t.Fatal(err)
			}
			break
		}
		pages++
	}
	if pages != mostPages {
		t.Errorf("%d pages", pages)
	}
	if err := d.Load(2); err != nil {
		t.Fatal(err)
	}
	if whole, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 50}); len(whole) != 2 || err != nil {
		t.Errorf("the next stack: %d pages, %v", len(whole), err)
	}
}
