// Package escl drives network scanners that speak eSCL (AirScan, Mopria): what goes in is an address and
// the settings of a scan, what comes out is pages as the device encoded them (JPEG, PNG or PDF) and faults
// a person can mend. Devices are found by mDNS or named by address.
//
// It promises that a page is never lost or doubled in silence: a transfer that breaks off ends the scan
// with a fault, because eSCL does not say whether asking again gives the same page or the next one. The
// habits of real devices that differ from the standard are tolerated by what they do, not by their names,
// wherever that is possible.
package escl

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"motcua/drivers/scan"
)

// Options tunes the driver; the zero value works.
type Options struct {
	Pins      string        // the file that keeps devices' certificates; empty: for this process only
	Stall     time.Duration // a device that sends nothing for so long has timed out; 0: a minute
	Patience  time.Duration // how long "not yet" (503) is taken for an answer; 0: two minutes
	Interface string        // the network interface to look for devices on; empty: all
	OldTLS    bool          // also speak TLS 1.0 and 1.1, for devices that know nothing newer
}

const (
	prefix   = "escl:"
	maxXML   = 1 << 20
	maxPage  = 256 << 20
	connect  = 5 * time.Second
	question = 10 * time.Second // for anything but a page
)

// Scanner is one device. Its methods may be called from several goroutines; one of them scans.
type Scanner struct {
	o  Options
	id string

	slot chan struct{} // who holds it scans

	pages, ask *http.Client

	mu   sync.Mutex // guards the fields below
	base *url.URL
	caps *capabilities
	host string // the Host header the device wants for jobs; empty: the usual one
}

// Open names a device by the ID that List gave or by its address: "escl:https://10.1.2.3/eSCL",
// "http://printer.local:8080/eSCL", "10.1.2.3". It does not touch the device.
func Open(o Options, id string) (*Scanner, error) {
	if o.Stall == 0 {
		o.Stall = time.Minute
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	base, err := address(id)
	if err != nil {
		return nil, err
	}
	s := &Scanner{o: o, id: prefix + base.String(), base: base, slot: make(chan struct{}, 1)}
	trust := &pins{file: o.Pins, host: func() string { a := s.address(); return a.Hostname() }}
	transport := func() *http.Transport {
		t := &http.Transport{
			DialContext:           (&net.Dialer{Timeout: connect}).DialContext,
			TLSHandshakeTimeout:   question, // printers take their time
			ResponseHeaderTimeout: o.Stall,
			TLSClientConfig: &tls.Config{
				// Devices sign their own certificates; trust.check pins them on first use instead.
				InsecureSkipVerify: true,
				VerifyConnection:   trust.check,
				ClientSessionCache: tls.NewLRUClientSessionCache(2),
				MinVersion:         tls.VersionTLS12,
			},
		}
		if o.OldTLS {
			t.TLSClientConfig.MinVersion = tls.VersionTLS10
			for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				t.TLSClientConfig.CipherSuites = append(t.TLSClientConfig.CipherSuites, c.ID)
			}
		}
		return t
	}
	// The transport asks again by itself when a kept connection breaks before the answer. That is right
	// for a question and would lose a page, so pages come over fresh connections.
	fresh := transport()
	fresh.DisableKeepAlives = true
	s.pages = &http.Client{Transport: fresh, CheckRedirect: sameHost}
	s.ask = &http.Client{Transport: transport(), CheckRedirect: sameHost}
	return s, nil
}

func address(id string) (*url.URL, error) {
	text := strings.TrimPrefix(id, prefix)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("eSCL address %q is not like http://192.0.2.7/eSCL", id)
	}
	if u.Path = strings.TrimRight(u.Path, "/"); u.Path == "" {
		u.Path = "/eSCL"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}, nil
}

func sameHost(r *http.Request, via []*http.Request) error {
	if r.URL.Hostname() != via[0].URL.Hostname() || len(via) > 3 {
		return errors.New("the device redirects elsewhere")
	}
	return nil
}

// Info describes the device as far as it is known: after the first Probe or Scan, with capabilities.
func (s *Scanner) Info() scan.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.caps == nil {
		return scan.Info{ID: s.id, Driver: "escl"}
	}
	return s.caps.info(s.id)
}

// Close lets the connections go.
func (s *Scanner) Close() error {
	s.ask.CloseIdleConnections()
	return nil
}

// Probe asks the device what it can do.
func (s *Scanner) Probe(ctx context.Context) (scan.Info, error) {
	_, err := s.capabilities(ctx, true)
	return s.Info(), s.explain(ctx, err)
}

