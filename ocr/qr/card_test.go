package qr_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"motcua/ocr/paper"
	"motcua/ocr/qr"
)

const card = "079204659924|025123456|Kiều Minh Quyền Long|14012004|Nam|12 Lê Lợi, Bến Nghé, Quận 1, TP. Hồ Chí Minh|10052021"

func TestParse(t *testing.T) {
	t.Run("chip_card", func(t *testing.T) {
		v, ok := qr.Parse(card)
		want := map[paper.Name]string{paper.Number: "079204659924", paper.OldNumber: "025123456", paper.FullName: "Kiều Minh Quyền Long",
			paper.DateOfBirth: "2004-01-14", paper.Sex: "Nam", paper.PlaceOfResidence: "12 Lê Lợi, Bến Nghé, Quận 1, TP. Hồ Chí Minh",
			paper.DateOfIssue: "2021-05-10"}
		if !ok || len(v) != len(want) {
			t.Fatalf("%v %v", v, ok)
		}
		for k, w := range want {
			if v[k] != w {
				t.Errorf("%s: %q, want %q", k, v[k], w)
			}
		}
	})
	t.Run("no_old_number_and_unknown_fields_behind", func(t *testing.T) {
		v, ok := qr.Parse("079204659924||Kiều Minh Quyền Long|14012004|Nữ|Xã An|10052021||Người cha|Người mẹ|")
		if _, old := v[paper.OldNumber]; !ok || old || v[paper.Sex] != "Nữ" {
			t.Errorf("%v %v", v, ok)
		}
	})
	t.Run("one_refused_field_costs_no_other", func(t *testing.T) {
		for text, want := range map[string]map[paper.Name]string{
			"079204659924||Kiều Long|31022004|Nam|Xã An|10052021":       {paper.DateOfBirth: "", paper.FullName: "Kiều Long", paper.Sex: "Nam"},
			"079204659924||K`Brêu|01012004|Nữ|Xã Lát|10052021":          {paper.FullName: "K`Brêu", paper.DateOfBirth: "2004-01-01"},
			"079204659924||Kiều Long (Kiều An)|01012004|Nữ|Xã|10052021": {paper.FullName: "Kiều Long (Kiều An)"},
			"079150659924||Kiều Long|1950|Nam|Xã An|10052021":           {paper.DateOfBirth: "1950", paper.DateOfIssue: "2021-05-10"},
			"079150659924||Kiều Long|00001950|Nam|Xã An|10052021":       {paper.DateOfBirth: "1950"},
			"079204659924||Kiều Lo<g|01012004|Nữ|Xã An|10052021": {paper.FullName: "", paper.PlaceOfResidence: "Xã An",
				paper.DateOfBirth: "2004-01-01"},
			"079204659924||Kiều Long|01012004|khác|Xã An|10052021": {paper.Sex: "", paper.FullName: "Kiều Long"},
		} {
			v, ok := qr.Parse(text)
			for n, w := range want {
				if !ok || v[n] != w {
					t.Errorf("%s: %s is %q, want %q", text, n, v[n], w)
				}
			}
		}
		if _, ok := qr.Parse("079204659924||Kiều Long|31022004|khác|Xã An|x"); ok {
			t.Error("a number and a name are taken for a card's code")
		}
	})
	t.Run("AIM_identifier_is_none_of_the_code", func(t *testing.T) {
		for _, id := range []string{"]Q1", "]Q3", "]d2 ", "]L0"} {
			if v, ok := qr.Parse(id + card); !ok || v[paper.Number] != "079204659924" {
				t.Errorf("%s: %v", id, ok)
			}
		}
	})
	// What was torn on its way is not taken for a name, whoever tore it; figures and dates always come whole.
	t.Run("torn_letters_give_no_name_and_no_residence", func(t *testing.T) {
		for _, text := range []string{
			"079204659924||NGUYN VN N|14012004|Nam|12/5 ???ng s? 3, Ph??ng 1|10052021", // ? in the residence, letters dropped in the name
			"079204659924||NGUYEN VAN AN|14012004|Nam|12/5 Duong so 3|10052021",        // plain letters
			"079204659924||NGUY?N V?N AN|14012004|Nam|12/5 Đường số 3|10052021",
			"079204659924||NGUYỄN VĂN AN|14012004|Nam|12/5 \ufffdường số 3|10052021",
			"079204659924||NGUYÔØN VAÊN AN|14012004|Nam|12/5 Ñöôøng soá 3|10052021", // VNI taken for Latin-1
		} {
			if v, ok := qr.Parse(text); !ok || v[paper.FullName] != "" || v[paper.PlaceOfResidence] != "" || v[paper.DateOfBirth] != "2004-01-14" {
				t.Errorf("%s: %v %v", text, v, ok)
			}
			if v, torn, ok := qr.Typed(text); !ok || !torn || v[paper.FullName] != "" {
				t.Errorf("typed %s: %v %v %v", text, v, torn, ok)
			}
		}
		for text, torn := range map[string]bool{
			"079204659924||Lê Li|14012004|Nam|Bn Nghé, Qun 1, TP. H Chí Minh|10052021":             true, // only what Latin-1 has came through
			"079204659924||Ly Thng|14012004|Nam|Xã An|10052021":                                    true,
			"079204659924||H'Hen Niê|14012004|Nữ|Buôn Kmrơng, TP. Buôn Ma Thuột, Đắk Lắk|10052021": false,
			"079204659924||Kim Nga|14012004|Nữ|12 QL 1A, KP 3, Phường Tân Lập|10052021":            false,
		} {
			if v, got, ok := qr.Typed(text); !ok || got != torn || (v[paper.FullName] == "") != torn {
				t.Errorf("%s: torn %v, want %v", text, got, torn)
			}
		}
	})
	t.Run("decomposed_letters_become_composed", func(t *testing.T) {
		v, _ := qr.Parse("079204659924||Kie\u0302\u0300u Long|14012004|Nam|Xa\u0303 An|10052021")
		if v[paper.FullName] != "Kiều Long" {
			t.Errorf("%+q", v[paper.FullName])
		}
	})
	t.Run("other_codes_are_none", func(t *testing.T) {
		for _, s := range []string{"", "https://example.invalid/|||||||", "00020101021138", "a|b|c|d|e|f|g"} {
			if _, ok := qr.Parse(s); ok {
				t.Errorf("took %q for a card", s)
			}
		}
	})
}

