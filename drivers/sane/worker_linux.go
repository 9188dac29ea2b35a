package sane

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// Serve is the whole life of a worker process: it loads libsane, answers the daemon's requests from stdin
// on stdout, and returns when stdin ends. A backend that hangs, crashes or scribbles over memory takes
// this process with it and costs the daemon one scan.
func Serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	if name := os.Getenv(tryEnv); name != "" {
		return attemptNamed(name, stdout)
	}
	// A dump of what lies in memory here would be a copy of someone's papers; loose workers have nobody else to see to it.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	// A backend's reader thread may write to a pipe that sane_cancel has just closed.
	signal.Ignore(syscall.SIGPIPE)
	out, err := quiet(stdout)
	if err != nil {
		return err
	}
	if c, ok := stdin.(io.Closer); ok {
		defer context.AfterFunc(ctx, func() { c.Close() })()
	}
	w := &worker{out: out}
	if number := os.Getenv(ringEnv); number != "" {
		if w.lane, err = openLane(number); err != nil {
			return err
		}
	}
	requests := make(chan request)
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // some backends keep per-thread state
		ended <- w.work(requests)
	}()
	in := frames{r: bufio.NewReader(stdin)}
	for {
		kind, payload, err := in.next()
		if err != nil {
			break // the daemon has gone or speaks nonsense: either way there is nobody to scan for
		}
		var r request
		if kind != frameMessage || json.Unmarshal(payload, &r) != nil {
			break
		}
		switch r.Op {
		case "cancel":
			w.cancel()
			continue
		case "taken":
			if w.lane != nil {
				w.lane.taken(r.Pieces)
			}
			continue
		}
		w.begin()
		select {
		case requests <- r:
			continue
		case err := <-ended:
			return err
		}
	}
	w.cancel()
	close(requests)
	select {
	case err := <-ended:
		return err
	case <-time.After(5 * time.Second):
		return errors.New("the SANE backend does not come back")
	}
}

// quiet keeps what a backend prints out of the protocol: the process's own standard output becomes its
// standard error, and the protocol goes on over a copy.
func quiet(stdout io.Writer) (io.Writer, error) {
	f, ok := stdout.(*os.File)
	if !ok || f.Fd() != 1 {
		return stdout, nil
	}
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("copy standard output: %w", err)
	}
	if err := unix.Dup2(2, 1); err != nil {
		return nil, fmt.Errorf("redirect standard output: %w", err)
	}
	return os.NewFile(uintptr(fd), "protocol"), nil
}

type worker struct {
	out  io.Writer
	lane *lane // nil where nobody handed memory over: then it lists and opens, and does not scan

	isOpen   bool
	name     string // of the device that is open
	handle   handle
	sheetfed bool // it has no choice of sources, and its only one is a feeder
	loaded   bool // libsane is

	started time.Time // the last sane_start that gave nothing yet
	empty   bool      // nothing has been read since

	// mu guards the fields below. sane_cancel is the one call SANE allows while another runs.
	mu        sync.Mutex
	scanning  bool
	cancelled bool
}

// begin makes ready for a request.
func (w *worker) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancelled = false
	if w.lane != nil {
		w.lane.stop(false)
	}
}

// cancel stops the scan that runs: politely between two reads, and by sane_cancel from outside if the
// backend is still inside a read a second later.
func (w *worker) cancel() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancelled {
		return
	}
	w.cancelled = true
	if w.lane != nil {
		w.lane.stop(true)
	}
	if w.scanning {
		time.AfterFunc(time.Second, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.scanning && w.cancelled {
				w.handle.cancel()
			}
		})
	}
}

func (w *worker) stop() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cancelled
}

func (w *worker) setScanning(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scanning = on
}

