package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"motcua/ocr/specimen"
	"motcua/ocr/vn"
)

// labels are what papers print beside the values, and the rest of their text.
var labels = []string{"Số / No.:", "Số:", "SỐ", "Họ và tên / Full name:", "Họ và tên:", "Họ tên",
	"Họ, chữ đệm và tên khai sinh / Full name:", "Ngày sinh / Date of birth:",
	"Ngày, tháng, năm sinh / Date of birth:", "Sinh ngày", "Giới tính / Sex:", "Giới tính:", "Quốc tịch / Nationality:",
	"Quê quán / Place of origin:", "Quê quán:", "Nguyên quán",
	"Nơi thường trú / Place of residence:", "Nơi thường trú:", "Nơi cư trú / Place of residence:", "Nơi ĐKHK thường trú",
	"Nơi đăng ký khai sinh / Place of birth:", "Nơi sinh / Place of birth",
	"Có giá trị đến:", "Có giá trị đến / Date of expiry:", "Date of expiry:", "Ngày, tháng, năm hết hạn / Date of expiry:",
	"Ngày, tháng, năm cấp / Date of issue:",
	"Ngày, tháng, năm / Date, month, year:", "Đặc điểm nhân dạng / Personal identification:",
	"Số định danh cá nhân / Personal identification number:", "Dân tộc:", "Tôn giáo:",
	"CĂN CƯỚC CÔNG DÂN", "Citizen Identity Card", "CĂN CƯỚC", "IDENTITY CARD", "GIẤY CHỨNG MINH NHÂN DÂN",
	"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc",
	"SOCIALIST REPUBLIC OF VIET NAM", "Independence - Freedom - Happiness", "CỤC TRƯỞNG CỤC CẢNH SÁT", "QUẢN LÝ HÀNH CHÍNH VỀ TRẬT TỰ XÃ HỘI",
	"GIÁM ĐỐC CÔNG AN TỈNH",
	"BỘ CÔNG AN", "MINISTRY OF PUBLIC SECURITY", "Ngón trỏ trái", "Ngón trỏ phải", "Left index finger", "Right index finger", "NGÓN TRỎ TRÁI",
	"DẤU VẾT RIÊNG VÀ DỊ HÌNH",
	"HỘ CHIẾU / PASSPORT", "Số hộ chiếu / Passport No.", "Số GCMND / ID card No.", "Nơi cấp / Place of issue", "Cục Quản lý Xuất nhập cảnh",
	"Immigration Department", "Loại / Type", "Mã số / Code",
	"GIẤY KHAI SINH", "(BẢN SAO)", "Họ, chữ đệm, tên:", "Ghi bằng chữ:", "Năm sinh:", "Họ, chữ đệm, tên người mẹ:",
	"Họ, chữ đệm, tên người cha:", "Người đi khai sinh:", "Nơi đăng ký khai sinh:",
	"Giấy tờ tùy thân:", "Ngày, tháng, năm đăng ký:", "Ghi chú:", "NGƯỜI KÝ GIẤY KHAI SINH", "XÁC NHẬN THÔNG TIN VỀ CƯ TRÚ",
	"Mẫu CT07 ban hành theo Thông tư số", "Họ, chữ đệm và tên:",
	"Quan hệ với chủ hộ:", "Nơi tạm trú:", "Nơi ở hiện tại:", "Họ, chữ đệm và tên chủ hộ:", "Thông tin của hộ gia đình:", "Nơi thường trú:",
	"Số định danh cá nhân:", "TRÍCH LỤC", "TỜ KHAI",
	"ỦY BAN NHÂN DÂN", "Kính gửi:", "Trần Phú", "Công an phường", "Người ký", "ĐĂNG KÝ KHAI SINH", "MẪU / SPECIMEN", "Họ và tên khai sinh",
	"Họ và tên gọi khác", "Đặc điểm nhận dạng", "STT", "Quan hệ"}

// narrow and wide are how many ems a line takes at most: a value on a card, and a line of a book's page.
const narrow, wide = 11, 42

// compose makes up the text of one line and says how many ems of it may be drawn.
func compose(rng *rand.Rand) (string, float64) {
	switch n := rng.IntN(100); {
	case n < 8:
		return strings.ToUpper(syllables(rng, 2+rng.IntN(3))), narrow
	case n < 16:
		return strings.ToUpper(vn.NFC(respelled(specimen.Invent(rng.Uint64()).FullName, rng))), narrow
	case n < 19:
		return capitalised(respelled(specimen.Invent(rng.Uint64()).FullName, rng)), narrow
	case n < 25:
		return runs(rng), narrow
	case n < 30:
		return cased(short(rng), rng), narrow
	case n < 32:
		return cased(highland(rng), rng), narrow
	case n < 44:
		return prose(rng), narrow + (wide-narrow)*rng.Float64()
	}
	return listed(rng), narrow
}

// cased sets now and then all of s in capitals.
func cased(s string, rng *rand.Rand) string {
	if rng.IntN(3) == 0 {
		return strings.ToUpper(s)
	}
	return s
}

