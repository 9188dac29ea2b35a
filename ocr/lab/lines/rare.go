package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/text/unicode/norm"

	"motcua/ocr/vn"
)

// respelled gives some words of a name another tone, whether or not anyone bears it: the network must read what stands
// there, not what is usual.
func respelled(name string, rng *rand.Rand) string {
	words := strings.Fields(name)
	for i, w := range words {
		if rng.IntN(2) == 0 {
			words[i] = otherTone(w, rng)
		}
	}
	return strings.Join(words, " ")
}

// otherTone sets another tone over the vowel that bears one, or over the last vowel with a mark of its own, or the first.
func otherTone(word string, rng *rand.Rand) string {
	tone, at, own, first := marks[rng.IntN(len(marks))], -1, -1, -1
	var letters []string
	for _, r := range norm.NFD.String(word) {
		switch {
		case strings.ContainsRune("\u0300\u0301\u0309\u0303\u0323", r):
			at = len(letters) - 1
		case strings.ContainsRune("\u0302\u0306\u031b", r):
			own = len(letters) - 1
			letters[own] += string(r)
		default:
			if first < 0 && strings.ContainsRune("aeiouyAEIOUY", r) {
				first = len(letters)
			}
			letters = append(letters, string(r))
		}
	}
	for _, v := range []int{own, first} {
		if at < 0 {
			at = v
		}
	}
	if at >= 0 {
		letters[at] += tone
	}
	return norm.NFC.String(strings.Join(letters, ""))
}

// runs are dates and numbers in which a figure stands twice or more, which a reader of strokes may take for one.
func runs(rng *rand.Rand) string {
	figure := func() byte { return "1111100023456789"[rng.IntN(16)] }
	switch rng.IntN(5) {
	case 0, 1:
		day := []int{1, 10, 11, 11, 11, 12, 21, 22, 31}[rng.IntN(9)]
		month := []int{1, 10, 11, 11, 11, 11, 12, 2, 7}[rng.IntN(9)]
		year := []int{1911, 1971, 1977, 1991, 2001, 2011, 2000, 2021, 1900 + rng.IntN(130)}[rng.IntN(9)]
		mark := []string{"/", "/", "/", "-", ".", " / "}[rng.IntN(6)]
		s := fmt.Sprintf("%02d%s%02d%s%d", day, mark, month, mark, year)
		if rng.IntN(4) == 0 {
			s = labels[rng.IntN(len(labels))] + " " + s
		}
		return s
	case 2:
		return fmt.Sprintf("ngày %02d tháng %02d năm %d", []int{1, 11, 11, 22}[rng.IntN(4)], []int{11, 11, 1, 10}[rng.IntN(4)], 1950+rng.IntN(80))
	}
	b := make([]byte, []int{12, 12, 9, 6, 4, 2}[rng.IntN(6)])
	for i := range b {
		b[i] = figure()
		if i > 0 && rng.IntN(2) == 0 {
			b[i] = b[i-1]
		}
	}
	return string(b)
}

var numerals = strings.Fields("I II III IV V VI VII VIII IX X XI XII XIII XIV XV XX")

// short is an address of abbreviations, figures and numerals, with and without a space behind the dot.
func short(rng *rand.Rand) string {
	gap := []string{" ", " ", ""}[rng.IntN(3)]
	part := func(prefixes, values []string) string {
		return prefixes[rng.IntN(len(prefixes))] + gap + values[rng.IntN(len(values))]
	}
	figures := []string{fmt.Sprint(1 + rng.IntN(12)), fmt.Sprint(1 + rng.IntN(30)), fmt.Sprintf("%d%c", 1+rng.IntN(9), 'A'+rng.IntN(4)),
		numerals[rng.IntN(len(numerals))]}
	places := []string{capitalised(syllables(rng, 2)), capitalised(syllables(rng, 1+rng.IntN(2))) + " " + numerals[rng.IntN(len(numerals))]}
	var parts []string
	if rng.IntN(2) == 0 {
		parts = append(parts, house(rng)+" "+capitalised(syllables(rng, 2)))
	}
	all := [][2][]string{
		{{"KP.", "Kp.", "Tổ", "TDP", "Kh.", "Đ.", "Ấp", "Thôn", "Khóm", "Số"}, figures},
		{{"P.", "P.", "F.", "Ph."}, append(figures, places...)},
		{{"Q.", "Q.", "H.", "TX.", "TT.", "X."}, append(figures, places...)},
		{{"TP.", "T.", "Tp."}, append(places, "HCM", "Hồ Chí Minh", "Huế", "Cần Thơ", "Thủ Đức", "Đà Nẵng")},
	}
	for from := rng.IntN(3); from < len(all); from++ {
		if rng.IntN(5) > 0 {
			parts = append(parts, part(all[from][0], all[from][1]))
		}
	}
	if len(parts) == 0 {
		return places[1]
	}
	return strings.Join(parts, []string{", ", ", ", ",", " - ", " "}[rng.IntN(5)])
}

