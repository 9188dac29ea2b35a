package slip

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// PDF puts a slip's picture of so many dots an inch on a page of its own size, for printers that take documents.
func PDF(picture *image.Gray, dpi float64) ([]byte, error) {
	const inch = 25.4 // mm
	w, h := float64(picture.Rect.Dx())/dpi*inch, float64(picture.Rect.Dy())/dpi*inch
	var drawn, out bytes.Buffer
	if err := png.Encode(&drawn, picture); err != nil {
		return nil, fmt.Errorf("slip as PDF: %w", err)
	}
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: w, Ht: h}})
	doc.SetCreationDate(time.Unix(0, 0)) // the slip itself says when
	doc.SetModificationDate(time.Unix(0, 0))
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	doc.RegisterImageOptionsReader("slip", fpdf.ImageOptions{ImageType: "PNG"}, &drawn)
	doc.ImageOptions("slip", 0, 0, w, h, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	if err := doc.Output(&out); err != nil {
		return nil, fmt.Errorf("slip as PDF: %w", err)
	}
	return out.Bytes(), nil
}