// capabilities gives what the device said, asking it if need be.
func (s *Scanner) capabilities(ctx context.Context, anew bool) (*capabilities, error) {
	s.mu.Lock()
	known, base := s.caps, s.base
	s.mu.Unlock()
	if known != nil && !anew {
		return known, nil
	}
	data, resp, err := s.get(ctx, base, "ScannerCapabilities")
	if err != nil && known != nil && known.UUID != "" && ctx.Err() == nil {
		// It may have been given another address.
		if moved, found := find(ctx, s.o, known.UUID); found && moved.String() != base.String() {
			base = moved
			data, resp, err = s.get(ctx, base, "ScannerCapabilities")
		}
	}
	if err != nil {
		return nil, err
	}
	c, err := parseCapabilities(data)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caps, s.base, s.host = c, base, ""
	if to := resp.Request.URL; to.Scheme != base.Scheme { // sent from http to https
		moved := *to
		moved.Path = strings.TrimSuffix(moved.Path, "/ScannerCapabilities")
		s.base = &moved
	}
	switch {
	case resp.Header.Get("Server") == "HP_Compact_Server":
		s.host = "localhost" // it takes jobs only from itself, and believes whoever says so
	case strings.EqualFold(c.Vendor, "EPSON") && s.base.Port() == "":
		s.host = s.base.Host + map[string]string{"http": ":80", "https": ":443"}[s.base.Scheme]
	}
	return c, nil
}

// statusError is an answer other than what was asked for.
type statusError struct {
	doing  string
	code   int
	status string
}

func (e *statusError) Error() string { return e.doing + ": " + e.status }

func (s *Scanner) get(ctx context.Context, base *url.URL, what string) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, question)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+"/"+what, nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := s.ask.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxXML))
	if resp.StatusCode != http.StatusOK {
		return nil, resp, &statusError{"get " + what, resp.StatusCode, resp.Status}
	}
	if err != nil {
		return nil, resp, fmt.Errorf("get %s: %w", what, err)
	}
	return data, resp, nil
}

func (s *Scanner) status(ctx context.Context) (*statusXML, error) {
	base := s.address()
	data, _, err := s.get(ctx, &base, "ScannerStatus")
	if err != nil {
		return nil, err
	}
	return parseStatus(data)
}

// codeError carries a fault's code up to where the device's name is known.
type codeError struct {
	code  scan.Code
	cause error
}

func (e *codeError) Error() string { return e.cause.Error() }
func (e *codeError) Unwrap() error { return e.cause }

// Scan yields pages in feeding order as each has been transferred. Breaking off the loop or cancelling the
// context deletes the job at the device.
func (s *Scanner) Scan(ctx context.Context, set scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		select {
		case s.slot <- struct{}{}:
			defer func() { <-s.slot }()
		default:
			yield(scan.Page{}, scan.NewFault(s.id, scan.Busy, nil))
			return
		}
		j, err := s.begin(ctx, set)
		if err != nil {
			yield(scan.Page{}, s.explain(ctx, err))
			return
		}
		broken, err := j.pages(ctx, yield)
		if err != nil || broken || !j.over {
			j.delete()
		}
		if err != nil && !broken {
			yield(scan.Page{}, s.explain(ctx, err))
		}
	}
}

// job is one scan at the device.
type job struct {
	s      *Scanner
	url    *url.URL
	source scan.Source
	dpi    int
	format string
	max    int
	empty  bool // the feeder said so before the job began
	over   bool // the device has said that there is no more
}

// settingsXML is the ticket of a job. Element order is the schema's; some devices insist on it.
type settingsXML struct {
	XMLName xml.Name `xml:"scan:ScanSettings"`
	Scan    string   `xml:"xmlns:scan,attr"`
	PWG     string   `xml:"xmlns:pwg,attr"`
	Version string   `xml:"pwg:Version"`
	Intent  string   `xml:"scan:Intent"`
	Region  struct {
		Units  string `xml:"pwg:ContentRegionUnits"`
		Height int    `xml:"pwg:Height"`
		Width  int    `xml:"pwg:Width"`
		X      int    `xml:"pwg:XOffset"`
		Y      int    `xml:"pwg:YOffset"`
	} `xml:"pwg:ScanRegions>pwg:ScanRegion"`
	InputSource string `xml:"pwg:InputSource"`
	ColorMode   string `xml:"scan:ColorMode"`
	Format      string `xml:"pwg:DocumentFormat"`
	FormatExt   string `xml:"scan:DocumentFormatExt,omitempty"`
	XResolution int    `xml:"scan:XResolution"`
	YResolution int    `xml:"scan:YResolution"`
	Duplex      *bool  `xml:"scan:Duplex"`
}

