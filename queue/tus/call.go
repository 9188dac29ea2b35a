package tus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"motcua/queue"
	"motcua/queue/line"
)

const version = "1.0.0"

// answer is a hub's response with its body already read.
type answer struct {
	method  string
	host    string
	status  int
	header  http.Header
	words   string
	carried int64 // body bytes of the request
}

// brokenError says that no usable answer came: the line, the name, the certificate, or nonsense.
type brokenError struct {
	op, host string
	err      error
}

func (e *brokenError) Error() string { return e.op + " " + e.host + ": " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// chunk is the body of a request: n bytes of b from offset from on.
type chunk struct {
	b       io.ReaderAt
	from, n int64
	hold    func() error // the last byte does not go before this returned; nil = it may
}

// reader gives the chunk. That the disk is slow is no standing still of the line.
func (c chunk) reader(watch *line.Watch) io.Reader {
	if c.hold == nil {
		return io.NewSectionReader(c.b, c.from, c.n)
	}
	hold := func() error { watch.Pause(); return c.hold() }
	return io.MultiReader(io.NewSectionReader(c.b, c.from, c.n-1), held(hold), io.NewSectionReader(c.b, c.from+c.n-1, 1))
}

// held is a reader of nothing, which takes its time.
type held func() error

func (h held) Read([]byte) (int, error) {
	if err := h(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// call makes a request without a body.
func (s *Sink) call(ctx context.Context, method string, to *url.URL, h http.Header) (answer, error) {
	return s.send(ctx, method, to, h, chunk{})
}

// send makes a request with a body.
func (s *Sink) send(ctx context.Context, method string, to *url.URL, h http.Header, c chunk) (answer, error) {
	ctx, watch := line.NewWatch(ctx, line.Patience{Stall: s.o.Stall, Answer: s.o.Answer})
	defer watch.Stop()
	var body io.Reader
	if c.n > 0 {
		body = watch.Body(c.reader(watch), c.n, s.o.Limit)
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), body)
	if err != nil {
		return answer{}, err
	}
	for k, v := range h {
		req.Header[k] = v
	}
	req.ContentLength = c.n
	req.Header.Set("Tus-Resumable", version)
	req.Header.Set("User-Agent", "motcua")
	if method == http.MethodPatch || c.n > 0 {
		req.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	if s.o.Token != "" && to.Hostname() == s.endpoint.Hostname() {
		req.Header.Set("Authorization", "Bearer "+s.o.Token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, s.broken(method, to.Host, watch.Reason(err))
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil && resp.StatusCode/100 == 2 {
		return answer{}, s.broken(method, to.Host, watch.Reason(err))
	}
	a := answer{method: method, host: to.Host, status: resp.StatusCode, header: resp.Header,
		words: words(resp.Header.Get("Content-Type"), string(text)), carried: c.n}
	if !a.own() {
		return a, a.refusal()
	}
	return a, nil
}

// own reports whether the hub itself said this. Every answer of a tus server names the protocol's version; what a proxy,
// the login page of a network or a front that ends TLS says does not, whatever its status.
func (a answer) own() bool {
	return a.header.Get("Tus-Resumable") != "" || a.method == http.MethodOptions && a.header.Get("Tus-Version") != ""
}

// broken names what happened without the upload's address, which opens that upload to whoever reads it.
func (s *Sink) broken(method, host string, err error) error {
	var wait interface{ RetryIn() time.Duration }
	if errors.As(err, &wait) {
		return queue.RetryAfter(fmt.Errorf("send to %s: %w", host, unwrapURL(err)), wait.RetryIn())
	}
	return &brokenError{op: verbs[method], host: host, err: unwrapURL(err)}
}

func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

var verbs = map[string]string{
	http.MethodOptions: "ask",
	http.MethodPost:    "begin upload to",
	http.MethodHead:    "resume upload to",
	http.MethodPatch:   "send to",
	http.MethodDelete:  "remove upload from",
}

// refusal is an answer other than success.
type refusal struct {
	answer
	delay   time.Duration
	delayed bool
}

func (a answer) refusal() *refusal {
	d, ok := retryAfter(a.header.Get("Retry-After"), time.Now())
	return &refusal{answer: a, delay: d, delayed: ok}
}

func (r *refusal) Error() string {
	who := "hub answered"
	if !r.own() {
		who = "not the hub but " + r.stranger() + " answered"
	}
	said := fmt.Sprintf("%s %s: %s %d %s", verbs[r.method], r.host, who, r.status, http.StatusText(r.status))
	if r.words != "" {
		said += ": " + r.words
	}
	return said
}

// stranger says who seems to have answered in the hub's place.
func (a answer) stranger() string {
	server, via := line.Clean(a.header.Get("Server")), line.Clean(a.header.Get("Via"))
	switch {
	case server != "" && via != "":
		return server + " (via " + via + ")"
	case server != "":
		return server
	case via != "":
		return via
	case a.status/100 == 3 || a.status/100 == 2:
		return "something between, such as the login page of a network,"
	}
	return "something between, such as a proxy,"
}

// Statuses of the protocol that have no name in net/http.
const statusChecksumMismatch = 460

// resync reports whether asking for the offset again may mend it. 400 is what tusd says to a request
// that was cut short, which a proxy may have done; said again and again it is a refusal.
func (r *refusal) resync() bool {
	return r.own() && r.method == http.MethodPatch && (r.status == http.StatusConflict || r.status == statusChecksumMismatch ||
		r.status == http.StatusBadRequest)
}

// slow is how long to leave a hub that refuses everybody alone: its own mending takes minutes.
const slow = 5 * time.Minute

// waitedOut are refusals of the hub itself that concern all submissions, or this one only for now.
var waitedOut = map[int]time.Duration{
	http.StatusUnauthorized:                slow, // the token ran out
	http.StatusProxyAuthRequired:           slow,
	http.StatusNotFound:                    slow, // of the address that all uploads begin at
	http.StatusMethodNotAllowed:            slow,
	http.StatusGone:                        slow,
	http.StatusUpgradeRequired:             slow,
	http.StatusUnavailableForLegalReasons:  slow,
	http.StatusLocked:                      5 * time.Second, // the hub still believes in the connection that broke
	http.StatusRequestTimeout:              0,
	http.StatusTooManyRequests:             0,
	http.StatusTooEarly:                    0,
	http.StatusMisdirectedRequest:          0,
	http.StatusFailedDependency:            0,
	http.StatusRequestHeaderFieldsTooLarge: 0,
	statusChecksumMismatch:                 0,
}

// verdict says what the queue shall do about a refusal. Held is for what the hub itself said of this submission and
// won't heal: a whole backlog must not go to Held because a token or a certificate ran out or a hub is being moved,
// for that heals for all of them at once.
func (r *refusal) verdict() error {
	retry := func(otherwise time.Duration) error {
		if r.delayed {
			return queue.RetryAfter(r, r.delay)
		}
		if otherwise > 0 {
			return queue.RetryAfter(r, otherwise)
		}
		return r
	}
	wait, known := waitedOut[r.status]
	switch {
	case r.status/100 != 4:
		return retry(0) // 5xx; and 2xx or 3xx where they make no sense, as from the login page of a network
	case !r.own():
		return retry(slow)
	case known:
		return retry(wait)
	case r.delayed:
		return retry(0) // a hub that names a time expects us back
	}
	return queue.Permanent(r)
}

var tag = regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>|<[^>]*>`)

// words makes a hub's text fit for a list: no mark-up, no control characters, one line, bounded.
func words(mediaType, text string) string {
	if strings.Contains(mediaType, "html") {
		text = tag.ReplaceAllString(text, " ")
	}
	return line.Clean(text)
}
