// Package lines is what recognition and extraction have in common: the words of a line of print. Whoever reads lines, the project's own
// network (ctc) or Tesseract (tess), gives them, and who looks for values among them (field) needs no engine, and nothing in C.
package lines

import (
	"context"
	"image"
)

// Word is one word as read.
type Word struct {
	Text string
	Line int             // words of one line share it
	Box  image.Rectangle // in the pixels given
	Conf float64         // 0…1, the engine's own, not calibrated
	Low  float64         // the least sure symbol's
}

// Engine reads lines of print. It is safe for concurrent use.
type Engine interface {
	// Warm loads what the engine needs, so that the first line takes no longer than the next.
	Warm(ctx context.Context) error
	// Read gives the words of a line, with boxes in the pixels of img, which has this resolution.
	Read(ctx context.Context, img *image.Gray, dpi int) ([]Word, error)
	Close()
}
