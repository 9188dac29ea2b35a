// Package v4l2 makes a scanner of a document camera: a USB camera on an arm above the counter. What goes in
// is a video node; what comes out of a scan is one still picture, the sharpest of a few once exposure and
// focus have settled. It promises what every driver here does: no scan outlives its context, a camera that
// was pulled out is a fault and comes back by itself, and nothing is held between two scans.
package v4l2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"motcua/drivers/scan"
)

// Options tunes the driver; the zero value works.
type Options struct {
	Settle int           // frames passed over while exposure and focus settle; 0: 15
	Choose int           // frames of which the sharpest is taken; 0: 5
	Stall  time.Duration // a camera that gives no frame for so long has timed out; 0: 5 s
	Dev    string        // where device nodes are; empty: /dev

	open func(path string) (camera, error)
}

const prefix = "v4l2:"

func (o Options) filled() Options {
	if o.Settle == 0 {
		o.Settle = 15
	}
	if o.Choose == 0 {
		o.Choose = 5
	}
	if o.Stall == 0 {
		o.Stall = 5 * time.Second
	}
	if o.Dev == "" {
		o.Dev = "/dev"
	}
	if o.open == nil {
		o.open = openNode
	}
	return o
}

// List gives the cameras that are plugged in, by the names udev keeps for them where it does.
func List(ctx context.Context, o Options) ([]scan.Info, error) {
	o = o.filled()
	nodes, err := filepath.Glob(filepath.Join(o.Dev, "video*"))
	if err != nil {
		return nil, err
	}
	byID, _ := filepath.Glob(filepath.Join(o.Dev, "v4l", "by-id", "*"))
	stable := map[string]string{}
	for _, link := range byID {
		if to, err := filepath.EvalSymlinks(link); err == nil {
			stable[to] = link
		}
	}
	slices.Sort(nodes)
	var infos []scan.Info
	for _, path := range nodes {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		cam, err := o.open(path)
		if err != nil {
			continue // gone since, or not ours to open: Check says so
		}
		if c, err := capture(cam); err == nil {
			id := path
			if link := stable[path]; link != "" {
				id = link
			}
			infos = append(infos, info(prefix+id, c))
		}
		_ = cam.close()
	}
	return infos, nil
}

func info(id string, c *capability) scan.Info {
	return scan.Info{
		ID: id, Driver: "v4l2", Model: strings.ToValidUTF8(c.card(), "?"), Kind: "document camera",
		Sources: []scan.Source{scan.Flatbed}, Modes: []scan.Mode{scan.Color},
	}
}

var errNoCapture = errors.New("it takes no pictures")

// capture reads what a node is, and refuses one that gives no pictures: a camera has nodes for other things.
func capture(cam camera) (*capability, error) {
	var c capability
	if err := cam.ioctl(ioQueryCap, unsafe.Pointer(&c)); err != nil {
		return nil, err
	}
	if c.can()&(capCapture|capStreaming) != capCapture|capStreaming {
		return nil, errNoCapture
	}
	return &c, nil
}

// Scanner is one camera.
type Scanner struct {
	o    Options
	id   string
	slot chan struct{} // who holds it has the camera
}

// Open names a camera by the ID that List gave or by its node. It does not touch it.
func Open(o Options, id string) *Scanner {
	return &Scanner{o: o.filled(), id: prefix + strings.TrimPrefix(id, prefix), slot: make(chan struct{}, 1)}
}

// Info describes the camera if it is there.
func (s *Scanner) Info() scan.Info {
	cam, err := s.o.open(strings.TrimPrefix(s.id, prefix))
	if err != nil {
		return scan.Info{ID: s.id, Driver: "v4l2", Kind: "document camera"}
	}
	defer cam.close()
	c, err := capture(cam)
	if err != nil {
		return scan.Info{ID: s.id, Driver: "v4l2", Kind: "document camera"}
	}
	return info(s.id, c)
}

// Close is there to be like the other drivers: nothing is held.
func (s *Scanner) Close() error { return nil }

