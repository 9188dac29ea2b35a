package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sinkFunc makes a sink of a function.
type sinkFunc func(ctx context.Context, s Submission, b Bundle, n Notes) error

func (sinkFunc) Probe(context.Context) error { return nil }

func (f sinkFunc) Deliver(ctx context.Context, s Submission, b Bundle, n Notes) error {
	return f(ctx, s, b, n)
}

// running runs a queue inside a synctest bubble until the returned function is called.
func running(t *testing.T, q *Queue, sink Sink) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx, sink) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{})
		mustEnqueue(t, q, draft("A", 0))
		start := time.Now()
		var tries []time.Duration
		defer running(t, q, sinkFunc(func(context.Context, Submission, Bundle, Notes) error {
			tries = append(tries, time.Since(start))
			if len(tries) < 3 {
				return RetryAfter(errors.New("429 slow down"), 90*time.Second)
			}
			return nil
		}))()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(tries) != 3 || tries[1] < 90*time.Second || tries[1] > 92*time.Second || tries[2]-tries[1] < 90*time.Second {
			t.Fatal(tries)
		}
		mustState(t, q, "A", Delivered)
	})
}

func TestDelaysGrowAndAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{RetryFirst: 2 * time.Second, RetryMax: time.Minute})
		mustEnqueue(t, q, draft("A", 0))
		var tries []time.Time
		defer running(t, q, sinkFunc(func(context.Context, Submission, Bundle, Notes) error {
			tries = append(tries, time.Now())
			return errors.New("502 bad gateway")
		}))()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		for i := range min(len(tries)-1, 10) {
			want := min(time.Duration(2<<i)*time.Second, time.Minute)
			if got := tries[i+1].Sub(tries[i]); got < want/2 || got > want+2*time.Millisecond {
				t.Errorf("delay %d is %v, want %v to %v", i+1, got, want/2, want)
			}
		}
		if len(tries) < 20 {
			t.Errorf("%d tries", len(tries))
		}
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{Parallel: 1})
		const n = 30
		for i := range n {
			mustEnqueue(t, q, draft(fmt.Sprintf("%02d", i), 0))
		}
		h := &hub{fail: func(Submission) error { return errors.New("connection refused") }}
		defer running(t, q, h)()
		time.Sleep(time.Hour)
		synctest.Wait()
		h.mu.Lock()
		calls := h.calls
		h.fail = nil
		h.mu.Unlock()
		// 3 to open it, then one try after 5, 10, … 300 seconds: a hub that is down is not hammered by 30 submissions.
		if calls < 12 || calls > 35 {
			t.Errorf("%d tries in an hour", calls)
		}
		if s, err := q.Stats(); err != nil || s.Paused.IsZero() {
			t.Error("stats don't tell of the pause")
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if len(h.order) != n {
			t.Errorf("%d of %d arrived after the hub came back", len(h.order), n)
		}
	})
}

// TestOneProbeAtATime: what was under way when the hub was given up ends, in one way or another, while the one try is made that
// decides; that begins no second one.
func TestOneProbeAtATime(t *testing.T) {
	const opening = 2 * time.Second // what is tried until then fails at once; the first probe comes later
	for name, ends := range map[string]func() error{
		"fails":           func() error { return errors.New("connection reset") },
		"the drive fails": func() error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := mustOpen(t, memoryDir(t), Options{Parallel: 4})
				for i := range 12 {
					mustEnqueue(t, q, draft(fmt.Sprintf("%02d", i), 0))
				}
				var mu sync.Mutex
				calls, probing, probes, most := 0, 0, 0, 0
				start := time.Now()
				defer running(t, q, sinkFunc(func(ctx context.Context, s Submission, b Bundle, _ Notes) error {
					mu.Lock()
					calls++
					n := calls
					mu.Unlock()
					switch {
					case n == 1: // under way until the probe is
						time.Sleep(20 * time.Second)
						if err := ends(); err != nil {
							return err
						}
						b.(*Content).fault.set(fmt.Errorf("%w: input/output error", errUnreadable))
						return errors.New("read bundle: input/output error")
					case time.Since(start) < opening:
						return errors.New("connection refused")
					}
					mu.Lock()
					probing++
					probes++
					most = max(most, probing)
					mu.Unlock()
					time.Sleep(2 * time.Minute)
					mu.Lock()
					probing--
					mu.Unlock()
					return errors.New("timeout")
				}))()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				mu.Lock()
				defer mu.Unlock()
				if most != 1 || probes < 3 {
					t.Errorf("%d probes at a time, %d in all", most, probes)
				}
			})
		})
	}
}

