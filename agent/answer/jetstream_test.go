package answer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"motcua/queue"
	"motcua/queue/natstest"
	"motcua/queue/seal"
)

func connectTo(url string) Connect {
	return func(more ...nats.Option) (*nats.Conn, error) {
		return nats.Connect(url, append(more, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
			nats.ReconnectWait(50*time.Millisecond))...)
	}
}

// provide makes the buckets as the README tells a province to.
func provide(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{KiosksBucket, AnswersBucket} {
		if _, err := js.CreateOrUpdateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: name, History: 1,
			Storage: jetstream.FileStorage}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.CreateOrUpdateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: ResultsBucket,
		Storage: jetstream.FileStorage}); err != nil {
		t.Fatal(err)
	}
	return js
}

// runs runs something until the test, or the returned function, ends it.
func runs(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Error("it does not end when it is told to")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// eventually waits for something that another goroutine brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

type seat struct {
	dir   string
	in    *Intake
	mu    sync.Mutex
	taken []string
	stop  func()
}

// kiosk sits down at a server; q may be nil.
func kiosk(t *testing.T, url, name, dir string, q *queue.Queue) *seat {
	t.Helper()
	if q == nil {
		q = delivered(t)
	}
	s := &seat{dir: dir}
	s.in = &Intake{Store: openAt(t, dir), Queue: q, Log: quiet, Clock: func() time.Time { return noon }, Taken: func(a Answer) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken = append(s.taken, fmt.Sprint(a.Submission, " ", a.State))
	}}
	sub, err := NewSubscriber(connectTo(url), "ward-7", name, s.in)
	if err != nil {
		t.Fatal(err)
	}
	s.stop = runs(t, sub.Run)
	return s
}

// took waits for word of so many answers, which comes after each is kept, and wants it of just these.
func (s *seat) took(t *testing.T, want ...string) {
	t.Helper()
	var taken []string
	eventually(t, "word of the answers", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		taken = slices.Clone(s.taken)
		return len(taken) >= len(want)
	})
	if !slices.Equal(sorted(taken), sorted(want)) {
		t.Errorf("taken %q, want %q", taken, want)
	}
}

func (s *seat) has(id string, state State) func() bool {
	return func() bool {
		r, err := s.in.Store.ByCode(codeOf(id))
		return err == nil && r.State == state
	}
}

func (s *seat) hasResult(id, want string) func() bool {
	return func() bool {
		_, data, err := s.in.Store.Result(id)
		return err == nil && string(data) == want
	}
}

func TestProvince(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	js := provide(t, hub.URL())
	d := newDesk("desk-1")
	q := delivered(t, "A")
	if _, err := q.DeliverDue(t.Context(), takesAll{}); err != nil {
		t.Fatal(err)
	}
	publisher, err := NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	stop := runs(t, publisher.Run)
	first := kiosk(t, hub.URL(), "kiosk-a", t.TempDir(), q)
	d.answers("A", Received, nil)
	eventually(t, "received at the first kiosk", first.has("A", Received))
	eventually(t, "acknowledged", func() bool { s, _ := q.Get("A"); return s.State == queue.Acknowledged })

	// A kiosk that comes later reads what was answered before it came, and the publisher starts anew meanwhile.
	stop()
	publisher, err = NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, publisher.Run)
	second := kiosk(t, hub.URL(), "kiosk-b", t.TempDir(), nil)
	eventually(t, "received at the second kiosk", second.has("A", Received))
	d.answers("A", Done, []byte("invented result"))
	for _, k := range []*seat{first, second} {
		eventually(t, "done", k.has("A", Done))
		eventually(t, "result", k.hasResult("A", "invented result"))
	}

	// One that was away for weeks takes what stands now; nothing of what it has comes as new again.
	first.stop()
	d.answers("B", Received, nil)
	d.answers("B", NeedsMore, nil)
	eventually(t, "B at the second kiosk", second.has("B", NeedsMore))
	again := kiosk(t, hub.URL(), "kiosk-a", first.dir, q)
	eventually(t, "B at the first kiosk", again.has("B", NeedsMore))
	again.took(t, "B needs-more")

	// Nothing of it can be read in the province's store, and another ward's kiosk opens nothing.
	kv, err := js.KeyValue(t.Context(), AnswersBucket)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := kv.Get(t.Context(), "ward-7.A")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(entry.Value(), []byte("1950")) || bytes.Contains(entry.Value(), []byte("done")) {
		t.Error("an answer can be read in the store")
	}
	stranger, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(entry.Value(), stranger); err == nil {
		t.Error("a stranger opened it")
	}
}

