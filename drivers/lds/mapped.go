package lds

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/group"
	"motcua/drivers/lds/internal/sm"
	"motcua/drivers/lds/internal/tlv"
)

// mapped is what PACE with chip authentication mapping leaves to be checked (9303-11, 4.4.3.5): the chip's key of the
// mapping must be its signed key times the number it sends at the end, which only the holder of the signed key's secret
// can compute. That key stands in DG14, which EF.SOD signs with the person's data, or in EF.CardSecurity, signed by itself.
type mapped struct {
	group    group.Group
	theirs   group.Element // the chip's key of the mapping
	data     []byte        // the number; nil where the chip sent none that opens
	security []byte        // EF.CardSecurity; nil where there is none
}

// opened decrypts the chip authentication data: CBC whose first vector is a block of ones, encrypted.
func opened(suite sm.Suite, key, text []byte) []byte {
	if suite == sm.TDES || len(text) == 0 || len(text)%suite.BlockSize() != 0 {
		return nil
	}
	n := suite.BlockSize()
	iv := suite.Encrypt(key, bytes.Repeat([]byte{0xff}, n))
	plain := suite.Decrypt(key, text)
	subtle.XORBytes(plain[:n], plain[:n], iv)
	data, ok := sm.Unpad(plain)
	if !ok {
		return nil
	}
	return data
}

var errUnknownIssuer = fmt.Errorf("%w: no configured CSCA vouches for the key", errNotOffered)

// check says whether the chip proved itself. errCopied: it did not hold the key that was signed; errNotOffered: it did not
// try, or the key it tried with is nobody's.
func (m *mapped) check(signed securityInfos, o Options) error {
	if m == nil {
		return errNotOffered
	}
	if m.fitsOne(signed.keys) {
		return nil
	}
	if m.security == nil { // the key of the mapping may be another than those of DG14
		return errNotOffered
	}
	keys, err := cardSecurityKeys(m.security, o)
	switch {
	case err != nil:
		return err
	case m.fitsOne(keys):
		return nil
	case len(keys) == 0:
		return errNotOffered
	}
	return errCopied
}

func (m *mapped) fitsOne(keys []chipKey) bool {
	number := new(big.Int).SetBytes(m.data)
	if number.Sign() == 0 || number.Cmp(m.group.Order()) >= 0 {
		return false
	}
	for _, k := range keys {
		// Of another curve than PACE ran on, it is no point of this one.
		public, err := m.group.Unmarshal(k.group.Marshal(k.public))
		if err == nil && m.group.Equal(m.group.Public(number, public), m.theirs) {
			return true
		}
	}
	return false
}

// cardSecurity reads EF.CardSecurity from the master file.
func (c *channel) cardSecurity(ctx context.Context) ([]byte, error) {
	_, status, err := c.do(ctx, apdu.Command{Ins: 0xa4, P1: 0x02, P2: 0x0c, Data: []byte{0x01, 0x1d}})
	if err != nil {
		return nil, err
	}
	if status != apdu.OK {
		return nil, status
	}
	return c.file(ctx, func(int, int) {})
}

// cardSecurityKeys are the keys in an EF.CardSecurity that a configured CSCA's signer signed.
func cardSecurityKeys(file []byte, o Options) ([]chipKey, error) {
	signed, err := parseSigned(file)
	if err != nil {
		return nil, fmt.Errorf("%w: EF.CardSecurity: %w", errNotOffered, err)
	}
	signer, err := signed.verify(oidSecurity)
	if err != nil {
		return nil, fmt.Errorf("%w: EF.CardSecurity: %w", errNotOffered, err)
	}
	if trust, _ := vouched(signer, o.Trusted, o.Now); trust != Verified && trust != Expired {
		return nil, errUnknownIssuer
	}
	set, ok := tlv.Find(signed.content, 0x31)
	if !ok {
		return nil, fmt.Errorf("%w: %w", errNotOffered, errors.New("EF.CardSecurity is no set of SecurityInfos"))
	}
	infos, err := parseInfos(set)
	if err != nil {
		return nil, fmt.Errorf("%w: EF.CardSecurity: %w", errNotOffered, err)
	}
	return infos.keys, nil
}
