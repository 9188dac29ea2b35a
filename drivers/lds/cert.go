package lds

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"motcua/drivers/lds/internal/curve"

	_ "crypto/sha1" // still signs old passports
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// Certificate is a CSCA or document signer certificate. It is read here and not with crypto/x509, which
// refuses what ICAO 9303-12 demands: Brainpool curves and curves spelled out parameter by parameter.
type Certificate struct {
	raw, tbs        []byte
	issuer, subject []byte // DER
	serial          *big.Int
	from, until     time.Time
	key             publicKey
	signedWith      pkix.AlgorithmIdentifier
	signature       []byte
	subjectID       []byte // subject key identifier
	authorityID     []byte // authority key identifier
	authority       bool   // may sign certificates
	subjectName     string
}

// Subject names the certificate for people.
func (c *Certificate) Subject() string { return c.subjectName }

func parseCertificate(der []byte) (*Certificate, []byte, error) {
	var outer struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil {
		return nil, nil, err
	}
	var tbs struct {
		Version    int `asn1:"optional,explicit,default:0,tag:0"`
		Serial     *big.Int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		Validity   struct{ NotBefore, NotAfter time.Time }
		Subject    asn1.RawValue
		Key        asn1.RawValue
		IssuerID   asn1.BitString   `asn1:"optional,tag:1"`
		SubjectID  asn1.BitString   `asn1:"optional,tag:2"`
		Extensions []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
	}
	if _, err := asn1.Unmarshal(outer.TBS.FullBytes, &tbs); err != nil {
		return nil, nil, err
	}
	key, err := parseKey(tbs.Key.FullBytes)
	if err != nil {
		return nil, nil, err
	}
	c := &Certificate{raw: der[:len(der)-len(rest)], tbs: outer.TBS.FullBytes, issuer: tbs.Issuer.FullBytes, subject: tbs.Subject.FullBytes,
		serial: tbs.Serial, from: tbs.Validity.NotBefore, until: tbs.Validity.NotAfter, key: key,
		signedWith: outer.Algorithm, signature: outer.Signature.RightAlign()}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.subject, &name); err == nil {
		c.subjectName = name.String()
	}
	for _, e := range tbs.Extensions {
		switch {
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 14}):
			_, err = asn1.Unmarshal(e.Value, &c.subjectID)
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 35}):
			var id struct {
				Key []byte `asn1:"optional,tag:0"`
			}
			// The rest of it (issuer and serial) is not looked at, so what does not parse is no reason to refuse.
			_, _ = asn1.Unmarshal(e.Value, &id)
			c.authorityID = id.Key
		case e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 19}):
			var basic struct {
				CA   bool `asn1:"optional"`
				Path int  `asn1:"optional,default:-1"`
			}
			_, err = asn1.Unmarshal(e.Value, &basic)
			c.authority = basic.CA
		}
		if err != nil {
			return nil, nil, fmt.Errorf("extension %s: %w", e.Id, err)
		}
	}
	return c, rest, nil
}

// issued reports whether ca signed c.
func (ca *Certificate) issued(c *Certificate) bool {
	named := bytes.Equal(ca.subject, c.issuer) || len(ca.subjectID) > 0 && bytes.Equal(ca.subjectID, c.authorityID)
	return named && ca.authority && ca.key.verify(c.signedWith, 0, c.tbs, c.signature) == nil
}

func (c *Certificate) validAt(t time.Time) bool { return !t.Before(c.from) && !t.After(c.until) }

// publicKey is an RSA key or a point on a curve.
type publicKey struct {
	rsa   *rsa.PublicKey
	curve *curve.Curve
	point curve.Point
}

var (
	oidRSA       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidPSS       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidEC        = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidPrime     = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}
	oidECDSAPart = asn1.ObjectIdentifier{1, 2, 840, 10045, 4}
	oidBSIPlain  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1}
)

// namedCurves maps object identifiers to the ids of package curve.
var namedCurves = map[string]int{
	"1.2.840.10045.3.1.1": 8, "1.3.132.0.33": 10, "1.2.840.10045.3.1.7": 12, "1.3.132.0.34": 15, "1.3.132.0.35": 18,
	"1.3.36.3.3.2.8.1.1.3": 9, "1.3.36.3.3.2.8.1.1.5": 11, "1.3.36.3.3.2.8.1.1.7": 13, "1.3.36.3.3.2.8.1.1.9": 14,
	"1.3.36.3.3.2.8.1.1.11": 16, "1.3.36.3.3.2.8.1.1.13": 17,
}

func parseKey(der []byte) (publicKey, error) {
	var info struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return publicKey{}, fmt.Errorf("public key: %w", err)
	}
	switch {
	case info.Algorithm.OID.Equal(oidRSA) || info.Algorithm.OID.Equal(oidPSS):
		key, err := x509.ParsePKCS1PublicKey(info.Key.RightAlign())
		if err != nil {
			return publicKey{}, fmt.Errorf("public key: %w", err)
		}
		if key.N.BitLen() > 8192 {
			return publicKey{}, errors.New("public key: RSA key of more than 8192 bits")
		}
		return publicKey{rsa: key}, nil
	case info.Algorithm.OID.Equal(oidEC):
		c, err := parseCurve(info.Algorithm.Parameters.FullBytes)
		if err != nil {
			return publicKey{}, fmt.Errorf("public key: %w", err)
		}
		p, err := c.Unmarshal(info.Key.RightAlign())
		return publicKey{curve: c, point: p}, err
	}
	return publicKey{}, fmt.Errorf("public key: unknown algorithm %s", info.Algorithm.OID)
}

