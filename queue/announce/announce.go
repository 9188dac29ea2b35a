// Package announce tells a province's NATS JetStream what happens to a kiosk's submissions, so that
// thousands of kiosks can be followed on an engine that is there already. In go the queue's outbox and
// its figures; out come messages on these subjects, without personal data:
//
//	motcua.<kiosk>.submission.<state>   queued, delivered, held or dropped: a queue.Event as JSON
//	motcua.<kiosk>.heartbeat            the figures as JSON, now and then, while connected
//
// It promises: each event is told, in order, however long the kiosk was detached or how often it
// crashed; an event leaves the outbox only once a stream has stored it; one that was stored and not
// acknowledged is told again under the same Nats-Msg-Id, and where the stream's name is given, the
// stream is asked first, so that it is not stored twice even after its window for duplicates.
package announce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"motcua/queue"
	"motcua/queue/line"
)

// Outbox is the part of a queue that is followed; *queue.Queue has it (with Options.Outbox set).
type Outbox interface {
	Events(after uint64, max int) ([]queue.Event, error)
	Taken(upTo uint64) error
}

// Options say whom to tell.
type Options struct {
	URL        string // "tls://nats.example.vn:4222", several parted by commas
	Kiosk      string // this kiosk's name in the subjects: letters, digits, - and _
	Stream     string // the stream that stores the events; "" = duplicates are left to the stream's window
	CredsFile  string // NATS credentials (JWT and key); "" = none
	Token      string // "" = none
	TLS        line.TLS
	AllowPlain bool // allow an unencrypted connection to other machines

	Outbox    Outbox
	Heartbeat time.Duration // 0 = 1 min
	Figures   func() any    // what the heartbeat tells, such as queue.Stats; nil = no heartbeat
	Every     time.Duration // how often the outbox is looked at; 0 = 2 s
	Log       *slog.Logger  // nil = slog.Default()
}

// Announcer follows one outbox.
type Announcer struct {
	o       Options
	prefix  string
	connect []nats.Option

	mu     sync.Mutex // guards status
	status Status
}

// Status is how the announcing stands.
type Status struct {
	Connected bool      `json:"connected"`
	LastTold  time.Time `json:"last_told,omitzero"`
	Error     string    `json:"error,omitempty"` // why the last try went wrong; empty after a good one
}

var validKiosk = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// New checks the options. It does not touch the network.
func New(o Options) (*Announcer, error) {
	if !validKiosk.MatchString(o.Kiosk) {
		return nil, fmt.Errorf("announce: kiosk name %q: only letters, digits, - and _", o.Kiosk)
	}
	if o.Outbox == nil {
		return nil, errors.New("announce: no outbox given")
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = time.Minute
	}
	if o.Every <= 0 {
		o.Every = 2 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	connect, err := o.connection()
	if err != nil {
		return nil, err
	}
	return &Announcer{o: o, prefix: "motcua." + o.Kiosk + ".", connect: connect}, nil
}

// Dial makes a connection of the options' own, for what else a kiosk has to do with the province's NATS. A server that is away
// is waited for.
func Dial(o Options, more ...nats.Option) (*nats.Conn, error) {
	connect, err := o.connection()
	if err != nil {
		return nil, err
	}
	return nats.Connect(o.URL, append(connect, more...)...)
}

// connection is how a connection is made; it checks the address.
func (o Options) connection() ([]nats.Option, error) {
	away := false
	for one := range strings.SplitSeq(o.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" {
			return nil, errors.New("announce: a NATS address must be written as tls://host:4222")
		}
		if u.User != nil {
			return nil, errors.New("announce: a NATS address carries a password: use credentials or a token")
		}
		away = away || !line.Loopback(u.Hostname())
	}
	connect := []nats.Option{
		nats.Name("motcua " + o.Kiosk),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a kiosk may be let in again
		nats.ReconnectWait(2 * time.Second),
		nats.ReconnectJitter(2*time.Second, 5*time.Second),
		nats.ReconnectBufSize(-1), // what can't be sent now stays in the outbox, not in memory
		nats.PingInterval(20 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(10 * time.Second),
	}
	if away && !o.AllowPlain || o.TLS != (line.TLS{}) {
		conf, err := o.TLS.Config()
		if err != nil {
			return nil, fmt.Errorf("announce: %w", err)
		}
		connect = append(connect, nats.Secure(conf))
	}
	if o.CredsFile != "" {
		connect = append(connect, nats.UserCredentials(o.CredsFile))
	}
	if o.Token != "" {
		connect = append(connect, nats.Token(o.Token))
	}
	return connect, nil
}

// Status returns how the announcing stands, for doctor and health pages.
func (a *Announcer) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

func (a *Announcer) note(fn func(*Status)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn(&a.status)
}

// Bounds on one round.
const (
	batch    = 256              // events read from the outbox at once
	ackWait  = 10 * time.Second // for the stream to say that it stored a message
	backOff  = time.Second      // after a round that went wrong, doubled up to
	backMost = time.Minute
)

// Run follows the outbox until ctx ends. A server that is away is waited for; only a broken outbox is an error.
func (a *Announcer) Run(ctx context.Context) error {
	again := make(chan struct{}, 1) // connected: look at once
	wake := func(*nats.Conn) {
		select {
		case again <- struct{}{}:
		default:
		}
	}
	options := append(a.connect[:len(a.connect):len(a.connect)],
		nats.ConnectHandler(wake),
		nats.ReconnectHandler(wake),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			a.note(func(s *Status) { s.Connected = false })
			if err != nil {
				a.o.Log.Warn("announcing interrupted", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			a.o.Log.Warn("announcing", "error", err)
		}))
	nc, err := nats.Connect(a.o.URL, options...)
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	look := time.NewTimer(0)
	defer look.Stop()
	beat := time.NewTicker(a.o.Heartbeat)
	defer beat.Stop()
	wait, doubt := time.Duration(0), true
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			a.beat(nc)
			continue
		case <-again:
			a.beat(nc)
			doubt, wait = true, 0
		case <-look.C:
		}
		next := a.o.Every
		if nc.IsConnected() {
			a.note(func(s *Status) { s.Connected = true })
			err := a.tell(ctx, js, doubt)
			var broken *outboxError
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.As(err, &broken):
				return err
			case err != nil:
				wait = min(max(2*wait, backOff), backMost)
				next = wait/2 + rand.N(wait/2)
				a.o.Log.Warn("announcing", "error", err, "next", next)
				a.note(func(s *Status) { s.Error = err.Error() })
				doubt = true
			default:
				wait, doubt = 0, false
				a.note(func(s *Status) { s.Error = "" })
			}
		}
		look.Reset(next)
	}
}

