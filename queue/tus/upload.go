package tus

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"motcua/queue"
	"motcua/queue/line"
)

// note is what must be remembered of an upload over a crash.
type note struct {
	URL      string `json:"url"`
	Endpoint string `json:"endpoint"` // the hub it belongs to; a kiosk that was moved to another hub starts anew
	SHA256   string `json:"sha256"`   // of the bundle it was begun with
	Sent     int64  `json:"sent"`     // no byte at or beyond this offset was ever sent to URL
}

// window is how far ahead Sent is noted, so that noting costs one fsync in so many bytes.
const window = 32 << 20

// upload is one submission on its way to one URL.
type upload struct {
	s     *Sink
	id    string
	code  string
	b     queue.Bundle
	notes queue.Notes
	size  int64
	note  note
	url   *url.URL // of note.URL
	acked int64    // bytes the hub said it holds, last time it was asked
	first bool     // nothing was tried for this submission yet

	noting *noting // the note of where it goes is on its way to the disk; nil = it is there

	vanished int // times that the hub took all and then did not know the upload
}

// lostError says that the upload at the hub is of no use any more and must be begun anew.
type lostError struct {
	why     string
	discard bool // ours, and to be removed from the hub
}

func (e *lostError) Error() string { return e.why }

// begin reads the note of an earlier attempt; one that does not fit this bundle or hub is dropped.
func (s *Sink) begin(sub queue.Submission, b queue.Bundle, n queue.Notes) (*upload, error) {
	u := &upload{s: s, id: sub.ID, code: sub.Code, b: b, notes: n, size: b.Size(), first: sub.Attempts <= 1}
	text, err := n.Load()
	if err != nil {
		return nil, fmt.Errorf("read upload note of %s: %w", sub.ID, err)
	}
	var kept note
	if json.Unmarshal([]byte(text), &kept) == nil && kept.URL != "" &&
		kept.Endpoint == s.endpoint.String() && kept.SHA256 == b.SHA256() {
		if u.url, err = s.resolve(kept.URL); err == nil {
			u.note = kept
		}
	}
	return u, nil
}

// resolve makes a Location absolute, always on the endpoint's own scheme and host: that is where the
// token may go, and a hub behind a proxy often knows neither its public name nor that it is on https.
func (s *Sink) resolve(location string) (*url.URL, error) {
	to, err := s.endpoint.Parse(location)
	if err != nil || location == "" {
		return nil, fmt.Errorf("hub %s gave no upload address that can be read", s.endpoint.Host)
	}
	if to.Scheme == s.endpoint.Scheme && to.Host == s.endpoint.Host && to.User == nil {
		return to, nil
	}
	if !strings.HasPrefix(to.Path, s.endpoint.Path) {
		return nil, fmt.Errorf("hub %s gave an upload address elsewhere, on %s: set the hub's public address there", s.endpoint.Host,
			line.Clean(to.Host))
	}
	to.Scheme, to.Host, to.User = s.endpoint.Scheme, s.endpoint.Host, nil
	return to, nil
}

// noting is a note that is being written down.
type noting struct {
	done chan struct{}
	err  error // once done is closed
}

// wait returns when the note is on the disk.
func (n *noting) wait() error {
	<-n.done
	return n.err
}

// save begins to write the note down: that waits for the disk, and the bytes can travel meanwhile, all but the last.
func (u *upload) save() error {
	if err := u.noted(); err != nil {
		return err
	}
	text, err := json.Marshal(u.note)
	if err != nil {
		return err
	}
	n := &noting{done: make(chan struct{})}
	u.noting = n
	go func() {
		defer close(n.done)
		if err := u.notes.Save(string(text)); err != nil {
			n.err = fmt.Errorf("note upload of %s: %w", u.id, err)
		}
	}()
	return nil
}

// noted waits for what save began.
func (u *upload) noted() error {
	if u.noting == nil {
		return nil
	}
	err := u.noting.wait()
	u.noting = nil
	return err
}

// forget makes the next advance begin anew. The note on disk stays until a new upload exists: "not
// found" may come from a proxy whose hub is away, and then the old one is still good tomorrow.
func (u *upload) forget() { u.note, u.url, u.acked, u.first = note{}, nil, 0, false }

// advance takes the upload from wherever it is to its end.
func (u *upload) advance(ctx context.Context) (err error) {
	defer func() {
		if e := u.noted(); e != nil {
			err = e // the disk's word before the hub's
		}
	}()
	hub, err := u.s.learn(ctx)
	if err != nil {
		return err
	}
	if hub.MaxSize > 0 && u.size > hub.MaxSize {
		return queue.Permanent(fmt.Errorf("hub %s takes at most %d bytes, the submission has %d", u.s.endpoint.Host, hub.MaxSize, u.size))
	}
	var last answer
	if u.note.URL == "" {
		last, err = u.create(ctx, hub)
	} else {
		last, err = u.ask(ctx)
	}
	if err != nil {
		return err
	}
	for u.acked < u.size {
		if last, err = u.patch(ctx, hub); err != nil {
			return err
		}
	}
	return u.prove(ctx, last)
}

