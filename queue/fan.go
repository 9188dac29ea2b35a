package queue

import (
	"io"
	"sync"
	"sync/atomic"
)

// fan gives everything that is written to it to several writers, each in a goroutine of its own: digests
// and sealing take as long as the disk, and a kiosk has more than one core. Close waits for all of them.
type fan struct {
	block *fanBlock
	outs  []chan *fanBlock
	pool  *sync.Pool
	wg    sync.WaitGroup
	err   atomic.Pointer[error] // the first that a writer returned
}

// fanBlockSize is how much is handed on at a time, as much as age seals at once; fanAhead, how many blocks the slowest
// writer may be behind.
const (
	fanBlockSize = 64 << 10
	fanAhead     = 8
)

type fanBlock struct {
	data []byte
	left atomic.Int32 // writers that have not used it yet
}

// newFan starts a goroutine for each writer; Close ends them. pool holds blocks for the next one.
func newFan(pool *sync.Pool, ws ...io.Writer) *fan {
	f := &fan{pool: pool}
	for _, w := range ws {
		blocks := make(chan *fanBlock, fanAhead)
		f.outs = append(f.outs, blocks)
		f.wg.Go(func() {
			for b := range blocks {
				if f.err.Load() == nil {
					if _, err := w.Write(b.data); err != nil {
						f.err.CompareAndSwap(nil, &err)
					}
				}
				if b.left.Add(-1) == 0 {
					clear(b.data) // a citizen's page
					b.data = b.data[:0]
					f.pool.Put(b)
				}
			}
		})
	}
	return f
}

func (f *fan) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if err := f.err.Load(); err != nil {
			return n, *err
		}
		if f.block == nil {
			b, ok := f.pool.Get().(*fanBlock)
			if !ok {
				b = &fanBlock{data: make([]byte, 0, fanBlockSize)}
			}
			f.block = b
		}
		b := f.block
		k := copy(b.data[len(b.data):cap(b.data)], p)
		b.data = b.data[:len(b.data)+k]
		p, n = p[k:], n+k
		if len(b.data) == cap(b.data) {
			f.flush()
		}
	}
	return n, nil
}

func (f *fan) flush() {
	if f.block == nil {
		return
	}
	f.block.left.Store(int32(len(f.outs)))
	for _, o := range f.outs {
		o <- f.block
	}
	f.block = nil
}

// Close hands on what is left, waits for the writers and returns the first error of any of them. The
// writers themselves stay open.
func (f *fan) Close() error {
	f.flush()
	for _, o := range f.outs {
		close(o)
	}
	f.outs = nil
	f.wg.Wait()
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}
