package form

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifbolditalic"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font/sfnt"
)

// The page in millimetres: A4 with margins a little narrower than Decree 30/2020, annex I, sets for official
// papers, as the forms of the annexes are printed: one sheet holds the form and its signatures.
const (
	pageWidth, pageHeight = 210.0, 297.0
	marginLeft            = 25.0
	marginRight           = 17.0
	marginTop             = 15.0
	marginBottom          = 15.0
	textWidth             = pageWidth - marginLeft - marginRight
	cellPad               = 1.2
	pointMM               = 25.4 / 72
	lineHeight            = 1.19 // of the letters' size
	shortGap              = 14   // dots of an answer that is missing inside a line
	leastLeader           = 18.0 // mm of dots at the end of a line; with less room they begin a new one
)

const (
	serif   = "serif"
	symbols = "symbols" // for the boxes to tick, which the serif lacks
)

// OverflowError is a form whose cell is higher than a page: nothing of it is printed.
type OverflowError struct {
	Height float64 // mm
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("a row of the form is %.0f mm high, which is more than a page", e.Height)
}

// PDF prints the form. The same sheet gives the same bytes.
func (s Sheet) PDF() ([]byte, error) {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCreationDate(s.Made)
	doc.SetModificationDate(s.Made)
	doc.SetCatalogSort(true)
	doc.SetTitle(s.Title, true)
	doc.SetSubject(s.Subject, true)
	doc.SetLang("vi-VN")
	doc.SetCreator("Motcua", true)
	doc.SetMargins(marginLeft, marginTop, marginRight)
	doc.SetAutoPageBreak(false, 0)
	doc.AddUTF8FontFromBytes(serif, "", liberationserifregular.TTF)
	doc.AddUTF8FontFromBytes(serif, "B", liberationserifbold.TTF)
	doc.AddUTF8FontFromBytes(serif, "I", liberationserifitalic.TTF)
	doc.AddUTF8FontFromBytes(serif, "BI", liberationserifbolditalic.TTF)
	doc.AddUTF8FontFromBytes(symbols, "", dejavusanscondensed.TTF)
	doc.AddPage()
	p := &printer{doc: doc, y: marginTop}
	for i, b := range s.Blocks {
		p.together(s.Blocks, i)
		switch b := b.(type) {
		case Paragraph:
			p.paragraph(b)
		case Table:
			if err := p.table(b); err != nil {
				return nil, err
			}
		}
	}
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		return nil, fmt.Errorf("write form as PDF: %w", err)
	}
	return out.Bytes(), nil
}

type printer struct {
	doc *fpdf.Fpdf
	y   float64 // mm from the top of the page
}

// word is what is never broken but where it is wider than its line.
type word struct {
	text         string
	family       string
	bold, italic bool
	space        bool // a blank: dropped where a line begins or ends
	leader       bool // dots to the end of the line
	width        float64
}

func (w word) style() string {
	if w.family == symbols {
		return ""
	}
	s := ""
	if w.bold {
		s += "B"
	}
	if w.italic {
		s += "I"
	}
	return s
}

func (p *printer) room(height float64) {
	if p.y+height > pageHeight-marginBottom {
		p.doc.AddPage()
		p.y = marginTop
	}
}

// together begins a page where a block, and those that must stand with it, have no room any more, unless they fill more than one.
func (p *printer) together(blocks []any, i int) {
	if first, ok := blocks[i].(Paragraph); !ok || !first.Keep {
		return
	}
	if i > 0 {
		if before, ok := blocks[i-1].(Paragraph); ok && before.Keep {
			return
		}
	}
	height := 0.0
	for ; i < len(blocks); i++ {
		b, line := blocks[i].(Paragraph)
		if t, ok := blocks[i].(Table); ok && len(t.Rows) > 0 {
			_, high := p.measure(t, t.Rows[0])
			height += t.Before*pointMM + high
		} else {
			height += b.Before*pointMM + float64(len(p.lines(b, textWidth)))*b.Size*pointMM*lineHeight
		}
		if !line || !b.Keep {
			break
		}
	}
	if height <= pageHeight-marginTop-marginBottom {
		p.room(height)
	}
}

func (p *printer) paragraph(b Paragraph) {
	p.y += b.Before * pointMM
	height := b.Size * pointMM * lineHeight
	for _, line := range p.lines(b, textWidth) {
		p.room(height)
		p.line(line, b, marginLeft, textWidth)
		p.y += height
	}
}

// line prints one line at p.y.
func (p *printer) line(words []word, b Paragraph, left, width float64) {
	total := 0.0
	for _, w := range words {
		total += w.width
	}
	x := left
	switch b.Align {
	case Center:
		x += (width - total) / 2
	case Right:
		x += width - total
	}
	base := p.y + b.Size*pointMM
	for _, w := range words {
		if !w.space {
			p.doc.SetFont(w.family, w.style(), b.Size)
			p.doc.Text(x, base, w.text)
		}
		x += w.width
	}
}

// lines breaks a paragraph into lines of at most width mm.
func (p *printer) lines(b Paragraph, width float64) [][]word {
	var lines [][]word
	var line []word
	used := 0.0
	flush := func() {
		for len(line) > 0 && line[len(line)-1].space {
			line = line[:len(line)-1]
		}
		lines = append(lines, line)
		line, used = nil, 0
	}
	for _, w := range p.words(b, width) {
		if w.leader {
			if width-used < min(leastLeader, width) && used > 0 {
				flush()
			}
			dot := p.width(word{text: ".", family: serif}, b.Size)
			w.text = strings.Repeat(".", int((width-used)/dot))
			w.width = float64(len(w.text)) * dot
		}
		if used+w.width > width+0.01 && len(line) > 0 {
			flush()
		}
		if w.space && len(line) == 0 {
			continue
		}
		line = append(line, w)
		used += w.width
	}
	flush()
	return lines
}

