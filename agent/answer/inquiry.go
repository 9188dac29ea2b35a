package answer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What an inquiry may be refused with.
var (
	// ErrNoMatch is given alike for a code that nobody has, for a wrong year, and for a dossier without a year.
	ErrNoMatch = errors.New("no dossier of this code and year of birth")
	// ErrTooMany asks to wait, or to ask at the counter.
	ErrTooMany = errors.New("too many inquiries")
)

// Against guessing. A code that was lost leaves about eighty years of birth to try.
const (
	inquiryBurst   = 8                // inquiries at this screen at once
	inquiryEvery   = 15 * time.Second // and then one in so long
	wrongPerCode   = 5                // wrong years for a code, whether anybody has it or not
	wrongForget    = 24 * time.Hour   // then the code may be asked for again
	wrongCodesMost = 10_000           // codes remembered
	inquiryTakes   = 800 * time.Millisecond
)

// Inquiry lets citizens ask where their dossier stands, by receipt code and year of birth.
type Inquiry struct {
	store  *Store
	now    func() time.Time
	screen *rate.Limiter

	mu    sync.Mutex // guards wrong
	wrong map[string]tries
}

// tries are wrong years that were given for a code.
type tries struct {
	n    int
	last time.Time
}

// NewInquiry asks a store; now is the clock.
func NewInquiry(store *Store, now func() time.Time) *Inquiry {
	return &Inquiry{store: store, now: now, screen: rate.NewLimiter(rate.Every(inquiryEvery), inquiryBurst), wrong: map[string]tries{}}
}

// Ask gives the record of a receipt code (as queue.ParseCode gives it) if one to whom it may be told was born in the year.
// Every call takes the same time, whatever comes out: ErrNoMatch, ErrTooMany, or the store's own error.
func (q *Inquiry) Ask(ctx context.Context, code string, year int) (Record, error) {
	end := time.NewTimer(inquiryTakes)
	defer end.Stop()
	r, err := q.ask(code, year)
	select {
	case <-end.C:
	case <-ctx.Done():
		return Record{}, ctx.Err()
	}
	return r, err
}

func (q *Inquiry) ask(code string, year int) (Record, error) {
	now := q.now()
	if !q.screen.AllowN(now, 1) || q.spent(code, now) {
		return Record{}, ErrTooMany
	}
	r, err := q.store.ByCode(code)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Record{}, err
	}
	if err != nil || !slices.Contains(r.Born, year) {
		q.count(code, now)
		return Record{}, ErrNoMatch
	}
	return r, nil
}

// spent reports whether too many wrong years were given for a code.
func (q *Inquiry) spent(code string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.wrong[code]
	return t.n >= wrongPerCode && now.Sub(t.last) < wrongForget
}

func (q *Inquiry) count(code string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.wrong) >= wrongCodesMost {
		clear(q.wrong) // at the screen's pace that takes two days
	}
	t := q.wrong[code]
	if now.Sub(t.last) >= wrongForget {
		t.n = 0
	}
	q.wrong[code] = tries{t.n + 1, now}
}

// Stands tells how the office answered a dossier, for the report.
func (q *Inquiry) Stands(submission string) (State, time.Time, bool) {
	return q.store.Stands(submission)
}

// Result gives a dossier's result, ErrUnknown where it is not here.
func (q *Inquiry) Result(submission string) (File, []byte, error) { return q.store.Result(submission) }

// Wipe destroys a result that was handed over.
func (q *Inquiry) Wipe(submission, sum string, now time.Time) error {
	return q.store.Wipe(submission, sum, now)
}
