package v4l2

import (
	"encoding/binary"
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The part of linux/videodev2.h that a still picture needs, as it is laid out on 64-bit machines.
// TestLayout holds it against the header.

const (
	videoCapture   = 1 // V4L2_BUF_TYPE_VIDEO_CAPTURE
	memoryMmap     = 1 // V4L2_MEMORY_MMAP
	capCapture     = 0x1
	capStreaming   = 0x04000000
	capDeviceCaps  = 0x80000000
	flagError      = 0x40 // V4L2_BUF_FLAG_ERROR
	sizeDiscrete   = 1
	fieldNone      = 1
	ioQueryCap     = 0x80685600
	ioEnumFmt      = 0xc0405602
	ioSetFmt       = 0xc0d05605
	ioReqBufs      = 0xc0145608
	ioQueryBuf     = 0xc0585609
	ioQBuf         = 0xc058560f
	ioDQBuf        = 0xc0585611
	ioStreamOn     = 0x40045612
	ioStreamOff    = 0x40045613
	ioEnumFrameSz  = 0xc02c564a
	pixMJPG        = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	pixJPEG        = 'J' | 'P'<<8 | 'E'<<16 | 'G'<<24
	pixYUYV        = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
	wantedBuffers  = 4
	maxFrameLength = 64 << 20
)

type capability struct {
	raw [104]byte
}

func (c *capability) card() string { return zeroTerminated(c.raw[16:48]) }

// can is what this node of the device can do; a camera has several nodes.
func (c *capability) can() uint32 {
	all := binary.NativeEndian.Uint32(c.raw[84:])
	if all&capDeviceCaps != 0 {
		return binary.NativeEndian.Uint32(c.raw[88:])
	}
	return all
}

func zeroTerminated(b []byte) string {
	for i, v := range b {
		if v == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

type fmtDesc struct {
	Index, Type, Flags uint32
	Description        [32]byte
	PixelFormat        uint32
	MbusCode           uint32
	Reserved           [3]uint32
}

type frameSize struct {
	Index, PixelFormat, Type uint32
	// Discrete: width, height. Otherwise: min width, max width, step, min height, max height, step.
	Size     [6]uint32
	Reserved [2]uint32
}

type format struct {
	Type, _                    uint32
	Width, Height, PixelFormat uint32
	Field, BytesPerLine, Size  uint32
	rest                       [176]byte
}

type requestBuffers struct {
	Count, Type, Memory, Capabilities uint32
	flags                             [4]byte
}

type buffer struct {
	Index, Type, BytesUsed, Flags, Field uint32
	_                                    uint32
	Timestamp                            [2]int64
	Timecode                             [16]byte
	Sequence, Memory                     uint32
	Offset                               uint64 // a union; the offset is its first half
	Length, _, _, _                      uint32
}

// camera is an open video node. Tests put one in its place that keeps the kernel's rules.
type camera interface {
	ioctl(request uintptr, arg unsafe.Pointer) error
	mmap(offset int64, length int) ([]byte, error)
	munmap([]byte) error
	// wait waits for a frame, at most so long, and reports whether there is one.
	wait(time.Duration) (bool, error)
	close() error
}

type node struct{ fd int }

func openNode(path string) (camera, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &node{fd}, nil
}

func (n *node) ioctl(request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(n.fd), request, uintptr(arg))
		switch {
		case e == 0:
			return nil
		case !errors.Is(e, unix.EINTR):
			return e
		}
	}
}

func (n *node) mmap(offset int64, length int) ([]byte, error) {
	return unix.Mmap(n.fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (n *node) munmap(b []byte) error { return unix.Munmap(b) }

func (n *node) wait(d time.Duration) (bool, error) {
	p := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLIN}}
	ready, err := unix.Poll(p, int(d.Milliseconds()))
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err == nil && p[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
		return false, unix.ENODEV
	}
	return ready > 0, err
}

func (n *node) close() error { return unix.Close(n.fd) }
