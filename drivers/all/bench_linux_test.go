package all

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/drivers/escl"
	"motcua/drivers/escl/printer"
	"motcua/drivers/sane"
	"motcua/drivers/sane/backend"
	"motcua/drivers/scan"
)

// The test binary is its own SANE worker.
func TestMain(m *testing.M) {
	if os.Getenv("MOTCUA_TEST_SANE_WORKER") == "1" {
		if err := sane.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	stack = 50 // pages: what the feeders of small office scanners hold
	small = 10 // pages: what one person brings
)

// inMemory is where both programs write their pages: in memory, where there is such a place, or the disk is what is measured.
func inMemory(b *testing.B) string {
	b.Helper()
	const shared = "/dev/shm"
	if err := unix.Access(shared, unix.W_OK); err != nil {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(shared, "bench-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// beside reports pages a second of both and how many times as fast the driver is as the other program. They take turns, so that
// what else the machine does meets both, and the middle one of the turns counts: something else that takes the processors for a while
// spoils some turns and not the figure.
func beside(b *testing.B, pages int, ours, theirs func() error) {
	var mine, other, times []float64
	for b.Loop() {
		b.StopTimer()
		began := time.Now()
		if err := theirs(); err != nil {
			b.Fatal(err)
		}
		other = append(other, time.Since(began).Seconds())
		b.StartTimer()
		began = time.Now()
		if err := ours(); err != nil {
			b.Fatal(err)
		}
		mine = append(mine, time.Since(began).Seconds())
		times = append(times, other[len(other)-1]/mine[len(mine)-1])
	}
	b.ReportMetric(float64(pages)/median(mine), "pages/s")
	b.ReportMetric(float64(pages)/median(other), "theirs/s")
	b.ReportMetric(median(times), "x")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return (of[len(of)/2] + of[(len(of)-1)/2]) / 2
}

// take scans a stack to files, as scanimage does: pixels as PNM, line by line as they come, in whole pages of memory (its stdio does so;
// pieces that begin 17 bytes behind one, after the header, cost the kernel more), and a file as it came.
func take(s Scanner, dir string, pages int) error {
	n := 0
	var page *os.File
	var failed error
	blocks := bufio.NewWriterSize(nil, 64<<10)
	lines := func(b scan.Band) {
		g, ok := b.Image.(*image.Gray)
		if failed != nil || !ok {
			return
		}
		if b.Y == 0 {
			if page, failed = os.Create(filepath.Join(dir, fmt.Sprint(b.Page))); failed != nil {
				return
			}
			blocks.Reset(page)
			_, failed = fmt.Fprintf(blocks, "P5\n%d %d\n255\n", g.Rect.Dx(), b.Total)
		}
		if failed == nil {
			_, failed = blocks.Write(g.Pix)
		}
	}
	for p, err := range s.Scan(context.Background(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300, Reuse: true, Lines: lines}) {
		if err != nil {
			return err
		}
		n++
		if p.Encoded != nil {
			failed = os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), p.Encoded, 0o600)
		} else if failed == nil {
			failed = errors.Join(blocks.Flush(), page.Close())
		}
		if failed != nil {
			return failed
		}
	}
	if n != pages {
		return fmt.Errorf("%d pages, want %d", n, pages)
	}
	return nil
}

// hold scans a stack into this program's memory, where the next stage finds its pages.
func hold(s Scanner, _ string, pages int) error {
	n := 0
	for p, err := range s.Scan(context.Background(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300, Reuse: true}) {
		if err != nil {
			return err
		}
		if g, ok := p.Image.(*image.Gray); !ok || len(g.Pix) != g.Rect.Dx()*g.Rect.Dy() || len(g.Pix) < leastPixels {
			return fmt.Errorf("page %d is no page", p.Number)
		}
		n++
	}
	if n != pages {
		return fmt.Errorf("%d pages, want %d", n, pages)
	}
	return nil
}

// paper scans a stack to JPEGs, as `motcua scan` and the kiosk do: each page is coded whole and put in place at once.
func paper(s Scanner, dir string, pages int) error {
	n := 0
	for p, err := range s.Scan(context.Background(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300, Reuse: true}) {
		if err != nil {
			return err
		}
		data, _, err := scan.Encode(p)
		if err != nil {
			return err
		}
		n++
		name := filepath.Join(dir, fmt.Sprintf("%d.jpg", n))
		if err := errors.Join(os.WriteFile(name+".part", data, 0o600), os.Rename(name+".part", name)); err != nil {
			return err
		}
	}
	if n != pages {
		return fmt.Errorf("%d pages, want %d", n, pages)
	}
	return nil
}

// leastPixels are fewer than A4 has at 300 dpi.
const leastPixels = 8 << 20

// readBack does what a program must that has scanimage scan: it takes the pages from the files into its own memory, one after another
// into the same.
func readBack(dir string, pages int) error {
	var pixels bytes.Buffer
	for n := range pages {
		f, err := os.Open(filepath.Join(dir, fmt.Sprintf("theirs-%d.pnm", n+1)))
		if err != nil {
			return err
		}
		pixels.Reset()
		_, err = pixels.ReadFrom(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if pixels.Len() < leastPixels {
			return fmt.Errorf("page %d is no page", n+1)
		}
	}
	return nil
}

// scanimage scans a stack to files.
func scanimage(dir string, pages int, format string, env []string, args ...string) error {
	args = append(args, "--format="+format, "--batch="+filepath.Join(dir, "theirs-%d."+format))
	c := exec.Command("scanimage", args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if files, _ := filepath.Glob(filepath.Join(dir, "theirs-*."+format)); len(files) != pages { // it ends with 7, "out of documents"
		return fmt.Errorf("scanimage: %d pages, %v\n%s", len(files), err, out)
	}
	return nil
}

// build builds a program as it is installed.
func build(b *testing.B, program, file string) string {
	b.Helper()
	if out, err := exec.Command("go", "build", "-o", file, program).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return file
}

// BenchmarkSANE_beside_scanimage scans stacks of A4, 300 dpi, grey, from the same backend to PNM in memory. Cold, the worker is
// started for the stack and ended after it, as scanimage is, and that counts; first, it is the one that a daemon has ready before
// its first scan, or after a pause; warm, it is the one of the stack before, as for one person after another. At hand, the pages are to lie
// in the memory of the program that asked for them: from scanimage it reads its files. As JPEG, both end in the files that people keep,
// ours in the quality of the product (90, scanimage's is 75). PNM is what nobody keeps, and what shows the two pipelines bare: the kernel
// takes longer for 9 MB of a file in memory than the driver for the page.
func BenchmarkSANE_beside_scanimage(b *testing.B) {
	d, err := backend.Play(b.TempDir(), "fujitsu", "source=ADF Front\nmode=Gray|Color\nresolution=50-600\nx=215.9\ny=297\n")
	if err != nil {
		b.Fatal(err)
	}
	o := sane.Options{Worker: []string{build(b, "motcua/drivers/sane/worker", filepath.Join(b.TempDir(), sane.Helper))}, Env: d.Env}
	for _, pages := range []int{stack, small} {
		suffix := ""
		if pages == small {
			suffix = "_ten_sheets"
		}
		dir := inMemory(b)
		kept := func(string, int) error { return nil }
		besideScanimage(b, d, o, pages, suffix, dir, "pnm", take, kept)
		besideScanimage(b, d, o, pages, suffix+"_at_hand", dir, "pnm", hold, readBack)
		besideScanimage(b, d, o, pages, suffix+"_as_JPEG", dir, "jpeg", paper, kept)
	}
}

// besideScanimage lets scanimage write a stack's pages and a program do with them what it must, and the driver take the same stack.
func besideScanimage(b *testing.B, d *backend.Device, o sane.Options, pages int, suffix, dir, format string,
	take func(s Scanner, dir string, pages int) error, after func(dir string, pages int) error) {
	theirs := func() error {
		if err := d.Load(pages); err != nil {
			return err
		}
		return errors.Join(
			scanimage(dir, pages, format, d.Env, "-d", d.ID, "--source=ADF Front", "--mode=Gray", "--resolution=300", "-x", "215.9", "-y", "297"),
			after(dir, pages))
	}
	ours := func(s *sane.Scanner) error {
		if err := d.Load(pages); err != nil {
			return err
		}
		return take(s, dir, pages)
	}
	b.Run("cold"+suffix, func(b *testing.B) {
		beside(b, pages, func() error {
			s := sane.Open(o, "sane:"+d.ID)
			defer s.Close()
			return ours(s)
		}, theirs)
	})
	b.Run("first"+suffix, func(b *testing.B) {
		o := o
		o.Ready = true
		var s *sane.Scanner
		beside(b, pages, func() error { return ours(s) }, func() error {
			if s != nil {
				s.Close()
			}
			s = sane.Open(o, "sane:"+d.ID)
			return theirs()
		})
		s.Close()
	})
	b.Run("warm"+suffix, func(b *testing.B) {
		s := sane.Open(o, "sane:"+d.ID)
		defer s.Close()
		if err := ours(s); err != nil {
			b.Fatal(err)
		}
		beside(b, pages, func() error { return ours(s) }, theirs)
	})
}

// airscan writes the configuration of SANE's backend airscan for one device, "bench".
func airscan(folder, address string) error {
	return errors.Join(os.WriteFile(filepath.Join(folder, "dll.conf"), []byte("airscan\n"), 0o600),
		os.WriteFile(filepath.Join(folder, "airscan.conf"),
			[]byte("[devices]\nbench = "+address+", eSCL\n[options]\ndiscovery = disable\n"), 0o600))
}

// The backend airscan scans within the worker's bounds.
func TestAirscan_in_bounds(t *testing.T) {
	p := printer.New(printer.Habits{Formats: []string{"image/jpeg"}})
	server := httptest.NewServer(p)
	defer server.Close()
	page, _, err := scan.Encode(scan.Page{Image: image.NewGray(image.Rect(0, 0, 2480, 3508)), DPI: 300})
	if err != nil {
		t.Fatal(err)
	}
	p.Feed(page, page)
	config := t.TempDir()
	if err := airscan(config, server.URL+p.Root()); err != nil {
		t.Fatal(err)
	}
	s := sane.Open(sane.Options{Worker: []string{os.Args[0]}, Env: []string{"MOTCUA_TEST_SANE_WORKER=1", "SANE_CONFIG_DIR=" + config}},
		"sane:airscan:e0:bench")
	defer s.Close()
	n := 0
	for p, err := range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; p.Image.Bounds().Dx() < 2400 {
			t.Errorf("page %d is %v", n, p.Image.Bounds())
		}
	}
	if note := s.Info().Note; n != 2 || note != "" {
		t.Errorf("%d pages; %s", n, note)
	}
}

// BenchmarkESCL_beside_airscan scans a stack of JPEGs from the same server.
func BenchmarkESCL_beside_airscan(b *testing.B) {
	p := printer.New(printer.Habits{Formats: []string{"image/jpeg"}})
	server := httptest.NewServer(p)
	defer server.Close()
	img := image.NewGray(image.Rect(0, 0, 2480, 3508))
	for i := range img.Pix {
		img.Pix[i] = uint8(200 + i%50)
	}
	page, _, err := scan.Encode(scan.Page{Image: img, DPI: 300})
	if err != nil {
		b.Fatal(err)
	}
	config := b.TempDir()
	if err := airscan(config, server.URL+p.Root()); err != nil {
		b.Fatal(err)
	}
	s, err := escl.Open(escl.Options{}, server.URL+p.Root())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	dir := inMemory(b)
	load := func() {
		p.Clear()
		for range stack {
			p.Feed(page)
		}
	}
	beside(b, stack, func() error {
		load()
		return take(s, dir, stack)
	}, func() error {
		load()
		return scanimage(dir, stack, "pnm", []string{"SANE_CONFIG_DIR=" + config},
			"-d", "airscan:e0:bench", "--source=ADF", "--mode=Gray", "--resolution=300")
	})
}

// BenchmarkCommand_beside_scanimage holds `motcua scan` against `scanimage --batch --format=jpeg`, each as a person at a terminal starts
// it, so that the start of either program counts. Of blank pages ours leaves out none here: the played ones are.
func BenchmarkCommand_beside_scanimage(b *testing.B) {
	d, err := backend.Play(b.TempDir(), "plain", "source=ADF Front\nmode=Gray|Color\nresolution=50-600\nx=215.9\ny=297\n")
	if err != nil {
		b.Fatal(err)
	}
	programs := b.TempDir()
	build(b, "motcua/drivers/sane/worker", filepath.Join(programs, sane.Helper))
	program := build(b, "motcua/agent", filepath.Join(programs, "motcua"))
	own := filepath.Join(programs, "motcua.yaml")
	if err := os.WriteFile(own, []byte("scanner: {drop_blank: false}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, pages := range []int{stack, small} {
		dir := inMemory(b)
		b.Run(fmt.Sprint(pages), func(b *testing.B) {
			beside(b, pages, func() error {
				if err := d.Load(pages); err != nil {
					return err
				}
				c := exec.Command(program, "scan", "--config", own, "--device", "sane:"+d.ID, "--source", "adf", "--mode", "gray",
					"-o", filepath.Join(dir, "ours"))
				c.Env = append(os.Environ(), d.Env...)
				if out, err := c.CombinedOutput(); err != nil || bytes.Count(out, []byte("\n")) != pages {
					return fmt.Errorf("motcua scan: %v\n%s", err, out)
				}
				return nil
			}, func() error {
				if err := d.Load(pages); err != nil {
					return err
				}
				return scanimage(dir, pages, "jpeg", d.Env, "-d", d.ID, "--source=ADF Front", "--mode=Gray", "--resolution=300",
					"-x", "215.9", "-y", "297")
			})
		})
	}
}