// Scan yields one page. Of the settings only the source counts: a camera has a place to lay papers, no
// feeder, and no resolution it could know.
func (s *Scanner) Scan(ctx context.Context, set scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		select {
		case s.slot <- struct{}{}:
			defer func() { <-s.slot }()
		default:
			yield(scan.Page{}, scan.NewFault(s.id, scan.Busy, nil))
			return
		}
		if set.Source != "" && set.Source != scan.Flatbed {
			yield(scan.Page{}, scan.NewFault(s.id, scan.Unsupported, fmt.Errorf("a camera has no source %q", set.Source)))
			return
		}
		p, err := s.picture(ctx)
		if err != nil {
			yield(scan.Page{}, s.explain(ctx, err))
			return
		}
		yield(p, nil)
	}
}

// picture takes one still.
func (s *Scanner) picture(ctx context.Context) (page scan.Page, err error) {
	cam, err := s.o.open(strings.TrimPrefix(s.id, prefix))
	if err != nil {
		return page, err
	}
	defer cam.close()
	if _, err := capture(cam); err != nil {
		return page, err
	}
	f, err := choose(cam)
	if err != nil {
		return page, err
	}
	best := -1.0
	got := 0
	err = stream(ctx, cam, s.o.Stall, func(frame []byte) (more bool, err error) {
		if got < s.o.Settle {
			got++
			return true, nil
		}
		p, err := f.page(frame)
		if err != nil {
			return true, nil // a torn frame; the next one comes at once
		}
		got++
		if v := sharpness(p); v > best {
			best, page = v, p
		}
		return got < s.o.Settle+s.o.Choose, nil
	})
	return page, err
}

// choose sets the format with the most pixels, compressed before raw where they have as many: USB carries
// only a few raw frames of that size in a second.
func choose(cam camera) (*format, error) {
	best := format{Type: videoCapture, Field: fieldNone}
	for index := uint32(0); index < 64; index++ {
		d := fmtDesc{Index: index, Type: videoCapture}
		if err := cam.ioctl(ioEnumFmt, unsafe.Pointer(&d)); err != nil {
			break
		}
		if d.PixelFormat != pixMJPG && d.PixelFormat != pixJPEG && d.PixelFormat != pixYUYV {
			continue
		}
		w, h := largest(cam, d.PixelFormat)
		more := uint64(w)*uint64(h) > uint64(best.Width)*uint64(best.Height)
		same := uint64(w)*uint64(h) == uint64(best.Width)*uint64(best.Height)
		if more || same && best.PixelFormat == pixYUYV {
			best.Width, best.Height, best.PixelFormat = w, h, d.PixelFormat
		}
	}
	if best.PixelFormat == 0 {
		return nil, errNoFormat
	}
	if err := cam.ioctl(ioSetFmt, unsafe.Pointer(&best)); err != nil {
		return nil, fmt.Errorf("set the picture's format: %w", err)
	}
	// The driver may have chosen otherwise, and what it chose is what comes.
	if best.Width == 0 || best.Height == 0 || best.Width > 1<<15 || best.Height > 1<<15 || best.Size > maxFrameLength {
		return nil, fmt.Errorf("impossible picture: %d × %d in %d bytes", best.Width, best.Height, best.Size)
	}
	return &best, nil
}

var errNoFormat = errors.New("it gives neither JPEG nor YUYV")

// largest gives the largest size of a pixel format; a driver that does not tell gets a usual one to adjust.
func largest(cam camera, pixelFormat uint32) (w, h uint32) {
	for index := uint32(0); index < 256; index++ {
		f := frameSize{Index: index, PixelFormat: pixelFormat}
		if err := cam.ioctl(ioEnumFrameSz, unsafe.Pointer(&f)); err != nil {
			break
		}
		fw, fh := f.Size[0], f.Size[1]
		if f.Type != sizeDiscrete {
			fw, fh = f.Size[1], f.Size[4]
		}
		if uint64(fw)*uint64(fh) > uint64(w)*uint64(h) {
			w, h = fw, fh
		}
	}
	if w == 0 || h == 0 {
		return 1920, 1080
	}
	return w, h
}

