// Package pcsc is the chip card reader: it talks to pcscd over its socket. In goes nothing but a socket's
// path; out come Events (readers and cards that come and go) and Cards that answer APDUs. It promises
// that every call ends with its context, that a reader pulled out or a daemon restarted ends no Watch,
// and that nothing is left open on a card when it is closed. What a card holds is not known here (lds).
//
// The socket's protocol is spoken here and not through github.com/gballet/go-libpcsclite: that library
// cannot wait for changes, knows no context, leaks its socket, reads reader states from the wrong offsets
// (those of its own struct) and sends every APDU as T=1.
package pcsc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"motcua/drivers/scan"
)

// The faults of chip cards, beside those of package scan.
const (
	NoService  scan.Code = "no-service"  // pcscd is not running
	CardPulled scan.Code = "card-pulled" // the card left while it was used
	CardMute   scan.Code = "card-mute"   // a card is there, but does not answer
)

// Service is a pcscd. The zero Service is the machine's own.
type Service struct {
	Socket string // the daemon's socket; PCSCLITE_CSOCK_NAME, else /run/pcscd/pcscd.comm, where empty
	Sys    string // "/sys" where empty
}

func (s Service) socket() string {
	if s.Socket != "" {
		return s.Socket
	}
	if name := os.Getenv("PCSCLITE_CSOCK_NAME"); name != "" { // as every PC/SC program takes it
		return name
	}
	return "/run/pcscd/pcscd.comm"
}

// Kind says what an Event tells.
type Kind string

// The kinds of events.
const (
	ServiceUp     Kind = "service-up"
	ServiceDown   Kind = "service-down"
	ReaderAdded   Kind = "reader-added"
	ReaderRemoved Kind = "reader-removed"
	CardInserted  Kind = "card-inserted"
	CardRemoved   Kind = "card-removed"
)

// Event is one change at the readers.
type Event struct {
	Kind   Kind
	Reader string      // empty for the service's events
	ATR    []byte      // of an inserted card; empty where it does not answer
	Fault  *scan.Fault // why the service is down, or that the inserted card is mute
}

// Watch is Service.Watch of the machine's pcscd.
func Watch(ctx context.Context, fn func(Event)) error { return Service{}.Watch(ctx, fn) }

// Check is Service.Check of the machine's pcscd.
func Check(ctx context.Context) []scan.Finding { return Service{}.Check(ctx) }

// Watch calls fn with what is there at once, and with every change until ctx ends. A pcscd that goes is
// told as ServiceDown, with its readers and cards removed first; Watch then waits for it to come back.
func (s Service) Watch(ctx context.Context, fn func(Event)) error {
	var known []state
	var down *scan.Fault
	for {
		err := s.watch(ctx, &known, func(e Event) {
			if e.Kind == ServiceUp {
				down = nil
			}
			fn(e)
		})
		changes(known, nil, fn)
		known = nil
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var fault *scan.Fault
		if errors.As(faultOf("", err), &fault) && (down == nil || down.Code != fault.Code) {
			down = fault
			fn(Event{Kind: ServiceDown, Fault: fault})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// watch is one connection. known is what fn was told.
func (s Service) watch(ctx context.Context, known *[]state, fn func(Event)) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for up := false; ; {
		now, err := c.readers(ctx, cmdWait)
		if err != nil {
			return err
		}
		if !up {
			fn(Event{Kind: ServiceUp})
			up = true
		}
		changes(*known, now, fn)
		*known = now
		answer, err := c.receive(ctx, 8)
		if err != nil {
			return err
		}
		if rv := word(answer, 4); rv != 0 {
			return code(rv)
		}
	}
}

// changes tells the difference between two looks at the readers. A card changed for another between two
// looks shows by the counter.
func changes(before, after []state, fn func(Event)) {
	find := func(all []state, name string) (state, bool) {
		for _, s := range all {
			if s.name == name {
				return s, true
			}
		}
		return state{}, false
	}
	for _, was := range before {
		is, there := find(after, was.name)
		if was.present() && (!there || !is.present() || is.counter != was.counter) {
			fn(Event{Kind: CardRemoved, Reader: was.name})
		}
		if !there {
			fn(Event{Kind: ReaderRemoved, Reader: was.name})
		}
	}
	for _, is := range after {
		was, there := find(before, is.name)
		if !there {
			fn(Event{Kind: ReaderAdded, Reader: is.name})
		}
		if is.present() && (!there || !was.present() || is.counter != was.counter) {
			e := Event{Kind: CardInserted, Reader: is.name, ATR: bytes.Clone(is.atr)}
			if is.mute() {
				errors.As(faultOf(is.name, code(wUnresponsive)), &e.Fault)
			}
			fn(e)
		}
	}
}

func (s state) present() bool { return s.flags&flagPresent != 0 }

func (s state) mute() bool { return s.present() && len(s.atr) == 0 && s.flags&flagSwallowed != 0 }

// Readers is the names of the readers that are plugged in.
func (s Service) Readers(ctx context.Context) ([]string, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("list card readers: %w", faultOf("", err))
	}
	defer c.conn.Close()
	all, err := c.readers(ctx, cmdStates)
	if err != nil {
		return nil, fmt.Errorf("list card readers: %w", faultOf("", err))
	}
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.name
	}
	return names, nil
}

// Card is a card that was put in. It is used by one goroutine at a time.
type Card struct {
	reader string
	c      *client
	handle uint32
	proto  uint32
}

