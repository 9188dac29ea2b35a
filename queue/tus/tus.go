// Package tus delivers submissions to a hub that speaks tus 1.0.0, the open protocol for resumable
// uploads (https://tus.io/protocols/resumable-upload): tusd, a cloud store's tus front, or Motcua's own
// receiver. In goes one sealed bundle; out comes one finished upload on the hub, or an error that says
// whether to try again, when, or to ask a person.
//
// It promises: an upload goes on where it stopped after any break, also after a crash of this process
// (the upload's address is kept in queue.Notes); a cut costs at most one chunk sent twice; one
// submission makes one finished upload (the last byte is never sent before the upload's address is
// noted, save to a hub that knows submissions by id); what the hub says it holds is believed only as
// far as it was sent. It keeps nothing in memory but a copy buffer.
package tus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"motcua/queue"
	"motcua/queue/line"
)

// Options say where the hub is and how to reach it.
type Options struct {
	Endpoint   string        // where uploads are created, e.g. "https://hub.example.vn/files/"
	Token      string        // bearer token, sent to the endpoint's host only; empty = none
	Client     *http.Client  // nil = line.NewClient(line.TLS{}); its Transport decides on CA, client certificate, proxy
	ChunkSize  int64         // most bytes in one request; 0 = 8 MiB. Halved by itself where a proxy allows less
	Limit      line.Limit    // nil = as fast as it goes
	Stall      time.Duration // give up a request in which no byte moved for so long; 0 = 30 s
	Answer     time.Duration // how long the hub may work after the last byte; 0 = 5 min
	AllowPlain bool          // allow http:// to other machines: bundles and token are then readable on the way
	Log        *slog.Logger  // nil = slog.Default()
}

const (
	defaultChunk = 8 << 20
	minChunk     = 64 << 10
)

// Sink is a queue.Sink for one hub. It may be used by several goroutines.
type Sink struct {
	o        Options
	endpoint *url.URL
	client   *http.Client
	chunk    atomic.Int64 // bytes in one request now, between minChunk and o.ChunkSize

	bodiless atomic.Bool // something on the way refused a body in the creating request

	mu    sync.Mutex // guards hub and asked
	hub   Hub
	asked time.Time // when hub was learnt; zero = never
}

// New checks the options and returns a sink. It does not touch the network.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("hub address %q: %w", o.Endpoint, err)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("hub address %q: must begin with https://", o.Endpoint)
	case u.Host == "":
		return nil, fmt.Errorf("hub address %q: names no host", o.Endpoint)
	case u.User != nil:
		return nil, errors.New("hub address carries a password: use the token setting")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("hub address %q: must not carry a query or fragment", o.Endpoint)
	case u.Scheme == "http" && !line.Loopback(u.Hostname()) && !o.AllowPlain:
		return nil, fmt.Errorf("hub address %q: http:// would send citizens' papers readable to anyone on the way; use https://", o.Endpoint)
	}
	if o.ChunkSize <= 0 {
		o.ChunkSize = defaultChunk
	}
	o.ChunkSize = max(o.ChunkSize, minChunk)
	if o.Stall <= 0 {
		o.Stall = 30 * time.Second
	}
	if o.Answer <= 0 {
		o.Answer = 5 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Sink{o: o, endpoint: u, client: o.Client}
	if s.client == nil {
		if s.client, err = line.NewClient(line.TLS{}); err != nil {
			return nil, err
		}
	} else {
		own := *s.client
		own.CheckRedirect = line.NoRedirect
		s.client = &own
	}
	s.chunk.Store(o.ChunkSize)
	return s, nil
}

// Hub names the far side, for the queue's circuit breaker.
func (s *Sink) Hub() string { return s.endpoint.Host + s.endpoint.Path }

// Prepares tells the queue that an upload is begun before its bytes have their turn.
func (s *Sink) Prepares() bool { return true }

// Bounds on what one Deliver tries before it hands back to the queue's back-off.
const (
	maxStarts    = 3        // uploads begun, where the hub loses them or tells untruths
	maxConflicts = 3        // PATCHes answered with "not at this offset" for one upload
	maxBarren    = 2        // breaks in a row that moved the upload on by less than barren
	barren       = 64 << 10 // bytes
	breather     = 250 * time.Millisecond
)

// Deliver uploads the bundle, or goes on with an upload that was begun before.
func (s *Sink) Deliver(ctx context.Context, sub queue.Submission, b queue.Bundle, n queue.Notes) error {
	u, err := s.begin(sub, b, n)
	if err != nil {
		return err
	}
	var had setbacks
	for {
		fresh := u.note.URL == ""
		if fresh {
			if had.starts++; had.starts > maxStarts {
				return fmt.Errorf("upload %s: begun %d times and lost each time: %w", sub.ID, maxStarts, err)
			}
		}
		from := u.acked
		err = u.advance(ctx)
		if err == nil {
			s.o.Log.DebugContext(ctx, "upload complete", "submission", sub.ID, "bytes", u.size)
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("upload %s: %w", sub.ID, context.Cause(ctx))
		}
		s.o.Log.DebugContext(ctx, "upload broke", "submission", sub.ID, "offset", u.acked, "error", err)
		if final := s.resume(ctx, u, &had, setback{err: err, from: from, fresh: fresh}); final != nil {
			return fmt.Errorf("upload %s: %w", sub.ID, final)
		}
	}
}

// setbacks counts what befell one upload.
type setbacks struct {
	starts    int // uploads begun
	conflicts int // "not at this offset" since it last moved on
	fruitless int // breaks in a row that moved it on by next to nothing
}

// setback is one of them.
type setback struct {
	err   error
	from  int64 // offset before
	fresh bool  // the upload was to be begun
}

