// Package natstest starts NATS servers with JetStream for tests: the program itself, as Debian's package nats-server has it, with
// nothing of it left when the test has ended.
package natstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a server may take to start or to end, on a machine that has other work.
const patience = 10 * time.Minute

// AnyPort has the kernel choose.
const AnyPort = "-1"

// User may sign in at a server. Nil subjects are all of them.
type User struct {
	Name, Password     string
	Publish, Subscribe []string // subjects
}

// Server is a started NATS server.
type Server struct {
	t       testing.TB
	url     *url.URL
	process *os.Process
	ended   chan struct{}
	said    bytes.Buffer // once ended
}

// Start starts a server that keeps its streams in dir, until the test ends; the same folder and port again is the same server after
// a restart. Without users everybody may do everything.
func Start(t testing.TB, dir, port string, users ...User) *Server {
	t.Helper()
	own := t.TempDir()
	configuration := filepath.Join(own, "nats.conf")
	if err := os.WriteFile(configuration, configure(t, dir, own, users), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, ended: make(chan struct{})}
	cmd := exec.Command(program(), "-c", configuration, "-a", "127.0.0.1", "-p", port)
	cmd.Stdout, cmd.Stderr = &s.said, &s.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func() {
		defer close(s.ended)
		runtime.LockOSThread() // the kernel ends a child with the thread that started it
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start NATS (Debian package nats-server): %v", err)
	}
	s.process = cmd.Process
	t.Cleanup(s.Stop)
	s.url = s.listening(filepath.Join(own, fmt.Sprintf("nats-server_%d.ports", s.process.Pid)))
	return s
}

// configure writes a server's configuration, which may be JSON.
func configure(t testing.TB, dir, ports string, users []User) []byte {
	t.Helper()
	type list []map[string]any
	c := map[string]any{"jetstream": map[string]any{"store_dir": dir}, "ports_file_dir": ports}
	var all list
	for _, u := range users {
		may := map[string]any{}
		if u.Publish != nil {
			may["publish"] = map[string]any{"allow": u.Publish}
		}
		if u.Subscribe != nil {
			may["subscribe"] = map[string]any{"allow": u.Subscribe}
		}
		all = append(all, map[string]any{"user": u.Name, "password": u.Password, "permissions": may})
	}
	if len(all) > 0 {
		c["authorization"] = map[string]any{"users": all}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // a subject may end in ">", and NATS knows no \u
	if err := e.Encode(c); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// program is the server's path: who is not root may have no folder of daemons in PATH.
var program = sync.OnceValue(func() string {
	if path, err := exec.LookPath("nats-server"); err == nil {
		return path
	}
	return "/usr/sbin/nats-server"
})

// listening waits until the server has written where it listens, which it does when it is ready.
func (s *Server) listening(file string) *url.URL {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var ports struct{ NATS []string }
		data, err := os.ReadFile(file)
		if err == nil && json.Unmarshal(data, &ports) == nil && len(ports.NATS) == 1 {
			at, err := url.Parse(ports.NATS[0])
			if err != nil {
				s.t.Fatal(err)
			}
			return at
		}
		select {
		case <-s.ended:
			s.t.Fatalf("NATS ended:\n%s", strings.TrimSpace(s.said.String()))
		default:
		}
	}
	s.t.Fatal("NATS did not start")
	return nil
}

// Stop ends the server and waits for that.
func (s *Server) Stop() {
	_ = s.process.Signal(syscall.SIGTERM) // or it has ended
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.process.Kill()
		<-s.ended
		s.t.Error("NATS did not end when it was told to")
	}
}

// URL is where clients find the server.
func (s *Server) URL() string { return s.url.String() }

// Address is its host and port.
func (s *Server) Address() string { return s.url.Host }

// Port is its port, to be started at again.
func (s *Server) Port() string { return s.url.Port() }
