package answer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The buckets of a province. queue/receive/README.md has the commands that make them, and who may do what in them.
const (
	KiosksBucket  = "MOTCUA_KIOSKS"  // key-value: <ward>.<kiosk> → its age recipient; see also the keys below
	AnswersBucket = "MOTCUA_ANSWERS" // key-value: <ward>.<submission> → the newest answer, sealed to all kiosks of the ward
	ResultsBucket = "MOTCUA_RESULTS" // objects: <ward>.<submission> → its newest result, sealed likewise
)

// Further keys of KiosksBucket.
//
//	published.<ward>                     how far the desk is
//	standing.<ward>.<kiosk>              how the kiosk stands with the desk, sealed to the key that it told; the desk's word
//	handed.<ward>.<kiosk>.<submission>   digest of the result that the kiosk handed over; until the desk took note of it
const (
	publishedPrefix = "published."
	standingPrefix  = "standing."
	handedPrefix    = "handed."
)

// validKey is a ward's or kiosk's name in keys.
var validKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Connect makes a connection to the province's NATS.
type Connect func(...nats.Option) (*nats.Conn, error)

// buckets are the three, opened.
type buckets struct {
	kiosks, answers jetstream.KeyValue
	results         jetstream.ObjectStore
}

// callTime bounds one request to JetStream; a result has resultTime.
const callTime = 30 * time.Second

func openBuckets(ctx context.Context, nc *nats.Conn) (b buckets, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		return b, err
	}
	if b.kiosks, err = js.KeyValue(ctx, KiosksBucket); err != nil {
		return b, fmt.Errorf("open bucket %s: %w", KiosksBucket, err)
	}
	if b.answers, err = js.KeyValue(ctx, AnswersBucket); err != nil {
		return b, fmt.Errorf("open bucket %s: %w", AnswersBucket, err)
	}
	if b.results, err = js.ObjectStore(ctx, ResultsBucket); err != nil {
		return b, fmt.Errorf("open bucket %s: %w", ResultsBucket, err)
	}
	return b, nil
}

// errReconnected ends a session: what was watched may be another server's now.
var errReconnected = errors.New("the line to the server was cut and is back")

// follow runs sessions on a connection until ctx ends, with growing pauses after those that fail. A session ends when the line
// was cut: the next one finds out from where on there is something new.
func follow(ctx context.Context, connect Connect, log *slog.Logger, what string, session func(context.Context, buckets) error) error {
	cut := make(chan struct{}, 1)
	nc, err := connect(nats.ReconnectHandler(func(*nats.Conn) {
		select {
		case cut <- struct{}{}:
		default:
		}
	}))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer nc.Close()
	wait := time.Duration(0)
	for {
		begun := time.Now()
		err := bounded(ctx, nc, cut, session)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errReconnected) || time.Since(begun) > backOffMost {
			wait = 0
		}
		wait = min(max(2*wait, backOffFirst), backOffMost)
		next := wait/2 + rand.N(wait/2)
		log.Warn(what, "error", err, "next", next)
		select {
		case <-time.After(next):
		case <-cut: // at once: a server is back
			wait = 0
		case <-ctx.Done():
			return nil
		}
	}
}

// bounded runs one session, at most until the line was cut.
func bounded(ctx context.Context, nc *nats.Conn, cut <-chan struct{}, session func(context.Context, buckets) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer func() { cancel(nil); <-done }()
	go func() {
		defer close(done)
		select {
		case <-cut:
			cancel(errReconnected)
		case <-ctx.Done():
		}
	}()
	b, err := openBuckets(ctx, nc)
	if err == nil {
		err = session(ctx, b)
	}
	if cause := context.Cause(ctx); errors.Is(cause, errReconnected) {
		return cause
	}
	return err
}

// Subscriber takes a ward's answers from a province's JetStream.
type Subscriber struct {
	connect Connect
	ward    string
	kiosk   string
	in      *Intake

	patience time.Duration // to tell the desk something
	stall    time.Duration // a result of which nothing comes for so long is given up, and asked for again
}

// NewSubscriber takes the ward's and this kiosk's names as they stand in the keys.
func NewSubscriber(connect Connect, ward, kiosk string, in *Intake) (*Subscriber, error) {
	if !validKey.MatchString(ward) || !validKey.MatchString(kiosk) {
		return nil, fmt.Errorf("answers: ward %q and kiosk %q must be of letters, digits, - and _", ward, kiosk)
	}
	return &Subscriber{connect, ward, kiosk, in, callTime, callTime}, nil
}

