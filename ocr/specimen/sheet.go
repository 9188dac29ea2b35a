package specimen

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"strings"
	"time"

	"motcua/ocr/paper"
)

// A4 sheets: the birth certificate (Circular 04/2020/TT-BTP), the residence confirmation CT07 (Circular
// 66/2023/TT-BCA) and letters nobody has a parser for.

// The names of fields only these sheets have.
const (
	RegisterNumber paper.Name = "register_number"
	FatherName     paper.Name = "father_name"
	MotherName     paper.Name = "mother_name"
)

func newSheet(dpi float64, tint color.RGBA) *canvas {
	c := newCanvas(a4w-0.4, a4h-0.4, dpi/oversample) // as fine as it is scanned: large print needs no more
	c.paint(tint)
	return c
}

// ruled writes label, value and the dots behind it, and returns the next line's y.
func (c *canvas) ruled(n paper.Name, label, truth, printed string, x, y, step, right float64, lab, val lettering) float64 {
	e := c.text(x, y, label+" ", lab)
	c.dotted(e, y, right)
	if n == "" {
		c.text(e+1, y, printed, val)
		return y + step
	}
	rows := c.wrapRows(n, printed, e+1, x, y, step, right, 2, val)
	if rows == 2 {
		c.dotted(x, y+step, right)
	}
	c.values[n] = truth
	return y + step*float64(rows)
}

