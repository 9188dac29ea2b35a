package conform

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strconv"

	"golang.org/x/text/encoding/charmap"
)

// trueTypeFile is what a TrueType file says of its glyphs.
type trueTypeFile struct {
	count, metrics int // glyphs; those with a width of their own
	em             float64
	long           bool
	hmtx, loca     []byte
	maps           map[[2]uint16]func(code int) int // by platform and encoding
}

// readTrueType reads a font file, nil where it is none that can be judged.
func readTrueType(data []byte) (f *trueTypeFile) {
	defer func() {
		if recover() != nil { // cut short
			f = nil
		}
	}()
	be := binary.BigEndian
	tables := map[string][]byte{}
	for i := range int(be.Uint16(data[4:])) {
		e := data[12+16*i:]
		tables[string(e[:4])] = data[be.Uint32(e[8:]):][:be.Uint32(e[12:])]
	}
	head := tables["head"]
	f = &trueTypeFile{count: int(be.Uint16(tables["maxp"][4:])), metrics: int(be.Uint16(tables["hhea"][34:])),
		em: float64(be.Uint16(head[18:])), long: be.Uint16(head[50:]) == 1, hmtx: tables["hmtx"], loca: tables["loca"],
		maps: map[[2]uint16]func(int) int{}}
	if cmap := tables["cmap"]; len(cmap) > 4 {
		for i := range int(be.Uint16(cmap[2:])) {
			e := cmap[4+8*i:]
			f.maps[[2]uint16{be.Uint16(e), be.Uint16(e[2:])}] = glyphMap(cmap[be.Uint32(e[4:]):])
		}
	}
	return f
}

// glyphMap reads a table that maps codes to glyphs (OpenType, "cmap": formats 0, 4 and 6); nil where it has another form.
func glyphMap(t []byte) func(code int) int {
	be := binary.BigEndian
	at := func(i int) int {
		if i+2 > len(t) {
			return 0
		}
		return int(be.Uint16(t[i:]))
	}
	switch at(0) {
	case 0:
		return func(code int) int {
			if code < 256 && 6+code < len(t) {
				return int(t[6+code])
			}
			return 0
		}
	case 4:
		n := at(6) // twice the segments
		return func(code int) int {
			for i := 0; i < n; i += 2 {
				if code > at(14+i) {
					continue
				}
				start, delta, offset := at(16+n+i), at(16+2*n+i), at(16+3*n+i)
				switch {
				case code < start:
					return 0
				case offset == 0:
					return (code + delta) & 0xFFFF
				}
				g := at(16 + 3*n + i + offset + 2*(code-start))
				if g == 0 {
					return 0
				}
				return (g + delta) & 0xFFFF
			}
			return 0
		}
	case 6:
		return func(code int) int {
			if i := code - at(6); i >= 0 && i < at(8) {
				return at(10 + 2*i)
			}
			return 0
		}
	}
	return nil
}

// width is a glyph's, in thousandths of an em.
func (f *trueTypeFile) width(g int) float64 {
	g = min(g, f.metrics-1)
	if g < 0 || 4*g+2 > len(f.hmtx) || f.em == 0 {
		return -1
	}
	return float64(binary.BigEndian.Uint16(f.hmtx[4*g:])) * 1000 / f.em
}

// drawn says whether a glyph has a shape.
func (f *trueTypeFile) drawn(g int) bool {
	if f.long {
		return 4*g+8 <= len(f.loca) && !bytes.Equal(f.loca[4*g:4*g+4], f.loca[4*g+4:4*g+8])
	}
	return 2*g+4 <= len(f.loca) && !bytes.Equal(f.loca[2*g:2*g+2], f.loca[2*g+2:2*g+4])
}

// find is the glyph of a one-byte code (ISO 32000-1, 9.6.6.4), -1 where that isn't known here.
func (f *trueTypeFile) find(code int, symbolic bool, encoding string) int {
	if symbolic {
		if m := f.maps[[2]uint16{3, 0}]; m != nil {
			for _, base := range []int{0, 0xF000, 0xF100, 0xF200} {
				if g := m(base + code); g != 0 {
					return g
				}
			}
			return 0
		}
		if m := f.maps[[2]uint16{1, 0}]; m != nil {
			return m(code)
		}
		return -1
	}
	m := f.maps[[2]uint16{3, 1}]
	switch {
	case m == nil:
	case encoding == "WinAnsiEncoding":
		return m(int(charmap.Windows1252.DecodeByte(byte(code))))
	case encoding == "MacRomanEncoding":
		return m(int(charmap.Macintosh.DecodeByte(byte(code))))
	}
	return -1
}

