package conform

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// drawing is what holds while a content stream is gone through.
type drawing struct {
	resources types.Dict
	inherited bool         // the resources are those of something above, which PDF/A-2 does not allow to be used
	colourles bool         // an uncoloured pattern or glyph: what it says of colours is not heard
	colourSet [2]bool      // whether a colour was chosen to fill, to draw lines
	font      types.Object // that text is shown in
	mode      int          // of rendering text
}

// invisible is the mode in which text is not painted (ISO 32000-1, table 106).
const invisible = 3

// operators of ISO 32000-1, annex A.
var operators = strings.Fields(`
	b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K k l M m MP n q Q re RG rg ri
	s S SC sc SCN scn sh T* Tc Td TD Tf TJ Tj TL Tm Tr Ts Tw Tz v w W W* y ' "`)

// content goes through a content stream: colours, fonts and pictures that it uses, rendering intents, nesting, limits, and what no
// reader must know.
func (c *checker) content(data []byte, d drawing) {
	var saved []drawing
	var operands [][]byte
	l := lexer{data: data}
	for {
		token, operand, ok := l.next()
		if !ok {
			return
		}
		if operand {
			operands = append(operands, token)
			c.operand(token)
			continue
		}
		switch op := string(token); op {
		case "q":
			if saved = append(saved, d); len(saved) > mostDepth {
				c.say("6.1.12", "6.1.13", "graphics states are nested %d deep", len(saved))
			}
		case "Q":
			if n := len(saved); n > 0 {
				saved, d = saved[:n-1], saved[n-1]
			}
		case "EI":
			c.inline(l.inline, d)
		case "d1":
			d.colourles = true
		default:
			if !slices.Contains(operators, op) {
				c.say("6.2.10", "6.2.2", "there is no operator %.10q", token)
				break
			}
			c.operator(op, operands, &d)
		}
		operands = operands[:0]
	}
}

// operand looks at the limits of a name, a number or a string in a content stream, and how it is written.
func (c *checker) operand(token []byte) {
	switch b := token[0]; {
	case b == '/':
		if len(token)-1 > longestName {
			c.say("6.1.12", "6.1.13", "a name is too long")
		}
	case b == '(':
		if text, err := types.Unescape(string(token[1 : len(token)-1])); err == nil {
			c.long(len(text))
		}
	case b == '<' && len(token) > 1:
		digits := bytes.Join(bytes.Fields(bytes.Trim(token, "<>")), nil)
		c.long(len(digits) / 2)
		c.digits(digits)
	case b == '+' || b == '-' || b == '.' || b >= '0' && b <= '9':
		v, err := strconv.ParseFloat(string(token), 64)
		if err != nil {
			return
		}
		whole := bytes.IndexByte(token, '.') < 0
		if whole && (v > 2147483647 || v < -2147483648) || !whole && c.one() && (v > mostReal1 || v < -mostReal1) {
			c.say("6.1.12", "6.1.13", "a number is too large")
		}
	}
}

// digits looks at what a hexadecimal string is made of, blanks taken out.
func (c *checker) digits(digits []byte) {
	if len(digits)%2 != 0 {
		c.say("6.1.6", "6.1.6", "a hexadecimal string has an odd number of digits")
	}
	if len(bytes.Trim(digits, "0123456789abcdefABCDEF")) > 0 {
		c.say("6.1.6", "6.1.6", "a hexadecimal string has what is no digit")
	}
}

// deviceSpaces are the colour spaces that operators set.
var deviceSpaces = map[string]types.Name{"rg": "DeviceRGB", "RG": "DeviceRGB", "k": "DeviceCMYK", "K": "DeviceCMYK", "g": "DeviceGray",
	"G": "DeviceGray"}

// resource is a named resource; the name is the last operand.
func (c *checker) resource(d *drawing, kind string, operands [][]byte) types.Object {
	if len(operands) == 0 {
		return nil
	}
	last := operands[len(operands)-1]
	if len(last) < 2 || last[0] != '/' {
		return nil
	}
	o := c.dict(d.resources, kind)[string(last[1:])]
	if o != nil && d.inherited {
		c.say("", "6.2.2", "a content stream uses the resources of something above it")
	}
	return o
}

