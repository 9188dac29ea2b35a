package ocr_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// BenchmarkRead reads an A4 page at 300 dpi with a chip card's two sides, warm, and times the tesseract CLI on the same page
// in the same run: cli/read is how many times faster recognition is. With -cpu 2 it is what a kiosk has.
func BenchmarkRead(b *testing.B) {
	for name, noCodes := range map[string]bool{"code_readable": false, "print_only": true} {
		b.Run(name, func(b *testing.B) {
			d := specimen.Damage{Set: specimen.Clean, Seed: 7, NoCodes: noCodes}
			img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: paper.CCCD, Person: specimen.Invent(7)}}}, 7, d)
			if err != nil {
				b.Fatal(err)
			}
			data := asJPEG(b, img)
			file := filepath.Join(b.TempDir(), "page.jpg")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				b.Fatal(err)
			}
			r, err := ocr.New(ocr.Options{Worker: worker, Workers: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			if err := r.Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			r.Read(b.Context(), ocr.Input{Data: data})
			var read, cli time.Duration
			for b.Loop() {
				start := time.Now()
				if res := r.Read(b.Context(), ocr.Input{Data: data}); res.Problem != nil || len(res.Documents) != 1 {
					b.Fatal("the page was not read")
				}
				read += time.Since(start)
				start = time.Now()
				if err := exec.Command("tesseract", file, filepath.Join(b.TempDir(), "out"), "-l", "vie").Run(); err != nil {
					b.Fatal(err)
				}
				cli += time.Since(start)
			}
			b.ReportMetric(float64(read.Milliseconds())/float64(b.N), "read-ms")
			b.ReportMetric(float64(cli.Milliseconds())/float64(b.N), "cli-ms")
			b.ReportMetric(float64(cli)/float64(read), "cli/read")
		})
	}
}
