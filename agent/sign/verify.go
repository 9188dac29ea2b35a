package sign

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // digests of other signers
	"crypto/sha256"
	_ "crypto/sha512"
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
	Proved       bool      `json:"proved"`           // that time is a time stamp's of an authority that this machine trusts
	Asked        bool      `json:"asked"`            // its authority's word on it is at hand: a list of those withdrawn, or an answer
	Before       string    `json:"before,omitempty"` // SHA-256 of the file before it was signed, which the symbol on a print repeats
	Problem      string    `json:"problem,omitempty"`
	Why          Blame     `json:"why,omitempty"` // Problem for programs and for screens in other languages
}

// Blame is what speaks against a signature.
type Blame string

// What can speak against one, the worst first.
const (
	Unreadable   Blame = "unreadable"    // it cannot be understood at all
	Uncovered    Blame = "uncovered"     // it leaves bytes of the file unsigned, or does not say properly what it covers
	Changed      Blame = "changed"       // what was signed is not what is there
	OtherSigner  Blame = "other-signer"  // it is not tied to the certificate that it brings
	OddTimeStamp Blame = "odd-stamp"     // its time stamp belongs to something else
	OnlyTime     Blame = "only-time"     // it is a time stamp over the file: nobody signed by it
	Added        Blame = "added"         // good, and followed by what it does not cover
	Weak         Blame = "weak"          // good, by a method that can be forged today
	NotForFiles  Blame = "not-for-files" // good, by a certificate that is not for signing files
	Withdrawn    Blame = "withdrawn"     // good, by a certificate that its authority has withdrawn
	OutOfTime    Blame = "out-of-time"   // good, by a certificate that was not valid then
	EndedSince   Blame = "ended-since"   // good, but the certificate has ended and nothing shows that it was signed before
	Ahead        Blame = "ahead"         // good, but it says to be of a time that is still to come
	NotTrusted   Blame = "not-trusted"   // good, by an authority that this machine doesn't know: nobody can say more here
)

var blames = map[Blame]string{
	Unreadable:   "the signature cannot be read",
	Uncovered:    "something beside the signature is left unsigned",
	Changed:      "the file was changed after it was signed",
	OtherSigner:  "the signature is not tied to the certificate that it brings",
	OddTimeStamp: "the time stamp is not of this signature",
	OnlyTime:     "it shows only when the file was there: nobody signed by it",
	Added:        "something was added to the file after it was signed",
	Weak:         "it was signed by a method that can be forged today",
	NotForFiles:  "the certificate is not for signing documents",
	Withdrawn:    "the authority has withdrawn the certificate",
	OutOfTime:    "the certificate was not valid when it was signed",
	EndedSince:   "the certificate has ended, and no time stamp of a trusted authority shows that it was signed before",
	Ahead:        "it says to be of a time that is still to come",
	NotTrusted:   "the authority is not among those this machine trusts",
}

func (v *Verdict) blame(b Blame) { v.Why, v.Problem = b, blames[b] }

// Good says whether the file may be accepted on this signature as it stands: what nobody could check speaks against it.
func (v Verdict) Good() bool {
	return v.Intact && v.Whole && v.InTime && v.Trusted && (v.Why == "" || v.Why == NotTrusted)
}

// Sound says whether a file may be accepted: its last signature covers all of it and is good, and none before it is broken.
func Sound(found []Verdict) bool {
	return len(found) > 0 && found[len(found)-1].Good() && !slices.ContainsFunc(found, func(v Verdict) bool { return !v.Intact })
}

// Trust is what a verdict stands on: authorities, what they withdrew, and the clock. nil knows none.
type Trust struct {
	Roots *x509.CertPool
	Lists []*x509.RevocationList // of withdrawn certificates
	Now   func() time.Time       // nil: time.Now

	brought evidence // in the file that is looked at
	proofs  []proof  // time stamps over the file that is looked at
}

func (t *Trust) now() time.Time {
	if t == nil || t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// byteRange and what follows it are found by their spelling, not by the file's structure, which a forger may bend: what counts
// is that every byte of the file but the signature itself is signed.
var (
	byteRange  = regexp.MustCompile(`/ByteRange\s*\[\s*(\d{1,15})\s+(\d{1,15})\s+(\d{1,15})\s+(\d{1,15})\s*\]`)
	anyRange   = regexp.MustCompile(`/ByteRange\b`)
	madeAt     = regexp.MustCompile(`/M\s*\(D:(\d{14})(?:([+-])(\d{2})'?(\d{2})'?|Z)?[^)]*\)`)
	subFilters = regexp.MustCompile(`/SubFilter\s*/([A-Za-z0-9.]+)`)
)

// mostSignatures bounds the work that a hostile file can ask for.
const mostSignatures = 50

// Verify gives a verdict on each signature, in the order of signing; none where the file is not signed.
func Verify(pdf []byte, trust *Trust) ([]Verdict, error) {
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return nil, errors.New("this is no PDF")
	}
	return verifyAll(pdf, trust.beside(pdf))
}

