package escl

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
	"motcua/drivers/scantest"
)

// bench is a printer with those habits for the contract suite. It listens at one address that can be shut.
func bench(t *testing.T, h printer.Habits, o Options, source scan.Source) scantest.Bench {
	p := printer.New(h)
	server := httptest.NewServer(p)
	at := server.Listener.Addr().String()
	t.Cleanup(func() { server.Close() })
	want := sheets(t, 8)
	return scantest.Bench{
		Source: source, Single: source == scan.Flatbed,
		Open: func(t *testing.T) scantest.Scanner {
			s, err := Open(o, server.URL+p.Root())
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Load: func(_ *testing.T, n int) {
			p.Clear()
			p.Lay(want[0])
			if n > 0 {
				p.Feed(want[:n]...)
			}
		},
		Which: func(page scan.Page) (int, error) {
			for i, w := range want {
				if bytes.HasPrefix(page.Encoded, w) {
					return i + 1, nil
				}
			}
			return 0, errors.New("it is none of the sheets")
		},
		Fail: func(_ *testing.T, manner string, page int) { p.Fail(printer.Fault{Page: page, Kind: manner}) },
		Faults: map[string]scantest.Fault{
			"jam": {Code: scan.Jammed, Pages: 1}, "cover": {Code: scan.CoverOpen, Pages: 1}, "double-feed": {Code: scan.DoubleFeed, Pages: 1},
			"abort":  {Code: scan.IOError, Pages: 1},
			"cancel": {Code: scan.Cancelled, Pages: 1}, "truncate": {Code: scan.IOError, Pages: 1}, "truncate-jpeg": {Code: scan.IOError, Pages: 1},
			"drop":    {Code: scan.IOError, Pages: 1},
			"garbage": {Code: scan.IOError, Pages: 1}, "hang": {Code: scan.TimedOut, Pages: 1}, "busy": {Code: scan.TimedOut},
		},
		Hold: func(*testing.T) func() { return p.Hold() },
		Away: func(t *testing.T) func() {
			server.Close()
			return func() {
				l, err := net.Listen("tcp", at)
				if err != nil {
					t.Fatal(err)
				}
				server = &httptest.Server{Listener: l, Config: &http.Server{Handler: p}}
				server.Start()
			}
		},
	}
}

func TestContract(t *testing.T) {
	for name, source := range map[string]scan.Source{"feeder": scan.ADF, "both sides": scan.ADFDuplex, "glass": scan.Flatbed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bench(t, printer.Habits{}, Options{Stall: time.Second, Patience: 2 * time.Second, Interface: "lo"}, source)
			if source == scan.Flatbed {
				b.Faults = map[string]scantest.Fault{"truncate": {Code: scan.IOError}, "drop": {Code: scan.IOError}, "garbage": {Code: scan.IOError},
					"hang": {Code: scan.TimedOut}}
			}
			scantest.Run(t, b)
		})
	}
}
