package slip

import (
	"fmt"
	"image"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"motcua/ocr/qr"
)

func TestDraw(t *testing.T) {
	s := Slip{Office: "Ủy ban nhân dân phường Bến Nghé, Thành phố Hồ Chí Minh", Title: "Phiếu nhận hồ sơ", Code: "K7M2-9QXD-3F",
		Lines: []string{"Chứng thực bản sao từ bản chính giấy tờ do cơ quan có thẩm quyền cấp", "N.T.Đ · 3 trang", strings.Repeat("ộ", 90)},
		Foot:  "Nhớ lấy lại giấy tờ trên mặt kính."}
	for _, width := range []int{384, 576} {
		img, err := Draw(s, width)
		if err != nil {
			t.Fatal(err)
		}
		if img.Rect.Dx() != width || img.Rect.Dy() < width {
			t.Errorf("the picture is %v", img.Rect)
		}
		upright := image.NewGray(image.Rect(0, 0, width, img.Rect.Dy()))
		for y := range img.Rect.Dy() {
			for x := range width {
				v := img.GrayAt(x, y)
				if upright.SetGray(x, y, v); v.Y < 128 && (x == 0 || x == width-1) {
					t.Fatalf("ink at the edge of the paper, line %d", y)
				}
			}
		}
		found := qr.Find(upright, qr.QRCode)
		if len(found) != 1 || found[0].Text != s.Code {
			t.Errorf("%d dots: %d symbols are read on it", width, len(found))
		}
	}
	if got := fmt.Sprintf("%v %#v", s, s); strings.Contains(got, "K7M2") || strings.Contains(got, "N.T.Đ") {
		t.Errorf("it prints itself as %s", got)
	}
}

// Every letter of the language is in the fonts, in both forms.
func TestLetters(t *testing.T) {
	const vowels = "aăâeêioôơuưy"
	letters := "bcdđghklmnpqrstvx0123456789.,:·-–“”()/ " + vowels
	for _, v := range vowels {
		for _, tone := range "\u0300\u0301\u0303\u0309\u0323" {
			letters += norm.NFC.String(string(v) + string(tone))
		}
	}
	plain, bold := fonts()
	var b sfnt.Buffer
	for _, r := range letters + strings.ToUpper(letters) {
		for _, f := range []*sfnt.Font{plain, bold} {
			if i, err := f.GlyphIndex(&b, r); err != nil || i == 0 {
				t.Errorf("no %q: %v", r, err)
			}
		}
	}
}
