package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os/exec"
	"strings"
	"testing"
	"time"

	"motcua/ocr/pdf"
)

// written is a PDF of objects, the first of them the catalog.
func written(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

func stream(dict, content string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(content), content)
}

// annotatedPDF is a page of 200 by 200 points with all that may lie over one. Its own content leaves the state scaled,
// and saved states open.
func annotatedPDF() []byte {
	black := func(extra string) string {
		return stream("/Type /XObject /Subtype /Form /BBox [0 0 10 20] "+extra, "0 g 0 0 10 20 re f")
	}
	annots := []string{
		"/Subtype /Widget /FT /Sig /F 132 /Rect [10 150 50 190] /AP << /N 6 0 R >>",
		"/Subtype /Widget /FT /Btn /F 4 /AS /On /Rect [60 150 100 190] /AP << /N << /On 6 0 R /Off 7 0 R >> >>",
		"/Subtype /Widget /FT /Btn /F 4 /AS /Off /Rect [110 150 150 190] /AP << /N << /On 6 0 R /Off 7 0 R >> >>",
		"/Subtype /Stamp /F 4 /Rect [10 100 50 120] /AP << /N 8 0 R >>", // lies on its side
		"/Subtype /Stamp /F 2 /Rect [60 100 100 140] /AP << /N 6 0 R >>",
		"/Subtype /Stamp /F 32 /Rect [110 100 150 140] /AP << /N 6 0 R >>",
		"/Subtype /Link /Rect [10 50 50 90]",
	}
	list := ""
	for i := range annots {
		list += fmt.Sprintf(" %d 0 R", 9+i)
		annots[i] = "<< /Type /Annot " + annots[i] + " >>"
	}
	return written(append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 200 200] /Resources << /XObject << /Own 5 0 R >> >> >>",
		"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Annots [" + list + " ] >>",
		stream("", "q 20 0 0 20 170 10 cm /Own Do Q q 0.5 0 0 0.5 0 0 cm q"),
		stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", "0 g 0 0 1 1 re f"),
		black(""),
		stream("/Type /XObject /Subtype /Form /BBox [0 0 10 20]", ""),
		black("/Matrix [0 1 -1 0 0 0]"),
	}, annots...)...)
}

// What lies over a page is seen as poppler shows it.
func TestRasterise_annotations(t *testing.T) {
	file := annotatedPDF()
	d, err := pdf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ours, _, err := d.Rasterise(1, 72, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "pdftoppm", "-r", "72", "-png", "-singlefile", "-")
	cmd.Stdin = bytes.NewReader(file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftoppm (Debian package poppler-utils): %v", err)
	}
	theirs, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := cells(ours), cells(theirs); a != b {
		t.Errorf("seen here:\n%sby poppler:\n%s", a, b)
	}
	if strings.Count(cells(ours), "#") < 4 {
		t.Errorf("too little is seen:\n%s", cells(ours))
	}
}

// cells shows which points of a picture of 200 by 200 are dark, looked at in the middle of squares of 10.
func cells(img image.Image) string {
	var b strings.Builder
	for y := 5; y < 200; y += 10 {
		for x := 5; x < 200; x += 10 {
			c := byte('.')
			if r, _, _, _ := img.At(x, y).RGBA(); r < 0x8000 {
				c = '#'
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