// operator looks at what an operator chooses or shows.
func (c *checker) operator(op string, operands [][]byte, d *drawing) {
	last := ""
	if len(operands) > 0 {
		last = string(operands[len(operands)-1])
	}
	switch op {
	case "rg", "RG", "k", "K", "g", "G", "cs", "CS", "sc", "SC", "scn", "SCN":
		c.colour(op, last, operands, d)
	case "ri":
		if name, named := strings.CutPrefix(last, "/"); named && !slices.Contains(renderingIntents, name) {
			c.say("6.2.9", "6.2.6", "there is no rendering intent %s", name)
		}
	case "Do":
		c.shown(c.resource(d, "XObject", operands), d)
	case "sh":
		c.shading(c.resource(d, "Shading", operands), d)
	case "gs":
		c.resource(d, "ExtGState", operands)
	case "Tf":
		if len(operands) > 1 {
			d.font = c.resource(d, "Font", operands[:len(operands)-1])
		}
	case "Tr":
		d.mode, _ = strconv.Atoi(last)
	case "Tj", "TJ", "'", `"`:
		c.text(operands, d)
	case "f", "F", "f*":
		c.painted(d, true, false)
	case "s", "S":
		c.painted(d, false, true)
	case "b", "B", "b*", "B*":
		c.painted(d, true, true)
	}
}

// colour looks at the operators that choose one.
func (c *checker) colour(op, last string, operands [][]byte, d *drawing) {
	lines := 0
	if op == strings.ToUpper(op) {
		lines = 1
	}
	d.colourSet[lines] = true
	if d.colourles {
		return
	}
	name, named := strings.CutPrefix(last, "/")
	switch space, device := deviceSpaces[op]; {
	case device:
		c.used(space, d.resources, 0)
	case op == "cs" || op == "CS":
		if named {
			c.resource(d, "ColorSpace", operands)
			c.used(types.Name(name), d.resources, 0)
		}
	case named: // scn, SCN
		c.pattern(c.resource(d, "Pattern", operands), d)
	}
}

// painted looks at the colour with which every page begins.
func (c *checker) painted(d *drawing, fill, lines bool) {
	if !d.colourles && (fill && !d.colourSet[0] || lines && !d.colourSet[1]) {
		c.used(types.Name("DeviceGray"), d.resources, 0)
	}
}

// inside goes through another content stream, unless it stands in itself.
func (c *checker) inside(o types.Object, data []byte, d drawing) {
	if slices.ContainsFunc(c.within, func(w types.Object) bool { return reflect.DeepEqual(w, o) }) || len(c.within) > 30 {
		return
	}
	c.within = append(c.within, o)
	c.content(data, d)
	c.within = c.within[:len(c.within)-1]
}

// own gives a stream its resources: its own, else those of what shows it.
func (c *checker) own(dict types.Dict, d *drawing) drawing {
	n := *d
	if r := c.dict(dict, "Resources"); r != nil {
		n.resources, n.inherited = r, false
	} else {
		n.inherited = true
	}
	return n
}

// pattern looks at a pattern that is painted with.
func (c *checker) pattern(o types.Object, d *drawing) {
	if s, data, ok := c.stream(o); ok {
		n := c.own(s.Dict, d)
		kind := s.IntEntry("PaintType")
		n.colourles = kind != nil && *kind == 2
		n.colourSet = [2]bool{true, true}
		c.inside(o, data, n)
	} else if p, ok := c.deref(o).(types.Dict); ok {
		c.shading(p["Shading"], d)
	}
}

func (c *checker) shading(o types.Object, d *drawing) {
	var s types.Dict
	switch o := c.deref(o).(type) {
	case types.Dict:
		s = o
	case types.StreamDict:
		s = o.Dict
	}
	if space := s["ColorSpace"]; space != nil {
		c.used(space, d.resources, 0)
	}
}

