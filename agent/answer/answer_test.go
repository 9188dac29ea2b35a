package answer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"pgregory.net/rapid"

	"motcua/queue"
	"motcua/queue/seal"
)

var quiet = slog.New(slog.DiscardHandler)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// memoryDesk is a Source in memory. It can't show what a desk's disk does; agent/office has the real one and runs it
// against this package's client.
type memoryDesk struct {
	mu      sync.Mutex
	name    string
	last    uint64
	newest  map[string]Answer
	results map[uint64][]byte
	kiosks  map[string]string // "": revoked
	news    chan struct{}
}

func newDesk(name string) *memoryDesk {
	return &memoryDesk{name: name, newest: map[string]Answer{}, results: map[uint64][]byte{}, kiosks: map[string]string{},
		news: make(chan struct{})}
}

// answers gives the next answer to a dossier; result may be nil.
func (d *memoryDesk) answers(submission string, state State, result []byte) Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	a := Answer{Desk: d.name, Number: d.last, Submission: submission, Code: codeOf(submission), Procedure: "2.000815", State: state,
		Born: []int{1950}, At: noon.Add(time.Duration(d.last) * time.Second)}
	if state == NeedsMore || state == Refused {
		a.Reasons = []string{"paper-missing"}
	}
	if result != nil {
		sum := sha256.Sum256(result)
		a.Result = &File{Name: "ket-qua.pdf", MediaType: "application/pdf", Size: int64(len(result)), SHA256: hex.EncodeToString(sum[:])}
		d.results[d.last] = result
	}
	if was, ok := d.newest[submission]; ok {
		delete(d.results, was.Number)
		a.Supplements = was.Supplements
	}
	d.newest[submission] = a
	d.tell()
	return a
}

func (d *memoryDesk) Desk() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.name
}

func (d *memoryDesk) Last(context.Context) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last, nil
}

func (d *memoryDesk) Renew(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.name += "-renewed"
	for id, a := range d.newest {
		a.Desk = d.name
		d.newest[id] = a
	}
	return nil
}

func (d *memoryDesk) Answers(_ context.Context, after uint64, most int) ([]Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Answer
	for _, a := range d.newest {
		if a.Number > after {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Answer) int { return int(a.Number) - int(b.Number) })
	return out[:min(most, len(out))], nil
}

func (d *memoryDesk) Result(_ context.Context, number uint64) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	data, ok := d.results[number]
	if !ok {
		return nil, ErrUnknown
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (d *memoryDesk) HandedOver(_ context.Context, _, submission, sum string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, ok := d.newest[submission]
	if !ok || a.Result == nil || a.Result.SHA256 != sum {
		return ErrUnknown
	}
	if !a.Handed.IsZero() {
		return nil
	}
	d.last++
	if data, ok := d.results[a.Number]; ok {
		d.results[d.last] = data
	}
	a.Number, a.Handed = d.last, noon
	d.newest[submission] = a
	d.tell()
	return nil
}

// offer offers a result again that was told as handed over.
func (d *memoryDesk) offer(submission string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.newest[submission]
	d.last++
	d.results[d.last] = d.results[a.Number]
	a.Number, a.Handed, a.At = d.last, time.Time{}, a.At.Add(time.Hour)
	d.newest[submission] = a
	d.tell()
}

func (d *memoryDesk) Enrol(_ context.Context, kiosk, recipient string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch bound, known := d.kiosks[kiosk]; {
	case !known:
		d.kiosks[kiosk] = recipient
		d.tell()
	case bound == "":
		return ErrTurnedOut
	case bound != recipient:
		return ErrOtherKey
	}
	return nil
}

// tell wakes who waits; mu is held.
func (d *memoryDesk) tell() {
	close(d.news)
	d.news = make(chan struct{})
}

func (d *memoryDesk) revoke(kiosk string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kiosks[kiosk] = ""
	d.tell()
}

func (d *memoryDesk) letIn(kiosk string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kiosks, kiosk)
	d.tell()
}

func (d *memoryDesk) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

func (d *memoryDesk) Recipients(context.Context) (map[string]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]string{}
	for k, v := range d.kiosks {
		if v != "" {
			out[k] = v
		}
	}
	return out, nil
}

func (d *memoryDesk) Wait(ctx context.Context, after uint64) {
	for {
		d.mu.Lock()
		last, news := d.last, d.news
		d.mu.Unlock()
		if last > after {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			return
		}
	}
}

func codeOf(submission string) string {
	sum := sha256.Sum256([]byte(submission))
	return strings.ToUpper(hex.EncodeToString(sum[:2])) + "-" + strings.ToUpper(hex.EncodeToString(sum[2:4]))
}

