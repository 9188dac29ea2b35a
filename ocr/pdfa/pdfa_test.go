package pdfa_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"motcua/ocr/jpeg"
	"motcua/ocr/paper"
	"motcua/ocr/pdfa"
)

var info = pdfa.Info{
	Title: "Giấy khai sinh <bản số hoá> & (thử)", Tool: "Motcua test",
	Created:     time.Date(2026, 11, 29, 8, 30, 5, 0, time.FixedZone("", 7*3600)),
	Descriptive: pdfa.Descriptive{Kind: "Giấy khai sinh", Number: "118/2016", Issued: "2016-03-20", Holder: "TRỊNH GIA MẪN"},
}

func picture(t testing.TB, gray bool) []byte {
	t.Helper()
	var img image.Image = image.NewRGBA(image.Rect(0, 0, 300, 200))
	if gray {
		img = image.NewGray(image.Rect(0, 0, 300, 200))
	}
	data, err := jpeg.Encode(img, 80)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// line lays words side by side, each in a box as wide as its letters.
func line(n int, y float64, words ...string) []paper.Word {
	var out []paper.Word
	x := 20.0
	for _, w := range words {
		long := 5 * float64(len([]rune(w)))
		out = append(out, paper.Word{Text: w, Line: n, Where: paper.Quad{{X: x, Y: y}, {X: x + long, Y: y}, {X: x + long, Y: y + 10},
			{X: x, Y: y + 10}}})
		x += long + 4
	}
	return out
}

func page(t testing.TB, gray bool, words ...paper.Word) pdfa.Page {
	return pdfa.Page{Width: 595.2, Height: 841.92, JPEG: picture(t, gray), Gray: gray, Pixels: [2]int{300, 200},
		Corners: [3]paper.Point{{}, {X: 595.2}, {Y: 841.92}}, Words: words}
}

func written(t testing.TB, i pdfa.Info, pages ...pdfa.Page) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pdfa.New(&b, i)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if err := w.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// run gives what a program that is not ours says of a file.
func run(t testing.TB, data []byte, argv ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for i, a := range argv {
		argv[i] = strings.ReplaceAll(a, "FILE", name)
	}
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", argv[0], err, out)
	}
	return string(out)
}

func TestWrite(t *testing.T) {
	for _, level := range pdfa.Levels {
		t.Run(string(level), func(t *testing.T) {
			i := info
			i.Level = level
			data := written(t, i, page(t, false, line(0, 30, "CỘNG", "HÒA", "XÃ", "HỘI")...), page(t, true))
			if out := run(t, data, "qpdf", "--check", "FILE"); !strings.Contains(out, "No syntax or stream encoding errors") ||
				strings.Contains(out, "WARNING") {
				t.Error(out)
			}
			if out := run(t, data, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", "FILE"); strings.TrimSpace(out) != "" {
				t.Errorf("Ghostscript: %s", out)
			}
			out := run(t, data, "pdfinfo", "FILE")
			for _, want := range []string{info.Title, "Pages:           2", "A4", "Motcua test"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in %s", want, out)
				}
			}
			if fonts := run(t, data, "pdffonts", "FILE"); !strings.Contains(fonts, "MotcuaGlyphless") || !strings.Contains(fonts, "yes no  yes") {
				t.Errorf("not embedded with letters: %s", fonts)
			}
			if got := strings.Fields(run(t, data, "pdftotext", "FILE", "-")); strings.Join(got, " ") != "CỘNG HÒA XÃ HỘI" {
				t.Errorf("%q", got)
			}
			if meta := run(t, data, "pdfinfo", "-meta", "FILE"); !strings.Contains(meta, "<pdfaid:part>"+string(level[:1])+"<") ||
				!strings.Contains(meta, "TRỊNH GIA MẪN") {
				t.Error(meta)
			}
			if again := written(t, i, page(t, false, line(0, 30, "CỘNG", "HÒA", "XÃ", "HỘI")...), page(t, true)); !bytes.Equal(again, data) {
				t.Error("the same pages give other bytes")
			}
			// Nothing of the text is seen: the page is what the picture is.
			name := filepath.Join(t.TempDir(), "seen")
			run(t, data, "pdftoppm", "-r", "20", "-f", "1", "-l", "1", "-gray", "FILE", name)
			shown, err := filepath.Glob(name + "*")
			if err != nil || len(shown) != 1 {
				t.Fatalf("%v %v", shown, err)
			}
			pixels, err := os.ReadFile(shown[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range pixels[len(pixels)-1000:] {
				if v > 20 { // the picture is black
					t.Fatalf("something of %d is seen on black", v)
				}
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	if _, err := pdfa.New(&bytes.Buffer{}, pdfa.Info{Level: "3u"}); err == nil {
		t.Error("a level that is not written")
	}
	w, err := pdfa.New(&bytes.Buffer{}, info)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("a copy without pages")
	}
	for name, change := range map[string]func(*pdfa.Page){
		"no_picture": func(p *pdfa.Page) { p.JPEG = nil },
		"no_size":    func(p *pdfa.Page) { p.Width = 0 },
		"too_wide":   func(p *pdfa.Page) { p.Width = 1e6 },
		"not_a_size": func(p *pdfa.Page) { p.Height = math.NaN() },
	} {
		t.Run(name, func(t *testing.T) {
			p := page(t, false)
			change(&p)
			w, err := pdfa.New(&bytes.Buffer{}, info)
			if err != nil {
				t.Fatal(err)
			}
			if w.Add(p) == nil {
				t.Error("taken")
			}
		})
	}
}

// Every Vietnamese word, and every other that can be read, is copied as it was read, however it is spelled in bytes.
func TestEveryLetterIsCopied(t *testing.T) {
	const letters = "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩị" +
		"óòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵAĂÂĐÊÔƠƯỨỪỬỮỰỲỴ0123456789.,:/()-<«»’ʼčƀ"
	rapid.Check(t, func(r *rapid.T) {
		var words []paper.Word
		var want []string
		for n := range rapid.IntRange(1, 12).Draw(r, "lines") {
			row := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune(letters)), 1, 9, -1), 1, 6).Draw(r, "words")
			words = append(words, line(n, 30+20*float64(n), row...)...)
			want = append(want, row...)
		}
		data := written(t, info, page(t, true, words...))
		got := strings.Fields(run(t, data, "pdftotext", "-raw", "FILE", "-"))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			r.Errorf("copied as %q, it is %q", got, want)
		}
	})
}

// What no font has a place for does not break the file.
func TestOddLetters(t *testing.T) {
	data := written(t, info, page(t, true, line(0, 30, "a\x00b\uFEFFc\uFFFE", "e\u0302\u0301", "\U0001F600x", "")...))
	if got := strings.Fields(run(t, data, "pdftotext", "-raw", "FILE", "-")); fmt.Sprint(got) != "[abc ế x]" {
		t.Errorf("%q", got)
	}
}
