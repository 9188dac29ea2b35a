package chip

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"

	"motcua/drivers/lds/internal/tlv"
)

// Files are the elementary files of the ICAO application by the low byte of their identifier: 1 to 16
// the data groups, 0x1e EF.COM, 0x1d EF.SOD.
type Files map[byte][]byte

// Person is an invented holder.
type Person struct {
	Number, OldNumber   string
	Name, Latin         string // as printed; as in the MRZ, "NGUYEN<<THI<BUOI"
	Birth, Issue        time.Time
	Expiry              time.Time // zero: without end
	Sex                 string    // Nam or Nữ
	Ethnicity, Religion string
	Origin, Residence   string
	Marks               string
	Father, Mother      string
	Spouse              string
	Code16              string // entry 16 of DG13, whose use is not known; empty: sixteen figures of no meaning
	Face                []byte // a picture; kept as it is
}

// MRZ is the three lines on the back of the person's card.
func (p Person) MRZ() []string {
	expiry := "991231"
	if !p.Expiry.IsZero() {
		expiry = p.Expiry.Format("060102")
	}
	short, birth := p.Number[3:], p.Birth.Format("060102")
	first := "IDVNM" + short + check(short) + p.Number + "<<" + check(p.Number)
	second := birth + check(birth) + map[string]string{"Nam": "M", "Nữ": "F"}[p.Sex] + expiry + check(expiry) + "VNM" + strings.Repeat("<", 11)
	second += check(first[5:] + second[0:7] + second[8:15] + second[18:29])
	return []string{first, second, (p.Latin + strings.Repeat("<", 30))[:30]}
}

func check(s string) string {
	sum := 0
	for i, c := range s {
		v := strings.IndexRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", c)
		sum += max(v, 0) * [3]int{7, 3, 1}[i%3]
	}
	return fmt.Sprint(sum % 10)
}

// Groups are the data groups of the person's card, unsigned.
func (p Person) Groups() Files {
	f := Files{
		1:  tlv.Append(nil, 0x61, tlv.Append(nil, 0x5f1f, []byte(strings.Join(p.MRZ(), "")))),
		2:  dg2(p.Face),
		13: p.dg13(),
	}
	f[0x1e] = tlv.Append(nil, 0x60, tlv.Append(nil, 0x5f01, []byte("0107")), tlv.Append(nil, 0x5f36, []byte("040000")),
		tlv.Append(nil, 0x5c, []byte{0x61, 0x75, 0x6d}))
	return f
}

// dg2 wraps the picture as ISO 19794-5 and 9303-10 do.
func dg2(picture []byte) []byte {
	be := binary.BigEndian
	face := be.AppendUint32(nil, uint32(20+8+12+len(picture)))
	face = be.AppendUint16(face, 1) // one feature point
	face = append(face, make([]byte, 14+8+12)...)
	face = append(face, picture...)
	record := append([]byte("FAC\x00010\x00"), be.AppendUint32(nil, uint32(14+len(face)))...)
	record = append(be.AppendUint16(record, 1), face...)
	header := tlv.Append(nil, 0xa1, tlv.Append(nil, 0x81, []byte{2}), tlv.Append(nil, 0x88, []byte{0, 8}))
	return tlv.Append(nil, 0x75, tlv.Append(nil, 0x7f61, tlv.Append(nil, 0x02, []byte{1}),
		tlv.Append(nil, 0x7f60, header, tlv.Append(nil, 0x5f2e, record))))
}

