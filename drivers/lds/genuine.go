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
	"motcua/drivers/lds/internal/curve"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// What a state signed can be copied to another chip, signature and all. Two ways tell the copy: a private key that the
// genuine chip holds and cannot give away signs a number that was never used before (active authentication, DG15), or
// agrees on a key with a public one that was signed (chip authentication, DG14). The groups they rest on are signed, so a
// copy cannot leave them out.

// chipKey is a public key of DG14 with the way to use it.
type chipKey struct {
	id    []byte // the key's number, where there are several
	oid   []byte // of the protocol, for the chip
	suite sm.Suite
	curve *curve.Curve
	point curve.Point
}

var (
	oidPublicECDH = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidAgreeECDH  = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2}
	oidActive     = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 5}
	errCopied     = errors.New("the chip does not hold the key that was signed for it")
	errNotOffered = errors.New("the chip refuses to prove itself, though what is signed says that it can")
)

// parseDG14 takes what is known here out of the SecurityInfos of DG14 (9303-11, 9.2).
func parseDG14(file []byte) (key *chipKey, digest asn1.ObjectIdentifier, err error) {
	set, ok := tlv.Find(file, 0x6e, 0x31)
	if !ok {
		return nil, nil, errors.New("DG14 is no set of SecurityInfos")
	}
	infos, err := tlv.All(set)
	if err != nil {
		return nil, nil, fmt.Errorf("DG14: %w", err)
	}
	protocol, suite := []byte(nil), sm.TDES
	for _, info := range infos {
		parts, err := tlv.All(info.Value)
		var oid asn1.ObjectIdentifier
		if err != nil || len(parts) < 2 {
			continue
		}
		if _, err := asn1.Unmarshal(parts[0].Raw, &oid); err != nil {
			continue
		}
		switch n := len(oidAgreeECDH); {
		case oid.Equal(oidActive) && len(parts) > 2:
			if _, err := asn1.Unmarshal(parts[2].Raw, &digest); err != nil {
				return nil, nil, fmt.Errorf("DG14: active authentication: %w", err)
			}
		case oid.Equal(oidPublicECDH):
			k, err := parseKey(parts[1].Raw)
			if err != nil || k.curve == nil {
				return nil, nil, fmt.Errorf("DG14: %w", errors.Join(err, errors.New("no key on a curve")))
			}
			key = &chipKey{curve: k.curve, point: k.point}
			if len(parts) > 2 {
				key.id = bytes.Clone(parts[2].Value)
			}
		case len(oid) == n+1 && oid[:n].Equal(oidAgreeECDH) && oid[n] >= 1 && oid[n] <= 4:
			protocol, suite = bytes.Clone(parts[0].Value), sm.Suite(oid[n])
		}
	}
	if key != nil {
		key.oid, key.suite = protocol, suite
	}
	return key, digest, nil
}

// agree is chip authentication (9303-11, 6.2): from here on the session's keys are known to the holder of the signed key
// alone, which the next answer shows.
func (c *channel) agree(ctx context.Context, k *chipKey, random io.Reader) error {
	secret, err := scalar(k.curve.N, random)
	if err != nil {
		return err
	}
	mine := k.curve.Marshal(k.curve.Multiply(secret, k.curve.G))
	shared := k.curve.Multiply(secret, k.point)
	if shared.Infinity() {
		return errCopied
	}
	var set apdu.Command
	if k.suite == sm.TDES {
		set = apdu.Command{Ins: 0x22, P1: 0x41, P2: 0xa6, Data: tlv.Append(nil, 0x91, mine)}
	} else {
		set = apdu.Command{Ins: 0x22, P1: 0x41, P2: 0xa4, Data: tlv.Append(nil, 0x80, k.oid)}
	}
	if len(k.id) > 0 {
		set.Data = tlv.Append(set.Data, 0x84, k.id)
	}
	if _, err := c.must(ctx, set); err != nil {
		return refusal(err)
	}
	if k.suite != sm.TDES {
		if _, err := c.general(ctx, false, 0x80, mine); err != nil {
			return refusal(err)
		}
	}
	c.session = sm.NewSession(k.suite, shared.X.FillBytes(make([]byte, k.curve.Size())), nil)
	if _, _, err := c.do(ctx, apdu.Command{Ins: 0xa4, P1: 0x02, P2: 0x0c, Data: []byte{0x01, efCOM}}); err != nil {
		if isFault(err, DamagedChip) {
			return errCopied
		}
		return err
	}
	return nil
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
	challenge := make([]byte, 8)
	if _, err := io.ReadFull(random, challenge); err != nil {
		return err
	}
	le := 256
	if k.rsa != nil && k.rsa.Size() > 200 { // with what secures it, longer than a short answer
		le = k.rsa.Size() + 64
	}
	signature, err := c.must(ctx, apdu.Command{Ins: 0x88, Data: challenge, Le: le})
	var status apdu.Status
	if le > 256 && errors.As(err, &status) { // a reader or chip without long answers may chain them
		signature, err = c.must(ctx, apdu.Command{Ins: 0x88, Data: challenge, Le: 256})
	}
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
	text := m.FillBytes(make([]byte, size))
	hash, end := crypto.SHA1, size-1
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
