package lds

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/group"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// What a state signed can be copied to another chip, signature and all. Two ways tell the copy: a private key that the
// genuine chip holds and cannot give away signs a number that was never used before (active authentication, DG15), or
// agrees on a key with a public one that was signed (chip authentication, DG14). The groups they rest on are signed, so a
// copy cannot leave them out.

// chipKey is a public key of DG14 or EF.CardSecurity.
type chipKey struct {
	id     []byte // the key's number, where there are several
	dh     bool
	group  group.Group
	public group.Element
}

// agreement is a way to run chip authentication.
type agreement struct {
	id    []byte // of the key it is for, where told
	oid   []byte // of the protocol, for the chip; empty where the chip names none
	dh    bool
	suite sm.Suite
}

// securityInfos is what is known here of the SecurityInfos of DG14 or EF.CardSecurity (9303-11, 9.2).
type securityInfos struct {
	keys    []chipKey
	agree   []agreement
	foreign bool                  // there is a key of a kind that this program does not speak
	mapping bool                  // PACE with chip authentication mapping is among what the chip can do
	digest  asn1.ObjectIdentifier // of active authentication on a curve
}

var (
	oidPublicDH   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 1}
	oidPublicECDH = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidAgree      = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3} // then 1 DH or 2 ECDH, then the suite
	oidActive     = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 5}
	oidSecurity   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 2, 1} // the content of EF.CardSecurity
	errCopied     = errors.New("the chip does not hold the key that was signed for it")
	errNotOffered = errors.New("the chip refuses to prove itself, though what is signed says that it can")
	errForeignKey = fmt.Errorf("%w, in a way this program does not speak", errNotOffered)
)

func parseDG14(file []byte) (securityInfos, error) {
	set, ok := tlv.Find(file, 0x6e, 0x31)
	if !ok {
		return securityInfos{}, errors.New("DG14 is no set of SecurityInfos")
	}
	infos, err := parseInfos(set)
	if err != nil {
		err = fmt.Errorf("DG14: %w", err)
	}
	return infos, err
}

// parseInfos reads the content of a set of SecurityInfos. What it does not know it passes over, as the standard demands.
func parseInfos(set []byte) (s securityInfos, err error) {
	infos, err := tlv.All(set)
	if err != nil {
		return s, err
	}
	for _, info := range infos {
		parts, err := tlv.All(info.Value)
		var oid asn1.ObjectIdentifier
		if err != nil || len(parts) < 2 {
			continue
		}
		if _, err := asn1.Unmarshal(parts[0].Raw, &oid); err != nil {
			continue
		}
		id := func(place int) []byte {
			if len(parts) > place {
				return bytes.Clone(parts[place].Value)
			}
			return nil
		}
		switch n, m := len(oidAgree), len(paceAny); {
		case oid.Equal(oidActive) && len(parts) > 2:
			if _, err := asn1.Unmarshal(parts[2].Raw, &s.digest); err != nil {
				return s, fmt.Errorf("active authentication: %w", err)
			}
		case oid.Equal(oidPublicECDH), oid.Equal(oidPublicDH):
			k, err := parseAgreementKey(parts[1].Raw)
			if err != nil {
				s.foreign = true
				continue
			}
			k.id, k.dh = id(2), oid.Equal(oidPublicDH)
			s.keys = append(s.keys, k)
		case len(oid) == n+2 && oid[:n].Equal(oidAgree) && oid[n+1] >= 1 && oid[n+1] <= 4:
			s.agree = append(s.agree, agreement{id: id(2), oid: bytes.Clone(parts[0].Value), dh: oid[n] == 1, suite: sm.Suite(oid[n+1])})
		case len(oid) == m+2 && oid[:m].Equal(paceAny):
			s.mapping = s.mapping || oid[m] == paceECDHChip
		}
	}
	return s, nil
}

// Keys for Diffie-Hellman modulo a prime, as X9.42 and as PKCS #3 spell them.
var (
	oidX942  = asn1.ObjectIdentifier{1, 2, 840, 10046, 2, 1}
	oidPKCS3 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 3, 1}
)

