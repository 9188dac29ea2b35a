package qr_test

import (
	"testing"

	"motcua/ocr/paper"
	"motcua/ocr/qr"
)

const card = "079204659924|025123456|Kiều Minh Quyền Long|14012004|Nam|12 Lê Lợi, Bến Nghé, Quận 1, TP. Hồ Chí Minh|10052021"

func TestParse(t *testing.T) {
	t.Run("chip_card", func(t *testing.T) {
		v, ok := qr.Parse(card)
		want := map[paper.Name]string{paper.Number: "079204659924", paper.OldNumber: "025123456", paper.FullName: "Kiều Minh Quyền Long",
			paper.DateOfBirth: "2004-01-14", paper.Sex: "Nam", paper.PlaceOfResidence: "12 Lê Lợi, Bến Nghé, Quận 1, TP. Hồ Chí Minh", paper.DateOfIssue: "2021-05-10"}
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
	t.Run("impossible_day_is_left_out", func(t *testing.T) {
		if _, ok := qr.Parse("079204659924||Kiều Long|31022004|Nam|Xã An|10052021"); ok {
			t.Error("accepted 31 February")
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
