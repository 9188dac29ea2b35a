package v4l2

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// TestLayout has a C compiler read the kernel's own header and compares every size, offset and request
// number that the driver relies on.
func TestLayout(t *testing.T) {
	var f format
	var b buffer
	var d fmtDesc
	var z frameSize
	var r requestBuffers
	var c capability
	var want, program strings.Builder
	program.WriteString("#include <stdio.h>\n#include <stddef.h>\n#include <linux/videodev2.h>\nint main(void) {\n")
	for _, line := range []struct {
		c    string
		ours uintptr
	}{
		{"sizeof(struct v4l2_capability)", unsafe.Sizeof(c)},
		{"offsetof(struct v4l2_capability, card)", 16}, {"offsetof(struct v4l2_capability, bus_info)", 48},
		{"offsetof(struct v4l2_capability, capabilities)", 84}, {"offsetof(struct v4l2_capability, device_caps)", 88},
		{"sizeof(struct v4l2_fmtdesc)", unsafe.Sizeof(d)}, {"offsetof(struct v4l2_fmtdesc, pixelformat)", unsafe.Offsetof(d.PixelFormat)},
		{"sizeof(struct v4l2_frmsizeenum)", unsafe.Sizeof(z)}, {"offsetof(struct v4l2_frmsizeenum, discrete.width)", unsafe.Offsetof(z.Size)},
		{"offsetof(struct v4l2_frmsizeenum, stepwise.max_height)", unsafe.Offsetof(z.Size) + 16},
		{"sizeof(struct v4l2_format)", unsafe.Sizeof(f)}, {"offsetof(struct v4l2_format, fmt.pix.width)", unsafe.Offsetof(f.Width)},
		{"offsetof(struct v4l2_format, fmt.pix.pixelformat)", unsafe.Offsetof(f.PixelFormat)},
		{"offsetof(struct v4l2_format, fmt.pix.sizeimage)", unsafe.Offsetof(f.Size)},
		{"sizeof(struct v4l2_requestbuffers)", unsafe.Sizeof(r)}, {"offsetof(struct v4l2_requestbuffers, memory)", unsafe.Offsetof(r.Memory)},
		{"sizeof(struct v4l2_buffer)", unsafe.Sizeof(b)}, {"offsetof(struct v4l2_buffer, bytesused)", unsafe.Offsetof(b.BytesUsed)},
		{"offsetof(struct v4l2_buffer, flags)", unsafe.Offsetof(b.Flags)}, {"offsetof(struct v4l2_buffer, memory)", unsafe.Offsetof(b.Memory)},
		{"offsetof(struct v4l2_buffer, m.offset)", unsafe.Offsetof(b.Offset)},
		{"offsetof(struct v4l2_buffer, length)", unsafe.Offsetof(b.Length)},
		{"VIDIOC_QUERYCAP", ioQueryCap}, {"VIDIOC_ENUM_FMT", ioEnumFmt}, {"VIDIOC_S_FMT", ioSetFmt}, {"VIDIOC_REQBUFS", ioReqBufs},
		{"VIDIOC_QUERYBUF", ioQueryBuf}, {"VIDIOC_QBUF", ioQBuf}, {"VIDIOC_DQBUF", ioDQBuf}, {"VIDIOC_STREAMON", ioStreamOn},
		{"VIDIOC_STREAMOFF", ioStreamOff}, {"VIDIOC_ENUM_FRAMESIZES", ioEnumFrameSz},
		{"V4L2_PIX_FMT_MJPEG", pixMJPG}, {"V4L2_PIX_FMT_JPEG", pixJPEG}, {"V4L2_PIX_FMT_YUYV", pixYUYV},
		{"V4L2_CAP_VIDEO_CAPTURE", capCapture}, {"V4L2_CAP_STREAMING", capStreaming}, {"V4L2_CAP_DEVICE_CAPS", capDeviceCaps},
		{"V4L2_BUF_FLAG_ERROR", flagError}, {"V4L2_FRMSIZE_TYPE_DISCRETE", sizeDiscrete}, {"V4L2_FIELD_NONE", fieldNone},
		{"V4L2_BUF_TYPE_VIDEO_CAPTURE", videoCapture}, {"V4L2_MEMORY_MMAP", memoryMmap},
	} {
		fmt.Fprintf(&program, "printf(\"%%s %%lu\\n\", %q, (unsigned long)(%s));\n", line.c, line.c)
		fmt.Fprintln(&want, line.c, line.ours)
	}
	program.WriteString("}\n")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "layout.c"), []byte(program.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-o", filepath.Join(dir, "layout"), filepath.Join(dir, "layout.c")).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	got, err := exec.Command(filepath.Join(dir, "layout")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want.String() {
		t.Errorf("the header says\n%sthe driver\n%s", got, want.String())
	}
}