// TestBadOnesDontBlock: submissions on which the hub chokes, older than all the rest and many more than the
// breaker's streak.
func TestBadOnesDontBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{Parallel: 1, RetryMax: 2 * time.Minute})
		for i := range 20 {
			mustEnqueue(t, q, draft(fmt.Sprintf("BAD%02d", i), 0))
		}
		for i := range 20 {
			mustEnqueue(t, q, draft(fmt.Sprintf("GOOD%02d", i), 0))
		}
		h := &hub{fail: func(s Submission) error {
			if strings.HasPrefix(s.ID, "BAD") {
				time.Sleep(10 * time.Second)
				return errors.New("500 choked")
			}
			return nil
		}}
		defer running(t, q, h)()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if len(h.order) != 20 {
			t.Fatalf("%d good ones arrived: %v", len(h.order), h.order)
		}
		// With the bad ones due all the time, new ones still go through at once.
		late := mustEnqueue(t, q, draft("LATE", 0))
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		mustState(t, q, late.ID, Delivered)
	})
}

func TestHangingDeliveryDoesNotBlockTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{})
		for _, id := range []string{"HANGS", "B", "C"} {
			mustEnqueue(t, q, draft(id, 0))
		}
		h := &hub{}
		stop := running(t, q, sinkFunc(func(ctx context.Context, s Submission, b Bundle, n Notes) error {
			if s.ID == "HANGS" {
				<-ctx.Done()
				return ctx.Err()
			}
			return h.Deliver(ctx, s, b, n)
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		mustState(t, q, "B", Delivered)
		mustState(t, q, "C", Delivered)
		mustState(t, q, "HANGS", Sending)
		stop()
		// Ended by us: it keeps its place and the try isn't counted.
		if s := mustState(t, q, "HANGS", Queued); s.Attempts != 0 || !s.NextAttempt.IsZero() || s.LastError != "" {
			t.Fatalf("%+v", s)
		}
	})
}

