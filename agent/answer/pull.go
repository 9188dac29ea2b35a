package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"motcua/queue"
	"motcua/queue/line"
)

// Queue is what an answer acknowledges; *queue.Queue is one.
type Queue interface {
	Acknowledge(ctx context.Context, idOrCode string) error
	List(f queue.Filter) ([]queue.Submission, error)
}

// Intake takes answers in, whichever way they come.
type Intake struct {
	Store *Store
	Queue Queue
	Taken func(Answer)       // called after each answer that said something new; may be nil
	Heard func(time.Time)    // called when the desk, or the province's store, was heard; may be nil
	Wrong func(cause string) // counts what went wrong: "line", "refused", "key", "not-the-desk", "sealed", "disk", "result"; may be nil
	Clock func() time.Time   // nil = time.Now
	Log   *slog.Logger       // nil = slog.Default()
}

func (in *Intake) now() time.Time {
	if in.Clock != nil {
		return in.Clock()
	}
	return time.Now()
}

func (in *Intake) log() *slog.Logger {
	if in.Log != nil {
		return in.Log
	}
	return slog.Default()
}

func (in *Intake) heard() {
	if in.Heard != nil {
		in.Heard(in.now())
	}
	in.contact("")
}

func (in *Intake) contact(cause string) {
	if err := in.Store.noteContact(cause, in.now()); err != nil {
		in.log().Warn("answers", "error", err)
	}
}

func (in *Intake) wrong(cause string) {
	if in.Wrong != nil {
		in.Wrong(cause)
	}
	if contacts[cause] {
		in.contact(cause)
	}
}

// take opens and takes one answer. What does not open is logged and holds up none of the others: the desk can only seal it
// anew, and does so when it answers again. The error is the kiosk's own disk.
func (in *Intake) take(ctx context.Context, sealed []byte) error {
	a, err := in.open(sealed)
	if err != nil {
		return nil
	}
	return in.takeOpened(ctx, a)
}

func (in *Intake) open(sealed []byte) (Answer, error) {
	a, err := Open(sealed, in.Store.identities()...)
	if err != nil {
		in.wrong("sealed")
		in.log().Warn("an answer of the desk is not taken", "error", err)
	}
	return a, err
}

func (in *Intake) takeOpened(ctx context.Context, a Answer) error {
	fresh, err := in.Store.Take(a, in.now())
	if err != nil {
		in.wrong("disk")
		return err
	}
	for _, id := range a.IDs() {
		if err := in.acknowledge(ctx, id); err != nil {
			return err
		}
	}
	if fresh {
		in.log().Info("answered", "submission", a.Submission, "state", a.State)
		if in.Taken != nil {
			in.Taken(a)
		}
	}
	return nil
}

// acknowledge tells the queue that a submission lies before the office. One of another kiosk is not known here; one that is
// not delivered yet by this kiosk's knowledge is acknowledged after it was, see Delivered.
func (in *Intake) acknowledge(ctx context.Context, id string) error {
	err := in.Queue.Acknowledge(ctx, id)
	if err == nil || errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrState) || errors.Is(err, queue.ErrReadOnly) {
		return nil
	}
	return fmt.Errorf("acknowledge %s: %w", id, err)
}

// Delivered acknowledges a submission that was answered before its delivery was noted here.
func (in *Intake) Delivered(ctx context.Context, id string) error {
	if !in.Store.Answered(id) {
		return nil
	}
	return in.acknowledge(ctx, id)
}

// settle does the same for all, after a start or a long while.
func (in *Intake) settle(ctx context.Context) error {
	list, err := in.Queue.List(queue.Filter{States: []queue.State{queue.Delivered}})
	if err != nil {
		return fmt.Errorf("look for what was answered: %w", err)
	}
	for _, s := range list {
		if err := in.Delivered(ctx, s.ID); err != nil {
			return err
		}
	}
	_, err = in.Store.Sweep(in.now())
	return err
}

// PullOptions say which desk to ask.
type PullOptions struct {
	URL        string // of the desk: "https://desk.example.vn/answers/"
	Token      string // bearer token; empty = the client's certificate
	Client     *http.Client
	Wait       time.Duration // how long a request may wait for news at the desk; 0 = 25 s
	Every      time.Duration // between two requests without news; 0 = 5 s
	AllowPlain bool          // allow http:// to other machines
}

// Puller asks a desk for answers by HTTP.
type Puller struct {
	o  PullOptions
	in *Intake

	stall time.Duration // a result of which nothing comes for so long is given up, and asked for again

	mute time.Time     // when telling failed although the desk answers
	rest time.Duration // how long nothing is told for that
}

