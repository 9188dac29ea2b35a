// Package sinktest is the contract of a sink as a test. In goes a far side, as real as it can be had, and a way to put
// somebody between it and the sink; what comes out is whether the sink keeps the promises of queue.Sink: a bundle
// arrives once and whole, whatever breaks; and nothing is final, neither "delivered" nor "held", on anybody's word but
// the far side's own.
package sinktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"motcua/queue"
)

// Far is one kind of far side.
type Far struct {
	// Start begins an empty one. Between is what the sink's HTTP client must use; a far side that is not reached by
	// HTTP leaves it alone and sets NoLine.
	Start func(t *testing.T, between http.RoundTripper) Place
	// NoLine says that there is no line on which a stranger could answer.
	NoLine bool
	// Large is a size of bundle that takes several requests; 0 = 3 MiB.
	Large int
}

// Place is a far side that was started.
type Place struct {
	// Sink makes a new sink for it, as after a restart of the kiosk.
	Sink func(t *testing.T) queue.Sink
	// Arrived gives the sha256 of every finished copy of a submission.
	Arrived func(t *testing.T, id string) []string
	// Occupy puts other content where the submission would go; nil where the far side gives each upload a place of
	// its own.
	Occupy func(t *testing.T, id string)
}

// statuses are what strangers answer with: pages of portals, refusals of proxies, of fronts that end TLS, of censors. In
// a short run it is those that have a meaning in some protocol.
func statuses() []int {
	if os.Getenv("MOTCUA_SOAK") == "" {
		return []int{200, 201, 204, 302, 400, 403, 404, 409, 413, 502}
	}
	return all
}

var all = []int{200, 201, 204, 302, 307, 400, 401, 403, 404, 405, 409, 410, 411, 413, 422, 426, 429, 451, 500, 502, 503}

// Run tries everything against far.
func Run(t *testing.T, far Far) {
	if far.Large == 0 {
		far.Large = 3 << 20
	}
	for name, test := range map[string]func(*testing.T, Far){
		"arrives_once":             arrivesOnce,
		"goes_on_after_a_restart":  goesOn,
		"bundle_can't_be_read":     unreadable,
		"ends_with_its_context":    endsSoon,
		"another's_content":        occupied,
		"strangers_answer":         strangers,
		"one_stranger's_answer":    oneStranger,
		"side_by_side":             sideBySide,
		"answers_are_lost":         lostAnswers,
		"answers_are_spoiled":      spoiledAnswers,
		"probe_tells_who_is_there": probes,
	} {
		t.Run(name, func(t *testing.T) { test(t, far) })
	}
}

// Bundle is a bundle in memory; Broken makes it unreadable from that offset on.
type Bundle struct {
	*bytes.Reader
	Sum    string
	Broken int64
}

// SHA256 implements queue.Bundle.
func (b *Bundle) SHA256() string { return b.Sum }

// ReadAt implements queue.Bundle.
func (b *Bundle) ReadAt(p []byte, off int64) (int, error) {
	if b.Broken > 0 && off+int64(len(p)) > b.Broken {
		return 0, errors.New("bad sector")
	}
	return b.Reader.ReadAt(p, off)
}

// NewBundle makes one of n random bytes behind the words by which an age file begins: whoever unpacks bundles keeps it
// closed.
func NewBundle(n int) *Bundle {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(data) // never fails
	data = append([]byte("age-encryption.org/v1\n"), data...)
	sum := sha256.Sum256(data)
	return &Bundle{Reader: bytes.NewReader(data), Sum: hex.EncodeToString(sum[:])}
}

// Notes are a sink's notes in memory.
type Notes struct {
	mu           sync.Mutex // guards text
	text         string
	Acknowledged atomic.Bool
}

// Load implements queue.Notes.
func (n *Notes) Load() (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text, nil
}

// Save implements queue.Notes.
func (n *Notes) Save(text string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = text
	return nil
}

// Acknowledge implements queue.Acknowledger.
func (n *Notes) Acknowledge() { n.Acknowledged.Store(true) }

// wire is the line between sink and far side.
type wire struct {
	inner  http.RoundTripper
	seen   atomic.Int64
	answer atomic.Pointer[func(n int64, r *http.Request) (*http.Response, error)] // nil, nil = pass on
	lose   atomic.Int64                                                           // the answer to the request of this number is lost
	spoil  atomic.Pointer[func(n int64, resp *http.Response)]                     // what somebody on the way does to the answer; nil = nothing
}