// TestNextGoesWhileOneIsProved: what the far side has whole keeps no other waiting while it is proved; if the program ends
// before that, it is queued again.
func TestNextGoesWhileOneIsProved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{Parallel: 1})
		for _, id := range []string{"SLOW", "B", "C"} {
			mustEnqueue(t, q, draft(id, 0))
		}
		proof := make(chan struct{})
		h := &hub{}
		stop := running(t, q, sinkFunc(func(ctx context.Context, s Submission, b Bundle, n Notes) error {
			err := h.Deliver(ctx, s, b, n)
			if s.ID == "SLOW" {
				n.(Sender).Sent()
				select {
				case <-proof:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return err
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		mustState(t, q, "B", Delivered)
		mustState(t, q, "SLOW", Sending)
		if s, err := q.Get("C"); err != nil || s.State == Delivered {
			t.Fatalf("two were proved at a time: %+v %v", s, err)
		}
		stop()
		mustState(t, q, "SLOW", Queued)
		if s := mustState(t, q, "C", Queued); s.Attempts != 0 {
			t.Fatalf("%+v", s)
		}
		close(proof)
		if pass, err := q.DeliverDue(t.Context(), h); err != nil || pass.Delivered != 2 {
			t.Fatal(pass, err)
		}
		if len(h.order) != 3 {
			t.Fatal(h.order)
		}
	})
}

// prepares is a sink that takes turns, and counts.
type prepares struct {
	hub
	mu               sync.Mutex // guards what follows
	begun, most, now int
}

func (p *prepares) Prepares() bool { return true }

func (p *prepares) count(begun, now int) (int, int, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun += begun
	p.now += now
	p.most = max(p.most, p.now)
	return p.begun, p.now, p.most
}

func (p *prepares) Deliver(ctx context.Context, s Submission, b Bundle, n Notes) error {
	p.count(1, 0)
	if err := n.(Sender).Turn(ctx); err != nil {
		return err
	}
	p.count(0, 1)
	defer p.count(0, -1)
	time.Sleep(time.Second) // the bytes travel
	return p.hub.Deliver(ctx, s, b, n)
}

// TestPreparedWhileOthersTravel: a sink that prepares is handed more small submissions than travel at a time, and none more of
// the large, which could not be dropped meanwhile.
func TestPreparedWhileOthersTravel(t *testing.T) {
	for name, c := range map[string]struct{ many, size, begun int }{"small": {20, 0, 2 * (1 + preparing)}, "large": {5, aheadMost, 2}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := mustOpen(t, t.TempDir(), Options{})
				for i := range c.many {
					d := draft(fmt.Sprint("S", i), 0)
					d.Parts = append(d.Parts, FromBytes("film.bin", "application/octet-stream", make([]byte, c.size)))
					mustEnqueue(t, q, d)
				}
				p := &prepares{}
				stop := running(t, q, p)
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				if begun, now, _ := p.count(0, 0); begun != c.begun || now != 2 {
					t.Errorf("%d are begun, %d travel, want %d and 2", begun, now, c.begun)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				stop()
				if _, _, most := p.count(0, 0); len(p.order) != c.many || most != 2 {
					t.Errorf("%d arrived, %d at a time", len(p.order), most)
				}
			})
		})
	}
}

// TestPreparedAtAHubThatIsDown: those that prepare try nothing there, and what they claimed goes later.
func TestPreparedAtAHubThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{})
		for i := range 30 {
			mustEnqueue(t, q, draft(fmt.Sprint("S", i), 0))
		}
		p := &prepares{hub: hub{fail: func(Submission) error { return errors.New("down") }}}
		defer running(t, q, p)()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if begun, _, _ := p.count(0, 0); begun > 2*(1+preparing)+12 { // the first ones, then one at a time
			t.Errorf("%d tries in ten minutes", begun)
		}
		p.hub.mu.Lock()
		p.fail = nil
		p.hub.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		p.hub.mu.Lock()
		defer p.hub.mu.Unlock()
		if len(p.order) != 30 {
			t.Errorf("%d of 30 arrived", len(p.order))
		}
	})
}

func TestClockJumps(t *testing.T) {
	t.Run("while_running", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var years atomic.Int64
			q := mustOpen(t, t.TempDir(), Options{wall: func() time.Time { return time.Now().AddDate(int(years.Load()), 0, 0) }})
			h := &hub{fail: func(Submission) error { return errors.New("503") }}
			defer running(t, q, h)()
			a := mustEnqueue(t, q, draft("A", 0))
			time.Sleep(time.Second)
			years.Store(-20) // the battery of the clock is empty
			b := mustEnqueue(t, q, draft("B", 0))
			time.Sleep(time.Minute)
			years.Store(20)
			h.mu.Lock()
			h.fail = nil
			h.mu.Unlock()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if !slices.Contains(h.order, a.ID) || !slices.Contains(h.order, b.ID) {
				t.Fatal(h.order)
			}
		})
	})
	t.Run("between_two_starts", func(t *testing.T) {
		dir := t.TempDir()
		q := mustOpen(t, dir, Options{Parallel: 1, wall: func() time.Time { return time.Now().AddDate(10, 0, 0) }})
		mustEnqueue(t, q, draft("A", 0))
		fail := sinkFunc(func(context.Context, Submission, Bundle, Notes) error { return errors.New("503") })
		if pass, err := q.DeliverDue(context.Background(), fail); err != nil || pass.Failed != 1 {
			t.Fatal(pass, err)
		}
		q.Close()
		q = mustOpen(t, dir, Options{Parallel: 1})
		mustEnqueue(t, q, draft("B", 0))
		if pass, err := q.DeliverDue(context.Background(), fail); err != nil || pass.Failed != 2 {
			t.Fatal("what was stamped in the future waits for ten years:", pass, err)
		}
		if s := mustState(t, q, "A", Queued); time.Until(s.NextAttempt) > time.Hour {
			t.Fatal(s.NextAttempt)
		}
	})
}

