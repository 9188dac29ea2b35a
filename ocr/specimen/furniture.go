package specimen

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/skip2/go-qrcode"

	"motcua/ocr/paper"
)

// head is the state's name and motto, in both languages, above a card's title.
func head(c *canvas, st style, x float64) {
	c.centre(x, 5.2, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", st.l(st.strong, 2.3, st.ink))
	c.centre(x, 7.9, "Độc lập - Tự do - Hạnh phúc", st.l(st.strong, 2.1, st.ink))
	c.line(st.ink, 0.12, x-10, 8.7, x+10, 8.7)
	c.centre(x, 11.1, "SOCIALIST REPUBLIC OF VIET NAM", st.l(st.label, 1.9, st.ink))
	c.centre(x, 13.3, "Independence - Freedom - Happiness", st.l(st.label, 1.8, st.ink))
}

// wrap sets a value that begins on its label's line at x0 and goes on at x; lines beyond max are set
// smaller rather than lost.
func (c *canvas) wrap(n paper.Name, text string, x0, x, y, step, right float64, lines int, l lettering) {
	c.wrapRows(n, text, x0, x, y, step, right, lines, l)
}

// wrapRows is wrap, and says how many lines it took.
func (c *canvas) wrapRows(n paper.Name, text string, x0, x, y, step, right float64, lines int, l lettering) int {
	for {
		rows := breakLines(text, x0, x, right, l)
		if len(rows) <= lines || l.size < 1.2 {
			for i, r := range rows {
				at := x
				if i == 0 {
					at = x0
				}
				if r != "" {
					c.value(n, text, at, y+float64(i)*step, r, l)
				}
			}
			return len(rows)
		}
		l.size *= 0.96
	}
}

func breakLines(text string, x0, x, right float64, l lettering) []string {
	rows := []string{""}
	room := right - x0
	for _, w := range strings.Fields(text) {
		row := rows[len(rows)-1]
		next := strings.TrimSpace(row + " " + w)
		if l.width(next) > room && (row != "" || len(rows) == 1 && x0 > x) {
			rows = append(rows, w)
			room = right - x
			continue
		}
		rows[len(rows)-1] = next
	}
	return rows
}

// qr draws a symbol of the given side length with a quiet zone of card white.
func (c *canvas) qr(text string, x, y, side float64, level qrcode.RecoveryLevel) {
	q, err := qrcode.New(text, level)
	if err != nil {
		if c.err == nil {
			c.err = err
		}
		return
	}
	q.DisableBorder = true
	bits := q.Bitmap()
	m := side / float64(len(bits))
	c.fill(color.RGBA{248, 248, 244, 255}, x-m*2, y-m*2, x+side+m*2, y-m*2, x+side+m*2, y+side+m*2, x-m*2, y+side+m*2)
	ink := color.RGBA{18, 18, 20, 255}
	for j, row := range bits {
		for i := 0; i < len(row); {
			if !row[i] {
				i++
				continue
			}
			k := i
			for k < len(row) && row[k] {
				k++
			}
			// A hair of overlap closes the seams that antialiasing leaves between neighbours.
			c.fill(ink, x+float64(i)*m, y+float64(j)*m-0.01, x+float64(k)*m, y+float64(j)*m-0.01,
				x+float64(k)*m, y+float64(j+1)*m+0.01, x+float64(i)*m, y+float64(j+1)*m+0.01)
			i = k
		}
	}
	c.code = true
	c.codes = append(c.codes, rect{x + c.dx, y + c.dy, side, side})
}

// mrz sets lines in OCR-B over the given width.
func (c *canvas) mrz(lines []string, x, y, width float64, st style) {
	l := lettering{face: machine, size: 3.3, ink: st.ink}
	n := float64(len(lines[0]))
	l.spacing = (width/n - l.width("0")) / l.size
	for i, s := range lines {
		c.text(x, y+float64(i)*4.2, s, l)
	}
	c.code = true
	c.codes = append(c.codes, rect{x + c.dx, y + c.dy - 3, width, 4.2*float64(len(lines)) - 0.6})
}

func emblem(c *canvas, x, y, r float64) {
	red, gold := color.RGBA{205, 35, 40, 255}, color.RGBA{235, 190, 60, 255}
	c.disc(gold, x, y, r, r)
	c.disc(red, x, y-0.2, r*0.82, r*0.82)
	c.star(gold, x, y-r*0.25, r*0.38)
	c.disc(gold, x, y+r*0.42, r*0.22, r*0.22)
	c.disc(red, x, y+r*0.42, r*0.12, r*0.12)
	for i := range 22 {
		a := math.Pi*0.15 + float64(i)/21*math.Pi*0.7
		c.line(red, 0.12, x+r*0.84*math.Cos(a), y+r*0.84*math.Sin(a), x+r*0.98*math.Cos(a), y+r*0.98*math.Sin(a))
		c.line(red, 0.12, x+r*0.84*math.Cos(-a), y+r*0.84*math.Sin(-a), x+r*0.98*math.Cos(-a), y+r*0.98*math.Sin(-a))
	}
	c.fill(red, x-r*0.6, y+r*0.7, x+r*0.6, y+r*0.7, x+r*0.5, y+r*0.98, x-r*0.5, y+r*0.98)
}

func chipSign(c *canvas, x, y float64) {
	ink := color.RGBA{170, 140, 50, 255}
	c.box(ink, 0.3, x-1.7, y-1, 3.4, 2)
	c.ring(ink, 0.3, x, y, 0.6)
	c.line(ink, 0.3, x-1.7, y, x-0.6, y)
	c.line(ink, 0.3, x+0.6, y, x+1.7, y)
}

func (c *canvas) chip(x, y, w, h float64) {
	gold, dark := color.RGBA{216, 186, 104, 255}, color.RGBA{130, 104, 44, 255}
	c.fill(gold, x+0.8, y, x+w-0.8, y, x+w, y+0.8, x+w, y+h-0.8, x+w-0.8, y+h, x+0.8, y+h, x, y+h-0.8, x, y+0.8)
	c.box(dark, 0.18, x+w*0.33, y+h*0.25, w*0.34, h*0.5)
	for i := range 3 {
		yy := y + h*(0.25+0.25*float64(i))
		c.line(dark, 0.18, x, yy, x+w*0.33, yy)
		c.line(dark, 0.18, x+w*0.67, yy, x+w, yy)
	}
	c.line(dark, 0.18, x+w/2, y, x+w/2, y+h*0.25)
	c.line(dark, 0.18, x+w/2, y+h*0.75, x+w/2, y+h)
}

// photo is a plain bust: nobody's face.
func photo(c *canvas, x, y, w, h float64, sex string, rng *rand.Rand) {
	c.fill(color.RGBA{176, 205, 226, 255}, x, y, x+w, y, x+w, y+h, x, y+h)
	skin := color.RGBA{uint8(205 + rng.IntN(30)), uint8(165 + rng.IntN(25)), uint8(135 + rng.IntN(25)), 255}
	hair := color.RGBA{uint8(25 + rng.IntN(30)), 24, 26, 255}
	shirt := []color.RGBA{{235, 235, 238, 255}, {60, 70, 110, 255}, {150, 40, 50, 255}, {40, 45, 50, 255}}[rng.IntN(4)]
	cx := x + w/2
	c.fill(shirt, x+w*0.06, y+h, x+w*0.16, y+h*0.82, x+w*0.38, y+h*0.72, x+w*0.62, y+h*0.72, x+w*0.84, y+h*0.82, x+w*0.94, y+h)
	c.disc(hair, cx, y+h*0.36, w*0.29, h*0.26)
	if sex == "Nữ" {
		c.fill(hair, cx-w*0.29, y+h*0.36, cx+w*0.29, y+h*0.36, cx+w*0.33, y+h*0.74, cx-w*0.33, y+h*0.74)
	}
	c.fill(skin, cx-w*0.1, y+h*0.55, cx+w*0.1, y+h*0.55, cx+w*0.12, y+h*0.76, cx, y+h*0.82, cx-w*0.12, y+h*0.76)
	c.disc(skin, cx, y+h*0.43, w*0.23, h*0.22)
	dark := color.RGBA{60, 40, 35, 255}
	c.disc(dark, cx-w*0.09, y+h*0.4, w*0.025, h*0.012)
	c.disc(dark, cx+w*0.09, y+h*0.4, w*0.025, h*0.012)
	c.line(dark, 0.25, cx-w*0.13, y+h*0.365, cx-w*0.05, y+h*0.36)
	c.line(dark, 0.25, cx+w*0.05, y+h*0.36, cx+w*0.13, y+h*0.365)
	c.line(color.RGBA{150, 70, 70, 255}, 0.35, cx-w*0.06, y+h*0.53, cx+w*0.06, y+h*0.53)
	c.line(color.RGBA{150, 110, 90, 255}, 0.2, cx, y+h*0.42, cx-w*0.02, y+h*0.48)
}

func fingerprint(c *canvas, x, y, w, h float64, rng *rand.Rand) {
	c.fill(color.RGBA{226, 222, 216, 255}, x, y, x+w, y, x+w, y+h, x, y+h)
	ink := color.RGBA{70, 50, 60, 255}
	cx, cy := x+w/2+rng.Float64()-0.5, y+h*0.55
	turn := rng.Float64() * 0.8
	for i := 1; i < 14; i++ {
		r := float64(i) * 0.42
		px, py := 0.0, 0.0
		for k := range 50 {
			a := float64(k)/49*2*math.Pi + turn
			q := r * (1 + 0.05*math.Sin(3*a+float64(i)))
			qx, qy := cx+q*math.Cos(a)*0.82, cy+q*math.Sin(a)*1.15
			in := qx > x+0.2 && qx < x+w-0.2 && qy > y+0.2 && qy < y+h-0.2
			if k > 0 && in && rng.IntN(14) > 0 {
				c.line(ink, 0.2, px, py, qx, qy)
			}
			px, py = qx, qy
		}
	}
}

func signature(c *canvas, x, y, w float64, rng *rand.Rand) {
	ink := color.RGBA{30, 40, 120, 230}
	px, py := x-w/2, y
	for i := range 60 {
		t := float64(i) / 60
		qx := x - w/2 + w*t + 1.2*math.Sin(t*31+rng.Float64()*0.4)
		qy := y + 2.2*math.Sin(t*19)*math.Exp(-t) - 1.4*math.Sin(t*7)
		if i > 0 {
			c.line(ink, 0.28, px, py, qx, qy)
		}
		px, py = qx, qy
	}
}

// stamp is a round red one: two rings, a star and letters around it.
func (c *canvas) stamp(x, y, r float64, ink color.RGBA, text string) {
	// Stamping ink is thin: what is printed under it stays as dark as it was.
	under := c.img
	px := func(mm float64) int { return int(mm * c.scale) }
	c.img = image.NewRGBA(image.Rect(px(x+c.dx-1.2*r), px(y+c.dy-1.2*r), px(x+c.dx+1.2*r), px(y+c.dy+1.2*r)).Intersect(under.Rect))
	for i := range c.img.Pix {
		c.img.Pix[i] = 255
	}
	c.stampAlone(x, y, r, ink, text)
	for at := c.img.Rect.Min; at.Y < c.img.Rect.Max.Y; at.Y++ {
		from, to := c.img.Pix[c.img.PixOffset(at.X, at.Y):], under.Pix[under.PixOffset(at.X, at.Y):]
		for i, v := range from[:4*c.img.Rect.Dx()] {
			to[i] = uint8(int(to[i]) * int(v) / 255)
		}
	}
	c.img = under
}

// stampAlone draws a stamp on what is white so far.
func (c *canvas) stampAlone(x, y, r float64, ink color.RGBA, text string) {
	ink.A = 255
	soft := color.NRGBA{ink.R, ink.G, ink.B, 190}
	c.ring(soft, r*0.06, x, y, r)
	c.ring(soft, r*0.03, x, y, r*0.66)
	c.star(soft, x, y, r*0.36)
	l := lettering{face: sansBold, size: r * 0.27, ink: soft}
	runes := []rune("★ " + text + " ")
	if _, err := l.face.glyph('★'); err != nil {
		runes = []rune("* " + text + " ")
	}
	for i, ru := range runes {
		a := float64(i)/float64(len(runes))*2*math.Pi + math.Pi/2
		c.turned(x+r*0.74*math.Cos(a), y+r*0.74*math.Sin(a), a+math.Pi/2, string(ru), l)
	}
}

// turned writes one letter with its baseline's middle at x, y, turned by a.
func (c *canvas) turned(x, y, a float64, s string, l lettering) {
	small := newCanvas(l.size*1.6, l.size*1.6, 25.4*c.scale/oversample)
	small.centre(l.size*0.8, l.size*1.2, s, l)
	if small.err != nil && c.err == nil {
		c.err = small.err
	}
	sin, cos := math.Sin(a), math.Cos(a)
	ink := color.NRGBAModel.Convert(l.ink).(color.NRGBA)
	n := small.img.Rect.Dx()
	ox, oy := 0.8*l.size*c.scale, 1.2*l.size*c.scale
	x0, y0 := (x+c.dx)*c.scale, (y+c.dy)*c.scale
	for py := -n; py < n; py++ {
		for px := -n; px < n; px++ {
			sx, sy := cos*float64(px)+sin*float64(py)+ox, -sin*float64(px)+cos*float64(py)+oy
			if sx < 0 || sy < 0 || sx >= float64(n-1) || sy >= float64(n-1) {
				continue
			}
			al := small.img.Pix[small.img.PixOffset(int(sx), int(sy))+3]
			if al == 0 {
				continue
			}
			at := image.Pt(int(x0)+px, int(y0)+py)
			if !at.In(c.img.Rect) {
				continue
			}
			p := c.img.Pix[c.img.PixOffset(at.X, at.Y):]
			k := float64(al) / 255
			p[0], p[1], p[2] = blend(p[0], ink.R, k), blend(p[1], ink.G, k), blend(p[2], ink.B, k)
		}
	}
}

func blend(a, b byte, k float64) byte { return byte(float64(a)*(1-k) + float64(b)*k) }

// specimenMark says discreetly that this is no real paper.
func specimenMark(c *canvas, x, y float64) {
	c.text(x, y, "MẪU / SPECIMEN", lettering{face: sansBold, size: 1.5, ink: color.NRGBA{200, 40, 60, 120}, spacing: 0.1})
}

// code128 draws digits in Code 128, set C.
func (c *canvas) code128(digits string, x, y, w, h float64) {
	values := []int{105}
	for i := 0; i+1 < len(digits); i += 2 {
		values = append(values, int(digits[i]-'0')*10+int(digits[i+1]-'0'))
	}
	sum := values[0]
	for i, v := range values[1:] {
		sum += (i + 1) * v
	}
	values = append(values, sum%103)
	bars := ""
	for _, v := range values {
		bars += code128Widths[v]
	}
	bars += "2331112"
	modules := 0
	for _, b := range bars {
		modules += int(b - '0')
	}
	m := w / float64(modules)
	c.fill(color.RGBA{246, 247, 244, 255}, x-2, y-0.6, x+w+2, y-0.6, x+w+2, y+h+0.6, x-2, y+h+0.6)
	at := x
	for i, b := range bars {
		d := float64(b-'0') * m
		if i%2 == 0 {
			c.fill(color.RGBA{20, 20, 22, 255}, at, y, at+d, y, at+d, y+h, at, y+h)
		}
		at += d
	}
	c.code = true
	c.codes = append(c.codes, rect{x + c.dx, y + c.dy, w, h})
}

// code128Widths are the bar and space widths of ISO/IEC 15417 for values 0 to 105.
var code128Widths = strings.Fields(`212222 222122 222221 121223 121322 131222 122213 122312 132212 221213
221312 231212 112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221
312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331
132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111
221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111
241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141
114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232`)
