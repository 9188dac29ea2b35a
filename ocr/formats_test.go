package ocr_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/ocr"
	"motcua/ocr/exif"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// tightCard is one side of a card cut to its edges, as a telephone's program gives it.
func tightCard(t testing.TB) (*image.RGBA, specimen.PaperTruth) {
	t.Helper()
	img, truth, err := specimen.Draw(specimen.Spec{Tight: true, Papers: []specimen.Paper{
		{Kind: paper.CCCD, Person: specimen.Invent(61), Sides: []specimen.Side{specimen.Front}}}}, 61,
		specimen.Damage{Set: specimen.Clean, Seed: 61})
	if err != nil {
		t.Fatal(err)
	}
	return img, truth.Papers[0]
}

// converted runs a program of Debian's that makes one kind of file from in.png (or in.jpg, in.tif) and gives what it wrote.
func converted(t *testing.T, dir, out string, argv ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, said)
	}
	data, err := os.ReadFile(filepath.Join(dir, out))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// People hand in what their scanners and telephones write. Each kind is written by a program that is not ours, and read
// through the confined worker.
func TestReadsTheFilesPeopleHave(t *testing.T) {
	t.Parallel()
	img, truth := tightCard(t)
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("in.png", asPNG(t, img))
	write("in.jpg", asJPEG(t, img))
	converted(t, dir, "in.tif", "convert", "in.png", "-density", "300", "-units", "PixelsPerInch", "-type", "TrueColor", "-compress", "none",
		"in.tif")
	for name, c := range map[string]struct {
		out  string
		kind page.Kind
		argv []string
	}{
		"jpeg_in_tiff":     {"jpeg.tif", page.TIFF, []string{"tiffcp", "-c", "jpeg:92", "in.tif", "jpeg.tif"}},
		"jpeg_in_tiff_rgb": {"jpegr.tif", page.TIFF, []string{"tiffcp", "-c", "jpeg:r:92", "in.tif", "jpegr.tif"}},
		"lzw_tiff":         {"lzw.tif", page.TIFF, []string{"tiffcp", "-c", "lzw:2", "in.tif", "lzw.tif"}},
		"tiled_tiff":       {"tiled.tif", page.TIFF, []string{"tiffcp", "-t", "-w", "256", "-l", "256", "-c", "zip", "in.tif", "tiled.tif"}},
		"big_tiff":         {"eight.tif", page.TIFF, []string{"tiffcp", "-8", "-c", "lzw", "in.tif", "eight.tif"}},
		"bmp_16_bits":      {"in16.bmp", page.BMP, []string{"convert", "in.png", "-define", "bmp:subtype=RGB565", "in16.bmp"}},
		"bmp_os2":          {"os2.bmp", page.BMP, []string{"convert", "in.png", "BMP2:os2.bmp"}},
		"bmp_run_lengths": {"rle.bmp", page.BMP, []string{"convert", "in.png", "-type", "Grayscale", "-depth", "8", "-colors", "256",
			"-compress", "RLE", "BMP3:rle.bmp"}},
		"planar_tiff":      {"planar.tif", page.TIFF, []string{"tiffcp", "-p", "separate", "-c", "lzw", "in.tif", "planar.tif"}},
		"big_endian_tiff":  {"big.tif", page.TIFF, []string{"tiffcp", "-B", "-c", "packbits", "in.tif", "big.tif"}},
		"tiff_with_alpha":  {"alpha.tif", page.TIFF, []string{"convert", "in.png", "-alpha", "set", "-compress", "lzw", "alpha.tif"}},
		"cmyk_tiff":        {"cmyk.tif", page.TIFF, []string{"convert", "in.png", "-colorspace", "CMYK", "-compress", "lzw", "cmyk.tif"}},
		"cmyk_jpeg":        {"cmyk.jpg", page.JPEG, []string{"convert", "in.png", "-colorspace", "CMYK", "-quality", "92", "cmyk.jpg"}},
		"progressive_jpeg": {"prog.jpg", page.JPEG, []string{"jpegtran", "-progressive", "-outfile", "prog.jpg", "in.jpg"}},
		"gray_jpeg":        {"gray.jpg", page.JPEG, []string{"convert", "in.png", "-colorspace", "Gray", "gray.jpg"}},
		"heic":             {"in.heic", page.HEIC, []string{"heif-enc", "-q", "80", "-p", "preset=ultrafast", "in.png", "-o", "in.heic"}},
		"avif":             {"in.avif", page.AVIF, []string{"heif-enc", "-A", "-q", "80", "-p", "speed=9", "in.png", "-o", "in.avif"}},
		"jpeg_2000":        {"in.jp2", page.JPEG2000, []string{"opj_compress", "-i", "in.png", "-o", "in.jp2", "-r", "12"}},
		"jpeg_2000_bare":   {"in.j2k", page.JPEG2000, []string{"opj_compress", "-i", "in.png", "-o", "in.j2k", "-r", "12"}},
		"webp":             {"in.webp", page.WebP, []string{"cwebp", "-quiet", "-q", "85", "in.png", "-o", "in.webp"}},
		"webp_that_moves": {"moves.webp", page.WebP, []string{"img2webp", "-lossy", "-q", "90", "-d", "100", "in.png", "in.png",
			"-o", "moves.webp"}},
		"webp_lossless":  {"less.webp", page.WebP, []string{"cwebp", "-quiet", "-lossless", "-z", "1", "in.png", "-o", "less.webp"}},
		"png_of_16_bits": {"deep.png", page.PNG, []string{"convert", "in.png", "-depth", "16", "PNG48:deep.png"}},
		"bmp":            {"in.bmp", page.BMP, []string{"convert", "in.png", "BMP3:in.bmp"}},
		"gif":            {"in.gif", page.GIF, []string{"convert", "in.png", "in.gif"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := converted(t, dir, c.out, c.argv...)
			if kind, err := page.Sniff(data); kind != c.kind || page.MediaType(data) == "" {
				t.Errorf("taken for %q: %v", kind, err)
			}
			res := far(t).Read(t.Context(), ocr.Input{Data: data})
			if res.Problem != nil || len(res.Documents) != 1 {
				t.Fatalf("problem %v, %d documents", res.Problem, len(res.Documents))
			}
			compare(t, res.Documents[0], truth, []paper.Name{paper.Number, paper.FullName, paper.DateOfBirth})
			if picture, err := far(t).Preview(t.Context(), data, 1, 200); err != nil || len(picture) == 0 {
				t.Errorf("preview: %v", err)
			}
		})
	}
}

