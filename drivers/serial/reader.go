// Package serial reads QR and barcode readers that type lines on a serial port. In goes a Profile (which
// port, how it talks); out come Readings, each exactly one code as text in NFC, and States a technician
// can act on. It promises: what arrives whole is given once; what arrives torn, garbled or joined with
// something else is not given at all; a reader that is pulled out never ends Run and is used again when
// it is back; nothing typed before the port was opened is ever seen.
//
// What a code means is not known here. Keyboard-wedge readers need no driver: they type into the page.
package serial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"motcua/drivers/scan"
)

// Garbled is the fault of a reader that sends bytes that are not text: nearly always a wrong speed.
const Garbled scan.Code = "garbled"

// Reading is one code as it was read. Text is personal data: it prints as its length only.
type Reading struct {
	Text string
	At   time.Time
	Port string // the stable name from the profile
}

// Format keeps the text out of every log and error.
func (r Reading) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "reading of %d bytes from %s", len(r.Text), r.Port)
}

// LogValue keeps the text out of structured logs.
func (r Reading) LogValue() slog.Value {
	return slog.GroupValue(slog.String("port", r.Port), slog.Int("bytes", len(r.Text)))
}

// State is how a reader is doing.
type State struct {
	Connected bool
	Device    string      // the device node behind the stable name, while connected
	Fault     *scan.Fault // why it is not connected, or why its readings are dropped; nil where all is well
	Readings  int         // given since Run began
	Dropped   int         // torn or garbled since Run began
}

// Reader is one serial reader.
type Reader struct {
	profile Profile
	changed func(State)
	retry   time.Duration // between attempts to open a port that is away

	mu    sync.Mutex // guards state
	state State
}

// New is a reader for the profile. changed, which may be nil, is called from Run whenever the reader
// comes, goes, fails or heals.
func New(p Profile, changed func(State)) (*Reader, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("profile of serial reader %q: %w", p.Name, err)
	}
	if changed == nil {
		changed = func(State) {}
	}
	// Half a second, so that plugging in shows well within two.
	return &Reader{profile: p.withDefaults(), changed: changed, retry: 500 * time.Millisecond}, nil
}

// State is the present state.
func (r *Reader) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Run reads until ctx ends, and then returns its error. fn is called from Run's goroutine, one reading
// at a time. Reading goes on while it works: silence tells torn codes from whole ones, so the port must
// be looked at in time whatever becomes of a reading.
func (r *Reader) Run(ctx context.Context, fn func(Reading)) error {
	readings, done := make(chan Reading, 64), make(chan error, 1)
	go func() {
		defer close(readings)
		done <- r.read(ctx, func(g Reading) {
			select {
			case readings <- g:
			case <-ctx.Done():
			}
		})
	}()
	for g := range readings {
		fn(g)
	}
	return <-done
}

func (r *Reader) read(ctx context.Context, fn func(Reading)) error {
	for {
		err := r.session(ctx, fn)
		if ctx.Err() != nil {
			r.update(func(s *State) { s.Connected, s.Device = false, "" })
			return ctx.Err()
		}
		fault := faultOf(r.profile, err)
		r.update(func(s *State) { s.Connected, s.Device, s.Fault = false, "", fault })
		select {
		case <-ctx.Done():
		case <-time.After(r.retry):
		}
	}
}

