// Package pdf gives the pages of a PDF as pictures. Where a page is nothing but one JPEG, as scanners make
// them, that JPEG is handed over as it lies in the file (rasterising A4 at 300 dpi takes a second, this takes
// none); every other page is rasterised by MuPDF. The structure is read by pdfcpu, which is memory-safe, and
// only what it accepts, or cannot judge, reaches MuPDF. Run it on bytes from outside only in the worker.
package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	fitz "github.com/gen2brain/go-fitz"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// What keeps a PDF from being read.
var (
	ErrEncrypted = errors.New("PDF is protected by a password")
	ErrNoPages   = errors.New("PDF has no pages")
	ErrDamaged   = errors.New("PDF is damaged")
	ErrTooLarge  = errors.New("PDF page is too large")
)

// Document is an open PDF. It is not safe for concurrent use.
type Document struct {
	data   []byte
	pages  int
	ctx    *model.Context // nil if pdfcpu could not read the file
	raster *fitz.Document // nil until needed
}

var quiet = sync.OnceFunc(func() {
	api.DisableConfigDir() // pdfcpu would write its settings to the home folder
	fitz.MaxStore = 32 << 20
})

// Open reads the structure of a PDF: by pdfcpu, and what that cannot read by MuPDF.
func Open(data []byte) (*Document, error) {
	quiet()
	if bomb(data) {
		return nil, ErrBomb
	}
	d := &Document{data: data}
	var failed error
	if d.ctx, failed = structure(data); active(data, d.ctx) {
		return nil, ErrActive
	}
	if failed == nil {
		if d.pages = d.ctx.PageCount; d.pages <= 0 {
			return nil, ErrNoPages
		}
		return d, nil
	}
	if err := d.open(); err != nil {
		if errors.Is(failed, pdfcpu.ErrWrongPassword) {
			return nil, ErrEncrypted
		}
		return nil, err
	}
	if d.pages = d.raster.NumPage(); d.pages <= 0 {
		d.Close()
		return nil, ErrNoPages
	}
	return d, nil
}

// structure reads a PDF by pdfcpu, which ends some damaged ones in a panic.
func structure(data []byte) (ctx *model.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			ctx, err = nil, fmt.Errorf("%w: the parser stopped", ErrDamaged)
		}
	}()
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	if ctx, err = api.ReadContext(bytes.NewReader(data), conf); err != nil {
		return nil, err
	}
	if err = ctx.EnsurePageCount(); err != nil {
		return nil, err
	}
	return ctx, nil
}

// open lets MuPDF read the file, with what lies over its pages; what it cannot open it may as pdfcpu writes it anew.
func (d *Document) open() error {
	if d.raster != nil {
		return nil
	}
	if d.ctx != nil && annotated(d.ctx) {
		if data, ok := flattened(d.data); ok {
			if doc, err := openPDF(data); err == nil {
				d.raster = doc
				return nil
			}
		}
	}
	doc, err := openPDF(d.data)
	if errors.Is(err, ErrDamaged) && d.ctx != nil {
		if mended, ok := rewritten(d.ctx); ok {
			doc, err = openPDF(mended)
		}
	}
	if err != nil {
		return err
	}
	d.raster = doc
	return nil
}

// most bytes that may stand before a PDF's header (ISO 32000-1, annex H.3.4.1).
const beforeHeader = 1024

// openPDF lets MuPDF read a PDF from its header on, so that what stands before it makes no other kind of file of it.
func openPDF(data []byte) (*fitz.Document, error) {
	const header = "%PDF-"
	i := bytes.Index(data[:min(len(data), beforeHeader)], []byte(header))
	if i < 0 {
		return nil, fmt.Errorf("%w: no header", ErrDamaged)
	}
	doc, err := openFitz(data[i:], header)
	if err != nil {
		return nil, err
	}
	if format := doc.Metadata()["format"]; !strings.HasPrefix(format, "PDF") {
		_ = doc.Close()
		return nil, fmt.Errorf("%w: another kind of file", ErrDamaged)
	}
	return doc, nil
}

