// Package visit is one citizen's way through the counter, from choosing a procedure to the receipt, as
// a state machine without screen, disk or clock. In go what the person did and the time it was done;
// out come the step the person stands on, what is still open, and whether silence has lasted too long.
//
// It promises: nothing is scanned before consent, nothing is confirmed while a doubtful value has not
// been looked at, every step but the last can be gone back from without losing what was entered, and
// after Wipe no page and no value is reachable through the visit.
package visit

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"motcua/agent/procedure"
	"motcua/ocr/paper"
)

// Citizen is who did what was done at a screen without staff.
const Citizen = "citizen"

// Step is where a visit stands; each is one page of the screen.
type Step string

// The steps in their order. Over is not a page: a visit that is over has been wiped.
const (
	Choose  Step = "choose"
	Consent Step = "consent"
	Scan    Step = "scan"
	Papers  Step = "papers"
	Check   Step = "check"
	Confirm Step = "confirm"
	Receipt Step = "receipt"
	Over    Step = "over"
)

// order lists the steps a person walks through.
var order = []Step{Choose, Consent, Scan, Papers, Check, Confirm, Receipt}

// Channel says who worked the screen; it is reported to the city.
type Channel string

// The channels.
const (
	Self      Channel = "self"
	Volunteer Channel = "volunteer"
)

// The ways an act can be refused. The web turns them into the page the person should be on.
var (
	ErrOver      = errors.New("the visit is over")
	ErrNotYet    = errors.New("an earlier step is not done")
	ErrSubmitted = errors.New("the submission has been accepted already")
	ErrOpen      = errors.New("values still have to be looked at")
	ErrNoPaper   = errors.New("no such paper in this visit")
	ErrNoField   = errors.New("no such field in this form")
	ErrFull      = errors.New("the visit holds as many papers as it may")
)

// MaxPapers and MaxBytes bound the memory one visit can take.
const (
	MaxPapers = 60
	MaxBytes  = 256 << 20
)

// Paper is one scanned page or one file that was handed in, as it will be submitted.
type Paper struct {
	ID        string
	Name      string // as the file was called; empty for a scan
	Data      []byte // only inside Use
	MediaType string
	Size      int
	Pages     int // 1 but for a PDF
	Turn      int // clockwise degrees a person turned it for reading: 0, 90, 180, 270
	Documents []paper.Document
	Problem   string // code of what recognition could not do; empty when all went well
	Reading   bool   // recognition has not answered yet
	Back      bool   // scanned as the reverse of a sheet
}

// String names the paper without any content.
func (p Paper) String() string {
	return fmt.Sprintf("paper(%s, %d bytes, %d documents)", p.MediaType, p.Size, len(p.Documents))
}

// GoString is String, for %#v.
func (p Paper) GoString() string { return p.String() }

// LogValue keeps content out of logs.
func (p Paper) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Entry is one field of the form: its answer, and what has been done with it on this visit. The answer's Page counts in Paper,
// from 1; its Looked is empty while Seen is false.
type Entry struct {
	procedure.Answer
	Name   string // of the form field
	Read   string // as recognition had it; differs from Text once a person corrected it
	Seen   bool   // a person has looked at it, or typed it
	Idle   bool   // other answers make it needless: it is neither shown nor open
	Paper  string // id of the paper it was read from, empty if typed
	Fault  string // why the value was refused, as a key of the catalogue; empty if it holds
	Typing bool   // somebody has begun to write Typed and has not answered yet
	Typed  string
}

// UnmarshalJSON also takes what builds before December 2026 kept of a visit: there the answer's parts were the entry's own, under
// names that differ from today's in capitals, and who looked was "By".
func (e *Entry) UnmarshalJSON(data []byte) error {
	type entry Entry // without this method
	old := struct {
		*entry
		By string
	}{entry: (*entry)(e)}
	if err := json.Unmarshal(data, &old); err != nil {
		return err
	}
	if e.Looked == "" {
		e.Looked = old.By
	}
	return nil
}

