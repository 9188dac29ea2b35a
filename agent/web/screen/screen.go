// Package screen is what the pages of every role stand on: the browsers' sessions and the visits that sit at them or wait in
// the line (Host, Session, Table), the scan and the reading that go on beside the requests, their live events, the drafts that
// outlive a restart, signing in, and the making of pages: templates, words, languages and static files lie here.
//
// In go requests that package web has let through; each role's package adds its handlers, which end in Render or
// RenderConsole. It promises: what a handler answers was kept before (Seated); work for a visit ends before the visit is
// wiped (Table); a key without a sentence never shows.
package screen

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/form"
	"motcua/agent/portal"
	"motcua/agent/procedure"
	"motcua/agent/sign"
	"motcua/agent/slip"
	"motcua/agent/stick"
	"motcua/agent/visit"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/queue"
)

// Scanner feeds sheets. Scan yields pages in feeding order as each is complete; breaking off the loop
// cancels the scan and leaves the device ready. Errors are *scan.Fault for anything a person can mend.
type Scanner interface {
	Info() scan.Info
	Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error]
}

// Reader recognises papers and cuts pictures out of them; *ocr.Reader is one.
type Reader interface {
	Read(ctx context.Context, in ocr.Input) ocr.Result
	Crop(ctx context.Context, data []byte, page int, q paper.Quad, maxWidth int) ([]byte, error)
	Preview(ctx context.Context, data []byte, page, maxWidth int) ([]byte, error)
}

// Queue takes confirmed submissions and knows where they stand; *queue.Queue is one.
type Queue interface {
	Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error)
	Get(idOrCode string) (queue.Submission, error)
	Room() error // queue.ErrFull when a visit should not be begun because the disk is nearly full
}

// Options is what the pages need. A nil Audit, Scanner or Log leaves that part out.
type Options struct {
	Procedures func() *procedure.Catalog               // asked anew for every page, so that an update shows at once
	Form       func(*procedure.Procedure) *form.Layout // the official form, nil where there is none; a nil Form: none at all
	Portal     portal.Maps                             // which procedures can be filled on the portal; nil: none
	Copies     counter.MakeCopies                      // digitised copies of the papers; nil: none are sent
	Scanner    func() Scanner                          // the scanner plugged in now; nil or giving nil: files only
	Source     scan.Source                             // where the citizen's paper lies; empty: the scanner's first source
	DPI        int                                     // 0: 300
	Reader     Reader
	Queue      Queue
	Audit      func(audit.Event) error // records who did what
	Clock      func() time.Time        // nil: time.Now
	Log        *slog.Logger            // nil: slog.Default()

	Ward  string   // "Phường Bến Thành, Thành phố Hồ Chí Minh": shown on every page and kept as a label
	Kiosk string   // this kiosk's name among those of the ward; kept as a label
	Hosts []string // further Host headers that are ours, besides loopback names and addresses
	Demo  bool     // says on the screen that the papers are specimens

	Trust *sign.Trust // authorities whose signatures on files are known; nil: none is

	// Online says whether the far side answered of late; the receipt tells the citizen. Nil: unknown,
	// the receipt then waits for the delivery itself.
	Online func() bool

	Privacy Privacy // who has people's data

	// Inquiry answers where a dossier stands; nil: the page leads to the counter.
	Inquiry Inquiry

	Account Account // where fees go; the zero Account shows the amount without a VietQR

	// Citizen and Helped are how long a visit may be silent, alone and with a volunteer. Zero: 90 s
	// with a countdown of the last 30, held for five minutes after a call for help, and 10 minutes with one of 60 s.
	Citizen, Helped visit.Limits

	// Drafts keeps unfinished visits over a restart; nil: they are gone with the daemon, and the screen says so.
	Drafts Drafts

	// Compared is how long a visit that an officer compared waits for the PIN that signs it; at least as long as any in the line.
	Compared time.Duration

	// Later is how long a visit is kept that its person wants to finish another day; 0: that is not offered.
	Later time.Duration

	// PrintSlip prints a receipt on the receipt printer, without a question; nil: there is none.
	// An error with a Message, a key of the catalogue, says what whoever waits for the paper may do.
	PrintSlip func(context.Context, slip.Slip) error

	// PrintSheet prints a PDF of A4 sheets; nil: it can only be saved.
	PrintSheet func(context.Context, []byte) error

	Print bool // there is a printer for receipts behind the browser's print command

	// Sticks lists what a citizen brings on a USB stick; nil: no sticks are taken.
	Sticks Sticks

	UploadLimit int64 // bytes of one file; 0: 30 MiB

	// Forget is called soon after a visit was wiped: what was copied of it elsewhere in memory is to go, too. Nil: nothing.
	Forget func()

	Console Console // the staff's pages; the zero Console has none
}

// Privacy is what people are told of who has their data; what is empty is said in general words.
type Privacy struct {
	Controller string
	Processor  string
	Contact    string
	Recipients []string
	Kept       time.Duration // how long content stays here after it was delivered
	Compared   time.Duration // how long what an officer compared may stay here unsigned; 0: no officer compares here
}

// Inquiry answers citizens who ask where their dossier stands; the daemon has one on the store of answers.
type Inquiry interface {
	// Ask gives what is known of a dossier by its receipt code and a year of birth, answer.ErrNoMatch or answer.ErrTooMany.
	Ask(ctx context.Context, code string, year int) (answer.Record, error)
	// Result gives a dossier's result, answer.ErrUnknown where it is not here.
	Result(submission string) (answer.File, []byte, error)
	// Wipe destroys a result that was handed over, known by its digest; answer.ErrUnknown where another one has come meanwhile.
	Wipe(submission, sha256 string, now time.Time) error
	// Stands tells how the office answered a dossier, by its first submission, and when; ok is false for one that is not known.
	Stands(submission string) (state answer.State, at time.Time, ok bool)
}

