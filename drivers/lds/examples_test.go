package lds

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"motcua/drivers/lds/internal/apdu"
	"motcua/drivers/lds/internal/group"
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
		{Key{"L898902C", "690806", "940623"}, "L898902C<369080619406236", "AB94FDECF2674FDFB9B391F85D7F76F2", "7962D9ECE03D1ACD4C76089DCE131543",
			false},
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
		{"0CB00004 0D 970112 8E082EA28A70F3C7B535 00", "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A 99029000 8E08C8B2787EAEA07D74 " +
			"9000"},
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
	if err != nil || len(infos) != 1 || infos[0].group == nil || infos[0].suite != sm.AES128 {
		t.Fatalf("EF.CardAccess: %+v, %v", infos, err)
	}
	password, err := Key{"T22000129", "640812", "101031"}.hash()
	if err != nil || !bytes.Equal(password, h(t, "7E2D2A41C74EA0B38CD36F863939BFA8E9032AAD")) {
		t.Fatalf("password %X, %v", password, err)
	}
	p := &printed{t, [][2]string{
		{"0022C1A4 0F 800A04007F00070202040202 830101", "9000"},
		{"10860000 02 7C00 00", "7C128010 95A3A016522EE98D01E76CB6B98B42C3 9000"},
		{"10860000 45 7C438141 04 7ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E " +
			"544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D 00",
			"7C438241 04 824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57 " +
				"30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54 9000"},
		{"10860000 45 7C438341 04 2DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C " +
			"3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462 00",
			"7C438441 04 9E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB " +
				"7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094 9000"},
		{"00860000 0C 7C0A8508 C2B0BD78D94BA866 00", "7C0A8608 3ABB9674BCE93C08 9000"},
	}}
	c := &channel{t: p}
	random := bytes.NewReader(h(t, "7F4EF07B9EA82FD78AD689B38D0BC78CF21F249D953BC46F4C6E19259C010F99 "+
		"A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595"))
	if err := c.pace(t.Context(), infos, paceMRZ, password, random); err != nil {
		t.Fatal(err)
	}
	if len(p.steps) != 0 {
		t.Errorf("%d printed steps were not taken", len(p.steps))
	}
	secret := h(t, "28768D20701247DAE81804C9E780EDE582A9996DB4A315020B2733197DB84925")
	if !bytes.Equal(sm.AES128.Derive(secret, sm.Enc), h(t, "F5F0E35C0D7161EE6724EE513A0D9A7F")) ||
		!bytes.Equal(sm.AES128.Derive(secret, sm.MAC), h(t, "FE251C7858B356B24514B3BD5F4297D1")) ||
		!c.session.Equal(sm.NewSession(sm.AES128, secret, nil)) {
		t.Error("session keys are not the printed ones")
	}
}

// establish runs PACE against a chip that answers as printed, with the printed random numbers.
func establish(t *testing.T, cardAccess string, mrz Key, random string, secret string, suite sm.Suite, steps [][2]string) *channel {
	t.Helper()
	infos, err := parseCardAccess(h(t, cardAccess))
	if err != nil || len(infos) != 1 || infos[0].group == nil || infos[0].suite != suite {
		t.Fatalf("EF.CardAccess: %+v, %v", infos, err)
	}
	password, err := mrz.hash()
	if err != nil {
		t.Fatal(err)
	}
	p := &printed{t, steps}
	c := &channel{t: p}
	if err := c.pace(t.Context(), infos, paceMRZ, password, bytes.NewReader(h(t, random))); err != nil {
		t.Fatal(err)
	}
	if len(p.steps) != 0 {
		t.Errorf("%d printed steps were not taken", len(p.steps))
	}
	if secret != "" && !c.session.Equal(sm.NewSession(suite, h(t, secret), nil)) {
		t.Error("session keys are not the printed ones")
	}
	return c
}

