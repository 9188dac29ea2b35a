// Package pdfa writes digitised copies: PDF/A-2b (ISO 19005-2) or, on request, PDF/A-1b, with one page a side of a paper at
// its true size. A page is the scan's own JPEG, laid so that the paper stands upright and clipped to it, under words that
// are not seen but can be searched and copied. In go pages one after the other, out comes the file as a stream: a copy of
// forty pages takes no more memory than one of its pages.
//
// What it promises: whatever the pages, the file is valid; the same pages and Info give the same bytes; nothing that was read
// stands anywhere but in the file.
package pdfa

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/text/unicode/norm"

	"motcua/ocr/paper"
)

// Level is a part and a conformance level of ISO 19005.
type Level string

// The levels that are written.
const (
	A2b Level = "2b" // the default
	A1b Level = "1b" // for archives that ask for PDF/A-1 (TCVN 14159-1:2024)
)

// Levels are all of them.
var Levels = []Level{A2b, A1b}

// Info is what a copy says of itself. Descriptive may be empty.
type Info struct {
	Level    Level
	Title    string // shown in the window's title
	Language string // RFC 3066, "vi" if empty
	Tool     string // what made it
	Created  time.Time
	Descriptive
}

// Descriptive is the data about the paper that goes into the XMP packet, for registers.
type Descriptive struct {
	Kind   string // of paper
	Number string
	Issued string // day, ISO 8601
	Holder string
}

// Page is one side of a paper. Lengths are in points, 1/72 inch, from the paper's top left corner to the right and down.
type Page struct {
	Width, Height float64
	JPEG          []byte // of one or three components
	Gray          bool
	Pixels        [2]int         // width and height of the JPEG
	Corners       [3]paper.Point // where its top left, top right and bottom left stand
	Words         []paper.Word   // with Where on this page, in reading order

	packed []byte // the JPEG as the file gets it, if Pack was called
	filter string
}

// Pack does beforehand what takes Add the longest, so that several pages can be packed at a time.
func (p *Page) Pack() { p.packed, p.filter = tighter(p.JPEG) }

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	out   *counter
	info  Info
	at    []int64 // where each object begins; index is its number less one
	pages []int   // numbers of the page objects
	used  map[uint16]bool
	err   error
}

// Numbers of the objects that every file has.
const (
	objCatalog = iota + 1
	objPages
	objInfo
	objMetadata
	objProfile
	objFont
	objDescendant
	objDescriptor
	objFontFile
	objGlyphMap
	objToUnicode
	firstFree
)

// What a page may measure. PDF 1.7 allows 14,400 points (Annex C.2), which is five metres.
const (
	leastSide = 3
	mostSide  = 14400
)

// ErrNoPages says that a copy of nothing was asked for.
var ErrNoPages = errors.New("a copy needs at least one page")

// New begins a file.
func New(w io.Writer, info Info) (*Writer, error) {
	if info.Level == "" {
		info.Level = A2b
	}
	if !slices.Contains(Levels, info.Level) {
		return nil, fmt.Errorf("write PDF/A: there is no level %q", info.Level)
	}
	if info.Language == "" {
		info.Language = "vi"
	}
	p := &Writer{out: &counter{to: w, sum: sha256.New()}, info: info, at: make([]int64, firstFree-1), used: map[uint16]bool{}}
	version := "1.7"
	if info.Level == A1b {
		version = "1.4"
	}
	p.printf("%%PDF-%s\n%%\xE2\xE3\xCF\xD3\n", version)
	return p, p.err
}

// Add writes a page.
func (p *Writer) Add(page Page) error {
	if !(page.Width >= leastSide && page.Width <= mostSide && page.Height >= leastSide && page.Height <= mostSide) {
		return fmt.Errorf("write page %d: it measures %.0f by %.0f points", len(p.pages)+1, page.Width, page.Height)
	}
	if len(page.JPEG) == 0 || page.Pixels[0] <= 0 || page.Pixels[1] <= 0 {
		return fmt.Errorf("write page %d: there is no picture", len(p.pages)+1)
	}
	space := "/DeviceRGB"
	if page.Gray {
		space = "/DeviceGray"
	}
	image := p.number()
	if page.filter == "" {
		page.Pack()
	}
	p.stream(image, fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s /BitsPerComponent 8 /Filter %s",
		page.Pixels[0], page.Pixels[1], space, page.filter), page.packed)
	content := p.number()
	p.stream(content, "/Filter /FlateDecode", packed(p.content(page)))
	number := p.number()
	p.object(number, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Contents %d 0 R /Resources << /XObject << /I %d 0 R "+
		">> /Font << /F %d 0 R >> >> >>",
		objPages, num(page.Width), num(page.Height), content, image, objFont))
	p.pages = append(p.pages, number)
	return p.err
}

// worthPacking is the share of a JPEG that packing it must save: scanners and telephones that do not choose their own codes write
// empty paper wastefully.
const worthPacking = 0.03

