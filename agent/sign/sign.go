// Package sign signs digitised copies, and says who signed a PDF. In go a PDF as ocr/pdfa writes it and a key that never leaves
// its token; out comes the same file with one more part: a PAdES baseline signature (ETSI EN 319 142-1), B-B, or B-T where
// there is a time stamp authority, with the visible text mark of Decree 30/2020 on page 1.
//
// What it promises: what cannot be signed for any reason is not written at all; the signed file is PDF/A as it was before; no
// PIN is kept longer than the token's session; every failure is a sentence that says what to do; the library of a token's
// maker lives in a process of its own and takes nothing with it when it crashes or hangs.
package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Key signs digests and never shows itself. *Token is one.
type Key interface {
	Certificate() *x509.Certificate
	Chain() []*x509.Certificate // above it, as far as the token has them
	Sign(digest []byte, hash crypto.Hash) ([]byte, error)
}

// Failure is why something could not be signed, for programs; the text of its error is for the person.
type Failure string

// The failures.
const (
	NoModule      Failure = "no-module"       // the token's library is not there
	NoToken       Failure = "no-token"        // no token is plugged in, or it was pulled out
	WrongPIN      Failure = "wrong-pin"       //
	LockedPIN     Failure = "locked-pin"      //
	NoCertificate Failure = "no-certificate"  // the token has none, or several and none was named
	Ended         Failure = "ended"           // the certificate's time is over
	NotYet        Failure = "not-yet"         // it has not begun, or the clock is off
	NotForSigning Failure = "not-for-signing" // the certificate is for other uses
	NoTimeStamp   Failure = "no-time-stamp"   // the time stamp authority does not answer, or not well
	NotSignable   Failure = "not-signable"    // the file
	TokenFault    Failure = "token-fault"     // anything else the token says
)

// Error is a failure with its sentence.
type Error struct {
	Failure Failure
	Text    string
	cause   error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Text + " (" + e.cause.Error() + ")"
	}
	return e.Text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

func failed(f Failure, cause error, format string, args ...any) error {
	return &Error{f, fmt.Sprintf(format, args...), cause}
}

// Signer signs files by one key.
type Signer struct {
	Key  Key
	TSA  *TSA // nil: no time stamp, level B-B
	Now  func() time.Time
	Mark Mark // Form empty: no visible mark
}

// Check says whether the certificate may sign now. It is asked before every signature: a batch may run over midnight.
func (s *Signer) Check() error {
	c, now := s.Key.Certificate(), s.Now()
	const day = "02/01/2006 15:04"
	switch {
	case now.After(c.NotAfter):
		return failed(Ended, nil, "The certificate of %s ended on %s: have it renewed, or plug in another token.", c.Subject.CommonName,
			c.NotAfter.Local().Format(day))
	case now.Before(c.NotBefore):
		return failed(NotYet, nil, "The certificate of %s begins on %s, and this computer's clock says %s: set the clock, or wait.",
			c.Subject.CommonName, c.NotBefore.Local().Format(day), now.Local().Format(day))
	case c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0:
		return failed(NotForSigning, nil, "The certificate of %s is not for signing documents: plug in the token for signatures.",
			c.Subject.CommonName)
	}
	return nil
}

// signature makes the CMS over a digest of the file.
func (s *Signer) signature(ctx context.Context, digest []byte) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	attributes, err := signedAttributes(digest, s.Key.Certificate())
	if err != nil {
		return nil, err
	}
	h := crypto.SHA256.New()
	h.Write(attributes)
	value, err := s.Key.Sign(h.Sum(nil), crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var stamp []byte
	if s.TSA != nil {
		if stamp, err = s.TSA.Stamp(ctx, value); err != nil {
			return nil, err
		}
	}
	return cms(attributes, value, s.Key.Certificate(), s.Key.Chain(), stamp)
}

// Is says whether err is this failure.
func Is(err error, f Failure) bool {
	var e *Error
	return errors.As(err, &e) && e.Failure == f
}