// ticket says what is wished in the device's words.
func (c *capabilities) ticket(set scan.Settings) (settingsXML, scan.Source, error) {
	source := set.Source
	if source == "" {
		for _, source = range []scan.Source{scan.Flatbed, scan.ADF} {
			if _, has := c.Inputs[source]; has {
				break
			}
		}
	}
	in, has := c.Inputs[source]
	if !has {
		return settingsXML{}, source, &codeError{scan.Unsupported, fmt.Errorf("the device has no source %q", source)}
	}
	mode := set.Mode
	if mode == "" {
		mode = scan.Color
	}
	x := settingsXML{
		Scan: "http://schemas.hp.com/imaging/escl/2011/05/03", PWG: "http://www.pwg.org/schemas/2010/12/sm",
		Version: "2.0", Intent: "TextAndGraphic", InputSource: "Feeder", Format: in.format(mode),
	}
	for name, m := range modes {
		if m == mode {
			x.ColorMode = name
		}
	}
	if has := len(in.Modes) == 0; !has {
		for _, m := range in.Modes {
			has = has || m == mode
		}
		if !has {
			return x, source, &codeError{scan.Unsupported, fmt.Errorf("the device has no mode %q", mode)}
		}
	}
	if in.Ext {
		x.FormatExt = x.Format
	}
	if source == scan.Flatbed {
		x.InputSource = "Platen"
	} else {
		duplex := source == scan.ADFDuplex
		x.Duplex = &duplex
	}
	dpi := set.DPI
	if dpi == 0 {
		dpi = 300
	}
	x.XResolution = in.dpi(dpi)
	x.YResolution = x.XResolution
	x.Region.Units = "escl:ThreeHundredthsOfInches"
	x.Region.Width, x.Region.Height = within(set.Area.Width, in.MaxWidth, 2480), within(set.Area.Height, in.Height, 3508)
	return x, source, nil
}

// within is a length in 1/300 inch: what is asked for in millimetres, at most what the device has, and A4
// where neither is known.
func within(mm float64, limit, usual int) int {
	if limit <= 0 {
		limit = usual
	}
	if px := int(mm/25.4*300 + 0.5); px > 0 && px < limit {
		return px
	}
	return limit
}

// begin makes the job.
func (s *Scanner) begin(ctx context.Context, set scan.Settings) (*job, error) {
	c, err := s.capabilities(ctx, false)
	if err != nil {
		return nil, err
	}
	x, source, err := c.ticket(set)
	if err != nil {
		return nil, err
	}
	body, err := xml.Marshal(x)
	if err != nil {
		return nil, err
	}
	j := &job{s: s, source: source, dpi: x.XResolution, format: x.Format, max: set.MaxPages}
	if source != scan.Flatbed {
		// Some report a jam for an empty feeder once the job runs; before, they know better.
		if st, err := s.status(ctx); err == nil {
			j.empty = st.feeder() == scan.NoDocuments
		}
	}
	body = append([]byte(xml.Header), body...)
	for deadline := time.Now().Add(min(s.o.Patience, 30*time.Second)); ; {
		err = j.post(ctx, body)
		var st *statusError
		if errors.As(err, &st) && st.code == http.StatusServiceUnavailable && time.Now().Before(deadline) {
			if err := pause(ctx, time.Second); err != nil {
				return nil, err
			}
			continue
		}
		break
	}
	if err == nil {
		return j, nil
	}
	var st *statusError
	if errors.As(err, &st) {
		return nil, j.refused(ctx, st)
	}
	// The address may be a former one, or the device was switched off: what was known is asked anew next time.
	before := s.address()
	if _, again := s.capabilities(ctx, true); again == nil && before != s.address() {
		return s.begin(ctx, set)
	}
	return nil, err
}

func (s *Scanner) address() url.URL {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.base
}

func (j *job) post(ctx context.Context, ticket []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 3*question) // some answer only when the lamp is warm
	defer cancel()
	j.s.mu.Lock()
	base, host := j.s.base, j.s.host
	j.s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base.String()+"/ScanJobs", bytes.NewReader(ticket))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/xml")
	if host != "" {
		req.Host = host
	}
	resp, err := j.s.pages.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close() // some drop the connection before the body ends; the headers are all there is to know
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted {
		return &statusError{"create the job", resp.StatusCode, resp.Status}
	}
	path, err := jobPath(base, resp.Header.Get("Location"))
	if err != nil {
		return err
	}
	j.url = &url.URL{Scheme: base.Scheme, Host: base.Host, Path: path}
	return nil
}

