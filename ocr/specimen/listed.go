package specimen

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"motcua/ocr/paper"
)

// Papers that are drawn from a list of what stands on them: the kinds whose layout matters less than their words, and the papers that
// look like an identity card and are none.

// cell is a label and what stands behind it; field is "" for what nobody should read.
type cell struct {
	label string
	field paper.Name
	says  func(Person) (truth, printed string)
}

// listing is one paper: heads in small print, titles in red, then rows of cells.
type listing struct {
	kind          paper.Kind // paper.Other for a look-alike
	heads, titles []string
	rows          [][]cell
	sheet         bool
	photo         bool
	code          func(Person) string   // of a QR symbol
	mrz           func(Person) []string // machine readable
}

func plainText(s string) func(Person) (string, string) {
	return func(Person) (string, string) { return s, s }
}

func printed(get func(Person) string) func(Person) (string, string) {
	return func(p Person) (string, string) { return get(p), get(p) }
}

func date(get func(Person) time.Time) func(Person) (string, string) {
	return func(p Person) (string, string) { return iso(get(p)), dmy(get(p)) }
}

// spelled is a day in words and figures, as signatures have it.
func spelled(before string, get func(Person) time.Time) func(Person) (string, string) {
	return func(p Person) (string, string) {
		t := get(p)
		return iso(t), before + fmt.Sprintf("ngày %02d tháng %02d năm %d", t.Day(), t.Month(), t.Year())
	}
}

var (
	fullName  = printed(func(p Person) string { return strings.ToUpper(p.FullName) })
	sexOf     = printed(func(p Person) string { return p.Sex })
	numberOf  = printed(func(p Person) string { return p.Number })
	residence = printed(func(p Person) string { return p.Residence })
	originOf  = printed(func(p Person) string { return p.Origin })
	national  = printed(func(p Person) string { return p.Nationality })
	peopleOf  = printed(func(p Person) string { return p.Ethnicity })
	register  = printed(func(p Person) string { return p.Register })
	mother    = printed(func(p Person) string { return strings.ToUpper(p.Mother) })
	father    = printed(func(p Person) string { return strings.ToUpper(p.Father) })
	birth     = date(func(p Person) time.Time { return p.Birth })
	issue     = date(func(p Person) time.Time { return p.Issue })
	licence   = printed(func(p Person) string { return p.Number[6:] + p.Number[:6] }) // twelve figures, and no personal number
	insured   = printed(func(p Person) string { return p.Number[2:] })
	foreigner = plainText("PARK SORA")
	tenYears  = date(func(p Person) time.Time { return p.Issue.AddDate(10, 0, 0) })
)