// shown looks at a picture or a form as it is shown.
func (c *checker) shown(o types.Object, d *drawing) {
	s, data, ok := c.stream(o)
	if !ok {
		return
	}
	switch c.name(s.Dict, "Subtype") {
	case "Image":
		c.image(s.Dict)
		mask, _ := c.get(s.Dict, "ImageMask").(types.Boolean)
		if space := s.Dict["ColorSpace"]; space != nil && !bool(mask) {
			c.used(space, d.resources, 0)
		}
	case "Form":
		c.form(s)
		c.inside(o, data, c.own(s.Dict, d))
	case "PS":
		c.say("6.2.7", "6.2.9.2", "there is a PostScript object")
	}
}

// inlineSpaces are the short names of colour spaces in inline images (ISO 32000-1, table 94).
var inlineSpaces = map[string]types.Name{"G": "DeviceGray", "RGB": "DeviceRGB", "CMYK": "DeviceCMYK"}

// inline looks at an image that stands in a content stream.
func (c *checker) inline(image []byte, d drawing) {
	entries := map[string][]string{}
	key := ""
	depth := 0
	l := lexer{data: image}
	for {
		token, _, ok := l.next()
		if !ok {
			break
		}
		word := string(token)
		switch {
		case word == "[":
			depth++
		case word == "]":
			depth--
		case depth == 0 && word[0] == '/' && (key == "" || len(entries[key]) > 0):
			key = word[1:]
			continue
		}
		if key != "" {
			entries[key] = append(entries[key], strings.TrimPrefix(word, "/"))
		}
	}
	is := func(word string, keys ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(entries[k], word) })
	}
	if is("LZW", "F", "Filter") || is("LZWDecode", "F", "Filter") {
		c.say("6.1.10", "6.1.10", "an inline image is packed by LZW")
	}
	if is("true", "I", "Interpolate") {
		c.say("6.2.4", "6.2.8.1", "an inline image is interpolated")
	}
	if n := entries["Intent"]; len(n) == 1 && !slices.Contains(renderingIntents, n[0]) {
		c.say("6.2.9", "6.2.6", "there is no rendering intent %s", n[0])
	}
	if is("true", "IM", "ImageMask") {
		c.painted(&d, true, false)
		return
	}
	for _, name := range append(entries["CS"], entries["ColorSpace"]...) {
		space := types.Name(name)
		if long := inlineSpaces[name]; long != "" {
			space = long
		}
		c.used(space, d.resources, 0)
	}
}

// strings gives the strings among operands.
func texts(operands [][]byte) (all [][]byte) {
	for _, o := range operands {
		switch o[0] {
		case '(':
			if text, err := types.Unescape(string(o[1 : len(o)-1])); err == nil {
				all = append(all, text)
			}
		case '<':
			if len(o) < 2 {
				continue
			}
			digits := bytes.Join(bytes.Fields(bytes.Trim(o, "<>")), nil)
			if text, err := types.HexLiteral(digits).Bytes(); err == nil {
				all = append(all, text)
			}
		}
	}
	return all
}

// text notes what is shown in which font; glyphs that are drawings are gone through themselves.
func (c *checker) text(operands [][]byte, d *drawing) {
	f, ok := c.deref(d.font).(types.Dict)
	if !ok {
		return
	}
	at := slices.IndexFunc(c.shownIn, func(s *typeface) bool { return reflect.ValueOf(s.dict).Pointer() == reflect.ValueOf(f).Pointer() })
	if at < 0 {
		at = len(c.shownIn)
		c.shownIn = append(c.shownIn, &typeface{dict: f, codes: map[int]bool{}})
	}
	face := c.shownIn[at]
	if d.mode == invisible {
		return
	}
	face.visible = true
	if d.mode != 7 {
		c.painted(d, d.mode%4 != 1, d.mode%4 == 1 || d.mode%4 == 2)
	}
	wide := c.name(f, "Subtype") == "Type0"
	for _, text := range texts(operands) {
		for i := 0; i < len(text); i++ {
			code := int(text[i])
			if wide {
				if i++; i == len(text) {
					break
				}
				code = code<<8 | int(text[i])
			}
			if !face.codes[code] {
				face.codes[code] = true
				if c.name(f, "Subtype") == "Type3" {
					c.glyph(f, code, d)
				}
			}
		}
	}
}
