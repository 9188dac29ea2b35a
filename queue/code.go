package queue

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// codeAlphabet has no two characters that are taken for each other on paper or by ear over a counter:
// no 0/O, no 1/I/L, no U beside V, no S beside 5. Its 29 characters are a prime number of them, which
// lets one check character catch every wrong character and every swap of two.
const codeAlphabet = "23456789ABCDEFGHJKMNPQRTVWXYZ"

// codeLength counts the check character.
const codeLength = 8

// newCode makes a receipt code: seven random characters and the check character, as "7K3P-92QX".
func newCode() string {
	var c [codeLength]byte
	for i := range c[:codeLength-1] {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet))))
		if err != nil {
			panic(err) // crypto/rand does not fail
		}
		c[i] = codeAlphabet[n.Int64()]
	}
	c[codeLength-1] = checkCharacter(c[:codeLength-1])
	return string(c[:4]) + "-" + string(c[4:])
}

// checkCharacter weighs position i with i+1: 1…7, all different and none 0 modulo 29.
func checkCharacter(payload []byte) byte {
	sum := 0
	for i, c := range payload {
		sum += (i + 1) * strings.IndexByte(codeAlphabet, c)
	}
	return codeAlphabet[sum%len(codeAlphabet)]
}

// ParseCode reads a receipt code as people type it: any case, with or without the hyphen or spaces, S
// for 5. It reports false if the check character doesn't fit, so that a slip is told from a code that
// is not known here.
func ParseCode(text string) (code string, ok bool) {
	var c []byte
	for _, r := range strings.ToUpper(text) {
		switch {
		case r == '-' || r == ' ' || r == '.' || r == '–':
			continue
		case r == 'S':
			r = '5'
		}
		if r > 127 || strings.IndexByte(codeAlphabet, byte(r)) < 0 || len(c) == codeLength {
			return "", false
		}
		c = append(c, byte(r))
	}
	if len(c) != codeLength || checkCharacter(c[:codeLength-1]) != c[codeLength-1] {
		return "", false
	}
	return string(c[:4]) + "-" + string(c[4:]), true
}
