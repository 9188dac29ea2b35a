package specimen

import (
	"image/color"
	"math/rand/v2"
	"strings"

	"motcua/ocr/paper"
)

// passportPage is the data page of an ordinary passport, TD3.
func passportPage(p Person, st style, dpi float64, rng *rand.Rand) *canvas {
	c := newCanvas(125, 88, dpi)
	c.radius = 3
	c.guilloche(color.RGBA{206, 220, 236, 255}, color.RGBA{238, 228, 222, 255}, color.RGBA{214, 230, 216, 255}, 0.08+0.07*rng.Float64(), rng)
	c.drum(color.NRGBA{140, 150, 190, 60}, 85, 38, 24)
	c.dx, c.dy = st.dx, st.dy
	lab, val := st.l(st.label, 2.0, st.faint), st.l(st.strong, 3.1, st.ink)
	c.text(6, 7.5, "HỘ CHIẾU / PASSPORT", st.l(st.title, 3.2, st.red))
	c.text(62, 7.5, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", st.l(st.strong, 2.3, st.ink))
	c.text(62, 10.3, "SOCIALIST REPUBLIC OF VIET NAM", st.l(st.label, 2, st.ink))
	x, y, step := 43.0+1.5*st.off[0], 15.2+st.off[1], 8.0*st.lead
	two := func(x float64, label, text string, n paper.Name, truth string) {
		c.text(x, y, label, lab)
		if n == "" {
			c.text(x, y+3.6, text, val)
			return
		}
		c.value(n, truth, x, y+3.6, text, val)
	}
	two(x, "Loại / Type", "P", "", "")
	two(x+20, "Mã số / Code", "VNM", "", "")
	two(x+44, "Số hộ chiếu / Passport No.", p.Passport, paper.DocumentNumber, p.Passport)
	y += step
	c.text(x, y, "Họ và tên / Full name", lab)
	c.wrap(paper.FullName, strings.ToUpper(p.FullName), x, x, y+3.6, 3.4, 122, 1, val)
	y += step
	two(x, "Quốc tịch / Nationality", "VIỆT NAM / VIETNAMESE", paper.Nationality, "Việt Nam")
	y += step
	two(x, "Ngày sinh / Date of birth", p.Birth.Format("02 / 01 / 2006"), paper.DateOfBirth, iso(p.Birth))
	c.text(x+44, y, "Nơi sinh / Place of birth", lab)
	province := p.BirthPlace[strings.LastIndex(p.BirthPlace, ", ")+2:]
	c.wrap(paper.PlaceOfBirth, strings.ToUpper(province), x+44, x+44, y+3.6, 3.4, 123, 1, val)
	c.values[paper.PlaceOfBirth] = province
	y += step
	sex := "NAM / M"
	if p.Sex == "Nữ" {
		sex = "NỮ / F"
	}
	two(x, "Giới tính / Sex", sex, paper.Sex, p.Sex)
	two(x+44, "Số GCMND / ID card No.", p.Number, paper.Number, p.Number)
	y += step
	expiry := p.Issue.AddDate(10, 0, 0)
	two(x, "Ngày cấp / Date of issue", p.Issue.Format("02 / 01 / 2006"), paper.DateOfIssue, iso(p.Issue))
	two(x+44, "Có giá trị đến / Date of expiry", expiry.Format("02 / 01 / 2006"), paper.DateOfExpiry, iso(expiry))
	c.text(x, y+7, "Nơi cấp / Place of issue: Cục Quản lý xuất nhập cảnh", lab)
	photo(c, 5, 14, 34, 44, p.Sex, rng)
	specimenMark(c, 8, 65)
	lines := td3(p, expiry)
	l := lettering{face: machine, size: 3.3, ink: st.ink}
	l.spacing = (112.0/44 - l.width("0")) / l.size
	for i, s := range lines {
		c.text(6.5+st.off[2], 75+0.8*st.off[3]+6.4*float64(i), s, l)
	}
	c.code = true
	c.codes = append(c.codes, rect{6.5 + c.dx, 71.5 + c.dy, 112, 11})
	return c
}
