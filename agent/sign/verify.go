package sign

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/smallstep/pkcs7"
)

// Verdict is what can be said of one signature without asking anybody.
type Verdict struct {
	Signer       string    `json:"signer"` // the certificate's common name
	Organisation string    `json:"organisation,omitempty"`
	Serial       string    `json:"serial,omitempty"`
	Issuer       string    `json:"issuer"`           // the authority
	Claimed      time.Time `json:"claimed,omitzero"` // by the signer's own clock
	Stamped      time.Time `json:"stamped,omitzero"` // by a time stamp authority
	Stamper      string    `json:"stamper,omitempty"`
	Level        string    `json:"level,omitempty"`  // "B-B" or "B-T" of PAdES; empty for other kinds
	Intact       bool      `json:"intact"`           // what was signed is as it was
	Whole        bool      `json:"whole"`            // and it is the whole file: nothing was added since
	Trusted      bool      `json:"trusted"`          // the authority is among those this machine trusts
	InTime       bool      `json:"in_time"`          // the certificate was valid when it was signed
	Before       string    `json:"before,omitempty"` // SHA-256 of the file before it was signed, which the symbol on a print repeats
	Problem      string    `json:"problem,omitempty"`
	Why          Blame     `json:"why,omitempty"` // Problem for programs and for screens in other languages
}

// Blame is what speaks against a signature.
type Blame string

// What can speak against one, the worst first.
const (
	Unreadable   Blame = "unreadable"   // it cannot be understood at all
	Uncovered    Blame = "uncovered"    // it leaves bytes of the file unsigned, or does not say properly what it covers
	Changed      Blame = "changed"      // what was signed is not what is there
	OtherSigner  Blame = "other-signer" // it is not tied to the certificate that it brings
	OddTimeStamp Blame = "odd-stamp"    // its time stamp belongs to something else
	Added        Blame = "added"        // good, and followed by what it does not cover
	OutOfTime    Blame = "out-of-time"  // good, by a certificate that was not valid then
	NotTrusted   Blame = "not-trusted"  // good, by an authority that this machine doesn't know: nobody can say more here
)

var blames = map[Blame]string{
	Unreadable:   "the signature cannot be read",
	Uncovered:    "something beside the signature is left unsigned",
	Changed:      "the file was changed after it was signed",
	OtherSigner:  "the signature is not tied to the certificate that it brings",
	OddTimeStamp: "the time stamp is not of this signature",
	Added:        "something was added to the file after it was signed",
	OutOfTime:    "the certificate was not valid when it was signed",
	NotTrusted:   "the authority is not among those this machine trusts",
}

func (v *Verdict) blame(b Blame) { v.Why, v.Problem = b, blames[b] }

// Good says whether the file may be accepted on this signature as it stands: what nobody could check speaks against it.
func (v Verdict) Good() bool { return v.Intact && v.Whole && v.InTime && v.Trusted }

// Sound says whether a file may be accepted: its last signature covers all of it and is good, and none before it is broken.
func Sound(found []Verdict) bool {
	return len(found) > 0 && found[len(found)-1].Good() && !slices.ContainsFunc(found, func(v Verdict) bool { return !v.Intact })
}

// byteRange and what follows it are found by their spelling, not by the file's structure, which a forger may bend: what counts
// is that every byte of the file but the signature itself is signed.
var (
	byteRange  = regexp.MustCompile(`/ByteRange\s*\[\s*(\d{1,15})\s+(\d{1,15})\s+(\d{1,15})\s+(\d{1,15})\s*\]`)
	madeAt     = regexp.MustCompile(`/M\s*\(D:(\d{14})(?:([+-])(\d{2})'?(\d{2})'?|Z)?[^)]*\)`)
	subFilters = regexp.MustCompile(`/SubFilter\s*/([A-Za-z0-9.]+)`)
)

// mostSignatures bounds the work that a hostile file can ask for.
const mostSignatures = 50

// Verify gives a verdict on each signature, in the order of signing; none where the file is not signed.
func Verify(pdf []byte, roots *x509.CertPool) ([]Verdict, error) {
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return nil, errors.New("this is no PDF")
	}
	var out []Verdict
	seen := map[string]bool{}
	for _, m := range byteRange.FindAllSubmatchIndex(pdf, -1) {
		if len(out) == mostSignatures {
			return out, fmt.Errorf("only the first %d signatures were looked at", mostSignatures)
		}
		if key := string(pdf[m[2]:m[9]]); !seen[key] {
			seen[key] = true
			out = append(out, verify(pdf, m, roots))
		}
	}
	return out, nil
}

// verify looks at one signature; m are the places of its byte range.
func verify(pdf []byte, m []int, roots *x509.CertPool) (v Verdict) {
	defer func() {
		if recover() != nil { // the parser of signatures, on what no signer made
			v = Verdict{}
			v.blame(Unreadable)
		}
	}()
	var r [4]int64
	for i := range r {
		r[i], _ = strconv.ParseInt(string(pdf[m[2+2*i]:m[3+2*i]]), 10, 64)
	}
	begin, end := r[1], r[2]
	size := int64(len(pdf))
	if r[0] != 0 || begin <= 0 || end <= begin+2 || end > size || r[3] <= 0 || r[3] > size-end || pdf[begin] != '<' || pdf[end-1] != '>' {
		v.blame(Uncovered)
		return v
	}
	raw, err := hex.DecodeString(string(bytes.TrimSpace(pdf[begin+1 : end-1])))
	if err != nil { // something else hides where only the signature may stand
		v.blame(Uncovered)
		return v
	}
	v.Whole = end+r[3] == size
	if e := bytes.LastIndex(pdf[:m[0]], []byte("%%EOF\n")); e >= 0 {
		v.Before = fmt.Sprintf("%x", sha256.Sum256(pdf[:e+len("%%EOF\n")]))
	}
	signed := make([]byte, 0, begin+r[3])
	signed = append(append(signed, pdf[:begin]...), pdf[end:end+r[3]]...)
	around := append(bytes.Clone(pdf[max(0, m[0]-1024):begin]), pdf[end:min(int(end)+512, len(pdf))]...)
	filter := ""
	if f := lastSub(subFilters, around); f != nil {
		filter = string(f[1])
	}
	v.claimed(around)
	v.cms(raw, signed, filter, roots)
	return v
}

