package ocr

import (
	"context"
	"errors"

	"motcua/ocr/paper"
)

// local reads in this process.
type local struct{ limits Limits }

func newLocal(l Limits) *local { return &local{limits: l} }

func newChild(_ []string, l Limits) backend { return newLocal(l) }

func (l *local) read(_ context.Context, in Input) Result {
	if len(in.Data) == 0 {
		return Result{Problem: &Problem{EmptyFile, "The file is empty; scan the page again."}}
	}
	return Result{Problem: &Problem{Unsupported, "This build reads no pages yet."}}
}

func (l *local) crop(context.Context, []byte, int, paper.Quad, int) ([]byte, error) {
	return nil, errors.New("crop: not in this build")
}

func (l *local) warm(context.Context) error { return nil }
func (l *local) close() error               { return nil }
