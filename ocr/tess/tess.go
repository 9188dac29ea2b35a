// Package tess reads text from pixels by Tesseract. In go 8-bit gray pixels (never a file: Tesseract's own
// image reading plays no part), out come words with boxes and confidences. Engines are slow to start and
// cheap to keep; a Pool holds warm ones. Recognition itself runs on the calling thread only: Tesseract's
// OpenMP loops make small pages slower, so they are switched off.
package tess

/*
#cgo pkg-config: tesseract lept
#cgo LDFLAGS: -lgomp
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <tesseract/capi.h>
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

static TessBaseAPI *mo_open(const char *datapath, const char *lang) {
	omp_set_max_active_levels(0);
	TessBaseAPI *t = TessBaseAPICreate();
	if (TessBaseAPIInit2(t, datapath, lang, OEM_LSTM_ONLY) != 0) {
		TessBaseAPIDelete(t);
		return NULL;
	}
	return t;
}

typedef struct { char *s; size_t n, cap; } text;

static int put(text *b, const char *s) {
	size_t n = strlen(s);
	if (b->n + n + 1 > b->cap) {
		size_t cap = (b->n + n + 1) * 2;
		char *p = realloc(b->s, cap);
		if (!p) return 0;
		b->s = p; b->cap = cap;
	}
	memcpy(b->s + b->n, s, n + 1);
	b->n += n;
	return 1;
}

// mo_read writes one row a word: line number, box, confidence, lowest symbol confidence, text.
static char *mo_read(TessBaseAPI *t, const unsigned char *pix, int w, int h, int stride, int dpi, int psm) {
	omp_set_max_active_levels(0);
	TessBaseAPISetPageSegMode(t, (TessPageSegMode)psm);
	TessBaseAPISetImage(t, pix, w, h, 1, stride);
	TessBaseAPISetSourceResolution(t, dpi);
	text out = {0};
	if (!put(&out, "")) return NULL;
	if (TessBaseAPIRecognize(t, NULL) != 0) { TessBaseAPIClear(t); return out.s; }
	TessResultIterator *it = TessBaseAPIGetIterator(t);
	if (it) {
		TessPageIterator *p = TessResultIteratorGetPageIterator(it);
		int line = 0;
		char row[160];
		do {
			if (TessPageIteratorIsAtBeginningOf(p, RIL_TEXTLINE)) line++;
			char *word = TessResultIteratorGetUTF8Text(it, RIL_WORD);
			if (!word) continue;
			int x0, y0, x1, y1;
			if (TessPageIteratorBoundingBox(p, RIL_WORD, &x0, &y0, &x1, &y1)) {
				float conf = TessResultIteratorConfidence(it, RIL_WORD), low = 100;
				TessResultIterator *s = TessResultIteratorCopy(it);
				TessPageIterator *sp = TessResultIteratorGetPageIterator(s);
				do {
					float c = TessResultIteratorConfidence(s, RIL_SYMBOL);
					if (c < low) low = c;
					if (TessPageIteratorIsAtFinalElement(sp, RIL_WORD, RIL_SYMBOL)) break;
				} while (TessResultIteratorNext(s, RIL_SYMBOL));
				TessResultIteratorDelete(s);
				snprintf(row, sizeof row, "%d\t%d\t%d\t%d\t%d\t%.2f\t%.2f\t", line, x0, y0, x1, y1, conf, low);
				if (!put(&out, row) || !put(&out, word) || !put(&out, "\n")) { TessDeleteText(word); break; }
			}
			TessDeleteText(word);
		} while (TessResultIteratorNext(it, RIL_WORD));
		TessResultIteratorDelete(it);
	}
	TessBaseAPIClear(t);
	return out.s;
}
*/
import "C"

import (
	"context"
	"fmt"
	"image"
	"os"
	"strconv"
	"strings"
	"unsafe"
)

// Mode is how Tesseract looks for text in the pixels.
type Mode int

// The modes recognition uses, with Tesseract's own numbers.
const (
	Page   Mode = 3  // full layout analysis
	Block  Mode = 6  // one block of lines
	Line   Mode = 7  // one line
	Sparse Mode = 11 // text anywhere, in no order
	Raw    Mode = 13 // one line, no layout analysis at all
)

// Word is one word as read.
type Word struct {
	Text string
	Line int             // words of one line share it
	Box  image.Rectangle // in the pixels given
	Conf float64         // 0…1, Tesseract's own, not calibrated
	Low  float64         // the least sure symbol's
}

// Engine is one Tesseract instance with one model. It is not safe for concurrent use.
type Engine struct{ api *C.TessBaseAPI }

// Open loads a model ("vie", "eng") and sets variables for all readings. alphabet, if not empty, is the only
// characters that are read.
func Open(lang, alphabet string, words bool) (*Engine, error) {
	cl := C.CString(lang)
	defer C.free(unsafe.Pointer(cl))
	var path *C.char
	if p := os.Getenv("TESSDATA_PREFIX"); p != "" {
		path = C.CString(p)
		defer C.free(unsafe.Pointer(path))
	}
	api := C.mo_open(path, cl)
	if api == nil {
		return nil, fmt.Errorf("open Tesseract model %q: it cannot be loaded; install the package tesseract-ocr-%s", lang, lang)
	}
	e := &Engine{api: api}
	set := map[string]string{"tessedit_do_invert": "0", "debug_file": "/dev/null"}
	if alphabet != "" {
		set["tessedit_char_whitelist"] = alphabet
	}
	if !words {
		set["load_system_dawg"], set["load_freq_dawg"] = "0", "0"
	}
	for k, v := range set {
		if err := e.set(k, v); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

func (e *Engine) set(name, value string) error {
	n, v := C.CString(name), C.CString(value)
	defer C.free(unsafe.Pointer(n))
	defer C.free(unsafe.Pointer(v))
	if C.TessBaseAPISetVariable(e.api, n, v) == 0 {
		return fmt.Errorf("set Tesseract's %s: not known to this version", name)
	}
	return nil
}

// Read reads the text in img.
func (e *Engine) Read(img *image.Gray, mode Mode, dpi int) []Word {
	b := img.Bounds()
	if b.Dx() < 3 || b.Dy() < 3 {
		return nil
	}
	at := img.PixOffset(b.Min.X, b.Min.Y)
	raw := C.mo_read(e.api, (*C.uchar)(unsafe.Pointer(&img.Pix[at])), C.int(b.Dx()), C.int(b.Dy()), C.int(img.Stride), C.int(dpi), C.int(mode))
	if raw == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(raw))
	var words []Word
	for row := range strings.Lines(C.GoString(raw)) {
		f := strings.SplitN(strings.TrimRight(row, "\n"), "\t", 8)
		if len(f) < 8 {
			continue
		}
		var n [5]int
		for i := range n {
			n[i], _ = strconv.Atoi(f[i])
		}
		conf, _ := strconv.ParseFloat(f[5], 64)
		low, _ := strconv.ParseFloat(f[6], 64)
		words = append(words, Word{Text: vietnamese.Replace(f[7]), Line: n[0], Conf: conf / 100, Low: low / 100,
			Box: image.Rect(n[1], n[2], n[3], n[4]).Add(b.Min)})
	}
	return words
}

// Close frees the engine.
func (e *Engine) Close() {
	if e.api != nil {
		C.TessBaseAPIEnd(e.api)
		C.TessBaseAPIDelete(e.api)
		e.api = nil
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
func (p *Pool) Read(ctx context.Context, img *image.Gray, mode Mode, dpi int) ([]Word, error) {
	e, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { p.idle <- e }()
	return e.Read(img, mode, dpi), nil
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
