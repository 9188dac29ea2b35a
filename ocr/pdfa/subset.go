package pdfa

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Subset is a font that has the shapes of some letters only, for text that is seen.
type Subset struct {
	name   string
	file   []byte
	glyphs map[rune]uint16
	widths map[uint16]int // thousandths of an em
}

// NewSubset takes the letters of text out of a TrueType font. It fails where the font lacks one.
func NewSubset(name string, ttf []byte, text string) (*Subset, error) {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("read font: %w", err)
	}
	s := &Subset{name: name, glyphs: map[rune]uint16{}, widths: map[uint16]int{}}
	var buf sfnt.Buffer
	em := fixed.I(1000)
	for _, r := range text {
		g, err := f.GlyphIndex(&buf, r)
		if err != nil || g == 0 {
			return nil, fmt.Errorf("the font has no %q", r)
		}
		wide, err := f.GlyphAdvance(&buf, g, em, font.HintingNone)
		if err != nil {
			return nil, fmt.Errorf("read font: %w", err)
		}
		s.glyphs[r], s.widths[uint16(g)] = uint16(g), wide.Round()
	}
	s.file, err = only(ttf, slices.Sorted(maps.Keys(s.widths)))
	return s, err
}

// Width is how long text is, in ems.
func (s *Subset) Width(text string) float64 {
	w := 0
	for _, r := range text {
		w += s.widths[s.glyphs[r]]
	}
	return float64(w) / 1000
}

// Show is text as the operand of Tj.
func (s *Subset) Show(text string) string {
	var codes []uint16
	for _, r := range text {
		codes = append(codes, s.glyphs[r])
	}
	return "<" + hexed(codes) + ">"
}

// SubsetObjects is how many objects a subset takes.
const SubsetObjects = 5

// Objects gives the bodies of the font's objects, to be numbered from n on; the first is the font.
func (s *Subset) Objects(n int) [SubsetObjects][]byte {
	var widths, letters strings.Builder
	for _, g := range slices.Sorted(maps.Keys(s.widths)) {
		fmt.Fprintf(&widths, "%d [%d] ", g, s.widths[g])
	}
	runes := slices.SortedFunc(maps.Keys(s.glyphs), func(a, b rune) int { return int(s.glyphs[a]) - int(s.glyphs[b]) })
	for part := range slices.Chunk(runes, 100) {
		fmt.Fprintf(&letters, "%d beginbfchar\n", len(part))
		for _, r := range part {
			fmt.Fprintf(&letters, "<%04X> <%04X>\n", s.glyphs[r], r)
		}
		letters.WriteString("endbfchar\n")
	}
	return [SubsetObjects][]byte{
		fmt.Appendf(nil, "<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [ %d 0 R ] /ToUnicode %d 0 R >>",
			s.name, n+1, n+4),
		fmt.Appendf(nil, "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "+
			"/Supplement 0 >> /DW 1000 /W [ %s] /CIDToGIDMap /Identity /FontDescriptor %d 0 R >>",
			s.name, widths.String(), n+2),
		fmt.Appendf(nil, "<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [-200 -300 1200 1000] /ItalicAngle 0 /Ascent 891 /Descent "+
			"-216 /CapHeight 662 /StemV 80 /FontFile2 %d 0 R >>", s.name, n+3),
		Stream(fmt.Sprintf("/Length1 %d", len(s.file)), s.file),
		Stream("", toUnicode(letters.String())),
	}
}

// Stream is the body of a packed stream's object.
func Stream(entries string, data []byte) []byte {
	p := packed(data)
	return slices.Concat(fmt.Appendf(nil, "<< %s /Filter /FlateDecode /Length %d >>\nstream\n", entries, len(p)), p, []byte("\nendstream"))
}

