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
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"motcua/drivers/scan"
)

// Options tunes the driver; the zero value works.
type Options struct {
	Pins      string        // the file that keeps devices' certificates; empty: for this process only
	Stall     time.Duration // a device that sends nothing for so long has timed out; 0: a minute
	Patience  time.Duration // how long "not yet" (503) is taken for an answer; 0: two minutes
	Interface string        // the network interface to look for devices on; empty: all
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
	trust      *pins

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
	s.trust = &pins{file: o.Pins, host: func() string { a := s.address(); return a.Hostname() }}
	dial := &dialler{tcp: net.Dialer{Timeout: connect}, trust: s.trust}
	transport := func() *http.Transport {
		return &http.Transport{DialContext: dial.tcp.DialContext, DialTLSContext: dial.dialTLS, ResponseHeaderTimeout: max(o.Stall, waking)}
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
	if r.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https" {
		return &plainError{r.URL.Hostname(), ""}
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
	_, err := s.capabilities(ctx, true, 0)
	return s.Info(), s.explain(ctx, err)
}

// capabilities gives what the device said, asking it if need be, as patiently as a device needs to wake.
func (s *Scanner) capabilities(ctx context.Context, anew bool, patience time.Duration) (*capabilities, error) {
	s.mu.Lock()
	known, base := s.caps, s.base
	s.mu.Unlock()
	if known != nil && !anew {
		return known, nil
	}
	data, resp, err := s.get(ctx, base, "ScannerCapabilities", patience)
	if err != nil && known != nil && known.UUID != "" && ctx.Err() == nil {
		// It may have been given another address.
		if moved, found := find(ctx, s.o, known.UUID); found && moved.String() != base.String() {
			base = moved
			data, resp, err = s.get(ctx, base, "ScannerCapabilities", patience)
		}
	}
	if err != nil {
		return nil, err
	}
	c, err := parseCapabilities(data)
	if err != nil {
		return nil, &strangerError{err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.traits = traitsOf(c, resp.Header)
	s.caps, s.base, s.host = c, base, ""
	if to := resp.Request.URL; to.Scheme != base.Scheme { // sent from http to https
		moved := *to
		moved.Path = strings.TrimSuffix(moved.Path, "/ScannerCapabilities")
		s.base = &moved
	}
	switch {
	case c.traits.hostLocalhost:
		s.host = "localhost"
	case c.traits.portInHost && s.base.Port() == "":
		s.host = s.base.Host + map[string]string{"http": ":80", "https": ":443"}[s.base.Scheme]
	}
	return c, nil
}

// strangerError is an answer that no eSCL scanner would give where its capabilities should be, such as a page for people (met on
// HP OfficeJet Pro 9012e and Brother MFC-L2750DW: NAPS2 654).
type strangerError struct{ error }

func (e *strangerError) Unwrap() error { return e.error }

// statusError is an answer other than what was asked for.
type statusError struct {
	doing  string
	code   int
	status string
}

func (e *statusError) Error() string { return e.doing + ": " + e.status }

// get asks a question. A device that wakes answers late, with 503, or hangs up: within its patience it is asked again,
// once it has taken a connection at all.
func (s *Scanner) get(ctx context.Context, base *url.URL, what string, patience time.Duration) ([]byte, *http.Response, error) {
	deadline := time.Now().Add(max(patience, question))
	for {
		data, resp, err := s.getOnce(ctx, base, what, time.Until(deadline))
		var st *statusError
		if err == nil || patience == 0 || ctx.Err() != nil || time.Until(deadline) < time.Second ||
			errors.As(err, &st) && st.code != http.StatusServiceUnavailable || st == nil && !hungUp(err) {
			return data, resp, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, nil, err
		}
	}
}

// hungUp reports a connection that the device took and broke.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

func (s *Scanner) getOnce(ctx context.Context, base *url.URL, what string, patience time.Duration) ([]byte, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
	// A question gives nothing away, and its answer may have been to come by TLS; what did not is not believed of a device
	// that has it.
	if err := s.trust.mayBePlain(resp.Request.URL); err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxXML))
	if resp.StatusCode != http.StatusOK {
		return nil, resp, &statusError{"get " + what, resp.StatusCode, resp.Status}
	}
	if err != nil {
		return nil, resp, fmt.Errorf("get %s: %w", what, err)
	}
	return data, resp, nil
}

func (s *Scanner) status(ctx context.Context) (*statusXML, error) { return s.statusWithin(ctx, 0) }

func (s *Scanner) statusWithin(ctx context.Context, patience time.Duration) (*statusXML, error) {
	base := s.address()
	data, _, err := s.get(ctx, &base, "ScannerStatus", patience)
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
		for given := 0; given >= 0; {
			given = s.job(ctx, set, given, yield)
		}
	}
}

