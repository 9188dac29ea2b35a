package escl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"motcua/drivers/scan"
)

// job is one scan at the device.
type job struct {
	s      *Scanner
	url    *url.URL
	source scan.Source
	dpi    int
	max    int
	traits traits

	oneSheet bool // the feeder takes one sheet at a time

	instead scan.Mode // what pages come in, where that is not what was asked for
	empty   bool      // the feeder said so before the job began
	over    bool      // the device has said that there is no more
	took    time.Duration

	before, given int  // pages of the stack in the jobs before this one, and in it
	staying       bool // the feeder said that paper lay in it when the last page had come
	silent        bool // the device gave no state between two pages, and is not asked for it again
	completed     bool // the device says that it has done with the job
	left          bool // and that there is paper in the feeder, which lay there before
}

// begin makes the job.
func (s *Scanner) begin(ctx context.Context, set scan.Settings) (*job, error) {
	c, err := s.capabilities(ctx, false, waking)
	if err != nil {
		return nil, err
	}
	t, err := c.ticket(set)
	if err != nil {
		return nil, err
	}
	j := &job{s: s, source: t.source, dpi: t.dpi, max: set.MaxPages, traits: c.traits, oneSheet: c.oneSheet}
	// This wakes a device that sleeps, and some report a jam for an empty feeder once the job runs; before, they know better.
	now, err := s.statusWithin(ctx, waking)
	if err == nil && t.source != scan.Flatbed {
		j.empty = now.feeder() == scan.NoDocuments
	}
	if !unreachable(err) { // a device without a status may still take a job
		err = j.create(ctx, t)
	}
	var st *statusError
	if errors.As(err, &st) && t.mode == scan.Lineart && noSuchMode(st.code) && !j.empty {
		t.mode = scan.Gray
		err = j.create(ctx, t)
	}
	if t.mode != t.wanted && t.wanted != "" {
		j.instead = t.mode
	}
	switch {
	case err == nil:
		return j, nil
	case errors.As(err, &st):
		return nil, j.refused(ctx, st)
	}
	// The address may be a former one, or the device was switched off: what was known is asked anew next time.
	before := s.address()
	if _, again := s.capabilities(ctx, true, 0); again == nil && before != s.address() {
		return s.begin(ctx, set)
	}
	return nil, err
}

// unreachable reports that the device took no connection at all.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// waking is how long a device that was asleep may take to answer: some need 40 s.
const waking = 75 * time.Second

// noSuchMode reports answers to a ticket that may mean its colour mode.
func noSuchMode(code int) bool {
	return code == http.StatusConflict || code == http.StatusBadRequest || code == http.StatusUnsupportedMediaType
}

