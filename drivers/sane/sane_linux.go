// Package sane drives every scanner SANE knows. What goes in is a device's name and the settings of a
// scan; what comes out is pages, their lines as they arrive, and faults a person can mend.
//
// libsane and its backends (third-party code, some of it old) are loaded only in a worker, a child
// process of the same binary that Serve is the life of: a backend that crashes, hangs or leaks costs one
// scan. The package promises that a scan never blocks past its context, that breaking off or cancelling in
// mid-page leaves the device ready for the next scan, and that a device that was pulled out is found again
// when it is back, also under the new name USB gives it.
package sane

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// Options tunes the driver; the zero value works.
type Options struct {
	Worker []string      // the command that runs Serve; empty: the small program beside this one, or this one as "sane-worker"
	Env    []string      // added to the worker's environment, as in SANE_CONFIG_DIR=/etc/sane.d
	Set    []string      // SANE options of this device, in order: "brightness=10", "swdeskew=yes"
	Prefer []string      // options set before those, on models that have them; for profiles of a whole family
	Stall  time.Duration // a device that shows no sign of life for so long has timed out; 0: a minute
	Idle   time.Duration // the device is let go after so long without a scan; 0: half a minute
	Ready  bool          // a worker is kept started ahead of need, for a scanner that is used day by day
	Hide   []string      // folders and files that backends must not reach, beside homes, keys and what is withheld anyway

	loose bool // the worker is not confined
}

// prefix begins the ID of every SANE device.
const prefix = "sane:"

// List asks every backend for its devices. It does not open them, so it gives no capabilities: Probe does.
// Backends that search the network make this take seconds; ListLocal does not ask those.
func List(ctx context.Context, o Options) ([]scan.Info, error) {
	return list(ctx, o, request{Op: "list"})
}

// ListLocal gives the devices plugged into this machine, which takes a moment.
func ListLocal(ctx context.Context, o Options) ([]scan.Info, error) {
	return list(ctx, o, request{Op: "list", Local: true})
}

// Finders look for devices again and again, for scan.Watch: one at this machine, and one, now and then, on
// the network.
func Finders(o Options) []scan.Finder {
	return []scan.Finder{
		{Name: "sane", List: func(ctx context.Context) ([]scan.Info, error) { return ListLocal(ctx, o) }},
		{Name: "sane", Every: 30 * time.Second, Waits: true, List: func(ctx context.Context) ([]scan.Info, error) { return listRemote(ctx, o) }},
	}
}

// listRemote gives the devices that are not at this machine. SANE cannot be asked for those alone; a
// device plugged in or pulled out while it is asked for all is in one of the local lists around that.
func listRemote(ctx context.Context, o Options) ([]scan.Info, error) {
	before, err := ListLocal(ctx, o)
	if err != nil {
		return nil, err
	}
	everywhere, err := List(ctx, o)
	if err != nil {
		return nil, err
	}
	after, err := ListLocal(ctx, o)
	local := append(before, after...)
	return slices.DeleteFunc(everywhere, func(i scan.Info) bool {
		return slices.ContainsFunc(local, func(l scan.Info) bool { return l.ID == i.ID })
	}), err
}

func list(ctx context.Context, o Options, which request) ([]scan.Info, error) {
	c, err := dial(o)
	if err != nil {
		return nil, err
	}
	defer c.close()
	r, err := c.call(ctx, which)
	if err != nil {
		return nil, fmt.Errorf("list SANE devices: %w", err)
	}
	infos := make([]scan.Info, 0, len(r.Devices))
	for _, d := range r.Devices {
		infos = append(infos, d.info())
	}
	return infos, nil
}

func (d device) info() scan.Info {
	return scan.Info{ID: prefix + d.Name, Driver: "sane", Vendor: d.Vendor, Model: d.Model, Kind: d.Type}
}