// job runs one job after so many pages of the stack, and gives how many there are by then where the feeder holds more, or -1. There
// are devices that give one sheet a job and keep the others (Ricoh Aficio MP 201: sane-airscan 334), and such as say of an empty
// feeder that it is loaded (AirSane before 2026: pull request 135): what a further job does not find was not there.
func (s *Scanner) job(ctx context.Context, set scan.Settings, before int, yield func(scan.Page, error) bool) (given int) {
	j, err := s.begin(ctx, set)
	if err != nil {
		if before == 0 || !noneLeft(err) {
			yield(scan.Page{}, s.explain(ctx, err))
		}
		return -1
	}
	j.before = before
	broken, err := j.pages(ctx, yield)
	if err != nil || broken || !j.over && !j.traits.keepJob {
		j.delete()
	}
	switch {
	case broken:
		return -1
	case err != nil && before > 0 && j.given == 0 && (noneLeft(err) || j.completed):
		return -1
	case err != nil:
		yield(scan.Page{}, s.explain(ctx, err))
		return -1
	case !j.left || j.given == 0:
		return -1
	}
	return before + j.given
}

// noneLeft reports what a device without paper answers to a job.
func noneLeft(err error) bool {
	var c *codeError
	var st *statusError
	return errors.As(err, &c) && c.code == scan.NoDocuments || errors.As(err, &st) && st.code == http.StatusConflict
}

func (s *Scanner) address() url.URL {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.base
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
	var stranger *strangerError
	var pin *pinError
	var plain *plainError
	var noTLS *tlsError
	var op *net.OpError
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &c):
		f := scan.NewFault(s.id, c.code, err)
		if c.code == scan.AccessDenied {
			f.Technician = "The scanner refuses to scan for this computer. Allow scanning from the network (eSCL, AirPrint) without sign-in on " +
				"the scanner's own settings page."
		}
		return f
	case errors.As(err, &pin):
		f := scan.NewFault(s.id, scan.Insecure, err)
		f.Technician = pin.mend()
		return f
	case errors.As(err, &plain):
		f := scan.NewFault(s.id, scan.Insecure, err)
		f.Technician = plain.mend()
		return f
	case errors.As(err, &noTLS):
		f := scan.NewFault(s.id, scan.Insecure, err)
		f.Technician = noTLS.mend()
		return f
	case errors.As(err, &st), errors.As(err, &stranger):
		f := scan.NewFault(s.id, scan.NoDevice, err)
		f.Technician = "Something answers at the scanner's address, but not as an eSCL scanner. Check the address, and switch on eSCL or " +
			"AirPrint scanning on the scanner's settings page."
		return f
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		f := scan.NewFault(s.id, scan.NoDevice, err)
		f.Technician = "The scanner does not answer at its address. Check that it is switched on and in the network, and that the address in " +
			"the configuration is still the one it shows."
		return f
	case errors.As(err, &timeout) && timeout.Timeout():
		return scan.NewFault(s.id, scan.TimedOut, err)
	}
	return scan.NewFault(s.id, scan.IOError, err)
}