// stream runs the camera and gives each whole frame to see until it has seen enough. The frame is the
// kernel's again when see returns.
func stream(ctx context.Context, cam camera, stall time.Duration, see func(frame []byte) (more bool, err error)) (err error) {
	r := requestBuffers{Count: wantedBuffers, Type: videoCapture, Memory: memoryMmap}
	if err := cam.ioctl(ioReqBufs, unsafe.Pointer(&r)); err != nil {
		return fmt.Errorf("ask for buffers: %w", err)
	}
	defer func() {
		none := requestBuffers{Type: videoCapture, Memory: memoryMmap}
		_ = cam.ioctl(ioReqBufs, unsafe.Pointer(&none))
	}()
	frames := make([][]byte, r.Count)
	defer func() {
		for _, f := range frames {
			if f != nil {
				_ = cam.munmap(f)
			}
		}
	}()
	if err := giveBuffers(cam, frames); err != nil {
		return err
	}
	kind := int32(videoCapture)
	if err := cam.ioctl(ioStreamOn, unsafe.Pointer(&kind)); err != nil {
		return fmt.Errorf("start the camera: %w", err)
	}
	defer func() { _ = cam.ioctl(ioStreamOff, unsafe.Pointer(&kind)) }()
	last := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Since(last) > stall {
			return os.ErrDeadlineExceeded
		}
		ready, err := cam.wait(100 * time.Millisecond)
		if err != nil {
			return err
		}
		if !ready {
			continue
		}
		b := buffer{Type: videoCapture, Memory: memoryMmap}
		switch err := cam.ioctl(ioDQBuf, unsafe.Pointer(&b)); {
		case errors.Is(err, syscall.EAGAIN):
			continue
		case err != nil:
			return fmt.Errorf("take a frame: %w", err)
		case int(b.Index) >= len(frames) || int(b.BytesUsed) > len(frames[b.Index]):
			return fmt.Errorf("the kernel gave frame %d of %d bytes", b.Index, b.BytesUsed)
		}
		last = time.Now()
		if b.Flags&flagError == 0 && b.BytesUsed > 0 {
			if more, err := see(frames[b.Index][:b.BytesUsed]); err != nil || !more {
				return err
			}
		}
		if err := cam.ioctl(ioQBuf, unsafe.Pointer(&b)); err != nil {
			return fmt.Errorf("give a buffer back: %w", err)
		}
	}
}

// giveBuffers maps the camera's buffers and gives them to it to be filled.
func giveBuffers(cam camera, frames [][]byte) (err error) {
	for i := range frames {
		b := buffer{Index: uint32(i), Type: videoCapture, Memory: memoryMmap}
		if err := cam.ioctl(ioQueryBuf, unsafe.Pointer(&b)); err != nil {
			return fmt.Errorf("ask for a buffer: %w", err)
		}
		if frames[i], err = cam.mmap(int64(uint32(b.Offset)), int(b.Length)); err != nil {
			return fmt.Errorf("map a buffer: %w", err)
		}
		if err := cam.ioctl(ioQBuf, unsafe.Pointer(&b)); err != nil {
			return fmt.Errorf("give a buffer: %w", err)
		}
	}
	return nil
}

var errTorn = errors.New("the frame is not whole")

// page makes a page of a frame. It copies: the frame is the kernel's.
func (f *format) page(frame []byte) (scan.Page, error) {
	if f.PixelFormat == pixYUYV {
		img, err := yuyv(frame, int(f.Width), int(f.Height), int(f.BytesPerLine))
		return scan.Page{Number: 1, Image: img}, err
	}
	data, err := wholeJPEG(frame)
	return scan.Page{Number: 1, Encoded: data, MediaType: "image/jpeg"}, err
}

// yuyv unpacks two pixels of four bytes: two brightnesses that share a colour.
func yuyv(frame []byte, width, height, stride int) (*image.YCbCr, error) {
	if stride == 0 {
		stride = 2 * width
	}
	if width%2 != 0 || stride < 2*width || len(frame) < stride*(height-1)+2*width {
		return nil, errTorn
	}
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio422)
	for y := range height {
		line := frame[y*stride:]
		for x := 0; x < width; x += 2 {
			i := img.YOffset(x, y)
			c := img.COffset(x, y)
			img.Y[i], img.Cb[c], img.Y[i+1], img.Cr[c] = line[2*x], line[2*x+1], line[2*x+2], line[2*x+3]
		}
	}
	return img, nil
}

