// Package printer is a network scanner to test against: an HTTP handler that speaks eSCL as AirSane, NAPS2
// and several makers' printers do, with their habits and with the faults they have when paper jams or
// somebody trips over the cable. Sheets go in as encoded pages; what comes out is what those devices
// answer. It shows how the driver deals with what is known of real devices; what it cannot show is a habit
// nobody has described yet.
package printer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Habits are the ways in which devices differ. The zero value keeps to the standard.
type Habits struct {
	Root             string // "/eSCL" if empty
	Model            string
	Manufacturer     string
	UUID             string
	Server           string // the Server header
	NoPlaten, NoADF  bool
	Formats          []string      // {"application/pdf", "image/jpeg"} if empty
	Prefixes         bool          // other namespace prefixes, a byte order mark, a lower-case doctype (HP)
	SharedProfiles   bool          // setting profiles once at the top, referred to
	ResolutionRange  bool          // a range instead of a list (AirSane before 0.3)
	Location         string        // what stands before the path: "", "http://localhost", "http://[fe80", …
	TrailingSlash    bool          // in Location
	HostLocalhost    bool          // takes jobs only for Host: localhost (HP)
	PortInHost       bool          // takes jobs only with a port in Host (EPSON)
	NotYet           int           // answers 503 so many times before each page
	RetryAfter       string        // with the 503
	EarlyEnd         int           // answers 404 so many times while the next sheet is on its way (Brother, Xerox B205)
	EarlyFirst       int           // the same before the first page
	EndCode          int           // ends a stack in place of 404: 409 (AirSane), 500, 410; 200 with a message (Lexmark MB2236adw)
	EndsEarly        int           // a job feeds so many pages, whatever lies in the feeder besides
	Endless          bool          // it gives the last page again and again
	Forgets          bool          // a job that is done is known no more
	NoLineart        bool          // refuses black and white with 409, though it announces it
	DuplexHeight     int           // of the duplex feeder alone, in 1/300 inch; 0: that of the feeder
	FeederHeight     int           // in 1/300 inch; 0: 4200
	FeederWidth      int           // in 1/300 inch; 0: 2550
	Justify          string        // on which side of the feeder sheets lie: Left, Center, Right
	Sleeps           int           // answers 503 to so many questions of any kind until it is awake
	Deaf             time.Duration // takes connections and answers nothing until so long after the first one
	MaxDPI           int           // refuses more with 409, though it announces it (Canon iR2625)
	ConflictOnEmpty  bool          // an empty feeder refuses the job with 409 (AirSane)
	EmptyWhenIdle    bool          // reports an empty feeder while no job runs, whatever lies in it (AirSane of 2026)
	LoadedWhenIdle   bool          // reports a loaded feeder while no job runs, whatever lies in it (AirSane before 2026)
	JamOnEmpty       bool          // an empty feeder is reported as jammed once the job runs (Xerox 3345)
	NoAdfState       bool          // an empty AdfState (AirSane)
	WrongContentType bool          // says PDF for a JPEG
	Padding          int           // zero bytes behind each page
	DropAfterHeaders bool          // drops the connection after the job's headers (Kyocera)
	BusyBefore       int           // answers 503 to so many jobs first
	FeederCapacity   int           // sheets that the feeder holds, as it says; 0: it says nothing
	OnePageJobs      bool          // a job gives one page, and the other sheets run through unseen (EPSON WF-2930)
	NoImage          bool          // sheets run through, and the job is completed without a page (NAPS2's server)
	LoadedWord       string        // what it says in place of ScannerAdfLoaded
	FaultWord        string        // what it says in place of ScannerAdfJam
	FaultForgets     bool          // a job that jams is known no more, and its pages are not found
	EmptyWhileFed    bool          // the feeder is empty as soon as a job runs, whose pages still come (HP ScanJet Pro 4500)
	Disclaimer       bool          // a comment before the document, and a prefix that nothing declares (HP LaserJet)
	HTMLStatus       bool          // a page for people in place of its state
	NoDuplex         bool          // its feeder takes one side, and a job for both hangs it (Canon MF642C)
	DuplexOnly       bool          // its feeder is described for both sides alone (AirSane before July 2025)
	Pace             time.Duration // for each page
	Forbidden        bool          // wants somebody to sign in
}

