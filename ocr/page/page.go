// Package page opens what a scanner, a phone or a citizen gave and hands out its pages as pixels, turned and mirrored as
// the file says. The kind is told by the content, never by a name; kind.go has the list. Sizes are checked before
// anything is decoded, so that a small file cannot ask for much memory. What cannot be used ends in one of the Err values.
package page

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"

	xtiff "golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"motcua/ocr/bmp"
	"motcua/ocr/exif"
	"motcua/ocr/heif"
	"motcua/ocr/jpeg"
	"motcua/ocr/pdf"
	"motcua/ocr/tiff"
)

// Why an input cannot be used.
var (
	ErrEmpty       = errors.New("file is empty")
	ErrNotAnImage  = errors.New("file holds no picture")
	ErrUnsupported = errors.New("kind of file is not supported")
	ErrTooLarge    = errors.New("page has too many pixels")
	ErrEncrypted   = pdf.ErrEncrypted
	ErrNoPages     = pdf.ErrNoPages
	ErrDamaged     = errors.New("file is damaged")
	ErrBomb        = pdf.ErrBomb
	ErrActive      = pdf.ErrActive
)

// Picture is one page as pixels. Positions on the page are counted in the pixels of the file: Scale of them
// make one pixel here, after the file was turned as it says itself.
type Picture struct {
	Gray      *image.Gray
	Red       *image.Gray // how red each place is, 128 for not at all, at the size of Gray or half of it; nil where there is no colour
	Scale     int         // 1, unless a very large JPEG was decoded smaller
	DPI       float64     // of Gray; 0 where the file does not say
	Truncated bool        // part of the picture may be missing
}

// RedScale is how many pixels of Gray one of Red stands for.
func (p Picture) RedScale() image.Point {
	near := func(whole, part int) int { return max(1, (whole+part/2)/max(part, 1)) }
	return image.Pt(near(p.Gray.Rect.Dx(), p.Red.Rect.Dx()), near(p.Gray.Rect.Dy(), p.Red.Rect.Dy()))
}

// File is an opened input. It is not safe for concurrent use.
type File struct {
	kind   Kind
	data   []byte
	pixels int
	doc    *pdf.Document
	dirs   []uint32 // of a TIFF: where each page's directory lies
}

// Open looks at the structure of an input. No page may have more than pixels.
func Open(data []byte, pixels int) (*File, error) {
	kind, err := Sniff(data)
	if err != nil {
		return nil, err
	}
	f := &File{kind: kind, data: data, pixels: pixels}
	switch kind {
	case PDF:
		f.doc, err = pdf.Open(data)
		if errors.Is(err, pdf.ErrDamaged) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if err != nil {
			return nil, err
		}
	case TIFF:
		if f.dirs = directories(data); len(f.dirs) == 0 {
			return nil, ErrDamaged
		}
	}
	return f, nil
}

// Warm lets the decoders load what they need from the disk, before the worker gives up the file system.
func Warm() { heif.Load() }

// Kind is the kind of file.
func (f *File) Kind() Kind { return f.kind }

// Pages is how many pages there are.
func (f *File) Pages() int {
	switch f.kind {
	case PDF:
		return f.doc.Pages()
	case TIFF:
		return len(f.dirs)
	}
	return 1
}

// Close frees what is held outside Go's memory.
func (f *File) Close() {
	if f.doc != nil {
		f.doc.Close()
	}
}

// rasterDPI is what a PDF page that is not one picture is drawn at: enough for the small print of a card.
const rasterDPI = 250

// Gray decodes the luma of page n (1-based).
func (f *File) Gray(n int) (Picture, error) {
	switch f.kind {
	case JPEG:
		return f.grayJPEG(f.data, 0, f.orientation())
	case PDF:
		if data, dpi, turn, ok := f.doc.JPEG(n); ok {
			if p, err := f.grayJPEG(data, dpi, turned90(turn)); err == nil && !p.Truncated {
				return p, nil
			}
		}
		img, dpi, err := f.doc.Rasterise(n, rasterDPI, f.pixels/2)
		if err != nil {
			return Picture{}, damage(err)
		}
		return Picture{Gray: Luma(img), Red: redness(img), Scale: 1, DPI: dpi}, nil
	}
	img, err := f.decode(n)
	if err != nil {
		return Picture{}, err
	}
	return Picture{Gray: Luma(img), Red: redness(img), Scale: 1, DPI: f.density(n)}, nil
}

