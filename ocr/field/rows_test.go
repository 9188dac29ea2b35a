package field_test

import (
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/paper"
)

// Rows of an address whose words sound like a label, or that begin where a label begins of which only the English was read, are lost no
// word of: on a page that printed it clearly "Thới" was once dropped without a flag.
func TestRowsOfAnAddressAreWhole(t *testing.T) {
	head := []string{"CĂN CƯỚC CÔNG DÂN", "Citizen Identity Card", "Số/No.: 046159079713", "Họ và tên/Full name:", "VI PHƯƠNG HẰNG YẾN"}
	for _, c := range []struct {
		lines []string
		name  paper.Name
		want  string
	}{
		{[]string{"Quê quán/ Place of origin:", "Hương Sơ, Phú Xuân, Thừa Thiên Huế", "Nơi thường trú/Place of residence:"}, paper.PlaceOfOrigin,
			"Hương Sơ, Phú Xuân, Thừa Thiên Huế"},
		{[]string{"Nơi thường trúiPlace of residence: 7C Ấp Bình Hòa,", "Thới Bình, Ninh Kiều, Cần Thơ"}, paper.PlaceOfResidence,
			"7C Ấp Bình Hòa, Thới Bình, Ninh Kiều, Cần Thơ"},
		{[]string{"Nơi thường trúi/Place of residence: 274/62 Đường", "Võ Văn Ngân, Long Hòa, Bình Thuỷ, Cần Thơ"}, paper.PlaceOfResidence,
			"274/62 Đường Võ Văn Ngân, Long Hòa, Bình Thuỷ, Cần Thơ"},
		{[]string{"Nơi thường trú/Place of residence: Thôn Ea KIy, Tân", "Hưng, Thốt Nốt, Cần Thơ"}, paper.PlaceOfResidence,
			"Thôn Ea Kly, Tân Hưng, Thốt Nốt, Cần Thơ"},
	} {
		s := field.Card(field.Runs(page(append(head, c.lines...)...)))
		if got := s.Values[c.name].Text; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Twelve figures on a back are what is left of its MRZ, and would part it from its front.
func TestNoNumberOnABack(t *testing.T) {
	s := field.Card(field.Runs(page("Đặc điểm nhận dạng / Personal identification:", "Sẹo chấm cách 2cm trước đuôi mắt trái",
		"Ngày, tháng, năm / Date, month, year: 11/07/2024", "Ngón trỏ trái", "Ngón trỏ phải", "548267020590")))
	if v, ok := s.Values[paper.Number]; ok || s.Side != "back" {
		t.Errorf("side %q, number %q", s.Side, v.Text)
	}
}
