// Package lds reads the chip of an identity card or passport as ICAO 9303 parts 10 and 11 describe it.
// In goes something that carries APDUs and the key printed on the card (the CAN or the MRZ); out comes a
// Card: what the chip says about its holder, the face, and whether the issuing state signed it.
//
// It promises that a value is given only if it came over a channel that was authenticated with the
// card's key, that nothing is called authentic unless signature, chain and every hash fit, and that a
// hostile chip can at worst make Read fail. It knows no readers (pcsc) and no forms: fields carry the
// names of `motcua read --json`, as plain text.
package lds

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"motcua/drivers/scan"
)

// The faults of chips, beside those of package scan and of the transmitter.
const (
	WrongCAN        scan.Code = "wrong-can"        // the chip refused the six digits
	WrongMRZ        scan.Code = "wrong-mrz"        // the chip refused the key from the MRZ
	UnsupportedCard scan.Code = "unsupported-card" // no ICAO application, or no protocol in common
	DamagedChip     scan.Code = "damaged-chip"     // what the chip sent is not what the standard says
)

// Transmitter carries one command to the card and its response back (pcsc.Card does).
type Transmitter interface {
	Transmit(ctx context.Context, apdu []byte) ([]byte, error)
}

// Options is how to read.
type Options struct {
	Trusted     []*Certificate // the CSCA certificates; without any, no card is Verified
	WithoutFace bool           // leave DG2 out: it takes most of the time
	Progress    func(Progress) // called from Read's goroutine; may be nil
	Now         time.Time      // for validity and centuries; time.Now() where zero
	Block       int            // bytes a read asks for; 223 where zero, which any reader can carry

	random io.Reader // crypto/rand.Reader but in the worked examples
}

// Progress tells how far Read is.
type Progress struct {
	File       string // "access", "EF.COM", "EF.SOD", "DG1", "DG2" or "DG13"
	Step, Of   int    // this file among those to be read; Of is 0 until that is known
	Read, Size int    // bytes of this file; Size is 0 until it is known
}

// Card is what a chip holds. It is personal data: it prints as its kind and sizes only.
type Card struct {
	MRZ       []string          // the lines in DG1
	Fields    map[string]string // dates in ISO 8601, text in NFC; no key for what the chip does not say
	Unknown   map[int]string    // entries of DG13 that this program has no name for, by their number
	Doubtful  []string          // fields that DG1 and DG13 tell differently, or with a wrong check digit; sorted
	Skipped   []int             // data groups that are there, and that this program can't make out; ascending
	Face      []byte            // the picture as stored
	FaceType  string            // image/jpeg or image/jp2
	Access    string            // PACE-CAN, PACE-MRZ or BAC
	Authentic Authentic
}

// Trust is the outcome of passive authentication.
type Trust string

// The outcomes. Only Verified may be shown as authentic.
const (
	Verified      Trust = "verified"       // signed by a signer that a trusted CSCA vouches for, and unaltered
	UnknownSigner Trust = "unknown-signer" // unaltered since signed, but by whom is not known here
	Expired       Trust = "expired"        // as Verified, but a certificate is not valid today
	Unsigned      Trust = "unsigned"       // the chip has no security object
	Forged        Trust = "forged"         // the signature or a hash does not fit
	Unproven      Trust = "unproven"       // signed, but the chip refuses to show that it is no copy, though it should be able to
	Copied        Trust = "copied"         // the data is as it was signed, but for another chip than this one
)

// Authentic says how far the data can be believed.
type Authentic struct {
	Trust  Trust
	Groups []int  // data groups whose hash was checked, ascending
	Proof  string // how the chip proved that it is no copy: active or chip authentication, both, or empty where it has neither
	Reason string // for the technician, where not Verified
}

// Format keeps the holder out of logs.
func (c Card) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "chip(%s, %s, %d fields, face %d bytes)", c.Access, c.Authentic.Trust, len(c.Fields), len(c.Face))
}

// LogValue keeps the holder out of structured logs.
func (c Card) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

func fault(code scan.Code, technician string, cause error) error {
	return &scan.Fault{Code: code, Device: "chip", Technician: technician, Err: cause}
}

func damaged(cause error) error {
	return fault(DamagedChip, "The chip sent something that is not as the standard says. Try once more; if it comes again the chip is "+
		"damaged or not genuine: read the card with the scanner and look at it closely.", cause)
}
