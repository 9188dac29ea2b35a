package specimen

import (
	"bytes"
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// PDF binds encoded pages (JPEG or PNG, as Encode gives them) into one file, each page as large as its
// picture at the given resolution, as scanners with a "scan to PDF" key do.
func PDF(pages [][]byte, dpi int) ([]byte, error) {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: a4w, Ht: a4h}})
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.SetCatalogSort(true)
	for i, p := range pages {
		kind := "JPG"
		if len(p) > 0 && p[0] == 0x89 {
			kind = "PNG"
		}
		name := fmt.Sprintf("page %d", i+1)
		o := fpdf.ImageOptions{ImageType: kind}
		info := f.RegisterImageOptionsReader(name, o, bytes.NewReader(p))
		if f.Err() {
			return nil, fmt.Errorf("bind page %d: %w", i+1, f.Error())
		}
		info.SetDpi(float64(dpi))
		size := fpdf.SizeType{Wd: info.Width(), Ht: info.Height()}
		f.AddPageFormat("P", size)
		f.ImageOptions(name, 0, 0, size.Wd, size.Ht, false, o, 0, "")
	}
	var out bytes.Buffer
	if err := f.Output(&out); err != nil {
		return nil, fmt.Errorf("bind pages: %w", err)
	}
	return out.Bytes(), nil
}
