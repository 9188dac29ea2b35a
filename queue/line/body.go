package line

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limit keeps back the bytes that are sent. WaitN returns when n more bytes may go; see queue/bandwidth.
type Limit interface {
	WaitN(ctx context.Context, n int) error
}

// ErrStalled is the cause of a context whose request moved nothing any more, as on a line that is half open.
var ErrStalled = errors.New("nothing moved any more")

// Patience is how long a request may stand still.
type Patience struct {
	Stall  time.Duration // no byte moved
	Answer time.Duration // no answer after the last byte: the far side checks, unpacks, stores; 0 = 4 × Stall
}

// Watch ends a request that stands still.
type Watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	p      Patience
}

// NewWatch begins to watch a request; make it with the returned context and Stop the watch after it.
// A request without a body must be answered within twice Stall.
func NewWatch(ctx context.Context, p Patience) (context.Context, *Watch) {
	if p.Answer <= 0 {
		p.Answer = 4 * p.Stall
	}
	ctx, cancel := context.WithCancelCause(ctx)
	w := &Watch{ctx: ctx, cancel: cancel, p: p}
	w.timer = time.AfterFunc(2*p.Stall, func() { cancel(ErrStalled) })
	return ctx, w
}

// Stop ends the watch and its context.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Pause stops the watch until more of the body was read: what is waited for is on this side.
func (w *Watch) Pause() { w.timer.Stop() }

// Reason returns why the request ended, where it was the watch that ended it; else err.
func (w *Watch) Reason(err error) error {
	if cause := context.Cause(w.ctx); errors.Is(cause, ErrStalled) {
		return cause
	}
	return err
}

// bodyBuffer is large enough that reading a sealed bundle (64 KiB pieces) opens no piece twice.
const bodyBuffer = 256 << 10

// Body returns a request's body of n bytes from r, as the limit lets it go (nil = none). Waiting for the
// limit is no standing still.
func (w *Watch) Body(r io.Reader, n int64, l Limit) io.Reader {
	return &body{w: w, r: bufio.NewReaderSize(r, int(min(n, bodyBuffer))), left: n, limit: l}
}

// Response returns an answer's body, of which each piece must come within Stall.
func (w *Watch) Response(r io.Reader) io.Reader { return &response{w, r} }

type response struct {
	w *Watch
	r io.Reader
}

func (r *response) Read(p []byte) (int, error) {
	r.w.timer.Reset(r.w.p.Stall)
	return r.r.Read(p)
}

type body struct {
	w     *Watch
	r     io.Reader
	left  int64
	limit Limit
}

// piece is the most that goes at once under a limit, so that a slow line is even, not in gulps.
const piece = 16 << 10

func (b *body) Read(p []byte) (int, error) {
	if b.limit != nil && b.left > 0 {
		p = p[:min(int64(len(p)), piece, b.left)]
		b.w.timer.Stop()
		if err := b.limit.WaitN(b.w.ctx, len(p)); err != nil {
			return 0, err
		}
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left > 0 {
		b.w.timer.Reset(b.w.p.Stall)
	} else {
		b.w.timer.Reset(b.w.p.Answer)
	}
	if err != nil && err != io.EOF {
		return n, fmt.Errorf("read bundle: %w", err)
	}
	return n, err
}
