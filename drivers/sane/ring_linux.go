package sane

import (
	"fmt"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Pixels go from the worker to the daemon through memory that both have: a backend reads into it, and the daemon copies what
// is told to lie there into a page of its own, once. A backend that was taken over may write there at any time, so
// nothing that lies there is looked at twice, and what says how many pixels there are comes over the pipe.

const (
	ringSize  = 4 << 20 // bytes a worker may be ahead: nearly two grey pages of A4 at 300 dpi
	leastRoom = 512 << 10
	mostPiece = 1 << 20            // bytes that are read and told at once
	mostOwed  = 512 << 10          // bytes that were taken before the worker is told so
	ringEnv   = "MOTCUA_SANE_RING" // the number of the file, for the worker
	ringFile  = "3"                // the first after the standard three
)

// ring is the memory. The daemon makes it and reads it; the worker fills it, and learns what was taken.
type ring struct {
	file *os.File
	mem  []byte
}

// newRing makes the memory. Its size is sealed: a worker that cut it off would crash whoever reads there.
func newRing() (*ring, error) {
	fd, err := unix.MemfdCreate("motcua-scan", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make memory for pages: %w", err)
	}
	r := &ring{file: os.NewFile(uintptr(fd), "pages")}
	if err = unix.Ftruncate(fd, ringSize); err == nil {
		_, err = unix.FcntlInt(r.file.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		r.mem, err = unix.Mmap(fd, 0, ringSize, unix.PROT_READ, unix.MAP_SHARED)
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("make memory for pages: %w", err)
	}
	return r, nil
}

func (r *ring) close() {
	_ = r.file.Close()
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
		r.mem = nil
	}
}

// lane is the worker's end: it hands out room for a backend to read into, and waits while the daemon is behind.
type lane struct {
	mem buffer

	mu      sync.Mutex // guards the fields below
	changed *sync.Cond
	sent    []piece // in order, and not yet taken
	used    int     // bytes from the beginning that were ever used
	closed  bool    // nobody waits for room any more
}

// openLane maps the memory that the daemon handed over as a file of that number.
func openLane(number string) (*lane, error) {
	var fd int
	if _, err := fmt.Sscan(number, &fd); err != nil {
		return nil, fmt.Errorf("find the memory for pages: %w", err)
	}
	f := os.NewFile(uintptr(fd), "pages")
	defer f.Close() // what backends start has no business with it
	mem, err := unix.Mmap(fd, 0, ringSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the memory for pages: %w", err)
	}
	return newLane(mem), nil
}

func newLane(mem []byte) *lane {
	l := &lane{mem: bufferAt(mem)}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// room gives a piece of at least leastRoom bytes, and of so many as are asked for where there are, as soon as there is one;
// false where the wait was ended.
func (l *lane) room(ask int) (piece, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		p := l.free()
		if p.to = min(p.to, p.from+ask); p.to-p.from >= leastRoom {
			l.touch(p.to)
			return p, true
		}
		if l.closed {
			return piece{}, false
		}
		l.changed.Wait()
	}
}

// free is the first room there is, so that what was used lately, and is at hand in the processor, is used again; l.mu is held.
func (l *lane) free() piece {
	at := 0
	for _, p := range slices.SortedFunc(slices.Values(l.sent), func(a, b piece) int { return a.from - b.from }) {
		if p.from-at >= leastRoom {
			return piece{at, p.from}
		}
		at = p.to
	}
	return piece{at, l.mem.size}
}

// touch has the kernel give memory up to a place; l.mu is held.
func (l *lane) touch(to int) {
	if to = min((to+mostPiece-1)/mostPiece*mostPiece, l.mem.size); to > l.used {
		populate(l.mem.bytes()[l.used:to])
		l.used = to
	}
}

// send notes that a piece is on its way to the daemon.
func (l *lane) send(p piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, p)
}

// taken notes that the daemon has so many pieces.
func (l *lane) taken(pieces int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = slices.Delete(l.sent, 0, min(max(pieces, 0), len(l.sent)))
	l.changed.Broadcast()
}

// stop ends waits for room, or lets there be some again.
func (l *lane) stop(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = on
	l.changed.Broadcast()
}