// fake is a camera that keeps the kernel's rules for buffers (who owns which, real shared memory, streaming
// on and off) and checks that the driver does. It cannot show what a camera's own driver adds to them:
// timing, USB, exposure. There is no video node on the machines that run the tests, and no module that
// makes one.
type fake struct {
	t       *testing.T
	caps    uint32
	formats []uint32
	sizes   [][2]uint32
	frames  func(n int) []byte // the frames it takes
	flags   func(n int) uint32
	fail    map[uintptr]error
	silent  bool
	held    *atomic.Bool // silent while it is set; nil: never

	memory  int // a memfd the buffers lie in
	set     format
	buffers int
	mapped  int
	owner   []bool // of the kernel's
	on      bool
	taken   int
	closed  bool
}

const frameRoom = 1 << 20

func (f *fake) ioctl(request uintptr, arg unsafe.Pointer) error {
	if err := f.fail[request]; err != nil {
		return err
	}
	switch request {
	case ioQueryCap:
		c := (*capability)(arg)
		copy(c.raw[16:], "Document Camera A3")
		binary.NativeEndian.PutUint32(c.raw[84:], 0xffffffff)
		binary.NativeEndian.PutUint32(c.raw[88:], f.caps)
	case ioEnumFmt:
		d := (*fmtDesc)(arg)
		if int(d.Index) >= len(f.formats) {
			return unix.EINVAL
		}
		d.PixelFormat = f.formats[d.Index]
	case ioEnumFrameSz:
		z := (*frameSize)(arg)
		if int(z.Index) >= len(f.sizes) {
			return unix.EINVAL
		}
		z.Type, z.Size[0], z.Size[1] = sizeDiscrete, f.sizes[z.Index][0], f.sizes[z.Index][1]
	case ioSetFmt:
		s := (*format)(arg)
		s.Size, s.BytesPerLine = frameRoom, 0
		if s.PixelFormat == pixYUYV {
			s.BytesPerLine = 2*s.Width + 64 // as some do
		}
		f.set = *s
	case ioReqBufs:
		r := (*requestBuffers)(arg)
		if r.Count == 0 && (f.on || f.mapped > 0) {
			f.t.Error("buffers are given back while they are in use")
		}
		if r.Count > 2 {
			r.Count = 2 // a driver may give fewer
		}
		f.buffers, f.owner = int(r.Count), make([]bool, r.Count)
	case ioQueryBuf:
		b := (*buffer)(arg)
		b.Offset, b.Length = uint64(b.Index)*frameRoom, frameRoom
	case ioQBuf:
		b := (*buffer)(arg)
		if int(b.Index) >= f.buffers || f.owner[b.Index] {
			f.t.Errorf("buffer %d is given twice", b.Index)
			return unix.EINVAL
		}
		f.owner[b.Index] = true
	case ioStreamOn:
		f.on = true
	case ioStreamOff:
		f.on = false
		clear(f.owner)
	case ioDQBuf:
		b := (*buffer)(arg)
		for i, ours := range f.owner {
			if ours && f.on {
				frame := f.frames(f.taken)
				if _, err := unix.Pwrite(f.memory, frame, int64(i)*frameRoom); err != nil {
					f.t.Fatal(err)
				}
				b.Index, b.BytesUsed, f.owner[i] = uint32(i), uint32(len(frame)), false
				if f.flags != nil {
					b.Flags = f.flags(f.taken)
				}
				f.taken++
				return nil
			}
		}
		return unix.EAGAIN
	default:
		f.t.Errorf("request %#x", request)
		return unix.ENOTTY
	}
	return nil
}

