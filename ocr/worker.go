package ocr

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"motcua/ocr/paper"
	"motcua/ocr/sandbox"
)

// Between a Reader and its child go frames: a JSON head and a blob, each behind its length.
type request struct {
	Op     string     `json:"op"` // warm, open, page, cut, done, crop
	Words  bool       `json:"words,omitempty"`
	Bytes  int        `json:"bytes,omitempty"` // most of a cut
	Page   int        `json:"page,omitempty"`
	Quad   paper.Quad `json:"quad,omitzero"`
	Width  int        `json:"width,omitempty"`
	Limits Limits     `json:"limits"`
}

type response struct {
	Pages       int                  `json:"pages,omitempty"`
	Faces       []*face              `json:"faces,omitempty"`
	Timings     []Timing             `json:"timings,omitempty"`
	Problem     *Problem             `json:"problem,omitempty"`
	Error       string               `json:"error,omitempty"`
	Protections []sandbox.Protection `json:"protections,omitempty"`
	Cut         *Cut                 `json:"cut,omitempty"`
}

// A frame's parts are bounded, so that a worker taken over by a hostile file cannot fill the daemon's memory.
const (
	mostHead = 64 << 20
	mostBlob = 256 << 20
)

func writeFrame(w io.Writer, head any, blob []byte) error {
	h, err := json.Marshal(head)
	if err != nil {
		return err
	}
	var n [8]byte
	binary.BigEndian.PutUint32(n[:4], uint32(len(h)))
	binary.BigEndian.PutUint32(n[4:], uint32(len(blob)))
	for _, part := range [][]byte{n[:], h, blob} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func readFrame(r io.Reader, head any) ([]byte, error) {
	var n [8]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	a, b := binary.BigEndian.Uint32(n[:4]), binary.BigEndian.Uint32(n[4:])
	if a > mostHead || b > mostBlob {
		return nil, errors.New("frame is too large")
	}
	buf := make([]byte, a)
	defer clear(buf) // names and numbers of a paper, once more
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(buf, head); err != nil {
		return nil, err
	}
	blob := make([]byte, b)
	_, err := io.ReadFull(r, blob)
	return blob, err
}

// Serve is the child's side of a Reader with Options.Worker: it reads requests from r and answers on w
// until r ends or ctx is done. It first loads the models, then gives up the network, the file system and most memory.
func Serve(ctx context.Context, r io.Reader, w io.Writer) error {
	if os.Getenv(sandbox.TryEnv) != "" {
		return sandbox.Attempt(w)
	}
	l := newLocal(Limits{}.filled())
	defer l.close()
	if _, err := l.warm(ctx); err != nil {
		_ = writeFrame(w, response{Error: err.Error()}, nil)
		return fmt.Errorf("serve recognition: %w", err)
	}
	guards := sandbox.Lock()
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<16)
	for ctx.Err() == nil {
		var q request
		blob, err := readFrame(in, &q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve recognition: %w", err)
		}
		l.limits = q.Limits.filled()
		var a response
		var picture []byte
		switch q.Op {
		case "warm":
			a.Protections = guards
		case "open":
			l.done()
			a.Pages, a.Problem = l.open(ctx, blob, q.Words)
		case "page":
			if l.file == nil {
				a.Error = "no file is open"
				break
			}
			a.Faces, a.Timings, a.Problem = l.page(ctx, q.Page)
		case "cut":
			c, err := l.cut(ctx, q.Page, q.Quad, q.Bytes)
			if err != nil {
				a.Error = err.Error()
				break
			}
			a.Cut, picture = &c, c.JPEG
		case "done":
			l.done()
		case "crop":
			if picture, err = l.crop(ctx, blob, q.Page, q.Quad, q.Width); err != nil {
				a.Error = err.Error()
			}
		default:
			a.Error = "unknown operation"
		}
		if err := writeFrame(out, a, picture); err != nil {
			return fmt.Errorf("serve recognition: %w", err)
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("serve recognition: %w", err)
		}
		if q.Op == "done" {
			runtime.GC() // while nobody waits: the next file's pages must not come on top of this one's
		}
	}
	return ctx.Err()
}

