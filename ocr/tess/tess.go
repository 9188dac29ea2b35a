// Package tess reads a line of text from pixels by Tesseract. In go 8-bit gray pixels, out come words with boxes and
// confidences. Engines are slow to start and cheap to keep; a Pool holds warm ones. Recognition runs on the
// calling thread only: Tesseract's OpenMP loops make small pages slower, so they are switched off.
//
// It is a narrow wrapper of gosseract, whose defects are worked round here:
//   - it takes encoded images only: pixels are handed over as an uncompressed BMP, which Leptonica reads by
//     itself, without the image libraries that MuPDF brings along in other versions (see ocr/pdf/link.go);
//   - its word boxes lack what the least sure letter was, crash where nothing was read, and leak an iterator: the words
//     are taken from its hOCR instead, which holds all that in one recognition;
//   - it loads the model only with the first image: Open gives it an empty one;
//   - it never frees the text it was given by Tesseract, some 100 bytes a letter, so whoever reads for ever must do it in a
//     process that is renewed now and then (ocr's workers are).
package tess

/*
#cgo pkg-config: lept
#cgo LDFLAGS: -lgomp
#include <leptonica/allheaders.h>

void omp_set_max_active_levels(int);

static int mo_reads(const unsigned char *data, size_t n, int *w, int *h) {
	PIX *p = pixReadMem(data, n);
	if (!p) return 0;
	*w = pixGetWidth(p);
	*h = pixGetHeight(p);
	pixDestroy(&p);
	return 1;
}
*/
import "C"

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"github.com/otiai10/gosseract/v2"

	"motcua/ocr/bmp"
	"motcua/ocr/lines"
)

// Engine is one Tesseract instance with one model. It is not safe for concurrent use.
type Engine struct{ client *gosseract.Client }

// Open loads a model, such as "vie".
func Open(lang string) (*Engine, error) {
	e := &Engine{client: gosseract.NewClient()}
	settings := map[gosseract.SettableVariable]string{
		gosseract.DEBUG_FILE: "/dev/null",
		"tessedit_do_invert": "0",
		"hocr_char_boxes":    "1", // also tells how sure each letter is
	}
	err := e.client.SetLanguage(lang)
	for name, value := range settings {
		err = errors.Join(err, e.client.SetVariable(name, value))
	}
	if err == nil {
		_, err = e.hocr(image.NewGray(image.Rect(0, 0, 32, 32)), 300)
	}
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("open Tesseract model %q: it cannot be loaded; install the package tesseract-ocr-%s: %w", lang, lang, err)
	}
	return e, nil
}

// Read reads the one line of text in img.
func (e *Engine) Read(img *image.Gray, dpi int) []lines.Word {
	b := img.Bounds()
	if b.Dx() < 3 || b.Dy() < 3 {
		return nil
	}
	text, err := e.hocr(img, dpi)
	if err != nil {
		return nil
	}
	words := parse(text)
	for i := range words {
		words[i].Box = words[i].Box.Add(b.Min)
	}
	return words
}

func (e *Engine) hocr(img *image.Gray, dpi int) (string, error) {
	// How many threads may work is a property of the thread that asks.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	C.omp_set_max_active_levels(0)
	if err := e.client.SetImageFromBytes(bmp.Encode(img, dpi)); err != nil {
		return "", err
	}
	if err := e.client.SetPageSegMode(gosseract.PSM_SINGLE_LINE); err != nil {
		return "", err
	}
	return e.client.HOCRText()
}

