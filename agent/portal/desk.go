package portal

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"time"
)

// How a code may be used. Eight digits, ended after five minutes or five wrong tries of anybody: a stranger who
// guesses has less than one chance in a million a visit.
const (
	CodeDigits = 8
	CodeLife   = 5 * time.Minute
	MaxTries   = 5
)

// The reasons to give nothing out.
var (
	ErrCode  = errors.New("no such code")
	ErrTries = errors.New("too many wrong codes")
)

// Desk gives a visit's work to whoever names the code on the kiosk's screen. One code is open at a time, works once,
// and gives the work as it is when the code is named. It is safe for use by several goroutines.
type Desk struct {
	now func() time.Time
	log *slog.Logger

	mu    sync.Mutex // guards everything below
	code  string
	visit string
	made  time.Time
	job   Job
	tries int
	token string   // of the work that was given out last
	last  string   // its procedure
	pages []string // those of its map: only of these may it be told that they changed
	here  func(acted bool) time.Duration

	changes []Change // the newest of each page of a map
}

// NewDesk makes a desk; now is the clock, log may be nil.
func NewDesk(now func() time.Time, log *slog.Logger) *Desk { return &Desk{now: now, log: log} }

// Job is what a code stands for.
type Job struct {
	Work func() (Work, error) // the visit's answers and papers, as they are when the code is named
	// Here is told every few seconds that the kiosk's own browser shows the portal, and whether the person did something there since.
	// It says how long the visit is still held, 0 when it is over. It may be nil.
	Here func(acted bool) time.Duration
}

// Offer opens a new code for a visit. Codes from before end.
func (d *Desk) Offer(visit string, job Job) (string, error) {
	top := new(big.Int).Exp(big.NewInt(10), big.NewInt(CodeDigits), nil)
	n, err := rand.Int(rand.Reader, top)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.code, d.visit, d.job, d.made, d.tries = fmt.Sprintf("%0*d", CodeDigits, n), visit, job, d.now(), 0
	return d.code, nil
}

// Close ends the code of a visit, when that is over.
func (d *Desk) Close(visit string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.visit == visit {
		d.code, d.visit, d.job = "", "", Job{}
	}
}

// Claim gives the work for the code, once. It fails with ErrCode, or with ErrTries where it was guessed at.
func (d *Desk) Claim(code string) (Work, error) {
	d.mu.Lock()
	job := d.job
	if d.code == "" || d.now().Sub(d.made) > CodeLife {
		d.code, d.visit, d.job = "", "", Job{}
		d.mu.Unlock()
		return Work{}, ErrCode
	}
	if subtle.ConstantTimeCompare([]byte(code), []byte(d.code)) != 1 {
		d.tries++
		defer d.mu.Unlock()
		if d.tries >= MaxTries {
			d.code, d.visit, d.job = "", "", Job{}
			return Work{}, ErrTries
		}
		return Work{}, ErrCode
	}
	d.code, d.visit, d.job = "", "", Job{}
	d.mu.Unlock()

	w, err := job.Work()
	if err != nil {
		return Work{}, err
	}
	w.Token = rand.Text()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.token, d.last, d.here, d.pages = w.Token, w.Procedure, job.Here, nil
	for _, p := range w.Pages {
		d.pages = append(d.pages, p.ID)
	}
	return w, nil
}

// changed notes that a page of the work that a token was given out for is not as its map knows it. ok is false where the work has no such
// page: what isn't known can't have changed, and names that a browser makes up would fill the memory. news is false where that page was
// last seen the same way.
func (d *Desk) changed(token string, c *Change) (news, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) != 1 || !slices.Contains(d.pages, c.Page) {
		return false, false
	}
	c.Procedure, c.Seen, news = d.last, d.now(), true
	d.changes = slices.DeleteFunc(d.changes, func(o Change) bool {
		same := o.Procedure == c.Procedure && o.Page == c.Page
		news = news && !(same && slices.Equal(o.Unknown, c.Unknown) && slices.Equal(o.Lost, c.Lost))
		return same
	})
	d.changes = append(d.changes, *c)
	return news, true
}

// Here tells the visit of a token that the kiosk's own browser shows the portal, and gives how long it is still held; 0 when it is over.
func (d *Desk) Here(token string, acted bool) time.Duration {
	d.mu.Lock()
	here := d.here
	if d.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) != 1 {
		here = nil
	}
	d.mu.Unlock()
	if here == nil {
		return 0
	}
	return here(acted)
}