// create begins an upload. Its first chunk travels along where the hub offers that, but never the last
// byte: were the answer lost, an upload would be complete under an address nobody noted, and the
// submission would arrive twice. A hub that knows submissions by id may have it all at once. On a line
// that broke before, the address comes first.
func (u *upload) create(ctx context.Context, hub Hub) (answer, error) {
	h := http.Header{}
	h.Set("Upload-Length", strconv.FormatInt(u.size, 10))
	h.Set("Upload-Metadata", u.metadata())
	n := int64(0)
	if hub.Extensions["creation-with-upload"] && !u.s.bodiless.Load() && u.first {
		if n = min(u.s.chunk.Load(), u.size); n == u.size && !hub.Extensions[once] {
			n = 0
		}
	}
	var a answer
	var err error
	if n > 0 {
		if err := errors.Join(u.turn(ctx), u.sum(h, hub, 0, n)); err != nil {
			return a, err
		}
		a, err = u.s.send(ctx, http.MethodPost, u.s.endpoint, h, chunk{b: u.b, n: n})
	} else {
		a, err = u.s.call(ctx, http.MethodPost, u.s.endpoint, h)
	}
	if err != nil {
		return a, err
	}
	if a.status != http.StatusCreated {
		return a, a.refusal()
	}
	if u.url, err = u.s.resolve(a.header.Get("Location")); err != nil {
		return a, queue.RetryAfter(err, slow)
	}
	held := number(a.header.Get("Upload-Offset"), 0)
	if hub.Extensions[once] {
		n = u.size // a part may be there from before
	}
	if held < 0 || held > n {
		return a, &lostError{why: "hub claims bytes that were never sent", discard: true}
	}
	u.note = note{URL: u.url.String(), Endpoint: u.s.endpoint.String(), SHA256: u.b.SHA256(), Sent: min(u.size, max(n, held)+window)}
	u.acked = held
	if held == u.size {
		return a, nil // there is nothing to go on with
	}
	return a, u.save()
}

// ask learns how far the upload came.
func (u *upload) ask(ctx context.Context) (answer, error) {
	a, err := u.s.call(ctx, http.MethodHead, u.url, nil)
	if err != nil {
		return a, err
	}
	switch {
	case a.status == http.StatusNotFound || a.status == http.StatusGone || a.status == http.StatusForbidden:
		// The protocol lets a hub answer any of the three for an upload that it does not know (any more). A stranger's
		// 404 never comes here: a second upload would be finished beside the first.
		return a, &lostError{why: fmt.Sprintf("hub lost the upload (%d)", a.status)}
	case a.status/100 != 2:
		return a, a.refusal()
	}
	if m := a.header.Get("Upload-Metadata"); m != "" && !ours(m, u.id, u.b.SHA256()) {
		return a, &lostError{why: "hub keeps another submission at this upload's address"}
	}
	held := number(a.header.Get("Upload-Offset"), -1)
	switch {
	case held < 0:
		return a, &lostError{why: "hub does not say how much it holds", discard: true}
	case number(a.header.Get("Upload-Length"), u.size) != u.size:
		return a, &lostError{why: "hub expects another length", discard: true}
	case held > u.note.Sent || held > u.size:
		return a, &lostError{why: fmt.Sprintf("hub claims %d bytes, no more than %d were sent", held, min(u.note.Sent, u.size)), discard: true}
	}
	u.acked = held
	return a, nil
}

// turn waits until the bytes of the bundle may travel.
func (u *upload) turn(ctx context.Context) error {
	if s, can := u.notes.(queue.Sender); can {
		return s.Turn(ctx)
	}
	return nil
}

// patch sends the next chunk.
func (u *upload) patch(ctx context.Context, hub Hub) (answer, error) {
	if err := u.turn(ctx); err != nil {
		return answer{}, err
	}
	n := min(u.s.chunk.Load(), u.size-u.acked)
	if end := u.acked + n; end > u.note.Sent {
		u.note.Sent = min(u.size, end+window)
		if err := u.save(); err != nil {
			return answer{}, err
		}
	}
	h := http.Header{}
	h.Set("Upload-Offset", strconv.FormatInt(u.acked, 10))
	if err := u.sum(h, hub, u.acked, n); err != nil {
		return answer{}, err
	}
	c := chunk{b: u.b, from: u.acked, n: n}
	switch {
	case u.noting == nil:
	case u.acked+n == u.size:
		c.hold = u.noting.wait
	default:
		if err := u.noted(); err != nil {
			return answer{}, err
		}
	}
	a, err := u.s.send(ctx, http.MethodPatch, u.url, h, c)
	if err != nil {
		return a, err
	}
	switch {
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return a, &lostError{why: fmt.Sprintf("hub lost the upload (%d)", a.status)}
	case a.status/100 != 2:
		return a, a.refusal()
	}
	held := number(a.header.Get("Upload-Offset"), -1)
	if held <= u.acked || held > u.acked+n {
		// Neither what was sent nor a part of it: ask before anything else is sent.
		return a, &brokenError{op: "send to", host: u.url.Host, err: fmt.Errorf("hub answered with offset %d after bytes %d to %d", held, u.acked,
			u.acked+n)}
	}
	u.acked = held
	u.s.grow()
	return a, nil
}

