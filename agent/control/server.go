package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"motcua/queue"
)

// Queue is what the socket gives access to; *queue.Queue is one.
type Queue interface {
	Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error)
	Get(idOrCode string) (queue.Submission, error)
	List(f queue.Filter) ([]queue.Submission, error)
	Retry(ctx context.Context, idOrCode string) error
	RetryAll(ctx context.Context) (int, error)
	Drop(ctx context.Context, idOrCode string) error
	Content(ctx context.Context, idOrCode string) (*queue.Content, error)
	Stats() (queue.Stats, error)
}

// Server answers on the socket.
type Server struct {
	Queue  Queue
	Status func() Status
	// Noted is told of every act that changes or shows a submission: retried, dropped, exported, accepted.
	Noted func(act string, s queue.Submission)
}

// maxDraft bounds the memory one submission from the command line can take in the daemon.
const maxDraft = 512 << 20

// Listen opens the socket for its owner only. A socket that a crash left behind is replaced; one that
// answers is not.
func Listen(dir string) (net.Listener, error) {
	if c, err := Dial(context.Background(), dir); err == nil {
		c.Close()
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
	return &listener{l, filepath.Join(dir, SocketName)}, nil
}

type listener struct {
	*net.UnixListener
	path string
}

func (l *listener) Close() error {
	os.Remove(l.path)
	return l.UnixListener.Close()
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
	return mux
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
	subs, err := s.Queue.List(f)
	if subs == nil {
		subs = []queue.Submission{}
	}
	answer(w, subs, err)
}

// content sends the bundle; the header carries what it must hash to.
func (s *Server) content(w http.ResponseWriter, r *http.Request) {
	c, err := s.Queue.Content(r.Context(), r.PathValue("id"))
	if err != nil {
		answer(w, nil, err)
		return
	}
	defer c.Close()
	if r.URL.Query().Get("for") == "export" {
		s.Noted("exported", c.Submission())
	}
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
	f := queue.Filter{After: get("after"), Newest: get("newest") == "true"}
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