// Fault is trouble the next job runs into.
type Fault struct {
	Page int    // before which it comes, from 1
	Kind string // jam, cover, double-feed, truncate, truncate-jpeg, hang, drop, abort, cancel, busy, garbage
}

// Printer is the device. It is an http.Handler.
type Printer struct {
	h Habits

	mu     sync.Mutex // guards the fields below
	feeder [][]byte
	glass  []byte
	fault  Fault
	adf    string
	jobs   int
	job    *running
	done   map[string]string // states of former jobs

	// Deleted counts jobs the client took back, Tickets keeps what it asked for.
	Deleted int
	woken   time.Time     // the first question
	held    chan struct{} // pages wait for it to be closed; nil: none do
	Tickets []Ticket
}

type running struct {
	id       string
	platen   bool
	pages    [][]byte
	given    int
	notYet   int
	earlyEnd int
	fault    Fault
}

// Ticket is what a client asks for in a job.
type Ticket struct {
	XMLName     xml.Name
	Width       int `xml:"ScanRegions>ScanRegion>Width"`
	X           int `xml:"ScanRegions>ScanRegion>XOffset"`
	Height      int `xml:"ScanRegions>ScanRegion>Height"`
	InputSource string
	ColorMode   string
	Format      string `xml:"DocumentFormat"`
	FormatExt   string `xml:"DocumentFormatExt"`
	XResolution int
	Duplex      bool
}

// New makes a device with those habits.
func New(h Habits) *Printer {
	if h.Root == "" {
		h.Root = "/eSCL"
	}
	if h.Model == "" {
		h.Model = "Office 4711"
	}
	if h.UUID == "" {
		h.UUID = "4509a320-00a0-008f-00b6-002507510eca"
	}
	if len(h.Formats) == 0 {
		h.Formats = []string{"application/pdf", "image/jpeg"}
	}
	return &Printer{h: h, adf: "ScannerAdfEmpty", done: map[string]string{}}
}

// Feed lays pages into the feeder; with duplex, fronts and backs alternate.
func (p *Printer) Feed(pages ...[]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeder = append(p.feeder, pages...)
	p.adf = "ScannerAdfLoaded"
}

// Lay puts a page onto the glass.
func (p *Printer) Lay(page []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.glass = page
}

// Fail makes the next job run into a fault.
func (p *Printer) Fail(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Hold keeps pages from being sent until it is let go.
func (p *Printer) Hold() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := make(chan struct{})
	p.held = held
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(held)
		p.held = nil
	}
}

// Clear is what a person does at the device: pull the paper out, close the lid.
func (p *Printer) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeder, p.fault, p.job, p.adf = nil, Fault{}, nil, "ScannerAdfEmpty"
}

// Left gives how many pages are still in the feeder.
func (p *Printer) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.feeder)
}

// Running reports whether a job is open.
func (p *Printer) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.job != nil
}

// ServeHTTP answers eSCL requests under the root that its habits name; while it sleeps, with 503.
func (p *Printer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !p.awake(w, r) {
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, p.h.Root)
	if p.h.Server != "" {
		w.Header().Set("Server", p.h.Server)
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case !ok:
		http.NotFound(w, r)
	case p.h.Forbidden && r.Method != http.MethodGet:
		http.Error(w, "sign in", http.StatusUnauthorized)
	case path == "/ScannerCapabilities":
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, p.Capabilities())
	case path == "/ScannerStatus":
		if p.h.HTMLStatus {
			io.WriteString(w, "<!doctype html>\n<html><head><meta charset=utf-8><title>Status</title></head><body>Ready<br></body></html>")
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		io.WriteString(w, p.Status())
	case path == "/ScanJobs" && r.Method == http.MethodPost:
		p.create(w, r)
	case parts[0] == "ScanJobs" && len(parts) == 2 && r.Method == http.MethodDelete:
		p.delete(w, parts[1])
	case parts[0] == "ScanJobs" && len(parts) == 3 && parts[2] == "NextDocument":
		p.next(w, r, parts[1])
	default:
		http.NotFound(w, r)
	}
}

