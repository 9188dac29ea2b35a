package pdfa

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"motcua/ocr/paper"
)

// advance is how wide every sign of the invisible font is, in ems.
const advance = 0.5

const unitsPerEm = 1000

// font writes the font of the words: it has one empty glyph for every code, and says which letter each code is. The words are
// not painted, so that nothing else of a font is needed, and nobody's licence.
func (p *Writer) font() {
	const name = "MotcuaGlyphless"
	p.object(objFont, fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [ %d 0 R ] "+
		"/ToUnicode %d 0 R >>", name, objDescendant, objToUnicode))
	p.object(objDescendant, fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering "+
		"(Identity) /Supplement 0 >> /DW %d /CIDToGIDMap %d 0 R /FontDescriptor %d 0 R >>",
		name, int(advance*unitsPerEm), objGlyphMap, objDescriptor))
	// Flags: fixed pitch, symbolic (ISO 32000-1, table 123).
	p.object(objDescriptor, fmt.Sprintf("<< /Type /FontDescriptor /FontName /%s /Flags 5 /FontBBox [0 0 %d %d] /ItalicAngle 0 /Ascent %d "+
		"/Descent 0 /CapHeight %d /StemV 80 /FontFile2 %d 0 R >>",
		name, int(advance*unitsPerEm), unitsPerEm, unitsPerEm, unitsPerEm, objFontFile))
	shapes := glyphless()
	p.stream(objFontFile, fmt.Sprintf("/Length1 %d /Filter /FlateDecode", len(shapes)), packed(shapes))
	p.stream(objGlyphMap, "/Filter /FlateDecode", packed(bytes.Repeat([]byte{0, 1}, 1<<16)))
	p.stream(objToUnicode, "/Filter /FlateDecode", packed(p.toUnicode()))
}

// toUnicode maps the codes that were used; they are the letters themselves.
func (p *Writer) toUnicode() []byte {
	var letters strings.Builder
	for part := range slices.Chunk(slices.Sorted(maps.Keys(p.used)), 100) { // no more in one block (Adobe TN 5014)
		fmt.Fprintf(&letters, "%d beginbfchar\n", len(part))
		for _, c := range part {
			fmt.Fprintf(&letters, "<%04X> <%04X>\n", c, c)
		}
		letters.WriteString("endbfchar\n")
	}
	return toUnicode(letters.String())
}

// toUnicode is a CMap of blocks that say which letters the codes are.
func toUnicode(blocks string) []byte {
	return []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) " +
		"/Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n" + blocks +
		"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
}

// glyphless is a TrueType font of two empty glyphs, with the tables that an embedded CIDFontType2 must have (ISO 32000-1, 9.9).
func glyphless() []byte {
	be := binary.BigEndian
	words := func(v ...int) []byte {
		var b []byte
		for _, x := range v {
			b = be.AppendUint16(b, uint16(int16(x)))
		}
		return b
	}
	head := slices.Concat(words(1, 0, 1, 0), []byte{0, 0, 0, 0}, []byte{0x5F, 0x0F, 0x3C, 0xF5}, words(0, unitsPerEm), make([]byte, 16),
		words(0, 0, int(advance*unitsPerEm), unitsPerEm, 0, 8, 2, 0, 0))
	wide := int(advance * unitsPerEm)
	return file([]table{
		{"glyf", []byte{0, 0, 0, 0}},
		{"head", head},
		{"hhea", slices.Concat(words(1, 0, unitsPerEm, 0, 0, wide, 0, 0, wide, 1, 0, 0), words(0, 0, 0, 0, 0), words(2))},
		{"hmtx", words(wide, 0, wide, 0)},
		{"loca", words(0, 0, 0)},
		{"maxp", slices.Concat(words(1, 0, 2), words(0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0))},
	})
}

// table is one of a font file's.
type table struct {
	tag  string
	data []byte
}

// file makes a TrueType file of tables, which must be in the order of their tags.
func file(tables []table) []byte {
	be := binary.BigEndian
	n := len(tables)
	power := int(math.Log2(float64(n)))
	out := []byte{0, 1, 0, 0}
	for _, v := range []int{n, 16 << power, power, 16*n - 16<<power} {
		out = be.AppendUint16(out, uint16(v))
	}
	at := len(out) + 16*n
	var body []byte
	for _, t := range tables {
		out = append(out, t.tag...)
		out = be.AppendUint32(out, sum(t.data))
		out = be.AppendUint32(out, uint32(at+len(body)))
		out = be.AppendUint32(out, uint32(len(t.data)))
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(t.data)&3)...)
	}
	out = append(out, body...)
	// The whole file sums up to a magic number (OpenType, "head").
	for t := out[12 : 12+16*n]; len(t) > 0; t = t[16:] {
		if string(t[:4]) == "head" {
			be.PutUint32(out[be.Uint32(t[8:])+8:], 0xB1B0AFBA-sum(out))
		}
	}
	return out
}

func sum(b []byte) uint32 {
	var s uint32
	for len(b) >= 4 {
		s += binary.BigEndian.Uint32(b)
		b = b[4:]
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		s += binary.BigEndian.Uint32(last[:])
	}
	return s
}

func distance(a, b paper.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }
