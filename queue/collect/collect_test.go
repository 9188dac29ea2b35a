package collect

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/minio/minio-go/v7"
	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"

	"motcua/queue"
	"motcua/queue/receive"
	"motcua/queue/tus"
)

var quiet = slog.New(slog.DiscardHandler)

// hub is a real tusd handler over a store, and that store as a collector sees it.
type hub struct {
	url   string
	store Store
}

// onDisk is a tusd that stores in a folder.
func onDisk(t *testing.T) hub {
	t.Helper()
	dir := t.TempDir()
	composer := handler.NewStoreComposer()
	filestore.New(dir).UseIn(composer)
	store, err := OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return hub{serve(t, composer), store}
}

func serve(t *testing.T, composer *handler.StoreComposer) string {
	t.Helper()
	memorylocker.New().UseIn(composer)
	h, err := handler.NewHandler(handler.Config{StoreComposer: composer, BasePath: "/files/",
		Logger: xslog.New(xslog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.StripPrefix("/files/", h))
	t.Cleanup(s.Close)
	return s.URL + "/files/"
}

// inBucket is a tusd that stores in a real S3 server, versitygw.
func inBucket(t *testing.T) hub {
	t.Helper()
	endpoint := gateway(t)
	b, err := OpenBucket(BucketOptions{Endpoint: endpoint, Bucket: "submissions", Prefix: "ward-7/", AccessKey: "province",
		SecretKey: "invented-secret"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.client.MakeBucket(t.Context(), "submissions", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	front := freePort(t)
	host, port, err := net.SplitHostPort(front)
	if err != nil {
		t.Fatal(err)
	}
	program(t, "github.com/tus/tusd/v2/cmd/tusd@v2.9.1", front,
		[]string{"AWS_ACCESS_KEY_ID=province", "AWS_SECRET_ACCESS_KEY=invented-secret", "AWS_REGION=us-east-1", "TMPDIR=" + t.TempDir()},
		"-host", host, "-port", port, "-base-path", "/files/", "-s3-bucket", "submissions", "-s3-object-prefix", "ward-7",
		"-s3-endpoint", endpoint, "-s3-disable-ssl")
	return hub{"http://" + front + "/files/", b}
}

// gateway runs a real S3 server, versitygw.
func gateway(t *testing.T) string {
	t.Helper()
	dir, address := t.TempDir(), freePort(t)
	for _, d := range []string{"meta", "data"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	program(t, "github.com/versity/versitygw/cmd/versitygw@v1.8.0", address, nil, "--access", "province", "--secret", "invented-secret",
		"--port", address, "--quiet", "--keep-alive", "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	return "http://" + address
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// program runs a program of a module and waits until it listens. It is built into the user's cache by MOTCUA_SOAK=1; where it
// was built before it is run every time.
func program(t *testing.T, module, address string, env []string, args ...string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	name, version, _ := strings.Cut(filepath.Base(module), "@")
	binary := filepath.Join(cache, "motcua-tests", version, name)
	if _, err := os.Stat(binary); err != nil {
		if os.Getenv("MOTCUA_SOAK") == "" {
			t.Skip("MOTCUA_SOAK=1 builds and runs " + name)
		}
		install := exec.Command("go", "install", module)
		install.Dir = t.TempDir()
		install.Env = append(os.Environ(), "GOBIN="+filepath.Dir(binary), "GOFLAGS=-mod=mod")
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	var out bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
	t.Fatalf("%s does not listen: %s", name, out.String())
}

// office files into memory what it is given, whole, and proves nothing: that is the desk's.
type office struct {
	mu    sync.Mutex
	filed map[string]int // submission → times it was filed anew
	parts map[string]string
	fail  error // of the next filings
	after error // told although it was filed: the collector is killed before it hears
}

func newOffice() *office { return &office{filed: map[string]int{}, parts: map[string]string{}} }

func (o *office) file(_ context.Context, r receive.Receipt, parts fs.FS) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return false, o.fail
	}
	name := "form.json"
	if r.Sealed {
		name = SealedName
	}
	data, err := fs.ReadFile(parts, name)
	if err != nil {
		return false, err
	}
	if o.filed[r.ID] > 0 {
		return false, o.after
	}
	o.filed[r.ID]++
	o.parts[r.ID] = string(data)
	return true, o.after
}

// send delivers submissions by a kiosk's own queue and sink.
func send(t *testing.T, url string, to []age.Recipient, only bool, ids ...string) {
	t.Helper()
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1, Office: to, OfficeOnly: only})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for _, id := range ids {
		draft := queue.Draft{ID: id, Labels: map[string]string{"kiosk": "ward-7-a"},
			Parts: []queue.Part{queue.FromBytes("form.json", "application/json", []byte("form of "+id))}}
		if _, err := q.Enqueue(t.Context(), draft); err != nil {
			t.Fatal(err)
		}
	}
	s, err := tus.New(tus.Options{Endpoint: url, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if pass, err := q.DeliverDue(t.Context(), s); err != nil || pass.Delivered != len(ids) {
		t.Fatalf("delivered %+v, %v", pass, err)
	}
}

func collector(t *testing.T, h hub, owner string, o *office, outcomes map[string]int, keys ...age.Identity) *Collector {
	t.Helper()
	var mu sync.Mutex
	c, err := New(Options{Store: h.store, Owner: owner, File: o.file, Identities: keys, Rest: -1, Log: quiet, Count: func(what string) {
		mu.Lock()
		defer mu.Unlock()
		outcomes[what]++
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pass(t *testing.T, c *Collector) int {
	t.Helper()
	n, err := c.Pass(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// left counts what lies in the store, finished or not.
func left(t *testing.T, s Store) (n int) {
	t.Helper()
	if err := s.Uploads(t.Context(), func(Upload) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func both(t *testing.T, test func(*testing.T, hub)) {
	t.Run("disk", func(t *testing.T) { test(t, onDisk(t)) })
	t.Run("bucket", func(t *testing.T) { test(t, inBucket(t)) })
}

func TestFilesWhatIsFinished(t *testing.T) {
	both(t, func(t *testing.T, h hub) {
		key, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		other, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		send(t, h.url, nil, false, "A", "B")
		send(t, h.url, []age.Recipient{key.Recipient()}, true, "SEALED")
		send(t, h.url, []age.Recipient{other.Recipient()}, true, "CLOSED")
		begin(t, h.url, "U") // half of an upload
		o, outcomes := newOffice(), map[string]int{}
		c := collector(t, h, "desk-1", o, outcomes, key)
		if n := pass(t, c); n != 4 || outcomes[Filed] != 4 {
			t.Errorf("filed %d, %v", n, outcomes)
		}
		for _, id := range []string{"A", "B", "SEALED"} {
			if o.parts[id] != "form of "+id {
				t.Errorf("%s: %q", id, o.parts[id])
			}
		}
		if !strings.HasPrefix(o.parts["CLOSED"], ageMagic) {
			t.Error("what nobody here may open was not filed as it is")
		}
		if n := left(t, h.store); n != 1 {
			t.Errorf("%d uploads are left, want the unfinished one", n)
		}
		// Sent again, by another kiosk that took over a backup: known, and removed.
		resend(t, h, "A")
		if n := pass(t, c); n != 0 || outcomes[Known] != 1 || left(t, h.store) != 1 {
			t.Errorf("filed %d, %v, %d left", n, outcomes, left(t, h.store))
		}
	})
}

// begin creates an upload and sends half of it.
func begin(t *testing.T, url, id string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("half"))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": "8", "Content-Type": "application/offset+octet-stream",
		"Upload-Metadata": "submission VQ==,sha256 " + b64(strings.Repeat("0", 64)) + ",code " + b64("2222-2222")} {
		r.Header.Set(k, v)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatal(response.Status)
	}
}

// upload sends bytes under names that need not fit them.
func upload(t *testing.T, url, id, sum string, data []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": fmt.Sprint(len(data)),
		"Content-Type":    "application/offset+octet-stream",
		"Upload-Metadata": "submission " + b64(id) + ",sha256 " + b64(sum) + ",code " + b64("2222-2222")} {
		r.Header.Set(k, v)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatal(response.Status)
	}
}

// resend uploads once more what was filed; its digest is in the claim.
func resend(t *testing.T, h hub, id string) {
	t.Helper()
	is, err := h.store.Claim(t.Context(), id, Claim{})
	if err != nil || is.State != filed {
		t.Fatalf("claim %+v, %v", is, err)
	}
	upload(t, h.url, id, is.SHA256, []byte("the same bytes, whatever they are: only what was announced is looked at"))
}

// What is not as announced is never filed, stays where it lies, is told once; the kiosk sends it again and is heard.
func TestProves(t *testing.T) {
	both(t, func(t *testing.T, h hub) {
		o, outcomes := newOffice(), map[string]int{}
		key, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		c := collector(t, h, "desk-1", o, outcomes, key)
		var sealed bytes.Buffer
		in, err := age.Encrypt(&sealed, key.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(ignore(io.WriteString(in, strings.Repeat("invented ", 20_000))), in.Close()); err != nil {
			t.Fatal(err)
		}
		torn := sealed.Bytes()
		torn[len(torn)/2] ^= 1
		upload(t, h.url, "DIGEST", strings.Repeat("0", 64), []byte("not these"))
		upload(t, h.url, "NOZIP", sumOf([]byte("no zip")), []byte("no zip"))
		upload(t, h.url, "TORN", sumOf(torn), torn)
		upload(t, h.url, "../../etc", strings.Repeat("0", 64), []byte("x"))
		for range 3 {
			pass(t, c)
		}
		if outcomes[OtherDigest] != 1 || outcomes[BadSeal] != 2 || outcomes[BadName] != 1 || len(o.filed) != 0 || left(t, h.store) != 4 {
			t.Errorf("%v, filed %v, %d left", outcomes, o.filed, left(t, h.store))
		}
		send(t, h.url, nil, false, "DIGEST")
		if n := pass(t, c); n != 1 || o.parts["DIGEST"] != "form of DIGEST" {
			t.Errorf("sent again: filed %d, %v", n, outcomes)
		}
		o.fail = fmt.Errorf("file: %w", ErrUnproved)
		send(t, h.url, nil, false, "MANIFEST")
		pass(t, c)
		o.fail = errors.New("the disk is full")
		send(t, h.url, nil, false, "FULL")
		pass(t, c)
		o.fail = nil
		if n := pass(t, c); n != 1 || outcomes[Unproved] != 1 || outcomes[Trouble] == 0 {
			t.Errorf("filed %d, %v", n, outcomes)
		}
	})
}

// What no kiosk writes never comes to the desk: with a few bytes it would fill its disk, or look other than it is.
func TestHostileBundles(t *testing.T) {
	h, o, outcomes := onDisk(t), newOffice(), map[string]int{}
	for id, f := range map[string]zip.FileHeader{
		"BOMB":   {Name: "form.json", Method: zip.Deflate},
		"FOLDER": {Name: "a/form.json"},
		"TURNED": {Name: "form\u202enosj.exe"},
	} {
		var data bytes.Buffer
		z := zip.NewWriter(&data)
		for _, f := range []zip.FileHeader{f, {Name: "manifest.json"}} {
			w, err := z.CreateHeader(&f)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		upload(t, h.url, id, sumOf(data.Bytes()), data.Bytes())
	}
	c := collector(t, h, "desk-1", o, outcomes)
	for range 2 {
		pass(t, c)
	}
	if outcomes[BadSeal] != 3 || len(o.filed) != 0 || left(t, h.store) != 3 {
		t.Errorf("%v, filed %v, %d left", outcomes, o.filed, left(t, h.store))
	}
}

// What is filed stays until its kiosk had time to ask for it: one that found it gone would send it again, and after the second time
// hold it for a person. Seen in a province of 1,000 kiosks, 4 of 100 held.
func TestStaysForItsKiosk(t *testing.T) {
	both(t, func(t *testing.T, h hub) {
		send(t, h.url, nil, false, "A")
		o := newOffice()
		c := collector(t, h, "desk-1", o, map[string]int{})
		c.o.Rest = restFor
		for range 3 {
			pass(t, c)
		}
		if o.filed["A"] != 1 || left(t, h.store) != 1 {
			t.Fatalf("filed %d times, %d left", o.filed["A"], left(t, h.store))
		}
		c = collector(t, h, "desk-1", o, map[string]int{}) // started anew
		c.o.Rest, c.o.Clock = restFor, func() time.Time { return time.Now().Add(restFor + time.Minute) }
		pass(t, c)
		if o.filed["A"] != 1 || left(t, h.store) != 0 {
			t.Errorf("later: filed %d times, %d left", o.filed["A"], left(t, h.store))
		}
	})
}

// Two collectors with desks of their own at one store, at once: each submission is filed by one of them.
func TestTwoCollectorsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h hub) {
		var ids []string
		for i := range 20 {
			ids = append(ids, fmt.Sprintf("S%d", i))
		}
		send(t, h.url, nil, false, ids...)
		offices := []*office{newOffice(), newOffice()}
		var running sync.WaitGroup
		for i, o := range offices {
			running.Go(func() {
				c := collector(t, h, fmt.Sprintf("desk-%d", i), o, map[string]int{})
				for range 3 {
					if _, err := c.Pass(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		running.Wait()
		for _, id := range ids {
			if n := offices[0].filed[id] + offices[1].filed[id]; n != 1 {
				t.Errorf("%s was filed %d times", id, n)
			}
		}
		if n := left(t, h.store); n != 0 {
			t.Errorf("%d uploads are left", n)
		}
	})
}

// A collector that dies after any of its calls to the store, and one that takes its place with the same desk, file each once;
// another desk takes nothing of what the dead one had claimed, until a person says that it will never come back.
func TestKilledAtEveryStep(t *testing.T) {
	both(t, func(t *testing.T, h hub) {
		for step := 1; ; step++ {
			id := fmt.Sprint("S", step)
			send(t, h.url, nil, false, id)
			o, dying := newOffice(), &dies{Store: h.store, at: step}
			c := collector(t, hub{h.url, dying}, "desk-1", o, map[string]int{})
			c.Pass(t.Context()) // its error is its death
			if !dying.dead {
				if step < 6 {
					t.Fatalf("only %d steps were cut", step)
				}
				return
			}
			other := newOffice()
			pass(t, collector(t, h, "desk-2", other, map[string]int{}))
			pass(t, collector(t, h, "desk-1", o, map[string]int{}))
			if o.filed[id]+other.filed[id] != 1 || left(t, h.store) != 0 {
				t.Errorf("dead after step %d: filed %d and %d times, %d left", step, o.filed[id], other.filed[id], left(t, h.store))
			}
		}
	})
}

func TestInsteadOfADeadDesk(t *testing.T) {
	h := onDisk(t)
	send(t, h.url, nil, false, "A")
	c := collector(t, hub{h.url, &dies{Store: h.store, at: 3}}, "desk-1", newOffice(), map[string]int{})
	c.Pass(t.Context())
	o, told := newOffice(), map[string]int{}
	heir := collector(t, h, "desk-2", o, told)
	if n := pass(t, heir); n != 0 {
		t.Fatal("taken from a desk that may come back")
	}
	if told[Elsewhere] != 0 {
		t.Error("told of a desk that is only slow")
	}
	heir.o.Clock = func() time.Time { return time.Now().Add(2 * longClaimed) }
	pass(t, heir)
	pass(t, heir)
	if told[Elsewhere] != 1 {
		t.Errorf("a submission that nobody files was told %d times", told[Elsewhere])
	}
	heir.o.InsteadOf = "desk-1"
	if n := pass(t, heir); n != 1 || left(t, h.store) != 0 {
		t.Errorf("filed %d", n)
	}
}

// dies is a store whose user is killed in one of its calls: half of them before it was done, half after.
type dies struct {
	Store
	at, n int
	dead  bool
}

var errKilled = errors.New("killed")

func (d *dies) cut(do func() error) error {
	if d.dead {
		return errKilled
	}
	d.n++
	if d.n == d.at {
		d.dead = true
		return errKilled
	}
	err := do()
	d.n++
	if d.n == d.at {
		d.dead = true
		return errKilled
	}
	return err
}

func (d *dies) Open(ctx context.Context, u Upload) (b Bundle, err error) {
	err = d.cut(func() error { b, err = d.Store.Open(ctx, u); return err })
	return b, err
}

func (d *dies) Claim(ctx context.Context, id string, c Claim) (is Claim, err error) {
	err = d.cut(func() error { is, err = d.Store.Claim(ctx, id, c); return err })
	return is, err
}

func (d *dies) Note(ctx context.Context, id string, c Claim) error {
	return d.cut(func() error { return d.Store.Note(ctx, id, c) })
}

func (d *dies) Remove(ctx context.Context, u Upload) error {
	return d.cut(func() error { return d.Store.Remove(ctx, u) })
}

func ignore(_ int, err error) error { return err }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// A line that breaks while a bundle is read, wherever, says nothing about the bundle: it is filed once the line is back.
func TestBrokenReadIsNoVerdict(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range [][]age.Recipient{nil, {id.Recipient()}} {
		for at := 1; ; at++ {
			h := onDisk(t)
			send(t, h.url, to, false, "A")
			o, broken := newOffice(), &breaks{Store: h.store, at: at}
			c := collector(t, hub{h.url, broken}, "desk-1", o, map[string]int{}, id)
			c.Pass(t.Context()) // its error is the line's
			if broken.n < at {
				if at < 4 {
					t.Fatalf("only %d reads were broken", at)
				}
				break
			}
			pass(t, c)
			if o.filed["A"] != 1 || left(t, h.store) != 0 {
				t.Errorf("sealed %t, read %d broken: filed %d times, %d left", to != nil, at, o.filed["A"], left(t, h.store))
			}
		}
	}
}

// breaks is a store one of whose reads breaks off.
type breaks struct {
	Store
	at, n int
}

func (b *breaks) Open(ctx context.Context, u Upload) (Bundle, error) {
	bundle, err := b.Store.Open(ctx, u)
	return &breaking{bundle, b}, err
}

type breaking struct {
	Bundle
	of *breaks
}

func (b *breaking) ReadAt(p []byte, off int64) (int, error) {
	if b.of.n++; b.of.n == b.of.at {
		return 0, errors.New("connection reset")
	}
	return b.Bundle.ReadAt(p, off)
}
