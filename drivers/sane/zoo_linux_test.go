package sane

import (
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
			d, o := play(t, "zoo", z.SANE.Description())
			o.Stall = 3 * time.Second
			s := open(t, o, "sane:"+d.ID)
			info, err := s.Probe(t.Context())
			if err != nil || len(info.Sources) == 0 || !slices.Contains(info.Modes, scan.Gray) || len(info.DPIs) == 0 || len(info.Areas) == 0 {
				t.Fatalf("%+v, %v", info, err)
			}
			s.Close()
			for _, source := range info.Sources {
				t.Run(string(source), func(t *testing.T) {
					b := bench(d, o, source)
					b.Pages, b.Brief = 3, os.Getenv("MOTCUA_SOAK") == ""
					delete(b.Faults, "hang") // seconds each, and the device has no part in it
					delete(b.Faults, "io")
					scantest.Run(t, b)
				})
			}
		})
	}
}