// work answers requests until there are no more. It alone calls libsane, but for sane_cancel.
func (w *worker) work(requests <-chan request) error {
	// Only now that something is asked: a worker may have been started long before, and what libsane is to load be changed since.
	initialised := sync.OnceValues(func() (string, error) {
		version, err := libInit()
		w.loaded = err == nil
		return version, err
	})
	defer func() {
		if w.loaded {
			libExit()
		}
	}()
	for r := range requests {
		version, err := initialised()
		if err != nil {
			if err := writeMessage(w.out, fault("start", err)); err != nil {
				return err
			}
			continue
		}
		if err := writeMessage(w.out, w.answer(r, version)); err != nil {
			return err
		}
	}
	w.closeDevice()
	return nil
}

func (w *worker) answer(r request, version string) reply {
	switch r.Op {
	case "list":
		devices, err := libDevices(r.Local)
		if err != nil {
			return fault("list", err)
		}
		return reply{Kind: "done", Version: version, Devices: devices}
	case "open":
		if err := w.openDevice(r.Device); err != nil {
			return fault("open", err)
		}
		c, err := w.handle.caps(w.sheetfed)
		if err != nil {
			return fault("options", err)
		}
		return reply{Kind: "done", Version: version, Caps: c}
	case "scan":
		if err := w.openDevice(r.Device); err != nil {
			return fault("open", err)
		}
		w.setScanning(true)
		during, err := w.scan(r)
		w.setScanning(false)
		if err != nil && during == "read" {
			// Stopping a backend in the middle of its trouble may hang (see below), and the fault must be
			// told all the same; the daemon takes a new worker after it.
			return fault(during, err)
		}
		w.stopDevice()
		if err != nil {
			return fault(during, err)
		}
		return reply{Kind: "done"}
	}
	return fault(r.Op, statusUnsupported)
}

// stopDevice does what SANE asks for after every scan, also one that ended well; it also ejects a sheet that
// is half fed. Backends stop their reader thread by an asynchronous pthread_cancel: one that hits the
// thread's first instructions can leave the C library's lock for thread-local storage locked for ever. One that gave pixels
// is past them.
func (w *worker) stopDevice() {
	time.Sleep(time.Until(w.started.Add(20 * time.Millisecond)))
	w.handle.cancel()
}

func fault(during string, err error) reply {
	f := reply{Kind: "fault", During: during, Text: err.Error(), Status: int(statusIOError)}
	var s status
	var u unsupportedError
	switch {
	case errors.As(err, &s):
		f.Status = int(s)
	case errors.As(err, &u), during == "options":
		f.Status = int(statusUnsupported)
	}
	return f
}

func (w *worker) openDevice(name string) error {
	if w.isOpen && w.name == name {
		return nil
	}
	w.closeDevice()
	h, err := libOpen(name)
	for i := 0; i < 15 && errors.Is(err, statusDeviceBusy) && !w.stop(); i++ {
		time.Sleep(200 * time.Millisecond) // another program may be about to let go of it
		h, err = libOpen(name)
	}
	if err != nil {
		return err
	}
	w.isOpen, w.name, w.handle = true, name, h
	w.sheetfed = false
	all, err := h.options()
	if err != nil {
		return err
	}
	if o, choice := first(all, "source", "doc-source"); choice &&
		slices.ContainsFunc(o.strings, func(n string) bool { return sourceNamed(n) != "" }) {
		return nil
	}
	// Only the list says what kind of device it is; without it, a page at a time comes all the same.
	devices, _ := libDevices(true)
	for _, d := range devices {
		kind := strings.ToLower(d.Type)
		same := d.Name == name || strings.HasPrefix(d.Name, name+":") || name == ""
		w.sheetfed = w.sheetfed || same && (strings.Contains(kind, "sheetfed") || strings.Contains(kind, "sheet-fed") ||
			strings.Contains(kind, "feeder"))
	}
	return nil
}

func (w *worker) closeDevice() {
	if w.isOpen {
		w.stopDevice() // harmless where nothing runs
		w.handle.close()
		w.isOpen = false
	}
}