// outboxError says that the queue itself can't be read or written.
type outboxError struct{ err error }

func (e *outboxError) Error() string { return "announce: outbox: " + e.err.Error() }
func (e *outboxError) Unwrap() error { return e.err }

// id is what a message is known by: the submission makes it unique over kiosks and new disks, the
// number tells the second time that a submission is held from the first.
func (a *Announcer) id(e queue.Event) string {
	return a.o.Kiosk + "." + e.ID + "." + string(e.State) + "." + strconv.FormatUint(e.Seq, 10)
}

// tell sends what is in the outbox, one by one: the next is sent only once the one before is stored.
// So the last message in the stream tells all that arrived, which is what doubt asks it.
func (a *Announcer) tell(ctx context.Context, js jetstream.JetStream, doubt bool) error {
	after := uint64(0)
	for {
		events, err := a.o.Outbox.Events(after, batch)
		if err != nil {
			return &outboxError{err}
		}
		if len(events) == 0 {
			return nil
		}
		if doubt {
			doubt = false
			n, err := a.stored(ctx, js, events)
			if err != nil {
				return err
			}
			if n > 0 {
				if after, err = a.taken(events[n-1].Seq); err != nil {
					return err
				}
				continue
			}
		}
		told := after
		for _, e := range events {
			if err = a.publish(ctx, js, e); err != nil {
				break
			}
			told = e.Seq
		}
		// One transaction for what was stored, also when the line broke on the way.
		if told > after {
			var e error
			if after, e = a.taken(told); e != nil {
				return e
			}
			a.note(func(s *Status) { s.LastTold = time.Now() })
		}
		if err != nil {
			return err
		}
	}
}

func (a *Announcer) taken(upTo uint64) (uint64, error) {
	if err := a.o.Outbox.Taken(upTo); err != nil {
		return 0, &outboxError{err}
	}
	return upTo, nil
}

func (a *Announcer) publish(ctx context.Context, js jetstream.JetStream, e queue.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("tell of %s: %w", e.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	options := []jetstream.PublishOpt{jetstream.WithMsgID(a.id(e))}
	if a.o.Stream != "" {
		options = append(options, jetstream.WithExpectStream(a.o.Stream))
	}
	if _, err := js.Publish(ctx, a.prefix+"submission."+string(e.State), text, options...); err != nil {
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			err = fmt.Errorf("no stream takes %ssubmission.*", a.prefix)
		}
		return fmt.Errorf("tell of %s: %w", e.ID, err)
	}
	return nil
}

// stored returns how many of the events, which are next to be told, the stream holds already: their
// acknowledgement was lost with the line or the power.
func (a *Announcer) stored(ctx context.Context, js jetstream.JetStream, events []queue.Event) (int, error) {
	if a.o.Stream == "" {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	stream, err := js.Stream(ctx, a.o.Stream)
	if err != nil {
		return 0, fmt.Errorf("ask stream %s: %w", a.o.Stream, err)
	}
	last, err := stream.GetLastMsgForSubject(ctx, a.prefix+"submission.*")
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ask stream %s: %w", a.o.Stream, err)
	}
	known := last.Header.Get(jetstream.MsgIDHeader)
	for i, e := range events {
		if a.id(e) == known {
			return i + 1, nil
		}
	}
	return 0, nil
}

// Beat is what a heartbeat says.
type Beat struct {
	Kiosk   string    `json:"kiosk"`
	Time    time.Time `json:"time"`
	Every   float64   `json:"every_s"` // the next one comes after so many seconds
	Figures any       `json:"figures"`
}

// beat sends a heartbeat. One that can't be sent now is of no use later.
func (a *Announcer) beat(nc *nats.Conn) {
	if a.o.Figures == nil || !nc.IsConnected() {
		return
	}
	text, err := json.Marshal(Beat{Kiosk: a.o.Kiosk, Time: time.Now().UTC(), Every: a.o.Heartbeat.Seconds(), Figures: a.o.Figures()})
	if err == nil {
		err = nc.Publish(a.prefix+"heartbeat", text)
	}
	if err != nil {
		a.o.Log.Debug("heartbeat", "error", err)
	}
}