// The server goes and comes back, empty buckets are made anew, kiosk and publisher are restarted: each answer is new once.
func TestProvinceKilled(t *testing.T) {
	dir := t.TempDir()
	hub := natstest.Start(t, dir, natstest.AnyPort)
	url := hub.URL()
	port := hub.Port()
	provide(t, url)
	d := newDesk("desk-1")
	publisher, err := NewPublisher(connectTo(url), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, publisher.Run)
	k := kiosk(t, url, "kiosk-a", t.TempDir(), nil)
	d.answers("A", Received, nil)
	eventually(t, "A", k.has("A", Received))
	hub.Stop()
	d.answers("A", Eligible, nil)
	d.answers("B", Received, nil)
	hub = natstest.Start(t, dir, port)
	eventually(t, "A after the restart", k.has("A", Eligible))
	eventually(t, "B after the restart", k.has("B", Received))
	hub.Stop()
	natstest.Start(t, t.TempDir(), port) // all of it was lost
	provide(t, url)
	d.answers("B", Done, []byte("invented result"))
	eventually(t, "B from the new buckets", k.has("B", Done))
	eventually(t, "its result", k.hasResult("B", "invented result"))
	k.took(t, "A received", "A eligible", "B received", "B done")
}

// Who has a kiosk's credential for the province's NATS writes his own key in its place: nothing is sealed to it. When the kiosk is
// revoked at the desk, what lies in the buckets is sealed anew, and it opens nothing of it.
func TestProvinceStolenCredential(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	js := provide(t, hub.URL())
	d := newDesk("desk-1")
	publisher, err := NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, publisher.Run)
	stolen := kiosk(t, hub.URL(), "kiosk-a", t.TempDir(), nil)
	other := kiosk(t, hub.URL(), "kiosk-b", t.TempDir(), nil)
	d.answers("A", Done, []byte("invented result"))
	eventually(t, "A at the kiosk", stolen.hasResult("A", "invented result"))
	thief, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := js.KeyValue(t.Context(), KiosksBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.PutString(t.Context(), "ward-7.kiosk-a", thief.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.PutString(t.Context(), "ward-7.kiosk-c", "nonsense"); err != nil { // looked at after the thief's
		t.Fatal(err)
	}
	d.answers("B", Received, nil)
	eventually(t, "B at the kiosk", stolen.has("B", Received)) // its own key is sealed to all the same
	answers, err := js.KeyValue(t.Context(), AnswersBucket)
	if err != nil {
		t.Fatal(err)
	}
	sealedNow := func(id string) []byte {
		entry, err := answers.Get(t.Context(), "ward-7."+id)
		if err != nil {
			t.Fatal(err)
		}
		return entry.Value()
	}
	for _, id := range []string{"A", "B"} {
		if _, err := Open(sealedNow(id), thief); err == nil {
			t.Errorf("%s opens with the key that was written in the kiosk's place", id)
		}
	}
	mine := stolen.in.Store.identity
	if _, err := Open(sealedNow("B"), mine); err != nil {
		t.Fatal(err) // else what follows shows nothing
	}
	d.revoke("kiosk-a")
	eventually(t, "all is sealed anew", func() bool {
		_, a := Open(sealedNow("A"), mine)
		_, b := Open(sealedNow("B"), mine)
		return a != nil && b != nil
	})
	results, err := js.ObjectStore(t.Context(), ResultsBucket)
	if err != nil {
		t.Fatal(err)
	}
	data, err := results.GetBytes(t.Context(), "ward-7.A")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := age.Decrypt(bytes.NewReader(data), mine); err == nil {
		t.Error("a revoked kiosk still opens the result")
	}
	d.answers("B", Eligible, nil)
	eventually(t, "B at the other kiosk", other.has("B", Eligible))
}

// Over JetStream, too, a kiosk can tell that the desk seals to another key of it, or revoked it, and that it is sealed to again.
func TestProvinceTellsHowAKioskStands(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	js := provide(t, hub.URL())
	d := newDesk("desk-1")
	publisher, err := NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, publisher.Run)
	k := kiosk(t, hub.URL(), "kiosk-a", t.TempDir(), nil)
	stands := func(s *seat, cause string) {
		t.Helper()
		eventually(t, "contact "+cause, func() bool {
			c := s.contact()
			return c.Cause == cause && (cause != "" || !c.Heard.IsZero())
		})
	}
	d.answers("A", Received, nil)
	eventually(t, "A", k.has("A", Received))
	stands(k, "")
	d.revoke("kiosk-a")
	stands(k, "refused")
	d.letIn("kiosk-a")
	stands(k, "")
	// Set up anew, it has another key. A restart does not make it forget; what it is told, nobody else can read.
	k.stop()
	dir := t.TempDir()
	anew := kiosk(t, hub.URL(), "kiosk-a", dir, nil)
	stands(anew, "key")
	anew.stop()
	anew = kiosk(t, hub.URL(), "kiosk-a", dir, nil)
	stands(anew, "key")
	if c, err := ReadContact(t.Context(), dir, seal.NewFile(filepath.Join(dir, "key"))); err != nil || c.Cause != "key" {
		t.Errorf("a technician is told %+v, %v", c, err)
	}
	keys, err := js.KeyValue(t.Context(), KiosksBucket)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := keys.Get(t.Context(), "standing.ward-7.kiosk-a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := age.Decrypt(bytes.NewReader(entry.Value()), newIdentity(t)); err == nil {
		t.Error("a stranger reads how the kiosk stands")
	}
	// What anybody else wrote there changes nothing.
	if _, err := keys.PutString(t.Context(), "standing.ward-7.kiosk-a", "nonsense"); err != nil {
		t.Fatal(err)
	}
	d.letIn("kiosk-a") // an officer allows the new key
	stands(anew, "")
	eventually(t, "A by the new key", anew.has("A", Received))
}

