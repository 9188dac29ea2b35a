package escl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/mdns"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

// sheet is a page that can be told from every other one.
func sheet(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 120, 80))
	for i := range img.Pix {
		img.Pix[i] = 250
	}
	for x := range 8 * n {
		img.SetGray(x%120, 10+x/120, color.Gray{Y: uint8(n)})
	}
	data, _, err := scan.Encode(scan.Page{Image: img, DPI: 300})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sheets(t testing.TB, n int) (all [][]byte) {
	for i := range n {
		all = append(all, sheet(t, i+1))
	}
	return all
}

func start(t testing.TB, h printer.Habits, o Options) (*printer.Printer, *Scanner) {
	t.Helper()
	p := printer.New(h)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, openAt(t, server.URL+p.Root(), o)
}

func openAt(t testing.TB, address string, o Options) *Scanner {
	t.Helper()
	s, err := Open(o, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func all(ctx context.Context, s *Scanner, set scan.Settings) (pages []scan.Page, err error) {
	for p, err := range s.Scan(ctx, set) {
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

var habits = map[string]printer.Habits{
	"the standard's": {},
	"AirSane": {Root: "/4509a320-00a0-008f-00b6-002507510eca",
		Formats: []string{"application/pdf", "image/jpeg", "image/png"}, ConflictOnEmpty: true, NoAdfState: true, ResolutionRange: true},
	"AirSane of today":                    {EndCode: 409, NoAdfState: true},
	"500 at the end of a stack":           {EndCode: 500},
	"500 at the end, and 404 for not yet": {EndCode: 404, EarlyFirst: 2, EarlyEnd: 1},
	"410 for not yet, on the glass too":   {EndCode: 410, EarlyFirst: 2, EarlyEnd: 1, Model: "B205"},
	"asleep":                              {Sleeps: 3},
	"asleep and silent":                   {Deaf: 2 * time.Second},
	"less than it announces":              {Manufacturer: "Canon", Model: "Canon iR2625/2630", MaxDPI: 300},
	"a shorter window for both sides":     {DuplexHeight: 3300, FeederHeight: 4200},
	"NAPS2":                               {NotYet: 1, RetryAfter: "0", Location: "http://naps2-host.local:9801"},
	"HP with other prefixes":              {Prefixes: true, SharedProfiles: true},
	"HP that takes jobs from itself":      {Server: "HP_Compact_Server", HostLocalhost: true, Location: "http://localhost"},
	"HP over USB with its USB name":       {Location: "http://CN26F178X605SZ.03f011b0.hpLedmUSB"},
	"Xerox with half an IPv6 address":     {Location: "http://[fe80", EndCode: 410},
	"Brother that says no more too early": {EarlyEnd: 1, Model: "Brother MFC-L2710DW"},
	"Kyocera that drops after headers":    {DropAfterHeaders: true},
	"a slash behind the job":              {TrailingSlash: true},
	"PDF for a label":                     {WrongContentType: true},
	"zero bytes behind each page":         {Padding: 512},
	"busy at first":                       {BusyBefore: 1},
}

func TestScan_tolerates_the_habits_of_real_devices(t *testing.T) {
	for name, h := range habits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, s := start(t, h, Options{})
			want := sheets(t, 4)
			p.Lay(want[0])
			pages, err := all(t.Context(), s, scan.Settings{DPI: 300})
			if err != nil {
				t.Fatalf("flatbed: %v", err)
			}
			compare(t, pages, want[:1], h.Padding)
			p.Feed(want...)
			if pages, err = all(t.Context(), s, scan.Settings{Source: scan.ADFDuplex, DPI: 300}); err != nil {
				t.Fatalf("feeder: %v", err)
			}
			compare(t, pages, want, h.Padding)
			for i, page := range pages {
				if page.Back != (i%2 == 1) {
					t.Errorf("page %d: back is %v", i+1, page.Back)
				}
			}
			if _, err = all(t.Context(), s, scan.Settings{Source: scan.ADF}); !errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
				t.Errorf("empty feeder: %v", err)
			}
			if p.Running() {
				t.Error("a job was left behind")
			}
		})
	}
}

func compare(t *testing.T, pages []scan.Page, want [][]byte, padding int) {
	t.Helper()
	if len(pages) != len(want) {
		t.Fatalf("%d pages, want %d", len(pages), len(want))
	}
	for i, p := range pages {
		if p.Number != i+1 || p.DPI != 300 || p.MediaType != "image/jpeg" {
			t.Errorf("page %d is number %d of %d dpi, %s", i+1, p.Number, p.DPI, p.MediaType)
		}
		if !bytes.Equal(p.Encoded[:len(p.Encoded)-padding], want[i]) {
			t.Errorf("page %d is not the sheet that was fed", i+1)
		}
	}
}