// highland is a name as the peoples of the highlands write it.
func highland(rng *rand.Rand) string {
	pick := func(list string) string { all := strings.Fields(list); return all[rng.IntN(len(all))] }
	apostrophe := []string{"'", "'", "’", "’ ", "' "}[rng.IntN(5)]
	one := vn.NFC(capitalised(syllables(rng, 1)))
	switch rng.IntN(5) {
	case 0:
		return "H" + apostrophe + one + " " + pick("Niê Ksor Kpă Siu Rmah Rahlan Adrơng Ayun Byă Mlô Êban Kbuôr Nay Ksơr Hmok Knul Kđoh")
	case 1:
		return "K" + apostrophe + one
	case 2:
		return "Y" + pick("- \u2013 \u00a0") + one + " " + pick("Niê Mlô Byă Êban Kđăm Ênuôl Kbuôr Ksơr Kriêng Hwing Buôn")
	case 3:
		return pick("Krông Ea Ia Cư Chư Đắk Đăk Đak Đạ Đa Kon Buôn Plei Dliê Mđrắk") + " " +
			pick("Búk H'leo Súp Kar Drăng M'gar Pâh Lắk R'lấp Glong Mil Song Tô Hà Hring M'nang Ya K'Nàng R'măng Nhau Pă") + ", " + one
	}
	return "R" + apostrophe + pick("Com Mah Ông Lan O") + " " + pick("H’ Y-") + one
}

// prose is a line of running text: the words that papers are made of between syllables of any kind, begun and ended anywhere.
func prose(rng *rand.Rand) string {
	var b strings.Builder
	n := 4 + rng.IntN(22)
	for i := range n {
		w := common[rng.IntN(len(common))]
		switch k := rng.IntN(12); {
		case k < 3:
			w = vn.NFC(syllables(rng, 1))
		case k == 3:
			w = capitalised(syllables(rng, 1))
		case k == 4 && rng.IntN(2) == 0:
			w = number(rng)
		}
		switch rng.IntN(60) {
		case 0:
			w = "“" + w + "”"
		case 1:
			w = "(" + w + ")"
		case 2:
			w += " –"
		}
		if i == 0 && rng.IntN(8) == 0 { // torn
			if r := []rune(w); len(r) > 2 {
				w = string(r[1+rng.IntN(len(r)-2):])
			}
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
		if rng.IntN(9) == 0 && i+1 < n {
			b.WriteString([]string{",", ",", ",", ".", ";", ":"}[rng.IntN(6)])
		}
	}
	s := b.String()
	if rng.IntN(5) == 0 {
		s += "."
	}
	return s
}

// common words of running text and of official papers.
var common = strings.Fields(`
	và của là có được cho các những một người trong với không để theo ngày tháng năm về từ tại việc này đã khi như trên đến ra
	quy định nghị quyết thông tư luật điều khoản điểm số cơ quan tổ chức cá nhân công dân hồ sơ giấy tờ đăng ký khai sinh tử kết
	hôn cư trú thường tạm xác nhận chứng thực bản sao chính ủy ban nhân dân phường xã tỉnh thành phố quận huyện cấp trưởng chủ
	tịch phó bộ sở phòng hộ tịch tư pháp công an họ tên cha mẹ vợ chồng con anh chị em ông bà cháu nơi sinh giới tính nam nữ quốc
	tịch dân tộc quê quán nghề nghiệp trình độ làm ruộng giáo viên đề nghị kính gửi cam đoan chịu trách nhiệm trước pháp luật nội
	dung trên đúng sự thật nếu sai tôi xin hoàn toàn căn cứ thực hiện thời hạn hiệu lực kể từ ban hành trường hợp yêu cầu giải
	quyết trả lời bằng văn bản lý do hướng dẫn thủ tục nộp nhận phí lệ phí đồng nhà đất quyền sử dụng diện tích mười một hai ba
	bốn lăm sáu bảy tám chín nghìn trăm linh mươi sống lúc trời nước mưa nắng biển rừng núi sông đường đi lại nói nghe thấy biết
	nhớ quên thương yêu ghét giận vui buồn khóc cười đêm sáng chiều hôm qua mai nay xưa cũ mới lớn nhỏ dài ngắn cao thấp rộng hẹp
	sâu cạn nhanh chậm mạnh yếu the of and to in for is on by with date place name full
`)
