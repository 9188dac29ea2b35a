package ecopy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/ecopy"
	"motcua/ocr"
	"motcua/ocr/jpeg"
	"motcua/ocr/paper"
	"motcua/ocr/pdfa"
	"motcua/ocr/pdfa/conform"
	"motcua/ocr/specimen"
	"motcua/ocr/vn"
)

// patience is what a test allows what it waits for: longer than a machine takes that does much else, short of a hang.
const patience = 5 * time.Minute

// The test binary is its own recognition worker, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "ocr-worker" {
		if err := ocr.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// cutter gives what it is told to, as a worker may that was taken over.
type cutter func(take func(i int, c ocr.Cut) error) error

func (c cutter) Cuts(_ context.Context, _ ocr.Input, _ []paper.Part, _ int, take func(i int, c ocr.Cut) error) error {
	return c(take)
}

// A cutting of a part that the sheet doesn't have costs the copy, not the program.
func TestOddCutting(t *testing.T) {
	c := ecopy.Copy{Title: "x", Sheets: []ecopy.Sheet{{File: "x", Kind: paper.Other, Parts: make([]paper.Part, 1),
		Load: func() ([]byte, error) { return nil, nil }}}}
	odd := cutter(func(take func(i int, c ocr.Cut) error) error { return take(7, ocr.Cut{}) })
	if err := ecopy.Write(t.Context(), io.Discard, odd, c, options); err == nil {
		t.Error("a copy was made of it")
	}
}

var options = ecopy.Options{Level: pdfa.A2b, Tool: "Motcua test", Now: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)}

func reader(t testing.TB) *ocr.Reader {
	t.Helper()
	return readerOf(t, 1)
}

