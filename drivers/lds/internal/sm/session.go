package sm

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"errors"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/tlv"
)

// ErrForged says that a message was not protected with the session's keys, or came out of order.
var ErrForged = errors.New("secure messaging: a message was cut, altered or repeated")

// Session is secure messaging from the moment keys are agreed. A reader uses Seal and Open, a chip
// OpenCommand and SealResponse, each in turn.
type Session struct {
	suite    Suite
	enc, mac []byte
	counter  []byte // the send sequence counter, one block long
}

// NewSession derives the session keys from the shared secret. counter is nil for a new one at zero.
func NewSession(s Suite, secret, counter []byte) *Session {
	if counter == nil {
		counter = make([]byte, s.BlockSize())
	}
	return &Session{s, s.Derive(secret, Enc), s.Derive(secret, MAC), bytes.Clone(counter)}
}

func (s *Session) count() {
	for i := len(s.counter) - 1; i >= 0; i-- {
		s.counter[i]++
		if s.counter[i] != 0 {
			return
		}
	}
}

// crypt encrypts or decrypts whole blocks. AES takes its IV from the counter, 3DES a zero one.
func (s *Session) crypt(text []byte, mode func(cipher.Block, []byte) cipher.BlockMode) []byte {
	b := s.suite.block(s.enc)
	iv := make([]byte, b.BlockSize())
	if s.suite != TDES {
		b.Encrypt(iv, s.counter)
	}
	out := make([]byte, len(text))
	mode(b, iv).CryptBlocks(out, text)
	return out
}

// sum is the MAC over the counter and the parts, padded as secure messaging demands for both ciphers.
func (s *Session) sum(parts ...[]byte) []byte {
	text := bytes.Clone(s.counter)
	for _, p := range parts {
		text = append(text, p...)
	}
	if s.suite == TDES {
		return s.suite.Sum(s.mac, text)
	}
	return s.suite.Sum(s.mac, Pad(text, s.suite.BlockSize()))
}

// The data objects of secure messaging.
const (
	doCipher = 0x87 // padding indicator and cryptogram; for odd instructions doCipherOdd without indicator
	doOdd    = 0x85
	doLe     = 0x97
	doStatus = 0x99
	doMAC    = 0x8e
)

// Seal protects a command.
func (s *Session) Seal(c apdu.Command) apdu.Command {
	s.count()
	header := Pad([]byte{c.Class | 0x0c, c.Ins, c.P1, c.P2}, s.suite.BlockSize())
	var objects []byte
	if len(c.Data) > 0 {
		secret := s.crypt(Pad(c.Data, s.suite.BlockSize()), cipher.NewCBCEncrypter)
		if c.Ins&1 == 0 {
			objects = tlv.Append(objects, doCipher, []byte{1}, secret)
		} else {
			objects = tlv.Append(objects, doOdd, secret)
		}
	}
	if c.Le > 256 {
		objects = tlv.Append(objects, doLe, binary.BigEndian.AppendUint16(nil, uint16(c.Le)))
	} else if c.Le > 0 {
		objects = tlv.Append(objects, doLe, []byte{byte(c.Le)})
	}
	mac := s.sum(header, objects)
	le := 256
	if c.Le > 256 {
		le = 65536
	}
	return apdu.Command{Class: c.Class | 0x0c, Ins: c.Ins, P1: c.P1, P2: c.P2, Data: tlv.Append(objects, doMAC, mac), Le: le}
}

