package queue

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// Blobs lie in numbered folders of about segmentFill files. Only the newest can hold what a crash left half
// done, so start-up looks at that one and not at a hundred thousand files; and a small folder is cheap to
// fsync.
const segmentFill = 32

// place is where a blob lies below the blobs folder.
type place struct {
	segment uint64
	id      string
}

func (q *Queue) segmentPath(segment uint64) string {
	return filepath.Join(q.blobs(), fmt.Sprintf("%08d", segment))
}

func (q *Queue) path(p place) string { return filepath.Join(q.segmentPath(p.segment), p.id) }

// partial is the name under which a blob is written until it is whole.
func (q *Queue) partial(p place) string { return q.path(p) + partialSuffix }

// An id has no dot, so no blob is ever taken for a partial one.
const partialSuffix = ".part"

// segments hands out the folder for new blobs. A new folder is begun only when nothing is being written to
// the current one; so what is unfinished always lies in the last whose number the index knows, or in the
// one after. While a long submission is being written the folder takes more than its fill.
type segments struct {
	mu       sync.Mutex // guards all fields
	current  uint64
	filled   int
	inflight int
}

// enterSegment returns the folder for one blob; call leave once its record is committed or the blob is gone.
func (q *Queue) enterSegment() (segment uint64, leave func(), err error) {
	s := &q.segments
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.filled >= segmentFill && s.inflight == 0 {
		if err := q.makeSegment(s.current + 1); err != nil {
			return 0, nil, err
		}
		s.current++
		s.filled = 0
	}
	s.filled++
	s.inflight++
	return s.current, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inflight--
	}, nil
}

func (q *Queue) makeSegment(segment uint64) error {
	if err := q.disk.MkdirAll(q.segmentPath(segment)); err != nil {
		return err
	}
	return q.disk.SyncDir(q.blobs())
}

// tidySegment removes a folder that nothing is written to any more, if it is empty.
func (q *Queue) tidySegment(segment uint64) {
	q.segments.mu.Lock()
	defer q.segments.mu.Unlock()
	if segment < q.segments.current {
		// Fails where blobs are left, which is all the same.
		_ = q.disk.Remove(q.segmentPath(segment))
	}
}

// listSegments reads the numbers of all folders, in order.
func (q *Queue) listSegments() ([]uint64, error) {
	names, err := q.disk.List(q.blobs())
	if err != nil {
		return nil, err
	}
	var segs []uint64
	for _, name := range names {
		if n, err := strconv.ParseUint(name, 10, 64); err == nil {
			segs = append(segs, n)
		}
	}
	slices.Sort(segs)
	return segs, nil
}