// awake reports whether the device is up; if not, it has answered, or not, in its own way.
func (p *Printer) awake(w http.ResponseWriter, r *http.Request) bool {
	p.mu.Lock()
	if p.woken.IsZero() {
		p.woken = time.Now()
	}
	wait := time.Until(p.woken.Add(p.h.Deaf))
	asleep := p.h.Sleeps > 0
	if asleep {
		p.h.Sleeps--
	}
	p.mu.Unlock()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return false
		}
	}
	if asleep {
		http.Error(w, "waking up", http.StatusServiceUnavailable)
	}
	return !asleep
}

// Capabilities is the ScannerCapabilities document.
func (p *Printer) Capabilities() string {
	profile := func(name string) string {
		if p.h.SharedProfiles && name == "" {
			return `<scan:SettingProfile ref="p1"/>`
		}
		var b strings.Builder
		fmt.Fprintf(&b, `<scan:SettingProfile name="%s"><scan:ColorModes><scan:ColorMode>BlackAndWhite1</scan:ColorMode>`+
			`<scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode></scan:ColorModes><scan:DocumentFormats>`, name)
		for _, f := range p.h.Formats {
			fmt.Fprintf(&b, "<pwg:DocumentFormat>%s</pwg:DocumentFormat><scan:DocumentFormatExt>%s</scan:DocumentFormatExt>", f, f)
		}
		b.WriteString("</scan:DocumentFormats><scan:SupportedResolutions>")
		if p.h.ResolutionRange {
			b.WriteString("<scan:ResolutionRange/>" +
				"<scan:XResolutionRange><scan:Min>75</scan:Min><scan:Max>600</scan:Max><scan:Step>1</scan:Step></scan:XResolutionRange>")
		} else {
			b.WriteString("<scan:DiscreteResolutions>")
			for _, d := range []int{75, 200, 300, 600} {
				fmt.Fprintf(&b, "<scan:DiscreteResolution><scan:XResolution>%d</scan:XResolution>"+
					"<scan:YResolution>%d</scan:YResolution></scan:DiscreteResolution>", d, d)
			}
			b.WriteString("</scan:DiscreteResolutions>")
		}
		b.WriteString("</scan:SupportedResolutions></scan:SettingProfile>")
		return b.String()
	}
	caps := func(width, height int) string {
		return fmt.Sprintf("<scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>%d</scan:MaxWidth>"+
			"<scan:MinHeight>16</scan:MinHeight><scan:MaxHeight>%d</scan:MaxHeight>"+
			"<scan:SettingProfiles>%s</scan:SettingProfiles>", width, height, profile(""))
	}
	width, height := cmp.Or(p.h.FeederWidth, 2550), cmp.Or(p.h.FeederHeight, 4200)
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	fmt.Fprintf(&b, `<scan:ScannerCapabilities xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" `+
		`xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"><pwg:Version>2.63</pwg:Version>`+
		`<pwg:MakeAndModel>%s</pwg:MakeAndModel><scan:Manufacturer>%s</scan:Manufacturer><scan:UUID>%s</scan:UUID>`,
		p.h.Model, p.h.Manufacturer, p.h.UUID)
	if p.h.SharedProfiles {
		b.WriteString("<scan:SettingProfiles>" + profile("p1") + "</scan:SettingProfiles>")
	}
	if !p.h.NoPlaten {
		b.WriteString("<scan:Platen><scan:PlatenInputCaps>" + caps(2550, 3508) + "</scan:PlatenInputCaps></scan:Platen>")
	}
	if !p.h.NoADF {
		b.WriteString("<scan:Adf>")
		if !p.h.DuplexOnly {
			b.WriteString("<scan:AdfSimplexInputCaps>" + caps(width, height) + "</scan:AdfSimplexInputCaps>")
		}
		if !p.h.NoDuplex {
			b.WriteString("<scan:AdfDuplexInputCaps>" + caps(width, cmp.Or(p.h.DuplexHeight, height)) + "</scan:AdfDuplexInputCaps>")
		}
		if p.h.FeederCapacity > 0 {
			fmt.Fprintf(&b, "<scan:FeederCapacity>%d</scan:FeederCapacity>", p.h.FeederCapacity)
		}
		if p.h.Justify != "" {
			b.WriteString("<scan:Justification><pwg:XImagePosition>" + p.h.Justify +
				"</pwg:XImagePosition><pwg:YImagePosition>Top</pwg:YImagePosition></scan:Justification>")
		}
		b.WriteString("</scan:Adf>")
	}
	b.WriteString("</scan:ScannerCapabilities>")
	text := b.String()
	if p.h.Prefixes {
		text = strings.NewReplacer("scan:", "ns1:", "xmlns:scan", "xmlns:ns1", "pwg:", "", "xmlns:pwg", "xmlns").Replace(text)
		text = "\ufeff" + strings.Replace(text, "?>", "?>\n<!doctype scan>\n", 1)
	}
	text = p.disclaimed(text)
	return text
}

