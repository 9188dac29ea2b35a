package specimen

import (
	"image/color"
	"math/rand/v2"
	"strings"

	"github.com/skip2/go-qrcode"

	"motcua/ocr/paper"
)

// The card since 1 July 2024, by Circular 16/2024/TT-BCA: labels in violet blue, the QR symbol (18 × 18 mm)
// on the back, residence and place of birth registration on the back, no origin, no fingerprints.

var violet = color.RGBA{62, 48, 128, 255}

func canCuocFront(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.guilloche(color.RGBA{176, 212, 230, 255}, color.RGBA{240, 234, 198, 255}, color.RGBA{184, 218, 230, 255}, 0.1+0.08*rng.Float64(), rng)
	c.drum(color.NRGBA{120, 160, 170, 70}, 60, 34, 15)
	c.dx, c.dy = st.dx, st.dy
	emblem(c, 9.8, 9.6, 6)
	st.ink, st.faint = violet, violet
	head(c, st, 46)
	c.centre(48+1.5*st.off[4], 18.6, "CĂN CƯỚC", st.l(st.title, 4.2, st.red))
	c.centre(48, 21.8, "IDENTITY CARD", st.l(st.strong, 2.2, violet))
	chipSign(c, 77, 18.5)
	ink := color.RGBA{26, 26, 30, 255}
	lab, val := st.l(st.label, 1.9, violet), st.l(st.value, 2.6, ink)
	val.bold = st.bold
	x, y, step := 27.6+1.2*st.off[0], 25.6+0.5*st.off[1], 3.5*st.lead
	c.text(x, y, "Số định danh cá nhân / Personal identification number:", lab)
	y += 4 * st.lead
	c.value(paper.Number, p.Number, x, y, p.Number, st.l(st.strong, 3.6, ink))
	y += step
	c.text(x, y, "Họ, chữ đệm và tên khai sinh / Full name:", lab)
	y += step
	c.value(paper.FullName, strings.ToUpper(p.FullName), x, y, strings.ToUpper(p.FullName), val)
	y += step
	c.text(x, y, "Ngày, tháng, năm sinh / Date of birth:", lab)
	e := c.text(66+1.5*st.off[2], y, "Giới tính / Sex:", lab)
	y += step
	c.value(paper.DateOfBirth, iso(p.Birth), x, y, dmy(p.Birth), val)
	c.value(paper.Sex, p.Sex, (66+e)/2-2+st.off[3], y, p.Sex, val)
	y += step
	c.text(x, y, "Quốc tịch / Nationality:", lab)
	y += step
	c.value(paper.Nationality, p.Nationality, x, y, p.Nationality, val)
	photo(c, 3.6, 17.6, 20.3, 28.6, p.Sex, rng)
	specimenMark(c, 66, 51)
	return c
}

func canCuocBack(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.guilloche(color.RGBA{190, 222, 232, 255}, color.RGBA{240, 234, 202, 255}, color.RGBA{182, 214, 232, 255}, 0.1+0.08*rng.Float64(), rng)
	c.dx, c.dy = st.dx, st.dy
	ink := color.RGBA{26, 26, 30, 255}
	lab, val := st.l(st.label, 1.75, violet), st.l(st.value, 2.2, ink)
	x, y, step := 3.8+0.9*st.off[0], 5.2+0.4*st.off[1], 3.1*st.lead
	e := c.text(x, y, "Nơi cư trú / Place of residence: ", lab)
	c.wrap(paper.PlaceOfResidence, p.Residence, e, x, y, step, 61, 2, val)
	y += 2 * step
	e = c.text(x, y, "Nơi đăng ký khai sinh / Place of birth: ", lab)
	c.wrap(paper.PlaceOfBirth, p.BirthPlace, e, x, y, step, 61, 2, val)
	c.chip(5.4, 18.6, 12.6, 11.2)
	c.text(22.5, 18.6, "Ngày, tháng, năm cấp / Date of issue:", lab)
	c.value(paper.DateOfIssue, iso(p.Issue), 22.5, 21.6, dmy(p.Issue), val)
	c.text(22.5, 24.7, "Ngày, tháng, năm hết hạn / Date of expiry:", lab)
	truth, printed := expiryText(p.Expiry)
	c.value(paper.DateOfExpiry, truth, 22.5, 27.7, printed, val)
	c.centre(38, 32.2, "BỘ CÔNG AN", st.l(st.strong, 2.2, violet))
	c.centre(38, 34.8, "MINISTRY OF PUBLIC SECURITY", st.l(st.label, 1.7, violet))
	if p.OldNumber != "" {
		c.values[paper.OldNumber] = p.OldNumber
	}
	c.qr(newQRText(p), 64.2+0.8*st.off[2], 5.6+st.off[3], 17.4+1.2*(rng.Float64()-0.5), qrcode.Medium)
	lines := td1(p)
	c.mrz(lines[:], 4.2+0.8*st.off[3], 40.6+0.9*st.off[4], 77.2+0.6*st.off[5], st)
	c.values[paper.Number], c.values[paper.FullName] = p.Number, strings.ToUpper(p.FullName)
	c.values[paper.DateOfBirth], c.values[paper.Sex], c.values[paper.Nationality] = iso(p.Birth), p.Sex, p.Nationality
	specimenMark(c, 64, 31)
	return c
}

// newQRText adds what the circular names beyond the older symbol: a cancelled number and, for some, the
// parents' names. Their order is not published; readers must pass over what follows the issue date.
func newQRText(p Person) string {
	s := qrText(p)
	switch len(p.Father) % 3 {
	case 0:
		return s + "||||"
	case 1:
		return s + "||" + p.Father + "|" + p.Mother
	}
	return s
}