func TestScan_asks_for_what_was_wished(t *testing.T) {
	p, s := start(t, printer.Habits{Formats: []string{"application/pdf", "image/jpeg", "image/png"}}, Options{})
	p.Lay(sheet(t, 1))
	p.Feed(sheets(t, 2)...)
	for _, set := range []scan.Settings{
		{},
		{Mode: scan.Gray, DPI: 150, Area: scan.Area{Width: 85.6, Height: 54}},
		{Source: scan.ADFDuplex, Mode: scan.Lineart, DPI: 1200},
	} {
		if _, err := all(t.Context(), s, set); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, k := range p.Tickets {
		got = append(got, fmt.Sprint(k.InputSource, k.Duplex, k.ColorMode, k.XResolution, k.Width, k.Height, k.Format, k.FormatExt))
	}
	want := []string{
		"Platenfalse RGB24 300 2550 3508image/jpegimage/jpeg",
		"Platenfalse Grayscale8 200 1011 638image/jpegimage/jpeg",
		"Feedertrue BlackAndWhite1 600 2550 3508image/pngimage/png",
	}
	for i := range want {
		if strings.ReplaceAll(got[i], " ", "") != strings.ReplaceAll(want[i], " ", "") {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func TestScan_device_that_gives_only_PDF(t *testing.T) {
	p, s := start(t, printer.Habits{Formats: []string{"application/pdf"}}, Options{})
	pdf := []byte("%PDF-1.4\n% a page\n%%EOF\n")
	p.Feed(pdf, pdf)
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF})
	if err != nil || len(pages) != 2 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if pages[1].MediaType != "application/pdf" || !bytes.Equal(pages[1].Encoded, pdf) || p.Tickets[0].Format != "application/pdf" {
		t.Errorf("%+v, asked for %s", pages[1].MediaType, p.Tickets[0].Format)
	}
}

func TestProbe(t *testing.T) {
	for name, h := range habits {
		h.Manufacturer, h.Model, h.Deaf, h.Sleeps = "Acme", "Acme Office 4711", 0, 0
		h.DuplexHeight = 0
		_, s := start(t, h, Options{})
		info, err := s.Probe(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := fmt.Sprintf("%s|%s %v %v %v", info.Vendor, info.Model, info.Sources, info.Modes, info.Areas)
		want := "Acme|Office 4711 [flatbed adf adf-duplex] [lineart gray color] map[adf:{215.9 355.6} adf-duplex:{215.9 355.6} flatbed:{215.9 " +
			"297}]"
		if got != want || !slices.Contains(info.DPIs, 300) {
			t.Errorf("%s: got %s %v\nwant %s", name, got, info.DPIs, want)
		}
	}
}

func TestScan_faults(t *testing.T) {
	for kind, c := range map[string]struct {
		code  scan.Code
		pages int // that came before
	}{
		"jam": {scan.Jammed, 2}, "cover": {scan.CoverOpen, 2}, "double-feed": {scan.DoubleFeed, 2},
		"abort": {scan.IOError, 2}, "cancel": {scan.Cancelled, 2}, "truncate": {scan.IOError, 2}, "truncate-jpeg": {scan.IOError, 2},
		"drop": {scan.IOError, 2}, "hang": {scan.TimedOut, 2}, "garbage": {scan.IOError, 2}, "busy": {scan.TimedOut, 0},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p, s := start(t, printer.Habits{}, Options{Stall: 500 * time.Millisecond, Patience: 300 * time.Millisecond})
			p.Feed(sheets(t, 4)...)
			p.Fail(printer.Fault{Page: 3, Kind: kind})
			pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, DPI: 300})
			var f *scan.Fault
			if !errors.As(err, &f) || f.Code != c.code || f.Technician == "" {
				t.Errorf("got %v, want %q", err, c.code)
			}
			compare(t, pages, sheets(t, c.pages), 0)
			if p.Running() {
				t.Error("the job was left behind")
			}
			p.Clear()
			p.Feed(sheets(t, 2)...)
			if pages, err = all(t.Context(), s, scan.Settings{Source: scan.ADF, DPI: 300}); err != nil {
				t.Fatalf("after the fault: %v", err)
			}
			compare(t, pages, sheets(t, 2), 0)
		})
	}
}

func TestScan_empty_feeder_that_reports_a_jam(t *testing.T) {
	_, s := start(t, printer.Habits{JamOnEmpty: true}, Options{})
	if _, err := all(t.Context(), s, scan.Settings{Source: scan.ADF}); !errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
		t.Errorf("got %v", err)
	}
}