// turned90 is the orientation of a page that is only to be turned clockwise: what is inside a PDF is seen as the PDF says.
func turned90(degrees int) exif.Orientation {
	switch degrees {
	case 90:
		return 6
	case 180:
		return 3
	case 270:
		return 8
	}
	return exif.Upright
}

// orientation is what a file of one picture says of it. HEIF's is applied by its decoder.
func (f *File) orientation() exif.Orientation {
	switch f.kind {
	case JPEG:
		if h, err := jpeg.ReadHeader(f.data); err == nil {
			return h.Orientation
		}
	case PNG, WebP:
		if d, ok := exif.Open(f.embedded(), 0); ok {
			return d.Orientation()
		}
	}
	return exif.Upright
}

// embedded finds the EXIF block of a PNG (behind its head) or a WebP (at its end).
func (f *File) embedded() []byte {
	name, at, size := "eXIf", 4, func(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
	i := 8
	if f.kind == WebP {
		name, at, size = "EXIF", 0, func(b []byte) int { return int(binary.LittleEndian.Uint32(b[4:])+1) &^ 1 }
		i = 12
	}
	extra := 8 // name and length
	if f.kind == PNG {
		extra = 12 // and a checksum
	}
	for i+8 <= len(f.data) {
		n := size(f.data[i:])
		if n < 0 || n > len(f.data)-i-8 {
			return nil
		}
		switch string(f.data[i+at : i+at+4]) {
		case name:
			return f.data[i+8 : i+8+n]
		case "IDAT": // what comes behind it would be read too late
			return nil
		}
		i += n + extra
	}
	return nil
}

// Color decodes page n in colour, at 1/Scale of its size, at least minWidth pixels wide if it has them.
func (f *File) Color(n, minWidth int) (img image.Image, scale int, err error) {
	switch f.kind {
	case JPEG:
		return f.colorJPEG(f.data, minWidth, f.orientation())
	case PDF:
		if data, _, turn, ok := f.doc.JPEG(n); ok {
			if img, scale, err = f.colorJPEG(data, minWidth, turned90(turn)); err == nil {
				return img, scale, nil
			}
		}
		img, _, err := f.doc.Rasterise(n, rasterDPI, f.pixels/2)
		return img, 1, damage(err)
	}
	img, err = f.decode(n)
	return img, 1, err
}

// JPEG gives the one JPEG that page n consists of, as it lies in the file, and how it is to be seen; ok is false where the
// page is anything else.
func (f *File) JPEG(n int) (data []byte, o exif.Orientation, ok bool) {
	switch f.kind {
	case JPEG:
		return f.data, f.orientation(), true
	case PDF:
		data, _, turn, ok := f.doc.JPEG(n)
		return data, turned90(turn), ok
	}
	return nil, exif.Upright, false
}

// Text is the text layer of page n of a PDF, if it has one.
func (f *File) Text(n int) string {
	if f.kind != PDF {
		return ""
	}
	return f.doc.Text(n)
}

func damage(err error) error {
	if errors.Is(err, pdf.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if errors.Is(err, pdf.ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// fit finds the decoding scale that keeps a JPEG within the pixel limit.
func (f *File) fit(h jpeg.Header) (int, error) {
	if h.Width <= 0 || h.Height <= 0 {
		return 0, ErrDamaged
	}
	n := h.Width * h.Height
	// Decoding smaller saves memory but not time: beyond four times the limit nothing useful is left.
	for d := 1; d <= 2; d *= 2 {
		if n/(d*d) <= f.pixels {
			return d, nil
		}
	}
	return 0, ErrTooLarge
}

func (f *File) grayJPEG(data []byte, dpi float64, o exif.Orientation) (Picture, error) {
	h, err := jpeg.ReadHeader(data)
	if err != nil {
		return Picture{}, failure(err)
	}
	d, err := f.fit(h)
	if err != nil {
		return Picture{}, err
	}
	var img, red *image.Gray
	if h.Inks() {
		var light *image.RGBA
		if light, err = jpeg.Color(data, d); light != nil {
			img, red = Luma(light), redness(light)
		}
	} else {
		img, red, err = jpeg.Luma(data, d)
	}
	if img == nil {
		return Picture{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	img, red = upright(img, o), upright(red, o)
	if dpi == 0 {
		dpi = h.DPI
	}
	return Picture{Gray: img, Red: red, Scale: d, DPI: dpi / float64(d), Truncated: err != nil}, nil
}

func (f *File) colorJPEG(data []byte, minWidth int, o exif.Orientation) (image.Image, int, error) {
	h, err := jpeg.ReadHeader(data)
	if err != nil {
		return nil, 0, failure(err)
	}
	d, err := f.fit(h)
	if err != nil {
		return nil, 0, err
	}
	width := h.Width
	if _, degrees := o.Steps(); degrees%180 != 0 {
		width = h.Height
	}
	for minWidth > 0 && d < 8 && width/(2*d) >= minWidth {
		d *= 2
	}
	img, err := jpeg.Color(data, d)
	if img == nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return uprightColor(img, o), d, nil
}

// decode gives the pixels of a page that is neither JPEG nor PDF, as they are to be seen: *image.Gray, *image.RGBA,
// *image.NRGBA or *image.Paletted.
func (f *File) decode(n int) (image.Image, error) {
	switch f.kind {
	case TIFF:
		return f.decodeTIFF(n)
	case HEIC, AVIF:
		img, err := heif.Decode(f.data, f.pixels)
		return img, failure(err)
	case BMP:
		img, err := bmp.Decode(f.data, f.pixels)
		if err != nil {
			return nil, failure(err)
		}
		return plain(img), nil
	case JPEG2000:
		img, err := pdf.JPEG2000(f.data, min(f.pixels, mostJPEG2000))
		return img, failure(err)
	}
	data := f.data
	if f.kind == WebP {
		data = still(data)
	}
	img, err := decodeGo(data, f.pixels, goDecoders[f.kind])
	if err != nil {
		return nil, err
	}
	return uprightColor(plain(img), f.orientation()), nil
}

// mostJPEG2000 is how many pixels of a JPEG 2000 are decoded: its wavelets take about twenty bytes a pixel. A4 at 300 dpi has
// 8.7 million, a telephone's picture 12.
const mostJPEG2000 = 16_000_000

func (f *File) decodeTIFF(n int) (image.Image, error) {
	if n < 1 || n > len(f.dirs) {
		return nil, ErrNoPages
	}
	data := f.data
	d, ok := exif.Open(data, f.dirs[n-1])
	if !ok {
		return nil, ErrDamaged
	}
	var img image.Image
	err := ErrDamaged
	if !d.Big() {
		if f.dirs[n-1] != f.order().Uint32(data[4:]) {
			data = bytes.Clone(data)
			f.order().PutUint32(data[4:], f.dirs[n-1])
		}
		img, err = decodeGo(data, f.pixels, goDecoders[TIFF])
	}
	if errors.Is(err, ErrDamaged) { // or of a kind that only libtiff knows
		var other *image.RGBA
		if other, err = tiff.Decode(f.data, f.dirs[n-1], f.pixels); err == nil {
			img = other
		}
	}
	if err != nil {
		return nil, failure(err)
	}
	return uprightColor(plain(img), d.Orientation()), nil
}

// goDecoder is one of Go's decoders; the size is known before anything is decoded.
type goDecoder struct {
	config func(io.Reader) (image.Config, error)
	full   func(io.Reader) (image.Image, error)
}

var goDecoders = map[Kind]goDecoder{
	PNG:  {png.DecodeConfig, png.Decode},
	TIFF: {xtiff.DecodeConfig, xtiff.Decode},
	WebP: {webp.DecodeConfig, webp.Decode},
	GIF:  {gif.DecodeConfig, gif.Decode},
}

func decodeGo(data []byte, pixels int, by goDecoder) (image.Image, error) {
	c, err := by.config(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return nil, ErrDamaged
	}
	if c.Width > pixels/c.Height {
		return nil, ErrTooLarge
	}
	img, err := by.full(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return img, nil
}

// plain brings the rarer kinds of pixels (16 bits, YCbCr, inks) to those that every later step knows, colour kept.
func plain(img image.Image) image.Image {
	switch m := img.(type) {
	case *image.Gray, *image.RGBA, *image.NRGBA:
		return img
	case *image.Gray16:
		return Luma(m)
	case *image.Paletted:
		for _, c := range m.Palette {
			if r, g, b, a := c.RGBA(); r != g || g != b || a != 0xFFFF {
				return opaque(img)
			}
		}
		return img
	}
	return opaque(img)
}

// failure says what a decoder's complaint means for the page.
func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrTooLarge), errors.Is(err, bmp.ErrTooLarge), errors.Is(err, heif.ErrTooLarge),
		errors.Is(err, tiff.ErrTooLarge), errors.Is(err, pdf.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, heif.ErrNoCodec), errors.Is(err, bmp.ErrUnsupported), errors.Is(err, tiff.ErrUnsupported),
		errors.Is(err, jpeg.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	case errors.Is(err, ErrDamaged):
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

func (f *File) order() binary.ByteOrder {
	if f.data[0] == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// directories follows a TIFF's chain of pages; a loop or a pointer outside ends it.
func directories(data []byte) []uint32 {
	var dirs []uint32
	seen := map[uint32]bool{}
	for at := uint32(0); len(dirs) < 1000; {
		d, ok := exif.Open(data, at)
		if !ok {
			break
		}
		at = d.Place() // of the first exif found where it lies
		if seen[at] {
			break
		}
		seen[at] = true
		dirs = append(dirs, at)
		if at = d.Next(); at == 0 {
			break
		}
	}
	return dirs
}

// density is how fine page n is, as a TIFF's directory, the pHYs chunk of a PNG or the head of a BMP says.
func (f *File) density(n int) float64 {
	switch f.kind {
	case TIFF:
		if d, ok := exif.Open(f.data, f.dirs[n-1]); ok {
			return d.DPI()
		}
	case BMP:
		return perMetre(bmp.DotsPerMetre(f.data))
	case PNG:
		i := bytes.Index(f.data[:min(len(f.data), 4096)], []byte("pHYs"))
		if i >= 0 && i+13 <= len(f.data) && f.data[i+12] == 1 {
			return perMetre(binary.BigEndian.Uint32(f.data[i+4:]))
		}
	}
	return 0
}

// perMetre is dots an inch for dots a metre.
func perMetre(dots uint32) float64 { return exif.Plausible(float64(dots) * 0.0254) }

// redness is the Cr of Rec. 601 at half the size; nil for pixels without colour.
func redness(img image.Image) *image.Gray {
	var pix []uint8
	var stride int
	switch m := img.(type) {
	case *image.RGBA:
		pix, stride = m.Pix, m.Stride
	case *image.NRGBA:
		pix, stride = m.Pix, m.Stride
	default:
		return nil
	}
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
	for y := range out.Rect.Dy() {
		row := pix[2*y*stride:]
		for x := range out.Rect.Dx() {
			p := row[8*x : 8*x+3]
			out.Pix[y*out.Stride+x] = uint8((128<<10 + 512*int(p[0]) - 429*int(p[1]) - 83*int(p[2])) >> 10)
		}
	}
	return out
}

// Luma is the brightness of img by the weights of Rec. 601, from the origin on; img itself if it is that already.
func Luma(img image.Image) *image.Gray {
	b := img.Bounds()
	if g, ok := img.(*image.Gray); ok && b.Min == (image.Point{}) {
		return g
	}
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	luma := func(r, gr, b uint8) uint8 { return uint8((306*uint32(r) + 601*uint32(gr) + 117*uint32(b) + 512) >> 10) }
	switch m := img.(type) {
	case *image.RGBA:
		for y := range b.Dy() {
			src, dst := m.Pix[y*m.Stride:], g.Pix[y*g.Stride:]
			for x := range b.Dx() {
				dst[x] = luma(src[4*x], src[4*x+1], src[4*x+2])
			}
		}
	case *image.NRGBA:
		for y := range b.Dy() {
			src, dst := m.Pix[y*m.Stride:], g.Pix[y*g.Stride:]
			for x := range b.Dx() {
				v, a := uint32(luma(src[4*x], src[4*x+1], src[4*x+2])), uint32(src[4*x+3])
				dst[x] = uint8((v*a + 255*(255-a)) / 255) // paper is white where nothing is
			}
		}
	case *image.YCbCr:
		for y := range b.Dy() {
			copy(g.Pix[y*g.Stride:(y+1)*g.Stride], m.Y[m.YOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.Paletted:
		var table [256]uint8
		for i, c := range m.Palette {
			table[i] = color.GrayModel.Convert(c).(color.Gray).Y
		}
		for y := range b.Dy() {
			src, dst := m.Pix[y*m.Stride:], g.Pix[y*g.Stride:]
			for x := range b.Dx() {
				dst[x] = table[src[x]]
			}
		}
	default:
		draw.Draw(g, g.Bounds(), image.White, image.Point{}, draw.Src)
		draw.Draw(g, g.Bounds(), img, b.Min, draw.Over)
	}
	return g
}
