package technician

import (
	"bytes"
	"context"
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"motcua/agent/slip"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/ocr"
)

// deviceBeat is how often devices are asked while somebody watches: a change shows within 2 s.
const deviceBeat = time.Second

// shownTime is how exactly a test tells how long something took.
const shownTime = 10 * time.Millisecond

type devicesBody struct {
	Printer bool // there is a receipt printer
	Table   devicesTable
	Scanner string // the one test scans use; "" where there is none
	Test    *testBody
}

// devicesTable is what changes while somebody watches.
type devicesTable struct {
	Devices []screen.Device
	Reading screen.LastReading
}

func (t devicesTable) equal(o devicesTable) bool {
	return t.Reading == o.Reading && slices.Equal(t.Devices, o.Devices)
}

// found is a paper that a test scan shows, without a value.
type found struct {
	Kind   string // key
	Fields int
	Open   int // of these, to be looked at by a person
}

// testBody is how a test scan went.
type testBody struct {
	Printed bool         // a slip was sent to the receipt printer
	Picture template.URL // data: URL of the first page, small
	Pages   int
	Took    time.Duration
	First   time.Duration // until the first lines came; 0 if the device doesn't tell
	Read    time.Duration // until it was read
	Found   []found
	Fault   string
}

// devices lists what is at the counter, the scanner of a demo included, which no bus knows of.
func (s *Pages) devices(ctx context.Context) []screen.Device {
	found := s.Options.Console.Devices(ctx)
	sc := s.Scanner()
	if sc == nil {
		return found
	}
	info := sc.Info()
	if info.ID == "" || slices.ContainsFunc(found, func(d screen.Device) bool { return d.ID == info.ID }) {
		return found
	}
	if info.Driver != demoDriver {
		return found
	}
	plugged := screen.Device{ID: info.ID, Kind: info.Kind, Name: strings.TrimSpace(info.Vendor + " " + info.Model), State: "ready", OK: true}
	return append([]screen.Device{plugged}, found...)
}

// demoDriver is the driver of the demo's scanner.
const demoDriver = "simulated"

func (s *Pages) devicesPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Devices == nil {
		s.NotFound(w, r)
		return
	}
	s.showDevices(w, r, m, nil)
}

func (s *Pages) showDevices(w http.ResponseWriter, r *http.Request, m staff.Member, test *testBody) {
	b := devicesBody{Table: s.table(r.Context()), Test: test}
	if sc := s.Scanner(); sc != nil {
		b.Scanner = sc.Info().ID
	}
	b.Printer = s.Options.PrintSlip != nil
	s.RenderConsole(w, r, http.StatusOK, "devices", screen.ConsoleView{Member: m, Body: b})
}

func (s *Pages) table(ctx context.Context) devicesTable {
	return devicesTable{s.devices(ctx), s.LastReading()}
}

// devicesLive sends the table of devices anew whenever it has changed.
func (s *Pages) devicesLive(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	if s.Options.Console.Devices == nil {
		s.NotFound(w, r)
		return
	}
	lang := s.Session(w, r).Language()
	out, err := screen.NewStream(w)
	if err != nil {
		return
	}
	tick := time.NewTicker(deviceBeat)
	defer tick.Stop()
	var shown devicesTable
	for first := true; ; first = false {
		now := s.table(r.Context())
		if first || !now.equal(shown) {
			shown = now
			var b bytes.Buffer
			if err := s.Console.Sets[lang]["devices"].ExecuteTemplate(&b, "table", now); err != nil {
				s.Log.Error("render", "page", "devices", "error", err)
				return
			}
			if out.Send(b.String()) != nil {
				return
			}
		} else if out.Beat() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.Ending.Done():
			return
		}
	}
}

// testPrint prints a slip without a code on the receipt printer.
func (s *Pages) testPrint(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.PrintSlip == nil {
		s.NotFound(w, r)
		return
	}
	say := func(key string) string { return s.Words.Say(s.Session(w, r).Language(), key) }
	t := slip.Slip{Office: s.Options.Ward, Title: say("devices.print"), Foot: "ĂÂĐÊÔƠƯ ăâđêôơư ẰẲẴẮẶ ềểễếệ ỡỵỳỷỹ",
		Lines: []string{s.Options.Kiosk, s.Now().Format("15:04 02/01/2006")}}
	body := testBody{Printed: true}
	if err := s.Options.PrintSlip(r.Context(), t); err != nil {
		s.Log.Error("test print", "error", err)
		body = testBody{Fault: say("devices.print.failed") + " (" + err.Error() + ")"}
		if s.Unprinted(err) != "" {
			body.Fault = s.Explain(s.lang(r), err)
		}
	}
	s.showDevices(w, r, m, &body)
}

// testScan scans what lies there and shows it. The picture lives in this one answer only.
func (s *Pages) testScan(w http.ResponseWriter, r *http.Request, m staff.Member) {
	t := s.scanOnce(r)
	s.showDevices(w, r, m, &t)
}

func (s *Pages) scanOnce(r *http.Request) (t testBody) {
	sc := s.Scanner()
	if sc == nil {
		t.Fault = s.Words.Say(s.lang(r), "devices.test.no-scanner")
		return t
	}
	if !s.Scanning.TryLock() {
		t.Fault = s.Words.Say(s.lang(r), "devices.test.busy")
		return t
	}
	defer s.Scanning.Unlock()
	began := time.Now()
	settings := scan.Settings{Source: s.Source(sc), DPI: s.Options.DPI, MaxPages: 1, Lines: func(scan.Band) {
		if t.First == 0 {
			t.First = max(time.Since(began).Round(shownTime), shownTime)
		}
	}}
	for page, err := range sc.Scan(r.Context(), settings) {
		if err != nil {
			t.Fault = s.Explain(s.lang(r), err)
			break
		}
		t.Pages++
		if t.Pages > 1 {
			continue
		}
		t.Took = time.Since(began).Round(shownTime)
		data, _, err := scan.Encode(page)
		if err != nil {
			t.Fault = s.Explain(s.lang(r), err)
			break
		}
		small, err := s.Options.Reader.Preview(r.Context(), data, 1, 500)
		if err != nil {
			t.Fault = s.Explain(s.lang(r), err)
			break
		}
		began := time.Now()
		for _, d := range s.Options.Reader.Read(r.Context(), ocr.Input{Name: "test", Data: data}).Documents {
			one := found{Kind: "paper." + string(d.Type), Fields: len(d.Fields)}
			for _, f := range d.Fields {
				if f.Review {
					one.Open++
				}
			}
			t.Found = append(t.Found, one)
		}
		t.Read = time.Since(began).Round(shownTime)
		t.Picture = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(small))
	}
	return t
}