// Open reports whether the entry still needs its person.
func (e Entry) Open() bool { return !e.Idle && (e.Review || e.Fault != "") }

// String names the entry without its value.
func (e Entry) String() string {
	return fmt.Sprintf("entry(%s, %s, %d bytes, open=%t)", e.Name, e.Source, len(e.Text), e.Open())
}

// GoString is String, for %#v.
func (e Entry) GoString() string { return e.String() }

// LogValue keeps the value out of logs.
func (e Entry) LogValue() slog.Value { return slog.StringValue(e.String()) }

// Facts are what the receipt says of a submission beside its code.
type Facts struct {
	Pages    int
	Fee      int64  // đồng
	Initials string // of whom it is about: enough to tell one's own receipt, too little to name anybody
}

// Visit is one person's way. It is safe for use by several goroutines (the screen, the scanner and
// recognition work on it at the same time).
type Visit struct {
	ID string

	// hold is taken for reading while page bytes are in use and for writing while they are wiped, so
	// that no reader sees a page turn to zeros under its hands. It is always taken before mu.
	hold sync.RWMutex

	mu        sync.Mutex // guards everything below
	step      Step
	procedure string
	added     string // the submission that this one adds papers to
	channel   Channel
	staff     string // who took over
	called    time.Time
	started   time.Time
	consented time.Time
	confirmed time.Time
	last      time.Time // last sign of life
	busy      int       // scans and readings under way: nothing can be sent while they work
	sending   int       // submissions under way: the visit does not end by silence before its code is shown
	papers    []Paper
	bin       *binned
	made      int // papers ever added, for ids
	readings  []Reading
	form      []Entry
	ways      map[string]string // how papers are given that were not scanned, by the paper's id
	code      string
	facts     Facts
	limits    Limits
	changes   int // counts what would have to be kept; a mere sign of life is none
}

// Limits is how long a person may be silent.
type Limits struct {
	Silence time.Duration // without a sign of life before the visit ends
	Warning time.Duration // how long before that the countdown is shown
	Helping time.Duration // after a call for help, the visit is held so long, covered, however silent it is
}

// New starts a visit.
func New(id string, now time.Time, l Limits) *Visit {
	return &Visit{ID: id, step: Choose, channel: Self, started: now, last: now, limits: l}
}

// State is a copy of what can be shown of a visit, without the bytes of its pages (see Use). Its slices
// are the caller's.
type State struct {
	ID        string
	Step      Step
	Procedure string
	// Supplements is the submission that this one adds papers to; its form was confirmed then. Empty: a form of its own.
	Supplements string

	Channel   Channel
	Staff     string
	Called    time.Time // when help was called; zero if it was not
	Started   time.Time
	Consented time.Time
	Confirmed time.Time
	Busy      bool
	Papers    []Paper
	Binned    bool // the paper that was taken out last can be put back
	Readings  []Reading
	Form      []Entry
	Ways      map[string]string // how papers are given that were not scanned, by the paper's id
	Code      string
	Facts     Facts
}

// String names the visit without anything a person entered.
func (s State) String() string {
	return fmt.Sprintf("visit(%s, %s, %d papers, %d fields)", s.ID, s.Step, len(s.Papers), len(s.Form))
}

// GoString is String, for %#v.
func (s State) GoString() string { return s.String() }

// LogValue keeps values out of logs.
func (s State) LogValue() slog.Value { return slog.StringValue(s.String()) }

// State copies the visit for a page.
func (v *Visit) State() State {
	v.mu.Lock()
	defer v.mu.Unlock()
	papers := slices.Clone(v.papers)
	for i := range papers {
		papers[i].Data = nil
	}
	return State{
		ID: v.ID, Step: v.step, Procedure: v.procedure, Supplements: v.added, Channel: v.channel, Staff: v.staff, Called: v.called,
		Started: v.started, Consented: v.consented, Confirmed: v.confirmed, Busy: v.busy > 0,
		Papers: papers, Binned: v.bin != nil, Readings: slices.Clone(v.readings), Form: slices.Clone(v.form), Ways: maps.Clone(v.ways),
		Code: v.code, Facts: v.facts,
	}
}