func (s *seat) contact() Contact {
	s.in.Store.mu.Lock()
	defer s.in.Store.mu.Unlock()
	return s.in.Store.contact
}

// A result that its citizen has in hand is wiped at the ward's other kiosks, and out of the province's store; also at one that was
// away meanwhile. It is no news there.
func TestProvinceWipesWhatWasHandedOver(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	js := provide(t, hub.URL())
	d := newDesk("desk-1")
	publisher, err := NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, publisher.Run)
	var kiosks []*seat
	for _, name := range []string{"kiosk-a", "kiosk-b", "kiosk-c"} {
		kiosks = append(kiosks, kiosk(t, hub.URL(), name, t.TempDir(), nil))
	}
	d.answers("A", Done, []byte("invented result"))
	for _, k := range kiosks {
		eventually(t, "the result", k.hasResult("A", "invented result"))
	}
	away := kiosks[2]
	away.stop()
	if err := wipe(kiosks[0].in.Store, "A"); err != nil {
		t.Fatal(err)
	}
	gone := func(k *seat) func() bool {
		return func() bool {
			r, err := k.in.Store.ByCode(codeOf("A"))
			names, _ := filepath.Glob(filepath.Join(k.dir, "*r-A*"))
			return err == nil && r.State == Done && !r.Collected.IsZero() && len(names) == 0
		}
	}
	eventually(t, "wiped at the other kiosk", gone(kiosks[1]))
	results, err := js.ObjectStore(t.Context(), ResultsBucket)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "wiped in the store", func() bool {
		_, err := results.GetInfo(t.Context(), "ward-7.A")
		return errors.Is(err, jetstream.ErrObjectNotFound)
	})
	back := kiosk(t, hub.URL(), "kiosk-c", away.dir, nil)
	eventually(t, "wiped at the one that was away", gone(back))
	kiosks[1].took(t, "A done")
	if untold := kiosks[0].in.Store.Untold(); len(untold) > 0 {
		t.Errorf("not told: %v", untold)
	}
}

