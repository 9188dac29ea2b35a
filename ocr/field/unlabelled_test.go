package field

import (
	"image"
	"slices"
	"strings"
	"testing"

	"motcua/ocr/lines"
	"motcua/ocr/paper"
)

// print lays text out as Tesseract would find it: words of 12 pixels a letter from x on the line at y.
func print(x, y int, text string) (out []lines.Word) {
	for _, w := range strings.Fields(text) {
		n := len([]rune(w)) * 12
		out = append(out, lines.Word{Text: w, Box: image.Rect(x, y, x+n, y+24), Conf: 0.99, Low: 0.99})
		x += n + 10
	}
	return out
}

func TestCardFindsWhatLostItsLabel(t *testing.T) {
	words := slices.Concat(print(300, 40, "CĂN CƯỚC CÔNG DÂN"), print(300, 80, "Citizen Identity Card"),
		print(300, 130, "Số / No.: 026072366857"),
		print(300, 170, "Họ và tên / Full name:"), print(300, 210, "NGUYỄN ĐÌNH CƯỜNG"),
		print(300, 250, "Ngày sinh / Date of birth: 16/02/1972"),
		print(300, 290, "Gì tính: Nam"), print(780, 290, "Việt Nam"), print(300, 370, "Long Hưng, Vĩnh Yên, Vĩnh Phúc"),
		print(20, 410, "Có giá trị đến:"), print(300, 410, "Nơi thường trú / Place of residence: Tổ 4, Tân Thông"),
		print(20, 445, "Date of expiry:"), print(150, 430, "16/02/2032"), print(300, 450, "Hội, Củ Chi, Hồ Chí Minh"))
	s := Card(Runs(words))
	for n, want := range map[paper.Name]struct {
		text    string
		flagged bool
	}{
		paper.PlaceOfOrigin:    {"Long Hưng, Vĩnh Yên, Vĩnh Phúc", true},
		paper.PlaceOfResidence: {"Tổ 4, Tân Thông Hội, Củ Chi, Hồ Chí Minh", false},
		paper.Nationality:      {"Việt Nam", true}, paper.DateOfExpiry: {"2032-02-16", false}, paper.DateOfBirth: {"1972-02-16", false},
		paper.Sex: {"Nam", true}, paper.FullName: {"NGUYỄN ĐÌNH CƯỜNG", false}, paper.Number: {"026072366857", false},
	} {
		v := s.Values[n]
		if v.Text != want.text || want.flagged != slices.Contains(v.Doubts, paper.LowConfidence) {
			t.Errorf("%s: %q, doubts %v", n, v.Text, v.Doubts)
		}
	}
	if s.Kind != paper.CCCD || s.Side != "front" {
		t.Errorf("%s %s", s.Kind, s.Side)
	}
}

func TestCardFindsTheDayOfIssueBehindHalfALabel(t *testing.T) {
	words := slices.Concat(print(50, 40, "Đặc điểm nhân dạng / Personal identification:"),
		print(50, 80, "Sẹo thẳng C: 2cm dưới sau mép trái"),
		print(260, 140, "Ngày, thắng, moith, year: 12/05/2023"))
	s := Card(Runs(words))
	if v := s.Values[paper.DateOfIssue]; v.Text != "2023-05-12" {
		t.Errorf("%q, %+v", v.Text, s)
	}
}

// "Số" begins a house number as well as a card's: taking it for a label cut the address in two, and what was left
// still looked like one.
func TestCardKeepsHouseNumbers(t *testing.T) {
	words := slices.Concat(print(300, 40, "CĂN CƯỚC CÔNG DÂN"), print(300, 130, "Số / No.: 079097813646"),
		print(300, 410, "Nơi thường trú / Place of residence: Số 13, Ngõ 12,"),
		print(300, 450, "Quang Trung, Đại Đồng, Thuận Nam, Ninh Thuận"))
	s := Card(Runs(words))
	if v := s.Values[paper.PlaceOfResidence]; v.Text != "Số 13, Ngõ 12, Quang Trung, Đại Đồng, Thuận Nam, Ninh Thuận" {
		t.Errorf("%q", v.Text)
	}
	if v := s.Values[paper.Number]; v.Text != "079097813646" {
		t.Errorf("%q", v.Text)
	}
}
