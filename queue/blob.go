package queue

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync/atomic"

	"filippo.io/age"

	"motcua/queue/seal"
)

// A blob is one file that holds one submission and explains itself:
//
//	0     header, 4096 bytes: magic, then two slots (at 512 and 1024) for the wrapped data key. One is in
//	      use; rotation writes the other before it clears the first, so a torn write costs neither.
//	4096  the bundle as an age file, sealed to the submission's own X25519 identity, whose secret is what
//	      the slot holds, and to the office where one is configured. Sealed to the office only, there is no
//	      slot and no identity.
//	…     the card: the submission as JSON without its content, from which a lost index is built again
//	      without a key.
//	end   footer, 16 bytes: length of the card, its CRC-32, magic.
//
// The key lies here and not in the index because bbolt never overwrites what it frees: wiping a blob
// overwrites the slots in place, and what is left can't be opened by anybody.
const (
	headerSize = 4096
	footerSize = 16
	slotMax    = 512
)

var (
	slotOffsets = [2]int64{512, 1024}
	headerMagic = []byte("MOTCUA blob 1\n\x00\x00")
	footerMagic = []byte("MQ blb1\n")
)

// errDamaged marks content that can't be had back by trying again.
var errDamaged = errors.New("stored content is damaged")

// errUnreadable marks an error of the drive: what lies there may be whole, and come when it is asked for again.
var errUnreadable = errors.New("stored content can't be read")

// unreadable tells a file that ends too soon from one that the drive does not give.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: cut short", errDamaged)
	}
	return fmt.Errorf("%w: %w", errUnreadable, err)
}

// sealer turns a stream into the body of a blob.
type sealer struct {
	recipients []age.Recipient
	secret     []byte // what goes into the slot, already wrapped; nil = none
}

// newSealer makes the keys for one submission.
func newSealer(id string, ring *seal.Ring, office []age.Recipient, officeOnly bool) (sealer, error) {
	if officeOnly {
		return sealer{recipients: office}, nil
	}
	own, err := age.GenerateX25519Identity()
	if err != nil {
		return sealer{}, fmt.Errorf("make data key: %w", err)
	}
	return sealer{
		recipients: append([]age.Recipient{own.Recipient()}, office...),
		secret:     ring.Wrap(id, []byte(own.String())),
	}, nil
}

// blobWriter writes a blob front to back.
type blobWriter struct {
	f      file
	buf    *bufio.Writer
	sum    hash.Hash // of the age file, computed only where that is the bundle
	stored int64     // bytes of the age file so far
	check  func(written int64) error
}

// blobPiece is how much of a blob is written at a time: in pieces of the 64 KiB that age seals at once the kernel takes
// twice as long.
const blobPiece = 256 << 10

// newBlobWriter writes the header, through buf, which holds nothing that is not sealed. check is asked now and then whether
// there is room to go on.
func newBlobWriter(f file, buf *bufio.Writer, s sealer, digest bool, check func(int64) error) (*blobWriter, error) {
	buf.Reset(&early{f: f})
	w := &blobWriter{f: f, buf: buf, check: check}
	if digest {
		w.sum = sha256.New()
	}
	header := make([]byte, headerSize)
	copy(header, headerMagic)
	if len(s.secret) > slotMax-2 {
		return nil, errors.New("wrapped key is too long for its slot")
	}
	putSlot(header[slotOffsets[0]:slotOffsets[0]+slotMax], s.secret)
	if _, err := w.buf.Write(header); err != nil {
		return nil, err
	}
	return w, nil
}

// blobBody seals what is written to it into a blob. Keys and header are made when the first bytes come, beside whoever
// makes these.
type blobBody struct {
	raw    bool // it comes as an age file already
	digest bool // see newBlobWriter
	file   file
	buf    *bufio.Writer
	keys   func() (sealer, error)
	check  func(int64) error

	blob   *blobWriter
	sealed io.WriteCloser
}

func (b *blobBody) Write(p []byte) (int, error) {
	if b.blob == nil {
		if err := b.begin(); err != nil {
			return 0, err
		}
	}
	if b.raw {
		return b.blob.Write(p)
	}
	return b.sealed.Write(p)
}

