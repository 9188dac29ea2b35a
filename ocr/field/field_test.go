package field_test

import (
	"image"
	"slices"
	"strings"
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/paper"
	"motcua/ocr/tess"
)

// page lays words out as a typewriter does: a line a row, a blank between words, two for a gap.
func page(lines ...string) []tess.Word {
	var words []tess.Word
	for y, l := range lines {
		x := 0
		for i, w := range strings.Split(l, " ") {
			n := len([]rune(w))
			if n > 0 {
				words = append(words, tess.Word{Text: w, Line: y, Conf: 0.95, Low: 0.95, Box: image.Rect(20+x*10, 20+y*40, 20+(x+n)*10, 44+y*40)})
			}
			_ = i
			x += n + 1
		}
	}
	return words
}

func TestCard(t *testing.T) {
	t.Run("chip_card_front", func(t *testing.T) {
		s := field.Card(field.Runs(page(
			"CĂN CƯỚC CÔNG DÂN",
			"Citizen Identity Card",
			"Số / No.: 079204659924",
			"Họ và tên / Full name:",
			"KIỀU MINH QUYỀN LONG",
			"Ngày sinh / Date of birth: 14/01/2004",
			"Giới tính / Sex: Nam       Quốc tịch / Nationality: Việt Nam",
			"Quê quán / Place of origin:",
			"Bến Nghé, Quận 1, Hồ Chí Minh",
			"Nơi thường trú / Place of residence: 12 Lê Lợi,",
			"Bến Nghé, Quận 1, Hồ Chí Minh",
		)))
		want := map[paper.Name]string{paper.Number: "079204659924", paper.FullName: "KIỀU MINH QUYỀN LONG", paper.DateOfBirth: "2004-01-14", paper.Sex: "Nam",
			paper.Nationality: "Việt Nam", paper.PlaceOfOrigin: "Bến Nghé, Quận 1, Hồ Chí Minh", paper.PlaceOfResidence: "12 Lê Lợi, Bến Nghé, Quận 1, Hồ Chí Minh"}
		if s.Kind != paper.CCCD || s.Side != "front" {
			t.Errorf("%s %s", s.Kind, s.Side)
		}
		for n, w := range want {
			if s.Values[n].Text != w {
				t.Errorf("%s: %q, want %q", n, s.Values[n].Text, w)
			}
		}
	})
	t.Run("families_whose_names_sound_like_a_label", func(t *testing.T) {
		for _, name := range []string{"NGUYỄN XUÂN THÙY", "NGUYỄN QUÂN", "NGUYỄN XUÂN"} {
			s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Họ và tên:", name, "Quê quán: Thạnh Mỹ, Vĩnh Bảo, Hải Phòng")))
			if s.Values[paper.FullName].Text != name || s.Values[paper.PlaceOfOrigin].Text != "Thạnh Mỹ, Vĩnh Bảo, Hải Phòng" {
				t.Errorf("%q, %q", s.Values[paper.FullName].Text, s.Values[paper.PlaceOfOrigin].Text)
			}
		}
	})
	t.Run("words_lost_within_a_row_are_told", func(t *testing.T) {
		s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Quê quán: Khu      Châu Phú, An Giang")))
		if !slices.Contains(s.Values[paper.PlaceOfOrigin].Doubts, paper.Incomplete) {
			t.Errorf("%v", s.Values[paper.PlaceOfOrigin])
		}
	})
	t.Run("two_cards_without_edges", func(t *testing.T) {
		lines := []string{"CĂN CƯỚC CÔNG DÂN", "Họ và tên: TRẦN THỊ HÀ", "", "", "", "", "CĂN CƯỚC CÔNG DÂN", "Họ và tên: LÊ VĂN BA"}
		if s := field.Card(field.Runs(page(lines...))); s.Persons != 2 {
			t.Errorf("%d persons", s.Persons)
		}
		if s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Họ và tên / Full name:", "TRẦN THỊ HÀ"))); s.Persons != 1 {
			t.Errorf("%d persons on one card", s.Persons)
		}
	})
	t.Run("name_without_its_label", func(t *testing.T) {
		s := field.Card(field.Runs(page("GIẤY CHỨNG MINH NHÂN DÂN", "SỐ 088489683", "NGUYỄN TẤN TOÀN", "Nguyên quán: Thạnh Mỹ, Vĩnh Bảo, Hải Phòng")))
		if v := s.Values[paper.FullName]; v.Text != "NGUYỄN TẤN TOÀN" || !slices.Contains(v.Doubts, paper.LowConfidence) {
			t.Errorf("%v", v)
		}
	})
	t.Run("name_is_not_taken_for_a_label", func(t *testing.T) {
		s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Họ và tên: NGUYỄN QUANG QUÝ", "Quê quán: Thạnh Mỹ, Vĩnh Bảo, Hải Phòng")))
		if s.Values[paper.FullName].Text != "NGUYỄN QUANG QUÝ" || s.Values[paper.PlaceOfOrigin].Text != "Thạnh Mỹ, Vĩnh Bảo, Hải Phòng" {
			t.Errorf("%q, %q", s.Values[paper.FullName].Text, s.Values[paper.PlaceOfOrigin].Text)
		}
	})
	t.Run("issue_date_in_words", func(t *testing.T) {
		s := field.Card(field.Runs(page("Đặc điểm nhận dạng:", "Nốt ruồi", "Ngày 06 tháng 09 năm 2012")))
		if s.Values[paper.DateOfIssue].Text != "2012-09-06" || s.Side != "back" {
			t.Errorf("%q %s", s.Values[paper.DateOfIssue].Text, s.Side)
		}
	})
	t.Run("impossible_date_is_doubted", func(t *testing.T) {
		s := field.Card(field.Runs(page("Ngày sinh: 31/02/2004", "Họ và tên: TRẦN AN")))
		if v := s.Values[paper.DateOfBirth]; len(v.Doubts) == 0 {
			t.Errorf("%q without doubt", v.Text)
		}
	})
}

func TestSheet(t *testing.T) {
	s := field.Sheet(field.Runs(page(
		"GIẤY KHAI SINH",
		"Họ, chữ đệm, tên: NGUYỄN CÔNG VINH",
		"Ngày, tháng, năm sinh: 14/01/2004",
		"Họ, chữ đệm, tên người mẹ: TRẦN KIM HÀ",
		"Họ, chữ đệm, tên người cha: NGUYỄN ANH CƯỜNG",
	)))
	if s.Kind != paper.KhaiSinh || s.Values[paper.FullName].Text != "NGUYỄN CÔNG VINH" || s.Values[paper.MotherName].Text != "TRẦN KIM HÀ" || s.Values[paper.FatherName].Text != "NGUYỄN ANH CƯỜNG" {
		t.Errorf("%s %q %q %q", s.Kind, s.Values[paper.FullName].Text, s.Values[paper.MotherName].Text, s.Values[paper.FatherName].Text)
	}
}

func FuzzCard(f *testing.F) {
	f.Add("Số / No.: 079204659924\nHọ và tên / Full name:\nKIỀU MINH LONG\nNgày sinh: 14/01/2004")
	f.Add("GIẤY KHAI SINH\nSố: 12/2004\nNgày 31 tháng 2 năm 2004")
	f.Add(":::\n///\n\u0301\u0301")
	f.Fuzz(func(t *testing.T, text string) {
		runs := field.Runs(page(strings.Split(text, "\n")...))
		for _, s := range []field.Side{field.Card(runs), field.Sheet(runs)} {
			for n, v := range s.Values {
				if v.Text == "" {
					t.Errorf("%s is empty", n)
				}
			}
		}
	})
}
