package lds

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/sm"
)

func h(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// printed is a chip that answers as the standard prints it, and demands the printed commands.
type printed struct {
	t     *testing.T
	steps [][2]string
}

func (p *printed) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if len(p.steps) == 0 {
		p.t.Fatalf("a command more than printed: %X", command)
	}
	step := p.steps[0]
	p.steps = p.steps[1:]
	if want := h(p.t, step[0]); !bytes.Equal(command, want) {
		p.t.Fatalf("sent %X, printed is %X", command, want)
	}
	return h(p.t, step[1]), nil
}

// ICAO 9303-11 appendix D.2: document basic access keys.
func TestWorkedExampleD2(t *testing.T) {
	for _, tc := range []struct {
		key              Key
		text, enc, mac   string
		seedIsNotPrinted bool
	}{
		{Key{"L898902C", "690806", "940623"}, "L898902C<369080619406236", "AB94FDECF2674FDFB9B391F85D7F76F2", "7962D9ECE03D1ACD4C76089DCE131543", false},
		{Key{"D23145890734", "340712", "950712"}, "D23145890734934071279507122", "", "", true},
	} {
		text, err := tc.key.information()
		if err != nil || text != tc.text {
			t.Errorf("information %s, %v", text, err)
		}
		if tc.seedIsNotPrinted {
			continue
		}
		hash, err := tc.key.hash()
		if err != nil || !bytes.Equal(hash[:16], h(t, "239AB9CB282DAF66231DC5A4DF6BFBAE")) {
			t.Errorf("seed %X, %v", hash, err)
		}
		if enc := sm.TDES.Derive(hash[:16], sm.Enc); !bytes.Equal(enc, h(t, tc.enc)) {
			t.Errorf("K_enc %X", enc)
		}
		if mac := sm.TDES.Derive(hash[:16], sm.MAC); !bytes.Equal(mac, h(t, tc.mac)) {
			t.Errorf("K_mac %X", mac)
		}
	}
}

// ICAO 9303-11 appendices D.3 and D.4: basic access control and the reading of EF.COM, as printed.
func TestWorkedExampleD3(t *testing.T) {
	p := &printed{t, [][2]string{
		{"0084000008", "4608F91988702212 9000"},
		{"0082000028 72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2 5F1448EEA8AD90A7 28",
			"46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F 2F2D235D074D7449 9000"},
	}}
	c := &channel{t: p}
	random := bytes.NewReader(h(t, "781723860C06C226 0B795240CB7049B01C19B33E32804F0B"))
	if err := c.bac(t.Context(), Key{"L898902C<", "690806", "940623"}, random); err != nil {
		t.Fatal(err)
	}
	want := sm.NewSession(sm.TDES, h(t, "0036D272F5C350ACAC50C3F572D23600"), h(t, "887022120C06C226"))
	if !c.session.Equal(want) {
		t.Fatal("session is not the printed one")
	}
	// Appendix D.4 from here, EF.COM selected and read.
	p.steps = [][2]string{
		{"0CA4020C 15 8709016375432908C044F6 8E08BF8B92D635FF24F8 00", "99029000 8E08FA855A5D4C50A8ED 9000"},
		{"0CB00000 0D 970104 8E08ED6705417E96BA55 00", "8709019FF0EC34F9922651 99029000 8E08AD55CC17140B2DED 9000"},
		{"0CB00004 0D 970112 8E082EA28A70F3C7B535 00", "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A 99029000 8E08C8B2787EAEA07D74 9000"},
	}
	if _, err := c.must(t.Context(), apdu.Command{Ins: 0xa4, P1: 2, P2: 0x0c, Data: h(t, "011E")}); err != nil {
		t.Fatal(err)
	}
	head, _, err := c.readAt(t.Context(), 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	tail, _, err := c.readAt(t.Context(), 4, 18)
	if err != nil {
		t.Fatal(err)
	}
	if got := listed(append(head, tail...)); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("EF.COM lists %v", got)
	}
}

// ICAO 9303-11 appendix G.1: PACE with generic mapping over BrainpoolP256r1 and AES-128, as printed.
func TestWorkedExampleG1(t *testing.T) {
	infos, err := parseCardAccess(h(t, "31143012060A04007F0007020204020202010202010D"))
	if err != nil || len(infos) != 1 || infos[0].curve == nil || infos[0].curve.Name != "brainpoolP256r1" || infos[0].suite != sm.AES128 {
		t.Fatalf("EF.CardAccess: %+v, %v", infos, err)
	}
	password, err := Key{"T22000129", "640812", "101031"}.hash()
	if err != nil || !bytes.Equal(password, h(t, "7E2D2A41C74EA0B38CD36F863939BFA8E9032AAD")) {
		t.Fatalf("password %X, %v", password, err)
	}
	p := &printed{t, [][2]string{
		{"0022C1A4 0F 800A04007F00070202040202 830101", "9000"},
		{"10860000 02 7C00 00", "7C128010 95A3A016522EE98D01E76CB6B98B42C3 9000"},
		{"10860000 45 7C438141 04 7ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E 544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D 00",
			"7C438241 04 824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57 30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54 9000"},
		{"10860000 45 7C438341 04 2DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C 3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462 00",
			"7C438441 04 9E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB 7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094 9000"},
		{"00860000 0C 7C0A8508 C2B0BD78D94BA866 00", "7C0A8608 3ABB9674BCE93C08 9000"},
	}}
	c := &channel{t: p}
	random := bytes.NewReader(h(t, "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99 A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595"))
	if err := c.pace(t.Context(), infos, paceMRZ, password, random); err != nil {
		t.Fatal(err)
	}
	if len(p.steps) != 0 {
		t.Errorf("%d printed steps were not taken", len(p.steps))
	}
	secret := h(t, "28768D20701247DAE81804C9E780EDE582A9996DB4A315020B2733197DB84925")
	if !bytes.Equal(sm.AES128.Derive(secret, sm.Enc), h(t, "F5F0E35C0D7161EE6724EE513A0D9A7F")) || !bytes.Equal(sm.AES128.Derive(secret, sm.MAC), h(t, "FE251C7858B356B24514B3BD5F4297D1")) ||
		!c.session.Equal(sm.NewSession(sm.AES128, secret, nil)) {
		t.Error("session keys are not the printed ones")
	}
}

func FuzzCardAccess(f *testing.F) {
	f.Add(h(f, "31143012060A04007F0007020204020202010202010D"))
	f.Add(h(f, "3128 3012060A04007F0007020204020402010202010D 3012060A04007F00070202040604020102020112"))
	f.Add([]byte{0x31, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, file []byte) {
		infos, err := parseCardAccess(file)
		for _, i := range infos {
			if err == nil && i.curve != nil && (i.suite < 1 || i.suite > 4) {
				t.Errorf("curve without a suite: %+v", i)
			}
		}
	})
}
