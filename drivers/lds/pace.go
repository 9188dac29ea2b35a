package lds

import (
	"bytes"
	"context"
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

// paceInfo is one way to run PACE that the chip offers.
type paceInfo struct {
	protocol  asn1.ObjectIdentifier
	parameter int // of the domain parameters, where given
	suite     sm.Suite
	group     group.Group // nil for a mapping or group this program does not speak
}

// The last arc but one of a PACE protocol: what the keys are numbers of, and how the nonce is mapped. The last arc is
// the suite.
const (
	paceDHGeneric      = 1
	paceECDHGeneric    = 2
	paceDHIntegrated   = 3
	paceECDHIntegrated = 4
	paceECDHChip       = 6 // generic, and the chip proves at the end that it knows its own key: see mapped
)

// integrated tells the mapping.
func (p paceInfo) integrated() bool {
	way := p.protocol[len(paceAny)]
	return way == paceDHIntegrated || way == paceECDHIntegrated
}

func (p paceInfo) rank() int {
	if p.provesChip() {
		return 16 + int(p.suite) // above every suite
	}
	return int(p.suite)
}

func (p paceInfo) provesChip() bool { return p.protocol[len(paceAny)] == paceECDHChip }

// paceAny is the arc of PACE: bsi-de 2 2 4.
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
		if suite := p.protocol[n+1]; suite >= 1 && suite <= 4 {
			p.suite = sm.Suite(suite)
			switch p.protocol[n] {
			case paceDHGeneric, paceDHIntegrated:
				p.group = group.Standard(p.parameter, false)
			case paceECDHGeneric, paceECDHIntegrated, paceECDHChip:
				p.group = group.Standard(p.parameter, true)
			}
			if p.group != nil && p.integrated() && !p.group.Integrable() {
				p.group = nil // no chip can offer a mapping its own curve has not
			}
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

// pace is password authenticated connection establishment (9303-11, 4.4).
func (c *channel) pace(ctx context.Context, infos []paceInfo, reference byte, password []byte, random io.Reader) error {
	info := strongest(infos)
	if info == nil {
		return errNoPACE
	}
	oid, err := asn1.Marshal(info.protocol)
	if err != nil {
		return err
	}
	oid = oid[2:]
	if err := c.setPACE(ctx, oid, reference, byte(info.parameter), len(infos) > 1); err != nil {
		return err
	}

	g, suite := info.group, info.suite
	common, err := c.agreeByPACE(ctx, info, password, random)
	if err != nil {
		return err
	}
	mac := suite.Derive(common.secret, sm.MAC)
	token := func(p []byte) []byte {
		return tlv.Append(nil, 0x7f49, tlv.Append(nil, 0x06, oid), tlv.Append(nil, g.Tag(), p))
	}
	last, err := c.general(ctx, false, 0x85, suite.Sum(mac, token(g.Marshal(common.theirs))))
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
	if answer, ok := tlv.Find(last, 0x7c, 0x86); !ok || !suite.Verify(mac, token(g.Marshal(common.mine)), answer) {
		return damaged(fmt.Errorf("PACE token: %w", sm.ErrForged))
	}
	if info.provesChip() {
		data, _ := tlv.Find(last, 0x7c, 0x8a)
		c.mapped = &mapped{group: g, theirs: common.mapping, data: opened(suite, suite.Derive(common.secret, sm.Enc), data)}
	}
	c.session = sm.NewSession(suite, common.secret, nil)
	return nil
}

// setPACE names the protocol and the password. The domain parameters are named where they would be ambiguous, and to a chip
// that wants to be told all the same (Ukrainian passports of before July 2022: gmrtd 108).
func (c *channel) setPACE(ctx context.Context, oid []byte, reference, parameter byte, ambiguous bool) error {
	at := tlv.Append(tlv.Append(nil, 0x80, oid), 0x83, []byte{reference})
	named := tlv.Append(slices.Clone(at), 0x84, []byte{parameter})
	if ambiguous {
		at = named
	}
	set := apdu.Command{Ins: 0x22, P1: 0xc1, P2: 0xa4, Data: at}
	_, status, err := c.do(ctx, set)
	taken := func() bool { return status == apdu.OK || status.WrongPassword() } // 63Cx warns of few tries left
	if err == nil && !taken() && !ambiguous {
		set.Data = named
		_, status, err = c.do(ctx, set)
	}
	if err == nil && !taken() {
		err = fmt.Errorf("set PACE parameters: %w", status)
	}
	return err
}

// strongest chooses what proves that the chip is no copy, then the strongest cipher; among equals the chip's first.
// It is nil where none is known here.
func strongest(infos []paceInfo) (best *paceInfo) {
	for i := range infos {
		if infos[i].group != nil && (best == nil || infos[i].rank() > best.rank()) {
			best = &infos[i]
		}
	}
	return best
}

// paceAgreement is what both sides of PACE came to: their public keys, the chip's of the mapping, and the secret.
type paceAgreement struct {
	mine, theirs, mapping group.Element
	secret                []byte
}

// agreeByPACE maps the nonce and agrees on a secret.
func (c *channel) agreeByPACE(ctx context.Context, info *paceInfo, password []byte, random io.Reader) (a paceAgreement, err error) {
	g, suite := info.group, info.suite
	nonce, err := c.authenticate(ctx, true, 0, nil, 0x80)
	if err != nil {
		return a, err
	}
	if len(nonce) == 0 || len(nonce)%suite.BlockSize() != 0 || len(nonce) > 64 {
		return a, damaged(fmt.Errorf("nonce of %d bytes", len(nonce)))
	}
	var generator group.Element
	s := suite.Decrypt(suite.Derive(password, sm.Password), nonce)
	if generator, a.mapping, err = c.mapNonce(ctx, *info, s, random); err != nil {
		return a, err
	}
	key, err := scalar(g.Order(), random)
	if err != nil {
		return a, err
	}
	a.mine = g.Public(key, generator)
	if a.theirs, err = c.exchange(ctx, g, 0x83, a.mine, 0x84); err != nil {
		return a, err
	}
	if g.Equal(a.theirs, a.mine) {
		return a, damaged(errors.New("the chip mirrors keys"))
	}
	if a.secret, err = g.Secret(g.Public(key, a.theirs)); err != nil {
		return a, damaged(fmt.Errorf("PACE secret: %w", err))
	}
	return a, nil
}

// general is one GENERAL AUTHENTICATE with one object, or none where value is nil.
func (c *channel) general(ctx context.Context, chained bool, tag uint32, value []byte) ([]byte, error) {
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
	return data, nil
}

// authenticate is one GENERAL AUTHENTICATE: one object there, one back.
func (c *channel) authenticate(ctx context.Context, chained bool, tag uint32, value []byte, want uint32) ([]byte, error) {
	data, err := c.general(ctx, chained, tag, value)
	if err != nil {
		return nil, err
	}
	answer, ok := tlv.Find(data, 0x7c, want)
	if !ok {
		return nil, damaged(fmt.Errorf("general authenticate: %w", tlv.ErrCut))
	}
	return bytes.Clone(answer), nil
}

func (c *channel) exchange(ctx context.Context, g group.Group, tag uint32, mine group.Element, want uint32) (group.Element, error) {
	answer, err := c.authenticate(ctx, true, tag, g.Marshal(mine), want)
	if err != nil {
		return group.Element{}, err
	}
	theirs, err := g.Unmarshal(answer)
	if err != nil {
		return group.Element{}, damaged(err)
	}
	return theirs, nil
}

// mapNonce gives a generator that only the two know and, for the generic mapping, the chip's key for it.
func (c *channel) mapNonce(ctx context.Context, info paceInfo, s []byte, random io.Reader) (generator, theirs group.Element, err error) {
	g := info.group
	if info.integrated() {
		t := make([]byte, info.suite.KeySize())
		if _, err := io.ReadFull(random, t); err != nil {
			return generator, theirs, err
		}
		if _, err := c.general(ctx, true, 0x81, t); err != nil { // chips answer with an empty object, or none at all
			return generator, theirs, err
		}
		r, err := info.suite.PseudoRandom(s, t, g.Prime())
		if err == nil {
			generator, err = g.Integrated(r)
		}
		if err != nil {
			return generator, theirs, damaged(fmt.Errorf("PACE generator: %w", err))
		}
		return generator, theirs, nil
	}
	key, err := scalar(g.Order(), random)
	if err != nil {
		return generator, theirs, err
	}
	if theirs, err = c.exchange(ctx, g, 0x81, g.Public(key, g.Base()), 0x82); err != nil {
		return generator, theirs, err
	}
	if generator, err = g.Generic(new(big.Int).SetBytes(s), g.Public(key, theirs)); err != nil {
		return generator, theirs, damaged(fmt.Errorf("PACE generator: %w", err))
	}
	return generator, theirs, nil
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
