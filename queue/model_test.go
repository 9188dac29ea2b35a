package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestModel drives a queue through random steps, with restarts between, beside a model of a few
// lines, and holds the two against each other after every step.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(shm(), "model")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := &model{dir: dir, subs: map[string]*modelled{}, hub: &hub{}, now: time.Unix(1_800_000_000, 0)}
		defer func() { m.q.Close() }()
		m.open(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"enqueue": m.enqueue,
			"claim":   m.claim,
			"settle":  m.settle,
			"retry":   m.retry,
			"drop":    m.drop,
			"sweep":   m.sweep,
			"wait":    m.wait,
			"restart": func(rt *rapid.T) { m.q.Close(); m.restart(rt) },
			"rekey":   m.rekey,
		})
	})
}

func shm() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}

// modelled is what the model knows of a submission.
type modelled struct {
	order    int
	code     string
	state    State
	attempts int
	waits    bool
	at       time.Time // delivered
	wiped    bool
	note     string
}

type model struct {
	dir  string
	q    *Queue
	hub  *hub
	now  time.Time
	subs map[string]*modelled
	next int
	sent []*record // claimed and not yet settled
	gone []string
}

const modelRetention = time.Hour

func (m *model) open(rt *rapid.T) Repairs {
	opened := m.now
	q, repairs, err := Open(context.Background(), m.dir, Options{
		MinFree: -1, Retention: modelRetention, Outbox: true,
		wall: func() time.Time { return m.now }, elapsed: func() time.Duration { return m.now.Sub(opened) },
	})
	if err != nil {
		rt.Fatal(err)
	}
	m.q = q
	return repairs
}

func (m *model) restart(rt *rapid.T) {
	repairs := m.open(rt)
	var sending []string
	for id, s := range m.subs {
		if s.state == Sending {
			sending = append(sending, id)
			s.state = Queued
			s.waits = s.attempts > 1
		}
	}
	slices.Sort(sending)
	slices.Sort(repairs.Requeued)
	if !slices.Equal(sending, repairs.Requeued) || len(repairs.SetAside) > 0 || repairs.Unfinished > 0 {
		rt.Fatalf("repairs %+v, was sending %v", repairs, sending)
	}
	m.sent = nil
}

func (m *model) pick(rt *rapid.T) string {
	ids := slices.Sorted(maps.Keys(m.subs))
	ids = append(ids, m.gone...)
	if len(ids) == 0 {
		rt.Skip("nothing there")
	}
	return rapid.SampledFrom(ids).Draw(rt, "id")
}

func (m *model) enqueue(rt *rapid.T) {
	id := fmt.Sprintf("S%03d", m.next)
	if rapid.IntRange(0, 3).Draw(rt, "again") == 0 && len(m.subs) > 0 {
		id = rapid.SampledFrom(slices.Sorted(maps.Keys(m.subs))).Draw(rt, "id")
	} else {
		m.next++
	}
	s, err := m.q.Enqueue(context.Background(), draft(id, 0))
	if err != nil {
		rt.Fatal(err)
	}
	if was, ok := m.subs[id]; ok {
		if s.Code != was.code {
			rt.Fatalf("%s got a second receipt", id)
		}
		return
	}
	m.subs[id] = &modelled{order: m.next, code: s.Code, state: Queued}
}

func (m *model) claim(rt *rapid.T) {
	r, _, err := m.q.claim(turn{}, m.q.now())
	if err != nil {
		rt.Fatal(err)
	}
	// Waiting ones may have become due in real time; fresh ones must go oldest first.
	var fresh []*modelled
	for _, s := range m.subs {
		if s.state == Queued && !s.waits {
			fresh = append(fresh, s)
		}
	}
	if r == nil {
		if len(fresh) > 0 {
			rt.Fatalf("%d are due and none was taken", len(fresh))
		}
		return
	}
	s := m.subs[r.ID]
	if s == nil || s.state != Queued {
		rt.Fatalf("claimed %s: %+v", r.ID, s)
	}
	if !s.waits {
		for _, f := range fresh {
			if f.order < s.order {
				rt.Fatalf("claimed %s before an older one", r.ID)
			}
		}
	}
	s.state, s.waits = Sending, false
	s.attempts++
	if s.attempts != r.Attempts {
		rt.Fatalf("attempts %d, want %d", r.Attempts, s.attempts)
	}
	m.sent = append(m.sent, r)
}