// Connect takes the card in the reader for this program alone, and powers it. A card that another
// program holds is waited for a second: desktop programs take a short look at every card put in, and
// pcscd takes a moment to clean up after a reading that was broken off.
func (s Service) Connect(ctx context.Context, reader string) (*Card, error) {
	for deadline := time.Now().Add(time.Second); ; {
		card, err := s.connect(ctx, reader)
		if !errors.Is(err, code(eSharing)) || time.Now().After(deadline) {
			return card, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s Service) connect(ctx context.Context, reader string) (*Card, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect card: %w", faultOf(reader, err))
	}
	card, err := connect(ctx, c, reader)
	if err != nil {
		c.conn.Close()
		return nil, fmt.Errorf("connect card: %w", faultOf(reader, err))
	}
	return card, nil
}

func connect(ctx context.Context, c *client, reader string) (*Card, error) {
	const exclusive, t0t1 = 1, 3
	answer, err := c.call(ctx, cmdEstablish, words(2, 0, 0), 12)
	if err != nil {
		return nil, err
	}
	if rv := word(answer, 8); rv != 0 {
		return nil, code(rv)
	}
	if len(reader) >= 128 {
		return nil, code(eUnknown)
	}
	body := append(words(word(answer, 4)), make([]byte, 128)...)
	copy(body[4:], reader)
	body = append(body, words(exclusive, t0t1, 0, 0, 0)...)
	if answer, err = c.call(ctx, cmdConnect, body, len(body)); err != nil {
		return nil, err
	}
	if rv := word(answer, 148); rv != 0 {
		return nil, code(rv)
	}
	return &Card{reader, c, word(answer, 140), word(answer, 144)}, nil
}

// Transmit sends one command APDU and gives the response with its status word. After an error the card
// is only good for Close.
func (c *Card) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	const most = 4 + 3 + 1<<16 + 3 + 2 // MAX_BUFFER_SIZE_EXTENDED
	fail := func(err error) ([]byte, error) { return nil, fmt.Errorf("transmit: %w", faultOf(c.reader, err)) }
	head := words(c.handle, c.proto, 8, uint32(len(apdu)), c.proto, 8, most, 0)
	if err := c.c.send(ctx, cmdTransmit, head, apdu); err != nil {
		return fail(err)
	}
	answer, err := c.c.receive(ctx, len(head))
	if err != nil {
		return fail(err)
	}
	if rv := word(answer, 28); rv != 0 {
		return fail(code(rv))
	}
	n := word(answer, 24)
	if n > most {
		return fail(fmt.Errorf("pcscd gave a response of %d bytes", n))
	}
	if n < 2 { // some drivers call that success when the card went away in mid command
		return fail(code(wRemoved))
	}
	response, err := c.c.receive(ctx, int(n))
	if err != nil {
		return fail(err)
	}
	return response, nil
}

// Close resets the card, so that no session stays open on it, and gives it back.
func (c *Card) Close() error {
	const reset = 1
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // a Close must end
	defer cancel()
	_, err := c.c.call(ctx, cmdDisconnect, words(c.handle, reset, 0), 12)
	// Closing the socket gives everything back, whatever pcscd said: the card may long be gone.
	if closed := c.c.conn.Close(); err == nil {
		err = closed
	}
	return err
}

// Check finds out whether chip cards can be read.
func (s Service) Check(ctx context.Context) []scan.Finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	names, err := s.Readers(ctx)
	if err != nil {
		var fault *scan.Fault
		if errors.As(err, &fault) {
			return []scan.Finding{{What: fmt.Sprintf("smart card service: %s", fault.Code), Mend: fault.Technician}}
		}
		return []scan.Finding{{What: fmt.Sprintf("smart card service: %v", err), Mend: "pcscd hangs: `systemctl restart pcscd`."}}
	}
	all := []scan.Finding{{OK: true, What: "smart card service is running"}}
	for _, name := range names {
		all = append(all, scan.Finding{OK: true, What: "card reader " + name})
	}
	if len(names) > 0 {
		return all
	}
	if usb := s.usbReaders(); len(usb) > 0 {
		return append(all, scan.Finding{What: "card reader without a driver: " + strings.Join(usb, ", "),
			Mend: "Install the driver, `apt-get install libccid` (readers by ACS: libacsccid1), and plug the reader in again; if it stays so, " +
				"look at `journalctl -u pcscd`."})
	}
	return append(all, scan.Finding{What: "no card reader is plugged in",
		Mend: "Plug a contactless card reader (ISO 14443, CCID) into a USB port, or leave chip reading switched off."})
}

// usbReaders names the USB devices that say they are card readers (interface class 0x0b), whether or
// not a driver took them.
func (s Service) usbReaders() []string {
	sys := s.Sys
	if sys == "" {
		sys = "/sys"
	}
	var names []string
	classes, _ := filepath.Glob(filepath.Join(sys, "bus/usb/devices/*:*/bInterfaceClass"))
	for _, file := range classes {
		class, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(class)) != "0b" {
			continue
		}
		device, _, _ := strings.Cut(filepath.Dir(file), ":")
		product, err := os.ReadFile(filepath.Join(device, "product"))
		name := strings.TrimSpace(string(product))
		if err != nil || name == "" {
			name = filepath.Base(device)
		}
		names = append(names, name)
	}
	return names
}