func rewritten(ctx *model.Context) (data []byte, ok bool) {
	defer func() {
		if recover() != nil {
			data, ok = nil, false
		}
	}()
	var b bytes.Buffer
	if err := api.WriteContext(ctx, &b); err != nil {
		return nil, false
	}
	return b.Bytes(), true
}

// Pages is how many pages there are.
func (d *Document) Pages() int { return d.pages }

// Close frees what MuPDF holds.
func (d *Document) Close() {
	if d.raster != nil {
		_ = d.raster.Close()
		d.raster = nil
	}
}

// Rasterise draws page n (1-based) at dpi, or at less where the page would have more than limit pixels.
func (d *Document) Rasterise(n int, dpi float64, limit int) (*image.RGBA, float64, error) {
	if err := d.open(); err != nil {
		return nil, 0, err
	}
	box, err := d.raster.Bound(n - 1)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: page %d: %w", ErrDamaged, n, err)
	}
	w, h := float64(box.Dx())/72, float64(box.Dy())/72
	if w <= 0 || h <= 0 {
		return nil, 0, fmt.Errorf("%w: page %d has no area", ErrDamaged, n)
	}
	if most := math.Sqrt(float64(limit) / (w * h)); dpi > most {
		dpi = most
	}
	if dpi < 40 {
		return nil, 0, ErrTooLarge
	}
	img, err := d.raster.ImageDPI(n-1, dpi)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: page %d: %w", ErrDamaged, n, err)
	}
	return img, dpi, nil
}

// Text is the text layer of page n (1-based), or nothing.
func (d *Document) Text(n int) string {
	if d.open() != nil {
		return ""
	}
	t, err := d.raster.Text(n - 1)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(t)
}

// JPEG gives the one JPEG that page n (1-based) consists of, its density, and how many degrees clockwise it
// is to be turned; ok is false if the page holds anything else that can be seen.
func (d *Document) JPEG(n int) (data []byte, dpi float64, turn int, ok bool) {
	if d.ctx == nil {
		return nil, 0, 0, false
	}
	data, dpi, turn, err := d.scan(n)
	return data, dpi, turn, err == nil
}

var errMore = errors.New("the page is more than one JPEG")

func (d *Document) scan(n int) (_ []byte, _ float64, _ int, err error) {
	defer func() { // pdfcpu's dereferencing panics on some odd objects
		if recover() != nil {
			err = errMore
		}
	}()
	page, _, inherited, err := d.ctx.PageDict(n, false)
	if err != nil || page == nil {
		return nil, 0, 0, errMore
	}
	if _, found := page.Find("Annots"); found {
		return nil, 0, 0, errMore
	}
	content, err := d.content(page)
	if err != nil {
		return nil, 0, 0, errMore
	}
	name, m, err := onlyImage(content)
	if err != nil {
		return nil, 0, 0, err
	}
	stream, err := d.xobject(page, inherited, name)
	if err != nil {
		return nil, 0, 0, err
	}
	if !d.plainJPEG(stream) {
		return nil, 0, 0, errMore
	}
	box := inherited.CropBox
	if box == nil {
		box = inherited.MediaBox
	}
	w := stream.IntEntry("Width")
	if box == nil || w == nil || !fills(m, box) {
		return nil, 0, 0, errMore
	}
	turn := ((inherited.Rotate % 360) + 360) % 360
	return stream.Raw, float64(*w) / m[0] * 72, turn, nil
}

// xobject is the stream that a page's resources give under a name.
func (d *Document) xobject(page types.Dict, inherited *model.InheritedPageAttrs, name string) (*types.StreamDict, error) {
	resources := inherited.Resources
	if o, found := page.Find("Resources"); found {
		var err error
		if resources, err = d.ctx.DereferenceDict(o); err != nil {
			return nil, errMore
		}
	}
	o, found := resources.Find("XObject")
	if !found {
		return nil, errMore
	}
	objects, err := d.ctx.DereferenceDict(o)
	if err != nil {
		return nil, errMore
	}
	if o, found = objects.Find(name); !found {
		return nil, errMore
	}
	stream, _, err := d.ctx.DereferenceStreamDict(o)
	if err != nil || stream == nil {
		return nil, errMore
	}
	return stream, nil
}