// Use lends the papers with their bytes to f. Wiping waits until f returns; f must not keep or change
// the bytes.
func (v *Visit) Use(f func([]Paper) error) error {
	v.hold.RLock()
	defer v.hold.RUnlock()
	v.mu.Lock()
	papers, step := slices.Clone(v.papers), v.step
	v.mu.Unlock()
	if step == Over {
		return ErrOver
	}
	return f(papers)
}

// Entry finds a field of the form.
func (s State) Entry(name string) (Entry, bool) {
	for _, e := range s.Form {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Paper finds a paper by id.
func (s State) Paper(id string) (Paper, bool) {
	for _, p := range s.Papers {
		if p.ID == id {
			return p, true
		}
	}
	return Paper{}, false
}

// Begun tells whether the visit holds anything that a person would have to give again: papers, or
// answers typed by hand. A reading alone is none: it may be of somebody else's card.
func (s State) Begun() bool {
	return len(s.Papers) > 0 || len(s.Ways) > 0 ||
		slices.ContainsFunc(s.Form, func(e Entry) bool { return e.Seen || e.Typing })
}

// Open lists the fields that still need the person, doubtful ones in the form's order.
func (s State) Open() []string {
	var open []string
	for _, e := range s.Form {
		if e.Open() {
			open = append(open, e.Name)
		}
	}
	return open
}

// act runs one step of the person: a sign of life, refused when the visit is over.
func (v *Visit) act(now time.Time, f func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step == Over {
		return ErrOver
	}
	if err := f(); err != nil {
		return err
	}
	v.changes++
	v.touch(now)
	return nil
}

func (v *Visit) touch(now time.Time) {
	if now.After(v.last) {
		v.last = now
	}
}

// Touch notes a sign of life: a finger on the screen, a key, a paper put in the feeder.
func (v *Visit) Touch(now time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step == Over {
		return ErrOver
	}
	v.touch(now)
	return nil
}

// Pick chooses the procedure. Another one may be chosen until the submission is accepted; papers stay,
// the form is made anew by the next Fill.
func (v *Visit) Pick(now time.Time, procedure string) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		if v.procedure != procedure || v.added != "" {
			clear(v.form)
			v.form, v.ways = nil, nil
		}
		v.procedure, v.added = procedure, ""
		v.step = Consent
		if !v.consented.IsZero() {
			v.step = Scan
		}
		return nil
	})
}

// Agree records consent.
func (v *Visit) Agree(now time.Time) error {
	return v.act(now, func() error {
		switch {
		case v.procedure == "":
			return ErrNotYet
		case v.step == Receipt:
			return ErrSubmitted
		}
		if v.consented.IsZero() {
			v.consented = now
		}
		v.step = Scan
		return nil
	})
}

// mayScan says whether papers may be taken in.
func (v *Visit) mayScan() error {
	if err := v.mayRead(); err != nil {
		return err
	}
	if len(v.papers) >= MaxPapers {
		return ErrFull
	}
	return nil
}

// mayRead says whether the papers that are here may be read.
func (v *Visit) mayRead() error {
	switch {
	case v.step == Receipt:
		return ErrSubmitted
	case v.consented.IsZero():
		return ErrNotYet
	}
	return nil
}

// Work marks the beginning of a scan, or of taking files in; the returned function its end, after which the person has the whole
// time to look at what it gave.
func (v *Visit) Work(now time.Time) (done func(time.Time), err error) { return v.work(now, v.mayScan) }

// ReadOn is Work for papers that are here already, as many as there are.
func (v *Visit) ReadOn(now time.Time) (done func(time.Time), err error) {
	return v.work(now, v.mayRead)
}

