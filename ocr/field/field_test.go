package field_test

import (
	"image"
	"slices"
	"strings"
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
)

// page lays words out as a typewriter does: a line a row, a blank between words, two for a gap.
func page(rows ...string) []lines.Word {
	var words []lines.Word
	for y, l := range rows {
		x := 0
		for i, w := range strings.Split(l, " ") {
			n := len([]rune(w))
			if n > 0 {
				words = append(words, lines.Word{Text: w, Line: y, Conf: 0.95, Low: 0.95, Box: image.Rect(20+x*10, 20+y*40, 20+(x+n)*10, 44+y*40)})
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
		want := map[paper.Name]string{paper.Number: "079204659924", paper.FullName: "KIỀU MINH QUYỀN LONG", paper.DateOfBirth: "2004-01-14",
			paper.Sex:         "Nam",
			paper.Nationality: "Việt Nam", paper.PlaceOfOrigin: "Bến Nghé, Quận 1, Hồ Chí Minh",
			paper.PlaceOfResidence: "12 Lê Lợi, Bến Nghé, Quận 1, Hồ Chí Minh"}
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
			s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Họ và tên:", name,
				"Quê quán: Thạnh Mỹ, Vĩnh Bảo, Hải Phòng")))
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
		lines := []string{"CĂN CƯỚC CÔNG DÂN", "Họ và tên: TRẦN THỊ HÀ", "", "", "", "", "CĂN CƯỚC CÔNG DÂN",
			"Họ và tên: LÊ VĂN BA"}
		if s := field.Card(field.Runs(page(lines...))); s.Persons != 2 {
			t.Errorf("%d persons", s.Persons)
		}
		if s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Họ và tên / Full name:", "TRẦN THỊ HÀ"))); s.Persons != 1 {
			t.Errorf("%d persons on one card", s.Persons)
		}
	})
	t.Run("name_without_its_label", func(t *testing.T) {
		s := field.Card(field.Runs(page("GIẤY CHỨNG MINH NHÂN DÂN", "SỐ 088489683", "NGUYỄN TẤN TOÀN",
			"Nguyên quán: Thạnh Mỹ, Vĩnh Bảo, Hải Phòng")))
		if v := s.Values[paper.FullName]; v.Text != "NGUYỄN TẤN TOÀN" || !slices.Contains(v.Doubts, paper.LowConfidence) {
			t.Errorf("%v", v)
		}
	})
	t.Run("place_is_not_taken_for_a_label", func(t *testing.T) {
		for _, place := range []string{"Hưng Lợi, Ninh Kiều, Cần Thơ", "Tân Long, Mỹ Tho, Tiền Giang"} {
			s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Quê quán / Place of origin:", place,
				"Nơi thường trú: Thôn Vĩnh Phước,", "Bhalêê, Tây Giang, Quảng Nam")))
			if s.Values[paper.PlaceOfOrigin].Text != place {
				t.Errorf("%q", s.Values[paper.PlaceOfOrigin].Text)
			}
		}
	})
	t.Run("name_is_not_taken_for_a_label", func(t *testing.T) {
		s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Họ và tên: NGUYỄN QUANG QUÝ",
			"Quê quán: Thạnh Mỹ, Vĩnh Bảo, Hải Phòng")))
		if s.Values[paper.FullName].Text != "NGUYỄN QUANG QUÝ" ||
			s.Values[paper.PlaceOfOrigin].Text != "Thạnh Mỹ, Vĩnh Bảo, Hải Phòng" {
			t.Errorf("%q, %q", s.Values[paper.FullName].Text, s.Values[paper.PlaceOfOrigin].Text)
		}
	})
	t.Run("issue_date_in_words", func(t *testing.T) {
		s := field.Card(field.Runs(page("Đặc điểm nhận dạng:", "Nốt ruồi", "Ngày 06 tháng 09 năm 2012")))
		if s.Values[paper.DateOfIssue].Text != "2012-09-06" || s.Side != "back" {
			t.Errorf("%q %s", s.Values[paper.DateOfIssue].Text, s.Side)
		}
	})
	t.Run("card_of_2024_by_its_sides", func(t *testing.T) {
		front := field.Card(field.Runs(page("Số định danh cá nhân / Personal identification number:", "079204659924",
			"Họ, chữ đệm và tên khai sinh / Full name:", "TRẦN THỊ HÀ")))
		back := field.Card(field.Runs(page("Nơi cư trú / Place of residence: Tổ 5,", "Yên Hòa, Cầu Giấy, Hà Nội",
			"Nơi đăng ký khai sinh / Place of birth regsraiọn: Xã",
			"Kim Chung, Đông Anh, Hà Nội", "Ngày, tháng, năm cấp / Date of issue: 24/12/2024")))
		if front.Kind != paper.CanCuoc || front.Side != "front" || back.Kind != paper.CanCuoc || back.Side != "back" {
			t.Errorf("%s %s, %s %s", front.Kind, front.Side, back.Kind, back.Side)
		}
		if v := back.Values[paper.PlaceOfBirth].Text; v != "Xã Kim Chung, Đông Anh, Hà Nội" {
			t.Errorf("with a label that was misread: %q", v)
		}
	})
	t.Run("barcode_card_by_its_back", func(t *testing.T) {
		s := field.Card(field.Runs(page("Đặc điểm nhận dạng:", "Sẹo C.1,5cm trên đầu mày trái",
			"Ngày 23 tháng 05 năm 2019", "CỤC TRƯỞNG CỤC CẢNH SÁT", "ĐKQL CƯ TRÚ VÀ DLQG VỀ DÂN CƯ")))
		if s.Kind != paper.CCCD2016 || s.Side != "back" || s.Values[paper.DateOfIssue].Text != "2019-05-23" {
			t.Errorf("%s %s %v", s.Kind, s.Side, s.Values)
		}
		if v, ok := s.Values[paper.PlaceOfResidence]; ok {
			t.Errorf("an office was taken for a residence: %q", v.Text)
		}
	})
	t.Run("family_name_under_a_label_of_its_own", func(t *testing.T) {
		head := []string{"HỘ CHIẾU / PASSPORT"}
		whole := field.Card(field.Runs(page(append(head, "Họ / Surname", "TRẦN", "Chữ đệm và tên / Given names",
			"VĂN LÂM")...))).Values[paper.FullName]
		if whole.Text != "TRẦN VĂN LÂM" || len(whole.Doubts) != 0 || len(whole.Rows) != 2 {
			t.Errorf("%q %v", whole.Text, whole.Doubts)
		}
		half := field.Card(field.Runs(page(append(head, "Chữ đệm và tên / Given names", "VĂN LÂM")...))).Values[paper.FullName]
		if !slices.Contains(half.Doubts, paper.Incomplete) {
			t.Errorf("half a name without doubt: %q", half.Text)
		}
	})
	t.Run("month_that_lacks_its_nought", func(t *testing.T) {
		for text, sure := range map[string]bool{"Ngày 18 tháng 01 năm 2024": true, "Ngày 18 tháng 1 năm 2024": false,
			"Ngày 8 tháng 11 năm 2024": false, "Ngày 18 tháng 7 năm 2024": true} {
			v := field.Card(field.Runs(page("Đặc điểm nhận dạng:", text))).Values[paper.DateOfIssue]
			if v.Text == "" || (len(v.Doubts) == 0) != sure {
				t.Errorf("%s: %q %v", text, v.Text, v.Doubts)
			}
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
	if s.Kind != paper.KhaiSinh || s.Values[paper.FullName].Text != "NGUYỄN CÔNG VINH" ||
		s.Values[paper.MotherName].Text != "TRẦN KIM HÀ" || s.Values[paper.FatherName].Text != "NGUYỄN ANH CƯỜNG" {
		t.Errorf("%s %q %q %q", s.Kind, s.Values[paper.FullName].Text, s.Values[paper.MotherName].Text, s.Values[paper.FatherName].Text)
	}
}

// A form is about its holder first: what of him cannot be read is not taken from the next person.
func TestSheetKeepsToItsHolder(t *testing.T) {
	lines := []string{
		"XÁC NHẬN THÔNG TIN VỀ CƯ TRÚ",
		"1. Họ, chữ đệm và tên: Nguyễn Thị Thủy",
		"2. Ngày, tháng, năm sinh: 25/04/1988",
		"4. Số định danh cá nhân/CMND: 0 8 41880 2 7 6-0 1",
		"5. Dân tộc: Kinh",
		"1. Nơi thường trú: Tổ 11, Phước Long, Nha Trang, Khánh Hòa",
		"4. Họ, chữ đệm và tên chủ hộ: Trần Văn Ba",
		"6. Số định danh cá nhân của chủ hộ: 056078027602",
		"7. Thông tin các thành viên khác trong hộ gia đình:",
		"Bùi Thị Hà       17/09/1998       084350540971       Giới tính: Nữ",
	}
	s := field.Sheet(field.Runs(page(lines...)))
	for n, want := range map[paper.Name]string{paper.FullName: "NGUYỄN THỊ THỦY", paper.Number: "084188027601",
		paper.DateOfBirth: "1988-04-25", paper.Sex: "", paper.Ethnicity: "Kinh",
		paper.PlaceOfResidence: "Tổ 11, Phước Long, Nha Trang, Khánh Hòa"} {
		if s.Values[n].Text != want {
			t.Errorf("%s: %q, want %q", n, s.Values[n].Text, want)
		}
	}
	lines[3] = "4. Số định danh cá nhân/CMND: 08"
	if v, ok := field.Sheet(field.Runs(page(lines...))).Values[paper.Number]; ok {
		t.Errorf("another's number: %q", v.Text)
	}
}

// A date that ends close to the words of the column beside it is not theirs.
func TestDateIsAColumnByItself(t *testing.T) {
	words := slices.Concat(at(0, 300, 10, "CĂN CƯỚC CÔNG DÂN"), at(1, 300, 10, "Quê quán: Vĩnh Hải, Nha Trang, Khánh Hòa"),
		at(2, 300, 10, "Nơi thường trú: Ấp Bình Hòa,"),
		at(3, 28, 10, "Có giá trị đến: 26/07/2036"), at(3, 300, 10, "Hòa Khánh, Cái Bè, Tiền Giang"))
	s := field.Card(field.Runs(words))
	if v := s.Values[paper.PlaceOfResidence].Text; v != "Ấp Bình Hòa, Hòa Khánh, Cái Bè, Tiền Giang" {
		t.Errorf("residence is %q", v)
	}
	if v := s.Values[paper.DateOfExpiry].Text; v != "2036-07-26" {
		t.Errorf("expiry is %q", v)
	}
}

// An address that begins with a house's number on a line of its own is no card's number.
func TestHouseNumberIsNoCardNumber(t *testing.T) {
	s := field.Card(field.Runs(page("Nơi cư trú / Place of residence:", "Số 21 Điện Biên Phủ, Phường Buôn Ma Thuột,",
		"Tỉnh Đắk Lắk",
		"Nơi đăng ký khai sinh / Place of birth registration:", "Số 4, Phường Buôn Ma Thuột, Tỉnh Đắk Lắk",
		"Ngày, tháng, năm cấp / Date of issue:", "15/08/2025")))
	if v := s.Values[paper.PlaceOfResidence].Text; v != "Số 21 Điện Biên Phủ, Phường Buôn Ma Thuột, Tỉnh Đắk Lắk" {
		t.Errorf("residence is %q", v)
	}
	if v := s.Values[paper.PlaceOfBirth].Text; v != "Số 4, Phường Buôn Ma Thuột, Tỉnh Đắk Lắk" {
		t.Errorf("place of birth is %q", v)
	}
	if v, found := s.Values[paper.Number]; found {
		t.Errorf("number is %q", v.Text)
	}
}

// A birth date whose label is torn is known by the year in the personal number, and doubted; another date is none.
func TestBirthDateBehindATornLabel(t *testing.T) {
	for date, want := range map[string]string{"05/07/1989": "1989-07-05", "05/07/1988": ""} {
		s := field.Card(field.Runs(page("CĂN CƯỚC CÔNG DÂN", "Số / No.: 036089412761", "Họ và tên / Full name:",
			"THÁI NHẬT VIỆT", "Ngxy zam a o.m "+date, "Giới tính / Sex: Nam")))
		v := s.Values[paper.DateOfBirth]
		if v.Text != want || want != "" && len(v.Doubts) == 0 {
			t.Errorf("%s gives %q, doubts %v", date, v.Text, v.Doubts)
		}
	}
}

// Where a card does not expire, the words under the photo end a column as a date does.
func TestNoExpiryEndsAColumn(t *testing.T) {
	words := slices.Concat(at(0, 300, 6, "CĂN CƯỚC CÔNG DÂN"), at(1, 300, 6, "Họ và tên: ĐỖ HỒNG HIỀN"),
		at(2, 300, 6, "Quê quán / Place of origin:"),
		at(3, 10, 6, "Có giá trị đến: Không thời hạn"), at(3, 300, 6, "Hòa Thắng, Phú Hòa, Phú Yên"),
		at(4, 300, 6, "Nơi thường trú: Hòa Khương, Hòa Vang, Đà Nẵng"))
	s := field.Card(field.Runs(words))
	if v := s.Values[paper.PlaceOfOrigin].Text; v != "Hòa Thắng, Phú Hòa, Phú Yên" {
		t.Errorf("origin is %q", v)
	}
	if v := s.Values[paper.DateOfExpiry].Text; v != field.Forever {
		t.Errorf("expiry is %q", v)
	}
}

// A birth certificate's number is known without its "Số", which is short and easily lost; nothing else is taken for it.
func TestRegisterNumberWithoutItsLabel(t *testing.T) {
	for line, want := range map[string]string{"435/2017": "435/2017", "435": "", "12/5": "", "Mẫu 435/2017": ""} {
		s := field.Sheet(field.Runs(page("GIẤY KHAI SINH", line, "Họ, chữ đệm, tên: NGUYỄN NGỌC LONG", "Giới tính: Nam")))
		if v := s.Values[paper.RegisterNumber].Text; v != want {
			t.Errorf("under the title stands %q, the number is %q", line, v)
		}
	}
}

// at sets text on a line from x on, its words so far apart.
func at(line, x, gap int, text string) (out []lines.Word) {
	for _, w := range strings.Fields(text) {
		n := 10 * len([]rune(w))
		out = append(out, lines.Word{Text: w, Line: line, Conf: 0.95, Low: 0.95, Box: image.Rect(x, 20+line*40, x+n, 44+line*40)})
		x += n + gap
	}
	return out
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