// A province whose accounts were made before kiosks and desks had more to say than keys and answers: answers come as they did, to a
// kiosk that has something to tell, from a desk that may not tell how kiosks stand.
func TestProvinceWithOlderAccounts(t *testing.T) {
	may := func(subjects ...string) []string { return append(subjects, "$JS.API.>", "$JS.FC.>", "$JS.ACK.>") }
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort,
		natstest.User{Name: "province", Password: "x"},
		natstest.User{Name: "desk", Password: "x", Publish: may("$KV.MOTCUA_ANSWERS.ward-7.>", "$KV.MOTCUA_KIOSKS.published.ward-7",
			"$O.MOTCUA_RESULTS.>")},
		natstest.User{Name: "kiosk-a", Password: "x", Publish: may("$KV.MOTCUA_KIOSKS.ward-7.kiosk-a")})
	as := func(name string) string { return "nats://" + name + ":x@" + hub.Address() }
	provide(t, as("province"))
	d := newDesk("desk-1")
	publisher, err := NewPublisher(connectTo(as("desk")), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	publisher.patience = 100 * time.Millisecond
	runs(t, publisher.Run)
	in := &Intake{Store: openAt(t, t.TempDir()), Queue: delivered(t), Log: quiet, Clock: func() time.Time { return noon }}
	a := Answer{Desk: "desk-0", Number: 1, Submission: "Z", Code: codeOf("Z"), State: Done, Born: []int{1950}, At: noon,
		Result: &File{Name: "ket-qua.pdf", MediaType: "application/pdf", Size: 1, SHA256: strings.Repeat("0", 64)}}
	if _, err := in.Store.Take(a, noon); err != nil {
		t.Fatal(err)
	}
	if err := wipe(in.Store, "Z"); err != nil {
		t.Fatal(err)
	}
	sub, err := NewSubscriber(connectTo(as("kiosk-a")), "ward-7", "kiosk-a", in)
	if err != nil {
		t.Fatal(err)
	}
	sub.patience = 100 * time.Millisecond
	runs(t, sub.Run)
	k := &seat{in: in}
	for _, state := range []State{Received, Eligible} { // the second when all that could not be told was tried
		d.answers("A", state, nil)
		eventually(t, "A", k.has("A", state))
	}
	if len(in.Store.Untold()) != 1 {
		t.Error("what could not be told passes for told")
	}
}

// cutDesk is a desk whose results can't be read just then.
type cutDesk struct {
	*memoryDesk
	cut bool
}

func (d *cutDesk) Result(ctx context.Context, number uint64) (io.ReadCloser, error) {
	if d.cut {
		return nil, io.ErrUnexpectedEOF
	}
	return d.memoryDesk.Result(ctx, number)
}

// A kiosk that is revoked while answers are being sealed to it for the first time opens none of them: the kiosks are then those of
// before, and what lies there is not what was sealed to them.
func TestRevokedInTheMiddleOfSealingAnew(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	provide(t, hub.URL())
	nc, err := nats.Connect(hub.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	b, err := openBuckets(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	d := &cutDesk{memoryDesk: newDesk("desk-1")}
	p, err := NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	first, stolen := newIdentity(t), newIdentity(t)
	told := map[string]string{"ward-7.kiosk-a": first.Recipient().String()}
	d.answers("A", Received, nil)
	d.answers("B", Done, []byte("invented result"))
	if err := p.publish(t.Context(), b, told); err != nil {
		t.Fatal(err)
	}
	opens := func(by *age.X25519Identity) bool {
		t.Helper()
		entry, err := b.answers.Get(t.Context(), "ward-7.A")
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(entry.Value(), by)
		return err == nil
	}
	told["ward-7.kiosk-b"], d.cut = stolen.Recipient().String(), true
	if err := p.publish(t.Context(), b, told); err == nil || !opens(stolen) {
		t.Fatalf("not cut in the middle: %v", err) // else what follows shows nothing
	}
	d.cut = false
	d.revoke("kiosk-b")
	if err := p.publish(t.Context(), b, told); err != nil {
		t.Fatal(err)
	}
	if opens(stolen) || !opens(first) {
		t.Errorf("opens for the revoked kiosk %v, for the other %v", opens(stolen), opens(first))
	}
	// The last one, too; let in again, it has all of it back.
	d.revoke("kiosk-a")
	if err := p.publish(t.Context(), b, told); err != nil || opens(first) {
		t.Errorf("the only kiosk was revoked: %v, opens %v", err, opens(first))
	}
	d.letIn("kiosk-a")
	if err := p.publish(t.Context(), b, told); err != nil || !opens(first) {
		t.Errorf("let in again: %v, opens %v", err, opens(first))
	}
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	own, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
