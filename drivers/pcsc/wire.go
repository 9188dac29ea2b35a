package pcsc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"motcua/drivers/scan"
)

// The commands of pcscd's socket, and the answers this package tells apart (winscard_msg.h, pcsclite.h).
const (
	cmdEstablish  = 0x01
	cmdConnect    = 0x04
	cmdDisconnect = 0x06
	cmdTransmit   = 0x09
	cmdVersion    = 0x11
	cmdStates     = 0x12
	cmdWait       = 0x13

	major, minor = 4, 4 // pcscd 1.8.24 (2018) and later; a newer daemon speaks an older client's tongue

	eSharing      = 0x8010000b
	eNoCard       = 0x8010000c
	eNotReady     = 0x80100010
	eNotTransact  = 0x80100016
	eReaderGone   = 0x80100017
	eUnknown      = 0x80100009
	eNoService    = 0x8010001d
	eStopped      = 0x8010001e
	wUnresponsive = 0x80100066
	wUnpowered    = 0x80100067
	wReset        = 0x80100068
	wRemoved      = 0x80100069
)

// code is what pcscd answered where it did not do what was asked.
type code uint32

func (c code) Error() string { return fmt.Sprintf("pcscd answered %#08x", uint32(c)) }

// client is one connection to pcscd. It is used by one goroutine at a time. Every call takes a context:
// when it ends, the connection is of no use any more, because an answer may still be on its way.
type client struct {
	conn net.Conn
}

// dial connects and agrees on a protocol version. A daemon that hangs up at once does not trust this
// account (polkit).
func (s Service) dial(ctx context.Context) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", s.socket())
	if err != nil {
		return nil, err
	}
	c := &client{conn}
	answer, err := c.call(ctx, cmdVersion, words(major, minor, 0), 12)
	if err != nil {
		conn.Close()
		if ctx.Err() == nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset by peer") ||
			strings.Contains(err.Error(), "broken pipe")) {
			err = fmt.Errorf("%w: pcscd hung up: %w", os.ErrPermission, err)
		}
		return nil, err
	}
	if rv := word(answer, 8); rv != 0 {
		conn.Close()
		return nil, fmt.Errorf("pcscd speaks protocol %d.%d, this program %d.%d or later: %w", word(answer, 0), word(answer, 4), major, minor,
			code(rv))
	}
	return c, nil
}

// call sends one command and reads an answer of n bytes.
func (c *client) call(ctx context.Context, cmd uint32, body []byte, n int) ([]byte, error) {
	if err := c.send(ctx, cmd, body); err != nil {
		return nil, err
	}
	return c.receive(ctx, n)
}

func (c *client) send(ctx context.Context, cmd uint32, body ...[]byte) error {
	defer c.until(ctx)()
	message := words(uint32(len(body[0])), cmd)
	for _, b := range body {
		message = append(message, b...)
	}
	if _, err := c.conn.Write(message); err != nil {
		return cause(ctx, err)
	}
	return nil
}

func (c *client) receive(ctx context.Context, n int) ([]byte, error) {
	defer c.until(ctx)()
	answer := make([]byte, n)
	if _, err := io.ReadFull(c.conn, answer); err != nil {
		return nil, cause(ctx, err)
	}
	return answer, nil
}

// until breaks off reads and writes when ctx ends; the returned function ends that.
func (c *client) until(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// state is one reader as pcscd reports it (READER_STATE in eventhandler.h: 184 bytes, the ATR padded
// to a multiple of four).
type state struct {
	name    string
	counter uint32 // grows with every card put in or taken out
	flags   uint32
	atr     []byte
}

const (
	stateSize, stateMost = 184, 16

	flagPresent   = 0x04
	flagSwallowed = 0x08
)

func states(answer []byte) []state {
	var all []state
	for ; len(answer) >= stateSize; answer = answer[stateSize:] {
		name, _, _ := strings.Cut(string(answer[:128]), "\x00")
		if name == "" {
			continue
		}
		atr := answer[140:173]
		atr = atr[:min(int(word(answer, 176)), len(atr))]
		all = append(all, state{name, word(answer, 128), word(answer, 132), append([]byte(nil), atr...)})
	}
	return all
}

// readers asks for the readers' states; wait asks the same and to be told of the next change, which
// pcscd does with a message of 8 bytes.
func (c *client) readers(ctx context.Context, cmd uint32) ([]state, error) {
	answer, err := c.call(ctx, cmd, nil, stateSize*stateMost)
	if err != nil {
		return nil, err
	}
	return states(answer), nil
}

func words(w ...uint32) []byte {
	b := make([]byte, 0, 4*len(w))
	for _, v := range w {
		b = binary.NativeEndian.AppendUint32(b, v) // the socket is local: both sides have the same order
	}
	return b
}

func word(b []byte, at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }

// faultOf turns what went wrong into what a technician can do. Errors that nobody at the counter can
// mend pass unchanged.
func faultOf(reader string, err error) error {
	f := &scan.Fault{Device: reader, Err: err}
	if reader == "" {
		f.Device = "pcscd"
	}
	var c code
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, os.ErrPermission):
		f.Code = scan.AccessDenied
		f.Technician = "pcscd does not let this account use card readers. Install a polkit rule that allows org.debian.pcsc-lite.access_pcsc " +
			"and access_card for the kiosk's user."
	case errors.As(err, &c):
		switch uint32(c) {
		case wRemoved, wReset, eNoCard, wUnpowered, eNotTransact:
			f.Code = CardPulled
			f.Technician = "The card left the reader. Lay it on the reader again and leave it there until the beep."
		case wUnresponsive, eNotReady:
			f.Code = CardMute
			f.Technician = "The card does not answer. Take it out, wipe the contacts or move it, and put it in again; if other cards work, its " +
				"chip is broken."
		case eSharing:
			f.Code = scan.Busy
			f.Technician = "Another program holds the card. Close other programs that use the reader, and put the card in again."
		case eReaderGone, eUnknown:
			f.Code = scan.Unplugged
			f.Technician = "The card reader was pulled out. Check its cable; it is used again as soon as it is back."
		case eNoService, eStopped:
			f.Code = NoService
			f.Technician = noService
		default:
			f.Code = scan.IOError
			f.Technician = "The card reader reported a fault. Take the card out and put it in again; if that does not help, pull the reader out " +
				"and plug it in."
		}
	default:
		// The socket is gone, refused or broken: the daemon is not there.
		f.Code = NoService
		f.Technician = noService
	}
	return f
}

const noService = "The smart card service is not running. Install and start it: `apt-get install pcscd libccid`, then `systemctl enable " +
	"--now pcscd.socket`."