func (m *model) settle(rt *rapid.T) {
	if len(m.sent) == 0 {
		rt.Skip("nothing is being sent")
	}
	i := rapid.IntRange(0, len(m.sent)-1).Draw(rt, "which")
	r := m.sent[i]
	m.sent = slices.Delete(m.sent, i, i+1)
	s := m.subs[r.ID]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var cause error
	switch rapid.SampledFrom([]string{"delivered", "held", "failed", "later", "broken off", "note"}).Draw(rt, "end") {
	case "delivered":
		s.state, s.at = Delivered, m.now
		s.note = ""
	case "held":
		cause = Permanent(errors.New("no"))
		s.state = Held
	case "failed":
		cause = errors.New("not now")
		s.state, s.waits = Queued, true
	case "later":
		cause = RetryAfter(errors.New("not now"), time.Hour)
		s.state, s.waits = Queued, true
	case "broken off":
		cancel()
		cause = ctx.Err()
		s.state = Queued
		s.attempts--
	case "note":
		s.note = fmt.Sprint("note ", s.attempts)
		if err := (&note{q: m.q, id: r.ID}).Save(s.note); err != nil {
			rt.Fatal(err)
		}
		cause = errors.New("cut")
		s.state, s.waits = Queued, true
	}
	if err := settled(ctx, m.q, r, cause); err != nil {
		rt.Fatal(err)
	}
}

func (m *model) retry(rt *rapid.T) {
	id := m.pick(rt)
	err := m.q.Retry(context.Background(), id)
	s := m.subs[id]
	switch {
	case s == nil:
		if !errors.Is(err, ErrNotFound) {
			rt.Fatal(err)
		}
	case s.wiped:
		if !errors.Is(err, ErrWiped) {
			rt.Fatal(err)
		}
	case err != nil:
		rt.Fatal(err)
	case s.state == Held, s.state == Delivered:
		s.state, s.attempts = Queued, 0
	default:
		s.waits = false
	}
}

func (m *model) drop(rt *rapid.T) {
	id := m.pick(rt)
	err := m.q.Drop(context.Background(), id)
	s := m.subs[id]
	switch {
	case s == nil:
		if !errors.Is(err, ErrNotFound) {
			rt.Fatal(err)
		}
	case s.state == Sending:
		if !errors.Is(err, ErrState) {
			rt.Fatal(err)
		}
	case err != nil:
		rt.Fatal(err)
	default:
		delete(m.subs, id)
		m.gone = append(m.gone, id)
	}
}

func (m *model) sweep(rt *rapid.T) {
	want := 0
	for _, s := range m.subs {
		if s.state == Delivered && !s.wiped && !s.at.Add(modelRetention).After(m.now) {
			s.wiped = true
			want++
		}
	}
	if n, err := m.q.Sweep(context.Background()); err != nil || n != want {
		rt.Fatal(n, want, err)
	}
}

func (m *model) wait(rt *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
}

func (m *model) rekey(rt *rapid.T) {
	want := 0
	for _, s := range m.subs {
		if !s.wiped {
			want++
		}
	}
	if n, err := m.q.Rekey(context.Background(), nil); err != nil || n != want {
		rt.Fatal(n, want, err)
	}
}

func (m *model) check(rt *rapid.T) {
	list, err := m.q.List(Filter{})
	if err != nil {
		rt.Fatal(err)
	}
	if len(list) != len(m.subs) {
		rt.Fatalf("%d submissions, want %d", len(list), len(m.subs))
	}
	last := 0
	count := map[State]int64{}
	for _, got := range list {
		want := m.subs[got.ID]
		if want == nil {
			rt.Fatalf("%s is not gone", got.ID)
		}
		if want.order <= last {
			rt.Fatalf("%s is out of order", got.ID)
		}
		last = want.order
		count[want.state]++
		if got.State != want.state || got.Attempts != want.attempts || got.Wiped != want.wiped || got.Code != want.code ||
			got.NextAttempt.IsZero() == want.waits {
			rt.Fatalf("got %+v\nwant %+v", got, want)
		}
		if by, err := m.q.Get(got.Code); err != nil || by.ID != got.ID {
			rt.Fatal(by.ID, err)
		}
		text, err := (&note{q: m.q, id: got.ID}).Load()
		if err != nil || text != want.note {
			rt.Fatalf("note %q, want %q (%v)", text, want.note, err)
		}
	}
	s, err := m.q.Stats()
	if err != nil {
		rt.Fatal(err)
	}
	for _, state := range []State{Queued, Sending, Delivered, Held} {
		if s.Count[state] != count[state] {
			rt.Fatalf("counter %s is %d, want %d", state, s.Count[state], count[state])
		}
	}
	v, err := m.q.Verify(context.Background())
	if err != nil || len(v.Faults) > 0 {
		rt.Fatalf("%+v %v", v, err)
	}
}