// Run takes answers until ctx ends. A server that is away is waited for.
func (s *Subscriber) Run(ctx context.Context) error {
	return follow(ctx, s.connect, s.in.log(), "take answers from JetStream", func(ctx context.Context, b buckets) error {
		err := s.session(ctx, b)
		if err != nil && ctx.Err() == nil {
			s.in.wrong("line")
		}
		return err
	})
}

// resultsEvery is how often a result that has not come is asked for again.
const resultsEvery = 30 * time.Second

func (s *Subscriber) session(ctx context.Context, b buckets) error {
	if err := s.enrol(ctx, b.kiosks); err != nil {
		return err
	}
	if err := s.in.settle(ctx); err != nil {
		return err
	}
	cursor, err := s.resume(ctx, b.answers)
	if err != nil {
		return err
	}
	watcher, err := b.answers.Watch(ctx, s.ward+".>", jetstream.ResumeFromRevision(cursor.After+1))
	if err != nil {
		return fmt.Errorf("watch answers: %w", err)
	}
	defer end(watcher, s.in.log())
	standing, err := b.kiosks.Watch(ctx, standingPrefix+s.ward+"."+s.kiosk)
	if err != nil {
		return fmt.Errorf("watch how this kiosk stands with the desk: %w", err)
	}
	defer end(standing, s.in.log())
	again, settle := time.NewTicker(resultsEvery), time.NewTicker(settleEvery)
	defer again.Stop()
	defer settle.Stop()
	l := &listening{Subscriber: s, b: b, cursor: cursor}
	var mute rest
	mute.note(s.tell(ctx, b.kiosks))
	for {
		select {
		case entry, ok := <-standing.Updates():
			if !ok {
				return errors.New("watch how this kiosk stands with the desk: the watch ended")
			}
			if entry != nil {
				l.stands = s.standing(entry, l.stands)
			}
			s.contact(l.stands)
		case <-s.in.Store.wiped:
			if mute.over() {
				mute.note(s.tell(ctx, b.kiosks))
			}
		case entry, ok := <-watcher.Updates():
			if !ok {
				return errors.New("watch answers: the watch ended")
			}
			err = l.take(ctx, entry, len(watcher.Updates()) == 0)
		case <-again.C:
			err = l.again(ctx)
		case <-mute.ends():
			mute.note(s.tell(ctx, b.kiosks))
		case <-settle.C:
			err = s.in.settle(ctx)
			if mute.over() {
				mute.note(s.tell(ctx, b.kiosks))
			}
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// listening is a session's state.
type listening struct {
	*Subscriber
	b      buckets
	cursor Cursor // how far the bucket was read
	heard  Cursor // highest answer of a desk that came
	whole  bool   // all that lay in the bucket has come
	stands string // why the desk does not seal to this kiosk; "": it does
}

// take takes what came from the bucket, nil once all has that lay there; last: there is no more just now.
func (l *listening) take(ctx context.Context, entry jetstream.KeyValueEntry, last bool) error {
	switch {
	case entry == nil:
		l.whole = true
	case entry.Operation() == jetstream.KeyValuePut:
		if a, err := l.in.open(entry.Value()); err == nil {
			if err := l.in.takeOpened(ctx, a); err != nil {
				return err
			}
			if l.heard.Desk != a.Desk || l.heard.After < a.Number {
				l.heard = Cursor{Desk: a.Desk, After: a.Number}
			}
		}
		l.cursor.After = max(l.cursor.After, entry.Revision())
	}
	if !last {
		return nil
	}
	err := l.in.Store.Advance(l.cursor)
	if err == nil && l.whole && l.heard.Desk != "" {
		err = l.in.Store.AllHeard(l.heard)
	}
	if err != nil {
		l.in.wrong("disk")
		return err
	}
	l.results(ctx, l.b.results)
	return nil
}

// again looks now and then whether the bucket is still the one that is watched, and for results that have not come.
func (l *listening) again(ctx context.Context) error {
	if _, err := l.resume(ctx, l.b.answers); err != nil {
		return err
	}
	l.contact(l.stands)
	l.results(ctx, l.b.results)
	return nil
}

// notice is how a kiosk stands with the desk, sealed to the key that it told: nobody else learns which key the desk seals to.
type notice struct {
	Schema string `json:"schema"`
	Cause  string `json:"cause"`         // "": it is sealed to; "key": another key is; "refused": it was revoked
	Key    string `json:"key,omitempty"` // fingerprint of the key that is sealed to
}

const noticeSchema = "motcua/standing/1"

// standing reads a notice; what does not open is not about this kiosk's key, and leaves what is known as it is.
func (s *Subscriber) standing(entry jetstream.KeyValueEntry, known string) string {
	if entry.Operation() != jetstream.KeyValuePut {
		return ""
	}
	plain, err := age.Decrypt(bytes.NewReader(entry.Value()), s.in.Store.identity)
	var n notice
	if err == nil {
		err = json.NewDecoder(io.LimitReader(plain, answerLimit)).Decode(&n)
	}
	if err != nil || n.Schema != noticeSchema || n.Cause != "" && !contacts[n.Cause] {
		return known
	}
	if n.Cause != "" && n.Cause != known {
		s.in.log().Warn("the desk does not seal answers to this kiosk", "cause", n.Cause, "sealed to", n.Key,
			"this kiosk's key", Fingerprint(s.in.Store.Recipient().String()))
	}
	return n.Cause
}

// contact notes that the province's store was heard, or why no answers come although it is.
func (s *Subscriber) contact(stands string) {
	if stands == "" {
		s.in.heard()
	} else {
		s.in.wrong(stands)
	}
}

// tell says which results citizens have in hand, so that the ward's other kiosks wipe theirs. What can't be told holds up no answers:
// the kiosk's account may be of a time when it had nothing to say here.
func (s *Subscriber) tell(ctx context.Context, kiosks jetstream.KeyValue) (told bool) {
	for _, a := range s.in.Store.Untold() {
		err := put(ctx, kiosks, handedPrefix+s.ward+"."+s.kiosk+"."+a.Submission, []byte(a.Result.SHA256), s.patience)
		if err == nil {
			err = s.in.Store.SetTold(a)
		}
		if err != nil {
			if ctx.Err() == nil {
				s.in.log().Warn("the other kiosks keep what was handed over here: the desk can't be told; may this kiosk's NATS account write "+
					"what it hands over?", "key", handedPrefix+s.ward+"."+s.kiosk+".>", "error", err)
			}
			return false
		}
	}
	return true
}

// enrol tells which key is to be sealed to, where it is not told already.
func (s *Subscriber) enrol(ctx context.Context, kiosks jetstream.KeyValue) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	key, mine := s.ward+"."+s.kiosk, s.in.Store.Recipient().String()
	entry, err := kiosks.Get(ctx, key)
	if err == nil && string(entry.Value()) == mine {
		return nil
	}
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("enrol: %w", err)
	}
	if _, err := kiosks.PutString(ctx, key, mine); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	return nil
}

// resume is from where on answers are new here; a bucket that was made anew, or set back, is read from its beginning.
func (s *Subscriber) resume(ctx context.Context, answers jetstream.KeyValue) (Cursor, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	status, err := answers.Status(ctx)
	if err != nil {
		return Cursor{}, fmt.Errorf("ask bucket %s: %w", AnswersBucket, err)
	}
	name, last := "jetstream", uint64(0)
	if b, ok := status.(*jetstream.KeyValueBucketStatus); ok {
		name += strconv.FormatInt(b.StreamInfo().Created.UnixNano(), 36)
		last = b.StreamInfo().State.LastSeq
	}
	if c := s.in.Store.Cursor(); c.Desk == name && c.After <= last {
		return c, nil
	}
	return Cursor{Desk: name}, nil
}

// results fetches what has not come. What fails is tried again later.
func (s *Subscriber) results(ctx context.Context, from jetstream.ObjectStore) {
	for _, a := range s.in.Store.Missing() {
		err := s.result(ctx, from, a)
		if err != nil && ctx.Err() == nil {
			s.in.wrong("result")
			s.in.log().Warn("fetch result", "submission", a.Submission, "error", err)
		}
	}
}

func (s *Subscriber) result(ctx context.Context, from jetstream.ObjectStore, a Answer) error {
	ctx, cancel := context.WithTimeout(ctx, resultTime)
	defer cancel()
	object, err := from.Get(nearDeadline{ctx}, resultName(s.ward, a))
	if err != nil {
		return err
	}
	defer object.Close()
	data, err := openResult(&patientReader{from: object, most: s.stall, heard: time.Now()}, a, s.in.Store.identities()...)
	if err != nil {
		return err
	}
	defer clear(data)
	return s.in.Store.PutResult(a, data)
}

func resultName(ward string, a Answer) string {
	return ward + "." + a.Submission
}

// Publisher lays a desk's answers out in a province's JetStream, for one ward.
type Publisher struct {
	connect Connect
	ward    string
	src     Source
	log     *slog.Logger

	patience time.Duration // to tell a kiosk something
}

// NewPublisher takes the ward's name as it stands in the keys.
func NewPublisher(connect Connect, ward string, src Source, log *slog.Logger) (*Publisher, error) {
	if !validKey.MatchString(ward) {
		return nil, fmt.Errorf("answers: ward %q must be of letters, digits, - and _", ward)
	}
	return &Publisher{connect, ward, src, log, callTime}, nil
}

// Run publishes until ctx ends: each answer as it is given, and all of them anew when the ward's kiosks change.
func (p *Publisher) Run(ctx context.Context) error {
	return follow(ctx, p.connect, p.log, "publish answers", p.session)
}

// published is how far a desk's answers are laid out, and for which kiosks.
type published struct {
	Desk   string `json:"desk"`
	Number uint64 `json:"number"`
	Kiosks string `json:"kiosks"` // digest of their recipients
}

func (p *Publisher) session(ctx context.Context, b buckets) error {
	watcher, err := b.kiosks.Watch(ctx, p.ward+".>")
	if err != nil {
		return fmt.Errorf("watch kiosks: %w", err)
	}
	defer end(watcher, p.log)
	handed, err := b.kiosks.Watch(ctx, handedPrefix+p.ward+".>")
	if err != nil {
		return fmt.Errorf("watch what kiosks handed over: %w", err)
	}
	defer end(handed, p.log)
	kiosks := kioskSet{recipients: map[string]string{}, told: map[string]notice{}}
	for {
		news := p.src.Changed() // before looking: what comes meanwhile is looked for next
		if err := p.tell(ctx, b, &kiosks); err != nil {
			return err
		}
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return errors.New("watch kiosks: the watch ended")
			}
			kiosks.take(entry)
		case entry, ok := <-handed.Updates():
			if !ok {
				return errors.New("watch what kiosks handed over: the watch ended")
			}
			if entry == nil || entry.Operation() != jetstream.KeyValuePut {
				continue
			}
			rests := !kiosks.kept.over()
			err := p.handedOver(ctx, b, entry, rests)
			if err != nil {
				p.denied(ctx, handedPrefix, err)
			}
			kiosks.took(rests, err)
		case <-news:
		case <-kiosks.mute.ends():
		case <-ctx.Done():
			return nil
		}
	}
}

