// Package apdu is the command and response of ISO 7816-4 as bytes: a Command in, its short or extended
// encoding out, and back again for a card that is emulated.
package apdu

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Command is one command APDU.
type Command struct {
	Class, Ins, P1, P2 byte
	Data               []byte
	Le                 int // bytes wanted at most; 0: none
}

// Encode writes the short form where it fits, the extended form otherwise.
func (c Command) Encode() []byte {
	out := []byte{c.Class, c.Ins, c.P1, c.P2}
	if len(c.Data) <= 255 && c.Le <= 256 {
		if len(c.Data) > 0 {
			out = append(append(out, byte(len(c.Data))), c.Data...)
		}
		if c.Le > 0 {
			out = append(out, byte(c.Le)) // 256 is written 00
		}
		return out
	}
	out = append(out, 0)
	if len(c.Data) > 0 {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(c.Data))), c.Data...)
	}
	if c.Le > 0 {
		out = binary.BigEndian.AppendUint16(out, uint16(c.Le)) // 65536 is written 0000
	}
	return out
}

// Parse reads a command as a card does.
func Parse(b []byte) (Command, error) {
	malformed := errors.New("malformed command")
	if len(b) < 4 {
		return Command{}, malformed
	}
	c := Command{Class: b[0], Ins: b[1], P1: b[2], P2: b[3]}
	b = b[4:]
	orMost := func(n, most int) int {
		if n == 0 {
			return most
		}
		return n
	}
	switch {
	case len(b) == 0:
	case len(b) == 1:
		c.Le = orMost(int(b[0]), 256)
	case b[0] != 0:
		n := int(b[0])
		if len(b) < 1+n || len(b) > 2+n {
			return Command{}, malformed
		}
		c.Data = b[1 : 1+n]
		if len(b) == 2+n {
			c.Le = orMost(int(b[1+n]), 256)
		}
	case len(b) == 3:
		c.Le = orMost(int(binary.BigEndian.Uint16(b[1:])), 65536)
	case len(b) > 3:
		n := int(binary.BigEndian.Uint16(b[1:]))
		if len(b) != 3+n && len(b) != 5+n {
			return Command{}, malformed
		}
		c.Data = b[3 : 3+n]
		if len(b) == 5+n {
			c.Le = orMost(int(binary.BigEndian.Uint16(b[3+n:])), 65536)
		}
	default:
		return Command{}, malformed
	}
	return c, nil
}

// Status is the status word of a response.
type Status uint16

// The status words that are told apart.
const (
	OK            Status = 0x9000
	EndOfFile     Status = 0x6282
	NotSatisfied  Status = 0x6982
	SMMissing     Status = 0x6987
	SMWrong       Status = 0x6988
	WrongData     Status = 0x6a80
	FileNotFound  Status = 0x6a82
	WrongOffset   Status = 0x6b00
	WrongLength   Status = 0x6700
	NotSupported  Status = 0x6d00
	Blocked       Status = 0x6983
	NoConditions  Status = 0x6985
	wrongPassword Status = 0x6300
)

func (s Status) Error() string { return fmt.Sprintf("the card answered %04X", uint16(s)) }

// WrongPassword reports whether the card refused a key: 6300, or 63Cx with x tries left.
func (s Status) WrongPassword() bool { return s&0xff00 == wrongPassword }

// Response splits a response into its data and status word.
func Response(b []byte) ([]byte, Status, error) {
	if len(b) < 2 {
		return nil, 0, errors.New("response without a status word")
	}
	n := len(b) - 2
	return b[:n:n], Status(binary.BigEndian.Uint16(b[n:])), nil
}