func (f *fake) mmap(offset int64, length int) ([]byte, error) {
	f.mapped++
	return unix.Mmap(f.memory, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (f *fake) munmap(b []byte) error {
	f.mapped--
	return unix.Munmap(b)
}

func (f *fake) wait(d time.Duration) (bool, error) {
	if f.silent || f.held != nil && f.held.Load() {
		time.Sleep(d)
		return false, nil
	}
	return true, nil
}

func (f *fake) close() error {
	if f.on || f.mapped > 0 || f.buffers > 0 || f.closed {
		f.t.Errorf("closed with streaming %v, %d maps, %d buffers, closed %v", f.on, f.mapped, f.buffers, f.closed)
	}
	f.closed = true
	return nil
}

// plug gives a scanner whose camera is f, opened anew for each scan.
func plug(t *testing.T, f *fake) *Scanner {
	t.Helper()
	fd, err := unix.MemfdCreate("frames", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Ftruncate(fd, 4*frameRoom); err != nil {
		t.Fatal(err)
	}
	f.t, f.memory = t, fd
	if f.caps == 0 {
		f.caps = capCapture | capStreaming
	}
	if f.formats == nil {
		f.formats = []uint32{pixYUYV, pixMJPG}
	}
	if f.sizes == nil {
		f.sizes = [][2]uint32{{320, 240}, {640, 480}, {160, 120}}
	}
	if f.fail == nil {
		f.fail = map[uintptr]error{}
	}
	return Open(Options{Settle: 3, Choose: 4, Stall: 10 * time.Second, open: func(string) (camera, error) {
		f.closed, f.taken = false, 0
		return f, nil
	}}, "v4l2:/dev/video0")
}

// paper draws a sheet with lines of a contrast: out of focus, lines are faint.
func paper(w, h int, contrast uint8) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio422)
	for y := range h {
		for x := range w {
			img.Y[img.YOffset(x, y)] = 220
			if y%8 < 2 {
				img.Y[img.YOffset(x, y)] = 220 - contrast
			}
			img.Cb[img.COffset(x, y)], img.Cr[img.COffset(x, y)] = 120, 140
		}
	}
	return img
}

func motionJPEG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withoutTables leaves out the Huffman tables, as most UVC cameras do.
func withoutTables(data []byte) []byte {
	at := bytes.Index(data, []byte{0xFF, 0xC4})
	for at >= 0 {
		n := int(data[at+2])<<8 + int(data[at+3])
		data = append(bytes.Clone(data[:at]), data[at+2+n:]...)
		at = bytes.Index(data, []byte{0xFF, 0xC4})
	}
	return data
}

func one(t *testing.T, ctx context.Context, s *Scanner) (scan.Page, error) {
	t.Helper()
	var page scan.Page
	n := 0
	for p, err := range s.Scan(ctx, scan.Settings{}) {
		if err != nil {
			return page, err
		}
		page = p
		n++
	}
	if n != 1 {
		t.Fatalf("%d pages", n)
	}
	return page, nil
}

func TestScan_takes_the_sharpest_frame_after_settling(t *testing.T) {
	contrasts := []uint8{200, 200, 200, 20, 60, 150, 90, 210}
	for _, pixels := range []uint32{pixMJPG, pixYUYV} {
		t.Run(string(binary.NativeEndian.AppendUint32(nil, pixels)), func(t *testing.T) {
			f := &fake{formats: []uint32{pixels}}
			f.frames = func(n int) []byte {
				img := paper(640, 480, contrasts[n])
				if pixels == pixMJPG {
					return append(withoutTables(motionJPEG(t, img)), make([]byte, 100)...)
				}
				frame := make([]byte, 480*(2*640+64))
				for y := range 480 {
					for x := 0; x < 640; x += 2 {
						copy(frame[y*(2*640+64)+2*x:], []byte{img.Y[img.YOffset(x, y)], 120, img.Y[img.YOffset(x+1, y)], 140})
					}
				}
				return frame
			}
			s := plug(t, f)
			for range 2 { // the camera is ready again
				page, err := one(t, t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				img := page.Image
				if page.Encoded != nil {
					if img, err = jpeg.Decode(bytes.NewReader(page.Encoded)); err != nil {
						t.Fatal(err)
					}
				}
				if img.Bounds() != image.Rect(0, 0, 640, 480) || page.Number != 1 {
					t.Errorf("page %d of %v", page.Number, img.Bounds())
				}
				// Frame 5 of contrast 150 is the sharpest of 3 to 6.
				if line := color.GrayModel.Convert(img.At(320, 240)).(color.Gray).Y; line < 60 || line > 85 {
					t.Errorf("a line of tone %d, want about 70", line)
				}
				if f.taken != 7 || !f.closed {
					t.Errorf("%d frames taken, closed %v", f.taken, f.closed)
				}
			}
		})
	}
}

func TestScan_passes_over_torn_frames(t *testing.T) {
	good := motionJPEG(t, paper(640, 480, 100))
	f := &fake{formats: []uint32{pixMJPG}}
	f.frames = func(n int) []byte {
		switch n % 3 {
		case 0:
			return good[:len(good)/2]
		case 1:
			return nil
		}
		return good
	}
	f.flags = func(n int) uint32 {
		if n == 5 {
			return flagError
		}
		return 0
	}
	page, err := one(t, t.Context(), plug(t, f))
	if err != nil || !bytes.Equal(page.Encoded, good) {
		t.Errorf("%d bytes, %v", len(page.Encoded), err)
	}
}

func TestScan_faults_leave_nothing_behind(t *testing.T) {
	good := motionJPEG(t, paper(640, 480, 100))
	for name, c := range map[string]struct {
		fake fake
		code scan.Code
	}{
		"pulled out in mid-stream": {fake{fail: map[uintptr]error{ioDQBuf: unix.ENODEV}}, scan.Unplugged},
		"in use":                   {fake{fail: map[uintptr]error{ioSetFmt: unix.EBUSY}}, scan.Busy},
		"bus too busy":             {fake{fail: map[uintptr]error{ioStreamOn: unix.ENOSPC}}, scan.IOError},
		"no picture comes":         {fake{silent: true}, scan.TimedOut},
		"not a camera":             {fake{caps: capStreaming}, scan.Unsupported},
		"an unknown format":        {fake{formats: []uint32{'H' | '2'<<8 | '6'<<16 | '4'<<24}}, scan.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.fake
			f.frames = func(int) []byte { return good }
			s := plug(t, &f)
			if f.silent {
				s.o.Stall = 300 * time.Millisecond
			}
			_, err := one(t, t.Context(), s)
			var fault *scan.Fault
			if !errors.As(err, &fault) || fault.Code != c.code || fault.Technician == "" {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if !f.closed {
				t.Error("the camera was not closed")
			}
		})
	}
}

func TestScan_ends_with_its_context(t *testing.T) {
	f := &fake{silent: true}
	s := plug(t, f)
	s.o.Stall = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := one(t, ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestScan_missing_node_and_node_that_is_no_camera(t *testing.T) {
	if _, err := one(t, t.Context(), Open(Options{}, filepath.Join(t.TempDir(), "video0"))); !errors.Is(err,
		&scan.Fault{Code: scan.NoDevice}) {
		t.Error(err)
	}
	if _, err := one(t, t.Context(), Open(Options{}, "/dev/null")); !errors.Is(err, &scan.Fault{Code: scan.Unsupported}) {
		t.Error(err)
	}
}

func TestList_and_Check(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "video0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "v4l/by-id"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "v4l/by-id/usb-Acme_A3-video-index0")
	if err := os.Symlink("../../video0", link); err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	plug(t, f)
	o := Options{Dev: dir, open: func(string) (camera, error) { f.closed = false; return f, nil }}
	infos, err := List(t.Context(), o)
	if err != nil || len(infos) != 1 || infos[0].ID != "v4l2:"+link || infos[0].Model != "Document Camera A3" {
		t.Errorf("%+v, %v", infos, err)
	}
	if found := Check(t.Context(), o); len(found) != 1 || !found[0].OK {
		t.Errorf("%+v", found)
	}
	o.open = func(path string) (camera, error) {
		return nil, &os.PathError{Op: "open", Path: path, Err: unix.EACCES}
	}
	if found := Check(t.Context(), o); len(found) != 1 || found[0].OK || !strings.Contains(found[0].Mend, "group video") {
		t.Errorf("%+v", found)
	}
}

func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, paper(32, 16, 99), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes(), uint16(32), uint16(16))
	f.Add(withoutTables(b.Bytes()), uint16(32), uint16(16))
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x00\xff\xd9"), uint16(2), uint16(1))
	f.Fuzz(func(t *testing.T, frame []byte, w, h uint16) {
		for _, pixels := range []uint32{pixMJPG, pixYUYV} {
			p, err := (&format{Width: uint32(w) | 1, Height: uint32(h) + 1, PixelFormat: pixels}).page(frame)
			if err == nil {
				sharpness(p)
			}
			p, err = (&format{Width: uint32(w), Height: uint32(h) + 1, PixelFormat: pixels}).page(frame)
			if err == nil {
				sharpness(p)
			}
		}
	})
}