// kioskSet is what one session of a Publisher knows of its ward's kiosks.
type kioskSet struct {
	recipients map[string]string // kiosk's key in the bucket: what is sealed to
	whole      bool              // every kiosk that was there at the session's start is among the recipients
	told       map[string]notice // what each kiosk was last told of itself
	mute       rest              // since a kiosk could not be told how it stands
	kept       rest              // since a kiosk's word could not be taken away
}

// rest is the time for which a key beside the answers is not written, since that failed: an account that may not write it answers
// nothing, and holds up the answers for as long as one waits. A line that was bad just then is tried again soon.
type rest struct {
	pause time.Duration
	until time.Time
}

// restFirst is the first rest, doubled with each failure up to settleEvery.
const restFirst = time.Minute

func (r *rest) note(written bool) {
	if written {
		*r = rest{}
		return
	}
	r.pause = min(max(2*r.pause, restFirst), settleEvery)
	r.until = time.Now().Add(r.pause)
}

func (r *rest) over() bool { return !time.Now().Before(r.until) }

// ends gives word when the rest is over; never where it is already.
func (r *rest) ends() <-chan time.Time {
	if r.over() {
		return nil
	}
	return time.After(time.Until(r.until))
}

// take takes note of a kiosk that came, changed or was turned out; nil ends those that were there from the start.
func (k *kioskSet) take(entry jetstream.KeyValueEntry) {
	switch {
	case entry == nil:
		k.whole = true
	case entry.Operation() == jetstream.KeyValuePut:
		k.recipients[entry.Key()] = string(entry.Value())
		delete(k.told, entry.Key())
	default:
		delete(k.recipients, entry.Key()) // what is sealed from now on is not for it
	}
}