// withOrientation puts an EXIF segment behind the beginning of a JPEG.
func withOrientation(data []byte, o int) []byte {
	body := append([]byte("Exif\x00\x00MM\x00*"), 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0, 0, 0, 0, 0)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(len(body)+2))
	return slices.Concat(data[:2], head, body, data[2:])
}

// A camera stores what it sees and notes how it was held; programs mirror. The card reads the same in all eight ways, and
// what is shown of it is upright.
func TestReadsAllOrientationsOfEXIF(t *testing.T) {
	t.Parallel()
	img, truth := tightCard(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.png"), asPNG(t, img), 0o600); err != nil {
		t.Fatal(err)
	}
	// What has to be done to the upright picture so that the orientation undoes it (EXIF 2.3, tag 274).
	stored := [9][]string{1: {}, 2: {"-flop"}, 3: {"-rotate", "180"}, 4: {"-flip"}, 5: {"-transpose"}, 6: {"-rotate", "270"},
		7: {"-transverse"}, 8: {"-rotate", "90"}}
	for o := 1; o <= 8; o++ {
		t.Run(fmt.Sprint(o), func(t *testing.T) {
			argv := append(append([]string{"convert", "in.png"}, stored[o]...), "-quality", "92", "out.jpg")
			data := withOrientation(converted(t, dir, "out.jpg", argv...), o)
			files := map[string][]byte{"jpeg": data}
			if named := [9]string{3: "BottomRight", 7: "RightBottom"}[o]; named != "" { // a TIFF's tag goes the same way
				argv := append(append([]string{"convert", "in.png"}, stored[o]...), "-compress", "lzw", "-orient", named, "out.tif")
				files["tiff"] = converted(t, dir, "out.tif", argv...)
			}
			for name, data := range files {
				res := far(t).Read(t.Context(), ocr.Input{Data: data})
				if res.Problem != nil || len(res.Documents) != 1 {
					t.Fatalf("%s: problem %v, %d documents", name, res.Problem, len(res.Documents))
				}
				d := res.Documents[0]
				compare(t, d, truth, []paper.Name{paper.Number, paper.FullName, paper.DateOfBirth})
				if d.Rotation != 0 {
					t.Errorf("%s: turned by %d° though the file says how it is seen", name, d.Rotation)
				}
				f, err := page.Open(data, 1e8)
				if err != nil {
					t.Fatal(err)
				}
				gray, err := f.Gray(1)
				if err != nil {
					t.Fatal(err)
				}
				color, _, err := f.Color(1, 0)
				if err != nil || color.Bounds().Size() != img.Rect.Size() || gray.Gray.Rect.Size() != img.Rect.Size() {
					t.Errorf("%s: shown as %v and %v, drawn as %v: %v", name, color.Bounds(), gray.Gray.Rect, img.Rect, err)
				}
			}
		})
	}
	if mirror, degrees := exif.Orientation(9).Steps(); mirror || degrees != 0 {
		t.Error("an orientation that does not exist turns the picture")
	}
}

