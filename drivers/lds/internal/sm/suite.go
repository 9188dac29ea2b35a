// Package sm is the cryptography between a reader and an ICAO chip (9303-11, 9.7 and 9.8): key
// derivation, the ciphers and MACs of a suite, and secure messaging. In go commands and shared secrets,
// out come protected commands and opened responses. It promises that a response is opened only if its
// MAC, its status word and its order are right. It serves both sides: reader and emulated chip.
package sm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/bits"
)

// Suite is a cipher with its MAC.
type Suite int

// The suites, numbered as the last arc of a PACE object identifier.
const (
	TDES   Suite = 1 // two-key Triple-DES, retail MAC
	AES128 Suite = 2
	AES192 Suite = 3
	AES256 Suite = 4
)

// The counters of the key derivation function.
const (
	Enc      = 1
	MAC      = 2
	Password = 3
)

// Derive is KDF(secret, counter).
func (s Suite) Derive(secret []byte, counter uint32) []byte {
	in := binary.BigEndian.AppendUint32(bytes.Clone(secret), counter)
	if s == AES192 || s == AES256 {
		sum := sha256.Sum256(in)
		return sum[:map[Suite]int{AES192: 24, AES256: 32}[s]]
	}
	sum := sha1.Sum(in)
	key := sum[:16]
	if s == TDES {
		for i, b := range key { // odd parity, as DES keys are printed and as some chips insist
			key[i] = b&^1 | byte(bits.OnesCount8(b&^1)+1)&1
		}
	}
	return key
}

// block is the cipher for a key of the suite's length.
func (s Suite) block(key []byte) cipher.Block {
	var b cipher.Block
	var err error
	if s == TDES {
		b, err = des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...))
	} else {
		b, err = aes.NewCipher(key)
	}
	if err != nil {
		panic(err) // keys come from Derive, which knows their length
	}
	return b
}

// Encrypt is CBC without padding and with a zero IV, as nonces and BAC's cryptograms are encrypted.
func (s Suite) Encrypt(key, text []byte) []byte {
	b := s.block(key)
	out := make([]byte, len(text))
	cipher.NewCBCEncrypter(b, make([]byte, b.BlockSize())).CryptBlocks(out, text)
	return out
}

// Decrypt undoes Encrypt; text must be whole blocks.
func (s Suite) Decrypt(key, text []byte) []byte {
	b := s.block(key)
	out := make([]byte, len(text))
	cipher.NewCBCDecrypter(b, make([]byte, b.BlockSize())).CryptBlocks(out, text)
	return out
}

// KeySize is the length of a key in bytes; a Triple-DES key counts with its parity.
func (s Suite) KeySize() int {
	switch s {
	case AES192:
		return 24
	case AES256:
		return 32
	}
	return 16
}

// NonceSize is the length in bytes of a chip's nonce, where it is mapped by PseudoRandom.
func (s Suite) NonceSize() int {
	if s == AES192 || s == AES256 {
		return 32
	}
	return 16
}

// PseudoRandom maps two nonces to a number below p (9303-11, 4.4.3.3.3): the chip's, s, which must be one or two whole
// blocks of 128 bits as the suite has it, and the reader's, t, as long as a key.
func (s Suite) PseudoRandom(nonce, t []byte, p *big.Int) (*big.Int, error) {
	constants := [2]string{"a668892a7c41e3ca739f40b057d85904", "a4e136ac725f738b01c1f60217c188ad"}
	if s == AES192 || s == AES256 {
		constants = [2]string{"d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676",
			"54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"}
	}
	if len(nonce) != s.NonceSize() || len(t) != s.KeySize() {
		return nil, fmt.Errorf("nonces of %d and %d bytes", len(nonce), len(t))
	}
	var c [2][]byte
	for i, digits := range constants {
		c[i], _ = hex.DecodeString(digits)
	}
	key := s.Encrypt(t, nonce)[:s.KeySize()]
	var all []byte
	for 8*len(all) < p.BitLen()+64 {
		all = append(all, s.Encrypt(key, c[1])...)
		key = s.Encrypt(key, c[0])[:s.KeySize()]
	}
	r := new(big.Int).SetBytes(all)
	return r.Mod(r, p), nil
}

// BlockSize is the cipher's.
func (s Suite) BlockSize() int {
	if s == TDES {
		return des.BlockSize
	}
	return aes.BlockSize
}

// Sum is the suite's MAC of 8 bytes: for 3DES the retail MAC over the padded text, for AES CMAC over the
// text as it is.
func (s Suite) Sum(key, text []byte) []byte {
	if s == TDES {
		return retail(key, Pad(text, 8))
	}
	return cmac(s.block(key), text)[:8]
}

// Verify compares a MAC in constant time.
func (s Suite) Verify(key, text, mac []byte) bool {
	return subtle.ConstantTimeCompare(s.Sum(key, text), mac) == 1
}

// retail is ISO 9797-1 MAC algorithm 3 with DES over whole blocks.
func retail(key, text []byte) []byte {
	a, err := des.NewCipher(key[:8])
	if err != nil {
		panic(err)
	}
	b, err := des.NewCipher(key[8:16])
	if err != nil {
		panic(err)
	}
	sum := make([]byte, 8)
	for ; len(text) > 0; text = text[8:] {
		subtle.XORBytes(sum, sum, text[:8])
		a.Encrypt(sum, sum)
	}
	b.Decrypt(sum, sum)
	a.Encrypt(sum, sum)
	return sum
}

// cmac is NIST SP 800-38B.
func cmac(b cipher.Block, text []byte) []byte {
	n := b.BlockSize()
	double := func(in []byte) []byte {
		out, carry := make([]byte, n), byte(0)
		for i := n - 1; i >= 0; i-- {
			out[i] = in[i]<<1 | carry
			carry = in[i] >> 7
		}
		out[n-1] ^= carry * 0x87
		return out
	}
	sub := make([]byte, n)
	b.Encrypt(sub, sub)
	sub = double(sub)
	last := len(text) - 1
	last -= last % n // where the last block begins
	if len(text) == 0 {
		last = 0
	}
	tail := text[last:]
	if len(tail) < n {
		tail, sub = Pad(tail, n), double(sub)
	}
	sum := make([]byte, n)
	for i := 0; i < last; i += n {
		subtle.XORBytes(sum, sum, text[i:i+n])
		b.Encrypt(sum, sum)
	}
	subtle.XORBytes(sum, sum, tail)
	subtle.XORBytes(sum, sum, sub)
	b.Encrypt(sum, sum)
	return sum
}

// Pad is ISO 9797-1 padding method 2 to whole blocks.
func Pad(text []byte, block int) []byte {
	out := append(bytes.Clone(text), 0x80)
	for len(out)%block != 0 {
		out = append(out, 0)
	}
	return out
}

// Unpad undoes Pad.
func Unpad(text []byte) ([]byte, bool) {
	trimmed := bytes.TrimRight(text, "\x00")
	if n := len(trimmed); n > 0 && trimmed[n-1] == 0x80 {
		return trimmed[:n-1], true
	}
	return nil, false
}

// SHA1 is the hash ICAO makes document keys with.
func SHA1(text []byte) []byte {
	sum := sha1.Sum(text)
	return sum[:]
}
