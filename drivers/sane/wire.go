package sane

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"motcua/drivers/scan"
)

// The daemon and its worker speak in frames: one byte of kind, four of length (big endian), the payload.
// A message is JSON; pixels are told by the place where the bytes lie that SANE delivered, in memory that both have.
const (
	frameMessage byte = 'M'
	framePixels  byte = 'P'

	maxFrame = 1 << 20
)

var errFrame = errors.New("not a frame of the worker's protocol")

// request is what the daemon asks of the worker.
type request struct {
	Op       string // list, open, scan, cancel, taken
	Local    bool   // list: only devices at this machine
	Device   string
	Prefer   []string // like Set, but only where the device has the option
	Set      []string // "option=value", applied in order after source, mode and resolution
	Source   scan.Source
	Mode     scan.Mode
	DPI      int
	MaxPages int
	Area     scan.Area
	Longest  float64
	Pieces   int // taken: so many of the pieces of pixels that were told first
}

// reply is what the worker answers: any number of "frame" (pixels follow) and "page", then exactly one
// "done" or "fault" for each request but cancel.
type reply struct {
	Kind    string // frame, page, done, fault
	Version string
	Devices []device `json:",omitempty"`
	Caps    *caps    `json:",omitempty"`
	Frame   *params  `json:",omitempty"`
	DPI     int      // of the page that begins with this frame, and where it lies
	Source  scan.Source
	Instead scan.Mode // of the page, where it is not the one that was asked for
	Status  int       // SANE_Status of a fault
	During  string    // what SANE was asked when the fault came
	Text    string
}

// device is SANE_Device.
type device struct{ Name, Vendor, Model, Type string }

// params is SANE_Parameters. Lines is negative where the device does not know.
type params struct {
	Format        int
	Last          bool
	BytesPerLine  int
	PixelsPerLine int
	Lines         int
	Depth         int
}

// caps is what the device said it can do.
type caps struct {
	Sources []scan.Source
	Modes   []scan.Mode
	DPIs    []int
	Areas   map[scan.Source]scan.Area
}

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	frame := make([]byte, 0, 5+len(payload))
	frame = binary.BigEndian.AppendUint32(append(frame, kind), uint32(len(payload)))
	_, err := w.Write(append(frame, payload...))
	return err
}

// piece is a part of the memory for pixels.
type piece struct{ from, to int }

// bytes is how a piece is told.
func (p piece) bytes() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(p.from)), uint32(p.to))
}

// pixels gives the bytes that lie where the other side says.
func pixels(mem, told []byte) ([]byte, error) {
	if len(told) != 8 {
		return nil, errFrame
	}
	from, to := int64(binary.BigEndian.Uint32(told)), int64(binary.BigEndian.Uint32(told[4:]))
	if from >= to || to > int64(len(mem)) {
		return nil, fmt.Errorf("%w: pixels from %d to %d", errFrame, from, to)
	}
	return mem[from:to], nil
}

func writeMessage(w io.Writer, message any) error {
	payload, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return writeFrame(w, frameMessage, payload)
}

// frames reads frames. A read that a deadline broke off can be taken up again: what had come is kept.
type frames struct {
	r    io.Reader
	head [5]byte
	got  int    // bytes of head and payload that have come
	buf  []byte // the payload; reused
}

// next gives the next frame; the payload is good until the call after.
func (f *frames) next() (kind byte, payload []byte, err error) {
	for f.got < len(f.head) {
		if err := f.fill(f.head[f.got:]); err != nil {
			return 0, nil, err
		}
	}
	n := int(binary.BigEndian.Uint32(f.head[1:]))
	if kind = f.head[0]; kind != frameMessage && kind != framePixels || n > maxFrame {
		return 0, nil, fmt.Errorf("%w: kind %q, %d bytes", errFrame, kind, n)
	}
	if cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	for f.got < len(f.head)+n {
		if err := f.fill(f.buf[f.got-len(f.head):]); err != nil {
			return 0, nil, err
		}
	}
	f.got = 0
	return kind, f.buf, nil
}

func (f *frames) fill(b []byte) error {
	n, err := f.r.Read(b)
	f.got += n
	if n > 0 {
		return nil
	}
	if err == io.EOF && f.got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
