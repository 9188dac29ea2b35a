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

	"golang.org/x/sys/unix"

	"motcua/ocr/paper"
	"motcua/ocr/sandbox"
)

// Between a Reader and its child go frames: a JSON head and a blob, each behind its length.
type request struct {
	Op     string     `json:"op"` // open, page, cut, done, crop
	Words  bool       `json:"words,omitempty"`
	Bytes  int        `json:"bytes,omitempty"` // most of a cut
	Page   int        `json:"page,omitempty"`
	Quad   paper.Quad `json:"quad,omitzero"`
	Width  int        `json:"width,omitempty"`
	Limits Limits     `json:"limits"`
}

type response struct {
	Pages       int                  `json:"pages,omitempty"`
	Sides       []*readSide          `json:"sides,omitempty"`
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

// Serve is the child's side of a Reader with Options.Worker. It first loads the models, gives up the network, the file system and
// most memory, and says so on w; then it reads requests from r and answers on w until r ends or ctx is done.
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
	if err := writeFrame(w, response{Protections: sandbox.Lock()}, nil); err != nil {
		return fmt.Errorf("serve recognition: %w", err)
	}
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
		case "open":
			l.done()
			a.Pages, a.Problem = l.open(ctx, blob, q.Words)
		case "page":
			if l.file == nil {
				a.Error = "no file is open"
				break
			}
			a.Sides, a.Timings, a.Problem = l.page(ctx, q.Page)
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

	silence, most time.Duration // of a start, see startSilence and startMost

	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	ready  bool                 // the running child has said that it is
	guards []sandbox.Protection // that it told then
	pages  int                  // read by the running child
	files  int                  // that it was given
}

// renewAfter is how many pages a child reads: gosseract keeps the text of every line it has read, about 100 kB
// a page of cards and 400 kB a page full of text.
const renewAfter = 80

func newChild(argv []string, l Limits, forbidden func(string)) *child {
	return &child{argv: argv, limits: l, forbidden: forbidden, silence: startSilence, most: startMost}
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
	c.cmd, c.in, c.out, c.opened, c.ready = cmd, in, out, false, false
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
	switch q.Op {
	case "": // it was ended before it was asked anything
		_ = teller.begin(ctx)
	case "page":
		_, _, _ = teller.ask(ctx, teller.limits.Time+grace, request{Op: "open"}, c.data)
		fallthrough
	default:
		_, _, _ = teller.ask(ctx, teller.limits.Time+grace, q, blob)
	}
	teller.stop()
	if name := sandbox.NamedCall(string(teller.told.text)); name != "" {
		c.forbidden(name)
	}
}

// answer is what came from a child.
type answer struct {
	response
	blob []byte
	err  error
}

// await waits for what get reads from the child; patience says, each time a wait is over, how long the next one may be, 0 for none.
// A child that is late or gone is ended.
func (c *child) await(ctx context.Context, get func() answer, patience func() time.Duration) (got answer, forbidden bool) {
	came := make(chan answer, 1)
	go func() { came <- get() }() // ends when the child answers, or when stop closes its pipes
	for d := patience(); d > 0; d = patience() {
		wait := time.NewTimer(d)
		select {
		case got = <-came:
			wait.Stop()
			if got.err != nil {
				got.err, forbidden = errDied, c.stop()
			}
			return got, forbidden
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			c.stop()
			<-came
			return answer{err: ctx.Err()}, false
		}
	}
	c.stop()
	<-came
	return answer{err: context.DeadlineExceeded}, false
}

// ask sends one request and waits for its answer, at most d from when the child is ready.
func (c *child) ask(ctx context.Context, d time.Duration, q request, blob []byte) (response, []byte, error) {
	if err := c.begin(ctx); err != nil {
		return response{}, nil, err
	}
	q.Limits = c.limits
	if len(blob) > 0 {
		c.files++
	}
	got, forbidden := c.await(ctx, func() (a answer) {
		if a.err = writeFrame(c.in, q, blob); a.err == nil {
			a.blob, a.err = readFrame(c.out, &a.response)
		}
		return a
	}, oneWait(d))
	if forbidden {
		c.nameCall(ctx, q, blob)
	}
	return got.response, got.blob, got.err
}