// parseCurve takes a curve by name or spelled out. One that is spelled out must be a standard one: a
// forger chooses a curve on which he knows the key.
func parseCurve(der []byte) (*curve.Curve, error) {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der, &oid); err == nil {
		if c := curve.Standard(namedCurves[oid.String()]); c != nil {
			return c, nil
		}
		return nil, fmt.Errorf("unknown curve %s", oid)
	}
	var spelled struct {
		Version int
		Field   struct {
			OID asn1.ObjectIdentifier
			P   *big.Int
		}
		Curve struct {
			A, B []byte
			Seed asn1.BitString `asn1:"optional"`
		}
		Base     []byte
		Order    *big.Int
		Cofactor *big.Int `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &spelled); err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	if !spelled.Field.OID.Equal(oidPrime) {
		return nil, errors.New("curve is not over a prime field")
	}
	for _, id := range curve.Standards {
		c := curve.Standard(id)
		same := c.P.Cmp(spelled.Field.P) == 0 && c.N.Cmp(spelled.Order) == 0 &&
			c.A.Cmp(new(big.Int).SetBytes(spelled.Curve.A)) == 0 && c.B.Cmp(new(big.Int).SetBytes(spelled.Curve.B)) == 0
		if n := c.Size(); same && len(spelled.Base) > n && c.G.X.Cmp(new(big.Int).SetBytes(spelled.Base[1:1+n])) == 0 &&
			(len(spelled.Base) == 1+n && uint(spelled.Base[0]) == 2+c.G.Y.Bit(0) || bytes.Equal(spelled.Base, c.Marshal(c.G))) {
			return c, nil
		}
	}
	return nil, errors.New("curve is none of the standard ones")
}

// hashes by object identifier.
var hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.4": crypto.SHA224, "2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// signatureHashes are those that the last number of a signature algorithm names, by its arc.
var signatureHashes = map[string]map[int]crypto.Hash{
	"1.2.840.113549.1.1":  {5: crypto.SHA1, 14: crypto.SHA224, 11: crypto.SHA256, 12: crypto.SHA384, 13: crypto.SHA512},
	oidECDSAPart.String(): {1: crypto.SHA1},
	"1.2.840.10045.4.3":   {1: crypto.SHA224, 2: crypto.SHA256, 3: crypto.SHA384, 4: crypto.SHA512},
	oidBSIPlain.String():  {1: crypto.SHA1, 2: crypto.SHA224, 3: crypto.SHA256, 4: crypto.SHA384, 5: crypto.SHA512},
}

// verify checks a signature over text. given is the digest named beside the algorithm (CMS), for
// algorithms that name none.
func (k publicKey) verify(a pkix.AlgorithmIdentifier, given crypto.Hash, text, signature []byte) error {
	n := len(a.Algorithm)
	if n < 2 {
		return errors.New("no signature algorithm")
	}
	hash, salt := given, 0
	if a.Algorithm.Equal(oidPSS) {
		var err error
		if hash, salt, err = parsePSS(a.Parameters.FullBytes); err != nil {
			return err
		}
	} else if h, ok := signatureHashes[a.Algorithm[:n-1].String()][a.Algorithm[n-1]]; ok {
		hash = h
	} else if !a.Algorithm.Equal(oidRSA) && !a.Algorithm.Equal(oidEC) {
		return fmt.Errorf("unknown signature algorithm %s", a.Algorithm)
	}
	if hash == 0 || !hash.Available() {
		return errors.New("signature without a known digest")
	}
	h := hash.New()
	h.Write(text)
	digest := h.Sum(nil)
	switch {
	case k.rsa != nil && a.Algorithm.Equal(oidPSS):
		return rsa.VerifyPSS(k.rsa, hash, digest, signature, &rsa.PSSOptions{SaltLength: salt, Hash: hash})
	case k.rsa != nil:
		return rsa.VerifyPKCS1v15(k.rsa, hash, digest, signature)
	}
	var rs struct{ R, S *big.Int }
	if a.Algorithm[:n-1].Equal(oidBSIPlain) {
		half := len(signature) / 2
		rs.R, rs.S = new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	} else if rest, err := asn1.Unmarshal(signature, &rs); err != nil || len(rest) > 0 {
		return errors.New("malformed ECDSA signature")
	}
	if !k.curve.Verify(k.point, digest, rs.R, rs.S) {
		return errors.New("wrong ECDSA signature")
	}
	return nil
}

func parsePSS(der []byte) (crypto.Hash, int, error) {
	p := struct {
		Hash pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:0"`
		MGF  pkix.AlgorithmIdentifier `asn1:"optional,explicit,tag:1"`
		Salt int                      `asn1:"optional,explicit,default:20,tag:2"`
		Tail int                      `asn1:"optional,explicit,default:1,tag:3"`
	}{}
	if _, err := asn1.Unmarshal(der, &p); err != nil {
		return 0, 0, fmt.Errorf("PSS parameters: %w", err)
	}
	hash := crypto.SHA1
	if p.Hash.Algorithm != nil {
		hash = hashes[p.Hash.Algorithm.String()]
	}
	return hash, p.Salt, nil
}
