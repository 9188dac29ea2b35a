package answer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"
	"golang.org/x/sync/errgroup"

	"motcua/agent/answer"
	"motcua/agent/office"
	"motcua/queue"
	"motcua/queue/collect"
	"motcua/queue/natstest"
	"motcua/queue/seal"
	"motcua/queue/tus"
)

// TestFleetAnsweredSoak is a province with answers flowing back: wards of ten kiosks, each kiosk with a real queue, sink and store of
// answers, each ward with a desk that collects from a real tusd's store and lays answers out in one real NATS server. Every kiosk hands
// in at once; an officer of each ward finishes what came, with a result; every kiosk of the ward gets it. Everything must be filed
// once, and be new once at each kiosk; the figures stand in queue/receive/README.md. Without MOTCUA_SOAK it is a sample.
func TestFleetAnsweredSoak(t *testing.T) {
	wards, seats, result := 2, 2, 2<<10
	if os.Getenv("MOTCUA_SOAK") != "" {
		wards, seats, result = 100, 10, 50<<10
	}
	if n, err := strconv.Atoi(os.Getenv("MOTCUA_FLEET_WARDS")); err == nil {
		wards = n
	}
	dir, err := os.MkdirTemp("/dev/shm", "motcua-answered-") // 1,000 kiosks' disks don't fit on one
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := &fleet{t: t, dir: dir, seats: seats, result: make([]byte, result), url: fleetNATS(t, t.TempDir())}
	rand.Read(f.result)
	ctx, cancel := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(ctx)
	t.Cleanup(func() {
		cancel()
		if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		for _, close := range f.closing {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	for w := range wards {
		f.open(ctx, group, fmt.Sprintf("ward-%d", w))
	}
	begun := time.Now()
	said := begun
	for _, k := range f.kiosks {
		if _, err := k.queue.Enqueue(ctx, queue.Draft{ID: k.id(), Parts: []queue.Part{
			queue.FromBytes("form.json", "application/json", []byte(confirmed)),
			queue.FromBytes("page-0001.jpg", "image/jpeg", f.result)}}); err != nil {
			t.Fatal(err)
		}
		group.Go(func() error { return k.queue.Run(ctx, k.sink) })
	}
	for end := time.Now().Add(15 * time.Minute); !f.settled(); time.Sleep(200 * time.Millisecond) {
		if os.Getenv("MOTCUA_FLEET_SAYS") != "" && time.Since(said) > 5*time.Second {
			said = time.Now()
			t.Log(f.stands())
		}
		if time.Now().After(end) || ctx.Err() != nil {
			t.Fatalf("not everything came to its end: %s", f.stands())
		}
	}
	f.judge(time.Since(begun))
}

// fleet is the province.
type fleet struct {
	t       *testing.T
	dir     string
	url     string // of NATS
	seats   int
	result  []byte
	desks   []*office.Store
	kiosks  []*fleetKiosk
	closing []func() error

	mu   sync.Mutex // guards acts
	acts map[string]time.Time
}

type fleetKiosk struct {
	f          *fleet
	ward, name string
	queue      *queue.Queue
	sink       *tus.Sink
	store      *answer.Store
	in         *answer.Intake

	mu    sync.Mutex // guards the rest
	taken map[string]int
	took  []time.Duration // from an officer's act to this kiosk
}

func (k *fleetKiosk) id() string { return k.ward + "-" + k.name }

func (f *fleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// open makes a ward: its tusd, desk and kiosks.
func (f *fleet) open(ctx context.Context, group *errgroup.Group, ward string) {
	t := f.t
	t.Helper()
	uploads, desk := filepath.Join(f.dir, ward, "uploads"), filepath.Join(f.dir, ward, "desk")
	f.must(os.MkdirAll(uploads, 0o700))
	composer := handler.NewStoreComposer()
	filestore.New(uploads).UseIn(composer)
	memorylocker.New().UseIn(composer)
	hub, err := handler.NewHandler(handler.Config{StoreComposer: composer, BasePath: "/files/",
		Logger: xslog.New(xslog.NewTextHandler(io.Discard, nil))})
	f.must(err)
	server := httptest.NewServer(http.StripPrefix("/files/", hub))
	t.Cleanup(server.Close)
	store, err := office.Open(ctx, desk, office.Options{Vault: seal.NewFile(filepath.Join(desk, "key")), Log: quietly})
	f.must(err)
	f.desks, f.closing = append(f.desks, store), append(f.closing, store.Close)
	from, err := collect.OpenDisk(uploads)
	f.must(err)
	c, err := collect.New(collect.Options{Store: from, Owner: store.Desk(), File: store.File, Every: time.Second, Log: quietly})
	f.must(err)
	publisher, err := answer.NewPublisher(f.connect, ward, store, quietly)
	f.must(err)
	group.Go(func() error { return c.Run(ctx) })
	group.Go(func() error { return publisher.Run(ctx) })
	group.Go(func() error { f.officer(ctx, store); return nil })
	for i := range f.seats {
		f.sit(ctx, group, ward, fmt.Sprintf("kiosk-%d", i), server.URL+"/files/")
	}
}

func (f *fleet) connect(more ...nats.Option) (*nats.Conn, error) { return nats.Connect(f.url, more...) }

func (f *fleet) sit(ctx context.Context, group *errgroup.Group, ward, name, hub string) {
	f.t.Helper()
	dir := filepath.Join(f.dir, ward, name)
	f.must(os.MkdirAll(filepath.Join(dir, "answers"), 0o700))
	k := &fleetKiosk{f: f, ward: ward, name: name, taken: map[string]int{}}
	var err error
	k.queue, _, err = queue.Open(ctx, filepath.Join(dir, "queue"), queue.Options{MinFree: -1, Retention: time.Hour, Log: quietly})
	f.must(err)
	k.sink, err = tus.New(tus.Options{Endpoint: hub, Log: quietly})
	f.must(err)
	k.store, err = answer.OpenStore(ctx, filepath.Join(dir, "answers"), seal.NewFile(filepath.Join(dir, "answers", "key")), quietly)
	f.must(err)
	k.in = &answer.Intake{Store: k.store, Queue: k.queue, Log: quietly, Taken: k.told}
	sub, err := answer.NewSubscriber(f.connect, ward, name, k.in)
	f.must(err)
	group.Go(func() error { return sub.Run(ctx) })
	f.kiosks, f.closing = append(f.kiosks, k), append(f.closing, k.queue.Close)
}

func (k *fleetKiosk) told(a answer.Answer) {
	now := time.Now()
	k.f.mu.Lock()
	act, acted := k.f.acts[a.Submission]
	k.f.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.taken[a.Submission+" "+string(a.State)]++
	if a.State == answer.Done && acted {
		k.took = append(k.took, now.Sub(act))
	}
}

// officer finishes what came, with a result.
func (f *fleet) officer(ctx context.Context, store *office.Store) {
	for ctx.Err() == nil {
		changed := store.Changed()
		for _, d := range store.List(office.Filter{States: []answer.State{answer.Received}}) {
			d, _, err := store.Attach(ctx, d.ID, office.Attachment{By: "canbo", Revision: d.Revision, Name: "ket-qua.pdf",
				MediaType: "application/pdf",
				Result:    true, Content: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.result)), nil }})
			if err != nil {
				continue
			}
			f.mu.Lock()
			if f.acts == nil {
				f.acts = map[string]time.Time{}
			}
			f.acts[d.ID] = time.Now()
			f.mu.Unlock()
			store.Act(ctx, d.ID, office.Act{By: "canbo", Revision: d.Revision, State: answer.Done}) // what fails is seen again
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// stands counts how far it came.
func (f *fleet) stands() string {
	done, missing, acknowledged := 0, 0, 0
	left := ""
	for _, k := range f.kiosks {
		done += k.store.Counts()[answer.Done]
		missing += len(k.store.Missing())
		if s, err := k.queue.Get(k.id()); err == nil && s.State == queue.Acknowledged {
			acknowledged++
		} else {
			left = fmt.Sprint(s.State, " ", s.Attempts, " ", s.LastError)
		}
	}
	return fmt.Sprintf("%d answers at their kiosks, %d results missing, %d acknowledged; one that is not: %s", done, missing, acknowledged,
		left)
}

// settled reports whether every kiosk has every answer of its ward, with its result, and every submission is acknowledged.
func (f *fleet) settled() bool {
	for _, k := range f.kiosks {
		if k.store.Counts()[answer.Done] != f.seats || len(k.store.Missing()) > 0 {
			return false
		}
		if s, err := k.queue.Get(k.id()); err != nil || s.State != queue.Acknowledged {
			_ = k.in.Delivered(f.t.Context(), k.id()) // as the daemon does after each delivery
			return false
		}
	}
	return true
}

func (f *fleet) judge(lasted time.Duration) {
	f.t.Helper()
	var took []time.Duration
	for _, k := range f.kiosks {
		k.mu.Lock()
		for what, n := range k.taken {
			if n != 1 {
				f.t.Errorf("%s: %s was new %d times", k.id(), what, n)
			}
		}
		took = append(took, k.took...)
		k.mu.Unlock()
	}
	for i, store := range f.desks {
		if n := len(store.List(office.Filter{})); n != f.seats {
			f.t.Errorf("desk %d has %d dossiers, want %d", i, n, f.seats)
		}
	}
	if want := len(f.kiosks) * f.seats; len(took) != want {
		f.t.Errorf("%d answers came, want %d", len(took), want)
	}
	slices.Sort(took)
	f.t.Logf("%d kiosks in %d wards: %d answers with results of %d kB at their kiosks in %v (%.0f/s); "+
		"from act to kiosk p50 %v, p95 %v, p99 %v",
		len(f.kiosks), len(f.desks), len(took), len(f.result)>>10, lasted.Round(100*time.Millisecond), float64(len(took))/lasted.Seconds(),
		took[len(took)/2].Round(time.Millisecond), took[len(took)*95/100].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond))
}

// fleetNATS is a province's NATS with the buckets of the README.
func fleetNATS(t *testing.T, dir string) string {
	t.Helper()
	s := natstest.Start(t, dir, natstest.AnyPort)
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{answer.KiosksBucket, answer.AnswersBucket} {
		if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: name, History: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: answer.ResultsBucket}); err != nil {
		t.Fatal(err)
	}
	return s.URL()
}
