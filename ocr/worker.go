package ocr

import (
	"context"
	"errors"
	"io"
)

// Serve is the child's side of a Reader with Options.Worker: it reads requests from r and answers on w
// until r ends or ctx is done. It first gives up the network, the file system and most memory.
func Serve(ctx context.Context, r io.Reader, w io.Writer) error {
	return errors.New("serve: not in this build")
}
