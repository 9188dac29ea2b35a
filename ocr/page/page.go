// Package page opens what a scanner, a phone or a citizen gave and hands out its pages as pixels. The kind is
// told by the content, never by a name: JPEG, PNG, TIFF (also fax-coded, several pages), BMP, WebP, GIF, PDF.
// Sizes are checked before anything is decoded, so that a small file cannot ask for much memory. What cannot
// be used ends in one of the Err values.
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

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"motcua/ocr/jpeg"
	"motcua/ocr/pdf"
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
)

// Kind of file, by content.
type Kind string

// The kinds that can be opened.
const (
	JPEG Kind = "jpeg"
	PNG  Kind = "png"
	TIFF Kind = "tiff"
	BMP  Kind = "bmp"
	WebP Kind = "webp"
	GIF  Kind = "gif"
	PDF  Kind = "pdf"
)

// Picture is one page as pixels. Positions on the page are counted in the pixels of the file: Scale of them
// make one pixel here.
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

// Sniff tells the kind by the first bytes.
func Sniff(data []byte) (Kind, error) {
	has := func(at int, s string) bool { return len(data) >= at+len(s) && string(data[at:at+len(s)]) == s }
	switch {
	case len(data) == 0:
		return "", ErrEmpty
	case has(0, "\xFF\xD8\xFF"):
		return JPEG, nil
	case has(0, "\x89PNG\r\n\x1a\n"):
		return PNG, nil
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return TIFF, nil
	case has(0, "BM") && len(data) > 26 && binary.LittleEndian.Uint32(data[10:]) < uint32(len(data)):
		return BMP, nil
	case has(0, "RIFF") && has(8, "WEBP"):
		return WebP, nil
	case has(0, "GIF8"):
		return GIF, nil
	case bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")):
		return PDF, nil
	case has(4, "ftypheic"), has(4, "ftypheix"), has(4, "ftypmif1"), has(4, "ftypavif"), has(4, "jP  \r\n"),
		has(0, "PK\x03\x04"), has(0, "\xD0\xCF\x11\xE0"), has(0, "%!PS"), has(0, "II+\x00"), has(0, "MM\x00+"):
		return "", ErrUnsupported
	}
	return "", ErrNotAnImage
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
		return f.grayJPEG(f.data, 0)
	case PDF:
		if data, dpi, turn, ok := f.doc.JPEG(n); ok {
			if p, err := f.grayJPEG(data, dpi); err == nil && !p.Truncated {
				p.Gray = Turn(p.Gray, turn)
				if p.Red != nil {
					p.Red = Turn(p.Red, turn)
				}
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
	return Picture{Gray: Luma(img), Red: redness(img), Scale: 1, DPI: f.density()}, nil
}

// Color decodes page n in colour, at 1/Scale of its size, at least minWidth pixels wide if it has them.
func (f *File) Color(n, minWidth int) (img image.Image, scale int, err error) {
	switch f.kind {
	case JPEG:
		return f.colorJPEG(f.data, minWidth)
	case PDF:
		if data, _, turn, ok := f.doc.JPEG(n); ok {
			if turn%180 == 0 {
				img, scale, err = f.colorJPEG(data, minWidth)
			} else {
				img, scale, err = f.colorJPEG(data, 0)
			}
			if err == nil {
				return TurnColor(img.(*image.RGBA), turn), scale, nil
			}
		}
		img, _, err := f.doc.Rasterise(n, rasterDPI, f.pixels/2)
		return img, 1, damage(err)
	}
	img, err = f.decode(n)
	return img, 1, err
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

func (f *File) grayJPEG(data []byte, dpi float64) (Picture, error) {
	h, err := jpeg.ReadHeader(data)
	if err != nil {
		return Picture{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d, err := f.fit(h)
	if err != nil {
		return Picture{}, err
	}
	img, red, err := jpeg.Luma(data, d)
	if img == nil {
		return Picture{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if dpi == 0 {
		dpi = h.DPI
	}
	return Picture{Gray: img, Red: red, Scale: d, DPI: dpi / float64(d), Truncated: err != nil}, nil
}

func (f *File) colorJPEG(data []byte, minWidth int) (image.Image, int, error) {
	h, err := jpeg.ReadHeader(data)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d, err := f.fit(h)
	if err != nil {
		return nil, 0, err
	}
	for minWidth > 0 && d < 8 && h.Width/(2*d) >= minWidth {
		d *= 2
	}
	img, err := jpeg.Color(data, d)
	if img == nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return img, d, nil
}

func (f *File) decode(n int) (image.Image, error) {
	data := f.data
	var config func([]byte) (image.Config, error)
	var full func([]byte) (image.Image, error)
	switch f.kind {
	case PNG:
		config = func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) }
		full = func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }
	case TIFF:
		if n < 1 || n > len(f.dirs) {
			return nil, ErrNoPages
		}
		if f.dirs[n-1] != f.order().Uint32(data[4:]) {
			data = bytes.Clone(data)
			f.order().PutUint32(data[4:], f.dirs[n-1])
		}
		config = func(b []byte) (image.Config, error) { return tiff.DecodeConfig(bytes.NewReader(b)) }
		full = func(b []byte) (image.Image, error) { return tiff.Decode(bytes.NewReader(b)) }
	case BMP:
		config = func(b []byte) (image.Config, error) { return bmp.DecodeConfig(bytes.NewReader(b)) }
		full = func(b []byte) (image.Image, error) { return bmp.Decode(bytes.NewReader(b)) }
	case WebP:
		config = func(b []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(b)) }
		full = func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }
	case GIF:
		config = func(b []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(b)) }
		full = func(b []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(b)) }
	}
	c, err := config(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return nil, ErrDamaged
	}
	if c.Width > f.pixels/c.Height {
		return nil, ErrTooLarge
	}
	img, err := full(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return img, nil
}

func (f *File) order() binary.ByteOrder {
	if f.data[0] == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// directories follows a TIFF's chain of pages; a loop or a pointer outside ends it.
func directories(data []byte) []uint32 {
	if len(data) < 8 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	var dirs []uint32
	seen := map[uint32]bool{}
	for at := order.Uint32(data[4:]); at != 0 && !seen[at] && int64(at)+2 <= int64(len(data)) && len(dirs) < 1000; {
		seen[at] = true
		dirs = append(dirs, at)
		next := int64(at) + 2 + 12*int64(order.Uint16(data[at:]))
		if next+4 > int64(len(data)) {
			break
		}
		at = order.Uint32(data[next:])
	}
	return dirs
}

// density reads the pHYs chunk of a PNG and the head of a BMP.
func (f *File) density() float64 {
	if f.kind == BMP && len(f.data) > 42 {
		return density(binary.LittleEndian.Uint32(f.data[38:]))
	}
	if f.kind != PNG {
		return 0
	}
	i := bytes.Index(f.data[:min(len(f.data), 4096)], []byte("pHYs"))
	if i < 0 || i+13 > len(f.data) || f.data[i+12] != 1 {
		return 0
	}
	return density(binary.BigEndian.Uint32(f.data[i+4:]))
}

// density is dots an inch for dots a metre; 0 where they make no sense.
func density(perMetre uint32) float64 {
	dpi := float64(perMetre) * 0.0254
	if dpi < 50 || dpi > 2400 {
		return 0
	}
	return dpi
}

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