func readerOf(t testing.TB, workers int) *ocr.Reader {
	t.Helper()
	r, err := ocr.New(ocr.Options{Worker: []string{os.Args[0], "ocr-worker"}, Workers: workers,
		Limits: ocr.Limits{Time: patience, FileTime: patience}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// scanned is a page as a scanner gives it: a JPEG that says how fine it is.
func scanned(t testing.TB, turn int, kinds ...paper.Kind) (data []byte, truths []specimen.PaperTruth) {
	t.Helper()
	spec := specimen.Spec{}
	for i, k := range kinds {
		spec.Papers = append(spec.Papers, specimen.Paper{Kind: k, Person: specimen.Invent(uint64(70 + i)), Rotation: turn})
	}
	img, truth, err := specimen.Draw(spec, 70, specimen.Damage{Set: specimen.Clean, Seed: 70})
	if err != nil {
		t.Fatal(err)
	}
	data, err = jpeg.Encode(img, 90)
	if err != nil {
		t.Fatal(err)
	}
	return jpeg.WithDensity(data, 300), truth.Papers
}

// copies reads a file and copies what is on it.
func copies(t testing.TB, r *ocr.Reader, data []byte, o ecopy.Options) [][]byte {
	t.Helper()
	res := r.Read(t.Context(), ocr.Input{Data: data, Words: true})
	if res.Problem != nil {
		t.Fatal(res.Problem)
	}
	var out [][]byte
	for _, c := range ecopy.Of("scan", func() ([]byte, error) { return data, nil }, res.Documents) {
		var b bytes.Buffer
		if err := ecopy.Write(t.Context(), &b, r, c, o); err != nil {
			t.Fatal(err)
		}
		if found, err := conform.Check(b.Bytes(), o.Level); err != nil || len(found) > 0 {
			t.Errorf("no PDF/A-%s: %v %v", o.Level, found, err)
		}
		out = append(out, b.Bytes())
	}
	return out
}

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

func size(t testing.TB, data []byte) (w, h float64) {
	t.Helper()
	for l := range strings.Lines(run(t, data, "pdfinfo", "FILE")) {
		if rest, ok := strings.CutPrefix(l, "Page size:"); ok {
			if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%f x %f", &w, &h); err != nil {
				t.Fatal(err)
			}
		}
	}
	return w, h
}

// squeezed is text without blanks, as two programs may part words differently.
func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

// A sheet that was fed straight is copied as it is: the scan's own bytes, A4, its words found by another program.
func TestSheetIsPassedThrough(t *testing.T) {
	r := reader(t)
	data, truths := scanned(t, 0, paper.KhaiSinh)
	all := copies(t, r, data, options)
	if len(all) != 1 {
		t.Fatalf("%d copies", len(all))
	}
	if w, h := size(t, all[0]); math.Abs(w-595.2) > 0.5 || math.Abs(h-842) > 0.5 {
		t.Errorf("A4 is %.1f by %.1f points", w, h)
	}
	name := filepath.Join(t.TempDir(), "picture")
	run(t, all[0], "pdfimages", "-all", "FILE", name)
	if kept, err := os.ReadFile(name + "-000.jpg"); err != nil || !bytes.Equal(kept, data) {
		t.Errorf("the scan's JPEG is not in it as it came: %v", err)
	}
	if over := len(all[0]) - len(data); over > 30_000 {
		t.Errorf("%d bytes more than the scan", over)
	}
	text := squeezed(run(t, all[0], "pdftotext", "-raw", "FILE", "-"))
	res := r.Read(t.Context(), ocr.Input{Data: data})
	for _, n := range []paper.Name{paper.FullName, paper.FatherName, paper.MotherName} {
		read := res.Documents[0].Fields[n]
		if want := truths[0].Printed[n]; want == "" || vn.Same(read.Value, want) && !strings.Contains(text, squeezed(read.Value)) {
			t.Errorf("%s was read, but cannot be found", n)
		}
	}
}

// However a card lies, its copy stands upright, measures 85.6 by 54 millimetres, and shows nothing of its neighbour.
func TestCardsAreCutAndUpright(t *testing.T) {
	r := reader(t)
	for _, turn := range []int{90, 180} {
		t.Run(fmt.Sprint(turn), func(t *testing.T) {
			data, truths := scanned(t, turn, paper.CCCD)
			all := copies(t, r, data, options)
			if len(all) != 1 {
				t.Fatalf("%d copies", len(all))
			}
			if w, h := size(t, all[0]); math.Abs(w-242.6) > 6 || math.Abs(h-153) > 5 {
				t.Errorf("%.1f by %.1f points", w, h)
			}
			// Another reader than ours sees it upright: the text layer of our copy and the card read anew agree.
			name := filepath.Join(t.TempDir(), "seen")
			run(t, all[0], "pdftoppm", "-r", "300", "-png", "FILE", name)
			seen, err := os.ReadFile(name + "-1.png")
			if err != nil {
				t.Fatal(err)
			}
			again := r.Read(t.Context(), ocr.Input{Data: seen})
			if again.Problem != nil || len(again.Documents) != 1 || again.Documents[0].Rotation != 0 {
				t.Fatalf("read anew: %v, %v", again.Problem, again.Documents)
			}
			if f := again.Documents[0].Fields[paper.Number]; f.Value != truths[0].Fields[paper.Number] {
				t.Error("the number on the copy is another")
			}
			if len(all[0]) > len(data) {
				t.Errorf("%d bytes of a scan of %d", len(all[0]), len(data))
			}
			text := run(t, all[0], "pdftotext", "-raw", "FILE", "-")
			if !strings.Contains(squeezed(text), squeezed(truths[0].Printed[paper.FullName])) {
				t.Error("the name cannot be found")
			}
		})
	}
}

// An office may bound a page; what is read from it stays the same.
func TestBoundedPage(t *testing.T) {
	r := reader(t)
	data, truths := scanned(t, 0, paper.KhaiSinh)
	o := options
	o.MaxPage = len(data) / 4
	small := copies(t, r, data, o)[0]
	if len(small) > o.MaxPage+30_000 {
		t.Errorf("%d bytes, %d are allowed", len(small), o.MaxPage)
	}
	res := r.Read(t.Context(), ocr.Input{Data: small})
	if res.Problem != nil || len(res.Documents) != 1 {
		t.Fatalf("%v, %d documents", res.Problem, len(res.Documents))
	}
	for _, n := range []paper.Name{paper.FullName, paper.DateOfBirth} {
		if f := res.Documents[0].Fields[n]; !vn.Same(f.Value, truths[0].Fields[n]) {
			t.Errorf("%s is read otherwise", n)
		}
	}
}

// Pictures that are no JPEG, mirrored ones among them, are encoded once; the words lie where the print is.
func TestOtherPictures(t *testing.T) {
	r := reader(t)
	data, truths := scanned(t, 0, paper.CCCD)
	img, err := jpeg.Color(data, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.jpg"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, argv := range map[string][]string{
		"png":           {"-units", "PixelsPerInch", "-density", "300", "out.png"},
		"mirrored_tiff": {"-flop", "-orient", "TopRight", "-units", "PixelsPerInch", "-density", "300", "-compress", "lzw", "out.tif"},
		"gray":          {"-colorspace", "Gray", "-units", "PixelsPerInch", "-density", "300", "gray.jpg"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "convert", append([]string{"in.jpg"}, argv...)...)
			cmd.Dir = dir
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			other, err := os.ReadFile(filepath.Join(dir, argv[len(argv)-1]))
			if err != nil {
				t.Fatal(err)
			}
			all := copies(t, r, other, options)
			if len(all) != 1 {
				t.Fatalf("%d copies of %v", len(all), img.Rect)
			}
			if w, _ := size(t, all[0]); math.Abs(w-242.6) > 6 {
				t.Errorf("%.1f points wide", w)
			}
			if !strings.Contains(squeezed(run(t, all[0], "pdftotext", "-raw", "FILE", "-")), squeezed(truths[0].Printed[paper.FullName])) {
				t.Error("the name cannot be found")
			}
		})
	}
}

// Pages of a letter are one paper, and a card between them ends it.
func TestOf(t *testing.T) {
	part := func(kind paper.Kind, page int) paper.Document {
		return paper.Document{Type: kind, Page: page, Parts: []paper.Part{{Page: page}}}
	}
	got := ecopy.Of("a", nil, []paper.Document{part(paper.Other, 1), part(paper.Other, 2), part(paper.CCCD, 3), part(paper.Other, 4),
		part(paper.Other, 6)})
	var pages []int
	for _, c := range got {
		pages = append(pages, c.Pages())
	}
	if fmt.Sprint(pages) != "[2 1 1 1]" {
		t.Errorf("%v", pages)
	}
	if all := ecopy.Together(got); all.Pages() != 5 || len(all.Kinds()) != 2 || ecopy.Together(got[:1]).Title != got[0].Title {
		t.Error("together they are something else")
	}
}
