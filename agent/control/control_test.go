package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"motcua/queue"
)

// beside runs a daemon's side of the socket in dir on a real queue.
func beside(t *testing.T, dir string, noted func(string, queue.Submission)) {
	t.Helper()
	q, _, err := queue.Open(t.Context(), filepath.Join(t.TempDir(), "queue"), queue.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{
		Queue: q, Noted: noted,
		Status: func() Status { return Status{PID: os.Getpid(), Address: "http://127.0.0.1:1/"} },
		Rekey:  func(ctx context.Context, _ string) (int, error) { return q.Rekey(ctx, nil) },
		Diagnostics: func(_ context.Context, w io.Writer) error {
			if _, err := io.WriteString(w, "half a bundle"); err != nil {
				return err
			}
			return errors.New("disk")
		},
		Reload: func() (int, error) { return 0, errors.New("x.yaml:1:1: broken") },
	}
	h := &http.Server{Handler: l.Guard(server.Handler()), ReadHeaderTimeout: time.Second}
	done := make(chan error, 1)
	go func() { done <- h.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(h.Close(), q.Close()); err != nil {
			t.Error(err)
		}
		<-done
	})
}

func dial(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Whoever opens the socket but cannot read the data folder sees nothing of anybody.
func TestSecret(t *testing.T) {
	dir := t.TempDir()
	beside(t, dir, func(string, queue.Submission) {})
	c := dial(t, dir)
	s, err := c.Enqueue(t.Context(), queue.Draft{Labels: map[string]string{"procedure": "2.000815"}, Parts: []queue.Part{
		queue.FromBytes("form.json", "application/json", []byte("{}"))}})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, secretName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret is not its owner's only: %v %v", info, err)
	}
	stranger := dial(t, dir)
	for _, secret := range []string{"", "guessed", strings.Repeat("A", len(stranger.secret))} {
		stranger.secret = secret
		for name, ask := range map[string]func() error{
			"content": func() error { _, err := stranger.Content(t.Context(), io.Discard, s.ID); return err },
			"list": func() error {
				return stranger.Each(t.Context(), queue.Filter{}, func(queue.Submission) error { return nil })
			},
			"found":  func() error { _, err := stranger.Found(t.Context()); return err },
			"get":    func() error { _, err := stranger.Get(t.Context(), s.ID); return err },
			"export": func() error { return stranger.Export(t.Context(), io.Discard, Export{Passphrase: "mười hai"}) },
			"drop":   func() error { return stranger.Drop(t.Context(), s.ID) },
			"rekey":  func() error { _, err := stranger.Rekey(t.Context(), ""); return err },
			"bundle": func() error { return stranger.Diagnostics(t.Context(), io.Discard) },
		} {
			if err := ask(); err == nil || !strings.Contains(err.Error(), "secret") {
				t.Errorf("%s with the secret %q: %v", name, secret, err)
			}
		}
		if _, err := stranger.Status(t.Context()); err != nil {
			t.Errorf("status: %v", err)
		}
	}
	if _, err := c.Get(t.Context(), s.ID); err != nil {
		t.Errorf("the submission is gone: %v", err)
	}
}

// cutOff is a queue whose export ends before its last byte, as one does whose reader hangs up.
type cutOff struct{ Queue }

func (cutOff) Export(_ context.Context, w io.Writer, _ []age.Recipient, _ ...string) (int, error) {
	_, err := io.WriteString(w, nearlyAll)
	return 0, errors.Join(err, io.ErrClosedPipe)
}

// nearlyAll is more than is held back for its end.
var nearlyAll = strings.Repeat("nearly all ", 10_000)

