package control

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"motcua/agent/audit"
	"motcua/agent/person"
	"motcua/agent/staff"
	"motcua/queue"
)

// Queue is what the socket gives access to; *queue.Queue is one.
type Queue interface {
	Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error)
	Get(idOrCode string) (queue.Submission, error)
	List(f queue.Filter) ([]queue.Submission, error)
	Retry(ctx context.Context, idOrCode string) error
	RetryAll(ctx context.Context) (int, error)
	RetryHeld(ctx context.Context, reason string) (int, error)
	Each(ctx context.Context, f queue.Filter, do func(queue.Submission) error) error
	Found(ctx context.Context) ([]queue.Found, error)
	TakeFound(ctx context.Context, name string) (queue.Submission, error)
	DropFound(ctx context.Context, name string) (queue.Found, error)
	Drop(ctx context.Context, idOrCode string) error
	Content(ctx context.Context, idOrCode string) (*queue.Content, error)
	Stats() (queue.Stats, error)
	Export(ctx context.Context, w io.Writer, to []age.Recipient, idsOrCodes ...string) (int, error)
	Import(ctx context.Context, r io.Reader, with ...age.Identity) (queue.Imported, error)
	Verify(ctx context.Context) (queue.Verified, error)
}

// Server answers on the socket.
type Server struct {
	Queue  Queue
	Status func() Status
	// Noted is told of every act that changes or shows a submission: retried, dropped, exported, accepted, taken-in.
	Noted func(act string, s queue.Submission)
	// Rekey makes a new kiosk key; to is "file", "tpm" or "".
	Rekey func(ctx context.Context, to string) (int, error)
	// Diagnostics packs the bundle.
	Diagnostics func(ctx context.Context, w io.Writer) error
	// Reload reads the procedures anew and gives how many there are.
	Reload func() (int, error)
	// Staff lists who may sign in, ChangeStaff changes it.
	Staff func() []staff.Member
	// Audit gives what is kept of the audit log's head.
	Audit       func() (audit.Kept, error)
	ChangeStaff func(StaffChange) error
}

// maxDraft bounds the memory one submission from the command line can take in the daemon.
const maxDraft = 512 << 20

// Listen opens the socket for its owner only. A socket that a crash left behind is replaced; one that
// answers is not.
func Listen(dir string) (*Listener, error) {
	if c, err := Dial(context.Background(), dir); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("open control socket: %w", queue.ErrLocked)
	}
	path, done, err := short(dir)
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	defer done()
	if err := os.Remove(filepath.Join(dir, SocketName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	// The short path is gone once done ran; the daemon removes the socket by its real name.
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(filepath.Join(dir, SocketName), 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	secret := rand.Text()
	if err := writeSecret(filepath.Join(dir, secretName), secret); err != nil {
		l.Close()
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	return &Listener{l, dir, secret}, nil
}

// writeSecret replaces the file as a whole, so that nobody reads half a secret.
func writeSecret(name, secret string) error {
	fresh := name + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, []byte(secret), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, name)
}

// Listener is the control socket of a running daemon.
type Listener struct {
	*net.UnixListener
	dir    string
	secret string
}

// Close removes the socket and the secret.
func (l *Listener) Close() error {
	_ = os.Remove(filepath.Join(l.dir, SocketName))
	_ = os.Remove(filepath.Join(l.dir, secretName))
	return l.UnixListener.Close()
}

// Accept waits for the next connection of a process that may ask; others are hung up on.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if mayAsk(c) {
			return c, nil
		}
		_ = c.Close()
	}
}

// mayAsk lets in root and our own user, but not our own children nor a process in a process table of its own: that is what
// recognition's workers are, which run as our user.
func mayAsk(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	var peer *unix.Ucred
	var asking error
	if err := raw.Control(func(fd uintptr) { peer, asking = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil ||
		asking != nil {
		return false
	}
	return (peer.Uid == 0 || int(peer.Uid) == os.Geteuid()) && !confined(peer.Pid)
}

// confined tells of a child of this process, or of one in a deeper process table. Where the unit hides other processes from
// us (ProtectProc) it tells of none: such a one still lacks the secret.
func confined(pid int32) bool {
	if int(pid) == os.Getpid() {
		return false
	}
	theirs, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	ours, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	parent := statusLine(theirs, "PPid")
	tables := len(statusLine(theirs, "NSpid"))
	return len(parent) != 1 || parent[0] == strconv.Itoa(os.Getpid()) || tables != len(statusLine(ours, "NSpid"))
}

// statusLine gives the words behind a name in /proc/PID/status (proc(5)).
func statusLine(status []byte, name string) []string {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.Fields(rest)
		}
	}
	return nil
}

