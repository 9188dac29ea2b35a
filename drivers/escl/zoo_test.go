package escl

import (
	"errors"
	"fmt"
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
		if z.ESCL == nil || z.ESCL.OnePageJobs || z.ESCL.NoImage { // whose stacks don't come whole: TestSheetsThatRunThrough
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

// Where sheets run through a device without coming as pages, that is told: a stack that seems to end would be short of them, and nobody
// would know.
func TestSheetsThatRunThrough(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, z := range devices {
		if z.ESCL == nil || !z.ESCL.OnePageJobs && !z.ESCL.NoImage {
			continue
		}
		tried++
		for sheets := 1; sheets <= 3; sheets++ {
			t.Run(fmt.Sprint(z.File, "/", sheets), func(t *testing.T) {
				pages, err := take(t, printer.Playing(*z.ESCL), sheets)
				want := 1
				if z.ESCL.NoImage {
					want = 0
				}
				if whole := want == sheets; pages != want || whole && err != nil || !whole && !errors.Is(err, &scan.Fault{Code: scan.IOError}) {
					t.Errorf("%d pages of %d sheets, %v", pages, sheets, err)
				}
			})
		}
	}
	if tried < 2 {
		t.Errorf("%d devices", tried)
	}
}

// take lays sheets into a device and scans.
func take(t *testing.T, h printer.Habits, n int) (pages int, err error) {
	t.Helper()
	b := bench(t, h, Options{Stall: 5 * time.Second, Patience: 5 * time.Second, Interface: "lo"}, scan.ADF)
	s := b.Open(t)
	defer s.Close()
	b.Load(t, n)
	if h.FaultWord != "" {
		b.Fail(t, "jam", 2)
	}
	for _, err := range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300}) {
		if err != nil {
			return pages, err
		}
		pages++
	}
	return pages, nil
}

// A feeder's state that nobody knows is no stack's end, and a page for people in place of the state keeps nobody from scanning.
func TestStrangeStates(t *testing.T) {
	for word, want := range map[string]scan.Code{
		"ScannerAdfDuplexPageTooShort": scan.Jammed, "ScannerAdfInputTrayFailed": scan.Jammed, "ScannerAdfPaperCurled": scan.IOError,
	} {
		if pages, err := take(t, printer.Habits{FaultWord: word}, 3); pages != 1 || !errors.Is(err, &scan.Fault{Code: want}) {
			t.Errorf("%s: %d pages, %v", word, pages, err)
		}
		if pages, err := take(t, printer.Habits{FaultWord: word, FaultForgets: true}, 3); pages != 1 || !errors.Is(err, &scan.Fault{Code: want}) {
			t.Errorf("%s, and the job is forgotten: %d pages, %v", word, pages, err)
		}
	}
	if pages, err := take(t, printer.Habits{HTMLStatus: true}, 3); pages != 3 || err != nil {
		t.Errorf("HTML: %d pages, %v", pages, err)
	}
}

// TestSoakZoo scans from every eSCL device of the zoo, a thousand times in all, while things go wrong; it tells the counts make by
// make. Without MOTCUA_SOAK=1 it is a device here and there.
func TestSoakZoo(t *testing.T) {
	devices, err := zoo.Devices()
	if err != nil {
		t.Fatal(err)
	}
	devices = slices.DeleteFunc(devices, func(z zoo.Device) bool { return z.ESCL == nil || z.ESCL.OnePageJobs || z.ESCL.NoImage })
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
