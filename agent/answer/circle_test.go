package answer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"

	"motcua/agent/answer"
	"motcua/agent/office"
	"motcua/agent/tether"
	"motcua/queue"
	"motcua/queue/collect"
	"motcua/queue/seal"
	"motcua/queue/tus"
)

// The circle: kiosks send to a tusd, a desk collects from its store, an officer answers, the answers come back to all kiosks.
// Each part is a process of its own (this program, told its part by the environment), and is killed again and again.

const partVariable = "MOTCUA_TEST_PART"

var quietly = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) {
	part := strings.Fields(os.Getenv(partVariable))
	if len(part) == 0 {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // a part ends with the test, however that ended
		io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	var err error
	switch part[0] {
	case "tusd":
		err = tusdPart(part[1])
	case "desk":
		err = deskPart(ctx, part[1], part[2])
	case "kiosk":
		err = kioskPart(ctx, part[1], part[2], part[3], part[4], part[5])
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, part[0]+":", err)
		os.Exit(1)
	}
}

func listen(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, h)
}

func tusdPart(dir string) error {
	composer := handler.NewStoreComposer()
	filestore.New(dir).UseIn(composer)
	memorylocker.New().UseIn(composer)
	h, err := handler.NewHandler(handler.Config{StoreComposer: composer, BasePath: "/files/", RespectForwardedHeaders: true,
		Logger: xslog.New(xslog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		return err
	}
	return listen(http.StripPrefix("/files/", h))
}

// deskPart collects, has an officer who finishes everything, and gives answers.
func deskPart(ctx context.Context, uploads, dir string) error {
	store, err := office.Open(ctx, dir, office.Options{Vault: seal.NewFile(filepath.Join(dir, "key")), Log: quietly})
	if err != nil {
		return err
	}
	from, err := collect.OpenDisk(uploads)
	if err != nil {
		return err
	}
	c, err := collect.New(collect.Options{Store: from, Owner: store.Desk(), File: store.File, Every: 50 * time.Millisecond,
		Rest: 2 * time.Second, Log: quietly})
	if err != nil {
		return err
	}
	go c.Run(ctx)
	go officer(ctx, store)
	who := func(_ http.ResponseWriter, r *http.Request) (string, bool) {
		return r.Header.Get("Authorization"), true
	}
	return listen(answer.NewServer(store, who, quietly))
}

// officer finishes what came, with a result.
func officer(ctx context.Context, store *office.Store) {
	for ctx.Err() == nil {
		changed := store.Changed()
		for _, d := range store.List(office.Filter{States: []answer.State{answer.Received, answer.Eligible}}) {
			result := "result of " + d.ID
			if d.Result == "" {
				var err error
				d, _, err = store.Attach(ctx, d.ID, office.Attachment{By: "canbo", Revision: d.Revision, Name: "ket-qua.txt",
					MediaType: "text/plain", Result: true,
					Content: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(result)), nil }})
				if err != nil {
					continue
				}
			}
			store.Act(ctx, d.ID, office.Act{By: "canbo", Revision: d.Revision, State: answer.Done}) // what fails is seen again
		}
		select {
		case <-changed:
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// kioskPart hands in n submissions, once each however often it is started, and takes answers until it is killed. Each
// answer that was new is a line in its folder.
func kioskPart(ctx context.Context, name, dir, front, own, ward string) error {
	n, err := strconv.Atoi(own)
	if err != nil {
		return err
	}
	total, err := strconv.Atoi(ward)
	if err != nil {
		return err
	}
	q, _, err := queue.Open(ctx, filepath.Join(dir, "queue"), queue.Options{MinFree: -1,
		RetryFirst: 50 * time.Millisecond, RetryMax: time.Second,
		Retention: time.Hour, Log: quietly})
	if err != nil {
		return err
	}
	for i := range n {
		form := queue.FromBytes("form.json", "application/json", []byte(confirmed))
		draft := queue.Draft{ID: fmt.Sprintf("%s-%d", name, i), Labels: map[string]string{"kiosk": name}, Parts: []queue.Part{form}}
		if _, err := q.Enqueue(ctx, draft); err != nil {
			return err
		}
	}
	sink, err := tus.New(tus.Options{Endpoint: front + "/files/", Log: quietly})
	if err != nil {
		return err
	}
	store, err := answer.OpenStore(ctx, filepath.Join(dir, "answers"), seal.NewFile(filepath.Join(dir, "answers", "key")), quietly)
	if err != nil {
		return err
	}
	told, err := os.OpenFile(filepath.Join(dir, "told"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	in := &answer.Intake{Store: store, Queue: q, Log: quietly, Taken: func(a answer.Answer) { fmt.Fprintln(told, a.Desk, a.Number) }}
	p, err := answer.NewPuller(answer.PullOptions{URL: front + answer.Path, Token: name, Wait: time.Second, Every: 50 * time.Millisecond}, in)
	if err != nil {
		return err
	}
	go q.Run(ctx, sink)
	go func() {
		for { // the pace of Run is a kiosk's; the test is in a hurry
			p.Round(ctx)
			time.Sleep(50 * time.Millisecond)
		}
	}()
	fmt.Println("up")
	for {
		time.Sleep(100 * time.Millisecond)
		all, err := q.List(queue.Filter{})
		if err != nil {
			return err
		}
		settled := store.Counts()[answer.Done] == total && len(store.Missing()) == 0
		for _, s := range all {
			in.Delivered(ctx, s.ID)
			settled = settled && s.State == queue.Acknowledged
		}
		if settled {
			if err := os.WriteFile(filepath.Join(dir, settledName), nil, 0o600); err != nil {
				return err
			}
		}
	}
}

// confirmed is a form as far as a desk reads it.
const confirmed = `{"procedure":{"code":"2.000815"},"values":[{"id":"applicant_birth","value":"1955"}]}`

// settledName is a file that a kiosk lays in its folder when nothing is left to come.
const settledName = "settled"

// part is a process that is killed and started again.
type part struct {
	args    string
	address atomic.Value // of what listens
	cmd     *exec.Cmd
	stdin   io.Closer
}

func (p *part) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), partVariable+"="+p.args)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tether.Start(p.cmd); err != nil {
		t.Fatal(err)
	}
	p.stdin = in
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not start: %v", p.args, err)
	}
	p.address.Store(strings.TrimSpace(line))
}

func (p *part) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p.stdin.Close()
}