// Scanner is one SANE device. Its methods may be called from several goroutines; one of them scans.
type Scanner struct {
	o  Options
	id string

	slot chan struct{} // who holds it has the worker
	// Guarded by slot:
	worker *conn
	spare  *conn  // with Options.Ready: one that has loaded what it needs and opened nothing
	name   string // the device's SANE name now
	listed string // its name in SANE's list, where it was opened by its backend's name only
	idle   *time.Timer
	closed bool

	resting sync.WaitGroup // a timer of idle that has not been stopped, until rest has ended
	closing sync.WaitGroup // workers being let go

	mu      sync.Mutex // guards info and probing
	info    scan.Info
	probing chan struct{} // closed when the Probe that runs has ended; nil: none runs
}

// Open names a device; it does not touch it, and starts no more than a worker that is to be ready. The ID is one that List gave,
// or the beginning of one ("sane:genesys"), or a part of its maker and model ("sane:LiDE 210"), or "sane:" for the first there is.
func Open(o Options, id string) *Scanner {
	if o.Stall == 0 {
		o.Stall = time.Minute
	}
	if o.Idle == 0 {
		o.Idle = 30 * time.Second
	}
	return &Scanner{
		o: o, id: id, slot: make(chan struct{}, 1), name: strings.TrimPrefix(id, prefix), spare: ahead(o),
		info: scan.Info{ID: id, Driver: "sane"},
	}
}

// Info describes the device as far as it is known: after the first Probe or Scan, with capabilities.
func (s *Scanner) Info() scan.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

// Probe opens the device and reads what it can do.
func (s *Scanner) Probe(ctx context.Context) (scan.Info, error) {
	if err := s.take(ctx); err != nil {
		return s.Info(), err
	}
	defer s.release()
	ended := make(chan struct{})
	s.mu.Lock()
	s.probing = ended
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.probing = nil
		s.mu.Unlock()
		close(ended)
	}()
	_, err := s.open(ctx)
	return s.Info(), err
}

// Met reports whether the device has said what it can do and, as far as its name tells, is still there.
func (s *Scanner) Met() bool {
	if len(s.Info().Sources) == 0 {
		return false
	}
	select {
	case s.slot <- struct{}{}:
		defer func() { <-s.slot }()
		return !s.gone()
	default: // it is in use
		return true
	}
}

// Close lets the device go and waits until its worker has ended.
func (s *Scanner) Close() error {
	s.slot <- struct{}{}
	s.closed = true
	s.drop()
	s.replace(nil)
	s.stay()
	<-s.slot
	s.resting.Wait() // one that had gone off before has started a worker, maybe
	s.closing.Wait()
	return nil
}

// busyWait is how long a job that is just ending may still hold the device.
const busyWait = 200 * time.Millisecond

// gone reports whether the device is known to have been pulled out. The caller holds the slot.
func (s *Scanner) gone() bool { return gone(prefix+s.name) || gone(prefix+s.listed) }

// stay stops the timer that would let the worker go. The caller holds the slot.
func (s *Scanner) stay() {
	if s.idle != nil && s.idle.Stop() {
		s.resting.Done()
	}
	s.idle = nil
}