// parseAgreementKey reads a SubjectPublicKeyInfo of a key that agrees, on a curve or modulo a prime.
func parseAgreementKey(der []byte) (k chipKey, err error) {
	var info struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return k, fmt.Errorf("public key: %w", err)
	}
	x942 := info.Algorithm.OID.Equal(oidX942)
	if !x942 && !info.Algorithm.OID.Equal(oidPKCS3) {
		key, err := parseKey(der)
		if err != nil {
			return k, err
		}
		if key.curve == nil {
			return k, errors.New("public key: none that agrees")
		}
		k.group = group.On(key.curve)
		k.public, err = k.group.Unmarshal(key.curve.Marshal(key.point))
		return k, err
	}
	parts, err := tlv.All(info.Algorithm.Parameters.Bytes)
	if err != nil || len(parts) < 2 || x942 && len(parts) < 3 {
		return k, errors.New("public key: parameters of a prime field are missing")
	}
	number := func(i int) *big.Int { return new(big.Int).SetBytes(parts[i].Value) }
	var q *big.Int
	if x942 {
		q = number(2)
	}
	if k.group, err = group.Modulo(number(0), number(1), q); err != nil {
		return k, fmt.Errorf("public key: %w", err)
	}
	var y *big.Int
	if _, err := asn1.Unmarshal(info.Key.RightAlign(), &y); err != nil {
		return k, fmt.Errorf("public key: %w", err)
	}
	if k.public, err = k.group.Unmarshal(y.Bytes()); err != nil {
		return k, fmt.Errorf("public key: %w", err)
	}
	return k, nil
}

// way is the key and the strongest way to use it; nil where there is no key. A key with no way told is for 3DES.
func (s securityInfos) way() (*chipKey, agreement) {
	var best *chipKey
	var how agreement
	for i, k := range s.keys {
		mine := agreement{dh: k.dh, suite: sm.TDES}
		for _, a := range s.agree {
			if a.dh == k.dh && (a.id == nil || k.id == nil || bytes.Equal(a.id, k.id)) && (mine.oid == nil || a.suite > mine.suite) {
				mine = a
			}
		}
		if best == nil || mine.suite > how.suite {
			best, how = &s.keys[i], mine
		}
	}
	return best, how
}

// agree is chip authentication (9303-11, 6.2): from here on the session's keys are known to the holder of the signed key
// alone, which the next answer shows.
func (c *channel) agree(ctx context.Context, k *chipKey, how agreement, random io.Reader) error {
	if err := c.alive(ctx); err != nil {
		return err
	}
	secret, err := scalar(k.group.Order(), random)
	if err != nil {
		return err
	}
	mine := k.group.Marshal(k.group.Public(secret, k.group.Base()))
	shared, err := k.group.Secret(k.group.Public(secret, k.public))
	if err != nil {
		return errCopied
	}
	var set apdu.Command
	if how.suite == sm.TDES {
		set = apdu.Command{Ins: 0x22, P1: 0x41, P2: 0xa6, Data: tlv.Append(nil, 0x91, mine)}
	} else {
		set = apdu.Command{Ins: 0x22, P1: 0x41, P2: 0xa4, Data: tlv.Append(nil, 0x80, how.oid)}
	}
	if len(k.id) > 0 {
		set.Data = tlv.Append(set.Data, 0x84, k.id)
	}
	if _, err := c.must(ctx, set); err != nil {
		return refusal(err)
	}
	if how.suite != sm.TDES {
		if _, err := c.general(ctx, false, 0x80, mine); err != nil {
			return refusal(err)
		}
	}
	c.session = sm.NewSession(how.suite, shared, nil)
	// A file that was read before, which nobody has a reason to refuse: an answer without protection shows nothing.
	_, _, err = c.do(ctx, apdu.Command{Ins: 0xa4, P1: 0x02, P2: 0x0c, Data: []byte{0x01, efSOD}})
	if c.ended || isFault(err, DamagedChip) {
		return errCopied
	}
	return err
}