// child reads in a process of its own, started when first needed and again after it died.
type child struct {
	argv   []string
	limits Limits
	data   []byte // of the file under way: a new child needs it again
	words  bool   // what else open was told
	opened bool   // whether the running child has it open

	tell      bool         // ends at a forbidden call with the call's name; see nameCall
	told      *tail        // what it said then
	forbidden func(string) // is told the name of a call that a worker was ended for

	cmd   *exec.Cmd
	in    io.WriteCloser
	out   io.ReadCloser
	pages int // read by the running child
	files int // that it was given
}

// renewAfter is how many pages a child reads: gosseract keeps the text of every line it has read, about 100 kB
// a page of cards and 400 kB a page full of text.
const renewAfter = 80

func newChild(argv []string, l Limits, forbidden func(string)) *child {
	return &child{argv: argv, limits: l, forbidden: forbidden}
}

var errDied = errors.New("recognition worker died")

// tail keeps the first bytes that a worker says.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b[:min(len(b), 256-len(t.text))]...)
	return len(b), nil
}

func (c *child) start() error {
	if c.cmd != nil {
		return nil
	}
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start recognition worker: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start recognition worker: %w", err)
	}
	var env, folders []string
	if v, ok := os.LookupEnv("TESSDATA_PREFIX"); ok {
		env, folders = append(env, "TESSDATA_PREFIX="+v), append(folders, v)
	}
	if c.told = nil; c.tell {
		c.told = &tail{}
		cmd.Stderr = c.told
		env = append(env, sandbox.TellEnv+"=1")
	}
	if err := sandbox.Start(cmd, folders, env...); err != nil {
		return fmt.Errorf("start recognition worker: %w", err)
	}
	c.cmd, c.in, c.out, c.opened = cmd, in, out, false
	return nil
}

// stop ends the child whatever it does, and says whether it had been ended for a forbidden call before.
func (c *child) stop() (forbidden bool) {
	if c.cmd == nil {
		return false
	}
	_ = c.in.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	forbidden = sandbox.ForbiddenCall(c.cmd.ProcessState)
	c.cmd, c.opened, c.pages, c.files = nil, false, 0, 0
	return forbidden
}

// nameCall finds out which call a worker was ended for, by putting the same to a worker that says so: either a hostile file
// tried what it must not, or a library of this machine wants a call that others do not, and recognition needs mending.
func (c *child) nameCall(ctx context.Context, q request, blob []byte) {
	if c.tell || c.forbidden == nil {
		return
	}
	teller := newChild(c.argv, c.limits, nil)
	teller.tell = true
	defer teller.stop()
	limit := startup + c.limits.Time
	if q.Op == "page" {
		_, _, _ = teller.ask(ctx, limit, request{Op: "open"}, c.data)
	}
	_, _, _ = teller.ask(ctx, limit, q, blob)
	teller.stop()
	if name := sandbox.NamedCall(string(teller.told.text)); name != "" {
		c.forbidden(name)
	}
}