// tighter packs a JPEG once more where that is worth it; what is unpacked is the scan's own bytes. Whether it is worth it a
// part of it tells.
func tighter(data []byte) (packedData []byte, filter string) {
	const plain = "/DCTDecode"
	sample := data[len(data)/4:]
	sample = sample[:min(len(sample), 64<<10)]
	if float64(len(packed(sample))) > (1-worthPacking)*float64(len(sample)) {
		return data, plain
	}
	if p := packed(data); float64(len(p)) < (1-worthPacking)*float64(len(data)) {
		return p, "[ /FlateDecode /DCTDecode ]"
	}
	return data, plain
}

// content draws the picture, and over it the words in text mode 3, which paints nothing.
func (p *Writer) content(page Page) []byte {
	var b bytes.Buffer
	tl, tr, bl := page.Corners[0], page.Corners[1], page.Corners[2]
	// A picture is drawn into the unit square, whose origin is its bottom left; points go up from the bottom.
	b.WriteString("q ")
	if page.sticksOut() {
		// Nothing beside the paper shows, also where a page is made larger for a signature's mark.
		fmt.Fprintf(&b, "0 0 %s %s re W n ", num(page.Width), num(page.Height))
	}
	fmt.Fprintf(&b, "%s %s %s %s %s %s cm /I Do Q\n", num(tr.X-tl.X), num(tl.Y-tr.Y), num(tl.X-bl.X), num(bl.Y-tl.Y), num(bl.X),
		num(page.Height-bl.Y))
	if len(page.Words) == 0 {
		return b.Bytes()
	}
	b.WriteString("BT 3 Tr\n")
	var at pen
	for i, w := range page.Words {
		next := -1
		if i+1 < len(page.Words) && page.Words[i+1].Line == w.Line {
			next = i + 1
		}
		p.word(&b, &at, page, w, next)
	}
	b.WriteString("ET\n")
	return b.Bytes()
}

// sticksOut says whether the picture reaches beyond the page.
func (p Page) sticksOut() bool {
	tl, tr, bl := p.Corners[0], p.Corners[1], p.Corners[2]
	const hair = 0.01 // points
	for _, q := range []paper.Point{tl, tr, bl, {X: tr.X + bl.X - tl.X, Y: tr.Y + bl.Y - tl.Y}} {
		if q.X < -hair || q.Y < -hair || q.X > p.Width+hair || q.Y > p.Height+hair {
			return true
		}
	}
	return false
}

// pen is where the words written so far leave a reader: it needn't be told again what stays.
type pen struct {
	size, turn     string  // as they were written
	x, y, cos, sin float64 // points from the page's bottom left corner, and the direction of the line
}

// offPlace is how far, in points, a word may stand from where it is: a thousandth of a line's height or so.
const offPlace = 0.02

// leastGap is how far apart words of a line stand at least, in heights of the line: poppler takes what is closer than 0.1 for
// one word.
const leastGap = 0.2

// word shows one word, stretched to its box, and the blank before the next word of its line.
func (p *Writer) word(b *bytes.Buffer, at *pen, page Page, w paper.Word, next int) {
	codes := p.encode(w.Text)
	q := w.Where
	long, high := distance(q[3], q[2]), distance(q[0], q[3])
	if len(codes) == 0 || long < 0.1 || high < 0.1 {
		return
	}
	cos, sin := (q[2].X-q[3].X)/long, -(q[2].Y-q[3].Y)/long
	gap := 0.0
	if next >= 0 {
		to := page.Words[next].Where[3]
		step := (to.X-q[3].X)*cos - (to.Y-q[3].Y)*sin // from the beginning of this word to that of the next
		if step > 0 {
			long = min(long, max(step-leastGap*high, step/3))
		}
		gap = max(step-long, leastGap*high)
	}
	at.move(b, q[3].X, page.Height-q[3].Y, high, cos, sin)
	at.show(b, codes, long, high)
	if gap > 0 {
		at.show(b, p.encode(" "), gap, high)
	}
	b.WriteByte('\n')
}

// move sets a reader to a line's height and direction and to a place, as far as it isn't there.
func (at *pen) move(b *bytes.Buffer, x, y, high, cos, sin float64) {
	if size := num(high); size != at.size {
		fmt.Fprintf(b, "/F %s Tf ", size)
		at.size = size
	}
	turn := fmt.Sprintf("%s %s %s %s", num(cos), num(sin), num(-sin), num(cos))
	if turn != at.turn || math.Hypot(x-at.x, y-at.y) > offPlace {
		fmt.Fprintf(b, "%s %s %s Tm ", turn, hundredths(x), hundredths(y))
		at.turn, at.x, at.y = turn, x, y
	}
	at.cos, at.sin = cos, sin
}

