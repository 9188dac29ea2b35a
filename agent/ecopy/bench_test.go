package ecopy_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/liberation/liberationserifregular"

	"motcua/agent/ecopy"
	"motcua/agent/sign"
	"motcua/ocr"
)

// fullPages are scans of A4 pages full of text, 300 dpi colour JPEG, printed by another program.
func fullPages(tb testing.TB, n int) [][]byte {
	tb.Helper()
	words := strings.Fields("Cộng hòa xã hội chủ nghĩa Việt Nam độc lập tự do hạnh phúc giấy chứng nhận đăng " +
		"ký quyền sử dụng đất nhà ở và tài sản khác gắn liền với đất căn cứ luật hộ " +
		"tịch nghị định của chính phủ ủy ban nhân dân phường cấp cho ông bà sinh ngày tháng " +
		"năm nơi thường trú tại số nhà đường phố quận huyện tỉnh thành")
	rng := rand.New(rand.NewPCG(1, 2))
	doc := fpdf.New("P", "mm", "A4", "")
	doc.AddUTF8FontFromBytes("serif", "", liberationserifregular.TTF)
	for range n {
		doc.AddPage()
		doc.SetFont("serif", "", 13)
		var text strings.Builder
		for range 420 {
			text.WriteString(words[rng.IntN(len(words))] + " ")
		}
		doc.MultiCell(170, 6.2, text.String(), "", "J", false)
	}
	dir := tb.TempDir()
	name := filepath.Join(dir, "in.pdf")
	if err := doc.OutputFileAndClose(name); err != nil {
		tb.Fatal(err)
	}
	if said, err := exec.Command("pdftoppm", "-r", "300", "-jpeg", "-jpegopt", "quality=85", name,
		filepath.Join(dir, "page")).CombinedOutput(); err != nil {
		tb.Fatalf("%v: %s", err, said)
	}
	names, err := filepath.Glob(filepath.Join(dir, "page*.jpg"))
	if err != nil || len(names) != n {
		tb.Fatalf("%d pages: %v", len(names), err)
	}
	var out [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// BenchmarkTenPages reads ten full pages, writes them as one PDF/A and signs it with a key in memory (a token takes a second
// more); beside it OCRmyPDF does the same with the same scans, where it
// is installed, with Tesseract's own words for Vietnamese.
func BenchmarkTenPages(b *testing.B) {
	pages := fullPages(b, 10)
	size := 0
	for _, p := range pages {
		size += len(p)
	}
	r := readerOf(b, 2)
	if err := r.Warm(b.Context()); err != nil {
		b.Fatal(err)
	}
	key, err := sign.NewTrial("Phường Mẫu", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	signer := &sign.Signer{Key: key, Now: time.Now, Mark: sign.Mark{Form: "SAO Y", Organisation: "UBND PHƯỜNG MẪU"}}
	b.Run("motcua", func(b *testing.B) {
		var plain, copied int
		var reading, writing, signing time.Duration
		for b.Loop() {
			start := time.Now()
			var all []ecopy.Copy
			for i, res := range ecopy.ReadAll(len(pages), func(i int) ocr.Result {
				return r.Read(b.Context(), ocr.Input{Data: pages[i], Words: true})
			}) {
				if res.Problem != nil {
					b.Fatal(res.Problem)
				}
				all = append(all, ecopy.Of("page", func() ([]byte, error) { return pages[i], nil }, res.Documents)...)
			}
			read := time.Now()
			var out, signed bytes.Buffer
			if err := ecopy.Write(b.Context(), &out, r, ecopy.Together(all), options); err != nil {
				b.Fatal(err)
			}
			written := time.Now()
			if err := signer.Sign(b.Context(), out.Bytes(), &signed); err != nil {
				b.Fatal(err)
			}
			reading, writing, signing = reading+read.Sub(start), writing+written.Sub(read), signing+time.Since(written)
			plain, copied = out.Len(), signed.Len()
		}
		b.ReportMetric(float64(plain)/float64(size), "unsigned/scan")
		b.ReportMetric(float64(copied)/float64(size), "signed/scan")
		for what, took := range map[string]time.Duration{"read-ms": reading, "write-ms": writing, "sign-ms": signing} {
			b.ReportMetric(float64(took.Milliseconds())/float64(b.N), what)
		}
	})
	b.Run("ocrmypdf", func(b *testing.B) {
		if _, err := exec.LookPath("ocrmypdf"); err != nil {
			b.Skip(err)
		}
		dir := b.TempDir()
		doc := fpdf.New("P", "mm", "A4", "")
		for i, p := range pages {
			doc.AddPage()
			name := fmt.Sprint(i)
			doc.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "JPG"}, bytes.NewReader(p))
			doc.ImageOptions(name, 0, 0, 210, 297, false, fpdf.ImageOptions{ImageType: "JPG"}, 0, "")
		}
		in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
		if err := doc.OutputFileAndClose(in); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if said, err := exec.CommandContext(b.Context(), "ocrmypdf", "-q", "-l", "vie", "--output-type", "pdfa-2", "--jobs", "2", in,
				out).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, said)
			}
		}
		info, err := os.Stat(out)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/float64(size), "unsigned/scan")
	})
}

// Every line of a full page is in the copy in the order in which it is read, as the reader itself read it.
func TestFullPageInReadingOrder(t *testing.T) {
	r := reader(t)
	data := fullPages(t, 1)[0]
	res := r.Read(t.Context(), ocr.Input{Data: data, Words: true})
	if res.Problem != nil || len(res.Documents) != 1 {
		t.Fatalf("%v, %d documents", res.Problem, len(res.Documents))
	}
	var read []string
	for _, w := range res.Documents[0].Parts[0].Words {
		read = append(read, w.Text)
	}
	got := strings.Fields(run(t, copies(t, r, data, options)[0], "pdftotext", "-raw", "FILE", "-"))
	if want := strings.Fields(strings.Join(read, " ")); len(want) < 300 || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%d words are copied, %d were read", len(got), len(want))
	}
}