// create sends the ticket, again and again while the device is busy.
func (j *job) create(ctx context.Context, t ticket) error {
	body, err := t.xml()
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(min(j.s.o.Patience, waking)); ; {
		err := j.post(ctx, body)
		var st *statusError
		if !errors.As(err, &st) || st.code != http.StatusServiceUnavailable || !time.Now().Before(deadline) {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (j *job) post(ctx context.Context, ticket []byte) error {
	ctx, cancel := context.WithTimeout(ctx, waking) // some answer only when the lamp is warm
	defer cancel()
	j.s.mu.Lock()
	base, host := j.s.base, j.s.host
	j.s.mu.Unlock()
	if err := j.s.trust.mayBePlain(base); err != nil {
		return err
	}
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

// mostPages are both sides of as many sheets as the largest feeders hold. A device that gives more has lost its way: it gives a page
// again and again, or says of an empty feeder that it is loaded and scans its glass.
const mostPages = 1000

var errEndless = fmt.Errorf("the feeder did not come to an end after %d pages", mostPages)

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
		if j.before+number > mostPages {
			return false, &codeError{scan.IOError, errEndless}
		}
		j.given = number
		j.look(ctx)
		p := scan.Page{Number: j.before + number, Back: j.source == scan.ADFDuplex && number%2 == 0, DPI: j.dpi, Encoded: data,
			MediaType: mediaType, Instead: j.instead}
		if !yield(p, nil) {
			return true, nil
		}
		if j.before+number == j.max {
			return false, nil // the job is deleted
		}
		if j.source == scan.Flatbed {
			j.finish(ctx)
			return false, nil
		}
	}
}

// glance is how long a device may take to give its state between two pages.
const glance = 2 * time.Second

// look asks whether paper lies in the feeder when the job's first sheet has come. Only a device that feeds one sheet a job says so then
// and at the job's end; what is laid in after the last sheet was drawn is the next person's.
func (j *job) look(ctx context.Context) {
	if j.staying = false; j.source == scan.Flatbed || j.silent || j.given > j.sides() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	now, err := j.s.status(ctx)
	j.silent = err != nil
	j.staying = err == nil && now.loaded()
}

// sides are the pages of a sheet.
func (j *job) sides() int {
	if j.source == scan.ADFDuplex {
		return 2
	}
	return 1
}

// stays reports a feeder that holds sheets of this stack though the job has ended.
func (j *job) stays(now *statusXML) bool {
	return j.source != scan.Flatbed && j.staying && now.loaded()
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
	if number > 1 && j.traits.pageDelay > 0 {
		if err := pause(ctx, min(j.traits.pageDelay, j.took/2)); err != nil {
			return nil, "", err
		}
	}
	deadline := time.Now().Add(j.s.o.Patience)
	for doubts := 0; ; {
		began := time.Now()
		data, mediaType, err = j.transfer(ctx)
		j.took = time.Since(began)
		var st *statusError
		if err == nil || !errors.As(err, &st) {
			return data, mediaType, err
		}
		answer := j.judge(ctx, number, st)
		switch {
		case answer.err != nil, answer.wait == never:
			return nil, "", answer.err
		case answer.wait == briefly:
			if doubts++; doubts > maxDoubts {
				if !noMore(st.code) {
					return nil, "", &codeError{scan.IOError, st}
				}
				return nil, "", j.without(number, st)
			}
		case !time.Now().Before(deadline):
			return nil, "", &codeError{scan.TimedOut, st}
		}
		wait := time.Second
		if after, err := strconv.Atoi(st.doing); err == nil { // Retry-After
			wait = min(max(time.Duration(after)*time.Second, 50*time.Millisecond), 10*time.Second)
		}
		if err := pause(ctx, wait); err != nil {
			return nil, "", err
		}
	}
}

// answer is what a reply without a page means: with an error the scan ends in a fault; to wait never is the stack's end.
type answer struct {
	wait patience
	err  error
}

// patience is how long a page may still come.
type patience int

const (
	never   patience = iota
	briefly          // the device contradicts itself: a few more times
	on               // the device says that it is at work
)

// maxDoubts is how often a device that says both that there is no page and that there is one is asked again.
const maxDoubts = 5

// judge says what a reply without a page means. Its own code says little: makers end a stack with 404, 409, 410 or 500, and
// say each of them for "not yet" too. What the device says of the job and of its feeder decides; the paper behind each
// rule is in the list of quirks.
func (j *job) judge(ctx context.Context, number int, st *statusError) answer {
	if st.code == http.StatusUnauthorized || st.code == http.StatusForbidden {
		return answer{err: &codeError{scan.AccessDenied, st}}
	}
	gone := noMore(st.code)
	now, err := j.s.status(ctx)
	switch {
	case err != nil && st.code == http.StatusServiceUnavailable:
		return answer{wait: on}
	case err != nil && gone:
		return answer{err: j.without(number, st)}
	case err != nil:
		return answer{err: &codeError{scan.IOError, st}}
	}
	fed := j.source != scan.Flatbed
	feeder := now.feeder()
	switch {
	case !fed:
		feeder = ""
	case j.empty && number == 1 && st.code != http.StatusServiceUnavailable:
		return answer{err: &codeError{scan.NoDocuments, st}}
	case feeder != "" && feeder != scan.NoDocuments:
		return answer{err: &codeError{feeder, st}}
	}
	return j.told(now, number, feeder, st)
}

// told judges by what the device says of the job itself.
func (j *job) told(now *statusXML, number int, feeder scan.Code, st *statusError) answer {
	gone, fed := noMore(st.code), j.source != scan.Flatbed
	info, known := now.job(j.url.Path)
	if a, ended := j.ended(now, info, number, feeder, st); ended {
		return a
	}
	if fed && gone && number > 1 && now.strange() {
		// It may be a fault's name, and a stack that ends here would end without its last sheets.
		why := fmt.Errorf("the feeder is in a state that nobody here knows, %q: %w", now.AdfState, st)
		return answer{err: &codeError{scan.IOError, why}}
	}
	switch {
	case st.code == http.StatusServiceUnavailable:
		return answer{wait: on}
	case !known && now.State != "Processing" && (gone || number > 1 && feeder == scan.NoDocuments):
		return j.forgotten(now, number, st)
	case !gone:
		return j.refusedPage(known, number, feeder, st)
	case number == 1:
		return answer{wait: on}
	case !fed:
		return answer{wait: never}
	case known && (info.ImagesToTransfer > 0 || now.AdfState == "ScannerAdfLoaded"):
		return answer{wait: on}
	}
	return answer{wait: briefly} // the last sheet may be under the lamp
}

// forgotten judges by a job that the device knows no more.
func (j *job) forgotten(now *statusXML, number int, st *statusError) answer {
	fed := j.source != scan.Flatbed
	if number == 1 && !fed {
		return answer{wait: briefly}
	}
	j.left = j.stays(now)
	return answer{err: j.without(number, st)}
}

// ended judges a job that has come to an end.
func (j *job) ended(now *statusXML, info jobXML, number int, feeder scan.Code, st *statusError) (answer, bool) {
	switch info.JobState {
	case "Aborted":
		if feeder == scan.NoDocuments && number == 1 {
			return answer{err: &codeError{scan.NoDocuments, st}}, true
		}
		return answer{err: &codeError{scan.IOError, fmt.Errorf("the device aborted the job: %s", strings.Join(info.Reasons, ", "))}}, true
	case "Canceled":
		return answer{err: &codeError{scan.Cancelled, st}}, true
	case "Completed":
		if j.source == scan.Flatbed && number == 1 {
			return answer{wait: briefly}, true // it has scanned and must still make the file
		}
		return answer{err: j.complete(now, number, st)}, true
	}
	return answer{}, false
}

// complete is the end of a stack, or why it is none although the device has done with the job.
func (j *job) complete(now *statusXML, number int, st *statusError) error {
	fed := j.source != scan.Flatbed
	j.completed, j.left = true, j.stays(now)
	switch {
	case fed && number == 1 && st.code == http.StatusConflict:
		// AirSane's word for an empty feeder, of which it said that it is loaded (pull request 135).
		return &codeError{scan.NoDocuments, st}
	case fed && number == 1 && (now.loaded() || now.strange()):
		// An empty feeder is not this: sheets may have run through (NAPS2 699).
		return &codeError{scan.IOError, fmt.Errorf("the device has done with the job, and gave no page: %w", st)}
	case fed && number > 1 && st.code == http.StatusOK && now.feeder() != scan.NoDocuments:
		return &codeError{scan.IOError, st} // a message is a stack's end where the feeder says so too
	case fed && number > 1 && j.oneSheet && now.AdfState == "ScannerAdfProcessing":
		return &codeError{scan.IOError, errOneSheet}
	}
	return j.without(number, st)
}

// errOneSheet is told for a device that gives one page a job and lets the sheets behind it run through (EPSON WF-2930: sane-airscan
// 357 and 385); without it the stack would seem to end.
var errOneSheet = errors.New("the scanner gives one sheet a scan by network, and lets the others run through unseen: lay one sheet in " +
	"at a time, or scan from the glass")

// noMore reports the standard's own answers for the end of a stack.
func noMore(code int) bool { return code == http.StatusNotFound || code == http.StatusGone }

// refusedPage is for a job that goes on although the device refuses its page: a fault may be about to show. A message in place of a
// page is asked for again only where no sheet is left that could be passed over.
func (j *job) refusedPage(known bool, number int, feeder scan.Code, st *statusError) answer {
	if known && number > 1 && j.source != scan.Flatbed && (st.code != http.StatusOK || feeder == scan.NoDocuments) {
		return answer{wait: briefly}
	}
	return answer{err: &codeError{scan.IOError, st}}
}

// without is the end of a stack, or what it means that there was no page at all. An answer other than the standard's "no
// more" ends a stack only where the device says so, which judge has asked.
func (j *job) without(number int, st *statusError) error {
	switch {
	case number > 1:
		return nil
	case j.source != scan.Flatbed:
		return &codeError{scan.NoDocuments, st}
	}
	return &codeError{scan.IOError, st}
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
	case mediaType == "" && message(b.Bytes(), resp.Header.Get("Content-Type")):
		return nil, "", &statusError{resp.Header.Get("Retry-After"), resp.StatusCode, resp.Status + " with a message in place of a page"}
	case mediaType == "":
		return nil, "", fmt.Errorf("the device sent %d bytes of %q instead of a page", b.Len(), resp.Header.Get("Content-Type"))
	case !whole:
		return nil, "", fmt.Errorf("the device sent a page that breaks off after %d bytes", b.Len())
	}
	return b.Bytes(), mediaType, nil
}

// message tells what is written for people or programs from a page: some devices end a stack so, with the code of success
// (Lexmark MB2236adw, Xerox WorkCentre 3225: sane-airscan 103).
func message(body []byte, mediaType string) bool {
	mediaType = strings.ToLower(mediaType)
	body = bytes.TrimSpace(body)
	return len(body) == 0 || body[0] == '<' || strings.HasPrefix(mediaType, "text/") || strings.Contains(mediaType, "xml")
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
