package sane

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

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
		if z.SANE == nil {
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
	o.Stall = 3 * time.Second
	s := open(t, o, "sane:"+d.ID)
	info, err := s.Probe(t.Context())
	if err != nil || len(info.Sources) == 0 || !slices.Contains(info.Modes, scan.Gray) || len(info.DPIs) == 0 || len(info.Areas) == 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	s.Close()
	all := map[scan.Source]scantest.Bench{}
	for _, source := range info.Sources {
		b := bench(d, o, source)
		b.Pages, b.Brief = 3, os.Getenv("MOTCUA_SOAK") == ""
		delete(b.Faults, "hang") // seconds each, and the device has no part in it
		delete(b.Faults, "io")
		all[source] = b
	}
	return all
}

// TestSoakZoo scans from every SANE device of the zoo, a thousand times in all, while things go wrong; it tells the counts make by
// make. Without MOTCUA_SOAK=1 it is a device here and there.
func TestSoakZoo(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	devices = slices.DeleteFunc(devices, func(z zoo.Device) bool { return z.SANE == nil })
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
