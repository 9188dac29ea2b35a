package specimen

import (
	"image/color"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"motcua/ocr/paper"
)

const cardW, cardH = 85.60, 53.98 // ID-1

func newCard(st style, dpi float64) *canvas {
	c := newCanvas(cardW, cardH, dpi)
	c.radius = 3.18
	return c
}

func (st style) l(face *typeface, size float64, ink color.Color) lettering {
	return lettering{face: face, size: size * st.size, ink: ink, stretch: st.stretch}
}

func dmy(t time.Time) string { return t.Format("02/01/2006") }
func iso(t time.Time) string { return t.Format("2006-01-02") }

const forever = "Không thời hạn"

func expiryText(t time.Time) (truth, printed string) {
	if t.IsZero() {
		return forever, forever
	}
	return iso(t), dmy(t)
}

func cccdFront(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.guilloche(color.RGBA{190, 222, 226, 255}, color.RGBA{240, 236, 205, 255}, color.RGBA{196, 224, 214, 255}, 0.12+0.08*rng.Float64(), rng)
	c.drum(color.NRGBA{120, 170, 150, 70}, 56, 33, 16)
	c.dx, c.dy = st.dx, st.dy
	emblem(c, 9.8, 9.6, 6)
	head(c, st, 42.5)
	c.centre(46.5+1.5*st.off[2], 18.1, "CĂN CƯỚC CÔNG DÂN", st.l(st.title, 3.6, st.red))
	c.centre(46.5+2*st.off[2], 20.9, "Citizen Identity Card", st.l(st.strong, 2.2, st.red))
	chipSign(c, 72, 20.5)
	if p.OldNumber != "" {
		c.values[paper.OldNumber] = p.OldNumber // in the symbol only
	}
	c.qr(qrText(p), 69.6+0.9*st.off[3], 3.2+0.8*st.off[4], 13+1.2*(rng.Float64()-0.5), qrcode.Medium)

	lab, val := st.l(st.label, 1.95, st.faint), st.l(st.value, 2.5, st.ink)
	val.bold = st.bold
	num := st.l(st.strong, 3.5, st.ink)
	x := 26.8 + 1.4*st.off[0]
	y := 24.9 + 0.3*st.off[1]
	step := 3.25 * st.lead
	e := c.text(x, y, "Số / No.: ", lab)
	c.value(paper.Number, p.Number, e+0.5, y+0.1, p.Number, num)
	y += 3.5 * st.lead
	c.text(x, y, "Họ và tên / Full name:", lab)
	y += step
	c.value(paper.FullName, strings.ToUpper(p.FullName), x, y, strings.ToUpper(p.FullName), val)
	y += step
	e = c.text(x, y, "Ngày sinh / Date of birth: ", lab)
	c.value(paper.DateOfBirth, iso(p.Birth), e, y, dmy(p.Birth), val)
	y += step
	e = c.text(x, y, "Giới tính / Sex: ", lab)
	e = c.value(paper.Sex, p.Sex, e, y, p.Sex, val)
	e = c.text(e+2.2, y, "Quốc tịch / Nationality: ", lab)
	c.value(paper.Nationality, p.Nationality, e, y, p.Nationality, val)
	y += step
	c.text(x, y, "Quê quán / Place of origin:", lab)
	y += step
	c.wrap(paper.PlaceOfOrigin, p.Origin, x, x, y, step, cardW-2.5, 1, val)
	y += step
	e = c.text(x, y, "Nơi thường trú / Place of residence: ", lab)
	c.wrap(paper.PlaceOfResidence, p.Residence, e, x, y, step, cardW-2.5, 2, val)

	photo(c, 3.2+0.5*st.off[5], 17.6+0.6*st.off[4], 20.3, 27.6, p.Sex, rng)
	truth, printed := expiryText(p.Expiry)
	small := st.l(st.label, 1.7, st.faint)
	c.text(2.8, 48.4, "Có giá trị đến:", small)
	c.text(2.8, 51, "Date of expiry:", small)
	v := st.l(st.value, 1.95, st.ink)
	if p.Expiry.IsZero() {
		v.size *= 0.82
	}
	c.value(paper.DateOfExpiry, truth, 2.8+small.width("Có giá trị đến: "), 49.7, printed, v)
	specimenMark(c, 68.5, 25.5)
	return c
}

func cccdBack(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCard(st, dpi)
	c.guilloche(color.RGBA{198, 226, 220, 255}, color.RGBA{240, 236, 208, 255}, color.RGBA{192, 218, 226, 255}, 0.1+0.08*rng.Float64(), rng)
	c.dx, c.dy = st.dx, st.dy
	lab, val := st.l(st.label, 1.95, st.faint), st.l(st.value, 2.4, st.ink)
	c.text(4+st.off[3], 5.6, "Đặc điểm nhân dạng / Personal identification:", lab)
	c.text(4+st.off[3], 9, p.Marks, val)
	c.chip(5.2+st.off[1], 14.8+st.off[2], 12.6, 11.4)
	issued, day := st.l(st.label, 1.75, st.faint), st.l(st.value, 2.1, st.ink)
	const when = "Ngày, tháng, năm / Date, month, year: "
	// It ends before the fingerprints.
	e := c.text(min(21+1.5*st.off[0], 63-issued.width(when)-day.width(dmy(p.Issue))), 13.2, when, issued)
	c.value(paper.DateOfIssue, iso(p.Issue), e+0.2, 13.2, dmy(p.Issue), day)
	a := st.l(st.strong, 1.4, st.faint)
	for i, s := range []string{"CỤC TRƯỞNG CỤC CẢNH SÁT", "QUẢN LÝ HÀNH CHÍNH VỀ TRẬT TỰ XÃ HỘI", "DIRECTOR GENERAL OF THE POLICE DEPARTMENT",
		"FOR ADMINISTRATIVE MANAGEMENT OF SOCIAL ORDER"} {
		c.centre(41.5, 15.9+1.9*float64(i), s, a)
	}
	signature(c, 41, 27.5, 14, rng)
	c.stamp(37.5, 27.5, 6.2, st.red, "BỘ CÔNG AN")
	c.centre(42, 34.6, "Nguyễn Văn Mẫu", st.l(st.strong, 2.1, st.ink))
	fingerprint(c, 64.5, 3.4, 9.2, 13, rng)
	fingerprint(c, 74.6, 3.4, 9.2, 13, rng)
	f := st.l(st.label, 1.15, st.faint)
	c.centre(69.1, 19, "Ngón trỏ trái", f)
	c.centre(69.1, 20.7, "Left index finger", f)
	c.centre(79.2, 19, "Ngón trỏ phải", f)
	c.centre(79.2, 20.7, "Right index finger", f)
	lines := td1(p)
	c.mrz(lines[:], 4.2+0.8*st.off[3], 40.3+0.9*st.off[4], 77.2+0.6*st.off[5], st)
	c.values[paper.Number], c.values[paper.FullName] = p.Number, strings.ToUpper(p.FullName)
	c.values[paper.DateOfBirth], c.values[paper.Sex], c.values[paper.Nationality] = iso(p.Birth), p.Sex, p.Nationality
	c.values[paper.DateOfExpiry], _ = expiryText(p.Expiry)
	specimenMark(c, 64, 33)
	return c
}