// Whoever makes a code with such signs wants something of the screen, of a list's reader or of a terminal.
func TestOddSignsAreNoCode(t *testing.T) {
	for name, sign := range map[string]string{
		"turns the writing": "\u202e", "isolates": "\u2066", "no width": "\u200b", "escape": "\x1b[2J", "end of text": "\x03", "bell": "\x07",
		"line separator": "\u2028", "private use": "\ue000", "no character": "\ufdd0", "tag": "\U000e0041",
	} {
		t.Run(name, func(t *testing.T) {
			for _, field := range []string{"Bến", "|10052021"} {
				text := strings.Replace(card, field, sign+field, 1)
				if text == card {
					t.Fatalf("%q is not in the card's code", field)
				}
				if v, ok := qr.Parse(text); ok {
					t.Errorf("Parse took it: %v", v)
				}
				if v, _, ok := qr.Typed(text); ok {
					t.Errorf("Typed took it: %v", v)
				}
			}
			address := fmt.Sprintf("%x", "Tổ 5"+sign+", Phường Tân Định")
			v, _ := qr.Insurance("7912345670|" + fmt.Sprintf("%x", "Lương Thị Bích") + "|02/09/1991|2|" + address +
				"|79|01/01/2024|-|28/12/2023|7|$")
			if got := v[paper.PlaceOfResidence]; got != "" {
				t.Errorf("Insurance took %q", got)
			}
		})
	}
}

// The party card of 2025 has twelve figures and seven fields, too.
func TestPartyCardIsNoIdentityCard(t *testing.T) {
	for _, s := range []string{
		"079204659924|KIỀU MINH LONG|14012004|03022024|03022025|Đảng bộ phường Tân Định|19052025",
		"079204659924|Kiều Minh Long|14011964|03021984|03021985|Đảng bộ Công an Trung ương|19052025|",
	} {
		if v, ok := qr.Parse(s); ok {
			t.Errorf("took %q for a card: %v", s, v)
		}
	}
}

func TestInsurance(t *testing.T) {
	name, address := fmt.Sprintf("%x", "Lương Thị Bích"), fmt.Sprintf("%x", "Tổ 5, Phường Tân Định")
	v, ok := qr.Insurance("7912345670|" + name + "|02/09/1991|2|-|79 - " +
		"026|01/01/2024|-|28/12/2023|79022100000000|-|4|01/05/2027|0123456789abcdef-7102|4|" + address + "|$")
	want := map[paper.Name]string{paper.DocumentNumber: "7912345670", paper.FullName: "Lương Thị Bích", paper.DateOfBirth: "1991-09-02",
		paper.Sex:       "Nữ",
		paper.ValidFrom: "2024-01-01", paper.DateOfIssue: "2023-12-28"}
	if !ok || !maps.Equal(v, want) {
		t.Errorf("%v %v", v, ok)
	}
	v, ok = qr.Insurance("GD4797912345670|" + name + "|1950|1|" + address +
		"|79 - 026|01/01/2020|31/12/2020|28/12/2019|79022100000000|-|4|01/05/2027 |0123456789abcdef-7102|$\x00rest")
	if !ok || v[paper.DateOfBirth] != "1950" || v[paper.PlaceOfResidence] != "Tổ 5, Phường Tân Định" || v[paper.Sex] != "Nam" {
		t.Errorf("of before 2021: %v %v", v, ok)
	}
	for _, s := range []string{card, "", "7912345670|Lương Thị Bích|02/09/1991|2|-|79|01/01/2024|-|28/12/2023|7|$",
		"7912345670|" + name + "|02/09/1991|2|-|79|01/01/2024|-|28/12/2023|7|"} {
		if _, ok := qr.Insurance(s); ok {
			t.Errorf("took %q for an insurance card's", s)
		}
	}
	if _, ok := qr.Parse("7912345670|" + name + "|02/09/1991|2|-|79 - 026|01/01/2024|-|28/12/2023|7|$"); ok {
		t.Error("an insurance card's code is no identity card's")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(card)
	f.Add("|||||||")
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := qr.Parse(s)
		if ok && len(v[paper.Number]) != 12 {
			t.Errorf("number of %d bytes", len(v[paper.Number]))
		}
	})
}
