package page_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"motcua/ocr/jpeg"
	"motcua/ocr/page"
)

func picture() *image.Gray {
	g := image.NewGray(image.Rect(0, 0, 40, 30))
	g.SetGray(5, 7, color.Gray{Y: 200})
	return g
}

func encoded(t testing.TB) map[page.Kind][]byte {
	t.Helper()
	j, err := jpeg.Encode(picture(), 95)
	if err != nil {
		t.Fatal(err)
	}
	var p, f bytes.Buffer
	if err := png.Encode(&p, picture()); err != nil {
		t.Fatal(err)
	}
	if err := tiff.Encode(&f, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return map[page.Kind][]byte{page.JPEG: j, page.PNG: p.Bytes(), page.TIFF: f.Bytes()}
}

func TestOpen(t *testing.T) {
	for kind, data := range encoded(t) {
		t.Run(string(kind), func(t *testing.T) {
			f, err := page.Open(data, 1e6)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			p, err := f.Gray(1)
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind() != kind || f.Pages() != 1 || p.Gray.Rect != image.Rect(0, 0, 40, 30) || p.Gray.GrayAt(5, 7).Y < 150 {
				t.Errorf("%s, %d pages, %v, %d", f.Kind(), f.Pages(), p.Gray.Rect, p.Gray.GrayAt(5, 7).Y)
			}
		})
		t.Run(string(kind)+"_larger_than_allowed", func(t *testing.T) {
			f, err := page.Open(data, 100)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Gray(1); !errors.Is(err, page.ErrTooLarge) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("tiff_whose_pages_run_in_a_circle", func(t *testing.T) {
		data := encoded(t)[page.TIFF]
		at := binary.LittleEndian.Uint32(data[4:])
		n := binary.LittleEndian.Uint16(data[at:])
		binary.LittleEndian.PutUint32(data[at+2+12*uint32(n):], at)
		f, err := page.Open(data, 1e6)
		if err != nil || f.Pages() != 1 {
			t.Errorf("%v", err)
		}
	})
	t.Run("turned_four_times_is_itself", func(t *testing.T) {
		g := picture()
		back := page.Turn(page.Turn(page.Turn(page.Turn(g, 90), 90), 90), 90)
		if back.Rect != g.Rect || !bytes.Equal(back.Pix, g.Pix) {
			t.Error("it is not")
		}
		if q := page.Turn(g, 90); q.GrayAt(30-1-7, 5).Y != 200 {
			t.Error("turned the wrong way")
		}
	})
}

func TestKinds(t *testing.T) {
	for kind, data := range encoded(t) {
		media := page.MediaType(data)
		if extension, ok := page.Extension(media); !ok || extension == "" || !strings.Contains(page.MediaTypes(), media) {
			t.Errorf("%s: %q is not among the kinds that are taken", kind, media)
		}
	}
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"film":         {"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", page.ErrUnsupported},
		"office_file":  {"PK\x03\x04....", page.ErrUnsupported},
		"text":         {"BM is how this letter begins, and it goes on for a while", page.ErrNotAnImage},
		"nothing":      {"", page.ErrEmpty},
		"half_a_brand": {"\x00\x00\x00\x18ftypheic", page.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := page.Sniff([]byte(c.data)); !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
			if page.MediaType([]byte(c.data)) != "" {
				t.Error("it is taken")
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	for _, data := range encoded(f) {
		f.Add(data)
	}
	f.Add([]byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>"))
	f.Add([]byte("II*\x00\x08\x00\x00\x00"))
	f.Add([]byte("GIF89a"))
	f.Add([]byte("MM\x00+\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x02" +
		"\x01\x12\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00" + // BigTIFF
		"\x01\x1A\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x01\x2C\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("RIFF\x40\x00\x00\x00WEBPANMF\x26\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x07\x00\x00\x00\x00\x00\x00" +
		"ALPH\x03\x00\x00\x00\x00\xFF\xFF\x00VP8 \x02\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if kind, _ := page.Sniff(data); kind == page.PDF {
			return // MuPDF may end the process, which is why the worker exists; see FuzzRead in package ocr
		}
		file, err := page.Open(data, 1e5)
		if err != nil {
			return
		}
		defer file.Close()
		for n := 1; n <= min(file.Pages(), 3); n++ {
			_, _ = file.Gray(n)
		}
	})
}

// A red stamp is told by its colour, which must survive every way a page may come.
func TestGrayTellsWhatIsRed(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			c := color.RGBA{220, 220, 220, 255}
			if x >= 32 {
				c = color.RGBA{200, 40, 50, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var asPNG bytes.Buffer
	asJPEG, errColor := jpeg.Encode(img, 90)
	asGray, errGray := jpeg.Encode(page.Luma(img), 90)
	if err := errors.Join(png.Encode(&asPNG, img), errColor, errGray); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		red  bool
	}{"png": {asPNG.Bytes(), true}, "jpeg": {asJPEG, true}, "gray_jpeg": {asGray, false}} {
		t.Run(name, func(t *testing.T) {
			f, err := page.Open(c.data, 1e6)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			p, err := f.Gray(1)
			if err != nil {
				t.Fatal(err)
			}
			if p.Gray.Rect != image.Rect(0, 0, 64, 48) {
				t.Errorf("gray is %v", p.Gray.Rect)
			}
			if (p.Red != nil) != c.red {
				t.Fatalf("red is %v", p.Red)
			}
			if p.Red == nil {
				return
			}
			s := p.RedScale()
			if left, right := p.Red.GrayAt(8/s.X, 24/s.Y).Y, p.Red.GrayAt(56/s.X, 24/s.Y).Y; left > 133 || left < 123 || right < 180 {
				t.Errorf("gray paper has %d, red ink %d", left, right)
			}
		})
	}
}