// scan runs one job on the open device and gives, with an error, what SANE was doing.
func (w *worker) scan(r request) (during string, err error) {
	c, err := w.handle.configure(r, w.sheetfed)
	if err != nil {
		return "options", err
	}
	if w.lane == nil {
		return "start", errors.New("the worker was given no memory for pages")
	}
	for page := 1; ; page++ {
		if page > mostPages {
			return "read", errEndless
		}
		if during, err := w.page(c, page); err != nil {
			if page > 1 && errors.Is(err, statusNoDocs) && (during == "start" || w.empty) {
				return "", nil // the feeder has given all it had; some backends see that only when they read
			}
			if w.stop() {
				return "", nil
			}
			return during, err
		}
		if err := writeMessage(w.out, reply{Kind: "page"}); err != nil {
			return "write", err
		}
		if c.source == scan.Flatbed || page == r.MaxPages || w.stop() {
			return "", nil
		}
	}
}

// mostPages are both sides of as many sheets as the largest feeders hold. Some never say that they are empty (python-pillow/Sane issue 23;
// scanimage's manual names --batch-count for them).
const mostPages = 1000

var errEndless = fmt.Errorf("the feeder did not come to an end after %d pages", mostPages)

// page passes the frames of one page on: one, or three where red, green and blue come apart.
func (w *worker) page(c configured, number int) (during string, err error) {
	for {
		if err := w.start(number); err != nil {
			return "start", err
		}
		p, err := w.handle.params()
		if err != nil {
			return "parameters", err
		}
		if err := writeMessage(w.out, reply{Kind: "frame", Frame: &p, DPI: c.dpi, Source: c.source, Instead: c.instead}); err != nil {
			return "write", err
		}
		if err := w.pixels(); err != nil {
			return "read", err
		}
		if p.Last {
			return "", nil
		}
	}
}

// start begins a frame, waiting for a lamp that warms up and, at the first page, for another program
// that is about to let go of the device.
func (w *worker) start(page int) error {
	began := time.Now()
	for {
		err := w.handle.start()
		if err == nil {
			w.started = time.Now()
		}
		patience := time.Duration(0)
		switch {
		case errors.Is(err, statusWarmingUp):
			patience = 90 * time.Second
		case errors.Is(err, statusDeviceBusy) && page == 1:
			patience = 5 * time.Second
		}
		if err == nil || time.Since(began) >= patience {
			return err
		}
		for range 10 {
			if w.stop() {
				return statusCancelled
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// soon is how long pixels are held back at most where the device gives them slowly: less than an eye would notice.
const soon = 40 * time.Millisecond

// pixels passes a frame's bytes on as they come. How many are asked for at once follows how fast the device gives them: each
// piece costs both processes a turn, and a slow one's lines are to be seen as they arrive.
func (w *worker) pixels() error {
	w.empty = true
	for ask := leastRoom; ; {
		room, ok := w.lane.room(ask)
		if !ok {
			return statusCancelled
		}
		began := time.Now()
		at, err := w.gather(room)
		if at > room.from {
			w.started = time.Time{}
			if err := w.send(piece{room.from, at}); err != nil {
				return err
			}
		}
		if errors.Is(err, statusEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if time.Since(began) > soon/4 {
			ask = leastRoom
		} else {
			ask = min(2*ask, mostPiece)
		}
	}
}

// gather reads until half of the room is filled, or soon. A backend is never asked for less than half of leastRoom: there are
// some that give whole lines only.
func (w *worker) gather(room piece) (at int, err error) {
	at = room.from
	for began := time.Now(); err == nil && at < (room.from+room.to)/2 && (at == room.from || time.Since(began) <= soon); {
		if w.stop() {
			return at, statusCancelled
		}
		var n int
		n, err = w.handle.read(w.lane.mem, at, room.to)
		at += n
		w.empty = w.empty && n == 0
		if err == nil && n == 0 {
			time.Sleep(time.Millisecond) // a backend that does not block
		}
	}
	return at, err
}

// send tells the daemon where pixels lie.
func (w *worker) send(p piece) error {
	w.lane.send(p)
	return writeFrame(w.out, framePixels, p.bytes())
}

// firstLine is what a log needs of a worker's last words.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