// Status is the ScannerStatus document.
func (p *Printer) Status() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	state, adf := "Idle", p.feederSays()
	var jobs strings.Builder
	if p.job != nil {
		state = "Processing"
		fmt.Fprintf(&jobs, "<scan:JobInfo><pwg:JobUri>%s/ScanJobs/%s</pwg:JobUri><pwg:JobUuid>urn:uuid:%s</pwg:JobUuid>"+
			"<pwg:ImagesToTransfer>%d</pwg:ImagesToTransfer><pwg:JobState>Processing</pwg:JobState></scan:JobInfo>",
			p.h.Root, p.job.id, p.job.id, len(p.job.pages)-p.job.given)
	}
	for id, s := range p.done {
		fmt.Fprintf(&jobs, "<scan:JobInfo><pwg:JobUri>%s/ScanJobs/%s</pwg:JobUri><pwg:JobState>%s</pwg:JobState>"+
			"<pwg:JobStateReasons><pwg:JobStateReason>JobReason</pwg:JobStateReason></pwg:JobStateReasons></scan:JobInfo>", p.h.Root, id, s)
	}
	return p.disclaimed(fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>`+
		`<scan:ScannerStatus xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" `+
		`xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"><pwg:Version>2.63</pwg:Version><pwg:State>%s</pwg:State>`+
		`<scan:AdfState>%s</scan:AdfState><scan:Jobs>%s</scan:Jobs></scan:ScannerStatus>`, state, adf, jobs.String()))
}

// feederSays is the state of the feeder in the device's own way of telling it. p.mu is held.
func (p *Printer) feederSays() string {
	adf := p.feederState()
	if p.h.LoadedWord != "" && adf == "ScannerAdfLoaded" {
		adf = p.h.LoadedWord
	}
	if p.h.FaultWord != "" && adf == "ScannerAdfJam" {
		adf = p.h.FaultWord
	}
	if p.h.EmptyWhenIdle && p.job == nil && adf == "ScannerAdfLoaded" {
		adf = "ScannerAdfEmpty"
	}
	if p.h.LoadedWhenIdle && p.job == nil && adf == "ScannerAdfEmpty" {
		adf = "ScannerAdfLoaded"
	}
	return adf
}

// feederState is what a device takes its feeder's state to be, in the standard's words. p.mu is held.
func (p *Printer) feederState() string {
	adf := p.adf
	if p.h.NoAdfState && (adf == "ScannerAdfLoaded" || adf == "ScannerAdfProcessing") {
		adf = ""
	}
	if p.job != nil && p.h.EndsEarly > 0 && p.job.given == p.h.EndsEarly && len(p.feeder) > 0 && strings.HasSuffix(adf, "Processing") {
		adf = "ScannerAdfLoaded" // it feeds no more
	}
	if p.h.EmptyWhileFed && p.job != nil && strings.HasSuffix(adf, "Processing") {
		adf = "ScannerAdfEmpty"
	}
	return adf
}

// disclaimed puts what some devices say of their maker's liability before a document, with a prefix that nothing declares.
func (p *Printer) disclaimed(text string) string {
	if !p.h.Disclaimer {
		return text
	}
	_, text, _ = strings.Cut(text, "?>")
	name, rest, _ := strings.Cut(text, " ")
	return "<!--\n THIS DATA IS SUBJECT TO A DISCLAIMER\n-->\n" + name +
		` xsi:schemaLocation="http://schemas.hp.com/imaging/escl/2011/05/03 x.xsd" ` + rest
}

