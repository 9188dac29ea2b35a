package page_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"

	fitz "github.com/gen2brain/go-fitz"

	"motcua/ocr/page"
)

// archive is a ZIP file of names and their contents, stored.
func archive(t *testing.T, files ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f[0], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// others gives one file of each kind that the linked MuPDF opens and that is none of ours.
func others(t *testing.T) map[string][]byte {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	const xhtml = `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>x</p></body></html>`
	all := map[string][]byte{
		"epub": archive(t, [2]string{"mimetype", "application/epub+zip"},
			[2]string{"META-INF/container.xml", `<?xml version="1.0"?>` +
				`<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">` +
				`<rootfiles><rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`},
			[2]string{"a.opf", `<?xml version="1.0"?><package version="3.0" xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest>` +
				`<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>`},
			[2]string{"a.xhtml", xhtml}),
		"xps": archive(t, [2]string{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`},
			[2]string{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
				`<Relationship Target="/a.fdseq" Id="r" Type="http://schemas.microsoft.com/xps/2005/06/fixedrepresentation"/></Relationships>`},
			[2]string{"a.fdseq", `<FixedDocumentSequence xmlns="http://schemas.microsoft.com/xps/2005/06">` +
				`<DocumentReference Source="/a.fdoc"/></FixedDocumentSequence>`},
			[2]string{"a.fdoc", `<FixedDocument xmlns="http://schemas.microsoft.com/xps/2005/06"><PageContent Source="/a.fpage"/></FixedDocument>`},
			[2]string{"a.fpage", `<FixedPage Width="100" Height="100" xmlns="http://schemas.microsoft.com/xps/2005/06"/>`}),
		"cbz": archive(t, [2]string{"a.png", picture.String()}),
		"svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>` +
			strings.Repeat(" ", 64)),
		"svg behind a prolog": []byte(`<?xml version="1.0"?>` + "\n<!-- x -->" +
			`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>` + strings.Repeat(" ", 64)),
		"html": []byte(xhtml),
		"fb2": []byte(`<?xml version="1.0"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0">` +
			`<body><section><p>x</p></section></body></FictionBook>`),
		"pnm": append([]byte("P5\n9 9\n255\n"), make([]byte, 81)...),
		"psd": append([]byte("8BPS\x00\x01\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x09\x00\x00\x00\x09\x00\x08\x00\x03"),
			make([]byte, 300)...),
		"mobi":  append(append(make([]byte, 60), "BOOKMOBI"...), make([]byte, 200)...),
		"jbig2": append([]byte("\x97JB2\r\n\x1a\n\x01\x00\x00\x00\x01"), make([]byte, 60)...),
		"rtf":   []byte(`{\rtf1 x}`), "script": []byte("#!/bin/sh\n"), "program": []byte("MZ" + strings.Repeat("x", 80)),
		"postscript": []byte("%!PS-Adobe-3.0\n"), "old office file": []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("x", 80)),
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(all["svg"]); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	all["packed svg"] = packed.Bytes()
	return all
}

// disguised writes the mark of a PDF near the beginning of a file, which is what tells one.
func disguised(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	const mark = "%PDF-1.7"
	switch {
	case bytes.HasPrefix(data, []byte("PK")):
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		files := [][2]string{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if _, err := b.ReadFrom(r); err != nil {
				t.Fatal(err)
			}
			files = append(files, [2]string{f.Name, b.String()})
		}
		return archive(t, append(files[:1:1], append([][2]string{{"a.txt", mark}}, files[1:]...)...)...)
	case bytes.Contains(data, []byte("?>")):
		return bytes.Replace(data, []byte("?>"), []byte("?><!-- "+mark+" -->"), 1)
	case bytes.HasPrefix(data, []byte("<svg")):
		return bytes.Replace(data, []byte("><"), []byte("><!-- "+mark+" --><"), 1)
	}
	return append(bytes.Clone(data), mark...)
}

// What the linked MuPDF can open beyond what is taken never reaches it, also where it bears the mark of a PDF.
func TestForeignKindsAreRefused(t *testing.T) {
	opened := 0
	for name, plain := range others(t) {
		for _, data := range [][]byte{plain, disguised(t, name, plain)} {
			if _, err := page.Sniff(data); !errors.Is(err, page.ErrUnsupported) {
				t.Errorf("%s: %v", name, err)
			}
			if f, err := page.Open(data, 1<<24); !errors.Is(err, page.ErrUnsupported) {
				t.Errorf("%s was opened: %v", name, err)
				if err == nil {
					f.Close()
				}
			}
		}
		if mupdf(plain) {
			opened++
		}
	}
	const least = 6 // of the files above, so many are good enough for MuPDF: what is refused here would be parsed there
	if opened < least {
		t.Errorf("MuPDF opens %d of these files, want %d: the test shows nothing", opened, least)
	}
}

func mupdf(data []byte) (opened bool) {
	defer func() {
		if recover() != nil {
			opened = false
		}
	}()
	doc, err := fitz.NewFromMemory(data)
	if err != nil {
		return false
	}
	defer doc.Close()
	return doc.NumPage() > 0
}

// sheet is a PDF of one page with more objects, and more entries in its catalogue.
func sheet(catalog, objects string) []byte {
	return fmt.Appendf(nil, "%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R %s>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"+
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Resources<<>>>>endobj\n%s\ntrailer<</Root 1 0 R/Size 9>>\n%%%%EOF\n", catalog,
		objects)
}

// A file of two kinds is read as what its first bytes say, by the parser of that kind alone.
func TestTwoKindsAtOnce(t *testing.T) {
	pdf := sheet("", "")
	for name, data := range map[string][]byte{
		"PDF and EPUB":        append(bytes.Clone(pdf), others(t)["epub"]...),
		"PDF and XPS":         append(bytes.Clone(pdf), others(t)["xps"]...),
		"PDF behind rubbish":  append([]byte("From: a@b.example\r\n\r\n"), pdf...),
		"PDF behind the mark": append([]byte("\xEF\xBB\xBF\n"), pdf...),
	} {
		f, err := page.Open(data, 1<<24)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Kind() != page.PDF || f.Pages() != 1 {
			t.Errorf("%s: %s of %d pages", name, f.Kind(), f.Pages())
		}
		if _, err := f.Gray(1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
	hidden := append([]byte("%PDFjP  \r\n\x87\n"), append([]byte("\xFF\x4F\xFF\x51"), bytes.Repeat([]byte{0, 1}, 60)...)...)
	if kind, err := page.Sniff(hidden); err == nil {
		t.Errorf("a PDF posing as JPEG 2000 is taken for %s", kind)
	}
}

func TestActivePDF(t *testing.T) {
	script := "4 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj"
	for name, data := range map[string][]byte{
		"script on opening":     sheet("/OpenAction 4 0 R", script),
		"script, spelled":       sheet("/OpenAction 4 0 R", strings.Replace(script, "/JavaScript/JS", "/J#61vaScript/J#53", 1)),
		"script by its name":    sheet("/Names<</JavaScript<</Names[(a)4 0 R]>>>>", script),
		"starts a program":      sheet("/OpenAction<</S/Launch/F(cmd.exe)>>", ""),
		"film":                  sheet("", "4 0 obj<</Type/Annot/Subtype/RichMedia>>endobj"),
		"drawn by a program":    sheet("/NeedsRendering true/AcroForm<</XFA(a form)/Fields[]>>", ""),
		"script nobody refers":  sheet("", script),
		"script behind the end": append(sheet("", ""), script...),
	} {
		if f, err := page.Open(data, 1<<24); !errors.Is(err, page.ErrActive) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				f.Close()
			}
		}
	}
	for name, data := range map[string][]byte{
		"plain":                            sheet("", ""),
		"a link":                           sheet("", "4 0 obj<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://example.invalid/JS)>>>>endobj"),
		"a form with a copy of its fields": sheet("/NeedsRendering false/AcroForm<</XFA(a form)/Fields[]>>", ""),
		"words only":                       sheet("", "4 0 obj<</Title(about /JSON and /Launcher)>>endobj"),
	} {
		f, err := page.Open(data, 1<<24)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f.Close()
	}
}
