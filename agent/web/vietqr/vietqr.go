// Package vietqr writes the text of a payment QR code that every Vietnamese banking app reads. In go a
// bank account, an amount and a purpose; out comes an EMVCo merchant-presented payload with NAPAS's
// account template and its checksum. It promises that a text it gives back without error can be paid.
package vietqr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Transfer is one payment to an account.
type Transfer struct {
	BIN     string // the bank's six digits at NAPAS
	Account string
	Amount  int64  // đồng; 0 lets the payer type it
	Purpose string // letters lose their marks; at most 25 stay, the most that EMVCo allows
}

// Encode gives the text of the QR code.
func (t Transfer) Encode() (string, error) {
	if len(t.BIN) != 6 || strings.Trim(t.BIN, "0123456789") != "" {
		return "", errors.New("encode VietQR: the bank's BIN must have six digits")
	}
	if len(t.Account) < 1 || len(t.Account) > 19 || strings.ContainsFunc(t.Account, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return "", errors.New("encode VietQR: the account number must have 1 to 19 letters and digits")
	}
	if t.Amount < 0 || t.Amount > 9_999_999_999_999 {
		return "", errors.New("encode VietQR: the amount is out of range")
	}
	method := "11" // may be paid many times, amount typed by the payer
	if t.Amount > 0 {
		method = "12"
	}
	var b strings.Builder
	b.WriteString(field("00", "01"))
	b.WriteString(field("01", method))
	b.WriteString(field("38", field("00", "A000000727")+
		field("01", field("00", t.BIN)+field("01", t.Account))+field("02", "QRIBFTTA")))
	b.WriteString(field("53", "704"))
	if t.Amount > 0 {
		b.WriteString(field("54", strconv.FormatInt(t.Amount, 10)))
	}
	b.WriteString(field("58", "VN"))
	if purpose := plain(t.Purpose); purpose != "" {
		b.WriteString(field("62", field("08", purpose)))
	}
	b.WriteString("6304")
	return b.String() + fmt.Sprintf("%04X", checksum(b.String())), nil
}

// field is one tag, its length in two digits, its value.
func field(tag, value string) string { return fmt.Sprintf("%s%02d%s", tag, len(value), value) }

// plain writes a purpose in the letters that every bank takes.
func plain(s string) string {
	s = strings.NewReplacer("đ", "d", "Đ", "D").Replace(s)
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		if r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .-", r)) && b.Len() < 25 {
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// checksum is CRC-16/CCITT-FALSE: polynomial 0x1021, beginning with 0xFFFF.
func checksum(s string) uint16 {
	crc := uint16(0xFFFF)
	for i := range len(s) {
		crc ^= uint16(s[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