// took notes whether a kiosk's word could be taken away; where that rests it was not tried.
func (k *kioskSet) took(rests bool, err error) {
	if !rests {
		k.kept.note(err == nil)
	}
}

// tell publishes what is new to the ward's kiosks, and how each of them stands.
func (p *Publisher) tell(ctx context.Context, b buckets, k *kioskSet) error {
	if !k.whole || len(k.recipients) == 0 {
		return nil
	}
	if err := p.publish(ctx, b, k.recipients); err != nil {
		return err
	}
	if !k.mute.over() {
		return nil
	}
	err := p.stand(ctx, b, k.recipients, k.told)
	if err != nil {
		p.denied(ctx, standingPrefix, err)
	}
	k.mute.note(err == nil)
	return nil
}

// denied logs that a key that goes beside the answers could not be written. It holds up no answers: the desk's account may be of a
// time when there was no such key.
func (p *Publisher) denied(ctx context.Context, prefix string, err error) {
	if ctx.Err() == nil {
		p.log.Warn("may the desk's NATS account write this key? Answers are published all the same", "key", prefix+p.ward+".>", "error", err)
	}
}

// handedOver takes note of a result that a kiosk handed over, and takes the kiosk's word away.
// With leave the word stays there, and is taken away when it comes again.
func (p *Publisher) handedOver(ctx context.Context, b buckets, entry jetstream.KeyValueEntry, leave bool) error {
	kiosk, submission, ok := strings.Cut(strings.TrimPrefix(entry.Key(), handedPrefix+p.ward+"."), ".")
	sum := string(entry.Value())
	if ok && validID.MatchString(submission) && validSum.MatchString(sum) {
		err := p.src.HandedOver(ctx, kiosk, submission, sum)
		if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrTurnedOut) {
			p.log.Error("note what was handed over", "submission", submission, "error", err) // it stays, and comes again
			return nil
		}
	}
	if leave {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	if err := b.kiosks.Purge(ctx, entry.Key()); err != nil {
		return fmt.Errorf("take away what a kiosk told: %w", err)
	}
	return nil
}