// show writes text that is long points long.
func (at *pen) show(b *bytes.Buffer, codes []uint16, long, high float64) {
	full := float64(len(codes)) * advance * high
	stretch := math.Round(1000*long/full) / 1000
	fmt.Fprintf(b, "%s Tz%sTj ", num(100*stretch), literal(codes))
	at.x, at.y = at.x+stretch*full*at.cos, at.y+stretch*full*at.sin
}

// encode gives the codes of a word, which are its UTF-16 units; what has no place there is left out.
func (p *Writer) encode(text string) []uint16 {
	var out []uint16
	for _, r := range norm.NFC.String(text) {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r > 0xFFFF || utf16.IsSurrogate(r) || r == 0xFEFF || r >= 0xFFFE {
			continue
		}
		p.used[uint16(r)] = true
		out = append(out, uint16(r))
	}
	return out
}

// Close writes what stands behind the pages. The Writer cannot be used after it.
func (p *Writer) Close() error {
	if p.err == nil && len(p.pages) == 0 {
		p.err = ErrNoPages
	}
	if p.err != nil {
		return p.err
	}
	var kids strings.Builder
	for _, n := range p.pages {
		fmt.Fprintf(&kids, "%d 0 R ", n)
	}
	p.object(objPages, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [ %s] >>", len(p.pages), kids.String()))
	p.font()
	p.stream(objProfile, "/N 3 /Alternate /DeviceRGB /Filter /FlateDecode", packed(sRGB()))
	p.stream(objMetadata, "/Type /Metadata /Subtype /XML", p.info.xmp())
	p.object(objInfo, p.info.dictionary())
	p.object(objCatalog, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /Metadata %d 0 R /Lang %s /ViewerPreferences << /DisplayDocTitle "+
		"true >> "+
		"/OutputIntents [ << /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /Info (sRGB IEC61966-2.1) /RegistryName "+
		"(http://www.color.org) /DestOutputProfile %d 0 R >> ] >>",
		objPages, objMetadata, text(p.info.Language), objProfile))
	start := p.out.n
	id := hexBytes(p.out.sum.Sum(nil)[:16])
	p.printf("xref\n0 %d\n0000000000 65535 f \n", len(p.at)+1)
	for _, at := range p.at {
		p.printf("%010d 00000 n \n", at)
	}
	p.printf("trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /ID [ <%s> <%s> ] >>\nstartxref\n%d\n%%%%EOF\n", len(p.at)+1, objCatalog, objInfo,
		id, id, start)
	return p.err
}

// number is that of a new object.
func (p *Writer) number() int {
	p.at = append(p.at, 0)
	return len(p.at)
}

func (p *Writer) object(n int, body string) {
	p.at[n-1] = p.out.n
	p.printf("%d 0 obj\n%s\nendobj\n", n, body)
}

func (p *Writer) stream(n int, entries string, data []byte) {
	p.at[n-1] = p.out.n
	p.printf("%d 0 obj\n<< %s /Length %d >>\nstream\n", n, entries, len(data))
	if p.err == nil {
		_, p.err = p.out.Write(data)
	}
	p.printf("\nendstream\nendobj\n")
}

func (p *Writer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
	if p.err != nil {
		p.err = fmt.Errorf("write PDF/A: %w", p.err)
	}
}

// counter knows how much was written, and its digest.
type counter struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += int64(n)
	c.sum.Write(b[:n])
	return n, err
}

// packed is data as FlateDecode has it. A JPEG that was written with fixed Huffman tables gives 0.4 % more to this library's
// blocks than to compress/zlib's, in less time.
func packed(data []byte) []byte {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestCompression) // fails for a level that does not exist
	_, _ = z.Write(data)                                  // a bytes.Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// num is a number as PDF has it: no exponent, to a thousandth of a point.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 3, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

// hundredths is a number to a hundredth of a point: a three-hundredth of a millimetre.
func hundredths(v float64) string { return num(math.Round(v*100) / 100) }

// literal is a string of two bytes a code, which packs better than hexadecimal does.
func literal(codes []uint16) string {
	b := []byte{'('}
	for _, c := range codes {
		for _, v := range []byte{byte(c >> 8), byte(c)} {
			switch v {
			case '(', ')', '\\':
				b = append(b, '\\', v)
			case '\r': // else it is read as a line feed (ISO 32000-1, 7.3.4.2)
				b = append(b, '\\', 'r')
			default:
				b = append(b, v)
			}
		}
	}
	return string(append(b, ')'))
}

// text is a text string in UTF-16BE with its mark.
func text(s string) string {
	return "<FEFF" + hexed(utf16.Encode([]rune(norm.NFC.String(s)))) + ">"
}

func hexed(codes []uint16) string {
	var b strings.Builder
	for _, c := range codes {
		fmt.Fprintf(&b, "%04X", c)
	}
	return b.String()
}

func hexBytes(b []byte) string { return fmt.Sprintf("%X", b) }
