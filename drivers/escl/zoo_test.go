package escl

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
	"motcua/drivers/scantest"
	"motcua/drivers/zoo"
)

// played are the habits that play a device of the zoo.
func played(z zoo.ESCL) (h printer.Habits) {
	h = printer.Habits{Manufacturer: z.Make, Model: z.Model, Server: z.Server, Formats: z.Formats, Location: z.Location, EndCode: z.End,
		EarlyEnd:   z.Early,
		EarlyFirst: z.EarlyFirst, NotYet: z.NotYet, BusyBefore: z.Busy, MaxDPI: z.MaxDPI, PortInHost: z.PortInHost,
		HostLocalhost:    z.HostLocalhost,
		DropAfterHeaders: z.DropAfterHeaders, JamOnEmpty: z.JamOnEmpty, NoPlaten: z.Platen == "none", NoADF: z.Feeder == "none", RetryAfter: "0"}
	fmt.Sscanf(z.Feeder, "%dx%d", &h.FeederWidth, &h.FeederHeight)
	return h
}

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
			source := scan.ADF
			if z.ESCL.Feeder == "none" {
				source = scan.Flatbed
			}
			o := Options{Stall: 5 * time.Second, Patience: 20 * time.Second, Interface: "lo"}
			b := bench(t, played(*z.ESCL), o, source)
			if z.ESCL.TLS {
				overTLS(t, &b, played(*z.ESCL), o, source)
			}
			b.Pages, b.DPI, b.Brief = 2, 300, os.Getenv("MOTCUA_SOAK") == ""
			b.Faults = map[string]scantest.Fault{"drop": {Code: scan.IOError, Pages: 1}}
			scantest.Run(t, b)
		})
	}
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