func TestNotesSurviveUntilDelivered(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{Retention: -1})
	mustEnqueue(t, q, draft("A", 0))
	var found []string
	sink := sinkFunc(func(_ context.Context, s Submission, _ Bundle, n Notes) error {
		text, err := n.Load()
		if err != nil {
			return err
		}
		found = append(found, text)
		if text == "" {
			return errors.Join(n.Save("https://hub.example/files/1"), errors.New("cut"))
		}
		return nil
	})
	if _, err := q.DeliverDue(ctx, sink); err != nil {
		t.Fatal(err)
	}
	q.Close()
	q = mustOpen(t, dir, Options{Retention: -1})
	if err := q.Retry(ctx, "A"); err != nil {
		t.Fatal(err)
	}
	if _, err := q.DeliverDue(ctx, sink); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "https://hub.example/files/1"}; !slices.Equal(found, want) {
		t.Fatal(found)
	}
	if text, err := (&note{q: q, id: "A"}).Load(); err != nil || text != "" {
		t.Fatal("the note outlives the delivery", text, err)
	}
}

func TestErrorsAreOneShortLine(t *testing.T) {
	ctx := context.Background()
	q := mustOpen(t, t.TempDir(), Options{})
	mustEnqueue(t, q, draft("A", 0))
	sink := sinkFunc(func(context.Context, Submission, Bundle, Notes) error {
		return Permanent(errors.New("<html>\r\n\x1b[31m" + strings.Repeat("ừ ", 1000)))
	})
	if _, err := q.DeliverDue(ctx, sink); err != nil {
		t.Fatal(err)
	}
	if s := mustState(t, q, "A", Held); len(s.LastError) > 510 || strings.ContainsAny(s.LastError, "\r\n\x1b") {
		t.Fatalf("%q", s.LastError)
	}
}

func TestRetentionByRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{Retention: 72 * time.Hour})
		mustEnqueue(t, q, draft("A", 0))
		defer running(t, q, &hub{})()
		time.Sleep(71 * time.Hour)
		synctest.Wait()
		if mustState(t, q, "A", Delivered).Wiped {
			t.Fatal("wiped too early")
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if !mustState(t, q, "A", Delivered).Wiped {
			t.Fatal("not wiped")
		}
	})
}