func (v *Visit) work(now time.Time, may func() error) (done func(time.Time), err error) {
	err = v.act(now, func() error {
		if err := may(); err != nil {
			return err
		}
		v.busy++
		return nil
	})
	if err != nil {
		return nil, err
	}
	var once sync.Once
	return func(now time.Time) {
		once.Do(func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.step != Over {
				v.busy--
				v.touch(now)
			}
		})
	}, nil
}

// Add takes a paper in and gives its id. The visit owns p.Data from here on.
func (v *Visit) Add(now time.Time, p Paper) (id string, err error) {
	err = v.act(now, func() error {
		if err := v.mayScan(); err != nil {
			return err
		}
		size := len(p.Data)
		for _, other := range v.papers {
			size += other.Size
		}
		if size > MaxBytes {
			return ErrFull
		}
		v.made++
		p.ID, p.Size = fmt.Sprintf("p%d", v.made), len(p.Data)
		v.papers = append(v.papers, p)
		if v.step == Scan {
			v.step = Papers
		}
		return nil
	})
	return p.ID, err
}

// Read records what recognition found on a paper. It is no sign of life.
func (v *Visit) Read(now time.Time, id string, pages int, docs []paper.Document, problem string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step == Over {
		return ErrOver
	}
	i, err := v.find(id)
	if err != nil {
		return err
	}
	p := &v.papers[i]
	p.Pages, p.Documents, p.Problem, p.Reading = max(pages, 1), docs, problem, false
	v.changes++
	return nil
}

func (v *Visit) find(id string) (int, error) {
	i := slices.IndexFunc(v.papers, func(p Paper) bool { return p.ID == id })
	if i < 0 {
		return 0, ErrNoPaper
	}
	return i, nil
}

// change edits the papers, which may not be done once they are submitted.
func (v *Visit) change(now time.Time, id string, f func(i int)) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		i, err := v.find(id)
		if err != nil {
			return err
		}
		f(i)
		return nil
	})
}

// Turn turns a paper a quarter clockwise. The bytes stay as scanned; the turn goes with the form.
func (v *Visit) Turn(now time.Time, id string) error {
	return v.change(now, id, func(i int) { v.papers[i].Turn = (v.papers[i].Turn + 90) % 360 })
}

// binned is the paper that was taken out last.
type binned struct {
	paper Paper
	at    int
}

// Remove takes a paper out. Values read from it go with it, unless a person has typed or confirmed them. Until the next
// one is taken out, it can be put back.
func (v *Visit) Remove(now time.Time, id string) error {
	v.hold.Lock()
	defer v.hold.Unlock()
	return v.change(now, id, func(i int) {
		v.emptyBin()
		v.bin = &binned{v.papers[i], i}
		v.papers = slices.Delete(v.papers, i, i+1)
		v.detach(id)
		if len(v.papers) == 0 {
			v.step = Scan
		}
	})
}

// Discard takes out a paper that is of no use to anybody, for good.
func (v *Visit) Discard(now time.Time, id string) error {
	v.hold.Lock()
	defer v.hold.Unlock()
	return v.change(now, id, func(i int) {
		clear(v.papers[i].Data)
		v.papers = slices.Delete(v.papers, i, i+1)
		v.detach(id)
		if len(v.papers) == 0 {
			v.step = Scan
		}
	})
}

// PutBack undoes the last Remove.
func (v *Visit) PutBack(now time.Time) error {
	return v.act(now, func() error {
		switch {
		case v.step == Receipt:
			return ErrSubmitted
		case v.bin == nil:
			return ErrNoPaper
		}
		v.papers = slices.Insert(v.papers, min(v.bin.at, len(v.papers)), v.bin.paper)
		v.bin = nil
		v.step = Papers
		return nil
	})
}

func (v *Visit) emptyBin() {
	if v.bin != nil {
		clear(v.bin.paper.Data)
		v.bin = nil
	}
}

// Move puts a paper by places further back (negative: further to the front).
func (v *Visit) Move(now time.Time, id string, by int) error {
	return v.change(now, id, func(i int) {
		to := min(max(i+by, 0), len(v.papers)-1)
		p := v.papers[i]
		v.papers = slices.Insert(slices.Delete(v.papers, i, i+1), to, p)
	})
}

