package escl

import (
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
	"motcua/drivers/scantest"
	"motcua/drivers/zoo"
)

// The contract holds for every eSCL device of the zoo; with MOTCUA_SOAK=1 all of it.
func TestZoo(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range devices {
		if z.ESCL == nil {
			continue
		}
		t.Run(z.File, func(t *testing.T) {
			t.Parallel()
			scantest.Run(t, played(t, z))
		})
	}
}

// played gives what a device of the zoo is tried with.
func played(t *testing.T, z zoo.Device) scantest.Bench {
	t.Helper()
	source := scan.ADF
	if z.ESCL.Feeder == "none" {
		source = scan.Flatbed
	}
	o := Options{Stall: 5 * time.Second, Patience: 20 * time.Second, Interface: "lo"}
	b := bench(t, printer.Playing(*z.ESCL), o, source)
	if z.ESCL.TLS {
		overTLS(t, &b, printer.Playing(*z.ESCL), o, source)
	}
	b.Pages, b.DPI, b.Brief = 2, 300, os.Getenv("MOTCUA_SOAK") == ""
	b.Faults = map[string]scantest.Fault{"drop": {Code: scan.IOError, Pages: 1}}
	return b
}

// TestSoakZoo scans from every eSCL device of the zoo, a thousand times in all, while things go wrong; it tells the counts make by
// make. Without MOTCUA_SOAK=1 it is a device here and there.
func TestSoakZoo(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	devices = slices.DeleteFunc(devices, func(z zoo.Device) bool { return z.ESCL == nil })
	scans, step := 1000, 1
	if os.Getenv("MOTCUA_SOAK") == "" {
		scans, step = 2*len(devices), len(devices)/3
	}
	makes := scantest.Makes{}
	for n := 0; n < len(devices); n += step {
		t.Run(devices[n].File, func(t *testing.T) {
			r := rand.New(rand.NewPCG(20, uint64(n)))
			makes.Add(devices[n].File, scantest.Soak(t, played(t, devices[n]), scantest.Share(scans, len(devices)), r))
		})
	}
	makes.Log(t)
}

// overTLS puts the device behind TLS, where it cannot be pulled out.
func overTLS(t *testing.T, b *scantest.Bench, h printer.Habits, o Options, source scan.Source) {
	p := printer.New(h)
	server := httptest.NewTLSServer(p)
	t.Cleanup(server.Close)
	want := sheets(t, 8)
	b.Open = func(t *testing.T) scantest.Scanner {
		return openAt(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)+p.Root(), o)
	}
	b.Load = func(_ *testing.T, n int) {
		p.Clear()
		p.Lay(want[0])
		if n > 0 {
			p.Feed(want[:n]...)
		}
	}
	b.Fail = func(_ *testing.T, manner string, page int) { p.Fail(printer.Fault{Page: page, Kind: manner}) }
	b.Hold = func(*testing.T) func() { return p.Hold() }
	b.Away = nil
}