func verifyAll(pdf []byte, trust *Trust) ([]Verdict, error) {
	var out []Verdict
	seen, proper := map[string]bool{}, map[int]bool{}
	for _, m := range byteRange.FindAllSubmatchIndex(pdf, -1) {
		if len(out) == mostSignatures {
			return out, fmt.Errorf("only the first %d signatures were looked at", mostSignatures)
		}
		proper[m[0]] = true
		if key := string(pdf[m[2]:m[9]]); !seen[key] {
			seen[key] = true
			out = append(out, verify(pdf, m, trust))
		}
	}
	for _, m := range anyRange.FindAllIndex(pdf, -1) {
		if !proper[m[0]] { // it covers one part only, or three, or says so elsewhere: a reader may take it for a signature
			var v Verdict
			v.blame(Uncovered)
			return slices.Insert(out, 0, v), nil
		}
	}
	return out, nil
}

// verify looks at one signature; m are the places of its byte range.
func verify(pdf []byte, m []int, trust *Trust) (v Verdict) {
	defer func() {
		if recover() != nil { // the parser of signatures, on what no signer made
			v = Verdict{}
			v.blame(Unreadable)
		}
	}()
	r := numbers(pdf, m)
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
	if e := bytes.LastIndex(pdf[:begin], []byte("%%EOF\n")); e >= 0 {
		v.Before = fmt.Sprintf("%x", sha256.Sum256(pdf[:e+len("%%EOF\n")]))
	}
	signed := make([]byte, 0, begin+r[3])
	signed = append(append(signed, pdf[:begin]...), pdf[end:end+r[3]]...)
	around := ownDictionary(pdf, int64(m[0]), begin, end)
	filter := kindOf(around)
	if filter == stampFilter {
		v.documentStamp(raw, signed, trust)
		return v
	}
	v.claimed(around)
	v.cms(raw, signed, filter, end, trust)
	return v
}

// numbers are those of a byte range whose places are m.
func numbers(pdf []byte, m []int) (r [4]int64) {
	for i := range r {
		r[i], _ = strconv.ParseInt(string(pdf[m[2+2*i]:m[3+2*i]]), 10, 64)
	}
	return r
}

// kindOf is the kind that a signature's dictionary gives.
func kindOf(dictionary []byte) string {
	if f := lastSub(subFilters, dictionary); f != nil {
		return string(f[1])
	}
	return ""
}

// ownDictionary is what stands about a signature in its dictionary, which has its entries in any order: before and behind the
// signature, from where the object begins to where it ends.
func ownDictionary(pdf []byte, at, begin, end int64) []byte {
	const most = 4096 // bytes of a dictionary on either side; a signature's own has a few hundred
	before := pdf[max(0, min(at, begin)-most):begin]
	if i := bytes.LastIndex(before, []byte(" obj")); i >= 0 {
		before = before[i:]
	}
	behind := pdf[end:min(max(at, end)+most, int64(len(pdf)))]
	if i := bytes.Index(behind, []byte("endobj")); i >= 0 {
		behind = behind[:i]
	}
	return slices.Concat(before, behind)
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

// cms checks the signature proper: what was signed, then when, then by whose authority. end is where it ends in the file.
func (v *Verdict) cms(raw, signed []byte, filter string, end int64, trust *Trust) {
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
	v.InTime = true
	if blame := content(p, cert, signed, filter); blame == OutOfTime {
		v.InTime = false
	} else if blame != "" {
		v.InTime = false
		v.blame(blame)
		return
	}
	if filter == cadesDetached {
		v.Level = "B-B"
	}
	v.Intact = true
	var signedAt time.Time
	if p.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &signedAt) == nil && v.Claimed.IsZero() {
		v.Claimed = signedAt
	}
	at := v.stamp(outer.FullBytes, trust)
	if later, ok := trust.proof(end, cert); ok && !v.Proved {
		v.Stamped, v.Stamper, v.Proved, at = later.at, later.by, true, later.at
	}
	v.judge(p, cert, at, trust)
}