// Place moves papers that were added last before another one, in their order; instead of it where instead is set: that one is
// taken out as by Remove, and can be put back.
func (v *Visit) Place(now time.Time, ids []string, before string, instead bool) error {
	if len(ids) == 0 || slices.Contains(ids, before) {
		return ErrNoPaper
	}
	err := v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		if _, err := v.find(before); err != nil {
			return err
		}
		var placed []Paper
		for _, id := range ids {
			i, err := v.find(id)
			if err != nil {
				return err
			}
			placed = append(placed, v.papers[i])
		}
		rest := slices.DeleteFunc(slices.Clone(v.papers), func(p Paper) bool { return slices.Contains(ids, p.ID) })
		at := slices.IndexFunc(rest, func(p Paper) bool { return p.ID == before })
		v.papers = slices.Insert(rest, at, placed...)
		return nil
	})
	if err != nil || !instead {
		return err
	}
	return v.Remove(now, before)
}

// Fill lays what was read into the form. A field a person has typed or confirmed keeps its value, for
// the person outranks every reader.
func (v *Visit) Fill(now time.Time, form []Entry) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		if v.consented.IsZero() {
			return ErrNotYet
		}
		old := make(map[string]Entry, len(v.form))
		for _, e := range v.form {
			old[e.Name] = e
		}
		filled := slices.Clone(form)
		for i, e := range filled {
			was, ok := old[e.Name]
			if ok && was.Seen {
				filled[i] = was
			} else if ok {
				filled[i].Typing, filled[i].Typed = was.Typing, was.Typed
			}
		}
		v.form = filled
		return nil
	})
}

// Answer takes what a person typed or confirmed for a field. fault is the validation's refusal, kept
// with the value so that nothing a person typed is lost.
func (v *Visit) Answer(now time.Time, name, value, fault string) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		i := slices.IndexFunc(v.form, func(e Entry) bool { return e.Name == name })
		if i < 0 {
			return ErrNoField
		}
		e := &v.form[i]
		if !e.Seen {
			e.Read = e.Text
		}
		if value != e.Text || e.Source == "" {
			e.Source, e.From, e.Confidence = paper.User, "", 1
		}
		e.Text, e.Fault, e.Seen, e.Review = value, fault, true, false
		e.Typing, e.Typed = false, ""
		if e.Looked = v.staff; e.Looked == "" {
			e.Looked = Citizen
		}
		return nil
	})
}

// Type keeps what a person has written into a field so far; it is no answer yet.
func (v *Visit) Type(now time.Time, name, text string) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		i := slices.IndexFunc(v.form, func(e Entry) bool { return e.Name == name })
		if i < 0 {
			return ErrNoField
		}
		v.form[i].Typing, v.form[i].Typed = true, text
		return nil
	})
}

// Give notes how a paper is given that was not scanned: one of the ways the procedure opens for it, as the caller
// has checked. An empty way takes the answer back.
func (v *Visit) Give(now time.Time, paper, way string) error {
	return v.act(now, func() error {
		switch {
		case v.step == Receipt:
			return ErrSubmitted
		case v.consented.IsZero():
			return ErrNotYet
		}
		if way == "" {
			delete(v.ways, paper)
			return nil
		}
		if v.ways == nil {
			v.ways = map[string]string{}
		}
		v.ways[paper] = way
		return nil
	})
}

// Rest notes which fields the other answers make needless, and which they leave without the answer they need; fields not named are
// asked, and may stay empty.
func (v *Visit) Rest(now time.Time, idle, missing map[string]bool) error {
	return v.act(now, func() error {
		for i := range v.form {
			e := &v.form[i]
			e.Idle = idle[e.Name]
			if missing[e.Name] {
				e.Fault = procedure.Missing
			} else if e.Text == "" && e.Fault == procedure.Missing {
				e.Fault = ""
			}
		}
		return nil
	})
}

