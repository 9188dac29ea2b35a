package sm

import (
	"bytes"
	"encoding/hex"
	"testing"

	"motcua/drivers/lds/internal/apdu"
)

func h(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ICAO 9303-11 appendix D.4: secure messaging with 3DES, as printed.
func TestWorkedExampleD4(t *testing.T) {
	s := NewSession(TDES, h(t, "0036D272F5C350ACAC50C3F572D23600"), h(t, "887022120C06C226"))
	if !bytes.Equal(s.enc, h(t, "979EC13B1CBFE9DCD01AB0FED307EAE5")) || !bytes.Equal(s.mac, h(t, "F1CB1F1FB5ADF208806B89DC579DC1F8")) {
		t.Fatalf("session keys %X %X", s.enc, s.mac)
	}
	chip := NewSession(TDES, h(t, "0036D272F5C350ACAC50C3F572D23600"), h(t, "887022120C06C226"))
	for _, step := range []struct {
		name         string
		c            apdu.Command
		sealed, resp string
		data         string
	}{
		{"select EF.COM", apdu.Command{Ins: 0xa4, P1: 2, P2: 0x0c, Data: h(t, "011E")},
			"0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800", "990290008E08FA855A5D4C50A8ED9000", ""},
		{"read 4 bytes", apdu.Command{Ins: 0xb0, Le: 4},
			"0CB000000D9701048E08ED6705417E96BA5500", "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000", "60145F01"},
		{"read 18 bytes", apdu.Command{Ins: 0xb0, P2: 4, Le: 0x12},
			"0CB000040D9701128E082EA28A70F3C7B53500", "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000",
			"04303130365F36063034303030305C026175"},
	} {
		sealed := s.Seal(step.c).Encode()
		if !bytes.Equal(sealed, h(t, step.sealed)) {
			t.Fatalf("%s: sealed %X", step.name, sealed)
		}
		data, status, err := apdu.Response(h(t, step.resp))
		if err != nil {
			t.Fatal(err)
		}
		data, status, err = s.Open(data, status)
		if err != nil || status != apdu.OK || !bytes.Equal(data, h(t, step.data)) {
			t.Fatalf("%s: opened %X %v %v", step.name, data, status, err)
		}
		// The emulated chip's side, against the same print.
		parsed, err := apdu.Parse(h(t, step.sealed))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := chip.OpenCommand(parsed)
		if err != nil || !bytes.Equal(plain.Encode(), step.c.Encode()) {
			t.Fatalf("%s: chip opened %X %v", step.name, plain.Encode(), err)
		}
		if resp := chip.SealResponse(step.c.Ins, h(t, step.data), apdu.OK); !bytes.Equal(resp, h(t, step.resp)) {
			t.Fatalf("%s: chip sealed %X", step.name, resp)
		}
	}
}

// The examples of NIST SP 800-38B, appendix D.1.
func TestCMAC(t *testing.T) {
	text := h(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"+
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	b := AES128.block(h(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	for n, want := range map[int]string{0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe"} {
		if got := cmac(b, text[:n]); !bytes.Equal(got, h(t, want)) {
			t.Errorf("%d bytes: %x", n, got)
		}
	}
}

func TestBothSidesOfEverySuite(t *testing.T) {
	for _, suite := range []Suite{TDES, AES128, AES192, AES256} {
		reader, chip := NewSession(suite, []byte("secret"), nil), NewSession(suite, []byte("secret"), nil)
		for _, c := range []apdu.Command{
			{Ins: 0xa4, P1: 2, P2: 0x0c, Data: []byte{1, 2}},
			{Ins: 0xb0, Le: 256},
			{Ins: 0xb1, Data: []byte{0x54, 2, 0x80, 0}, Le: 200},
			{Ins: 0xb0, Le: 30000},
			{Ins: 0xd6, Data: make([]byte, 300)},
		} {
			parsed, err := apdu.Parse(reader.Seal(c).Encode())
			if err != nil {
				t.Fatal(err)
			}
			plain, err := chip.OpenCommand(parsed)
			if err != nil || !bytes.Equal(plain.Encode(), c.Encode()) {
				t.Fatalf("suite %d: %X, %v", suite, plain.Encode(), err)
			}
			want := bytes.Repeat([]byte{0x5a}, min(c.Le, 500))
			data, status, err := apdu.Response(chip.SealResponse(c.Ins, want, apdu.OK))
			if err != nil {
				t.Fatal(err)
			}
			if data, _, err = reader.Open(data, status); err != nil || !bytes.Equal(data, want) {
				t.Fatalf("suite %d: %X, %v", suite, data, err)
			}
		}
	}
}

func TestAlteredResponsesAreRefused(t *testing.T) {
	for _, suite := range []Suite{TDES, AES128} {
		good := NewSession(suite, []byte("secret"), nil).SealResponse(0xb0, []byte("personal data"), apdu.OK)
		open := func(b []byte) error {
			data, status, err := apdu.Response(b)
			if err == nil {
				_, _, err = NewSession(suite, []byte("secret"), nil).Open(data, status)
			}
			return err
		}
		if err := open(good); err != nil {
			t.Fatal(err)
		}
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 4
			if open(bad) == nil {
				t.Errorf("suite %d: byte %d altered and taken", suite, i)
			}
		}
		late := NewSession(suite, []byte("secret"), nil)
		late.count()
		if data, status, _ := apdu.Response(good); true {
			if _, _, err := late.Open(data, status); err == nil {
				t.Errorf("suite %d: an old response was taken again", suite)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(NewSession(TDES, []byte("secret"), nil).SealResponse(0xb0, []byte("data"), apdu.OK), true)
	f.Add(NewSession(AES128, []byte("secret"), nil).SealResponse(0xb1, []byte("data"), apdu.EndOfFile), false)
	f.Fuzz(func(t *testing.T, b []byte, tdes bool) {
		suite := AES128
		if tdes {
			suite = TDES
		}
		data, status, err := apdu.Response(b)
		if err != nil {
			return
		}
		NewSession(suite, []byte("secret"), nil).Open(data, status)
		if c, err := apdu.Parse(b); err == nil {
			NewSession(suite, []byte("secret"), nil).OpenCommand(c)
		}
	})
}