// stand tells each kiosk that told a key whether it is sealed to, where that changed; told is what was said in this session.
func (p *Publisher) stand(ctx context.Context, b buckets, recipients map[string]string, told map[string]notice) error {
	bound, err := p.src.Recipients(ctx)
	if err != nil {
		return err
	}
	for key, recipient := range recipients {
		own, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
		if err != nil {
			continue
		}
		name := strings.TrimPrefix(key, p.ward+".")
		n := notice{Schema: noticeSchema}
		switch is := bound[name]; is {
		case own.String():
			n.Key = Fingerprint(is)
		case "":
			n.Cause = "refused"
		default:
			n.Cause, n.Key = "key", Fingerprint(is)
		}
		if was, said := told[key]; said && was == n {
			continue
		}
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := SealTo(&out, bytes.NewReader(text), own); err != nil {
			return fmt.Errorf("seal how a kiosk stands: %w", err)
		}
		if err := put(ctx, b.kiosks, standingPrefix+key, out.Bytes(), p.patience); err != nil {
			return fmt.Errorf("tell a kiosk how it stands: %w", err)
		}
		told[key] = n
	}
	return nil
}

// watchEnds bounds the wait for a watch's own end.
const watchEnds = 5 * time.Second

// end ends a watch; its connection may have gone before. What the watch still holds is taken from it: else its goroutine waits for ever
// to hand it over (nats.go v1.55 keeps at most 256 entries).
func end(w jetstream.KeyWatcher, log *slog.Logger) {
	if err := w.Stop(); err != nil {
		log.Debug("end a watch", "error", err)
	}
	late := time.NewTimer(watchEnds)
	defer late.Stop()
	for {
		select {
		case _, more := <-w.Updates():
			if !more {
				return
			}
		case <-late.C:
			log.Debug("end a watch", "error", "it did not end")
			return
		}
	}
}

// put writes a key, in bounded time.
func put(ctx context.Context, into jetstream.KeyValue, key string, value []byte, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := into.Put(ctx, key, value)
	return err
}

// bound is what is sealed to: of the kiosks that told a key, the one each of them is bound to. A key that somebody else wrote in a
// kiosk's place, or that a revoked kiosk left there, is not sealed to.
func (p *Publisher) bound(ctx context.Context, told map[string]string) (map[string]string, error) {
	names := map[string]string{}
	for key, recipient := range told {
		name := strings.TrimPrefix(key, p.ward+".")
		err := p.src.Enrol(ctx, name, strings.TrimSpace(recipient))
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrTurnedOut) {
			p.log.Warn("a kiosk's key is not sealed to", "kiosk", name, "error", err)
		}
		names[name] = key
	}
	all, err := p.src.Recipients(ctx)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name, _ string) bool { return names[name] == "" })
	return all, nil
}