// ask sends one request and waits for its answer, at most d; a child that is late or gone is ended.
func (c *child) ask(ctx context.Context, d time.Duration, q request, blob []byte) (response, []byte, error) {
	if err := c.start(); err != nil {
		return response{}, nil, err
	}
	q.Limits = c.limits
	if len(blob) > 0 {
		c.files++
	}
	type answer struct {
		a    response
		blob []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() { // ends when the child answers, or when stop closes its pipes
		var r answer
		if r.err = writeFrame(c.in, q, blob); r.err == nil {
			r.blob, r.err = readFrame(c.out, &r.a)
		}
		got <- r
	}()
	late := time.NewTimer(d)
	defer late.Stop()
	var cause error
	select {
	case r := <-got:
		if r.err == nil {
			return r.a, r.blob, nil
		}
		if c.stop() {
			c.nameCall(ctx, q, blob)
		}
		return response{}, nil, errDied
	case <-late.C:
		cause = context.DeadlineExceeded
	case <-ctx.Done():
		cause = ctx.Err()
	}
	c.stop()
	<-got
	return response{}, nil, cause
}

// startup is how long a child may take to load its models on a slow disk, on top of the work itself.
const startup = 20 * time.Second

func (c *child) warm(ctx context.Context) ([]sandbox.Protection, error) {
	a, _, err := c.ask(ctx, startup, request{Op: "warm"}, nil)
	if err == nil && a.Error != "" {
		c.stop()
		err = errors.New(a.Error)
	}
	if err != nil {
		return nil, fmt.Errorf("warm recognition worker: %w", err)
	}
	return a.Protections, nil
}

func (c *child) try(ctx context.Context) ([]sandbox.Protection, error) {
	return sandbox.Try(ctx, c.argv)
}

func (c *child) open(ctx context.Context, data []byte, words bool) (int, *Problem) {
	c.data, c.words = data, words
	worn := c.files > 0
	a, _, err := c.ask(ctx, startup+c.limits.Time, request{Op: "open", Words: words}, data)
	if worn && errors.Is(err, errDied) {
		a, _, err = c.ask(ctx, startup+c.limits.Time, request{Op: "open", Words: words}, data)
	}
	if err != nil {
		return 0, died(err, 0)
	}
	if a.Error != "" {
		return 0, &Problem{WorkerDied, "Recognition cannot start: " + a.Error + ". Run motcua doctor."}
	}
	c.opened = a.Problem == nil
	return a.Pages, a.Problem
}

// askAbout puts a request about a page of the file under way. A child that dies of it, and had read something before, is
// replaced once: what it had left in its memory may be what ended it, and no file is to blame for the one before.
func (c *child) askAbout(ctx context.Context, q request) (response, []byte, *Problem) {
	for {
		if !c.opened { // the last page cost the child its life
			if _, p := c.open(ctx, c.data, c.words); p != nil {
				return response{}, nil, p
			}
		}
		worn := c.pages > 0 || c.files > 1
		a, blob, err := c.ask(ctx, c.limits.Time+2*time.Second, q, nil)
		if err == nil {
			c.pages++
			return a, blob, nil
		}
		if !worn || !errors.Is(err, errDied) {
			return response{}, nil, died(err, q.Page)
		}
	}
}

func (c *child) page(ctx context.Context, n int) ([]*face, []Timing, *Problem) {
	a, _, p := c.askAbout(ctx, request{Op: "page", Page: n})
	if p != nil {
		return nil, nil, p
	}
	a.Faces = slices.DeleteFunc(a.Faces, func(f *face) bool { return f == nil }) // no worker of ours says that
	for _, f := range a.Faces {
		if f.Readings == nil {
			f.Readings = map[paper.Name][]paper.Evidence{}
		}
	}
	return a.Faces, a.Timings, a.Problem
}

func died(err error, n int) *Problem {
	if !errors.Is(err, errDied) {
		return problem(err, n)
	}
	where := "The file"
	if n > 0 {
		where = fmt.Sprintf("Page %d", n)
	}
	return &Problem{WorkerDied, where + " made recognition fail; scan it again, or save it as JPEG."}
}

func (c *child) done() {
	c.data = nil
	if c.opened {
		c.opened = false
		_, _, _ = c.ask(context.Background(), 5*time.Second, request{Op: "done"}, nil)
	}
	if c.pages >= renewAfter {
		c.stop()
		_ = c.start() // so that it is warm for the next page; what is wrong with it that page tells
	}
}

func (c *child) cut(ctx context.Context, n int, q paper.Quad, most int) (Cut, error) {
	a, picture, p := c.askAbout(ctx, request{Op: "cut", Page: n, Quad: q, Bytes: most})
	switch {
	case p != nil:
		return Cut{}, p
	case a.Error != "":
		return Cut{}, errors.New(a.Error)
	case a.Cut == nil || a.Cut.Width <= 0 || a.Cut.Height <= 0:
		return Cut{}, died(errDied, n)
	}
	a.Cut.JPEG = picture
	return *a.Cut, nil
}

// renew ends a child that has read something, and starts another one, warm for the next page.
func (c *child) renew() {
	if c.cmd != nil && c.files > 0 {
		c.stop()
		_ = c.start() // what is wrong with it the next page tells
	}
}

func (c *child) crop(ctx context.Context, data []byte, page int, q paper.Quad, maxWidth int) ([]byte, error) {
	a, b, err := c.ask(ctx, startup+c.limits.Time, request{Op: "crop", Page: page, Quad: q, Width: maxWidth}, data)
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return nil, fmt.Errorf("crop: %w", err)
	}
	return b, nil
}

func (c *child) close() error {
	c.stop()
	return nil
}
