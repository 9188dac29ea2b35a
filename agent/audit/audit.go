// Package audit keeps the daemon's log of who did what and when, chained by hash: every entry holds
// the SHA-256 of the one before it, so that an entry changed, removed or put in later breaks the chain
// at a place Verify names (TCVN ISO 9001:2015, 7.5.3: records are protected from alteration).
//
// In go Events; out come lines of JSON in <dir>/audit-YYYY-MM.jsonl, one file a month, the chain running
// on from file to file. An Event has no free text: what it can hold are ids, codes and field names,
// never a value a citizen gave. What Append returned without error is on the disk.
//
// A chain alone can't show that its end was cut off. Head gives the newest sequence number and hash to
// be kept elsewhere (the daily report prints it), and Verify takes it back as what must be there.
package audit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Act is what was done, as a stable code.
type Act string

// The acts that are recorded.
const (
	VisitBegan          Act = "visit.began"
	VisitEnded          Act = "visit.ended"   // Reason: finished, left, silence, taken-over
	VisitParked         Act = "visit.parked"  // is kept for later, by the person's consent
	VisitResumed        Act = "visit.resumed" // by its code
	VisitUnparked       Act = "visit.unparked"
	ConsentGiven        Act = "consent.given"
	PaperRead           Act = "paper.read"          // Reason: the kind of paper
	FieldsCorrected     Act = "fields.corrected"    // Fields: which, never to what
	SubmissionAccepted  Act = "submission.accepted" // Submission, Procedure
	CopiesSigned        Act = "copies.signed"       // by an officer at a kiosk; Submission, Reason: how many
	SubmissionOffered   Act = "submission.offered"  // is about to be accepted: what can't be noted is not
	SubmissionTakenIn   Act = "submission.taken-in" // was set aside, see motcua queue found
	SubmissionHeld      Act = "submission.held"
	SubmissionDone      Act = "submission.delivered"
	SubmissionRetried   Act = "submission.retried"
	SubmissionDropped   Act = "submission.dropped"
	SubmissionExported  Act = "submission.exported"
	HelpCalled          Act = "help.called"
	HelpTaken           Act = "help.taken"
	SignedIn            Act = "staff.signed-in"
	SignInFailed        Act = "staff.sign-in-failed"
	SignedOut           Act = "staff.signed-out"
	StaffLocked         Act = "staff.locked"
	StaffChanged        Act = "staff.changed" // Reason: added, removed, pin-changed, unlocked
	ConfigChanged       Act = "config.changed"
	ProceduresUpdated   Act = "procedures.updated"
	DiagnosticsTaken    Act = "diagnostics.taken"
	DaemonStarted       Act = "daemon.started"
	DaemonStopped       Act = "daemon.stopped"
	DossierFiled        Act = "dossier.filed"
	DossierUnsealed     Act = "dossier.unsealed"     // with a key that the desk was given later
	DossierSupplemented Act = "dossier.supplemented" // more papers came to one
	DossierOpened       Act = "dossier.opened"       // an officer looked at it
	DossierAnswered     Act = "dossier.answered"     // Reason: the state and the dossier's revision, "needs-more/3"
	DossierAttached     Act = "dossier.attached"     // Reason: "file/" and the revision
	DossierSigned       Act = "dossier.signed"
	DossierWiped        Act = "dossier.wiped"     // its time was over
	DossiersExported    Act = "dossiers.exported" // Reason: which day
	DossierAsked        Act = "dossier.asked"     // a citizen looked up where it stands
	ResultShown         Act = "result.shown"      // at a kiosk
	ResultWiped         Act = "result.wiped"      // from a kiosk, its citizen has it
	ResultOffered       Act = "result.offered"    // again, which a kiosk had told as handed over; Reason: the kiosk's name
	KioskRevoked        Act = "kiosk.revoked"     // Reason: the kiosk's name
	KioskAllowed        Act = "kiosk.allowed"     // let in again, or given another key; Reason: the kiosk's name
	RequestRefused      Act = "request.refused"   // Reason: origin, host, csrf, role
	LogRepaired         Act = "audit.repaired"    // a line torn by power loss was cut off
	LogBroken           Act = "audit.broken"      // at a start the log was not what had been kept of it
)

// Event is what the caller knows of an act. Every member is an id or a code.
type Event struct {
	Actor      string   `json:"actor"` // "citizen", "system", or role and sign-in name: "volunteer:hoa"
	Act        Act      `json:"act"`
	Visit      string   `json:"visit,omitempty"`
	Submission string   `json:"submission,omitempty"`
	Procedure  string   `json:"procedure,omitempty"`
	Fields     []string `json:"fields,omitempty"` // names of form fields
	Reason     string   `json:"reason,omitempty"` // a code of the act's own list
}

// code is what the members of an Event may look like. It keeps names, addresses and numbers of
// citizens out by form: no spaces, no diacritics, and no run of nine digits or more.
var (
	code      = regexp.MustCompile(`^[A-Za-z0-9._:/@-]{0,64}$`)
	longDigit = regexp.MustCompile(`[0-9]{9}`)
)