func (p Person) dg13() []byte {
	const utf8, printable = 0x0c, 0x13
	date := func(t time.Time) string {
		if t.IsZero() {
			return "Không thời hạn"
		}
		return t.Format("02/01/2006")
	}
	entry := func(id byte, parts ...[]byte) []byte {
		return tlv.Append(nil, 0x30, append([][]byte{tlv.Append(nil, 0x02, []byte{id})}, parts...)...)
	}
	text := func(tag uint32, s string) []byte { return tlv.Append(nil, tag, []byte(s)) }
	named := func(s string) []byte { return tlv.Append(nil, 0x30, text(utf8, s)) }
	spouse := entry(14)
	if p.Spouse != "" {
		spouse = entry(14, named(p.Spouse))
	}
	entries := bytes.Join([][]byte{
		entry(1, text(printable, p.Number)), entry(2, text(utf8, p.Name)), entry(3, text(printable, date(p.Birth))),
		entry(4, text(utf8, p.Sex)), entry(5, text(utf8, "Việt Nam")), entry(6, text(utf8, p.Ethnicity)),
		entry(7, text(utf8, p.Religion)), entry(8, text(utf8, p.Origin)), entry(9, text(utf8, p.Residence)),
		entry(10, text(utf8, p.Marks)), entry(11, text(printable, date(p.Issue))), entry(12, text(utf8, date(p.Expiry))),
		entry(13, named(p.Father), named(p.Mother)), spouse, entry(15, text(printable, p.OldNumber)),
		entry(16, text(printable, cmp.Or(p.Code16, "0123456789ABCDEF"))),
	}, nil)
	return tlv.Append(nil, 0x6d, tlv.Append(nil, 0x30, tlv.Append(nil, 0x02, []byte{0}), tlv.Append(nil, 0x31, entries)))
}

// State issues cards: a CSCA and a document signer of its own.
type State struct {
	csca, signer *x509.Certificate
	key          crypto.Signer
}

// NewState founds a state whose certificates are valid for ten years around now.
func NewState(now time.Time) (*State, error) { return NewStateOf("VN", now) }

// NewStateOf founds one of another country.
func NewStateOf(country string, now time.Time) (*State, error) {
	ca, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{Country: []string{country}, CommonName: name},
			NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0)}
	}
	root := template(1, "Invented CSCA")
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	csca, err := certificate(root, root, ca.Public(), ca)
	if err != nil {
		return nil, err
	}
	leaf := template(2, "Invented Document Signer")
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	signer, err := certificate(leaf, csca, key.Public(), ca)
	if err != nil {
		return nil, err
	}
	return &State{csca, signer, key}, nil
}

func certificate(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// CSCA is the state's root as PEM.
func (s *State) CSCA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.csca.Raw})
}

// Sign adds EF.SOD for the data groups there are.
func (s *State) Sign(f Files) error {
	content, err := SecurityObject(f)
	if err != nil {
		return err
	}
	der, err := s.signed(content, asn1.ObjectIdentifier{2, 23, 136, 1, 1, 1})
	if err != nil {
		return err
	}
	f[0x1d] = tlv.Append(nil, 0x77, der)
	return nil
}

// signed is the content as a CMS message. Another library makes it than the one that checks.
func (s *State) signed(content []byte, contentType asn1.ObjectIdentifier) ([]byte, error) {
	signed, err := pkcs7.NewSignedData(content)
	if err != nil {
		return nil, err
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	signed.GetSignedData().ContentInfo.ContentType = contentType
	if err := signed.AddSigner(s.signer, s.key, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	return signed.Finish()
}

// CardSecurity is EF.CardSecurity with the public key of the chip authentication mapping.
func (s *State) CardSecurity(k Keys) ([]byte, error) {
	spki, err := k.Map.public()
	if err != nil {
		return nil, err
	}
	info, err := asn1.Marshal(keyInfo{oidPublicECDH, asn1.RawValue{FullBytes: spki}})
	if err != nil {
		return nil, err
	}
	return s.signed(tlv.Append(nil, 0x31, info), asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 2, 1})
}

// SecurityObject is the LDS security object over the data groups, with SHA-256.
func SecurityObject(f Files) ([]byte, error) {
	type hash struct {
		Number int
		Hash   []byte
	}
	var object struct {
		Version int
		Digest  pkix.AlgorithmIdentifier
		Groups  []hash
	}
	object.Digest.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	for n := byte(1); n <= 16; n++ {
		if file, ok := f[n]; ok {
			sum := sha256.Sum256(file)
			object.Groups = append(object.Groups, hash{int(n), sum[:]})
		}
	}
	return asn1.Marshal(object)
}