func openAt(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenStore(t.Context(), dir, seal.NewFile(filepath.Join(dir, "key")), quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// delivered is a queue of submissions that arrived, with what was acknowledged of them.
func delivered(t testing.TB, ids ...string) *queue.Queue {
	t.Helper()
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1, Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, id := range ids {
		form := queue.FromBytes("form.json", "application/json", []byte("{}"))
		if _, err := q.Enqueue(t.Context(), queue.Draft{ID: id, Parts: []queue.Part{form}}); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

type takesAll struct{}

func (takesAll) Deliver(context.Context, queue.Submission, queue.Bundle, queue.Notes) error {
	return nil
}
func (takesAll) Probe(context.Context) error { return nil }

const token = "invented-token-of-ward-7"

// office serves a desk's answers, with what stands between wrapped around.
func office(t testing.TB, d Source, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	var h http.Handler = NewServer(d, func(w http.ResponseWriter, r *http.Request) (string, bool) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(w, "token missing or wrong", http.StatusUnauthorized)
			return "", false
		}
		return "ward-7-a", true
	}, quiet)
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + Path
}

func puller(t testing.TB, url string, in *Intake) *Puller {
	t.Helper()
	in.Log = quiet
	if in.Clock == nil {
		in.Clock = func() time.Time { return noon.Add(time.Hour) }
	}
	p, err := NewPuller(PullOptions{URL: url, Token: token, Wait: time.Millisecond}, in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wipe destroys the result that a citizen has in hand.
func wipe(s *Store, id string) error {
	r, err := s.ByCode(codeOf(id))
	if err != nil {
		return err
	}
	return s.Wipe(id, r.Result.SHA256, noon)
}

func round(t testing.TB, p *Puller) {
	t.Helper()
	if _, err := p.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAnswersComeToTheKiosk(t *testing.T) {
	d, dir := newDesk("desk-1"), t.TempDir()
	q := delivered(t, "A", "B")
	if _, err := q.DeliverDue(t.Context(), takesAll{}); err != nil {
		t.Fatal(err)
	}
	d.answers("A", Received, nil)
	d.answers("B", NeedsMore, nil)
	d.answers("C", Received, nil) // handed in at another kiosk of the ward
	result := []byte("%PDF-1.7 invented result")
	d.answers("A", Done, result)

	var taken []string
	in := &Intake{Store: openAt(t, dir), Queue: q, Taken: func(a Answer) { taken = append(taken, fmt.Sprint(a.Submission, " ", a.State)) }}
	round(t, puller(t, office(t, d, nil), in))
	round(t, puller(t, office(t, d, nil), in))
	if want := []string{"B needs-more", "C received", "A done"}; !slices.Equal(taken, want) {
		t.Errorf("taken %q, want %q", taken, want)
	}
	for _, id := range []string{"A", "B"} {
		if s, err := q.Get(id); err != nil || s.State != queue.Acknowledged {
			t.Errorf("%s is %s (%v), want acknowledged", id, s.State, err)
		}
	}
	s := openAt(t, dir) // the kiosk was switched off and on
	if r, err := s.ByCode(codeOf("B")); err != nil || r.State != NeedsMore || !slices.Equal(r.Reasons, []string{"paper-missing"}) {
		t.Errorf("after a restart: %v, %v", r, err)
	}
	if _, data, err := s.Result("A"); err != nil || !bytes.Equal(data, result) {
		t.Errorf("after a restart: result %q, %v", data, err)
	}
	if c := s.Cursor(); c != (Cursor{"desk-1", 4}) {
		t.Errorf("cursor %v", c)
	}
	unreadable(t, dir, "needs-more", "paper-missing", "invented result", "1950")
}

// unreadable fails if one of the texts lies in a file of a folder.
func unreadable(t *testing.T, dir string, texts ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				t.Errorf("%q can be read in the store", text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An answered submission whose delivery was not noted yet is acknowledged once it is.
func TestAnsweredBeforeDeliveryWasNoted(t *testing.T) {
	d := newDesk("desk-1")
	q := delivered(t, "A")
	d.answers("A", Received, nil)
	in := &Intake{Store: openAt(t, t.TempDir()), Queue: q}
	round(t, puller(t, office(t, d, nil), in))
	if s, _ := q.Get("A"); s.State != queue.Queued {
		t.Fatalf("state %s", s.State)
	}
	if _, err := q.DeliverDue(t.Context(), takesAll{}); err != nil {
		t.Fatal(err)
	}
	if err := in.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, _ := q.Get("A"); s.State != queue.Acknowledged {
		t.Errorf("state %s, want acknowledged", s.State)
	}
}

// Only the desk's own word counts.
func TestStrangersAnswersChangeNothing(t *testing.T) {
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	forged, err := Seal(Answer{Desk: "desk-1", Number: 9, Submission: "A", Code: codeOf("A"), State: Done, At: noon}, other.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	portal := func(status int, header, body string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if header != "" {
					w.Header().Set(Header, header)
				}
				w.WriteHeader(status)
				io.WriteString(w, body)
			})
		}
	}
	list := `{"schema":"motcua/answer/1","desk":"desk-1","after":9,"answers":[%q]}`
	empty := `{"schema":"motcua/answer/1","desk":"desk-2","after":99,"answers":[]}`
	for name, c := range map[string]struct {
		wrap  func(http.Handler) http.Handler
		cause string
	}{
		"a portal's page":        {portal(200, "", "<html>Đăng nhập Wi-Fi</html>"), "not-the-desk"},
		"a list without header":  {portal(200, "", empty), "not-the-desk"},
		"a page with the header": {portal(200, "1", "<html>"), "not-the-desk"},
		"a proxy's 502":          {portal(502, "", "bad gateway"), "line"},
		"a proxy's 410":          {portal(410, "", "gone"), "line"},
		"a stranger's 401":       {portal(401, "", ""), "refused"},
		"sealed to others":       {portal(200, "1", fmt.Sprintf(list, base64Of(forged))), "sealed"},
	} {
		t.Run(name, func(t *testing.T) {
			s, q := openAt(t, t.TempDir()), delivered(t, "A")
			if _, err := q.DeliverDue(t.Context(), takesAll{}); err != nil {
				t.Fatal(err)
			}
			var causes []string
			in := &Intake{Store: s, Queue: q, Wrong: func(cause string) { causes = append(causes, cause) }}
			p := puller(t, office(t, newDesk("desk-1"), c.wrap), in)
			_, err := p.Round(t.Context())
			if err == nil && c.cause != "sealed" {
				t.Error("no error")
			}
			if !slices.Equal(causes, []string{c.cause}) {
				t.Errorf("causes %q, want %s", causes, c.cause)
			}
			if n := s.Counts(); len(n) != 0 {
				t.Errorf("taken: %v", n)
			}
			if sub, _ := q.Get("A"); sub.State != queue.Delivered {
				t.Errorf("state %s", sub.State)
			}
			if c.cause != "sealed" && s.Cursor() != (Cursor{}) {
				t.Errorf("cursor moved: %v", s.Cursor())
			}
		})
	}
}

// Whatever comes, in whichever order, however often, also over restarts: the highest number of each dossier stands, and each
// answer says something new at most once.
func TestOrderOfArrivalChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newDesk("desk-1")
		var all []Answer
		for range rapid.IntRange(1, 8).Draw(rt, "answers") {
			all = append(all, d.answers(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(rt, "of"), rapid.SampledFrom(States).Draw(rt, "state"), nil))
		}
		dir, err := os.MkdirTemp(t.TempDir(), "store-")
		if err != nil {
			rt.Fatal(err)
		}
		s := openAt(t, dir)
		news := map[uint64]int{}
		for range rapid.IntRange(len(all), 3*len(all)).Draw(rt, "arrivals") {
			a := rapid.SampledFrom(all).Draw(rt, "arrival")
			fresh, err := s.Take(a, noon)
			if err != nil {
				rt.Fatal(err)
			}
			if fresh {
				news[a.Number]++
			}
			if rapid.IntRange(0, 4).Draw(rt, "restart") == 0 {
				s = openAt(t, dir)
			}
		}
		for _, a := range all { // and all of them at last
			if _, err := s.Take(a, noon); err != nil {
				rt.Fatal(err)
			}
		}
		for n, times := range news {
			if times > 1 {
				rt.Errorf("answer %d was new %d times", n, times)
			}
		}
		for id, want := range d.newest {
			if r, err := s.ByCode(codeOf(id)); err != nil || r.Number != want.Number || r.State != want.State {
				rt.Errorf("%s stands at %v, %v, want %v", id, r.Answer, err, want)
			}
		}
	})
}

// A desk that was set back to an older copy does not give a number twice unseen.
func TestDeskSetBack(t *testing.T) {
	d := newDesk("desk-1")
	d.answers("A", Received, nil)
	s := openAt(t, t.TempDir())
	in := &Intake{Store: s, Queue: delivered(t)}
	p := puller(t, office(t, d, nil), in)
	d.answers("A", NeedsMore, nil)
	d.answers("B", Received, nil)
	round(t, p)

	d.mu.Lock() // the copy of the evening before
	d.last = 1
	delete(d.newest, "B")
	d.newest["A"] = Answer{Desk: "desk-1", Number: 1, Submission: "A", Code: codeOf("A"), State: Received, At: noon}
	d.mu.Unlock()
	a := d.answers("A", Eligible, nil) // number 2 for the second time
	d.mu.Lock()
	a.At = noon.Add(time.Minute)
	d.newest["A"] = a
	d.mu.Unlock()
	round(t, p)
	if r, err := s.ByCode(codeOf("A")); err != nil || r.State != Eligible {
		t.Errorf("%v, %v, want eligible", r.Answer, err)
	}
}

// A result whose answer was replaced, or that is not what was announced, is never shown.
func TestResults(t *testing.T) {
	d, dir := newDesk("desk-1"), t.TempDir()
	s := openAt(t, dir)
	in := &Intake{Store: s, Queue: delivered(t)}
	p := puller(t, office(t, d, nil), in)
	first := d.answers("A", Done, []byte("first"))
	d.mu.Lock()
	d.results[first.Number] = []byte("fals.")
	d.mu.Unlock()
	if _, err := p.Round(t.Context()); err == nil {
		t.Error("a false result was taken")
	}
	if _, _, err := s.Result("A"); err != ErrUnknown {
		t.Errorf("false result: %v", err)
	}
	if r, err := s.ByCode(codeOf("A")); err != nil || r.State != Done {
		t.Errorf("the answer itself: %v, %v", r.Answer, err)
	}
	d.mu.Lock()
	d.results[first.Number] = []byte("first")
	d.mu.Unlock()
	s = openAt(t, dir)
	in.Store = s
	round(t, p)
	if _, data, err := s.Result("A"); err != nil || string(data) != "first" {
		t.Errorf("result %q, %v", data, err)
	}
	d.answers("A", Done, []byte("second"))
	round(t, p)
	if _, data, err := s.Result("A"); err != nil || string(data) != "second" {
		t.Errorf("result %q, %v", data, err)
	}
	if err := wipe(s, "A"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // also after the kiosk forgot how far it was
		if err := s.Advance(Cursor{}); err != nil {
			t.Fatal(err)
		}
		round(t, p)
		if _, _, err := s.Result("A"); err != ErrUnknown {
			t.Errorf("a wiped result came back: %v", err)
		}
		s = openAt(t, dir)
		in.Store = s
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "r-*")); len(names) > 0 {
		t.Errorf("left of a wiped result: %q", names)
	}
}

// The desk turns a kiosk out while its request waits: it gets nothing more.
func TestTurnedOutWhileWaiting(t *testing.T) {
	d := newDesk("desk-1")
	d.answers("A", Received, nil)
	var mu sync.Mutex
	asked, in := 0, true
	waiting := make(chan struct{})
	h := NewServer(waitingDesk{d, waiting}, func(w http.ResponseWriter, _ *http.Request) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if asked++; !in {
			http.Error(w, "no", http.StatusUnauthorized)
		}
		return "ward-7-a", in
	}, quiet)
	server := httptest.NewServer(h)
	defer server.Close()
	s := openAt(t, t.TempDir())
	if err := s.Advance(Cursor{"desk-1", 1}); err != nil {
		t.Fatal(err)
	}
	p, err := NewPuller(PullOptions{URL: server.URL + Path, Token: token}, &Intake{Store: s, Queue: delivered(t), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := p.Round(t.Context()); done <- err }()
	<-waiting
	mu.Lock()
	in = false
	mu.Unlock()
	d.answers("A", Done, nil)
	if err := <-done; err == nil {
		t.Error("no error")
	}
	if n := s.Counts(); len(n) != 0 || asked != 2 {
		t.Errorf("taken %v after %d looks at the credential", n, asked)
	}
}

type waitingDesk struct {
	*memoryDesk
	waiting chan struct{}
}

func (d waitingDesk) Wait(ctx context.Context, after uint64) {
	close(d.waiting)
	d.memoryDesk.Wait(ctx, after)
}

func TestDamagedRecordIsAskedAnew(t *testing.T) {
	d, dir := newDesk("desk-1"), t.TempDir()
	d.answers("A", NeedsMore, nil)
	d.answers("B", Received, nil)
	in := &Intake{Store: openAt(t, dir), Queue: delivered(t)}
	p := puller(t, office(t, d, nil), in)
	round(t, p)
	if err := os.WriteFile(filepath.Join(dir, recordPrefix+"A", "record"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	in.Store = openAt(t, dir)
	if _, err := in.Store.ByCode(codeOf("A")); err == nil {
		t.Error("a torn record was read")
	}
	round(t, p)
	if r, err := in.Store.ByCode(codeOf("A")); err != nil || r.State != NeedsMore {
		t.Errorf("%v, %v", r.Answer, err)
	}
}

// Neither what is said nor how long it takes tells an unknown code from a wrong year.
func TestInquiry(t *testing.T) {
	s := openAt(t, t.TempDir())
	d := newDesk("desk-1")
	if _, err := s.Take(d.answers("A", NeedsMore, nil), noon); err != nil {
		t.Fatal(err)
	}
	if err := s.Expect(Answer{Submission: "N", Code: codeOf("N"), At: noon}); err != nil { // nobody's year is known
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		q := NewInquiry(s, time.Now)
		for name, c := range map[string]struct {
			code string
			year int
			want error
		}{"right": {codeOf("A"), 1950, nil}, "wrong year": {codeOf("A"), 1951, ErrNoMatch}, "unknown code": {"2222-2222", 1950, ErrNoMatch},
			"no year is known": {codeOf("N"), 0, ErrNoMatch}} {
			start := time.Now()
			r, err := q.Ask(t.Context(), c.code, c.year)
			if err != c.want || (err == nil) != (r.Submission == "A") {
				t.Errorf("%s: %v, %v", name, r.Answer, err)
			}
			if took := time.Since(start); took != inquiryTakes {
				t.Errorf("%s: took %v, want %v", name, took, inquiryTakes)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) { // guessing years
		q := NewInquiry(s, time.Now)
		start := time.Now()
		for _, code := range []string{codeOf("A"), "2222-2222"} {
			for year := 1930; year < 1960; year++ {
				time.Sleep(inquiryEvery)
				_, err := q.Ask(t.Context(), code, year)
				want := ErrNoMatch
				if year-1930 >= wrongPerCode {
					want = ErrTooMany
				}
				if err != want {
					t.Errorf("%s, try %d: %v, want %v", code, year-1929, err, want)
				}
			}
		}
		time.Sleep(wrongForget - time.Since(start) + time.Hour)
		if _, err := q.Ask(t.Context(), codeOf("A"), 1950); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // guessing codes
		q := NewInquiry(s, time.Now)
		looked := 0
		for end := time.Now().Add(time.Hour); time.Now().Before(end); {
			if _, err := q.Ask(t.Context(), "2222-2222", 1950); err == ErrNoMatch {
				looked++
			}
			q.wrong = map[string]tries{}
		}
		if most := int(time.Hour/inquiryEvery) + inquiryBurst; looked > most {
			t.Errorf("%d looks in an hour, want at most %d", looked, most)
		}
	})
}

func TestSupplementIsToldByItsDossier(t *testing.T) {
	s := openAt(t, t.TempDir())
	d := newDesk("desk-1")
	if err := s.Expect(Answer{Submission: "S", Code: codeOf("S"), Born: []int{1950}, At: noon}); err != nil {
		t.Fatal(err)
	}
	if r, err := s.ByCode(codeOf("S")); err != nil || r.State != "" || !r.Own {
		t.Fatalf("%v, %v", r, err)
	}
	a := d.answers("A", Eligible, nil)
	a.Supplements = []Supplement{{"S", codeOf("S")}}
	if _, err := s.Take(a, noon); err != nil {
		t.Fatal(err)
	}
	if r, err := s.ByCode(codeOf("S")); err != nil || r.Submission != "A" || r.State != Eligible {
		t.Errorf("%v, %v", r.Answer, err)
	}
	if !s.Answered("S") || !s.Answered("A") || s.Answered("X") {
		t.Error("answered")
	}
}

func TestSweepForgets(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	d := newDesk("desk-1")
	for id, state := range map[string]State{"A": Done, "B": NeedsMore} {
		if _, err := s.Take(d.answers(id, state, nil), noon); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Sweep(noon.Add(keepFinal / 2)); n != 0 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if n, err := s.Sweep(noon.Add(keepFinal + time.Hour)); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	old := d.newest["A"]
	if fresh, err := s.Take(old, noon.Add(keepFinal+time.Hour)); fresh || err != nil {
		t.Errorf("what was forgotten is new again: %v", err)
	}
	if n, err := s.Sweep(noon.Add(keepOpen + time.Hour)); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
}

// A clock that was ahead makes a kiosk forget, and pass over, what the desk said; once it is put right all of it comes again.
func TestClockThatWasAhead(t *testing.T) {
	d, dir := newDesk("desk-1"), t.TempDir()
	now := noon.Add(time.Hour)
	d.answers("A", Done, []byte("%PDF-1.7 result"))
	in := &Intake{Store: openAt(t, dir), Queue: delivered(t), Clock: func() time.Time { return now }}
	p := puller(t, office(t, d, nil), in)
	round(t, p)
	settle := func() {
		t.Helper()
		if err := in.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	now = noon.AddDate(60, 0, 0)
	settle()
	d.answers("B", Done, nil)
	round(t, p)
	in.Store = openAt(t, dir)
	now = noon.Add(2 * time.Hour)
	settle()
	round(t, p)
	for _, id := range []string{"A", "B"} {
		if r, err := in.Store.ByCode(codeOf(id)); err != nil || r.State != Done {
			t.Errorf("%s is not known any more: %v, %v", id, r.Answer, err)
		}
	}
	if _, data, err := in.Store.Result("A"); err != nil || len(data) == 0 {
		t.Errorf("its result: %v", err)
	}
}

// A result that its citizen has in hand at one kiosk is wiped at the others of the ward: once the desk can be told, and told once.
func TestHandedOverElsewhere(t *testing.T) {
	d := newDesk("desk-1")
	result := []byte("%PDF-1.7 result")
	d.answers("A", Done, result)
	posts, away := 0, false
	desk := office(t, d, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				posts++
			}
			if away {
				http.Error(w, "gateway", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	dir := t.TempDir()
	here, there := &Intake{Store: openAt(t, dir), Queue: delivered(t)}, &Intake{Store: openAt(t, t.TempDir()), Queue: delivered(t)}
	there.Store.identity = here.Store.identity // a desk of one kiosk's key: memoryDesk has one credential
	news := 0
	there.Taken = func(Answer) { news++ }
	round(t, puller(t, desk, here))
	round(t, puller(t, desk, there))
	if _, _, err := there.Store.Result("A"); err != nil || posts > 0 {
		t.Fatalf("before: %v, %d posts", err, posts)
	}
	if err := wipe(here.Store, "A"); err != nil {
		t.Fatal(err)
	}
	away = true
	if _, err := puller(t, desk, here).Round(t.Context()); err == nil {
		t.Error("a desk that is away was told")
	}
	away = false
	identity := here.Store.identity
	here.Store = openAt(t, dir) // switched off and on meanwhile
	if here.Store.Recipient().String() != identity.Recipient().String() {
		t.Fatal("another key")
	}
	for range 2 {
		round(t, puller(t, desk, here))
	}
	if posts != 2 || len(here.Store.Untold()) > 0 {
		t.Errorf("%d posts, want the one that failed and one more; untold %v", posts, here.Store.Untold())
	}
	round(t, puller(t, desk, there))
	if _, _, err := there.Store.Result("A"); err != ErrUnknown || len(there.Store.Missing()) > 0 || len(there.Store.Untold()) > 0 {
		t.Errorf("the other kiosk still has it: %v", err)
	}
	d.offer("A") // an officer takes that back: the kiosk that told it was stolen
	for at, in := range map[string]*Intake{"here": here, "there": there} {
		round(t, puller(t, desk, in))
		if _, data, err := in.Store.Result("A"); err != nil || !bytes.Equal(data, result) {
			t.Errorf("%s the result is not offered again: %v", at, err)
		}
		if n := len(in.Store.Untold()); n != 0 {
			t.Errorf("%s the desk would be told again", at)
		}
	}
	if err := wipe(here.Store, "A"); err != nil {
		t.Fatal(err)
	}
	round(t, puller(t, desk, here))
	round(t, puller(t, desk, there))
	if _, _, err := there.Store.Result("A"); err != ErrUnknown {
		t.Errorf("fetched then, it is still at the other kiosk: %v", err)
	}
	if r, err := there.Store.ByCode(codeOf("A")); err != nil || r.Collected.IsZero() || r.State != Done || news != 2 {
		t.Errorf("%v, collected %v, %v; new %d times", r.Answer, r.Collected, err, news)
	}
	// A newer result is another one: it comes to all.
	d.answers("A", Done, []byte("%PDF-1.7 mended"))
	round(t, puller(t, desk, there))
	if _, data, err := there.Store.Result("A"); err != nil || !strings.Contains(string(data), "mended") {
		t.Errorf("a newer result: %v", err)
	}
}

// A desk of an older version is told nothing, and everything else goes on.
func TestOlderDeskIsNotTold(t *testing.T) {
	d := newDesk("desk-1")
	d.answers("A", Done, []byte("%PDF-1.7 result"))
	posts := 0
	desk := office(t, d, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				posts++
				http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	in := &Intake{Store: openAt(t, t.TempDir()), Queue: delivered(t)}
	p := puller(t, desk, in)
	round(t, p)
	if err := wipe(in.Store, "A"); err != nil {
		t.Fatal(err)
	}
	d.answers("B", Received, nil)
	for range 3 {
		round(t, p)
	}
	if _, err := in.Store.ByCode(codeOf("B")); err != nil || posts != 1 || len(in.Store.Untold()) != 1 {
		t.Errorf("%v, %d posts, %d untold", err, posts, len(in.Store.Untold()))
	}
}

// A result that nobody fetches goes before its answer; by a clock that was ahead it goes too early, and comes again.
func TestResultLapses(t *testing.T) {
	d, dir := newDesk("desk-1"), t.TempDir()
	now := noon.Add(time.Hour)
	d.answers("A", Done, []byte("%PDF-1.7 result"))
	in := &Intake{Store: openAt(t, dir), Queue: delivered(t), Clock: func() time.Time { return now }}
	p := puller(t, office(t, d, nil), in)
	round(t, p)
	has := func(want bool) {
		t.Helper()
		if err := in.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		round(t, p)
		r, err := in.Store.ByCode(codeOf("A"))
		_, _, missing := in.Store.Result("A")
		names, _ := filepath.Glob(filepath.Join(dir, "r-A"))
		if err != nil || r.State != Done || (missing == nil) != want || r.Lapsed.IsZero() != want || (len(names) > 0) != want {
			t.Errorf("after %v: %v, %v, result %v, lapsed %v, %q", now.Sub(noon), r.Answer, err, missing, r.Lapsed, names)
		}
	}
	now = noon.Add(keepResult - time.Hour)
	has(true)
	now = noon.Add(keepResult + time.Hour)
	has(false)
	in.Store = openAt(t, dir)
	has(false)
	now = noon.Add(48 * time.Hour)
	has(true)
	in.Store.KeepResults(24 * time.Hour)
	has(false)
	d.mu.Lock()
	d.last = uint64(now.Sub(noon) / time.Second) // answers gives it as the time
	d.mu.Unlock()
	d.answers("A", Done, []byte("%PDF-1.7 result")) // the officer, asked for it, answers with the same once more
	has(true)
}

// A proxy that lets nobody send, or a desk that can't take note, holds up no answers.
func TestAnswersComeWhereNothingCanBeTold(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusInternalServerError} {
		d := newDesk("desk-1")
		d.answers("A", Done, []byte("%PDF-1.7 result"))
		posts, mended := 0, false
		desk := office(t, d, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && !mended {
					posts++
					http.Error(w, "not here", status)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		now := noon.Add(time.Hour)
		in := &Intake{Store: openAt(t, t.TempDir()), Queue: delivered(t), Clock: func() time.Time { return now }}
		p := puller(t, desk, in)
		round(t, p)
		if err := wipe(in.Store, "A"); err != nil {
			t.Fatal(err)
		}
		d.answers("B", Received, nil)
		for range 3 {
			round(t, p)
		}
		if _, err := in.Store.ByCode(codeOf("B")); err != nil || posts != 1 || len(in.Store.Untold()) != 1 {
			t.Errorf("%d: %v, %d posts, %d untold", status, err, posts, len(in.Store.Untold()))
		}
		now, mended = now.Add(backOffMost), true
		if round(t, p); len(in.Store.Untold()) > 0 {
			t.Errorf("%d: not told when it could be", status)
		}
	}
}

// What its citizen has in hand is wiped, and not what came while it was shown.
func TestWipeIsOfWhatWasShown(t *testing.T) {
	s, d := openAt(t, t.TempDir()), newDesk("desk-1")
	first := d.answers("A", Done, []byte("%PDF-1.7 result"))
	for _, a := range []Answer{first, d.answers("A", Done, []byte("%PDF-1.7 mended"))} {
		if _, err := s.Take(a, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Wipe("A", first.Result.SHA256, noon); err != ErrUnknown || len(s.Untold()) > 0 || len(s.Missing()) != 1 {
		t.Errorf("%v, untold %v, missing %v", err, s.Untold(), s.Missing())
	}
}

// A desk whose clock is a year behind (a dead battery) answers all the same: what it says is news where all before was heard, and is
// kept from then on. What a new kiosk is told of long ago is none.
func TestDeskWhoseClockIsBehind(t *testing.T) {
	d, dir := newDesk("desk-1"), t.TempDir()
	now := noon.Add(time.Hour)
	d.answers("A", Received, nil)
	in := &Intake{Store: openAt(t, dir), Queue: delivered(t), Clock: func() time.Time { return now }}
	p := puller(t, office(t, d, nil), in)
	round(t, p)
	d.answers("A", Done, []byte("%PDF-1.7 result"))
	d.mu.Lock()
	a := d.newest["A"]
	a.At = noon.AddDate(-1, 0, 0)
	d.newest["A"] = a
	d.mu.Unlock()
	in.Store = openAt(t, dir)
	round(t, p)
	for _, later := range []time.Duration{0, keepResult - 2*time.Hour} {
		now = noon.Add(time.Hour + later)
		if err := in.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, data, err := in.Store.Result("A"); err != nil || len(data) == 0 {
			t.Errorf("%v later: %v", later, err)
		}
	}
	now = noon.Add(keepFinal + 2*time.Hour)
	if err := in.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Store.ByCode(codeOf("A")); err != ErrUnknown {
		t.Errorf("it is never forgotten: %v", err)
	}
	fresh := &Intake{Store: openAt(t, t.TempDir()), Queue: delivered(t), Clock: func() time.Time { return noon }}
	fresh.Store.identity = in.Store.identity
	round(t, puller(t, office(t, d, nil), fresh))
	if n := fresh.Store.Counts(); n[Done] != 0 {
		t.Errorf("a new kiosk takes what was done a year ago: %v", n)
	}
}

// A receipt code that another dossier came with leads to the one that the office received first, or that was handed in here.
func TestCodeOfAnotherDossier(t *testing.T) {
	dir := t.TempDir()
	s, d := openAt(t, dir), newDesk("desk-1")
	first := d.answers("A", NeedsMore, nil)
	first.Received = noon.Add(-time.Hour)
	other := d.answers("B", Done, nil)
	other.Code, other.Received = first.Code, noon
	leads := func() {
		t.Helper()
		if r, err := s.ByCode(first.Code); err != nil || r.Submission != "A" {
			t.Errorf("the code leads to %s, %v", r.Submission, err)
		}
	}
	for _, a := range []Answer{other, first} {
		if _, err := s.Take(a, noon); err != nil {
			t.Fatal(err)
		}
	}
	leads()
	other.Number = 9
	if _, err := s.Take(other, noon); err != nil {
		t.Fatal(err)
	}
	leads()
	s = openAt(t, dir)
	leads()
}

func TestListed(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Listed {
		if seen[r.Code] || r.Code == "" || len(r.For) == 0 || r.Words.VI == "" || r.Words.EN == "" || (r.Bring.VI == "") != (r.Bring.EN == "") {
			t.Errorf("reason %q is not whole, or there twice", r.Code)
		}
		seen[r.Code] = true
		for _, s := range r.For {
			if s == NeedsMore && r.Bring.VI == "" {
				t.Errorf("%s: a citizen is not told what to bring", r.Code)
			}
		}
	}
	for _, s := range []State{NeedsMore, Refused} {
		if len(ReasonsFor(s)) < 3 {
			t.Errorf("%s: %d reasons", s, len(ReasonsFor(s)))
		}
	}
}

func TestBorn(t *testing.T) {
	for form, want := range map[string][]int{
		`{"values":[{"id":"mother_birth","value":"1990-02-03"},{"id":"applicant_birth","value":"1950"}]}`:   {1950},
		`{"values":[{"id":"bride_birth","value":"1995-01-01"},{"id":"groom_birth","value":"1993-05-06"}]}`:  {1993, 1995},
		`{"values":[{"id":"applicant_birth","value":""},{"id":"applicant_number","value":"079090012345"}]}`: {1990},
		`{"values":[{"id":"deceased_birth","value":"1930-01-01"}]}`:                                         nil,
		`{"procedure":{"level":"of a later program"},"channel":9,
			"values":[{"id":"applicant_birth","value":"1950","source":"of a later one"}]}`: {1950},
		`{}`: nil, `x`: nil,
	} {
		if got := Born([]byte(form)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", form, got, want)
		}
	}
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// A store whose own key was lost, or whose notes are damaged, goes on: it takes answers anew and notes how far it came.
func TestNotesThatCantBeRead(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	if err := errors.Join(s.Advance(Cursor{Desk: "desk-1", After: 7}), s.noteContact("", noon), s.noteClock(noon)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir)
	if c := s.Cursor(); c != (Cursor{}) {
		t.Errorf("went on from %+v, whose answers it has no more", c)
	}
	later := noon.Add(48 * time.Hour)
	for name, err := range map[string]error{"cursor": s.Advance(Cursor{Desk: "desk-1", After: 8}), "contact": s.noteContact("", later),
		"clock": s.noteClock(later)} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c := openAt(t, dir).Cursor(); c.After != 8 {
		t.Errorf("noted %+v", c)
	}
}

// A kiosk's key that can't be read just now is not thrown away for a new one, to which the desk would not seal.
func TestKeyThatCantBeReadNow(t *testing.T) {
	dir := t.TempDir()
	was := openAt(t, dir).Recipient().String()
	record := filepath.Join(dir, identityName, "record")
	if err := errors.Join(os.Rename(record, record+".away"), os.Mkdir(record, 0o700)); err != nil { // reading a folder fails
		t.Fatal(err)
	}
	if s, err := OpenStore(t.Context(), dir, seal.NewFile(filepath.Join(dir, "key")), quiet); err == nil {
		t.Errorf("opened with the key %s", s.Recipient())
	}
	if err := errors.Join(os.Remove(record), os.Rename(record+".away", record)); err != nil {
		t.Fatal(err)
	}
	if is := openAt(t, dir).Recipient().String(); is != was {
		t.Errorf("the key is %s, was %s", is, was)
	}
}