// words divides a paragraph; a word wider than the line is broken between letters.
func (p *printer) words(b Paragraph, width float64) []word {
	var words []word
	add := func(w word) {
		w.width = p.width(w, b.Size)
		for w.width > width {
			letters := []rune(w.text)
			n := len(letters) - 1
			for n > 1 && p.width(word{text: string(letters[:n]), family: w.family, bold: w.bold, italic: w.italic}, b.Size) > width {
				n--
			}
			head := w
			head.text = string(letters[:n])
			head.width = p.width(head, b.Size)
			words = append(words, head)
			w.text = string(letters[n:])
			w.width = p.width(w, b.Size)
		}
		words = append(words, w)
	}
	for i, r := range b.Runs {
		if r.Gap {
			if i == len(b.Runs)-1 && b.Align == Left {
				words = append(words, word{family: serif, leader: true})
			} else {
				add(word{text: strings.Repeat(".", shortGap), family: serif})
			}
			continue
		}
		for _, piece := range pieces(r.Text) {
			add(word{text: piece.text, family: piece.family, bold: r.Bold, italic: r.Italic, space: strings.TrimSpace(piece.text) == ""})
		}
	}
	return glued(words, width)
}

// glued joins pieces that stand without a blank between them, so that a comma after an answer isn't torn off.
func glued(words []word, width float64) []word {
	var out []word
	for _, w := range words {
		if n := len(out); n > 0 && !w.space && !w.leader && !out[n-1].space && !out[n-1].leader && w.style() == out[n-1].style() &&
			w.family == out[n-1].family &&
			out[n-1].width+w.width <= width {
			out[n-1].text += w.text
			out[n-1].width += w.width
			continue
		}
		out = append(out, w)
	}
	return out
}

type piece struct{ text, family string }

// pieces divides text into words, blanks and letters of another font.
func pieces(text string) []piece {
	var out []piece
	kind := func(r rune) (string, bool) {
		if r == ' ' || r == '\n' || r == '\t' {
			return serif, true
		}
		if strings.ContainsRune(Ticked+Unticked, r) {
			return symbols, false
		}
		return serif, false
	}
	blank := false
	for _, r := range text {
		family, space := kind(r)
		if space {
			r = ' '
		} else {
			r = printable(r, family)
		}
		if n := len(out); n > 0 && out[n-1].family == family && blank == space {
			out[n-1].text += string(r)
		} else {
			out = append(out, piece{string(r), family})
		}
		blank = space
	}
	return out
}

func (p *printer) width(w word, size float64) float64 {
	p.doc.SetFont(w.family, w.style(), size)
	return p.doc.GetStringWidth(w.text)
}

func (p *printer) table(t Table) error {
	p.y += t.Before * pointMM
	for _, row := range t.Rows {
		cells, height := p.measure(t, row)
		if height > pageHeight-marginTop-marginBottom {
			return &OverflowError{height}
		}
		p.room(height)
		p.row(t, row, cells, height)
		p.y += height
	}
	return nil
}

// measure breaks a row into lines, by cell and paragraph, and says how high it is.
func (p *printer) measure(t Table, row []Cell) (cells [][][][]word, height float64) {
	cells = make([][][][]word, len(row))
	for i, c := range row {
		h := 2 * cellPad
		for _, b := range c.Paragraphs {
			lines := p.lines(b, p.inner(t, i))
			cells[i] = append(cells[i], lines)
			h += float64(len(lines)) * b.Size * pointMM * lineHeight
		}
		height = max(height, h)
	}
	return cells, height
}

// inner is the width of a column's print.
func (p *printer) inner(t Table, column int) float64 {
	return t.Widths[column]*textWidth - 2*cellPad
}

func (p *printer) row(t Table, row []Cell, cells [][][][]word, height float64) {
	top, x := p.y, marginLeft
	for i, c := range row {
		width := t.Widths[i] * textWidth
		if c.Border {
			p.doc.SetLineWidth(0.2)
			p.doc.Rect(x, top, width, height, "D")
		}
		left := x + cellPad
		if !c.Border && i == 0 {
			left = x // the label of boxes stands flush with the other lines
		}
		p.y = top + cellPad
		for k, b := range c.Paragraphs {
			for _, line := range cells[i][k] {
				p.line(line, b, left, width-2*cellPad)
				p.y += b.Size * pointMM * lineHeight
			}
		}
		x += width
	}
	p.y = top
}

// NoGlyph stands for a letter that the form's font lacks (the data beside the form has it).
const NoGlyph = '□'

var serifFont = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(liberationserifregular.TTF)
	if err != nil {
		panic("form: the embedded font is broken: " + err.Error()) // our own file, tested
	}
	return f
})

// printable is the letter, or NoGlyph where the font has none: it must be seen that something is missing.
func printable(r rune, family string) rune {
	if family == symbols || r < 0x7f {
		return r
	}
	var buffer sfnt.Buffer
	if n, err := serifFont().GlyphIndex(&buffer, r); err == nil && n != 0 {
		return r
	}
	return NoGlyph
}

var pageObject = regexp.MustCompile(`/Type /Page\b`)

// Pages counts the pages of a PDF that this package made.
func Pages(pdf []byte) int { return len(pageObject.FindAll(pdf, -1)) }