// resume makes ready what comes after a setback, or returns why the upload is given up for now.
func (s *Sink) resume(ctx context.Context, u *upload, had *setbacks, b setback) error {
	var lost *lostError
	var refused *refusal
	switch {
	case errors.As(b.err, &lost):
		if lost.discard {
			u.terminate(ctx)
		}
		u.forget()
		had.conflicts, had.fruitless = 0, 0
		return nil
	case errors.As(b.err, &refused):
		return s.resumeRefused(ctx, u, had, b, refused)
	}
	// The line broke. Once the upload moved on, ask the hub at once how far it came; a line that
	// carries nothing is the queue's back-off to wait out.
	var broken *brokenError
	if !errors.As(b.err, &broken) || u.note.URL == "" {
		return b.err
	}
	if u.acked-b.from >= barren {
		had.fruitless = 0
	} else {
		if had.fruitless++; had.fruitless >= maxBarren {
			return b.err
		}
		s.shrink(s.chunk.Load())
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(breather):
		return nil
	}
}

// resumeRefused is resume after an answer that refuses.
func (s *Sink) resumeRefused(ctx context.Context, u *upload, had *setbacks, b setback, refused *refusal) error {
	switch {
	case !refused.own() && refused.status == http.StatusRequestEntityTooLarge && refused.carried > minChunk:
		// A proxy on the way allows smaller bodies than the hub does.
		s.shrink(refused.carried)
		if b.fresh && u.note.URL == "" {
			s.bodiless.Store(true)
			had.starts--
		}
		return nil
	case !refused.resync():
		return refused.verdict()
	}
	if u.acked > b.from {
		had.conflicts = 0
	}
	if had.conflicts++; had.conflicts <= maxConflicts {
		return nil
	}
	if refused.status == http.StatusBadRequest {
		return refused.verdict()
	}
	// The hub says one offset and takes another: this upload can't be mended.
	u.terminate(ctx)
	u.forget()
	had.conflicts = 0
	return nil
}

// shrink halves the chunk after a body of size bytes did not get through.
func (s *Sink) shrink(size int64) { s.chunk.Store(max(minChunk, min(size, s.chunk.Load())/2)) }

// grow doubles the chunk after one got through.
func (s *Sink) grow() {
	if c := s.chunk.Load(); c < s.o.ChunkSize {
		s.chunk.Store(min(s.o.ChunkSize, 2*c))
	}
}

// Hub is what a tus server says about itself.
type Hub struct {
	Server     string          // what it calls itself
	Extensions map[string]bool // "creation", "creation-with-upload", "checksum", …
	Checksums  []string        // algorithms of the checksum extension
	MaxSize    int64           // 0 = not said
}

// Describe says where submissions go, by which credentials, and what the hub says of itself.
func (s *Sink) Describe(ctx context.Context) (string, error) {
	hub, err := s.learn(ctx)
	if err != nil {
		return "", err
	}
	token := sha256.Sum256([]byte(s.o.Token))
	return fmt.Sprintf("tus %s token %x server %q extensions %v checksums %v max %d", s.endpoint, token[:6], hub.Server,
		slices.Sorted(maps.Keys(hub.Extensions)), hub.Checksums, hub.MaxSize), nil
}

// once is the extension by which Motcua's own receiver says that it knows submissions by id: creating
// an upload for one that it holds, in part or whole, answers with that one.
const once = "motcua-submission-once"

// hubFresh is how long an answer to OPTIONS is believed; a hub's limits change by an update, not by the hour.
const hubFresh = 10 * time.Minute

// Probe asks the hub what it is: name, line, certificate and protocol are then known to be good.
func (s *Sink) Probe(ctx context.Context) error {
	_, err := s.ask(ctx)
	return err
}

func (s *Sink) ask(ctx context.Context) (Hub, error) {
	a, err := s.call(ctx, http.MethodOptions, s.endpoint, nil)
	if err != nil {
		return Hub{}, err
	}
	if a.status/100 != 2 {
		return Hub{}, a.refusal()
	}
	if versions := a.header.Get("Tus-Version"); !listed(versions, version) {
		return Hub{}, fmt.Errorf("ask %s: speaks tus %s, this kiosk %s", s.endpoint.Host, line.Clean(versions), version)
	}
	h := Hub{Server: line.Clean(a.header.Get("Server")), Extensions: map[string]bool{}, MaxSize: number(a.header.Get("Tus-Max-Size"), 0)}
	for e := range strings.SplitSeq(a.header.Get("Tus-Extension"), ",") {
		h.Extensions[strings.TrimSpace(e)] = true
	}
	for c := range strings.SplitSeq(a.header.Get("Tus-Checksum-Algorithm"), ",") {
		if c = strings.TrimSpace(c); c != "" {
			h.Checksums = append(h.Checksums, c)
		}
	}
	return h, nil
}

// learn returns what the hub can do, asking at most every hubFresh. A hub or proxy that does not let
// OPTIONS through is taken for one with the creation extension alone, which every hub must have.
func (s *Sink) learn(ctx context.Context) (Hub, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked.IsZero() && time.Since(s.asked) < hubFresh {
		return s.hub, nil
	}
	h, err := s.ask(ctx)
	var refused *refusal
	switch {
	case errors.As(err, &refused) && refused.status/100 == 4 && refused.status != http.StatusTooManyRequests &&
		refused.status != http.StatusUnauthorized:
		h = Hub{Extensions: map[string]bool{"creation": true}}
	case errors.As(err, &refused):
		return Hub{}, refused.verdict()
	case err != nil:
		return Hub{}, err
	}
	s.hub, s.asked = h, time.Now()
	return h, nil
}

func listed(list, want string) bool {
	for v := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(v) == want {
			return true
		}
	}
	return false
}
