package queue

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// checkIndexFile holds the pages of an index against one another: every page that the newest whole meta page leads to is
// there, is what it must be, belongs to one place only and is not among the free ones, and keys are in order.
//
// bbolt's own check runs in a goroutine of its own on the mapped file, where a page number that leads outside
// ends the whole program; this one reads the file, and no content can make it fault. The layout is that of bbolt
// (internal/common in its source): little-endian, pages of the size that the meta page says.
func checkIndexFile(path string) []error {
	f, err := os.Open(path)
	if err != nil {
		return []error{err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return []error{err}
	}
	meta, err := newestMeta(f)
	if err != nil {
		return []error{err}
	}
	c := &pageCheck{f: f, meta: meta, owner: map[uint64]uint64{}}
	if int64(meta.pages)*int64(meta.pageSize) > info.Size() || meta.pages > 1<<32 {
		c.fault("%d pages of %d bytes do not fit into %d bytes", meta.pages, meta.pageSize, info.Size())
		return c.faults
	}
	c.walk(meta.root, 0, nil)
	c.free()
	return c.faults
}

const (
	pageHeader   = 16 // id, flags, count, overflow
	elementSize  = 16 // of a branch and of a leaf page alike
	bucketHeader = 16 // root page, sequence

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	leafBucket   = 0x01 // the element's value is a bucket

	metaMagic  = 0xED0CDAED
	metaLength = 64
	noFreelist = ^uint64(0)
	pageFaults = 16 // enough to know
	pageDepth  = 64
)

type indexMeta struct {
	pageSize             uint32
	root, freelist, txid uint64
	pages                uint64
}

func (m indexMeta) String() string {
	return fmt.Sprintf("transaction %d, root %d, %d pages\n", m.txid, m.root, m.pages)
}

// newestMeta reads the two meta pages and returns the whole one with the higher transaction number.
func newestMeta(f io.ReaderAt) (best indexMeta, err error) {
	found := false
	for _, at := range []int64{0, 4096, 8192, 16384, 65536} {
		buf := make([]byte, pageHeader+metaLength)
		if _, err := f.ReadAt(buf, at); err != nil {
			continue
		}
		m := buf[pageHeader:]
		sum := fnv.New64a()
		sum.Write(m[:metaLength-8])
		if binary.LittleEndian.Uint32(m) != metaMagic || sum.Sum64() != binary.LittleEndian.Uint64(m[metaLength-8:]) {
			continue
		}
		one := indexMeta{pageSize: binary.LittleEndian.Uint32(m[8:]), root: binary.LittleEndian.Uint64(m[16:]),
			freelist: binary.LittleEndian.Uint64(m[32:]), pages: binary.LittleEndian.Uint64(m[40:]), txid: binary.LittleEndian.Uint64(m[48:])}
		if (at == 0 || at == int64(one.pageSize)) && one.pageSize >= 512 && (!found || one.txid > best.txid) {
			best, found = one, true
		}
	}
	if !found {
		return best, errors.New("neither meta page is whole")
	}
	return best, nil
}

type pageCheck struct {
	f      io.ReaderAt
	meta   indexMeta
	owner  map[uint64]uint64 // page → the page it is reached from or runs over from
	faults []error
}

func (c *pageCheck) fault(format string, a ...any) {
	if len(c.faults) < pageFaults {
		c.faults = append(c.faults, fmt.Errorf(format, a...))
	}
}

// page reads one page with what it runs over to, and takes note of whose it is.
func (c *pageCheck) page(id, from uint64) ([]byte, bool) {
	if id < 2 || id >= c.meta.pages {
		c.fault("page %d, which page %d leads to, is not there", id, from)
		return nil, false
	}
	size := int64(c.meta.pageSize)
	head := make([]byte, size)
	if _, err := c.f.ReadAt(head, int64(id)*size); err != nil {
		c.fault("page %d: %w", id, err)
		return nil, false
	}
	over := uint64(binary.LittleEndian.Uint32(head[12:]))
	if says := binary.LittleEndian.Uint64(head); says != id || id+over >= c.meta.pages {
		c.fault("page %d says that it is %d and runs over %d more", id, says, over)
		return nil, false
	}
	for p := id; p <= id+over; p++ {
		if _, taken := c.owner[p]; taken {
			c.fault("page %d is used twice", p)
			return nil, false
		}
		c.owner[p] = from
	}
	if over == 0 {
		return head, true
	}
	all := make([]byte, (int64(over)+1)*size)
	if _, err := c.f.ReadAt(all, int64(id)*size); err != nil {
		c.fault("page %d: %w", id, err)
		return nil, false
	}
	return all, true
}

// walk checks the tree below a page.
func (c *pageCheck) walk(id, from uint64, path []uint64) {
	if len(path) > pageDepth || len(c.faults) >= pageFaults {
		c.fault("page %d lies too deep", id)
		return
	}
	if p, ok := c.page(id, from); ok {
		c.elements(id, p, append(path, id))
	}
}

// elements checks what a branch or leaf page holds; an inline bucket is a leaf page within another.
func (c *pageCheck) elements(id uint64, p []byte, path []uint64) {
	flags, count := binary.LittleEndian.Uint16(p[8:]), int(binary.LittleEndian.Uint16(p[10:]))
	if flags != flagBranch && flags != flagLeaf || pageHeader+count*elementSize > len(p) || flags == flagBranch && count == 0 {
		c.fault("page %d is of kind %#x with %d elements", id, flags, count)
		return
	}
	var last []byte
	for i := range count {
		at := pageHeader + i*elementSize
		e := p[at : at+elementSize]
		pos, ksize, vsize := binary.LittleEndian.Uint32(e), binary.LittleEndian.Uint32(e[4:]), uint32(0)
		if flags == flagLeaf {
			pos, ksize, vsize = binary.LittleEndian.Uint32(e[4:]), binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
		}
		start := uint64(at) + uint64(pos)
		if start+uint64(ksize)+uint64(vsize) > uint64(len(p)) {
			c.fault("element %d of page %d leads outside", i, id)
			return
		}
		key, value := p[start:start+uint64(ksize)], p[start+uint64(ksize):start+uint64(ksize)+uint64(vsize)]
		if i > 0 && bytes.Compare(last, key) >= 0 {
			c.fault("element %d of page %d is out of order", i, id)
		}
		last = key
		switch {
		case flags == flagBranch:
			c.walk(binary.LittleEndian.Uint64(e[8:]), id, path)
		case binary.LittleEndian.Uint32(e)&leafBucket != 0:
			c.bucket(id, value, path)
		}
	}
}

func (c *pageCheck) bucket(id uint64, value []byte, path []uint64) {
	if len(value) < bucketHeader {
		c.fault("a bucket in page %d is cut short", id)
		return
	}
	if root := binary.LittleEndian.Uint64(value); root != 0 {
		c.walk(root, id, path)
		return
	}
	if inline := value[bucketHeader:]; len(inline) >= pageHeader {
		c.elements(id, inline, path)
	} else {
		c.fault("a bucket in page %d is cut short", id)
	}
}

// free checks the list of free pages: a page in use that is among them would be overwritten.
func (c *pageCheck) free() {
	if c.meta.freelist == noFreelist || len(c.faults) > 0 {
		return
	}
	p, ok := c.page(c.meta.freelist, 0)
	if !ok {
		return
	}
	if flags := binary.LittleEndian.Uint16(p[8:]); flags != flagFreelist {
		c.fault("the list of free pages is a page of kind %#x", flags)
		return
	}
	ids, count := p[pageHeader:], uint64(binary.LittleEndian.Uint16(p[10:]))
	if count == 0xFFFF {
		count, ids = binary.LittleEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		c.fault("the list of free pages is cut short")
		return
	}
	listed := map[uint64]bool{}
	for i := range count {
		id := binary.LittleEndian.Uint64(ids[i*8:])
		if _, used := c.owner[id]; used || id < 2 || id >= c.meta.pages || listed[id] {
			c.fault("page %d is wrongly among the free ones", id)
		}
		listed[id] = true
	}
	for id := uint64(2); id < c.meta.pages; id++ {
		if _, used := c.owner[id]; !used && !listed[id] {
			c.fault("page %d is neither used nor free", id)
		}
	}
}