// ICAO 9303-11 appendix G.2: generic mapping over the 1024-bit group with a 160-bit subgroup.
func TestWorkedExampleG2(t *testing.T) {
	establish(t, "31143012060A04007F00070202040102020102020100", Key{"T22000129", "640812", "101031"},
		"5265030F751F4AD18B08AC565FC7AC952E41618D 89CCD99B0E8D3B1F11E1296DCA68EC53411CF2CA",
		"6BABC7B3A72BCD7EA385E4C62DB2625BD8613B24149E146A629311C4CA6698E38B834B6A9E9CD7184BA8834AFF5043D436950C4C1E7832367C10CB8C314D40E5"+
			"990B0DF7013E64B4549E2270923D06F08CFF6BD3E977DDE6ABE4C31D55C0FA2E465E553E77BDF75E3193D3834FC26E8EB1EE2FA1E4FC97C18C3F6CFFFE2607FD",
		sm.AES128, [][2]string{
			{"0022C1A4 0F 800A04007F00070202040102 830101", "9000"},
			{"10860000 02 7C00 00", "7C128010 854D8DF5827FA6852D1A4FA701CDDDCA 9000"},
			{"10860000 86 7C8183818180 " +
				"23FB3749EA030D2A25B278D2A562047ADE3F01B74F17A15402CB7352CA7D2B3EB71C343DB13D1DEBCE9A3666DBCFC920B49174A602CB47965CAA73DC702489A4" +
				"4D41DB914DE9613DC5E98C94160551C0DF86274B9359BC0490D01B03AD54022DCB4F57FAD6322497D7A1E28D46710F461AFE710FBBBC5F8BA166F4311975EC6C 00",
				"7C8183828180 " +
					"78879F57225AA8080D52ED0FC890A4B25336F699AA89A2D3A189654AF70729E623EA5738B26381E4DA19E004706FACE7B235C2DBF2F38748312F3C98C2DD4882" +
					"A41947B324AA1259AC22579DB93F7085655AF30889DBB845D9E6783FE42C9F2449400306254C8AE8EE9DD812A804C0B66E8CAFC14F84D8258950A91B44126EE6 " +
					"9000"},
			{"10860000 86 7C8183838180 " +
				"907D89E2D425A178AA81AF4A7774EC8E388C115CAE67031E85EECE520BD911551B9AE4D04369F29A02626C86FBC6747CC7BC352645B6161A2A42D44EDA80A08F" +
				"A8D61B76D3A154AD8A5A51786B0BC07147057871A922212C5F67F43173172236B7747D1671E6D692A3C7D40A0C3C5CE397545D015C175EB5130551EDBC2EE5D4 00",
				"7C8183848180 " +
					"075693D9AE941877573E634B6E644F8E60AF17A0076B8B123D9201074D36152BD8B3A213F53820C42ADC79AB5D0AEEC3AEFB91394DA476BD97B9B14D0A65C1FC" +
					"71A0E019CB08AF55E1F729005FBA7E3FA5DC41899238A250767A6D46DB974064386CD456743585F8E5D90CC8B4004B1F6D866C79CE0584E49687FF61BC29AEA1 " +
					"9000"},
			{"00860000 0C 7C0A8508 B46DD9BD4D98381F 00", "7C1B8608 917F37B5C0E6D8D1 870F444554455354435643413030303033 9000"},
		})
}

// sealedNonce is the answer with a nonce of appendix H. The password of its examples is not printed, only the key from
// it: that this opens the printed cryptogram is checked here, and the nonce is sealed anew for a known password.
func sealedNonce(t *testing.T, cryptogram, nonce string) string {
	t.Helper()
	if got := sm.AES128.Decrypt(h(t, "591468CDA83D65219CCCB8560233600F"), h(t, cryptogram)); !bytes.Equal(got, h(t, nonce)) {
		t.Fatalf("the printed cryptogram opens to %X", got)
	}
	password, err := Key{"T22000129", "640812", "101031"}.hash()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("7C128010 %X 9000", sm.AES128.Encrypt(sm.AES128.Derive(password, sm.Password), h(t, nonce)))
}