// only makes a font file in which all glyphs but these, and those they are put together of, are empty. Numbers stay.
func only(ttf []byte, wanted []uint16) ([]byte, error) {
	be := binary.BigEndian
	parts := map[string][]byte{}
	for i := range int(be.Uint16(ttf[4:])) {
		e := ttf[12+16*i:]
		parts[string(e[:4])] = ttf[be.Uint32(e[8:]):][:be.Uint32(e[12:])]
	}
	head, loca, glyf := bytes.Clone(parts["head"]), parts["loca"], parts["glyf"]
	if len(head) < 54 || loca == nil || glyf == nil {
		return nil, errors.New("read font: it has no TrueType outlines")
	}
	long := be.Uint16(head[50:]) == 1
	at := func(g int) uint32 {
		if long {
			return be.Uint32(loca[4*g:])
		}
		return 2 * uint32(be.Uint16(loca[2*g:]))
	}
	count := len(loca)/4 - 1
	if !long {
		count = len(loca)/2 - 1
	}
	keep := map[int]bool{0: true}
	for queue := wanted; len(queue) > 0; queue = queue[1:] {
		g := int(queue[0])
		if keep[g] || g >= count {
			continue
		}
		keep[g] = true
		queue = append(queue, components(glyf[at(g):at(g+1)])...)
	}
	var shapes, places []byte
	for g := range count {
		places = be.AppendUint32(places, uint32(len(shapes)))
		if keep[g] {
			shapes = append(shapes, unhinted(glyf[at(g):at(g+1)])...)
			shapes = append(shapes, make([]byte, -len(shapes)&3)...)
		}
	}
	places = be.AppendUint32(places, uint32(len(shapes)))
	be.PutUint32(head[8:], 0)
	be.PutUint16(head[50:], 1)
	metrics, err := ownMetrics(parts, keep)
	if err != nil {
		return nil, err
	}
	return file([]table{{"glyf", shapes}, {"head", head}, {"hhea", parts["hhea"]}, {"hmtx", metrics}, {"loca", places},
		{"maxp", parts["maxp"]}}), nil // ISO 32000-1, 9.9
}

// ownMetrics is the table of widths, with those of the glyphs that stay; zeros pack.
func ownMetrics(parts map[string][]byte, keep map[int]bool) ([]byte, error) {
	metrics, hhea := bytes.Clone(parts["hmtx"]), parts["hhea"]
	if len(hhea) < 36 || len(parts["maxp"]) < 6 {
		return nil, errors.New("read font: it has no measures")
	}
	full := int(binary.BigEndian.Uint16(hhea[34:])) // glyphs with a width of their own; those behind them have a bearing only
	if len(metrics) < 4*full {
		return nil, errors.New("read font: its measures are cut")
	}
	for g := range full - 1 { // the last one is the width of all behind it
		if !keep[g] {
			clear(metrics[4*g : 4*g+4])
		}
	}
	return metrics, nil
}

// unhinted is a glyph without the program that fits it to a screen's pixels, which works only with tables that are left out.
func unhinted(g []byte) []byte {
	be := binary.BigEndian
	if len(g) < 10 {
		return g
	}
	if contours := int(int16(be.Uint16(g))); contours >= 0 {
		at := 10 + 2*contours // behind the ends of the contours
		if len(g) < at+2 {
			return g
		}
		program := int(be.Uint16(g[at:]))
		if len(g) < at+2+program {
			return g
		}
		return slices.Concat(g[:at], []byte{0, 0}, g[at+2+program:])
	}
	const moreParts, instructions = 0x20, 0x100
	out := bytes.Clone(g)
	for at := 10; at+4 <= len(out); {
		flags := be.Uint16(out[at:])
		be.PutUint16(out[at:], flags&^instructions)
		at += partSize(flags)
		if flags&moreParts == 0 {
			return out[:min(at, len(out))]
		}
	}
	return g
}

// components are the glyphs that a glyph is put together of (OpenType, "glyf").
func components(g []byte) []uint16 {
	be := binary.BigEndian
	if len(g) < 10 || int16(be.Uint16(g)) >= 0 {
		return nil
	}
	var out []uint16
	for g = g[10:]; len(g) >= 4; {
		flags := be.Uint16(g)
		out = append(out, be.Uint16(g[2:]))
		size := partSize(flags)
		if flags&0x20 == 0 || size > len(g) { // no more
			break
		}
		g = g[size:]
	}
	return out
}

// partSize is how many bytes a part of a glyph takes, by its flags (OpenType, "glyf").
func partSize(flags uint16) int {
	size := 6
	if flags&0x1 != 0 { // arguments are words
		size = 8
	}
	switch {
	case flags&0x8 != 0: // one scale
		size += 2
	case flags&0x40 != 0: // two
		size += 4
	case flags&0x80 != 0: // a matrix
		size += 8
	}
	return size
}
