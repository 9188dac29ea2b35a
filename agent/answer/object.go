package answer

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"motcua/queue/line"
)

// An object of nats.go (v1.55, jetstream/object.go, objResult.Read) waits for its next piece until its context's deadline, holding the
// lock that Close needs, and does not look whether the context has ended meanwhile. A kiosk was deaf to answers, and could not be stopped,
// for the whole time that a large result may take: where its line went silent, and where the desk laid the result out anew, for one more
// kiosk, just when this one began to read it (the pieces of the old one are purged, and nothing ever comes). The two types below work
// round that: the wait ends every lookEvery, and what has gone silent is given up.

// lookEvery is how often a read that waits looks whether it is still wanted.
const lookEvery = time.Second

// nearDeadline is a context whose deadline is always near: a read of nats.go then returns soon, with or without data.
type nearDeadline struct{ context.Context }

// Deadline is lookEvery from now.
func (c nearDeadline) Deadline() (time.Time, bool) { return time.Now().Add(lookEvery), true }

// patientReader waits over reads without data, until nothing came for most.
type patientReader struct {
	from  io.Reader
	most  time.Duration
	heard time.Time // when something last came
}

// Read gives what came next; line.ErrStalled when nothing does.
func (r *patientReader) Read(p []byte) (int, error) {
	for {
		n, err := r.from.Read(p)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil // the near one; when the context has ended, nats.go says that instead
		}
		if n > 0 || err != nil || len(p) == 0 {
			r.heard = time.Now()
			return n, err
		}
		if time.Since(r.heard) > r.most {
			return 0, line.ErrStalled
		}
	}
}