// jobPath takes the path out of a Location header. The host in it is not to be believed: devices put
// there localhost, their USB name, or an IPv6 address cut in half.
func jobPath(base *url.URL, location string) (string, error) {
	location = strings.TrimSpace(location)
	if _, rest, ok := strings.Cut(location, "://"); ok {
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return "", fmt.Errorf("create the job: no path in its address %q", location)
		}
		location = rest[slash:]
	}
	if location == "" {
		return "", errors.New("create the job: the device gave no address for it")
	}
	if !strings.HasPrefix(location, "/") {
		location = base.Path + "/" + location
	}
	location, _, _ = strings.Cut(location, "?")
	path, err := url.PathUnescape(strings.TrimRight(location, "/"))
	if err != nil {
		return "", fmt.Errorf("create the job: %w", err)
	}
	return path, nil
}

// refused explains why the device took no job.
func (j *job) refused(ctx context.Context, st *statusError) error {
	code := scan.IOError
	switch st.code {
	case http.StatusServiceUnavailable:
		code = scan.Busy
	case http.StatusUnauthorized, http.StatusForbidden:
		code = scan.AccessDenied
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusNotFound:
		code = scan.Unsupported
	case http.StatusConflict:
		code = scan.Busy
	}
	if j.source != scan.Flatbed && code != scan.AccessDenied {
		if j.empty {
			return &codeError{scan.NoDocuments, st}
		}
		if now, err := j.s.status(ctx); err == nil {
			if f := now.feeder(); f != "" {
				code = f
			}
		}
	}
	return &codeError{code, st}
}

// pages transfers one page after the other.
func (j *job) pages(ctx context.Context, yield func(scan.Page, error) bool) (broken bool, err error) {
	for number := 1; ; number++ {
		data, mediaType, err := j.next(ctx, number)
		if err != nil {
			return false, err
		}
		if data == nil {
			j.over = true
			return false, nil
		}
		p := scan.Page{Number: number, Back: j.source == scan.ADFDuplex && number%2 == 0, DPI: j.dpi, Encoded: data, MediaType: mediaType}
		if !yield(p, nil) {
			return true, nil
		}
		if number == j.max {
			return false, nil // the job is deleted
		}
		if j.source == scan.Flatbed {
			j.finish(ctx)
			return false, nil
		}
	}
}

// finish asks for the page that a flatbed does not have: most devices end a job only then.
func (j *job) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, connect)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.url.String()+"/NextDocument", nil)
	if err != nil {
		return
	}
	if resp, err := j.s.pages.Do(req); err == nil {
		resp.Body.Close()
		j.over = resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone
	}
}

// next transfers the next page; no data is the end of the feed.
func (j *job) next(ctx context.Context, number int) (data []byte, mediaType string, err error) {
	deadline := time.Now().Add(j.s.o.Patience)
	doubts := 0
	for {
		data, mediaType, err = j.transfer(ctx)
		var st *statusError
		if err == nil || !errors.As(err, &st) {
			return data, mediaType, err
		}
		wait := time.Second
		switch {
		case st.code == http.StatusServiceUnavailable && time.Now().Before(deadline):
			if after, err := strconv.Atoi(st.doing); err == nil { // Retry-After
				wait = min(max(time.Duration(after)*time.Second, 50*time.Millisecond), 10*time.Second)
			}
		case st.code == http.StatusNotFound || st.code == http.StatusGone:
			more, err := j.ended(ctx, number, st)
			// Some say "no more" while the next sheet is still on its way, and their status knows better.
			if doubts++; !more || err != nil || doubts > 5 {
				return nil, "", err
			}
		default:
			return nil, "", j.broke(ctx, number, st)
		}
		if err := pause(ctx, wait); err != nil {
			return nil, "", err
		}
	}
}

// ended decides what "no more pages" means: the end, a fault, or not yet.
func (j *job) ended(ctx context.Context, number int, st *statusError) (more bool, err error) {
	if j.source == scan.Flatbed {
		if number > 1 {
			return false, nil
		}
		return false, j.broke(ctx, number, st)
	}
	now, err := j.s.status(ctx)
	if err != nil {
		if number == 1 {
			return false, &codeError{scan.NoDocuments, st}
		}
		return false, nil
	}
	f := now.feeder()
	if f == scan.NoDocuments && number > 1 {
		f = ""
	}
	if j.empty && number == 1 {
		f = scan.NoDocuments
	}
	if f != "" {
		return false, &codeError{f, st}
	}
	info, known := now.job(j.url.Path)
	switch {
	case known && info.JobState == "Aborted":
		return false, &codeError{scan.IOError, fmt.Errorf("the device aborted the job: %s", strings.Join(info.Reasons, ", "))}
	case known && info.JobState == "Canceled":
		return false, &codeError{scan.Cancelled, st}
	case known && (info.JobState == "Processing" || info.JobState == "Pending") && (info.ImagesToTransfer > 0 || now.AdfState == "ScannerAdfLoaded" || now.AdfState == "ScannerAdfProcessing"):
		return true, nil
	case number == 1:
		return false, &codeError{scan.NoDocuments, st}
	}
	return false, nil
}