// take gets the worker for one job. A scan that runs is not waited for; one that is just ending is, and so is a Probe: whoever
// wants to scan knows nothing of it.
func (s *Scanner) take(ctx context.Context) error {
	for {
		before := s.probed()
		err := s.tryTake(ctx)
		if !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
			return err
		}
		if before == nil { // it may have begun meanwhile
			before = s.probed()
		}
		if before == nil {
			return err
		}
		select {
		case <-before:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// probed is closed when the Probe that runs has ended; nil: none runs.
func (s *Scanner) probed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probing
}

func (s *Scanner) tryTake(ctx context.Context) error {
	t := time.NewTimer(busyWait)
	defer t.Stop()
	select {
	case s.slot <- struct{}{}:
		s.stay()
		if err := ctx.Err(); err != nil { // it had ended before, and select does not prefer that
			s.release()
			return err
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return scan.NewFault(s.id, scan.Busy, nil)
	}
}

// release gives the worker back and lets it go if nobody takes it again for a while.
func (s *Scanner) release() {
	switch {
	case s.closed:
		s.drop()
	case s.worker != nil || s.spare == nil && s.o.Ready:
		s.resting.Add(1)
		s.idle = time.AfterFunc(s.o.Idle, func() {
			defer s.resting.Done()
			s.rest()
		})
	}
	<-s.slot
}

// rest lets the worker go, and has the next one ready.
func (s *Scanner) rest() {
	next := ahead(s.o) // before the slot is taken: a scan that begins now does not wait for it
	select {
	case s.slot <- struct{}{}:
		s.drop()
		s.replace(next)
		<-s.slot
	default: // it is wanted after all
		if next != nil {
			next.close()
		}
	}
}

// ahead starts a worker that nobody needs yet, where one is to be ready; why one does not start is told when it is needed.
func ahead(o Options) *conn {
	if !o.Ready || o.loose {
		return nil
	}
	c, err := dial(o)
	if err != nil {
		return nil
	}
	return c
}

// replace puts a worker into the spare's place, or none, and lets the one there was go. The caller holds the slot.
func (s *Scanner) replace(next *conn) {
	if s.closed && next != nil {
		s.closing.Go(next.close)
		next = nil
	}
	if c := s.spare; c != nil {
		s.closing.Go(c.close)
	}
	s.spare = next
}

// start gives a worker: the one that is ready, if it is what would be started now, or a new one. The caller holds the slot.
func (s *Scanner) start(o Options) (*conn, error) {
	if c := s.spare; c != nil && !c.ended() && c.fits(o) {
		s.spare = nil
		return c, nil
	}
	s.replace(nil)
	return dial(o)
}

// fits reports whether a worker was told of this machine what one would be told now: a scanner that was plugged in since may
// be a device that it must not reach, and folders may have come that it must not.
func (c *conn) fits(o Options) bool {
	now, err := command(context.Background(), o)
	return err == nil && slices.Equal(c.cmd.Args, now.Args) && slices.Equal(c.cmd.Env, append(now.Env, ringEnv+"="+ringFile)) &&
		c.bound == identities(now.Env)
}

// drop lets the worker go without waiting for a backend that may hang. The caller holds the slot.
func (s *Scanner) drop() {
	if c := s.worker; c != nil {
		s.worker = nil
		s.closing.Go(c.close)
	}
}

// open gives a worker with the device open in it. The caller holds the slot.
func (s *Scanner) open(ctx context.Context) (*conn, error) {
	if s.worker != nil && (s.worker.ended() || s.gone()) {
		s.drop() // while nobody scanned: that is no fault of this scan, and a device that was pulled out may be back elsewhere
	}
	if s.worker != nil {
		return s.worker, nil
	}
	// The one before may still hold the device.
	s.closing.Wait()
	c, r, err := s.reach(ctx, s.o)
	if f := (*faultError)(nil); errors.As(err, &f) && mayHaveMoved(f.reply) && !s.o.loose {
		if c2, r2, again := s.reachLoose(ctx); again == nil {
			c, r, err = c2, r2, nil
		}
	}
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	s.worker = c
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info.Sources, s.info.Modes, s.info.DPIs, s.info.Areas = r.Caps.Sources, r.Caps.Modes, r.Caps.DPIs, r.Caps.Areas
	if s.o.loose {
		s.info.Note = "its SANE backend runs without bounds: it does not work within them"
	}
	return c, nil
}

// reachLoose is reach for a device that did not open within the bounds. A backend may need what is withheld from it: it is
// tried without bounds once. If that helps, and within them it fails once more, the device is used so, and says so. One
// that was only asleep or busy, or pulled out, keeps its bounds.
func (s *Scanner) reachLoose(ctx context.Context) (*conn, reply, error) {
	loose := s.o
	loose.loose = true
	c, _, err := s.reach(ctx, loose)
	if err != nil {
		return nil, reply{}, err
	}
	s.closing.Go(c.close) // it holds the device
	s.closing.Wait()
	c, r, err := s.reach(ctx, s.o)
	if err == nil {
		return c, r, nil
	}
	if c, r, err = s.reach(ctx, loose); err == nil {
		s.o.loose = true
	}
	return c, r, err
}

// reach starts a worker and opens the device in it: by the name it had, by the one it has now, or, where its backend
// takes no name (Brother's pdsseries: NAPS2 718) and has but one device, by the backend's.
func (s *Scanner) reach(ctx context.Context, o Options) (*conn, reply, error) {
	c, err := s.start(o)
	if err != nil {
		return nil, reply{}, err
	}
	r, err := c.call(ctx, request{Op: "open", Device: s.name})
	if err == nil {
		s.listed = s.name
	}
	if f := (*faultError)(nil); errors.As(err, &f) && mayHaveMoved(f.reply) {
		for _, name := range s.names(ctx, c) {
			var now reply
			if now, f = c.tryOpen(ctx, name); f == nil {
				s.name, r, err = name, now, nil
				break
			}
		}
	}
	if err != nil {
		s.closing.Go(c.close)
		return nil, reply{}, err
	}
	return c, r, nil
}

// tryOpen opens a device by a name that may be wrong.
func (c *conn) tryOpen(ctx context.Context, name string) (reply, *faultError) {
	r, err := c.call(ctx, request{Op: "open", Device: name})
	if err == nil {
		return r, nil
	}
	var f *faultError
	if !errors.As(err, &f) {
		f = &faultError{reply{Status: int(statusIOError), Text: err.Error()}}
	}
	return r, f
}

func mayHaveMoved(r reply) bool {
	return status(r.Status) == statusInval || status(r.Status) == statusIOError || status(r.Status) == statusAccessDenied
}

// names are what else the device may be called now.
func (s *Scanner) names(ctx context.Context, c *conn) []string {
	for _, local := range []bool{true, false} {
		r, err := c.call(ctx, request{Op: "list", Local: local})
		if err != nil {
			return nil
		}
		d, is := s.among(r.Devices)
		if !is {
			continue
		}
		s.listed = d.Name
		backend, _, _ := strings.Cut(d.Name, ":")
		siblings := 0
		for _, other := range r.Devices {
			if strings.HasPrefix(other.Name, backend+":") {
				siblings++
			}
		}
		var all []string
		if d.Name != s.name {
			all = append(all, d.Name)
		}
		if siblings == 1 {
			all = append(all, backend)
		}
		return all
	}
	return nil
}

func (s *Scanner) among(devices []device) (device, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range devices {
		if d.matches(strings.TrimPrefix(s.id, prefix), s.name, s.info) {
			s.info.Vendor, s.info.Model, s.info.Kind = d.Vendor, d.Model, d.Type
			return d, true
		}
	}
	return device{}, false
}

// matches reports whether d is the device a configuration means by want, or the one that was called name
// before it was plugged in anew.
func (d device) matches(want, name string, before scan.Info) bool {
	backend, _, _ := strings.Cut(name, ":")
	switch {
	case d.Name == want, strings.HasPrefix(d.Name, want+":"), want == "":
		return true
	case strings.HasPrefix(d.Name, backend+":") && usbName.MatchString(d.Name) && usbName.MatchString(name):
		return before.Model == "" || before.Vendor == d.Vendor && before.Model == d.Model
	}
	return strings.Contains(strings.ToLower(d.Vendor+" "+d.Model), strings.ToLower(want))
}

// Scan yields pages in feeding order as each is complete. Breaking off the loop or cancelling the context
// stops the device, also in mid-page, and leaves it ready; a backend that has not stopped within five
// seconds is killed.
func (s *Scanner) Scan(ctx context.Context, set scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		// The worker is given back before an error is told, so that whoever hears it may close the scanner.
		if err := s.scan(ctx, set, yield); err != nil {
			yield(scan.Page{}, err)
		}
	}
}

// scan runs one job and gives the error that is still to be told.
func (s *Scanner) scan(ctx context.Context, set scan.Settings, yield func(scan.Page, error) bool) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.release()
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	finished, broken, err := s.pages(ctx, c, set, yield)
	if !finished && (errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil || !c.settle()) {
		c.kill() // it has had its time
		s.drop()
	}
	if err == nil || broken {
		return nil
	}
	if ctx.Err() == nil && fresh(err) {
		s.drop()
	}
	return s.explain(ctx, err)
}

