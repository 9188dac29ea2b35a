package lds

import (
	"bytes"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"motcua/drivers/lds/internal/tlv"
)

// sod is the document security object: the hashes of the data groups, signed (9303-10, 4.6.2).
type sod struct {
	signedData
	hash   crypto.Hash
	groups map[int][]byte
}

// signedData is a CMS message (RFC 5652) with the certificates it carries.
type signedData struct {
	content     []byte // what is signed
	contentType asn1.ObjectIdentifier
	signer      signerInfo
	rawSigned   []byte // the signed attributes as a SET
	certs       []*Certificate
}

type signerInfo struct {
	Version    int
	ID         asn1.RawValue
	Digest     pkix.AlgorithmIdentifier
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm  pkix.AlgorithmIdentifier
	Signature  []byte
	Unsigned   asn1.RawValue `asn1:"optional,tag:1"`
}

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidLDSSecurity   = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 1}
)

// parseSOD reads EF.SOD without believing it.
func parseSOD(file []byte) (*sod, error) {
	der, ok := tlv.Find(file, 0x77)
	if !ok {
		return nil, errors.New("EF.SOD has no tag 77")
	}
	signed, err := parseSigned(der)
	if err != nil {
		return nil, fmt.Errorf("EF.SOD: %w", err)
	}
	s := &sod{signedData: signed, groups: map[int][]byte{}}
	var object struct {
		Version int
		Hash    pkix.AlgorithmIdentifier
		Groups  []struct {
			Number int
			Hash   []byte
		}
		Info asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(s.content, &object); err != nil {
		return nil, fmt.Errorf("EF.SOD: hashes: %w", err)
	}
	if s.hash = hashes[object.Hash.Algorithm.String()]; s.hash == 0 {
		return nil, fmt.Errorf("EF.SOD: unknown hash %s", object.Hash.Algorithm)
	}
	for _, g := range object.Groups {
		if _, twice := s.groups[g.Number]; twice {
			return nil, errors.New("EF.SOD: two hashes for one data group")
		}
		s.groups[g.Number] = g.Hash
	}
	return s, nil
}

// parseSigned reads a CMS message without believing it.
func parseSigned(der []byte) (s signedData, err error) {
	// Some are not in DER: lengths that are told by an end (passports of the United States: proxmark3 pull request 1145).
	if told, err := tlv.Definite(der); err == nil {
		der = told
	}
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return s, err
	}
	if !info.Type.Equal(oidSignedData) {
		return s, errors.New("it is not signed data")
	}
	var signed struct {
		Version int
		Digests asn1.RawValue
		Content struct {
			Type  asn1.ObjectIdentifier
			Bytes []byte `asn1:"explicit,optional,tag:0"`
		}
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	if _, err := asn1.Unmarshal(info.Content.Bytes, &signed); err != nil {
		return s, err
	}
	if len(signed.Signers) == 0 {
		return s, errors.New("no signer")
	}
	s = signedData{content: signed.Content.Bytes, contentType: signed.Content.Type, signer: signed.Signers[0]}
	if a := s.signer.Attributes.FullBytes; len(a) > 0 {
		s.rawSigned = append([]byte{0x31}, a[1:]...) // signed as a SET, sent with an implicit tag (RFC 5652, 5.4)
	}
	// One certificate that cannot be read does not hide the others.
	s.certs, _, err = parseAll(signed.Certificates.Bytes)
	if err != nil {
		return s, fmt.Errorf("certificates: %w", err)
	}
	return s, nil
}

// authenticate is passive authentication (9303-11, 5.1) of the files read, by their data group numbers, which a state issued.
func (s *sod) authenticate(files map[int][]byte, state string, trusted []*Certificate, now time.Time) Authentic {
	out := Authentic{Trust: Forged}
	for _, number := range sortedKeys(files) {
		want, ok := s.groups[number]
		h := s.hash.New()
		h.Write(files[number])
		if !ok || !bytes.Equal(h.Sum(nil), want) {
			out.Reason = fmt.Sprintf("DG%d is not as it was signed", number)
			return out
		}
		out.Groups = append(out.Groups, number)
	}
	signer, err := s.verify(oidLDSSecurity)
	if err != nil {
		out.Reason = err.Error()
		return out
	}
	own := of(state, trusted)
	if len(own) == 0 && len(trusted) > 0 {
		out.Trust, out.Reason = UnknownSigner, fmt.Sprintf("none of the configured CSCA certificates is of the state that issued it (%s)", state)
		return out
	}
	out.Trust, out.Reason = vouched(signer, own, now)
	return out
}

// vouched says whether one of the trusted issued the signer's certificate, and if not or not today, why.
func vouched(signer *Certificate, trusted []*Certificate, now time.Time) (trust Trust, reason string) {
	if len(trusted) == 0 {
		return UnknownSigner, "no CSCA certificate is configured"
	}
	trust, reason = UnknownSigner, "the document signer was not issued by a configured CSCA"
	for _, ca := range trusted {
		if !ca.issued(signer) {
			continue
		}
		if ca.validAt(now) && signer.validAt(now) {
			return Verified, ""
		}
		trust, reason = Expired, "the document signer's or its CSCA's certificate is not valid on this day"
	}
	return trust, reason
}

// verify checks the signature and gives the certificate it was made with.
func (s *signedData) verify(contentType asn1.ObjectIdentifier) (*Certificate, error) {
	if !s.contentType.Equal(contentType) {
		return nil, errors.New("what is signed is something else than is wanted here")
	}
	signer := s.signerCertificate()
	if signer == nil {
		return nil, errors.New("the signer's certificate is not with the signature")
	}
	digest := hashes[s.signer.Digest.Algorithm.String()]
	text := s.content
	if s.rawSigned != nil {
		if digest == 0 {
			return nil, errors.New("unknown digest of the signed attributes")
		}
		h := digest.New()
		h.Write(s.content)
		if err := s.checkAttributes(h.Sum(nil)); err != nil {
			return nil, err
		}
		text = s.rawSigned
	}
	if err := signer.key.verify(s.signer.Algorithm, digest, text, s.signer.Signature); err != nil {
		return nil, fmt.Errorf("the signature does not fit: %w", err)
	}
	return signer, nil
}

// checkAttributes demands the two attributes that tie the signature to the content.
func (s *signedData) checkAttributes(digest []byte) error {
	var attributes []struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}
	if _, err := asn1.UnmarshalWithParams(s.rawSigned, &attributes, "set"); err != nil {
		return fmt.Errorf("signed attributes: %w", err)
	}
	var typeOK, digestOK bool
	for _, a := range attributes {
		switch {
		case a.Type.Equal(oidContentType):
			var t asn1.ObjectIdentifier
			_, err := asn1.Unmarshal(a.Values.Bytes, &t)
			typeOK = err == nil && t.Equal(s.contentType)
		case a.Type.Equal(oidMessageDigest):
			var d []byte
			_, err := asn1.Unmarshal(a.Values.Bytes, &d)
			digestOK = err == nil && bytes.Equal(d, digest)
		}
	}
	if !typeOK || !digestOK {
		return errors.New("the signed attributes do not fit the content")
	}
	return nil
}

func (s *signedData) signerCertificate() *Certificate {
	id := s.signer.ID
	for _, c := range s.certs {
		if id.Class == asn1.ClassContextSpecific && id.Tag == 0 {
			if len(c.subjectID) > 0 && bytes.Equal(id.Bytes, c.subjectID) {
				return c
			}
			continue
		}
		var by struct {
			Issuer asn1.RawValue
			Serial *big.Int
		}
		if _, err := asn1.Unmarshal(id.FullBytes, &by); err == nil && bytes.Equal(by.Issuer.FullBytes, c.issuer) && by.Serial.Cmp(c.serial) == 0 {
			return c
		}
	}
	return nil
}

func sortedKeys[V any](m map[int]V) []int {
	var all []int
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