// prove takes nobody's word but the hub's that it has all: either its answer to the last byte gives the bundle's digest
// (RFC 9530), or a HEAD shows the full length.
func (u *upload) prove(ctx context.Context, last answer) error {
	if sum, ok := digest(last.header.Get("Repr-Digest")); ok {
		if sum != u.b.SHA256() {
			return &lostError{why: "hub holds other bytes than were sent", discard: true}
		}
		if a, can := u.notes.(queue.Acknowledger); can && last.header.Get(acknowledged) != "" {
			a.Acknowledge()
		}
		return nil
	}
	if last.method != http.MethodHead {
		if s, can := u.notes.(queue.Sender); can {
			s.Sent()
		}
		a, err := u.ask(ctx)
		var lost *lostError
		if errors.As(err, &lost) && !lost.discard {
			if u.vanished++; u.vanished > 1 {
				return queue.Permanent(fmt.Errorf("hub %s took all of the bundle twice and then did not know it: look into its store",
					u.s.endpoint.Host))
			}
		}
		if err != nil {
			return err
		}
		last = a
	}
	if u.acked < u.size || number(last.header.Get("Upload-Length"), -1) != u.size {
		return &brokenError{op: "finish upload to", host: u.url.Host,
			err: fmt.Errorf("hub shows %d of %d bytes after it took all", u.acked, u.size)}
	}
	return nil
}

// acknowledged is the header by which Motcua's own receiver says that the dossier lies unpacked before the office.
const acknowledged = "Motcua-Acknowledged"

// terminate removes a spoilt upload from the hub, as a courtesy: a hub that can't will expire it.
func (u *upload) terminate(ctx context.Context) {
	if u.url != nil && u.s.known().Extensions["termination"] {
		if _, err := u.s.call(ctx, http.MethodDelete, u.url, nil); err != nil {
			u.s.o.Log.DebugContext(ctx, "remove spoilt upload", "submission", u.id, "error", err)
		}
	}
}

func (s *Sink) known() Hub {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hub
}

// sum adds the checksum of a chunk where the hub checks one. The chunk is read twice for it: the sum
// stands before the body.
func (u *upload) sum(h http.Header, hub Hub, from, n int64) error {
	if !hub.Extensions["checksum"] {
		return nil
	}
	name, sum := "sha1", hash.Hash(sha1.New()) // the one every hub with the extension must know
	if slices.Contains(hub.Checksums, "sha256") {
		name, sum = "sha256", sha256.New()
	}
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(u.b, from, n), make([]byte, 256<<10)); err != nil {
		return fmt.Errorf("read bundle of %s: %w", u.id, err)
	}
	h.Set("Upload-Checksum", name+" "+base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	return nil
}

// metadata names the submission, never a person.
func (u *upload) metadata() string {
	name, kind := u.id+".zip", "application/zip"
	if head := make([]byte, len(ageMagic)); u.size > int64(len(head)) {
		if _, err := u.b.ReadAt(head, 0); err == nil && bytes.Equal(head, []byte(ageMagic)) {
			name, kind = name+".age", "application/octet-stream"
		}
	}
	pairs := []string{"submission", u.id, "code", u.code, "filename", name, "filetype", kind, "sha256", u.b.SHA256()}
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return strings.Join(out, ",")
}

// ageMagic opens a bundle that is sealed to the office.
const ageMagic = "age-encryption.org/v1"

// ours reports whether an upload's metadata names this submission; a hub may drop keys, not change them.
func ours(metadata, id, sum string) bool {
	want := map[string]string{"submission": id, "sha256": sum}
	for pair := range strings.SplitSeq(metadata, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if expect, ok := want[key]; ok {
			got, err := base64.StdEncoding.DecodeString(value)
			if err != nil || string(got) != expect {
				return false
			}
		}
	}
	return true
}

// digest reads the sha-256 of a Repr-Digest header as lower-case hex.
func digest(header string) (string, bool) {
	for member := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if name != "sha-256" || len(value) < 2 || value[0] != ':' || value[len(value)-1] != ':' {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(value[1 : len(value)-1])
		return hex.EncodeToString(sum), err == nil
	}
	return "", false
}

// number reads a header's non-negative number; anything else is otherwise.
func number(text string, otherwise int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

// retryAfter reads Retry-After (seconds or a date) within bounds that a wrong clock on either side can't
// turn into "never" or "at once".
func retryAfter(header string, now time.Time) (time.Duration, bool) {
	if header == "" {
		return 0, false
	}
	d := time.Duration(number(header, -1)) * time.Second
	if d < 0 {
		at, err := http.ParseTime(header)
		if err != nil {
			return 0, false
		}
		d = at.Sub(now)
	}
	return min(max(d, time.Second), time.Hour), true
}