// Guard lets through to next what carries the secret, and GET /status.
func (l *Listener) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open := r.Method == http.MethodGet && r.URL.Path == "/status"
		if !open && subtle.ConstantTimeCompare([]byte(r.Header.Get(secretHeader)), []byte(l.secret)) != 1 {
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(fault{Code: "secret", Message: "the daemon's secret in the data folder was not given; run this as the " +
				"daemon's user or as root"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Handler is the HTTP side of the socket.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Status(), nil) })
	mux.HandleFunc("GET /submissions", s.list)
	mux.HandleFunc("POST /submissions", s.enqueue)
	mux.HandleFunc("GET /submissions/{id}", func(w http.ResponseWriter, r *http.Request) {
		sub, err := s.Queue.Get(r.PathValue("id"))
		answer(w, sub, err)
	})
	mux.HandleFunc("GET /submissions/{id}/content", s.content)
	mux.HandleFunc("POST /submissions/{id}/retry", s.act("retried", s.Queue.Retry))
	mux.HandleFunc("DELETE /submissions/{id}", s.act("dropped", s.Queue.Drop))
	mux.HandleFunc("POST /retry", func(w http.ResponseWriter, r *http.Request) {
		n, err := s.Queue.RetryAll(r.Context())
		answer(w, n, err)
	})
	mux.HandleFunc("POST /retry-held", func(w http.ResponseWriter, r *http.Request) {
		n, err := s.Queue.RetryHeld(r.Context(), r.URL.Query().Get("reason"))
		answer(w, n, err)
	})
	mux.HandleFunc("GET /found", func(w http.ResponseWriter, r *http.Request) {
		found, err := s.Queue.Found(r.Context())
		answer(w, found, err)
	})
	mux.HandleFunc("POST /found/{name}", func(w http.ResponseWriter, r *http.Request) {
		sub, err := s.Queue.TakeFound(r.Context(), r.PathValue("name"))
		if err == nil {
			s.Noted("taken-in", sub)
		}
		answer(w, sub, err)
	})
	mux.HandleFunc("DELETE /found/{name}", func(w http.ResponseWriter, r *http.Request) {
		found, err := s.Queue.DropFound(r.Context(), r.PathValue("name"))
		if err == nil {
			s.Noted("dropped", found.Submission)
		}
		answer(w, found, err)
	})
	mux.HandleFunc("GET /verify", func(w http.ResponseWriter, r *http.Request) {
		verified, err := s.Queue.Verify(r.Context())
		answer(w, verified, err)
	})
	mux.HandleFunc("POST /export", s.export)
	mux.HandleFunc("POST /import", s.imports)
	mux.HandleFunc("POST /person", s.person)
	mux.HandleFunc("POST /rekey", func(w http.ResponseWriter, r *http.Request) {
		n, err := s.Rekey(r.Context(), r.URL.Query().Get("to"))
		answer(w, n, err)
	})
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) {
		n, err := s.Reload()
		answer(w, n, err)
	})
	mux.HandleFunc("GET /audit", func(w http.ResponseWriter, _ *http.Request) {
		kept, err := s.Audit()
		answer(w, kept, err)
	})
	mux.HandleFunc("GET /staff", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Staff(), nil) })
	mux.HandleFunc("POST /staff", func(w http.ResponseWriter, r *http.Request) {
		var c StaffChange
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&c)
		if err == nil {
			err = s.ChangeStaff(c)
		}
		answer(w, struct{}{}, err)
	})
	mux.HandleFunc("GET /diagnostics", func(w http.ResponseWriter, r *http.Request) {
		stream(w, func(w io.Writer) error { return s.Diagnostics(r.Context(), w) })
	})
	return mux
}

// export streams a sealed file; its recipients come first in the body.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	var e Export
	err := json.NewDecoder(r.Body).Decode(&e)
	var to []age.Recipient
	if err == nil {
		to, err = e.Recipients()
	}
	if err != nil {
		answer(w, nil, fmt.Errorf("export: %w", err))
		return
	}
	s.Noted("exported", queue.Submission{}) // before the first byte: whoever hangs up before the last has nearly all of it
	stream(w, func(w io.Writer) error {
		_, err := s.Queue.Export(r.Context(), w, to, e.Submissions...)
		return err
	})
}

// person looks for what is kept of one person. That somebody looked is noted, and so is each submission that is shown.
func (s *Server) person(w http.ResponseWriter, r *http.Request) {
	const most = 64 << 10 // bytes of a query
	var q person.Query
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, most)).Decode(&q); err != nil {
		answer(w, nil, errors.New("look for a person: the query can't be read"))
		return
	}
	s.Noted("exported", queue.Submission{})
	found, err := person.Find(r.Context(), s.Queue, q)
	for _, record := range found.Records {
		s.Noted("exported", record.Submission())
	}
	answer(w, found, err)
}