// Judge sets the refusals of validation on all fields at once; fields not named hold.
func (v *Visit) Judge(now time.Time, faults map[string]string) error {
	return v.act(now, func() error {
		for i := range v.form {
			v.form[i].Fault = faults[v.form[i].Name]
		}
		return nil
	})
}

// Supplement chooses a procedure to add papers to a submission of it: there is no form to fill. It is for a visit that
// has only begun.
func (v *Visit) Supplement(now time.Time, procedure, submission string) error {
	return v.act(now, func() error {
		if v.step != Choose || submission == "" {
			return ErrNotYet
		}
		v.procedure, v.added, v.step = procedure, submission, Consent
		return nil
	})
}

// Go moves the person to a step: back always, forward as far as the steps before it are done.
func (v *Visit) Go(now time.Time, to Step) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			if to == Receipt {
				return nil
			}
			return ErrSubmitted
		}
		at := slices.Index(order, to)
		if at < 0 || to == Receipt {
			return ErrNotYet
		}
		if at > slices.Index(order, Choose) && v.procedure == "" ||
			at > slices.Index(order, Consent) && v.consented.IsZero() ||
			at > slices.Index(order, Scan) && len(v.form) == 0 && len(v.papers) == 0 {
			return ErrNotYet
		}
		if to == Confirm {
			if len(v.form) == 0 && v.added == "" || len(v.papers) == 0 && v.added != "" {
				return ErrNotYet
			}
			for _, e := range v.form {
				if e.Open() {
					return ErrOpen
				}
			}
		}
		v.step = to
		return nil
	})
}

// Ready says whether the submission may be accepted now, and notes the time it was confirmed.
func (v *Visit) Ready(now time.Time) error {
	return v.act(now, func() error {
		switch {
		case v.step == Receipt:
			return ErrSubmitted
		case v.step != Confirm || v.busy > 0:
			return ErrNotYet
		}
		for _, e := range v.form {
			if e.Open() {
				return ErrOpen
			}
		}
		v.confirmed = now
		return nil
	})
}

// Sending is Ready, and marks that the visit is being sent: however long that takes, it does not fall silent, for the code
// must reach the person. The returned function ends that; silence counts from then.
func (v *Visit) Sending(now time.Time) (done func(now time.Time), err error) {
	if err := v.Ready(now); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step == Over {
		return nil, ErrOver
	}
	v.sending++
	var once sync.Once
	return func(now time.Time) {
		once.Do(func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.sending--
			v.touch(now)
		})
	}, nil
}

// IsSending tells whether a submission of the visit is under way.
func (v *Visit) IsSending() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sending > 0
}

// Accepted ends the work with the receipt's code. Pages and values are forgotten at once: the queue has
// them, and the receipt needs none.
func (v *Visit) Accepted(now time.Time, code string) error {
	v.hold.Lock()
	defer v.hold.Unlock()
	return v.act(now, func() error {
		if v.step != Confirm {
			return ErrNotYet
		}
		v.step, v.code = Receipt, code
		v.forget()
		return nil
	})
}

// Note keeps what the receipt will say, before the form is forgotten.
func (v *Visit) Note(now time.Time, f Facts) error {
	return v.act(now, func() error {
		if v.step == Receipt {
			return ErrSubmitted
		}
		v.facts = f
		return nil
	})
}

// Call asks for a volunteer; Quiet takes the call back or marks it answered.
func (v *Visit) Call(now time.Time) error {
	return v.act(now, func() error {
		if v.called.IsZero() {
			v.called = now
		}
		return nil
	})
}

// Quiet ends a call for help.
func (v *Visit) Quiet(now time.Time) error {
	return v.act(now, func() error {
		v.called = time.Time{}
		return nil
	})
}

// TakeOver hands the screen to a volunteer: the visit is counted as helped and waits longer.
func (v *Visit) TakeOver(now time.Time, staff string, l Limits) error {
	return v.act(now, func() error {
		v.channel, v.staff, v.called, v.limits = Volunteer, staff, time.Time{}, l
		return nil
	})
}