func newWire() *wire {
	return &wire{inner: &http.Transport{DisableKeepAlives: true}}
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	n := w.seen.Add(1)
	if answer := w.answer.Load(); answer != nil {
		if resp, err := (*answer)(n, r); resp != nil || err != nil {
			return resp, err
		}
	}
	resp, err := w.inner.RoundTrip(r)
	if err == nil && w.lose.CompareAndSwap(n, -1) {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return nil, errors.New("connection reset before the answer")
	}
	if spoil := w.spoil.Load(); err == nil && spoil != nil {
		(*spoil)(n, resp)
	}
	return resp, err
}

// strange makes a stranger answer from the nth request on.
func (w *wire) strange(from int64, status int) {
	w.strangers(func(n int64) bool { return n >= from }, status)
}

// strangeOnce makes a stranger answer the nth request alone.
func (w *wire) strangeOnce(nth int64, status int) {
	w.strangers(func(n int64) bool { return n == nth }, status)
}

func (w *wire) strangers(his func(n int64) bool, status int) {
	answer := func(n int64, r *http.Request) (*http.Response, error) {
		if !his(n) {
			return nil, nil
		}
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		page := "<html><head><title>Sign in</title></head><body>please sign in to this network</body></html>"
		h := http.Header{"Server": {"portal/1.0"}, "Content-Type": {"text/html"}, "Etag": {`"5f2"`}, "Location": {r.URL.String()},
			"Upload-Offset": {"0"}, "Last-Modified": {"Sun, 29 Nov 2026 00:00:00 GMT"}}
		return &http.Response{Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1,
			ProtoMinor: 1,
			Header:     h, Body: io.NopCloser(strings.NewReader(page)), ContentLength: int64(len(page)), Request: r}, nil
	}
	w.answer.Store(&answer)
}

// try delivers up to n times, as the queue would without its waiting, and fails the test where a submission would be
// held.
func try(t *testing.T, s queue.Sink, sub queue.Submission, b queue.Bundle, notes queue.Notes, n int) error {
	t.Helper()
	var err error
	for range n {
		sub.Attempts++
		if err = s.Deliver(t.Context(), sub, b, notes); err == nil {
			return nil
		}
		if queue.IsPermanent(err) {
			t.Fatalf("held: %v", err)
		}
	}
	return err
}

func once(t *testing.T, place Place, sub queue.Submission, b *Bundle) {
	t.Helper()
	if got := place.Arrived(t, sub.ID); len(got) != 1 || got[0] != b.Sum {
		t.Fatalf("%d copies arrived", len(got))
	}
}

func nowhere(t *testing.T, place Place, sub queue.Submission) {
	t.Helper()
	if got := place.Arrived(t, sub.ID); len(got) != 0 {
		t.Fatalf("%d copies arrived", len(got))
	}
}

func submission(id string) queue.Submission {
	return queue.Submission{ID: id, Code: "7K3P-92QX", State: queue.Sending, Created: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)}
}

func (far Far) sizes() map[string]int {
	return map[string]int{"tiny": 1, "small": 20_000, "large": far.Large}
}

func arrivesOnce(t *testing.T, far Far) {
	for name, size := range far.sizes() {
		t.Run(name, func(t *testing.T) {
			place := far.Start(t, newWire())
			sub, b, notes := submission("S1"), NewBundle(size), &Notes{}
			if err := try(t, place.Sink(t), sub, b, notes, 1); err != nil {
				t.Fatal(err)
			}
			once(t, place, sub, b)
			// The kiosk lost power before it could note the success.
			if err := try(t, place.Sink(t), sub, b, notes, 1); err != nil {
				t.Fatal(err)
			}
			once(t, place, sub, b)
		})
	}
}

// goesOn breaks off in the middle and goes on with a new sink and the notes that were kept.
func goesOn(t *testing.T, far Far) {
	if far.NoLine {
		t.Skip("there is no line to cut")
	}
	w := newWire()
	place := far.Start(t, w)
	sub, b, notes := submission("S1"), NewBundle(far.Large), &Notes{}
	cut := func(n int64, r *http.Request) (*http.Response, error) {
		if n < 4 {
			return nil, nil
		}
		return nil, errors.New("no route to host")
	}
	w.answer.Store(&cut)
	if err := try(t, place.Sink(t), sub, b, notes, 1); err == nil {
		t.Fatal("delivered over a cut line")
	}
	w.answer.Store(nil)
	if err := try(t, place.Sink(t), sub, b, notes, 3); err != nil {
		t.Fatal(err)
	}
	once(t, place, sub, b)
}