func khaiSinh(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newSheet(dpi, color.RGBA{250, 244, 236, 255})
	c.guilloche(color.RGBA{250, 240, 232, 255}, color.RGBA{252, 248, 238, 255}, color.RGBA{250, 240, 234, 255}, 0.03+0.03*rng.Float64(), rng)
	c.box(st.red, 0.8, 10, 10, a4w-20.4, a4h-20.4)
	c.box(st.red, 0.25, 11.6, 11.6, a4w-23.6, a4h-23.6)
	c.dx, c.dy = 3*st.dx, 3*st.dy
	head, bold := lettering{face: serif, size: 4.4, ink: st.ink}, lettering{face: serifBold, size: 4.4, ink: st.ink}
	ward := p.BirthPlace
	parts := strings.Split(ward, ", ")
	c.text(22, 26, "ỦY BAN NHÂN DÂN", bold)
	c.text(22, 32, "Xã/Phường "+parts[0], head)
	c.centre(138, 26, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", lettering{face: serifBold, size: 4.1, ink: st.ink})
	c.centre(138, 32, "Độc lập - Tự do - Hạnh phúc", lettering{face: serifBold, size: 4.4, ink: st.ink})
	c.line(st.ink, 0.2, 112, 33.6, 164, 33.6)
	e := c.text(22, 42, "Số: ", head)
	c.value(RegisterNumber, p.Register, e, 42, p.Register, head)
	c.centre(a4w/2, 58, "GIẤY KHAI SINH", lettering{face: serifBold, size: 9.5, ink: st.red})
	lab := lettering{face: serif, size: 4.6 * st.size, ink: st.ink}
	val := lettering{face: []*typeface{serifBold, serif, sans, serifItalic}[rng.IntN(4)], size: 4.6 * st.size,
		ink: color.RGBA{24, 24, 60, 255}}
	x, right, step := 22.0+3*st.off[0], a4w-22, 8.6*st.lead
	y := 74.0 + 3*st.off[1]
	y = c.ruled(paper.FullName, "Họ, chữ đệm, tên:", strings.ToUpper(p.FullName), strings.ToUpper(p.FullName), x, y, step, right, lab, val)
	y = c.ruled(paper.DateOfBirth, "Ngày, tháng, năm sinh:", iso(p.Birth), dmy(p.Birth), x, y, step, right, lab, val)
	y = c.ruled("", "ghi bằng chữ:", "", inWords(p.Birth), x, y, step, right, lab, val)
	e = c.text(x, y, "Giới tính: ", lab)
	c.value(paper.Sex, p.Sex, e, y, p.Sex, val)
	e = c.text(74, y, "Dân tộc: ", lab)
	c.value(paper.Ethnicity, p.Ethnicity, e, y, p.Ethnicity, val)
	e = c.text(126, y, "Quốc tịch: ", lab)
	c.value(paper.Nationality, p.Nationality, e, y, p.Nationality, val)
	y += step
	y = c.ruled(paper.PlaceOfBirth, "Nơi sinh:", p.BirthPlace, p.BirthPlace, x, y, step, right, lab, val)
	y = c.ruled(paper.PlaceOfOrigin, "Quê quán:", p.Origin, p.Origin, x, y, step, right, lab, val)
	y = c.ruled(paper.Number, "Số định danh cá nhân:", p.Number, p.Number, x, y, step, right, lab, val)
	y = c.ruled(MotherName, "Họ, chữ đệm, tên người mẹ:", strings.ToUpper(p.Mother), strings.ToUpper(p.Mother), x, y, step, right, lab, val)
	y = c.ruled("", "Năm sinh:", "", fmt.Sprintf("%d   Dân tộc: %s   Quốc tịch: Việt Nam", p.MotherBirth.Year(), "Kinh"), x, y, step, right,
		lab, val)
	y = c.ruled("", "Nơi cư trú:", "", p.Residence, x, y, step, right, lab, val)
	y = c.ruled(FatherName, "Họ, chữ đệm, tên người cha:", strings.ToUpper(p.Father), strings.ToUpper(p.Father), x, y, step, right, lab, val)
	y = c.ruled("", "Năm sinh:", "", fmt.Sprintf("%d   Dân tộc: %s   Quốc tịch: Việt Nam", p.FatherBirth.Year(), p.Ethnicity), x, y, step,
		right, lab, val)
	y = c.ruled("", "Nơi cư trú:", "", p.Residence, x, y, step, right, lab, val)
	y = c.ruled("", "Họ, chữ đệm, tên người đi khai sinh:", "", p.Father, x, y, step, right, lab, val)
	y = c.ruled("", "Giấy tờ tùy thân:", "", "CCCD số 0"+p.Number[1:11]+"7", x, y, step, right, lab, val)
	y = c.ruled("", "Nơi đăng ký khai sinh:", "", "Ủy ban nhân dân "+strings.Join(parts, ", "), x, y, step, right, lab, val)
	y = c.ruled(paper.DateOfIssue, "Ngày, tháng, năm đăng ký:", iso(registered(p)), dmy(registered(p)), x, y, step, right, lab, val)
	c.centre(60, y+8, "NGƯỜI KÝ GIẤY KHAI SINH", bold)
	c.centre(150, y+8, "CHỦ TỊCH", bold)
	signature(c, 150, y+22, 30, rng)
	c.stamp(135, y+22, 15, st.red, "ỦY BAN NHÂN DÂN PHƯỜNG")
	c.centre(150, y+36, "Nguyễn Văn Mẫu", bold)
	specimenMark(c, 22, a4h-16)
	return c
}

func registered(p Person) time.Time { return p.Birth.AddDate(0, 0, 9+int(p.Number[11]-'0')*4) }

func inWords(t time.Time) string {
	units := []string{"không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"}
	n := func(k int) string {
		switch {
		case k < 10:
			return units[k]
		case k == 10:
			return "mười"
		case k < 20:
			s := "mười " + units[k-10]
			return strings.Replace(s, "mười năm", "mười lăm", 1)
		case k%10 == 0:
			return units[k/10] + " mươi"
		}
		s := units[k/10] + " mươi " + units[k%10]
		s = strings.Replace(s, "mươi một", "mươi mốt", 1)
		return strings.Replace(s, "mươi năm", "mươi lăm", 1)
	}
	y := t.Year()
	year := units[y/1000] + " nghìn " + units[y/100%10] + " trăm"
	switch r := y % 100; {
	case r == 0:
	case r < 10:
		year += " linh " + units[r]
	default:
		year += " " + n(r)
	}
	s := "Ngày " + n(t.Day()) + ", tháng " + n(int(t.Month())) + ", năm " + year
	return s
}

func ct07(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newSheet(dpi, color.RGBA{253, 253, 251, 255})
	c.dx, c.dy = 4*st.dx, 4*st.dy
	face, strong := serif, serifBold
	if rng.IntN(4) == 0 {
		face, strong = dserif, dserifBold
	}
	lab := lettering{face: face, size: 4.5 * st.size, ink: st.ink, stretch: 1}
	bold := lab
	bold.face = strong
	val := lab
	small := lab
	small.size = 3.6
	if face == dserif {
		lab.size, val.size, bold.size = 3.9, 3.9, 3.7
	}
	parts := strings.Split(p.Residence, ", ")
	police := "CÔNG AN PHƯỜNG " + strings.ToUpper(parts[min(1, len(parts)-1)])
	c.text(150, 16, "Mẫu CT07 ban hành kèm theo", small)
	c.text(150, 20.5, "Thông tư số 66/2023/TT-BCA", small)
	c.centre(58, 30, "CÔNG AN "+strings.ToUpper(parts[len(parts)-1]), lab)
	c.centre(58, 36, police, bold)
	c.centre(146, 30, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", lettering{face: strong, size: 3.7, ink: st.ink})
	c.centre(146, 36, "Độc lập - Tự do - Hạnh phúc", lettering{face: strong, size: 4.1, ink: st.ink})
	c.line(st.ink, 0.2, 122, 37.6, 170, 37.6)
	c.centre(58, 45, fmt.Sprintf("Số: %d/XN", 10+rng.IntN(900)), lab)
	when := p.Issue
	c.centre(146, 45, fmt.Sprintf("%s, ngày %02d tháng %02d năm %d", parts[len(parts)-1], when.Day(), when.Month(), when.Year()),
		lettering{face: serifItalic, size: 3.9, ink: st.ink})
	c.note(paper.DateOfIssue, iso(when), dmy(when), rect{110 + c.dx, 41 + c.dy, 72, 6})
	c.centre(a4w/2, 60, "XÁC NHẬN THÔNG TIN VỀ CƯ TRÚ", lettering{face: strong, size: 5.4, ink: st.ink})
	x, right, step := 25.0+3*st.off[0], a4w-18, 8.4*st.lead
	y := 76.0 + 3*st.off[1]
	y = c.ruled("", "I. Theo đề nghị của Ông/Bà:", "", "", x, y, step, x+60, bold, val)
	y = c.ruled(paper.FullName, "1. Họ, chữ đệm và tên:", strings.ToUpper(p.FullName), strings.ToUpper(p.FullName), x, y, step, right, lab,
		val)
	e := c.text(x, y, "2. Ngày, tháng, năm sinh: ", lab)
	e = c.value(paper.DateOfBirth, iso(p.Birth), e, y, dmy(p.Birth), val)
	e = c.text(e+8, y, "3. Giới tính: ", lab)
	c.value(paper.Sex, p.Sex, e, y, p.Sex, val)
	y += step
	e = c.text(x, y, "4. Số định danh cá nhân/CMND: ", lab)
	c.value(paper.Number, p.Number, e, y, p.Number, val)
	y += step
	e = c.text(x, y, "5. Dân tộc: ", lab)
	e = c.value(paper.Ethnicity, p.Ethnicity, e, y, p.Ethnicity, val)
	e = c.text(e+6, y, "6. Tôn giáo: ", lab)
	e = c.value(paper.Religion, p.Religion, e, y, p.Religion, val)
	e = c.text(e+6, y, "7. Quốc tịch: ", lab)
	c.value(paper.Nationality, p.Nationality, e, y, p.Nationality, val)
	y += step
	y = c.ruled(paper.PlaceOfOrigin, "8. Quê quán:", p.Origin, p.Origin, x, y, step, right, lab, val)
	y = c.ruled("", "II. Công an xác nhận thông tin về cư trú của Ông/Bà như sau:", "", "", x, y, step, x+120, bold, val)
	y = c.ruled(paper.PlaceOfResidence, "1. Nơi thường trú:", p.Residence, p.Residence, x, y, step, right, lab, val)
	y = c.ruled("", "2. Nơi tạm trú:", "", "Không", x, y, step, right, lab, val)
	y = c.ruled("", "3. Nơi ở hiện tại:", "", p.Residence, x, y, step*2, right, lab, val)
	y = c.ruled("", "4. Họ, chữ đệm và tên chủ hộ:", "", strings.ToUpper(p.Head), x, y, step, right, lab, val)
	y = c.ruled("", "5. Quan hệ với chủ hộ:", "", p.Relation, x, y, step, right, lab, val)
	y = c.ruled("", "6. Số định danh cá nhân của chủ hộ:", "", "0"+p.Number[1:6]+"10"+p.Number[8:], x, y, step, right, lab, val)
	y = c.ruled("", "7. Thời hạn của xác nhận: 01 năm kể từ ngày cấp.", "", "", x, y, step, x+100, lab, val)
	c.centre(148, y+10, "TRƯỞNG CÔNG AN", bold)
	signature(c, 148, y+26, 30, rng)
	c.stamp(132, y+26, 16, st.red, police)
	c.centre(148, y+40, "Nguyễn Văn Mẫu", bold)
	specimenMark(c, 22, a4h-14)
	return c
}

// letter is a sheet that is only attached; its text is remembered for the searchable layer.
func letter(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newSheet(dpi, color.RGBA{253, 253, 250, 255})
	c.dx, c.dy = 5*st.dx, 5*st.dy
	lab := lettering{face: []*typeface{serif, sans, dserif}[rng.IntN(3)], size: 4.4, ink: st.ink}
	if lab.face == dserif {
		lab.size = 3.8
	}
	bold := lab
	bold.face = serifBold
	c.centre(a4w/2, 26, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", bold)
	c.centre(a4w/2, 33, "Độc lập - Tự do - Hạnh phúc", bold)
	titles := []string{"ĐƠN ĐỀ NGHỊ", "GIẤY ỦY QUYỀN", "BIÊN BẢN HỌP TỔ DÂN PHỐ", "HỢP ĐỒNG THUÊ NHÀ", "ĐƠN XIN XÁC NHẬN"}
	c.centre(a4w/2, 50, titles[rng.IntN(len(titles))], lettering{face: serifBold, size: 6, ink: st.ink})
	bodies := []string{
		"Kính gửi: Ủy ban nhân dân phường nơi tôi đang cư trú.",
		"Tôi làm đơn này kính mong quý cơ quan xem xét và giải quyết theo quy định của pháp luật. Tôi xin cam đoan những nội dung trình bày " +
			"trên đây là đúng sự thật và chịu hoàn toàn trách nhiệm trước pháp luật.",
		"Căn nhà nói trên do gia đình tôi sử dụng ổn định từ nhiều năm nay, không có tranh chấp với các hộ liền kề. Hằng năm gia đình tôi đều " +
			"nộp đầy đủ các khoản thuế và lệ phí.",
		"Hai bên thống nhất giao kết với các điều khoản sau: thời hạn là mười hai tháng; tiền thuê trả vào ngày mồng năm hằng tháng; bên thuê " +
			"có trách nhiệm giữ gìn tài sản và vệ sinh chung.",
		"Đơn này được lập thành hai bản có giá trị như nhau, mỗi bên giữ một bản để làm bằng chứng.",
		"Tôi xin chân thành cảm ơn."}
	y := 66.0
	c.text(25, y, "Tôi tên là: "+p.FullName+", sinh năm "+p.Birth.Format("2006"), lab)
	y += 9
	for _, b := range bodies {
		for _, row := range breakLines(b, 35, 25, a4w-22, lab) {
			x := 25.0
			c.text(x, y, row, lab)
			y += 7.4
		}
		y += 3
	}
	c.centre(150, y+8, "Người làm đơn", bold)
	signature(c, 150, y+22, 28, rng)
	c.centre(150, y+36, p.FullName, lab)
	specimenMark(c, 22, a4h-14)
	return c
}