// listed is a run of words of what papers say.
func listed(rng *rand.Rand) string {
	s := text(rng)
	words := strings.Fields(s)
	// A line of a paper is as long as there is room: any run of an address's words may stand alone.
	most := 2 + rng.IntN(9)
	if len(words) > most {
		at := rng.IntN(len(words) - most + 1)
		words = words[at : at+most]
	}
	s = vn.NFC(strings.Join(words, " "))
	switch rng.IntN(14) {
	case 0, 1, 2:
		return strings.ToUpper(s)
	case 3:
		return strings.ToLower(s)
	}
	return s
}

func text(rng *rand.Rand) string {
	p := specimen.Invent(rng.Uint64())
	label := labels[rng.IntN(len(labels))]
	date := p.Birth.Format([]string{"02/01/2006", "02/01/2006", "02/01/2006", "02-01-2006", "02.01.2006", "2/1/2006"}[rng.IntN(6)])
	switch n := rng.IntN(100); {
	case n < 10:
		return strings.ToUpper(p.FullName)
	case n < 13:
		return p.FullName
	case n < 16:
		return strings.ToUpper(syllables(rng, 2+rng.IntN(3)))
	case n < 23:
		return p.Origin
	case n < 33:
		return p.Residence
	case n < 38:
		return date
	case n < 41:
		return label + " " + date
	case n < 46:
		return number(rng)
	case n < 49:
		return label + " " + number(rng)
	case n < 50:
		return fmt.Sprintf("ngày %s tháng %s năm %s", p.Issue.Format("02"), p.Issue.Format("01"), p.Issue.Format("2006"))
	case n < 51:
		return fmt.Sprintf("Ngày %s tháng %s năm %s", p.Birth.Format("02"), p.Birth.Format("1"), p.Birth.Format("2006"))
	case n < 53:
		return p.Marks
	case n < 65:
		return label
	case n < 68:
		return label + " " + []string{p.FullName, p.Origin, p.Residence, "Việt Nam", "Nam", "Nữ", p.Ethnicity, p.Religion, "Không",
			"Không thời hạn"}[rng.IntN(10)]
	case n < 70:
		return []string{"Giới tính / Sex: ", "Giới tính: ", "Sex: "}[rng.IntN(3)] + p.Sex +
			[]string{"", "   Quốc tịch / Nationality: Việt Nam", " Quốc tịch: Việt Nam"}[rng.IntN(3)]
	case n < 72:
		return []string{"Nam", "Nữ", "Việt Nam", "Kinh", "Không", "Không thời hạn", p.Ethnicity, p.Religion, p.Relation, p.Register, p.Passport,
			"VNM", "Việt Nam / Vietnamese"}[rng.IntN(13)]
	case n < 90:
		return address(rng)
	case n < 96:
		return scramble(rng)
	}
	return capitalised(syllables(rng, 3+rng.IntN(8)))
}

// address puts syllables that no list holds where an address has names.
func address(rng *rand.Rand) string {
	var parts []string
	if rng.IntN(2) == 0 {
		parts = append(parts, []string{"Tổ", "Số", "Thôn", "Xóm", "Ấp", "KP", "Khu phố", "Ngõ", "Hẻm", "Số nhà", "Bản", "Buôn", "Khóm", "Đội",
			"TDP", "Căn hộ", "Ngách"}[rng.IntN(17)]+" "+house(rng))
	}
	for range 1 + rng.IntN(3) {
		prefix := ""
		if rng.IntN(4) == 0 {
			prefix = []string{"Xã ", "Phường ", "P. ", "Q. ", "TP. ", "TX. ", "TT. ", "Thị trấn ", "Huyện ", "Quận ", "Tỉnh ", "H. ", "P.", "TP.",
				"thôn ", "xã ", "huyện ", "tỉnh "}[rng.IntN(18)]
		}
		parts = append(parts, prefix+capitalised(syllables(rng, 1+rng.IntN(3))))
	}
	if rng.IntN(3) == 0 {
		all := vn.Provinces()
		parts = append(parts, all[rng.IntN(len(all))].Name)
	}
	s := strings.Join(parts, ", ")
	if rng.IntN(8) == 0 {
		s = strings.ReplaceAll(s, ", ", []string{" - ", ",", "; "}[rng.IntN(3)])
	}
	if rng.IntN(6) == 0 {
		s += ","
	}
	return s
}

func house(rng *rand.Rand) string {
	n := 1 + rng.IntN([]int{20, 99, 999, 9999}[rng.IntN(4)])
	switch rng.IntN(7) {
	case 0:
		return fmt.Sprintf("%d/%d", n, 1+rng.IntN(200))
	case 1:
		return fmt.Sprintf("%d%c", n, 'A'+rng.IntN(6))
	case 2:
		return fmt.Sprintf("%d/%d/%d%c", n, 1+rng.IntN(99), 1+rng.IntN(40), 'A'+rng.IntN(4))
	case 3:
		return fmt.Sprintf("%c%d", 'A'+rng.IntN(26), n%100)
	}
	return fmt.Sprint(n)
}

