package ocr

import (
	"context"

	"motcua/ocr/paper"
)

// Crop gives the region q of a page upright as a JPEG at most maxWidth pixels wide (0: as it is). It decodes
// in this process: for bytes from outside use Reader.Crop, which decodes in the worker.
func Crop(data []byte, page int, q paper.Quad, maxWidth int) ([]byte, error) {
	return newLocal(Limits{}.filled()).crop(context.Background(), data, page, q, maxWidth)
}

// Preview gives a whole page as a JPEG at most maxWidth pixels wide, decoding in this process.
func Preview(data []byte, page, maxWidth int) ([]byte, error) {
	return Crop(data, page, paper.Quad{}, maxWidth)
}