// publish lays out what is not laid out yet for just these kiosks.
func (p *Publisher) publish(ctx context.Context, b buckets, told map[string]string) error {
	recipients, err := p.bound(ctx, told)
	if err != nil {
		return err
	}
	to, digest := parseRecipients(recipients, p.log)
	var done published
	entry, err := b.kiosks.Get(ctx, p.notedAt())
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("look how far answers are published: %w", err)
	}
	switch {
	case len(to) > 0:
	case err != nil:
		return errors.New("no kiosk of the ward has told a key that can be sealed to")
	default: // the last one was revoked: what lies there must not stay open to it
		p.log.Warn("no kiosk of the ward is sealed to any more: its answers are laid out so that nobody opens them")
		lost, err := age.GenerateX25519Identity()
		if err != nil {
			return fmt.Errorf("seal to nobody: %w", err)
		}
		to = []age.Recipient{lost.Recipient()}
	}
	if err != nil || json.Unmarshal(entry.Value(), &done) != nil || done.Desk != p.src.Desk() || done.Kiosks != digest {
		// Written down before anything is sealed anew: cut off in between, and back with the kiosks of before, what lies there
		// would pass for what was sealed to those.
		done = published{Desk: p.src.Desk(), Kiosks: digest}
		if err := p.note(ctx, b, done); err != nil {
			return err
		}
	}
	for {
		list, err := p.src.Answers(ctx, done.Number, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, a := range list {
			if err := p.one(ctx, b, a, to); err != nil {
				return fmt.Errorf("publish answer %d: %w", a.Number, err)
			}
			done.Number = a.Number
		}
		if err := p.note(ctx, b, done); err != nil {
			return err
		}
	}
}

// note writes down how far answers are laid out.
func (p *Publisher) note(ctx context.Context, b buckets, done published) error {
	text, err := json.Marshal(done)
	if err != nil {
		return err
	}
	if err := put(ctx, b.kiosks, p.notedAt(), text, callTime); err != nil {
		return fmt.Errorf("note how far answers are published: %w", err)
	}
	return nil
}

func (p *Publisher) notedAt() string { return publishedPrefix + p.ward }

// one publishes an answer: the result first, so that who reads the answer finds it.
func (p *Publisher) one(ctx context.Context, b buckets, a Answer, to []age.Recipient) error {
	sealed, err := Seal(a, to...)
	if err != nil { // one that can't be told holds up none of the others
		p.log.Error("seal answer", "number", a.Number, "submission", a.Submission, "error", err)
		return nil
	}
	if a.Result != nil && a.Handed.IsZero() {
		if err := p.result(ctx, b, a, to); err != nil {
			return err
		}
	}
	if err := put(ctx, b.answers, p.ward+"."+a.Submission, sealed, callTime); err != nil || a.Handed.IsZero() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = b.results.Delete(ctx, resultName(p.ward, a)) // its citizen has it
	if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		p.log.Warn("what a citizen has in hand stays in the store, sealed, until its days are over", "submission", a.Submission, "error", err)
	}
	return nil
}

func (p *Publisher) result(ctx context.Context, b buckets, a Answer, to []age.Recipient) error {
	from, err := p.src.Result(ctx, a.Number)
	if errors.Is(err, ErrUnknown) {
		return nil // a newer answer took its place meanwhile, and comes next
	}
	if err != nil {
		return err
	}
	defer from.Close()
	ctx, cancel := context.WithTimeout(ctx, resultTime)
	defer cancel()
	var out bytes.Buffer
	if err := SealTo(&out, from, to...); err != nil {
		return err
	}
	_, err = b.results.Put(ctx, jetstream.ObjectMeta{Name: resultName(p.ward, a)}, io.Reader(&out))
	return err
}

// parseRecipients gives the kiosks' recipients in one order, and a digest of them. One that is none is left out and logged.
func parseRecipients(texts map[string]string, log *slog.Logger) (to []age.Recipient, digest string) {
	var all []string
	for _, kiosk := range slices.Sorted(maps.Keys(texts)) {
		r, err := age.ParseX25519Recipient(strings.TrimSpace(texts[kiosk]))
		if err != nil {
			log.Warn("a kiosk's key is none: it gets no answers", "kiosk", kiosk)
			continue
		}
		to = append(to, r)
		all = append(all, r.String())
	}
	sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return to, hex.EncodeToString(sum[:])
}
