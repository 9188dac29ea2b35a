package ocr_test

import (
	"image"
	"testing"

	"motcua/ocr"
)

// FuzzRead gives anything to a reader with a confined child. Whatever the bytes do to the child, the reader answers, and it
// reads the next input.
func FuzzRead(f *testing.F) {
	whole := asJPEG(f, image.NewGray(image.Rect(0, 0, 60, 40)))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(asPDF(f, whole))
	f.Add([]byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 1e9 1e9]>>endobj\ntrailer<</Root 1 0 R>>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		res := far(t).Read(t.Context(), ocr.Input{Data: data})
		if res.Documents == nil || res.Problem != nil && (res.Problem.Code == "" || res.Problem.Message == "") {
			t.Error("no answer")
		}
	})
}
