package lds

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/sm"
)

// bac is basic access control (9303-11, 4.3): both sides prove that they know the MRZ, and agree on
// 3DES session keys.
func (c *channel) bac(ctx context.Context, key Key, random io.Reader) error {
	hash, err := key.hash()
	if err != nil {
		return err
	}
	enc, mac := sm.TDES.Derive(hash[:16], sm.Enc), sm.TDES.Derive(hash[:16], sm.MAC)
	challenge, err := c.must(ctx, apdu.Command{Ins: 0x84, Le: 8})
	if err != nil {
		return fmt.Errorf("get challenge: %w", err)
	}
	if len(challenge) != 8 {
		return damaged(fmt.Errorf("challenge of %d bytes", len(challenge)))
	}
	own := make([]byte, 8+16) // RND.IFD ‖ K.IFD
	if _, err := io.ReadFull(random, own); err != nil {
		return err
	}
	text := append(append(append([]byte{}, own[:8]...), challenge...), own[8:]...)
	cryptogram := sm.TDES.Encrypt(enc, text)
	answer, status, err := c.do(ctx, apdu.Command{Ins: 0x82, Data: append(cryptogram, sm.TDES.Sum(mac, cryptogram)...), Le: 40})
	if err != nil {
		return err
	}
	if status.WrongPassword() || status == apdu.NotSatisfied || status == apdu.WrongData || status == apdu.SMWrong {
		return wrongMRZ(status)
	}
	if status != apdu.OK {
		return fmt.Errorf("external authenticate: %w", status)
	}
	if len(answer) != 40 || !sm.TDES.Verify(mac, answer[:32], answer[32:]) {
		return damaged(fmt.Errorf("external authenticate: %w", sm.ErrForged))
	}
	theirs := sm.TDES.Decrypt(enc, answer[:32]) // RND.IC ‖ RND.IFD ‖ K.IC
	if subtle.ConstantTimeCompare(theirs[:8], challenge) != 1 || subtle.ConstantTimeCompare(theirs[8:16], own[:8]) != 1 {
		return damaged(fmt.Errorf("external authenticate: %w", sm.ErrForged))
	}
	seed := make([]byte, 16)
	subtle.XORBytes(seed, own[8:], theirs[16:])
	counter := append(append([]byte{}, challenge[4:]...), own[4:8]...)
	c.session = sm.NewSession(sm.TDES, seed, counter)
	return nil
}

func wrongMRZ(cause error) error {
	return fault(WrongMRZ, "The chip did not take the key from the MRZ: the back that was scanned belongs to another card, or was misread. "+
		"Scan the back again with this card, or type the number, birth date and expiry as printed.", cause)
}

func wrongCAN(cause error) error {
	return fault(WrongCAN, "The chip did not take the card access number: the number typed or scanned belongs to another card. It is the "+
		"last six digits of the number on the front.", cause)
}