// broke explains an answer that is neither a page nor the end.
func (j *job) broke(ctx context.Context, number int, st *statusError) error {
	code := scan.IOError
	switch st.code {
	case http.StatusServiceUnavailable:
		code = scan.TimedOut
	case http.StatusUnauthorized, http.StatusForbidden:
		code = scan.AccessDenied
	}
	if now, err := j.s.status(ctx); err == nil {
		f := now.feeder()
		info, known := now.job(j.url.Path)
		switch {
		case j.source != scan.Flatbed && j.empty && number == 1:
			code = scan.NoDocuments
		case j.source != scan.Flatbed && f != "" && (f != scan.NoDocuments || number == 1):
			code = f
		case known && info.JobState == "Canceled":
			code = scan.Cancelled
		}
	}
	return &codeError{code, st}
}

// transfer gets one document whole or not at all.
func (j *job) transfer(ctx context.Context) ([]byte, string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(j.s.o.Stall, func() { cancel(errStalled) })
	defer stalled.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.url.String()+"/NextDocument", nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := j.s.pages.Do(req)
	if err != nil {
		return nil, "", cause(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", &statusError{resp.Header.Get("Retry-After"), resp.StatusCode, resp.Status}
	}
	var b bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < maxPage {
		b.Grow(int(n) + bytes.MinRead)
	}
	_, err = b.ReadFrom(&watched{io.LimitReader(resp.Body, maxPage), stalled, j.s.o.Stall})
	if err != nil {
		return nil, "", cause(ctx, fmt.Errorf("the transfer of a page broke off after %d bytes: %w", b.Len(), err))
	}
	mediaType, whole := scan.SniffAll(b.Bytes())
	switch {
	case mediaType == "":
		return nil, "", fmt.Errorf("the device sent %d bytes of %q instead of a page", b.Len(), resp.Header.Get("Content-Type"))
	case !whole:
		return nil, "", fmt.Errorf("the device sent a page that breaks off after %d bytes", b.Len())
	}
	return b.Bytes(), mediaType, nil
}

var errStalled = errors.New("the device stopped sending")

func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); errors.Is(c, errStalled) {
		return &codeError{scan.TimedOut, c}
	}
	return err
}

// watched puts the stall off with every byte that comes.
type watched struct {
	r     io.Reader
	timer *time.Timer
	stall time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.timer.Reset(w.stall)
	return n, err
}

// delete takes the job back, so that the device is ready for the next one. The scan's own context may
// have ended already.
func (j *job) delete() {
	ctx, cancel := context.WithTimeout(context.Background(), connect)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, j.url.String(), nil)
	if err != nil {
		return
	}
	if resp, err := j.s.ask.Do(req); err == nil {
		resp.Body.Close()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// explain turns any error of a job into a fault, except the context's own.
func (s *Scanner) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var c *codeError
	var st *statusError
	var pin *pinError
	var op *net.OpError
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &c):
		f := scan.NewFault(s.id, c.code, err)
		if c.code == scan.AccessDenied {
			f.Technician = "The scanner refuses to scan for this computer. Allow scanning from the network (eSCL, AirPrint) without sign-in on the scanner's own settings page."
		}
		return f
	case errors.As(err, &pin):
		f := scan.NewFault(s.id, scan.AccessDenied, err)
		f.Technician = pin.mend()
		return f
	case errors.As(err, &st):
		f := scan.NewFault(s.id, scan.NoDevice, err)
		f.Technician = "Something answers at the scanner's address, but not as an eSCL scanner. Check the address, and switch on eSCL or AirPrint scanning on the scanner's settings page."
		return f
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		f := scan.NewFault(s.id, scan.NoDevice, err)
		f.Technician = "The scanner does not answer at its address. Check that it is switched on and in the network, and that the address in the configuration is still the one it shows."
		return f
	case errors.As(err, &timeout) && timeout.Timeout():
		return scan.NewFault(s.id, scan.TimedOut, err)
	}
	return scan.NewFault(s.id, scan.IOError, err)
}
