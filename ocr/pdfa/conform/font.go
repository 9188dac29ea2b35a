package conform

import (
	"bytes"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// typeface is a font and what is shown in it.
type typeface struct {
	dict    types.Dict
	codes   map[int]bool // that are painted
	visible bool
}

// fonts looks at the fonts that something is shown in; what only lies in a resource dictionary is nobody's concern (ISO 19005-2,
// 6.2.2). Text that is not painted needs no glyphs, and its font no order of them.
func (c *checker) fonts() {
	for _, face := range c.shownIn {
		d := face.dict
		if name := c.name(d, "BaseFont"); !utf8.ValidString(name) {
			c.say("", "6.1.8", "a font's name is not written in UTF-8")
		}
		switch subtype := c.name(d, "Subtype"); subtype {
		case "Type3":
		case "Type0":
			c.composite(face)
		default:
			desc := c.embedded(d, face.visible)
			if desc == nil {
				break
			}
			c.subset(d, desc, subtype)
			if subtype == "TrueType" {
				c.trueType(d, desc)
			}
			c.simple(face, desc)
		}
	}
}

// embedded is the descriptor of a font that is in the file. Text that nobody sees needs none.
func (c *checker) embedded(d types.Dict, visible bool) types.Dict {
	desc := c.dict(d, "FontDescriptor")
	for _, k := range []string{"FontFile", "FontFile2", "FontFile3"} {
		if _, ok := c.get(desc, k).(types.StreamDict); ok {
			return desc
		}
	}
	if visible {
		c.say("6.3.4", "6.2.11.4.1", "a font is not embedded")
	}
	return nil
}

// subset looks for the lists that a subset must have in PDF/A-1.
func (c *checker) subset(d, desc types.Dict, subtype string) {
	base := c.name(d, "BaseFont")
	if len(base) < 8 || base[6] != '+' || !c.one() {
		return
	}
	if _, found := desc.Find("CIDSet"); !found && strings.HasPrefix(subtype, "CIDFont") {
		c.say("6.3.5", "", "a subset of a font does not say which glyphs it has")
	}
	if _, found := desc.Find("CharSet"); !found && (subtype == "Type1" || subtype == "MMType1") {
		c.say("6.3.5", "", "a subset of a font does not say which glyphs it has")
	}
}

func (c *checker) trueType(d, desc types.Dict) {
	flags := desc.IntEntry("Flags")
	if flags == nil {
		return
	}
	encoding := c.get(d, "Encoding")
	if *flags&4 != 0 { // symbolic
		if encoding != nil {
			c.say("6.3.7", "6.2.11.6", "a symbolic font has an encoding")
		}
		return
	}
	name, _ := encoding.(types.Name)
	if e, ok := encoding.(types.Dict); ok {
		name = types.Name(c.name(e, "BaseEncoding"))
	}
	if name != "WinAnsiEncoding" && name != "MacRomanEncoding" {
		c.say("6.3.7", "6.2.11.6", "a font has an encoding that is not known everywhere")
	}
}

// composite looks at a font whose codes have several bytes.
func (c *checker) composite(face *typeface) {
	kids := c.array(face.dict, "DescendantFonts")
	if len(kids) == 0 {
		return
	}
	kid, _ := c.deref(kids[0]).(types.Dict)
	if kid == nil {
		return
	}
	identity := false
	switch e := c.get(face.dict, "Encoding").(type) {
	case types.Name:
		identity = e == "Identity-H" || e == "Identity-V"
		if !identity && !c.one() && !slices.Contains(predefinedCMaps, string(e)) {
			c.say("", "6.2.11.3.3", "a CMap is neither known nor embedded")
		}
	case types.StreamDict:
		c.cmap(e, kid)
	}
	desc := c.embedded(kid, face.visible)
	if desc == nil {
		return
	}
	subtype := c.name(kid, "Subtype")
	c.subset(kid, desc, subtype)
	if _, data, ok := c.stream(desc["FontFile2"]); ok && subtype == "CIDFontType2" {
		c.trueTypeOf(face, kid, desc, data, identity)
	}
}

// trueTypeOf looks at a composite font whose shapes are TrueType's.
func (c *checker) trueTypeOf(face *typeface, kid, desc types.Dict, data []byte, identity bool) {
	_, order, mapped := c.stream(kid["CIDToGIDMap"])
	if !mapped && c.name(kid, "CIDToGIDMap") != "Identity" {
		if face.visible {
			c.say("6.3.3.2", "6.2.11.3.2", "a font does not say which glyph is which")
		}
		return
	}
	f := readTrueType(data)
	if f == nil {
		return
	}
	glyph := func(cid int) int {
		switch {
		case !mapped:
			return cid
		case 2*cid+1 < len(order):
			return int(order[2*cid])<<8 | int(order[2*cid+1])
		}
		return 0
	}
	if _, listed, ok := c.stream(desc["CIDSet"]); ok && !mapped {
		c.listed(f, listed)
	}
	if !identity {
		return
	}
	widths := c.cidWidths(kid)
	for cid := range face.codes {
		g := glyph(cid)
		if g >= f.count {
			c.say("6.3.4", "6.2.11.4.1", "a font lacks a glyph that is shown")
			continue
		}
		c.wide(widths(cid), f.width(g))
	}
}

// listed holds the list of a font's glyphs against the font.
func (c *checker) listed(f *trueTypeFile, set []byte) {
	for g := range f.count {
		if has := g/8 < len(set) && set[g/8]&(0x80>>(g%8)) != 0; !has && f.drawn(g) {
			c.say("6.3.5", "6.2.11.4.2", "the list of a font's glyphs is not whole")
			return
		}
	}
}

// wide holds the width that a font dictionary says against the font's own, in thousandths of an em.
func (c *checker) wide(said, is float64) {
	if said >= 0 && is >= 0 && math.Abs(said-is) > 1 {
		c.say("6.3.6", "6.2.11.5", "a glyph is not as wide as its font dictionary says")
	}
}

// number is an entry that is one, else something else.
func (c *checker) number(o types.Object, or float64) float64 {
	switch v := c.deref(o).(type) {
	case types.Integer:
		return float64(v)
	case types.Float:
		return float64(v)
	}
	return or
}

// cidWidths reads the widths of a composite font (ISO 32000-1, 9.7.4.3).
func (c *checker) cidWidths(kid types.Dict) func(cid int) float64 {
	all := map[int]float64{}
	w := c.array(kid, "W")
	for i := 0; i+1 < len(w); {
		first := int(c.number(w[i], 0))
		if each, ok := c.deref(w[i+1]).(types.Array); ok {
			for k, o := range each {
				all[first+k] = c.number(o, -1)
			}
			i += 2
			continue
		}
		if i+2 >= len(w) {
			break
		}
		for last := min(int(c.number(w[i+1], 0)), 1<<16); first <= last; first++ {
			all[first] = c.number(w[i+2], -1)
		}
		i += 3
	}
	other := c.number(kid["DW"], 1000)
	return func(cid int) float64 {
		if v, found := all[cid]; found {
			return v
		}
		return other
	}
}

// simple holds a font of one-byte codes against its file.
func (c *checker) simple(face *typeface, desc types.Dict) {
	d := face.dict
	first, widths := int(c.number(d["FirstChar"], 0)), c.array(d, "Widths")
	said := func(code int) float64 {
		if i := code - first; i >= 0 && i < len(widths) {
			return c.number(widths[i], -1)
		}
		return -1
	}
	if _, data, ok := c.stream(desc["FontFile"]); ok {
		f := readType1(data)
		if f == nil {
			return
		}
		c.characters(f, desc)
		name := c.encoding(d, f.encoding)
		for code := range face.codes {
			n := name(code)
			is, found := f.widths[n]
			switch {
			case n == "":
			case !found:
				c.say("6.3.4", "6.2.11.4.1", "a font lacks a glyph that is shown")
			default:
				c.wide(said(code), is)
			}
		}
	}
	if _, data, ok := c.stream(desc["FontFile2"]); ok {
		f := readTrueType(data)
		if f == nil {
			return
		}
		symbolic := int(c.number(desc["Flags"], 0))&4 != 0
		for code := range face.codes {
			g := f.find(code, symbolic, c.name(d, "Encoding"))
			switch {
			case g < 0:
			case g == 0 || g >= f.count:
				c.say("6.3.4", "6.2.11.4.1", "a font lacks a glyph that is shown")
			default:
				c.wide(said(code), f.width(g))
			}
		}
	}
}

// characters holds the list of a Type 1 font's glyphs against the font; PDF/A-1 asks for it in subsets only.
func (c *checker) characters(f *type1File, desc types.Dict) {
	o := c.get(desc, "CharSet")
	if o == nil || c.one() && strings.Index(c.name(desc, "FontName"), "+") != 6 {
		return
	}
	text, err := c.ctx.DereferenceStringOrHexLiteral(o, 0, nil)
	if err != nil {
		return
	}
	said := strings.Split(text, "/")
	for n := range f.widths {
		if n != ".notdef" && !slices.Contains(said, n) {
			c.say("6.3.5", "6.2.11.4.2", "the list of a font's glyphs is not whole")
			return
		}
	}
}

// encoding tells the name of a code's glyph, "" where it isn't known here; own is the font's.
func (c *checker) encoding(d types.Dict, own map[int]string) func(code int) string {
	base := c.name(d, "Encoding")
	differences := map[int]string{}
	if e := c.dict(d, "Encoding"); e != nil {
		base = c.name(e, "BaseEncoding")
		code := 0
		for _, o := range c.array(e, "Differences") {
			switch o := c.deref(o).(type) {
			case types.Integer:
				code = int(o)
			case types.Name:
				differences[code] = string(o)
				code++
			}
		}
	}
	return func(code int) string {
		if n, found := differences[code]; found {
			return n
		}
		if base == "" && own != nil {
			return own[code]
		}
		return plainNames[code]
	}
}

// glyph looks at a glyph of a font whose glyphs are drawings.
func (c *checker) glyph(f types.Dict, code int, d *drawing) {
	name := c.encoding(f, map[int]string{})(code)
	o := c.dict(f, "CharProcs")[name]
	_, data, ok := c.stream(o)
	if !ok {
		return
	}
	n := c.own(f, d)
	n.colourSet, n.mode = [2]bool{true, true}, 0
	c.inside(o, data, n)
	l := lexer{data: data}
	if token, operand, ok := l.next(); ok && operand {
		i := code - int(c.number(f["FirstChar"], 0))
		widths := c.array(f, "Widths")
		if is, err := strconv.ParseFloat(string(token), 64); err == nil && i >= 0 && i < len(widths) {
			c.wide(c.number(widths[i], -1), is)
		}
	}
}

// cmap looks at an embedded CMap of a font.
func (c *checker) cmap(e types.StreamDict, kid types.Dict) {
	info, own := c.dict(e.Dict, "CIDSystemInfo"), c.dict(kid, "CIDSystemInfo")
	if info == nil || own == nil {
		return
	}
	if c.number(own["Supplement"], 0) > c.number(info["Supplement"], 0) {
		c.say("", "6.2.11.3.1", "a CMap is for another font")
	}
	for _, k := range []string{"Registry", "Ordering"} {
		if a, b := c.get(info, k), c.get(own, k); a != nil && b != nil && a.PDFString() != b.PDFString() {
			c.say("6.3.3.1", "6.2.11.3.1", "a CMap is for another font")
		}
	}
	if use := c.get(e.Dict, "UseCMap"); use != nil {
		n, _ := use.(types.Name)
		if s, ok := use.(types.StreamDict); ok {
			n = types.Name(c.name(s.Dict, "CMapName"))
		}
		if !slices.Contains(predefinedCMaps, string(n)) {
			c.say("6.3.3.3", "6.2.11.3.3", "a CMap uses one that is not known")
		}
	}
	_, data, _ := c.stream(e)
	c.cmapText(data)
	if !c.one() {
		c.direction(e, data)
	}
}

// cmapText looks at what is written in a CMap.
func (c *checker) cmapText(data []byte) {
	for _, m := range usedCMap.FindAllSubmatch(data, -1) {
		if !slices.Contains(predefinedCMaps, string(m[1])) {
			c.say("6.3.3.3", "6.2.11.3.3", "a CMap uses one that is not known")
		}
	}
	for _, m := range cids.FindAllSubmatch(data, -1) {
		if v, err := strconv.Atoi(string(m[1])); err != nil || v > mostCID {
			c.say("6.1.12", "6.1.13", "a CMap names a glyph beyond %d", mostCID)
		}
	}
}

// direction holds the direction of writing in a CMap against that in its dictionary.
func (c *checker) direction(e types.StreamDict, data []byte) {
	in := 0
	if i := bytes.Index(data, []byte("/WMode")); i >= 0 && bytes.Contains(data[i:min(len(data), i+16)], []byte("1")) {
		in = 1
	}
	if out := e.IntEntry("WMode"); out != nil && *out != in || out == nil && in != 0 {
		c.say("", "6.2.11.3.3", "a CMap's direction of writing is told in two ways")
	}
}

var (
	usedCMap = regexp.MustCompile(`/(\S+)\s+usecmap`)
	cids     = regexp.MustCompile(`<[0-9A-Fa-f]+>\s+(\d+)\s`)
)

// predefinedCMaps are those of ISO 32000-1, table 118.
var predefinedCMaps = strings.Fields(`GB-EUC-H GB-EUC-V GBpc-EUC-H GBpc-EUC-V GBK-EUC-H GBK-EUC-V GBKp-EUC-H GBKp-EUC-V
	GBK2K-H GBK2K-V UniGB-UCS2-H UniGB-UCS2-V UniGB-UTF16-H UniGB-UTF16-V B5pc-H B5pc-V HKscs-B5-H HKscs-B5-V ETen-B5-H ETen-B5-V
	ETenms-B5-H ETenms-B5-V CNS-EUC-H CNS-EUC-V UniCNS-UCS2-H UniCNS-UCS2-V UniCNS-UTF16-H UniCNS-UTF16-V 83pv-RKSJ-H 90ms-RKSJ-H
	90ms-RKSJ-V 90msp-RKSJ-H 90msp-RKSJ-V 90pv-RKSJ-H Add-RKSJ-H Add-RKSJ-V EUC-H EUC-V Ext-RKSJ-H Ext-RKSJ-V H V UniJIS-UCS2-H
	UniJIS-UCS2-V UniJIS-UCS2-HW-H UniJIS-UCS2-HW-V UniJIS-UTF16-H UniJIS-UTF16-V KSC-EUC-H KSC-EUC-V KSCms-UHC-H KSCms-UHC-V
	KSCms-UHC-HW-H KSCms-UHC-HW-V KSCpc-EUC-H UniKS-UCS2-H UniKS-UCS2-V UniKS-UTF16-H UniKS-UTF16-V Identity-H Identity-V`)
