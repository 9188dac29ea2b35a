package escl

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Scanners live for fifteen years and their TLS is never renewed: many know nothing newer than TLS 1.0 and the exchange
// of keys by RSA. What protects the papers is the key that was pinned when the device was first met, so an old protocol
// is spoken where the device has no newer one, and only here: nothing else of this program uses this dialler.
var levels = []level{
	{"TLS 1.2 or 1.3", tls.VersionTLS12, tls.VersionTLS13, false},
	{"TLS 1.0 to 1.2 with old ciphers", tls.VersionTLS10, tls.VersionTLS12, true},
	{"TLS 1.0 or 1.1", tls.VersionTLS10, tls.VersionTLS11, true}, // TLS 1.2 signed with SHA-1 is refused by crypto/tls
}

type level struct {
	name     string
	min, max uint16
	old      bool // ciphers without forward secrecy, 3DES and RC4 too
}

// oldCiphers are all that crypto/tls knows.
var oldCiphers = sync.OnceValue(func() (all []uint16) {
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		all = append(all, c.ID)
	}
	return all
})

// dialler makes connections to one device.
type dialler struct {
	tcp   net.Dialer
	trust *pins

	mu    sync.Mutex // guards level
	level int        // the last one that worked
}

// dialTLS tries one level after the other, each on a connection of its own: devices hang up on what they don't know.
func (d *dialler) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	from := d.level
	d.mu.Unlock()
	var errs []error
	for i := range levels {
		at := (from + i) % len(levels)
		c, err := d.handshake(ctx, network, address, levels[at])
		if err == nil {
			d.mu.Lock()
			d.level = at
			d.mu.Unlock()
			return c, nil
		}
		var tcp *net.OpError
		if ctx.Err() != nil || errors.As(err, new(*pinError)) || errors.As(err, &tcp) && tcp.Op == "dial" {
			return nil, err
		}
		errs = append(errs, fmt.Errorf("%s: %w", levels[at].name, err))
	}
	return nil, &tlsError{errors.Join(errs...)}
}

func (d *dialler) handshake(ctx context.Context, network, address string, l level) (net.Conn, error) {
	raw, err := d.tcp.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(address)
	c := &tls.Config{
		// Devices sign their own certificates; trust.check pins them on first use instead.
		InsecureSkipVerify: true, ServerName: host, VerifyConnection: d.trust.check, MinVersion: l.min, MaxVersion: l.max,
	}
	if l.old {
		c.CipherSuites = oldCiphers()
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	secure := tls.Client(raw, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return secure, nil
}

// handshakeTime is long because printers take seconds to exchange keys.
const handshakeTime = 10 * time.Second

// tlsError says that a device answers but no level of TLS can be agreed on.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return "no TLS connection: " + e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// plainError says that a device which was met over TLS would be spoken to in the clear.
type plainError struct{ host, file string }

func (e *plainError) Error() string {
	return "the device at " + e.host + " was used over TLS before, and would now be sent papers in the clear"
}

func (e *plainError) mend() string {
	where := "write https:// before its address"
	if e.file != "" {
		where += fmt.Sprintf(", or, if it was changed for another one, delete the line of %s in %s", e.host, e.file)
	}
	return "The scanner was used over an encrypted connection before, and now it would be sent papers in the clear: " + where + "."
}

func (e *tlsError) mend() string {
	return "The scanner answers, but no encrypted connection can be made with it (" + reason(e.err) +
		"). Bring its firmware up to date and renew the " +
		"certificate on its settings page. If it has no better one and its network is closed, write its address with http:// as scanner.device."
}

// reason is the last level's error without what the network library says around it.
func reason(err error) string {
	text := err.Error()
	return text[strings.LastIndexByte(text, '\n')+1:]
}
