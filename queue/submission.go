// Package queue holds confirmed submissions, sealed, until they are delivered. In go a submission's
// parts as opaque bytes; out come exactly one delivery to a sink and a receipt that survives power
// loss. It promises: what Enqueue returned without error is never lost, never delivered twice under
// two ids, and cannot be read without the kiosk's key. It does not know what a part means.
package queue

import (
	"io"
	"time"
)

// State is where a submission stands. Queued → Sending → Delivered → Acknowledged, with Held beside them for
// what must be mended first.
type State string

// The states.
const (
	Queued    State = "queued"
	Sending   State = "sending"
	Delivered State = "delivered" // the far side took the bundle and showed that it has all of it
	Held      State = "held"

	// Acknowledged: the far side laid it whole before those it is for. A folder or a store can't say that by itself.
	Acknowledged State = "acknowledged"
)

// Sent reports whether the far side has the bundle.
func (s State) Sent() bool { return s == Delivered || s == Acknowledged }

// States lists all states, in the order of a submission's way.
var States = []State{Queued, Sending, Held, Delivered, Acknowledged}

// Part is one file of a submission to be enqueued.
type Part struct {
	Name      string // unique in the submission; a plain file name such as "page-0001.jpg" or "form.json"
	MediaType string
	Open      func() (io.ReadCloser, error)
}

// Draft is what is handed to Enqueue. ID may be empty (one is made); giving the same ID again returns
// the submission that was accepted before, so that a retry after a lost answer doubles nothing.
type Draft struct {
	ID     string
	Labels map[string]string // kept in the clear for lists and reports: procedure code, channel, level; never personal data
	Parts  []Part
}

// PartInfo describes a stored part without its content.
type PartInfo struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`   // bytes
	SHA256    string `json:"sha256"` // lower-case hex of the plain bytes
}

// Submission is the state of one accepted submission, without its content.
type Submission struct {
	ID          string            `json:"id"`   // ULID
	Code        string            `json:"code"` // the receipt code a citizen reads out, e.g. "7K3P-92QX"; check character included
	State       State             `json:"state"`
	Labels      map[string]string `json:"labels,omitempty"`
	Parts       []PartInfo        `json:"parts"`
	Size        int64             `json:"size"`             // bytes of the bundle that is uploaded
	SHA256      string            `json:"sha256"`           // lower-case hex of that bundle
	Sealed      bool              `json:"sealed,omitempty"` // the bundle is an age file that only the office can open
	Created     time.Time         `json:"created"`
	Attempts    int               `json:"attempts"`
	NextAttempt time.Time         `json:"next_attempt,omitzero"`
	LastError   string            `json:"last_error,omitempty"` // the far side's words; never personal data
	Delivered   time.Time         `json:"delivered,omitzero"`
	// Acknowledged is when the far side said that the dossier is before those it is for.
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Wiped        bool      `json:"wiped,omitempty"` // content gone after retention
}
