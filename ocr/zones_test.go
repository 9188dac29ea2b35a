package ocr

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"testing"

	"motcua/ocr/jpeg"
	"motcua/ocr/page"
)

// TestZonesOfSpecimens counts whose machine readable zone is read with all its check digits, in each of four turns, of the
// pictures in the folder MOTCUA_ZONES names: public specimens, say those of PassportEye, which are not ours to keep.
func TestZonesOfSpecimens(t *testing.T) {
	folder := os.Getenv("MOTCUA_ZONES")
	if folder == "" {
		t.Skip("MOTCUA_ZONES names no folder")
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d pictures: %v", len(names), err)
	}
	l := newLocal(Limits{}.filled())
	defer l.close()
	if _, err := l.warm(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, turn := range []int{0, 90, 180, 270} {
		whole, some := 0, 0
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := page.Open(data, 1e8)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			img, _, err := f.Color(1, 0)
			f.Close()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			full := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
			for y := range full.Rect.Dy() {
				for x := range full.Rect.Dx() {
					full.Set(x, y, img.At(x+img.Bounds().Min.X, y+img.Bounds().Min.Y))
				}
			}
			data, err = jpeg.Encode(page.TurnColor(full, turn), 95)
			if err != nil {
				t.Fatal(err)
			}
			said := "none"
			if _, problem := l.open(context.Background(), data, false); problem == nil {
				faces, _, _ := l.page(context.Background(), 1)
				for _, f := range faces {
					if f.Zone != nil {
						said = fmt.Sprintf("%s %s, %d proofs", f.Zone.Format, f.Zone.Issuer, f.Zone.Proofs())
						some++
						if f.Zone.Whole() {
							said += ", whole"
							whole++
						}
						break
					}
				}
				l.done()
			}
			t.Logf("%3d° %-22s %s", turn, filepath.Base(name), said)
		}
		t.Logf("turned by %d°: %d of %d whole, %d found", turn, whole, len(names), some)
	}
}