// The pace of asking.
const (
	backOffFirst = 2 * time.Second // after a request that failed, doubled with each
	backOffMost  = 5 * time.Minute
	settleEvery  = time.Hour
	silence      = 60 * time.Second // more than the desk's longest wait: a line that is half open is given up
)

// NewPuller checks the options. It does not touch the network.
func NewPuller(o PullOptions, in *Intake) (*Puller, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, errors.New("answers: the desk's address must be written https://host/answers/, without name or password")
	}
	if u.Scheme == "http" && !o.AllowPlain && !line.Loopback(u.Hostname()) {
		return nil, errors.New("answers: the desk's address is http:// to another machine: use https://")
	}
	if !strings.HasSuffix(o.URL, "/") {
		o.URL += "/"
	}
	if o.Client == nil {
		if o.Client, err = line.NewClient(line.TLS{}); err != nil {
			return nil, err
		}
	}
	if o.Wait <= 0 {
		o.Wait = 25 * time.Second
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	return &Puller{o: o, in: in, stall: silence}, nil
}

// Run asks until ctx ends. A desk that is away is waited for; the error is the kiosk's own disk.
func (p *Puller) Run(ctx context.Context) error {
	wait, settled := time.Duration(0), time.Time{}
	for {
		if p.in.now().Sub(settled) >= settleEvery || p.in.now().Before(settled) {
			if err := p.in.settle(ctx); err != nil {
				p.in.log().Error("answers", "error", err)
			}
			settled = p.in.now()
		}
		next := p.o.Every
		switch asked, err := p.Round(ctx); {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			wait = min(max(2*wait, backOffFirst), backOffMost)
			next = max(wait/2+rand.N(wait/2), asked)
			p.in.log().Warn("ask the desk for answers", "error", err, "next", next)
		default:
			wait = 0
		}
		wiped := p.in.Store.wiped
		if wait > 0 {
			wiped = nil // told when the desk is there again
		}
		select {
		case <-time.After(next):
		case <-wiped:
		case <-ctx.Done():
			return nil
		}
	}
}

// Round tells what was handed over, then asks once and takes all there is. After an error it says how long the desk asked to wait, if
// it did. What can't be told holds up nothing: some proxies let nobody send, and answers come all the same.
func (p *Puller) Round(ctx context.Context) (time.Duration, error) {
	untold := p.tell(ctx)
	for {
		more, asked, err := p.page(ctx)
		if err != nil {
			return asked, err
		}
		if !more {
			break
		}
	}
	if untold != nil && ctx.Err() == nil {
		p.in.log().Warn("the other kiosks keep what was handed over here until the desk can be told, or its days are over", "error", untold)
		p.mute, p.rest = p.in.now(), backOffMost
		if errors.Is(untold, errNotSpoken) {
			p.rest = settleEvery
		}
	}
	return 0, p.results(ctx)
}

// page takes one response of the desk.
func (p *Puller) page(ctx context.Context) (more bool, asked time.Duration, err error) {
	c := p.in.Store.Cursor()
	query := url.Values{"desk": {c.Desk}, "after": {strconv.FormatUint(c.After, 10)}, "wait": {strconv.Itoa(int(p.o.Wait / time.Second))}}
	ctx, cancel := context.WithTimeout(ctx, silence+p.o.Wait)
	defer cancel()
	response, asked, err := p.get(ctx, "?"+query.Encode())
	if err != nil {
		return false, asked, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, pageLimit))
	if err != nil {
		p.in.wrong("line")
		return false, 0, fmt.Errorf("read answers: %w", err)
	}
	var l listing
	if json.Unmarshal(body, &l) != nil || l.Schema != schema || !validID.MatchString(l.Desk) {
		p.in.wrong("not-the-desk")
		return false, 0, errors.New("what came is no list of answers: somebody between answers for the desk")
	}
	p.in.heard()
	for _, sealed := range l.Answers {
		if err := p.in.take(ctx, sealed); err != nil {
			return false, 0, err
		}
	}
	if err := p.in.Store.Advance(Cursor{Desk: l.Desk, After: l.After}); err != nil {
		p.in.wrong("disk")
		return false, 0, err
	}
	if !l.More {
		if err := p.in.Store.AllHeard(Cursor{Desk: l.Desk, After: l.After}); err != nil {
			p.in.wrong("disk")
			return false, 0, err
		}
	}
	return l.More && l.After > c.After, 0, nil
}