// What pdfcpu ends in a panic, or cannot read, MuPDF may; and a small file must not ask for a gigabyte.
func TestOddPDF(t *testing.T) {
	t.Parallel()
	img, truth := tightCard(t)
	whole := asPDF(t, asJPEG(t, img))
	t.Run("one_parser_is_enough", func(t *testing.T) {
		// Without its cross-reference table and trailer a file is read by whoever can rebuild them.
		cut := whole[:bytes.LastIndex(whole, []byte("xref\n0"))]
		res := far(t).Read(t.Context(), ocr.Input{Data: cut})
		if res.Problem != nil || len(res.Documents) != 1 {
			t.Fatalf("problem %v, %d documents", res.Problem, len(res.Documents))
		}
		compare(t, res.Documents[0], truth, []paper.Name{paper.Number})
	})
	t.Run("bomb", func(t *testing.T) {
		for name, data := range map[string][]byte{"nested": nested(t, 3, 200<<20), "single": nested(t, 1, 300<<20)} {
			res := far(t).Read(t.Context(), ocr.Input{Data: data})
			if res.Problem == nil || res.Problem.Code != ocr.TooLarge {
				t.Errorf("%s: %d bytes that unpack to much: %v", name, len(data), res.Problem)
			}
		}
	})
	t.Run("long_drawing_is_no_bomb", func(t *testing.T) {
		res := far(t).Read(t.Context(), ocr.Input{Data: nested(t, 1, 8<<20)})
		if res.Problem != nil {
			t.Errorf("%v", res.Problem)
		}
	})
}

func deflate(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// nested is a PDF whose content is size blanks, packed so many times.
func nested(t testing.TB, layers, size int) []byte {
	t.Helper()
	body := bytes.Repeat([]byte(" "), size)
	for range layers {
		body = deflate(t, body)
	}
	filters := strings.Repeat("/FlateDecode ", layers)
	var b bytes.Buffer
	fmt.Fprint(&b, "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<<>>>>endobj\n")
	fmt.Fprintf(&b, "4 0 obj<</Length %d/Filter[%s]>>\nstream\n", len(body), filters)
	b.Write(body)
	b.WriteString("\nendstream endobj\ntrailer<</Root 1 0 R/Size 5>>\n%%EOF\n")
	return b.Bytes()
}

// A strip that is a thousand times as long as wide is no sheet to be made up to a sheet's width: its worker lives, and reads on. The last
// is ten thousand rows of specks, and keeps it for seconds, not for all the time that a file may have.
func TestStrips(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{32, 32800}, {32800, 32}, {1, 65000}, {65000, 1}, {60, 30000}} {
		img := image.NewGray(image.Rect(0, 0, size.X, size.Y))
		for i := range img.Pix {
			img.Pix[i] = byte(i * 7)
		}
		res := far(t).Read(t.Context(), ocr.Input{Data: asJPEG(t, img)})
		if res.Problem != nil && (res.Problem.Code == ocr.WorkerDied || res.Problem.Code == ocr.TimedOut) {
			t.Errorf("%v: %s", size, res.Problem.Message)
		}
		t.Logf("%v: %d documents, %v, after %v", size, len(res.Documents), res.Problem, time.Duration(res.ElapsedMS)*time.Millisecond)
	}
}