func (p *Printer) create(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	var t Ticket
	if err != nil || xml.Unmarshal(data, &t) != nil || t.XMLName.Local != "ScanSettings" || t.XResolution == 0 {
		http.Error(w, "bad ticket", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if why, status := p.refusal(r.Host, t); why != "" {
		http.Error(w, why, status)
		return
	}
	location := p.h.Location + p.h.Root + "/ScanJobs/" + p.begin(t).id
	if p.h.TrailingSlash {
		location += "/"
	}
	w.Header().Set("Location", location)
	if p.h.DropAfterHeaders {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusCreated)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusCreated)
}

// refusal tells why a ticket begins no job; an empty why is none.
func (p *Printer) refusal(host string, t Ticket) (why string, status int) {
	switch {
	case p.h.HostLocalhost && host != "localhost":
		return "host", http.StatusForbidden
	case p.h.PortInHost && !strings.Contains(host, ":"):
		return "host", http.StatusBadRequest
	case p.h.BusyBefore > 0:
		p.h.BusyBefore--
		return "busy", http.StatusServiceUnavailable
	case p.job != nil:
		return "one at a time", http.StatusServiceUnavailable
	case p.h.NoDuplex && t.Duplex:
		return "hung", http.StatusInternalServerError
	}
	if p.h.NoLineart && t.ColorMode == "BlackAndWhite1" || p.h.MaxDPI > 0 && t.XResolution > p.h.MaxDPI ||
		p.h.DuplexHeight > 0 && t.Duplex && t.Height > p.h.DuplexHeight {
		return "conflict", http.StatusConflict
	}
	if t.InputSource != "Platen" && len(p.feeder) == 0 {
		p.adf = "ScannerAdfEmpty"
		if p.h.ConflictOnEmpty {
			return "no paper", http.StatusConflict
		}
	}
	return "", 0
}

// begin makes the job of a ticket.
func (p *Printer) begin(t Ticket) *running {
	p.Tickets = append(p.Tickets, t)
	p.jobs++
	j := &running{id: fmt.Sprintf("job-%d", p.jobs), platen: t.InputSource == "Platen", notYet: p.h.NotYet, fault: p.fault}
	p.fault = Fault{}
	if j.platen {
		j.pages = [][]byte{p.glass}
	} else {
		j.pages = p.feeder
		if len(j.pages) > 0 {
			p.adf = "ScannerAdfProcessing"
		} else if p.h.JamOnEmpty {
			p.adf = "ScannerAdfJam"
		}
	}
	p.job = j
	return j
}

// end closes the job. The caller holds mu.
func (p *Printer) end(state string) {
	if !p.h.Forgets || state != "Completed" {
		p.done[p.job.id] = state
	}
	p.job = nil
	if strings.HasSuffix(p.adf, "Processing") {
		p.adf = "ScannerAdfEmpty"
		if len(p.feeder) > 0 {
			p.adf = "ScannerAdfLoaded"
		}
	}
}

func (p *Printer) delete(w http.ResponseWriter, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.job == nil || p.job.id != id {
		http.Error(w, "no such job", http.StatusNotFound)
		return
	}
	p.Deleted++
	p.end("Canceled")
}

func (p *Printer) next(w http.ResponseWriter, r *http.Request, id string) {
	time.Sleep(p.h.Pace)
	if !p.letGo(r.Context()) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.withholds(w, id) {
		return
	}
	j := p.job
	page := j.pages[j.given]
	if j.fault.Kind != "" && j.given+1 == j.fault.Page && p.breakDown(w, r, j.fault.Kind, page) {
		return
	}
	if j.given++; p.h.Endless && j.given == len(j.pages) {
		j.pages, p.feeder = append(j.pages, page), append(p.feeder, page)
	}
	j.notYet, j.earlyEnd = p.h.NotYet, 0
	if !j.platen {
		p.feeder = p.feeder[1:]
	}
	if p.h.OnePageJobs && !j.platen {
		more := len(p.feeder) > 0
		p.feeder = nil
		p.end("Completed")
		if more {
			p.adf = "ScannerAdfProcessing"
		}
	}
	media := "image/jpeg"
	if p.h.WrongContentType || bytes.HasPrefix(page, []byte("%PDF")) {
		media = "application/pdf"
	}
	w.Header().Set("Content-Type", media)
	w.Write(page)
	w.Write(make([]byte, p.h.Padding))
}

// withholds answers a request for a page where there is none to give, or not yet, and reports whether it did. The caller holds mu.
func (p *Printer) withholds(w http.ResponseWriter, id string) bool {
	gone := cmp.Or(p.h.EndCode, http.StatusNotFound)
	j := p.job
	if j == nil || j.id != id {
		http.Error(w, "no such job", gone)
		return true
	}
	if p.h.NoImage && !j.platen && len(j.pages) > 0 {
		p.feeder = nil
		p.end("Completed")
		p.adf = "ScannerAdfLoaded" // it says so all the same
		http.Error(w, "no pages", gone)
		return true
	}
	if j.given == len(j.pages) || p.h.EndsEarly > 0 && j.given == p.h.EndsEarly && !j.platen {
		p.carry(j)
		if !(len(j.pages) == 0 && p.h.JamOnEmpty) {
			p.end("Completed")
		}
		http.Error(w, "no more pages", gone)
		return true
	}
	if j.fault.Kind == "busy" || j.notYet > 0 {
		j.notYet--
		if p.h.RetryAfter != "" {
			w.Header().Set("Retry-After", p.h.RetryAfter)
		}
		http.Error(w, "not yet", http.StatusServiceUnavailable)
		return true
	}
	if j.earlyEnd < p.h.EarlyFirst && j.given == 0 || j.earlyEnd < p.h.EarlyEnd && j.given > 0 {
		j.earlyEnd++
		http.Error(w, "not yet, in other words", gone)
		return true
	}
	return false
}

// carry keeps a fault of the stack for a later job, where this one ends before it.
func (p *Printer) carry(j *running) {
	if j.fault.Kind != "" && j.given < len(j.pages) {
		p.fault = Fault{Page: j.fault.Page - j.given, Kind: j.fault.Kind}
	}
}

// letGo waits while a test holds the page back; it is false when nobody waits for it any more.
func (p *Printer) letGo(ctx context.Context) bool {
	p.mu.Lock()
	held := p.held
	p.mu.Unlock()
	if held == nil {
		return true
	}
	select {
	case <-held:
		return true
	case <-ctx.Done():
		return false
	}
}

// breakDown does what devices do in trouble and reports whether the request is answered.
func (p *Printer) breakDown(w http.ResponseWriter, r *http.Request, kind string, page []byte) bool {
	switch kind {
	case "jam", "cover", "double-feed":
		p.adf = map[string]string{"jam": "ScannerAdfJam", "cover": "ScannerAdfHatchOpen", "double-feed": "ScannerAdfMultipickDetected"}[kind]
		id := p.job.id
		p.end("Aborted")
		if p.h.FaultForgets {
			delete(p.done, id)
			http.Error(w, "no such job", http.StatusNotFound)
			return true
		}
		http.Error(w, "trouble", http.StatusConflict)
	case "abort":
		p.end("Aborted")
		http.Error(w, "aborted", http.StatusInternalServerError)
	case "cancel":
		p.end("Canceled")
		http.Error(w, "cancelled at the panel", http.StatusNotFound)
	case "truncate":
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(page[:len(page)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case "truncate-jpeg":
		p.job.given++
		p.feeder = p.feeder[min(1, len(p.feeder)):]
		w.Write(page[:len(page)/2])
	case "drop":
		panic(http.ErrAbortHandler)
	case "garbage":
		io.WriteString(w, "<html>Please sign in</html>")
	case "hang":
		w.Write(page[:len(page)/2])
		_ = http.NewResponseController(w).Flush()
		p.mu.Unlock()
		<-r.Context().Done()
		p.mu.Lock()
	default:
		return false
	}
	return true
}

// Root is where the device's resources are.
func (p *Printer) Root() string { return p.h.Root }