func TestEvents(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	o := Options{Outbox: true, Parallel: 1}
	q := mustOpen(t, dir, o)
	mustEnqueue(t, q, draft("A", 0))
	mustEnqueue(t, q, draft("A", 0)) // the same again tells nothing new
	mustEnqueue(t, q, draft("B", 0))
	h := &hub{fail: func(s Submission) error {
		if s.ID == "B" {
			return Permanent(errors.New("409 known under another name"))
		}
		return nil
	}}
	if _, err := q.DeliverDue(ctx, h); err != nil {
		t.Fatal(err)
	}
	q.Close()
	q = mustOpen(t, dir, o)
	if err := q.Drop(ctx, "B"); err != nil {
		t.Fatal(err)
	}
	tell := func(es []Event) (s []string) {
		for _, e := range es {
			s = append(s, fmt.Sprint(e.Seq, e.ID, e.State, e.Error))
		}
		return s
	}
	all, err := q.Events(0, 100)
	want := []string{"1Aqueued", "2Bqueued", "3Adelivered", "4Bheld409 known under another name", "5Bdropped409 known under another name"}
	want[4] = "5Bdropped"
	if err != nil || !slices.Equal(tell(all), want) {
		t.Fatal(tell(all), err)
	}
	if err := q.Taken(3); err != nil {
		t.Fatal(err)
	}
	if rest, err := q.Events(0, 1); err != nil || !slices.Equal(tell(rest), want[3:4]) {
		t.Fatal(tell(rest), err)
	}
	if err := q.Taken(5); err != nil {
		t.Fatal(err)
	}
	mustEnqueue(t, q, draft("C", 0))
	if rest, err := q.Events(5, 10); err != nil || !slices.Equal(tell(rest), []string{"6Cqueued"}) {
		t.Fatal("numbers must go on:", tell(rest), err)
	}
}

func TestSubscribe(t *testing.T) {
	q := mustOpen(t, t.TempDir(), Options{Retention: -1})
	steps, cancel := q.Subscribe()
	mustEnqueue(t, q, draft("A", 0))
	if _, err := q.DeliverDue(context.Background(), &hub{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []State{Queued, Sending, Delivered} {
		if s := <-steps; s.State != want {
			t.Fatal(s.State, want)
		}
	}
	cancel()
	if _, open := <-steps; open {
		t.Fatal("goes on after cancel")
	}
	other, _ := q.Subscribe()
	q.Close()
	if _, open := <-other; open {
		t.Fatal("goes on after Close")
	}
}

func TestList(t *testing.T) {
	ctx := context.Background()
	now := time.Date(2026, 3, 1, 7, 30, 0, 0, time.UTC)
	q := mustOpen(t, t.TempDir(), Options{Retention: -1, Parallel: 1, wall: func() time.Time { return now }})
	for i := range 6 {
		mustEnqueue(t, q, draft(fmt.Sprint(i), 0))
		now = now.Add(time.Hour)
	}
	if _, err := q.DeliverDue(ctx, &hub{fail: func(s Submission) error {
		return map[string]error{"1": Permanent(io.EOF), "3": Permanent(io.EOF), "4": errors.New("later")}[s.ID]
	}}); err != nil {
		t.Fatal(err)
	}
	day := func(h int) time.Time { return time.Date(2026, 3, 1, h, 30, 0, 0, time.UTC) }
	for _, c := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "012345"},
		{Filter{Newest: true}, "543210"},
		{Filter{States: []State{Held}}, "13"},
		{Filter{States: []State{Queued}}, "4"},
		{Filter{States: []State{Queued, Held}}, "134"},
		{Filter{States: []State{Delivered}, Newest: true, Limit: 2}, "52"},
		{Filter{Since: day(8), Until: day(10)}, "12"},
		{Filter{Limit: 2}, "01"},
		{Filter{Limit: 2, After: "1"}, "23"},
		{Filter{Limit: 2, After: "4", Newest: true}, "32"},
		{Filter{After: "5"}, ""},
		{Filter{After: "0", Newest: true}, ""},
	} {
		list, err := q.List(c.f)
		got := ""
		for _, s := range list {
			got += s.ID
		}
		if err != nil || got != c.want {
			t.Errorf("%+v: %s, want %s (%v)", c.f, got, c.want, err)
		}
	}
	if _, err := q.List(Filter{After: "unknown"}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestCloseEndsRun(t *testing.T) {
	q := mustOpen(t, t.TempDir(), Options{})
	mustEnqueue(t, q, draft("A", 0))
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		err := q.Run(context.Background(), sinkFunc(func(ctx context.Context, _ Submission, _ Bundle, _ Notes) error {
			close(started)
			<-ctx.Done()
			return ctx.Err()
		}))
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if _, err := q.Enqueue(context.Background(), draft("B", 0)); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}
