package lds

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/curve"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// paceInfo is one way to run PACE that the chip offers.
type paceInfo struct {
	protocol  asn1.ObjectIdentifier
	parameter int // of the domain parameters, where given
	suite     sm.Suite
	curve     *curve.Curve // nil for a mapping or group this program does not speak
}

// paceGM is the arc of PACE with ECDH and generic mapping: bsi-de 2 2 4 2; the last number is the suite.
var paceGM = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2}

var paceAny = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4}

// parseCardAccess reads EF.CardAccess: a set of SecurityInfos, of which those of PACE are wanted. Unknown
// ones are passed over, as the standard demands.
func parseCardAccess(file []byte) ([]paceInfo, error) {
	set, ok := tlv.Find(file, 0x31)
	if !ok {
		return nil, errors.New("EF.CardAccess is no set of SecurityInfos")
	}
	infos, err := tlv.All(set)
	if err != nil {
		return nil, fmt.Errorf("EF.CardAccess: %w", err)
	}
	var all []paceInfo
	for _, info := range infos {
		parts, err := tlv.All(info.Value)
		if err != nil || info.Tag != 0x30 || len(parts) < 2 {
			continue
		}
		var p paceInfo
		if _, err := asn1.Unmarshal(parts[0].Raw, &p.protocol); err != nil {
			continue
		}
		n := len(paceAny)
		if len(p.protocol) != n+2 || !p.protocol[:n].Equal(paceAny) {
			continue
		}
		p.parameter = -1
		if len(parts) > 2 {
			if _, err := asn1.Unmarshal(parts[2].Raw, &p.parameter); err != nil {
				continue
			}
		}
		if suite := p.protocol[n+1]; p.protocol[:n+1].Equal(paceGM) && suite >= 1 && suite <= 4 {
			p.suite, p.curve = sm.Suite(suite), curve.Standard(p.parameter)
		}
		all = append(all, p)
	}
	return all, nil
}

// The passwords of PACE (MSE:Set AT, object 83).
const (
	paceMRZ = 1
	paceCAN = 2
)

var errNoPACE = errors.New("no way of PACE in common")

// pace is password authenticated connection establishment (9303-11, 4.4) with generic mapping over an
// elliptic curve.
func (c *channel) pace(ctx context.Context, infos []paceInfo, reference byte, password []byte, random io.Reader) error {
	var info *paceInfo
	for i := range infos {
		// Of those offered the strongest cipher; among equals the chip's first.
		if infos[i].curve != nil && (info == nil || infos[i].suite > info.suite) {
			info = &infos[i]
		}
	}
	if info == nil {
		return errNoPACE
	}
	oid, err := asn1.Marshal(info.protocol)
	if err != nil {
		return err
	}
	oid = oid[2:]
	at := tlv.Append(tlv.Append(nil, 0x80, oid), 0x83, []byte{reference})
	if len(infos) > 1 {
		at = tlv.Append(at, 0x84, []byte{byte(info.parameter)}) // only where it would be ambiguous
	}
	if _, status, err := c.do(ctx, apdu.Command{Ins: 0x22, P1: 0xc1, P2: 0xa4, Data: at}); err != nil {
		return err
	} else if status != apdu.OK && !status.WrongPassword() { // 63Cx warns of few tries left
		return fmt.Errorf("set PACE parameters: %w", status)
	}

	curve, suite := info.curve, info.suite
	nonce, err := c.authenticate(ctx, true, 0, nil, 0x80)
	if err != nil {
		return err
	}
	if len(nonce) == 0 || len(nonce)%suite.BlockSize() != 0 || len(nonce) > 64 {
		return damaged(fmt.Errorf("nonce of %d bytes", len(nonce)))
	}
	s := new(big.Int).SetBytes(suite.Decrypt(suite.Derive(password, sm.Password), nonce))

	// Mapping: an anonymous Diffie-Hellman gives a point, and with the nonce a generator only the two know.
	mapping, err := scalar(curve.N, random)
	if err != nil {
		return err
	}
	mine := curve.Multiply(mapping, curve.G)
	theirs, err := c.exchange(ctx, curve, 0x81, mine, 0x82)
	if err != nil {
		return err
	}
	generator := curve.Add(curve.Multiply(s, curve.G), curve.Multiply(mapping, theirs))
	if generator.Infinity() {
		return damaged(errors.New("PACE generator at infinity"))
	}

	key, err := scalar(curve.N, random)
	if err != nil {
		return err
	}
	mine = curve.Multiply(key, generator)
	if theirs, err = c.exchange(ctx, curve, 0x83, mine, 0x84); err != nil {
		return err
	}
	if theirs.Equal(mine) {
		return damaged(errors.New("the chip mirrors keys"))
	}
	shared := curve.Multiply(key, theirs)
	if shared.Infinity() {
		return damaged(errors.New("PACE secret at infinity"))
	}
	secret := make([]byte, curve.Size())
	shared.X.FillBytes(secret)

	mac := suite.Derive(secret, sm.MAC)
	token := func(p []byte) []byte {
		return tlv.Append(nil, 0x7f49, tlv.Append(nil, 0x06, oid), tlv.Append(nil, 0x86, p))
	}
	answer, err := c.authenticate(ctx, false, 0x85, suite.Sum(mac, token(curve.Marshal(theirs))), 0x86)
	var status apdu.Status
	if errors.As(err, &status) {
		// The token can only be wrong where the nonce was decrypted with another password.
		if reference == paceCAN {
			return wrongCAN(status)
		}
		return wrongMRZ(status)
	}
	if err != nil {
		return err
	}
	if !suite.Verify(mac, token(curve.Marshal(mine)), answer) {
		return damaged(fmt.Errorf("PACE token: %w", sm.ErrForged))
	}
	c.session = sm.NewSession(suite, secret, nil)
	return nil
}

// authenticate is one GENERAL AUTHENTICATE: one object there, one back.
func (c *channel) authenticate(ctx context.Context, chained bool, tag uint32, value []byte, want uint32) ([]byte, error) {
	var inner []byte
	if value != nil {
		inner = tlv.Append(nil, tag, value)
	}
	cmd := apdu.Command{Ins: 0x86, Data: tlv.Append(nil, 0x7c, inner), Le: 256}
	if chained {
		cmd.Class = 0x10
	}
	data, err := c.must(ctx, cmd)
	if err != nil {
		return nil, fmt.Errorf("general authenticate: %w", err)
	}
	answer, ok := tlv.Find(data, 0x7c, want)
	if !ok {
		return nil, damaged(fmt.Errorf("general authenticate: %w", tlv.ErrCut))
	}
	return bytes.Clone(answer), nil
}

func (c *channel) exchange(ctx context.Context, cu *curve.Curve, tag uint32, mine curve.Point, want uint32) (curve.Point, error) {
	answer, err := c.authenticate(ctx, true, tag, cu.Marshal(mine), want)
	if err != nil {
		return curve.Point{}, err
	}
	theirs, err := cu.Unmarshal(answer)
	if err != nil {
		return curve.Point{}, damaged(err)
	}
	return theirs, nil
}

// scalar draws a private key: a number from 1 to n-1.
func scalar(n *big.Int, random io.Reader) (*big.Int, error) {
	b := make([]byte, (n.BitLen()+7)/8)
	for range 1000 {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, err
		}
		b[0] &= 0xff >> (8*len(b) - n.BitLen())
		if k := new(big.Int).SetBytes(b); k.Sign() > 0 && k.Cmp(n) < 0 {
			return k, nil
		}
	}
	return nil, errors.New("the random source is broken")
}