// session is one connection, from opening the port until it goes away.
func (r *Reader) session(ctx context.Context, fn func(Reading)) error {
	path, err := resolve(r.profile.Port)
	if err != nil {
		return err
	}
	line, err := openPort(path, r.profile)
	if err != nil {
		return err
	}
	defer line.close()
	device, _ := filepath.EvalSymlinks(path)
	r.update(func(s *State) { s.Connected, s.Device, s.Fault = true, device, nil })

	frames, garbled := newFramer(r.profile), 0
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		n, silent, err := line.read(buf)
		if err != nil {
			return err
		}
		var got []frame
		if n > 0 {
			got = frames.feed(buf[:n])
			clear(buf[:n])
		} else if silent {
			got = frames.tick()
		}
		for _, f := range got {
			text, ok := decode(f.data, r.profile.Encoding)
			if ok && !f.broken {
				garbled = 0
				r.update(func(s *State) { s.Readings++; s.Fault = nil })
				fn(Reading{Text: text, At: time.Now(), Port: r.profile.Port})
				continue
			}
			var fault *scan.Fault
			if ok {
				// Good text without the end that was promised: the reader is set up differently.
				fault = &scan.Fault{Code: Garbled, Device: r.profile.Name, Technician: fmt.Sprintf(
					"A code was read but its end did not come. Set the reader to send %s after each code, or set `end: idle` in its profile.",
					r.profile.endName())}
			} else if garbled++; garbled >= 2 {
				fault = garbledFault(r.profile)
			}
			r.update(func(s *State) {
				s.Dropped++
				if fault != nil {
					s.Fault = fault
				}
			})
		}
	}
	return ctx.Err()
}

func (r *Reader) update(change func(*State)) {
	r.mu.Lock()
	before := r.state
	change(&r.state)
	after := r.state
	r.mu.Unlock()
	same := before.Connected == after.Connected && before.Device == after.Device && (before.Fault == nil) == (after.Fault == nil) &&
		(before.Fault == nil || before.Fault.Code == after.Fault.Code && before.Fault.Technician == after.Fault.Technician)
	if !same {
		r.changed(after)
	}
}

func (p Profile) endName() string {
	switch {
	case p.Suffix != "":
		return fmt.Sprintf("%q", p.Suffix)
	case p.End == "lf":
		return "LF"
	case p.End == "tab":
		return "TAB"
	}
	return "CR"
}

// resolve finds the port the profile means. A pattern that fits two readers means the first by name, so
// that it is the same one after every start.
func resolve(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("port %q: %w", pattern, err)
	}
	if len(found) == 0 {
		return "", &os.PathError{Op: "open", Path: pattern, Err: os.ErrNotExist}
	}
	sort.Strings(found)
	return found[0], nil
}

// faultOf turns what the system said into what a technician can do.
func faultOf(p Profile, err error) *scan.Fault {
	f := &scan.Fault{Code: scan.IOError, Device: p.Name, Err: err,
		Technician: "Reading from the serial reader broke off. Check its cable; it is used again as soon as it answers."}
	switch {
	case errors.Is(err, os.ErrNotExist):
		f.Code = scan.NoDevice
		f.Technician = fmt.Sprintf("No reader is plugged in as %s. Plug it in, or compare with `ls /dev/serial/by-id`.", p.Port)
	case errors.Is(err, os.ErrPermission):
		f.Code = scan.AccessDenied
		f.Technician = fmt.Sprintf("This account may not open %s. Add the kiosk's user to the group dialout (`usermod -aG dialout motcua`) or "+
			"install the udev rules, then start the service again.", p.Port)
	case errors.Is(err, errBusy):
		f.Code = scan.Busy
		f.Technician = fmt.Sprintf("Another program has %s open. Close it; if it is ModemManager, set ENV{ID_MM_DEVICE_IGNORE}=\"1\" for the "+
			"reader in a udev rule.", p.Port)
		if who := holder(p.Port); who != "" {
			f.Technician = fmt.Sprintf("%s has %s open. Close it; if it is ModemManager, set ENV{ID_MM_DEVICE_IGNORE}=\"1\" for the reader in a "+
				"udev rule.", who, p.Port)
		}
	case errors.Is(err, errGone):
		f.Code = scan.Unplugged
		f.Technician = "The serial reader was pulled out. Check its cable; it is used again as soon as it is back."
	}
	return f
}

func garbledFault(p Profile) *scan.Fault {
	return &scan.Fault{Code: Garbled, Device: p.Name, Technician: fmt.Sprintf(
		"The reader sends only unreadable bytes: its speed or parity is not the %s of its profile. Usual are 9600 8N1, 19200 8N1, 38400 8N1 "+
			"and 115200 8N1; or set the reader back with the code in its manual.", p.framing())}
}