// imports reads an export from the body; the keys that open it stand in a header of the private socket.
func (s *Server) imports(w http.ResponseWriter, r *http.Request) {
	var keys Keys
	err := json.Unmarshal([]byte(r.Header.Get(keysHeader)), &keys)
	var with []age.Identity
	if err == nil {
		with, err = keys.Identities()
	}
	if err != nil {
		answer(w, nil, fmt.Errorf("import: %w", err))
		return
	}
	done, err := s.Queue.Import(r.Context(), r.Body, with...)
	for _, id := range done.Accepted {
		if sub, getting := s.Queue.Get(id); getting == nil {
			s.Noted("accepted", sub)
		}
	}
	answer(w, done, err)
}

const keysHeader = "X-Motcua-Keys"

// stream sends what write writes. An error before the first byte is answered; one after it breaks the
// connection, so that the client cannot take half for the whole.
func stream(w http.ResponseWriter, write func(io.Writer) error) {
	begun := &begun{ResponseWriter: w}
	if err := write(begun); err != nil {
		if !begun.yes {
			answer(w, nil, err)
			return
		}
		panic(http.ErrAbortHandler)
	}
}

type begun struct {
	http.ResponseWriter
	yes bool
}

func (b *begun) Write(data []byte) (int, error) {
	b.yes = true
	return b.ResponseWriter.Write(data)
}

func (s *Server) act(name string, do func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sub, err := s.Queue.Get(r.PathValue("id"))
		if err == nil {
			err = do(r.Context(), sub.ID)
		}
		if err == nil {
			s.Noted(name, sub)
		}
		answer(w, struct{}{}, err)
	}
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	f, err := parseFilter(r.URL.Query().Get)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// One line a submission, as they are read: a backlog is never held in memory.
	stream(w, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 64<<10)
		add := whole(out)
		if f.Brief {
			add = brief(out)
		}
		if err := s.Queue.Each(r.Context(), f, add); err != nil {
			return err
		}
		return out.Flush()
	})
}

// whole writes submissions, a line each.
func whole(out io.Writer) func(queue.Submission) error {
	lines := json.NewEncoder(out)
	return func(sub queue.Submission) error { return lines.Encode(sub) }
}

// brief is whole without the parts.
func brief(out io.Writer) func(queue.Submission) error {
	var line []byte // used again for each
	return func(sub queue.Submission) (err error) {
		if line, err = sub.AppendBrief(line[:0]); err != nil {
			return err
		}
		_, err = out.Write(append(line, '\n'))
		return err
	}
}

// content sends the bundle; the header carries what it must hash to.
func (s *Server) content(w http.ResponseWriter, r *http.Request) {
	c, err := s.Queue.Content(r.Context(), r.PathValue("id"))
	if err != nil {
		answer(w, nil, err)
		return
	}
	defer c.Close()
	s.Noted("exported", c.Submission())
	w.Header().Set("X-Sha256", c.SHA256())
	w.Header().Set("Content-Length", strconv.FormatInt(c.Size(), 10))
	_, _ = io.Copy(w, io.NewSectionReader(c, 0, c.Size())) // a short body tells the client
}

func (s *Server) enqueue(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxDraft)
	d, err := readDraft(r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	sub, err := s.Queue.Enqueue(r.Context(), d)
	if err == nil {
		s.Noted("accepted", sub)
	}
	answer(w, sub, err)
}

// readDraft keeps the parts in memory: personal data never lies in the clear on the disk.
func readDraft(r *http.Request) (queue.Draft, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return queue.Draft{}, fmt.Errorf("read submission: %w", err)
	}
	var d queue.Draft
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return d, fmt.Errorf("read submission: %w", err)
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return d, fmt.Errorf("read submission: %w", err)
		}
		if p.FormName() == "labels" {
			var head struct {
				ID     string
				Labels map[string]string
			}
			if err := json.Unmarshal(data, &head); err != nil {
				return d, fmt.Errorf("read submission: %w", err)
			}
			d.ID, d.Labels = head.ID, head.Labels
			continue
		}
		d.Parts = append(d.Parts, queue.FromBytes(p.FileName(), p.Header.Get("Content-Type"), data))
	}
}

func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		f, status := fault{Code: "failed", Message: err.Error()}, http.StatusInternalServerError
		for _, s := range sentinels {
			if errors.Is(err, s.err) {
				f.Code, status = s.code, s.status
				break
			}
		}
		w.WriteHeader(status)
		v = f
	}
	_ = json.NewEncoder(w).Encode(v)
}

func parseFilter(get func(string) string) (queue.Filter, error) {
	f := queue.Filter{After: get("after"), Newest: get("newest") == "true", Brief: get("brief") == "true"}
	if s := get("state"); s != "" {
		f.States = []queue.State{queue.State(s)}
	}
	var err error
	if s := get("limit"); s != "" {
		if f.Limit, err = strconv.Atoi(s); err != nil {
			return f, err
		}
	}
	if s := get("since"); s != "" {
		if f.Since, err = time.Parse(time.RFC3339, s); err != nil {
			return f, err
		}
	}
	if s := get("until"); s != "" {
		if f.Until, err = time.Parse(time.RFC3339, s); err != nil {
			return f, err
		}
	}
	return f, nil
}