// wholeJPEG takes the picture out of a frame of motion JPEG. Cameras pad the frame's end, tear frames when
// USB is busy, and leave out the Huffman tables, which every such frame shares and no file may lack.
func wholeJPEG(frame []byte) ([]byte, error) {
	end := bytes.LastIndex(frame, []byte("\xff\xd9"))
	if !bytes.HasPrefix(frame, []byte("\xff\xd8\xff")) || end < 0 {
		return nil, errTorn
	}
	frame = frame[:end+2]
	for at := 2; at+4 <= len(frame) && frame[at] == 0xFF; {
		switch marker := frame[at+1]; marker {
		case 0xC4: // it has its tables
			return bytes.Clone(frame), nil
		case 0xDA: // the scan begins, and there were none
			data := make([]byte, 0, len(frame)+len(huffmanTables))
			data = append(data, frame[:at]...)
			data = append(data, huffmanTables...)
			return append(data, frame[at:]...), nil
		case 0xFF: // fill
			at++
		default:
			at += 2 + int(frame[at+2])<<8 + int(frame[at+3])
		}
	}
	return nil, errTorn
}

// sharpness is the mean square of what neighbouring pixels differ by: it grows with focus.
func sharpness(p scan.Page) float64 {
	g, err := scan.Thumbnail(p, 800)
	if err != nil {
		return 0
	}
	w, h := g.Rect.Dx(), g.Rect.Dy()
	sum := 0.0
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			i := y*g.Stride + x
			d := 4*int(g.Pix[i]) - int(g.Pix[i-1]) - int(g.Pix[i+1]) - int(g.Pix[i-g.Stride]) - int(g.Pix[i+g.Stride])
			sum += float64(d * d)
		}
	}
	return sum / float64(max(1, w*h))
}

// explain turns any error into a fault, except the context's own.
func (s *Scanner) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	code, mend := scan.IOError, ""
	switch {
	case errors.Is(err, os.ErrNotExist):
		code, mend = scan.NoDevice, "The camera was not found. Check its cable; it is used again as soon as it is back."
	case errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ESHUTDOWN):
		code = scan.Unplugged
	case errors.Is(err, os.ErrPermission):
		code, mend = scan.AccessDenied, "The camera may not be used by this account. Add the kiosk's user to the group video, and start its "+
			"session anew."
	case errors.Is(err, syscall.EBUSY):
		code, mend = scan.Busy, "The camera is in use by another program. Close it and try again."
	case errors.Is(err, syscall.ENOSPC):
		mend = "The USB bus is too busy for the camera. Plug it into a port of its own, not into a hub with the scanner."
	case errors.Is(err, os.ErrDeadlineExceeded):
		code, mend = scan.TimedOut, "The camera gives no picture. Pull its plug and put it in again."
	case errors.Is(err, errNoCapture), errors.Is(err, errNoFormat), errors.Is(err, syscall.ENOTTY):
		code, mend = scan.Unsupported, "This is not a camera this program can use. Choose another video node from what `motcua devices` lists."
	}
	f := scan.NewFault(s.id, code, err)
	if mend != "" {
		f.Technician = mend
	}
	return f
}

// Check looks at the cameras, for `motcua doctor`.
func Check(_ context.Context, o Options) []scan.Finding {
	o = o.filled()
	nodes, _ := filepath.Glob(filepath.Join(o.Dev, "video*"))
	var findings []scan.Finding
	for _, path := range nodes {
		cam, err := o.open(path)
		if err != nil {
			var f *scan.Fault
			if errors.As((&Scanner{o: o, id: prefix + path}).explain(context.Background(), err), &f) {
				findings = append(findings, scan.Finding{What: "Camera " + path + ": " + err.Error(), Mend: f.Technician})
			}
			continue
		}
		if c, err := capture(cam); err == nil {
			findings = append(findings, scan.Finding{OK: true, What: fmt.Sprintf("Camera %s (%s) may be used", c.card(), path)})
		}
		_ = cam.close()
	}
	return findings
}