// ICAO 9303-11 appendix H.1: integrated mapping over BrainpoolP256r1.
func TestWorkedExampleH1(t *testing.T) {
	for _, mapped := range []string{"9000", "7C028200 9000"} { // chips answer the mapping nonce either way
		establish(t, "31143012060A04007F0007020204040202010202010D", Key{"T22000129", "640812", "101031"},
			"5DD4CBFC96F5453B130D890A1CDBAE32 A73FB703AC1436A18E0CFA5ABB3F7BEC7A070E7A6788486BEE230C4A22762595",
			"4F150FDE1D4F0E38E95017B891BAE17133A0DF45B0D3E18B60BA7BEAFDC2C713",
			sm.AES128, [][2]string{
				{"0022C1A4 0F 800A04007F00070202040402 830101", "9000"},
				{"10860000 02 7C00 00", sealedNonce(t, "143DC40C08C8E891FBED7DEDB92B64AD", "2923BE84E16CD6AE529049F1F1BBE9EB")},
				{"10860000 14 7C128110 5DD4CBFC96F5453B130D890A1CDBAE32 00", mapped},
				{"10860000 45 7C438341 04 89CBA23FFE96AA18D824627C3E934E54A9FD0B87A95D1471DC1C0ABFDCD640D4 " +
					"6755DE9B7B778280B6BEBD57439ADFEB0E21FD4ED6DF42578C13418A59B34C37 00",
					"7C438441 04 67F78E5F7F7686082B293E8D087E056916D0F74BC01A5F8957D0DE45691E51E8 " +
						"932B69A962B52A0985AD2C0A271EE6A13A8ADDDCD1A3A994B9DED257F4D22753 9000"},
				{"00860000 0C 7C0A8508 450F02B86F6A0909 00", "7C0A8608 75D4D96E8D5B0308 9000"},
			})
	}
}

// ICAO 9303-11 appendix H.2: integrated mapping over the 1024-bit group. The printed key is longer than the group's order;
// what the reader draws is what is left of it modulo the order.
func TestWorkedExampleH2(t *testing.T) {
	order := group.Standard(0, false).Order()
	key := new(big.Int).SetBytes(h(t, ""+
		"4BD0E54740F9A028E6A515BFDAF967848C4F5F5FFF65AA0915947FFD1A0DF2FA6981271BC905F3551457B7E03AC3B8066DE4AA406C1171FB43DD939C4BA16175"+
		"103BA3DEE16419AA248118F90CC36A3D6F4C373652E0C3CCE7F0F1D0C5425B3600F0F0D6A67F004C8BBA33F2B4733C7252445C1DFC4F1107203F71D2EFB28161"))
	key.Mod(key, order)
	establish(t, "31143012060A04007F00070202040302020102020100", Key{"T22000129", "640812", "101031"},
		"B3A6DB3C870C3E99245E0D1C06B747DE"+fmt.Sprintf("%040X", key), "", sm.AES128, [][2]string{
			{"0022C1A4 0F 800A04007F00070202040302 830101", "9000"},
			{"10860000 02 7C00 00", sealedNonce(t, "9ABB8864CA0FF1551E620D1EF4E13510", "FA5B7E3E49753A0DB9178B7B9BD898C8")},
			{"10860000 14 7C128110 B3A6DB3C870C3E99245E0D1C06B747DE 00", "9000"},
			{"10860000 86 7C8183838180 " +
				"0F0CC62945A8029251FB7EF3C094E12EC68E4EF07F27CB9D9CD04C5C4250FAE0E4F8A951557E929AEB48E5C6DD47F2F5CD7C351A9BD2CD722C07EDE166770F08" +
				"FFCB370262CF308DD7B07F2E0DA9CAAA1492344C852906919538C98A4BA4187E76CE9D87832386D319CE2E043C3343AEAE6EDBA1A9894DC5094D22F7FE1351D5 00",
				"7C8183848180 " +
					"928D9A0F9DBA450F13FC859C6F290D1D36E42431138A4378500BEB4E0401854CFF111F71CB6DC1D0335807A11388CC8EAA87B07907AAD9FBA6B169AF6D8C26AF" +
					"8DDDC39ADC3AD2E3FF882B84D23E9768E95A80E4746FB07A9767679FE92133B4D379935C771BD7FBED6C7BB4B1708B275EA75679524CDC9C6A91370CC662A2F3 " +
					"9000"},
			{"00860000 0C 7C0A8508 55D61977CBF5307E 00", "7C0A8608 C2F04230187E1525 9000"},
		})
}