// ErrNotACode is returned for an Event that holds something other than ids and codes.
var ErrNotACode = errors.New("audit: an event holds ids and codes only")

func (e Event) check() error {
	members := append([]string{e.Actor, string(e.Act), e.Procedure, e.Reason}, e.Fields...)
	for _, m := range members {
		if !code.MatchString(m) || longDigit.MatchString(m) {
			return ErrNotACode // without the offending text: it may be personal
		}
	}
	if !code.MatchString(e.Visit) || !code.MatchString(e.Submission) {
		return ErrNotACode
	}
	if e.Actor == "" || e.Act == "" {
		return fmt.Errorf("%w: actor and act must be given", ErrNotACode)
	}
	return nil
}

// Entry is one recorded Event.
type Entry struct {
	Seq  uint64    `json:"seq"` // 1, 2, 3, … over all files
	Time time.Time `json:"time"`
	Event
	Prev string `json:"prev"` // hash of the entry before; zeros for the first
	Hash string `json:"hash"` // SHA-256, lower-case hex, of this entry with an empty hash
}

func (e Entry) sum() string {
	e.Hash = ""
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings, numbers and a time always marshal
	}
	digest := sha256.Sum256(line)
	return hex.EncodeToString(digest[:])
}

// Head names the newest entry, as "SEQ:HASH" in text.
type Head struct {
	Seq  uint64
	Hash string
}

// String is the form that ParseHead reads.
func (h Head) String() string { return strconv.FormatUint(h.Seq, 10) + ":" + h.Hash }

// ParseHead reads "SEQ:HASH".
func ParseHead(text string) (Head, error) {
	seq, hash, ok := strings.Cut(strings.TrimSpace(text), ":")
	n, err := strconv.ParseUint(seq, 10, 64)
	if raw, e := hex.DecodeString(hash); !ok || err != nil || e != nil || len(raw) != sha256.Size {
		return Head{}, fmt.Errorf("audit head %q: want NUMBER:SHA256, as `motcua audit verify` prints it", text)
	}
	return Head{n, hash}, nil
}

var origin = Head{0, strings.Repeat("0", 2*sha256.Size)}

// Log is an open audit log. It is safe for concurrent use.
type Log struct {
	dir  string
	now  func() time.Time
	lock *os.File

	mu   sync.Mutex // guards what follows
	file *os.File
	name string
	head Head
	last time.Time
}

// Open opens the log in dir, making it if need be. A last line torn by a power loss is cut off, and the
// log says so in its next entry. It fails if another process has the log open.
func Open(dir string, now func() time.Time) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("open audit log: another process writes it: %w", err)
	}
	l := &Log{dir: dir, now: now, lock: lock, head: origin}
	torn, err := l.resume()
	if err != nil {
		_ = l.Close() // nothing was written by it
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	if torn {
		if err := l.Append(Event{Actor: "system", Act: LogRepaired}); err != nil {
			_ = l.Close() // that it can't write is told
			return nil, err
		}
	}
	return l, nil
}

// resume finds the head in the newest file that has an entry, and cuts off a torn last line.
func (l *Log) resume() (torn bool, err error) {
	names, err := files(l.dir)
	if err != nil {
		return false, err
	}
	for _, name := range slices.Backward(names) {
		path := filepath.Join(l.dir, name)
		data, whole, err := lastLine(path)
		if err != nil {
			return false, err
		}
		if whole >= 0 {
			if err := os.Truncate(path, whole); err != nil {
				return false, fmt.Errorf("cut torn line: %w", err)
			}
			torn = true
		}
		if data == nil {
			continue
		}
		var e Entry
		if err := json.Unmarshal(data, &e); err != nil {
			return false, fmt.Errorf("%s: last line is not an entry; run `motcua audit verify`: %w", name, err)
		}
		l.head, l.last = Head{e.Seq, e.Hash}, e.Time
		return torn, nil
	}
	return torn, nil
}

// lastLine gives the last whole line of a file (nil if there is none), and in whole the length to cut the
// file to if something torn follows it (-1 if nothing does). It reads from the end: a month's file may
// be large, and the daemon must start quickly.
func lastLine(path string) (line []byte, whole int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	size := info.Size()
	tail := make([]byte, min(size, 64<<10)) // an entry is under 2 kB
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	end := bytes.LastIndexByte(tail, '\n')
	whole = -1
	if end != len(tail)-1 {
		whole = size - int64(len(tail)) + int64(end) + 1
	}
	if end < 0 {
		return nil, whole, nil
	}
	start := bytes.LastIndexByte(tail[:end], '\n') + 1
	return tail[start:end], whole, nil
}

func files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "audit-") && strings.HasSuffix(e.Name(), ".jsonl") {
			names = append(names, e.Name())
		}
	}
	return names, nil // ReadDir sorts, and the names sort by month
}