func lastSub(re *regexp.Regexp, b []byte) [][]byte {
	all := re.FindAllSubmatch(b, -1)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// claimed reads the time that the signature's dictionary gives.
func (v *Verdict) claimed(around []byte) {
	m := lastSub(madeAt, around)
	if m == nil {
		return
	}
	zone := time.UTC
	if len(m[2]) > 0 {
		h, _ := strconv.Atoi(string(m[3]))
		minutes, _ := strconv.Atoi(string(m[4]))
		offset := h*3600 + minutes*60
		if m[2][0] == '-' {
			offset = -offset
		}
		zone = time.FixedZone("", offset)
	}
	if t, err := time.ParseInLocation("20060102150405", string(m[1]), zone); err == nil {
		v.Claimed = t
	}
}

// cms checks the signature proper: what was signed, then when, then by whose authority.
func (v *Verdict) cms(raw, signed []byte, filter string, roots *x509.CertPool) {
	// Behind the signature the place is filled up with zeros.
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(raw, &outer); err != nil {
		v.blame(Unreadable)
		return
	}
	p, err := pkcs7.Parse(outer.FullBytes)
	if err != nil {
		v.blame(Unreadable)
		return
	}
	cert := p.GetOnlySigner()
	if cert == nil {
		v.blame(Unreadable)
		return
	}
	v.names(cert)
	if blame := content(p, cert, signed, filter); blame != "" {
		v.blame(blame)
		return
	}
	if filter == cadesDetached {
		v.Level = "B-B"
	}
	v.Intact = true
	at := v.stamp(outer.FullBytes)
	v.InTime = !at.IsZero() && !at.Before(cert.NotBefore) && !at.After(cert.NotAfter)
	v.Trusted = trusted(p, cert, roots, at)
	switch {
	case v.Why != "":
	case !v.Whole:
		v.blame(Added)
	case !v.InTime:
		v.blame(OutOfTime)
	case !v.Trusted:
		v.blame(NotTrusted)
	}
}

// names notes whose certificate it is.
func (v *Verdict) names(cert *x509.Certificate) {
	v.Signer, v.Issuer, v.Serial = cert.Subject.CommonName, cert.Issuer.CommonName, cert.SerialNumber.Text(16)
	if len(cert.Subject.Organization) > 0 {
		v.Organisation = cert.Subject.Organization[0]
	}
}

// cadesDetached is the kind of signature that PAdES asks for.
const cadesDetached = "ETSI.CAdES.detached"

// content says what speaks against the signature as one of these bytes by this certificate, "" if nothing does.
func content(p *pkcs7.PKCS7, cert *x509.Certificate, signed []byte, filter string) Blame {
	if len(p.Content) == 0 { // detached, as it should be
		p.Content = signed
	} else if sum := sha256.Sum256(signed); !bytes.Equal(p.Content, signed) && !bytes.Equal(p.Content, sum[:]) {
		return Changed
	}
	if err := p.Verify(); err != nil {
		return Changed
	}
	if filter == cadesDetached && tied(p, cert) != nil {
		return OtherSigner
	}
	return ""
}

// stamp reads the time stamp, if there is one, and gives the time that counts.
func (v *Verdict) stamp(signature []byte) time.Time {
	token, value, err := unsigned(signature, oidTimeStampToken)
	if err != nil || token == nil {
		return v.Claimed
	}
	info, stamp, err := stamped(token, value)
	if err != nil {
		v.blame(OddTimeStamp)
		return v.Claimed
	}
	v.Stamped = info.Time
	if s := stamp.GetOnlySigner(); s != nil {
		v.Stamper = s.Subject.CommonName
	}
	if v.Level != "" {
		v.Level = "B-T"
	}
	return info.Time
}

// tied checks the attribute that ties the signature to its certificate (RFC 5035).
func tied(p *pkcs7.PKCS7, cert *x509.Certificate) error {
	var raw asn1.RawValue
	if err := p.UnmarshalSignedAttribute(oidSigningCertificate, &raw); err != nil {
		return errors.New("the signature does not say whose certificate it is of")
	}
	hash := sha256.Sum256(cert.Raw)
	// The digest by SHA-256, the default; by another algorithm it is not looked for.
	if !bytes.Contains(raw.FullBytes, hash[:]) {
		return errors.New("the signature was made for another certificate")
	}
	return nil
}

// trusted says whether a chain leads from the signer to a root.
func trusted(p *pkcs7.PKCS7, cert *x509.Certificate, roots *x509.CertPool, at time.Time) bool {
	if roots == nil || at.IsZero() {
		return false
	}
	between := x509.NewCertPool()
	for _, c := range p.Certificates {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}
