package specimen

import (
	"image/color"
	"math/rand/v2"
	"strings"

	"motcua/ocr/paper"
)

// The bar code card of 2016–2021 (Circular 61/2015/TT-BCA): Vietnamese only, a bar code along the top of the
// back. The circular calls it two-dimensional; what readers at counters get from it is the number.

func card2016Front(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.guilloche(color.RGBA{196, 226, 232, 255}, color.RGBA{226, 238, 226, 255}, color.RGBA{188, 220, 230, 255}, 0.1+0.08*rng.Float64(), rng)
	c.drum(color.NRGBA{130, 170, 190, 70}, 57, 33, 16)
	c.dx, c.dy = st.dx, st.dy
	emblem(c, 10.2, 10, 6.2)
	c.centre(50, 6, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", st.l(st.strong, 2.5, st.ink))
	c.centre(50, 9, "Độc lập - Tự do - Hạnh phúc", st.l(st.strong, 2.4, st.ink))
	c.line(st.ink, 0.12, 40, 9.9, 60, 9.9)
	c.centre(52+1.5*st.off[2], 15.4, "CĂN CƯỚC CÔNG DÂN", st.l(st.title, 4.2, st.red))
	lab, val := st.l(st.label, 2.2, st.faint), st.l(st.value, 2.6, st.ink)
	val.bold = st.bold
	x, y, step := 27.2+1.2*st.off[0], 20.8+0.5*st.off[1], 3.75*st.lead
	e := c.text(x+6, y, "Số: ", lab)
	c.value(paper.Number, p.Number, e+0.5, y, p.Number, st.l(st.strong, 3.6, st.red))
	y += 4.2 * st.lead
	e = c.text(x, y, "Họ và tên: ", lab)
	c.wrap(paper.FullName, strings.ToUpper(p.FullName), e, x, y, step, cardW-2.5, 1, val)
	y += step
	e = c.text(x, y, "Ngày, tháng, năm sinh: ", lab)
	c.value(paper.DateOfBirth, iso(p.Birth), e, y, dmy(p.Birth), val)
	y += step
	e = c.text(x, y, "Giới tính: ", lab)
	e = c.value(paper.Sex, p.Sex, e, y, p.Sex, val)
	e = c.text(e+4, y, "Quốc tịch: ", lab)
	c.value(paper.Nationality, p.Nationality, e, y, p.Nationality, val)
	y += step
	e = c.text(x, y, "Quê quán: ", lab)
	rest := c.wrapRows(paper.PlaceOfOrigin, p.Origin, e, x, y, step, cardW-2.5, 2, val)
	y += step * float64(rest)
	e = c.text(x, y, "Nơi thường trú: ", lab)
	c.wrap(paper.PlaceOfResidence, p.Residence, e, x, y, step, cardW-2.5, 2, val)
	photo(c, 3.4, 17.8, 20.3, 27.4, p.Sex, rng)
	truth, printed := expiryText(p.Expiry)
	e = c.text(2.4, 48.8, "Có giá trị đến: ", st.l(st.label, 1.65, st.faint))
	v := st.l(st.value, 1.8, st.ink)
	if p.Expiry.IsZero() {
		v.size *= 0.75
	}
	c.value(paper.DateOfExpiry, truth, e, 48.8, printed, v)
	specimenMark(c, 5, 52)
	return c
}

func card2016Back(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.guilloche(color.RGBA{200, 226, 230, 255}, color.RGBA{230, 238, 222, 255}, color.RGBA{196, 222, 230, 255}, 0.1+0.08*rng.Float64(), rng)
	c.dx, c.dy = st.dx, st.dy
	c.code128(p.Number, 6+st.off[3], 3.6+0.6*st.off[4], 73, 8+st.off[5])
	c.values[paper.Number] = p.Number
	lab, val := st.l(st.label, 2.1, st.faint), st.l(st.value, 2.4, st.ink)
	c.box(st.faint, 0.15, 4, 15, 15, 17.5)
	c.box(st.faint, 0.15, 4, 34, 15, 17.5)
	fingerprint(c, 5, 16, 13, 15.5, rng)
	fingerprint(c, 5, 35, 13, 15.5, rng)
	f := st.l(st.label, 1.5, st.faint)
	c.text(20, 33.5, "Ngón trỏ trái", f)
	c.text(20, 51, "Ngón trỏ phải", f)
	c.text(31, 17.2, "Đặc điểm nhận dạng:", lab)
	c.text(31, 20.8, p.Marks, val)
	e := c.text(33+1.5*st.off[0], 25.6, "Ngày ", lab)
	c.issueInWords(p, e, 25.6, lab, val)
	a := st.l(st.strong, 1.75, st.ink)
	for i, s := range []string{"CỤC TRƯỞNG CỤC CẢNH SÁT", "ĐĂNG KÝ QUẢN LÝ CƯ TRÚ VÀ DLQG VỀ DÂN CƯ"} {
		c.centre(56, 28.6+2.3*float64(i), s, a)
	}
	signature(c, 56, 38, 16, rng)
	c.stamp(49, 39, 7, st.red, "BỘ CÔNG AN")
	c.centre(57, 47.5, "Nguyễn Văn Mẫu", st.l(st.strong, 2.2, st.ink))
	specimenMark(c, 66, 51)
	return c
}

// issueInWords writes "01 tháng 02 năm 2018" behind "Ngày".
func (c *canvas) issueInWords(p Person, x, y float64, lab, val lettering) {
	x0 := x
	x = c.text(x, y, p.Issue.Format("02"), val)
	x = c.text(x, y, " tháng ", lab)
	x = c.text(x, y, p.Issue.Format("01"), val)
	x = c.text(x, y, " năm ", lab)
	x = c.text(x, y, p.Issue.Format("2006"), val)
	c.note(paper.DateOfIssue, iso(p.Issue), p.Issue.Format("02")+" tháng "+p.Issue.Format("01")+" năm "+p.Issue.Format("2006"),
		rect{x0 + c.dx, y + c.dy - val.size, x - x0, val.size * 1.3})
}