func number(rng *rand.Rand) string {
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + rng.IntN(10))
		}
		return string(b)
	}
	switch rng.IntN(8) {
	case 0:
		return digits(9)
	case 1:
		return digits(3) + " " + digits(3) + " " + digits(3)
	case 2:
		return digits(3) + " " + digits(3) + " " + digits(3) + " " + digits(3)
	case 3:
		return digits(1 + rng.IntN(8))
	case 4:
		return digits(2+rng.IntN(2)) + "/" + digits(4)
	}
	return digits(12)
}

// scramble is signs in no order: what a code, a register's number or a speck beside a word looks like.
func scramble(rng *rand.Rand) string {
	const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;/-()'&+%*<>°\"№!?=_[]|"
	all := []rune(signs)
	var b strings.Builder
	for i := range 3 + rng.IntN(14) {
		if i > 0 && rng.IntN(6) == 0 {
			b.WriteByte(' ')
		}
		if rng.IntN(3) == 0 {
			b.WriteRune(all[rng.IntN(len(all))])
		} else {
			b.WriteRune(all[rng.IntN(62)])
		}
	}
	return b.String()
}

var (
	onsets = strings.Fields("b c ch d đ g gi h k kh l m n nh p ph qu r s t th tr v x ng ngh gh - - -")
	// All that the language has.
	rimes = strings.Fields(`a ai ao au ay am an ang anh ap at ac ach ă ăm ăn ăng ăp ăt ăc â âm ân âng ât âp âu ây âc e em
		en eo ec et ep eng ê êm ên
		ênh êch êt êp êu i ia im in inh ip it iu ich iêm iên iêng iêp iêt iêu iêc o oa oai oao oay oac oach oam oan oang oanh
		oap oat oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong oong ooc op ot ô ôi ôm ôn ông ôp ôt ôc ơ ơi ơm ơn ơp ơt u ua
		uân uâng uât uây uê uêch uênh uơ ui um un ung uc up ut uy uya uych uyên uyêt uyn uynh uyt uyu uôi uôm uôn uông uôc uôt ư
		ưa ưi ưu ưm ưng ưc ưt ươi ươm ươn ương ươp ươt ươc ươu y yêm yên yêng yêt yêu`)
	marks = []string{"", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"}
)

// syllables makes words as Vietnamese spells them, whether or not they exist, and now and then a name of the highlands.
func syllables(rng *rand.Rand, n int) string {
	words := make([]string, n)
	for i := range words {
		if rng.IntN(40) == 0 {
			words[i] = []string{"H'", "K'", "Y", "Ea", "Ia", "Krông", "Đắk", "Cư", "Chư", "Pleiku", "H'Mông", "Kpă", "Rơ", "Niê", "Ksor", "Siu",
				"R'Com"}[rng.IntN(17)]
			continue
		}
		o := onsets[rng.IntN(len(onsets))]
		if o == "-" {
			o = ""
		}
		words[i] = o + accent(rimes[rng.IntN(len(rimes))], marks[rng.IntN(len(marks))], rng.IntN(4) == 0)
	}
	return strings.Join(words, " ")
}

// accent sets the tone's mark where the language has it: on a vowel with a mark of its own, else on the last but one
// of three or before a final, else on the first of two (hòa), or by the school's rule on the second of oa, oe and uy (hoà).
func accent(rime, mark string, school bool) string {
	if mark == "" {
		return rime
	}
	r := []rune(rime)
	vowel := -1
	for i, c := range r {
		if strings.ContainsRune("ăâêôơư", c) {
			vowel = i
		}
	}
	if vowel < 0 {
		var at []int
		for i, c := range r {
			if strings.ContainsRune("aeiouy", c) {
				at = append(at, i)
			}
		}
		switch {
		case len(at) == 1:
			vowel = at[0]
		case at[len(at)-1] < len(r)-1 || len(at) == 3:
			vowel = at[1]
		case school && (rime == "oa" || rime == "oe" || rime == "uy"):
			vowel = at[1]
		default:
			vowel = at[0]
		}
	}
	return string(r[:vowel+1]) + mark + string(r[vowel+1:])
}

func capitalised(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		r := []rune(vn.NFC(w))
		words[i] = strings.ToUpper(string(r[0])) + string(r[1:])
	}
	return strings.Join(words, " ")
}

// mrzPart is a part of a line of a machine readable zone (ICAO 9303): capitals, figures and fillers.
func mrzPart(rng *rand.Rand) string {
	var b strings.Builder
	name := strings.ReplaceAll(vn.Plain(specimen.Invent(rng.Uint64()).FullName), " ", "<")
	for b.Len() < 20 {
		switch rng.IntN(5) {
		case 0:
			b.WriteString(name)
		case 1:
			b.WriteString(strings.Repeat("<", 1+rng.IntN(8)))
		case 2:
			b.WriteString([]string{"IDVNM", "VNM", "P<VNM", "M", "F", "<<"}[rng.IntN(6)])
		default:
			b.WriteString(number(rng))
		}
	}
	s := strings.ReplaceAll(strings.ReplaceAll(b.String(), " ", ""), "/", "<")
	from := rng.IntN(4)
	return s[from:min(from+4+rng.IntN(13), len(s))]
}