// Open checks and decrypts a response. A chip that answers without protection has ended the session and
// gives only its status word.
func (s *Session) Open(data []byte, status apdu.Status) ([]byte, apdu.Status, error) {
	s.count()
	if len(data) == 0 && status != apdu.OK {
		return nil, status, nil
	}
	all, err := tlv.All(data)
	if err != nil {
		return nil, status, ErrForged
	}
	var covered, secret []byte
	var ok bool
	inner, seen, checked := status, false, false
	for i, o := range all {
		switch o.Tag {
		case doCipher, doOdd:
			secret = o.Value
			if o.Tag == doCipher {
				if secret, ok = bytes.CutPrefix(secret, []byte{1}); !ok { // the padding indicator
					return nil, status, ErrForged
				}
			}
		case doStatus:
			if len(o.Value) != 2 {
				return nil, status, ErrForged
			}
			inner, seen = apdu.Status(binary.BigEndian.Uint16(o.Value)), true
		case doMAC:
			// The MAC comes last: what came after it would not be covered.
			if i != len(all)-1 || !hmac.Equal(s.sum(covered), o.Value) {
				return nil, status, ErrForged
			}
			checked = true
		}
		covered = append(covered, o.Raw...)
	}
	if !checked || !seen || inner != status {
		return nil, status, ErrForged
	}
	if secret == nil {
		return nil, status, nil
	}
	plain, err := s.decrypt(secret)
	return plain, status, err
}

// decrypt opens what is enciphered and padded.
func (s *Session) decrypt(secret []byte) ([]byte, error) {
	if len(secret) == 0 || len(secret)%s.suite.BlockSize() != 0 {
		return nil, ErrForged
	}
	plain, ok := Unpad(s.crypt(secret, cipher.NewCBCDecrypter))
	if !ok {
		return nil, ErrForged
	}
	return plain, nil
}

// OpenCommand is the chip's side of Seal.
func (s *Session) OpenCommand(c apdu.Command) (apdu.Command, error) {
	s.count()
	all, err := tlv.All(c.Data)
	if err != nil || c.Class&0x0c != 0x0c {
		return c, ErrForged
	}
	covered := Pad([]byte{c.Class, c.Ins, c.P1, c.P2}, s.suite.BlockSize())
	plain, checked := apdu.Command{Class: c.Class &^ 0x0c, Ins: c.Ins, P1: c.P1, P2: c.P2}, false
	for i, o := range all {
		switch {
		case o.Tag == doMAC:
			if checked = i == len(all)-1 && hmac.Equal(s.sum(covered), o.Value); !checked {
				return c, ErrForged
			}
		case o.Tag == doLe && len(o.Value) == 1:
			if plain.Le = int(o.Value[0]); plain.Le == 0 {
				plain.Le = 256
			}
		case o.Tag == doLe && len(o.Value) == 2:
			if plain.Le = int(binary.BigEndian.Uint16(o.Value)); plain.Le == 0 {
				plain.Le = 65536
			}
		case o.Tag == doCipher || o.Tag == doOdd:
			secret := o.Value
			if o.Tag == doCipher && len(secret) > 0 {
				secret = secret[1:]
			}
			if plain.Data, err = s.decrypt(secret); err != nil {
				return c, err
			}
		}
		covered = append(covered, o.Raw...)
	}
	if !checked {
		return c, ErrForged
	}
	return plain, nil
}

// SealResponse is the chip's side of Open.
func (s *Session) SealResponse(ins byte, data []byte, status apdu.Status) []byte {
	s.count()
	var objects []byte
	if len(data) > 0 {
		secret := s.crypt(Pad(data, s.suite.BlockSize()), cipher.NewCBCEncrypter)
		if ins&1 == 0 {
			objects = tlv.Append(objects, doCipher, []byte{1}, secret)
		} else {
			objects = tlv.Append(objects, doOdd, secret)
		}
	}
	word := binary.BigEndian.AppendUint16(nil, uint16(status))
	objects = tlv.Append(objects, doStatus, word)
	return append(tlv.Append(objects, doMAC, s.sum(objects)), word...)
}

// Equal reports whether both sessions have the same keys and stand at the same message.
func (s *Session) Equal(o *Session) bool {
	return s.suite == o.suite && hmac.Equal(s.enc, o.enc) && hmac.Equal(s.mac, o.mac) && bytes.Equal(s.counter, o.counter)
}