// refusal tells a chip that says no from one that is gone.
func refusal(err error) error {
	var status apdu.Status
	if errors.As(err, &status) || isFault(err, DamagedChip) {
		return errNotOffered
	}
	return err
}

// sign is active authentication (9303-11, 6.1): the chip signs eight bytes that nobody knew before.
func (c *channel) sign(ctx context.Context, k *publicKey, digest asn1.ObjectIdentifier, random io.Reader) error {
	if err := c.alive(ctx); err != nil {
		return err
	}
	challenge := make([]byte, 8)
	if _, err := io.ReadFull(random, challenge); err != nil {
		return err
	}
	signature, err := c.signed(ctx, k, challenge)
	if err != nil {
		return refusal(err)
	}
	if k.rsa != nil {
		return recovered(k.rsa, signature, challenge)
	}
	tries := []asn1.ObjectIdentifier{digest}
	if digest == nil { // chips from before DG14 had to name it
		for _, n := range []int{3, 1, 2, 4, 5} {
			tries = append(tries, append(slices.Clone(oidBSIPlain), n))
		}
	}
	for _, oid := range tries {
		if oid != nil && k.verify(pkix.AlgorithmIdentifier{Algorithm: oid}, 0, challenge, signature) == nil {
			return nil
		}
	}
	return errCopied
}

// signed asks for the signature, in the lengths that readers and chips want it asked for in.
func (c *channel) signed(ctx context.Context, k *publicKey, challenge []byte) ([]byte, error) {
	const short = 256 // the most of a short answer
	ask := func(le int) ([]byte, apdu.Status, error) {
		signature, err := c.must(ctx, apdu.Command{Ins: 0x88, Data: challenge, Le: le})
		var status apdu.Status
		if errors.As(err, &status) {
			if dead := c.alive(ctx); dead != nil {
				return nil, 0, dead
			}
		}
		return signature, status, err
	}
	size, le := 0, short
	if k.rsa != nil {
		size = k.rsa.Size()
	} else {
		size = 2 * k.curve.Size()
	}
	if k.rsa != nil && size > 200 { // with what secures it, longer than a short answer
		le = size + 64
	}
	signature, status, err := ask(le)
	if le > short && status != 0 { // a reader or chip without long answers may chain them
		signature, status, err = ask(short)
	}
	if tooLong(status) { // some refuse to be asked for more than they give (NFCPassportReader 24)
		signature, _, err = ask(size)
	}
	return signature, err
}

// trailers of ISO 9796-2 name the hash.
var trailers = map[byte]crypto.Hash{0x33: crypto.SHA1, 0x38: crypto.SHA224, 0x34: crypto.SHA256, 0x36: crypto.SHA384, 0x35: crypto.SHA512}

// recovered checks a signature of ISO 9796-2, scheme 1: part of what is signed stands in it, before the hash of that part
// and the challenge.
func recovered(k *rsa.PublicKey, signature, challenge []byte) error {
	size := k.Size()
	s := new(big.Int).SetBytes(signature)
	if len(signature) != size || s.Cmp(k.N) >= 0 {
		return errCopied
	}
	m := new(big.Int).Exp(s, big.NewInt(int64(k.E)), k.N)
	if m.Bit(0) != 0 || m.Bit(1) != 0 || m.Bit(2) != 1 || m.Bit(3) != 1 { // it ends with C, or is the other root
		m.Sub(k.N, m)
	}
	text := m.Bytes() // some chips sign less than their key's width (Australian passports: gmrtd 106)
	if len(text) < 2 {
		return errCopied
	}
	hash, end := crypto.SHA1, len(text)-1
	switch {
	case text[end] == 0xbc:
	case text[end] == 0xcc && trailers[text[end-1]] != 0:
		hash, end = trailers[text[end-1]], end-1
	default:
		return errCopied
	}
	begin := end - hash.Size()
	if begin < 1 || text[0] != 0x6a {
		return errCopied
	}
	h := hash.New()
	h.Write(text[1:begin])
	h.Write(challenge)
	if !bytes.Equal(h.Sum(nil), text[begin:end]) {
		return errCopied
	}
	return nil
}
