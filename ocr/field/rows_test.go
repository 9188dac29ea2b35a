package field_test

import (
	"image"
	"strings"
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/lines"
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
		{[]string{"Quê quán/ Place of origin:", "Gio Châu, Gio Linh, Quảng Trị"}, paper.PlaceOfOrigin, "Gio Châu, Gio Linh, Quảng Trị"},
		{[]string{"Quê quán/ Place of origin:", "Giao Tân, Giao Thủy, Nam Định"}, paper.PlaceOfOrigin, "Giao Tân, Giao Thủy, Nam Định"},
		{[]string{"Quê quán/ Place of origin:", "Sơn Điền, Di Linh, Lâm Đồng"}, paper.PlaceOfOrigin, "Sơn Điền, Di Linh, Lâm Đồng"},
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

// wordsAt lays the words of a line out evenly in a box, all read with conf.
func wordsAt(line int, text string, conf float64, x0, y0, x1, y1 int) []lines.Word {
	var out []lines.Word
	step := float64(x1-x0) / float64(len([]rune(text)))
	x := float64(x0)
	for _, w := range strings.Fields(text) {
		wide := step * float64(len([]rune(w)))
		out = append(out, lines.Word{Text: w, Line: line, Conf: conf, Low: conf, Box: image.Rect(int(x), y0, int(x+wide), y1)})
		x += wide + step
	}
	return out
}

// What else stands on the lines of an address is kept out of it, and it out of that: the expiry in small print under the photo, specks, the
// photo's dark parts, a label whose two languages are two lines of which only the second is on the value's.
func TestAddressesBesideOtherPrint(t *testing.T) {
	head := page("CĂN CƯỚC CÔNG DÂN", "Citizen Identity Card", "Số/No.: 046159079713", "Họ và tên/Full name:", "VI PHƯƠNG HẰNG YẾN")
	for name, c := range map[string]struct {
		words [][]lines.Word
		want  map[paper.Name]string
	}{
		"small_print": {[][]lines.Word{
			wordsAt(10, "Quê quán / Place of origin:", 1, 290, 480, 640, 520), wordsAt(11, "Có giá trị đến: Không thời hạn", 1, 25, 536, 272, 556),
			wordsAt(12, "Phú Thuận A, Hồng Ngự, Đồng Tháp", 1, 276, 516, 864, 564)},
			map[paper.Name]string{paper.PlaceOfOrigin: "Phú Thuận A, Hồng Ngự, Đồng Tháp", paper.DateOfExpiry: field.Forever}},
		"two_halves": {[][]lines.Word{
			wordsAt(10, "Nơi thường trú", 1, 293, 556, 508, 594), wordsAt(11, "Place of residence:", 0.9, 534, 557, 786, 581),
			wordsAt(12, "Số 155", 1, 797, 553, 893, 581), wordsAt(13, "Nguyễn Du, Đồng Du, Bình Lục, Hà Nam", 0.9, 294, 590, 910, 626)},
			map[paper.Name]string{paper.PlaceOfResidence: "Số 155 Nguyễn Du, Đồng Du, Bình Lục, Hà Nam"}},
		"colon_of_its_own": {[][]lines.Word{
			wordsAt(10, "Nơi thường trú:", 1, 405, 648, 687, 688), wordsAt(11, "1:", 0.4, 660, 643, 690, 704),
			wordsAt(11, "Số 301 Tân Kỳ Tân Quý,", 1, 700, 643, 1180, 704), wordsAt(12, "Dầu Giây, Thống Nhất, Đồng Nai", 1, 405, 710, 1071, 746)},
			map[paper.Name]string{paper.PlaceOfResidence: "Số 301 Tân Kỳ Tân Quý, Dầu Giây, Thống Nhất, Đồng Nai"}},
		"specks": {[][]lines.Word{
			wordsAt(10, "Quê quán / Place of origin:", 1, 60, 480, 478, 506), wordsAt(11, "Pu Sam Cáp, Sìn Hồ, Lai Châu", 1, 60, 515, 471, 548),
			wordsAt(12, "Ba", 0.3, 735, 555, 772, 576)},
			map[paper.Name]string{paper.PlaceOfOrigin: "Pu Sam Cáp, Sìn Hồ, Lai Châu"}},
		"photo": {[][]lines.Word{
			wordsAt(10, "AA", 0.2, 40, 467, 280, 511), wordsAt(10, "Quê quán / Place of origin:", 1, 291, 467, 642, 511),
			wordsAt(11, "Lùng Cải, Bắc Hà, Lào Cai", 1, 291, 502, 718, 554), wordsAt(12, "Có giá trị đến: 20/07/2030", 1, 25, 521, 262, 543)},
			map[paper.Name]string{paper.PlaceOfOrigin: "Lùng Cải, Bắc Hà, Lào Cai", paper.DateOfExpiry: "2030-07-20"}},
		"number_glued": {[][]lines.Word{wordsAt(10, "Số / N0.087304188619", 0.4, 295, 272, 720, 311)},
			map[paper.Name]string{paper.Number: "087304188619"}},
	} {
		t.Run(name, func(t *testing.T) {
			words := head
			if name == "number_glued" {
				words = page("CĂN CƯỚC CÔNG DÂN", "Citizen Identity Card")
			}
			for _, w := range c.words {
				words = append(words[:len(words):len(words)], w...)
			}
			s := field.Card(field.Runs(words))
			for n, want := range c.want {
				if got := s.Values[n].Text; got != want {
					t.Errorf("%s: %q, want %q", n, got, want)
				}
			}
		})
	}
}
