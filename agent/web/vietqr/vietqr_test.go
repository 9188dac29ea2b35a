package vietqr

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The first example is printed in NAPAS's QR format for IBFT (v1.5.2); the others are of two published
// implementations that banks' apps read.
func TestEncode(t *testing.T) {
	for name, c := range map[string]struct {
		in   Transfer
		want string
	}{
		"to_an_account": {Transfer{BIN: "970403", Account: "0011012345678"},
			"00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F"},
		"to_an_account_with_amount_and_purpose": {Transfer{BIN: "970403", Account: "0011012345678", Amount: 180000,
			Purpose: "thanh toan don hang"},
			"00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62230819thanh toan don hang63045FAB"},
		"marks_are_dropped": {Transfer{BIN: "970415", Account: "0011001932418", Amount: 120000, Purpose: "ủng hộ lũ lụt"},
			"00020101021238570010A00000072701270006970415011300110019324180208QRIBFTTA530370454061200005802VN62170813ung ho lu lut6304C15C"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.in.Encode()
			if err != nil || got != c.want {
				t.Errorf("got  %s %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	for text, want := range map[string]uint16{
		"123456789": 0x29B1, // the check value of CRC-16/CCITT-FALSE
		// NAPAS's example with a bill number.
		"00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62340107NPS68690819thanh toan don " +
			"hang6304": 0x2E2E,
	} {
		if got := checksum(text); got != want {
			t.Errorf("%s: %04X, want %04X", text, got, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, in := range map[string]Transfer{
		"short_bin": {BIN: "97", Account: "1"}, "letters_in_bin": {BIN: "97040x", Account: "1"}, "no_account": {BIN: "970403"},
		"account_with_blank": {BIN: "970403", Account: "1 2"}, "negative": {BIN: "970403", Account: "1", Amount: -1},
		"too_much": {BIN: "970403", Account: "1", Amount: 1e13},
	} {
		if out, err := in.Encode(); err == nil {
			t.Errorf("%s gave %s", name, out)
		}
	}
}

// Every text that is given back can be taken apart again by its lengths, and its checksum holds.
func TestEncodeIsWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := Transfer{BIN: rapid.StringMatching(`[0-9]{6}`).Draw(t, "bin"),
			Account: rapid.StringMatching(`[0-9A-Za-z]{1,19}`).Draw(t, "account"),
			Amount:  rapid.Int64Range(0, 9_999_999_999_999).Draw(t, "amount"), Purpose: rapid.String().Draw(t, "purpose")}
		text, err := in.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for rest := text; rest != ""; {
			n := int(rest[2]-'0')*10 + int(rest[3]-'0')
			rest = rest[4+n:]
		}
		if strings.TrimLeft(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .-") != "" {
			t.Fatal("letters a banking app may not take")
		}
	})
}
