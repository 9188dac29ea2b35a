package pdf_test

import (
	"bytes"
	"fmt"
	"image"
	std "image/jpeg"
	"testing"

	"motcua/ocr/pdf"
)

// page is what a PDF of one page, 144 by 72 points, is made of.
type page struct{ attributes, content, image, resources string }

// scanned is a page as scanners write it: one JPEG of 300 by 150 pixels that fills it.
func scanned() page {
	return page{content: "q 144 0 0 72 0 0 cm /Im0 Do Q", image: "/ColorSpace /DeviceRGB /Filter /DCTDecode",
		resources: "/XObject << /Im0 5 0 R >>"}
}

func (p page) pdf(jpeg string) []byte {
	return written(
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 144 72] /Contents 4 0 R /Resources << %s >> %s >>", p.resources, p.attributes),
		stream("", p.content),
		stream("/Type /XObject /Subtype /Image /Width 300 /Height 150 /BitsPerComponent 8 "+p.image, jpeg),
	)
}

func picture(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := std.Encode(&b, image.NewRGBA(image.Rect(0, 0, 300, 150)), nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page that is one JPEG gives that JPEG as it lies in the file, with its density and its turn.
func TestJPEG(t *testing.T) {
	jpeg := picture(t)
	turned := scanned()
	turned.attributes = "/Rotate -90"
	several := scanned()
	several.content = "/Perceptual ri 1 0 0 1 0 0 cm q 0 g 2 0 0 2 0 0 cm 72 0 0 36 0 0 cm /Im0 Do Q"
	for name, c := range map[string]struct {
		page page
		turn int
	}{"plain": {scanned(), 0}, "turned": {turned, 270}, "matrices_multiplied": {several, 0}} {
		t.Run(name, func(t *testing.T) {
			d, err := pdf.Open(c.page.pdf(jpeg))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			data, dpi, turn, ok := d.JPEG(1)
			if !ok || string(data) != jpeg || dpi != 150 || turn != c.turn {
				t.Errorf("%v: %d of %d bytes, %v dpi, turned by %d", ok, len(data), len(jpeg), dpi, turn)
			}
			if _, _, _, ok := d.JPEG(2); ok {
				t.Error("there is no second page")
			}
		})
	}
}

// Whatever else could be seen on a page keeps its JPEG from standing for it: read alone it would show another page than the one
// that people see.
func TestJPEG_of_a_page_with_more(t *testing.T) {
	jpeg := picture(t)
	for name, change := range map[string]func(*page){
		"text":                func(p *page) { p.content += " BT /F1 12 Tf (x) Tj ET" },
		"a_rectangle":         func(p *page) { p.content += " 0 0 10 10 re f" },
		"twice":               func(p *page) { p.content += " /Im0 Do" },
		"nothing":             func(p *page) { p.content = "q Q" },
		"half_the_page":       func(p *page) { p.content = "72 0 0 72 0 0 cm /Im0 Do" },
		"larger_than_it":      func(p *page) { p.content = "288 0 0 144 0 0 cm /Im0 Do" },
		"askew":               func(p *page) { p.content = "144 9 -9 72 0 0 cm /Im0 Do" },
		"mirrored":            func(p *page) { p.content = "-144 0 0 72 144 0 cm /Im0 Do" },
		"no_number":           func(p *page) { p.content = "-Inf 0 0 0 0 0 cm 144 0 0 72 0 0 cm /Im0 Do" },
		"too_few_numbers":     func(p *page) { p.content = "144 0 0 72 cm /Im0 Do" },
		"another_name":        func(p *page) { p.content = "144 0 0 72 0 0 cm /Im1 Do" },
		"no_resources":        func(p *page) { p.resources = "" },
		"a_soft_mask":         func(p *page) { p.image += " /SMask 5 0 R" },
		"a_mask":              func(p *page) { p.image += " /Mask [0 1 0 1 0 1]" },
		"turned_colours":      func(p *page) { p.image += " /Decode [1 0 1 0 1 0]" },
		"inks":                func(p *page) { p.image = "/ColorSpace /DeviceCMYK /Filter /DCTDecode" },
		"another_compression": func(p *page) { p.image = "/ColorSpace /DeviceRGB /Filter [/ASCIIHexDecode /DCTDecode]" },
		"annotations":         func(p *page) { p.attributes = "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>]" },
	} {
		t.Run(name, func(t *testing.T) {
			p := scanned()
			change(&p)
			d, err := pdf.Open(p.pdf(jpeg))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, dpi, _, ok := d.JPEG(1); ok {
				t.Errorf("taken for one JPEG, of %v dpi", dpi)
			}
		})
	}
}