// fresh reports whether the next scan should begin with a new worker.
func fresh(err error) bool {
	var f *faultError
	if !errors.As(err, &f) || f.reply.During != "start" && f.reply.During != "options" {
		return true
	}
	switch status(f.reply.Status) {
	case statusNoDocs, statusCoverOpen, statusJammed, statusUnsupported, statusInval, statusDeviceBusy, statusCancelled:
		return false // the backend is in order, the paper or the wish is not
	}
	return true
}

// faultError carries a worker's fault up to where the device's name is known.
type faultError struct{ reply reply }

func (e *faultError) Error() string { return e.reply.Text }

// explain turns any error of a job into a fault, except the context's own.
func (s *Scanner) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var f *faultError
	var u unsupportedError
	var end *endError
	var b *shortError
	device := prefix + s.name
	switch {
	case errors.As(err, &f):
		return asFault(device, f.reply)
	case errors.As(err, &u):
		return scan.NewFault(device, scan.Unsupported, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return scan.NewFault(device, scan.TimedOut, err)
	case errors.As(err, &end):
		return crashed(device, err)
	case errors.As(err, &b):
		return scan.NewFault(device, scan.IOError, err)
	}
	return scan.NewFault(device, scan.IOError, err)
}

// sendTime is for a request to a worker, whose pipe holds some thousands of them.
const sendTime = 10 * time.Second