// clockSkew is how far ahead of this machine's clock a signer's may go.
const clockSkew = time.Hour

// judge says whether a signature that is intact may be believed: when it was made, and by what kind of certificate.
func (v *Verdict) judge(p *pkcs7.PKCS7, cert *x509.Certificate, at time.Time, trust *Trust) {
	now := trust.now()
	if at.IsZero() { // it says nothing of when it was made
		at = now
	}
	v.InTime = v.InTime && !at.IsZero() && !at.Before(cert.NotBefore) && !at.After(cert.NotAfter)
	ended := v.InTime && !v.Proved && now.After(cert.NotAfter)
	ahead := v.InTime && at.After(now.Add(clockSkew))
	chain := chainOf(p, cert, trust, at)
	v.Trusted = chain != nil
	withdrawn := false
	if len(chain) > 1 {
		withdrawn, v.Asked = trust.withdrawnBy(p, cert, chain[1], at, v.Proved)
	}
	for _, c := range []struct {
		so    bool
		blame Blame
	}{{v.Why != "", v.Why}, {weak(p, cert), Weak}, {!forFiles(cert), NotForFiles}, {withdrawn, Withdrawn}, {!v.Whole, Added},
		{!v.InTime, OutOfTime},
		{ended, EndedSince}, {ahead, Ahead}, {!v.Trusted, NotTrusted}} {
		if c.so {
			v.blame(c.blame)
			break
		}
	}
	if ended || ahead {
		v.InTime = false
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
	var notThen *pkcs7.SigningTimeNotValidError
	err := p.Verify()
	outOfTime := errors.As(err, &notThen)
	if outOfTime {
		err = verifyAnytime(p, cert)
	}
	if errors.Is(err, pkcs7.ErrUnsupportedAlgorithm) || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
		return Unreadable
	} else if err != nil {
		return Changed
	}
	if filter == cadesDetached && tied(p, cert) != nil {
		return OtherSigner
	}
	if outOfTime {
		return OutOfTime
	}
	return ""
}

// verifyAnytime checks a signature whose time is outside its certificate's: the library looks at the time first, and then not at the
// signature, which may be anybody's.
func verifyAnytime(p *pkcs7.PKCS7, cert *x509.Certificate) error {
	own := p.Certificates
	defer func() { p.Certificates = own }()
	always := *cert
	always.NotBefore, always.NotAfter = time.Time{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	p.Certificates = []*x509.Certificate{&always}
	return p.Verify()
}

// stamp reads the time stamp, if there is one, and gives the time that counts: a stamp's of an authority that nobody here knows is worth
// no more than the signer's own clock.
func (v *Verdict) stamp(signature []byte, trust *Trust) time.Time {
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
	if v.Level != "" {
		v.Level = "B-T"
	}
	v.stamper(stamp, info.Time, trust)
	return info.Time
}

// stamper notes who gave a time stamp, and whether that proves the time.
func (v *Verdict) stamper(stamp *pkcs7.PKCS7, at time.Time, trust *Trust) {
	s := stamp.GetOnlySigner()
	if s == nil {
		return
	}
	v.Stamper = s.Subject.CommonName
	v.Proved = slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) && chainOf(stamp, s, trust, at) != nil
}

// tied checks the attribute that ties the signature to its certificate (RFC 5035), or the older one, whose digest is SHA-1 (RFC 2634).
func tied(p *pkcs7.PKCS7, cert *x509.Certificate) error {
	var raw asn1.RawValue
	digests := []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}
	if p.UnmarshalSignedAttribute(oidSigningCertificate, &raw) != nil {
		digests = []crypto.Hash{crypto.SHA1}
		if p.UnmarshalSignedAttribute(oidOldSigningCertificate, &raw) != nil {
			return errors.New("the signature does not say whose certificate it is of")
		}
	}
	for _, d := range digests {
		h := d.New()
		h.Write(cert.Raw)
		if bytes.Contains(raw.FullBytes, h.Sum(nil)) {
			return nil
		}
	}
	return errors.New("the signature was made for another certificate")
}

// chainOf leads from a signer to a root, the signer first; nil where none does.
func chainOf(p *pkcs7.PKCS7, cert *x509.Certificate, trust *Trust, at time.Time) []*x509.Certificate {
	if trust == nil || trust.Roots == nil || at.IsZero() {
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range p.Certificates {
		between.AddCert(c)
	}
	chains, err := cert.Verify(x509.VerifyOptions{Roots: trust.Roots, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil
	}
	return chains[0]
}