var motto = []string{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"}

// listings are the kinds drawn so.
var listings = []listing{
	{kind: paper.GPLX, heads: motto, titles: []string{"GIẤY PHÉP LÁI XE / DRIVER'S LICENSE"}, photo: true, rows: [][]cell{
		{{"Số/No:", paper.DocumentNumber, licence}}, {{"Họ tên/Full name:", paper.FullName, fullName}}, {{"Ngày sinh/Date of Birth:",
			paper.DateOfBirth, birth}},
		{{"Quốc tịch/Nationality:", paper.Nationality, func(Person) (string, string) { return "Việt Nam", "VIỆT NAM" }}},
		{{"Nơi cư trú/Address:", paper.PlaceOfResidence, residence}},
		{{"Hạng/Class:", paper.LicenceClass, plainText("B2")}, {"Có giá trị đến/Expires:", paper.DateOfExpiry, tenYears}},
	}},
	{kind: paper.BHYT, heads: []string{"BẢO HIỂM XÃ HỘI VIỆT NAM"}, titles: []string{"THẺ BẢO HIỂM Y TẾ"}, photo: true, code: insuranceText,
		rows: [][]cell{
			{{"Mã số:", paper.DocumentNumber, insured}}, {{"Họ và tên:", paper.FullName, fullName}},
			{{"Ngày sinh:", paper.DateOfBirth, birth}, {"Giới tính:", paper.Sex, sexOf}},
			{{"Nơi ĐK KCB BĐ:", "", plainText("Trạm y tế phường Mẫu")}},
			{{"Giá trị sử dụng: từ ngày", paper.ValidFrom, issue}}, {{"Thời điểm đủ 05 năm liên tục: từ ngày", "", tenYears}},
		}},
	{kind: paper.TheTamTru, heads: motto, titles: []string{"THẺ TẠM TRÚ", "TEMPORARY RESIDENCE CARD"}, photo: true, rows: foreignerRows},
	{kind: paper.TheThuongTru, heads: motto, titles: []string{"THẺ THƯỜNG TRÚ", "PERMANENT RESIDENCE CARD"}, photo: true, rows: foreignerRows},
	{kind: paper.KetHon, sheet: true, heads: motto, titles: []string{"GIẤY CHỨNG NHẬN KẾT HÔN"}, rows: marriageRows},
	{kind: paper.TrichLucKetHon, sheet: true, heads: motto, titles: []string{"TRÍCH LỤC KẾT HÔN", "(BẢN SAO)"}, rows: marriageRows},
	{kind: paper.TrichLucKhaiSinh, sheet: true, heads: motto, titles: []string{"TRÍCH LỤC KHAI SINH", "(BẢN SAO)"}, rows: [][]cell{
		{{"Họ, chữ đệm, tên:", paper.FullName, fullName}}, {{"Ngày, tháng, năm sinh:", paper.DateOfBirth, birth}},
		{{"Giới tính:", paper.Sex, sexOf}, {"Dân tộc:", paper.Ethnicity, peopleOf}, {"Quốc tịch:", paper.Nationality, national}}, {{"Quê quán:",
			paper.PlaceOfOrigin, originOf}},
		{{"Số định danh cá nhân:", paper.Number, numberOf}}, {{"Họ, chữ đệm, tên người mẹ:", paper.MotherName, mother}},
		{{"Họ, chữ đệm, tên người cha:", paper.FatherName, father}},
		{{"Đăng ký khai sinh tại:", "", plainText("UBND phường Mẫu")}}, {{"NGƯỜI KÝ TRÍCH LỤC", "", plainText("")}},
	}},
	{kind: paper.HonNhan, sheet: true, heads: motto, titles: []string{"GIẤY XÁC NHẬN TÌNH TRẠNG HÔN NHÂN"}, rows: [][]cell{
		{{"Xét đề nghị của ông/bà:", "", father}}, {{"XÁC NHẬN:", "", plainText("")}}, {{"Họ, chữ đệm, tên:", paper.FullName, fullName}},
		{{"Ngày, tháng, năm sinh:", paper.DateOfBirth, birth}}, {{"Giới tính:", paper.Sex, sexOf}, {"Dân tộc:", paper.Ethnicity, peopleOf},
			{"Quốc tịch:", paper.Nationality, national}},
		{{"Nơi cư trú:", paper.PlaceOfResidence, residence}}, {{"Tình trạng hôn nhân:", paper.MaritalStatus,
			plainText("Chưa đăng ký kết hôn với ai")}},
		{{"Giấy này có giá trị sử dụng trong thời hạn 6 tháng, kể từ ngày cấp", "", plainText("")}},
	}},
	{kind: paper.ChungSinh, sheet: true, heads: motto, titles: []string{"GIẤY CHỨNG SINH"}, rows: [][]cell{
		{{"Họ và tên mẹ/Người nuôi dưỡng:", paper.MotherName, mother}}, {{"Năm sinh:", "",
			printed(func(p Person) string { return p.MotherBirth.Format("2006") })}},
		{{"Giấy CMND/Thẻ căn cước/Hộ chiếu số:", paper.MotherNumber,
			printed(func(p Person) string { return p.Number[:3] + "1" + p.MotherBirth.Format("06") + p.Number[6:] })}},
		{{"Họ và tên cha:", paper.FatherName, father}}, {{"Đã sinh con vào lúc:", paper.DateOfBirth, spelled("07 giờ 30 phút, ",
			func(p Person) time.Time { return p.Birth })}},
		{{"Giới tính của con:", paper.Sex, sexOf}, {"Cân nặng:", "", plainText("3100 gam")}}, {{"Dự định đặt tên con là:", paper.FullName,
			fullName}},
	}},
	{kind: paper.BaoTu, sheet: true, heads: motto, titles: []string{"GIẤY BÁO TỬ"}, rows: [][]cell{
		{{"Họ và tên người tử vong:", paper.FullName, fullName}}, {{"Ngày, tháng, năm sinh:", paper.DateOfBirth, birth}}, {{"Giới tính:",
			paper.Sex, sexOf}, {"Dân tộc:", paper.Ethnicity, peopleOf}},
		{{"Vào cơ sở KCB lúc:", "", spelled("09 giờ, ", func(p Person) time.Time { return p.Issue })}},
		{{"Tử vong lúc:", paper.DateOfDeath, spelled("04 giờ 15 phút, ", func(p Person) time.Time { return p.Issue.AddDate(0, 0, 2) })}},
	}},
	{kind: paper.TrichLucKhaiTu, sheet: true, heads: motto, titles: []string{"TRÍCH LỤC KHAI TỬ", "(BẢN SAO)"}, rows: [][]cell{
		{{"Họ, chữ đệm, tên:", paper.FullName, fullName}}, {{"Ngày, tháng, năm sinh:", paper.DateOfBirth, birth}}, {{"Giới tính:", paper.Sex,
			sexOf}},
		{{"Số định danh cá nhân:", paper.Number, numberOf}}, {{"Đã chết vào lúc:", paper.DateOfDeath, spelled("04 giờ 15 phút, ",
			func(p Person) time.Time { return p.Issue })}},
		{{"Nơi chết:", "", plainText("Tại nhà riêng")}}, {{"Giấy báo tử số:", "", plainText("12/GBT")}}, {{"Họ, chữ đệm, tên người đi khai tử:",
			"", father}},
	}},
}

var foreignerRows = [][]cell{
	{{"Số:", paper.DocumentNumber, printed(func(p Person) string { return "AB" + p.Number[6:] })}}, {{"Họ tên:", paper.FullName, foreigner}},
	{{"Giới tính:", paper.Sex, sexOf}},
	{{"Ngày sinh:", paper.DateOfBirth, birth}}, {{"Hộ chiếu số:", paper.PassportNumber,
		printed(func(p Person) string { return "M" + p.Number[4:] })}}, {{"Cấp ngày:", paper.DateOfIssue, issue}},
	{{"Có giá trị đến ngày:", paper.DateOfExpiry, date(func(p Person) time.Time { return p.Issue.AddDate(2, 0, 0) })}},
}

var marriageRows = [][]cell{
	{{"Số:", paper.RegisterNumber, register}}, {{"Họ, chữ đệm, tên vợ:", paper.WifeName, mother}}, {{"Ngày, tháng, năm sinh:",
		paper.WifeBirth, date(func(p Person) time.Time { return p.MotherBirth })}},
	{{"Dân tộc:", "", peopleOf}, {"Quốc tịch:", "", national}}, {{"Họ, chữ đệm, tên chồng:", paper.HusbandName, father}},
	{{"Ngày, tháng, năm sinh:", paper.HusbandBirth, date(func(p Person) time.Time { return p.FatherBirth })}}, {{"Dân tộc:", "", peopleOf},
		{"Quốc tịch:", "", national}},
	{{"Ngày, tháng, năm đăng ký:", paper.DateOfIssue, issue}},
}

// insuranceText is what the symbol on a health insurance card says.
func insuranceText(p Person) string {
	sex := map[string]string{"Nam": "1", "Nữ": "2"}[p.Sex]
	return fmt.Sprintf("%s|%x|%s|%s|-|79 - 026|%s|-|%s|79022100000000|-|4|%s|0123456789abcdef-7102|4|%x|$",
		p.Number[2:], p.FullName, dmy(p.Birth), sex, dmy(p.Issue), dmy(p.Issue), dmy(p.Issue.AddDate(5, 0, 0)), "BHXH Mẫu")
}

var holder = [][]cell{{{"Họ và tên:", "", fullName}}, {{"Ngày sinh:", "", birth}, {"Giới tính:", "", sexOf}}, {{"Số:", "", numberOf}}}

// Lookalikes are cards and sheets that are no kind of ours, by name: nothing on them may be believed.
var lookalikes = map[string]listing{
	"student": {heads: []string{"TRƯỜNG ĐẠI HỌC MẪU"}, titles: []string{"THẺ SINH VIÊN", "STUDENT CARD"}, photo: true,
		rows: slices.Concat(holder, [][]cell{{{"Khoa:", "", plainText("Kinh tế")}}})},
	"pupil": {heads: []string{"TRƯỜNG THPT MẪU"}, titles: []string{"THẺ HỌC SINH"}, photo: true, rows: holder},
	"staff": {heads: []string{"CÔNG TY CỔ PHẦN MẪU"}, titles: []string{"KẾ TOÁN"}, photo: true, rows: slices.Concat(holder,
		[][]cell{{{"Có giá trị đến:", "", tenYears}}})},
	"official": {heads: []string{"ỦY BAN NHÂN DÂN TỈNH MẪU"}, titles: []string{"THẺ CÔNG CHỨC"}, photo: true, rows: slices.Concat(holder,
		[][]cell{{{"Chức vụ:", "", plainText("Chuyên viên")}}})},
	"party": {heads: []string{"ĐẢNG CỘNG SẢN VIỆT NAM"}, titles: []string{"THẺ ĐẢNG VIÊN"}, photo: true, code: partyText,
		rows: slices.Concat(holder, [][]cell{{{"Quê quán:", "", originOf}}, {{"Ngày vào Đảng:", "", issue}}})},
	"press": {heads: []string{"BỘ THÔNG TIN VÀ TRUYỀN THÔNG"}, titles: []string{"THẺ NHÀ BÁO"}, photo: true, rows: holder},
	"bank": {heads: []string{"NGÂN HÀNG MẪU"}, rows: [][]cell{{{"9704 0012 3456 7890", "", plainText("")}}, {{"VALID THRU 05/28", "",
		plainText("")}}, {{"", "", fullName}}}},
	"visiting": {rows: [][]cell{{{"", "", fullName}}, {{"Giám đốc kinh doanh", "", plainText("")}}, {{"Địa chỉ:", "", residence}},
		{{"Điện thoại:", "", plainText("0901 234 567")}}}},
	"library": {heads: []string{"THƯ VIỆN TỈNH MẪU"}, titles: []string{"THẺ BẠN ĐỌC"}, photo: true, rows: slices.Concat(holder,
		[][]cell{{{"Nơi cư trú:", "", residence}}})},
	"veteran": {heads: motto, titles: []string{"HỘI CỰU CHIẾN BINH"}, photo: true, rows: slices.Concat(holder, [][]cell{{{"Quê quán:", "",
		originOf}}})},
	"officer": {heads: motto, titles: []string{"CHỨNG MINH SĨ QUAN"}, photo: true, rows: slices.Concat(holder, [][]cell{{{"Cấp bậc:", "",
		plainText("Đại úy")}}})},
	"vehicle": {heads: motto, titles: []string{"CHỨNG NHẬN ĐĂNG KÝ XE"}, rows: [][]cell{{{"Tên chủ xe:", "", fullName}}, {{"Địa chỉ:", "",
		residence}}, {{"Biển số đăng ký:", "", plainText("59-X1 123.45")}}}},
	"origin": {heads: motto, titles: []string{"CHỨNG NHẬN CĂN CƯỚC"}, photo: true, code: qrText, rows: slices.Concat(holder,
		[][]cell{{{"Quê quán:", "", originOf}}})},
	"licence-eu": {titles: []string{"DRIVING LICENCE"}, photo: true, rows: [][]cell{{{"1.", "", foreigner}}, {{"3.", "", birth}}, {{"4a.", "",
		issue}, {"4b.", "", tenYears}}, {{"5.", "", licence}}}},
	"td1": {heads: []string{"UTOPIA"}, titles: []string{"IDENTITY CARD / CARTE D'IDENTITE"}, photo: true, rows: [][]cell{{{"Name/Nom:", "",
		foreigner}}, {{"Date of birth:", "", birth}}, {{"Place of birth:", "", plainText("Zenith")}}},
		mrz: func(p Person) []string { return foreignTD1(p) }},
	"td3": {heads: []string{"UTOPIA"}, titles: []string{"PASSPORT"}, photo: true, rows: [][]cell{{{"Surname", "", foreigner}},
		{{"Nationality", "", plainText("UTOPIAN")}}},
		mrz: func(p Person) []string { return foreignTwo(p, "P<UTO", 44) }},
	"visa": {heads: []string{"UTOPIA"}, titles: []string{"VISA"}, photo: true, rows: [][]cell{{{"Name", "", foreigner}}, {{"Valid until", "",
		tenYears}}},
		mrz: func(p Person) []string { return foreignTwo(p, "V<UTO", 44) }},
	"declaration": {sheet: true, heads: motto, titles: []string{"TỜ KHAI ĐĂNG KÝ KHAI SINH"}, rows: slices.Concat(holder,
		[][]cell{{{"Đề nghị cấp giấy khai sinh cho:", "", fullName}}, {{"Nơi thường trú:", "", residence}}})},
	"receipt": {sheet: true, heads: motto, titles: []string{"GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ"}, rows: slices.Concat(holder,
		[][]cell{{{"1. Giấy chứng sinh", "", plainText("")}}, {{"2. Giấy chứng nhận kết hôn", "", plainText("")}}})},
}

// Lookalikes are the names of the papers that look like ours and are none, in order.
func Lookalikes() []string {
	var out []string
	for n := range lookalikes {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// partyText is what the symbol on the party card of 2025 says.
func partyText(p Person) string {
	return fmt.Sprintf("%s|%s|%s|%s|%s|Đảng bộ phường Mẫu|%s", p.Number, strings.ToUpper(p.FullName), p.Birth.Format("02012006"),
		p.Issue.Format("02012006"),
		p.Issue.AddDate(1, 0, 0).Format("02012006"), p.Issue.AddDate(2, 0, 0).Format("02012006"))
}

// foreignTD1 is the MRZ of another country's card.
func foreignTD1(p Person) []string {
	number := padTo("D"+p.Number[4:], 9)
	one := padTo("I<UTO"+number+string(check(number)), 30)
	birth, exp := p.Birth.Format("060102"), p.Issue.AddDate(10, 0, 0).Format("060102")
	birth, exp = birth+string(check(birth)), exp+string(check(exp))
	two := birth + mrzSex(p) + exp + "UTO" + strings.Repeat("<", 11)
	two += string(check(one[5:30] + two[0:7] + two[8:15] + two[18:29]))
	return []string{one, two, mrzName("PARK SORA", 30)}
}

// foreignTwo is an MRZ of two lines, of a passport or a visa.
func foreignTwo(p Person, begins string, wide int) []string {
	one := padTo(begins+mrzName("PARK SORA", wide-5), wide)
	number := padTo("M"+p.Number[4:], 9)
	number += string(check(number))
	birth, exp := p.Birth.Format("060102"), p.Issue.AddDate(10, 0, 0).Format("060102")
	birth, exp = birth+string(check(birth)), exp+string(check(exp))
	optional := strings.Repeat("<", wide-29)
	two := number + "UTO" + birth + mrzSex(p) + exp + optional
	if begins[0] == 'P' {
		two = two[:wide-2] + "0" + string(check(number+birth+exp+optional[:len(optional)-1]+"0"))
	}
	return []string{one, padTo(two, wide)}
}

// paint draws a listing.
func (l listing) paint(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	if l.sheet {
		return listedSheet(l, p, st, dpi)
	}
	c := newCard(st, dpi)
	tints := []color.RGBA{{240, 228, 190, 255}, {214, 232, 220, 255}, {228, 222, 240, 255}, {236, 226, 226, 255}}
	t := tints[rng.IntN(len(tints))]
	c.guilloche(t, color.RGBA{246, 240, 222, 255}, t, 0.06+0.06*rng.Float64(), rng)
	c.dx, c.dy = st.dx, st.dy
	lab, val := st.l(st.label, 2.1, st.ink), st.l(st.value, 2.3, st.ink)
	y := 6.0
	for _, h := range l.heads {
		c.centre(48, y, h, st.l(st.strong, 1.9, st.ink))
		y += 2.7
	}
	for _, h := range l.titles {
		y += 1
		c.centre(48, y, h, st.l(st.title, 3.1, st.red))
		y += 3.2
	}
	y += 1.5
	x := 5.0
	if l.photo {
		high := 25.0
		if l.mrz != nil {
			high = 21
		}
		photo(c, 3.2, 16, 19, high, p.Sex, rng)
		x = 24.5
	}
	foot := 52.0
	if l.mrz != nil {
		foot = 38
	}
	step := min(4.1*st.lead, (foot-y)/float64(len(l.rows)+1))
	for _, row := range l.rows {
		at := x
		for _, cell := range row {
			truth, says := cell.says(p)
			at = c.text(at, y, strings.TrimSpace(cell.label)+" ", lab)
			if cell.field == "" || l.kind == paper.Other || l.kind == "" {
				at = c.text(at, y, says, val) + 3
				continue
			}
			before := y
			if cell.field == paper.PlaceOfResidence {
				c.wrap(cell.field, says, at, x, y, step, cardW-3, 2, val)
				y = before + step
			} else {
				at = c.value(cell.field, truth, at, y, says, val) + 3
			}
		}
		y += step
	}
	if l.code != nil {
		c.qr(l.code(p), 66.5, 34.5, 16, qrcode.Medium)
	}
	if l.mrz != nil {
		lines := l.mrz(p)
		c.mrz(lines, 4.2, 40.5+float64(3-len(lines))*3, 77, st)
	}
	specimenMark(c, 66, 32)
	return c
}

func listedSheet(l listing, p Person, st style, dpi float64) *canvas {
	c := newSheet(dpi, color.RGBA{250, 249, 245, 255})
	c.dx, c.dy = 3*st.dx, 3*st.dy
	y := 26.0
	for _, h := range l.heads {
		c.centre(a4w/2, y, h, lettering{face: serifBold, size: 4.4, ink: st.ink})
		y += 7
	}
	y += 8
	for _, h := range l.titles {
		c.centre(a4w/2, y, h, lettering{face: serifBold, size: 6.5, ink: st.ink})
		y += 10
	}
	lab, val := lettering{face: serif, size: 4.6 * st.size, ink: st.ink}, lettering{face: serif, size: 4.6 * st.size, ink: st.ink}
	step := 9.5 * st.lead
	x := 22 + 3*st.off[0]
	y += 8
	for _, row := range l.rows {
		at := x
		for _, cell := range row {
			truth, says := cell.says(p)
			at = c.text(at, y, cell.label+" ", lab)
			if cell.field == "" || l.kind == "" {
				at = c.text(at, y, says, val) + 9
				continue
			}
			at = c.value(cell.field, truth, at, y, says, val) + 9
		}
		y += step
	}
	specimenMark(c, 22, a4h-16)
	return c
}