// Sticks gives the pictures and PDFs of USB sticks; *stick.Folder is one.
type Sticks interface {
	// List gives what the sticks hold that came after the visit began.
	List(ctx context.Context, visit string, began time.Time) (stick.Listing, error)
	// Take reads a file that was listed for the visit. The caller wipes what it gets.
	Take(ctx context.Context, visit, id string) ([]byte, error)
	// NameOf gives the name of a file that was listed for the visit, safe to show.
	NameOf(visit, id string) string
	// State changes when a stick comes or goes.
	State() string
}

// Account is a bank account that takes fees by VietQR.
type Account struct {
	BIN    string // the bank's six digits at NAPAS
	Number string
	Name   string
	Bank   string // its name for people
}

// helping is how long a visit is held, covered, after a call for help: a volunteer walks over meanwhile.
const helping = 5 * time.Minute

// Run ends visits that fell silent until ctx ends, then breaks off what is under way and wipes every visit.
func (s *Host) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.Sweep()
		case <-s.forgetting:
			if s.Options.Forget != nil {
				s.Options.Forget()
			}
		case <-ctx.Done():
			err := s.BreakOff()
			s.Sessions.wipeAll()
			return err
		}
	}
}

// BreakOff ends what is under way and waits for it; the visits stay.
func (s *Host) BreakOff() error {
	s.halt()
	return s.jobs.Wait()
}

// Sweep ends what has been silent too long. What a volunteer left open goes back into the line.
func (s *Host) Sweep() {
	now := s.Now()
	for _, sess := range s.Sessions.All() {
		if t := sess.Sitting(); t != nil && sess.Staffed() {
			if left, _ := t.Visit.Silence(now); left == 0 {
				s.HandBack(context.Background(), sess)
			}
		}
	}
	for _, v := range s.Sessions.Visits() {
		if left, _ := v.Visit.Silence(now); left == 0 {
			s.EndVisit(context.Background(), v, "silence")
		}
	}
	s.Sessions.forgetIdle(now)
	s.forgetParked(now)
}

// Note records an act; the log is told where that could not be done.
func (s *Host) Note(e audit.Event) {
	if s.Options.Audit == nil {
		return
	}
	if err := s.Options.Audit(e); err != nil {
		s.Log.Error("audit", "act", string(e.Act), "error", err)
	}
}

// Scanner is the scanner plugged in now, or nil.
func (s *Host) Scanner() Scanner {
	if s.Options.Scanner == nil {
		return nil
	}
	return s.Options.Scanner()
}

// Host keeps the visits and makes their pages. Run must be running for silent visits to end by themselves.
type Host struct {
	Options  Options
	Log      *slog.Logger
	Now      func() time.Time
	Words    *catalogue
	phrases  *phrases
	pages    *pages
	Console  *pages
	Sessions *sessions
	Desk     *portal.Desk  // gives a visit's work to the browser extension
	Uploads  chan struct{} // one is put in while a form with files is read

	forgetting chan struct{} // of one: a visit ended since Forget was called

	Voice    string     // path of espeak-ng, empty without
	Scanning sync.Mutex // held while the scanner is ours
	lost     time.Time  // when a visit could not be taken up again; guarded by sessions.mu

	copyCodes copyCodes

	shown  shown
	lastMu sync.Mutex // guards last
	last   LastReading

	jobs   errgroup.Group // scans and readings; Run waits for them
	Ending context.Context
	halt   context.CancelFunc
}

// New builds what the pages stand on; it fails only on a mistake in the program's own templates or catalogues.
func New(o Options) (*Host, error) {
	if o.Procedures == nil || o.Reader == nil || o.Queue == nil {
		return nil, errors.New("web needs Procedures, Reader and Queue")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.DPI == 0 {
		o.DPI = 300
	}
	if o.UploadLimit == 0 {
		o.UploadLimit = 30 << 20
	}
	if o.Citizen == (visit.Limits{}) {
		o.Citizen = visit.Limits{Silence: 90 * time.Second, Warning: 30 * time.Second}
	}
	if o.Citizen.Helping == 0 {
		o.Citizen.Helping = helping
	}
	if o.Helped == (visit.Limits{}) {
		o.Helped = visit.Limits{Silence: 10 * time.Minute, Warning: time.Minute}
	}
	s := &Host{Options: o, Log: o.Log, Now: o.Clock, Sessions: newSessions(), Voice: voice(),
		Uploads: make(chan struct{}, UploadsAtOnce), forgetting: make(chan struct{}, 1)}
	s.Desk = portal.NewDesk(o.Clock, o.Log)
	s.Ending, s.halt = context.WithCancel(context.Background())
	var err error
	if s.Words, err = loadCatalogue(); err != nil {
		return nil, err
	}
	if s.phrases, err = loadPhrases(); err != nil {
		return nil, err
	}
	s.Words.office = o.Ward
	if s.pages, err = loadPages("templates", citizenFunctions(s.Words)); err != nil {
		return nil, err
	}
	if s.Console, err = loadPages("templates/console", consoleFunctions(s.Words, s.phrases)); err != nil {
		return nil, err
	}
	return s, nil
}
