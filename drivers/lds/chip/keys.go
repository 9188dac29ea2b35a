package chip

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/curve"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// Keys are the private keys by which a chip shows that it is no copy. A nil or zero one is not there.
type Keys struct {
	Active crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey on P-256: active authentication
	Agree  *ecdsa.PrivateKey
	Suite  int // of chip authentication: 1 3DES, 2 to 4 AES

	Refuse bool // says that there is no such command
}

// NewKeys draws keys of both kinds; active authentication is by RSA or on a curve.
func NewKeys(byRSA bool, suite int) (k Keys, err error) {
	k.Suite = suite
	if k.Agree, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return k, err
	}
	if byRSA {
		k.Active, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		k.Active, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return k, err
}

var (
	oidPublicECDH = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidAgreeECDH  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2}
	oidActive     = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 5}
	oidPlain256   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}
)

// AddTo writes the public keys into DG14 and DG15, for a state to sign.
func (k Keys) AddTo(f Files) error {
	var infos []byte
	add := func(info any) error {
		der, err := asn1.Marshal(info)
		infos = append(infos, der...)
		return err
	}
	if k.Agree != nil {
		spki, err := x509.MarshalPKIXPublicKey(k.Agree.Public())
		if err != nil {
			return err
		}
		if err := add(struct {
			OID asn1.ObjectIdentifier
			Key asn1.RawValue
		}{oidPublicECDH, asn1.RawValue{FullBytes: spki}}); err != nil {
			return err
		}
		if err := add(struct {
			OID     asn1.ObjectIdentifier
			Version int
		}{append(oidAgreeECDH[:len(oidAgreeECDH):len(oidAgreeECDH)], k.Suite), 1}); err != nil {
			return err
		}
	}
	if k.Active != nil {
		spki, err := x509.MarshalPKIXPublicKey(k.Active.Public())
		if err != nil {
			return err
		}
		f[15] = tlv.Append(nil, 0x6f, spki)
		if _, onCurve := k.Active.(*ecdsa.PrivateKey); onCurve {
			if err := add(struct {
				OID       asn1.ObjectIdentifier
				Version   int
				Algorithm asn1.ObjectIdentifier
			}{oidActive, 1, oidPlain256}); err != nil {
				return err
			}
		}
	}
	if len(infos) > 0 {
		f[14] = tlv.Append(nil, 0x6e, tlv.Append(nil, 0x31, infos))
	}
	return nil
}

// internalAuthenticate signs the reader's number: by ISO 9796-2 with RSA, plainly on a curve.
func (c *Chip) internalAuthenticate(cmd apdu.Command) ([]byte, apdu.Status) {
	if c.session == nil {
		return nil, apdu.NotSatisfied
	}
	switch key := c.o.Keys.Active.(type) {
	case *rsa.PrivateKey:
		size := key.Size()
		part := c.random(size - 2 - sha256.Size - 1)
		sum := sha256.Sum256(append(bytes.Clone(part), cmd.Data...))
		text := append(append(append([]byte{0x6a}, part...), sum[:]...), 0x34, 0xcc)
		return new(big.Int).Exp(new(big.Int).SetBytes(text), key.D, key.N).FillBytes(make([]byte, size)), apdu.OK
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256(cmd.Data)
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		n := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...), apdu.OK
	}
	return nil, apdu.NotSupported
}

// agree takes the reader's key of chip authentication and gives the session that both sides come to.
func (c *Chip) agree(theirs []byte, suite int) (*sm.Session, error) {
	const p256 = 12 // its number among the standard curves
	g := curve.Standard(p256)
	point, err := g.Unmarshal(theirs)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	shared := g.Multiply(c.o.Keys.Agree.D, point)
	return sm.NewSession(sm.Suite(suite), shared.X.FillBytes(make([]byte, g.Size())), nil), nil
}
