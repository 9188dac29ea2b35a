package field_test

import (
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/paper"
)

// A card that bears the chip card's labels word for word, under another heading, is none of ours, whoever issued it; what is left of an
// identity card's own head, or a name whose label was lost, is no other paper's.
func TestHeadingOverCopiedLabels(t *testing.T) {
	labels := []string{"Số: 079191004321", "Họ và tên / Full name: LƯƠNG THỊ BÍCH", "Ngày sinh / Date of birth: 02/09/1991",
		"Nơi thường trú / Place of residence: Mỹ Xuyên, An Giang", "Có giá trị đến / Date of expiry: 02/09/2031"}
	for name, c := range map[string]struct {
		head  []string
		marks bool
	}{
		"visitor":                   {[]string{"BỘ CÔNG AN", "MINISTRY OF PUBLIC SECURITY", "KHÁCH"}, false},
		"visitor, under the motto":  {[]string{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "KHÁCH MỜI"}, false},
		"ministry alone":            {[]string{"MINISTRY OF PUBLIC SECURITY"}, false},
		"company":                   {[]string{"TẬP ĐOÀN DỆT MAY"}, false},
		"head lost":                 {nil, true},
		"title half lost":           {[]string{"CỘNG HÒA XÃ HỘI CHỦ", "CƯỚC CÔNG DÂ"}, true},
		"English of the motto":      {[]string{"SOCIALIST REPUBLIC OF VIET NAM", "Independence - Freedom - Happiness"}, true},
		"English of the motto, cut": {[]string{"IALIST REPUBLIC OF VIE"}, true},
		"emblem read as letters":    {[]string{"Vx", "ĐỘC LẬP TỰ DO"}, true},
	} {
		s := field.Card(field.Runs(page(append(c.head, labels...)...)))
		if told := s.Kind != "" || s.Marks > 1 && !s.Weak; told != c.marks || s.Kind != "" && s.Kind != paper.CCCD {
			t.Errorf("%s: told as %q by %d marks, weak %t", name, s.Kind, s.Marks, s.Weak)
		}
	}
	s := field.Card(field.Runs(page("LƯƠNG THỊ BÍCH", "Ngày sinh / Date of birth: 02/09/1991",
		"Quê quán / Place of origin: Tân Ngãi, Vĩnh Long", "Nơi thường trú / Place of residence: Mỹ Xuyên, An Giang")))
	if s.Marks < 2 {
		t.Errorf("a name without its label is taken for a heading: %d marks", s.Marks)
	}
}
