package ocr_test

import (
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"motcua/ocr"
)

// columned draws an A4 page at 300 dpi with a heading over two columns of running text, five millimetres apart, and gives its words
// in the order in which people read them.
func columned(t *testing.T, lines int) (*image.Gray, []string) {
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
	d := font.Drawer{Dst: page, Src: image.NewUniform(color.Gray{30}), Face: face}
	var words []string
	write := func(x, y, width int, text []string) (rest []string) {
		d.Dot = fixed.P(x, y)
		for len(text) > 0 && (d.Dot.X+d.MeasureString(text[0])).Round() < x+width {
			words = append(words, text[0])
			d.DrawString(text[0] + " ")
			text = text[1:]
		}
		return text
	}
	const common = "ủy ban nhân dân phường xác nhận người có tên trên đang cư trú tại địa phương theo quy định " +
		"của pháp luật về hộ tịch và căn cứ hồ sơ lưu"
	rng := rand.New(rand.NewPCG(4, 4))
	var text []string
	for range lines * 2 * 14 {
		all := strings.Fields(common)
		text = append(text, all[rng.IntN(len(all))])
	}
	rest := write(250, 300, 1980, text)
	for _, x := range []int{250, 1270} {
		for i := range lines {
			rest = write(x, 420+62*i, 960, rest)
		}
	}
	return page, words
}

// likeOrder is the share of words that stand in the same order: of the longest run of words common to both, with gaps.
func likeOrder(want, got []string) float64 {
	row := make([]int, len(got)+1)
	for _, w := range want {
		diagonal := 0
		for j, g := range got {
			above := row[j+1]
			if w == g {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return float64(row[len(got)]) / float64(max(len(want), len(got)))
}

// Running text in two columns is read one column after the other, as well as Tesseract's own layout does it. Ten lines of it are of a
// card's size and shape, and hold words that cards' labels have.
func TestColumnsAreReadOneAfterTheOther(t *testing.T) {
	t.Parallel()
	page, want := columned(t, 10)
	data := asJPEG(t, page)
	out := near().Read(t.Context(), ocr.Input{Data: data, Words: true})
	if out.Problem != nil || len(out.Documents) != 1 || len(out.Documents[0].Parts) != 1 {
		t.Fatalf("%d documents, problem %v", len(out.Documents), out.Problem)
	}
	var got []string
	for _, w := range out.Documents[0].Parts[0].Words {
		got = append(got, w.Text)
	}
	file := filepath.Join(t.TempDir(), "page.jpg")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	theirs, err := exec.Command("tesseract", file, "stdout", "-l", "vie").Output()
	if err != nil {
		t.Fatalf("run tesseract: %v", err)
	}
	ours, other := likeOrder(want, got), likeOrder(want, strings.Fields(string(theirs)))
	if t.Logf("in order %.3f, tesseract %.3f", ours, other); ours < 0.97 || ours < other-0.01 {
		t.Errorf("%.3f of the words are in order, %.3f by tesseract", ours, other)
	}
	if text := likeOrder(want, strings.Fields(out.Documents[0].Text)); text < 0.97 {
		t.Errorf("%.3f of the text is in order", text)
	}
}
