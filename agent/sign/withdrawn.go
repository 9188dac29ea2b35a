package sign

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/ocsp"
)

// evidence is what authorities say of their certificates, in which nothing is checked yet: lists of those they have withdrawn (RFC 5280, 5)
// and answers to questions for one (RFC 6960), as DER.
type evidence struct {
	lists   []*x509.RevocationList
	answers [][]byte
}

func (e evidence) and(more evidence) evidence {
	return evidence{slices.Concat(e.lists, more.lists), slices.Concat(e.answers, more.answers)}
}

// archive is the attribute in which a signature brings evidence of its own certificate (ISO 32000-2, 12.8.3.3.2).
type archive struct {
	Lists   []asn1.RawValue `asn1:"optional,explicit,tag:0"`
	Answers []asn1.RawValue `asn1:"optional,explicit,tag:1"`
	Other   asn1.RawValue   `asn1:"optional,tag:2"`
}

var oidArchive = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}

// inside is the evidence that a signature brings.
func inside(p *pkcs7.PKCS7) (e evidence) {
	for _, c := range p.CRLs {
		if der, err := asn1.Marshal(c); err == nil {
			e.take(der)
		}
	}
	var a archive
	if p.UnmarshalSignedAttribute(oidArchive, &a) == nil {
		for _, one := range slices.Concat(a.Lists, a.Answers) {
			e.take(one.FullBytes)
		}
	}
	return e
}

// take keeps what is a list or an answer. DER may be followed by an end of line, as streams are.
func (e *evidence) take(der []byte) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || len(e.lists)+len(e.answers) >= mostBrought {
		return
	}
	if l, err := x509.ParseRevocationList(outer.FullBytes); err == nil {
		e.lists = append(e.lists, l)
		return
	}
	var head struct { // OCSPResponse (RFC 6960, 4.2.1), of one that is an answer
		Status asn1.Enumerated
		Bytes  asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(outer.FullBytes, &head); err == nil {
		e.answers = append(e.answers, outer.FullBytes)
	}
}

// statement is what an authority says of one certificate.
type statement struct {
	made, next time.Time // when it was right, and when another should have followed; next may be zero
	withdrawn  bool
	since      time.Time
	reason     int
}

// of gives what a certificate's own authority says of it.
func (e evidence) of(cert, authority *x509.Certificate) (out []statement) {
	for _, list := range e.lists {
		if list.CheckSignatureFrom(authority) != nil {
			continue
		}
		s := statement{made: list.ThisUpdate, next: list.NextUpdate}
		out = append(out, s)
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
				s.withdrawn, s.since, s.reason = true, entry.RevocationTime, entry.ReasonCode
				out = append(out, s)
			}
		}
	}
	for _, der := range e.answers {
		a, err := ocsp.ParseResponseForCert(der, cert, nil)
		if err != nil || a.Status == ocsp.Unknown || !mayAnswer(a, authority) {
			continue
		}
		out = append(out, statement{a.ThisUpdate, a.NextUpdate, a.Status == ocsp.Revoked, a.RevokedAt, a.RevocationReason})
	}
	return out
}

// mayAnswer says whether an answer is the authority's: signed by itself, or by whom it has certified for that (RFC 6960, 4.2.2.2). The
// library is content with any certificate of the authority's, so that each of its customers could answer for every other.
func mayAnswer(a *ocsp.Response, authority *x509.Certificate) bool {
	by := a.Certificate
	if by == nil || by.Equal(authority) {
		return a.CheckSignatureFrom(authority) == nil
	}
	return slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && by.CheckSignatureFrom(authority) == nil &&
		!a.ProducedAt.Before(by.NotBefore) && !a.ProducedAt.After(by.NotAfter) && a.CheckSignatureFrom(by) == nil
}

// Reasons for which a certificate is good for nothing, also before it was withdrawn (RFC 5280, 5.3.1).
const (
	keyCompromise = 1
	caCompromise  = 2
)

// against says whether a statement speaks against what was signed at a time. What was signed before the certificate was withdrawn counts
// on, if a time stamp proves that it was.
func (s statement) against(at time.Time, proved bool) bool {
	return s.withdrawn && (!proved || !s.since.After(at) || s.reason == keyCompromise || s.reason == caCompromise)
}

// holds says whether no other should have followed yet: what was withdrawn since an older one it doesn't tell.
func (s statement) holds(now time.Time) bool { return s.next.IsZero() || !now.After(s.next) }

// tellsOf says whether a statement that the file brings shows how it stood when the file was signed, however old it is: made since, or
// holding at that time, where a time stamp proves the time.
func (s statement) tellsOf(at time.Time, proved bool) bool {
	return !s.made.Before(at) && s.holds(at) || proved && s.holds(at) && !s.next.IsZero()
}

// withdrawnBy looks for what a certificate's authority says of it on this machine, inside the signature and in the file; asked says whether
// something is there that still holds or tells of the time of signing.
func (t *Trust) withdrawnBy(p *pkcs7.PKCS7, cert, authority *x509.Certificate, at time.Time, proved bool) (withdrawn, asked bool) {
	own, file := evidence{}, inside(p)
	if t != nil {
		own.lists, file = t.Lists, file.and(t.brought)
	}
	now := t.now()
	for _, s := range own.of(cert, authority) {
		withdrawn, asked = withdrawn || s.against(at, proved), asked || s.holds(now)
	}
	for _, s := range file.of(cert, authority) {
		withdrawn, asked = withdrawn || s.against(at, proved), asked || s.holds(now) || s.tellsOf(at, proved)
	}
	return withdrawn, asked
}