// plainJPEG says whether an image shows what its JPEG holds and nothing else: no mask, no other filter, no inks of a press.
func (d *Document) plainJPEG(stream *types.StreamDict) bool {
	if len(stream.FilterPipeline) != 1 || stream.FilterPipeline[0].Name != "DCTDecode" {
		return false
	}
	for _, odd := range []string{"SMask", "Mask", "Decode", "ImageMask"} {
		if _, found := stream.Find(odd); found {
			return false
		}
	}
	if o, found := stream.Find("ColorSpace"); found {
		if cs, err := d.ctx.Dereference(o); err == nil {
			if cs, plain := cs.(types.Name); plain && cs == "DeviceCMYK" {
				return false
			}
		}
	}
	return true
}

// fills says whether a picture drawn by a matrix takes all of the page, upright.
func fills(m [6]float64, box *types.Rectangle) bool {
	w, h := box.Width(), box.Height()
	return w > 0 && h > 0 && m[1] == 0 && m[2] == 0 &&
		m[0] >= 0.9*w && m[3] >= 0.9*h && m[0] <= 1.1*w && m[3] <= 1.1*h
}

// longest is how many bytes a content stream may have that draws one picture and nothing else.
const longest = 2000

// content unpacks a page's content streams as far as they may be those of a scan.
func (d *Document) content(page types.Dict) ([]byte, error) {
	o, _ := page.Find("Contents")
	o, err := d.ctx.Dereference(o)
	if err != nil {
		return nil, err
	}
	parts, several := o.(types.Array)
	if !several {
		ref, _ := page.Find("Contents")
		parts = types.Array{ref}
	}
	var all []byte
	for _, part := range parts {
		s, _, err := d.ctx.DereferenceStreamDict(part)
		if err != nil || s == nil {
			return nil, errMore
		}
		var r io.Reader = bytes.NewReader(s.Raw)
		for _, f := range s.FilterPipeline {
			if f.Name != "FlateDecode" || len(f.DecodeParms) > 0 {
				return nil, errMore
			}
			if r, err = zlib.NewReader(r); err != nil {
				return nil, errMore
			}
		}
		b, err := io.ReadAll(io.LimitReader(r, longest+1))
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || len(all)+len(b) > longest {
			return nil, errMore
		}
		all = append(append(all, b...), '\n')
	}
	return all, nil
}

// onlyImage accepts a content stream that draws one image and no other mark, and gives its name and matrix.
func onlyImage(content []byte) (name string, m [6]float64, err error) {
	var stack []string
	m = [6]float64{1, 0, 0, 1, 0, 0}
	for _, token := range strings.Fields(string(content)) {
		switch token {
		case "q", "Q":
		case "cm":
			if len(stack) < 6 {
				return "", m, errMore
			}
			var c [6]float64
			for i, s := range stack[len(stack)-6:] {
				if c[i], err = strconv.ParseFloat(s, 64); err != nil {
					return "", m, errMore
				}
			}
			m = [6]float64{c[0]*m[0] + c[1]*m[2], c[0]*m[1] + c[1]*m[3], c[2]*m[0] + c[3]*m[2], c[2]*m[1] + c[3]*m[3],
				c[4]*m[0] + c[5]*m[2] + m[4], c[4]*m[1] + c[5]*m[3] + m[5]}
		case "Do":
			if name != "" || len(stack) == 0 || !strings.HasPrefix(stack[len(stack)-1], "/") {
				return "", m, errMore
			}
			name = stack[len(stack)-1][1:]
		case "gs", "w", "J", "j", "M", "i", "ri", "rg", "RG", "g", "G", "cs", "CS", "sc", "SC":
		default:
			if token[0] == '/' || token[0] == '.' || token[0] == '-' || token[0] == '+' || token[0] >= '0' && token[0] <= '9' {
				stack = append(stack, token)
				continue
			}
			return "", m, errMore
		}
		stack = stack[:0]
	}
	if name == "" {
		return "", m, errMore
	}
	return name, m, nil
}
