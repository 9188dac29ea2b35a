package find

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// printed is an A4 page at 300 dpi of running text in columns of so many pixels that begin at these places.
func printed(t *testing.T, seed uint64, width int, columns ...int) *image.Gray {
	t.Helper()
	f, err := opentype.Parse(liberationserifregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 11, DPI: 300})
	if err != nil {
		t.Fatal(err)
	}
	page := image.NewGray(image.Rect(0, 0, 2480, 3508))
	for i := range page.Pix {
		page.Pix[i] = 255
	}
	words := strings.Fields("ủy ban nhân dân phường xác nhận người có tên trên đang cư trú tại địa phương theo quy định " +
		"của pháp luật về hộ tịch và căn cứ hồ sơ lưu")
	rng := rand.New(rand.NewPCG(seed, 1))
	d := font.Drawer{Dst: page, Src: image.NewUniform(color.Gray{30}), Face: face}
	for _, x := range columns {
		for y := 420; y < 420+24*62; y += 62 {
			for d.Dot = fixed.P(x, y); ; d.DrawString(" ") {
				w := words[rng.IntN(len(words))]
				if (d.Dot.X + d.MeasureString(w)).Round() > x+width {
					break
				}
				d.DrawString(w)
			}
		}
	}
	return page
}

// A page that lies straight is not turned, whatever stands beside what on it.
func TestSlopeOfStraightPages(t *testing.T) {
	for seed := range uint64(6) {
		for name, columns := range map[string][]int{"one": {250}, "two": {250, 1270}} {
			width := 1980
			if len(columns) > 1 {
				width = 960
			}
			if a := Slope(printed(t, seed, width, columns...)) * 180 / math.Pi; math.Abs(a) > 0.25 {
				t.Errorf("seed %d, %s column(s): %.1f degrees", seed, name, a)
			}
		}
	}
}
