package specimen

import (
	"image/color"
	"math/rand/v2"
	"strings"

	"motcua/ocr/paper"
)

// The identity card before 2016: printed form, values typed by a machine and often worn. Nine digits in red
// (no sex, no expiry), or the twelve-digit card of 2012–2016 with sex and expiry.

func twelve(p Person) bool { return p.OldNumber == "" }

func cmndNumber(p Person) string {
	if twelve(p) {
		return p.Number
	}
	return p.OldNumber
}

// dotted rules the line a value is typed on.
func (c *canvas) dotted(x, y, to float64) {
	for ; x < to; x += 0.75 {
		c.disc(color.NRGBA{60, 80, 90, 160}, x, y+0.35, 0.11, 0.11)
	}
}

func cmndFront(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.radius = 1.5
	c.guilloche(color.RGBA{188, 222, 206, 255}, color.RGBA{206, 230, 214, 255}, color.RGBA{184, 216, 204, 255}, 0.1+0.1*rng.Float64(), rng)
	c.dx, c.dy = st.dx, st.dy
	emblem(c, 12.5, 11.5, 7.4)
	c.centre(53, 6, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", st.l(st.strong, 2.35, st.ink))
	c.centre(53, 8.8, "Độc lập - Tự do - Hạnh phúc", st.l(st.strong, 2.3, st.ink))
	c.line(st.ink, 0.12, 43, 9.6, 63, 9.6)
	title := "GIẤY CHỨNG MINH NHÂN DÂN"
	if twelve(p) {
		title = "CHỨNG MINH NHÂN DÂN"
	}
	c.centre(54+1.5*st.off[2], 14.2, title, st.l(st.title, 3.5, st.red))
	lab := st.l(st.label, 2.35, st.faint)
	val := typing(st, rng)
	x, y, step := 27.0+1.2*st.off[0], 19.6+0.5*st.off[1], 4.25*st.lead
	num := st.l(serifBold, 4.3, st.red)
	e := c.text(x+9, y, "SỐ ", st.l(st.strong, 2.6, st.red))
	c.value(paper.Number, cmndNumber(p), e+1, y, cmndNumber(p), num)
	y += step
	e = c.text(x, y, "Họ và tên: ", lab)
	c.dotted(e, y, cardW-3)
	c.wrap(paper.FullName, strings.ToUpper(p.FullName), e+1, x, y, step, cardW-2.5, 1, val)
	y += step
	e = c.text(x, y, "Sinh ngày: ", lab)
	c.dotted(e, y, cardW-3)
	c.value(paper.DateOfBirth, iso(p.Birth), e+2, y, p.Birth.Format([]string{"02-01-2006", "02/01/2006"}[rng.IntN(2)]), val)
	y += step
	if twelve(p) {
		e = c.text(x, y, "Giới tính: ", lab)
		e = c.value(paper.Sex, p.Sex, e, y, p.Sex, val)
		e = c.text(e+3, y, "Dân tộc: ", lab)
		c.value(paper.Ethnicity, p.Ethnicity, e, y, p.Ethnicity, val)
		y += step * 0.95
		step *= 0.92
	}
	for _, f := range []struct {
		n     paper.Name
		label string
		text  string
	}{{paper.PlaceOfOrigin, "Nguyên quán: ", p.Origin}, {paper.PlaceOfResidence, "Nơi ĐKHK thường trú: ", p.Residence}} {
		if twelve(p) {
			f.label = map[paper.Name]string{paper.PlaceOfOrigin: "Quê quán: ", paper.PlaceOfResidence: "Nơi thường trú: "}[f.n]
		}
		e = c.text(x, y, f.label, lab)
		c.dotted(e, y, cardW-3)
		c.dotted(x, y+step, cardW-3)
		c.wrap(f.n, f.text, e+0.5, x, y, step, cardW-2.5, 2, val)
		y += 2 * step
	}
	photo(c, 3.2, 20.5, 20, 26.5, p.Sex, rng)
	if twelve(p) {
		e = c.text(2.6, 50.4, "Có giá trị đến: ", st.l(st.label, 1.65, st.faint))
		d := p.Issue.AddDate(15, 0, 0)
		c.value(paper.DateOfExpiry, iso(d), e, 50.4, dmy(d), st.l(st.value, 1.8, st.ink))
	}
	specimenMark(c, 4, 53)
	return c
}

// typing is the worn print of the machines that filled in the form.
func typing(st style, rng *rand.Rand) lettering {
	l := lettering{face: []*typeface{serifBold, serif, sans, sansBold, typed}[rng.IntN(5)], size: 2.75 * st.size,
		ink: color.NRGBA{40, 44, 60, uint8(170 + rng.IntN(80))}, stretch: 0.92}
	if l.face == typed {
		l.size, l.stretch = 2.6, 0.8
	}
	return l
}

func cmndBack(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.radius = 1.5
	c.guilloche(color.RGBA{192, 222, 208, 255}, color.RGBA{212, 232, 216, 255}, color.RGBA{188, 218, 206, 255}, 0.1+0.1*rng.Float64(), rng)
	c.dx, c.dy = st.dx, st.dy
	lab := st.l(st.label, 2.2, st.faint)
	val := typing(st, rng)
	val.size *= 0.92
	y := 6.5
	if twelve(p) {
		c.code128(p.Number, 6, 2.6, 73, 6.5)
		c.values[paper.Number] = p.Number
		y = 14
	} else {
		e := c.text(4, y, "Dân tộc: ", lab)
		e = c.value(paper.Ethnicity, p.Ethnicity, e+1, y, p.Ethnicity, val)
		e = c.text(max(e+6, 42), y, "Tôn giáo: ", lab)
		c.value(paper.Religion, p.Religion, e+1, y, p.Religion, val)
		c.line(st.faint, 0.12, 3, y+1.6, cardW-3, y+1.6)
	}
	fingerprint(c, 4.2, y+4, 13, 17, rng)
	fingerprint(c, 4.2, y+23, 13, 14.5, rng)
	f := st.l(st.label, 1.7, st.faint)
	c.text(18, y+8, "NGÓN TRỎ TRÁI", f)
	c.text(18, y+29, "NGÓN TRỎ PHẢI", f)
	c.centre(58, y+5.4, "DẤU VẾT RIÊNG VÀ DỊ HÌNH", st.l(st.strong, 2.1, st.faint))
	c.dotted(36, y+9.6, cardW-3)
	c.text(36.5, y+9.6, p.Marks, val)
	e := c.text(38+2*st.off[0], y+14.6, "Ngày ", lab)
	c.issueInWords(p, e, y+14.6, lab, val)
	c.centre(59, y+18.2, "GIÁM ĐỐC CA TỈNH", st.l(st.strong, 2.2, st.ink))
	signature(c, 58, y+26, 18, rng)
	c.stamp(51, y+27, 7.6, st.red, "CÔNG AN TỈNH")
	c.centre(59, y+36, "Nguyễn Văn Mẫu", st.l(st.strong, 2.2, st.ink))
	specimenMark(c, 68, 52.6)
	return c
}
