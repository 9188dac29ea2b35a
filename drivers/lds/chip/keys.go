package chip

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/group"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// Keys are the private keys by which a chip shows that it is no copy. A nil or zero one is not there.
type Keys struct {
	Active crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey on P-256: active authentication
	Agree  *ecdsa.PrivateKey
	Prime  *Secret // chip authentication modulo a prime, beside Agree or in its place
	Suite  int     // of chip authentication: 1 3DES, 2 to 4 AES
	Map    *Secret // PACE with chip authentication mapping
	Hidden bool    // Map's public key stands in EF.CardSecurity only, not in DG14 too

	Refuse bool // says that there is no such command
	Exact  bool // it is to be asked for the signature's own length (6700 for more: Dutch passports, NFCPassportReader 24)
	Short  int  // leading bytes of an RSA key's width that what is signed leaves out (Australian passports: gmrtd 106)
}

// Secret is a private key in a group of the standard's.
type Secret struct {
	Parameter int // as in PACE
	group     group.Group
	number    *big.Int
}

// NewSecret draws a key in the group with that id: modulo a prime for 0 to 2, on a curve for 12 (P-256) and
// 13 (brainpoolP256r1).
func NewSecret(parameter int) (*Secret, error) {
	g := group.Standard(parameter, parameter > 2)
	if g == nil || parameter > 2 && curveNames[parameter] == nil {
		return nil, fmt.Errorf("draw a key: no group %d", parameter)
	}
	number, err := rand.Int(rand.Reader, g.Order())
	return &Secret{parameter, g, number}, err
}

var curveNames = map[int]asn1.ObjectIdentifier{12: {1, 2, 840, 10045, 3, 1, 7}, 13: {1, 3, 36, 3, 3, 2, 8, 1, 1, 7}}

// public is the SubjectPublicKeyInfo of the key.
func (s *Secret) public() ([]byte, error) {
	type algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	var a algorithm
	key := s.group.Marshal(s.group.Public(s.number, s.group.Base()))
	var err error
	if s.Parameter > 2 {
		a.OID = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
		a.Parameters.FullBytes, err = asn1.Marshal(curveNames[s.Parameter])
	} else {
		a.OID = asn1.ObjectIdentifier{1, 2, 840, 10046, 2, 1}
		base := new(big.Int).SetBytes(s.group.Marshal(s.group.Base()))
		if a.Parameters.FullBytes, err = asn1.Marshal(struct{ P, G, Q *big.Int }{s.group.Prime(), base, s.group.Order()}); err == nil {
			key, err = asn1.Marshal(new(big.Int).SetBytes(key))
		}
	}
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Algorithm algorithm
		Key       asn1.BitString
	}{a, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
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
	oidPublicDH   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 1}
	oidAgreeDH    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 1}
	oidMapping    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 6}
	oidPublicECDH = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidAgreeECDH  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2}
	oidActive     = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 5}
	oidPlain256   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}
)

type keyInfo struct {
	OID asn1.ObjectIdentifier
	Key asn1.RawValue
}

type protocolInfo struct {
	OID     asn1.ObjectIdentifier
	Version int
}

// AddTo writes the public keys into DG14 and DG15, for a state to sign.
func (k Keys) AddTo(f Files) error {
	var infos []byte
	add := func(info any) error {
		der, err := asn1.Marshal(info)
		infos = append(infos, der...)
		return err
	}
	agreement := func(public, protocol asn1.ObjectIdentifier, spki []byte) error {
		return errors.Join(add(keyInfo{public, asn1.RawValue{FullBytes: spki}}),
			add(protocolInfo{append(protocol[:len(protocol):len(protocol)], k.Suite), 1}))
	}
	if k.Agree != nil {
		spki, err := x509.MarshalPKIXPublicKey(k.Agree.Public())
		if err := errors.Join(err, agreement(oidPublicECDH, oidAgreeECDH, spki)); err != nil {
			return err
		}
	}
	if k.Prime != nil {
		spki, err := k.Prime.public()
		if err := errors.Join(err, agreement(oidPublicDH, oidAgreeDH, spki)); err != nil {
			return err
		}
	}
	if k.Map != nil {
		err := add(struct {
			OID                asn1.ObjectIdentifier
			Version, Parameter int
		}{append(oidMapping[:len(oidMapping):len(oidMapping)], 2), 2, k.Map.Parameter})
		if spki, wrong := k.Map.public(); !k.Hidden {
			err = errors.Join(err, wrong, add(keyInfo{oidPublicECDH, asn1.RawValue{FullBytes: spki}}))
		}
		if err != nil {
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
	if c.o.Keys.Exact && cmd.Le > c.o.Keys.answer() {
		return nil, apdu.WrongLength
	}
	switch key := c.o.Keys.Active.(type) {
	case *rsa.PrivateKey:
		size := key.Size()
		part := c.random(size - 2 - sha256.Size - 1 - c.o.Keys.Short)
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

// answer is how long a signature of active authentication is.
func (k Keys) answer() int {
	switch key := k.Active.(type) {
	case *rsa.PrivateKey:
		return key.Size()
	case *ecdsa.PrivateKey:
		return 2 * ((key.Curve.Params().BitSize + 7) / 8)
	}
	return 0
}

// agree takes the reader's key of chip authentication and gives the session that both sides come to. A chip with both kinds
// of keys knows which is meant by the protocol that it was told to use, or, with 3DES, by the length of the key.
func (c *Chip) agree(theirs []byte, suite int, prime bool) (*sm.Session, error) {
	secret := c.o.Keys.Prime
	if !prime {
		const p256 = 12 // its number among the standard curves
		number, err := c.o.Keys.Agree.Bytes()
		if err != nil {
			return nil, fmt.Errorf("chip authentication: own key: %w", err)
		}
		secret = &Secret{p256, group.Standard(p256, true), new(big.Int).SetBytes(number)}
	}
	public, err := secret.group.Unmarshal(theirs)
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	shared, err := secret.group.Secret(secret.group.Public(secret.number, public))
	if err != nil {
		return nil, fmt.Errorf("chip authentication: %w", err)
	}
	return sm.NewSession(sm.Suite(suite), shared, nil), nil
}

// proof is the chip authentication data: what the chip's key times it makes the key it mapped the nonce with.
func (c *Chip) proof(suite sm.Suite, secret []byte, mapping *big.Int) []byte {
	key := c.o.Keys.Map
	n := key.group.Order()
	number := new(big.Int).ModInverse(key.number, n)
	number.Mul(number, mapping).Mod(number, n)
	text := sm.Pad(number.FillBytes(make([]byte, (n.BitLen()+7)/8)), suite.BlockSize())
	enc := suite.Derive(secret, sm.Enc)
	iv := suite.Encrypt(enc, bytes.Repeat([]byte{0xff}, suite.BlockSize()))
	subtle.XORBytes(text, text, iv)
	return suite.Encrypt(enc, text)
}