// conn is a worker, the two pipes to it, and the memory for pixels.
type conn struct {
	cmd   *exec.Cmd
	in    *os.File
	out   *os.File
	r     frames
	say   tail
	pages *ring
	bound string // what its bounds' paths were when it started

	pieces, bytes int // of pixels that were looked at since the worker was told so last

	killed atomic.Bool
}

// command is a worker that is not started.
func command(ctx context.Context, o Options) (*exec.Cmd, error) {
	argv := o.Worker
	if len(argv) == 0 {
		argv = ownWorker()
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), o.Env...)
	confine(cmd, o)
	return cmd, nil
}

// dial starts a worker.
func dial(o Options) (c *conn, err error) {
	cmd, err := command(context.Background(), o)
	if err != nil {
		return nil, err
	}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			c.release()
			c = nil
		}
	}()
	c = &conn{cmd: cmd, bound: identities(cmd.Env)}
	if c.pages, err = newRing(); err != nil {
		return c, err
	}
	requests, in, err := os.Pipe()
	if err != nil {
		return c, fmt.Errorf("start the SANE worker: %w", err)
	}
	theirs, c.in = append(theirs, requests), in
	out, answers, err := os.Pipe()
	if err != nil {
		return c, fmt.Errorf("start the SANE worker: %w", err)
	}
	theirs, c.out = append(theirs, answers), out
	cmd.Stdin, cmd.Stdout, cmd.Stderr = requests, answers, &c.say
	cmd.ExtraFiles = []*os.File{c.pages.file}
	cmd.Env = append(cmd.Env, ringEnv+"="+ringFile)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return c, fmt.Errorf("start the SANE worker: %w", err)
	}
	c.r.r = bufio.NewReader(c.out)
	return c, nil
}

// release lets go of what belongs to this side.
func (c *conn) release() {
	for _, f := range []*os.File{c.in, c.out} {
		if f != nil {
			_ = f.Close()
		}
	}
	if c.pages != nil {
		c.pages.close()
	}
}

