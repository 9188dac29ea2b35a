package queue

import (
	"context"
	"errors"
	"io"
	"time"
)

// Bundle is what a sink uploads for one submission: one file, read at any offset and by several
// goroutines at once, decrypted while it is read. It is a store-only ZIP of the parts with
// manifest.json last; when the submission is sealed to the office (Submission.Sealed) it is the age
// file of that ZIP, which this kiosk cannot open.
type Bundle interface {
	io.ReaderAt
	Size() int64
	SHA256() string // lower-case hex of exactly the bytes that ReadAt gives
}

// Notes is a sink's memory for one submission: a short text that survives a crash (an upload's URL, a
// multipart id). It is gone once the submission is delivered or dropped. Load gives "" where
// nothing was saved; Save is durable when it returns.
type Notes interface {
	Load() (string, error)
	Save(string) error
}

// Acknowledger is what the queue's Notes are besides. A sink calls Acknowledge when the far side said, by the answer
// to this delivery, that the dossier lies whole before those it is for; "delivered" says only that the far side
// has the bundle.
type Acknowledger interface{ Acknowledge() }

// Sender is what the queue's Notes are besides. A sink that is Preparing calls Turn before the first byte of the content
// travels, which waits while Options.Parallel others are on their way. A sink calls Sent when the far side has taken the
// last byte and what is left is to prove that it is there: that takes a moment and no line, and the next has its turn meanwhile.
type Sender interface {
	Turn(ctx context.Context) error
	Sent()
}

// Preparing may be implemented by a sink that has something to do before the content travels, such as to begin an upload and
// to note where, and calls Sender.Turn after it: the queue hands it more submissions than travel at a time.
type Preparing interface{ Prepares() bool }

// Sink delivers submissions to one hub. Deliver returns nil only once the far side holds the whole
// bundle durably; it may be called again for a submission that arrived before (the kiosk lost power
// before it could note the success), so it must be idempotent by Submission.ID. It must return soon
// after ctx ends. Two calls for the same submission never overlap; calls for different ones do.
//
// What Deliver returns decides what comes next: nil delivered; Permanent held; RetryAfter tried again
// no sooner than the far side asked; anything else tried again with growing delays. nil and Permanent are final
// and stand only on the hub's own word: an answer that anybody on the way may have given is none.
//
// Package sinktest proves all that of a sink.
type Sink interface {
	Deliver(ctx context.Context, s Submission, b Bundle, n Notes) error
	// Probe reports whether the hub is there and would take a submission, in words for a technician.
	Probe(ctx context.Context) error
}

// Described may be implemented by a sink to say what it is set up for and what its hub says of itself, as text
// without secrets. When it changes, what the hub held is tried again.
type Described interface {
	Describe(ctx context.Context) (string, error)
}

// permanent marks a refusal that will not heal by itself.
type permanent struct{ err error }

func (e permanent) Error() string { return e.err.Error() }
func (e permanent) Unwrap() error { return e.err }

// Permanent marks err as a refusal that trying again won't heal: the submission goes to Held with
// err's words, for a person to mend. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// retryAfter carries the delay the far side asked for.
type retryAfter struct {
	err   error
	delay time.Duration
}

func (e retryAfter) Error() string { return e.err.Error() }
func (e retryAfter) Unwrap() error { return e.err }

// RetryAfter marks err with the delay that the far side asked for (HTTP Retry-After). RetryAfter(nil, d)
// is nil.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return retryAfter{err, d}
}

// RetryDelay returns the delay that err was marked with by RetryAfter.
func RetryDelay(err error) (time.Duration, bool) {
	var r retryAfter
	if errors.As(err, &r) {
		return r.delay, true
	}
	return 0, false
}

// Errors that a caller branches on.
var (
	ErrLocked   = errors.New("queue is open in another process")
	ErrFull     = errors.New("disk is nearly full: no new submissions until something was delivered or removed")
	ErrNotFound = errors.New("no such submission")
	ErrState    = errors.New("submission is not in a state that allows this")
	ErrWiped    = errors.New("content was wiped after delivery")
	ErrClosed   = errors.New("queue is closed")
	ErrReadOnly = errors.New("the disk can't be written: nothing is accepted, what lies here can be listed, verified and exported")
)

// Event says that a submission entered a state. Seq grows with every event for the life of a store, by one except where
// the index was lost: then it goes on far above. A follower that remembers the last Seq misses nothing and takes nothing twice.
type Event struct {
	Seq    uint64            `json:"seq"`
	ID     string            `json:"id"`
	State  State             `json:"state"`
	Time   time.Time         `json:"time"`
	Size   int64             `json:"size"`
	Labels map[string]string `json:"labels,omitempty"`
	Error  string            `json:"error,omitempty"` // the far side's words when State is Held
}

// Filter selects submissions for List. The zero Filter selects all, oldest first.
type Filter struct {
	States []State   // none = any
	Since  time.Time // accepted at or after
	Until  time.Time // accepted before
	After  string    // id of the last submission of the page before
	Limit  int       // 0 = no limit
	Newest bool      // newest first
	Brief  bool      // without Parts, which a long list reads in a quarter of the time
}

// Stats is the queue at a glance; reading it takes the same time whatever the backlog.
type Stats struct {
	Count    map[State]int64 `json:"count"`
	Bytes    map[State]int64 `json:"bytes"`               // bundle bytes held on disk, by state
	Oldest   time.Time       `json:"oldest,omitzero"`     // acceptance of the oldest submission not yet delivered nor held
	Next     time.Time       `json:"next,omitzero"`       // when the next one is due, zero if nothing waits
	Paused   time.Time       `json:"paused,omitzero"`     // the hub is not tried before this
	Free     int64           `json:"free"`                // bytes free on the disk
	LastSent time.Time       `json:"last_sent,omitzero"`  // last delivery since the queue was opened
	Found    int64           `json:"found"`               // files that were set aside, see Found
	WayBack  bool            `json:"way_back"`            // the kiosk key can be had back when this machine dies
	ReadOnly string          `json:"read_only,omitempty"` // why nothing can be written; see ReadOnly
}