func (b *blobBody) begin() (err error) {
	var s sealer
	if !b.raw {
		if s, err = b.keys(); err != nil {
			return err
		}
	}
	blob, err := newBlobWriter(b.file, b.buf, s, b.digest, b.check)
	if err == nil && !b.raw {
		b.sealed, err = age.Encrypt(blob, s.recipients...)
	}
	if err != nil {
		return fmt.Errorf("begin blob: %w", err)
	}
	b.blob = blob
	return nil
}

// close ends the age file and returns what is left to be finished.
func (b *blobBody) close() (*blobWriter, error) {
	if b.blob == nil {
		if err := b.begin(); err != nil {
			return nil, err
		}
	}
	if b.sealed != nil {
		if err := b.sealed.Close(); err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
	}
	return b.blob, nil
}

// early tells the disk what was written, in pieces that are worth a drive's while.
type early struct {
	f          file
	off, begun int64
}

func (e *early) Write(p []byte) (int, error) {
	n, err := e.f.Write(p)
	e.off += int64(n)
	if e.off-e.begun >= 512<<10 {
		e.f.Hint(e.begun, e.off-e.begun)
		e.begun = e.off
	}
	return n, err
}

// Write takes the bytes of the age file.
func (w *blobWriter) Write(p []byte) (int, error) {
	const stride = 16 << 20
	if w.stored/stride != (w.stored+int64(len(p)))/stride {
		if err := w.check(w.stored); err != nil {
			return 0, err
		}
	}
	if w.sum != nil {
		w.sum.Write(p)
	}
	n, err := w.buf.Write(p)
	w.stored += int64(n)
	return n, err
}

// finish appends the card and makes everything durable.
func (w *blobWriter) finish(r record) error {
	card, err := json.Marshal(r)
	if err != nil {
		return err
	}
	footer := binary.BigEndian.AppendUint32(nil, uint32(len(card)))
	footer = binary.BigEndian.AppendUint32(footer, crc32.ChecksumIEEE(card))
	footer = append(footer, footerMagic...)
	for _, b := range [][]byte{card, footer} {
		if _, err := w.buf.Write(b); err != nil {
			return err
		}
	}
	if err := w.buf.Flush(); err != nil {
		return err
	}
	return w.f.Sync()
}

func putSlot(slot, secret []byte) {
	clear(slot)
	binary.BigEndian.PutUint16(slot, uint16(len(secret)))
	copy(slot[2:], secret)
}

// readSlots returns the wrapped keys that the header holds, unused slots as nil.
func readSlots(f io.ReaderAt) ([2][]byte, error) {
	var slots [2][]byte
	header := make([]byte, headerSize)
	if _, err := f.ReadAt(header, 0); err != nil {
		return slots, fmt.Errorf("header: %w", unreadable(err))
	}
	if !bytes.HasPrefix(header, headerMagic) {
		return slots, fmt.Errorf("%w: header is not a blob's", errDamaged)
	}
	for i, at := range slotOffsets {
		n := int(binary.BigEndian.Uint16(header[at:]))
		if n == 0 || n > slotMax-2 {
			continue
		}
		slots[i] = header[at+2 : at+2+int64(n)]
	}
	return slots, nil
}

// readCard reads the submission from the end of a blob.
func readCard(f file) (record, error) {
	var r record
	size, err := f.Size()
	if err != nil {
		return r, err
	}
	if size < headerSize+footerSize {
		return r, fmt.Errorf("%w: cut short", errDamaged)
	}
	footer := make([]byte, footerSize)
	if _, err := f.ReadAt(footer, size-footerSize); err != nil {
		return r, fmt.Errorf("footer: %w", unreadable(err))
	}
	n := int64(binary.BigEndian.Uint32(footer))
	if !bytes.Equal(footer[8:], footerMagic) || n > size-headerSize-footerSize {
		return r, fmt.Errorf("%w: footer", errDamaged)
	}
	card := make([]byte, n)
	if _, err := f.ReadAt(card, size-footerSize-n); err != nil {
		return r, fmt.Errorf("card: %w", unreadable(err))
	}
	if crc32.ChecksumIEEE(card) != binary.BigEndian.Uint32(footer[4:]) {
		return r, fmt.Errorf("%w: card", errDamaged)
	}
	if err := json.Unmarshal(card, &r); err != nil {
		return r, fmt.Errorf("%w: card: %w", errDamaged, err)
	}
	return r, nil
}

