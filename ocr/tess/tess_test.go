package tess

import (
	"image"
	"image/color"
	"motcua/ocr/lines"
	"os"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/go-fonts/liberation/liberationsansregular"
)

func TestParse(t *testing.T) {
	const hocr = `  <div class='ocr_page' id='page_1' title='image ""; bbox 0 0 400 60; ppageno 0; scan_res 300 300'>
   <div class='ocr_carea'><p class='ocr_par' lang='vie'>
     <span class='ocr_line' title="bbox 10 5 300 40; baseline 0 -8; x_size 30">
      <span class='ocrx_word' id='word_1_1' title='bbox 10 5 90 40; x_wconf 96'
      ><span class='ocrx_cinfo' title='x_bboxes 10 5 20 40; x_conf 99.1'>N</span
      ><span class='ocrx_cinfo' title='x_bboxes 21 5 30 40; x_conf 61.5'>&amp;</span></span>
      <span class='ocrx_word' id='word_1_2' title='bbox 100 5 300 40; x_wconf 88'
      ><strong><span class='ocrx_cinfo' title='x_bboxes 100 5 300 40; x_conf 88'>ÿ</span></strong></span>
     </span>
     <span class='ocr_header' title="bbox 10 45 300 60">
      <span class='ocrx_word' title='bbox 10 45 20 60; x_wconf 5'> </span>
      <span class='ocrx_word' title='no box'>x</span>
      <span class='ocrx_word' title='bbox 30 45 50 60; x_wconf 70'>B</span>
     </span></p></div></div>`
	want := []lines.Word{
		{Text: "N&", Line: 1, Box: image.Rect(10, 5, 90, 40), Conf: .96, Low: .615},
		{Text: "ỷ", Line: 1, Box: image.Rect(100, 5, 300, 40), Conf: .88, Low: .88},
		{Text: "B", Line: 2, Box: image.Rect(30, 45, 50, 60), Conf: .70, Low: 1},
	}
	got := parse(hocr)
	if len(got) != len(want) {
		t.Fatalf("%d words: %+v", len(got), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("word %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if cut := parse(hocr[:strings.Index(hocr, "ocr_header")]); len(cut) != 2 {
		t.Errorf("cut short: %+v", cut)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`<span class='ocr_line'><span class='ocrx_word' title='bbox 1 2 3 4; x_wconf 9'>a</span></span>`)
	f.Add(`<span class='ocrx_word' title='bbox 1 2 3 4'>`)
	f.Fuzz(func(t *testing.T, hocr string) {
		for _, w := range parse(hocr) {
			if w.Text == "" {
				t.Error("a word without letters")
			}
		}
	})
}

// Real letters through the real engine, from a picture that does not begin at its buffer's beginning.
func TestRead(t *testing.T) {
	e, err := Open("vie")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	page := image.NewGray(image.Rect(0, 0, 700, 200))
	for i := range page.Pix {
		page.Pix[i] = 255
	}
	for _, w := range e.Read(page, 300) { // told to read a line it finds one, but does not believe in it
		if w.Conf > .3 {
			t.Errorf("an empty page gave %+v", w)
		}
	}
	ttf, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(ttf, &opentype.FaceOptions{Size: 36, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	d := font.Drawer{Dst: page, Src: image.NewUniform(color.Gray{}), Face: face, Dot: fixed.P(43, 130)}
	d.DrawString("Nguyễn Thị Quỳnh")
	words := e.Read(page.SubImage(image.Rect(31, 80, 501, 150)).(*image.Gray), 300)
	if len(words) != 3 || words[0].Text != "Nguyễn" || words[2].Text != "Quỳnh" {
		t.Fatalf("%+v", words)
	}
	first := words[0]
	if first.Line != 1 || first.Conf < .5 || first.Low <= 0 || first.Low > 1 || !first.Box.In(image.Rect(40, 90, 180, 145)) {
		t.Errorf("%+v", first)
	}
}

func TestOpenSaysWhatToInstall(t *testing.T) {
	if _, err := Open("xyz"); err == nil || !strings.Contains(err.Error(), "tesseract-ocr-xyz") {
		t.Fatal(err)
	}
	if _, err := os.Stderr.WriteString(""); err != nil {
		t.Errorf("standard error is gone: %v", err)
	}
}
