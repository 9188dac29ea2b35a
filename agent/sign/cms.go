package sign

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// Object identifiers of RFC 5652, RFC 5035, RFC 3161 and RFC 8017.
var (
	oidData               = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	// The older one of RFC 2634.
	oidOldSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidTimeStampToken        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSHA256                = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidRSA                   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidECDSAWithSHA256       = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial asn1.RawValue
}

type signerInfo struct {
	Version    int
	Signer     issuerAndSerial
	Digest     pkix.AlgorithmIdentifier
	Attributes asn1.RawValue // [0] IMPLICIT SET
	Algorithm  pkix.AlgorithmIdentifier
	Value      []byte
	Unsigned   asn1.RawValue `asn1:"optional"` // [1] IMPLICIT SET
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      contentInfo
	Certificates asn1.RawValue // [0] IMPLICIT SET
	Signers      []signerInfo  `asn1:"set"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

var sha256ID = pkix.AlgorithmIdentifier{Algorithm: oidSHA256}

// signedAttributes is the SET that is signed: what PAdES-B-B wants and nothing more (EN 319 142-1, clause 6.3; the time stands in
// the PDF's own dictionary).
func signedAttributes(digest []byte, c *x509.Certificate) ([]byte, error) {
	hash := sha256.Sum256(c.Raw)
	names := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: c.RawIssuer}
	general, err := asn1.Marshal([]asn1.RawValue{names})
	if err != nil {
		return nil, fmt.Errorf("make signature: %w", err)
	}
	// SigningCertificateV2 ::= SEQUENCE { SEQUENCE OF ESSCertIDv2 }; SHA-256 is the default and left out.
	type essCertID struct {
		Hash   []byte
		Issuer struct {
			Names  asn1.RawValue
			Serial asn1.RawValue
		}
	}
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("make signature: %w", err)
	}
	id := essCertID{Hash: hash[:]}
	id.Issuer.Names, id.Issuer.Serial = asn1.RawValue{FullBytes: general}, asn1.RawValue{FullBytes: serial}
	var encoded [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{
		{oidContentType, oidData},
		{oidMessageDigest, digest},
		{oidSigningCertificate, struct{ Certs []essCertID }{[]essCertID{id}}},
	} {
		value, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, fmt.Errorf("make signature: %w", err)
		}
		one, err := asn1.Marshal(attribute{a.oid, []asn1.RawValue{{FullBytes: value}}})
		if err != nil {
			return nil, fmt.Errorf("make signature: %w", err)
		}
		encoded = append(encoded, one)
	}
	slices.SortFunc(encoded, bytes.Compare) // DER's order of a SET OF
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(encoded, nil)})
}

// cms puts the signature's parts together.
func cms(attributes, value []byte, c *x509.Certificate, chain []*x509.Certificate, stamp []byte) ([]byte, error) {
	var set asn1.RawValue
	if _, err := asn1.Unmarshal(attributes, &set); err != nil {
		return nil, fmt.Errorf("make signature: %w", err)
	}
	context := func(tag int, content []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: content}
	}
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("make signature: %w", err)
	}
	algorithm := pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}
	if _, ok := c.PublicKey.(*rsa.PublicKey); ok {
		algorithm = pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}
	}
	info := signerInfo{Version: 1, Signer: issuerAndSerial{asn1.RawValue{FullBytes: c.RawIssuer}, asn1.RawValue{FullBytes: serial}},
		Digest: sha256ID, Attributes: context(0, set.Bytes), Algorithm: algorithm, Value: value}
	if stamp != nil {
		a, err := asn1.Marshal(attribute{oidTimeStampToken, []asn1.RawValue{{FullBytes: stamp}}})
		if err != nil {
			return nil, fmt.Errorf("make signature: %w", err)
		}
		info.Unsigned = context(1, a)
	}
	certificates := bytes.Clone(c.Raw)
	for _, above := range chain {
		if !above.Equal(c) {
			certificates = append(certificates, above.Raw...)
		}
	}
	inner, err := asn1.Marshal(signedData{Version: 1, Digests: []pkix.AlgorithmIdentifier{sha256ID}, Content: contentInfo{Type: oidData},
		Certificates: context(0, certificates), Signers: []signerInfo{info}})
	if err != nil {
		return nil, fmt.Errorf("make signature: %w", err)
	}
	return asn1.Marshal(contentInfo{oidSignedData, context(0, inner)})
}

// unsigned finds an attribute outside the signature in a CMS that has one signer.
func unsigned(data []byte, oid asn1.ObjectIdentifier) ([]byte, []byte, error) {
	var outer contentInfo
	if _, err := asn1.Unmarshal(data, &outer); err != nil {
		return nil, nil, err
	}
	var inner struct {
		Version      int
		Digests      asn1.RawValue
		Content      asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &inner); err != nil {
		return nil, nil, err
	}
	if len(inner.Signers) != 1 {
		return nil, nil, errors.New("not one signer")
	}
	rest := inner.Signers[0].Unsigned.Bytes
	for len(rest) > 0 {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return nil, nil, err
		}
		if a.Type.Equal(oid) && len(a.Values) == 1 {
			return a.Values[0].FullBytes, inner.Signers[0].Value, nil
		}
	}
	return nil, inner.Signers[0].Value, nil
}