// Content is a stored submission opened for reading. It is a Bundle; Close it.
type Content struct {
	r       record
	f       file
	at      io.ReaderAt
	release func()
	fault   faultNote
	drive   *driveReader
}

// driveReader remembers whether it was the drive that failed: what is sealed can't tell that from damage.
type driveReader struct {
	r   io.ReaderAt
	err atomic.Pointer[error]
}

func (d *driveReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		d.err.Store(&err)
	}
	return n, err
}

// openContent opens the body of a blob with the keys of ring.
func openContent(f file, r record, ring *seal.Ring) (*Content, error) {
	c := &Content{r: r, f: f, drive: &driveReader{r: f}}
	body := io.NewSectionReader(c.drive, headerSize, r.Stored)
	if r.Sealed {
		if _, err := readSlots(f); err != nil {
			return nil, err
		}
		c.at = body
		return c, nil
	}
	own, err := dataKey(f, r.ID, ring)
	if err != nil {
		return nil, err
	}
	at, size, err := age.DecryptReaderAt(body, r.Stored, own)
	switch {
	case err != nil && c.drive.err.Load() != nil:
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if size != r.Size {
		return nil, fmt.Errorf("%w: %d bytes instead of %d", errDamaged, size, r.Size)
	}
	c.at = at
	return c, nil
}

// dataKey unwraps the submission's identity from either slot.
func dataKey(f io.ReaderAt, id string, ring *seal.Ring) (age.Identity, error) {
	slots, err := readSlots(f)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: no key in the header", errDamaged)
	for _, s := range slots {
		if s == nil {
			continue
		}
		secret, e := ring.Unwrap(id, s)
		if by, ok := seal.WrappedBy(s); e != nil && ok && ring.Has(by) {
			// The key is right and the slot is not for this id: bent, or the file of another submission.
			e = fmt.Errorf("%w: %w", errDamaged, e)
		}
		if e != nil {
			err = e
			continue
		}
		own, e := age.ParseX25519Identity(string(secret))
		clear(secret)
		if e != nil {
			err = fmt.Errorf("%w: data key", errDamaged)
			continue
		}
		return own, nil
	}
	return nil, err
}

// ReadAt reads the bundle. It may be called by several goroutines.
func (c *Content) ReadAt(p []byte, off int64) (int, error) {
	if off >= c.r.Size {
		return 0, io.EOF
	}
	n, err := c.at.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		n, err = c.at.ReadAt(p, off) // what fails once may have been the drive's bad moment
	}
	if err != nil && !errors.Is(err, io.EOF) {
		kind := errDamaged
		if c.drive.err.Load() != nil {
			kind = errUnreadable
		}
		err = fmt.Errorf("%w: at %d: %w", kind, off, err)
		c.fault.set(err)
	}
	return n, err
}

// Size is the bundle's length.
func (c *Content) Size() int64 { return c.r.Size }

// SHA256 is the digest that was computed when the submission was accepted.
func (c *Content) SHA256() string { return c.r.SHA256 }

// Submission is what the content belongs to.
func (c *Content) Submission() Submission { return c.r.Submission }

// Close lets retention wipe the submission again.
func (c *Content) Close() error {
	if c.release != nil {
		c.release()
		c.release = nil
	}
	return c.f.Close()
}

// wipeBlob makes a blob unreadable for good and removes it: the slots with the wrapped key and the
// head of the age file are overwritten and that is durable before the name goes. The directory is
// not synced here; the caller does it once for many.
func wipeBlob(d disk, path string) error {
	f, err := d.Edit(path)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err == nil {
		_, err = f.WriteAt(make([]byte, min(size, 2*headerSize)), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return d.Remove(path)
}