// Nobody has submissions exported past the audit log: not by hanging up before the end either.
func TestExportCutOffIsNoted(t *testing.T) {
	var noted []string
	note := func(act string, _ queue.Submission) { noted = append(noted, act) }
	server := httptest.NewServer((&Server{Queue: cutOff{}, Noted: note}).Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	answer, err := http.Post(server.URL+"/export", "application/json", strings.NewReader(`{"passphrase": "mười hai con giáp"}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	server.Close()
	if !strings.HasPrefix(string(got), "nearly all") || err == nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if !slices.Equal(noted, []string{"exported"}) {
		t.Errorf("the audit log is told %q", noted)
	}
}

// Recognition's workers run as the daemon's user: what tells them apart is that they are its children, in a process table of
// their own.
func TestForeignProcess(t *testing.T) {
	dir := t.TempDir()
	beside(t, dir, func(string, queue.Submission) {})
	apart := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), ContainerID: os.Geteuid(), Size: 1}}}
	for name, c := range map[string]struct {
		argv     []string
		attr     *syscall.SysProcAttr
		answered bool
	}{
		"child":               {argv: []string{"curl"}},
		"grandchild":          {argv: []string{"sh", "-c", `curl "$@"; exit $?`, "sh"}, answered: true},
		"confined":            {argv: []string{"curl"}, attr: apart},
		"confined_grandchild": {argv: []string{"sh", "-c", `curl "$@"; exit $?`, "sh"}, attr: apart},
	} {
		t.Run(name, func(t *testing.T) {
			if c.attr != nil {
				probe := exec.Command("true")
				probe.SysProcAttr = c.attr
				if err := probe.Run(); err != nil {
					t.Skipf("this machine gives no namespaces: %v", err)
				}
			}
			argv := append(c.argv, "-sS", "--max-time", "20", "--unix-socket", filepath.Join(dir, SocketName), "http://daemon/status")
			cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
			cmd.SysProcAttr = c.attr
			out, err := cmd.CombinedOutput()
			if answered := err == nil; answered != c.answered {
				t.Errorf("answered: %v (%v: %s)", answered, err, out)
			}
		})
	}
}

func TestBothSides(t *testing.T) {
	// A folder whose path does not fit into a socket's address.
	dir := filepath.Join(t.TempDir(), strings.Repeat("a long name ", 12))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNoDaemon) {
		t.Fatalf("nobody listens, got %v", err)
	}
	var acts []string
	beside(t, dir, func(act string, _ queue.Submission) { acts = append(acts, act) })
	c := dial(t, dir)
	if info, err := os.Stat(filepath.Join(dir, SocketName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is not its owner's only: %v %v", info, err)
	}
	if _, err := Listen(dir); !errors.Is(err, queue.ErrLocked) {
		t.Errorf("a second daemon: %v", err)
	}

	page := bytes.Repeat([]byte("page"), 1000)
	s, err := c.Enqueue(t.Context(), queue.Draft{Labels: map[string]string{"procedure": "2.000815"}, Parts: []queue.Part{
		queue.FromBytes("form.json", "application/json", []byte("{}")), queue.FromBytes("page-0001.jpg", "image/jpeg", page)}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Labels["procedure"] != "2.000815" || len(s.Parts) != 2 || s.Parts[1].MediaType != "image/jpeg" {
		t.Errorf("accepted as %+v", s)
	}
	for _, brief := range []bool{false, true} {
		want := s
		if brief {
			want.Parts = nil
		}
		var listed []queue.Submission
		if err := c.Each(t.Context(), queue.Filter{States: []queue.State{queue.Queued}, Limit: 5, Brief: brief}, func(s queue.Submission) error {
			listed = append(listed, s)
			return nil
		}); err != nil || len(listed) != 1 || !reflect.DeepEqual(listed[0], want) {
			t.Errorf("list, brief %t: %+v, %v", brief, listed, err)
		}
	}
	if found, err := c.Found(t.Context()); err != nil || len(found) != 0 {
		t.Errorf("found: %d, %v", len(found), err)
	}
	if _, err := c.TakeFound(t.Context(), s.ID); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("take what was never set aside: %v", err)
	}
	if n, err := c.RetryHeld(t.Context(), "certificate"); err != nil || n != 0 {
		t.Errorf("retry held: %d, %v", n, err)
	}
	if one, err := c.Get(t.Context(), s.Code); err != nil || one.ID != s.ID {
		t.Errorf("get: %v", err)
	}
	var content bytes.Buffer
	if sum, err := c.Content(t.Context(), &content, s.ID); err != nil || sum != s.SHA256 || !bytes.Contains(content.Bytes(), page) {
		t.Errorf("content: %v", err)
	}
	var sealed bytes.Buffer
	if err := c.Export(t.Context(), &sealed, Export{Passphrase: "mười hai con giáp"}); err != nil || bytes.Contains(sealed.Bytes(), page) {
		t.Errorf("export: %v", err)
	}
	if done, err := c.Import(t.Context(), &sealed, Keys{Passphrase: "mười hai con giáp"}); err != nil || done.Known != 1 {
		t.Errorf("import: %+v, %v", done, err)
	}
	if v, err := c.Verify(t.Context()); err != nil || v.Checked != 1 {
		t.Errorf("verify: %+v, %v", v, err)
	}
	if n, err := c.Rekey(t.Context(), ""); err != nil || n != 1 {
		t.Errorf("rekey: %d, %v", n, err)
	}
	if err := c.Drop(t.Context(), s.ID); err != nil {
		t.Errorf("drop: %v", err)
	}
	if got := strings.Join(acts, " "); got != "accepted exported exported dropped" {
		t.Errorf("noted were %s", got)
	}
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	dir := t.TempDir()
	beside(t, dir, func(string, queue.Submission) {})
	c := dial(t, dir)
	if err := c.Retry(t.Context(), "AAAA-AAAA"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "x.yaml:1:1: broken") {
		t.Errorf("got %v", err)
	}
	// What breaks off in the middle must not be taken for the whole.
	if err := c.Diagnostics(t.Context(), io.Discard); err == nil {
		t.Error("half a bundle was taken for a whole one")
	}
	if err := c.Export(t.Context(), io.Discard, Export{To: []string{"age1nobody"}}); err == nil {
		t.Error("exported to nobody")
	}
}

func TestSocketLeftByACrashIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, SocketName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	beside(t, dir, func(string, queue.Submission) {})
	if s, err := dial(t, dir).Status(t.Context()); err != nil || s.PID != os.Getpid() {
		t.Errorf("%+v, %v", s, err)
	}
}