// Silence says how long the visit has left before it ends for want of a sign of life, and whether the
// countdown should be on the screen. While called help is on its way the visit is held longer.
// It runs while papers are read, too: a file that takes for ever keeps no visit open. A
// scanner that moves is a sign of life; whoever runs it calls Touch.
func (v *Visit) Silence(now time.Time) (left time.Duration, warn bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step == Over {
		return 0, false
	}
	if v.sending > 0 {
		return v.limits.Silence, false
	}
	left = max(v.limits.Silence-now.Sub(v.last), 0)
	if !v.called.IsZero() {
		left = max(left, v.limits.Helping-now.Sub(v.called))
	}
	return left, left <= v.limits.Warning
}

// Cover says after which further silence the screen is to be covered, because the visit is held for help; zero where it
// should be covered now. ok is false where the visit is not held.
func (v *Visit) Cover(now time.Time) (after time.Duration, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.step == Over || v.called.IsZero() || now.Sub(v.called) >= v.limits.Helping {
		return 0, false
	}
	return max(v.limits.Silence-v.limits.Warning-now.Sub(v.last), 0), true
}

// Wipe ends the visit: page bytes are overwritten, values let go. It may be called at any time and
// more than once.
func (v *Visit) Wipe() {
	v.hold.Lock()
	defer v.hold.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forget()
	v.step, v.procedure, v.added, v.staff, v.code, v.facts = Over, "", "", "", "", Facts{}
	v.consented, v.confirmed, v.called = time.Time{}, time.Time{}, time.Time{}
	v.busy = 0
}

func (v *Visit) forget() {
	v.emptyBin()
	for i := range v.papers {
		clear(v.papers[i].Data)
	}
	clear(v.papers)
	for _, r := range v.readings {
		clear(r.Values)
	}
	clear(v.form)
	v.papers, v.readings, v.form, v.ways = nil, nil, nil, nil
}

// Changes counts what was done in the visit, so that its keeper can tell whether there is anything new.
func (v *Visit) Changes() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.changes
}

// Snapshot is all of a visit but the bytes of its pages, to be kept over a restart.
type Snapshot struct {
	State State
	Made  int // papers ever added
}

// Snapshot copies the visit for its keeper.
func (v *Visit) Snapshot() Snapshot {
	state := v.State()
	v.mu.Lock()
	defer v.mu.Unlock()
	return Snapshot{state, v.made}
}

// Restore makes the visit of a snapshot again; data gives the bytes of each paper by its id. Papers without bytes are
// left out, with what was read from them.
func Restore(s Snapshot, data map[string][]byte, now time.Time, l Limits) *Visit {
	st := s.State
	v := &Visit{ID: st.ID, step: st.Step, procedure: st.Procedure, added: st.Supplements, channel: st.Channel, staff: st.Staff,
		called:  st.Called,
		started: st.Started, consented: st.Consented, confirmed: st.Confirmed, last: now, made: s.Made,
		readings: st.Readings, form: st.Form, ways: st.Ways, code: st.Code, facts: st.Facts, limits: l}
	for _, p := range st.Papers {
		if bytes, ok := data[p.ID]; ok {
			p.Data = bytes
			v.papers = append(v.papers, p)
			continue
		}
		v.detach(p.ID)
	}
	if len(v.papers) == 0 && v.step == Papers {
		v.step = Scan
	}
	return v
}

// detach takes out of the form what was read from a paper, unless a person has seen it.
func (v *Visit) detach(id string) {
	for i := range v.form {
		e := &v.form[i]
		if e.Paper != id {
			continue
		}
		if e.Seen {
			e.Paper, e.Where, e.Page = "", nil, 0
			continue
		}
		*e = Entry{Name: e.Name}
	}
}

// Size is how many bytes the visit's papers have.
func (v *Visit) Size() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	size := 0
	for _, p := range v.papers {
		size += len(p.Data)
	}
	return size
}

// Limits gives how long the visit may be silent.
func (v *Visit) Limits() Limits {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.limits
}