// front is the one address that kiosks know; behind it parts come and go, and a proxy answers 502 meanwhile.
func front(t *testing.T, tusd, desk *part) string {
	t.Helper()
	to := func(p *part) http.Handler {
		return &httputil.ReverseProxy{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: p.address.Load().(string)})
			r.SetXForwarded()
		}}
	}
	mux := http.NewServeMux()
	mux.Handle("/files/", to(tusd))
	mux.Handle(answer.Path, to(desk))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestCircleKilledAtRandom(t *testing.T) {
	kiosks, each, kills := 2, 4, 12
	if os.Getenv("MOTCUA_SOAK") != "" {
		kiosks, each, kills = 4, 50, 300
	}
	dir := t.TempDir()
	uploads, deskDir := filepath.Join(dir, "uploads"), filepath.Join(dir, "desk")
	if err := os.MkdirAll(uploads, 0o700); err != nil {
		t.Fatal(err)
	}
	tusd, desk := &part{args: "tusd " + uploads}, &part{args: "desk " + uploads + " " + deskDir}
	tusd.start(t)
	desk.start(t)
	address := front(t, tusd, desk)
	all := []*part{tusd, desk}
	for i := range kiosks {
		name := fmt.Sprintf("kiosk%d", i)
		if err := os.MkdirAll(filepath.Join(dir, name, "answers"), 0o700); err != nil {
			t.Fatal(err)
		}
		k := &part{args: fmt.Sprintln("kiosk", name, filepath.Join(dir, name), address, each, kiosks*each)}
		k.start(t)
		all = append(all, k)
	}
	var stopping sync.Once
	stop := func() {
		stopping.Do(func() {
			for _, p := range all {
				p.kill()
			}
		})
	}
	defer stop()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for range kills {
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond) // how far each has come when it is hit
		p := all[r.IntN(len(all))]
		p.kill()
		p.start(t)
	}
	// Left alone, everything comes to its end.
	settled := func() bool {
		done, _ := filepath.Glob(filepath.Join(dir, "kiosk*", settledName))
		left, _ := filepath.Glob(filepath.Join(uploads, "*.info"))
		return len(done) == kiosks && len(left) == 0
	}
	for end := time.Now().Add(5 * time.Minute); !settled() && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
	}
	stop()
	judge(t, dir, deskDir, kiosks, each)
}

// judge opens what the dead left: each submission is filed once, each answer was new once at each kiosk, all is acknowledged.
func judge(t *testing.T, dir, deskDir string, kiosks, each int) {
	t.Helper()
	store, err := office.Open(t.Context(), deskDir, office.Options{Vault: seal.NewFile(filepath.Join(deskDir, "key")), Log: quietly})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	filed := map[string]int{}
	for _, d := range store.List(office.Filter{}) {
		filed[d.ID]++
		if d.State != answer.Done {
			t.Errorf("%s is %s", d.ID, d.State)
		}
	}
	if len(filed) != kiosks*each {
		t.Errorf("%d of %d submissions are filed", len(filed), kiosks*each)
	}
	for id, n := range filed {
		if n != 1 {
			t.Errorf("%s is filed %d times", id, n)
		}
	}
	for i := range kiosks {
		at := filepath.Join(dir, fmt.Sprintf("kiosk%d", i))
		told, err := os.ReadFile(filepath.Join(at, "told"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(told)), "\n")
		slices.Sort(lines)
		if n := len(lines); n != len(slices.Compact(lines)) {
			t.Errorf("kiosk%d: an answer was new twice", i)
		}
		answers, err := answer.OpenStore(t.Context(), filepath.Join(at, "answers"), seal.NewFile(filepath.Join(at, "answers", "key")), quietly)
		if err != nil {
			t.Fatal(err)
		}
		q, _, err := queue.Open(t.Context(), filepath.Join(at, "queue"), queue.Options{MinFree: -1, Retention: time.Hour, Log: quietly})
		if err != nil {
			t.Fatal(err)
		}
		for id := range filed { // of both kiosks: all of the ward
			_, data, err := answers.Result(id)
			if err != nil || string(data) != "result of "+id {
				t.Errorf("kiosk%d: result of %s: %q, %v", i, id, data, err)
			}
		}
		subs, err := q.List(queue.Filter{})
		if err = errors.Join(err, q.Close()); err != nil {
			t.Fatal(err)
		}
		for _, s := range subs {
			if s.State != queue.Acknowledged {
				t.Errorf("%s is %s, want acknowledged", s.ID, s.State)
			}
		}
	}
}
