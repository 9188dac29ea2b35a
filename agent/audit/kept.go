package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// Kept is what is known of the log outside of it, where whoever can write the log can't: sealed in the queue's store, and at
// the office by the heartbeats. It tells what the chain alone can't: that its end or its beginning was cut off, that it was
// written anew as a whole, that it is gone.
type Kept struct {
	First uint64 `json:"first"` // the number of the first entry; more only if old months were moved away before
	Head  string `json:"head"`  // "SEQ:HASH" of the newest
	// Broken is what did not hold at a start of the daemon, which has gone on writing since; empty if all did.
	Broken string `json:"broken,omitempty"`
}

// ParseKept reads what Kept.Bytes made; nothing gives the zero Kept.
func ParseKept(data []byte) (k Kept, err error) {
	if len(data) == 0 {
		return k, nil
	}
	if err := json.Unmarshal(data, &k); err != nil {
		return k, fmt.Errorf("read what was kept of the audit log: %w", err)
	}
	return k, nil
}

// Bytes is the form that ParseKept reads.
func (k Kept) Bytes() []byte {
	data, err := json.Marshal(k)
	if err != nil {
		panic(err) // a number and strings always marshal
	}
	return data
}

// VerifyKept is Verify against all that was kept: the error is a *Break also where a part of the log is missing. With moved,
// old months may have been taken away whole.
func VerifyKept(ctx context.Context, dir string, k Kept, moved bool, each func(Entry)) (first, last Head, err error) {
	var known *Head
	if k.Head != "" {
		head, err := ParseHead(k.Head)
		if err != nil {
			return Head{}, Head{}, err
		}
		known = &head
	}
	first, last, err = Verify(ctx, dir, known, each)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known != nil && known.Seq > 0:
		return first, last, &Break{Why: fmt.Sprintf("the log is gone; it had %d entries", known.Seq)}
	case errors.Is(err, fs.ErrNotExist):
		return first, last, nil
	case err != nil:
		return first, last, err
	case known != nil && known.Seq > 0 && last.Seq == 0:
		return first, last, &Break{Why: fmt.Sprintf("the log is empty; it had %d entries", known.Seq)}
	case k.First > 0 && first.Seq > k.First && !moved:
		return first, last, &Break{Seq: first.Seq,
			Why: fmt.Sprintf("entries %d to %d are missing: the beginning was cut off", k.First, first.Seq-1)}
	case k.Broken != "":
		return first, last, &Break{Why: "at an earlier start: " + k.Broken}
	}
	return first, last, nil
}
