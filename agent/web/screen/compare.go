package screen

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/sign"
	"motcua/agent/staff"
	"motcua/agent/visit"
)

// An officer holds each page of the copies against the original in hand, and signs what is the same. Until it is signed and
// accepted, in one step, the visit is what it was: it lies in its draft, with what was compared.

// Signing is what officers sign with at this screen.
type Signing struct {
	// Open opens the token with its PIN; done ends the session. Its errors are *sign.Error.
	Open     func(ctx context.Context, pin string, mark sign.Mark) (s *sign.Signer, done func(), err error)
	Register *sign.Register // numbers for certified copies; nil: none are given
}

// Officers tells whether officers may sign in here.
func (s *Host) Officers() bool { return s.Options.Console.Signing != nil && s.Options.Copies != nil }

// Compared says how far the comparison of a visit's copies is.
type Compared struct {
	Copies []ComparedCopy
	Of     string // names the papers that the copies are of, as they lie
	By     string // sign-in name of the officer
	Ready  bool   // all of it is done, and the officer said so
}

// ComparedCopy is one copy.
type ComparedCopy struct {
	Title string
	Pages []bool // which of its pages were found to be the same as the original's
	Left  bool   // it is sent without a signature
}

// Whole tells whether nothing is left to compare.
func (c Compared) Whole() bool {
	return c.Signed() > 0 && !slices.ContainsFunc(c.Copies,
		func(one ComparedCopy) bool { return !one.Left && slices.Contains(one.Pages, false) })
}

// Signed is how many copies are to be signed.
func (c Compared) Signed() int {
	n := 0
	for _, one := range c.Copies {
		if !one.Left {
			n++
		}
	}
	return n
}

// comparison is a visit's.
type comparison struct {
	making sync.Mutex // held while copies are made

	mu      sync.Mutex // guards the rest
	of      string     // the papers that the copies are of
	copies  []dossier.Copy
	seen    map[[2]int]bool // copy and page, from 0
	left    []int
	by      string
	ready   bool
	since   time.Time // when that was said
	changes int
}

// keptComparison is its part of a draft.
type keptComparison struct {
	Of    string
	Seen  [][2]int
	Left  []int
	By    string
	Ready bool
	Since time.Time `json:",omitzero"`
}

// papersSum names the papers of a visit as they lie: a paper's id never comes again, and its bytes never change.
func papersSum(papers []visit.Paper) string {
	sum := sha256.New()
	for _, p := range papers {
		fmt.Fprintf(sum, "%s %d %d\n", p.ID, p.Turn, p.Size)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// ErrOtherPapers says that the papers are not those that were compared.
var ErrOtherPapers = errors.New("the papers have changed since they were compared")

// Compare gives how far the comparison of a visit is, for this officer. Copies are made where there are none of the papers
// as they lie now; what another officer compared is not taken over.
func (s *Host) Compare(ctx context.Context, t *Table, officer string) (Compared, error) {
	copies, err := s.copiesOf(ctx, t)
	if err != nil {
		return Compared{}, err
	}
	c := &t.compared
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by != officer {
		c.by, c.seen, c.left, c.ready = officer, map[[2]int]bool{}, nil, false
		c.changes++
	}
	out := Compared{Of: c.of, By: c.by, Ready: c.ready}
	for i, one := range copies {
		shown := ComparedCopy{Title: one.Title, Pages: make([]bool, len(one.Pages)), Left: slices.Contains(c.left, i)}
		for p := range shown.Pages {
			shown.Pages[p] = c.seen[[2]int{i, p}]
		}
		out.Copies = append(out.Copies, shown)
	}
	return out, nil
}

// copiesOf gives the copies of the papers as they lie now.
func (s *Host) copiesOf(ctx context.Context, t *Table) (copies []dossier.Copy, err error) {
	c := &t.compared
	c.making.Lock()
	defer c.making.Unlock()
	err = t.Visit.Use(func(papers []visit.Paper) error {
		of := papersSum(papers)
		c.mu.Lock()
		known, same := c.copies, c.of == of
		c.mu.Unlock()
		if same && known != nil {
			copies = known
			return nil
		}
		made, err := s.Options.Copies(ctx, papers, s.Now())
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !same {
			c.seen, c.left, c.ready = map[[2]int]bool{}, nil, false
			c.changes++
		}
		c.of, c.copies, copies = of, made, made
		return nil
	})
	return copies, err
}

// CopyPage draws a page of a copy, as it will be signed; both are counted from 0.
func (s *Host) CopyPage(ctx context.Context, t *Table, n, page, width int) ([]byte, error) {
	copies, err := s.copiesOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if n < 0 || n >= len(copies) {
		return nil, visit.ErrNoPaper
	}
	t.compared.mu.Lock()
	key := fmt.Sprintf("copy/%s/%d/%d/%d", t.compared.of, n, page, width)
	t.compared.mu.Unlock()
	return t.Pictures.Get(key, func() ([]byte, error) { return s.Options.Reader.Preview(ctx, copies[n].Data, page+1, width) })
}

// SamePage notes that a page is as the original, of the papers that of names: of others nothing is noted.
func (t *Table) SamePage(of string, n, page int) {
	t.compared.change(func(c *comparison) {
		if c.of == of {
			c.seen[[2]int{n, page}] = true
		}
	})
}

// LeaveCopy notes that a copy is sent unsigned, or that it is signed after all; likewise.
func (t *Table) LeaveCopy(of string, n int, left bool) {
	t.compared.change(func(c *comparison) {
		if c.of != of {
			return
		}
		c.left = slices.DeleteFunc(c.left, func(i int) bool { return i == n })
		if left {
			c.left = append(c.left, n)
		}
	})
}

// ReadyToSign notes that all was compared.
func (t *Table) ReadyToSign(now time.Time) {
	t.compared.change(func(c *comparison) { c.ready, c.since = true, now })
}

// opened notes that somebody works on a visit that waited: whether it may be signed is said anew.
func (t *Table) opened() {
	if t.Compared() {
		t.compared.change(func(*comparison) {})
	}
}

// Signable tells whether an officer has compared all of a visit.
func (t *Table) Signable(officer string) bool {
	t.compared.mu.Lock()
	defer t.compared.mu.Unlock()
	return t.compared.ready && t.compared.by == officer
}

// Compared tells whether a visit only waits for an officer's PIN.
func (t *Table) Compared() bool {
	t.compared.mu.Lock()
	defer t.compared.mu.Unlock()
	return t.compared.ready
}

func (c *comparison) change(f func(*comparison)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[[2]int]bool{}
	}
	c.ready = false
	c.changes++
	f(c)
}

func (c *comparison) kept() (*keptComparison, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == "" {
		return nil, c.changes
	}
	k := &keptComparison{Of: c.of, Left: slices.Clone(c.left), By: c.by, Ready: c.ready, Since: c.since}
	for at, same := range c.seen {
		if same {
			k.Seen = append(k.Seen, at)
		}
	}
	return k, c.changes
}

func (c *comparison) take(k *keptComparison) {
	if k == nil {
		return
	}
	c.of, c.left, c.by, c.ready, c.since, c.seen = k.Of, k.Left, k.By, k.Ready, k.Since, map[[2]int]bool{}
	for _, at := range k.Seen {
		c.seen[at] = true
	}
}

func (c *comparison) wipe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.copies {
		clear(one.Data)
	}
	c.copies = nil
}