// oneWait is the patience for one wait of d.
func oneWait(d time.Duration) func() time.Duration {
	return func() time.Duration {
		now := d
		d = 0
		return now
	}
}

// How long a child may take to load its models before it is ended: as long as it works at that, whatever the machine's speed. A
// kiosk needs half a second, an emulated machine a hundred times that.
const (
	startSilence = 20 * time.Second      // in which it did not work, on a slow disk
	startWork    = 50 * time.Millisecond // of processor time is work: a Go program that waits uses less in that time
	startMost    = 10 * time.Minute      // in all
	startLook    = time.Second           // between two looks at whether it works
)

// grace is on top of a request's own limit: for a child to notice that limit itself, and to say so.
const grace = 2 * time.Second

// begin starts the child if need be and waits until it is ready.
func (c *child) begin(ctx context.Context) error {
	if err := c.start(); err != nil {
		return err
	}
	if c.ready {
		return nil
	}
	pid, begun := c.cmd.Process.Pid, time.Now()
	worked, since := processorTime(pid), begun
	got, forbidden := c.await(ctx, func() (a answer) {
		_, a.err = readFrame(c.out, &a.response)
		return a
	}, func() time.Duration {
		if now := processorTime(pid); now >= worked+startWork {
			worked, since = now, time.Now()
		}
		return min(startLook, c.silence-time.Since(since), c.most-time.Since(begun))
	})
	switch {
	case forbidden:
		c.nameCall(ctx, request{}, nil)
	case got.err == nil && got.Error != "":
		c.stop()
		got.err = startError(got.Error)
	}
	if got.err != nil {
		return got.err
	}
	c.ready, c.guards = true, got.Protections
	return nil
}

// startError is why a child could not load what it needs, in its own words.
type startError string

func (e startError) Error() string { return string(e) }

// processorTime is what a process has used of the processor, 0 where it is gone. By the kernel's clock of it: what /proc says of a
// child is hidden under the daemon's unit.
func processorTime(pid int) time.Duration {
	const all = 2 // CPUCLOCK_SCHED: what all its threads ran; see clock_getcpuclockid(3)
	var at unix.Timespec
	if unix.ClockGettime(^int32(pid)<<3|all, &at) != nil {
		return 0
	}
	return time.Duration(at.Nano())
}

func (c *child) warm(ctx context.Context) ([]sandbox.Protection, error) {
	if err := c.begin(ctx); err != nil {
		return nil, fmt.Errorf("warm recognition worker: %w", err)
	}
	return c.guards, nil
}

func (c *child) try(ctx context.Context) ([]sandbox.Protection, error) {
	return sandbox.Try(ctx, c.argv)
}

func (c *child) open(ctx context.Context, data []byte, words bool) (int, *Problem) {
	c.data, c.words = data, words
	worn := c.files > 0
	a, _, err := c.ask(ctx, c.limits.Time+grace, request{Op: "open", Words: words}, data)
	if worn && errors.Is(err, errDied) {
		a, _, err = c.ask(ctx, c.limits.Time+grace, request{Op: "open", Words: words}, data)
	}
	if why, ok := errors.AsType[startError](err); ok {
		return 0, &Problem{WorkerDied, "Recognition cannot start: " + string(why) + ". Run motcua doctor."}
	}
	if err != nil {
		return 0, died(err, 0)
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
		a, blob, err := c.ask(ctx, c.limits.Time+grace, q, nil)
		if err == nil {
			c.pages++
			return a, blob, nil
		}
		if !worn || !errors.Is(err, errDied) {
			return response{}, nil, died(err, q.Page)
		}
	}
}

func (c *child) page(ctx context.Context, n int) ([]*readSide, []Timing, *Problem) {
	a, _, p := c.askAbout(ctx, request{Op: "page", Page: n})
	if p != nil {
		return nil, nil, p
	}
	a.Sides = slices.DeleteFunc(a.Sides, func(f *readSide) bool { return f == nil }) // no worker of ours says that
	for _, f := range a.Sides {
		if f.Readings == nil {
			f.Readings = map[paper.Name][]paper.Evidence{}
		}
	}
	return a.Sides, a.Timings, a.Problem
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
	a, b, err := c.ask(ctx, c.limits.Time+grace, request{Op: "crop", Page: page, Quad: q, Width: maxWidth}, data)
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