// close ends the worker: it is asked to, and killed if it does not in time.
func (c *conn) close() {
	c.release()
	kill := time.AfterFunc(3*time.Second, c.kill)
	_ = c.cmd.Wait() // how it ended is of no interest any more
	kill.Stop()
}

func (c *conn) kill() {
	c.killed.Store(true)
	killGroup(c.cmd.Process)
}

// ended reports whether there is nobody at the other end any more.
func (c *conn) ended() bool {
	raw, err := c.out.SyscallConn()
	if err != nil || c.killed.Load() {
		return true
	}
	var hungUp bool
	err = raw.Control(func(fd uintptr) {
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(polled, 0)
		hungUp = err == nil && n > 0 && polled[0].Revents&unix.POLLHUP != 0
	})
	return err != nil || hungUp
}

// send makes a request. A worker that reads none of them does not hold the daemon up.
func (c *conn) send(r request) error {
	_ = c.in.SetWriteDeadline(time.Now().Add(sendTime)) // a pipe takes one
	if err := writeMessage(c.in, r); err != nil {
		return &endError{err, c.say.String()}
	}
	return nil
}

// watch makes a receive end when the context does, until stop is called.
func (c *conn) watch(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	off := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = c.out.SetReadDeadline(time.Unix(1, 0)) // a pipe takes one
	})
	return func() {
		if !off() {
			<-done // or it would break off the next job
		}
	}
}

// receive waits for a frame, at most stall for each. The payload, of pixels those themselves, is good until the next call.
func (c *conn) receive(ctx context.Context, stall time.Duration) (kind byte, payload []byte, err error) {
	if c.bytes >= mostOwed {
		// One that has ended may have said more before it did.
		if err := c.send(request{Op: "taken", Pieces: c.pieces}); err != nil && !errors.Is(err, unix.EPIPE) {
			return 0, nil, err
		}
		c.pieces, c.bytes = 0, 0
	}
	// A deadline that watch sets after this one stays; one set before is seen in the context.
	_ = c.out.SetReadDeadline(time.Now().Add(stall)) // a pipe takes one
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	kind, payload, err = c.r.next()
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return 0, nil, &endError{err, c.say.String()}
	}
	if err == nil && kind == framePixels {
		payload, err = pixels(c.pages.mem, payload)
		c.pieces, c.bytes = c.pieces+1, c.bytes+len(payload)
	}
	return kind, payload, err
}

// endError says that the worker ended, with its last words.
type endError struct {
	err   error
	words string
}

func (e *endError) Unwrap() error { return e.err }

func (e *endError) Error() string {
	if w := firstLine(e.words); w != "" {
		return "the SANE worker ended: " + w
	}
	return "the SANE worker ended"
}

// call makes a request that has one answer.
func (c *conn) call(ctx context.Context, r request) (reply, error) {
	defer c.watch(ctx)()
	if err := c.send(r); err != nil {
		return reply{}, err
	}
	kind, payload, err := c.receive(ctx, time.Minute)
	if err != nil {
		return reply{}, err
	}
	var m reply
	if kind != frameMessage || json.Unmarshal(payload, &m) != nil {
		return reply{}, errFrame
	}
	switch {
	case m.Kind == "fault":
		return m, &faultError{m}
	case m.Kind != "done" || r.Op == "open" && m.Caps == nil:
		return m, errFrame
	}
	return m, nil
}

// settle stops a job that was broken off and waits until the worker has the device ready again.
func (c *conn) settle() bool {
	if c.send(request{Op: "cancel"}) != nil {
		return false
	}
	ctx, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	defer c.watch(ctx)()
	for {
		kind, payload, err := c.receive(ctx, 5*time.Second)
		if err != nil {
			return false
		}
		var m reply
		if kind == framePixels {
			continue
		}
		if json.Unmarshal(payload, &m) != nil {
			return false
		}
		switch m.Kind {
		case "done", "fault":
			return m.Kind == "done"
		}
	}
}

// tail keeps the beginning of what a worker says on its standard error; a crash says it first.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), 2048-len(t.text))]...)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