func TestScan_unsupported(t *testing.T) {
	_, s := start(t, printer.Habits{NoADF: true}, Options{})
	if _, err := all(t.Context(), s, scan.Settings{Source: scan.ADF}); !errors.Is(err, &scan.Fault{Code: scan.Unsupported}) {
		t.Errorf("got %v", err)
	}
}

func TestScan_device_that_wants_a_sign_in(t *testing.T) {
	_, s := start(t, printer.Habits{Forbidden: true}, Options{})
	if _, err := all(t.Context(), s, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.AccessDenied}) {
		t.Errorf("got %v", err)
	}
}

func TestScan_cancel_deletes_the_job(t *testing.T) {
	p, s := start(t, printer.Habits{Pace: 50 * time.Millisecond}, Options{})
	p.Feed(sheets(t, 5)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var err error
	for page, e := range s.Scan(ctx, scan.Settings{Source: scan.ADF}) {
		if err = e; page.Number == 2 {
			cancel()
		}
	}
	if !errors.Is(err, context.Canceled) || p.Running() || p.Deleted != 1 {
		t.Errorf("%v, running %v, deleted %d", err, p.Running(), p.Deleted)
	}
}

func TestScan_break_and_page_limit_leave_the_rest_in_the_feeder(t *testing.T) {
	p, s := start(t, printer.Habits{}, Options{})
	p.Feed(sheets(t, 5)...)
	for range s.Scan(t.Context(), scan.Settings{Source: scan.ADF}) {
		break
	}
	if pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, MaxPages: 2}); err != nil || len(pages) != 2 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
	if p.Left() != 2 || p.Running() {
		t.Errorf("%d sheets left, want 2; running: %v", p.Left(), p.Running())
	}
}

func TestScan_second_job_finds_the_scanner_busy(t *testing.T) {
	p, s := start(t, printer.Habits{}, Options{})
	p.Lay(sheet(t, 1))
	for range s.Scan(t.Context(), scan.Settings{}) {
		if _, err := all(t.Context(), s, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
			t.Errorf("got %v", err)
		}
	}
}