// type1File is what a Type 1 font file says of its glyphs.
type type1File struct {
	widths   map[string]float64 // by name, -1 where it isn't written plainly
	encoding map[int]string     // nil where it is the standard one
}

var (
	encoded = regexp.MustCompile(`dup\s+(\d+)\s*/(\S+)\s+put`)
	shape   = regexp.MustCompile(`/(\S+)\s+(\d+)\s+\S+\s`)
	leading = regexp.MustCompile(`/lenIV\s+(\d+)`)
)

// Keys of Adobe's Type 1 Font Format, chapter 7.
const (
	eexecKey      = 55665
	charstringKey = 4330
)

// decrypted undoes a Type 1 font's encryption, without the random bytes before.
func decrypted(data []byte, key uint16, before int) []byte {
	out := make([]byte, len(data))
	for i, b := range data {
		out[i] = b ^ byte(key>>8)
		key = (uint16(b)+key)*52845 + 22719
	}
	return out[min(before, len(out)):]
}

// readType1 reads a font file, nil where it is none that can be judged.
func readType1(data []byte) *type1File {
	at := bytes.Index(data, []byte("eexec"))
	if at < 0 {
		return nil
	}
	plain, secret := data[:at], bytes.TrimLeft(data[at+5:], " \r\n\t")
	if hex := bytes.Fields(secret); len(hex) > 0 && len(bytes.Trim(hex[0][:min(8, len(hex[0]))], "0123456789abcdefABCDEF")) == 0 {
		return nil // written as digits, which no PDF of today does
	}
	private := decrypted(secret, eexecKey, 4)
	before := 4
	if m := leading.FindSubmatch(private); m != nil {
		before, _ = strconv.Atoi(string(m[1]))
	}
	f := &type1File{widths: map[string]float64{}}
	if !bytes.Contains(plain, []byte("StandardEncoding")) {
		f.encoding = map[int]string{}
		for _, m := range encoded.FindAllSubmatch(plain, -1) {
			code, _ := strconv.Atoi(string(m[1]))
			f.encoding[code] = string(m[2])
		}
	}
	at = bytes.Index(private, []byte("/CharStrings"))
	if at < 0 {
		return nil
	}
	rest := private[at+len("/CharStrings"):]
	for {
		m := shape.FindSubmatchIndex(rest)
		if m == nil {
			break
		}
		n, _ := strconv.Atoi(string(rest[m[4]:m[5]]))
		if m[1]+n > len(rest) {
			break
		}
		f.widths[string(rest[m[2]:m[3]])] = sidebearing(decrypted(rest[m[1]:m[1]+n], charstringKey, before))
		rest = rest[m[1]+n:]
	}
	if len(f.widths) == 0 {
		return nil
	}
	return f
}

// sidebearing is the width that a charstring begins with, -1 where it is reckoned.
func sidebearing(code []byte) float64 {
	var stack []float64
	for i := 0; i < len(code); i++ {
		switch b := int(code[i]); {
		case b >= 32 && b <= 246:
			stack = append(stack, float64(b-139))
		case b >= 247 && b <= 254 && i+1 < len(code):
			i++
			v := (b-247)*256 + int(code[i]) + 108
			if b > 250 {
				v = -(b-251)*256 - int(code[i]) - 108
			}
			stack = append(stack, float64(v))
		case b == 255 && i+4 < len(code):
			stack = append(stack, float64(int32(binary.BigEndian.Uint32(code[i+1:]))))
			i += 4
		case b == 13 && len(stack) == 2: // hsbw
			return stack[1]
		default:
			return -1
		}
	}
	return -1
}

// plainNames are the glyph names of letters, digits and the blank, which all Latin encodings have at the same codes.
var plainNames = func() map[int]string {
	names := map[int]string{' ': "space"}
	for _, span := range []string{"AZ", "az"} {
		for r := span[0]; r <= span[1]; r++ {
			names[int(r)] = string(rune(r))
		}
	}
	for i, n := range []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"} {
		names['0'+i] = n
	}
	return names
}()