// Office is where this kiosk stands.
func (s *Host) Office() counter.Office {
	return counter.Office{Ward: s.Options.Ward, Kiosk: s.Options.Kiosk, Form: s.Options.Form, Copies: s.Options.Copies}
}

// Certify signs the copies that an officer compared and hands the submission in: both or neither; the signer has no number
// yet, and lang is that of the consent. The visit stands on its receipt afterwards. It fails as counter.Office.Submit does, with the
// signer's own errors, and
// with ErrOtherPapers.
func (s *Host) Certify(ctx context.Context, t *Table, signer *sign.Signer, m staff.Member, lang string) error {
	state := t.Visit.State()
	proc := s.ProcedureOf(state)
	if proc == nil || !t.Signable(m.Name) {
		return ErrOtherPapers
	}
	copies, err := s.copiesOf(ctx, t)
	if err != nil {
		return err
	}
	c := counter.Certification{Signer: signer, Register: s.Options.Console.Signing.Register, Submission: t.Visit.ID, Officer: m.Name,
		Numbered: proc.Topic == procedure.Certify}
	t.compared.mu.Lock()
	of, left := t.compared.of, slices.Clone(t.compared.left)
	t.compared.mu.Unlock()
	_ = t.Visit.Note(s.Now(), Facts(state, proc)) // refused where it was sent already
	office, signed := s.Office(), 0
	office.Certified = true
	office.Copies = func(ctx context.Context, papers []visit.Paper, now time.Time) ([]dossier.Copy, error) {
		if papersSum(papers) != of || !t.Signable(m.Name) {
			return nil, ErrOtherPapers
		}
		signed = len(copies) - len(left)
		return c.Sign(ctx, copies, left, now)
	}
	accepted, err := office.Submit(ctx, s.Options.Queue, t.Visit, proc, s.Consent(lang), s.Now())
	if err != nil {
		return err
	}
	t.compared.wipe()
	s.Log.Info("submission accepted", "visit", state.ID, "submission", accepted.ID, "signed", signed)
	s.Note(audit.Event{Actor: Actor(m), Act: audit.SubmissionAccepted, Submission: accepted.ID, Procedure: proc.Code})
	s.Note(audit.Event{Actor: Actor(m), Act: audit.CopiesSigned, Submission: accepted.ID, Procedure: proc.Code, Reason: fmt.Sprint(signed)})
	return nil
}

// Signed is what became of one submission at a signing.
type Signed struct {
	Who   string
	What  string
	Code  string // empty: it was not signed
	Count int    // of copies
}

// SignedLast are the submissions that this session signed last.
func (s *Session) SignedLast() []Signed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.signed)
}

// KeepSigned keeps them for the page that tells of them.
func (s *Session) KeepSigned(all []Signed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = all
}

// LineUp puts a visit that was taken out of the line back.
func (s *Host) LineUp(t *Table) {
	s.Sessions.enqueue(t)
	s.Keep(t, nil)
}