// ICAO 9303-11 appendix I.1: chip authentication mapping, with what the chip proves by it.
func TestWorkedExampleI1(t *testing.T) {
	c := establish(t, "31143012060A04007F0007020204060202010202010D", Key{"C11T002JM", "960812", "231031"},
		"5D8BB87BD74D985A4B7D4325B9F7B976FE835122773400798914AA22738135CC 76ECFDAA9841C323A3F5FC5E88B88DB3EFF7E35EBF57A7E6946CB630006C2120", "",
		sm.AES128, [][2]string{
			{"0022C1A4 0F 800A04007F00070202040602 830101", "9000"},
			{"10860000 02 7C00 00", "7C128010 CB60E8E0D85B76A9BD304747C2AD42E2 9000"},
			{"10860000 45 7C438141 04 7F1D410ADB7DDB3B84BF1030800981A9105D7457B4A3ADE002384F3086C67EDE " +
				"1AB889104A27DB6D842B019020FBF3CEACB0DC627F7BDCAC29969E19D0E553C1 00",
				"7C438241 04 A234236AA9B9621E8EFB73B5245C0E09D2576E5277183C1208BDD55280CAE8B3 " +
					"04F365713A356E65A451E165ECC9AC0AC46E3771342C8FE5AEDD092685338E23 9000"},
			{"10860000 45 7C438341 04 446C934084D9DAB863944F219520076C29EE3F7AE6722B11FF319EC1C7728F95 " +
				"5483400BFF60BF0C5929270009277DC2A515E12575010AD9BA916CF1BF86FEFC 00",
				"7C438441 04 02AD566F3C6EC7F9324509AD50A51FA52030782A4968FCFEDF737DAEA9933331 " +
					"11C3B9B4C2287789BD137E7F8AA882E2A3C633CCD6ECC2C63C57AD401A09C2E1 9000"},
			{"00860000 0C 7C0A8508 E86BD06018A1CD3B 00",
				"7C3C8608 8596CF055C67C1A3 8A301EEA964DAAE372AC990E3EFDE6333353BFC89A6704D93DA8798CF77F5B7A54BD10CBA372B42BE0B9B5F28AA8DE2F4F92 9000"},
		})
	if want := h(t, "85DC3FA93D0952BFA82F5FD189EE75BD82F11D1F0B8ED4BF5319AC9B53C426B3"); c.mapped == nil || !bytes.Equal(c.mapped.data, want) {
		t.Fatalf("chip authentication data %X, printed %X", c.mapped.data, want)
	}
	signed := func(public string) securityInfos {
		g := group.Standard(13, true)
		e, err := g.Unmarshal(h(t, public))
		if err != nil {
			t.Fatal(err)
		}
		return securityInfos{keys: []chipKey{{group: g, public: e}}, mapping: true}
	}
	printed := "04 1872709494399E7470A6431BE25E83EEE24FEA568C2ED28DB48E05DB3A610DC8 " +
		"84D256A40E35EFCB59BF6753D3A489D28C7A4D973C2DA138A6E7A4A08F68E16F"
	if err := c.mapped.check(signed(printed), Options{}); err != nil {
		t.Error(err)
	}
	another := "04 824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57 " +
		"30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54"
	if err := c.mapped.check(signed(another), Options{}); err == nil {
		t.Error("the proof fits a key that is not the chip's")
	}

}

func FuzzCardAccess(f *testing.F) {
	f.Add(h(f, "31143012060A04007F0007020204020202010202010D"))
	f.Add(h(f, "3128 3012060A04007F0007020204020402010202010D 3012060A04007F00070202040604020102020112"))
	f.Add([]byte{0x31, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, file []byte) {
		infos, err := parseCardAccess(file)
		for _, i := range infos {
			if err == nil && i.group != nil && (i.suite < 1 || i.suite > 4) {
				t.Errorf("group without a suite: %+v", i)
			}
		}
	})
}
