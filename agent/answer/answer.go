// Package answer carries what an office answers to a dossier back to the citizen: states, reasons and results. In go an
// officer's acts from the desk's store (Source), out comes what a citizen's page may show at any kiosk of the ward (Inquiry).
//
//	desk's Source ─► Server ──HTTP, the kiosk's own credential──► Puller ─► Store ─► Inquiry ─► "Tra cứu hồ sơ"
//	             └─► Publisher ──JetStream, a province────────► Subscriber ─┘
//
// It promises: an answer travels sealed to the kiosks that the desk knows, and lies sealed at the kiosk; each is taken once,
// and one that comes late, again or out of order changes nothing; a result that its citizen has in hand at one kiosk is wiped at all
// that can be reached, and one that nobody fetches after some weeks, the office's own copy never; only what opens with the kiosk's
// own key and is whole counts, so that no proxy's or portal's page changes anything; who does not know both code and year of birth
// learns nothing, not even by the time it takes.
package answer

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// State is how far the office is with a dossier: the civil register's own states (traTrangThaiHoSo 1 to 4), and refused.
type State string

// The states.
const (
	Received  State = "received"   // it lies before the officers
	NeedsMore State = "needs-more" // something has to be brought before it can go on
	Eligible  State = "eligible"   // it was looked through and will be done
	Done      State = "done"
	Refused   State = "refused"
)

// States lists all states.
var States = []State{Received, NeedsMore, Eligible, Done, Refused}

// Final reports whether nothing more is to come.
func (s State) Final() bool { return s == Done || s == Refused }

// Bounds of an answer.
const (
	TextLimit   = 2000     // letters an officer may type
	ResultLimit = 64 << 20 // bytes of a result
	nameLimit   = 200      // bytes of a result's name
)

// ErrUnknown says that there is no such answer, or not any more.
var ErrUnknown = errors.New("no such answer")

// Answer is where a dossier stands by the desk's own word.
type Answer struct {
	Desk        string       `json:"desk"`       // random name of the desk's store: numbers of two desks don't compare
	Number      uint64       `json:"number"`     // running number of that desk, from 1, never used again; of one dossier the highest counts
	Submission  string       `json:"submission"` // id of the dossier's first submission
	Code        string       `json:"code"`       // its receipt code
	Kiosk       string       `json:"kiosk,omitempty"`
	Procedure   string       `json:"procedure,omitempty"` // code
	Supplements []Supplement `json:"supplements,omitempty"`
	State       State        `json:"state"`
	Reasons     []string     `json:"reasons,omitempty"` // codes of Listed
	Text        string       `json:"text,omitempty"`    // typed by the officer
	Result      *File        `json:"result,omitempty"`
	Born        []int        `json:"born,omitempty"`    // years of birth of whom it may be told; without any it can't be looked up
	Received    time.Time    `json:"received,omitzero"` // the first submission
	Handed      time.Time    `json:"handed,omitzero"`   // when a kiosk told that its citizen has this result: the others wipe it
	At          time.Time    `json:"at"`                // when this was answered
}

// Supplement is a submission that was added to a dossier.
type Supplement struct {
	Submission string `json:"submission"`
	Code       string `json:"code"`
}

// File is a result that goes with an answer.
type File struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`   // bytes
	SHA256    string `json:"sha256"` // lower-case hex
}

// String names the answer without what it says.
func (a Answer) String() string {
	return fmt.Sprintf("answer(%d, %s, %s)", a.Number, a.Submission, a.State)
}

// GoString is String, for %#v.
func (a Answer) GoString() string { return a.String() }

// LogValue keeps what is personal out of logs.
func (a Answer) LogValue() slog.Value { return slog.StringValue(a.String()) }

var (
	validID   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	validCode = regexp.MustCompile(`^[0-9A-Z-]{1,20}$`)
	validSum  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	validName = regexp.MustCompile(`^[^/\\\x00-\x1f\x7f]+$`)
)

// Validate says what keeps an answer from being given. What it names holds nothing personal.
func (a Answer) Validate() error {
	switch {
	case !validID.MatchString(a.Desk):
		return errors.New("answer: the desk's name is missing or no name")
	case a.Number == 0:
		return errors.New("answer: it has no number")
	case !validID.MatchString(a.Submission) || !validCode.MatchString(a.Code):
		return errors.New("answer: submission or receipt code is none")
	case !slices.Contains(States, a.State):
		return fmt.Errorf("answer: %q is no state", a.State)
	case utf8.RuneCountInString(a.Text) > TextLimit || !utf8.ValidString(a.Text):
		return fmt.Errorf("answer: the text is longer than %d letters", TextLimit)
	case (a.State == NeedsMore || a.State == Refused) && len(a.Reasons) == 0 && a.Text == "":
		return errors.New("answer: a citizen must be told why: choose a reason or write one")
	case a.At.IsZero():
		return errors.New("answer: its time is missing")
	}
	for _, s := range a.Supplements {
		if !validID.MatchString(s.Submission) || !validCode.MatchString(s.Code) {
			return errors.New("answer: a supplement's submission or receipt code is none")
		}
	}
	if a.Result == nil {
		return nil
	}
	return a.Result.validate(a.State)
}

// validate tells what is wrong with a result of a submission in that state.
func (f *File) validate(state State) error {
	switch {
	case state != Done && state != Refused:
		return fmt.Errorf("answer: a result does not go with the state %q", state)
	case f.Size <= 0 || f.Size > ResultLimit:
		return fmt.Errorf("answer: the result is empty or larger than %d MiB", ResultLimit>>20)
	case !validSum.MatchString(f.SHA256):
		return errors.New("answer: the result's digest is none")
	case len(f.Name) > nameLimit || !validName.MatchString(f.Name) || !utf8.ValidString(f.Name):
		return errors.New("answer: the result's name is none")
	}
	return nil
}

// IDs lists the submissions that an answer is for.
func (a Answer) IDs() []string {
	ids := []string{a.Submission}
	for _, s := range a.Supplements {
		ids = append(ids, s.Submission)
	}
	return ids
}

// codes lists the receipt codes that an answer is for.
func (a Answer) codes() []string {
	codes := []string{a.Code}
	for _, s := range a.Supplements {
		codes = append(codes, s.Code)
	}
	return codes
}

// after reports whether a takes the place of b, both of one dossier. Numbers of one desk are in its own order, whatever the
// clocks say; between two desks (one was lost and set up anew) there is only the time.
func (a Answer) after(b Answer) bool {
	if b.Desk == "" || b.State == "" {
		return true
	}
	if a.Desk == b.Desk {
		return a.Number > b.Number
	}
	return a.At.After(b.At)
}