func unreadable(t *testing.T, far Far) {
	place := far.Start(t, newWire())
	sub, b := submission("S1"), NewBundle(far.Large)
	b.Broken = int64(far.Large) / 2
	if err := place.Sink(t).Deliver(t.Context(), sub, b, &Notes{}); err == nil {
		t.Fatal("delivered what could not be read")
	}
	nowhere(t, place, sub)
}

func endsSoon(t *testing.T, far Far) {
	w := newWire()
	place := far.Start(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	if far.NoLine {
		cancel()
	}
	hang := func(_ int64, r *http.Request) (*http.Response, error) {
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	w.answer.Store(&hang)
	sub, b := submission("S1"), NewBundle(far.Large)
	if err := place.Sink(t).Deliver(ctx, sub, b, &Notes{}); err == nil || queue.IsPermanent(err) {
		t.Fatal(err)
	}
	nowhere(t, place, sub)
}

// occupied: what another put there is neither overwritten nor taken for ours.
func occupied(t *testing.T, far Far) {
	place := far.Start(t, newWire())
	if place.Occupy == nil {
		t.Skip("every upload has a place of its own")
	}
	sub, b := submission("S1"), NewBundle(20_000)
	place.Occupy(t, sub.ID)
	before := place.Arrived(t, sub.ID)
	if err := place.Sink(t).Deliver(t.Context(), sub, b, &Notes{}); err == nil {
		t.Fatal("delivered over another's content")
	}
	if after := place.Arrived(t, sub.ID); strings.Join(before, " ") != strings.Join(after, " ") {
		t.Fatal("another's content was changed")
	}
}

// strangers lets somebody else answer from each request on, with every status, and then the far side be back.
func strangers(t *testing.T, far Far) {
	if far.NoLine {
		t.Skip("nobody can come between")
	}
	for _, size := range []int{20_000, far.Large} {
		w := newWire()
		place := far.Start(t, w)
		if err := try(t, place.Sink(t), submission("S0"), NewBundle(size), &Notes{}, 1); err != nil {
			t.Fatal(err)
		}
		requests := min(w.seen.Load(), 6)
		for _, status := range statuses() {
			for from := int64(1); from <= requests; from++ {
				if size == far.Large && (status/100+int(from))%3 != 0 {
					continue // a third of them shows it with large ones
				}
				t.Run(fmt.Sprintf("%d_bytes/%d_from_request_%d", size, status, from), func(t *testing.T) {
					sub, b, notes := submission(fmt.Sprintf("S%d-%d", status, from)), NewBundle(size), &Notes{}
					w.seen.Store(0)
					w.strange(from, status)
					if err := try(t, place.Sink(t), sub, b, notes, 2); err == nil {
						// Only where the far side had said all before.
						once(t, place, sub, b)
						return
					}
					w.answer.Store(nil)
					if err := try(t, place.Sink(t), sub, b, notes, 3); err != nil {
						t.Fatal(err)
					}
					once(t, place, sub, b)
				})
			}
		}
	}
}

// oneStranger: a try broke off in the middle, and of the next one request never reached the far side, though somebody
// said it had. What the first left behind must not become the submission.
func oneStranger(t *testing.T, far Far) {
	if far.NoLine {
		t.Skip("nobody can come between")
	}
	w := newWire()
	place := far.Start(t, w)
	half := func(sub queue.Submission) *Notes {
		broken, notes := NewBundle(far.Large), &Notes{}
		broken.Broken = int64(far.Large) / 2
		if err := place.Sink(t).Deliver(t.Context(), sub, broken, notes); err == nil {
			t.Fatal("delivered what could not be read")
		}
		w.seen.Store(0)
		return notes
	}
	whole := NewBundle(far.Large)
	sub := submission("S0")
	notes := half(sub)
	if err := try(t, place.Sink(t), sub, whole, notes, 4); err != nil {
		t.Fatal(err)
	}
	requests := w.seen.Load()
	for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusNoContent} {
		for nth := int64(1); nth <= requests; nth++ {
			t.Run(fmt.Sprintf("%d_to_request_%d", status, nth), func(t *testing.T) {
				sub := submission(fmt.Sprintf("O%d-%d", status, nth))
				notes := half(sub)
				w.strangeOnce(nth, status)
				defer w.answer.Store(nil)
				if err := try(t, place.Sink(t), sub, whole, notes, 4); err != nil {
					t.Fatal(err)
				}
				once(t, place, sub, whole)
			})
		}
	}
}

// sideBySide delivers several at once over one sink.
func sideBySide(t *testing.T, far Far) {
	place := far.Start(t, newWire())
	sink := place.Sink(t)
	bundles := map[string]*Bundle{}
	for i := range 4 {
		bundles[fmt.Sprintf("P%d", i)] = NewBundle(20_000 + i)
	}
	var all sync.WaitGroup
	for id, b := range bundles {
		all.Go(func() {
			if err := sink.Deliver(t.Context(), submission(id), b, &Notes{}); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	all.Wait()
	for id, b := range bundles {
		once(t, place, submission(id), b)
	}
}

// lostAnswers: the far side does what was asked, and the line breaks before it can say so.
func lostAnswers(t *testing.T, far Far) {
	if far.NoLine {
		t.Skip("there is no line to cut")
	}
	for _, size := range []int{20_000, far.Large} {
		w := newWire()
		place := far.Start(t, w)
		if err := try(t, place.Sink(t), submission("S0"), NewBundle(size), &Notes{}, 1); err != nil {
			t.Fatal(err)
		}
		for nth := range w.seen.Load() {
			sub, b, notes := submission(fmt.Sprintf("L%d", nth)), NewBundle(size), &Notes{}
			w.seen.Store(0)
			w.lose.Store(nth + 1)
			if err := try(t, place.Sink(t), sub, b, notes, 4); err != nil {
				t.Fatalf("the answer to request %d was lost: %v", nth+1, err)
			}
			once(t, place, sub, b)
		}
	}
}

// spoilers are what a proxy, a cache or a bad line does to an answer that the far side did give.
var spoilers = map[string]func(before, resp *http.Response){
	"headers_stripped": func(_, resp *http.Response) {
		resp.Header = http.Header{"Content-Type": resp.Header["Content-Type"], "Via": {"1.1 proxy"}}
	},
	"cut_short": func(_, resp *http.Response) {
		resp.Body, resp.ContentLength = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), 4000
	},
	"garbage": func(_, resp *http.Response) {
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader("\x00\xff<a><b>{[1e999")), -1
		resp.TransferEncoding = []string{"chunked"}
	},
	"answer_to_the_request_before": func(before, resp *http.Response) {
		resp.StatusCode, resp.Status, resp.Header = before.StatusCode, before.Status, before.Header.Clone()
		resp.Body, resp.ContentLength = http.NoBody, 0
	},
	"of_another_age": func(_, resp *http.Response) {
		resp.Header.Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
		resp.Header.Set("Retry-After", "Thu, 31 Dec 2099 00:00:00 GMT")
		resp.Header.Set("Age", "-1")
	},
}

// spoiledAnswers: the far side does what was asked and says so, and what reaches the sink of one answer is something else.
func spoiledAnswers(t *testing.T, far Far) {
	if far.NoLine {
		t.Skip("there is no line")
	}
	w := newWire()
	place := far.Start(t, w)
	if err := try(t, place.Sink(t), submission("S0"), NewBundle(20_000), &Notes{}, 1); err != nil {
		t.Fatal(err)
	}
	requests := w.seen.Load()
	for name, change := range spoilers {
		for nth := range requests {
			t.Run(fmt.Sprintf("%s_%d", name, nth+1), func(t *testing.T) {
				sub, b, notes := submission(fmt.Sprintf("%.5s-%d", name, nth+1)), NewBundle(20_000), &Notes{}
				before := &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}}
				spoil := func(n int64, resp *http.Response) {
					was := &http.Response{StatusCode: resp.StatusCode, Status: resp.Status, Header: resp.Header.Clone()}
					if n == nth+1 {
						resp.Body.Close()
						change(before, resp)
					}
					before = was
				}
				w.seen.Store(0)
				w.spoil.Store(&spoil)
				defer w.spoil.Store(nil)
				if err := try(t, place.Sink(t), sub, b, notes, 4); err != nil {
					t.Fatal(err)
				}
				once(t, place, sub, b)
			})
		}
	}
}

func probes(t *testing.T, far Far) {
	w := newWire()
	place := far.Start(t, w)
	if err := place.Sink(t).Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if far.NoLine {
		return
	}
	for _, status := range statuses() {
		w.strange(0, status)
		if err := place.Sink(t).Probe(t.Context()); err == nil {
			t.Errorf("a stranger who answers %d was taken for the far side", status)
		}
	}
}