// Append records an event. When it returns nil the entry is on the disk.
func (l *Log) Append(ev Event) error {
	if err := ev.check(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UTC().Truncate(time.Millisecond)
	if now.Before(l.last) {
		now = l.last // a clock set back must not send the chain to an older file
	}
	if err := l.month(now); err != nil {
		return fmt.Errorf("append to audit log: %w", err)
	}
	e := Entry{Seq: l.head.Seq + 1, Time: now, Event: ev, Prev: l.head.Hash}
	e.Hash = e.sum()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("append to audit log: %w", err)
	}
	size, err := l.file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("append to audit log: %w", err)
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		_ = l.file.Truncate(size) // a full disk must not leave half a line in the middle of the file
		return fmt.Errorf("append to audit log: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("append to audit log: %w", err)
	}
	l.head, l.last = Head{e.Seq, e.Hash}, now
	return nil
}

// Noted tells whether an event that is made once, such as one with a revision in its Reason, stands in the log: whoever
// could not see the end of Append asks before appending again. It looks through the two newest months.
func (l *Log) Noted(ev Event) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	want, err := json.Marshal(ev)
	if err != nil {
		return false, err
	}
	names, err := files(l.dir)
	if err != nil {
		return false, fmt.Errorf("look into audit log: %w", err)
	}
	for _, name := range names[max(0, len(names)-2):] {
		found, err := notedIn(filepath.Join(l.dir, name), want)
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

func notedIn(path string, want []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("look into audit log: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e Entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		if have, err := json.Marshal(e.Event); err == nil && bytes.Equal(have, want) {
			return true, nil
		}
	}
	return false, lines.Err()
}

// month opens the file of a time's month, if it isn't the one that is open.
func (l *Log) month(t time.Time) error {
	name := "audit-" + t.Format("2006-01") + ".jsonl"
	if name == l.name {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(l.dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	dir, err := os.Open(l.dir)
	if err == nil {
		err = dir.Sync()
		dir.Close()
	}
	if err != nil {
		f.Close()
		return err
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.name = f, name
	return nil
}

// Head names the newest entry.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// Close gives the log free for another process.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.file != nil {
		err = l.file.Close()
		l.file, l.name = nil, ""
	}
	return errors.Join(err, l.lock.Close())
}

// Break is where the chain does not hold.
type Break struct {
	File string
	Line int
	Seq  uint64 // as far as it can be read
	Why  string
}

func (b *Break) Error() string {
	return fmt.Sprintf("audit log broken at %s line %d (entry %d): %s", b.File, b.Line, b.Seq, b.Why)
}

// Verify walks the whole chain in dir, calling each (if not nil) for every entry that holds. Old months may have been moved
// away whole: the chain is then checked from the first entry that is there. known, if not nil, must be in
// the chain. The error is a *Break where the chain doesn't hold.
func Verify(ctx context.Context, dir string, known *Head, each func(Entry)) (first, last Head, err error) {
	names, err := files(dir)
	if err != nil {
		return Head{}, Head{}, fmt.Errorf("verify audit log: %w", err)
	}
	c := chain{last: origin, known: known, met: known == nil || *known == origin, each: each}
	for _, name := range names {
		if err := c.file(ctx, dir, name); err != nil {
			return c.first, c.last, err
		}
	}
	if !c.met {
		return c.first, c.last, &Break{File: strings.Join(names, " "), Seq: c.last.Seq,
			Why: fmt.Sprintf("entry %d, which was noted, is not there: the end was cut off", known.Seq)}
	}
	return c.first, c.last, nil
}

// chain is how far a log was verified.
type chain struct {
	first, last Head
	known       *Head // noted elsewhere, or nil
	met         bool  // known was found
	each        func(Entry)
}

// file verifies one file's lines, which go on from the file before.
func (c *chain) file(ctx context.Context, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("verify audit log: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if e, why := c.link(lines.Bytes()); why != "" {
			return &Break{File: name, Line: n, Seq: e.Seq, Why: why}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("verify audit log: read %s: %w", name, err)
	}
	return nil
}

// link takes the next line; why says what is wrong with it.
func (c *chain) link(text []byte) (e Entry, why string) {
	begins := c.first == Head{}
	switch err := json.Unmarshal(text, &e); {
	case err != nil:
		return e, "the line is not an entry"
	case e.sum() != e.Hash:
		return e, "the entry was changed after it was written"
	case begins && e.Seq == 1 && e.Prev != origin.Hash:
		return e, "the first entry names one before it"
	case !begins && (e.Seq != c.last.Seq+1 || e.Prev != c.last.Hash):
		return e, fmt.Sprintf("entry %d should follow: one was taken out, put in or put elsewhere", c.last.Seq+1)
	case c.known != nil && e.Seq == c.known.Seq && e.Hash != c.known.Hash:
		return e, "the chain was written anew: its hash is not the one that was noted"
	}
	c.last = Head{e.Seq, e.Hash}
	if begins {
		c.first = c.last
	}
	c.met = c.met || c.last == *c.known
	if c.each != nil {
		c.each(e)
	}
	return e, ""
}