func TestScan_missing_device_comes_back(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	s := openAt(t, "escl:"+at, Options{})
	began := time.Now()
	if _, err := all(t.Context(), s, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.NoDevice}) {
		t.Errorf("got %v", err)
	}
	if d := time.Since(began); d > time.Minute {
		t.Errorf("finding out took %v", d)
	}
	p := printer.New(printer.Habits{})
	p.Lay(sheet(t, 1))
	if l, err = net.Listen("tcp", at); err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: p}}
	server.Start()
	defer server.Close()
	if pages, err := all(t.Context(), s, scan.Settings{}); err != nil || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestTLS_certificate_is_pinned_on_first_use(t *testing.T) {
	p := printer.New(printer.Habits{})
	p.Lay(sheet(t, 1))
	first := httptest.NewTLSServer(p)
	defer first.Close()
	at := first.Listener.Addr().String()
	file := filepath.Join(t.TempDir(), "scanners")
	scanOnce := func() error {
		_, err := all(t.Context(), openAt(t, "escl:https://"+at+"/eSCL", Options{Pins: file}), scan.Settings{})
		return err
	}
	for range 2 {
		if err := scanOnce(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[1], "127.0.0.1 ") {
		t.Fatalf("known scanners: %q", lines)
	}
	// The same address with another key: what an attacker or a replaced device looks like.
	changed := lines[1][:len(lines[1])-4] + "0000"
	if err := os.WriteFile(file, []byte(changed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(p.Tickets)
	var f *scan.Fault
	if err := scanOnce(); !errors.As(err, &f) || f.Code != scan.Insecure || !strings.Contains(f.Technician, file) {
		t.Errorf("got %v", err)
	}
	if len(p.Tickets) != before {
		t.Error("a job reached the device all the same")
	}
}

// announce publishes a device on the loopback interface, as a printer does on the office network.
func announce(t *testing.T, service, server string, txt ...string) {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(server, "http://"), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(port)
	name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	zone, err := mdns.NewMDNSService(name, service, "", name+".local.", n, []net.IP{net.ParseIP(host)}, txt)
	if err != nil {
		t.Fatal(err)
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	responder, err := mdns.NewServer(&mdns.Config{Zone: zone, Iface: lo})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { responder.Shutdown() })
}

func TestList_finds_announced_devices(t *testing.T) {
	p := printer.New(printer.Habits{})
	p.Lay(sheet(t, 1))
	open, secure := httptest.NewServer(p), httptest.NewTLSServer(p)
	defer open.Close()
	defer secure.Close()
	txt := []string{"txtvers=1", "ty=Acme Office 4711", "rs=eSCL", "uuid=4509a320-00a0-008f-00b6-002507510eca", "cs=color,grayscale",
		"is=platen,adf", "duplex=T", "pdl=image/jpeg"}
	announce(t, "_uscan._tcp", open.URL, txt...)
	announce(t, "_uscans._tcp", secure.URL, txt...)
	infos, err := List(t.Context(), Options{Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != 1 {
		t.Fatalf("got %d devices: %+v", len(infos), infos)
	}
	got := fmt.Sprint(infos[0].ID, infos[0].Vendor, infos[0].Model, infos[0].Sources, infos[0].Modes)
	want := fmt.Sprint("escl:"+secure.URL+"/eSCL", "Acme", "Office 4711", []scan.Source{scan.Flatbed, scan.ADF, scan.ADFDuplex},
		[]scan.Mode{scan.Color, scan.Gray})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if pages, err := all(t.Context(), openAt(t, infos[0].ID, Options{}), scan.Settings{}); err != nil || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestScan_device_that_moved_is_found_by_its_UUID(t *testing.T) {
	p := printer.New(printer.Habits{UUID: "00000000-0000-4000-8000-00000000abcd"})
	p.Lay(sheet(t, 1))
	former := httptest.NewServer(p)
	s := openAt(t, former.URL, Options{Interface: "lo"})
	if _, err := all(t.Context(), s, scan.Settings{}); err != nil {
		t.Fatal(err)
	}
	former.Close()
	now := httptest.NewServer(p)
	defer now.Close()
	announce(t, "_uscan._tcp", now.URL, "ty=Acme Office", "rs=eSCL", "uuid=00000000-0000-4000-8000-00000000abcd")
	if pages, err := all(t.Context(), s, scan.Settings{}); err != nil || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestJobPath(t *testing.T) {
	base, _ := address("http://10.0.0.1/eSCL")
	for location, want := range map[string]string{
		"/eSCL/ScanJobs/1":                     "/eSCL/ScanJobs/1",
		"http://10.0.0.9:8080/eSCL/ScanJobs/1": "/eSCL/ScanJobs/1",
		"http://[fe80/eSCL/ScanJobs/4060":      "/eSCL/ScanJobs/4060",
		"ScanJobs/7/":                          "/eSCL/ScanJobs/7",
		"https://localhost":                    "",
		"":                                     "",
	} {
		if got, err := jobPath(base, location); got != want || (want == "") != (err != nil) {
			t.Errorf("%q: got %q, %v", location, got, err)
		}
	}
}

func TestAddress(t *testing.T) {
	for id, want := range map[string]string{
		"10.1.2.3":                       "http://10.1.2.3/eSCL",
		"escl:https://p.local:8443/x/":   "https://p.local:8443/x",
		"escl:http://[2001:db8::1]/eSCL": "http://[2001:db8::1]/eSCL",
		"ftp://x":                        "",
		"escl:":                          "",
	} {
		u, err := address(id)
		if want == "" {
			if err == nil {
				t.Errorf("%q: got %v", id, u)
			}
		} else if err != nil || u.String() != want {
			t.Errorf("%q: got %v, %v", id, u, err)
		}
	}
}

func FuzzCapabilities(f *testing.F) {
	for _, h := range habits {
		f.Add([]byte(printer.New(h).Capabilities()))
	}
	f.Add([]byte("<ScannerCapabilities><Platen><PlatenInputCaps><MaxWidth>1e300</MaxWidth></PlatenInputCaps></Platen></ScannerCapabilities>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCapabilities(data)
		if err != nil {
			return
		}
		for source, in := range c.Inputs {
			k, err := c.ticket(scan.Settings{Source: source})
			if err != nil {
				continue
			}
			left, width, height := k.region()
			if k.dpi <= 0 || width <= 0 || height <= 0 || left < 0 || left+width > max(in.MaxWidth, 2480) {
				t.Errorf("a ticket no device takes: %+v from %+v", k, in)
			}
		}
		c.info("escl:x")
	})
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(printer.New(printer.Habits{}).Status()))
	f.Add([]byte("<ScannerStatus><State>Idle</State><Jobs><JobInfo><JobUri>/eSCL/ScanJobs/1</JobUri>" +
		"<ImagesToTransfer>-1</ImagesToTransfer></JobInfo></Jobs></ScannerStatus>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := parseStatus(data); err == nil {
			s.feeder()
			s.job("/eSCL/ScanJobs/1")
		}
	})
}