// tell says which results citizens have in hand, so that the ward's other kiosks wipe theirs.
func (p *Puller) tell(ctx context.Context) error {
	if p.in.now().Sub(p.mute).Abs() < p.rest {
		return nil
	}
	for _, a := range p.in.Store.Untold() {
		body, err := json.Marshal(handedOver{a.Submission, a.Result.SHA256})
		if err != nil {
			return err
		}
		response, _, err := p.do(ctx, http.MethodPost, handedPath, body)
		switch {
		case errors.Is(err, errGone):
		case err != nil:
			return err
		default:
			response.Body.Close()
		}
		if err := p.in.Store.SetTold(a); err != nil {
			return err
		}
	}
	return nil
}

func (p *Puller) get(ctx context.Context, path string) (*http.Response, time.Duration, error) {
	return p.do(ctx, http.MethodGet, path, nil)
}

// do asks the desk, or tells it something. Anything but its own 200 or 204 is an error, and changes nothing.
func (p *Puller) do(ctx context.Context, method, path string, body []byte) (*http.Response, time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.o.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	if p.o.Token != "" {
		request.Header.Set("Authorization", "Bearer "+p.o.Token)
	}
	request.Header.Set(recipientHeader, p.in.Store.Recipient().String())
	response, err := p.o.Client.Do(request)
	if err != nil {
		p.in.wrong("line")
		return nil, 0, fmt.Errorf("reach the desk: %w", err)
	}
	if own(response) && (response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent) {
		return response, 0, nil
	}
	defer response.Body.Close()
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	asked := min(time.Duration(max(seconds, 0))*time.Second, backOffMost)
	return nil, asked, p.refused(response)
}

// own reports whether it is the desk itself that speaks.
func own(response *http.Response) bool { return response.Header.Get(Header) == version }

// refused says why the desk did not do what it was asked.
func (p *Puller) refused(response *http.Response) error {
	switch {
	case own(response) && response.StatusCode == http.StatusGone:
		return errGone
	case own(response) && response.StatusCode == http.StatusConflict:
		p.in.wrong("key")
		return fmt.Errorf("%w (this kiosk's key: %s)", ErrOtherKey, Fingerprint(p.in.Store.Recipient().String()))
	case response.Request.Method == http.MethodPost && (response.StatusCode == http.StatusNotFound ||
		response.StatusCode == http.StatusMethodNotAllowed):
		return errNotSpoken
	case response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent:
		p.in.wrong("not-the-desk")
		return errors.New("the answer is not the desk's own: a proxy or portal stands between")
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		p.in.wrong("refused")
		return fmt.Errorf("the desk does not let this kiosk in (%s): look at its token or certificate, and at the desk's kiosks",
			response.Status)
	}
	p.in.wrong("line")
	return fmt.Errorf("the desk answers %s", response.Status)
}

// errNotSpoken says that the desk does not know what it is told.
var errNotSpoken = errors.New("the desk is of an older version: it does not know this request")

// errGone is the desk's own word that a newer answer took the place of the one whose result was asked for.
var errGone = errors.New("no such result any more")

// results fetches what was announced and has not come. One that fails holds up none of the others.
func (p *Puller) results(ctx context.Context) error {
	var failed error
	for _, a := range p.in.Store.Missing() {
		err := p.result(ctx, a)
		if err != nil && !errors.Is(err, errGone) { // gone: the answer that took its place is on its way
			p.in.wrong("result")
			failed = errors.Join(failed, fmt.Errorf("result of %s: %w", a.Submission, err))
		}
	}
	return failed
}

// resultTime bounds one result: 64 MiB at 64 kB/s.
const resultTime = 20 * time.Minute

func (p *Puller) result(ctx context.Context, a Answer) error {
	ctx, cancel := context.WithTimeout(ctx, resultTime)
	defer cancel()
	ctx, watch := line.NewWatch(ctx, line.Patience{Stall: p.stall})
	defer watch.Stop()
	response, _, err := p.get(ctx, strconv.FormatUint(a.Number, 10)+"/result")
	if err != nil {
		return watch.Reason(err)
	}
	defer response.Body.Close()
	data, err := openResult(watch.Response(response.Body), a, p.in.Store.identities()...)
	if err != nil {
		return watch.Reason(err)
	}
	defer clear(data)
	return p.in.Store.PutResult(a, data)
}

// openResult opens a sealed result, at most as long as was announced.
func openResult(r io.Reader, a Answer, with ...age.Identity) ([]byte, error) {
	plain, err := age.Decrypt(r, with...)
	if err != nil {
		return nil, fmt.Errorf("open result: %w", err)
	}
	var out bytes.Buffer
	if _, err := io.Copy(&out, io.LimitReader(plain, a.Result.Size+1)); err != nil {
		return nil, fmt.Errorf("open result: %w", err)
	}
	return out.Bytes(), nil
}
