package lds

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"motcua/drivers/lds/internal/sm"
)

// Access is the key to the chip, as it is printed on the card. With both, the CAN is tried first.
type Access struct {
	CAN string // six digits
	MRZ Key
}

// Key is the part of the MRZ that opens the chip.
type Key struct {
	Number string // the document number: on a Vietnamese card the last nine digits of the personal number
	Birth  string // YYMMDD
	Expiry string // YYMMDD
}

// Format keeps the key out of logs.
func (a Access) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "access(can %t, mrz %t)", a.CAN != "", a.MRZ != Key{})
}

// Format keeps the key out of logs.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, "mrz key") }

// CAN gives the card access number of a Vietnamese card: the last six digits of the personal number.
func CAN(number string) (string, error) {
	if len(number) != 12 || strings.Trim(number, "0123456789") != "" {
		return "", errors.New("a personal number has twelve digits")
	}
	return number[6:], nil
}

// CardKey makes the key of a Vietnamese card from what its front says: the personal number, and the dates
// of birth and expiry as this project writes them (ISO 8601, or "Không thời hạn"). With it a chip that
// has BAC only opens also where the back was not scanned or its MRZ not read.
func CardKey(number, birth, expiry string) (Key, error) {
	if _, err := CAN(number); err != nil {
		return Key{}, err
	}
	if expiry == endless {
		expiry = "2099-12-31"
	}
	k := Key{Number: number[3:]}
	for to, from := range map[*string]string{&k.Birth: birth, &k.Expiry: expiry} {
		d, err := time.Parse(time.DateOnly, from)
		if err != nil {
			return Key{}, errors.New("the key of a card wants whole dates of birth and expiry")
		}
		*to = d.Format("060102")
	}
	return k, nil
}

// KeyOf takes the key out of the lines of an MRZ (TD1, TD2 or TD3). Every check digit the key rests on
// must be right: a wrong key costs the citizen seconds and tells nobody why.
func KeyOf(lines []string) (Key, error) {
	m, err := parseMRZ(strings.Join(lines, ""))
	if err != nil {
		return Key{}, err
	}
	for _, f := range m.wrong {
		if f == "document_number" || f == "date_of_birth" || f == "date_of_expiry" {
			return Key{}, errors.New("a check digit in the MRZ is wrong")
		}
	}
	return Key{m.document, m.birth, m.expiry}, nil
}

// information is MRZ_information of 9303-11, 9.7.2: number, birth and expiry with their check digits.
func (k Key) information() (string, error) {
	number := k.Number
	for len(number) < 9 {
		number += "<"
	}
	out := ""
	for _, part := range []string{number, k.Birth, k.Expiry} {
		digit, ok := checkDigit(part)
		if !ok {
			return "", errors.New("the MRZ key has a character no MRZ has")
		}
		out += part + string(digit)
	}
	if len(k.Birth) != 6 || len(k.Expiry) != 6 || len(k.Number) == 0 {
		return "", errors.New("the MRZ key wants a number and two dates of six digits")
	}
	return out, nil
}

// checkDigit is that of 9303-3, 4.9: weights 7, 3, 1.
func checkDigit(s string) (byte, bool) {
	sum := 0
	for i, c := range []byte(s) {
		v := 0
		switch {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		case c != '<':
			return 0, false
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10), true
}

// hash is f(π) of PACE; its first 16 bytes are K_seed of basic access control.
func (k Key) hash() ([]byte, error) {
	text, err := k.information()
	if err != nil {
		return nil, err
	}
	return sm.SHA1([]byte(text)), nil
}