// parse takes the words out of hOCR (Tesseract's hOCR 1.2 with hocr_char_boxes). A text that is not
// well formed gives the words before the fault.
func parse(hocr string) []lines.Word {
	var words []lines.Word
	line, depth := 0, 0
	var word *lines.Word
	wordDepth := 0
	var letters strings.Builder
	d := xml.NewDecoder(strings.NewReader(hocr))
	d.Strict = false
	for {
		token, err := d.Token()
		if err != nil {
			return words // io.EOF or the fault
		}
		switch t := token.(type) {
		case xml.StartElement:
			depth++
			switch class, title := attributes(t); class {
			case "ocr_line", "ocr_textfloat", "ocr_header", "ocr_caption":
				line++
			case "ocrx_word":
				word, wordDepth = &lines.Word{Line: line, Low: 1}, depth
				letters.Reset()
				if n, err := fmt.Sscanf(property(title, "bbox"), "%d %d %d %d", &word.Box.Min.X, &word.Box.Min.Y, &word.Box.Max.X,
					&word.Box.Max.Y); n != 4 || err != nil {
					word = nil
					continue
				}
				conf, _ := strconv.ParseFloat(property(title, "x_wconf"), 64)
				word.Conf = conf / 100
			case "ocrx_cinfo":
				if conf, err := strconv.ParseFloat(property(title, "x_conf"), 64); err == nil && word != nil {
					word.Low = min(word.Low, conf/100)
				}
			}
		case xml.CharData:
			if word != nil {
				letters.Write(t)
			}
		case xml.EndElement:
			if word != nil && depth == wordDepth {
				// Letters stand on lines of their own.
				if word.Text = vietnamese.Replace(strings.Join(strings.Fields(letters.String()), "")); word.Text != "" {
					words = append(words, *word)
				}
				word = nil
			}
			depth--
		}
	}
}

func attributes(e xml.StartElement) (class, title string) {
	for _, a := range e.Attr {
		switch a.Name.Local {
		case "class":
			class = a.Value
		case "title":
			title = a.Value
		}
	}
	return class, title
}

// property finds a value in a title such as "bbox 10 20 30 40; x_wconf 96".
func property(title, name string) string {
	for part := range strings.SplitSeq(title, ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(part), name+" "); ok {
			return value
		}
	}
	return ""
}

// Close frees the engine.
func (e *Engine) Close() {
	if e.client != nil {
		_ = e.client.Close() // it never fails
		e.client = nil
	}
}

// Pool lends warm engines of one kind.
type Pool struct {
	idle chan *Engine
	open func() (*Engine, error)
}

// NewPool makes a pool of at most size engines, opened on first use.
func NewPool(size int, open func() (*Engine, error)) *Pool {
	p := &Pool{idle: make(chan *Engine, size), open: open}
	for range size {
		p.idle <- nil
	}
	return p
}

// Warm opens every engine of the pool.
func (p *Pool) Warm(ctx context.Context) error {
	held := make([]*Engine, 0, cap(p.idle))
	defer func() {
		for _, e := range held {
			p.idle <- e
		}
	}()
	for range cap(p.idle) {
		e, err := p.take(ctx)
		if err != nil {
			return err
		}
		held = append(held, e)
	}
	return nil
}

func (p *Pool) take(ctx context.Context) (*Engine, error) {
	select {
	case e := <-p.idle:
		if e != nil {
			return e, nil
		}
		e, err := p.open()
		if err != nil {
			p.idle <- nil
			return nil, err
		}
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Read reads with the next idle engine.
func (p *Pool) Read(ctx context.Context, img *image.Gray, dpi int) ([]lines.Word, error) {
	e, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { p.idle <- e }()
	return e.Read(img, dpi), nil
}

// Close waits for readings under way and frees all engines.
func (p *Pool) Close() {
	for range cap(p.idle) {
		if e := <-p.idle; e != nil {
			e.Close()
		}
	}
}

// LeptonicaReads decodes a picture by Leptonica, which recognition never does. It is there to show that
// the libjpeg bundled with MuPDF has not taken the place of the system's in this binary: then this fails.
func LeptonicaReads(data []byte) (w, h int, err error) {
	if len(data) == 0 {
		return 0, 0, fmt.Errorf("read picture by Leptonica: no data")
	}
	var cw, ch C.int
	if C.mo_reads((*C.uchar)(unsafe.Pointer(&data[0])), C.size_t(len(data)), &cw, &ch) == 0 {
		return 0, 0, fmt.Errorf("read picture by Leptonica: not decoded; another libjpeg may be linked in its place")
	}
	return int(cw), int(ch), nil
}

// vietnamese mends letters the model knows but Vietnamese does not have.
var vietnamese = strings.NewReplacer("Ÿ", "Ỷ", "ÿ", "ỷ")
